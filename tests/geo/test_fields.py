import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.fields import codes, field_findings, map_fields, meaning_of, meanings
from geo.intake import examine_document
from tests.geo.makers import collection, feature, ring


def found(rows, areas=None):
    areas = np.full(len(rows), np.nan) if areas is None else np.array(areas, dtype=float)
    return list(field_findings(np.arange(1, len(rows) + 1), rows, areas))


def codes_of(rows, areas=None):
    return [f.code for f in found(rows, areas)]


def test_names_of_both_surveys_are_known_whatever_their_case_and_width():
    names = ["XIAO_BAN", "you_shi_sz", "郁闭度", "ｄｌｂｍ", "QSDWMC", "林班", "note"]
    assert map_fields(names) == {
        "XIAO_BAN": "sub_compartment", "you_shi_sz": "dominant_species", "郁闭度": "canopy",
        "ｄｌｂｍ": "land_class_code", "QSDWMC": "owner_unit_name", "林班": "compartment",
    }  # fmt: skip
    assert meaning_of("note") is None


def test_a_name_means_one_thing_and_every_row_has_a_source():
    names = [name.lower() for about in meanings().values() for name in about.names]
    assert len(set(names)) == len(names)
    assert {about.mark for about in meanings().values()} <= {"read", "seen", "recalled"}
    assert codes("land_survey")["0302"] == "竹林地"


def test_codes_that_no_table_holds_are_told_once_and_words_left_alone():
    rows = [
        {"DLBM": "0301"},
        {"DLBM": "0399"},
        {"DLBM": "0399"},
        {"di_lei": "乔木林地"},
        {"ZLDWDM": "33"},
    ]
    told = [f for f in found(rows) if f.code == "FIELD_CODE_UNKNOWN"]
    assert [(f.params["field"], f.params["value"], f.params["rows"], f.params["first_row"]) for f in told] == [
        ("DLBM", "0399", 2, 2), ("ZLDWDM", "33", 1, 5),
    ]  # fmt: skip


def test_canopy_in_percent_is_told():
    assert codes_of([{"yu_bi_du": 0.7}]) == ["FIELDS_MAPPED"]
    assert codes_of([{"yu_bi_du": 70}]) == ["FIELDS_MAPPED", "FIELD_OUT_OF_RANGE"]


@pytest.mark.parametrize(
    ("field", "factor", "likely"),
    [
        ("xbmj", 15 / 10_000, "mu"),
        ("xbmj", 1.0, "m2"),
        ("面积(亩)", 1 / 10_000, "ha"),
        ("TBDLMJ", 15 / 10_000, "mu"),
    ],
)
def test_a_mistaken_unit_of_area_is_told_once(field, factor, likely):
    areas = [1_000.0, 25_000.0, 700.0]
    told = found([{field: area * factor} for area in areas], areas)
    assert [f.code for f in told] == ["FIELDS_MAPPED", "AREA_UNIT_SLIP"]
    assert told[1].params["likely"] == likely


def test_a_stated_area_far_from_the_ground_is_told_by_row():
    rows = [{"xbmj": 0.1}, {"xbmj": 0.2}, {"xbmj": 0.1}]
    told = found(rows, [1_000, 1_000, 1_020])
    assert [(f.row, f.code) for f in told] == [(None, "FIELDS_MAPPED"), (2, "AREA_DIFFERS")]


def test_the_mapping_is_a_finding_of_the_file_and_changes_no_attribute():
    plain = {"xiao_ban": "0012", "yu_bi_du": 0.7}
    intake = examine_document(collection(feature([ring()], **plain)))
    assert intake.accepted == 1
    assert intake.attributes[0] == plain
    (note,) = intake.findings_of(None)
    assert note.params["mapping"] == {"xiao_ban": "sub_compartment", "yu_bi_du": "canopy"}


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["DLBM", "xbmj", "yu_bi_du", "ZLDWDM", "a"]),
            st.one_of(st.none(), st.text(), st.integers(), st.floats(), st.booleans()),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_any_value_is_a_warning_at_most(rows):
    assert {f.severity for f in found(rows, [100.0] * len(rows))} <= {"warning"}
