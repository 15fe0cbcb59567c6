"""Terms that hold together, timers, capacity and over-subscription."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from options import terms as t
from options.errors import OversoldError, TermsError

AT = datetime(2026, 9, 27, 2, 0, tzinfo=UTC)  # 10:00 in Beijing


def carbon(**changes):
    values = {
        "unit": t.UnitKind.KG,
        "carbon_right_holder": t.CarbonRightHolder.BUYER,
        "return_trigger": t.ReturnTrigger.ISSUANCE,
        "claim_ref": "C-1",
        "vintages": (t.VintageOffer(vintage=2026, kg=2_000_000, price_fen_per_t=7341),),
    }
    return t.LotTerms(**(values | changes))


PACKS = t.PackOffer(packs=25, pack_price_fen=5_000_000, term_years=10)


def test_values():
    assert carbon().value_fen == 14_682_000
    trees = carbon(
        unit=t.UnitKind.TREE,
        vintages=(),
        packs=PACKS,
        claim_ref=None,
        carbon_right_holder=t.CarbonRightHolder.SELLER,
    )
    assert trees.value_fen == 125_000_000  # 25 packs, over a million yuan
    assert (PACKS.trees_per_pack, PACKS.promised_per_pack) == (100, 50)


@pytest.mark.parametrize(
    "changes",
    [
        {"vintages": ()},
        {"packs": PACKS},
        {"unit": t.UnitKind.TREE},
        {"vintages": carbon().vintages * 2},
        {"carbon_right_holder": t.CarbonRightHolder.SELLER},
        {"claim_ref": None},
        {"unit": t.UnitKind.TREE, "vintages": (), "packs": PACKS, "claim_ref": None},
    ],
)
def test_lot_terms_that_do_not_hold(changes):
    with pytest.raises(TermsError):
        carbon(**changes)


def test_offers_and_timers_of_nothing_are_refused():
    for make in (
        lambda: t.VintageOffer(vintage=2026, kg=0, price_fen_per_t=1),
        lambda: t.VintageOffer(vintage=2026, kg=1, price_fen_per_t=0),
        lambda: t.PackOffer(packs=0, pack_price_fen=1, term_years=5),
        lambda: t.PackOffer(packs=1, pack_price_fen=1, term_years=5, promised_per_pack=101),
        lambda: t.Timers(undo_minutes=0),
        lambda: t.LineTerms(vintage=2026, kg=0, price_fen_per_t=1),
    ):
        with pytest.raises(TermsError):
            make()


def test_a_subscription_takes_the_listed_price_of_each_vintage():
    lot = carbon(
        vintages=tuple(
            t.VintageOffer(vintage=y, kg=10_000, price_fen_per_t=p)
            for y, p in ((2026, 7341), (2027, 5001))
        )
    )
    lines = tuple(
        t.LineTerms(vintage=y, kg=500, price_fen_per_t=p) for y, p in ((2026, 7341), (2027, 5001))
    )
    subscription = t.SubscriptionTerms(lot=lot, lines=lines)
    assert subscription.amount_fen == 3671 + 2501  # both halves up, each on its own
    for wrong in ((), lines[:1] * 2, (t.LineTerms(vintage=2026, kg=1, price_fen_per_t=1),)):
        with pytest.raises(TermsError):
            t.SubscriptionTerms(lot=lot, lines=wrong)


def test_timers_of_decision_9():
    timers = t.Timers()
    person = t.reservation_ends(timers, at=AT, buyer=t.BuyerKind.PERSON)
    assert person == t.Due(at=AT + timedelta(minutes=30))
    enterprise = t.reservation_ends(timers, at=AT, buyer=t.BuyerKind.ENTERPRISE)
    # 28, 29, 30 September, 8, 9 October: over at midnight in Beijing
    assert enterprise.at == datetime(2026, 10, 9, 16, 0, tzinfo=UTC)
    assert t.undo_ends(timers, signed_at=AT).at == AT + timedelta(minutes=10)
    assert t.payment_ends(timers, signed_at=AT).at == datetime(2026, 10, 15, 16, 0, tzinfo=UTC)
    # seven days end on 4 October, inside the holiday: the right lasts to the end of 8 October
    assert t.cooling_off_ends(timers, paid_at=AT).at == datetime(2026, 10, 8, 16, 0, tzinfo=UTC)


def test_timers_say_when_the_calendar_is_unverified():
    at = datetime(2026, 12, 30, tzinfo=UTC)
    assert t.payment_ends(t.Timers(), signed_at=at).calendar_unverified
    assert t.cooling_off_ends(t.Timers(), paid_at=at).calendar_unverified


@given(st.integers(0, 10**12), st.fractions(0, 1, max_denominator=1000), st.integers(0, 10**12))
def test_capacity_never_exceeds_forecast_less_buffer(forecast, buffer, committed):
    cap = t.capacity_kg(forecast_kg=forecast, buffer_share=buffer)
    assert cap <= forecast * (1 - buffer) < cap + 1
    free = t.free_kg(forecast_kg=forecast, buffer_share=buffer, committed_kg=committed)
    assert free + committed == cap


def test_a_buffer_outside_0_to_1_is_refused():
    for share in (Fraction(-1, 10), Fraction(11, 10)):
        with pytest.raises(TermsError):
            t.capacity_kg(forecast_kg=1, buffer_share=share)


def test_over_subscription_is_refused_by_one_kg():
    t.require_free(asked={2026: 100}, free={2026: 100})
    with pytest.raises(OversoldError) as refused:
        t.require_free(asked={2027: 1, 2026: 101}, free={2026: 100, 2027: 5})
    assert refused.value.params == {"vintage": 2026, "asked": 101, "free": 100}
    with pytest.raises(OversoldError):
        t.require_free(asked={2026: 1}, free={})
    with pytest.raises(OversoldError):
        t.require_free(asked={2026: 1}, free={2026: -7})


@given(
    st.dictionaries(st.text("abc", min_size=1, max_size=4), st.integers(-5, 10**9), min_size=1),
    st.data(),
)
def test_a_commitment_fills_parcels_within_what_is_free(free, data):
    room = sum(max(0, kg) for kg in free.values())
    kg = data.draw(st.integers(0, room))
    plan = t.plan_commitment(vintage=2026, kg=kg, free=free)
    assert sum(plan.values()) == kg
    assert all(0 <= part <= max(0, free[code]) for code, part in plan.items())
    assert t.plan_commitment(vintage=2026, kg=kg, free=dict(reversed(free.items()))) == plan
    with pytest.raises(OversoldError):
        t.plan_commitment(vintage=2026, kg=room + 1, free=free)
