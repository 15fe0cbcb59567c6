"""Bad requests of the market through the front door: a stable code, and nothing half-written.

Each is typed at the command line on a real database; every table of the market is counted before
and after.
"""

import json
from types import SimpleNamespace

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from registry import transfers
from registry.db import transaction
from registry.ranges import Selection
from tests.options.conftest import empty_walk, walk  # noqa: F401 -- fixtures
from web import database, messages
from web.cli import app
from web.cli.output import refuse

TABLES = (
    "event",
    "entry",
    "idempotency",
    "bank_line",
    "unit_range",
    "retirement",
    "reservation",
    "subscription",
    "subscription_line",
    "lot_step",
)


@pytest.fixture
def desk(walk, monkeypatch):  # noqa: F811
    """The command line on the walk's database."""
    monkeypatch.setattr(database, "app_engine", lambda: walk.engine)

    def run(*words: object, who="clerk"):
        common = ("--as", walk.people[who], "--at", walk.now.isoformat(), "--json")
        return CliRunner().invoke(app, [*map(str, (*words, *common))])

    return SimpleNamespace(walk=walk, run=run)


def written(walk) -> dict[str, object]:  # noqa: F811
    """Rows of every table, and every balance."""
    with transaction(walk.engine) as session:
        rows = {t: session.scalar(text(f"SELECT count(*) FROM {t}")) for t in TABLES}
        balances = session.execute(text("SELECT id, balance FROM account WHERE balance <> 0")).all()
    return rows | {"balances": sorted((str(one), amount) for one, amount in balances)}


def refused(desk, code: str, *words: object, who="clerk") -> None:
    """The request is refused with ``code`` in both languages and leaves no trace."""
    before = written(desk.walk)
    result = desk.run(*words, who=who)
    assert result.exit_code == 1
    assert result.exception.code == code
    said = messages.say(code, result.exception.params)
    assert said.zh
    assert said.en
    assert said.remedy_zh
    assert said.remedy_en
    assert "{" not in said.zh + said.en + said.remedy_zh + said.remedy_en
    assert written(desk.walk) == before
    desk.walk.whole()


def signed(walk, lot):  # noqa: F811
    done = walk.reserve(lot, (2025, 3_000))
    walk.sign(done.subscription_id)
    walk.tick(minutes=11)
    return done


def paying(walk, fen: int, *, reference: str = "B-1", booked: str = "") -> tuple[object, ...]:  # noqa: F811
    return (
        *("--bank-reference", reference, "--amount-fen", fen),
        *("--counterparty", "绿源公司", "--booked-on", booked or walk.now.date()),
    )


@pytest.mark.parametrize("off", [-1, 1])
def test_a_payment_that_is_a_fen_off(desk, off):
    done = signed(desk.walk, desk.walk.on_sale())
    refused(
        desk,
        "PAYMENT_AMOUNT_WRONG",
        *("subscription", "pay", done.number, *paying(desk.walk, done.amount_fen + off)),
    )


def test_the_same_key_twice_gives_the_same_answer_and_acts_once(desk):
    done = signed(desk.walk, desk.walk.on_sale())
    ask = ("subscription", "pay", done.number, *paying(desk.walk, done.amount_fen), "--key", "one")
    first = desk.run(*ask)
    assert first.exit_code == 0
    before = written(desk.walk)
    desk.walk.later(minutes=5)
    booked = ("--booked-on", desk.walk.now.date())
    again = desk.run(*ask, *booked)
    assert (again.exit_code, json.loads(again.stdout)) == (0, json.loads(first.stdout))
    assert written(desk.walk) == before
    desk.walk.whole()


def test_the_same_key_for_another_request(desk):
    lot = desk.walk.on_sale()
    who = ("--buyer-id", desk.walk.parties["buyer"], "--buyer-kind", "enterprise", "--key", "one")
    first = desk.run("subscription", "reserve", lot, *who, "--lines", "vintage=2025,quantity=10")
    assert first.exit_code == 0
    refused(
        desk,
        "IDEMPOTENCY_KEY_REUSED",
        *("subscription", "reserve", lot, *who, "--lines", "vintage=2025,quantity=11"),
    )


def test_retired_units_do_not_move(desk):
    walk = desk.walk  # noqa: F811
    desk.run("unit", "issue", walk.verified({"石梁村": {2025: 10_000}}))
    company, buyer = walk.parties["company"], walk.parties["buyer"]
    moved = walk.run(
        transfers.transfer,
        transfers.TransferUnits,
        holder_id=company,
        receiver_id=buyer,
        units=Selection(kg=500),
    )
    retired = desk.run(
        *("unit", "retire", "--holder-id", buyer, "--serials", moved.serials[0]),
        *("--beneficiary", "绿源公司", "--beneficiary-kind", "enterprise"),
        *("--beneficiary-location", "CN-ZJ", "--purpose", "corporate_targets"),
        *("--reporting-period", "2025"),
        who="buyer",
    )
    assert retired.exit_code == 0, retired.output
    pair = ("--holder-id", buyer, "--receiver-id", walk.parties["second"])
    asked = ("unit", "transfer", *pair, "--serials", moved.serials[0])
    refused(desk, "UNIT_NOT_HELD", *asked, who="buyer")


def test_a_lot_is_not_sold_twice(desk):
    lot = desk.walk.on_sale()
    who = ("--buyer-id", desk.walk.parties["buyer"], "--buyer-kind", "enterprise")
    most = desk.run("subscription", "reserve", lot, *who, "--lines", "vintage=2025,quantity=9999")
    assert most.exit_code == 0
    refused(
        desk,
        "LOT_OVERSOLD",
        *("subscription", "reserve", lot, *who, "--lines", "vintage=2025,quantity=2"),
    )


def test_the_edge_says_a_refusal_in_both_languages(desk, capsys):
    done = signed(desk.walk, desk.walk.on_sale())
    result = desk.run("subscription", "pay", done.number, *paying(desk.walk, done.amount_fen - 1))
    assert refuse(result.exception) == 1
    said = capsys.readouterr().err
    assert said.count("→") == 2
    assert said.startswith(f"[{result.exception.code}] ")
