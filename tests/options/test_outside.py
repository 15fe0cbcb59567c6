"""The programmes we ship can be sold under: their sections are those a lot is drafted from."""

import tomllib
from pathlib import Path

import pytest

from options import outside
from options.programme import sale_terms, waterfall_terms

FILES = sorted((Path(__file__).parents[2] / "registry" / "programmes").glob("*.toml"))
SOLD = [path for path in FILES if "[sale]" in path.read_text("utf-8")]


@pytest.mark.parametrize("path", SOLD, ids=lambda path: path.stem)
def test_a_programme_that_sells_has_whole_terms(path):
    sections = outside.bare(tomllib.loads(path.read_text("utf-8")))
    terms, sharing = sale_terms(sections["sale"]), waterfall_terms(sections["waterfall"])
    assert terms.notice_days >= 15
    assert terms.timers.cooling_off_days == 7
    assert sharing.published
    assert sharing.ratio == 1 or sharing.remainder_payee


def test_there_is_something_to_sell():
    assert {"county-inclusion", "one-village-ten-thousand-trees"} <= {p.stem for p in SOLD}
