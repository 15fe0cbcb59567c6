"""Strata: what events do to a parcel's ground, held against stands that are run cell by cell."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sinks import bamboo, stands, tables, units
from sinks.cohorts import (
    CohortScheme,
    cohort_table,
    default_curves,
    disturbed_stock_mg,
    parcel_stock_mg,
    rows_stock_mg,
)
from sinks.pools import Pool
from sinks.strata import (
    CLEARED,
    EVENT_ORDER,
    PPM,
    Culms,
    Ground,
    Happening,
    Stratum,
    spread,
    stratum_of,
)
from sinks.strata_tables import LIVING, POOLS, Yearly, culm_stock_t_ha, strata_table

LAYER_YEAR, YEARS = 2020, range(2024, 2041)
SCHEME = CohortScheme()
TABLE = cohort_table(SCHEME, layer_year=LAYER_YEAR, years=YEARS)
MULTIPLIER = {row.site: row.multiplier for row in tables.site_classes().values()}
YEARLY = Yearly(curves=default_curves(), table=TABLE, multiplier=MULTIPLIER, temperature_c=10.0)
LIVE = [POOLS.index(pool) for pool in LIVING]
CULMS = Culms(
    year=2023,
    d_mm=95,
    by_du=(600, 1100, 900, 400),
    recruits=(700, 150),
    cut_ppm=(0, 0, 0, 900_000),
    age_max_yr=7,
)

grounds = st.lists(
    st.builds(
        Ground,
        species=st.integers(0, 5),
        site=st.integers(1, 5),
        age_yr=st.integers(0, 60),
        lost_in=st.sampled_from((0, 0, 0, 2019, 2022, 2028, 2060)),
        area_dm2=st.integers(1, 10**9),
    ),
    max_size=5,
)
happenings = st.lists(
    st.builds(
        Happening,
        year=st.integers(2018, 2042),
        kind=st.sampled_from(EVENT_ORDER),
        touched_ppm=st.integers(1, PPM),
        intensity_ppm=st.integers(1, PPM),
        species=st.just(0),
    ),
    max_size=5,
)


def spread_of(ground, happened, **more):
    return spread(ground, happened, layer_year=LAYER_YEAR, last_year=YEARS[-1], **more)


def sums(told):
    """Stock of a parcel by pool and year, dm2 x mg C/m2."""
    if not told.parts:
        return np.zeros((len(POOLS), len(YEARS)), np.int64)
    cells = strata_table([one for one, _ in told.parts], YEARLY)
    area = [area for _, area in told.parts]
    flat = cells.reshape(len(area), -1)
    found = rows_stock_mg([0, len(area)], np.arange(len(area)), area, flat)
    assert np.array_equal(
        found, rows_stock_mg([0, len(area)], np.arange(len(area)), area, flat, compiled=False)
    )
    return found.reshape(len(POOLS), len(YEARS))


@given(ground=grounds)
def test_without_events_live_carbon_is_the_cohort_tables(ground):
    told = spread_of(ground, [])
    stocked = [one for one in ground if one.species]
    code = [SCHEME.encode(one.species, one.site, one.age_yr)[0] for one in stocked]
    expected = np.zeros(len(YEARS), np.int64)
    for one, cohort in zip(stocked, code, strict=True):
        if LAYER_YEAR < one.lost_in <= YEARS[-1]:
            again = cohort_table(SCHEME, layer_year=one.lost_in, years=YEARS)
            expected += disturbed_stock_mg(
                [0, 1], [cohort], [one.area_dm2], table=TABLE, regrowth=again,
                event_year=one.lost_in,
            )[0]  # fmt: skip
        else:
            expected += parcel_stock_mg([0, 1], [cohort], [one.area_dm2], TABLE)[0]
    assert np.array_equal(sums(told)[LIVE].sum(axis=0), expected)


@settings(deadline=None)
@given(ground=grounds, happened=happenings, seed=st.randoms())
def test_the_order_of_rows_and_events_changes_nothing(ground, happened, seed):
    first = spread_of(ground, happened)
    ground, happened = list(ground), list(happened)
    seed.shuffle(ground)
    seed.shuffle(happened)
    assert spread_of(ground, happened) == first


@settings(deadline=None, max_examples=40)
@given(ground=grounds, happened=happenings)
def test_a_row_depends_on_its_own_stratum_only(ground, happened):
    strata = [one for one, _ in spread_of(ground, happened, culms=CULMS).parts]
    whole = strata_table(strata, YEARLY)
    assert (whole >= 0).all()
    for i, one in enumerate(strata):
        assert np.array_equal(strata_table([one], YEARLY)[0], whole[i])
        assert stratum_of(one.key) == one


@settings(deadline=None, max_examples=40)
@given(ground=grounds, happened=happenings)
def test_planting_covers_no_more_than_what_is_free(ground, happened):
    """Ground under trees at full stocking never adds up to more than the parcel."""
    told = spread_of([one for one in ground if not one.lost_in], happened)
    standing = sum(stratum.standing * area for stratum, area in told.parts)
    assert standing <= sum(one.area_dm2 for one in ground)


def cell_by_cell(species, site, age, happened, temperature_c=10.0):
    """One cell's stand run alone, events as the table of flows names them; t C/ha by year."""
    yearly = Yearly(
        curves=default_curves(), table=TABLE, multiplier=MULTIPLIER, temperature_c=temperature_c
    )
    model = yearly.model(species)
    grown = stands.run(
        model,
        stands.settled(model, stands.planted(1, age_yr=[0.0])),
        first_year=LAYER_YEAR - age + 1,
        last_year=YEARS[-1],
        events=[
            stands.Event(year=year, flow=flow, intensity=share) for year, flow, share in happened
        ],
    )
    assert grown.balance_error.max() <= stands.BALANCE_TOLERANCE
    shown = [grown.years.index(year) for year in YEARS]
    return grown.stock[shown][:, 0, [stands.INDEX[pool] for pool in POOLS]].T * MULTIPLIER[site]


@pytest.mark.parametrize("species", [3, 4, 5])
@pytest.mark.parametrize("kind", [*EVENT_ORDER[:-1]])
def test_events_do_to_a_parcel_what_they_do_to_its_cells(species, kind):
    felled = {3: "harvest_fir", 4: "harvest_masson", 5: "harvest_broadleaf"}[species]
    flow = {"thinning": felled, "harvest": felled, "clearing": CLEARED, "landslide": CLEARED}.get(
        kind, kind
    )
    happened = [
        Happening(year=2026, kind=kind, touched_ppm=400_000, intensity_ppm=750_000),
        Happening(year=2031, kind="snow", touched_ppm=PPM, intensity_ppm=200_000),
    ]
    cells = [(species, 1, 12, 30_000), (species, 2, 25, 70_000), (species, 5, 3, 5)]
    ground = [
        Ground(species=s, site=q, age_yr=a, lost_in=0, area_dm2=area) for s, q, a, area in cells
    ]
    found = sums(spread_of(ground, happened))
    expected = sum(
        cell_by_cell(s, q, a, [(2026, flow, 0.3), (2031, "snow", 0.2)]) * area
        for s, q, a, area in cells
    )
    assert (
        np.abs(found / units.MG_M2_PER_T_HA - expected).max()
        <= 1.0 * sum(area for *_, area in cells) / units.MG_M2_PER_T_HA
    )
    assert found[POOLS.index(Pool.DEAD_WOOD)].max() > 0 or flow == CLEARED


def test_felling_and_planting_again_are_two_stands_on_one_ground():
    ground = [Ground(species=3, site=1, age_yr=30, lost_in=0, area_dm2=1_000)]
    happened = [
        Happening(year=2025, kind="harvest", touched_ppm=PPM, intensity_ppm=PPM),
        Happening(year=2026, kind="replanting", touched_ppm=PPM, intensity_ppm=PPM, species=4),
    ]
    told = spread_of(ground, happened)
    assert [(one.species, one.born, area) for one, area in told.parts] == [
        (3, 1990, 1_000),
        (4, 2026, 1_000),
    ]
    found = sums(told)
    live = found[LIVE].sum(axis=0)
    young = cohort_table(SCHEME, layer_year=2026, years=YEARS)
    masson = young.mg_c_m2[SCHEME.encode(4, 1, 0)[0]].astype(np.int64) * 1_000
    assert live[0] == int(TABLE.mg_c_m2[SCHEME.encode(3, 1, 30)[0], 0]) * 1_000
    assert np.array_equal(live[1:], masson[1:])
    assert found[POOLS.index(Pool.HARVESTED_PRODUCTS)][-1] > 0


def test_what_a_reader_must_know_is_noted():
    ground = [Ground(species=2, site=1, age_yr=5, lost_in=0, area_dm2=100)]
    happened = [
        Happening(year=2019, kind="fire", touched_ppm=PPM, intensity_ppm=PPM),
        Happening(year=2026, kind="harvest", touched_ppm=PPM, intensity_ppm=500_000),
        Happening(year=2027, kind="replanting", touched_ppm=PPM, intensity_ppm=PPM),
    ]
    assert {code for code, _, _ in spread_of(ground, happened).notes} == {
        "EVENT_BEFORE_LAYER",
        "EVENT_FLOW_ABSENT",
        "REPLANT_CAPPED",
    }
    bare = [Ground(species=0, site=1, age_yr=0, lost_in=0, area_dm2=100)]
    assert {code for code, _, _ in spread_of(bare, happened[2:]).notes} == {"REPLANT_UNKNOWN"}


def test_counted_culms_stand_in_place_of_the_curve():
    ground = [
        Ground(species=2, site=1, age_yr=5, lost_in=0, area_dm2=300),
        Ground(species=2, site=1, age_yr=9, lost_in=2022, area_dm2=700),
    ]
    told = spread_of(ground, [], culms=CULMS)
    assert [(one.culms, area) for one, area in told.parts] == [(CULMS, 1_000)]
    stock = culm_stock_t_ha(CULMS, 17)
    above = sums(told)[POOLS.index(Pool.ABOVEGROUND)] / 1_000 / units.MG_M2_PER_T_HA
    assert above == pytest.approx(stock[1:18], abs=1e-5)
    weight = bamboo.culm_carbon_kg([9.5] * 4, [1, 2, 3, 4]) / units.KG_PER_T
    assert stock[0] == pytest.approx(float((np.array(CULMS.by_du) * weight).sum()))


def test_an_event_takes_its_share_of_the_culms_and_of_their_springs():
    ground = [Ground(species=2, site=1, age_yr=5, lost_in=0, area_dm2=1)]
    calm = sums(spread_of(ground, [], culms=CULMS))[0]
    snow = Happening(year=2027, kind="snow", touched_ppm=500_000, intensity_ppm=500_000)
    broken = sums(spread_of(ground, [snow], culms=CULMS))[0]
    year = np.array(YEARS)
    assert np.array_equal(broken[year < 2027], calm[year < 2027])
    assert broken[year >= 2027] == pytest.approx(calm[year >= 2027] * 0.75, abs=1)


def test_strata_of_unknown_species_hold_nothing():
    assert not strata_table([Stratum(species=9, site=1, born=2000)], YEARLY).any()
