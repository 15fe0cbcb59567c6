"""Every fen of a run has an owner; the database checks it; a killed process leaves whole steps."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from options import lots, reads, settlement
from options.errors import (
    ApproverError,
    DeductionTypeError,
    PaymentAmountError,
    ResidueNegativeError,
    TransitionRefusedError,
)
from options.mandate import Tenure
from options.refusals import (
    BankAccountKindError,
    NothingToSettleError,
    ReviewerError,
    SettlementLineError,
    SettlementOpenError,
)
from options.waterfall import Deduction
from registry.db import transaction
from tests import factories

ROOT = Path(__file__).resolve().parents[2]
TAX = Deduction(type="增值税", voucher="T-1", amount_fen=1_003)
PREMIUM = Deduction(type="碳汇保险", voucher="I-1", amount_fen=500)
COST = Deduction(type="核证费", voucher="C-1", amount_fen=2_000)


@pytest.fixture
def sold(walk):
    """4 t delivered and paid for, ready to settle; the walk with its lot."""
    lot_id = walk.on_sale()
    walk.buy(lot_id, (2025, 4_000))
    walk.deliver(walk.verified({"石梁村": {2025: 5_000}}))
    return walk, lot_id


def draft(walk, lot_id, **fields):
    return walk.run(
        settlement.draft, settlement.DraftSettlement, lot_id=lot_id, vintage=2025, **fields
    )


def act(walk, verb, done, who="clerk"):
    return walk.run(verb, settlement.SettlementCommand, who, settlement_id=done.settlement_id)


def test_deductions_reserve_and_villages_sum_to_the_fen(sold):
    walk, lot_id = sold
    aside = (settlement.SetAside(type="监测费", amount_fen=3_000),)
    done = walk.settled(lot_id, 2025, deductions=(TAX, PREMIUM, COST), set_aside=aside)
    assert (done.taxes_fen, done.insurance_fen, done.costs_fen) == (1_003, 500, 2_000)
    assert done.reserves_held_fen == 3_000
    assert done.returned_fen == 24_000 - 1_003 - 500 - 2_000 - 3_000
    walk.whole()
    # the next run brings the reserve forward; what its voucher did not use goes to the village
    spent = Deduction(type="监测费", voucher="M-1", amount_fen=1_200)
    second = walk.settled(lot_id, 2025, deductions=(spent,))
    assert (second.run, second.reserves_brought_fen, second.returned_fen) == (2, 3_000, 1_800)
    walk.whole()
    left = walk.one("SELECT sum(balance) FROM account WHERE asset = 'fen' AND kind <> 'world'")
    assert left == 0


def test_three_villages_and_a_household_share_by_what_they_pre_stored(empty_walk):
    walk = empty_walk
    caps = {"石梁村": {2025: 5_000}, "七里村": {2025: 3_000}, "九华村": {2025: 2_000}}
    with transaction(walk.engine) as session:
        for n, name in enumerate(caps):
            walk.village(session, name, f"33080200100{n + 1}")
        walk.capacity(session, caps)
        household = factories.party(session, "household", "李四")
    parcels = tuple(
        lots.ParcelOfLot(
            parcel_id=walk.parcels[name],
            supplier_id=walk.parties[name],
            claim_id=walk.claims[name],
            tenure=Tenure.HOUSEHOLD if name == "九华村" else Tenure.COLLECTIVE,
            household_id=household if name == "九华村" else None,
        )
        for name in caps
    )
    drafted = walk.draft(parcels=parcels, offers=((2025, 9_999, 6_001),))
    lot_id = drafted.lot_id
    walk.run(lots.submit, lots.LotCommand, lot_id=lot_id)
    walk.run(lots.review, lots.ReviewLot, "reviewer", lot_id=lot_id, passed=True)
    walk.run(lots.publish_notice, lots.PublishNotice, lot_id=lot_id, document_sha256=b"n" * 32)
    walk.later(days=16)
    walk.run(
        lots.record_mandate,
        lots.RecordMandate,
        lot_id=lot_id,
        vote=lots.Vote(on=walk.now.date(), yes=2, entitled=3),
        consents=(lots.Consent(parcel=str(walk.parcels["九华村"]), document_ref="流转 2026-7"),),
    )
    from options import pre_store

    walk.run(pre_store.pre_store, pre_store.PreStore, lot_id=lot_id, exempt_reason="小额")
    walk.run(lots.list_lot, lots.LotCommand, lot_id=lot_id)
    walk.buy(lot_id, (2025, 777))
    walk.buy(lot_id, (2025, 1_234), buyer="second", name="第二公司")
    walk.deliver(walk.verified({name: {2025: 1_000} for name in caps}))
    done = walk.settled(lot_id, 2025, deductions=(TAX,))
    village = [line for line in done.lines if line.kind == "village"]
    passed = [line for line in done.lines if line.kind == "household"]
    assert sum(line.amount_fen for line in (*village, *passed)) == done.returned_fen
    assert done.returned_fen == done.gross_fen - TAX.amount_fen
    assert [line.payee_name for line in village] == ["石梁村", "七里村", "九华村"]
    # the third village owns nothing itself: all its money passes through
    assert (village[2].amount_fen, passed[0].payee_name) == (0, "李四")
    assert village[0].units + village[1].units + passed[0].units == 9_999
    with transaction(walk.engine) as session:
        seen = reads.village_statement(session, walk.parties["九华村"])
        own = reads.village_statement(session, household)
    assert seen.due_fen == 0
    assert (own.due_fen, own.received_fen) == (passed[0].amount_fen, passed[0].amount_fen)
    walk.whole()


def test_a_ratio_below_one_names_who_gets_the_rest(walk):
    with transaction(walk.engine) as session:
        walk.program = walk.programme(session, ratio="0.80")
    lot_id = walk.on_sale()
    walk.buy(lot_id, (2025, 4_001))
    walk.deliver(walk.verified({"石梁村": {2025: 5_000}}))
    done = walk.settled(lot_id, 2025)
    assert (done.gross_fen, done.returned_fen, done.remainder_fen) == (24_006, 19_204, 4_802)
    assert done.lines[-1].payee_name == "县林业基金"
    walk.whole()


def test_an_advance_is_recouped_before_the_villages_share(walk):
    lot_id = walk.on_sale(advance_fen=10_000)
    walk.buy(lot_id, (2025, 4_000))
    walk.deliver(walk.verified({"石梁村": {2025: 5_000}}))
    done = walk.settled(lot_id, 2025)
    assert (done.advance_recouped_fen, done.returned_fen) == (10_000, 14_000)
    walk.whole()


def test_a_type_not_published_and_more_cost_than_money_are_refused(sold):
    walk, lot_id = sold
    with pytest.raises(DeductionTypeError):
        draft(walk, lot_id, deductions=(Deduction(type="招待费", voucher="X", amount_fen=1),))
    with pytest.raises(ResidueNegativeError):
        draft(walk, lot_id, deductions=(Deduction(type="核证费", voucher="X", amount_fen=24_001),))
    assert walk.one("SELECT count(*) FROM settlement") == 0


def test_two_persons_approve_and_neither_prepared(sold):
    walk, lot_id = sold
    done = draft(walk, lot_id)
    with pytest.raises(ReviewerError):
        act(walk, settlement.check, done)
    act(walk, settlement.check, done, "reviewer")
    with pytest.raises(ReviewerError):
        act(walk, settlement.approve, done)
    assert act(walk, settlement.approve, done, "director").state == "CHECKED"
    with pytest.raises(ApproverError):
        act(walk, settlement.approve, done, "director")
    with pytest.raises(TransitionRefusedError):
        act(walk, settlement.start_payment, done)
    assert act(walk, settlement.approve, done, "reviewer").state == "APPROVED"


def test_a_draft_is_drafted_again_and_a_checked_one_first_reopened(sold):
    walk, lot_id = sold
    first = draft(walk, lot_id)
    second = draft(walk, lot_id, deductions=(TAX,))
    assert (second.settlement_id, second.revision) == (first.settlement_id, 2)
    act(walk, settlement.check, second, "reviewer")
    with pytest.raises(SettlementOpenError):
        draft(walk, lot_id)
    act(walk, settlement.reopen, second, "reviewer")
    third = draft(walk, lot_id, deductions=(TAX, COST))
    assert third.returned_fen == 24_000 - 3_003


def test_nothing_is_settled_twice(sold):
    walk, lot_id = sold
    walk.settled(lot_id, 2025)
    with pytest.raises(NothingToSettleError):
        draft(walk, lot_id)


@pytest.mark.parametrize("kind", ["personal", None])
def test_money_never_goes_to_a_persons_account(sold, kind):
    walk, lot_id = sold
    with transaction(walk.engine) as session:
        from registry.models import PartyAccount

        session.get(PartyAccount, walk.parties["石梁村"]).kind = kind
    done = walk.approved(lot_id, 2025)
    with pytest.raises(BankAccountKindError):
        act(walk, settlement.start_payment, done)
    assert walk.one("SELECT state FROM settlement") == "APPROVED"
    walk.whole()


def test_a_transfer_is_exact_and_a_line_is_paid_once(sold):
    walk, lot_id = sold
    done = walk.approved(lot_id, 2025, deductions=(TAX,))
    done = act(walk, settlement.start_payment, done)
    tax, village = done.lines
    with pytest.raises(PaymentAmountError):
        walk.confirm(done, village, statement=walk.statement(village.amount_fen - 1))
    sent = walk.statement(tax.amount_fen, "税务局", "OUT-1")
    assert walk.confirm(done, tax, statement=sent).state == "PAYING"
    assert walk.confirm(done, tax, statement=sent).state == "PAYING"
    with pytest.raises(SettlementLineError):
        walk.confirm(done, tax)
    assert walk.confirm(done, village).state == "RETURNED"
    assert walk.one("SELECT count(*) FROM settlement_payment") == 2
    walk.whole()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE settlement SET returned_fen = returned_fen - 1",
        "UPDATE settlement SET returned_fen = returned_fen - 1, remainder_fen = remainder_fen + 1",
        "UPDATE settlement SET gross_fen = gross_fen - 1, escrow_balance_fen = 1",
        "UPDATE settlement_line SET amount_fen = 0",
        "DELETE FROM settlement_payment",
    ],
)
def test_the_database_refuses_a_settlement_that_does_not_sum(sold, change):
    walk, lot_id = sold
    draft(walk, lot_id)
    refusal = r"sums_to_the_fen|escrow_sums|lines of settlement|append-only|permission denied"
    with pytest.raises(DBAPIError, match=refusal):
        walk.change(change)


KILLED = """
import json, os, signal, sys
from datetime import datetime
from uuid import UUID
from sqlalchemy import event
from options import settlement
from registry.db import connect, perform

url, hook, given = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
engine = connect(url)

@event.listens_for(engine, "after_cursor_execute")
def kill(conn, cursor, statement, parameters, context, executemany):
    if hook in statement:
        os.kill(os.getpid(), signal.SIGKILL)

@event.listens_for(engine, "commit")
def kill_at_commit(conn):
    if hook == "COMMIT":
        os.kill(os.getpid(), signal.SIGKILL)

perform(engine, settlement.start_payment, settlement.SettlementCommand(
    at=datetime.fromisoformat(given["at"]), actor_id=UUID(given["actor"]), key=given["key"],
    settlement_id=UUID(given["settlement"])))
"""


@pytest.mark.parametrize("hook", ["INSERT INTO event", "post_legs", "UPDATE idempotency", "COMMIT"])
def test_kill_9_in_mid_settlement_leaves_whole_steps_and_the_same_key_ends_it_once(sold, hook):
    walk, lot_id = sold
    done = walk.approved(lot_id, 2025, deductions=(TAX,))
    command = settlement.SettlementCommand(**walk.common(), settlement_id=done.settlement_id)
    given = {
        "at": command.at.isoformat(),
        "actor": str(command.actor_id),
        "key": command.key,
        "settlement": str(done.settlement_id),
    }
    url = walk.engine.url.render_as_string(hide_password=False)
    child = subprocess.run(
        [sys.executable, "-c", KILLED, url, hook, json.dumps(given)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()
    # nothing of the step is there: state, books and audit trail are those before it
    assert walk.one("SELECT state FROM settlement") == "APPROVED"
    assert walk.one("SELECT balance FROM account WHERE kind = 'pool'") == 24_000
    assert walk.sql("SELECT 1 FROM event WHERE kind = 'settlement.start_payment'") == []
    walk.whole()
    first = walk.do(settlement.start_payment, command)
    assert walk.do(settlement.start_payment, command) == first
    assert walk.one("SELECT balance FROM account WHERE kind = 'pool'") == 0
    assert walk.one("SELECT sum(balance) FROM account WHERE kind = 'payable'") == 24_000
    assert walk.one("SELECT count(*) FROM event WHERE kind = 'settlement.start_payment'") == 1
    for line in first.lines:
        last = walk.confirm(first, line)
    assert last.state == "RETURNED"
    walk.whole()
