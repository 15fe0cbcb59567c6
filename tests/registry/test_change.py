"""Series of layers by date, and disturbances that a loss raster proposes: once each."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from functools import partial
from threading import Barrier
from typing import get_args
from uuid import UUID, uuid4

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from geo.raster import RasterError, write_cog
from registry import change_series, disturbances, layers, losses, parcels, people, stand_events
from registry.change_ground import LayerElsewhereError
from registry.change_series import DateTwiceError, MeasureSeries
from registry.db import SYSTEM_ACTOR, perform, transaction
from registry.errors import (
    InvalidValueError,
    NotFoundError,
    NotPermittedError,
    WrongStateError,
)
from registry.estimation import assess
from registry.losses import DetectLosses
from registry.reads import change as reads
from registry.worker import run_worker
from tests import factories
from tests.registry import makers_science as makers

NODATA = -9999.0
SHAPE = (makers.GRID.height, makers.GRID.width)


@pytest.fixture
def ground(engine, at):
    """Twelve approved parcels."""
    shapes = makers.blocks(3, 4)
    ids = makers.draw_parcels(engine, at, shapes)
    with transaction(engine) as session:
        division = factories.division(session)
        county = factories.actor(session, "county", division_code=division)
        session.execute(text("UPDATE parcel SET division_code = :code"), {"code": division})
        for parcel in ids:
            parcels.decide(
                session,
                parcels.DecideParcel(**by(at, county), parcel_id=parcel, decision="approve"),
            )
    return dict(zip(ids, shapes, strict=True))


def by(at, actor=SYSTEM_ACTOR):
    return {"at": at, "actor_id": actor, "key": uuid4().hex}


def image(engine, at, tmp_path, cells, kind="ndvi", *, day=None, year=None, grid=None, **more):
    """Register an array as a layer of a day or a year."""
    nodata = more.pop("nodata", NODATA if cells.dtype.kind == "f" else 65535)
    path = tmp_path / f"{kind}-{uuid4().hex[:6]}.tif"
    write_cog(path, cells, grid=grid or makers.GRID, nodata=nodata)
    year = year or day.year
    folder = tmp_path / "layers"
    command = layers.RegisterLayer(
        **by(at),
        file=layers.take_file(path, kind=kind, folder=folder, year=year, **more),
        kind=kind,
        year=year,
        observed_on=day,
        source="test",
        licence="CC0-1.0",
    )
    return perform(engine, layers.register_layer, command)


def greens(seed=3):
    cells = np.random.default_rng(seed).uniform(-0.1, 0.9, SHAPE)
    cells[np.random.default_rng(seed + 1).random(SHAPE) < 0.2] = NODATA
    return cells.astype(np.float32)


def measure(engine, at, tmp_path, **more):
    with transaction(engine) as session:
        county = factories.actor(session, "county")
    command = MeasureSeries(**by(at, county), **more)
    return change_series.measure(engine, command, layer_dir=tmp_path / "layers")


def lost(*blocks, year=2025):
    """A loss raster with blocks of cells (row, column, rows, columns[, year])."""
    cells = np.zeros(SHAPE, np.uint16)
    for row, column, rows, columns, *of in blocks:
        cells[row : row + rows, column : column + columns] = of[0] if of else year
    return cells


def detect(engine, at, tmp_path, layer, **more):
    with transaction(engine) as session:
        county = factories.actor(session, "county")
    command = DetectLosses(**by(at, county), layer_id=layer.id, **more)
    return losses.detect(engine, command, layer_dir=tmp_path / "layers")


def test_a_series_is_the_mean_over_exact_cell_shares(engine, at, tmp_path, ground):
    cells = greens()
    view = image(engine, at, tmp_path, cells, day=date(2025, 7, 15))
    report = measure(engine, at, tmp_path)
    assert (report.parcels, report.measured, report.known) == (12, 12, 0)
    back = partial(makers.TO_LON_LAT.transform, direction="INVERSE")
    g = makers.GRID
    rows, columns = np.indices(SHAPE)
    x, y = g.origin_x + columns * g.cell_x, g.origin_y - rows * g.cell_y
    boxes = shapely.box(x, y - g.cell_y, x + g.cell_x, y)
    for parcel, shape in ground.items():
        plane = shapely.transform(shape, back, interleaved=False)
        part = shapely.area(shapely.intersection(boxes, plane))
        known = cells != NODATA
        with transaction(engine) as session:
            (point,) = change_series.of_parcel(session, parcel)
        share = part[known].sum() / plane.area
        assert point.known_share == pytest.approx(share, abs=1e-6)
        assert point.mean == pytest.approx(
            (part * cells)[known].sum() / part[known].sum(), abs=1e-6
        )
        assert (point.layer_id, point.shows) == (view.id, date(2025, 7, 15))


def test_what_is_known_is_not_measured_again(engine, at, tmp_path, ground):
    image(engine, at, tmp_path, greens(), day=date(2024, 7, 1))
    measure(engine, at, tmp_path)
    again = measure(engine, at, tmp_path)
    assert (again.measured, again.known) == (0, 12)
    image(engine, at, tmp_path, greens(9), day=date(2025, 7, 1))
    third = measure(engine, at, tmp_path)
    assert (third.measured, third.known) == (12, 12)
    with transaction(engine) as session:
        points = change_series.of_parcel(session, next(iter(ground)))
    assert [one.shows for one in points] == [date(2024, 7, 1), date(2025, 7, 1)]


def test_a_days_newest_layer_counts_and_two_named_are_refused(engine, at, tmp_path, ground):
    first = image(engine, at, tmp_path, greens(), day=date(2025, 7, 1))
    second = image(engine, at, tmp_path, greens(5), day=date(2025, 7, 1))
    with pytest.raises(DateTwiceError) as refused:
        measure(engine, at, tmp_path, layer_ids=(first.id, second.id))
    assert refused.value.params["date"] == date(2025, 7, 1)
    measure(engine, at, tmp_path, layer_ids=(first.id,))
    assert measure(engine, at, tmp_path).layers == 1
    with transaction(engine) as session:
        (point,) = change_series.of_parcel(session, next(iter(ground)))
    assert point.layer_id == second.id


def test_scaled_numbers_are_values_and_unscaled_ones_are_refused(engine, at, tmp_path, ground):
    cells = np.full(SHAPE, 7_000, np.int16)
    with pytest.raises(RasterError) as refused:
        image(engine, at, tmp_path, cells, day=date(2025, 7, 1), nodata=-9999)
    assert refused.value.code == "RASTER_OUTSIDE_LIMITS"
    image(engine, at, tmp_path, cells, day=date(2025, 7, 1), nodata=-9999, scale=0.0001)
    measure(engine, at, tmp_path)
    inside = list(ground)[5]
    with transaction(engine) as session:
        (point,) = change_series.of_parcel(session, inside)
    assert point.mean == pytest.approx(0.7)


def test_images_of_another_place_or_of_days_to_come_are_refused(engine, at, tmp_path, ground):
    far = replace(makers.GRID, origin_x=makers.GRID.origin_x + 90_000)
    elsewhere = image(engine, at, tmp_path, greens(), day=date(2025, 7, 1), grid=far)
    with pytest.raises(LayerElsewhereError):
        measure(engine, at, tmp_path, layer_ids=(elsewhere.id,))
    assert measure(engine, at, tmp_path).elsewhere == 1
    for day in (date(2026, 3, 3), date(2027, 1, 1)):
        with pytest.raises(InvalidValueError):
            image(engine, at, tmp_path, greens(), day=day)
    with pytest.raises(InvalidValueError):
        image(engine, at, tmp_path, greens(), day=date(2025, 1, 1), year=2024)


@pytest.mark.parametrize("value", [2026, 100, 2000, 26])
def test_a_loss_after_the_image_or_of_no_year_is_refused(engine, at, tmp_path, value):
    with pytest.raises(RasterError) as refused:
        image(engine, at, tmp_path, lost((0, 0, 3, 3, value)), "loss", year=2025)
    assert refused.value.code == "RASTER_LOSS_YEAR"
    assert (refused.value.params["value"], refused.value.params["latest"]) == (value, 2025)


def test_a_patch_is_proposed_with_what_each_parcel_lost(engine, at, tmp_path, ground):
    """Blocks over parcels, one below the mapping unit, one by Hansen's short years."""
    cells = lost((4, 4, 8, 20), (30, 2, 1, 1), (22, 35, 3, 3, 23))
    view = image(engine, at, tmp_path, cells, "loss", year=2025)
    report = detect(engine, at, tmp_path, view, unit_m2=2_000)
    assert (report.measured, report.patches, report.new) == (12, 2, 2)
    with transaction(engine) as session:
        rows = session.execute(
            text("SELECT id, year, area_m2, patch_m2, status FROM disturbance ORDER BY year")
        ).all()
        parts = session.execute(text("SELECT * FROM disturbance_parcel")).all()
        held = session.execute(text("SELECT * FROM parcel_loss")).mappings().all()
    assert [(row.year, row.status) for row in rows] == [(2023, "candidate"), (2025, "candidate")]
    assert rows[1].patch_m2 == pytest.approx(160 * 900, rel=2e-3)
    for row in rows:
        mine = [one for one in parts if one.disturbance_id == row.id]
        assert sum(one.area_m2 for one in mine) == pytest.approx(row.area_m2, rel=1e-9)
        for one in mine:
            (of,) = [h for h in held if h["parcel_id"] == one.parcel_id]
            counted = dict(zip(of["years"], of["area_dm2"], strict=True))[row.year] / 100
            assert one.area_m2 == pytest.approx(counted, rel=2e-4, abs=0.05)


def test_the_same_raster_again_changes_nothing_and_a_later_one_adds_what_is_new(
    engine, at, tmp_path, ground
):
    view = image(engine, at, tmp_path, lost((4, 4, 8, 20)), "loss", year=2025)
    first = detect(engine, at, tmp_path, view)
    again = detect(engine, at, tmp_path, view)
    assert (first.new, again.new, again.measured) == (1, 0, 0)
    with transaction(engine) as session:
        told = session.scalar(
            text("SELECT count(*) FROM event WHERE kind = 'disturbance.proposed'")
        )
    assert told == 1
    grown = lost((4, 4, 10, 20), (21, 5, 6, 9, 2026))
    later = image(engine, at, tmp_path, grown, "loss", year=2026)
    third = detect(engine, at, tmp_path, later)
    assert third.new == 2
    with transaction(engine) as session:
        overlap = session.scalar(
            text(
                "SELECT coalesce(sum(ST_Area(ST_Intersection(a.geometry, b.geometry)::geography)),"
                " 0) FROM disturbance a JOIN disturbance b ON a.id < b.id AND a.year = b.year"
            )
        )
    assert overlap < 1
    assert detect(engine, at, tmp_path, later).new == 0


def test_a_raster_of_another_kind_or_place_is_refused(engine, at, tmp_path, ground):
    ndvi = image(engine, at, tmp_path, greens(), day=date(2025, 7, 1))
    with pytest.raises(InvalidValueError):
        detect(engine, at, tmp_path, ndvi)
    far = replace(makers.GRID, origin_y=makers.GRID.origin_y + 90_000)
    view = image(engine, at, tmp_path, lost((0, 0, 9, 9)), "loss", year=2025, grid=far)
    with pytest.raises(LayerElsewhereError):
        detect(engine, at, tmp_path, view)
    with pytest.raises(InvalidValueError):
        detect(engine, at, tmp_path, view, unit_m2=-1)


@pytest.fixture
def candidate(engine, at, tmp_path, ground):
    """One disturbance over several parcels, and a county's staff: (its id, actor)."""
    view = image(engine, at, tmp_path, lost((4, 4, 8, 20)), "loss", year=2025)
    (found,) = detect(engine, at, tmp_path, view).disturbance_ids
    with transaction(engine) as session:
        return found, factories.actor(session, "county")


def dismissal(at, actor, found, reason="是采伐迹地更新"):
    return disturbances.DismissDisturbance(**by(at, actor), disturbance_id=found, reason=reason)


def test_a_dismissal_says_why_acts_once_and_is_not_proposed_again(engine, at, tmp_path, candidate):
    found, county = candidate
    with pytest.raises(InvalidValueError):
        perform(engine, disturbances.dismiss, dismissal(at, county, found, reason=" "))
    command = dismissal(at, county, found)
    done = perform(engine, disturbances.dismiss, command)
    assert perform(engine, disturbances.dismiss, command) == done
    with pytest.raises(WrongStateError):
        perform(engine, disturbances.dismiss, dismissal(at, county, found))
    with transaction(engine, actor_id=county) as session:
        view = layers.listing(session, kind="loss")[0]
        page = reads.disturbance(
            session, people.actor(session, county), reads.DisturbanceById(disturbance_id=found)
        )
    assert (page.line.status, page.decision.reason) == ("dismissed", command.reason)
    assert {one.id for one in page.parcels} == set(done.parcel_ids)
    assert detect(engine, at, tmp_path, view).new == 0


def test_staff_of_another_county_neither_see_nor_decide(engine, at, candidate):
    found, county = candidate
    with transaction(engine) as session:
        other = factories.division(session, "330803000000", name="衢江区")
        stranger = factories.actor(session, "county", division_code=other)
        township = factories.actor(session, "township")
    query = reads.DisturbanceQuery()
    for actor, seen in ((county, 1), (stranger, 0)):
        with transaction(engine, actor_id=actor) as session:
            assert session.scalar(text("SELECT count(*) FROM disturbance")) == seen
            assert (
                len(reads.disturbances(session, people.actor(session, actor), query).items) == seen
            )
    with pytest.raises(NotFoundError):
        perform(engine, disturbances.dismiss, dismissal(at, stranger, found))
    with pytest.raises(NotPermittedError):
        perform(engine, disturbances.dismiss, dismissal(at, township, found))


def confirmation(at, actor, found, **more):
    return disturbances.ConfirmDisturbance(
        **by(at, actor),
        **{"disturbance_id": found, "kind": "fire", "reason": "森林火灾调查表"} | more,
    )


@pytest.fixture
def assessed(engine, at, tmp_path, ground, candidate):
    """The candidate's ground with a forecast of all parcels and a monitored run of some."""
    makers.add_layers(engine, at, tmp_path, makers.arrays())
    ids = list(ground)
    folder = tmp_path / "layers"
    assess(engine, makers.command(at, ids), layer_dir=folder)
    done = {"kind": "monitored", "years": (2023, 2025)}
    assess(engine, makers.command(at, ids[:3], **done), layer_dir=folder)
    old = {"kind": "monitored", "years": (2023, 2024)}
    assess(engine, makers.command(at, ids[3:5], **old), layer_dir=folder)
    return candidate


def test_a_confirmation_writes_each_parcels_event_and_asks_exactly_its_runs_again(
    engine, at, ground, assessed
):
    found, county = assessed
    command = confirmation(at, county, found, share_ppm=800_000, occurred_on=date(2025, 3, 18))
    done = perform(engine, disturbances.confirm, command)
    assert perform(engine, disturbances.confirm, command) == done
    assert done.status == "confirmed"
    with transaction(engine) as session:
        written = [event for one in ground for event in stand_events.listing(session, one)]
        held = dict(
            session.execute(
                text(
                    "SELECT parcel_id, area_m2 FROM disturbance_parcel WHERE disturbance_id = :id"
                ),
                {"id": found},
            ).all()
        )
        asked = [
            (job.arguments["kind"], {UUID(one) for one in job.arguments["parcel_ids"]})
            for job in session.execute(
                text("SELECT arguments FROM job WHERE id = ANY(:ids)"), {"ids": list(done.job_ids)}
            )
        ]
        whole = dict(session.execute(text("SELECT id, area_m2 FROM parcel")).all())
        told = session.scalar(
            text("SELECT count(*) FROM event WHERE kind = 'disturbance.confirmed'")
        )
    assert told == 1
    assert {one.parcel_id for one in written} == set(done.parcel_ids) == set(held)
    for one in written:
        assert (one.year, one.kind, one.intensity_ppm) == (2025, "fire", 800_000)
        assert one.touched_ppm / 1e6 == pytest.approx(
            held[one.parcel_id] / whole[one.parcel_id], abs=1e-6
        )
        assert one.evidence["disturbance"] == str(found)
    first = set(list(ground)[:3]) & set(done.parcel_ids)
    assert first
    assert sorted(asked, key=lambda one: one[0]) == [
        ("forecast", set(done.parcel_ids)),
        ("monitored", first),
    ]


def test_of_two_who_decide_at_once_one_does(engine, at, assessed):
    found, county = assessed
    with transaction(engine) as session:
        other = factories.actor(session, "county")
    gate = Barrier(2)

    def decide(actor):
        gate.wait()
        try:
            return perform(engine, disturbances.confirm, confirmation(at, actor, found)).status
        except WrongStateError as refused:
            return refused.params["state"]

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(decide, (county, other))) == ["confirmed", "confirmed"]
    with transaction(engine) as session:
        assert session.scalar(text("SELECT count(*) FROM disturbance_decision")) == 1
        parcels = session.scalar(text("SELECT count(*) FROM disturbance_parcel"))
        assert session.scalar(text("SELECT count(*) FROM stand_event")) == parcels
        assert session.scalar(text("SELECT count(*) FROM job")) == 2


def test_two_who_search_at_once_propose_once(engine, at, tmp_path, ground):
    view = image(engine, at, tmp_path, lost((4, 4, 8, 20)), "loss", year=2025)
    gate = Barrier(2)

    def search(_):
        gate.wait()
        return detect(engine, at, tmp_path, view)

    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(search, range(2)))
    assert sorted(one.new for one in made) == [0, 1]
    with transaction(engine) as session:
        assert session.scalar(text("SELECT count(*) FROM parcel_loss")) == len(ground)


@pytest.mark.parametrize("kind", get_args(disturbances.Kind))
def test_every_kind_makes_the_stock_fall(engine, at, tmp_path, assessed, kind):
    found, county = assessed
    command = confirmation(at, county, found, kind=kind)
    decided = perform(engine, disturbances.confirm, command)
    run_worker(engine, layer_dir=tmp_path / "layers", once=True)
    query = reads.DisturbanceById(disturbance_id=found)
    with transaction(engine) as session:
        page = reads.disturbance(session, people.actor(session, SYSTEM_ACTOR), query)
    assert {job.state for job in page.jobs} == {"done"}
    assert len(page.jobs) == len(decided.job_ids)
    before = sum(one.before_stock_kg for one in page.parcels)
    after = sum(one.after_stock_kg for one in page.parcels)
    assert after < before
    assert min(one.after_net_kg for one in page.parcels) < 0


@pytest.mark.parametrize(
    "more",
    [
        {"kind": "meteor"},
        {"share_ppm": 0},
        {"share_ppm": 1_000_001},
        {"occurred_on": date(2026, 3, 3)},
        {"year": 2027},
        {"year": 1999},
        {"year": 2024, "occurred_on": date(2025, 3, 1)},
        {"reason": "  "},
    ],
)
def test_a_confirmation_that_makes_no_sense_leaves_the_candidate(engine, at, candidate, more):
    found, county = candidate
    with pytest.raises(InvalidValueError):
        perform(engine, disturbances.confirm, confirmation(at, county, found, **more))
    with transaction(engine) as session:
        assert session.scalar(text("SELECT status FROM disturbance")) == "candidate"
        assert session.scalar(text("SELECT count(*) FROM stand_event")) == 0


runs = st.builds(
    disturbances.Known,
    parcel_id=st.integers(0, 30).map(lambda n: UUID(int=n)),
    kind=st.sampled_from(["forecast", "monitored"]),
    first_year=st.just(2020),
    last_year=st.integers(2020, 2030),
    layer_ids=st.sampled_from([(UUID(int=1),), (UUID(int=2),)]),
    curves=st.just(((1, "a"),)),
    programme_id=st.none(),
)


@given(
    known=st.lists(runs, unique_by=lambda one: (one.parcel_id, one.kind)),
    year=st.integers(2019, 2031),
)
def test_runs_asked_again_are_each_once_and_of_years_that_change(known, year):
    made = disturbances.plan_reruns(known, year)
    asked = [(one.run.kind, parcel) for one in made for parcel in one.parcel_ids]
    assert sorted(asked) == sorted(
        (one.kind, one.parcel_id) for one in known if one.last_year >= year
    )
    assert disturbances.plan_reruns(known[::-1], year) == made
