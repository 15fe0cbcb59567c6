"""The passing of time: lapses, the end of the undo minutes, the end of cooling-off.

``run_timers`` is run often by the system; every step is also refused or taken lazily by the verb
that meets it late, so a timer that runs late changes no answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from options import books, supply
from options.books import Shelf
from options.calendar import beijing_day
from options.lot_store import load, sale_of, step, sync_sold_out
from options.lots import release_unsold
from options.machines import LOT_PHYSICAL, LOT_SALE
from options.models import Lot, Subscription, SubscriptionLine
from options.subscriptions import let_go, load_subscription, move, record_step
from options.terms import ReturnTrigger, payment_ends
from registry.db import Command
from registry.ledger import Leg, post_legs


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTimers(Command):
    """Take every step that is due at ``at``, at most so many."""

    at_most: int = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class TimersRun:
    """How many steps of each kind were taken."""

    lapsed: int
    undo_over: int
    vested: int
    closed: int
    sold_out: int
    short: int
    covered: int


def run_timers(session: Session, command: RunTimers) -> TimersRun:
    """Take the due steps; those held by others now are left to the next run."""
    taken = {"lapse": 0, "undo_over": 0, "cooling_off_over": 0}
    for subscription_id in _due(session, command):
        event = _one(session, command, subscription_id)
        taken[event] += 1
    closed = sold_out = 0
    for lot_id in _on_sale(session):
        lot = load(session, lot_id)
        if lot.closes_on is not None and beijing_day(command.at) > lot.closes_on:
            closed += _close(session, command, lot)
        else:
            sold_out += sync_sold_out(session, command, lot) and lot.sale_state == "SOLD_OUT"
    short, covered = follow_forecast(session, command)
    return TimersRun(
        lapsed=taken["lapse"],
        undo_over=taken["undo_over"],
        vested=taken["cooling_off_over"],
        closed=closed,
        sold_out=sold_out,
        short=short,
        covered=covered,
    )


def follow_forecast(session: Session, command: Command) -> tuple[int, int]:
    """Let lots turn SHORT where a lower forecast no longer covers them, and back when it does.

    Returns
    -------
    tuple[int, int]
        Lots that turned SHORT, lots that are covered again.
    """
    short = supply.short_lots(session)
    turned = {"lower_forecast": 0, "recover": 0}
    for lot_id in session.scalars(_STORED).all():
        lot = load(session, lot_id)
        wanted = {("GROWING", True): "lower_forecast", ("SHORT", False): "recover"}
        event = wanted.get((lot.physical_state, lot.id in short))
        if event is not None and lot.unit == "kg":
            inputs = {"reason": "capacity", "short": lot.id in short}
            step(session, command, lot, machine=LOT_PHYSICAL, event=event, inputs=inputs)
            turned[event] += 1
    return turned["lower_forecast"], turned["recover"]


_STORED = (
    select(Lot.id)
    .where(Lot.sale_state.in_(["PRE_STORED", "LISTED", "SOLD_OUT", "CLOSED_TO_SALE"]))
    .where(Lot.physical_state.in_(["GROWING", "SHORT"]))
    .order_by(Lot.id)
)


def _due(session: Session, command: RunTimers) -> Sequence[UUID]:
    query = (
        select(Subscription.id)
        .where(Subscription.due_at <= command.at)
        .order_by(Subscription.due_at, Subscription.id)
        .limit(command.at_most)
        .with_for_update(skip_locked=True)
    )
    return session.scalars(query).all()


def _one(session: Session, command: RunTimers, subscription_id: UUID) -> str:
    found, lines = load_subscription(session, subscription_id)
    lot = load(session, found.lot_id, lock=False)
    event = {"SIGNED": "undo_over", "COOLING_OFF": "cooling_off_over"}.get(lines[0].state, "lapse")
    state = move(lines, event)
    if event == "lapse":
        let_go(session, command, found, lines, event=event, state=state)
        return event
    if event == "undo_over":
        assert found.signed_at is not None  # noqa: S101 -- a signed contract has its instant
        due = payment_ends(sale_of(lot).timers, signed_at=found.signed_at)
        found.due_at, found.calendar_unverified = due.at, due.calendar_unverified
        record_step(session, command, found, event, state=state)
        return event
    found.due_at = None
    done = record_step(session, command, found, event, state=state)
    if lot.return_trigger == ReturnTrigger.COOLING_OFF:
        post_legs(session, done.event_id, _earned(session, found, lines))
    return event


def _earned(session: Session, found: Subscription, lines: Sequence[SubscriptionLine]) -> list[Leg]:
    return [
        Leg(
            source=books.escrow(session, line_id=line.id, buyer_id=found.buyer_id),
            target=books.pool(session, Shelf(lot_id=line.lot_id, vintage=line.vintage)),
            amount=line.amount_fen,
        )
        for line in lines
    ]


def _on_sale(session: Session) -> Sequence[UUID]:
    query = select(Lot.id).where(Lot.sale_state.in_(["LISTED", "SOLD_OUT"])).order_by(Lot.id)
    return session.scalars(query).all()


def _close(session: Session, command: RunTimers, lot: Lot) -> bool:
    done = step(
        session,
        command,
        lot,
        machine=LOT_SALE,
        event="close_sale",
        inputs={"closes_on": lot.closes_on},
    )
    release_unsold(session, lot, done.event_id)
    return True
