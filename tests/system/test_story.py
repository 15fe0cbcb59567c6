"""The story of the demo county holds, and telling it twice acts once."""

import json

import pytest
from sqlalchemy import text

from geo.synthetic import make_county
from registry.db import transaction
from web.cli.log import export_log
from web.demo.story import tell
from web.demo.teller import Teller


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    folder = tmp_path_factory.mktemp("county")
    make_county(size="small", out_dir=folder)
    return folder


def test_the_story_holds_and_repeats_itself(engine, county, tmp_path):
    def told():
        return tell(Teller(engine=engine, folder=county, state=tmp_path))

    first = told()
    assert [check.name for check in first.checks if not check.holds] == []
    assert all(step.totals for step in first.steps)
    again = told()
    assert [step.totals for step in again.steps] == [step.totals for step in first.steps]
    assert [check.name for check in again.checks if not check.holds] == []
    json.dumps([step.totals for step in first.steps])
    withheld_from_the_record(engine, tmp_path / "log.jsonl")


def withheld_from_the_record(engine, log):
    """No account's number stands in the log given out, or in answers kept for repeats."""
    with transaction(engine) as session:
        numbers = session.scalars(text("SELECT number FROM party_account")).all()
        kept = session.scalars(text("SELECT row_to_json(i)::text FROM idempotency i")).all()
    assert len(numbers) > 5
    assert export_log(engine, log) > 100
    written = log.read_text(encoding="utf-8") + "".join(kept)
    assert [number for number in numbers if number in written] == []
