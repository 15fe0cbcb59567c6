from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks import bamboo, biomass, tables
from sinks.errors import DomainError
from sinks.pools import BAMBOO_ORDER

KEPT = bamboo.Management(d_cm=10, cut_share_by_du=(0, 0, 0.5, 1), age_max_yr=8)
shares = st.lists(st.floats(0, 1), min_size=1, max_size=5).map(tuple)


def test_a_du_is_one_year_then_two_each():
    assert bamboo.du_of_age([1, 2, 3, 4, 5, 6, 7]).tolist() == [1, 2, 2, 3, 3, 4, 4]


def test_a_culm_weighs_what_its_class_weighs():
    carbon = bamboo.culm_carbon_kg(10, [1, 2, 3, 4])
    dry = [13.082, 13.819, 14.080, 14.213]
    assert carbon == pytest.approx(np.array(dry) * [0.476, 0.466, 0.483, 0.483], abs=5e-4)
    assert biomass.moso_culm_kg(20, 1) == biomass.moso_culm_kg(15, 1)


@given(
    shares,
    st.integers(1, 12),
    st.lists(st.floats(0, 5000), min_size=1, max_size=30),
    st.floats(5, 15),
)
def test_culms_and_carbon_are_kept_account_of_every_year(cut, age_max, recruits, d_cm):
    managed = bamboo.Management(d_cm=d_cm, cut_share_by_du=cut, age_max_yr=age_max)
    grown = bamboo.run(managed, culms_per_ha=np.full(age_max, 300.0), recruits_per_ha=recruits)
    assert grown.balance_error.max() <= 1e-9
    assert (grown.culms >= 0).all()
    assert grown.order == BAMBOO_ORDER


@given(st.floats(1, 3000), shares)
def test_steady_recruits_lead_to_the_stable_stand_and_no_further_sink(new, cut):
    managed = replace(KEPT, cut_share_by_du=cut)
    grown = bamboo.run(managed, culms_per_ha=np.zeros(8), recruits_per_ha=np.full(12, new))
    stable = bamboo.stable_culms(managed, recruits_per_ha=new)
    assert grown.culms[-1] == pytest.approx(stable)
    assert grown.stock_t_c[-1] == pytest.approx(grown.stock_t_c[-2])
    assert grown.stock_t_c[-1] == pytest.approx(bamboo.stand_t_c_ha(managed, stable))
    assert grown.stock_t_c.max() <= grown.stock_t_c[-1] * (1 + 1e-12)


def test_on_and_off_years_swing_about_the_mean():
    even = bamboo.run(KEPT, culms_per_ha=np.zeros(8), recruits_per_ha=np.full(40, 600.0))
    swing = bamboo.run(KEPT, culms_per_ha=np.zeros(8), recruits_per_ha=[1100.0, 100.0] * 20)
    assert swing.stock_t_c[-10:].mean() == pytest.approx(even.stock_t_c[-1], rel=0.01)
    assert np.abs(np.diff(swing.stock_t_c[-10:])).min() > 0.5


def test_a_managed_stand_lies_where_managed_stands_lie():
    """About 3,000 culms of 10 cm hold near the 23.78 t C/ha mean of Zhejiang's bamboo layers."""
    stable = bamboo.stable_culms(KEPT, recruits_per_ha=600)
    stock = bamboo.stand_t_c_ha(KEPT, stable)
    assert 0.5 * 23.78 < stock * 3000 / stable.sum() < 40.45
    assert tables.bamboo()["moso_managed_stand"].value == 40.45


def test_what_makes_no_bamboo_stand_is_refused():
    with pytest.raises(DomainError, match="BAMBOO_CLASSES"):
        bamboo.Management(d_cm=10, cut_share_by_du=(), age_max_yr=8)
    with pytest.raises(DomainError, match="SHARE_RANGE"):
        bamboo.Management(d_cm=10, cut_share_by_du=(2,), age_max_yr=8)
    with pytest.raises(DomainError, match="BAMBOO_CLASSES"):
        bamboo.run(KEPT, culms_per_ha=[1, 2], recruits_per_ha=[1])
    with pytest.raises(DomainError, match="PROCESS_ORDER"):
        bamboo.run(KEPT, culms_per_ha=np.zeros(8), recruits_per_ha=[1], order=("ageing",))
    with pytest.raises(DomainError, match="VALUE_ZERO"):
        bamboo.du_of_age([0])
