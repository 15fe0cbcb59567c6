"""The programme files: every figure with its source, every rule known, sections as their readers take them."""

import tomllib
from datetime import date
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import shapely

from geo.area import area_m2
from geo.eligibility import RULES, Answer, ParcelTable, Threshold, run_rules
from geo.slope import SlopeMethod

FOLDER = Path(__file__).parents[2] / "registry" / "programmes"
FILES = {
    path.stem: tomllib.loads(path.read_text(encoding="utf-8"))
    for path in sorted(FOLDER.glob("*.toml"))
}
MARKS = {"read", "secondary", "recalled", "computed", "proposed"}
LOCAL = [name for name, file in FILES.items() if "sale" in file]


def is_figure(value):
    return isinstance(value, dict) and "value" in value


def figures(value, path=""):
    """Every {value, unit, source ...} table below, with its path; a bare number is an error."""
    if is_figure(value):
        yield path, value
    elif isinstance(value, dict):
        for key, below in value.items():
            yield from figures(below, f"{path}.{key}")
    elif isinstance(value, list):
        for k, below in enumerate(value):
            yield from figures(below, f"{path}[{k}]")
    else:
        assert isinstance(value, str), f"{path}: {value!r} has no unit, source and mark"


def plain(value):
    """The section without sources."""
    if is_figure(value):
        return value["value"]
    return {key: plain(below) for key, below in value.items()} if isinstance(value, dict) else value


def test_the_five_programmes_are_there():
    assert set(FILES) == {
        "ccer-afforestation",
        "county-inclusion",
        "one-village-ten-thousand-trees",
        "county-bamboo",
        "orchard-label",
    }
    assert [name for name, file in FILES.items() if file["issuing_authority"] == "external"] == [
        "ccer-afforestation"
    ]
    assert "ccer-afforestation" not in LOCAL


@pytest.mark.parametrize("name", FILES)
def test_every_figure_says_where_it_comes_from(name):
    file = FILES[name]
    assert file["id"] == name
    found = list(figures(file))
    assert found
    for path, figure in found:
        assert set(figure) - {"note"} == {"value", "unit", "source", "mark", "checked_on"}, path
        assert figure["mark"] in MARKS, path
        assert isinstance(figure["checked_on"], date), path
        assert figure["unit"], path
        assert figure["source"], path


@pytest.mark.parametrize("name", FILES)
def test_every_rule_runs_on_its_thresholds(name):
    rules = {}
    for entry in FILES[name]["rules"]:
        rules[entry["rule"]] = {
            key: Threshold(**figure) for key, figure in entry["thresholds"].items()
        }
    assert set(rules) <= set(RULES)
    geometry = np.array([shapely.box(118.8, 28.9, 118.801, 28.901)])
    parcels = ParcelTable(
        ids=["p"], geometries=geometry, area_m2=area_m2(geometry), attributes=[{}]
    )
    given = run_rules(parcels, rules)
    expected = dict.fromkeys(rules, Answer.NEEDS_DOCUMENTS) | (
        {"area_min": Answer.ELIGIBLE} if "area_min" in rules else {}
    )
    assert {rule: answers[0].answer for rule, answers in given.items()} == expected
    if "slope" in rules:
        assert rules["slope"]["method"].value in set(SlopeMethod)


@pytest.mark.parametrize("name", [name for name, file in FILES.items() if "uncertainty" in file])
def test_discounts_are_those_of_the_science_table(name):
    from sinks.uncertainty import discount_table

    section = FILES[name]["uncertainty"]
    table = discount_table(section["table"])
    assert section["basis"] == table.basis
    assert section["on"] == "project_change"

    def number(band, key):
        return Fraction(str(band[key]["value"])) if key in band else None

    assert [(number(b, "u_max"), number(b, "share")) for b in section["bands"]] == [
        (b.u_max, b.share) for b in table.bands
    ]


@pytest.mark.parametrize("name", LOCAL)
def test_sale_and_waterfall_are_as_options_take_them(name):
    from options.programme import sale_terms, waterfall_terms

    sale = sale_terms(plain(FILES[name]["sale"]))
    assert sale.unit.value == ("tree" if FILES[name]["kind"] == "tree" else "kg")
    assert (sale.timers.reserve_person_minutes, sale.timers.cooling_off_days, sale.notice_days) == (
        30,
        7,
        15,
    )
    waterfall = waterfall_terms(plain(FILES[name]["waterfall"]))
    assert (
        waterfall.ratio
        == {
            "county-inclusion": 1,
            "county-bamboo": Fraction(4, 5),
            "one-village-ten-thousand-trees": Fraction(7, 10),
        }[name]
    )


@pytest.mark.parametrize("name", [name for name, file in FILES.items() if "non_permanence" in file])
def test_non_permanence_is_one_of_two(name):
    section = FILES[name]["non_permanence"]
    assert section["kind"] == ("deduction" if name == "ccer-afforestation" else "buffer_pool")
    assert 0 < Fraction(section["share"]["value"]) < 1
    years = FILES[name]["crediting"]
    assert years["years_min"]["value"] <= years["years_max"]["value"]


def test_the_label_set_exists():
    sets = tomllib.loads(
        (FOLDER.parents[1] / "sinks" / "tables" / "label_sets.toml").read_text(encoding="utf-8")
    )
    assert FILES["orchard-label"]["label"]["set"] in sets
