"""Periods, deadlines and working days of Chinese years."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from options import calendar
from options.errors import AmountError

DAYS = st.dates(min_value=date(2024, 1, 1), max_value=date(2028, 12, 31))


def test_notice_of_2_march_allows_a_vote_on_18_march():
    for year in (2025, 2026):
        answer = calendar.earliest_vote(date(year, 3, 2))
        assert answer == calendar.DatedAnswer(day=date(year, 3, 18), calendar_unverified=False)


def test_minimum_period_ending_in_spring_festival_moves_on():
    # 15 days from 31 January 2026 end on 15 February, the first of nine days of rest
    assert calendar.minimum_period_end(date(2026, 1, 31), 15).day == date(2026, 2, 24)
    assert calendar.earliest_vote(date(2026, 1, 31)).day == date(2026, 2, 25)


def test_minimum_period_may_end_on_a_saturday_that_is_worked():
    assert calendar.minimum_period_end(date(2026, 2, 13), 15).day == date(2026, 2, 28)


def test_a_deadline_does_not_move():
    assert calendar.deadline(date(2026, 9, 28), 5) == date(2026, 10, 3)


def test_ten_working_days_over_the_national_day():
    # 28, 29, 30 September, 8, 9, 10 (worked Saturday), 12, 13, 14, 15 October
    answer = calendar.add_working_days(date(2026, 9, 27), 10)
    assert answer == calendar.DatedAnswer(day=date(2026, 10, 15), calendar_unverified=False)


def test_a_year_without_a_list_says_so():
    answer = calendar.add_working_days(date(2026, 12, 31), 1)
    assert answer == calendar.DatedAnswer(day=date(2027, 1, 1), calendar_unverified=True)
    assert calendar.minimum_period_end(date(2026, 12, 20), 15).calendar_unverified


@pytest.mark.parametrize("year", sorted(calendar.YEARS))
def test_a_list_is_consistent(year):
    table = calendar.YEARS[year]
    assert not table.holidays & table.makeup_workdays
    assert {d.year for d in table.holidays | table.makeup_workdays} == {year}
    assert all(d.weekday() >= 5 for d in table.makeup_workdays), "only a weekend is made up for"
    swapped = [d for d in table.holidays if d.weekday() < 5]
    # 11 statutory days in 2025 on (13 with the reform): swaps never give away net days
    assert len(swapped) - len(table.makeup_workdays) <= 13


@given(DAYS, st.integers(1, 60))
def test_a_minimum_period_is_never_shorter_and_ends_on_a_working_day(start, days):
    answer = calendar.minimum_period_end(start, days)
    assert answer.day >= calendar.deadline(start, days)
    assert calendar.is_working_day(answer.day)


@given(DAYS, st.integers(1, 30), st.integers(1, 30))
def test_working_days_add_up(start, a, b):
    once = calendar.add_working_days(start, a + b).day
    assert calendar.add_working_days(calendar.add_working_days(start, a).day, b).day == once
    counted = sum(
        calendar.is_working_day(start + timedelta(days=i))
        for i in range(1, (once - start).days + 1)
    )
    assert counted == a + b


def test_instants_belong_to_beijing_days():
    at = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)
    assert calendar.beijing_day(at) == date(2026, 3, 2)
    assert calendar.end_of_day(date(2026, 3, 1)) == at
    with pytest.raises(ValueError):
        calendar.beijing_day(datetime(2026, 3, 1))  # noqa: DTZ001


def test_short_notices_and_empty_periods_are_refused():
    with pytest.raises(AmountError):
        calendar.earliest_vote(date(2026, 3, 2), notice_days=14)
    for rule in (calendar.deadline, calendar.minimum_period_end, calendar.add_working_days):
        with pytest.raises(AmountError):
            rule(date(2026, 3, 2), 0)
