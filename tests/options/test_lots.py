"""A lot's way to the market: reviewed by another, noticed, mandated, pre-stored, withdrawn."""

from fractions import Fraction

import pytest

from options import lots, pre_store, reads
from options.errors import (
    ExchangeMissingError,
    ObjectionOpenError,
    OversoldError,
    SaleSuspendedError,
    TransitionRefusedError,
    ValuationMissingError,
    VoteFailedError,
    VoteTooEarlyError,
    WithdrawalRefusedError,
)
from options.mandate import Vote
from options.refusals import LotGroundError, NumberTakenError, ReviewerError
from registry import capacity
from registry.db import transaction
from tests import factories


def noticed(walk, **changes):
    lot_id = walk.draft(**changes).lot_id
    walk.run(lots.submit, lots.LotCommand, lot_id=lot_id)
    walk.run(lots.review, lots.ReviewLot, "reviewer", lot_id=lot_id, passed=True)
    walk.run(lots.publish_notice, lots.PublishNotice, lot_id=lot_id, document_sha256=b"n" * 32)
    return lot_id


def vote(walk, lot_id, *, yes=40, entitled=60):
    given = Vote(on=walk.now.date(), yes=yes, entitled=entitled)
    return walk.run(lots.record_mandate, lots.RecordMandate, lot_id=lot_id, vote=given)


def store(walk, lot_id, **fields):
    return walk.run(pre_store.pre_store, pre_store.PreStore, lot_id=lot_id, **fields)


def test_the_author_cannot_review(walk):
    lot_id = walk.draft().lot_id
    walk.run(lots.submit, lots.LotCommand, lot_id=lot_id)
    with pytest.raises(ReviewerError):
        walk.run(lots.review, lots.ReviewLot, lot_id=lot_id, passed=True)


def test_the_vote_waits_fifteen_days_and_needs_two_thirds(walk):
    lot_id = noticed(walk)
    walk.later(days=15)
    with pytest.raises(VoteTooEarlyError):
        vote(walk, lot_id)
    walk.later(days=1)
    with pytest.raises(VoteFailedError):
        vote(walk, lot_id, yes=39)
    assert vote(walk, lot_id).sale_state == "RESOLVED"


def test_an_open_objection_blocks_and_an_upheld_one_sends_back(walk):
    lot_id = noticed(walk)
    filed = walk.run(
        lots.file_objection, lots.FileObjection, lot_id=lot_id, by_name="张三", words="界线不对"
    )
    walk.later(days=16)
    with pytest.raises(ObjectionOpenError):
        vote(walk, lot_id)
    done = walk.run(
        lots.answer_objection,
        lots.AnswerObjection,
        objection_id=filed.objection_id,
        upheld=True,
        answer="重新勘界",
    )
    assert done.sale_state == "REVIEW"


def test_pre_storing_asks_for_valuation_and_exchange(walk):
    lot_id = walk.draft(offers=((2025, 10_000, 20_000_000),)).lot_id
    walk.resolve(lot_id)
    with pytest.raises(ValuationMissingError):
        store(walk, lot_id)
    with pytest.raises(ExchangeMissingError):
        store(walk, lot_id, exempt_reason="小额")
    done = store(walk, lot_id, exempt_reason="小额", exchange_ref="浙产交 2026-1")
    assert done.sale_state == "PRE_STORED"
    walk.whole()


def test_two_lots_cannot_pre_store_more_than_the_forecast(walk):
    first = walk.draft(offers=((2025, 7_000, 6_000),)).lot_id
    second = walk.draft(offers=((2025, 4_000, 6_000),)).lot_id
    for lot_id in (first, second):
        walk.resolve(lot_id)
    store(walk, first, exempt_reason="小额")
    with pytest.raises(OversoldError) as refused:
        store(walk, second, exempt_reason="小额")
    assert refused.value.params["free"] == 3_000
    assert walk.one("SELECT sale_state FROM lot WHERE id = :i", i=second) == "RESOLVED"
    walk.whole()


def test_closing_the_sale_frees_what_is_unsold_for_another_lot(walk):
    first = walk.on_sale(offers=((2025, 10_000, 6_000),))
    walk.reserve(first, (2025, 4_000))
    walk.run(lots.close_sale, lots.EndSale, lot_id=first, reason="到期")
    assert walk.one("SELECT committed_kg FROM capacity WHERE vintage = 2025") == 4_000
    walk.on_sale(offers=((2025, 6_000, 6_000),))
    walk.whole()


def test_a_lot_with_a_sale_cannot_be_withdrawn(walk):
    lot_id = walk.on_sale()
    walk.reserve(lot_id, (2025, 1))
    with pytest.raises(WithdrawalRefusedError):
        walk.run(lots.withdraw, lots.EndSale, lot_id=lot_id, reason="改主意")
    assert walk.one("SELECT sale_state FROM lot") == "LISTED"
    walk.whole()


def test_a_lot_without_sale_is_withdrawn_whole(walk):
    lot_id = walk.on_sale()
    walk.run(lots.withdraw, lots.EndSale, lot_id=lot_id, reason="改主意")
    assert walk.one("SELECT sum(committed_kg) FROM capacity") == 0
    assert walk.one("SELECT sum(abs(balance)) FROM account WHERE asset = 'forecast_kg'") == 0
    with pytest.raises(TransitionRefusedError):
        walk.run(lots.list_lot, lots.LotCommand, lot_id=lot_id)
    walk.whole()


def test_the_ground_must_be_under_a_claim_of_the_project(walk):
    walk.claims["石梁村"] = None
    with pytest.raises(LotGroundError):
        walk.draft()


def test_years_outside_the_claim_are_refused(walk):
    with pytest.raises(LotGroundError):
        walk.draft(offers=((2041, 10, 6_000),))


def test_a_number_is_given_once(walk):
    walk.draft(number="L-1")
    with pytest.raises(NumberTakenError):
        walk.draft(number="L-1")


def forecast(walk, kg):
    with transaction(walk.engine) as session:
        run_id = factories.run(
            session, walk.project, {walk.parcels["石梁村"]: {2025: kg}}, kind="forecast"
        )
    return walk.run(
        capacity.set_caps, capacity.SetCaps, run_id=run_id, buffer_share=Fraction(1, 10)
    )


def test_a_lower_forecast_is_taken_and_turns_the_lot_short(walk):
    lot_id = walk.on_sale(offers=((2025, 8_000, 6_000),))
    done = forecast(walk, 8_001)
    assert (done.cap_kg, done.short_kg) == (7_200, 800)
    assert walk.tick().short == 1
    with pytest.raises(SaleSuspendedError):
        walk.reserve(lot_id, (2025, 1))
    assert forecast(walk, 10_000).short_kg == 0
    assert walk.tick().covered == 1
    walk.reserve(lot_id, (2025, 1))
    walk.whole()


def test_a_page_shows_the_lot_with_its_story(walk):
    lot_id = walk.on_sale(offers=((2025, 8_000, 6_000),))
    walk.reserve(lot_id, (2025, 1_000))
    with transaction(walk.engine) as session:
        page = reads.lot_page(session, lot_id)
        shelf = reads.first_level_account(session, walk.parties["company"])
        owner = reads.forest_owner_account(session, walk.parties["石梁村"])
    (offer,) = page.lot.offers
    assert (offer.free, offer.held, offer.sold) == (7_000, 1_000, 0)
    assert [step.event for step in page.steps][-2:] == ["pre_store", "list_for_sale"]
    assert page.parcels[0].units == 8_000
    assert (shelf.forecast_kg, shelf.units_kg) == (8_000, 0)
    assert (owner.parcels, owner.pre_stored, owner.sold) == (1, 8_000, 0)
    assert {year.year: year.forecast_kg for year in owner.years} == {2024: 10_000, 2025: 10_000}
