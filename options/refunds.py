"""Refunds: in cooling-off all of it; for what was not delivered, from the funds in their order.

A refund first becomes payable to the buyer; the bank's confirmation takes it out of the account.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from options import books
from options.books import Shelf, Statement
from options.errors import PaymentAmountError
from options.lot_store import asset_of, load
from options.machines import SUBSCRIPTION_LINE, transition
from options.models import Refund, Subscription, SubscriptionLine
from options.refund_plan import LineRefund, LotFunds, RefundDue, plan_refunds
from options.refusals import RefundNotDueError
from options.subscriptions import (
    SubscriptionCommand,
    SubscriptionState,
    load_subscription,
    move,
    put_back,
    record_step,
    require_in_time,
)
from registry import events
from registry.db import Command
from registry.ledger import Leg, post_legs


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundShortfall(Command):
    """Refund what the lines of a vintage paid for and did not receive."""

    lot_id: UUID
    vintage: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmRefund(Command):
    """The bank's confirmation that a refund left for the buyer."""

    refund_id: UUID
    statement: Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPaid:
    """One line's refund: what is payable now and what the seller still owes."""

    refund_id: UUID
    line_id: UUID
    paid_fen: int
    seller_claim_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded:
    """All refunds of a lot's vintage."""

    refunds: tuple[RefundPaid, ...]
    event_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundConfirmed:
    """A refund that has left the account."""

    refund_id: UUID
    event_id: UUID


def withdraw_in_cooling_off(session: Session, command: SubscriptionCommand) -> SubscriptionState:
    """Give a paid contract back in cooling-off: all money payable, the quantity on sale again.

    Raises
    ------
    DeadlinePassedError, TransitionRefusedError
    """
    found, lines = load_subscription(session, command.subscription_id)
    lot = load(session, found.lot_id)
    if lines[0].state == "COOLING_OFF":
        require_in_time(found, command.at)
    state = move(lines, "refund")
    found.due_at = None
    done = record_step(session, command, found, "withdraw", state=state)
    asset = asset_of(lot)
    for line in lines:
        refund = _refund(command, line, done.event_id, "cooling_off", _all_of(line))
        session.add(refund)
        session.flush()
        shelf = Shelf(lot_id=lot.id, vintage=line.vintage)
        post_legs(
            session,
            done.event_id,
            [
                *_refund_legs(session, refund, found.buyer_id, shelf),
                Leg(
                    source=books.bought(session, asset, line_id=line.id, buyer_id=found.buyer_id),
                    target=books.first_level(
                        session, asset, company_id=lot.company_id, shelf=shelf
                    ),
                    amount=line.promised,
                ),
            ],
        )
        line.refunded_fen = line.refund_due_fen = line.amount_fen
    put_back(session, command, lines)
    return done


def refund_shortfall(session: Session, command: RefundShortfall) -> Refunded:
    """Refund undelivered kg or trees; what the lot's own funds lack is a claim on the seller.

    Raises
    ------
    RefundNotDueError
        Nothing is owed.
    """
    lot = load(session, command.lot_id)
    shelf = Shelf(lot_id=lot.id, vintage=command.vintage)
    rows = _owed(session, shelf)
    if not rows:
        raise RefundNotDueError(lot=lot.number, vintage=command.vintage)
    plan = plan_refunds(
        [_due(session, line, found) for line, found in rows],
        LotFunds(
            insurance_fen=books.held(session, books.insurance(session, lot.id)),
            hold_back_fen=books.held(session, books.hold_back(session, lot.id)),
            pool_fen=books.held(session, books.pool(session, shelf)),
        ),
    )
    event_id = events.record(
        session,
        command,
        kind="lot.refund",
        subject=("lot", str(lot.id)),
        body={"vintage": command.vintage, "lines": plan.lines},
    )
    by_line = {str(line.id): (line, found) for line, found in rows}
    paid = []
    for part in plan.lines:
        line, found = by_line[part.line_id]
        refund = _refund(command, line, event_id, "shortfall", part)
        session.add(refund)
        line.refunded_fen += part.paid_fen
        if line.delivered == 0 and line.state == "VESTING":
            event = "refund" if part.seller_claim_fen == 0 else "default"
            line.state = transition(SUBSCRIPTION_LINE, line.state, event)
        session.flush()
        post_legs(session, event_id, _refund_legs(session, refund, found.buyer_id, shelf))
        paid.append(
            RefundPaid(
                refund_id=refund.id,
                line_id=line.id,
                paid_fen=part.paid_fen,
                seller_claim_fen=part.seller_claim_fen,
            )
        )
    return Refunded(refunds=tuple(paid), event_id=event_id)


def confirm_refund(session: Session, command: ConfirmRefund) -> RefundConfirmed:
    """Book the bank's confirmation of a refund, to the fen.

    Raises
    ------
    RefundNotDueError, PaymentAmountError, BankReferenceError
    """
    refund = session.get(Refund, command.refund_id)
    if refund is None:
        raise RefundNotDueError(lot=command.refund_id, vintage=0)
    line = session.get_one(SubscriptionLine, refund.line_id, with_for_update=True)
    buyer_id = session.get_one(Subscription, line.subscription_id).buyer_id
    sent, subject = command.statement, ("refund", refund.id)
    before = books.used_before(session, sent, direction="out", subject=subject)
    if before is not None:
        return RefundConfirmed(refund_id=refund.id, event_id=before)
    account = books.payable(session, f"refund:{refund.id}", buyer_id)
    open_fen = books.held(session, account)
    if open_fen != sent.amount_fen:
        raise PaymentAmountError(
            due_fen=open_fen,
            paid_fen=sent.amount_fen,
            difference_fen=sent.amount_fen - open_fen,
        )
    event_id = events.record(
        session,
        command,
        kind="refund.paid",
        subject=("refund", str(refund.id)),
        body={"statement": sent},
    )
    books.use_statement(session, command, sent, direction="out", subject=subject, event_id=event_id)
    leg = Leg(source=account, target=books.world(session, line.lot_id), amount=sent.amount_fen)
    post_legs(session, event_id, [leg])
    return RefundConfirmed(refund_id=refund.id, event_id=event_id)


def _owed(session: Session, shelf: Shelf) -> Sequence[tuple[SubscriptionLine, Subscription]]:
    claimed = select(Refund.line_id).where(Refund.reason == "shortfall")
    query = (
        select(SubscriptionLine, Subscription)
        .join(Subscription, Subscription.id == SubscriptionLine.subscription_id)
        .where(
            SubscriptionLine.lot_id == shelf.lot_id,
            SubscriptionLine.vintage == shelf.vintage,
            SubscriptionLine.refund_due_fen > SubscriptionLine.refunded_fen,
            SubscriptionLine.id.not_in(claimed),
        )
        .order_by(SubscriptionLine.id)
        .with_for_update(of=SubscriptionLine)
    )
    return [(line, found) for line, found in session.execute(query)]


def _due(session: Session, line: SubscriptionLine, found: Subscription) -> RefundDue:
    assert found.signed_at is not None  # noqa: S101 -- only signed contracts are paid
    account = books.escrow(session, line_id=line.id, buyer_id=found.buyer_id)
    return RefundDue(
        line_id=str(line.id),
        signed_at=found.signed_at,
        due_fen=line.refund_due_fen - line.refunded_fen,
        own_escrow_fen=books.held(session, account),
    )


def _all_of(line: SubscriptionLine) -> LineRefund:
    return LineRefund(
        line_id=str(line.id),
        due_fen=line.amount_fen,
        escrow_fen=line.amount_fen,
        insurance_fen=0,
        hold_back_fen=0,
        pool_fen=0,
        seller_claim_fen=0,
    )


def _refund(
    command: Command, line: SubscriptionLine, event_id: UUID, reason: str, part: LineRefund
) -> Refund:
    return Refund(
        id=uuid4(),
        line_id=line.id,
        reason=reason,
        due_fen=part.due_fen,
        escrow_fen=part.escrow_fen,
        insurance_fen=part.insurance_fen,
        hold_back_fen=part.hold_back_fen,
        pool_fen=part.pool_fen,
        seller_claim_fen=part.seller_claim_fen,
        event_id=event_id,
        actor_id=command.actor_id,
        effective_at=command.at,
    )


def _refund_legs(session: Session, refund: Refund, buyer_id: UUID, shelf: Shelf) -> list[Leg]:
    target = books.payable(session, f"refund:{refund.id}", buyer_id)
    parts = (
        (books.escrow(session, line_id=refund.line_id, buyer_id=buyer_id), refund.escrow_fen),
        (books.insurance(session, shelf.lot_id), refund.insurance_fen),
        (books.hold_back(session, shelf.lot_id), refund.hold_back_fen),
        (books.pool(session, shelf), refund.pool_fen),
    )
    return [Leg(source=source, target=target, amount=fen) for source, fen in parts if fen]
