"""Division codes: short and full forms, and what lies below a division."""

import pytest

from registry import divisions
from registry.db import SYSTEM_ACTOR
from registry.errors import NotFoundError


@pytest.mark.parametrize(
    ("code", "prefix"),
    [
        ("33", "33"),
        ("330800", "3308"),
        ("330802", "330802"),
        ("330802100", "330802100"),
        ("330802100000", "330802100"),
        ("330802101200", "330802101200"),
    ],
)
def test_the_prefix_of_a_subtree_is_cut_by_whole_groups(code, prefix):
    assert divisions.subtree_prefix(code) == prefix


def test_an_unknown_division_is_refused(session):
    with pytest.raises(NotFoundError, match="999999"):
        divisions.require(session, "999999")


def test_divisions_load_once_parents_first(session, at):
    rows = [
        divisions.DivisionRow(
            code="330802000000", name="区", level="county", parent_code="330800000000"
        ),
        divisions.DivisionRow(code="330800000000", name="市", level="city", parent_code=None),
    ]
    command = divisions.LoadDivisions(
        at=at, actor_id=SYSTEM_ACTOR, key="d", valid_from_year=2023, source="t", rows=rows
    )
    assert divisions.load(session, command).new == 2
    assert divisions.load(session, command).new == 0
    assert list(divisions.children(session, "3308")) == [("330802000000", "区")]
