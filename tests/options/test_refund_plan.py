"""Refunds: each source in its order, pro rata when short, the rest a claim on the seller."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from options.errors import ShareWeightError
from options.refund_plan import LotFunds, RefundDue, plan_refunds

START = datetime(2026, 1, 5, tzinfo=UTC)


def due(name, fen, escrow=0, minute=0):
    return RefundDue(
        line_id=name,
        signed_at=START + timedelta(minutes=minute),
        due_fen=fen,
        own_escrow_fen=escrow,
    )


def test_sources_are_used_in_order():
    funds = LotFunds(insurance_fen=30, hold_back_fen=20, pool_fen=10)
    (line,) = plan_refunds([due("a", 100, escrow=25)], funds).lines
    assert (line.escrow_fen, line.insurance_fen, line.hold_back_fen, line.pool_fen) == (
        25,
        30,
        20,
        10,
    )
    assert (line.paid_fen, line.seller_claim_fen) == (85, 15)


def test_one_lines_escrow_never_pays_another():
    plan = plan_refunds([due("a", 10, escrow=100), due("b", 10)], LotFunds())
    assert [x.paid_fen for x in plan.lines] == [10, 0]
    assert plan.seller_claim_fen == 10


FUND = st.integers(0, 10**6)


@given(
    st.lists(st.tuples(FUND, FUND, st.integers(0, 3)), max_size=8),
    st.builds(LotFunds, insurance_fen=FUND, hold_back_fen=FUND, pool_fen=FUND),
    st.randoms(),
)
def test_money_is_conserved_in_order(rows, funds, random):
    dues = [due(f"L{i}", *row) for i, row in enumerate(rows)]
    plan = plan_refunds(dues, funds)
    assert plan.paid_fen + plan.seller_claim_fen == sum(d.due_fen for d in dues)
    by_id = {d.line_id: d for d in dues}
    for line in plan.lines:
        assert line.escrow_fen <= by_id[line.line_id].own_escrow_fen
    for name in ("insurance_fen", "hold_back_fen", "pool_fen"):
        drawn = sum(getattr(line, name) for line in plan.lines)
        assert drawn + getattr(plan.left, name) == getattr(funds, name)
    # a later source is touched only when the earlier one is empty
    if sum(line.hold_back_fen for line in plan.lines):
        assert plan.left.insurance_fen == 0
    if sum(line.pool_fen for line in plan.lines):
        assert plan.left.hold_back_fen == 0
    if plan.seller_claim_fen:
        assert plan.left == LotFunds()
    random.shuffle(dues)
    assert plan_refunds(dues, funds) == plan


def test_broken_refunds_are_refused():
    with pytest.raises(ShareWeightError):
        plan_refunds([due("a", 1), due("a", 2)], LotFunds())
    (line,) = plan_refunds([due("a", 5)], LotFunds()).lines
    with pytest.raises(ValueError):
        dataclasses.replace(line, due_fen=6)
