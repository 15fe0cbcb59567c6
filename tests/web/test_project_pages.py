"""Projects on pages and over HTTP: each step to who may take it, faults at their fields."""

import json
import re
from uuid import uuid4

import pytest
from sqlalchemy import text

from registry import programmes
from registry.db import SYSTEM_ACTOR, perform, transaction
from registry.people import AddActor, AddParty, add_actor, add_party
from registry.worker import run_worker
from tests.web.conftest import AT, HASH, PASSWORD, drawing
from web.accounts import logins

PROGRAMME = "county-inclusion"
FIELDS = {
    "name": "航埠一村碳普惠",
    "adcode": "330802",
    "programme_id": PROGRAMME,
    "started_on": "2025-01-01",
    "crediting_from": "2025-01-01",
    "last_day": "2044-12-31",
}


@pytest.fixture(scope="module")
def place(town):
    """A village with one approved parcel, its collective at a desk, and a second county desk."""
    base = {"at": AT, "actor_id": SYSTEM_ACTOR}
    source = programmes.packaged()[PROGRAMME]
    adopt = programmes.AdoptProgramme(**base, key="adopt", source=source)
    perform(town.engine, programmes.adopt, adopt)
    village = AddParty(
        **base, key="v", kind="collective", name="一村", division_code="330802101001"
    )
    town.village = perform(town.engine, add_party, village).party_id
    desks = {
        "village": {"roles": ["collective"], "party_id": town.village},
        "county2": {"roles": ["county"], "division_code": "330802000000"},
        "verifier": {"roles": ["verifier"]},
    }
    for name, more in desks.items():
        made = perform(town.engine, add_actor, AddActor(**base, key=name, name=name, **more))
        login = logins.AddLogin(
            **base, key=f"l{name}", username=name, password_hash=HASH, for_actor_id=made.actor_id
        )
        perform(town.engine, logins.add_login, login)
    return town


@pytest.fixture
def desk(town):
    """A browser signed in as a desk: ``get(path)`` and ``post(path, **fields)``."""

    def open_(name):
        client = town.app.test_client()
        client.post("/sign-in", data=_form(client, username=name, password=PASSWORD))
        return _Desk(client)

    return open_


def _form(client, **fields):
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sign-in").text)[1]
    return {"csrf_token": token, **fields}


class _Desk:
    def __init__(self, client):
        self._client = client
        self._token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/").text)[1]

    def get(self, path):
        return self._client.get(path)

    def post(self, path, **fields):
        fields = {"csrf_token": self._token, "request_key": uuid4().hex, **fields}
        return self._client.post(path, data=fields)


@pytest.fixture(scope="module")
def parcel_id(place):
    """An approved parcel of the village."""
    from tests.web.conftest import Machine

    body = drawing(118.70, owner_id=str(place.village), plot_code="林1")
    body["attributes"] = {"land_class": "乔木林地", "planting_year": "2010"}
    made = Machine(place.app, "township").send("/parcels", body)
    assert made.status_code == 201, made.text
    parcel = made.json["parcel_id"]
    sent = {"decision": "approve"}
    assert (
        Machine(place.app, "county").send(f"/parcels/{parcel}/decisions", sent).status_code == 200
    )
    return parcel


def scalar(town, words, **row):
    with transaction(town.engine) as session:
        return session.scalar(text(words), row)


def created(desk, place, **more):
    fields = FIELDS | {"proponent_id": str(place.village)} | more
    answer = desk("township").post("/projects/new", **fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def make_eligible(town, parcel_id):
    """Let the answer stand as the rules would give it with every document at hand."""
    with transaction(town.engine) as session:
        session.execute(
            text("UPDATE eligibility SET answer = 'eligible' WHERE parcel_id = :id"),
            {"id": parcel_id},
        )


def test_who_may_not_open_projects_is_told_so(desk, place):
    for name, status in (("buyer", 403), ("verifier", 200), ("company", 200)):
        assert desk(name).get("/projects").status_code == status
    assert desk("verifier").get("/projects/new").status_code == 403
    assert "/projects" not in desk("buyer").get("/").text
    assert "/projects" in desk("village").get("/").text


def test_a_project_without_dates_names_each_field_and_keeps_what_was_written(desk, place):
    sent = FIELDS | {"proponent_id": str(place.village), "started_on": "", "last_day": "soon"}
    answer = desk("township").post("/projects/new", **sent)
    assert answer.status_code == 422
    assert 'id="e-last_day"' in answer.text
    sent = FIELDS | {"proponent_id": str(place.village), "started_on": "", "last_day": ""}
    answer = desk("township").post("/projects/new", **sent)
    assert answer.status_code == 422
    assert 'id="e-started_on"' in answer.text
    assert 'id="e-last_day"' in answer.text
    assert FIELDS["name"] in answer.text


def test_a_crediting_period_too_long_is_refused_with_the_rule(desk, place):
    sent = FIELDS | {"proponent_id": str(place.village), "last_day": "2099-12-31"}
    answer = desk("township").post("/projects/new", **sent)
    assert answer.status_code == 409
    assert "计入期" in answer.text
    assert scalar(place, "SELECT count(*) FROM project WHERE name = :n", n=FIELDS["name"]) == 0


def test_a_project_sent_twice_is_one(desk, place):
    sent = FIELDS | {"name": "一次", "proponent_id": str(place.village), "request_key": "once"}
    first, again = (desk("township").post("/projects/new", **sent) for _ in range(2))
    assert first.status_code == again.status_code == 303
    assert first.headers["Location"] == again.headers["Location"]
    assert scalar(place, "SELECT count(*) FROM project WHERE name = '一次'") == 1


def test_nobody_enters_a_project_for_another_county_or_another_party(machine, place):
    body = {
        "adcode": "330802",
        "name": "别人的",
        "proponent_id": str(uuid4()),
        "programme_id": PROGRAMME,
        "started_on": "2025-01-01",
        "crediting_from": "2025-01-01",
        "crediting_to": "2045-01-01",
    }
    assert machine("village").send("/projects", body).status_code == 403
    other = {**body, "adcode": "330803", "proponent_id": str(place.village)}
    assert machine("township").send("/projects", other).status_code == 403


def test_the_way_of_a_project(desk, machine, place, parcel_id, tmp_path):
    here = created(desk, place, name="全程")
    project = here.rsplit("/", 1)[1]
    page = desk("township").get(f"{here}/parcels").text
    assert "还没核查" in page
    refused = desk("township").post(f"{here}/parcels", parcel=parcel_id)
    assert refused.status_code == 409
    assert parcel_id in refused.text
    assert desk("township").post(f"{here}/parcels").status_code == 422
    # the rules are asked as a job; what they want is said with the way to mend it
    job = desk("township").post(f"{here}/eligibility", parcel=parcel_id).headers["Location"]
    assert "排队中" in desk("township").get(job).text
    run_worker(place.engine, layer_dir=tmp_path, once=True)
    assert "已完成" in desk("township").get(job).text
    page = desk("township").get(f"{here}/parcels").text
    assert "需补充资料" in page
    assert "要带什么、怎么办" in page
    make_eligible(place, parcel_id)
    assert desk("township").post(f"{here}/parcels", parcel=parcel_id).status_code == 303
    shapes = desk("township").get(f"{here}/parcels.geojson").json["features"]
    assert [one["id"] for one in shapes] == [parcel_id]
    assert desk("county").post(f"{here}/decisions", decision="submit").status_code == 303
    # the submitter is refused, and told why; a verifier and a township never decide
    assert "另一位管理员" in desk("county").get(here).text
    desk("county").post(f"{here}/decisions", decision="approve")
    assert desk("township").post(f"{here}/decisions", decision="approve").status_code == 403
    assert desk("verifier").post(f"{here}/decisions", decision="approve").status_code == 403
    assert scalar(place, "SELECT status FROM project WHERE id = :id", id=project) == "submitted"
    assert desk("verifier").get(here).status_code == 404  # not approved: not theirs to see
    assert desk("verifier").get(f"/parcels/{parcel_id}/findings").status_code == 404
    desk("county2").post(f"{here}/decisions", decision="approve")
    assert desk("verifier").get(here).status_code == 200
    assert "需补充资料" in desk("verifier").get(f"/parcels/{parcel_id}/findings").text
    desk("county2").post(f"{here}/claims")
    page = desk("village").get(here).text
    for word in ("碳普惠", "2025–2044", "county2", "提出主张", "林1"):
        assert word in page
    held = machine("county").get(f"/projects/{project}/record").json["claims"]
    assert [(one["scheme"], one["claims"]) for one in held] == [("inclusion", 1)]
    released_with_a_reason_only_by_the_county(desk, machine, place, project)


def released_with_a_reason_only_by_the_county(desk, machine, place, project):
    claim = scalar(place, "SELECT id::text FROM claim WHERE project_id::text = :p", p=project)
    path = f"/projects/{project}/claims/releases"
    body = {"claim_ids": [claim], "reason": "重测面积"}
    assert machine("village").send(path, body).status_code == 403
    other = created(desk, place, name="另一个").rsplit("/", 1)[1]
    assert machine("county").send(f"/projects/{other}/claims/releases", body).status_code == 404
    page, form = f"/projects/{project}", f"/projects/{project}/claims/releases"
    assert "放弃的理由" in desk("county").get(page).text
    for name in ("village", "verifier"):
        assert "放弃的理由" not in desk(name).get(page).text
        assert desk(name).post(form, claim_id=claim, reason="重测").status_code == 403
    for wrong in ({"reason": " "}, {"claim_id": "x", "reason": "重测"}):
        assert desk("county").post(form, **wrong).status_code == 303
    assert scalar(place, "SELECT status FROM claim WHERE id::text = :c", c=claim) == "active"
    assert desk("county").post(form, reason="重测面积").status_code == 303
    again = machine("county").send(path, body)
    assert (again.status_code, again.json["code"]) == (409, "STATE_WRONG")
    assert "放弃的理由" not in desk("county").get(page).text
    assert "已放弃" in desk("county").get(f"/projects/{project}").text


def test_another_town_sees_the_project_and_none_of_its_parcels(machine, place, parcel_id, desk):
    here = created(desk, place, name="看一眼")
    project = here.rsplit("/", 1)[1]
    make_eligible(place, parcel_id)
    desk("township").post(f"{here}/parcels", parcel=parcel_id)
    seen = machine("other").get(f"/projects/{project}/record").json
    assert seen["project"]["parcels"] == 1
    assert seen["ground"] == []
    assert machine("other").get(f"/projects/{project}/candidates").json["items"] == []
    taken = machine("other").send(f"/projects/{project}/parcels", {"parcel_ids": [parcel_id]})
    assert taken.status_code == 404


def test_a_waiting_job_is_stopped_by_who_asked_for_it(machine, place, parcel_id):
    body = {"programme_id": PROGRAMME, "parcel_ids": [parcel_id]}
    asked = machine("township").send("/eligibility-jobs", body)
    assert asked.status_code == 202
    stop = f"/jobs/{asked.json['id']}/cancellation"
    assert machine("other").send(stop).status_code == 404
    assert machine("township").send(stop).json["state"] == "cancelled"
    assert machine("township").send(stop).status_code == 409
    assert json.loads(asked.data)["actor_id"] == str(place.actors["township"])
