"""Project accounts: rows with evidence, one function before and after, sums that must add up."""

from dataclasses import replace
from fractions import Fraction
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from registry import issuance, periods, project_accounts, project_items
from registry.db import SYSTEM_ACTOR, transaction
from registry.errors import InvalidValueError, NotFoundError
from registry.issuance import IssuePeriod
from registry.project_accounts import AmountGivenError
from registry.project_items import ItemReplacedError, RecordItem, WithdrawItem
from registry.reads import books
from registry.unit_errors import MarkForbiddenError, RunNotUsableError
from sinks import project
from sinks.issuance import BufferPool, Deduction
from sinks.pools import Pool
from sinks.uncertainty import discount_table
from tests import factories
from tests.registry.unit_makers import INPUTS, World

VEGETATION = {
    "area_ha": "10",
    "tree_cover": "0.1",
    "shrub_cover": "0.2",
    "trees_kept": "yes",
    "shrubs_removed": "0.2",
    "forest_agb_t_ha": "100",
    "forest_gain_t_ha_yr": "5",
}
FROM_ROWS = replace(INPUTS, baseline_kg=None, emissions_kg=None, leakage_kg=None)


@pytest.fixture
def world(engine, at):
    return World(engine, at)


def enter(world, **more):
    given_ = {"kind": "leakage", "year": 2024, "details": {"kg": "1000"}, "source": "调查"} | more
    asked = RecordItem(**world.by(), project_id=world.project, **given_)
    return world.do(project_items.record, asked)


def submit(world, inputs=FROM_ROWS):
    from datetime import date

    return world.do(
        periods.submit,
        periods.SubmitPeriod(
            **world.by(),
            project_id=world.project,
            starts_on=date(2024, 1, 1),
            ends_on=date(2026, 1, 1),
            run_id=world.run,
            inputs=inputs,
        ),
    )


def test_a_period_takes_its_sums_from_the_projects_rows_line_by_line(world):
    enter(world, kind="prior_vegetation", details=VEGETATION)
    enter(world, kind="burning", year=2025, details={"fuel_t": "2"})
    enter(world, kind="baseline", year=2025, details={"kg": "700"})
    enter(world, kind="emission", year=2023, details={"kg": "999999"})
    enter(world, planned=True, details={"kg": "888888"})
    made = submit(world)
    with transaction(world.engine) as session:
        plan = books.period(session, made.period_id).plan
        row = session.execute(text("SELECT * FROM period_account")).one()
    # AR-TOOL14 (26, 27): 10 ha x 0.2 cover x 10 t of shrubs x 1.4 roots x 0.47 C x 44/12 x 0.2.
    cleared = -int(-round(10 * 0.2 * (100 * 0.1) * 1.4 * 0.47 * 44 / 12 * 0.2 * 1000, 6) // 1)
    burnt = project.Burning(year=2025, fuel_t=2.0).kg_co2e(gwp="AR6")
    found = {(one["part"], one["year"], one["kind"]): one["kg"] for one in plan["lines"]}
    assert found == {
        ("baseline", 2025, "baseline"): 700,
        ("emissions", 2024, "prior_vegetation"): cleared,
        ("emissions", 2025, "burning"): burnt,
    }
    assert (row.gross_kg, row.baseline_kg, row.emissions_kg) == (100_001, 700, cleared + burnt)
    assert row.creditable_kg == made.creditable_kg == max(100_001 - 700 - cleared - burnt, 0)
    assert [one["net_kg"] for one in plan["by_year"]] == [
        40_000 - cleared,
        60_001 - 700 - burnt,
    ]


def test_a_sum_is_not_taken_beside_rows_that_say_it(world):
    enter(world)
    with pytest.raises(AmountGivenError):
        submit(world, replace(FROM_ROWS, leakage_kg=5))
    made = submit(world, replace(FROM_ROWS, emissions_kg=7))
    with transaction(world.engine) as session:
        plan = books.period(session, made.period_id).plan
    assert {(one["part"], one["kind"], one["kg"]) for one in plan["lines"]} == {
        ("leakage", "leakage", 1000),
        ("emissions", "by_hand", 7),
    }
    assert made.creditable_kg == 100_001 - 1000 - 7


def test_the_discount_of_the_worked_example_is_kept_to_the_kg(engine, at):
    """AR-TOOL14: 60 with a half-width of 15 % loses a quarter of it, 2.25, and leaves 57.75."""
    world = World(engine, at)
    with transaction(engine) as session:
        parcel = session.scalar(text("SELECT parcel_id FROM claim"))
        net = {parcel: {2024: 20_000, 2025: 40_000}}
        world.run = factories.run(session, world.project, net)
    terms = replace(
        FROM_ROWS,
        uncertainty=Fraction(15, 100),
        discount="artool14",
        non_permanence="deduction",
        non_permanence_share=Fraction(1, 10),
    )
    made = submit(world, terms)
    with transaction(engine) as session:
        row = session.execute(text("SELECT * FROM period_account")).one()
    assert (row.gross_kg, row.discount_kg) == (60_000, 2_250)
    assert (row.withheld_kg, row.creditable_kg) == (5_775, made.creditable_kg) == (5_775, 51_975)


def test_a_flow_with_a_forbidden_mark_stops_the_issuance(engine, at):
    more = '[issuance.marks_forbidden]\nvalue = ["proposed"]'
    world = World(engine, at, programme_more=more)
    with transaction(engine) as session:
        parcel = session.scalar(text("SELECT parcel_id FROM claim"))
        net = {parcel: {2024: 40_000, 2025: 60_001}}
        flag = {"code": "FLOW_PROVISIONAL", "flow": "snow", "mark": "proposed"}
        world.run = factories.run(session, world.project, net, flags=(flag,))
    period = world.submitted()
    world.verify(period)
    with pytest.raises(MarkForbiddenError, match="snow"):
        world.do(issuance.issue, IssuePeriod(**world.by(), period_id=period.period_id))


def test_the_database_refuses_sums_that_do_not_add_up(world):
    period = submit(world)
    query = (
        "INSERT INTO period_account SELECT period_id, gross_kg + 1, discount_kg, baseline_kg,"
        " emissions_kg, leakage_kg, deficit_before_kg, withheld_kg, creditable_kg, deficit_kg"
        " FROM period_account WHERE period_id = :id"
    )
    with pytest.raises(DBAPIError, match="adds_up"), transaction(world.engine) as session:
        session.execute(text(query), {"id": period.period_id})


@given(
    change=st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=5),
    baseline=st.integers(-(10**8), 10**8),
    emissions=st.integers(0, 10**8),
    leakage=st.integers(0, 10**8),
    deficit=st.integers(0, 10**8),
    u=st.fractions(0, Fraction(1, 2), max_denominator=1000),
    share=st.fractions(0, Fraction(9, 10), max_denominator=1000),
    lasting=st.sampled_from((BufferPool, Deduction)),
)
def test_sums_add_up_whatever_they_are(
    *, change, baseline, emissions, leakage, deficit, u, share, lasting
):
    years = list(range(2021, 2021 + len(change)))
    made = project.account(
        project.Series(
            change_kg={Pool.ABOVEGROUND: dict(zip(years, change, strict=True))},
            baseline_kg={2021: baseline},
            emissions_kg={2021: emissions},
            leakage_kg={2021: leakage},
        ),
        project.Rules(
            pools=frozenset({Pool.ABOVEGROUND}),
            first_year=2021,
            last_year=2040,
            years_min=20,
            years_max=40,
            discount=discount_table("artool14"),
            non_permanence=lasting(share=share),
        ),
        kind="monitored",
        years=years,
        uncertainty=u,
        deficit_kg=deficit,
    )
    sums = project_accounts.sums_of(made, deficit_before_kg=deficit)
    assert (
        sums.gross_kg
        - sums.discount_kg
        - sums.baseline_kg
        - sums.emissions_kg
        - sums.leakage_kg
        - sums.deficit_before_kg
        - sums.withheld_kg
        == sums.creditable_kg - sums.deficit_kg
    )
    assert min(sums.withheld_kg, sums.creditable_kg, sums.deficit_kg) >= 0
    assert sums.creditable_kg == 0 or sums.deficit_kg == 0


def test_forecast_and_monitored_are_one_account(world):
    enter(world, planned=True, details={"kg": "300"})
    enter(world, kind="fertiliser", details={"product": "urea", "mass_kg": "100", "n_kg": "46"})
    with transaction(world.engine) as session:
        assert project_accounts.account(session, world.project, kind="forecast") is None
        parcel = session.scalar(text("SELECT parcel_id FROM claim"))
        net = {parcel: {2024: 40_000, 2025: 60_001}}
        forecast_run = factories.run(session, world.project, net, kind="forecast")
    with transaction(world.engine) as session:
        before = project_accounts.account(session, world.project, kind="forecast")
        after = project_accounts.account(session, world.project, kind="monitored")
        with pytest.raises(RunNotUsableError, match="not_monitored"):
            project_accounts.account(session, world.project, kind="monitored", run_id=forecast_run)
    assert after.sums.leakage_kg == 0
    assert before.sums.leakage_kg == 300
    assert before.sums.emissions_kg == after.sums.emissions_kg > 0
    assert after.sums.creditable_kg - before.sums.creditable_kg == 300
    assert [one.year for one in before.years] == [2024, 2025]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "smoke"},
        {"year": 1500},
        {"year": 2199},
        {"details": {}},
        {"details": {"kg": "1.5"}},
        {"details": {"kg": "-1"}},
        {"details": {"kg": "1", "lb": "2"}},
        {"kind": "burning", "details": {"fuel_t": "many"}},
        {"kind": "burning", "details": {"fuel_t": "1", "combustion": "1.2"}},
        {"kind": "prior_vegetation", "details": VEGETATION | {"trees_kept": "perhaps"}},
        {"source": ""},
    ],
)
def test_what_makes_no_sense_is_refused(world, wrong):
    with pytest.raises(InvalidValueError):
        enter(world, **wrong)


def test_a_row_is_corrected_by_another_and_the_record_keeps_both(world):
    first = enter(world)
    second = enter(world, details={"kg": "400"}, replaces=first.id, reason="重算")
    with pytest.raises(ItemReplacedError):
        enter(world, replaces=first.id, reason="再改")
    asked = WithdrawItem(**world.by(), item_id=second.id, reason="无泄漏")
    assert world.do(project_items.withdraw, asked).withdrawn
    with transaction(world.engine) as session:
        assert project_items.listing(session, world.project) == []
        assert len(project_items.listing(session, world.project, history=True)) == 3
    with pytest.raises(NotFoundError):
        world.do(
            project_items.record,
            RecordItem(
                at=world.at,
                actor_id=SYSTEM_ACTOR,
                key=uuid4().hex,
                project_id=uuid4(),
                kind="leakage",
                year=2024,
                details={"kg": "1"},
                source="x",
            ),
        )
