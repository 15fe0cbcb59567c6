"""The JSON interface: verbs, refusals, idempotency, versions, and its own document."""

import io
import json
from datetime import UTC, datetime

import pyogrio.raw
import pytest
import shapely

from geo.export import FORMATS
from geo.intake import IntakeOptions, examine
from registry import divisions
from registry.db import SYSTEM_ACTOR, perform
from tests.geo.makers import CGCS2000
from tests.web.conftest import drawing, square
from web import openapi


def test_a_parcel_is_drawn_once_revised_and_approved_by_another(machine):
    township, county = machine("township"), machine("county")
    first = township.send("/parcels", drawing(), key="k1")
    assert first.status_code == 201, first.json
    again = township.send("/parcels", drawing(), key="k1")
    assert again.json == first.json
    other = township.send("/parcels", drawing(118.9), key="k1")
    assert (other.status_code, other.json["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    where = f"/parcels/{first.json['parcel_id']}"
    seen = township.get(where)
    tag = seen.headers["ETag"]
    assert tag.startswith('"1.')
    assert township.get(where, headers={"If-None-Match": tag}).status_code == 304
    assert township.get(where, headers={"If-None-Match": '"1"'}).status_code == 200
    change = {"geojson": None, "attributes": {"树种": "杉木"}, "reason": "补录"}
    for seen in ({}, {"If-Match": '""'}, {"If-Match": "*"}, {"If-Match": '"1", "2"'}):
        unsure = township.send(where, change, method="PATCH", headers=seen)
        assert (unsure.status_code, unsure.json["code"]) == (428, "PRECONDITION_NEEDED")
    changed = township.send(where, change, method="PATCH", headers={"If-Match": tag})
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    late = township.send(where, change, method="PATCH", headers={"If-Match": '"1"'})
    assert (late.status_code, late.json["code"]) == (412, "VERSION_CONFLICT")
    approve = {"decision": "approve"}
    own = township.send(f"{where}/decisions", approve)
    assert (own.status_code, own.json["code"]) == (403, "NOT_PERMITTED")
    before = county.get(where).headers["ETag"]
    done = county.send(f"{where}/decisions", approve)
    assert done.json["status"] == "approved"
    decided = county.get(where, headers={"If-None-Match": before})
    assert (decided.status_code, decided.json["status"]) == (200, "approved")


def test_what_overlaps_is_refused_with_words_in_both_languages(machine):
    township = machine("township")
    assert township.send("/parcels", drawing(118.7)).status_code == 201
    clash = township.send("/parcels", drawing(118.701))
    assert clash.status_code == 409
    assert clash.content_type.startswith("application/problem+json")
    assert clash.json["code"] == "PARCEL_OVERLAP"
    assert clash.json["title"].startswith("地块与已登记地块重叠")
    assert clash.json["remedy_en"]


def test_all_faulty_fields_are_named_at_once(machine):
    sent = drawing() | {"kind": "sea", "actor_id": "me"}
    del sent["captured_with"]
    answer = machine("township").send("/parcels", sent)
    assert answer.status_code == 422
    found = {one["pointer"]: one["code"] for one in answer.json["errors"]}
    assert found == {
        "/kind": "FIELD_CHOICE",
        "/actor_id": "FIELD_UNKNOWN",
        "/captured_with": "FIELD_MISSING",
    }


@pytest.mark.parametrize("body", [b"{", b'{"geojson": "\\u0000"}', b"[]", b"NaN"])
def test_a_body_that_is_no_command_is_refused(machine, body):
    answer = machine("township").send("/parcels", None, data=body)
    assert answer.status_code == 422
    assert answer.json["errors"]


def test_a_change_needs_a_key(town):
    answer = town.app.test_client().post(
        "/api/v1/parcels", json=drawing(), auth=("township", "cedar and bamboo")
    )
    assert answer.json["code"] == "IDEMPOTENCY_KEY_MISSING"


def test_a_township_neither_sees_nor_draws_in_another(machine):
    made = machine("township").send("/parcels", drawing(118.6)).json
    other = machine("other")
    assert other.get(f"/parcels/{made['parcel_id']}").status_code == 404
    assert made["parcel_id"] not in other.get("/parcels").text
    assert made["parcel_id"] not in other.get("/parcels.geojson?bbox=118,28,119,30").text
    assert other.send("/parcels", drawing(118.5)).status_code == 403
    beside = other.get("/parcels/neighbours.geojson?bbox=118.59,28.9,118.61,29")
    assert beside.json["features"][0]["properties"] == {"kind": "carbon", "status": "submitted"}
    assert machine("buyer").get("/parcels").status_code == 403


def test_a_download_holds_what_the_caller_may_see_in_every_format(machine, tmp_path):
    township, other = machine("township"), machine("other")
    made = township.send("/parcels", drawing(118.66)).json["parcel_id"]
    for name, about in FORMATS.items():
        answer = township.get(f"/parcels/export?format={name}")
        assert answer.status_code == 200, answer.text
        assert answer.content_type.startswith(about.media_type)
        path = tmp_path / f"{name}{about.suffix}"
        path.write_bytes(answer.data)
        intake = examine(path, options=IntakeOptions(check_overlap=False))
        assert {a["parcel_id"] for a in intake.attributes} >= {made}, name
        assert intake.accepted == intake.read
    theirs = other.get("/parcels/export?format=geojson")
    assert made not in theirs.text
    theirs = {**drawing(118.663), "division_code": "330802102000"}
    assert other.send("/parcels", theirs).status_code == 201
    beside = tmp_path / "beside.gpkg"
    beside.write_bytes(other.get("/parcels/export?format=gpkg").data)
    meta, _, shapes, _ = pyogrio.raw.read(beside, layer="neighbours")
    assert (len(shapes), list(meta["fields"])) == (1, [])
    assert machine("buyer").get("/parcels/export").status_code == 403
    assert township.get("/parcels/export?format=dwg").status_code == 422
    none = township.get("/parcels/export?format=geojson&status=approved&division=330802999")
    assert none.json["features"] == []


def test_lists_go_on_by_cursor(machine):
    township = machine("township")
    for step in range(3):
        assert township.send("/parcels", drawing(118.1 + step / 100)).status_code == 201
    seen, after = [], ""
    while True:
        page = township.get(f"/parcels?limit=2{after}").json
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert len(seen) == len(set(seen)) >= 3
    assert seen == sorted(seen)


def file_of(*shapes):
    rows = [
        {"type": "Feature", "geometry": shape, "properties": {"name": f"N{i}"}}
        for i, shape in enumerate(shapes)
    ]
    return json.dumps({"type": "FeatureCollection", "crs": CGCS2000, "features": rows}).encode()


def test_a_file_is_tried_then_taken_once_and_approved_by_another(machine):
    bow = {
        "type": "Polygon",
        "coordinates": [
            [[118.3, 28.9], [118.31, 28.91], [118.31, 28.9], [118.3, 28.91], [118.3, 28.9]]
        ],
    }
    body = file_of(square(118.2), square(118.21), bow)
    township, county = machine("township"), machine("county")

    def send(key="f1", **form):
        data = {"file": (io.BytesIO(body), "plots.geojson"), "division_code": "330802101", **form}
        return township.send("/imports", key=key, data=data)

    tried = send(dry_run="true")
    assert (tried.status_code, tried.json["batch_id"]) == (200, None)
    counts = [tried.json[name] for name in ("read", "accepted", "refused", "questioned")]
    assert counts == [3, 2, 1, 0]
    refused = next(one for one in tried.json["findings"] if one["severity"] == "refused")
    assert refused["row"] == 3
    assert refused["zh"]
    assert refused["remedy_en"]
    done = send()
    assert done.status_code == 201
    assert send().json["batch_id"] == done.json["batch_id"]
    batch = f"/imports/{done.json['batch_id']}"
    assert township.get(batch).json["line"]["waiting"] == 2
    assert machine("other").get(batch).status_code == 404
    assert township.send(f"{batch}/approval").status_code == 403
    assert county.send(f"{batch}/approval").json == {"approved": 2}


def test_a_file_that_cannot_be_read_says_why(machine):
    data = {"file": (io.BytesIO(b"hello"), "plots.geojson"), "division_code": "330802101"}
    answer = machine("township").send("/imports", data=data)
    assert answer.status_code == 422
    assert answer.json["code"].startswith(("FILE", "JSON", "GEOJSON"))


def test_the_document_is_the_committed_one(client):
    assert openapi.PATH.read_text(encoding="utf-8") == openapi.text(), "run: python -m web.openapi"
    served = client.get("/api/v1/openapi.json")
    assert served.get_data(as_text=True) == openapi.text()
    assert served.json["openapi"] == "3.1.0"


def test_every_reference_of_the_document_leads_somewhere():
    document = openapi.document()
    text = json.dumps(document)
    named = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert named <= set(document["components"]["schemas"])
    operations = [one for path in document["paths"].values() for one in path.values()]
    ids = [one["operationId"] for one in operations]
    assert len(ids) == len(set(ids))


def test_divisions_of_a_point_and_of_a_drawn_shape(town, machine):
    chain = [
        divisions.DivisionRow(
            code=code,
            name=name,
            level=level,
            parent_code=parent,
            boundary=shapely.to_wkb(shapely.MultiPolygon([box])) if box else None,
        )
        for code, name, level, parent, box in [
            ("330000000000", "浙江省", "province", None, None),
            ("330900000000", "某市", "city", "330000000000", None),
            ("330902000000", "某县", "county", "330900000000", shapely.box(121, 30, 122, 31)),
        ]
    ]
    command = divisions.LoadDivisions(
        at=datetime(2026, 3, 2, tzinfo=UTC),
        actor_id=SYSTEM_ACTOR,
        key="divisions-of-a-point",
        valid_from_year=2023,
        source="test",
        rows=chain,
    )
    perform(town.engine, divisions.load, command)
    public = town.app.test_client()
    found = public.get("/api/v1/divisions/at?lon=121.5&lat=30.5&year=2026").json
    assert [one["known"] for one in found["levels"]] == [
        "parent",
        "parent",
        "boundary",
        "no_boundary",
        "no_boundary",
    ]
    assert public.get("/api/v1/divisions/at?lon=1&lat=95").status_code == 422
    assert public.get("/api/v1/divisions/330902").json["name"] == "某县"
    assert public.get("/api/v1/divisions/999999").status_code == 404
    body = {"geojson": square(121.999, 30.5)}
    assert public.post("/api/v1/divisions/of-shape", json=body).status_code == 401
    cut = machine("township").send("/divisions/of-shape", body).json
    assert (cut["code"], [one["name"] for one in cut["shares"]]) == (None, ["某县"])
    assert cut["shares"][0]["share"] == pytest.approx(0.5, abs=1e-3)
    broken = {"geojson": {"type": "Polygon", "coordinates": []}}
    assert machine("township").send("/divisions/of-shape", broken).status_code == 422


def test_a_questioned_row_is_taken_when_a_person_confirms_it(machine):
    township = machine("township")
    rows = [
        {
            "type": "Feature",
            "geometry": square(118.60 + n / 100, 28.70),
            "properties": {"树种": name},
        }
        for n, name in enumerate(("杉木", "外星树"))
    ]
    body = json.dumps({"type": "FeatureCollection", "crs": CGCS2000, "features": rows}).encode()
    data = {"file": (io.BytesIO(body), "odd.geojson"), "division_code": "330802101"}
    report = township.send("/imports", data=data, content_type="multipart/form-data").json
    assert (report["accepted"], report["questioned"]) == (1, 1)
    where = f"/imports/{report['batch_id']}/answers"
    nobody = township.send(where, {"rows": [2], "reason": ""})
    assert (nobody.status_code, nobody.json["code"]) == (422, "VALUE_INVALID")
    done = township.send(where, {"rows": [2], "reason": "本地新引种"})
    assert (done.status_code, done.json["accepted"], done.json["refused"]) == (201, [2], [])
    assert township.get(f"/imports/{report['batch_id']}").json["line"]["questioned"] == 0
