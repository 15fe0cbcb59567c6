"""Prices against published figures, and rounding that loses nothing."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from options import pricing
from options.errors import AmountError, PaymentAmountError, RefundError
from options.rounding import half_up, largest_remainder

KG = st.integers(0, 10**10)
PRICE = st.integers(0, 10**6)


def test_anji_2000_t_at_73_41():
    amount = pricing.amount_fen(2_000_000, 7341)
    assert amount == 14_682_000
    assert half_up(amount * Fraction(80, 100)) == 11_745_600


def test_dali_village_pays_by_area():
    fen = pricing.land_amount_fen(
        area_mu=Fraction(5425), years=3, price_fen_per_mu_year=Fraction(16926, 10)
    )
    assert fen == 27_547_065


def test_anji_area_price_implies_43_40_a_tonne():
    assert pricing.price_fen_per_t(amount_fen=16926, kg=3900) == 4340
    t_per_mu_year = Fraction(275_500, 5425 * 3) / Fraction(4344, 100)
    assert round(float(t_per_mu_year), 4) == 0.3897


def test_single_trees_ticket_and_settlement_examples():
    assert pricing.packs_amount_fen(140_382, 300) == 42_114_600
    assert pricing.price_fen_per_t(amount_fen=14_000_000, kg=12_723_000) == 1100
    assert pricing.amount_fen(2_723_000, 1500) == 4_084_500
    assert pricing.amount_fen(2_723_000, 1500) + pricing.amount_fen(10_000_000, 1000) == 14_084_500


def test_tree_packs():
    assert pricing.tree_price_fen(3_000_000, 100) == 30_000
    assert pricing.tree_price_fen(5_000_000, 50) == 100_000
    assert pricing.tree_refund_fen(paid_fen=3_000_000, delivered_trees=49, promised_trees=50) == (
        60_000
    )


@given(KG, PRICE)
def test_an_amount_is_within_half_a_fen(kg, price):
    exact = Fraction(kg * price, 1000)
    error = pricing.amount_fen(kg, price) - exact
    assert Fraction(-1, 2) < error <= Fraction(1, 2)


def test_exactly_half_a_fen_goes_up():
    assert pricing.amount_fen(500, 1) == 1
    assert pricing.amount_fen(499, 1) == 0


@given(KG, PRICE, st.data())
def test_refund_and_kept_sum_to_paid(kg, price, data):
    delivered = data.draw(st.integers(0, kg))
    paid = pricing.amount_fen(kg, price)
    refund = pricing.refund_fen(paid_fen=paid, delivered_kg=delivered, price_fen_per_t=price)
    assert refund >= 0
    assert refund + pricing.amount_fen(delivered, price) == paid
    assert pricing.refund_fen(paid_fen=paid, delivered_kg=0, price_fen_per_t=price) == paid


@given(st.integers(0, 10**9), st.integers(1, 100), st.data())
def test_tree_refund_is_whole_at_both_ends(paid, promised, data):
    delivered = data.draw(st.integers(0, promised))
    refund = pricing.tree_refund_fen(
        paid_fen=paid, delivered_trees=delivered, promised_trees=promised
    )
    assert 0 <= refund <= paid
    assert (
        pricing.tree_refund_fen(paid_fen=paid, delivered_trees=0, promised_trees=promised) == paid
    )
    everything = pricing.tree_refund_fen(
        paid_fen=paid, delivered_trees=promised, promised_trees=promised
    )
    assert everything == 0


def test_wrong_amounts_are_refused():
    with pytest.raises(AmountError):
        pricing.amount_fen(-1, 1)
    with pytest.raises(AmountError):
        pricing.amount_fen(1.0, 1)  # type: ignore[arg-type]
    with pytest.raises(AmountError):
        pricing.price_fen_per_t(amount_fen=1, kg=0)
    with pytest.raises(AmountError):
        pricing.tree_price_fen(1, 0)
    with pytest.raises(AmountError):
        half_up(Fraction(-1, 2))
    with pytest.raises(RefundError):
        pricing.refund_fen(paid_fen=1, delivered_kg=2000, price_fen_per_t=1)
    with pytest.raises(RefundError):
        pricing.tree_refund_fen(paid_fen=100, delivered_trees=2, promised_trees=1)


def test_a_payment_must_be_exact():
    pricing.require_exact_payment(due_fen=100, paid_fen=100)
    with pytest.raises(PaymentAmountError) as refused:
        pricing.require_exact_payment(due_fen=100, paid_fen=99)
    assert refused.value.params == {"due_fen": 100, "paid_fen": 99, "difference_fen": -1}


ROWS = st.lists(st.integers(0, 10**9), min_size=1, max_size=12).filter(lambda w: sum(w) > 0)


@given(st.integers(0, 10**12), ROWS, st.randoms())
def test_largest_remainder_sums_is_fair_and_ignores_order(total, weights, random):
    keys = [f"k{i:02d}" for i in range(len(weights))]
    parts = dict(zip(keys, largest_remainder(total, weights, keys), strict=True))
    assert sum(parts.values()) == total
    for key, weight in zip(keys, weights, strict=True):
        assert abs(parts[key] - Fraction(total * weight, sum(weights))) < 1
        assert weight or not parts[key]
    rows = list(zip(keys, weights, strict=True))
    random.shuffle(rows)
    again = largest_remainder(total, [w for _, w in rows], [k for k, _ in rows])
    assert dict(zip([k for k, _ in rows], again, strict=True)) == parts


def test_largest_remainder_ties_go_to_the_smaller_key():
    assert largest_remainder(1, [1, 1], ["b", "a"]) == (0, 1)
    assert largest_remainder(0, [], []) == ()
