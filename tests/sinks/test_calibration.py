import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks import calibration, growth, tables
from sinks.errors import DomainError, TableError

HUITONG_AGES = [7, 11, 16, 20, 25]
GEN1 = [52.96, 91.18, 167.72, 245.80, 311.38]
GEN2 = [40.06, 75.65, 116.67, 163.09, 210.24]
FIR = ([5.5, 15.5, 23, 30.5, 40], [9.87, 22.16, 31.76, 26.63, 35.09])
MASSON = ([5.5, 15.5, 25.5, 40.5], [11.20, 18.18, 20.37, 42.05])


@pytest.mark.parametrize(
    ("form", "plots", "printed", "rmse"),
    [
        ("logistic", (HUITONG_AGES, GEN1), {"A": 386.56, "b": 24.654, "k": 0.18592}, 2.8),
        ("chapman_richards", (HUITONG_AGES, GEN2), {"A": 1590.6, "k": 0.01083, "p": 1.4038}, 2.4),
        ("logistic", (HUITONG_AGES, GEN2), {"A": 279.65, "b": 16.325, "k": 0.15599}, 2.7),
        ("chapman_richards", FIR, {"A": 34.98, "k": 0.079, "p": 1.210}, 2.7),
        ("linear", MASSON, {"c0": 4.44, "c1": 0.851}, 3.5),
    ],
)
def test_the_fits_of_the_facts_come_out_to_the_last_printed_digit(form, plots, printed, rmse):
    got = calibration.fit(form, *plots)
    for name, value in got.parameters:
        # The least squares of an asymptote that the plots do not fix are flat: one part in 1,000.
        slack = 1e-3 * printed[name] if name in got.unidentified else 0.0
        digits = len(f"{printed[name]}".partition(".")[2])
        assert value == pytest.approx(printed[name], abs=0.51 * 10**-digits + slack)
    assert round(got.rmse, 1) == rmse


def test_a_curve_whose_asymptote_the_plots_do_not_fix_says_so():
    assert "A" in calibration.fit("chapman_richards", HUITONG_AGES, GEN2).unidentified
    assert calibration.fit("logistic", HUITONG_AGES, GEN1).unidentified == ()


def test_the_fit_is_a_row_that_holds_inside_its_plots_only():
    got = calibration.fit("logistic", HUITONG_AGES, GEN1)
    row = got.row(tables.growth()["huitong_fir_gen1"], key="here")
    values, flags = growth.evaluate(row, [6, 7, 25, 26, 90])
    assert flags.tolist() == [1, 0, 0, 2, 2]
    assert values[3] == values[2] == values[4]
    assert row.is_provisional
    assert calibration.outside(got, [7, 25]) is None
    assert calibration.outside(got, [7, 26]) == 1
    residuals = np.array(GEN1) - growth.evaluate(row, HUITONG_AGES)[0]
    assert got.residuals == pytest.approx(residuals, abs=1e-12)


@given(st.permutations(range(5)))
def test_the_order_of_the_plots_changes_no_bit(order):
    forth = calibration.fit("chapman_richards", *FIR)
    back = calibration.fit("chapman_richards", *([row[i] for i in order] for row in FIR))
    assert forth == back


@pytest.mark.parametrize("form", sorted(calibration.FITTED))
def test_a_curve_is_found_again_from_its_own_points(form):
    true = {
        "chapman_richards": {"A": 80.0, "k": 0.06, "p": 1.4},
        "logistic": {"A": 80.0, "b": 12.0, "k": 0.2},
        "korf": {"A": 120.0, "b": 9.0, "c": 0.8},
        "power": {"c": 0.4, "e": 1.3},
        "linear": {"c0": 2.0, "c1": 0.7},
    }[form]
    ages = np.arange(3.0, 45, 3)
    got = calibration.fit(form, ages, growth.FORMS[form][0](true, ages))
    assert dict(got.parameters) == pytest.approx(true, rel=1e-5)
    assert got.r2 > 1 - 1e-9


def test_what_cannot_be_fitted_is_refused():
    with pytest.raises(TableError, match="CURVE_FORM_UNKNOWN"):
        calibration.fit("wishful", [1, 2, 3, 4], [1, 2, 3, 4])
    with pytest.raises(DomainError, match="CALIBRATION_PLOTS"):
        calibration.fit("logistic", [1, 2, 3], [1, 2, 3])
    with pytest.raises(DomainError, match="CALIBRATION_PLOTS"):
        calibration.fit("linear", [5, 5, 5], [1, 2, 3])
    with pytest.raises(DomainError, match="CALIBRATION_PLOTS"):
        calibration.fit("linear", [1, 2, 3], [0, 0, 0])
    with pytest.raises(DomainError, match="CALIBRATION_PLOTS"):
        calibration.fit("linear", [1, 2, 3], [1, 2])
    with pytest.raises(DomainError, match="VALUE_NEGATIVE"):
        calibration.fit("linear", [1, 2, 3], [1, 2, -3])
