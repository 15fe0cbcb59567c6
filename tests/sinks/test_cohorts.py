from fractions import Fraction

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sinks import arrays, cohorts, growth, tables, units
from sinks.errors import DomainError, SinksError

SCHEME = cohorts.CohortScheme()
TABLE = cohorts.cohort_table(SCHEME, layer_year=2024, years=range(2020, 2060))


def histogram(seed: int, parcels: int = 30, most: int = 12):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, most, parcels)
    start = np.concatenate([[0], np.cumsum(counts)])
    return start, rng.integers(0, SCHEME.size, start[-1]), rng.integers(0, 90_000, start[-1])


def test_three_hundred_tonnes_a_hectare_fit():
    assert 300 * units.MG_M2_PER_T_HA == 30_000_000
    assert 307_000 * units.M2_PER_HA * units.DM2_PER_M2 * 30_000_000 < 2**63


def test_the_table_is_the_curve_rounded_once():
    code = SCHEME.encode(3, 2, 18)[0]
    carbon, _ = growth.carbon_t_ha(tables.growth()["zhejiang_planted_fir"], [14, 18, 24])
    years = [TABLE.years.index(y) for y in (2020, 2024, 2030)]
    assert TABLE.mg_c_m2[code, years].tolist() == np.rint(carbon * 100_000).tolist()


def test_a_stand_not_yet_planted_has_no_stock():
    code = SCHEME.encode(3, 1, 2)[0]
    row = TABLE.mg_c_m2[code]
    assert row[TABLE.years.index(2021)] == 0
    assert row[TABLE.years.index(2022)] == 0
    assert row[TABLE.years.index(2023)] > 0


def test_bare_ground_has_none_whatever_its_site_and_age():
    assert (TABLE.mg_c_m2[SCHEME.encode([0, 0], [0, 3], [255, -7])] == 0).all()


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 255))
def test_codes_turn_back(species, site, age):
    code = SCHEME.encode(species, site, age)
    assert [int(x[0]) for x in SCHEME.decode(code)] == [species, site, age]
    assert [int(x[0]) for x in SCHEME.decode(SCHEME.at_age_zero(code))] == [species, site, 0]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ((6, 1, 1), "SPECIES_UNKNOWN"),
        ((-1, 1, 1), "SPECIES_UNKNOWN"),
        ((1, 0, 1), "SITE_UNKNOWN"),
        ((1, 6, 1), "SITE_UNKNOWN"),
        ((1, 1, -1), "AGE_OUTSIDE"),
        ((1, 1, 256), "AGE_OUTSIDE"),
        ((1, 1, float("nan")), "AGE_OUTSIDE"),
    ],
)
def test_a_cell_without_meaning_is_refused(cell, code):
    with pytest.raises(DomainError) as caught:
        SCHEME.encode([1, cell[0]], [1, cell[1]], [1, cell[2]])
    assert caught.value.code == code
    assert caught.value.params["index"] == 1


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_compiled_and_plain_sums_are_the_same_integers(seed):
    start, cohort, area = histogram(seed)
    fast = cohorts.parcel_stock_mg(start, cohort, area, TABLE)
    plain = cohorts.parcel_stock_mg(start, cohort, area, TABLE, compiled=False)
    assert np.array_equal(fast, plain)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_order_of_rows_and_a_split_parcel_change_nothing(seed):
    start, cohort, area = histogram(seed, parcels=1, most=40)
    order = np.random.default_rng(seed).permutation(cohort.size)
    whole = cohorts.parcel_stock_mg(start, cohort, area, TABLE)
    shuffled = cohorts.parcel_stock_mg(start, cohort[order], area[order], TABLE)
    assert np.array_equal(whole, shuffled)
    cut = cohort.size // 2
    parts = cohorts.parcel_stock_mg([0, cut, cohort.size], cohort, area, TABLE)
    assert np.array_equal(parts.sum(axis=0), whole[0])


def test_the_number_of_threads_changes_nothing():
    start, cohort, area = histogram(7, parcels=500)
    most = numba.config.NUMBA_NUM_THREADS
    many = cohorts.parcel_stock_mg(start, cohort, area, TABLE)
    numba.set_num_threads(1)
    try:
        assert np.array_equal(cohorts.parcel_stock_mg(start, cohort, area, TABLE), many)
    finally:
        numba.set_num_threads(most)


@given(st.integers(-(2**62), 2**63 - 1))
def test_kg_are_the_exact_floor(total):
    exact = Fraction(total, 100 * 10**6) * Fraction(44, 12)
    assert int(cohorts.stock_kg_co2([total])[0]) == exact.__floor__()
    assert units.kg_co2_from_stock_sum(total) == exact.__floor__()


def test_one_hectare_of_ten_tonnes():
    assert cohorts.stock_kg_co2([10 * 100_000 * 1_000_000]).tolist() == [36_666]


@given(st.lists(st.integers(0, 10**15), min_size=2, max_size=40))
def test_fluxes_telescope(sums):
    stock = cohorts.stock_kg_co2(sums)
    assert cohorts.yearly_flux_kg(stock).sum() == stock[-1] - stock[0]


@pytest.mark.parametrize(
    ("start", "cohort", "area", "code"),
    [
        ([0, 1], [SCHEME.size], [1], "COHORT_UNKNOWN"),
        ([0, 1], [-1], [1], "COHORT_UNKNOWN"),
        ([0, 1], [1], [-1], "VALUE_NEGATIVE"),
        ([0, 2], [1], [1], "HISTOGRAM_SHAPE"),
        ([0, 2, 1, 2], [1, 1], [1, 1], "HISTOGRAM_SHAPE"),
        ([], [], [], "HISTOGRAM_SHAPE"),
        ([0, 1], [1], [2**62], "AREA_TOO_LARGE"),
        ([0, 2], [1, 1], [2**62, 2**62], "AREA_TOO_LARGE"),
    ],
)
def test_a_bad_histogram_is_refused_before_multiplying(start, cohort, area, code):
    with pytest.raises(DomainError, match=code):
        cohorts.parcel_stock_mg(start, cohort, area, TABLE)


def test_no_parcels_and_empty_parcels():
    assert cohorts.parcel_stock_mg([0], [], [], TABLE).shape == (0, 40)
    assert not cohorts.parcel_stock_mg([0, 0, 0], [], [], TABLE).any()


def test_a_stored_table_comes_back_with_its_digest_and_a_changed_one_does_not():
    data = TABLE.to_bytes()
    again = cohorts.table_from_bytes(data, TABLE.digest)
    assert np.array_equal(again.mg_c_m2, TABLE.mg_c_m2)
    assert (again.digest, again.years, again.curves) == (TABLE.digest, TABLE.years, TABLE.curves)
    with pytest.raises(SinksError, match="COHORT_TABLE_DIGEST"):
        cohorts.table_from_bytes(data[:-1] + b"\x07", TABLE.digest)


def test_the_table_cannot_be_written_to():
    with pytest.raises(ValueError):
        TABLE.mg_c_m2[0, 0] = 1


def test_years_run_on_and_curves_have_codes():
    with pytest.raises(DomainError, match="YEARS_NOT_CONSECUTIVE"):
        cohorts.cohort_table(SCHEME, layer_year=2020, years=[2020, 2022])
    with pytest.raises(DomainError, match="SPECIES_UNKNOWN"):
        cohorts.cohort_table(
            SCHEME, layer_year=2020, years=[2020], curves={9: tables.growth()["flint_dryland"]}
        )
    with pytest.raises(SinksError, match="STOCK_TOO_LARGE"):
        cohorts.cohort_table(
            SCHEME,
            layer_year=2020,
            years=[2020],
            site_multiplier=dict.fromkeys(range(1, 6), 10_000.0),
        )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 1000))
def test_a_fire_conserves_area_and_never_raises_that_years_stock(seed, permille):
    start, cohort, area = histogram(seed)
    kept, lost = arrays.split_area(area, permille, 1000)
    assert np.array_equal(kept + lost, area)
    regrowth = cohorts.cohort_table(SCHEME, layer_year=2030, years=TABLE.years)
    burnt = cohorts.disturbed_stock_mg(
        start, cohort, lost, table=TABLE, regrowth=regrowth, event_year=2030
    )
    whole = cohorts.parcel_stock_mg(start, cohort, area, TABLE)
    total = cohorts.parcel_stock_mg(start, cohort, kept, TABLE) + burnt
    event = TABLE.years.index(2030)
    assert np.array_equal(total[:, :event], whole[:, :event])
    assert (total[:, event] <= whole[:, event]).all()
    assert (burnt[:, event] == 0).all()


def test_a_share_beyond_one_is_refused():
    with pytest.raises(DomainError, match="SHARE_OUTSIDE"):
        arrays.split_area([5], 3, 2)
    with pytest.raises(DomainError, match="REGROWTH_YEARS"):
        cohorts.disturbed_stock_mg([0, 1], [0], [1], table=TABLE, regrowth=TABLE, event_year=2030)


def test_digits_of_the_layers_make_the_same_code():
    species, site, age = SCHEME.digits
    for raw in ((1, 1, 0), (5, 5, 255), (3, 2, 18)):
        code = raw[0] * species.stride + site.lookup[raw[1]] * site.stride + raw[2] * age.stride
        assert code == SCHEME.encode(*raw)[0]
    assert site.lookup[0] == -1
    assert species.stride * species.radix == SCHEME.size


def test_area_beyond_the_calibrated_ages_is_told():
    codes = SCHEME.encode([3, 3, 0], [1, 1, 1], [10, 39, 99])
    area = [100, 250, 9]
    above = cohorts.parcel_flag_dm2([0, 3], codes, area, TABLE, growth.AgeFlag.ABOVE)
    assert above[0, TABLE.years.index(2025)] == 0
    assert above[0, TABLE.years.index(2026)] == 250
    assert above[0, TABLE.years.index(2055)] == 350


def test_the_warm_up_runs():
    cohorts.warm_up()
