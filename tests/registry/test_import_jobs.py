"""Large files: read in runs by a worker that may die, previewed, accepted at once, cancelled."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import shapely
from geoalchemy2 import WKTElement
from pyproj import Transformer
from sqlalchemy import text

from geo.intake import examine
from registry import import_jobs, import_store, imports, jobs
from registry.db import SYSTEM_ACTOR, perform, transaction
from registry.errors import WrongStateError
from registry.models import Division
from tests import factories
from tests.registry.test_imports import LAT, LON, STEP, count, square, write


@pytest.fixture(autouse=True)
def short_runs(monkeypatch):
    """Runs of three rows, so that a small file has several."""
    monkeypatch.setattr(import_jobs, "RUN_ROWS", 3)
    monkeypatch.setattr(jobs, "SAY_EVERY_S", 0.0)
    import_jobs.register_tasks()


def ask(engine, path: Path, at, *, key: str = "a", **more) -> import_jobs.JobAsked:
    command = import_jobs.RequestImport(
        at=at,
        actor_id=SYSTEM_ACTOR,
        key=key,
        file_name=path.name,
        file_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        path=str(path),
        **more,
    )
    return perform(engine, import_jobs.request, command)


def look(engine, job_id):
    with transaction(engine) as session:
        return jobs.get(session, job_id)


def accept(engine, batch_id, at, *, key: str = "accept", strict: bool = False):
    command = imports.AcceptImport(
        at=at, actor_id=SYSTEM_ACTOR, key=key, batch_id=batch_id, strict=strict
    )
    asked = perform(engine, import_jobs.request_acceptance, command)
    jobs.work(engine, once=True)
    return look(engine, asked.job_id)


SHAPES = [square(n) for n in range(8)] + [
    square(0),  # a duplicate
    square(20),
    square(20, shift=STEP / 2),  # overlaps the row before it
    {"type": "Point", "coordinates": [118, 28]},
]
ROWS = (
    "SELECT row, status, area_m2, shape_digest, findings - 'at', kind, plot_code, attributes"
    " FROM import_row WHERE batch_id = :batch ORDER BY row"
)


def rows(engine, batch_id):
    with transaction(engine) as session:
        return [tuple(row) for row in session.execute(text(ROWS), {"batch": batch_id})]


def test_a_file_read_by_a_job_becomes_what_it_becomes_at_once(engine, at, tmp_path):
    path = write(tmp_path / "a.geojson", SHAPES)
    asked = ask(engine, path, at)
    jobs.work(engine, once=True)
    job = look(engine, asked.job_id)
    assert (job.state, job.phase, job.done) == ("done", "compare", 12)
    assert {k: v for k, v in job.result.items() if k != "batch_id"} == {
        "read": 12,
        "accepted": 8,
        "refused": 2,
        "questioned": 2,
    }
    assert count(engine, "parcel") == 0
    assert count(engine, "import_row", "status = 'ready'") == 8
    done = accept(engine, asked.batch_id, at)
    assert (done.state, done.result["accepted"]) == ("done", 8)
    assert count(engine, "parcel", "status = 'submitted'") == 8
    assert count(engine, "parcel_version") == 8
    with transaction(engine) as session:
        told = import_store.report(session, asked.batch_id)
        session.execute(text("UPDATE parcel SET status = 'withdrawn'"))
    command = imports.ImportParcels(
        at=at,
        actor_id=SYSTEM_ACTOR,
        key="at once",
        file_name=path.name,
        file_sha256="00" * 32,
    )
    verb = partial(imports.import_parcels, intake=examine(path))
    once = perform(engine, verb, command)
    by_row = [(f.row, f.code, f.severity) for f in told.findings]
    assert sorted(by_row, key=str) == sorted(
        [(f.row, f.code, f.severity) for f in once.findings], key=str
    )
    assert rows(engine, asked.batch_id) == rows(engine, once.batch_id)


def test_accepting_twice_or_too_early_or_strictly(engine, at, tmp_path):
    asked = ask(engine, write(tmp_path / "a.geojson", SHAPES), at)
    jobs.work(engine, once=True)
    strict = accept(engine, asked.batch_id, at, key="s", strict=True)
    assert (strict.state, strict.error["code"]) == ("failed", "IMPORT_NOT_ALL_ACCEPTED")
    assert count(engine, "parcel") == 0
    first = accept(engine, asked.batch_id, at, key="b")
    again = accept(engine, asked.batch_id, at, key="c")
    assert first.result == again.result
    assert count(engine, "parcel") == 8
    with transaction(engine) as session:
        session.execute(text("UPDATE import_batch SET state = 'reading'"))
    early = imports.AcceptImport(at=at, actor_id=SYSTEM_ACTOR, key="d", batch_id=asked.batch_id)
    with pytest.raises(WrongStateError):
        perform(engine, imports.accept, early)


def test_the_same_file_again_changes_nothing_and_says_so(engine, at, tmp_path):
    path = write(tmp_path / "a.geojson", [square(n) for n in range(7)])
    accept(engine, ask_and_read(engine, path, at, key="a"), at, key="aa")
    before = rows_of(engine, "SELECT id, version, status FROM parcel ORDER BY id")
    again = ask_and_read(engine, path, at, key="b")
    done = accept(engine, again, at, key="bb")
    assert (done.result["accepted"], done.result["refused"]) == (0, 7)
    assert rows_of(engine, "SELECT id, version, status FROM parcel ORDER BY id") == before
    with transaction(engine) as session:
        told = import_store.report(session, again)
    assert {f.code for f in told.findings} >= {"IMPORT_REPEATED", "DUPLICATE_STORED"}


def ask_and_read(engine, path, at, *, key):
    asked = ask(engine, path, at, key=key)
    jobs.work(engine, once=True)
    return asked.batch_id


def rows_of(engine, query):
    with transaction(engine) as session:
        return session.execute(text(query)).all()


KILLED = """
import os, signal, sys
from registry import import_jobs, jobs
from registry.db import connect

import_jobs.RUN_ROWS = 3
stage, seen = import_jobs.stage, []

def killed(session, target, intake):
    stage(session, target, intake)
    seen.append(intake)
    if len(seen) == 3:
        os.kill(os.getpid(), signal.SIGKILL)

import_jobs.stage = killed
import_jobs.register_tasks()
jobs.work(connect(sys.argv[1]), once=True)
"""


def test_a_worker_killed_while_it_reads_goes_on_without_double_rows(engine, at, tmp_path):
    path = write(tmp_path / "a.geojson", SHAPES)
    asked = ask(engine, path, at)
    address = engine.url.render_as_string(hide_password=False)
    died = subprocess.run(
        [sys.executable, "-c", KILLED, address], check=False, timeout=120, env=os.environ
    )
    assert died.returncode == -signal.SIGKILL
    assert look(engine, asked.job_id).state == "running"
    assert count(engine, "import_row") == 6  # two runs were kept, the third was not
    jobs.work(engine, once=True, stalled_after_s=0.0)
    assert look(engine, asked.job_id).result["read"] == 12
    assert [row[0] for row in rows(engine, asked.batch_id)] == [*range(1, 13)]
    whole = ask(engine, path, at, key="whole")
    jobs.work(engine, once=True)
    assert rows(engine, asked.batch_id) == rows(engine, whole.batch_id)


def test_a_cancelled_reading_leaves_nothing(engine, at, tmp_path, monkeypatch):
    asked = ask(engine, write(tmp_path / "a.geojson", SHAPES), at)
    stage = import_jobs.stage

    def stop_meanwhile(session, target, intake):
        stage(session, target, intake)
        if intake.rows[0] > 3:
            with transaction(engine) as other:
                jobs.cancel(other, asked.job_id)

    monkeypatch.setattr(import_jobs, "stage", stop_meanwhile)
    jobs.work(engine, once=True)
    assert look(engine, asked.job_id).state == "cancelled"
    assert count(engine, "import_row") == count(engine, "import_batch") == 0


@pytest.mark.parametrize(
    ("content", "code"),
    [('{"type": "FeatureCollection", "features": [1, }', "FILE_NOT_JSON"), (None, None)],
)
def test_a_file_that_cannot_be_read_fails_in_words_and_leaves_nothing(
    engine, at, tmp_path, content, code
):
    path = tmp_path / "a.geojson"
    path.write_text(content or json.dumps({"type": "FeatureCollection", "features": []}))
    asked = ask(engine, path, at)
    if content is None:
        path.write_text("changed")
    jobs.work(engine, once=True)
    job = look(engine, asked.job_id)
    assert (job.state, job.error["code"]) == ("failed", code or "IMPORT_FILE_CHANGED")
    assert count(engine, "import_batch") == 0


def test_a_change_of_the_job_is_told_on_the_channel(engine, at, tmp_path):
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        driver.autocommit = True
        driver.execute(f"LISTEN {jobs.CHANNEL}")
        asked = ask(engine, write(tmp_path / "a.geojson", SHAPES), at)
        told = [note.payload for note in driver.notifies(timeout=5, stop_after=1)]
        driver.execute(f"UNLISTEN {jobs.CHANNEL}")
        driver.autocommit = False
    assert told == [str(asked.job_id)]


def test_a_later_part_of_a_file_in_another_zone_is_told(engine, at, tmp_path, monkeypatch):
    """The file is judged by its first rows; here the last of them were measured in another zone."""
    monkeypatch.setattr(import_jobs, "LOOKED_AT_MAX", 6)
    county = shapely.MultiPolygon([shapely.box(LON - 0.1, LAT - 0.1, LON + 0.1, LAT + 0.1)])
    with transaction(engine) as session:
        code = factories.division(session)
        session.get(Division, code).boundary = WKTElement(county.wkt, srid=4490)
    shapes = []
    for n in range(12):
        zone = Transformer.from_crs(
            "EPSG:4490", "EPSG:4549" if n < 9 else "EPSG:4548", always_xy=True
        )
        shape = shapely.transform(
            shapely.geometry.shape(square(n)), zone.transform, interleaved=False
        )
        shapes.append(json.loads(shapely.to_geojson(shape)))
    path = write(tmp_path / "a.geojson", shapes)
    path.write_text(path.read_text().replace("4490", "4549"))
    asked = ask(engine, path, at, division_code=code)
    jobs.work(engine, once=True)
    assert look(engine, asked.job_id).result["read"] == 12
    with transaction(engine) as session:
        report = import_store.report(session, asked.batch_id)
    (told,) = [one for one in report.findings if one.code == "DATUM_CHANGES"]
    assert (told.severity, told.params["first_row"], told.params["last_row"]) == ("warning", 10, 12)
    assert told.params["other"] == "EPSG:4548"
    outside = {one.row for one in report.findings if one.code == "OUTSIDE_DIVISION"}
    assert outside == {10, 11, 12}
