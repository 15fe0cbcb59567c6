"""Orchards over HTTP: a farmer's own book only, approval by another, a label, a voucher."""

import io
from uuid import uuid4

import pytest

from tests.web.conftest import PASSWORD
from tests.web.orchard_world import PNG, YEAR, line, plant


@pytest.fixture(scope="module")
def orchard(town):
    return plant(town)


def test_each_line_answers_the_draft_and_a_repeat_is_the_same_line(machine, orchard):
    farmer = machine(orchard.login)
    book = f"{orchard.path}/books/{YEAR}"
    first = farmer.send(f"{book}/lines", {"lines": [line(1)]})
    assert first.status_code == 201, first.text
    balance = first.json["balance"]
    assert balance["net_kg"] == balance["s_kg"] - balance["e_kg"]
    again = farmer.send(f"{book}/lines", {"lines": [line(1)]})
    assert again.json["line_ids"] == first.json["line_ids"]
    other = farmer.send(f"{book}/lines", {"lines": [line(1, quantity="600")]})
    assert (other.status_code, other.json["code"]) == (409, "ORCHARD_LINE_REUSED")
    page = farmer.get(f"{orchard.path}?year={YEAR}").json
    assert [row["client_id"] for row in page["book"]["lines"]] == ["c1"]
    assert page["place"] == "柯城区航埠镇"


def test_a_faulty_line_is_told_by_field(machine, orchard):
    bad = line(2, quantity="-1")
    answer = machine(orchard.login).send(f"{orchard.path}/books/{YEAR}/lines", {"lines": [bad]})
    assert (answer.status_code, answer.json["code"]) == (409, "ORCHARD_LINE_INVALID")
    assert answer.json["params"]["field"] == "quantity"


def test_neither_a_stranger_nor_another_township_sees_an_account(machine, orchard):
    assert machine("buyer").get(orchard.path).status_code == 403
    assert machine("other").get(orchard.path).status_code == 404
    assert machine("other").get("/orchards").json["items"] == []
    refused = machine("other").send(f"{orchard.path}/books/{YEAR}/lines", {"lines": [line(9)]})
    assert refused.status_code == 404
    assert [row["id"] for row in machine("township").get("/orchards").json["items"]] == [
        str(orchard.id)
    ]


def test_a_book_is_approved_by_another_person_then_labelled_and_shown_to_anyone(
    machine, orchard, client
):
    farmer, county = machine(orchard.login), machine("county")
    book = f"{orchard.path}/books/{YEAR}"
    farmer.send(f"{book}/lines", {"lines": [line(1)]})
    assert farmer.send(f"{book}/submission", {}).status_code == 200
    assert farmer.send(f"{book}/decisions", {"decision": "approve"}).status_code == 403
    returned = county.send(f"{book}/decisions", {"decision": "return"})
    assert (returned.status_code, returned.json["code"]) == (422, "VALUE_INVALID")
    approved = county.send(f"{book}/decisions", {"decision": "approve"})
    assert approved.json["status"] == "approved"
    run = county.send("/label-runs", {"adcode": "330802", "year": YEAR})
    assert run.status_code == 201, run.text
    number = run.json["labels"][0]["number"]
    shown = client.get(f"/api/v1/labels/{number}")
    assert shown.status_code == 200
    assert "张三" not in shown.text
    assert shown.json["label"]["place"] == "柯城区航埠镇"
    assert shown.json["rule"]["cuts"] == ["4/5", "1", "6/5"]
    open_page = client.get(f"/api/v1{orchard.path}/public")
    assert "张三" not in open_page.text
    assert open_page.json["years"][0]["year"] == YEAR
    appeal = farmer.send(f"/labels/{number}/appeals", {"reason": "产量漏记"})
    assert appeal.status_code == 201
    late = farmer.send(f"/labels/{number}/appeals", {"reason": "再来"})
    assert late.json["code"] == "LABEL_REPLACED"


def test_an_account_opens_only_on_the_desks_own_ground_and_in_its_county(machine, orchard):
    party = machine("county").get(orchard.path).json["orchard"]["operator_id"]
    plot = {"parcel_id": str(orchard.parcel), "planted_area_m2": "40000", "planting_year": 2012}
    body = {
        "operator_id": party,
        "adcode": "330803",
        "name": "x",
        "crop": "orange",
        "valid_from": "2024-01-01",
        "plots": [plot | {"stage": "mature"}],
    }
    wrong = machine("township").send("/orchards", body)
    assert (wrong.status_code, wrong.json["code"]) == (422, "VALUE_INVALID")
    assert machine("other").send("/orchards", body | {"adcode": "330802"}).status_code == 403
    taken = machine("township").send("/orchards", body | {"adcode": "330802"})
    assert (taken.status_code, taken.json["code"]) == (409, "ORCHARD_PLOT_TAKEN")


def test_a_run_for_another_county_is_refused(machine):
    answer = machine("county").send("/label-runs", {"adcode": "330803", "year": YEAR})
    assert answer.status_code == 403


def test_a_voucher_not_earned_says_why(machine, orchard):
    answer = machine("county").send(f"{orchard.path}/vouchers", {"year": YEAR})
    assert answer.status_code in {201, 409}
    if answer.status_code == 409:
        assert answer.json["code"] == "REWARD_NOT_EARNED"


def test_photos_are_kept_by_digest_and_seen_only_with_their_account(town, orchard, machine):
    client = town.app.test_client()
    auth = (orchard.login, PASSWORD)

    def send(data, name="园.png"):
        return client.post(
            f"/api/v1{orchard.path}/photos",
            data={"photo": (io.BytesIO(data), name)},
            auth=auth,
            headers={"Idempotency-Key": uuid4().hex},
        )

    kept = send(PNG)
    assert kept.status_code == 201, kept.text
    assert send(PNG).json == kept.json
    assert send(b"<svg onload=1>").json["code"] == "PHOTO_INVALID"
    path = f"{orchard.path}/photos/{kept.json['sha256']}"
    assert machine(orchard.login).get(path).status_code == 404
    grass = {
        "client_id": "g",
        "kind": "practice_grass",
        "on_date": "2024-04-01",
        "quantity": "0.8",
        "unit": "share",
        "photo_sha256": kept.json["sha256"],
    }
    made = machine(orchard.login).send(f"{orchard.path}/books/2024/lines", {"lines": [grass]})
    assert made.status_code == 201, made.text
    shown = machine(orchard.login).get(path)
    assert (shown.status_code, shown.mimetype) == (200, "image/png")
    assert machine("other").get(path).status_code == 404


def test_factors_and_programmes_are_open_and_every_row_has_source_unit_and_mark(client):
    rows = client.get("/api/v1/factors").json
    assert len(rows["items"]) == rows["total"] > 200
    assert all(row["unit"] and row["citation"] and row["mark"] for row in rows["items"])
    fewer = client.get("/api/v1/factors?q=EF1 wet&mark=secondary").json["items"]
    assert 0 < len(fewer) < 10
    assert client.get("/api/v1/factors?mark=sure").status_code == 422
    listed = client.get("/api/v1/programmes").json["items"]
    assert {"orchard-label", "county-inclusion"} <= {row["id"] for row in listed}
    page = client.get("/api/v1/programmes/orchard-label").json
    gate = next(row for row in page["figures"] if row["path"].endswith("planted_mu_min"))
    assert (gate["value"], gate["unit"], gate["mark"]) == (50, "mu", "read")
    assert client.get("/api/v1/programmes/nothing").status_code == 404


def test_findings_of_a_parcel_in_words(machine, orchard):
    from registry.programmes.store import packaged

    county = machine("county")
    county.send("/programmes", {"source": packaged()["orchard-label"]})
    body = {"programme_id": "orchard-label", "parcel_ids": [str(orchard.parcel)]}
    ran = county.send("/eligibility-runs", body)
    assert (ran.status_code, ran.json["parcels"]) == (200, 1)
    found = county.get(f"/parcels/{orchard.parcel}/findings").json["items"]
    assert {"orchard_area_min", "tenure"} <= {row["rule"] for row in found}
    assert all(row["zh"] and row["en"] for row in found)
    assert machine("other").send("/eligibility-runs", body).status_code == 404
    assert machine("other").get(f"/parcels/{orchard.parcel}/findings").status_code == 404
