"""Packs of a hundred numbered trees, and the rights to fifty of each at maturity.

A tree stands in one pack only (the tree is the key of its membership).  At maturity the live trees
are counted; which fifty the holder takes is ``tree_packs.select_trees``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from options import books
from options.books import Shelf
from options.errors import TreePackError
from options.lot_store import load, open_lines
from options.machines import SUBSCRIPTION_LINE, transition
from options.models import (
    Delivery,
    Lot,
    LotOffer,
    LotParcel,
    Subscription,
    SubscriptionLine,
    Tree,
    TreePack,
    TreePackMember,
)
from options.pricing import tree_refund_fen
from options.refusals import (
    LinesOpenError,
    LotGroundError,
    NothingToDeliverError,
    StepTooEarlyError,
    TreeTakenError,
)
from options.terms import PACK_PROMISED_TREES, PACK_TREES, ReturnTrigger
from options.tree_packs import TreePack as PackPlan
from options.tree_packs import plan_pack_delivery
from registry import events, slots
from registry.db import Command
from registry.ledger import Leg, post_legs


@dataclass(frozen=True, slots=True, kw_only=True)
class MakePacks(Command):
    """Number the packs of a drafted tree lot: each takes a hundred free live trees of a parcel."""

    lot_id: UUID
    parcel_id: UUID
    packs: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverTrees(Command):
    """Deliver the rights of a tree lot at maturity."""

    lot_id: UUID
    vintage: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PacksMade:
    """Codes of the new packs."""

    codes: tuple[str, ...]
    event_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class TreesDelivered:
    """Trees that went to holders, and those that were missing."""

    delivered: int
    missing: int
    unsold: int
    event_id: UUID


def make_packs(session: Session, command: MakePacks) -> PacksMade:
    """Make packs; the database lets a tree stand in one only.

    Raises
    ------
    TreePackError
        Not a hundred distinct numbers.
    TreeTakenError
        A tree of another pack, dead, or not of this parcel.
    LotGroundError
        The parcel is not of this lot, or the lot is past drafting.
    """
    lot = load(session, command.lot_id)
    in_lot = session.get(LotParcel, (lot.id, command.parcel_id))
    if in_lot is None or lot.unit != "tree" or lot.sale_state != "DRAFT":
        raise LotGroundError(parcel=command.parcel_id, reason="not of this draft")
    vintage = session.scalars(select(LotOffer.vintage).where(LotOffer.lot_id == lot.id)).one()
    made = session.scalar(select(func.count()).where(TreePack.lot_id == lot.id)) or 0
    codes = []
    for n, numbers in enumerate(command.packs, start=made + 1):
        plan = PackPlan(code=f"{lot.number}-{n:03d}", numbers=tuple(sorted(numbers)))
        pack = TreePack(
            id=uuid4(),
            lot_id=lot.id,
            vintage=vintage,
            code=plan.code,
            promised=plan.promised,
        )
        session.add(pack)
        session.flush()
        _fill_pack(session, command.parcel_id, pack, plan)
        codes.append(plan.code)
    event_id = events.record(
        session,
        command,
        kind="lot.packs",
        subject=("lot", str(lot.id)),
        body={"parcel": command.parcel_id, "codes": codes, "packs": command.packs},
    )
    return PacksMade(codes=tuple(codes), event_id=event_id)


def supplied(session: Session, lot: Lot, offer: LotOffer) -> Sequence[tuple[UUID, int]]:
    """Return trees in packs by parcel; refuse a lot whose packs are not what it offers.

    Raises
    ------
    TreePackError
    """
    packs = session.scalar(select(func.count()).where(TreePack.lot_id == lot.id)) or 0
    if packs != offer.quantity:
        raise TreePackError(
            pack=lot.number, trees=packs * PACK_TREES, promised=offer.quantity, reason="packs"
        )
    query = (
        select(Tree.parcel_id, func.count())
        .join(TreePackMember, TreePackMember.tree_id == Tree.id)
        .join(TreePack, TreePack.id == TreePackMember.pack_id)
        .where(TreePack.lot_id == lot.id)
        .group_by(Tree.parcel_id)
        .order_by(Tree.parcel_id)
    )
    return [(row[0], int(row[1])) for row in session.execute(query)]


def deliver_trees(session: Session, command: DeliverTrees) -> TreesDelivered:
    """Count what lives, give each holder his trees, and write down what is missing.

    Raises
    ------
    LinesOpenError, NothingToDeliverError, StepTooEarlyError
    """
    lot = load(session, command.lot_id)
    shelf = Shelf(lot_id=lot.id, vintage=command.vintage)
    offer = session.get(LotOffer, (lot.id, command.vintage), with_for_update=True)
    if lot.unit != "tree" or offer is None or offer.pre_stored_at is None or offer.delivered_at:
        raise NothingToDeliverError(vintage=command.vintage)
    if command.at.year < command.vintage:
        raise StepTooEarlyError(due_at=command.vintage)
    if waiting := open_lines(session, shelf):
        raise LinesOpenError(vintage=command.vintage, lines=waiting)
    rows = _sold(session, shelf)
    plans = {line.id: _plans(session, line) for line, _ in rows}
    event_id = events.record(
        session,
        command,
        kind="lot.deliver",
        subject=("lot", str(lot.id)),
        body={"vintage": command.vintage, "lines": {str(i): p for i, p in plans.items()}},
    )
    unsold = slots.drain(session, shelf.ref)
    legs = []
    for line, found in rows:
        line.delivered = sum(len(plan.delivered) for plan in plans[line.id])
        legs += _deliver(session, lot, line, found, shelf)
        _hand_over(session, line, found, plans[line.id])
    if unsold:
        legs.append(
            Leg(
                source=books.first_level(session, "tree", company_id=lot.company_id, shelf=shelf),
                target=books.source_of(session, "tree"),
                amount=unsold * PACK_PROMISED_TREES,
            )
        )
    offer.delivered_at = command.at
    delivered = sum(line.delivered for line, _ in rows)
    missing = sum(line.shortfall for line, _ in rows)
    session.add(
        Delivery(
            id=uuid4(),
            source=f"lot:{lot.id}",
            vintage=command.vintage,
            available=delivered,
            sold=delivered + missing,
            delivered=delivered,
            shortfall=missing,
            unsold=0,
            plan={"event": str(event_id)},
            event_id=event_id,
            actor_id=command.actor_id,
            effective_at=command.at,
        )
    )
    session.flush()
    post_legs(session, event_id, legs)
    return TreesDelivered(delivered=delivered, missing=missing, unsold=unsold, event_id=event_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pack:
    code: str
    delivered: tuple[int, ...]
    missing: int


def _fill_pack(session: Session, parcel_id: UUID, pack: TreePack, plan: PackPlan) -> None:
    query = select(Tree.number, Tree.id).where(
        Tree.parcel_id == parcel_id, Tree.number.in_(plan.numbers), Tree.status == "live"
    )
    ids = {row.number: row.id for row in session.execute(query)}
    for number in plan.numbers:
        if number not in ids:
            raise TreeTakenError(number=number)
    statement = (
        insert(TreePackMember)
        .values([{"tree_id": ids[n], "pack_id": pack.id} for n in plan.numbers])
        .on_conflict_do_nothing()
        .returning(TreePackMember.tree_id)
    )
    joined = set(session.scalars(statement))
    for number in plan.numbers:
        if ids[number] not in joined:
            raise TreeTakenError(number=number)


def _sold(session: Session, shelf: Shelf) -> list[tuple[SubscriptionLine, Subscription]]:
    query = (
        select(SubscriptionLine, Subscription)
        .join(Subscription, Subscription.id == SubscriptionLine.subscription_id)
        .where(
            SubscriptionLine.lot_id == shelf.lot_id,
            SubscriptionLine.vintage == shelf.vintage,
            SubscriptionLine.state == "VESTING",
        )
        .order_by(SubscriptionLine.id)
        .with_for_update(of=SubscriptionLine)
    )
    return [(line, found) for line, found in session.execute(query)]


def _plans(session: Session, line: SubscriptionLine) -> list[_Pack]:
    query = (
        select(TreePack.code, TreePack.promised, Tree.number, Tree.status)
        .join(TreePackMember, TreePackMember.pack_id == TreePack.id)
        .join(Tree, Tree.id == TreePackMember.tree_id)
        .where(TreePack.line_id == line.id)
        .order_by(TreePack.code, Tree.number)
    )
    packs: dict[str, list[tuple[int, bool]]] = {}
    promised: dict[str, int] = {}
    for row in session.execute(query):
        packs.setdefault(row.code, []).append((row.number, row.status == "live"))
        promised[row.code] = row.promised
    result = []
    for code, members in packs.items():
        pack = PackPlan(code=code, numbers=tuple(n for n, _ in members), promised=promised[code])
        plan = plan_pack_delivery(pack, [n for n, live in members if live])
        result.append(_Pack(code=code, delivered=plan.delivered, missing=plan.missing))
    return result


def _deliver(
    session: Session, lot: Lot, line: SubscriptionLine, found: Subscription, shelf: Shelf
) -> list[Leg]:
    line.shortfall = line.promised - line.delivered
    line.refund_due_fen = tree_refund_fen(
        paid_fen=line.amount_fen, delivered_trees=line.delivered, promised_trees=line.promised
    )
    if line.delivered:
        line.state = transition(SUBSCRIPTION_LINE, line.state, "mature")
        line.state = transition(SUBSCRIPTION_LINE, line.state, "deliver")
    right = books.bought(session, "tree", line_id=line.id, buyer_id=found.buyer_id)
    holding = books.holding(session, "tree", found.buyer_id)
    planted = books.source_of(session, "tree")
    legs = []
    if line.delivered:
        legs.append(Leg(source=right, target=holding, amount=line.delivered))
    if line.shortfall:
        legs.append(Leg(source=right, target=planted, amount=line.shortfall))
    kept_fen = line.amount_fen - line.refund_due_fen
    if lot.return_trigger == ReturnTrigger.ISSUANCE and kept_fen:
        escrow = books.escrow(session, line_id=line.id, buyer_id=found.buyer_id)
        legs.append(Leg(source=escrow, target=books.pool(session, shelf), amount=kept_fen))
    return legs


def _hand_over(
    session: Session, line: SubscriptionLine, found: Subscription, packs: Sequence[_Pack]
) -> None:
    for pack in packs:
        if pack.delivered:
            row = {"line": line.id, "code": pack.code, "to": found.buyer_id}
            session.execute(_DELIVERED, row | {"numbers": list(pack.delivered)})
            session.execute(_OWNED, row | {"numbers": list(pack.delivered)})


_TREES_OF = (
    "SELECT t.id FROM tree t JOIN tree_pack_member m ON m.tree_id = t.id"
    " JOIN tree_pack p ON p.id = m.pack_id"
    " WHERE p.line_id = :line AND p.code = :code AND t.number = ANY(:numbers)"
)
_DELIVERED = text(f"UPDATE tree_pack_member SET delivered_to = :to WHERE tree_id IN ({_TREES_OF})")
_OWNED = text(f"UPDATE tree SET owner_id = :to WHERE id IN ({_TREES_OF})")
