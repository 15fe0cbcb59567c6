"""Rewards: floored, once a year, carried on, and back as an input; the county's page."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from fractions import Fraction

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from registry.db import transaction
from registry.errors import InvalidValueError, RegistryError
from registry.orchards import books, county, rewards
from registry.orchards.errors import (
    RewardNotEarnedError,
    RewardSoldError,
    RewardTwiceError,
    VoucherExpiredError,
    VoucherShortError,
)
from tests import factories
from tests.registry import orchard_makers as make

ADCODE = "330802"


@pytest.fixture
def at(engine):
    return make.desk(engine)


def booked(at, *, year=2025, orchard=None, power="100", **more):
    orchard = orchard or make.opened(at, "40000", **more)
    lines = [make.line("electricity", power, year=year), *make.year_lines(year)[2:]]
    make.write(at, orchard.id, lines, year)
    make.approve(at, orchard.id, year)
    return orchard


def issue(at, orchard, year=2025, **more):
    return at.do(
        rewards.issue_voucher,
        rewards.IssueVoucher,
        at.county,
        orchard_id=orchard.id,
        year=year,
        **more,
    )


def redeem(desk, number, kg, **more):
    fields = {"product": "commercial_organic", "n_share": "0.02"}
    return desk.do(
        rewards.redeem_voucher, rewards.RedeemVoucher, number=number, kg=kg, **fields | more
    )


def test_a_voucher_is_the_net_floored_to_ten_kilograms(at):
    orchard = booked(at)
    voucher = issue(at, orchard)
    assert voucher.net_kg == 6306 - 52  # 4 ha x 0.43 t C x 44/12, less 51.53 kg rounded up
    assert (voucher.issued_kg, voucher.open_kg) == (6250, 6250)
    assert voucher.number == "RWD-330802-2025-000001"
    with pytest.raises(RewardTwiceError):
        issue(at, orchard)


def test_what_earns_nothing_says_why(at):
    below = booked(at, orchard=make.opened(at, "33333.3333"))
    with pytest.raises(RewardNotEarnedError) as refused:
        issue(at, below)
    assert refused.value.params["codes"] == ["REWARD_GATE"]
    source = booked(at, power="90000")
    with pytest.raises(RewardNotEarnedError) as refused:
        issue(at, source)
    assert refused.value.params["codes"] == ["REWARD_NOTHING"]
    draft = make.opened(at, "40000")
    make.write(at, draft.id, [make.line("electricity", "10", evidence="")])
    with pytest.raises(RewardNotEarnedError) as refused:
        issue(at, draft)
    assert refused.value.params["codes"] == ["REWARD_NOT_APPROVED", "REWARD_EVIDENCE"]


def test_redeemed_fertiliser_is_an_input_of_the_next_book(at):
    voucher = issue(at, booked(at))
    first = redeem(at, voucher.number, 1000)
    second = redeem(at, voucher.number, 250)
    assert (first.line_year, second.voucher.redeemed_kg, second.voucher.open_kg) == (
        2026, 1250, 5000,
    )  # fmt: skip
    with transaction(at.engine) as session:
        view = books.book_view(session, voucher.orchard_id, 2026)
    assert [(x.kind, x.quantity, x.n_kg, x.evidence) for x in view.lines] == [
        ("organic", "1000", "20", voucher.number),
        ("organic", "250", "5", voucher.number),
    ]
    assert view.draft.e_kg > 0
    with pytest.raises(VoucherShortError):
        redeem(at, voucher.number, 5001)
    with pytest.raises(InvalidValueError):
        redeem(at, voucher.number, 10, n_share="2")
    with pytest.raises(RegistryError):  # a voucher's line is not taken back by hand
        at.do(
            books.reverse_line,
            books.ReverseLine,
            orchard_id=voucher.orchard_id,
            year=2026,
            line_id=first.line_id,
            reason="x",
        )


def test_many_who_redeem_at_once_never_redeem_more_than_was_issued(at):
    voucher = issue(at, booked(at))

    def attempt(_):
        try:
            redeem(at, voucher.number, 2000)
        except VoucherShortError:
            return 0
        return 2000

    with ThreadPoolExecutor(5) as pool:
        assert sum(pool.map(attempt, range(5))) == 6000
    with transaction(at.engine) as session:
        assert rewards.voucher(session, voucher.number).open_kg == 250


def test_a_voucher_expires_after_its_last_day(at):
    voucher = issue(at, booked(at))
    redeem(at, voucher.number, 50)
    last = datetime.combine(voucher.expires_on, make.AT.timetz())
    expire = {"adcode": ADCODE}

    def close(day):
        return at.do(rewards.expire_vouchers, rewards.ExpireVouchers, at.county, at=day, **expire)

    assert close(last).vouchers == 0
    after = last + timedelta(days=1)
    with pytest.raises(VoucherExpiredError):
        redeem(at, voucher.number, 10, at=after)
    assert (close(after).kg, close(after).kg) == (6200, 0)
    with transaction(at.engine) as session:
        now = rewards.voucher(session, voucher.number)
    assert (now.issued_kg, now.redeemed_kg, now.expired_kg, now.open_kg) == (6250, 50, 6200, 0)


def test_a_later_correction_is_taken_off_the_next_voucher(at):
    orchard = booked(at, year=2024)
    first = issue(at, orchard, 2024)
    year = {"orchard_id": orchard.id, "year": 2024}
    at.do(books.decide_book, books.DecideBook, at.county, decision="reopen", reason="漏记", **year)
    make.write(at, orchard.id, [make.line("electricity", "3000", year=2024)], 2024)
    state = make.approve(at, orchard.id, 2024)
    lost = first.net_kg - state.balance.net_kg
    assert lost > 1500
    second = issue(at, booked(at, orchard=orchard))
    assert second.carried_in_kg == -lost
    assert second.basis_kg == second.net_kg - lost
    with transaction(at.engine) as session:
        assert rewards.voucher(session, first.number).issued_kg == first.issued_kg  # no claw-back
        assert rewards.carried_kg(session, orchard.id) == 0


def test_ground_that_is_claimed_earns_no_reward_and_a_reward_claims_it(at):
    orchard = booked(at)
    with transaction(at.engine) as session:
        project = factories.project(session, orchard.operator_id)
        factories.claim(session, project, orchard.plots[0].parcel_id, (2025, 2026))
    with pytest.raises(RewardSoldError):
        issue(at, orchard)
    free = booked(at)
    issue(at, free)
    with transaction(at.engine) as session:
        project = factories.project(session, free.operator_id, number=2)
        with pytest.raises(DBAPIError, match="claim"):
            factories.claim(session, project, free.plots[0].parcel_id, (2025, 2026))
        session.rollback()


def test_the_database_holds_that_a_voucher_adds_up(at):
    voucher = issue(at, booked(at))
    with pytest.raises(DBAPIError), transaction(at.engine) as session:
        session.execute(text("UPDATE reward_voucher SET redeemed_kg = 10"))
    with pytest.raises(DBAPIError), transaction(at.engine) as session:
        session.execute(text("UPDATE reward_voucher SET issued_kg = 10"))
    assert voucher.open_kg == 6250


def test_the_county_page_adds_up_and_compares_like_with_like(at):
    for power in ("100", "3000"):
        orchard = booked(at, year=2024, power=power)
        booked(at, year=2025, orchard=orchard, power="200")
    booked(at)  # only 2025: in the totals, not in the change
    with transaction(at.engine) as session:
        page = county.county(session, ADCODE, 2025, base_year=2024)
    assert (page.accounts, page.above_gate, page.totals.approved) == (3, 3, 3)
    assert page.totals.net_kg == page.totals.s_kg - page.totals.e_kg
    assert page.totals.net_kg == sum(row.balance.net_kg for row in page.rows)
    assert (page.change.accounts, page.change.now.approved) == (2, 2)
    assert page.change.net_kg == page.change.s_kg - page.change.e_kg
    assert page.change.e_kg < 0
    assert page.change.yield_share == "0"
    assert page.totals.premium_share == Fraction(1, 2)
