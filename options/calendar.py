"""Periods and deadlines in Chinese days: notice periods, working days, and the year's holidays.

Rules: the day of the event does not count (Civil Code 201); a minimum period whose last day is a
day of rest ends on the next working day (203), while a deadline that somebody else may rely on
does not move. Days are days of Beijing; an instant is always aware of its zone.

Only years with a published holiday list are known. In any other year only Saturdays and Sundays
rest, and the answer says ``calendar_unverified`` (待核实).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Final

from options.errors import AmountError
from options.rounding import require_amounts

BEIJING: Final = timezone(timedelta(hours=8), "Asia/Shanghai")

NOTICE_DAYS_MIN: Final = 15
"""Zhejiang rules on rural collective assets, 20 and 36."""

_SATURDAY: Final = 5
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class YearTable:
    """The State Council's holiday list of one year."""

    year: int
    holidays: frozenset[date]
    makeup_workdays: frozenset[date]
    source: str
    checked_on: date
    mark: str


def _days(year: int, *ranges: tuple[int, int, int, int]) -> frozenset[date]:
    """Days of ranges (first month, first day, last month, last day), both ends included."""

    def each() -> Iterator[date]:
        for month_a, day_a, month_b, day_b in ranges:
            day = date(year, month_a, day_a)
            while day <= date(year, month_b, day_b):
                yield day
                day += _DAY

    return frozenset(each())


YEARS: Final = MappingProxyType(
    {
        2025: YearTable(
            year=2025,
            holidays=_days(
                2025,
                (1, 1, 1, 1),
                (1, 28, 2, 4),
                (4, 4, 4, 6),
                (5, 1, 5, 5),
                (5, 31, 6, 2),
                (10, 1, 10, 8),
            ),
            makeup_workdays=_days(
                2025, (1, 26, 1, 26), (2, 8, 2, 8), (4, 27, 4, 27), (9, 28, 9, 28), (10, 11, 10, 11)
            ),
            source="国务院办公厅关于2025年部分节假日安排的通知; agrees with chinesecalendar 1.11.0",
            checked_on=date(2026, 11, 21),
            mark="secondary",
        ),
        2026: YearTable(
            year=2026,
            holidays=_days(
                2026,
                (1, 1, 1, 3),
                (2, 15, 2, 23),
                (4, 4, 4, 6),
                (5, 1, 5, 5),
                (6, 19, 6, 21),
                (9, 25, 9, 27),
                (10, 1, 10, 7),
            ),
            makeup_workdays=_days(
                2026,
                (1, 4, 1, 4),
                (2, 14, 2, 14),
                (2, 28, 2, 28),
                (5, 9, 5, 9),
                (9, 20, 9, 20),
                (10, 10, 10, 10),
            ),
            source=(
                "国务院办公厅关于2026年部分节假日安排的通知 (2025-11-04), read in a reprint; "
                "agrees with chinesecalendar 1.11.0"
            ),
            checked_on=date(2026, 11, 21),
            mark="secondary",
        ),
    }
)
"""Holiday lists by year. The next year's list usually appears in November."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedAnswer:
    """A day that the rules give.

    Attributes
    ----------
    day : date
        Beijing day.
    calendar_unverified : bool
        A year without a holiday list was needed: show 待核实.
    """

    day: date
    calendar_unverified: bool


def is_working_day(day: date) -> bool:
    """Whether offices work on this day; weekends only where the year has no list."""
    table = YEARS.get(day.year)
    if table is not None and day in table.holidays:
        return False
    if table is not None and day in table.makeup_workdays:
        return True
    return day.weekday() < _SATURDAY


def is_verified(day: date) -> bool:
    """Whether the year of this day has a holiday list."""
    return day.year in YEARS


def add_working_days(start: date, days: int) -> DatedAnswer:
    """Last day of a period of working days; the start does not count.

    Parameters
    ----------
    start : date
        Day of the event.
    days : int
        Working days, at least 1.

    Raises
    ------
    AmountError
        Fewer than one day.
    """
    _require_days(days)
    day, left, unverified = start, days, False
    while left:
        day += _DAY
        unverified = unverified or not is_verified(day)
        left -= is_working_day(day)
    return DatedAnswer(day=day, calendar_unverified=unverified)


def minimum_period_end(start: date, days: int) -> DatedAnswer:
    """Last day of a period that must at least run (a notice, a cooling-off).

    The start does not count; a last day of rest moves to the next working day.

    Raises
    ------
    AmountError
        Fewer than one day.
    """
    _require_days(days)
    day = start + days * _DAY
    unverified = not is_verified(day)
    while not is_working_day(day):
        day += _DAY
        unverified = unverified or not is_verified(day)
    return DatedAnswer(day=day, calendar_unverified=unverified)


def earliest_vote(notice: date, *, notice_days: int = NOTICE_DAYS_MIN) -> DatedAnswer:
    """First day on which a noticed matter may be voted on: the day after the notice period.

    Notice on 2 March, 15 days: 3 to 17 March run, 18 March is the first day.

    Raises
    ------
    AmountError
        A notice shorter than the legal 15 days.
    """
    if notice_days < NOTICE_DAYS_MIN:
        raise AmountError(name="notice_days", value=str(notice_days))
    last = minimum_period_end(notice, notice_days)
    return DatedAnswer(day=last.day + _DAY, calendar_unverified=last.calendar_unverified)


def deadline(start: date, days: int) -> date:
    """Last day on which something must be done; the start does not count, rest days do not move it.

    Raises
    ------
    AmountError
        Fewer than one day.
    """
    _require_days(days)
    return start + days * _DAY


def beijing_day(at: datetime) -> date:
    """Day in Beijing of an instant.

    Raises
    ------
    ValueError
        An instant without a zone.
    """
    if at.tzinfo is None:
        raise ValueError(f"an instant needs a zone: {at!r}")
    return at.astimezone(BEIJING).date()


def end_of_day(day: date) -> datetime:
    """First instant after a Beijing day: what is due on the day is late from here on."""
    return datetime(day.year, day.month, day.day, tzinfo=BEIJING) + _DAY


def _require_days(days: int) -> None:
    require_amounts(days=days)
    if days == 0:
        raise AmountError(name="days", value="0")
