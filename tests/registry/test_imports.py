"""Import: nothing is lost, nothing half-written, and two writers never take one ground."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

from geo.intake import examine
from registry import imports, parcels
from registry.db import SYSTEM_ACTOR, perform, transaction
from registry.parcel_store import VersionConflictError
from registry.refusals import NotApprovedByAnotherError, ParcelOverlapError
from tests.geo.makers import CGCS2000

LON, LAT, STEP = 118.80, 28.90, 0.002


def square(n: int, *, size: float = STEP, shift: float = 0.0) -> dict:
    x, y = LON + n * STEP + shift, LAT
    ring = [[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]]
    return {"type": "Polygon", "coordinates": [ring]}


def write(path: Path, shapes: list[dict]) -> Path:
    features = [
        {"type": "Feature", "geometry": shape, "properties": {"xiao_ban": f"{n:04d}"}}
        for n, shape in enumerate(shapes)
    ]
    path.write_text(
        json.dumps({"type": "FeatureCollection", "crs": CGCS2000, "features": features})
    )
    return path


def take(engine, path: Path, at, *, key: str, **options) -> imports.ImportReport:
    command = imports.ImportParcels(
        at=at,
        actor_id=SYSTEM_ACTOR,
        key=key,
        file_name=path.name,
        file_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        **options,
    )
    return perform(engine, partial(imports.import_parcels, intake=examine(path)), command)


def count(engine, table: str, where: str = "true") -> int:
    with transaction(engine) as session:
        return session.scalar(text(f"SELECT count(*) FROM {table} WHERE {where}"))


def test_rows_become_parcels_with_a_version_and_their_number(engine, at, tmp_path):
    report = take(engine, write(tmp_path / "a.geojson", [square(n) for n in range(4)]), at, key="a")
    assert (report.read, report.accepted, report.refused, report.questioned) == (4, 4, 0, 0)
    assert [parcel.row for parcel in report.parcels] == [1, 2, 3, 4]
    assert count(engine, "parcel", "status = 'submitted' AND code IS NOT NULL") == 4
    assert count(engine, "parcel_version") == 4
    assert count(engine, "import_row", "status = 'accepted'") == 4


def test_the_same_request_again_changes_nothing(engine, at, tmp_path):
    path = write(tmp_path / "a.geojson", [square(0)])
    assert take(engine, path, at, key="a") == take(engine, path, at, key="a")
    assert count(engine, "parcel") == 1


def test_the_same_file_under_another_key_is_all_duplicates(engine, at, tmp_path):
    path = write(tmp_path / "a.geojson", [square(n) for n in range(3)])
    take(engine, path, at, key="a")
    again = take(engine, path, at, key="b")
    assert (again.accepted, again.refused) == (0, 3)
    assert {found.code for found in again.findings if found.row} == {"DUPLICATE_STORED"}
    assert count(engine, "parcel") == 3


def test_a_row_over_a_stored_parcel_is_refused_and_the_others_are_kept(engine, at, tmp_path):
    take(engine, write(tmp_path / "a.geojson", [square(0)]), at, key="a")
    second = write(tmp_path / "b.geojson", [square(0, shift=STEP / 2), square(3)])
    report = take(engine, second, at, key="b")
    assert (report.read, report.accepted, report.refused) == (2, 1, 1)
    (found,) = (found for found in report.findings if found.row)
    assert (found.row, found.code, found.severity) == (1, "OVERLAP_STORED", "refused")
    assert found.params["area_m2"] > 1000
    assert count(engine, "import_row") == 3


def test_a_dry_run_says_the_same_and_writes_nothing(engine, at, tmp_path):
    path = write(tmp_path / "a.geojson", [square(0), square(0, shift=STEP / 2), square(5)])
    command = imports.ImportParcels(
        at=at, actor_id=SYSTEM_ACTOR, key="d", file_name="a", file_sha256="00" * 32
    )
    with transaction(engine) as session:
        said = imports.preview(session, command, examine(path))
    assert (said.read, said.accepted, said.questioned) == (3, 1, 2)
    assert count(engine, "parcel") == count(engine, "import_row") == count(engine, "event") == 0


def test_strict_stores_all_or_nothing(engine, at, tmp_path):
    path = write(tmp_path / "a.geojson", [square(0), {"type": "Point", "coordinates": [118, 28]}])
    with pytest.raises(imports.NothingAcceptedError):
        take(engine, path, at, key="a", strict=True)
    assert count(engine, "parcel") == count(engine, "import_batch") == 0


@pytest.mark.parametrize("writers", [2, 8])
def test_concurrent_files_over_one_ground_never_overlap(engine, at, tmp_path, writers):
    """Each file has the same row of plots, moved a little: of each plot one writer's may stand."""
    files = [
        write(tmp_path / f"{w}.geojson", [square(n, shift=w * STEP / 50) for n in range(12)])
        for w in range(writers)
    ]
    with ThreadPoolExecutor(writers) as pool:
        reports = list(pool.map(lambda w: take(engine, files[w], at, key=f"w{w}"), range(writers)))
    assert all(r.read == r.accepted + r.refused + r.questioned == 12 for r in reports)
    assert sum(r.accepted for r in reports) == count(engine, "parcel") == 12
    overlaps = (
        "SELECT count(*) FROM parcel a JOIN parcel b ON a.id < b.id AND a.geometry && b.geometry"
        " AND ST_Area(ST_Intersection(a.geometry, b.geometry)::geography)"
        " > overlap_tolerance_m2(a.area_m2, b.area_m2)"
    )
    with transaction(engine) as session:
        assert session.scalar(text(overlaps)) == 0


def draw(engine, at, n: int, key: str, *, shift: float = 0.0, actor=SYSTEM_ACTOR):
    command = parcels.DrawParcel(
        at=at,
        actor_id=actor,
        key=key,
        geojson=square(n, shift=shift),
        kind="carbon",
        division_code=None,
        plot_code=str(n),
        owner_id=None,
        captured_with="drawing",
        attributes={},
    )
    return perform(engine, parcels.draw, command)


def test_eight_people_draw_over_each_other_and_one_stands(engine, at):
    def attempt(w: int) -> bool:
        try:
            draw(engine, at, 0, f"d{w}", shift=w * STEP / 20)
        except ParcelOverlapError as refusal:
            return refusal.params["area_m2"] <= 1
        return True

    with ThreadPoolExecutor(8) as pool:
        stood = list(pool.map(attempt, range(8)))
    assert sum(stood) == count(engine, "parcel") == 1


def test_other_kinds_may_share_ground_and_neighbours_may_touch(engine, at, tmp_path):
    draw(engine, at, 0, "a")
    draw(engine, at, 1, "b")
    path = write(tmp_path / "o.geojson", [square(0)])
    report = take(engine, path, at, key="o", programme_id="orchard-label")
    assert report.accepted == 1


def test_who_submits_does_not_approve_and_versions_stay(engine, at):
    state = draw(engine, at, 0, "a")
    decide = partial(parcels.DecideParcel, at=at, parcel_id=state.parcel_id, actor_id=SYSTEM_ACTOR)
    with pytest.raises(NotApprovedByAnotherError):
        perform(engine, parcels.decide, decide(key="x", decision="approve"))
    back = perform(engine, parcels.decide, decide(key="r", decision="return", reason="边界不清"))
    assert back.status == "returned"
    revised = perform(
        engine,
        parcels.revise,
        parcels.ReviseParcel(
            at=at,
            actor_id=SYSTEM_ACTOR,
            key="v2",
            parcel_id=state.parcel_id,
            based_on_version=1,
            geojson=square(0, size=STEP * 0.9),
            attributes=None,
            reason="缩到田埂",
        ),
    )
    assert (revised.version, revised.area_m2 < state.area_m2) == (2, True)
    assert count(engine, "parcel_version") == 2
    with pytest.raises(VersionConflictError):
        perform(
            engine,
            parcels.revise,
            parcels.ReviseParcel(
                at=at,
                actor_id=SYSTEM_ACTOR,
                key="v2b",
                parcel_id=state.parcel_id,
                based_on_version=1,
                geojson=None,
                attributes={"a": 1},
                reason="late",
            ),
        )


def test_the_database_itself_refuses_an_approval_without_another_person(engine, at):
    draw(engine, at, 0, "a")
    with (
        pytest.raises(Exception, match="another person"),
        transaction(engine) as session,
    ):
        session.execute(text("UPDATE parcel SET status = 'approved'"))


def test_the_database_itself_refuses_an_area_that_is_not_its_own(engine, at):
    draw(engine, at, 0, "a")
    with pytest.raises(Exception, match="not its own"), transaction(engine) as session:
        session.execute(text("UPDATE parcel SET area_m2 = area_m2 * 1.01"))
