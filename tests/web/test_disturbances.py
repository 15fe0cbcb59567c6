"""Disturbances on pages and over HTTP: proposed by a job, decided once, what they touch."""

import json
import re
from datetime import date
from uuid import uuid4

import pytest
from sqlalchemy import text

from registry import layers
from registry.db import SYSTEM_ACTOR, perform, transaction
from registry.estimation import AssessParcels, assess
from registry.worker import run_worker
from tests.web import record_world
from tests.web.conftest import AT, PASSWORD, Machine

COUNTY = "330802"
SUMMER = {"canopy_2024.tif": "canopy", "ndvi_2023.tif": "ndvi", "ndvi_2025.tif": "ndvi"}


@pytest.fixture(scope="module")
def town(pg, clone, tmp_path_factory):
    folder, state = tmp_path_factory.mktemp("county"), tmp_path_factory.mktemp("state")
    made = record_world.build(pg, clone, folder, state)
    images = {one["file"]: one for one in json.loads((folder / "images.json").read_text())}
    for name, kind in SUMMER.items():
        about = images[name]
        _add(
            made,
            folder,
            name,
            kind,
            day=date.fromisoformat(about["observed_on"]),
            scale=about["scale"],
        )
    made.loss = _add(made, folder, "disturbance.tif", "loss")
    with transaction(made.engine) as session:
        ids = list(session.scalars(text("SELECT id FROM parcel WHERE status = 'approved'")))
    command = AssessParcels(
        **_by("forecast"), kind="forecast", first_year=2025, last_year=2030, parcel_ids=tuple(ids)
    )
    assess(made.engine, command, layer_dir=state / "layers")
    yield made
    made.engine.dispose()


def _by(key):
    return {"at": AT, "actor_id": SYSTEM_ACTOR, "key": key}


def _add(town, folder, name, kind, *, day=None, scale=1.0):
    year = day.year if day else 2025
    file = layers.take_file(
        folder / name, kind=kind, folder=town.state / "layers", scale=scale, year=year
    )
    command = layers.RegisterLayer(
        **_by(name),
        file=file,
        kind=kind,
        year=year,
        observed_on=day,
        source="演示县合成图层",
        licence="CC0-1.0",
    )
    return perform(town.engine, layers.register_layer, command).id


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
    assert "已确认受损" in shown
    assert "接下来" in shown
    assert "确认受损</button>" not in shown
