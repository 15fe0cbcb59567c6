import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks import estimators as es
from sinks import uncertainty as un
from sinks.errors import DomainError

pairs = st.lists(st.tuples(st.floats(1, 200), st.floats(1, 200)), min_size=4, max_size=20)


def stratum(plots, weight=1.0, map_mean=50.0):
    y, x = zip(*plots, strict=True)
    return es.MappedStratum(weight=weight, measured=y, mapped=x, map_mean=map_mean)


@given(pairs, pairs)
def test_without_a_map_it_is_the_stratified_estimate(a, b):
    got = es.estimate([stratum(a, 0.3), stratum(b, 0.7)], method="expansion")
    plain = un.estimate(
        [un.Stratum(weight=w, values=tuple(y for y, _ in p)) for w, p in ((0.3, a), (0.7, b))]
    )
    assert got.estimate.mean == pytest.approx(plain.mean)
    assert got.estimate.half_width == pytest.approx(plain.half_width)
    assert got.relative_efficiency == pytest.approx(1) or plain.half_width == 0


@given(st.lists(st.floats(1, 200), min_size=4, max_size=20, unique=True), st.floats(0.2, 5))
def test_a_map_that_errs_in_proportion_is_mended_whole_by_the_ratio(x, factor):
    plots = [(factor * one, one) for one in x]
    got = es.estimate([stratum(plots, map_mean=80)], method="ratio")
    assert got.estimate.mean == pytest.approx(80 * factor)
    assert got.estimate.half_width <= 1e-6 * got.estimate.mean


def test_a_map_that_errs_by_a_line_is_mended_whole_by_the_regression():
    plots = [(3 + 0.5 * x, x) for x in (10.0, 20, 35, 60, 90)]
    got = es.estimate([stratum(plots, map_mean=50)])
    assert got.estimate.mean == pytest.approx(28)
    assert got.estimate.half_width == pytest.approx(0, abs=1e-9)
    assert got.coefficients[0] == pytest.approx((3, 0.5))


@given(pairs, st.randoms())
def test_the_order_of_plots_changes_no_bit(plots, dice):
    shuffled = plots.copy()
    dice.shuffle(shuffled)
    for method in ("expansion", "difference", "ratio"):
        assert es.estimate([stratum(plots)], method=method) == es.estimate(
            [stratum(shuffled)], method=method
        )


@pytest.mark.parametrize("method", ["difference", "ratio", "regression"])
def test_the_interval_holds_the_truth_nine_times_in_ten_and_a_good_map_narrows_it(method):
    draw = np.random.default_rng(5)
    x = draw.gamma(4, 10, 20_000)
    y = np.maximum(0.8 * x + draw.normal(0, 5, x.size), 0)
    held, better = 0, []
    for _ in range(400):
        at = draw.integers(0, x.size, 30)
        one = es.MappedStratum(
            weight=1, measured=tuple(y[at]), mapped=tuple(x[at]), map_mean=x.mean()
        )
        got = es.estimate([one], method=method)
        held += abs(got.estimate.mean - y.mean()) <= got.estimate.half_width
        better.append(got.relative_efficiency)
    assert 0.86 <= held / 400 <= 0.94
    assert np.median(better) > 4


def test_the_map_is_calibrated_to_the_plots_and_never_below_nothing():
    values, put = es.calibrated([0, 10, 40], [0, 1, 1], [(-5, 1), (2, 0.5)])
    assert values.tolist() == [0, 7, 22]
    assert put.tolist() == [1, 0, 0]
    with pytest.raises(DomainError, match="ESTIMATOR_STRATUM"):
        es.calibrated([1], [2], [(0, 1)])


def test_sampling_and_parameter_error_are_independent():
    assert es.combined_half_width(3, 4) == 5
    with pytest.raises(DomainError, match="UNCERTAINTY_NEGATIVE"):
        es.combined_half_width(3, -4)


def test_what_cannot_be_estimated_is_refused():
    good = [(1.0, 2.0), (2.0, 3.0), (4.0, 5.0)]
    with pytest.raises(DomainError, match="ESTIMATOR_UNKNOWN"):
        es.estimate([stratum(good)], method="hope")
    with pytest.raises(DomainError, match="WEIGHTS_NOT_ONE"):
        es.estimate([stratum(good, 0.5)])
    with pytest.raises(DomainError, match="WEIGHTS_NOT_ONE"):
        es.estimate([])
    with pytest.raises(DomainError, match="PLOTS_TOO_FEW"):
        es.estimate([stratum(good[:2])])
    with pytest.raises(DomainError, match="MAP_FLAT"):
        es.estimate([stratum([(1.0, 2.0)] * 3)])
    with pytest.raises(DomainError, match="MAP_FLAT"):
        es.estimate([stratum([(1.0, 0.0)] * 3)], method="ratio")
    with pytest.raises(DomainError, match="VALUE_NOT_FINITE"):
        es.estimate([stratum(good, map_mean=float("nan"))])
    with pytest.raises(DomainError, match="PLOTS_NOT_PAIRED"):
        es.estimate([es.MappedStratum(weight=1, measured=(1.0, 2.0), mapped=(1.0,), map_mean=1)])
