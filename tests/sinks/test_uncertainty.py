from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks import uncertainty as un
from sinks.errors import DomainError, TableError

TOOL14, ARCM = un.discount_table("artool14"), un.discount_table("arcm")
plots = st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=30)


def test_o4_statistics():
    got = un.summary_estimate(mean=45.328, sd=12.776, n=34)
    assert round(got.half_width / got.t_value, 3) == 2.191
    assert round(got.t_value, 3) == 1.692
    # The published 3.707 multiplies the rounded t and standard error; unrounded it is 3.708.
    assert round(round(got.t_value, 3) * round(got.half_width / got.t_value, 3), 3) == 3.707
    assert got.half_width == pytest.approx(3.707, abs=0.0015)
    assert round(got.relative * 100, 2) == 8.18
    assert un.discount_share(TOOL14, Fraction(got.relative)) == 0


def test_o4_discount_of_mean_sixty():
    taken = un.discount_amount(TOOL14, value=Fraction(60), u=Fraction(9, 60))
    assert taken == Fraction("2.25")
    assert 60 - taken == Fraction("57.75")
    assert 60 + taken == Fraction("62.25")


@pytest.mark.parametrize(
    ("u", "tool14", "arcm"),
    [
        ("0", 0, 0),
        ("0.10", 0, 0),
        ("0.1000001", "0.25", "0.06"),
        ("0.15", "0.25", "0.06"),
        ("0.2", "0.5", "0.06"),
        ("0.3", "0.75", "0.11"),
        ("0.31", 1, None),
    ],
)
def test_bands_are_closed_above(u, tool14, arcm):
    assert un.discount_share(TOOL14, Fraction(u)) == Fraction(tool14)
    if arcm is None:
        with pytest.raises(DomainError, match="DISCOUNT_MORE_PLOTS"):
            un.discount_share(ARCM, Fraction(u))
    else:
        assert un.discount_share(ARCM, Fraction(u)) == Fraction(arcm)


@given(st.fractions(-(10**9), 10**9), st.fractions(0, 2))
def test_a_gain_shrinks_and_a_loss_grows(value, u):
    assert un.discount_amount(TOOL14, value=value, u=u) >= 0


def test_the_basis_of_arcm_is_the_value():
    assert un.discount_amount(ARCM, value=Fraction(-100), u=Fraction("0.15")) == 6


def test_o6_plot_number_and_allocation():
    plan = un.plan_plots(area_ha=500, plot_ha=0.06, weights=[0.6, 0.4], sds=[20, 35], half_width=8)
    assert round(plan.n_first, 3) == 28.472
    assert round(plan.t_value, 6) == 1.701131
    assert round(plan.n, 3) == 30.446
    assert [round(x, 2) for x in plan.per_stratum] == [14.05, 16.39]
    assert plan.plots == (15, 17)
    assert round(plan.n_short, 3) == 28.577
    assert round(un.t_quantile(np.inf), 6) == 1.644854


def test_a_small_area_needs_fewer_plots():
    assert un.finite_plots(30, 100) == pytest.approx(30 / 1.3)
    assert un.finite_plots(30, 10_000) == 30


@given(plots, plots)
def test_strata_and_plots_may_come_in_any_order(a, b):
    one, two = un.Stratum(weight=0.25, values=tuple(a)), un.Stratum(weight=0.75, values=tuple(b))
    forth = un.estimate([one, two])
    back = un.estimate([two, un.Stratum(weight=0.25, values=tuple(a[::-1]))])
    assert forth.mean == pytest.approx(back.mean, abs=1e-9)
    assert forth.half_width == pytest.approx(back.half_width, abs=1e-6)


def test_paired_plots_have_the_error_of_their_differences():
    before = [un.Stratum(weight=1, values=(10.0, 50.0, 90.0))]
    after = [un.Stratum(weight=1, values=(12.0, 52.0, 93.0))]
    paired = un.paired_difference(before, after)
    change, half = un.independent_change(un.estimate(before), un.estimate(after))
    assert paired.mean == pytest.approx(change)
    assert paired.half_width < half / 50


def test_equation_seventeen():
    x = [3.0, 4.0, 8.0]
    assert un.variance(x) == pytest.approx((3 * 89 - 15**2) / (3 * 2))


def test_what_cannot_be_estimated_is_refused():
    one = un.Stratum(weight=1, values=(1.0,))
    with pytest.raises(DomainError, match="PLOTS_TOO_FEW"):
        un.estimate([one])
    with pytest.raises(DomainError, match="PLOTS_TOO_FEW"):
        un.estimate(
            [un.Stratum(weight=0.5, values=(1.0, 2, 3)), un.Stratum(weight=0.5, values=(1.0,))]
        )
    with pytest.raises(DomainError, match="PLOTS_TOO_FEW"):
        un.summary_estimate(mean=1, sd=1, n=1)
    with pytest.raises(DomainError, match="WEIGHTS_NOT_ONE"):
        un.estimate([un.Stratum(weight=0.9, values=(1.0, 2.0))])
    with pytest.raises(DomainError, match="VALUE_NOT_FINITE"):
        un.variance([1, float("nan")])
    with pytest.raises(DomainError, match="PLOTS_NOT_PAIRED"):
        un.paired_difference([one], [])
    with pytest.raises(DomainError, match="PLOTS_NOT_PAIRED"):
        un.paired_difference([one], [un.Stratum(weight=1, values=(1.0, 2.0))])
    with pytest.raises(DomainError, match="UNCERTAINTY_NEGATIVE"):
        un.discount_share(TOOL14, Fraction(-1))
    with pytest.raises(DomainError, match="PLOT_DESIGN"):
        un.plan_plots(area_ha=0, plot_ha=1, weights=[1], sds=[1], half_width=1)
    with pytest.raises(DomainError, match="WEIGHTS_NOT_ONE"):
        un.plan_plots(area_ha=5, plot_ha=1, weights=[2], sds=[1], half_width=1)
    with pytest.raises(TableError, match="TABLE_NO_ROW"):
        un.discount_table("guess")
    with pytest.raises(TableError, match="DISCOUNT_TABLE"):
        un.DiscountTable(
            key="x", basis="value", bands=(un.Band(u_max=Fraction(1), share=Fraction(0)),)
        )


def test_a_mean_of_zero_is_infinitely_uncertain():
    assert un.estimate([un.Stratum(weight=1, values=(-1.0, 1.0))]).relative == float("inf")


def test_ten_percent_is_ten_percent_for_the_discount():
    got = un.Estimate(mean=3.0, half_width=3.0 * 0.1 + 1e-16, t_value=1.7, n=9)
    assert got.u == Fraction(1, 10)
    with pytest.raises(DomainError, match="MEAN_ZERO"):
        _ = un.Estimate(mean=0.0, half_width=1.0, t_value=1.7, n=9).u
