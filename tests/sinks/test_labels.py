from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks import labels, tables
from sinks.errors import DomainError, TableError

FOUR = labels.label_rule("orchard-four-colours")
THREE = labels.label_rule("three-greens")
ONE = labels.Benchmark(value=Fraction(1), basis="county", n=0)


def case(e_kg=1000, quantity=1000, **changes):
    values = {
        "planted_m2": (40_000,),
        "coverage": Fraction(1),
        "years": (labels.YearFigures(e_kg=e_kg, quantity=quantity, s_kg=800),),
        "net_without_soil_kg": 1,
        "evidence_share": Fraction(1),
        "benchmark": ONE,
    } | changes
    return labels.LabelCase(**values)


@pytest.mark.parametrize(
    ("e_kg", "grade"),
    [
        (800, "dark_green"),
        (801, "light_green"),
        (1000, "light_green"),
        (1001, "yellow"),
        (1200, "yellow"),
        (1201, "red"),
        (9999, "red"),
    ],
)
def test_all_four_colours_with_cuts_inside_the_better_grade(e_kg, grade):
    got = labels.decide(case(e_kg), FOUR)
    assert (got.state, got.grade) == ("labelled", grade)
    assert got.x == Fraction(e_kg, 1000)


def test_the_gate_is_exact_and_inclusive():
    assert not labels.gate_holds([33_333.33], FOUR)
    assert labels.gate_holds([33_333.34], FOUR)
    assert labels.gate_holds([Fraction(100_000, 6)] * 2, FOUR)
    assert not labels.gate_holds([], FOUR)
    assert labels.decide(case(planted_m2=(33_333.33,)), FOUR).reasons == ("LABEL_AREA",)


@given(st.lists(st.floats(0, 1e6), max_size=20))
def test_the_gate_does_not_depend_on_the_order_of_parcels(areas):
    assert labels.gate_holds(areas, FOUR) == labels.gate_holds(areas[::-1], FOUR)


@pytest.mark.parametrize(
    ("changes", "state", "reason"),
    [
        ({"coverage": Fraction(49, 100)}, "unlabelled", "LABEL_COVERAGE"),
        ({"vetoes": ("boundary dispute",)}, "withheld", "LABEL_VETO"),
        ({"years": ()}, "unlabelled", "LABEL_NO_DATA"),
        ({"quantity": 0}, "unlabelled", "LABEL_NO_QUANTITY"),
        ({"benchmark": None}, "unlabelled", "LABEL_NO_BENCHMARK"),
    ],
)
def test_what_cannot_be_judged_is_never_red(changes, state, reason):
    got = labels.decide(case(**changes), FOUR)
    assert (got.state, got.grade, got.reasons) == (state, "", (reason,))


def test_dark_green_asks_for_a_net_sink_when_the_rule_says_so():
    loss = case(800, net_without_soil_kg=-1)
    assert labels.decide(loss, FOUR).grade == "light_green"
    assert labels.decide(loss, FOUR).reasons == ("LABEL_NET_CONDITION",)
    assert labels.decide(loss, replace(FOUR, net_condition=False)).grade == "dark_green"
    assert labels.decide(case(800, net_without_soil_kg=0), FOUR).grade == "dark_green"


def test_thin_evidence_is_never_better_than_yellow_and_never_lowers_red():
    thin = {"evidence_share": Fraction(69, 100)}
    assert labels.decide(case(800, **thin), FOUR).grade == "yellow"
    assert labels.decide(case(1201, **thin), FOUR).grade == "red"
    assert labels.decide(case(800, evidence_share=None), FOUR).grade == "yellow"
    assert labels.decide(case(800, evidence_share=Fraction(7, 10)), FOUR).grade == "dark_green"


@pytest.mark.parametrize(
    ("e_kg", "grade"),
    [
        (816, "dark_green"),
        (817, "light_green"),
        (1020, "light_green"),
        (1224, "yellow"),
        (1225, "red"),
    ],
)
def test_practice_lifts_one_grade_only_just_beyond_a_cut(e_kg, grade):
    assert labels.decide(case(e_kg, grass=True, straw=True), FOUR).grade == grade


def test_one_point_lifts_nothing_and_a_lift_keeps_the_conditions():
    assert labels.decide(case(816, grass=True), FOUR).grade == "light_green"
    organic = case(816, straw=True, organic_share=Fraction(3, 10))
    assert labels.decide(organic, FOUR).grade == "dark_green"
    loss = replace(organic, net_without_soil_kg=-1)
    got = labels.decide(loss, FOUR)
    assert (got.grade, got.reasons) == ("light_green", ("LABEL_NET_CONDITION",))
    thin = replace(organic, evidence_share=Fraction(0))
    assert labels.decide(thin, FOUR).grade == "yellow"


@given(st.integers(0, 3000), st.integers(0, 3), st.booleans())
def test_practice_never_lowers_and_never_lifts_by_two(e_kg, points, net):
    order = FOUR.grades
    bare = case(e_kg, net_without_soil_kg=0 if net else -1)
    good = replace(
        bare,
        grass=points > 0,
        straw=points > 1,
        organic_share=Fraction(1) if points > 2 else None,
    )
    before, after = labels.decide(bare, FOUR).grade, labels.decide(good, FOUR).grade
    assert order.index(before) - 1 <= order.index(after) <= order.index(before)


def test_smoothing_takes_the_last_two_years_together():
    years = tuple(
        labels.YearFigures(e_kg=e, quantity=q) for e, q in ((9, 1), (100, 300), (200, 100))
    )
    assert labels.smoothed_measure(years, FOUR) == Fraction(300, 400)
    assert labels.smoothed_measure(years[:1], FOUR) == 9


def test_benchmark_is_the_lower_weighted_median_of_ten_or_more():
    members = [(x, 1) for x in range(1, 11)]
    assert labels.benchmark(members, FOUR).value == 5
    heavy = [*members[:-1], (10, 100)]
    assert labels.benchmark(heavy, FOUR).value == 10
    few = labels.benchmark(members[:9], FOUR, county_value="0.75")
    assert (few.value, few.basis, few.n) == (Fraction(3, 4), "county", 9)
    assert labels.benchmark(members[:9], FOUR).basis == "none"
    with pytest.raises(DomainError, match="BENCHMARK_AREA"):
        labels.benchmark([(1, 0)] * 10, FOUR)


@given(st.lists(st.tuples(st.integers(1, 99), st.integers(1, 99)), min_size=10, max_size=40))
def test_benchmark_splits_the_area_in_half_in_any_order(members):
    value = labels.benchmark(members, FOUR).value
    assert labels.benchmark(members[::-1], FOUR).value == value
    whole = sum(area for _, area in members)
    assert 2 * sum(area for x, area in members if x <= value) >= whole
    assert 2 * sum(area for x, area in members if x < value) < whole


@pytest.mark.parametrize(
    ("s_kg", "grade"),
    [
        (1000, "dark_green"),
        (999, "medium_green"),
        (500, "medium_green"),
        (499, "light_green"),
        (-5, "light_green"),
    ],
)
def test_three_greens_by_neutral_degree(s_kg, grade):
    year = labels.YearFigures(e_kg=1000, quantity=0, s_kg=s_kg)
    got = labels.decide(case(years=(year,), benchmark=None, grass=True, straw=True), THREE)
    assert got.grade == grade


def test_three_greens_without_emission_is_unlabelled():
    year = labels.YearFigures(e_kg=0, quantity=0, s_kg=5)
    assert labels.decide(case(years=(year,)), THREE).reasons == ("LABEL_NO_QUANTITY",)


def test_intensity_goes_by_area_for_young_trees_and_failed_harvests():
    assert labels.by_area(tree_stage_young=True, yield_kg=100, stage_median_kg=100)
    assert labels.by_area(tree_stage_young=False, yield_kg=0, stage_median_kg=None)
    assert labels.by_area(tree_stage_young=False, yield_kg="19.9", stage_median_kg=100)
    assert not labels.by_area(tree_stage_young=False, yield_kg=20, stage_median_kg=100)


def test_a_verdict_carries_rule_version_and_digest():
    one, again = labels.decide(case(), FOUR), labels.decide(case(), FOUR)
    assert one == again
    assert (one.rule_key, one.rule_version) == ("orchard-four-colours", "0.1-proposed")
    assert labels.decide(case(999), FOUR).digest != one.digest
    assert labels.decide(case(), replace(FOUR, version="0.2")).digest != one.digest


def test_a_senseless_label_set_is_refused():
    good = dict(tables.label_sets()["orchard-four-colours"])
    assert labels.label_rule("mine", good).cuts == FOUR.cuts
    for bad in (
        {"cuts": ["1"]},
        {"cuts": ["1.2", "1", "0.8"]},
        {"evidence_cap": "blue"},
        {"measure": "beauty"},
    ):
        with pytest.raises(TableError, match="LABEL_RULE"):
            labels.label_rule("mine", good | bad)
    del good["cuts"]
    with pytest.raises(TableError, match="LABEL_RULE"):
        labels.label_rule("mine", good)
    with pytest.raises(TableError, match="TABLE_NO_ROW"):
        labels.label_rule("unknown")


def test_every_grade_of_a_set_has_its_word():
    for values in tables.label_sets().values():
        assert len(values["grades"]) == len(values["grades_zh"]) == len(values["grades_en"])
