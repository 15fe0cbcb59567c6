import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks import growth, tables
from sinks.errors import ConversionError, DomainError, TableError

CURVES = sorted(tables.growth())
ages = st.lists(st.floats(0, 300), min_size=1, max_size=20)


def test_o7_flint_chapman_richards_to_the_last_digit():
    row = tables.growth()["flint_dryland"]
    values, flags = growth.evaluate(row, [1, 10, 20, 30, 50])
    assert [round(v, 4) for v in values] == [0.0681, 4.9391, 14.1189, 23.2117, 36.6773]
    assert not flags.any()
    above, _ = growth.carbon_t_ha(row, [20])
    whole, _ = growth.carbon_t_ha(row, [20], with_roots=True)
    assert round(above[0], 4) == 6.9183
    assert round(whole[0] - above[0], 4) == 1.5926


def test_orange_orchard_values():
    values, _ = growth.evaluate(tables.growth()["orange_california"], [5, 10, 20])
    assert [round(v, 2) for v in values] == [4.18, 9.26, 19.96]


@pytest.mark.parametrize(
    ("key", "year"),
    [
        ("hebei_broadleaf", 2.71),
        ("hebei_conifer", 2.46),
        ("hebei_mixed", 2.08),
        ("hebei_economic", 0.61),
    ],
)
def test_hebei_is_nothing_until_its_base_is_positive(key, year):
    values, _ = growth.evaluate(tables.growth()[key], [0, year - 0.01, year + 0.05])
    assert values[0] == values[1] == 0
    assert values[2] > 0


@pytest.mark.parametrize("key", CURVES)
def test_no_curve_is_negative_nan_or_grows_past_its_last_age(key):
    row = tables.growth()[key]
    values, flags = growth.evaluate(row, np.arange(0, 301))
    assert np.isfinite(values).all()
    assert (values >= 0).all()
    beyond = flags == growth.AgeFlag.ABOVE
    assert (values[beyond] == values[beyond][0]).all()
    assert values[0] == 0


@pytest.mark.parametrize("key", CURVES)
@given(ages=ages)
def test_order_and_company_do_not_change_a_stand(key, ages):
    row = tables.growth()[key]
    together, _ = growth.evaluate(row, ages)
    backwards, _ = growth.evaluate(row, ages[::-1])
    assert np.array_equal(together, backwards[::-1])


def test_below_the_first_class_a_line_leads_from_nothing():
    values, flags = growth.evaluate(tables.growth()["zhejiang_planted_masson"], [0, 2.75, 5.5])
    assert values[0] == 0
    assert values[1] == pytest.approx(values[2] / 2)
    assert flags.tolist() == [growth.AgeFlag.BELOW, growth.AgeFlag.BELOW, growth.AgeFlag.INSIDE]


@pytest.mark.parametrize(
    ("bad", "code"), [(-1.0, "VALUE_NEGATIVE"), (math.nan, "VALUE_NOT_FINITE")]
)
def test_a_bad_age_is_refused_by_its_index(bad, code):
    with pytest.raises(DomainError) as caught:
        growth.evaluate(tables.growth()["flint_dryland"], [3, 4, bad, bad])
    assert caught.value.code == code
    assert caught.value.params["index"] == 2


def test_the_fitted_fir_curve_stays_near_its_class_means():
    values, _ = growth.evaluate(tables.growth()["zhejiang_planted_fir"], [5.5, 15.5, 23, 30.5, 40])
    rmse = math.sqrt(np.mean((values - [9.87, 22.16, 31.76, 26.63, 35.09]) ** 2))
    assert rmse == pytest.approx(2.7, abs=0.05)


def test_a_conversion_already_inside_is_refused():
    fir, species = tables.growth()["zhejiang_planted_fir"], tables.species()["chinese_fir"]
    with pytest.raises(ConversionError, match="CONVERSION_TWICE"):
        growth.carbon_t_ha(fir, [10], species=species)
    with pytest.raises(ConversionError, match="CONVERSION_TWICE"):
        growth.carbon_t_ha(fir, [10], with_roots=True)
    with pytest.raises(ConversionError, match="CONVERSION_MISSING"):
        growth.carbon_t_ha(tables.growth()["hebei_mixed"], [10])
    with pytest.raises(ConversionError, match="CONVERSION_MISSING"):
        growth.carbon_t_ha(tables.growth()["citrus_linear_cap"], [10], with_roots=True)
    no_cf = replace(tables.growth()["flint_dryland"], carbon_fraction=None)
    with pytest.raises(ConversionError, match="CONVERSION_MISSING"):
        growth.carbon_t_ha(no_cf, [10])


def test_a_volume_curve_goes_by_the_species():
    row, species = tables.growth()["hebei_mixed"], tables.species()["mixed_broadleaf"]
    volume, _ = growth.evaluate(row, [30])
    bare, _ = growth.carbon_t_ha(row, [30], species=species)
    rooted, _ = growth.carbon_t_ha(row, [30], species=species, with_roots=True)
    assert bare[0] == pytest.approx(volume[0] * 0.482 * 1.514 * 0.490)
    assert rooted[0] == pytest.approx(bare[0] * 1.262)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"form": "wishful"}, "CURVE_FORM_UNKNOWN"),
        ({"params": "A=1;k=2"}, "CURVE_PARAMETERS"),
        ({"params": "A=1;k=2;p=high"}, "CURVE_PARAMETERS"),
        ({"params": "A=1;k=inf;p=2"}, "CURVE_PARAMETERS"),
        ({"form": "tabulated", "points": "5:1"}, "CURVE_PARAMETERS"),
        ({"form": "tabulated", "points": "5:1|4:2"}, "CURVE_PARAMETERS"),
    ],
)
def test_a_senseless_curve_is_refused(changes, code):
    with pytest.raises(TableError, match=code):
        growth.evaluate(replace(tables.growth()["flint_dryland"], **changes), [1])


def test_korf_starts_at_nothing_and_stays_under_its_asymptote():
    row = replace(tables.growth()["flint_dryland"], form="korf", params="A=20;b=9;c=0.9")
    values, _ = growth.evaluate(row, [0, 1, 50])
    assert values[0] == 0
    assert 0 < values[1] < values[2] < 20
    assert values[1] == pytest.approx(20 * math.exp(-9))
