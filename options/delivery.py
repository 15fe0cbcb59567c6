"""Delivery: a verified period is issued, its forecast burned, its units reach the sold lines.

One transaction (issue + burn + deliver).  Units reach sold lines of all the project's lots first,
pro rata to what was sold; what is over stays in the company's account for the villages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from options import books, outside, supply
from options.books import Shelf
from options.delivery_plan import DeliveryPlan, LineDelivery, SoldLine, plan_delivery
from options.lot_store import open_lines
from options.machines import SUBSCRIPTION_LINE, transition
from options.models import Delivery, Lot, LotOffer, Subscription, SubscriptionLine
from options.refusals import LinesOpenError, NothingToDeliverError, SoldAheadError
from options.sale_reads import sold_ahead
from options.terms import ReturnTrigger
from registry import events, issuance, ranges, slots
from registry.db import Command
from registry.issuance import HolderShare, Issued, IssuedBatch, IssuePeriod
from registry.ledger import Leg, post_legs


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverPeriod(Command):
    """Issue a verified period and deliver it to those who bought its vintages."""

    period_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class VintageDelivered:
    """What became of one batch; delivered + unsold = available = batch - buffer."""

    batch_id: UUID
    vintage: int
    prefix: str
    issued_kg: int
    buffer_kg: int
    available_kg: int
    sold_kg: int
    delivered_kg: int
    shortfall_kg: int
    unsold_kg: int
    refund_due_fen: int
    earned_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The answer of a delivery: one row a batch."""

    period_id: UUID
    vintages: tuple[VintageDelivered, ...]
    event_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sold:
    line: SubscriptionLine
    found: Subscription
    lot: Lot


def issue_period(session: Session, command: IssuePeriod) -> Issued:
    """Issue a verified period of which nothing is sold ahead.

    Raises
    ------
    SoldAheadError
        Lots sell the project's carbon: its periods are issued and delivered in one step.
    RegistryError
        A reason of ``registry.issuance.issue``.
    """
    if sold_ahead(session, outside.project_of_period(session, command.period_id)):
        raise SoldAheadError(period=command.period_id)
    return issuance.issue(session, command)


def deliver_period(session: Session, command: DeliverPeriod) -> Delivered:
    """Issue a verified period to the collection company and deliver what was sold of it.

    Raises
    ------
    NothingToDeliverError
        No lot of the project has pre-stored anything.
    LinesOpenError
        A contract of a vintage is unpaid or in cooling-off: its time ends within days.
    RegistryError
        A reason of ``registry.issuance.issue``.
    """
    project_id = outside.project_of_period(session, command.period_id)
    lots = _lots(session, project_id)
    companies = sorted({lot.company_id for lot in lots})
    if len(companies) != 1:
        raise NothingToDeliverError(vintage=0)
    issued = issuance.issue(
        session,
        IssuePeriod(
            at=command.at,
            actor_id=command.actor_id,
            key=command.key,
            period_id=command.period_id,
            holders=(HolderShare(party_id=companies[0], weight=1),),
        ),
    )
    done = tuple(
        _deliver_batch(session, command, batch, lots, companies[0]) for batch in issued.batches
    )
    return Delivered(period_id=command.period_id, vintages=done, event_id=issued.event_id)


def _deliver_batch(
    session: Session,
    command: DeliverPeriod,
    batch: IssuedBatch,
    lots: Sequence[Lot],
    company_id: UUID,
) -> VintageDelivered:
    shelves = _shelves(session, lots, batch.vintage)
    sold = _sold(session, lots, [offer.lot_id for offer in shelves], batch.vintage)
    plan = plan_delivery(
        vintage=batch.vintage,
        available_kg=batch.size_kg - batch.buffer_kg,
        lines=[_as_sold(one) for one in sold],
    )
    event_id = events.record(
        session,
        command,
        kind="units.delivered",
        subject=("batch", str(batch.batch_id)),
        body={"prefix": batch.prefix, "plan": plan},
    )
    parts = {part.line_id: part for part in plan.lines}
    _move_units(session, event_id, batch=batch, company_id=company_id, sold=sold, parts=parts)
    legs = []
    for one in sold:
        legs += _line_legs(session, one, parts[str(one.line.id)])
    legs += _burn(session, command, offers=shelves, sold=sold, parts=parts, company_id=company_id)
    post_legs(session, event_id, legs)
    refund_fen = sum(part.refund_fen for part in plan.lines)
    _write(session, command, batch, plan, event_id)
    return VintageDelivered(
        batch_id=batch.batch_id,
        vintage=batch.vintage,
        prefix=batch.prefix,
        issued_kg=batch.size_kg,
        buffer_kg=batch.buffer_kg,
        available_kg=plan.available_kg,
        sold_kg=plan.sold_kg,
        delivered_kg=plan.delivered_kg,
        shortfall_kg=plan.shortfall_kg,
        unsold_kg=plan.unsold_kg,
        refund_due_fen=refund_fen,
        earned_fen=sum(one.line.amount_fen for one in sold) - refund_fen,
    )


def _lots(session: Session, project_id: UUID) -> list[Lot]:
    query = (
        select(Lot)
        .where(Lot.project_id == project_id, Lot.unit == "kg")
        .where(Lot.sale_state.not_in(["DRAFT", "REVIEW", "REJECTED", "WITHDRAWN"]))
        .order_by(Lot.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(query))


def _shelves(session: Session, lots: Sequence[Lot], vintage: int) -> list[LotOffer]:
    query = (
        select(LotOffer)
        .where(
            LotOffer.lot_id.in_([lot.id for lot in lots]),
            LotOffer.vintage == vintage,
            LotOffer.pre_stored_at.is_not(None),
            LotOffer.delivered_at.is_(None),
        )
        .order_by(LotOffer.lot_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(query))


def _sold(
    session: Session, lots: Sequence[Lot], lot_ids: Sequence[UUID], vintage: int
) -> list[_Sold]:
    for lot_id in lot_ids:
        if waiting := open_lines(session, Shelf(lot_id=lot_id, vintage=vintage)):
            raise LinesOpenError(vintage=vintage, lines=waiting)
    query = (
        select(SubscriptionLine, Subscription)
        .join(Subscription, Subscription.id == SubscriptionLine.subscription_id)
        .where(
            SubscriptionLine.lot_id.in_(lot_ids),
            SubscriptionLine.vintage == vintage,
            SubscriptionLine.state == "VESTING",
        )
        .order_by(SubscriptionLine.id)
        .with_for_update(of=SubscriptionLine)
    )
    by_id = {lot.id: lot for lot in lots}
    return [
        _Sold(line=line, found=found, lot=by_id[line.lot_id])
        for line, found in session.execute(query)
    ]


def _as_sold(one: _Sold) -> SoldLine:
    assert one.found.signed_at is not None  # noqa: S101 -- only signed contracts are paid
    return SoldLine(
        line_id=str(one.line.id),
        signed_at=one.found.signed_at,
        kg=one.line.quantity,
        price_fen_per_t=one.line.price_fen,
        paid_fen=one.line.amount_fen,
    )


def _move_units(
    session: Session,
    event_id: UUID,
    *,
    batch: IssuedBatch,
    company_id: UUID,
    sold: Sequence[_Sold],
    parts: dict[str, LineDelivery],
) -> None:
    source = books.holding(session, "kg", company_id)
    stock = ranges.load_pool(session, source)
    moved: list[ranges.Opened] = []
    legs: list[Leg] = []
    for one in sorted(sold, key=lambda one: (one.found.signed_at, str(one.line.id))):
        kg = parts[str(one.line.id)].delivered_kg
        target = books.holding(session, "kg", one.found.buyer_id)
        if kg == 0 or target == source:
            continue
        wanted = ranges.Selection(kg=kg, batch_id=batch.batch_id)
        moved += [
            ranges.Opened(piece=piece, account_id=target, status="held")
            for piece in ranges.take(session, stock, wanted)
        ]
        legs.append(Leg(source=source, target=target, amount=kg))
    ranges.settle(session, event_id, [stock], moved, kept="held")
    post_legs(session, event_id, legs)


def _line_legs(session: Session, one: _Sold, part: LineDelivery) -> list[Leg]:
    line = one.line
    line.delivered, line.shortfall = part.delivered_kg, part.shortfall_kg
    line.refund_due_fen = part.refund_fen
    if part.delivered_kg:
        line.state = transition(SUBSCRIPTION_LINE, line.state, "mature")
        line.state = transition(SUBSCRIPTION_LINE, line.state, "deliver")
    legs = [
        Leg(
            source=books.bought(
                session, "forecast_kg", line_id=line.id, buyer_id=one.found.buyer_id
            ),
            target=books.source_of(session, "forecast_kg"),
            amount=line.quantity,
        )
    ]
    earned_fen = line.amount_fen - part.refund_fen
    if one.lot.return_trigger == ReturnTrigger.ISSUANCE and earned_fen:
        shelf = Shelf(lot_id=line.lot_id, vintage=line.vintage)
        legs.append(
            Leg(
                source=books.escrow(session, line_id=line.id, buyer_id=one.found.buyer_id),
                target=books.pool(session, shelf),
                amount=earned_fen,
            )
        )
    return legs


def _burn(
    session: Session,
    command: DeliverPeriod,
    *,
    offers: Sequence[LotOffer],
    sold: Sequence[_Sold],
    parts: dict[str, LineDelivery],
    company_id: UUID,
) -> list[Leg]:
    legs = []
    for offer in offers:
        shelf = Shelf(lot_id=offer.lot_id, vintage=offer.vintage)
        delivered = sum(
            parts[str(one.line.id)].delivered_kg for one in sold if one.lot.id == offer.lot_id
        )
        # what nobody bought is no forecast any more: the units are there
        if unsold := slots.drain(session, shelf.ref):
            legs.append(
                Leg(
                    source=books.first_level(
                        session, "forecast_kg", company_id=company_id, shelf=shelf
                    ),
                    target=books.source_of(session, "forecast_kg"),
                    amount=unsold,
                )
            )
        supply.finish(session, shelf, delivered_kg=delivered)
        offer.delivered_at = command.at
    session.flush()
    return legs


def _write(
    session: Session,
    command: DeliverPeriod,
    batch: IssuedBatch,
    plan: DeliveryPlan,
    event_id: UUID,
) -> None:
    session.add(
        Delivery(
            id=uuid4(),
            source=f"batch:{batch.batch_id}",
            vintage=batch.vintage,
            available=plan.available_kg,
            sold=plan.sold_kg,
            delivered=plan.delivered_kg,
            shortfall=plan.shortfall_kg,
            unsold=plan.unsold_kg,
            plan={
                "lines": [
                    [part.line_id, part.delivered_kg, part.shortfall_kg, part.refund_fen]
                    for part in plan.lines
                ]
            },
            event_id=event_id,
            actor_id=command.actor_id,
            effective_at=command.at,
        )
    )
    session.flush()
