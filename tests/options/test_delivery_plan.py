"""Delivery: sold lines first, pro rata, nothing lost, order of rows without effect."""

import dataclasses
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from options.delivery_plan import SoldLine, plan_delivery
from options.errors import ShareWeightError
from options.pricing import amount_fen

START = datetime(2026, 1, 5, tzinfo=UTC)


def line(name, kg, minute=0, price=7341):
    return SoldLine(
        line_id=name,
        signed_at=START + timedelta(minutes=minute),
        kg=kg,
        price_fen_per_t=price,
        paid_fen=amount_fen(kg, price),
    )


def test_surplus_stays_unsold_and_nobody_is_refunded():
    plan = plan_delivery(vintage=2026, available_kg=150, lines=[line("a", 60), line("b", 40)])
    assert [x.delivered_kg for x in plan.lines] == [60, 40]
    assert plan.unsold_kg == 50
    assert sum(x.refund_fen for x in plan.lines) == 0


def test_ties_go_to_the_earlier_signature_then_the_smaller_id():
    lines = [line("c", 10, 1), line("b", 10, 1), line("a", 10, 2)]
    plan = plan_delivery(vintage=2026, available_kg=10, lines=lines)
    assert [(x.line_id, x.delivered_kg) for x in plan.lines] == [("b", 4), ("c", 3), ("a", 3)]


@given(
    st.lists(
        st.tuples(st.integers(1, 10**7), st.integers(0, 3), st.integers(1, 20_000)), max_size=10
    ),
    st.integers(0, 10**8),
    st.randoms(),
)
def test_units_and_money_are_conserved(rows, available, random):
    lines = [line(f"L{i}", kg, m, p) for i, (kg, m, p) in enumerate(rows)]
    plan = plan_delivery(vintage=2026, available_kg=available, lines=lines)
    sold = sum(x.kg for x in lines)
    assert plan.delivered_kg == min(sold, available)
    assert plan.unsold_kg == max(0, available - sold)
    by_id = {x.line_id: x for x in lines}
    for x in plan.lines:
        source = by_id[x.line_id]
        assert x.delivered_kg + x.shortfall_kg == source.kg
        kept = amount_fen(x.delivered_kg, source.price_fen_per_t)
        assert x.refund_fen + kept == source.paid_fen
        assert abs(x.delivered_kg - Fraction(plan.delivered_kg * source.kg, sold)) < 1
    random.shuffle(lines)
    assert plan_delivery(vintage=2026, available_kg=available, lines=lines) == plan


def test_broken_deliveries_cannot_be_made():
    with pytest.raises(ShareWeightError):
        plan_delivery(vintage=2026, available_kg=1, lines=[line("a", 1), line("a", 1)])
    plan = plan_delivery(vintage=2026, available_kg=5, lines=[line("a", 10)])
    with pytest.raises(ValueError):
        dataclasses.replace(plan, unsold_kg=1)
    with pytest.raises(ValueError):
        dataclasses.replace(plan, sold_kg=9)
