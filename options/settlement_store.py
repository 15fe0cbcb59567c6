"""What a settlement run is drafted from, and the rows it is written as."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from options import books, outside
from options.books import Shelf
from options.lot_store import waterfall_of
from options.models import (
    Lot,
    LotParcel,
    LotSupply,
    Refund,
    Settlement,
    SettlementLine,
    Subscription,
    SubscriptionLine,
)
from options.outside import PartyCard
from options.refusals import NothingToSettleError, SettlementNotFoundError
from options.waterfall import (
    Deduction,
    HouseholdShare,
    Reserve,
    SettlementInput,
    SettlementPlan,
    SupplierShare,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payee:
    """Who receives a line."""

    kind: str
    amount_fen: int
    name: str
    party_id: UUID | None = None
    through_id: UUID | None = None
    type: str = ""
    voucher: str = ""
    units: int = 0


def load_settlement(session: Session, settlement_id: UUID) -> Settlement:
    """Return a settlement, locked.

    Raises
    ------
    SettlementNotFoundError
    """
    found = session.get(Settlement, settlement_id, with_for_update=True)
    if found is None:
        raise SettlementNotFoundError(settlement=settlement_id)
    return found


def lines_of(session: Session, found: Settlement) -> tuple[SettlementLine, ...]:
    """Return the lines of the present revision in order."""
    query = (
        select(SettlementLine)
        .where(
            SettlementLine.settlement_id == found.id,
            SettlementLine.revision == found.revision,
        )
        .order_by(SettlementLine.n)
    )
    return tuple(session.scalars(query))


def gather(
    session: Session,
    lot: Lot,
    shelf: Shelf,
    *,
    deductions: Sequence[Deduction],
    set_aside: Sequence[Reserve],
    run: int,
) -> SettlementInput:
    """Collect the money and shares of one lot and vintage as they stand now.

    ``escrow in`` is what was ever paid less what earlier runs refunded or shared; the rest follows
    from the books, so a run can neither lose nor repeat a fen.

    Raises
    ------
    NothingToSettleError
        No money to share and no reserve to release.
    """
    earlier = _earlier(session, shelf, run)
    gross_fen = books.held(session, books.pool(session, shelf))
    reserves = _reserves(session, lot, shelf, set_aside)
    if gross_fen == 0 and not any(r.brought_forward_fen for r in reserves):
        raise NothingToSettleError(lot=lot.number, vintage=shelf.vintage)
    return SettlementInput(
        escrow_in_fen=_paid_fen(session, shelf) - earlier["refunds"] - earlier["gross"],
        gross_fen=gross_fen,
        refunds_fen=_refunded_fen(session, shelf) - earlier["refunds"],
        deductions=tuple(deductions),
        reserves=reserves,
        suppliers=suppliers(session, lot.id)[0],
        advance_outstanding_fen=lot.advance_fen - _recouped_fen(session, lot.id, run, shelf),
    )


def suppliers(
    session: Session, lot_id: UUID
) -> tuple[tuple[SupplierShare, ...], dict[str, PartyCard]]:
    """Return the lot's villages by pre-stored units over all vintages, and cards by share key."""
    query = (
        select(LotParcel.supplier_id, LotParcel.household_id, func.sum(LotSupply.units))
        .join(
            LotSupply,
            (LotSupply.lot_id == LotParcel.lot_id) & (LotSupply.parcel_id == LotParcel.parcel_id),
        )
        .where(LotParcel.lot_id == lot_id)
        .group_by(LotParcel.supplier_id, LotParcel.household_id)
    )
    rows = session.execute(query).all()
    ids = {row.supplier_id for row in rows} | {r.household_id for r in rows if r.household_id}
    cards = outside.parties(session, sorted(ids))
    keys = _keys([cards[i] for i in {row.supplier_id for row in rows}])
    shares = []
    for supplier_id, key in sorted(keys.items(), key=lambda pair: pair[1]):
        mine = [row for row in rows if row.supplier_id == supplier_id]
        shares.append(
            SupplierShare(
                division_code=key,
                units=sum(int(row[2]) for row in mine),
                households=tuple(
                    HouseholdShare(household_code=str(row.household_id), units=int(row[2]))
                    for row in mine
                    if row.household_id is not None
                ),
            )
        )
    by_key = {key: cards[party_id] for party_id, key in keys.items()}
    by_key |= {str(i): cards[i] for i in ids}
    return tuple(shares), by_key


def payees(
    plan: SettlementPlan,
    lot: Lot,
    deductions: Sequence[Deduction],
    cards: dict[str, PartyCard],
    company: PartyCard,
) -> Iterator[Payee]:
    """List who receives what of a plan, in the order of the published statement."""
    published = waterfall_of(lot).published
    for line in sorted(deductions, key=lambda d: (published[d.type], d.type, d.voucher)):
        yield Payee(
            kind=published[line.type].value,
            amount_fen=line.amount_fen,
            name=line.type,
            type=line.type,
            voucher=line.voucher,
        )
    for held in plan.reserves:
        if held.set_aside_fen:
            yield Payee(
                kind="reserve", amount_fen=held.set_aside_fen, name=held.type, type=held.type
            )
    if plan.advance_recouped_fen:
        yield Payee(
            kind="advance",
            amount_fen=plan.advance_recouped_fen,
            name=company.name,
            party_id=company.id,
        )
    for village in plan.villages:
        card = cards[village.division_code]
        yield Payee(
            kind="village",
            amount_fen=village.collective_fen,
            name=card.name,
            party_id=card.id,
            units=village.units - sum(p.units for p in village.pass_through),
        )
        for passed in village.pass_through:
            holder = cards[passed.household_code]
            yield Payee(
                kind="household",
                amount_fen=passed.amount_fen,
                name=holder.name,
                party_id=holder.id,
                through_id=card.id,
                units=passed.units,
            )
    if plan.remainder_fen:
        yield Payee(
            kind="remainder", amount_fen=plan.remainder_fen, name=plan.remainder_payee or ""
        )


def columns(plan: SettlementPlan) -> dict[str, Any]:
    """Return the plan's sums as the columns whose identity the database checks."""
    return {
        "escrow_in_fen": plan.escrow_in_fen,
        "refunds_fen": plan.refunds_fen,
        "gross_fen": plan.gross_fen,
        "taxes_fen": plan.taxes_fen,
        "insurance_fen": plan.insurance_fen,
        "costs_fen": plan.costs_fen,
        "reserves_brought_fen": plan.reserves_brought_forward_fen,
        "reserves_held_fen": plan.reserves_held_fen,
        "advance_recouped_fen": plan.advance_recouped_fen,
        "returned_fen": plan.returned_fen,
        "remainder_fen": plan.remainder_fen,
        "escrow_balance_fen": plan.escrow_balance_fen,
        "ratio": str(plan.ratio),
    }


def _keys(cards: Sequence[PartyCard]) -> dict[UUID, str]:
    # Two suppliers of one division (a village and its cooperative) keep the division's order.
    codes = [card.division_code or "" for card in cards]
    return {
        card.id: code if code and codes.count(code) == 1 else f"{code}/{card.id}"
        for card, code in zip(cards, codes, strict=True)
    }


def _earlier(session: Session, shelf: Shelf, run: int) -> dict[str, int]:
    query = select(
        func.coalesce(func.sum(Settlement.refunds_fen), 0),
        func.coalesce(func.sum(Settlement.gross_fen), 0),
    ).where(
        Settlement.lot_id == shelf.lot_id,
        Settlement.vintage == shelf.vintage,
        Settlement.run < run,
    )
    refunds, gross = session.execute(query).one()
    return {"refunds": int(refunds), "gross": int(gross)}


def _recouped_fen(session: Session, lot_id: UUID, run: int, shelf: Shelf) -> int:
    # another vintage's runs count whole; of this vintage only the earlier ones
    query = select(func.coalesce(func.sum(Settlement.advance_recouped_fen), 0)).where(
        Settlement.lot_id == lot_id,
        (Settlement.vintage != shelf.vintage) | (Settlement.run < run),
    )
    return int(session.scalar(query) or 0)


def _paid_fen(session: Session, shelf: Shelf) -> int:
    query = (
        select(func.coalesce(func.sum(SubscriptionLine.amount_fen), 0))
        .join(Subscription, Subscription.id == SubscriptionLine.subscription_id)
        .where(
            SubscriptionLine.lot_id == shelf.lot_id,
            SubscriptionLine.vintage == shelf.vintage,
            Subscription.paid_at.is_not(None),
        )
    )
    return int(session.scalar(query) or 0)


def _refunded_fen(session: Session, shelf: Shelf) -> int:
    # insurance and hold-back are not the buyers' prepayments: they never were escrow
    query = (
        select(func.coalesce(func.sum(Refund.escrow_fen + Refund.pool_fen), 0))
        .join(SubscriptionLine, SubscriptionLine.id == Refund.line_id)
        .where(SubscriptionLine.lot_id == shelf.lot_id, SubscriptionLine.vintage == shelf.vintage)
    )
    return int(session.scalar(query) or 0)


def _reserves(
    session: Session, lot: Lot, shelf: Shelf, set_aside: Sequence[Reserve]
) -> tuple[Reserve, ...]:
    asked = {row.type: row.set_aside_fen for row in set_aside}
    types = sorted({*waterfall_of(lot).published, *asked})
    rows = (
        Reserve(
            type=name,
            brought_forward_fen=(
                books.held(session, books.reserve(session, shelf, name))
                if name in waterfall_of(lot).published
                else 0
            ),
            set_aside_fen=asked.get(name, 0),
        )
        for name in types
    )
    return tuple(row for row in rows if row.brought_forward_fen or row.set_aside_fen)
