"""Pre-storing (预存): capacity is reserved, the forecast enters the first-level account.

One transaction: what each parcel gives, the ledger, the slots buyers take from, the lot's state.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from options import books, supply, trees
from options.books import Shelf
from options.calendar import beijing_day
from options.errors import OptionsError
from options.lot_store import LotState, asset_of, load, offers, promised_of, sale_of, step
from options.machines import LOT_SALE
from options.mandate import Valuation, check_pre_store
from options.models import Lot, LotOffer, LotParcel, LotSupply
from options.pricing import amount_fen
from options.terms import UnitKind, plan_commitment
from registry import slots
from registry.db import Command
from registry.ledger import Leg, post_legs


@dataclass(frozen=True, slots=True, kw_only=True)
class PreStore(Command):
    """Pre-store a resolved lot; valuation or reason for exemption, exchange if the value asks."""

    lot_id: UUID
    valuation_ref: str | None = None
    exempt_reason: str | None = None
    shown_on: date | None = None
    exchange_ref: str | None = None


def pre_store_findings(session: Session, command: PreStore) -> tuple[OptionsError, ...]:
    """List every reason why the lot may not be pre-stored yet; unraised, for a page to show."""
    lot = load(session, command.lot_id, lock=False)
    valuation = Valuation(
        value_fen=value_fen(session, lot),
        valuation_ref=command.valuation_ref,
        exempt_reason=command.exempt_reason,
        shown_on=command.shown_on,
        exchange_ref=command.exchange_ref,
    )
    return check_pre_store(
        valuation,
        on=beijing_day(command.at),
        exchange_threshold_fen=sale_of(lot).exchange_threshold_fen,
    )


def pre_store(session: Session, command: PreStore) -> LotState:
    """Pre-store a lot.

    Raises
    ------
    OptionsError
        The first of ``pre_store_findings``.
    OversoldError
        The parcels have less free than the lot offers: ``vintage``, ``asked``, ``free``.
    TreePackError
        A tree lot without its packs.
    """
    lot = load(session, command.lot_id)
    if lot.sale_state == "RESOLVED":
        for finding in pre_store_findings(session, command):
            raise finding
    inputs = {
        "valuation_ref": command.valuation_ref,
        "exempt_reason": command.exempt_reason,
        "shown_on": command.shown_on,
        "exchange_ref": command.exchange_ref,
        "value_fen": value_fen(session, lot),
    }
    done = step(session, command, lot, machine=LOT_SALE, event="pre_store", inputs=inputs)
    for offer in offers(session, lot.id):
        shelf = Shelf(lot_id=lot.id, vintage=offer.vintage)
        parts = _supplied(session, lot, offer)
        session.add_all(
            LotSupply(lot_id=lot.id, vintage=offer.vintage, parcel_id=parcel_id, units=units)
            for parcel_id, units in parts
        )
        _shelve(session, lot, offer, shelf, done.event_id)
        offer.pre_stored_at = command.at
    session.flush()
    return done


def value_fen(session: Session, lot: Lot) -> int:
    """Value of everything a lot offers at its prices, fen."""
    found = offers(session, lot.id)
    if lot.unit == UnitKind.TREE:
        return sum(offer.quantity * offer.price_fen for offer in found)
    return sum(amount_fen(offer.quantity, offer.price_fen) for offer in found)


def _supplied(session: Session, lot: Lot, offer: LotOffer) -> Iterable[tuple[UUID, int]]:
    if lot.unit == UnitKind.TREE:
        return trees.supplied(session, lot, offer)
    rows = session.scalars(select(LotParcel).where(LotParcel.lot_id == lot.id)).all()
    claims = {str(row.parcel_id): row.claim_id for row in rows if row.claim_id is not None}
    free = supply.free(session, claims, offer.vintage)
    plan = plan_commitment(vintage=offer.vintage, kg=offer.quantity, free=free)
    given = [(UUID(parcel), kg) for parcel, kg in sorted(plan.items()) if kg]
    shelf = Shelf(lot_id=lot.id, vintage=offer.vintage)
    supply.reserve(session, shelf, [(claims[str(i)], i, kg) for i, kg in given])
    return given


def _shelve(session: Session, lot: Lot, offer: LotOffer, shelf: Shelf, event_id: UUID) -> None:
    asset = asset_of(lot)
    leg = Leg(
        source=books.source_of(session, asset),
        target=books.first_level(session, asset, company_id=lot.company_id, shelf=shelf),
        amount=promised_of(lot, offer.quantity),
    )
    post_legs(session, event_id, [leg])
    slots.fill(session, shelf.ref, offer.quantity)
