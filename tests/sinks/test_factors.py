import math

import pytest

from sinks import factors, tables
from sinks.errors import DomainError, TableError

SIZES = {
    "age_yr": 20.0,
    "d_cm": 12.0,
    "h_m": 9.0,
    "crown_length_m": 4.0,
    "ground_d_cm": 2.0,
    "volume_m3_ha": 100.0,
    "u": 0.12,
    "age_du": 2.0,
}
KEYS = sorted(f"{table}/{key}" for table in tables.ROW_TYPES for key in tables.rows(table))
NAMED = [*sorted({row.model for row in tables.tree_equations().values()}), "arcm", "moso_culm"]


@pytest.mark.parametrize("key", KEYS + NAMED)
def test_anything_can_be_evaluated_twice_alike_with_unit_source_and_flags(key):
    ((full, names),) = factors.variables(key).items()
    given = {name: SIZES[name] for name in names}
    try:
        answer = factors.evaluate(full, given)
    except TableError as refused:
        assert refused.code in {"FACTOR_MISSING", "DISCOUNT_MORE_PLOTS"}  # noqa: PT017
        row = tables.rows(full.partition("/")[0])[full.partition("/")[2]]
        assert getattr(row, "value", getattr(row, "share", None)) is None
        return
    again = factors.evaluate(full, given)
    assert (answer.outputs, answer.flags) == (again.outputs, again.flags)
    assert answer.outputs
    assert all(math.isfinite(one.value) and one.unit for one in answer.outputs.values())
    assert answer.sources
    if names:
        assert all(one.value >= 0 for one in answer.outputs.values())


def test_o1_a_whole_tree_by_its_model_name():
    answer = factors.evaluate("lyt2264_fir", {"d_cm": 2.093, "h_m": 2.2})
    assert abs(answer.outputs["total"].value - 0.910) <= 0.003
    assert answer.outputs["total"].unit == "kg d.m./tree"
    assert answer.in_domain
    large = factors.evaluate("lyt2264_fir", {"d_cm": 10.347, "h_m": 12.6})
    assert abs(large.outputs["total"].value - 29.989) <= 0.003
    assert large.in_domain is None
    assert large.flags == ("RANGE_UNSTATED",)


def test_a_whole_tree_is_the_sum_of_its_parts_and_roots_alone_are_no_tree():
    answer = factors.evaluate("anhui_masson", {"d_cm": 20, "h_m": 15})
    parts = sum(answer.outputs[one].value for one in ("stem", "branch", "leaf", "root"))
    assert answer.outputs["total"].value == pytest.approx(parts, rel=1e-15)
    assert set(factors.evaluate("guangxi_fir", {"d_cm": 20}).outputs) == {"root"}


def test_flags_follow_the_domain():
    def flags(key, **given):
        return factors.evaluate(key, given).flags

    assert flags("anhui_ring_cup_oak_stem", d_cm=61, h_m=9) == ("DIAMETER_ABOVE",)
    assert flags("anhui_ring_cup_oak", d_cm=2, h_m=9) == ("DIAMETER_BELOW",)
    assert flags("zhejiang_planted_fir", age_yr=41) == ("AGE_ABOVE",)
    assert flags("zhejiang_planted_fir", age_yr=2) == ("AGE_BELOW",)
    assert flags("moso_culm", d_cm=16, age_du=1) == ("DIAMETER_ABOVE",)
    assert flags("species_codes/chinese_fir", age_yr=20) == ()


def test_a_key_of_two_tables_is_told_apart_by_table_or_by_variables():
    with pytest.raises(TableError, match="FACTOR_AMBIGUOUS"):
        factors.evaluate("chinese_fir", {"volume_m3_ha": 100})
    assert factors.evaluate("chinese_fir", {"age_yr": 20}).table == "species_codes"
    one = factors.evaluate("species/chinese_fir", {"volume_m3_ha": 100})
    assert round(one.outputs["co2"].value, 3) == 119.174
    assert one.is_provisional
    line = factors.evaluate("stand_lines/chinese_fir", {"volume_m3_ha": 100})
    assert line.outputs["biomass"].value == pytest.approx(65.661)


def test_what_is_asked_wrongly_is_refused():
    with pytest.raises(TableError, match="TABLE_NO_ROW"):
        factors.evaluate("nothing", {})
    with pytest.raises(DomainError, match="EQUATION_VARIABLES"):
        factors.evaluate("site_1", {"age_yr": 3})
    with pytest.raises(DomainError, match="EQUATION_VARIABLES"):
        factors.evaluate("zhejiang_planted_fir", {})
    with pytest.raises(TableError, match="FACTOR_MISSING"):
        factors.evaluate("organic_fertiliser_production", {})
    assert factors.evaluate("artool14", {"u": 0.12}).outputs["share"].value == 0.25
