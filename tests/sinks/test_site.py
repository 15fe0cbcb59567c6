import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks import growth, site, tables
from sinks.errors import ConversionError, DomainError

# Made up for these tests: the published final values could not be read, so none are built in.
HEIGHT = site.SiteHeight(b1=2.0, b2=0.5, c=0.6)
RESPONSE = site.SiteResponse(reference_m=14, exponent=1.5, low_m=10, high_m=18, source="test")
ages = st.floats(8, 60)


def test_canopy_scales_a_full_curve_and_never_an_inventory_mean():
    full, mean = tables.growth()["huitong_fir_gen1"], tables.growth()["zhejiang_planted_fir"]
    values, _ = growth.evaluate(full, [10, 20])
    got = site.stocked(full, values, crown_cover=[0.35, 0.9], full_cover=0.7)
    assert got == pytest.approx(values * [0.5, 1])
    with pytest.raises(ConversionError, match="CONVERSION_TWICE"):
        site.stocked(mean, [10], crown_cover=[0.5], full_cover=0.7)
    for cover, whole in (([1.2], 0.7), ([float("nan")], 0.7), ([0.5], 0)):
        with pytest.raises(DomainError, match="SHARE_RANGE"):
            site.stocked(full, [10], crown_cover=cover, full_cover=whole)


@given(st.floats(4, 25), ages, ages, ages)
def test_a_height_goes_forth_and_back_by_any_way(h0, a, b, c):
    forth = HEIGHT.height_m(h0, from_yr=a, to_yr=b)
    assert HEIGHT.height_m(forth, from_yr=b, to_yr=a)[0] == pytest.approx(h0)
    assert HEIGHT.height_m(h0, from_yr=a, to_yr=a)[0] == pytest.approx(h0)
    around = HEIGHT.height_m(HEIGHT.height_m(h0, from_yr=a, to_yr=c), from_yr=c, to_yr=b)
    assert around == pytest.approx(forth)


def test_site_index_is_height_at_the_base_age():
    index = HEIGHT.site_index_m([10, 12], age_yr=[20, 20], base_age_yr=20)
    assert index == pytest.approx([10, 12])
    older = HEIGHT.site_index_m([10, 10], age_yr=[15, 25], base_age_yr=20)
    assert older[0] > 10 > older[1]


def test_a_response_is_held_at_the_ends_of_what_it_was_fitted_on():
    multiplier, held = RESPONSE.multiplier([5, 14, 30])
    assert multiplier == pytest.approx(np.array([10 / 14, 1, 18 / 14]) ** 1.5)
    assert held.tolist() == [1, 0, 1]


def test_what_makes_no_site_is_refused():
    with pytest.raises(DomainError, match="SITE_HEIGHT"):
        site.SiteHeight(b1=1, b2=1, c=0)
    with pytest.raises(DomainError, match="SITE_HEIGHT"):
        site.SiteHeight(b1=2.0, b2=2.0, c=0.6).height_m(10, from_yr=1, to_yr=20)
    with pytest.raises(DomainError, match="SITE_HEIGHT"):
        site.SiteHeight(b1=-9.9, b2=2.9, c=0.6).height_m(10, from_yr=15, to_yr=20)
    with pytest.raises(DomainError, match="VALUE_ZERO"):
        HEIGHT.height_m(0, from_yr=10, to_yr=20)
    with pytest.raises(DomainError, match="SITE_RESPONSE"):
        site.SiteResponse(reference_m=14, exponent=1, low_m=18, high_m=10, source="x")
    with pytest.raises(DomainError, match="SITE_RESPONSE"):
        site.SiteResponse(reference_m=14, exponent=1, low_m=10, high_m=18, source="")
