from dataclasses import replace

import numpy as np
import pytest

from sinks import biomass, tables
from sinks.errors import DomainError, TableError

O1 = [
    (2.093, 2.200, 0.765, 0.145, 0.910, 0.453),
    (5.134, 4.787, 3.844, 0.854, 4.698, 2.340),
    (7.197, 8.826, 10.283, 1.868, 12.151, 6.056),
    (10.347, 12.600, 25.501, 4.488, 29.989, 14.948),
]


@pytest.mark.parametrize("tree", O1)
def test_o1_chinese_fir_tree(tree):
    d, h, *published = tree
    ag, unit, _ = biomass.evaluate_model("lyt2264_fir", "aboveground", d_cm=d, h_m=h)
    bg, _, _ = biomass.evaluate_model("lyt2264_fir", "belowground", d_cm=d, h_m=h)
    assert unit == "kg d.m./tree"
    got = np.array([ag[0], bg[0], ag[0] + bg[0], ag[0] * 0.5003 + bg[0] * 0.488])
    assert np.abs(got - published).max() <= 0.003


def test_o1_volume_route():
    bcf, _, _ = biomass.evaluate_model("lyt2264_fir", "bcf", d_cm=10.347, h_m=12.6)
    rsr, _, _ = biomass.evaluate_model("lyt2264_fir", "rsr", d_cm=10.347, h_m=12.6)
    assert (round(bcf[0], 3), round(rsr[0], 3)) == (0.408, 0.176)
    ag, bg = biomass.bcf_route_kg(volume_m3=0.051856, bcf_t_m3=bcf, root_ratio=rsr)
    assert (round(ag[0], 3), round(bg[0], 3)) == (21.176, 3.727)
    assert round((ag[0] + bg[0]) * 0.499, 3) == 12.427
    ag, bg = biomass.bcf_route_kg(volume_m3=0.052, bcf_t_m3=bcf, root_ratio=rsr)
    assert round(ag[0], 3) == 21.235
    assert round((ag[0] + bg[0]) * 0.499, 3) == 12.461


O10 = [
    ("chinese_fir", 62.504, 32.502, 119.174),
    ("masson_pine", 66.396, 30.542, 111.988),
    ("schima", 142.483, 70.814, 259.651),
    ("sweetgum", 147.555, 73.335, 268.894),
    ("camphor", 82.814, 40.744, 149.396),
    ("oaks", 118.345, 59.172, 216.965),
    ("mixed_broadleaf", 92.094, 45.126, 165.463),
]


@pytest.mark.parametrize(("key", "b", "c", "co2"), O10)
def test_o10_volume_route(key, b, c, co2):
    stock = biomass.volume_route(tables.species()[key], [100])
    assert round(stock.biomass_t_ha[0], 3) == b
    assert round(stock.carbon_t_ha[0], 3) == c
    assert round(stock.co2_t_ha[0], 3) == co2


def test_o11_roots():
    assert biomass.cbm_roots_t_ha([100], softwood=True)[0] == pytest.approx(22.2)
    assert round(biomass.cbm_roots_t_ha([100], softwood=False)[0], 3) == 26.764
    assert [round(r, 4) for r in biomass.tool14_root_ratio([100, 50])] == [0.2399, 0.2526]


def test_moso_culm_by_age_class():
    got = biomass.moso_culm_kg([10, 10, 10, 10], [1, 2, 3, 4])
    assert [round(v, 3) for v in got] == [13.082, 13.819, 14.080, 14.213]


SIZES = {"d_cm": [12.0], "h_m": [9.0], "crown_length_m": [4.0], "ground_d_cm": [2.0]}


@pytest.mark.parametrize("key", sorted(tables.tree_equations()))
def test_every_equation_gives_a_positive_value_in_its_unit(key):
    row = tables.tree_equations()[key]
    names, _ = biomass.FORMS[row.form]
    values, unit, flags = biomass.evaluate(key, **{name: SIZES[name] for name in names})
    assert unit == row.unit
    assert values[0] > 0
    assert flags.shape == values.shape


def test_a_diameter_outside_the_fit_is_flagged_and_still_answered():
    values, _, flags = biomass.evaluate("anhui_ring_cup_oak_stem", d_cm=[2.3, 2.4, 60, 60.1], h_m=5)
    assert values[3] == values[2]
    assert values[0] < values[1]
    assert flags.tolist() == [
        biomass.SizeFlag.BELOW,
        0,
        0,
        biomass.SizeFlag.ABOVE,
    ]


def test_bad_sizes_names_and_keys_are_refused():
    with pytest.raises(DomainError, match="VALUE_ZERO"):
        biomass.evaluate("guangxi_fir_root", d_cm=[3, 0])
    with pytest.raises(DomainError, match="EQUATION_VARIABLES"):
        biomass.evaluate("guangxi_fir_root", d_cm=[3], h_m=[3])
    with pytest.raises(TableError, match="TABLE_NO_ROW"):
        biomass.evaluate("guangxi_oak_root", d_cm=[3])
    with pytest.raises(TableError, match="TABLE_NO_ROW"):
        biomass.evaluate_model("lyt2264_fir", "leaf", d_cm=3, h_m=3)
    with pytest.raises(DomainError, match="VALUE_ZERO"):
        biomass.stand_line_t_ha("chinese_fir", [0])


def test_a_value_below_nothing_counts_as_none_and_says_so(monkeypatch):
    row = tables.tree_equations()["guangxi_fir_root"]
    monkeypatch.setattr(tables, "tree_equations", lambda: {row.key: replace(row, a=-0.01)})
    values, _, flags = biomass.evaluate("guangxi_fir_root", d_cm=[10])
    assert values[0] == 0
    assert flags[0] & biomass.SizeFlag.NEGATIVE


def test_stand_line():
    assert biomass.stand_line_t_ha("chinese_fir", [100])[0] == pytest.approx(65.661)
