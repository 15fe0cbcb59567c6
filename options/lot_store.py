"""Loading a lot and taking one step of its machines, with event and papers."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from options.books import Shelf
from options.machines import HOLDING_STATES, LOT_SALE, Machine, transition
from options.models import Lot, LotOffer, LotStep, SubscriptionLine
from options.programme import SaleTerms, sale_terms, waterfall_terms
from options.refusals import LotNotFoundError
from options.terms import PACK_PROMISED_TREES, UnitKind
from options.waterfall import WaterfallTerms
from registry import events, slots
from registry.canonical import plain
from registry.db import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class LotState:
    """A lot's two states after a step, and the event in which it was taken."""

    lot_id: UUID
    sale_state: str
    physical_state: str
    event_id: UUID


def load(session: Session, lot_id: UUID, *, lock: bool = True) -> Lot:
    """Return a lot, locked for a change unless told otherwise.

    Raises
    ------
    LotNotFoundError
    """
    lot = session.get(Lot, lot_id, with_for_update=lock or None)
    if lot is None:
        raise LotNotFoundError(lot=lot_id)
    return lot


def offers(session: Session, lot_id: UUID) -> tuple[LotOffer, ...]:
    """Return a lot's offers by vintage."""
    rows = select(LotOffer).where(LotOffer.lot_id == lot_id).order_by(LotOffer.vintage)
    return tuple(session.scalars(rows))


def sale_of(lot: Lot) -> SaleTerms:
    """Return the sale terms the lot was drafted under."""
    return sale_terms(lot.sale)


def waterfall_of(lot: Lot) -> WaterfallTerms:
    """Return the sharing terms the lot was drafted under."""
    return waterfall_terms(lot.waterfall)


def asset_of(lot: Lot) -> str:
    """Return the ledger's asset for what is promised before delivery."""
    return "forecast_kg" if lot.unit == "kg" else "tree"


def promised_of(lot: Lot, quantity: int) -> int:
    """Return what the ledger counts for a quantity: its kg, or the trees promised of its packs."""
    return quantity if lot.unit == UnitKind.KG else quantity * PACK_PROMISED_TREES


def step(
    session: Session,
    command: Command,
    lot: Lot,
    *,
    machine: Machine,
    event: str,
    inputs: Mapping[str, object],
) -> LotState:
    """Take one step of one machine: refused if the machine has none, else written down.

    Raises
    ------
    TransitionRefusedError
    """
    before = lot.sale_state if machine is LOT_SALE else lot.physical_state
    after = transition(machine, before, event)
    papers = plain(inputs)
    assert isinstance(papers, dict)  # noqa: S101 -- a mapping stays a mapping
    body = {"machine": machine.code, "from": before, "to": after, "inputs": papers}
    event_id = events.record(
        session, command, kind=f"lot.{event}", subject=("lot", str(lot.id)), body=body
    )
    if machine is LOT_SALE:
        lot.sale_state = after
    else:
        lot.physical_state = after
    session.add(
        LotStep(
            id=uuid4(),
            lot_id=lot.id,
            machine=machine.code,
            event=event,
            from_state=before,
            to_state=after,
            inputs=papers,
            actor_id=command.actor_id,
            event_id=event_id,
            effective_at=command.at,
        )
    )
    session.flush()
    return state_of(lot, event_id)


def state_of(lot: Lot, event_id: UUID) -> LotState:
    """Return the frozen states of a lot."""
    return LotState(
        lot_id=lot.id,
        sale_state=lot.sale_state,
        physical_state=lot.physical_state,
        event_id=event_id,
    )


def committed(session: Session, lot_id: UUID) -> int:
    """Return what is reserved, sold or delivered of a lot, kg or packs."""
    gone = ("LAPSED", "CANCELLED", "REFUNDED")
    query = select(func.coalesce(func.sum(SubscriptionLine.quantity), 0)).where(
        SubscriptionLine.lot_id == lot_id, SubscriptionLine.state.not_in(gone)
    )
    return int(session.scalar(query) or 0)


def left(session: Session, lot_id: UUID) -> dict[int, int]:
    """Return what is free of each vintage as of now, kg or packs."""
    years = session.scalars(select(LotOffer.vintage).where(LotOffer.lot_id == lot_id))
    return {year: slots.left(session, Shelf(lot_id=lot_id, vintage=year).ref) for year in years}


def sync_sold_out(session: Session, command: Command, lot: Lot) -> bool:
    """Let the sale state follow what is free; True if it changed. The caller holds the lot."""
    free = sum(left(session, lot.id).values())
    event = {("LISTED", False): "sell_out", ("SOLD_OUT", True): "free_up"}.get(
        (lot.sale_state, free > 0)
    )
    if event is None:
        return False
    step(session, command, lot, machine=LOT_SALE, event=event, inputs={"free": free})
    return True


def open_lines(session: Session, shelf: Shelf) -> int:
    """Count lines of a vintage that wait for money or for the end of cooling-off."""
    states = (*HOLDING_STATES, "PAID", "COOLING_OFF")
    query = select(func.count()).where(
        SubscriptionLine.lot_id == shelf.lot_id,
        SubscriptionLine.vintage == shelf.vintage,
        SubscriptionLine.state.in_(states),
    )
    return int(session.scalar(query) or 0)
