"""Field plots: entered whole or not at all, corrected by versions, estimated; a period names its U."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from registry import field_plots, periods, plot_estimates, plot_maps
from registry.db import SYSTEM_ACTOR, transaction
from registry.errors import InvalidValueError, NotFoundError
from registry.field_plots import Culms, EnterPlots, Plot, Tree
from registry.plot_estimates import EstimatePlots
from registry.reads import books
from registry.unit_errors import RunNotUsableError
from sinks import estimators, uncertainty
from sinks.errors import DomainError
from tests import factories
from tests.registry.unit_makers import INPUTS, World


@pytest.fixture
def world(engine, at):
    return World(engine, at)


@pytest.fixture
def middle(world):
    """A point of the ground the project claims."""
    with transaction(world.engine) as session:
        return session.execute(
            text(
                "SELECT ST_X(p) AS lon, ST_Y(p) AS lat FROM (SELECT ST_PointOnSurface(v.geometry)"
                " AS p FROM claim c JOIN parcel_version v ON v.parcel_id = c.parcel_id"
                " AND v.version = c.version) x"
            )
        ).one()


def plots(middle, sizes=(12.0, 15.0, 18.0, 14.0), day=date(2025, 11, 3), **more):
    return tuple(
        Plot(
            number=str(i), lon=middle.lon, lat=middle.lat, shape="circle", size_m=10.0, slope=0.2,
            measured_on=day, measured_by="张三",
            trees=tuple(Tree(species="杉木", d_cm=d + k, h_m=d * 0.8) for k in range(5)), **more,
        )
        for i, d in enumerate(sizes, start=1)
    )  # fmt: skip


def enter(world, found, *, year=2025, origin="project", **more):
    command = EnterPlots(
        **world.by(), project_id=world.project, origin=origin, survey_year=year, plots=found, **more
    )
    return world.do(field_plots.enter, command)


def listed(world, year=2025, origin="project"):
    with transaction(world.engine) as session:
        return field_plots.listing(session, world.project, origin=origin, survey_year=year)


def estimated(world, **more):
    command = EstimatePlots(
        **world.by(), project_id=world.project, origin="project", **{"survey_year": 2025, **more}
    )
    return world.do(plot_estimates.estimate, command)


def test_plots_are_kept_as_measured_and_told_by_every_equation(world, middle):
    done = enter(world, plots(middle))
    assert (done.new, done.corrected, done.same) == (4, 0, 0)
    found = listed(world)
    assert [one.plot for one in found] == list(plots(middle))
    for one in found:
        assert one.low_t_ha == min(one.models.values())
        assert 0 < one.low_t_ha <= one.high_t_ha == max(one.models.values())
    assert enter(world, plots(middle)).same == 4
    assert listed(world, origin="verifier") == []
    with transaction(world.engine) as session:
        assert field_plots.surveys(session, world.project) == [("project", 2025, 4)]


def test_a_correction_is_a_new_version_with_its_reason_and_the_old_one_stays(world, middle):
    first = plots(middle)
    enter(world, first)
    other = replace(first[0], slope=0.5)
    with pytest.raises(field_plots.PlotReasonError):
        enter(world, (other,))
    assert enter(world, (other,), reason="坡度抄错").corrected == 1
    assert listed(world)[0].version == 2
    assert listed(world)[0].plot == other
    gone = field_plots.WithdrawPlot(
        **world.by(), project_id=world.project, origin="project", survey_year=2025, number="2",
        reason="不在地块内",
    )  # fmt: skip
    world.do(field_plots.withdraw, gone)
    assert [one.plot.number for one in listed(world)] == ["1", "3", "4"]
    with pytest.raises(NotFoundError):
        world.do(field_plots.withdraw, replace(gone, key="again"))
    with transaction(world.engine) as session:
        assert session.scalar(text("SELECT count(*) FROM field_plot")) == 6
    with pytest.raises(DBAPIError), transaction(world.engine) as session:
        session.execute(text("DELETE FROM field_plot"))


def test_slips_and_strangers_are_refused_and_nothing_is_kept(world, middle):
    good = plots(middle)
    mm = replace(good[0], trees=(Tree(species="杉木", d_cm=142.0, h_m=11.0),))
    for bad, error in (
        (mm, DomainError),
        (replace(good[0], size_m=0.0), DomainError),
        (replace(good[0], slope=45.0), DomainError),
        (replace(good[0], lon=100.0), field_plots.PlotOutsideError),
        (replace(good[0], number="2"), InvalidValueError),
        (replace(good[0], measured_by=" "), InvalidValueError),
        (replace(good[0], measured_on=date(2020, 1, 1)), InvalidValueError),
    ):
        with pytest.raises(error):
            enter(world, (bad, *good[1:]))
    assert listed(world) == []


def test_an_estimate_is_the_sample_mean_with_its_half_width_and_knows_its_plots(world, middle):
    enter(world, plots(middle))
    made = estimated(world)
    views = listed(world)
    values = tuple(one.models[made.model] for one in views)
    by_hand = uncertainty.estimate([uncertainty.Stratum(weight=1.0, values=values)])
    assert made.mean_t_c_ha == by_hand.mean
    assert made.half_width_t_c_ha == by_hand.half_width
    assert Fraction(made.u) == by_hand.u
    assert made.plots == [[one.plot.number, str(one.id)] for one in views]
    assert made.model in {one["model"] for one in made.models}
    with pytest.raises(plot_estimates.PlotModelError):
        estimated(world, model="nobody")
    with pytest.raises(NotFoundError):
        estimated(world, survey_year=2024)


def test_strata_need_their_areas_and_weigh_by_them(world, middle):
    low, high = plots(middle)[:2], plots(middle)[2:]
    found = [replace(p, stratum="A") for p in low] + [replace(p, stratum="B") for p in high]
    enter(world, tuple(found))
    with pytest.raises(plot_estimates.StratumAreasError):
        estimated(world)
    with pytest.raises(plot_estimates.StratumAreasError):
        estimated(world, stratum_ha={"A": 1.0, "C": 2.0})
    made = estimated(world, stratum_ha={"A": 30.0, "B": 10.0})
    assert [one["weight"] for one in made.strata] == [0.75, 0.25]
    means = [
        sum(v.models[made.model] for v in part) / 2
        for part in (listed(world)[:2], listed(world)[2:])
    ]
    assert made.mean_t_c_ha == pytest.approx(0.75 * means[0] + 0.25 * means[1])


def test_plots_measured_again_give_the_change_by_pairs(world, middle):
    enter(world, plots(middle, day=date(2023, 11, 1)), year=2023)
    with pytest.raises(NotFoundError):
        estimated(world, before_year=2023)
    enter(world, plots(middle, sizes=(13.0, 16.5, 19.5, 14.5)))
    made = estimated(world, before_year=2023)
    before, after = listed(world, 2023), listed(world)
    changes = [
        b.models[made.model] - a.models[made.model] for a, b in zip(before, after, strict=True)
    ]
    assert made.mean_t_c_ha == pytest.approx(sum(changes) / 4)
    assert made.half_width_t_c_ha < estimated(world).half_width_t_c_ha
    with pytest.raises(InvalidValueError):
        estimated(world, survey_year=2023, before_year=2025)


def test_bamboo_counts_alone_are_estimated_above_the_ground(world, middle):
    found = tuple(
        replace(
            one, trees=(), culms=(Culms(du=1, count=n, d_cm=9.5), Culms(du=2, count=9, d_cm=9.9))
        )
        for n, one in zip((8, 12, 10, 9), plots(middle), strict=True)
    )
    enter(world, found)
    made = estimated(world)
    assert made.model == field_plots.CULMS_ONLY
    assert made.mean_t_c_ha > 0


def test_a_period_shows_where_its_error_comes_from_and_refuses_another(world, middle):
    enter(world, plots(middle))
    made = estimated(world)
    submit = periods.SubmitPeriod(
        **world.by(), project_id=world.project, starts_on=date(2024, 1, 1),
        ends_on=date(2026, 1, 1), run_id=world.run, inputs=INPUTS, estimate_id=made.id,
    )  # fmt: skip
    with pytest.raises(plot_estimates.EstimateNotUsableError):
        world.do(periods.submit, submit)
    right = replace(INPUTS, uncertainty=Fraction(made.u))
    answer = world.do(periods.submit, replace(submit, key="right", inputs=right))
    with transaction(world.engine) as session:
        plan = session.scalar(
            text("SELECT plan FROM period WHERE id = :id"), {"id": answer.period_id}
        )
    assert plan["plots"]["estimate"] == str(made.id)
    assert Fraction(plan["plots"]["u"]) == Fraction(made.u)
    assert plan["plots"]["n"] == 4


def test_the_database_keeps_a_verifiers_plots_and_the_projects_apart(world, middle):
    enter(world, plots(middle))
    with transaction(world.engine) as session:
        buyer = factories.actor(session, "buyer", party_id=factories.party(session, "enterprise"))
        session.execute(text("SELECT set_config('tanhui.actor', :id, true)"), {"id": str(buyer)})
        assert session.scalar(text("SELECT count(*) FROM field_plot")) == 0
    command = EnterPlots(
        at=world.at, actor_id=buyer, key="x", project_id=world.project, origin="project",
        survey_year=2025, plots=plots(middle),
    )  # fmt: skip
    with pytest.raises((NotFoundError, DBAPIError)):
        world.do(field_plots.enter, command)
    assert buyer != SYSTEM_ACTOR


@given(order=st.permutations(range(4)))
def test_the_order_of_plots_changes_nothing(order):
    class Middle:
        lon, lat = 118.0, 29.0

    views = [_seen(one) for one in plots(Middle)]
    one = plot_estimates.plan_estimate(views, before=None, model=None, stratum_ha={})
    other = plot_estimates.plan_estimate(
        [views[i] for i in order], before=None, model=None, stratum_ha={}
    )
    assert other.estimate.mean == pytest.approx(one.estimate.mean, rel=1e-12)
    assert other.estimate.u == one.estimate.u


def _seen(plot):
    area, models, rooted = field_plots.carbon(plot)
    return field_plots.PlotView(
        id=factories.uuid4(), version=1, plot=plot, actor="", area_m2=area, models=models,
        with_roots=rooted, low_t_ha=0.0, high_t_ha=0.0,
    )  # fmt: skip


@pytest.fixture
def mapped(world, at):
    """Four more claimed parcels, a run with their stock, and a plot on each: (plots, run, parcels)."""
    with transaction(world.engine) as session:
        ids = [factories.parcel(session, world.village) for _ in range(4)]
        for one in ids:
            factories.claim(session, world.project, one, (2021, 2041))
        run = factories.run(
            session,
            world.project,
            {one: {2024: 4_000, 2025: 7_000} for one in ids},
            stock_kg={one: (30_000, 37_000 + 9_000 * i) for i, one in enumerate(ids)},
        )
        rows = session.execute(
            text(
                "SELECT v.parcel_id AS id, v.area_m2, ST_X(ST_PointOnSurface(v.geometry)) AS lon,"
                " ST_Y(ST_PointOnSurface(v.geometry)) AS lat, s.stock_kg FROM parcel_version v"
                " JOIN assessment_series s ON s.parcel_id = v.parcel_id AND s.run_id = :run"
            ),
            {"run": run},
        ).all()
    by_id = {row.id: row for row in rows}
    ground = [by_id[one] for one in ids]
    sizes = (12.0, 14.5, 15.5, 18.0)
    made = tuple(
        replace(one, lon=row.lon, lat=row.lat)
        for one, row in zip(plots(ground[0], sizes), ground, strict=True)
    )
    return made, run, ground


@pytest.mark.parametrize("estimator", ["difference", "ratio", "regression"])
def test_a_map_corrects_the_mean_and_says_how_much_it_helped(world, mapped, estimator):
    found, run, ground = mapped
    enter(world, found)
    made = estimated(world, estimator=estimator, run_id=run)
    values = tuple(one.models[made.model] for one in listed(world))
    at = tuple(row.stock_kg[-1] * 12 / 44 / 1000 / (row.area_m2 / 10_000) for row in ground)
    mean = (
        sum(row.stock_kg[-1] for row in ground) * 12 / 44 / 1000
        / (sum(row.area_m2 for row in ground) / 10_000)
    )  # fmt: skip
    by_hand = estimators.estimate(
        [estimators.MappedStratum(weight=1.0, measured=values, mapped=at, map_mean=mean)],
        method=estimator,
    )
    assert made.mean_t_c_ha == pytest.approx(by_hand.estimate.mean)
    assert made.half_width_t_c_ha == pytest.approx(by_hand.estimate.half_width)
    assert made.assisted["relative_efficiency"] == round(by_hand.relative_efficiency, 4)
    assert (made.estimator, made.run_id) == (estimator, run)
    right = replace(INPUTS, uncertainty=Fraction(made.u))
    submit = periods.SubmitPeriod(
        **world.by(), project_id=world.project, starts_on=date(2024, 1, 1),
        ends_on=date(2026, 1, 1), run_id=world.run, inputs=right, estimate_id=made.id,
    )  # fmt: skip
    answer = world.do(periods.submit, submit)
    with transaction(world.engine) as session:
        plan = books.period(session, answer.period_id).plan
    assert plan["plots"]["estimator"] == estimator


def test_a_map_that_says_nothing_of_a_plot_is_refused(world, middle, mapped):
    found, run, _ = mapped
    enter(world, (*found[:3], replace(found[3], lon=middle.lon, lat=middle.lat)))
    with pytest.raises(plot_maps.PlotMapMissingError):
        estimated(world, estimator="difference", run_id=run)
    with pytest.raises(plot_maps.PlotMapMissingError):
        estimated(world, estimator="difference", run_id=run, by="stratum")
    with pytest.raises(RunNotUsableError):
        estimated(world, estimator="difference", run_id=world.project)
    with pytest.raises(InvalidValueError):
        estimated(world, estimator="guess")
