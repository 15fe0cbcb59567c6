from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks import baseline, project, tables
from sinks.emissions import Fertiliser, Setting
from sinks.errors import DomainError, TableError
from sinks.issuance import BufferPool, Deduction
from sinks.pools import Pool
from sinks.project import Burning, PriorVegetation, Rules, Series, account
from sinks.uncertainty import discount_table

TREES = frozenset({Pool.ABOVEGROUND, Pool.BELOWGROUND})


def rules(**changes):
    return Rules(
        **{
            "pools": TREES,
            "first_year": 2021,
            "last_year": 2040,
            "years_min": 20,
            "years_max": 40,
            "discount": discount_table("artool14"),
            "non_permanence": Deduction(share=Fraction(1, 10)),
        }
        | changes
    )


def series(**more):
    years = range(2021, 2026)
    return Series(
        change_kg={
            Pool.ABOVEGROUND: dict.fromkeys(years, 8_000),
            Pool.BELOWGROUND: dict.fromkeys(years, 2_000),
            Pool.SOIL: dict.fromkeys(years, 5_000),
        },
        baseline_kg=dict.fromkeys(years, 1_000),
        **more,
    )


def test_the_account_follows_the_order_of_decision_17():
    got = account(
        series(emissions_kg={2022: 500}, leakage_kg={2023: 300}),
        rules(),
        kind="monitored",
        years=range(2021, 2026),
        uncertainty=Fraction("0.12"),
    )
    # 50 000 change; 12 % of it x 25 % is 1 500; then baseline 5 000, 500 and 300; then a tenth.
    assert got.plan.discount_kg == 1_500
    assert got.plan.net_kg == 50_000 - 1_500 - 5_000 - 800
    assert got.plan.creditable_kg == 42_700 * 9 // 10
    assert got.plan.buffer_kg == 0
    assert got.not_counted == {Pool.SOIL: 25_000}
    assert got.by_year[2022]["net_kg"] == 10_000 - 1_000 - 500


def test_forecast_and_monitored_are_one_account_but_for_the_discount():
    more = {"years": range(2021, 2026), "uncertainty": Fraction("0.12")}
    ante, post = (account(series(), rules(), kind=k, **more) for k in ("forecast", "monitored"))
    assert ante.by_year == post.by_year
    assert ante.plan.discount_kg == 0
    sure = account(series(), rules(), kind="monitored", years=range(2021, 2026))
    assert ante.plan == sure.plan


def test_a_buffer_and_a_deduction_exclude_each_other():
    pool = account(
        series(),
        rules(non_permanence=BufferPool(share=Fraction(1, 10))),
        kind="forecast",
        years=range(2021, 2026),
    )
    taken = account(series(), rules(), kind="forecast", years=range(2021, 2026))
    assert pool.plan.deducted_kg == 0
    assert pool.plan.issued_kg == 45_000
    assert pool.plan.buffer_kg == 4_500
    assert taken.plan.issued_kg == 40_500
    assert taken.plan.buffer_kg == 0


@given(
    st.dictionaries(st.integers(2019, 2044), st.integers(-(10**9), 10**9), max_size=26),
    st.integers(2021, 2040),
)
def test_a_period_is_the_sum_of_its_years_and_nothing_outside_is_credited(change, split):
    one = Series(change_kg={Pool.ABOVEGROUND: change})
    whole = account(one, rules(), kind="forecast", years=range(2019, 2045))
    assert whole.outside == (2019, 2020, 2041, 2042, 2043, 2044)
    parts = [
        account(one, rules(), kind="forecast", years=span)
        for span in (range(2021, split), range(split, 2041))
        if len(span)
    ]
    assert sum(p.plan.net_kg for p in parts) == whole.plan.net_kg
    assert whole.plan.net_kg == sum(kg for year, kg in change.items() if 2021 <= year <= 2040)


def test_prior_trees_and_shrubs_count_as_artool14_has_it():
    prior = PriorVegetation(
        area_ha=10,
        tree_cover=0.1,
        shrub_cover=0.3,
        trees_kept=False,
        shrubs_removed=0.2,
        forest_agb_t_ha=100,
        forest_gain_t_ha_yr=4,
    )
    gain = baseline.tree_gain_t_co2(
        area_ha=10, crown_cover=0.1, forest_gain_t_ha_yr=4, project_year=1
    )
    assert prior.gain_kg(1) == pytest.approx(gain * 1000, abs=1)
    assert prior.gain_kg(21) == 0
    trees = baseline.tree_t_co2(area_ha=10, crown_cover=0.1, forest_agb_t_ha=100)
    shrubs = baseline.shrub_t_co2(area_ha=10, crown_cover=0.3, forest_agb_t_ha=100)
    assert prior.cleared_kg() == pytest.approx((trees + 0.2 * shrubs) * 1000, abs=1)
    kept = PriorVegetation(**{f: getattr(prior, f) for f in prior.__slots__} | {"trees_kept": True})
    assert kept.gain_kg(1) == 0
    assert kept.cleared_kg() == pytest.approx(0.2 * shrubs * 1000, abs=1)


def test_burning_and_fertiliser_are_emissions_rounded_up():
    one = Burning(year=2022, fuel_t=10)
    assert one.kg_co2e(gwp="AR5") == pytest.approx(10 * 0.45 * (4.7 * 28 + 0.26 * 265), abs=1)
    assert Burning(year=2022, fuel_t=10, combustion=0).kg_co2e(gwp="AR6") == 0
    with pytest.raises(DomainError, match="SHARE_RANGE"):
        Burning(year=2022, fuel_t=10, combustion=1.1).kg_co2e(gwp="AR6")
    with pytest.raises(TableError, match="TABLE_NO_ROW"):
        one.kg_co2e(gwp="AR9")
    field = project.fertiliser_kg_co2e(
        [Fertiliser(ref="a", product="urea", mass_kg=100, n_kg=46)], Setting(account_year=2024)
    )
    direct = 46 * 0.016 * 44 / 28 * 273
    indirect = 46 * (0.15 * 0.014 + 0.24 * 0.011) * 44 / 28 * 273
    assert field == pytest.approx(direct + indirect + 100 * 0.2 * 44 / 12, abs=1)
    assert tables.emission_factors()["burning_CH4"].is_provisional


def test_what_makes_no_account_is_refused():
    with pytest.raises(DomainError, match="CREDITING_PERIOD"):
        rules(last_year=2030)
    with pytest.raises(DomainError, match="PROJECT_POOLS"):
        rules(pools=frozenset({Pool.ATMOSPHERE}))
    with pytest.raises(DomainError, match="CREDITING_PERIOD"):
        account(series(), rules(), kind="forecast", years=[2041])
    with pytest.raises(DomainError, match="YEARS_NOT_CONSECUTIVE"):
        account(series(), rules(), kind="forecast", years=[2021, 2023])
