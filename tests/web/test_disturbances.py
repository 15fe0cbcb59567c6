"""Disturbances on pages and over HTTP: proposed by a job, decided once, what they touch."""

import re
from uuid import uuid4

import pytest
from sqlalchemy import text

from registry.db import transaction
from registry.worker import run_worker
from tests.web import change_world
from tests.web.conftest import PASSWORD, Machine

COUNTY = "330802"


@pytest.fixture(scope="module")
def town(pg, clone, tmp_path_factory):
    made = change_world.build(
        pg, clone, tmp_path_factory.mktemp("county"), tmp_path_factory.mktemp("state")
    )
    yield made
    made.engine.dispose()


class _Desk:
    def __init__(self, app, name):
        self._client = app.test_client()
        self.post("/sign-in", username=name, password=PASSWORD)

    def get(self, path):
        return self._client.get(path)

    def post(self, path, **fields):
        page = self._client.get("/sign-in" if path == "/sign-in" else "/").text
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
        data = {"csrf_token": token, "request_key": uuid4().hex, **fields}
        return self._client.post(path, data=data)


@pytest.fixture(scope="module")
def desk(town):
    return lambda name: _Desk(town.app, name)


@pytest.fixture(scope="module")
def found(town, desk):
    """The fire, proposed by jobs that the county's page asked for."""
    county = desk("county")
    page = county.get("/disturbances").text
    assert "disturbance.tif" in page
    for path, more in (
        ("/disturbances/measure", {}),
        ("/disturbances/detect", {"layer_id": town.loss, "unit_m2": "667"}),
    ):
        answer = county.post(path, division_code=COUNTY, **more)
        assert answer.status_code == 303
        assert "/jobs/" in answer.location
    run_worker(town.engine, layer_dir=town.state / "layers", once=True)
    with transaction(town.engine) as session:
        states = session.execute(text("SELECT task, state, error FROM job")).all()
        assert {(row.task, row.state) for row in states} == {
            ("change_series", "done"),
            ("change_detect", "done"),
        }, states
        return session.scalar(text("SELECT id FROM disturbance"))


def test_who_may_not_look_or_search_is_refused(town, desk, found):
    assert desk("buyer").get("/disturbances").status_code == 403
    auditor = desk("auditor")
    assert auditor.get(f"/disturbances/{found}").status_code == 200
    assert "开始查找" not in auditor.get("/disturbances").text
    township = desk("township")
    refused = township.post(f"/disturbances/{found}/dismiss", dismissal="不是")
    assert refused.status_code == 403
    assert desk("county").post("/disturbances/detect", layer_id=town.loss).status_code == 403


def test_a_candidate_shows_its_ground_and_series(town, desk, found):
    county = desk("county")
    page = county.get(f"/disturbances/{found}").text
    assert "待确认" in page
    assert "<svg" in page
    assert "2023-07-20" in page
    shapes = county.get(f"/disturbances/{found}/ground.geojson").json["features"]
    assert {one["properties"]["status"] for one in shapes} == {"candidate", "approved"}
    (one,) = county.get("/api/v1/disturbances.geojson?status=candidate").json["features"]
    assert one["properties"]["url"] == f"/disturbances/{found}"
    with transaction(town.engine) as session:
        parcel = session.scalar(text("SELECT parcel_id FROM disturbance_parcel LIMIT 1"))
    plot = county.get(f"/parcels/{parcel}").text
    assert "影像变化" in plot
    assert "2025 年扰动" in plot


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"kind": "fire", "share": "80", "reason": ""}, "reason"),
        ({"kind": "", "share": "80", "reason": "x"}, "kind"),
        ({"kind": "fire", "share": "140", "reason": "x"}, "share"),
        ({"kind": "fire", "share": "eighty", "reason": "x"}, "share"),
        ({"kind": "fire", "share": "NaN", "reason": "x"}, "share"),
        (
            {"kind": "fire", "share": "80", "occurred_on": "2099-01-01", "reason": "x"},
            "occurred_on",
        ),
    ],
)
def test_a_form_that_makes_no_sense_is_shown_again(desk, found, fields, says):
    answer = desk("county").post(f"/disturbances/{found}/confirm", **fields)
    assert answer.status_code in {409, 422}
    assert f'name="{says}"' in answer.text
    assert 'class="field-error"' in answer.text or "alert" in answer.text


def test_confirmed_once_its_plots_are_run_again_and_what_follows_is_listed(town, desk, found):
    machine = Machine(town.app, "county")
    answer = desk("county").post(
        f"/disturbances/{found}/confirm",
        kind="fire",
        share="80",
        occurred_on="2025-03-18",
        reason="火灾调查表",
    )
    assert answer.status_code == 303
    run_worker(town.engine, layer_dir=town.state / "layers", once=True)
    again = machine.send(f"/disturbances/{found}/dismissal", {"reason": "不是"})
    assert again.status_code == 409
    told = machine.get(f"/disturbances/{found}").json
    page = told["page"]
    assert page["line"]["status"] == "confirmed"
    assert page["decision"]["share_ppm"] == 800_000
    assert [job["state"] for job in page["jobs"]] == ["done"]
    with transaction(town.engine) as session:
        rerun = set(
            session.scalars(
                text(
                    "SELECT s.parcel_id::text FROM assessment_series s JOIN assessment_run r ON"
                    " r.id = s.run_id WHERE r.recorded_at > (SELECT max(recorded_at)"
                    " FROM disturbance_decision)"
                )
            )
        )
    assert rerun == {one["id"] for one in page["parcels"]}
    assert told["next_steps"][0] == {
        "code": "NEXT_REASSESS",
        "done": True,
        "params": {"runs": 1, "left": 0},
    }
    shown = desk("county").get(f"/disturbances/{found}").text
    assert "已确认" in shown
    assert "接下来" in shown
    assert "确认受损</button>" not in shown
