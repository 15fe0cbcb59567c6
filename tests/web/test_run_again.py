"""``make run`` on a county that is there already: served, whatever became of its story."""

import pytest

from registry import divisions
from registry.db import SYSTEM_ACTOR, perform
from web.cli.run import told_or_kept
from web.demo.county import division_rows
from web.demo.teller import Teller


def teller(engine, folder):
    return Teller(engine=engine, folder=folder, state=folder, say=lambda _line: None)


def test_a_story_that_can_no_longer_be_repeated_leaves_the_county_as_it_is(
    engine, at, tmp_path, capsys
):
    other = divisions.LoadDivisions(
        at=at, actor_id=SYSTEM_ACTOR, key="story:divisions", valid_from_year=2020,
        source="an older version", rows=list(division_rows())[:1],
    )  # fmt: skip
    perform(engine, divisions.load, other)
    assert told_or_kept(teller(engine, tmp_path)) is None
    said = capsys.readouterr()
    assert "IDEMPOTENCY_KEY_REUSED" in said.err
    assert "故事不再重讲" in said.out


def test_a_fault_of_the_first_telling_is_not_passed_over(engine, tmp_path):
    with pytest.raises(FileNotFoundError):
        told_or_kept(teller(engine, tmp_path))
