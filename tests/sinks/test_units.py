from fractions import Fraction

import pytest

from sinks import units


def test_areas_turn_back():
    assert units.mu_from_m2(units.m2_from_mu(50)) == pytest.approx(50, rel=1e-15)
    assert units.M2_PER_MU * 3 == 2000
    assert units.ha_from_m2(10_000) == 1
    assert units.mu_from_m2(10_000) == 15


def test_masses():
    assert units.co2_from_c(12) == 44
    assert units.n2o_from_n(28) == pytest.approx(44)
    assert Fraction(44, 28) == units.N2O_PER_N
    assert units.t_ha_from_lb_acre(1) == pytest.approx(0.00112085, rel=1e-5)
    assert units.t_co2_mu_from_kg_m2(1.5) == pytest.approx(1)


def test_a_tonne_a_hectare_is_a_hundred_thousand_milligrams_a_square_metre():
    assert units.MG_M2_PER_T_HA == 10**9 // units.M2_PER_HA
    assert units.CENTI_MG_PER_KG == 10**6 * units.DM2_PER_M2
