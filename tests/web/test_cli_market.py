"""A sale from the first draft to the village's money, typed at the command line."""

import json
from types import SimpleNamespace
from uuid import UUID

import pytest
from typer.testing import CliRunner

from options.refusals import SoldAheadError
from registry.db import transaction
from registry.errors import NotFoundError
from tests import factories
from tests.options.conftest import empty_walk, walk  # noqa: F401 -- fixtures
from web import database
from web.cli import app, log


@pytest.fixture
def desk(walk, monkeypatch, tmp_path):  # noqa: F811
    """The command line on the walk's database; ``say`` returns its JSON."""
    monkeypatch.setattr(database, "app_engine", lambda: walk.engine)
    monkeypatch.setattr("web.cli.unit.settings", lambda: SimpleNamespace(state_dir=tmp_path))
    document = tmp_path / "document.pdf"
    document.write_bytes(b"document")

    def say(*words: object, who: str | None = None, code: int = 0):
        acting = ("--as", walk.people[who], "--at", walk.now.isoformat()) if who else ()
        result = CliRunner().invoke(app, [*map(str, (*words, *acting)), "--json"])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return json.loads(result.stdout) if code == 0 else result.output

    return SimpleNamespace(walk=walk, say=say, document=document, folder=tmp_path)


def create(desk) -> str:
    w = desk.walk
    file = desk.folder / "lot.json"
    file.write_text(
        json.dumps(
            {
                "number": "L-1",
                "title": "石梁村毛竹林",
                "programme_id": w.program,
                "programme_version": "1",
                "company_id": str(w.parties["company"]),
                "project_id": str(w.project),
                "run_id": str(w.forecast),
                "term_years": 1,
                "parcels": [
                    {
                        "parcel_id": str(w.parcels["石梁村"]),
                        "supplier_id": str(w.parties["石梁村"]),
                        "tenure": "collective",
                        "claim_id": str(w.claims["石梁村"]),
                    }
                ],
                "offers": [{"vintage": 2025, "quantity": 10_000, "price_fen": 6_000}],
            }
        )
    )
    return desk.say("lot", "create", "--file", file, who="clerk")["lot_id"]


def on_sale(desk) -> str:
    lot = create(desk)
    desk.say("lot", "submit", lot, who="clerk")
    desk.say("lot", "review", lot, "--passed", who="reviewer")
    desk.say("lot", "notice", lot, "--document", desk.document, who="clerk")
    desk.walk.later(days=25)
    vote = ("--on", desk.walk.now.date(), "--yes", 40, "--entitled", 60)
    desk.say("lot", "resolve", lot, *vote, who="clerk")
    desk.say("lot", "pre-store", lot, "--exempt-reason", "小额", who="clerk")
    state = desk.say("lot", "list-for-sale", lot, who="clerk")
    assert state["sale_state"] == "LISTED"
    return lot


def bought(desk, lot: str, kg: int = 3_000):
    w = desk.walk
    who = ("--buyer-id", w.parties["buyer"], "--buyer-kind", "enterprise")
    line = ("--lines", f"vintage=2025,quantity={kg}")
    made = desk.say("subscription", "reserve", lot, *who, *line, who="clerk")
    one = made["subscription_id"]
    checks = ("--identity-checked", "--risk-accepted", "--contract", desk.document)
    desk.say("subscription", "sign", one, *checks, who="clerk")
    w.tick(minutes=11)
    paid = desk.say(
        "subscription", "pay", made["number"], *statement(w, made["amount_fen"]), who="clerk"
    )
    assert paid["amount_fen"] == made["amount_fen"]
    w.tick(days=20)
    return made


def statement(w, fen: int, *, reference="B-1", counterparty="绿源公司"):
    return (
        *("--bank-reference", reference, "--amount-fen", fen),
        *("--counterparty", counterparty, "--booked-on", w.now.date()),
    )


def issued(desk) -> str:
    """A period submitted, verified and delivered from the command line."""
    w = desk.walk
    with transaction(w.engine) as session:
        run = factories.run(session, w.project, {w.parcels["石梁村"]: {2025: 10_000}})
    period = desk.say(
        *("period", "submit", "--project-id", w.project, "--run-id", run),
        *("--starts-on", "2025-01-01", "--ends-on", "2026-01-01", "--baseline-kg", 0),
        *("--emissions-kg", 0, "--leakage-kg", 0, "--uncertainty", "0"),
        *("--non-permanence", "buffer_pool", "--non-permanence-share", "1/10"),
        who="clerk",
    )["period_id"]
    verdict = ("--verifier-id", w.parties["verifier"], "--verified-kg", 10_000)
    desk.say("period", "verify", period, *verdict, "--statement", desk.document, who="verifier")
    return period


def test_from_draft_to_the_village(desk):
    w = desk.walk
    lot = on_sale(desk)
    made = bought(desk, lot)
    period = issued(desk)
    with pytest.raises(SoldAheadError):
        desk.say("unit", "issue", period, who="clerk")
    done = desk.say("unit", "deliver", period, who="clerk")
    assert done["vintages"][0]["delivered_kg"] == 3_000
    shown = desk.say("period", "show", period)
    assert sum(batch["size_kg"] for batch in shown["batches"]) == 10_000
    page = desk.say("subscription", "show", made["subscription_id"])
    assert page["lines"][0]["delivered"] == 3_000
    buyer = desk.say("unit", "holdings", w.parties["buyer"])
    assert buyer["kg"] == 3_000

    one = desk.say("settlement", "draft", lot, "--vintage", 2025, who="clerk")["settlement_id"]
    desk.say("settlement", "check", one, who="reviewer")
    desk.say("settlement", "approve", one, who="reviewer")
    desk.say("settlement", "approve", one, who="director")
    desk.say("settlement", "start-payment", one, who="clerk")
    for line in desk.say("settlement", "show", one)["lines"]:
        if line["kind"] != "reserve" and line["amount_fen"]:
            book = statement(
                w,
                line["amount_fen"],
                reference=f"P-{line['n']}",
                counterparty=line["payee_name"],
            )
            desk.say("settlement", "pay", one, "--lines", line["n"], *book, who="clerk")
    published = desk.say("settlement", "publish", one, "--document", desk.document, who="clerk")
    assert published["state"] == "PUBLISHED"
    told = desk.say("settlement", "show", one)
    assert sum(line["paid_fen"] for line in told["lines"]) == made["amount_fen"]
    w.whole()


def test_units_move_retire_and_are_certified(desk):
    w = desk.walk
    made = desk.say("unit", "issue", issued(desk), who="clerk")
    assert sum(batch["size_kg"] for batch in made["batches"]) == 10_000
    company, buyer = w.parties["company"], w.parties["buyer"]
    pair = ("--holder-id", company, "--receiver-id", buyer)
    rehearsed = desk.say("unit", "transfer", *pair, "--kg", 500, "--dry-run", who="clerk")
    assert rehearsed["kg"] == 500
    assert rehearsed["dry_run"]
    with pytest.raises(NotFoundError):
        desk.say("unit", "holdings", "00000000-0000-0000-0000-0000000000ff")
    assert desk.say("unit", "holdings", buyer)["kg"] == 0
    moved = desk.say("unit", "transfer", *pair, "--kg", 500, who="clerk")
    retired = desk.say(
        *("unit", "retire", "--holder-id", buyer, "--serials", moved["serials"][0]),
        *("--beneficiary", "绿源公司", "--beneficiary-kind", "enterprise"),
        *("--beneficiary-location", "CN-ZJ", "--purpose", "corporate_targets"),
        *("--reporting-period", "2025"),
        who="buyer",
    )
    assert retired["kg"] == 500
    shown = desk.say("unit", "show", moved["serials"][0])
    assert [part["status"] for part in shown["parts"]] == ["retired"]
    log.seal_event(w.engine, UUID(retired["event_id"]))
    sealed = desk.say("unit", "certify", retired["retirement_id"], who="buyer")
    page = desk.say("unit", "certificate", sealed["number"])
    assert page["signature_holds"]
    assert page["state"] == "valid"
    assert desk.say("unit", "holdings", buyer)["kg"] == 0


def test_a_year_is_distributed_once_to_the_fen(desk):
    village = desk.walk.parties["石梁村"]
    done = desk.say(
        *("distribution", "run", "--collective-id", village, "--year", 2025),
        *("--net-income-fen", 100_001, "--document", desk.document),
        *("--register", "household_code=A1,holder_name=王小明,shares=2"),
        *("--register", "household_code=A2,holder_name=李四,shares=1"),
        who="clerk",
    )
    shown = desk.say("distribution", "show", done["distribution_id"])
    assert shown["reserve_fen"] + sum(one["amount_fen"] for one in shown["payouts"]) == 100_001
    assert {one["masked_name"] for one in shown["payouts"]} == {"王**", "李*"}


def test_the_ways_out_of_a_lot_and_a_contract(desk):
    w = desk.walk
    lot = on_sale(desk)
    who = ("--buyer-id", w.parties["buyer"], "--buyer-kind", "enterprise")
    line = ("--lines", "vintage=2025,quantity=10000")
    made = desk.say("subscription", "reserve", lot, *who, *line, who="clerk")
    one = made["subscription_id"]
    checks = ("--identity-checked", "--risk-accepted", "--contract", desk.document)
    desk.say("subscription", "sign", one, *checks, who="clerk")
    assert desk.say("subscription", "undo", one, who="clerk")["state"] == "CANCELLED"
    assert (
        desk.say("lot", "close", lot, "--reason", "年末", who="clerk")["sale_state"]
        == "CLOSED_TO_SALE"
    )
    (listed,) = desk.say("lot", "list")
    assert listed["lot_id"] == lot
    assert desk.say("lot", "show", lot)["lot"]["sale_state"] == "CLOSED_TO_SALE"
    w.whole()


def test_people_read_amounts_with_their_unit(desk):
    lot = on_sale(desk)
    words = CliRunner().invoke(app, ["lot", "show", lot]).stdout
    assert "10,000 kg" in words
    assert "60.00 元/t CO2e" in words


def test_usage_is_told_with_exit_code_2(desk):
    desk.say("subscription", "reserve", "no-id", code=2)
    said = desk.say("lot", "review", desk.walk.project, code=2)
    assert "passed" in said
    desk.say("lot", "submit", desk.walk.project, "--at", "soon", code=2)
    desk.say("distribution", "run", "--register", "household_code", code=2)
