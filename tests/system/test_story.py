"""The story of the demo county holds, and telling it twice acts once."""

import json

import pytest

from geo.synthetic import make_county
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
