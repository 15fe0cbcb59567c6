from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks import flows, growth, stands, tables
from sinks.errors import DomainError, SinksError
from sinks.pools import ALL_POOLS, PROCESS_ORDER, STAND_ORDER, Pool
from sinks.stands import Curve, Event, Model

FIR = Curve(row=tables.growth()["zhejiang_planted_fir"], root_ratio=0.246)
PINE = Curve(row=tables.growth()["zhejiang_planted_masson"], root_ratio=0.187)
BAMBOO = Curve(row=tables.growth()["moso_zhejiang_linear"], root_ratio=0.4)
WHOLE = Model(
    curves=(FIR, PINE),
    turnover=flows.yearly("turnover"),
    decay=flows.yearly("decay", temperature_c=17),
)
LIVE = (Pool.ABOVEGROUND, Pool.BELOWGROUND)
events = st.lists(
    st.builds(
        Event,
        year=st.integers(2021, 2060),
        flow=st.sampled_from([*flows.keys("event"), "replanting"]),
        intensity=st.floats(0, 1),
        stands=st.none() | st.tuples(st.integers(0, 2)),
    ),
    max_size=6,
)


def three(model=WHOLE):
    mixture = np.array([[1, 0], [0.3, 0.7], [0, 1]])
    return stands.settled(model, stands.planted(2, age_yr=[3, 12, 30], mixture=mixture))


def test_without_events_the_living_follow_their_curve():
    model = Model(curves=(FIR,))
    grown = stands.run(model, stands.planted(1, age_yr=[0]), first_year=2021, last_year=2070)
    curve, _ = growth.carbon_t_ha(FIR.row, np.arange(51))
    assert grown.pool(*LIVE)[:, 0] == pytest.approx(curve, rel=1e-12, abs=1e-12)
    above = grown.pool(Pool.ABOVEGROUND)[:, 0]
    assert grown.pool(Pool.BELOWGROUND)[:, 0] == pytest.approx(above * 0.246)
    assert grown.pool(Pool.ATMOSPHERE)[:, 0] == pytest.approx(-curve)


def test_turnover_is_grown_again_and_a_curve_above_ground_gets_its_roots_on_top():
    model = replace(WHOLE, curves=(BAMBOO,))
    grown = stands.run(model, stands.planted(1, age_yr=[0]), first_year=2021, last_year=2050)
    curve, _ = growth.carbon_t_ha(BAMBOO.row, np.arange(31))
    assert grown.pool(Pool.ABOVEGROUND)[:, 0] == pytest.approx(curve, rel=1e-12)
    assert grown.pool(*LIVE)[:, 0] == pytest.approx(curve * 1.4, rel=1e-12)
    assert (grown.pool(Pool.DEAD_WOOD, Pool.LITTER, Pool.SOIL)[1:] > 0).all()


@given(events)
def test_no_event_makes_or_loses_carbon(happens):
    begin = three()
    grown = stands.run(WHOLE, begin, first_year=2021, last_year=2060, events=happens)
    assert grown.balance_error.max() <= 1e-9
    total = grown.stock.sum(axis=2)
    scale = np.abs(grown.stock).sum(axis=2).max()
    assert np.abs(total - total[0]).max() <= 1e-9 * scale
    kept = [i for i, name in enumerate(ALL_POOLS) if name != Pool.ATMOSPHERE]
    assert (grown.stock[:, :, kept] >= -1e-9).all()


@given(events, st.permutations(range(3)))
def test_the_order_of_the_stands_changes_no_bit(happens, order):
    begin = three()
    back = stands.Stands(
        stock=begin.stock[order],
        age_yr=begin.age_yr[order],
        stocking=begin.stocking[order],
        mixture=begin.mixture[order],
    )
    moved = [
        one if one.stands is None else replace(one, stands=(order.index(one.stands[0]),))
        for one in happens
    ]
    a = stands.run(WHOLE, begin, first_year=2021, last_year=2060, events=happens)
    b = stands.run(WHOLE, back, first_year=2021, last_year=2060, events=moved)
    assert np.array_equal(a.stock[:, order], b.stock)


def test_running_twice_is_running_once_and_leaves_the_input_alone():
    begin = three()
    before = begin.stock.copy()
    happens = [Event(year=2030, flow="harvest_fir", replant=True)]
    a = stands.run(WHOLE, begin, first_year=2021, last_year=2050, events=happens)
    b = stands.run(WHOLE, begin, first_year=2021, last_year=2050, events=happens)
    assert np.array_equal(a.stock, b.stock)
    assert np.array_equal(begin.stock, before)
    half = stands.run(WHOLE, begin, first_year=2021, last_year=2035, events=happens)
    rest = stands.run(WHOLE, half.end, first_year=2036, last_year=2050, events=happens)
    assert rest.stock[-1] == pytest.approx(a.stock[-1], rel=1e-12)


def test_a_harvest_takes_stems_away_and_the_stand_grows_from_nothing():
    model = Model(curves=(FIR,))
    begin = stands.settled(model, stands.planted(1, age_yr=[29]))
    felled = Event(year=2021, flow="harvest_fir", replant=True)
    grown = stands.run(model, begin, first_year=2021, last_year=2031, events=[felled])
    above, below = begin.stock[0, 0], begin.stock[0, 1]
    assert grown.pool("HWP")[1, 0] == pytest.approx(0.7756 * above)
    assert grown.pool("DW")[1, 0] == pytest.approx(0.1067 * above + below)
    curve, _ = growth.carbon_t_ha(FIR.row, [1, 11])
    assert grown.pool(*LIVE)[[1, -1], 0] == pytest.approx(curve)


def test_a_thinning_leaves_its_share_and_growth_goes_on_at_that_stocking():
    model = Model(curves=(FIR,))
    begin = stands.settled(model, stands.planted(1, age_yr=[12]))
    thinned = Event(year=2021, flow="harvest_fir", intensity=0.25)
    grown = stands.run(model, begin, first_year=2021, last_year=2025, events=[thinned])
    curve, _ = growth.carbon_t_ha(FIR.row, np.arange(12, 18))
    assert grown.pool(*LIVE)[1:, 0] == pytest.approx(0.75 * curve[1:])
    assert grown.end.stocking[0] == 0.75


def test_bare_ground_grows_nothing_until_it_is_planted():
    model = Model(curves=(FIR,))
    happens = [Event(year=2021, flow="fire"), Event(year=2024, flow="replanting")]
    begin = stands.settled(model, stands.planted(1, age_yr=[20]))
    grown = stands.run(model, begin, first_year=2021, last_year=2026, events=happens)
    curve, _ = growth.carbon_t_ha(FIR.row, [1, 2, 3])
    assert grown.pool(*LIVE)[1:, 0] == pytest.approx([0, 0, 0, *curve])


def test_a_mixed_stand_is_the_mean_of_its_parts():
    model = Model(curves=(FIR, PINE))
    mixed = stands.planted(2, age_yr=[0], mixture=[[0.4, 0.6]])
    got = stands.run(model, mixed, first_year=2021, last_year=2050).pool(*LIVE)[:, 0]
    parts = [growth.carbon_t_ha(one.row, np.arange(31))[0] for one in (FIR, PINE)]
    assert got == pytest.approx(0.4 * parts[0] + 0.6 * parts[1], rel=1e-12, abs=1e-12)


def test_the_order_of_a_year_is_data_and_counts():
    late = replace(
        WHOLE,
        order=("half_growth", *STAND_ORDER[2:4], "decay", "disturbance", "stock_at_31_december"),
    )
    happens = [Event(year=2021, flow="fire", stands=(1,))]
    first = stands.run(WHOLE, three(), first_year=2021, last_year=2021, events=happens)
    last = stands.run(late, three(), first_year=2021, last_year=2021, events=happens)
    assert first.pool("DW")[1, 1] != last.pool("DW")[1, 1]
    assert set(first.moved) == set(STAND_ORDER)
    assert Model(curves=(FIR,), order=PROCESS_ORDER).order == PROCESS_ORDER
    for wrong in (
        (),
        ("growth",),
        ("growth", "half_growth", "stock_at_31_december"),
        ("prayer", "growth", "stock_at_31_december"),
    ):
        with pytest.raises(DomainError, match="PROCESS_ORDER"):
            Model(curves=(FIR,), order=wrong)


def test_what_makes_no_stand_is_refused(monkeypatch):
    with pytest.raises(DomainError, match="MIXTURE_NOT_ONE"):
        stands.planted(2, age_yr=[1, 2], mixture=[[1, 0], [0.5, 0.4]])
    with pytest.raises(DomainError, match="VALUE_NEGATIVE"):
        stands.planted(1, age_yr=[-1])
    with pytest.raises(DomainError, match="VALUE_NEGATIVE"):
        Curve(row=FIR.row, root_ratio=-0.1)
    with pytest.raises(DomainError, match="SHARE_RANGE"):
        Event(year=2021, flow="fire", intensity=1.1)
    with pytest.raises(DomainError, match="REPLANT_PART"):
        Event(year=2021, flow="fire", intensity=0.5, replant=True)
    model, one = Model(curves=(FIR,)), stands.planted(1, age_yr=[1])
    with pytest.raises(DomainError, match="EVENT_STAND"):
        stands.run(
            model,
            one,
            first_year=2021,
            last_year=2022,
            events=[Event(year=2021, flow="fire", stands=(1,))],
        )
    with pytest.raises(DomainError, match="YEARS_NOT_CONSECUTIVE"):
        stands.run(model, one, first_year=2021, last_year=2020)
    leak = lambda now: now.stock.__setitem__((0, 0), now.stock[0, 0] + 1)  # noqa: E731
    monkeypatch.setattr(stands, "PROCESSES", dict(stands.PROCESSES) | {"decay": leak})
    with pytest.raises(SinksError, match="MASS_BALANCE"):
        stands.run(model, one, first_year=2021, last_year=2022)
