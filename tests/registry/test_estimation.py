"""Assessments equal a loop over cells, have the same bits in any order, and run once."""

import signal
import subprocess
import sys
from uuid import uuid4

import numpy as np
import pytest
import shapely
from pyproj import Transformer
from sqlalchemy import text

from geo.area import area_m2
from geo.raster import GridMismatchError, write_cog
from registry import cohort_tables, estimation, jobs, layers, parcels
from registry.db import SYSTEM_ACTOR, perform, transaction
from registry.errors import InvalidValueError, NotFoundError
from registry.estimation import assess
from registry.worker import run_worker
from sinks import growth, units
from tests import factories
from tests.registry import makers_science as makers
from tests.registry.makers_science import command, series

TO_GRID = Transformer.from_crs("EPSG:4490", "EPSG:4549", always_xy=True)


def flags_of(engine, run_id):
    with transaction(engine) as session:
        rows = session.execute(
            text("SELECT parcel_id, flags FROM assessment_series WHERE run_id = :run"),
            {"run": run_id},
        )
        return {row.parcel_id: {flag["code"]: flag for flag in row.flags} for row in rows}


def carbon_t_ha(species, age_yr):
    """Carbon of one cell, straight from the growth curve."""
    if species == 0 or age_yr < 0:
        return 0.0
    return growth.carbon_t_ha(cohort_tables.chosen_curves({})[species], [age_yr])[0][0]


def by_cells(shape, made, year):
    """Kg CO2 of a parcel cell by cell in float64, and the ground that counts, m2."""
    ground = shapely.transform(shape, TO_GRID.transform, interleaved=False)
    scale = area_m2(np.array([shape]))[0] / ground.area
    total, counted, grid = 0.0, 0.0, makers.GRID
    left, bottom, right, top = ground.bounds
    for row in range(int((grid.origin_y - top) // 30), int((grid.origin_y - bottom) // 30) + 1):
        for column in range(
            int((left - grid.origin_x) // 30), int((right - grid.origin_x) // 30) + 1
        ):
            if not (0 <= row < grid.height and 0 <= column < grid.width):
                continue
            x, y = grid.origin_x + 30 * column, grid.origin_y - 30 * row
            share = ground.intersection(shapely.box(x, y - 30, x + 30, y)).area * scale
            species, age = made["species"][row, column], int(made["age"][row, column])
            if share == 0 or species == makers.NODATA:
                continue
            counted += share
            carbon = carbon_t_ha(int(species), age + year - makers.LAYER_YEAR)
            total += share * carbon / units.M2_PER_HA * units.KG_PER_T * 44 / 12
    return total, counted


def test_a_run_equals_a_loop_over_cells(engine, at, tmp_path, county):
    ids, shapes, made, _ = county
    report = assess(engine, command(at, ids), layer_dir=tmp_path / "layers")
    found = series(engine, report.run_id)
    assert len(found) == len(ids) * 10
    for parcel_id, shape in list(zip(ids, shapes, strict=True))[:8]:
        for year in (2025, 2034):
            expected, counted = by_cells(shape, made, year)
            # Each cohort's area is rounded to a dm2, and kg are rounded down.
            assert found[parcel_id, year][0] == pytest.approx(expected, rel=2e-5, abs=2)
            assert counted > 0


def test_integer_sums_equal_float_sums_over_the_stored_histogram(engine, at, tmp_path, county):
    ids, *_ = county
    report = assess(engine, command(at, ids), layer_dir=tmp_path / "layers")
    found = series(engine, report.run_id)
    with transaction(engine) as session:
        rows = session.execute(text("SELECT parcel_id, cohort, area_dm2 FROM histogram")).all()
    for row in rows:
        species, _, age = cohort_tables.SCHEME.decode(row.cohort)
        for year in (2025, 2034):
            carbon = [
                carbon_t_ha(int(s), int(a) + year - makers.LAYER_YEAR)
                for s, a in zip(species, age, strict=True)
            ]
            rounded = np.rint(np.array(carbon) * 1e5) / 1e5
            kg = float(np.array(row.area_dm2) @ rounded) / 1e6 * 1e3 * 44 / 12
            stock = found[row.parcel_id, year][0]
            assert stock == int(np.floor(kg * (1 + 1e-9))) or stock == int(np.floor(kg))


def test_net_is_the_change_of_stock_and_sums_to_it(engine, at, tmp_path, county):
    ids, *_ = county
    run = assess(engine, command(at, ids), layer_dir=tmp_path / "layers")
    found = series(engine, run.run_id)
    for parcel_id in ids:
        for year in range(2026, 2035):
            stock, net = found[parcel_id, year]
            assert net == stock - found[parcel_id, year - 1][0]
    assert run.net_kg == sum(net for _, net in found.values())


def test_the_same_inputs_are_one_run(engine, at, tmp_path, county):
    ids, _, _, layer_ids = county
    folder = tmp_path / "layers"
    first = assess(engine, command(at, ids), layer_dir=folder)
    for path in folder.iterdir():
        path.unlink()
    again = assess(engine, command(at, list(reversed(ids))), layer_dir=folder)
    assert (again.run_id, again.reused, again.net_kg) == (first.run_id, True, first.net_kg)
    assert again.flagged == first.flagged
    # Other years need no raster either: the histograms are stored.
    other = assess(engine, command(at, ids, years=(2030, 2060)), layer_dir=folder)
    assert (other.reused, other.histograms_made) == (False, 0)
    assert len(layer_ids) == 3


def test_two_batches_have_the_bits_of_one(engine, at, tmp_path, county):
    ids, *_ = county
    folder = tmp_path / "layers"
    halves = [assess(engine, command(at, part), layer_dir=folder) for part in (ids[1::2], ids[::2])]
    whole = assess(engine, command(at, ids), layer_dir=folder)
    assert whole.histograms_made == 0
    parts = series(engine, halves[0].run_id) | series(engine, halves[1].run_id)
    assert series(engine, whole.run_id) == parts


def test_a_changed_layer_makes_another_run(engine, at, tmp_path, county):
    ids, _, made, _ = county
    folder = tmp_path / "layers"
    first = assess(engine, command(at, ids), layer_dir=folder)
    older = made | {"age": np.minimum(made["age"] + 1, 254).astype(np.uint8)}
    makers.add_layers(engine, at, tmp_path, {"age": older["age"]})
    second = assess(engine, command(at, ids), layer_dir=folder)
    assert not second.reused
    assert second.histograms_made == len(ids)
    assert second.run_id != first.run_id


def test_ground_off_the_layers_or_without_data_is_said(engine, at, tmp_path, county):
    ids, *_ = county
    run = assess(engine, command(at, ids), layer_dir=tmp_path / "layers")
    flags = flags_of(engine, run.run_id)
    assert flags[ids[0]]["LAYER_OUTSIDE"]["area_m2"] > 0
    assert any("LAYER_NODATA" in of for of in flags.values())
    assert any("AGE_ABOVE_CURVE" in of for of in flags.values())
    assert all(of["CURVE_PROVISIONAL"]["mark"] == "proposed" for of in flags.values())
    assert run.flagged["CURVE_PROVISIONAL"] == len(ids)


def test_a_lost_stand_starts_again_from_nothing(engine, at, tmp_path):
    shape = makers.blocks()[6]
    ids = makers.draw_parcels(engine, at, [shape])
    cells = (makers.GRID.height, makers.GRID.width)
    fir = {"species": np.full(cells, 3, np.uint8), "age": np.full(cells, 20, np.uint8)}
    makers.add_layers(engine, at, tmp_path, fir)
    folder = tmp_path / "layers"
    calm = series(engine, assess(engine, command(at, ids), layer_dir=folder).run_id)
    loss = {"disturbance": np.full(cells, 2028, np.uint16)}
    makers.add_layers(engine, at, tmp_path, loss, nodata=65535)
    run = assess(engine, command(at, ids), layer_dir=folder)
    lost = series(engine, run.run_id)
    assert lost[ids[0], 2027] == calm[ids[0], 2027]
    assert lost[ids[0], 2028] == (0, -calm[ids[0], 2027][0])
    assert 0 < lost[ids[0], 2029][0] < calm[ids[0], 2029][0]
    assert flags_of(engine, run.run_id)[ids[0]]["STAND_LOST"]["year"] == 2028


def test_a_loss_before_the_layers_year_is_already_in_the_ages(engine, at, tmp_path):
    ids = makers.draw_parcels(engine, at, makers.blocks()[6:8])
    cells = (makers.GRID.height, makers.GRID.width)
    made = {"species": np.full(cells, 4, np.uint8), "age": np.full(cells, 12, np.uint8)}
    makers.add_layers(engine, at, tmp_path, made)
    folder = tmp_path / "layers"
    calm = assess(engine, command(at, ids), layer_dir=folder)
    makers.add_layers(
        engine, at, tmp_path, {"disturbance": np.full(cells, 2020, np.uint16)}, nodata=65535
    )
    later = assess(engine, command(at, ids), layer_dir=folder)
    assert series(engine, later.run_id) == series(engine, calm.run_id)


def test_an_approved_record_that_disagrees_is_questioned():
    record = {"planting_year": "2001", "record_age": None, "record_year": None}
    read = estimation.recorded_age
    assert read({"status": "approved"} | record, 2024) == 23
    assert read({"status": "submitted"} | record, 2024) is None
    surveyed = {"planting_year": None, "record_age": "12", "record_year": "2020-12-31"}
    assert read({"status": "approved"} | surveyed, 2024) == 16
    nothing = dict.fromkeys(record)
    assert read({"status": "approved"} | nothing, 2024) is None


def test_a_chosen_curve_counts_and_is_recorded(engine, at, tmp_path, county):
    ids, *_ = county
    folder = tmp_path / "layers"
    default = assess(engine, command(at, ids), layer_dir=folder)
    other = assess(engine, command(at, ids, curves={3: "zhejiang_natural_fir"}), layer_dir=folder)
    assert other.run_id != default.run_id
    assert other.net_kg != default.net_kg
    with pytest.raises(cohort_tables.CurveChoiceError):
        assess(engine, command(at, ids, curves={3: "hebei_conifer"}), layer_dir=folder)
    with pytest.raises(cohort_tables.CurveChoiceError):
        assess(engine, command(at, ids, curves={9: "zhejiang_natural_fir"}), layer_dir=folder)


def test_what_cannot_be_assessed_is_refused(engine, at, tmp_path, county):
    ids, *_ = county
    folder = tmp_path / "layers"
    with pytest.raises(InvalidValueError):
        assess(engine, command(at, ids, years=(2030, 2029)), layer_dir=folder)
    with pytest.raises(InvalidValueError):
        assess(engine, command(at, ids, kind="monitored", years=(2025, 2040)), layer_dir=folder)
    with pytest.raises(InvalidValueError):
        assess(engine, command(at, ids, division_code="330802"), layer_dir=folder)
    with pytest.raises(NotFoundError):
        assess(engine, command(at, [uuid4()]), layer_dir=folder)
    with pytest.raises(estimation.NothingToAssessError):
        assess(engine, command(at, [], division_code="330802"), layer_dir=folder)


def test_a_run_without_layers_names_the_missing_kind(engine, at, tmp_path):
    ids = makers.draw_parcels(engine, at, makers.blocks()[:1])
    with pytest.raises(estimation.LayerMissingError) as refused:
        assess(engine, command(at, ids), layer_dir=tmp_path)
    assert refused.value.params == {"kind": "species"}


def test_layers_in_two_reference_systems_are_refused(engine, at, tmp_path, county):
    ids, _, made, layer_ids = county
    moved = makers.GRID.__class__(
        **{name: getattr(makers.GRID, name) for name in makers.GRID.__slots__}
        | {"crs": "EPSG:4548"}
    )
    path = tmp_path / "age-4548.tif"
    write_cog(path, made["age"], grid=moved, nodata=255)
    other = makers.add_layer(engine, at, path, "age", folder=tmp_path / "layers")
    asked = command(at, ids, layer_ids=(layer_ids["species"], other.id))
    with pytest.raises(GridMismatchError) as refused:
        assess(engine, asked, layer_dir=tmp_path / "layers")
    assert refused.value.code == "RASTER_CRS_MISMATCH"


def test_a_file_that_is_no_longer_the_layer_is_refused(engine, at, tmp_path, county):
    ids, *_ = county
    folder = tmp_path / "layers"
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(layers.LayerChangedError):
        assess(engine, command(at, ids), layer_dir=folder)
    with transaction(engine) as session:
        assert session.execute(text("SELECT count(*) FROM assessment_run")).scalar() == 0


def test_a_run_as_a_job_closes_with_its_result(engine, at, tmp_path, county):
    ids, *_ = county
    asked = command(at, ids)
    job_id = perform(engine, estimation.request, asked)
    assert perform(engine, estimation.request, asked) == job_id
    run_worker(engine, layer_dir=tmp_path / "layers", once=True)
    with transaction(engine) as session:
        job = jobs.get(session, job_id)
    assert job.state == "done"
    assert job.result["parcels"] == len(ids)
    again = assess(engine, asked, layer_dir=tmp_path / "layers")
    assert str(again.run_id) == job.result["run_id"]


def test_a_cancelled_run_writes_nothing(engine, at, tmp_path, county):
    ids, *_ = county
    job_id = perform(engine, estimation.request, command(at, ids))
    running = jobs.Running(engine=engine, id=job_id, arguments={}, actor_id=SYSTEM_ACTOR)
    with transaction(engine) as session:
        jobs.cancel(session, job_id)
    with pytest.raises(jobs.JobCancelledError):
        assess(engine, command(at, ids), layer_dir=tmp_path / "layers", running=running)
    with transaction(engine) as session:
        assert session.execute(text("SELECT count(*) FROM assessment_series")).scalar() == 0


KILLED = """
import os, signal, sys
from pathlib import Path
from registry import estimation, jobs
from registry.db import connect
from registry.worker import run_worker

write = estimation.copy_rows

def killed(session, table, columns, rows):
    write(session, table, columns, rows)
    if table == "assessment_series":
        os.kill(os.getpid(), signal.SIGKILL)

estimation.copy_rows = killed
run_worker(connect(sys.argv[1]), layer_dir=Path(sys.argv[2]), once=True)
"""


def test_a_run_killed_while_it_writes_ends_with_the_same_rows(engine, at, tmp_path, county):
    ids, *_ = county
    folder = tmp_path / "layers"
    asked = command(at, ids)
    job_id = perform(engine, estimation.request, asked)
    address = engine.url.render_as_string(hide_password=False)
    died = subprocess.run(
        [sys.executable, "-c", KILLED, address, str(folder)], check=False, timeout=120
    )
    assert died.returncode == -signal.SIGKILL
    counts = text(
        "SELECT (SELECT count(*) FROM histogram), (SELECT count(*) FROM cohort_table),"
        " (SELECT count(*) FROM assessment_series), (SELECT state FROM job)"
    )
    with transaction(engine) as session:
        # What was measured is kept; of the run itself nothing is half-written.
        assert tuple(session.execute(counts).one()) == (len(ids), 0, 0, "running")
    estimation.register_task(folder)
    jobs.work(engine, once=True, stalled_after_s=0.0)
    with transaction(engine) as session:
        assert tuple(session.execute(counts).one()) == (len(ids), 1, len(ids), "done")
        job = jobs.get(session, job_id)
    killed = series(engine, job.result["run_id"])
    whole = assess(engine, command(at, ids, years=(2025, 2035)), layer_dir=folder)
    straight = series(engine, whole.run_id)
    assert killed == {key: figure for key, figure in straight.items() if key[1] <= 2034}


@pytest.fixture
def fir(engine, at, tmp_path):
    """Three parcels of one village on fir of 20 years, whose record says 2016: (ids, approve)."""
    with transaction(engine) as session:
        factories.division(session, factories.VILLAGE, name="村", level="village")
        approver = factories.actor(session, "county")
    cells = (makers.GRID.height, makers.GRID.width)
    made = {"species": np.full(cells, 3, np.uint8), "age": np.full(cells, 20, np.uint8)}
    makers.add_layers(engine, at, tmp_path, made)
    ids = makers.draw_parcels(
        engine,
        at,
        makers.blocks()[6:9],
        division_code=factories.VILLAGE,
        attributes={"planting_year": 2016},
    )

    def approve(*chosen):
        for parcel_id in chosen:
            decision = parcels.DecideParcel(
                at=at,
                actor_id=approver,
                key=uuid4().hex,
                parcel_id=parcel_id,
                decision="approve",
            )
            perform(engine, parcels.decide, decision)

    return ids, approve


def test_a_division_gives_its_approved_parcels(engine, at, tmp_path, fir):
    ids, approve = fir
    approve(*ids[:2])
    folder = tmp_path / "layers"
    county = assess(engine, command(at, [], division_code="330802"), layer_dir=folder)
    assert {parcel for parcel, _ in series(engine, county.run_id)} == set(ids[:2])
    everything = assess(engine, command(at, []), layer_dir=folder)
    assert everything.run_id == county.run_id
    with pytest.raises(estimation.NothingToAssessError):
        assess(engine, command(at, [], division_code="330803"), layer_dir=folder)


def test_a_project_gives_the_versions_it_claims(engine, at, tmp_path, fir):
    ids, approve = fir
    approve(*ids)
    with transaction(engine) as session:
        owner = factories.party(session, "collective")
        project = factories.project(session, owner)
        for parcel_id in ids[:2]:
            factories.claim(session, project, parcel_id, (2026, 2046))
    asked = command(at, [], project_id=project)
    run = assess(engine, asked, layer_dir=tmp_path / "layers")
    assert {parcel for parcel, _ in series(engine, run.run_id)} == set(ids[:2])
    # The same ground asked for by its ids is a run of its own: it belongs to no project.
    assert not assess(engine, command(at, ids[:2]), layer_dir=tmp_path / "layers").reused


def test_an_approved_age_that_disagrees_with_the_raster_is_questioned(engine, at, tmp_path, fir):
    ids, approve = fir
    approve(ids[0])
    run = assess(engine, command(at, ids), layer_dir=tmp_path / "layers")
    flags = flags_of(engine, run.run_id)
    assert flags[ids[0]]["AGE_DISAGREES"] == {
        "code": "AGE_DISAGREES",
        "record_yr": 8.0,
        "raster_yr": 20.0,
    }
    assert "AGE_DISAGREES" not in flags[ids[1]]
