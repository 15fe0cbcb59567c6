"""Tables of contracts on credits; private to options.

Rules that hold whoever writes stand here as CHECK, UNIQUE and foreign keys; those over several
rows (a settlement and its lines) are deferred triggers of migration 0006.
"""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from options.machines import LOT_PHYSICAL, LOT_SALE, SUBSCRIPTION_LINE, Machine
from registry.db import Base

Id = Annotated[UUID, mapped_column(primary_key=True, default=uuid4)]
Code = Annotated[str, mapped_column(Text)]
BigInt = Annotated[int, mapped_column(BigInteger)]
Digest = Annotated[bytes, mapped_column(LargeBinary(32))]
Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
MaybeInstant = Annotated[datetime | None, mapped_column(DateTime(timezone=True))]
EffectiveAt = Annotated[
    datetime,
    mapped_column(DateTime(timezone=True), comment="When it counts; given by the command"),
]
RecordedAt = Annotated[
    datetime,
    mapped_column(
        DateTime(timezone=True),
        server_default=func.clock_timestamp(),
        comment="When it was written; given by the database",
    ),
]
ActorId = Annotated[UUID, mapped_column(ForeignKey("actor.id"))]
EventId = Annotated[UUID, mapped_column(ForeignKey("event.id"))]
PartyId = Annotated[UUID, mapped_column(ForeignKey("party.id"))]


def one_of(column: str, machine: Machine) -> str:
    """Return a CHECK that a column holds a state of a machine."""
    codes = ", ".join(f"'{state.code}'" for state in machine.states)
    return f"{column} IN ({codes})"


class Lot(Base):
    """What a collection company offers for sale: kg of vintages, or packs of numbered trees.

    ``sale`` and ``waterfall`` are copies of the programme's sections on the day of drafting: a
    later version of the programme never touches this lot.
    """

    __tablename__ = "lot"
    __table_args__ = (
        CheckConstraint(one_of("sale_state", LOT_SALE), name="sale_state_known"),
        CheckConstraint(one_of("physical_state", LOT_PHYSICAL), name="physical_state_known"),
        CheckConstraint("unit IN ('kg', 'tree')", name="unit_known"),
        CheckConstraint("carbon_right_holder IN ('buyer', 'seller')", name="right_holder_known"),
        CheckConstraint("unit = 'tree' OR project_id IS NOT NULL", name="carbon_has_project"),
        CheckConstraint("advance_fen >= 0", name="advance_not_negative"),
        ForeignKeyConstraint(
            ["programme_id", "programme_version"], ["programme.id", "programme.version"]
        ),
        UniqueConstraint("number"),
        Index("ix_lot_project_id", "project_id"),
        Index("ix_lot_company_id", "company_id"),
    )

    id: Mapped[Id]
    number: Mapped[Code]
    title: Mapped[str]
    unit: Mapped[Code]
    programme_id: Mapped[Code]
    programme_version: Mapped[Code]
    project_id: Mapped[UUID | None] = mapped_column(ForeignKey("project.id"))
    run_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("assessment_run.id"), comment="The forecast the offer stands on"
    )
    company_id: Mapped[PartyId] = mapped_column(comment="Collection company")
    carbon_right_holder: Mapped[Code]
    return_trigger: Mapped[Code]
    term_years: Mapped[int]
    sale: Mapped[dict[str, Any]] = mapped_column(JSONB)
    waterfall: Mapped[dict[str, Any]] = mapped_column(JSONB)
    advance_fen: Mapped[BigInt] = mapped_column(comment="Paid to the villages ahead of any sale")
    sale_state: Mapped[Code]
    physical_state: Mapped[Code]
    noticed_on: Mapped[date | None] = mapped_column(Date)
    closes_on: Mapped[date | None] = mapped_column(Date, comment="Last day of the sale")
    created_by: Mapped[ActorId]
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class LotParcel(Base):
    """A parcel of a lot: whose it is, under which claim, how it is held."""

    __tablename__ = "lot_parcel"
    __table_args__ = (
        CheckConstraint(
            "tenure IN ('collective', 'household', 'cooperative', 'state')", name="tenure_known"
        ),
        CheckConstraint(
            "(tenure = 'household') = (household_id IS NOT NULL)", name="household_named"
        ),
        Index("ix_lot_parcel_parcel_id", "parcel_id"),
        Index("ix_lot_parcel_supplier_id", "supplier_id"),
    )

    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"), primary_key=True)
    parcel_id: Mapped[UUID] = mapped_column(ForeignKey("parcel.id"), primary_key=True)
    claim_id: Mapped[UUID | None] = mapped_column(ForeignKey("claim.id"))
    supplier_id: Mapped[PartyId] = mapped_column(comment="Village, cooperative or state farm")
    household_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("party.id"), comment="Holder of household-contracted forest"
    )
    tenure: Mapped[Code]


class LotOffer(Base):
    """What a lot offers of one vintage (kg), or as packs maturing in a year."""

    __tablename__ = "lot_offer"
    __table_args__ = (
        CheckConstraint("quantity > 0 AND price_fen > 0", name="positive"),
        CheckConstraint(
            "delivered_at IS NULL OR pre_stored_at IS NOT NULL", name="stored_before_delivered"
        ),
    )

    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"), primary_key=True)
    vintage: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    quantity: Mapped[BigInt] = mapped_column(comment="kg CO2e, or packs")
    price_fen: Mapped[BigInt] = mapped_column(comment="A tonne, or a pack")
    pre_stored_at: Mapped[MaybeInstant]
    delivered_at: Mapped[MaybeInstant]


class LotSupply(Base):
    """What each parcel pre-stored for a lot's vintage: the weight of its owner's money."""

    __tablename__ = "lot_supply"
    __table_args__ = (
        CheckConstraint("units > 0", name="positive"),
        ForeignKeyConstraint(["lot_id", "vintage"], ["lot_offer.lot_id", "lot_offer.vintage"]),
        ForeignKeyConstraint(
            ["lot_id", "parcel_id"], ["lot_parcel.lot_id", "lot_parcel.parcel_id"]
        ),
    )

    lot_id: Mapped[UUID] = mapped_column(primary_key=True)
    vintage: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    parcel_id: Mapped[UUID] = mapped_column(primary_key=True)
    units: Mapped[BigInt] = mapped_column(comment="kg CO2e, or trees")


class LotStep(Base):
    """One step of a lot with the papers it stands on: notice, vote, consents, valuation, damage."""

    __tablename__ = "lot_step"
    __table_args__ = (Index("ix_lot_step_lot_id", "lot_id"),)

    id: Mapped[Id]
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"))
    machine: Mapped[Code]
    event: Mapped[Code]
    from_state: Mapped[Code]
    to_state: Mapped[Code]
    inputs: Mapped[dict[str, Any]] = mapped_column(JSONB)
    actor_id: Mapped[ActorId]
    event_id: Mapped[EventId]
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class LotObjection(Base):
    """An objection to a notice; open ones stop the mandate."""

    __tablename__ = "lot_objection"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'answered', 'upheld')", name="state_known"),
        CheckConstraint("state = 'open' OR length(answer) > 0", name="closed_says_why"),
        Index("ix_lot_objection_lot_id", "lot_id"),
    )

    id: Mapped[Id]
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"))
    by_name: Mapped[str]
    words: Mapped[str]
    state: Mapped[Code]
    answer: Mapped[str] = mapped_column(server_default="")
    actor_id: Mapped[ActorId]
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class Subscription(Base):
    """A buyer's contract (认购协议): lines of one lot, signed and paid as one."""

    __tablename__ = "subscription"
    __table_args__ = (
        CheckConstraint("buyer_kind IN ('person', 'enterprise')", name="buyer_kind_known"),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint(
            "signed_at IS NULL OR (contract_sha256 IS NOT NULL AND risk_accepted)",
            name="signed_has_contract",
        ),
        CheckConstraint("paid_at IS NULL OR signed_at IS NOT NULL", name="signed_before_paid"),
        UniqueConstraint("number"),
        Index("ix_subscription_lot_id", "lot_id"),
        Index("ix_subscription_buyer_id", "buyer_id"),
        Index("ix_subscription_due_at", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )

    id: Mapped[Id]
    number: Mapped[Code]
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"))
    buyer_id: Mapped[PartyId]
    buyer_kind: Mapped[Code]
    amount_fen: Mapped[BigInt]
    due_at: Mapped[MaybeInstant] = mapped_column(comment="When the present step runs out")
    calendar_unverified: Mapped[bool] = mapped_column(server_default="false")
    signed_at: Mapped[MaybeInstant]
    contract_sha256: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    risk_accepted: Mapped[bool] = mapped_column(server_default="false")
    paid_at: Mapped[MaybeInstant]
    created_by: Mapped[ActorId]
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class SubscriptionLine(Base):
    """One vintage of a contract, at the price of the day; the state of the sale is the line's."""

    __tablename__ = "subscription_line"
    __table_args__ = (
        CheckConstraint(one_of("state", SUBSCRIPTION_LINE), name="state_known"),
        CheckConstraint("quantity > 0 AND price_fen > 0 AND amount_fen > 0", name="positive"),
        CheckConstraint(
            "delivered >= 0 AND shortfall >= 0 AND delivered + shortfall <= promised",
            name="delivered_within",
        ),
        CheckConstraint("refunded_fen BETWEEN 0 AND amount_fen", name="refund_within"),
        UniqueConstraint("subscription_id", "vintage"),
        ForeignKeyConstraint(["lot_id", "vintage"], ["lot_offer.lot_id", "lot_offer.vintage"]),
        Index("ix_subscription_line_lot_id_vintage", "lot_id", "vintage"),
    )

    id: Mapped[Id]
    subscription_id: Mapped[UUID] = mapped_column(ForeignKey("subscription.id"))
    lot_id: Mapped[UUID]
    vintage: Mapped[int]
    quantity: Mapped[BigInt] = mapped_column(comment="kg CO2e, or packs")
    promised: Mapped[BigInt] = mapped_column(comment="kg CO2e, or trees the buyer may take")
    price_fen: Mapped[BigInt]
    amount_fen: Mapped[BigInt]
    state: Mapped[Code]
    delivered: Mapped[BigInt] = mapped_column(server_default="0")
    shortfall: Mapped[BigInt] = mapped_column(server_default="0")
    refund_due_fen: Mapped[BigInt] = mapped_column(server_default="0")
    refunded_fen: Mapped[BigInt] = mapped_column(server_default="0")
    recorded_at: Mapped[RecordedAt]


class Tree(Base):
    """A numbered tree: where it stands, what it is, whether it lives, whose it is."""

    __tablename__ = "tree"
    __table_args__ = (
        CheckConstraint("number > 0", name="number_positive"),
        CheckConstraint("status IN ('live', 'dead', 'moved')", name="status_known"),
        CheckConstraint(
            "planted_on IS NULL OR date_part('year', planted_on) = planted_year",
            name="planted_in_year",
        ),
        CheckConstraint("replaces_id <> id", name="another_replaced"),
        UniqueConstraint("parcel_id", "number"),
        UniqueConstraint("replaces_id"),
        Index("ix_tree_owner_id", "owner_id"),
    )

    id: Mapped[Id]
    parcel_id: Mapped[UUID] = mapped_column(ForeignKey("parcel.id"))
    number: Mapped[int]
    species: Mapped[Code]
    point: Mapped[WKBElement] = mapped_column(Geometry("POINT", srid=4490, spatial_index=False))
    planted_year: Mapped[int]
    planted_on: Mapped[date | None] = mapped_column(Date, comment="The day, where it is known")
    photo_sha256: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    status: Mapped[Code]
    owner_id: Mapped[PartyId]
    replaces_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("tree.id"), comment="The dead tree it stands in for"
    )
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class TreePack(Base):
    """A pack of a lot: 100 numbered trees, of which its holder may take 50."""

    __tablename__ = "tree_pack"
    __table_args__ = (
        CheckConstraint("promised > 0", name="promises"),
        UniqueConstraint("lot_id", "code"),
        Index("ix_tree_pack_line_id", "line_id"),
        Index("ix_tree_pack_code", "code"),
        ForeignKeyConstraint(["lot_id", "vintage"], ["lot_offer.lot_id", "lot_offer.vintage"]),
    )

    id: Mapped[Id]
    lot_id: Mapped[UUID]
    vintage: Mapped[int] = mapped_column(comment="Year of maturity")
    code: Mapped[Code]
    promised: Mapped[int]
    line_id: Mapped[UUID | None] = mapped_column(ForeignKey("subscription_line.id"))


class TreePackMember(Base):
    """A tree stands in one pack only: the tree is the key."""

    __tablename__ = "tree_pack_member"
    __table_args__ = (Index("ix_tree_pack_member_pack_id", "pack_id"),)

    tree_id: Mapped[UUID] = mapped_column(ForeignKey("tree.id"), primary_key=True)
    pack_id: Mapped[UUID] = mapped_column(ForeignKey("tree_pack.id"))
    delivered_to: Mapped[UUID | None] = mapped_column(ForeignKey("party.id"))


class BankLine(Base):
    """A row of the supervised account's statement that was acted on; each acts once."""

    __tablename__ = "bank_line"
    __table_args__ = (
        CheckConstraint("direction IN ('in', 'out')", name="direction_known"),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        UniqueConstraint("bank_reference"),
        Index("ix_bank_line_subject_id", "subject_id"),
    )

    id: Mapped[Id]
    bank_reference: Mapped[Code]
    direction: Mapped[Code]
    amount_fen: Mapped[BigInt]
    counterparty: Mapped[str]
    booked_on: Mapped[date] = mapped_column(Date)
    subject_kind: Mapped[Code]
    subject_id: Mapped[UUID]
    event_id: Mapped[EventId]
    actor_id: Mapped[ActorId]
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]
