"""Eligibility rules: limits belong to the good side, what is missing is asked for, never guessed."""

import json
import tomllib
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import assume, given
from hypothesis import strategies as st

from geo.area import area_m2
from geo.eligibility import (
    RULES,
    Answer,
    CanopyFacts,
    ClaimLayer,
    ParcelTable,
    SlopeFacts,
    Threshold,
    overall,
    run_rules,
)

YES, NO, ASK = Answer.ELIGIBLE, Answer.NOT_ELIGIBLE, Answer.NEEDS_DOCUMENTS
MESSAGES = tomllib.loads(Path("web/messages/eligibility.toml").read_text(encoding="utf-8"))
OVERLAP = {"overlap_m2_max": 1.0, "overlap_share_max": 0.001}


def limits(**values):
    return {
        k: Threshold(
            value=v, unit="x", source="test", mark="proposed", checked_on=date(2026, 11, 21)
        )
        for k, v in values.items()
    }


def square(x, y, size=0.001):
    return shapely.box(
        118.8 + x * size, 28.9 + y * size, 118.8 + (x + 1) * size, 28.9 + (y + 1) * size
    )


def table(*attributes, geometries=None, area=None, **more):
    n = len(attributes)
    geometries = np.array(
        [square(i, 0) for i in range(n)] if geometries is None else geometries, object
    )
    return ParcelTable(
        ids=[f"p{i}" for i in range(n)],
        geometries=geometries,
        area_m2=area_m2(geometries) if area is None else np.array(area, float),
        attributes=attributes,
        **more,
    )


def ask(rule, parcels, **thresholds):
    """Answers of one rule; every code has words in both languages that fit its parameters."""
    given = RULES[rule](parcels, limits(**thresholds))
    assert [one.parcel for one in given] == list(range(len(parcels)))
    for one in given:
        assert one.rule == rule
        assert json.loads(json.dumps(one.params, allow_nan=False)) == one.params
        entry = MESSAGES[one.code]
        assert entry["zh"].format(**one.params)
        assert entry["en"].format(**one.params)
        assert one.remedy == (None if one.answer is YES else one.code)
        if one.remedy:
            assert entry["remedy_zh"]
            assert entry["remedy_en"]
    return [one.answer for one in given]


def test_area_includes_the_limit():
    parcels = table({}, {}, {}, area=[399.999999, 400.0, 400.1])
    assert ask("area_min", parcels, area_m2_min=400) == [NO, YES, YES]


def test_area_of_early_projects():
    early = {"area_m2_min": 400, "early_area_m2_min": 667, "early_until_year": 2019}
    parcels = table(
        {"start_year": 2019},
        {"start_year": 2020},
        {"start_year": "2019"},
        {},
        {},
        {},
        area=[500, 500, 667, 500, 399, 667],
    )
    assert ask("area_min", parcels, **early) == [NO, YES, YES, ASK, NO, YES]


@pytest.mark.parametrize(
    ("planted", "answer"),
    [
        (["33333.33", ""], ASK),
        ([33333.34], YES),
        (["20000", "13333.4"], YES),
        (["20000", "13333.3"], NO),
        ([100000 / 3 - 0.001], NO),
    ],
)
def test_orchard_gate_is_exactly_fifty_mu(planted, answer):
    parcels = table(*({"account_id": "A", "planted_area_m2": value} for value in planted))
    assert ask("orchard_area_min", parcels, planted_mu_min=50) == [answer] * len(planted)


def test_orchard_accounts_do_not_mix():
    rows = [("A", 20000), ("B", 20000), (None, 40000), ("A", 13334), (None, 100)]
    parcels = table(*({"account_id": a, "planted_area_m2": v} for a, v in rows))
    assert ask("orchard_area_min", parcels, planted_mu_min=50) == [YES, NO, YES, YES, NO]


def test_years_without_forest():
    parcels = table(
        {"non_forest_years": 2},
        {"non_forest_years": "3"},
        {},
        {"non_forest_years": "long"},
        {"non_forest_years": True},
    )
    assert ask("non_forest_years", parcels, years_min=3) == [NO, YES, ASK, ASK, ASK]


def test_tenure():
    good = {
        "tenure_type": "real_estate_certificate",
        "tenure_document": "浙(2020)001",
        "tenure_until": "2050-12-31",
        "crediting_to": 2050,
    }
    parcels = table(
        good,
        good | {"tenure_until": "2050-12-30"},
        good | {"tenure_until": "unlimited"},
        good | {"tenure_until": date(2051, 1, 1)},
        good | {"tenure_document": " "},
        good | {"tenure_type": "rumour"},
        good | {"tenure_until": "soon"},
        good | {"crediting_to": None},
        {},
    )
    assert ask("tenure", parcels, documents=["real_estate_certificate"]) == [
        YES,
        NO,
        YES,
        YES,
        ASK,
        NO,
        ASK,
        ASK,
        ASK,
    ]


@pytest.mark.parametrize(
    ("rule", "attribute"), [("wetland", "is_wetland"), ("basic_farmland", "is_basic_farmland")]
)
def test_excluded_ground(rule, attribute):
    undecided = table({attribute: True}, {attribute: False}, {}, {attribute: "no"})
    assert ask(rule, undecided, **OVERLAP) == [NO, YES, ASK, ASK]
    side = 0.001
    half = shapely.box(118.8 + side / 2, 28.8, 118.8 + side, 29.0)
    sliver = shapely.box(118.8 + side, 28.9, 118.8 + side + 4e-9, 28.9 + side)
    parcels = table({}, {}, {}, exclusions={rule: np.array([half, half, sliver], object)})
    given = RULES[rule](parcels, limits(**OVERLAP))
    assert ask(rule, parcels, **OVERLAP) == [NO, YES, YES]
    assert given[0].area_m2 == pytest.approx(parcels.area_m2[0] / 2, rel=1e-9)
    assert given[0].geometry.area == pytest.approx(side * side / 2)
    assert 0 < given[1].area_m2 < 1
    assert given[2].geometry is None
    nothing = table({attribute: True}, exclusions={rule: np.empty(0, object)})
    assert ask(rule, nothing, **OVERLAP) == [YES]


def test_a_broken_exclusion_layer_still_counts():
    bowtie = shapely.Polygon([(118.8, 28.9), (118.801, 28.901), (118.801, 28.9), (118.8, 28.901)])
    assert ask(
        "wetland", table({}, exclusions={"wetland": np.array([bowtie], object)}), **OVERLAP
    ) == [NO]


def test_slope():
    facts = SlopeFacts(
        method="zevenbergen_thorne",
        layer="dem.tif",
        mean_deg=np.array([25.0, 25.001, np.nan, 3.0]),
        max_deg=np.array([40.0, 30, np.nan, 5]),
        known_share=np.array([1.0, 1, 0, 0.4]),
    )
    parcels = table({}, {}, {}, {}, slope=facts)
    given = {"slope_deg_max": 25, "known_share_min": 0.9, "method": "zevenbergen_thorne"}
    assert ask("slope", parcels, **given) == [YES, NO, ASK, ASK]
    assert ask("slope", table({}), **given) == [ASK]
    with pytest.raises(ValueError, match="horn"):
        ask("slope", parcels, **(given | {"method": "horn"}))


def test_land_class_share():
    shares = {"bamboo": np.array([0.5, 0.8, 0.79, np.nan]), "tree": np.array([0.5, 0.0, 0.0, 1.0])}
    parcels = table({}, {}, {}, {}, class_shares=shares)
    assert ask("land_class_share", parcels, classes=["bamboo", "tree"], share_min=0.8) == [
        YES,
        YES,
        NO,
        ASK,
    ]
    assert ask("land_class_share", parcels, classes=["shrub"], share_min=0.8) == [ASK] * 4


def test_economic_forest():
    parcels = table(
        {"land_class": "0201"},
        {"forest_category": "economic", "land_class": "0301"},
        {"land_class": "0301"},
        {"forest_category": "commodity"},
        {},
    )
    assert ask("economic_forest", parcels, excluded_land_classes=["0201", "0204"]) == [
        NO,
        NO,
        ASK,
        YES,
        ASK,
    ]


def claims(*rows):
    return ClaimLayer(
        ids=[f"c{i}" for i in range(len(rows))],
        schemes=[r[0] for r in rows],
        geometries=np.array([r[1] for r in rows], object),
        first_year=np.array([r[2] for r in rows], np.int64),
        last_year=np.array([r[3] for r in rows], np.int64),
    )


def test_claims_exclude_by_ground_and_years():
    years = {"crediting_from": 2026, "crediting_to": 2045}
    held = claims(
        ("ccer", square(0.5, 0), 2020, 2025),
        ("vcs", square(2.5, 0), 2045, 2060),
        ("ticket", square(9, 0), 2000, 2100),
    )
    parcels = table(
        years,
        years,
        years,
        years,
        {},
        {},
        claims=held,
        geometries=[
            square(0, 0),
            square(1, 0),
            square(2, 0),
            square(5, 0),
            square(1, 0),
            square(6, 0),
        ],
    )
    assert ask("other_programme", parcels, **OVERLAP) == [YES, YES, NO, YES, ASK, YES]
    refused = RULES["other_programme"](parcels, limits(**OVERLAP))[2]
    assert refused.params["claims"] == "c1"
    assert refused.area_m2 == pytest.approx(parcels.area_m2[2] / 2, rel=1e-6)
    assert ask("other_programme", table(years), **OVERLAP) == [ASK]


def test_order_of_parcels_changes_no_answer():
    rng = np.random.default_rng(9)
    attributes = [
        {"start_year": int(y), "non_forest_years": int(f)}
        for y, f in zip(rng.integers(2017, 2023, 30), rng.integers(1, 6, 30), strict=True)
    ]
    area = rng.uniform(300, 800, 30)
    order = rng.permutation(30)
    rules = {
        "area_min": limits(area_m2_min=400, early_area_m2_min=667, early_until_year=2019),
        "non_forest_years": limits(years_min=3),
    }
    straight = run_rules(table(*attributes, area=area), rules)
    mixed = run_rules(table(*(attributes[k] for k in order), area=area[order]), rules)
    for name in rules:
        assert [straight[name][k].answer for k in order] == [one.answer for one in mixed[name]]


def test_rules_run_in_reading_order_and_unknown_ones_are_a_mistake():
    given = run_rules(table({}), {"wetland": limits(**OVERLAP), "area_min": limits(area_m2_min=1)})
    assert list(given) == ["area_min", "wetland"]
    assert overall([answers[0] for answers in given.values()]) is ASK
    assert overall([]) is YES
    with pytest.raises(KeyError, match="no such rule"):
        run_rules(table({}), {"moon": {}})


def test_columns_of_different_lengths_are_a_mistake():
    with pytest.raises(ValueError, match="lengths"):
        table({}, area=[1.0, 2.0])


def test_a_threshold_of_the_wrong_kind_is_a_mistake():
    with pytest.raises(TypeError, match="not a number"):
        _ = limits(x="400")["x"].exact
    with pytest.raises(TypeError, match="not a list"):
        _ = limits(x=400)["x"].texts


def test_the_red_line_is_ground_that_is_not_allowed():
    parcels = table({}, {}, exclusions={"red_line": np.array([square(0.5, 0)], object)})
    assert ask("red_line", parcels, **OVERLAP) == [NO, NO]
    assert ask("red_line", table({"is_red_line": False}, {}), **OVERLAP) == [YES, ASK]


def test_canopy_by_layer_then_by_record_and_both_limits_belong():
    asked = {"canopy_share_min": 0.2, "canopy_share_max": 0.7, "known_share_min": 0.9}
    layer = CanopyFacts(
        layer="canopy",
        mean_share=np.array([0.2, 0.7, 0.71, np.nan, 0.5]),
        known_share=np.array([1.0, 0.9, 1.0, 0.0, 0.5]),
    )
    parcels = table({}, {}, {}, {"canopy": 0.19}, {"canopy": "0.4"}, canopy=layer)
    assert ask("canopy", parcels, **asked) == [YES, YES, NO, NO, YES]
    assert ask("canopy", table({"canopy": 4}, {}), **asked) == [ASK, ASK]


def test_a_strip_is_too_narrow_and_a_field_is_not():
    strip = shapely.box(118.8, 28.9, 118.81, 28.90005)
    tail = shapely.union(square(0, 0), shapely.box(118.801, 28.9, 118.8012, 28.90002))
    parcels = table({}, {}, {}, geometries=[square(0, 0), strip, tail])
    asked = {"width_m_min": 10, "wide_share_min": 0.95}
    assert ask("width_min", parcels, **asked) == [YES, NO, YES]
    found = RULES["width_min"](parcels, limits(**asked))
    assert found[1].area_m2 == pytest.approx(parcels.area_m2[1])
    assert found[0].params["measured"] == pytest.approx(1, abs=0.005)  # but for the four corners


@given(angle=st.floats(0, 360), width=st.floats(8, 30))
def test_width_does_not_ask_how_a_strip_lies(angle, width):
    metre = 1 / 111_195.0
    long = shapely.affinity.rotate(shapely.box(-200, -width / 2, 200, width / 2), angle)
    lat = 28.9
    place = shapely.transform(
        long,
        lambda xy: np.array([118.8, lat]) + xy * metre / np.array([np.cos(np.radians(lat)), 1]),
    )
    assume(abs(width - 16) > 0.1)
    answer = ask("width_min", table({}, geometries=[place]), width_m_min=16, wide_share_min=0.9)
    assert answer == [YES if width > 16 else NO]


def test_parts_lie_together_or_apart_and_are_no_crumbs():
    near = shapely.MultiPolygon([square(0, 0), square(1.2, 0), square(2.4, 0)])
    far = shapely.MultiPolygon([square(0, 0), square(5, 0)])
    crumb = shapely.MultiPolygon([square(0, 0), square(10.05, 0, size=0.0001)])
    touching = shapely.MultiPolygon([square(0, 0), square(1, 1)])
    parcels = table({}, {}, {}, {}, {}, geometries=[near, far, crumb, touching, square(0, 0)])
    asked = {"gap_m_max": 25, "part_m2_min": 400}
    assert ask("contiguity", parcels, **asked) == [YES, NO, NO, YES, YES]


def test_additionality_needs_a_ground_and_nothing_against():
    asked = {"grounds": ["barren", "remote"], "excluded": ["planting_duty"]}
    parcels = table(
        {"barren": True, "planting_duty": False},
        {"barren": True, "planting_duty": True},
        {"barren": False, "remote": False, "planting_duty": False},
        {"barren": True},
        {"barren": False, "planting_duty": False},
    )
    assert ask("additionality", parcels, **asked) == [YES, NO, NO, ASK, ASK]
