"""The orchards' step of the demo story holds, and told again it acts no second time."""

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from geo.synthetic import make_county
from registry.db import transaction
from web import database
from web.cli import app
from web.demo import county, orchards, plots
from web.demo.teller import Teller

STEPS = {"county": county.tell, "plots": plots.tell, "orchards": orchards.tell}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("county")
    make_county("tiny", out_dir=root)
    return root


def rows(engine):
    with transaction(engine) as session:
        return [
            session.scalar(text(f"SELECT count(*) FROM {table}"))
            for table in ("orchard_line", "orchard_balance", "orchard_label", "reward_movement")
        ]


def test_the_orchards_story_holds_and_acts_once(engine, folder, tmp_path, monkeypatch):
    teller = Teller(engine=engine, folder=folder, state=tmp_path)
    told = teller.tell(STEPS)
    assert [check for check in told.checks if not check.holds] == []
    before = rows(engine)
    again = Teller(engine=engine, folder=folder, state=tmp_path)
    told_again = again.tell(STEPS)
    assert rows(engine) == before
    assert told_again.steps[2].totals == told.steps[2].totals
    monkeypatch.setattr(database, "app_engine", lambda: engine)
    shows = CliRunner()
    listed = shows.invoke(
        app, ["orchard", "list", "--adcode", "330802", "--year", "2025", "--base", "2024"]
    )
    assert listed.exit_code == 0, listed.output
    assert "15 个账户" in listed.output
    first = str(teller.found["orchards"]["ORC-001"])
    book = shows.invoke(app, ["orchard", "book", first, "--year", "2025", "--json"])
    assert '"status": "approved"' in book.output
    assert shows.invoke(app, ["orchard", "show", first]).exit_code == 0
    label = shows.invoke(app, ["label", "show", "LBL-330802-2025-000001"])
    assert "航埠镇" in label.output
    run = shows.invoke(app, ["label", "run", "--adcode", "330802", "--year", "2025", "--json"])
    assert '"dark_green": 2' in run.output
