"""The nation's division codes, a county's own file, and what a county begins with."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry import counties, nation
from registry.division_files import DivisionFileError, OwnDivisions, read_divisions, short_code
from registry.divisions import LEVELS, full_code, subtree_prefix

COUNTIES = sorted(code for code in nation.names() if len(code) == 6)


@given(adcode=st.sampled_from(COUNTIES))
def test_every_county_hangs_together_from_its_province_down(adcode):
    rows = nation.county_rows(adcode)
    codes = {row.code for row in rows}
    assert len(codes) == len(rows)
    assert full_code(adcode) in codes
    assert [row.code for row in rows if row.parent_code is None] == [full_code(adcode[:2])]
    assert {row.parent_code for row in rows} - {None} <= codes
    assert all(row.code.startswith(adcode) for row in rows if row.level in {"county", "township"})


@given(code=st.sampled_from(sorted(nation.names())))
def test_a_code_made_short_is_the_prefix_of_its_subtree(code):
    assert short_code(full_code(code)) in {code, subtree_prefix(full_code(code))}


def test_a_city_that_is_its_own_county_stands_once():
    rows = nation.county_rows("441900")
    assert [(row.code, row.level) for row in rows[:2]] == [
        ("440000000000", "province"),
        ("441900000000", "county"),
    ]


@pytest.mark.parametrize(
    ("given_code", "wanted"),
    [("330823", "330822"), ("安吉", "330523"), ("330532", "330522"), ("柯城县", "330802")],
)
def test_an_unknown_code_names_the_nearest(given_code, wanted):
    with pytest.raises(nation.CountyUnknownError) as refused:
        nation.county_rows(given_code)
    assert wanted in refused.value.params["nearest"]
    assert len(nation.nearest(given_code)) <= 5


def test_a_csv_adds_villages_and_leaves_other_counties(tmp_path):
    file = tmp_path / "villages.csv"
    file.write_bytes(
        "区划代码,名称\n330523001002,余村\n330523001,昌硕街道\n330802101200,别处\n".encode(
            "gb18030"
        )
    )
    own = read_divisions(file, adcode="330523")
    assert [(row.code, row.level, row.parent_code) for row in own.rows] == [
        ("330523001002", "village", "330523001000"),
        ("330523001000", "township", "330523000000"),
    ]
    assert own.others == 1
    rows = {row.code: row for row in counties.county_divisions("330523", [own])}
    assert rows["330523001002"].name == "余村"
    assert rows["330523000000"].name == "安吉县"


@pytest.mark.parametrize("line", ["33052,短", "330523001,", "abc,字母"])
def test_a_row_that_makes_no_sense_is_named(tmp_path, line):
    file = tmp_path / "bad.csv"
    file.write_text(f"code,name\n330523001,一\n{line}\n", encoding="utf-8")
    with pytest.raises(DivisionFileError) as refused:
        read_divisions(file, adcode="330523")
    assert refused.value.params["row"] == 3


def outline(code, name, ring):
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {
        "type": "Feature",
        "properties": {"adcode": code, "name": name},
        "geometry": geometry,
    }


def test_a_boundary_is_kept_and_an_unsound_one_is_refused(tmp_path):
    square = [[119.6, 30.6], [119.7, 30.6], [119.7, 30.7], [119.6, 30.7], [119.6, 30.6]]
    bow = [[119.6, 30.6], [119.7, 30.7], [119.7, 30.6], [119.6, 30.7], [119.6, 30.6]]
    file = tmp_path / "own.geojson"
    file.write_text(
        json.dumps({"type": "FeatureCollection", "features": [outline(330523, "安吉县", square)]})
    )
    own = read_divisions(file, adcode="330523")
    assert own.rows[0].boundary is not None
    rows = {row.code: row for row in counties.county_divisions("330523", [own])}
    assert rows["330523000000"].boundary == own.rows[0].boundary
    file.write_text(
        json.dumps({"type": "FeatureCollection", "features": [outline("330523", "安吉县", bow)]})
    )
    with pytest.raises(DivisionFileError):
        read_divisions(file, adcode="330523")


def test_a_county_set_up_later_comes_from_its_file_alone(tmp_path):
    file = tmp_path / "new.csv"
    file.write_text("code,name\n330899,新县\n330899001,新街道\n", encoding="utf-8")
    rows = counties.county_divisions("330899", [read_divisions(file, adcode="330899")])
    assert [(row.code, row.parent_code) for row in rows] == [
        ("330000000000", None),
        ("330800000000", "330000000000"),
        ("330899000000", "330800000000"),
        ("330899001000", "330899000000"),
    ]
    with pytest.raises(nation.CountyUnknownError):
        counties.county_divisions("330899", [OwnDivisions(rows=(), others=0)])


def test_levels_are_the_digits_of_a_short_code():
    assert {len(code) for code in nation.names()} == set(LEVELS) - {12}
