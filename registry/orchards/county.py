"""A county's orchards in a year: accounts, E, S, net, colours, yield, and the change since.

Everything can be computed again from approved balances: the figures that reports claim.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from sqlalchemy.orm import Session

from registry.orchards import accounts, balances, labels, rewards
from registry.orchards.accounts import OrchardView, decimal_text
from registry.orchards.balances import BalanceView
from registry.orchards.errors import BoundaryDateError


@dataclass(frozen=True, slots=True, kw_only=True)
class YearTotals:
    """Sums over approved balances of a year; kilograms of fruit as decimal text."""

    year: int
    approved: int
    e_kg: int
    s_kg: int
    net_kg: int
    yield_kg: str
    premium_kg: str
    planted_area_m2: str

    @property
    def premium_share(self) -> Fraction | None:
        """Premium part of the fruit; None without fruit."""
        fruit = Fraction(self.yield_kg)
        return Fraction(self.premium_kg) / fruit if fruit else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Change of the accounts that have both years approved; shares as exact fractions' text.

    ``e_share``, ``yield_share``: part of the base year; ``premium_points``: difference of the
    premium shares.  None where the base is zero.
    """

    base: YearTotals
    now: YearTotals
    accounts: int
    e_kg: int
    s_kg: int
    net_kg: int
    e_share: str | None
    yield_share: str | None
    premium_points: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountYear:
    """One account's line on the county page."""

    orchard: OrchardView
    status: str
    balance: BalanceView | None
    label: labels.LabelView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CountyOrchards:
    """The county page."""

    adcode: str
    accounts: int
    above_gate: int
    totals: YearTotals
    colours: Mapping[str, int]
    change: Change | None
    reward_issued_kg: int
    reward_redeemed_kg: int
    reward_expired_kg: int
    rows: tuple[AccountYear, ...]


def county(
    session: Session, adcode: str, year: int, *, base_year: int | None = None
) -> CountyOrchards:
    """Return a county's page for a year, with the change against a base year if given."""
    verdicts = {x.orchard_id: x for x in labels.current_labels(session, adcode, year)}
    rows = tuple(_rows(session, adcode, year, verdicts))
    kept = rewards.vouchers(session, adcode=adcode)
    of_year = [voucher for voucher in kept if voucher.year == year]
    return CountyOrchards(
        adcode=adcode,
        accounts=len(rows),
        above_gate=sum(row.orchard.gate for row in rows),
        totals=totals(year, rows),
        colours=dict(sorted(Counter(x.grade or x.state for x in verdicts.values()).items())),
        change=None if base_year is None else _change(session, adcode, base_year, year, rows),
        reward_issued_kg=sum(voucher.issued_kg for voucher in of_year),
        reward_redeemed_kg=sum(voucher.redeemed_kg for voucher in of_year),
        reward_expired_kg=sum(voucher.expired_kg for voucher in of_year),
        rows=rows,
    )


def _rows(
    session: Session, adcode: str, year: int, verdicts: Mapping[UUID, labels.LabelView]
) -> Iterable[AccountYear]:
    """Yield the accounts that stood in a year, by name."""
    for newest in accounts.orchards(session, adcode):
        try:
            held = accounts.orchard_view(session, newest.id, year=year)
        except BoundaryDateError:
            continue
        approved = balances.latest(session, newest.id, year, "approved")
        draft = None if approved else balances.latest(session, newest.id, year, "draft")
        yield AccountYear(
            orchard=held,
            status="approved" if approved else "draft" if draft else "none",
            balance=approved or draft,
            label=verdicts.get(newest.id),
        )


def totals(year: int, rows: Iterable[AccountYear]) -> YearTotals:
    """Sum the approved balances; drafts do not count."""
    counted = [row for row in rows if row.status == "approved"]
    found = [row.balance for row in counted if row.balance is not None]
    return YearTotals(
        year=year,
        approved=len(found),
        e_kg=sum(balance.e_kg for balance in found),
        s_kg=sum(balance.s_kg for balance in found),
        net_kg=sum(balance.net_kg for balance in found),
        yield_kg=_sum(balance.yield_kg for balance in found),
        premium_kg=_sum(balance.premium_kg for balance in found),
        planted_area_m2=_sum(row.orchard.planted_area_m2 for row in counted),
    )


def _change(
    session: Session, adcode: str, base_year: int, year: int, rows: tuple[AccountYear, ...]
) -> Change:
    """Compare like with like: only accounts approved in both years."""
    before = {
        row.orchard.id: row
        for row in _rows(session, adcode, base_year, {})
        if row.status == "approved"
    }
    both = [row for row in rows if row.status == "approved" and row.orchard.id in before]
    then = totals(base_year, [before[row.orchard.id] for row in both])
    now = totals(year, both)
    shares = (now.premium_share, then.premium_share)
    points = None if shares[0] is None or shares[1] is None else shares[0] - shares[1]
    return Change(
        base=then,
        now=now,
        accounts=len(both),
        e_kg=now.e_kg - then.e_kg,
        s_kg=now.s_kg - then.s_kg,
        net_kg=now.net_kg - then.net_kg,
        e_share=_part(Fraction(now.e_kg - then.e_kg), Fraction(then.e_kg)),
        yield_share=_part(
            Fraction(now.yield_kg) - Fraction(then.yield_kg), Fraction(then.yield_kg)
        ),
        premium_points=None if points is None else str(points),
    )


def _part(change: Fraction, base: Fraction) -> str | None:
    return str(change / base) if base else None


def _sum(values: Iterable[str]) -> str:
    """Exact sum of decimal texts."""
    return decimal_text(sum((Decimal(value) for value in values), Decimal(0)))
