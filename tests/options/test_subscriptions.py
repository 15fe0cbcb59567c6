"""Nothing is sold twice; time runs out; a signature can be undone, a payment given back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from options import lots, refunds, subscriptions
from options.errors import OversoldError, SaleSuspendedError, TransitionRefusedError
from options.refusals import DeadlinePassedError, RiskNotAcceptedError
from options.terms import BuyerKind


def step(walk, verb, done):
    return walk.run(verb, subscriptions.SubscriptionCommand, subscription_id=done.subscription_id)


def test_eight_buyers_want_the_last_kg_and_one_gets_it(walk):
    lot_id = walk.on_sale(offers=((2025, 8, 6_000_000),))
    commands = [
        subscriptions.Reserve(
            **walk.common(),
            lot_id=lot_id,
            buyer_id=walk.parties["buyer"],
            buyer_kind=BuyerKind.PERSON,
            lines=(subscriptions.LineAsk(vintage=2025, quantity=5),),
        )
        for _ in range(8)
    ]

    def attempt(command):
        try:
            return walk.do(subscriptions.reserve, command)
        except OversoldError as error:
            return error

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(attempt, commands))
    sold = [a for a in answers if not isinstance(a, Exception)]
    assert len(sold) == 1
    assert all(a.params["free"] <= 3 for a in answers if isinstance(a, OversoldError))
    walk.whole()


def test_eight_buyers_of_one_kg_each_empty_a_lot_of_five(walk):
    lot_id = walk.on_sale(offers=((2025, 5, 6_000_000),))

    def attempt(command):
        try:
            return walk.do(subscriptions.reserve, command).number
        except OversoldError:
            return None

    commands = [
        subscriptions.Reserve(
            **walk.common(),
            lot_id=lot_id,
            buyer_id=walk.parties["buyer"],
            buyer_kind=BuyerKind.PERSON,
            lines=(subscriptions.LineAsk(vintage=2025, quantity=1),),
        )
        for _ in range(8)
    ]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(attempt, commands))
    assert sum(a is not None for a in answers) == 5
    assert walk.tick().sold_out == 1
    with pytest.raises(SaleSuspendedError):
        walk.reserve(lot_id, (2025, 1))
    walk.whole()


def test_an_unsigned_reservation_lapses_and_the_lot_is_on_sale_again(walk):
    lot_id = walk.on_sale()
    walk.reserve(lot_id, (2025, 10_000), kind=BuyerKind.PERSON)
    assert walk.tick(minutes=1).sold_out == 1
    assert walk.tick(minutes=30).lapsed == 1
    assert walk.one("SELECT sale_state FROM lot") == "LISTED"
    walk.reserve(lot_id, (2025, 10_000))
    walk.whole()


def test_a_signature_is_undone_within_ten_minutes_only(walk):
    lot_id = walk.on_sale()
    first, second = walk.reserve(lot_id, (2025, 10)), walk.reserve(lot_id, (2025, 20))
    for done in (first, second):
        walk.sign(done.subscription_id)
    walk.later(minutes=9)
    assert step(walk, subscriptions.undo, first).state == "CANCELLED"
    walk.later(minutes=1)
    with pytest.raises(DeadlinePassedError):
        step(walk, subscriptions.undo, second)
    walk.whole()


def test_money_before_the_undo_time_is_over_is_refused_and_after_it_needs_no_timer(walk):
    done = walk.reserve(walk.on_sale(), (2025, 1_000))
    walk.sign(done.subscription_id)
    with pytest.raises(TransitionRefusedError):
        walk.pay(done)
    walk.later(minutes=10)
    assert not walk.pay(done).repeated
    walk.whole()


def test_money_that_comes_late_is_refused(walk):
    done = walk.reserve(walk.on_sale(), (2025, 1_000))
    walk.sign(done.subscription_id)
    walk.later(days=40)
    with pytest.raises(DeadlinePassedError):
        walk.pay(done)
    assert walk.tick().undo_over == 1
    assert walk.tick().lapsed == 1
    walk.whole()


def test_cooling_off_gives_all_money_back_and_the_quantity(walk):
    lot_id = walk.on_sale()
    done = walk.reserve(lot_id, (2025, 4_000))
    walk.sign(done.subscription_id)
    walk.tick(minutes=11)
    walk.pay(done)
    assert step(walk, refunds.withdraw_in_cooling_off, done).state == "REFUNDED"
    walk.whole()
    (refund,) = walk.sql("SELECT id, due_fen, escrow_fen FROM refund")
    assert (refund.due_fen, refund.escrow_fen) == (24_000, 24_000)
    sent = walk.statement(24_000)
    for _ in range(2):
        walk.run(refunds.confirm_refund, refunds.ConfirmRefund, refund_id=refund.id, statement=sent)
    assert walk.one("SELECT sum(balance) FROM account WHERE asset='fen' AND kind <> 'world'") == 0
    walk.reserve(lot_id, (2025, 10_000))
    walk.whole()


def test_cooling_off_ends(walk):
    done = walk.buy(walk.on_sale(), (2025, 1_000))
    assert walk.one("SELECT state FROM subscription_line") == "VESTING"
    with pytest.raises(TransitionRefusedError):
        step(walk, subscriptions.undo, done)


def test_damage_suspends_the_sale_at_once_and_recovery_resumes_it(walk):
    lot_id = walk.on_sale()
    report = {"lot_id": lot_id, "reason": "风倒"}
    walk.run(lots.report_forest, lots.ReportForest, event="report_damage", **report)
    with pytest.raises(SaleSuspendedError):
        walk.reserve(lot_id, (2025, 1))
    walk.run(lots.report_forest, lots.ReportForest, event="recover", **report)
    walk.reserve(lot_id, (2025, 1))


def test_a_vintage_not_offered_has_nothing_free(walk):
    lot_id = walk.on_sale()
    with pytest.raises(OversoldError):
        walk.reserve(lot_id, (2031, 1))


def test_the_risk_text_must_be_accepted(walk):
    done = walk.reserve(walk.on_sale(), (2025, 1))
    with pytest.raises(RiskNotAcceptedError):
        walk.run(
            subscriptions.sign,
            subscriptions.Sign,
            subscription_id=done.subscription_id,
            contract_sha256=b"c" * 32,
            identity_checked=True,
            risk_accepted=False,
        )


def test_a_repeated_request_reserves_once(walk):
    lot_id = walk.on_sale()
    command = subscriptions.Reserve(
        **walk.common(),
        lot_id=lot_id,
        buyer_id=walk.parties["buyer"],
        buyer_kind=BuyerKind.PERSON,
        lines=(subscriptions.LineAsk(vintage=2025, quantity=7),),
    )
    first = walk.do(subscriptions.reserve, command)
    assert walk.do(subscriptions.reserve, command) == first
    assert first.due_at == walk.now + timedelta(minutes=30)
    assert walk.one("SELECT count(*) FROM subscription") == 1
    walk.whole()
