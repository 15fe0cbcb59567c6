"""Tables of what comes after the sale: deliveries, refunds, settlements, distributions."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from options.machines import SETTLEMENT
from options.models.contracts import (
    ActorId,
    BigInt,
    Code,
    Digest,
    EffectiveAt,
    EventId,
    Id,
    MaybeInstant,
    PartyId,
    RecordedAt,
    one_of,
)
from registry.db import Base


class Delivery(Base):
    """Units of one issuance that reached the sold lines of a vintage, and what stayed unsold."""

    __tablename__ = "delivery"
    __table_args__ = (
        CheckConstraint("delivered + unsold = available", name="no_unit_lost"),
        CheckConstraint("delivered + shortfall = sold", name="no_promise_lost"),
        CheckConstraint("delivered >= 0 AND unsold >= 0 AND shortfall >= 0", name="not_negative"),
        UniqueConstraint("source", "vintage"),
    )

    id: Mapped[Id]
    source: Mapped[Code] = mapped_column(comment="batch:<id>, or lot:<id> for trees")
    vintage: Mapped[int]
    available: Mapped[BigInt]
    sold: Mapped[BigInt]
    delivered: Mapped[BigInt]
    shortfall: Mapped[BigInt]
    unsold: Mapped[BigInt]
    plan: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Every line's part")
    event_id: Mapped[EventId]
    actor_id: Mapped[ActorId]
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class Refund(Base):
    """Where a line's refund came from; the parts and the claim on the seller sum to what is due."""

    __tablename__ = "refund"
    __table_args__ = (
        CheckConstraint(
            "escrow_fen + insurance_fen + hold_back_fen + pool_fen + seller_claim_fen = due_fen",
            name="parts_sum",
        ),
        CheckConstraint(
            "escrow_fen >= 0 AND insurance_fen >= 0 AND hold_back_fen >= 0"
            " AND pool_fen >= 0 AND seller_claim_fen >= 0",
            name="not_negative",
        ),
        Index("ix_refund_line_id", "line_id"),
    )

    id: Mapped[Id]
    line_id: Mapped[UUID] = mapped_column(ForeignKey("subscription_line.id"))
    reason: Mapped[Code]
    due_fen: Mapped[BigInt]
    escrow_fen: Mapped[BigInt]
    insurance_fen: Mapped[BigInt]
    hold_back_fen: Mapped[BigInt]
    pool_fen: Mapped[BigInt]
    seller_claim_fen: Mapped[BigInt] = mapped_column(comment="Owed by the seller, recorded")
    event_id: Mapped[EventId]
    actor_id: Mapped[ActorId]
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class Settlement(Base):
    """A run over the money of one lot and vintage, to the fen; the database holds the identity."""

    __tablename__ = "settlement"
    __table_args__ = (
        CheckConstraint(one_of("state", SETTLEMENT), name="state_known"),
        CheckConstraint(
            "escrow_in_fen + reserves_brought_fen = refunds_fen + taxes_fen + insurance_fen"
            " + costs_fen + reserves_held_fen + advance_recouped_fen + returned_fen"
            " + remainder_fen + escrow_balance_fen",
            name="sums_to_the_fen",
        ),
        CheckConstraint(
            "escrow_in_fen = refunds_fen + gross_fen + escrow_balance_fen", name="escrow_sums"
        ),
        CheckConstraint(
            "escrow_in_fen >= 0 AND refunds_fen >= 0 AND gross_fen >= 0 AND taxes_fen >= 0"
            " AND insurance_fen >= 0 AND costs_fen >= 0 AND reserves_brought_fen >= 0"
            " AND reserves_held_fen >= 0 AND advance_recouped_fen >= 0 AND returned_fen >= 0"
            " AND remainder_fen >= 0 AND escrow_balance_fen >= 0",
            name="not_negative",
        ),
        CheckConstraint(
            "state IN ('DRAFT', 'CHECKED') OR (cardinality(approved_by) >= 2"
            " AND approved_by[1] <> approved_by[2])",
            name="approved_by_two",
        ),
        UniqueConstraint("lot_id", "vintage", "run"),
        ForeignKeyConstraint(["lot_id", "vintage"], ["lot_offer.lot_id", "lot_offer.vintage"]),
        Index(
            "uq_settlement_one_open",
            "lot_id",
            "vintage",
            unique=True,
            postgresql_where=text("state IN ('DRAFT', 'CHECKED', 'APPROVED')"),
        ),
    )

    id: Mapped[Id]
    lot_id: Mapped[UUID]
    vintage: Mapped[int]
    run: Mapped[int]
    revision: Mapped[int]
    state: Mapped[Code]
    inputs: Mapped[dict[str, Any]] = mapped_column(JSONB)
    input_digest: Mapped[Digest]
    escrow_in_fen: Mapped[BigInt]
    refunds_fen: Mapped[BigInt]
    gross_fen: Mapped[BigInt]
    taxes_fen: Mapped[BigInt]
    insurance_fen: Mapped[BigInt]
    costs_fen: Mapped[BigInt]
    reserves_brought_fen: Mapped[BigInt]
    reserves_held_fen: Mapped[BigInt]
    advance_recouped_fen: Mapped[BigInt]
    returned_fen: Mapped[BigInt]
    remainder_fen: Mapped[BigInt]
    escrow_balance_fen: Mapped[BigInt]
    ratio: Mapped[Code]
    prepared_by: Mapped[ActorId]
    checked_by: Mapped[UUID | None] = mapped_column(ForeignKey("actor.id"))
    approved_by: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    document_sha256: Mapped[bytes | None]
    returned_at: Mapped[MaybeInstant]
    publish_by: Mapped[date | None] = mapped_column(Date)
    published_at: Mapped[MaybeInstant]
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class SettlementLine(Base):
    """One payee of a run: a voucher, a reserve, a village, a household, the named remainder."""

    __tablename__ = "settlement_line"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('tax', 'insurance', 'cost', 'reserve', 'advance', 'village', 'household',"
            " 'remainder')",
            name="kind_known",
        ),
        CheckConstraint("amount_fen >= 0", name="amount_not_negative"),
        CheckConstraint(
            "kind NOT IN ('village', 'household') OR payee_id IS NOT NULL", name="payee_named"
        ),
        CheckConstraint(
            "kind NOT IN ('tax', 'insurance', 'cost') OR length(voucher) > 0", name="voucher_named"
        ),
        Index("ix_settlement_line_payee_id", "payee_id"),
    )

    settlement_id: Mapped[UUID] = mapped_column(ForeignKey("settlement.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[Code]
    type: Mapped[str] = mapped_column(server_default="")
    voucher: Mapped[str] = mapped_column(server_default="")
    payee_id: Mapped[UUID | None] = mapped_column(ForeignKey("party.id"))
    payee_name: Mapped[str]
    through_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("party.id"), comment="Whose account hands a household's money on"
    )
    units: Mapped[BigInt] = mapped_column(server_default="0")
    amount_fen: Mapped[BigInt]


class SettlementPayment(Base):
    """The bank's confirmation that a line left the supervised account for the payee's own."""

    __tablename__ = "settlement_payment"
    __table_args__ = (
        ForeignKeyConstraint(
            ["settlement_id", "revision", "n"],
            ["settlement_line.settlement_id", "settlement_line.revision", "settlement_line.n"],
        ),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
    )

    settlement_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    amount_fen: Mapped[BigInt]
    bank_reference: Mapped[str] = mapped_column(ForeignKey("bank_line.bank_reference"))
    account_kind: Mapped[Code]
    event_id: Mapped[EventId]
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class Distribution(Base):
    """A collective's year: net income, reserve, and what its shareholders receive."""

    __tablename__ = "distribution"
    __table_args__ = (
        CheckConstraint("reserve_fen + distributed_fen = net_income_fen", name="sums"),
        CheckConstraint("10 * reserve_fen >= 3 * net_income_fen", name="reserve_at_least_30"),
        CheckConstraint("distributed_fen >= 0", name="not_negative"),
        UniqueConstraint("collective_id", "year"),
    )

    id: Mapped[Id]
    collective_id: Mapped[PartyId]
    year: Mapped[int]
    net_income_fen: Mapped[BigInt]
    reserve_ratio: Mapped[Code]
    reserve_fen: Mapped[BigInt]
    distributed_fen: Mapped[BigInt]
    total_shares: Mapped[BigInt]
    document_sha256: Mapped[Digest]
    event_id: Mapped[EventId]
    actor_id: Mapped[ActorId]
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class DistributionPayout(Base):
    """What one household of the share register receives of a year."""

    __tablename__ = "distribution_payout"
    __table_args__ = (CheckConstraint("shares > 0 AND amount_fen >= 0", name="positive"),)

    distribution_id: Mapped[UUID] = mapped_column(ForeignKey("distribution.id"), primary_key=True)
    household_code: Mapped[Code] = mapped_column(primary_key=True)
    holder_name: Mapped[str]
    shares: Mapped[BigInt]
    amount_fen: Mapped[BigInt]
