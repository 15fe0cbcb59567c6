"""Money that comes in: a row of the bank statement pays a contract to the fen, once."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from options import books, outside
from options.books import Shelf, Statement
from options.lot_store import asset_of, load, sale_of
from options.models import Lot, Subscription, SubscriptionLine
from options.pricing import require_exact_payment
from options.refusals import PayerError, SubscriptionNotFoundError
from options.subscriptions import load_subscription, move, require_in_time
from options.terms import cooling_off_ends, payment_ends
from registry import events
from registry.db import Command
from registry.ledger import Leg, post_legs


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPayment(Command):
    """A statement row for a contract, found by the number the buyer wrote on the transfer."""

    subscription_number: str
    statement: Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordInsurance(Command):
    """Insurance money received for a lot: it answers for refunds right after escrow."""

    lot_id: UUID
    statement: Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """A statement row as it was booked; ``repeated`` if it had been before."""

    subject_id: UUID
    amount_fen: int
    event_id: UUID
    repeated: bool


def record_payment(session: Session, command: RecordPayment) -> Booked:
    """Book a payment: money to escrow, forecast to the buyer, cooling-off begins.

    Raises
    ------
    PaymentAmountError
        Not the contract's amount; nothing is moved.
    PayerError
        Not from the buyer's own account.
    BankReferenceError
        The row was used for something else.
    DeadlinePassedError, TransitionRefusedError, SubscriptionNotFoundError
    """
    paid = command.statement
    found_id = session.scalar(
        select(Subscription.id).where(Subscription.number == command.subscription_number)
    )
    if found_id is None:
        raise SubscriptionNotFoundError(subscription=command.subscription_number)
    found, lines = load_subscription(session, found_id)
    subject = ("subscription", found.id)
    before = books.used_before(session, paid, direction="in", subject=subject)
    if before is not None:
        return Booked(
            subject_id=found.id, amount_fen=paid.amount_fen, event_id=before, repeated=True
        )
    lot = load(session, found.lot_id, lock=False)
    _require_payable(session, command, lot, found, lines)
    move(lines, "clear_payment")
    move(lines, "start_cooling_off")
    due = cooling_off_ends(sale_of(lot).timers, paid_at=command.at)
    found.paid_at, found.due_at = command.at, due.at
    session.flush()
    event_id = events.record(
        session,
        command,
        kind="subscription.paid",
        subject=("subscription", str(found.id)),
        body={"statement": paid, "lines": [line.id for line in lines], "due_at": found.due_at},
    )
    books.use_statement(session, command, paid, direction="in", subject=subject, event_id=event_id)
    legs = [leg for line in lines for leg in _paid_legs(session, lot, found.buyer_id, line)]
    post_legs(session, event_id, legs)
    return Booked(
        subject_id=found.id, amount_fen=paid.amount_fen, event_id=event_id, repeated=False
    )


def record_insurance(session: Session, command: RecordInsurance) -> Booked:
    """Book insurance money received for a lot.

    Raises
    ------
    BankReferenceError, LotNotFoundError
    """
    lot = load(session, command.lot_id)
    paid, subject = command.statement, ("insurance", lot.id)
    before = books.used_before(session, paid, direction="in", subject=subject)
    if before is not None:
        return Booked(subject_id=lot.id, amount_fen=paid.amount_fen, event_id=before, repeated=True)
    event_id = events.record(
        session,
        command,
        kind="lot.insurance",
        subject=("lot", str(lot.id)),
        body={"statement": paid},
    )
    books.use_statement(session, command, paid, direction="in", subject=subject, event_id=event_id)
    leg = Leg(
        source=books.world(session, lot.id),
        target=books.insurance(session, lot.id),
        amount=paid.amount_fen,
    )
    post_legs(session, event_id, [leg])
    return Booked(subject_id=lot.id, amount_fen=paid.amount_fen, event_id=event_id, repeated=False)


def _require_payable(
    session: Session,
    command: RecordPayment,
    lot: Lot,
    found: Subscription,
    lines: tuple[SubscriptionLine, ...],
) -> None:
    paid = command.statement
    if lines[0].state == "SIGNED" and found.due_at and command.at >= found.due_at:
        # the ten minutes are over, whether or not the timers have run
        move(lines, "undo_over")
        assert found.signed_at is not None  # noqa: S101 -- a signed contract has its instant
        found.due_at = payment_ends(sale_of(lot).timers, signed_at=found.signed_at).at
    if lines[0].state == "AWAITING_PAYMENT":
        require_in_time(found, command.at)
        require_exact_payment(due_fen=found.amount_fen, paid_fen=paid.amount_fen)
        buyer = outside.party(session, found.buyer_id)
        if paid.counterparty.strip() != buyer.name.strip():
            raise PayerError(payer=paid.counterparty, buyer=buyer.name)


def _paid_legs(
    session: Session, lot: Lot, buyer_id: UUID, line: SubscriptionLine
) -> tuple[Leg, Leg]:
    shelf, asset = Shelf(lot_id=lot.id, vintage=line.vintage), asset_of(lot)
    return (
        Leg(
            source=books.world(session, lot.id),
            target=books.escrow(session, line_id=line.id, buyer_id=buyer_id),
            amount=line.amount_fen,
        ),
        Leg(
            source=books.first_level(session, asset, company_id=lot.company_id, shelf=shelf),
            target=books.bought(session, asset, line_id=line.id, buyer_id=buyer_id),
            amount=line.promised,
        ),
    )
