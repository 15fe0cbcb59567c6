from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks import calibration, growth, tables
from sinks import monte_carlo as mc
from sinks.cohorts import CohortScheme, cohort_table, default_curves, parcel_stock_mg
from sinks.errors import DomainError
from sinks.monte_carlo import CurveError

SCHEME = CohortScheme()
CURVES = default_curves()
YEARS = range(2020, 2051)
FIR, MOSO = CURVES[3], CURVES[2]
ERRORS = {row.key: error for row in CURVES.values() if (error := mc.from_rmse(row))}


def county(seed=1, rows=4000):
    draw = np.random.default_rng(seed)
    codes = SCHEME.encode(
        draw.integers(0, 6, rows), draw.integers(1, 6, rows), draw.integers(0, 70, rows)
    )
    return codes, draw.integers(1, 90_000, rows)


def drawn(errors=ERRORS, *, seed=7, draws=200, **more):
    area = mc.area_by_cohort(SCHEME, *county())
    return mc.draw_totals(
        area, CURVES, errors, layer_year=2024, years=YEARS, seed=seed, draws=draws, **more
    )


def test_without_errors_each_draw_is_the_integer_engine_but_for_its_rounding():
    got = drawn({}, draws=2)
    table = cohort_table(SCHEME, layer_year=2024, years=YEARS)
    codes, areas = county()
    exact = parcel_stock_mg([0, codes.size], codes, areas, table)[0]
    # dm2 x mg/m2 is a hundredth of a mg.
    assert got.total_t_c[0] == pytest.approx(exact / 1e11, rel=1e-6)
    assert np.array_equal(got.total_t_c[0], got.total_t_c[1])
    assert set(got.unknown) == {row.key for row in CURVES.values()}


def test_the_same_seed_gives_the_same_bits_and_more_draws_keep_the_first():
    a, b = drawn(), drawn()
    assert np.array_equal(a.total_t_c, b.total_t_c)
    assert not np.array_equal(a.total_t_c, drawn(seed=8).total_t_c)
    longer = mc.factors(ERRORS, seed=7, draws=300)
    for key, one in mc.factors(ERRORS, seed=7, draws=200).items():
        assert np.array_equal(one, longer[key][:200])


def test_a_known_seed_gives_known_draws_on_every_machine():
    got = mc.factors({"x": CurveError(relative_sd=0.1, source="test")}, seed=1, draws=3)["x"]
    assert got.round(9).tolist() == [1.069418725, 1.037333205, 1.017724197]


def test_a_curve_more_moves_no_draw_of_another():
    one = mc.factors({FIR.key: ERRORS[FIR.key]}, seed=7, draws=50)
    assert np.array_equal(one[FIR.key], mc.factors(ERRORS, seed=7, draws=50)[FIR.key])


def test_the_interval_has_the_width_its_errors_give():
    only = {3: FIR}
    area = mc.area_by_cohort(SCHEME, *county())
    error = {FIR.key: CurveError(relative_sd=0.1, source="test")}
    got = mc.draw_totals(area, only, error, layer_year=2024, years=YEARS, seed=3, draws=20_000)
    low, high = got.interval()
    middle = mc.draw_totals(
        area, only, {}, layer_year=2024, years=YEARS, seed=3, draws=1
    ).total_t_c[0]
    assert (high - low) / 2 / middle == pytest.approx(np.full(len(YEARS), 0.1645), rel=0.03)
    change = got.change(2024, 2034)
    low, high = got.interval(change)
    assert (high - low)[0] / 2 / change.mean() == pytest.approx(0.1645, rel=0.03)


def test_what_is_not_known_is_named_and_not_taken_for_certain():
    assert set(drawn().unknown) == {row.key for row in CURVES.values()} - set(ERRORS)
    assert mc.from_rmse(MOSO) is None
    fir = ERRORS[FIR.key]
    ages = np.linspace(5.5, 40, 101)
    assert fir.relative_sd == pytest.approx(2.7 / growth.evaluate(FIR, ages)[0].mean())


@given(st.permutations(range(400)))
def test_the_order_of_the_histogram_changes_nothing(order):
    codes, areas = county(rows=400)
    a = mc.area_by_cohort(SCHEME, codes, areas)
    assert np.array_equal(a, mc.area_by_cohort(SCHEME, codes[list(order)], areas[list(order)]))


def test_a_stand_not_planted_yet_has_nothing_under_any_draw():
    code = SCHEME.encode([3], [1], [0])
    area = mc.area_by_cohort(SCHEME, code, [1_000_000])
    got = mc.draw_totals(
        area, CURVES, ERRORS, layer_year=2024, years=range(2020, 2026), seed=1, draws=5
    )
    assert (got.total_t_c[:, :5] == 0).all()
    assert (got.total_t_c[:, 5] > 0).all()


def test_a_calibrated_curve_is_drawn_by_its_covariance():
    draw = np.random.default_rng(2)
    ages = np.repeat(np.arange(5.0, 41, 5), 6)
    value = 35 * (1 - np.exp(-0.08 * ages)) ** 1.2 + draw.normal(0, 1.5, ages.size)
    fit = calibration.fit("chapman_richards", ages, np.maximum(value, 0))
    row = fit.row(FIR, key="local")
    names, mean = zip(*fit.parameters, strict=True)
    sets = mc.parameter_draws(names, mean, fit.covariance, key="local", seed=5, draws=4000)
    curves = mc.curve_draws(row, sets, [0, 5, 20, 40, 90])
    best, _ = growth.evaluate(row, [0, 5, 20, 40, 90])
    assert np.median(curves, axis=0) == pytest.approx(best, rel=0.02)
    assert np.array_equal(curves[:, 3], curves[:, 4])
    # The standard error of a mean curve of 48 plots is a fraction of the scatter of one.
    assert 0 < curves[:, 2].std() < 1.5 / 2
    area = mc.area_by_cohort(SCHEME, *county())
    got = mc.draw_totals(
        area, {3: row}, {}, layer_year=2024, years=YEARS, seed=5, draws=4000, sets={"local": sets}
    )
    assert got.unknown == ()
    low, high = got.interval()
    assert (low < high).all()


def test_a_biomass_curve_of_parameters_becomes_carbon_once():
    row = tables.growth()["huitong_fir_gen1"]
    sets = mc.parameter_draws(
        "Abk", [386.56, 24.654, 0.18592], np.zeros((3, 3)), key=row.key, seed=1, draws=2
    )
    code = SCHEME.encode([3], [1], [20])
    area = mc.area_by_cohort(SCHEME, code, [1_000_000])
    got = mc.draw_totals(
        area, {3: row}, {}, layer_year=2024, years=[2024], seed=1, draws=2, sets={row.key: sets}
    )
    assert got.total_t_c[:, 0] == pytest.approx(growth.carbon_t_ha(row, [20])[0][0])


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(DomainError, match="CURVE_ERROR"):
        CurveError(relative_sd=1.2, source="x")
    with pytest.raises(DomainError, match="CURVE_ERROR"):
        CurveError(relative_sd=0.2, source="")
    with pytest.raises(DomainError, match="SEED_RANGE"):
        drawn(seed=-1)
    with pytest.raises(DomainError, match="DRAWS_FEW"):
        drawn(draws=0)
    with pytest.raises(DomainError, match="YEAR_UNKNOWN"):
        drawn().change(2024, 2099)
    with pytest.raises(DomainError, match="COHORT_UNKNOWN"):
        mc.area_by_cohort(SCHEME, [SCHEME.size], [1])
    with pytest.raises(DomainError, match="PARAMETER_DRAWS"):
        mc.parameter_draws(["a"], [0.0], [[1.0]], key="k", seed=1)
    with pytest.raises(DomainError, match="YEARS_NOT_CONSECUTIVE"):
        mc.draw_totals(
            np.zeros((6, 5, 256)), CURVES, {}, layer_year=2024, years=[2020, 2022], seed=1
        )
    assert replace(FIR, rmse=None).rmse is None
