"""Ground with obligations is split: its parts share everything by their own assessment, exactly."""

import json
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import partial
from uuid import uuid4

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from options import ground
from options.worker import run_worker
from registry import capacity, estimation, jobs, parcel_edits
from registry.capacity import Part, SetCaps
from registry.db import SYSTEM_ACTOR, attempt, perform, transaction
from registry.ground_claims import ParcelObligedError
from registry.ground_shares import Held, plan_share, signed_share
from registry.unit_errors import CapacityExceededError
from tests import factories
from tests.registry import makers_science as makers

FIRST, LAST = 2025, 2028
kilograms = st.integers(0, 10**9)


@given(
    cap=kilograms,
    held=st.lists(st.tuples(st.integers(1, 10**8), st.fractions(0, 1)), max_size=5),
    weights=st.lists(kilograms, min_size=2, max_size=4),
)
def test_rows_and_columns_of_a_plan_add_up_and_nobody_is_promised_more(cap, held, weights):
    rows = [Held(ref=str(n), kg=kg, burned_kg=int(kg * part)) for n, (kg, part) in enumerate(held)]
    plan = plan_share(cap, rows, weights)
    total = sum(one.kg for one in rows)
    assert (sum(plan.cap_kg), sum(plan.committed_kg)) == (cap, total)
    for one, parts in zip(rows, plan.held, strict=True):
        assert [sum(column) for column in zip(*parts, strict=True)] == [one.kg, one.burned_kg]
        assert all(0 <= burned <= kg for kg, burned in parts)
    columns = [sum(parts[n][0] for parts in plan.held) for n in range(len(weights))]
    assert columns == plan.committed_kg
    pairs = list(zip(plan.committed_kg, plan.cap_kg, strict=True))
    if total <= cap:
        assert all(promised <= own for promised, own in pairs)
    elif cap:
        assert all(promised >= own for promised, own in pairs)


@given(total=st.integers(-(10**9), 10**9), weights=st.lists(kilograms, min_size=1, max_size=5))
def test_a_loss_is_shared_as_a_gain_is(total, weights):
    parts = signed_share(total, weights)
    assert sum(parts) == total
    assert signed_share(-total, weights) == [-part for part in parts]


class Sold:
    """A parcel on real layers, claimed, with a forecast, caps, two holders and a period."""

    def __init__(self, engine, at, county, tmp_path):
        self.engine, self.at, self.folder = engine, at, tmp_path / "layers"
        ids, shapes, _, _ = county
        self.parcel, self.shape = ids[7], shapes[7]
        with transaction(engine) as session:
            owner = factories.party(session, "collective")
            self.project = factories.project(session, owner)
            self.claim = factories.claim(session, self.project, self.parcel, (2024, 2040))
        command = makers.command(at, [self.parcel], years=(FIRST, LAST))
        self.run = estimation.assess(engine, command, layer_dir=self.folder).run_id
        caps = SetCaps(
            at=at,
            actor_id=SYSTEM_ACTOR,
            key=uuid4().hex,
            run_id=self.run,
            buffer_share=Fraction(1, 10),
        )
        perform(engine, capacity.set_caps, caps)
        self.sell("lot:a", FIRST, 3)
        self.sell("lot:b", FIRST, 4)
        self.sell("lot:c", LAST, 2)
        attempt(engine, lambda s: capacity.burn(s, "lot:b", self.kg("lot:b") // 3))

    def sell(self, holder, vintage, share):
        with transaction(self.engine) as session:
            free = capacity.caps(session, [self.claim], vintage)[0].free_kg
        part = Part(claim_id=self.claim, parcel_id=self.parcel, kg=free // share)
        attempt(self.engine, lambda s: capacity.reserve(s, holder, vintage, [part]))

    def kg(self, holder):
        return self.rows(
            "SELECT sum(kg)::bigint AS kg FROM reservation WHERE holder_ref = :holder AND state <> 'shared'",
            holder=holder,
        )[0].kg

    def rows(self, words, **bound):
        with transaction(self.engine) as session:
            return session.execute(text(words), bound).all()

    def totals(self):
        """All that rests on the project's ground, by vintage and holder."""
        caps = self.rows(
            "SELECT vintage, sum(cap_kg) AS cap, sum(committed_kg) AS committed, sum(short_kg)"
            " AS short FROM capacity GROUP BY 1 ORDER BY 1"
        )
        held = self.rows(
            "SELECT holder_ref, vintage, sum(kg) AS kg, sum(burned_kg) AS burned FROM reservation"
            " WHERE state <> 'shared' GROUP BY 1, 2 ORDER BY 1"
        )
        return caps, held

    def command(self, key=None, at=0.35):
        west, south, east, north = self.shape.bounds
        x = west + (east - west) * at
        line = shapely.LineString([(x, south - 1e-3), (x + 1e-4, north + 1e-3)])
        return parcel_edits.SplitParcel(
            at=self.at,
            actor_id=SYSTEM_ACTOR,
            key=key or uuid4().hex,
            parcel_id=self.parcel,
            based_on_version=1,
            line=json.loads(shapely.to_geojson(line)),
            reason="分户",
        )

    def split(self, **more):
        verb = partial(ground.split_measured, engine=self.engine, layer_dir=self.folder)
        return perform(self.engine, verb, self.command(**more))


@pytest.fixture
def sold(engine, at, county, tmp_path):
    return Sold(engine, at, county, tmp_path)


def test_all_that_rests_on_a_parcel_is_shared_to_the_kilogram(sold):
    with pytest.raises(ParcelObligedError):
        perform(sold.engine, ground.split, sold.command())
    before = sold.totals()
    done = sold.split(key="once")
    assert sold.totals() == before
    assert sold.split(key="once") == done
    assert sold.totals() == before
    children = [state.parcel_id for state in done.parcels]
    left = sold.rows(
        "SELECT cap_kg, committed_kg FROM capacity WHERE parcel_id = :p", p=sold.parcel
    )
    assert {tuple(row) for row in left} == {(0, 0)}
    states = sold.rows("SELECT state FROM reservation WHERE parcel_id = :p", p=sold.parcel)
    assert {row.state for row in states} == {"shared"}
    figures = sold.rows(
        "SELECT parcel_id, stock_kg, net_kg FROM assessment_share WHERE run_id = :r", r=sold.run
    )
    whole = sold.rows(
        "SELECT stock_kg, net_kg FROM assessment_series WHERE parcel_id = :p", p=sold.parcel
    )[0]
    assert {row.parcel_id for row in figures} == set(children)
    for name in ("stock_kg", "net_kg"):
        sums = [sum(year) for year in zip(*(getattr(row, name) for row in figures), strict=True)]
        assert sums == getattr(whole, name)


def test_the_shares_are_those_of_the_parts_own_assessment(sold):
    done = sold.split()
    children = [state.parcel_id for state in done.parcels]
    asked = makers.command(sold.at, children, years=(FIRST, LAST))
    run = estimation.assess(sold.engine, asked, layer_dir=sold.folder).run_id
    own = makers.series(sold.engine, run)
    for year in (FIRST, LAST):
        caps = {
            row.parcel_id: row.cap_kg
            for row in sold.rows("SELECT * FROM capacity WHERE vintage = :y", y=year)
        }
        whole = sum(caps.values())
        weights = {child: max(0, own[child, year][1]) for child in children}
        for child in children:
            exact = Fraction(whole * weights[child], sum(weights.values()))
            assert abs(caps[child] - exact) < 1


def test_a_part_is_split_again(sold):
    before = sold.totals()
    sold.parcel = max(sold.split().parcels, key=lambda one: one.area_m2).parcel_id
    sold.split(at=0.7)
    assert sold.totals() == before
    rows = sold.rows(
        "SELECT p.status, count(*) FROM parcel p JOIN claim c ON c.parcel_id = p.id"
        " AND c.status = 'active' GROUP BY 1"
    )
    assert [tuple(row) for row in rows] == [("submitted", 3)]


def test_nobody_sells_twice_what_is_being_split(sold):
    before = sold.totals()

    def sell(n):
        part = Part(claim_id=sold.claim, parcel_id=sold.parcel, kg=1)
        try:
            attempt(sold.engine, lambda s: capacity.reserve(s, f"lot:x{n}", FIRST, [part]))
        except CapacityExceededError:
            return 0
        return 1

    with ThreadPoolExecutor(5) as pool:
        splitting = pool.submit(sold.split)
        sales = sum(pool.map(sell, range(40)))
        splitting.result()
    after = sold.totals()
    assert sum(row.cap for row in after[0]) == sum(row.cap for row in before[0])
    committed = [sum(row.committed for row in caps) for caps, _ in (before, after)]
    assert committed[1] == committed[0] + sales
    assert sum(row.kg for row in after[1]) == committed[1]


def test_the_database_refuses_a_sharing_that_loses_a_kilogram(sold):
    done = sold.split()
    one = done.parcels[0].parcel_id
    for words in (
        "UPDATE reservation SET state = 'held' WHERE state = 'shared'",
        "DELETE FROM assessment_share",
        (
            "INSERT INTO assessment_share SELECT gen_random_uuid(), parcel_id, parent_id,"
            " first_year, stock_kg, net_kg, recorded_at FROM assessment_share LIMIT 1"
        ),
    ):
        with pytest.raises(DBAPIError):
            sold.rows(words)

    def hand_on(session):
        bound = {"p": one}
        session.execute(text("UPDATE reservation SET state = 'shared' WHERE parcel_id = :p"), bound)
        session.execute(text("UPDATE capacity SET committed_kg = 0 WHERE parcel_id = :p"), bound)

    with pytest.raises(DBAPIError, match="is shared as"):
        attempt(sold.engine, hand_on)


def test_a_job_splits_and_asks_for_the_parts_own_runs(sold):
    before = sold.totals()
    job = perform(sold.engine, ground.request, sold.command()).job_id
    run_worker(sold.engine, layer_dir=sold.folder, once=True)
    rows = sold.rows("SELECT task, state, result FROM job ORDER BY recorded_at")
    assert {(row.task, row.state) for row in rows} == {("split_shared", "done"), ("assess", "done")}
    done = next(row.result for row in rows if row.task == "split_shared")
    children = {one["parcel_id"] for one in done["parcels"]}
    assert sold.totals() == before
    with transaction(sold.engine) as session:
        assert jobs.get(session, job).state == "done"
    told = sold.rows(
        "SELECT DISTINCT parcel_id FROM assessment_series WHERE run_id <> :r", r=sold.run
    )
    assert {str(row.parcel_id) for row in told} == children


def test_an_edit_that_is_no_split_still_finds_obligations_in_its_way(sold):
    x, y = sold.shape.centroid.coords[0]
    hole = parcel_edits.CutHole(
        at=sold.at,
        actor_id=SYSTEM_ACTOR,
        key=uuid4().hex,
        parcel_id=sold.parcel,
        based_on_version=1,
        hole=json.loads(shapely.to_geojson(shapely.Point(x, y).buffer(1e-4))),
        reason="塘",
    )
    with pytest.raises(ParcelObligedError):
        perform(sold.engine, parcel_edits.cut_hole, hole)
