"""A forecast sets what may be promised; nobody promises more, and what is short is shown."""

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from registry import capacity
from registry.capacity import Part, SetCaps
from registry.db import SYSTEM_ACTOR, attempt, perform, transaction
from registry.errors import InvalidValueError, NotFoundError
from registry.unit_errors import CapacityExceededError
from tests import factories

YEAR = 2030


class Ground:
    """Two parcels under claims, with a forecast that sets their caps."""

    def __init__(self, engine, at):
        self.engine, self.at = engine, at
        with transaction(engine) as session:
            village = factories.party(session, "collective")
            self.project = factories.project(session, village)
            self.parcels = [factories.parcel(session, village) for _ in range(2)]
            self.claims = [
                factories.claim(session, self.project, parcel, (2024, 2040))
                for parcel in self.parcels
            ]

    def forecast(self, *kg, kind="forecast", share=Fraction(1, 10)):
        with transaction(self.engine) as session:
            years = {parcel: {YEAR: one} for parcel, one in zip(self.parcels, kg, strict=True)}
            run_id = factories.run(session, self.project, years, kind=kind)
        command = SetCaps(
            at=self.at,
            actor_id=SYSTEM_ACTOR,
            key=uuid4().hex,
            run_id=run_id,
            buffer_share=share,
        )
        return perform(self.engine, capacity.set_caps, command)

    def parts(self, *kg):
        return [
            Part(claim_id=claim, parcel_id=parcel, kg=one)
            for claim, parcel, one in zip(self.claims, self.parcels, kg, strict=True)
            if one
        ]

    def reserve(self, holder, *kg):
        attempt(self.engine, lambda s: capacity.reserve(s, holder, YEAR, self.parts(*kg)))

    def do(self, verb, holder, kg):
        attempt(self.engine, lambda s: verb(s, holder, kg))

    def state(self):
        with transaction(self.engine) as session:
            rows = {row.parcel_id: row for row in capacity.caps(session, self.claims, YEAR)}
            return [
                (row.cap_kg, row.committed_kg, row.short_kg)
                for row in (rows[parcel] for parcel in self.parcels)
            ]


@pytest.fixture
def ground(engine, at):
    return Ground(engine, at)


def test_a_cap_is_the_forecast_less_the_buffer_rounded_down_and_never_below_zero(ground):
    done = ground.forecast(1_009, -50)
    assert (done.rows, done.cap_kg, done.short_kg) == (2, 908, 0)
    assert ground.state() == [(908, 0, 0), (0, 0, 0)]


def test_a_monitored_run_and_an_odd_share_set_nothing(ground):
    with pytest.raises(NotFoundError):
        ground.forecast(10, 10, kind="monitored")
    with pytest.raises(InvalidValueError):
        ground.forecast(10, 10, share=Fraction(11, 10))


def test_all_parts_are_reserved_or_none(ground):
    ground.forecast(100, 100)
    with pytest.raises(CapacityExceededError) as refused:
        ground.reserve("lot-1", 90, 91)
    assert (refused.value.params["asked"], refused.value.params["free"]) == (91, 90)
    assert ground.state() == [(90, 0, 0), (90, 0, 0)]


def test_eight_reservers_at_once_are_never_given_more_than_there_is(ground):
    ground.forecast(1_000, 1_000, share=Fraction(0))

    def ask(n):
        kg = 37 + n % 5
        try:
            ground.reserve(f"lot-{n}", kg, kg)
        except CapacityExceededError:
            return 0
        return kg

    with ThreadPoolExecutor(8) as pool:
        sold = sum(pool.map(ask, range(40)))
    assert 1_000 - 41 < sold <= 1_000
    assert ground.state() == [(1_000, sold, 0)] * 2


def test_what_is_released_is_free_and_what_is_burned_is_not(ground):
    ground.forecast(100, 100, share=Fraction(0))
    ground.reserve("lot-1", 100, 50)
    ground.do(capacity.burn, "lot-1", 60)
    assert sum(committed for _, committed, _ in ground.state()) == 150
    ground.do(capacity.release, "lot-1", 30)
    assert sum(committed for _, committed, _ in ground.state()) == 120
    with pytest.raises(CapacityExceededError):
        ground.do(capacity.release, "lot-1", 61)
    ground.do(capacity.release, "lot-1", 60)
    assert sum(committed for _, committed, _ in ground.state()) == 60


def test_a_lower_forecast_is_taken_and_what_is_missing_is_shown(ground):
    ground.forecast(100, 100, share=Fraction(0))
    ground.reserve("lot-1", 80, 0)
    assert ground.forecast(50, 100, share=Fraction(0)).short_kg == 30
    assert ground.state() == [(50, 80, 30), (100, 0, 0)]
    with transaction(ground.engine) as session:
        assert capacity.short_holders(session) == {"lot-1"}
    with pytest.raises(CapacityExceededError):
        ground.reserve("lot-2", 1, 0)
    ground.do(capacity.release, "lot-1", 35)
    assert ground.state()[0] == (50, 45, 0)
    ground.reserve("lot-2", 5, 0)
    assert ground.forecast(200, 100, share=Fraction(0)).short_kg == 0


@pytest.mark.parametrize(
    "words",
    [
        "UPDATE capacity SET committed_kg = 5",
        "UPDATE capacity SET committed_kg = cap_kg + 1, short_kg = 1",
        "UPDATE reservation SET kg = kg + 1",
        "UPDATE reservation SET state = 'released'",
        "UPDATE reservation SET state = 'burned'",
        "UPDATE capacity SET short_kg = 7",
    ],
)
def test_the_database_keeps_the_sums_whoever_writes(ground, words):
    ground.forecast(100, 100)
    ground.reserve("lot-1", 10, 10)
    with pytest.raises(DBAPIError), transaction(ground.engine) as session:
        session.execute(text(words))
    assert ground.state() == [(90, 10, 0)] * 2


@given(
    acts=st.lists(st.tuples(st.sampled_from(["burn", "release"]), st.integers(0, 60)), max_size=6),
    kg=st.tuples(st.integers(1, 90), st.integers(0, 90)),
)
def test_any_burns_and_releases_conserve(shared_ground, acts, kg):
    ground = shared_ground
    with transaction(ground.engine) as session:
        capacity.reserve(session, "lot", YEAR, ground.parts(*kg))
        held, burned = sum(kg), 0
        for act, one in acts:
            if one > held:
                with pytest.raises(CapacityExceededError):
                    getattr(capacity, act)(session, "lot", one)
                continue
            getattr(capacity, act)(session, "lot", one)
            held -= one
            burned += one if act == "burn" else 0
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        committed = sum(row.committed_kg for row in capacity.caps(session, ground.claims, YEAR))
        assert committed == held + burned
        session.rollback()


@pytest.fixture
def shared_ground(engine, at):
    ground = Ground(engine, at)
    ground.forecast(100, 100)
    return ground
