"""Pages without a browser: what forms refuse, what each desk may reach."""

import io
import json
import re

import pytest

from tests.geo.makers import CGCS2000
from tests.web.conftest import PASSWORD, drawing, square


@pytest.fixture
def desk(town):
    """A browser signed in as a desk."""

    def open_(name):
        client = town.app.test_client()
        client.post("/sign-in", data=form(client, "/sign-in", username=name, password=PASSWORD))
        return client

    return open_


def form(client, path, **fields):
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)[1]
    return {"csrf_token": token, **fields}


def test_the_menu_holds_what_the_desk_may_do(desk):
    buyer, county = desk("buyer").get("/").text, desk("county").get("/").text
    assert "/imports/new" not in buyer
    assert "/imports/new" in county
    assert desk("buyer").get("/parcels").status_code == 403


def test_a_drawing_without_a_shape_names_the_field(desk):
    client = desk("township")
    sent = form(client, "/parcels/new", kind="carbon", division_code="330802101001")
    answer = client.post("/parcels/new", data=sent)
    assert answer.status_code == 422
    assert "field-error" in answer.text


def test_a_faulty_drawing_says_what_is_wrong_in_the_readers_language(desk):
    bow = [[118.4, 28.9], [118.41, 28.91], [118.41, 28.9], [118.4, 28.91], [118.4, 28.9]]
    shape = json.dumps({"type": "Polygon", "coordinates": [bow]})
    client = desk("township")
    fields = {"kind": "carbon", "division_code": "330802101001", "geometry": shape}
    answer = client.post("/parcels/new", data=form(client, "/parcels/new", **fields))
    assert answer.status_code == 422
    assert "自己相交" in answer.text
    client.set_cookie("tanhui_language", "en")
    answer = client.post("/parcels/new", data=form(client, "/parcels/new", **fields))
    assert "crosses itself" in answer.text


def test_a_form_sent_twice_acts_once(desk):
    client = desk("township")
    sent = form(
        client,
        "/parcels/new",
        kind="carbon",
        division_code="330802101001",
        geometry=json.dumps(square(118.45)),
        request_key="once-only",
    )
    first = client.post("/parcels/new", data=sent)
    again = client.post("/parcels/new", data=sent)
    assert first.status_code == again.status_code == 303
    assert first.headers["Location"] == again.headers["Location"]


def test_a_preview_belongs_to_its_sender(desk):
    body = {"type": "FeatureCollection", "crs": CGCS2000, "features": []}
    body["features"] = [{"type": "Feature", "geometry": square(118.46), "properties": {}}]
    client = desk("township")
    sent = form(client, "/imports/new", division_code="330802101000")
    sent["file"] = (io.BytesIO(json.dumps(body).encode()), "../../etc/页.geojson")
    made = client.post("/imports/new", data=sent)
    assert made.status_code == 303
    where = made.headers["Location"]
    assert client.get(where).status_code == 200
    assert (
        client.get(f"{where}/rows.geojson").json["features"][0]["properties"]["status"]
        == "accepted"
    )
    assert desk("county").get(where).status_code == 404
    assert client.get("/imports/preview/..%2f..%2fkeys/rows.geojson").status_code == 404


def test_a_file_without_sense_is_told_on_the_form(desk):
    client = desk("township")
    sent = form(client, "/imports/new", division_code="330802101000")
    answer = client.post("/imports/new", data=sent | {"file": (io.BytesIO(b"?"), "a.geojson")})
    assert answer.status_code == 422
    assert "tone-bad" in answer.text
    assert client.post("/imports/new", data=sent).status_code == 422


def test_who_submitted_sees_no_button_to_approve(machine, desk):
    made = machine("county").send("/parcels", drawing(118.47)).json["parcel_id"]
    own = desk("county").get(f"/parcels/{made}").text
    assert "请由另一位管理员审批" in own
    assert 'value="approve"' not in own
    refused = machine("county").send(f"/parcels/{made}/decisions", {"decision": "approve"})
    assert (refused.status_code, refused.json["code"]) == (403, "APPROVER_IS_SUBMITTER")


def test_kin_are_linked_and_a_split_parcel_says_so(machine, desk):
    made = machine("township").send("/parcels", drawing(118.46)).json["parcel_id"]
    line = {"type": "LineString", "coordinates": [[118.461, 28.94], [118.461, 28.96]]}
    sent = {"based_on_version": 1, "line": line, "reason": "分户"}
    done = machine("township").send(f"/parcels/{made}/split", sent).json
    children = [one["parcel_id"] for one in done["parcels"]]
    page = desk("township").get(f"/parcels/{made}").text
    assert "已分割为" in page
    assert "不再使用" in page
    assert all(f'href="/parcels/{child}"' in page for child in children)
    page = desk("township").get(f"/parcels/{children[0]}").text
    assert "由这个地块分割而来" in page
    assert f'href="/parcels/{made}"' in page
    assert "边界编辑" in page


def test_times_are_the_countys_own(machine, desk):
    made = machine("township").send("/parcels", drawing(118.48)).json["parcel_id"]
    found = machine("township").get(f"/parcels/{made}").json["decisions"][0]["effective_at"]
    hour = (int(found[11:13]) + 8) % 24
    assert f" {hour:02d}:{found[14:16]}" in desk("township").get(f"/parcels/{made}").text


def test_maps_begin_where_the_desks_parcels_are(machine):
    machine("township").send("/parcels", drawing(118.49))
    outline = machine("township").get("/parcels/outline.geojson").json
    ring = outline["features"][0]["geometry"]["coordinates"][0]
    assert min(x for x, _ in ring) < 118.49 < max(x for x, _ in ring)
    assert machine("other").get("/parcels/outline.geojson").json["features"] == []


def test_the_look_up_knows_nothing_of_plots_and_says_so(client, machine):
    made = machine("township").send("/parcels", drawing(118.52)).json["parcel_id"]
    for asked in (made, "P1", "CN-330802-FCS-000001-001-2026-1-10", "CERT-2026-000001", "' OR 1=1"):
        answer = client.get("/lookup", query_string={"q": asked})
        assert answer.status_code == 200
        assert "没有查到这个编号" in answer.text


def test_unknown_serials_are_no_page_of_the_interface(client):
    assert client.get("/api/v1/units/CN-1").json["code"] == "SERIAL_INVALID"
    assert client.get("/api/v1/certificates/CERT-2026-000001").status_code == 404
    sure = "CN-330802-FCS-000001-001-2026-1-10"
    assert client.get(f"/api/v1/units/{sure}").status_code == 404


def test_units_are_moved_by_their_holder_only(machine):
    body = {
        "holder_id": "00000000-0000-4000-8000-000000000001",
        "receiver_id": "00000000-0000-4000-8000-000000000002",
        "units": {"kg": 1},
    }
    answer = machine("buyer").send("/units/transfers", body)
    assert answer.status_code in {403, 422}
    assert machine("township").send("/units/transfers", body).status_code == 403


def test_a_project_of_another_county_is_refused(machine):
    body = {
        "adcode": "330803",
        "name": "外县项目",
        "proponent_id": "00000000-0000-4000-8000-000000000001",
        "programme_id": "county-inclusion",
        "started_on": "2020-01-01",
        "crediting_from": "2020-01-01",
        "crediting_to": "2040-01-01",
    }
    assert machine("county").send("/projects", body).status_code == 403
    assert machine("buyer").send("/projects", body).status_code == 403
    assert machine("county").get("/projects").json == {"items": []}
    assert machine("county").get("/jobs").json == {"items": []}
