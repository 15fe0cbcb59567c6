"""From a lot to money in the village: the whole way, one village, one buyer, to the fen."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from options import payments, settlement
from options.errors import PaymentAmountError
from options.refusals import BankReferenceError, PayerError


def test_the_whole_walk_ends_with_every_fen_in_the_village(walk):
    lot_id = walk.on_sale()
    walk.whole()
    done = walk.buy(lot_id, (2025, 4_000))
    assert done.amount_fen == 24_000
    walk.whole()
    period = walk.verified({"石梁村": {2025: 5_000}})
    delivered = walk.deliver(period)
    (one,) = delivered.vintages
    assert (one.available_kg, one.delivered_kg, one.unsold_kg) == (4_500, 4_000, 500)
    assert (one.earned_fen, one.refund_due_fen) == (24_000, 0)
    walk.whole()
    paid = walk.settled(lot_id, 2025)
    assert paid.state == "RETURNED"
    assert (paid.gross_fen, paid.returned_fen, paid.escrow_balance_fen) == (24_000, 24_000, 0)
    assert paid.publish_by is not None
    public = walk.run(
        settlement.publish,
        settlement.PublishSettlement,
        settlement_id=paid.settlement_id,
        document_sha256=b"x" * 32,
    )
    assert public.state == "PUBLISHED"
    walk.whole()
    held = walk.one(
        "SELECT balance FROM account WHERE kind = 'holding' AND asset = 'kg' AND party_id = :p",
        p=walk.parties["buyer"],
    )
    assert held == 4_000


def test_a_payment_of_the_wrong_amount_moves_nothing(walk):
    lot_id = walk.on_sale()
    done = walk.reserve(lot_id, (2025, 4_000))
    walk.sign(done.subscription_id)
    walk.tick(minutes=11)
    with pytest.raises(PaymentAmountError) as refused:
        walk.pay(done, fen=23_999)
    assert refused.value.params["difference_fen"] == -1
    with pytest.raises(PayerError):
        walk.pay(done, counterparty="别人")
    assert walk.one("SELECT count(*) FROM bank_line") == 0
    assert walk.one("SELECT state FROM subscription_line") == "AWAITING_PAYMENT"
    walk.whole()


def test_a_repeated_statement_row_acts_once(walk):
    lot_id = walk.on_sale()
    done, other = walk.reserve(lot_id, (2025, 4_000)), walk.reserve(lot_id, (2025, 1_000))
    walk.sign(done.subscription_id)
    walk.sign(other.subscription_id)
    walk.tick(minutes=11)
    first = walk.pay(done, reference="ICBC-1")
    again = walk.pay(done, reference="ICBC-1")
    assert (first.repeated, again.repeated) == (False, True)
    assert again.event_id == first.event_id
    with pytest.raises(BankReferenceError):
        walk.pay(other, reference="ICBC-1")
    assert walk.one("SELECT sum(balance) FROM account WHERE kind = 'escrow'") == 24_000
    walk.whole()


def test_eight_clerks_book_the_same_row_at_once_and_it_acts_once(walk):
    done = walk.reserve(walk.on_sale(), (2025, 4_000))
    walk.sign(done.subscription_id)
    walk.tick(minutes=11)
    row = walk.statement(24_000, reference="ICBC-9")
    commands = [
        payments.RecordPayment(**walk.common(), subscription_number=done.number, statement=row)
        for _ in range(8)
    ]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda c: walk.do(payments.record_payment, c), commands))
    assert sum(not answer.repeated for answer in answers) == 1
    assert len({answer.event_id for answer in answers}) == 1
    assert walk.one("SELECT sum(balance) FROM account WHERE kind = 'escrow'") == 24_000
    walk.whole()
