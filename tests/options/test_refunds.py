"""Fewer units than sold: shared pro rata, the rest refunded from the buyers' own escrow."""

import pytest

from options import distribution, refunds
from options.errors import PaymentAmountError, ReserveRatioError
from options.refusals import DistributionDoneError, LinesOpenError, RefundNotDueError


def test_a_shortfall_is_shared_and_refunded_to_the_fen(walk):
    lot_id = walk.on_sale()
    walk.buy(lot_id, (2025, 3_333))
    walk.buy(lot_id, (2025, 1_667), buyer="second", name="第二公司")
    (one,) = walk.deliver(walk.verified({"石梁村": {2025: 2_000}})).vintages
    assert (one.available_kg, one.delivered_kg, one.shortfall_kg) == (1_800, 1_800, 3_200)
    assert one.earned_fen + one.refund_due_fen == 30_000
    walk.whole()
    done = walk.settled(lot_id, 2025)
    assert (done.escrow_in_fen, done.gross_fen) == (30_000, one.earned_fen)
    assert done.escrow_balance_fen == one.refund_due_fen
    back = walk.run(refunds.refund_shortfall, refunds.RefundShortfall, lot_id=lot_id, vintage=2025)
    assert sum(r.paid_fen for r in back.refunds) == one.refund_due_fen
    assert sum(r.seller_claim_fen for r in back.refunds) == 0
    with pytest.raises(RefundNotDueError):
        walk.run(refunds.refund_shortfall, refunds.RefundShortfall, lot_id=lot_id, vintage=2025)
    for refund in back.refunds:
        with pytest.raises(PaymentAmountError):
            walk.run(
                refunds.confirm_refund,
                refunds.ConfirmRefund,
                refund_id=refund.refund_id,
                statement=walk.statement(refund.paid_fen + 1),
            )
        walk.run(
            refunds.confirm_refund,
            refunds.ConfirmRefund,
            refund_id=refund.refund_id,
            statement=walk.statement(refund.paid_fen),
        )
    assert walk.one("SELECT sum(balance) FROM account WHERE asset='fen' AND kind <> 'world'") == 0
    walk.whole()


def test_a_contract_in_cooling_off_stops_the_delivery_whole(walk):
    lot_id = walk.on_sale()
    done = walk.reserve(lot_id, (2025, 1_000))
    walk.sign(done.subscription_id)
    walk.tick(minutes=11)
    walk.pay(done)
    period = walk.verified({"石梁村": {2025: 2_000}})
    with pytest.raises(LinesOpenError):
        walk.deliver(period)
    assert walk.one("SELECT status FROM period") == "verified"
    assert walk.one("SELECT count(*) FROM batch") == 0
    walk.tick(days=20)
    walk.deliver(period)
    walk.whole()


def test_a_vintage_with_nothing_issued_is_refunded_whole(walk):
    lot_id = walk.on_sale(offers=((2024, 10_000, 6_000), (2025, 10_000, 6_000)))
    walk.buy(lot_id, (2024, 100), (2025, 200))
    done = walk.deliver(walk.verified({"石梁村": {2024: 1_000, 2025: 1_000}}))
    assert [v.delivered_kg for v in done.vintages] == [100, 200]
    walk.whole()


def year(walk, **changes):
    fields = {
        "collective_id": walk.parties["石梁村"],
        "year": 2026,
        "net_income_fen": 24_001,
        "register": (
            distribution.ShareRow(household_code="001", holder_name="张三", shares=3),
            distribution.ShareRow(household_code="002", holder_name="欧阳修", shares=4),
        ),
        "document_sha256": b"d" * 32,
    }
    return walk.run(distribution.distribute, distribution.Distribute, **(fields | changes))


def test_a_year_is_distributed_once_with_its_reserve(walk):
    done = year(walk)
    assert (done.reserve_fen, done.distributed_fen) == (7_201, 16_800)
    assert [p.amount_fen for p in done.payouts] == [7_200, 9_600]
    assert [p.masked_name for p in done.payouts] == ["张*", "欧**"]
    with pytest.raises(DistributionDoneError):
        year(walk)


def test_a_reserve_below_thirty_percent_is_refused(walk):
    from fractions import Fraction

    with pytest.raises(ReserveRatioError):
        year(walk, reserve_ratio=Fraction(29, 100))
