import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks import baseline
from sinks.errors import DomainError

FOREST = {"area_ha": 10, "forest_agb_t_ha": 140}


def test_trees_by_hand():
    got = baseline.tree_t_co2(**FOREST, crown_cover=0.1)
    assert got == pytest.approx(44 / 12 * 0.47 * 140 * 1.25 * 0.1 * 10)


def test_shrubs_by_hand_and_none_under_five_percent():
    got = baseline.shrub_t_co2(**FOREST, crown_cover=0.05)
    assert got == pytest.approx(44 / 12 * 0.47 * 1.4 * 10 * 0.1 * 140 * 0.05)
    assert baseline.shrub_t_co2(**FOREST, crown_cover=0.049) == 0


@pytest.mark.parametrize(("year", "grows"), [(1, True), (20, True), (21, False)])
def test_the_gain_ends_after_year_twenty(year, grows):
    gain = baseline.tree_gain_t_co2(
        area_ha=1, crown_cover=0.1, forest_gain_t_ha_yr=5, project_year=year
    )
    assert (gain > 0) is grows


@given(st.floats(0, 1e4), st.floats(0, 1))
def test_a_split_area_holds_the_same(area, share):
    whole = baseline.tree_t_co2(area_ha=area, crown_cover=0.2, forest_agb_t_ha=100)
    parts = [
        baseline.tree_t_co2(area_ha=a, crown_cover=0.2, forest_agb_t_ha=100)
        for a in (area * share, area - area * share)
    ]
    assert sum(parts) == pytest.approx(whole, rel=1e-9, abs=1e-9)


def test_a_fractional_interval():
    assert baseline.yearly_change(first=10, second=13, years=2.5) == pytest.approx(1.2)
    with pytest.raises(DomainError, match="INTERVAL_NOT_POSITIVE"):
        baseline.yearly_change(first=1, second=2, years=0)


@pytest.mark.parametrize("cover", [-0.1, 1.1, float("nan")])
def test_a_cover_is_a_share(cover):
    with pytest.raises(DomainError, match="SHARE_RANGE"):
        baseline.tree_t_co2(**FOREST, crown_cover=cover)
    with pytest.raises(DomainError, match="VALUE_NEGATIVE"):
        baseline.tree_t_co2(area_ha=-1, crown_cover=0.5, forest_agb_t_ha=1)
