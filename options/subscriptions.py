"""Subscriptions (认购协议): reserved without ever overselling, signed, undone, released.

Money comes in ``payments.py``, the passing of time in ``timers.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from options import outside
from options.books import Shelf
from options.calendar import beijing_day
from options.errors import OversoldError, TermsError
from options.lot_store import load, offers, promised_of, sale_of, sync_sold_out
from options.machines import SUBSCRIPTION_LINE, require_on_sale, transition
from options.models import Lot, LotOffer, Subscription, SubscriptionLine
from options.pricing import amount_fen, packs_amount_fen
from options.refusals import (
    DeadlinePassedError,
    IdentityUncheckedError,
    RiskNotAcceptedError,
    SubscriptionNotFoundError,
)
from options.terms import BuyerKind, UnitKind, reservation_ends, undo_ends
from registry import events, slots
from registry.db import Command
from registry.unit_errors import SlotsUnknownError, SoldOutError


@dataclass(frozen=True, slots=True, kw_only=True)
class LineAsk:
    """How much of which vintage: kg, or packs."""

    vintage: int
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve(Command):
    """Reserve quantities of one lot for a buyer."""

    lot_id: UUID
    buyer_id: UUID
    buyer_kind: BuyerKind
    lines: tuple[LineAsk, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign(Command):
    """Sign the contract; the buyer's identity was checked and the risk text accepted."""

    subscription_id: UUID
    contract_sha256: bytes
    identity_checked: bool
    risk_accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionCommand(Command):
    """A step of a subscription without papers: undo, release."""

    subscription_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionState:
    """A subscription after a step: its lines share one state until they vest."""

    subscription_id: UUID
    number: str
    state: str
    amount_fen: int
    due_at: datetime | None
    calendar_unverified: bool
    event_id: UUID


def reserve(session: Session, command: Reserve) -> SubscriptionState:
    """Take the quantities out of the lot's slots and price them; nothing can be sold twice.

    Raises
    ------
    SaleSuspendedError
        Not on sale.
    OversoldError
        Less is free than asked: ``vintage``, ``asked``, ``free``.
    TermsError
        No line, a vintage twice, or nothing asked.
    """
    lot = load(session, command.lot_id, lock=False)
    require_on_sale(sale=lot.sale_state, physical=lot.physical_state)
    if lot.closes_on is not None and beijing_day(command.at) > lot.closes_on:
        raise DeadlinePassedError(due_at=lot.closes_on)
    buyer = outside.party(session, command.buyer_id)
    asks = _checked(command.lines)
    on_offer = {offer.vintage: offer for offer in offers(session, lot.id)}
    due = reservation_ends(sale_of(lot).timers, at=command.at, buyer=command.buyer_kind)
    made = Subscription(
        id=(subscription_id := uuid4()),
        number=f"RG{beijing_day(command.at):%Y%m%d}-{subscription_id.hex[:8].upper()}",
        lot_id=lot.id,
        buyer_id=buyer.id,
        buyer_kind=command.buyer_kind.value,
        amount_fen=sum(_price_fen(lot, on_offer, ask) for ask in asks),
        due_at=due.at,
        calendar_unverified=due.calendar_unverified,
        created_by=command.actor_id,
        effective_at=command.at,
    )
    session.add(made)
    session.flush()
    for ask in asks:
        line = _line(lot, on_offer[ask.vintage], made, ask)
        session.add(line)
        session.flush()
        _take(session, lot, line)
    return record_step(session, command, made, "reserve", state="RESERVED")


def sign(session: Session, command: Sign) -> SubscriptionState:
    """Sign: from here ten minutes to undo, only then are the payment details shown.

    Raises
    ------
    IdentityUncheckedError, RiskNotAcceptedError, DeadlinePassedError, TransitionRefusedError
    """
    found, lines = load_subscription(session, command.subscription_id)
    if not command.identity_checked:
        raise IdentityUncheckedError(subscription=found.number)
    if not command.risk_accepted:
        raise RiskNotAcceptedError(subscription=found.number)
    state = move(lines, "sign")
    require_in_time(found, command.at)
    due = undo_ends(sale_of(load(session, found.lot_id, lock=False)).timers, signed_at=command.at)
    found.signed_at, found.contract_sha256 = command.at, command.contract_sha256
    found.risk_accepted, found.due_at = True, due.at
    return record_step(session, command, found, "sign", state=state)


def undo(session: Session, command: SubscriptionCommand) -> SubscriptionState:
    """Undo a signature in its ten minutes; the quantity is free again."""
    found, lines = load_subscription(session, command.subscription_id)
    state = move(lines, "undo")
    require_in_time(found, command.at)
    return let_go(session, command, found, lines, event="undo", state=state)


def release(session: Session, command: SubscriptionCommand) -> SubscriptionState:
    """Give an unsigned reservation up; the quantity is free again."""
    found, lines = load_subscription(session, command.subscription_id)
    state = move(lines, "release")
    return let_go(session, command, found, lines, event="release", state=state)


def load_subscription(
    session: Session, subscription_id: UUID
) -> tuple[Subscription, tuple[SubscriptionLine, ...]]:
    """Return a subscription and its lines by vintage, locked.

    Raises
    ------
    SubscriptionNotFoundError
    """
    found = session.get(Subscription, subscription_id, with_for_update=True)
    if found is None:
        raise SubscriptionNotFoundError(subscription=subscription_id)
    rows = (
        select(SubscriptionLine)
        .where(SubscriptionLine.subscription_id == found.id)
        .order_by(SubscriptionLine.vintage)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found, tuple(session.scalars(rows))


def move(lines: Sequence[SubscriptionLine], event: str) -> str:
    """Take one step with all lines and return their state.

    Raises
    ------
    TransitionRefusedError
    """
    for line in lines:
        line.state = transition(SUBSCRIPTION_LINE, line.state, event)
    return lines[0].state


def require_in_time(found: Subscription, at: datetime) -> None:
    """Refuse a step after its time, whether or not the timers have run yet.

    Raises
    ------
    DeadlinePassedError
    """
    if found.due_at is not None and at >= found.due_at:
        raise DeadlinePassedError(due_at=found.due_at.isoformat())


def let_go(
    session: Session,
    command: Command,
    found: Subscription,
    lines: Sequence[SubscriptionLine],
    *,
    event: str,
    state: str,
) -> SubscriptionState:
    """Put the lines' quantities back on sale; their state has been moved already."""
    found.due_at = None
    session.flush()
    put_back(session, command, lines)
    return record_step(session, command, found, event, state=state)


def put_back(session: Session, command: Command, lines: Sequence[SubscriptionLine]) -> None:
    """Return quantities to the slots, and packs with them; a sold-out lot is on sale again."""
    lot = load(session, lines[0].lot_id)
    for line in lines:
        slots.give_back(session, Shelf(lot_id=line.lot_id, vintage=line.vintage).ref, line.quantity)
        session.execute(_FREE_PACKS, {"line": line.id})
    sync_sold_out(session, command, lot)


def record_step(
    session: Session, command: Command, found: Subscription, event: str, *, state: str
) -> SubscriptionState:
    """Write a step of a subscription to the audit trail and return it frozen."""
    session.flush()
    event_id = events.record(
        session,
        command,
        kind=f"subscription.{event}",
        subject=("subscription", str(found.id)),
        body={
            "number": found.number,
            "lot": found.lot_id,
            "buyer": found.buyer_id,
            "amount_fen": found.amount_fen,
            "state": state,
            "due_at": found.due_at,
            "contract_sha256": found.contract_sha256,
        },
    )
    return SubscriptionState(
        subscription_id=found.id,
        number=found.number,
        state=state,
        amount_fen=found.amount_fen,
        due_at=found.due_at,
        calendar_unverified=found.calendar_unverified,
        event_id=event_id,
    )


def _checked(lines: Sequence[LineAsk]) -> list[LineAsk]:
    years = [line.vintage for line in lines]
    if not years or len(set(years)) != len(years):
        raise TermsError(field="lines", reason="repeated" if years else "empty")
    for line in lines:
        if line.quantity <= 0:
            raise TermsError(field=f"vintage {line.vintage}", reason=str(line.quantity))
    # always in this order, so that two buyers of several vintages do not meet crosswise
    return sorted(lines, key=lambda line: line.vintage)


def _price_fen(lot: Lot, on_offer: dict[int, LotOffer], ask: LineAsk) -> int:
    offer = on_offer.get(ask.vintage)
    if offer is None:
        raise OversoldError(vintage=ask.vintage, asked=ask.quantity, free=0)
    if lot.unit == UnitKind.KG:
        price = amount_fen(ask.quantity, offer.price_fen)
    else:
        price = packs_amount_fen(ask.quantity, offer.price_fen)
    if price == 0:
        raise TermsError(field=f"vintage {ask.vintage}", reason="amount 0")
    return price


def _line(lot: Lot, offer: LotOffer, made: Subscription, ask: LineAsk) -> SubscriptionLine:
    return SubscriptionLine(
        id=uuid4(),
        subscription_id=made.id,
        lot_id=lot.id,
        vintage=ask.vintage,
        quantity=ask.quantity,
        promised=promised_of(lot, ask.quantity),
        price_fen=offer.price_fen,
        amount_fen=_price_fen(lot, {offer.vintage: offer}, ask),
        state=SUBSCRIPTION_LINE.initial,
    )


def _take(session: Session, lot: Lot, line: SubscriptionLine) -> None:
    shelf = Shelf(lot_id=lot.id, vintage=line.vintage)
    try:
        slots.take(session, shelf.ref, line.quantity)
    except SoldOutError as error:
        free = int(str(error.params.get("has", 0)))
        raise OversoldError(vintage=line.vintage, asked=line.quantity, free=free) from error
    except SlotsUnknownError as error:
        raise OversoldError(vintage=line.vintage, asked=line.quantity, free=0) from error
    if lot.unit == UnitKind.TREE:
        _take_packs(session, line)


def _take_packs(session: Session, line: SubscriptionLine) -> None:
    # The slots already hold the count, so enough packs are free; others' locks are passed over
    # first, and waited for only if too few are left.
    row = {"lot": line.lot_id, "line": line.id}
    missing = line.quantity
    for wait in ("SKIP LOCKED", ""):
        statement = text(_TAKE_PACKS.format(wait=wait))
        missing -= len(session.execute(statement, row | {"n": missing}).all()) if missing else 0
    if missing:
        raise OversoldError(vintage=line.vintage, asked=line.quantity, free=line.quantity - missing)


_TAKE_PACKS = (
    "UPDATE tree_pack SET line_id = :line WHERE id IN (SELECT id FROM tree_pack"
    " WHERE lot_id = :lot AND line_id IS NULL ORDER BY code LIMIT :n FOR UPDATE {wait})"
    " RETURNING id"
)
_FREE_PACKS = text("UPDATE tree_pack SET line_id = NULL WHERE line_id = :line")
