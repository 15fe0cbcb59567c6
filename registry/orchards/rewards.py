"""The fertiliser reward: a voucher from an approved net, redeemed into the next book, or expired.

The reward is a claim on the plots and the year: the same tonnes are not sold as units.  Nothing
is clawed back: a later correction lowers the next voucher.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from uuid import UUID, uuid4

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from registry import events, people
from registry.db import Command
from registry.errors import InvalidValueError, NotFoundError
from registry.models import OrchardBook, RewardMovement, RewardVoucher
from registry.orchards import accounts, balances, books, rules
from registry.orchards.accounts import OrchardView
from registry.orchards.errors import (
    RewardNotEarnedError,
    RewardSoldError,
    RewardTwiceError,
    VoucherExpiredError,
    VoucherShortError,
)
from registry.orchards.labels import BEIJING
from registry.orchards.lines import LineEntry
from sinks.exact import exact
from sinks.reward import Reward, plan_reward


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueVoucher(Command):
    """Issue the voucher of an orchard's approved year."""

    orchard_id: UUID
    year: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemVoucher(Command):
    """Hand out fertiliser on a voucher, all of it or part; shares are by mass, decimal text."""

    number: str
    kg: int
    product: str
    n_share: str
    p2o5_share: str = "0"
    k2o_share: str = "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireVouchers(Command):
    """Close what is open on a county's vouchers whose last day is over."""

    adcode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherView:
    """A voucher: issued = redeemed + expired + open, always, in kg of fertiliser."""

    number: str
    adcode: str
    year: int
    orchard_id: UUID
    balance_id: UUID
    unit: str
    net_kg: int
    carried_in_kg: int
    basis_kg: int
    carried_kg: int
    issued_kg: int
    redeemed_kg: int
    expired_kg: int
    open_kg: int
    expires_on: date

    @property
    def state(self) -> str:
        """Return open, redeemed, expired or nothing."""
        if self.open_kg:
            return "open"
        if not self.issued_kg:
            return "nothing"
        return "expired" if self.expired_kg else "redeemed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemed:
    """A voucher after a redemption, and the line that the fertiliser became."""

    voucher: VoucherView
    line_id: UUID
    line_year: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """How many vouchers were closed, and how much fertiliser with them."""

    vouchers: int
    kg: int


def reward_of(session: Session, orchard_id: UUID, year: int) -> Reward:
    """Return what a year would earn as things stand: for the farmer's page before any voucher."""
    held = accounts.orchard_view(session, orchard_id, year=year)
    book = session.get(OrchardBook, (orchard_id, year))
    approved = balances.latest(session, orchard_id, year, "approved")
    figures = approved or balances.latest(session, orchard_id, year, "draft")
    share = figures.evidence_share if figures else None
    return plan_reward(
        rules.programme().reward,
        net_kg=figures.net_kg if figures else 0,
        gate=held.gate,
        approved=book is not None and book.status == "approved" and approved is not None,
        evidence_share=None if share is None else Fraction(share),
        carried_kg=carried_kg(session, orchard_id),
    )


def carried_kg(session: Session, orchard_id: UUID) -> int:
    """Return the correction that the next voucher takes, kg CO2e, not above zero.

    All vouchers together should stand on the nets as approved now; what they were paid on beyond
    that is taken off the next one.
    """
    paid = session.scalars(select(RewardVoucher).where(RewardVoucher.orchard_id == orchard_id))
    owed = 0
    for voucher in paid.all():
        now = balances.latest(session, orchard_id, voucher.year, "approved")
        owed += max(0, now.net_kg if now else 0) - voucher.basis_kg
    return min(0, owed)


def issue_voucher(session: Session, command: IssueVoucher) -> VoucherView:
    """Issue the year's voucher and claim the plots for the reward.

    Raises
    ------
    RewardTwiceError : the year has its voucher.
    RewardNotEarnedError : codes of what is missing.
    RewardSoldError, ClaimOverlapError : the ground and year are claimed under another scheme.
    """
    people.require_role(session, command, "county")
    orchard = accounts.locked(session, command.orchard_id)
    year = (RewardVoucher.orchard_id == orchard.id, RewardVoucher.year == command.year)
    known = session.scalar(select(RewardVoucher.number).where(*year))
    if known is not None:
        raise RewardTwiceError(year=command.year, number=known)
    carried = carried_kg(session, orchard.id)
    earned = reward_of(session, orchard.id, command.year)
    step = rules.programme().reward.step_kg
    reasons = earned.reasons or (("REWARD_NOTHING",) if not earned.fertiliser_kg else ())
    # A year that only works off a correction gets an empty voucher, so that it is worked off once.
    if earned.reasons or (reasons and not carried):
        raise RewardNotEarnedError(
            year=command.year, reasons=", ".join(reasons), step_kg=step, codes=list(reasons)
        )
    balance = balances.latest(session, orchard.id, command.year, "approved")
    assert balance is not None  # noqa: S101 -- an approved book has one
    _claim(session, command, accounts.orchard_view(session, orchard.id, year=command.year))
    voucher = _new_voucher(session, command, balance, earned, carried)
    session.add(voucher)
    session.flush()
    if voucher.issued_kg:
        _move(session, command, voucher, kind="issue", kg=voucher.issued_kg)
    _record(session, command, voucher, "reward.issued", {"basis_kg": voucher.basis_kg})
    return _view(voucher)


def _new_voucher(
    session: Session,
    command: IssueVoucher,
    balance: balances.BalanceView,
    earned: Reward,
    carried: int,
) -> RewardVoucher:
    programme = rules.programme()
    orchard = accounts.locked(session, command.orchard_id)
    place = {"key": f"rewards:{orchard.adcode}:{command.year}"}
    session.execute(_ONE_AT_A_TIME, place)
    last = session.scalar(
        select(func.max(RewardVoucher.seq)).where(
            RewardVoucher.adcode == orchard.adcode, RewardVoucher.year == command.year
        )
    )
    seq = (last or 0) + 1
    today = command.at.astimezone(BEIJING).date()
    return RewardVoucher(
        number=f"RWD-{orchard.adcode}-{command.year}-{seq:06d}",
        adcode=orchard.adcode,
        year=command.year,
        seq=seq,
        orchard_id=orchard.id,
        balance_id=balance.id,
        unit=programme.reward.unit,
        net_kg=balance.net_kg,
        carried_in_kg=carried,
        basis_kg=earned.basis_kg,
        carried_kg=earned.carried_kg,
        issued_kg=earned.fertiliser_kg,
        redeemed_kg=0,
        expired_kg=0,
        expires_on=today + timedelta(days=programme.voucher_days),
        rule=rules.plain_rule(programme.reward) | {"programme_version": programme.version},
        actor_id=command.actor_id,
        effective_at=command.at,
    )


def redeem_voucher(session: Session, command: RedeemVoucher) -> Redeemed:
    """Redeem fertiliser; it enters a later year's book as organic fertiliser, for it still emits.

    Raises
    ------
    NotFoundError, VoucherExpiredError, VoucherShortError
    BookClosedError : the book it would enter is submitted or approved.
    """
    people.require_role(session, command, "county", "township", "company")
    if command.kg <= 0:
        raise InvalidValueError(field="kg", value=command.kg, why="> 0")
    voucher = _locked(session, command.number)
    today = command.at.astimezone(BEIJING).date()
    if today > voucher.expires_on:
        raise VoucherExpiredError(
            number=voucher.number, expires_on=voucher.expires_on.isoformat(), on=today.isoformat()
        )
    open_kg = _view(voucher).open_kg
    if command.kg > open_kg:
        raise VoucherShortError(number=voucher.number, open_kg=open_kg, asked_kg=command.kg)
    year = max(today.year, voucher.year + 1)
    day = today if today.year == year else date(year, 1, 1)
    parts = select(func.count()).where(RewardMovement.voucher == voucher.number)
    book = books.open_book(session, voucher.orchard_id, year)
    entry = _entry(command, day, part=session.scalar(parts) or 0)
    line_id = books.enter(session, command, book, entry)
    books.redraft(session, command, book)
    voucher.redeemed_kg += command.kg
    _move(session, command, voucher, kind="redeem", kg=command.kg, line_id=line_id)
    body = {"kg": command.kg, "line": line_id, "book": year}
    _record(session, command, voucher, "reward.redeemed", body)
    return Redeemed(voucher=_view(voucher), line_id=line_id, line_year=year)


def _entry(command: RedeemVoucher, day: date, *, part: int) -> LineEntry:
    """Return the line that redeemed fertiliser becomes; the voucher is its evidence."""
    return LineEntry(
        client_id=f"{command.number}:{part}",
        kind="organic",
        on_date=day,
        quantity=str(command.kg),
        unit="kg",
        product=command.product,
        n_kg=_nutrient(command.kg, command.n_share, "n_share"),
        p2o5_kg=_nutrient(command.kg, command.p2o5_share, "p2o5_share"),
        k2o_kg=_nutrient(command.kg, command.k2o_share, "k2o_share"),
        evidence=command.number,
    )


def _nutrient(kg: int, share: str, field: str) -> str:
    """Kilograms of a nutrient to 6 decimals, rounded down, as text."""
    valid = share.replace(".", "", 1).isdecimal() and exact(share) <= 1
    if not valid:
        raise InvalidValueError(field=field, value=share, why="0-1")
    micro = int(kg * exact(share) * 1_000_000)
    return f"{micro // 1_000_000}.{micro % 1_000_000:06d}"


def expire_vouchers(session: Session, command: ExpireVouchers) -> Expired:
    """Close what is open on vouchers whose last day is over; a valid voucher is left alone."""
    people.require_role(session, command, "county")
    today = command.at.astimezone(BEIJING).date()
    query = select(RewardVoucher).where(
        RewardVoucher.adcode == command.adcode,
        RewardVoucher.expires_on < today,
        RewardVoucher.redeemed_kg + RewardVoucher.expired_kg < RewardVoucher.issued_kg,
    )
    closed = 0
    rows = session.scalars(query.order_by(RewardVoucher.number).with_for_update()).all()
    for voucher in rows:
        kg = _view(voucher).open_kg
        voucher.expired_kg += kg
        _move(session, command, voucher, kind="expire", kg=kg)
        _record(session, command, voucher, "reward.expired", {"kg": kg})
        closed += kg
    return Expired(vouchers=len(rows), kg=closed)


def voucher(session: Session, number: str) -> VoucherView:
    """Return a voucher.

    Raises
    ------
    NotFoundError : there is none.
    """
    row = session.get(RewardVoucher, number)
    if row is None:
        raise NotFoundError(what="voucher", id=number)
    return _view(row)


def vouchers(
    session: Session, *, adcode: str | None = None, orchard_id: UUID | None = None
) -> Sequence[VoucherView]:
    """Return vouchers of a county or of an orchard, newest first."""
    query = select(RewardVoucher).order_by(RewardVoucher.number.desc())
    if adcode is not None:
        query = query.where(RewardVoucher.adcode == adcode)
    if orchard_id is not None:
        query = query.where(RewardVoucher.orchard_id == orchard_id)
    return tuple(_view(row) for row in session.scalars(query))


def _claim(session: Session, command: IssueVoucher, held: OrchardView) -> None:
    """Claim the plots and the year for the reward, where the programme excludes selling both."""
    if not rules.programme().exclusive:
        return
    parcels = [plot.parcel_id for plot in held.plots]
    span = {"parcels": parcels, "from": command.year, "to": command.year + 1}
    sold = session.scalar(_SOLD, span)
    if sold is not None:
        raise RewardSoldError(year=command.year, scheme=sold)
    session.execute(_CLAIM, span | {"reference": f"reward:{held.id}", "at": command.at})


def _locked(session: Session, number: str) -> RewardVoucher:
    """Return a voucher with its orchard and itself locked, in this order as everywhere."""
    orchard_id = session.scalar(
        select(RewardVoucher.orchard_id).where(RewardVoucher.number == number)
    )
    if orchard_id is None:
        raise NotFoundError(what="voucher", id=number)
    accounts.locked(session, orchard_id)
    query = select(RewardVoucher).where(RewardVoucher.number == number).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def _move(
    session: Session,
    command: Command,
    row: RewardVoucher,
    *,
    kind: str,
    kg: int,
    line_id: UUID | None = None,
) -> None:
    session.add(
        RewardMovement(
            id=uuid4(),
            voucher=row.number,
            kind=kind,
            kg=kg,
            line_id=line_id,
            actor_id=command.actor_id,
            effective_at=command.at,
        )
    )
    session.flush()


def _record(
    session: Session, command: Command, row: RewardVoucher, kind: str, body: dict[str, object]
) -> None:
    state = {
        "orchard": row.orchard_id,
        "year": row.year,
        "issued_kg": row.issued_kg,
        "redeemed_kg": row.redeemed_kg,
        "expired_kg": row.expired_kg,
    }
    subject = ("voucher", row.number)
    events.record(session, command, kind=kind, subject=subject, body=body | state)


def _view(row: RewardVoucher) -> VoucherView:
    return VoucherView(
        number=row.number,
        adcode=row.adcode,
        year=row.year,
        orchard_id=row.orchard_id,
        balance_id=row.balance_id,
        unit=row.unit,
        net_kg=row.net_kg,
        carried_in_kg=row.carried_in_kg,
        basis_kg=row.basis_kg,
        carried_kg=row.carried_kg,
        issued_kg=row.issued_kg,
        redeemed_kg=row.redeemed_kg,
        expired_kg=row.expired_kg,
        open_kg=row.issued_kg - row.redeemed_kg - row.expired_kg,
        expires_on=row.expires_on,
    )


_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
_SOLD = text(
    "SELECT c.scheme FROM claim c WHERE c.status = 'active' AND c.parcel_id = ANY (:parcels)"
    " AND c.years && int4range(:from, :to) ORDER BY c.scheme LIMIT 1"
)
_CLAIM = text(
    "INSERT INTO claim (id, scheme, status, parcel_id, version, external_reference, years,"
    " geometry, area_m2, effective_at)"
    " SELECT gen_random_uuid(), 'reward', 'active', p.id, p.version, :reference,"
    " int4range(:from, :to), p.geometry, p.area_m2, :at FROM parcel p WHERE p.id = ANY (:parcels)"
)
