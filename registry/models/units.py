"""Units and money: accounts, entries, periods, batches, serial ranges, capacity."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import INT8RANGE, JSONB, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from registry.db import Base
from registry.models.columns import BigInt, Code, Digest, EffectiveAt, Id, RecordedAt

ASSETS = "'kg', 'forecast_kg', 'fen', 'tree'"


class Account(Base):
    """A party's (or the registry's own) account in one asset; only ``post_legs`` moves its balance.

    ``forecast_kg`` is an asset of its own: a forecast can never be added to verified units.
    """

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint(f"asset IN ({ASSETS})", name="asset_known"),
        CheckConstraint("balance >= 0 OR overdraft", name="never_negative"),
        CheckConstraint(
            "overdraft = (kind IN ('issued', 'grown', 'planted', 'world'))", name="only_sources_owe"
        ),
        CheckConstraint(
            "kind NOT IN ('issued', 'buffer', 'retired', 'cancelled') OR asset = 'kg'",
            name="only_units_retire",
        ),
        Index(
            "uq_account_place",
            "asset",
            "kind",
            "party_id",
            "reference",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[Id]
    asset: Mapped[Code]
    kind: Mapped[Code] = mapped_column(comment="issued, holding, buffer, retired, escrow, tax ...")
    party_id: Mapped[UUID | None] = mapped_column(ForeignKey("party.id"))
    reference: Mapped[str | None] = mapped_column(comment="What it is for: a lot, a subscription")
    overdraft: Mapped[bool] = mapped_column(comment="True for the outside world only")
    balance: Mapped[BigInt] = mapped_column(server_default="0")
    recorded_at: Mapped[RecordedAt]


class Entry(Base):
    """One movement: source and target in one row, so all balances sum to zero. Append-only."""

    __tablename__ = "entry"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("source_id <> target_id", name="two_accounts"),
        Index("ix_entry_event_id", "event_id"),
        Index("ix_entry_source_id", "source_id"),
        Index("ix_entry_target_id", "target_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    event_id: Mapped[UUID] = mapped_column(ForeignKey("event.id"))
    source_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    target_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    amount: Mapped[BigInt]


class Period(Base):
    """A monitoring period of a project and its verifier's decision."""

    __tablename__ = "period"
    __table_args__ = (
        CheckConstraint("ends_on > starts_on", name="order"),
        CheckConstraint(
            "status IN ('submitted', 'verified', 'refused', 'issued')", name="status_known"
        ),
        CheckConstraint(
            "status NOT IN ('verified', 'issued') OR verified_kg IS NOT NULL",
            name="verified_has_kg",
        ),
        CheckConstraint("verified_kg BETWEEN 0 AND creditable_kg", name="verified_within"),
        ExcludeConstraint(
            ("project_id", "="),
            (text("daterange(starts_on, ends_on)"), "&&"),
            where=text("status <> 'refused'"),
            name="ex_period_one_at_a_time",
            using="gist",
        ),
    )

    id: Mapped[Id]
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"))
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date] = mapped_column(Date, comment="First day after the period")
    status: Mapped[Code]
    run_id: Mapped[UUID] = mapped_column(ForeignKey("assessment_run.id"))
    inputs: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Baseline, emissions, leakage, U")
    creditable_kg: Mapped[BigInt] = mapped_column(comment="By the plan, before the verifier")
    plan: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Every step from change to kg")
    verifier_id: Mapped[UUID | None] = mapped_column(ForeignKey("party.id"))
    verified_kg: Mapped[int | None] = mapped_column(BigInteger)
    statement_sha256: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    submitted_by: Mapped[UUID] = mapped_column(ForeignKey("actor.id"))
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class Batch(Base):
    """An issuance of one vintage: serials 1..size, holder's first, the buffer's last."""

    __tablename__ = "batch"
    __table_args__ = (
        CheckConstraint("size_kg > 0", name="size_positive"),
        CheckConstraint("buffer_kg BETWEEN 0 AND size_kg", name="buffer_within"),
        UniqueConstraint("project_id", "number"),
        UniqueConstraint("period_id", "vintage"),
    )

    id: Mapped[Id]
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"))
    period_id: Mapped[UUID] = mapped_column(ForeignKey("period.id"))
    number: Mapped[int]
    vintage: Mapped[int]
    prefix: Mapped[str] = mapped_column(comment="CN-<adcode6>-FCS-<project6>-<batch3>-<vintage4>")
    size_kg: Mapped[BigInt]
    buffer_kg: Mapped[BigInt]
    event_id: Mapped[UUID] = mapped_column(ForeignKey("event.id"))
    recorded_at: Mapped[RecordedAt]


class UnitRange(Base):
    """Who holds which serials: open ranges of a batch are disjoint and complete at every commit."""

    __tablename__ = "unit_range"
    __table_args__ = (
        CheckConstraint(
            "status IN ('held', 'retired', 'cancelled', 'buffer')", name="status_known"
        ),
        CheckConstraint("NOT isempty(serials) AND lower(serials) >= 1", name="serials_from_1"),
        ExcludeConstraint(
            ("batch_id", "="),
            ("serials", "&&"),
            where=text("closed_by IS NULL"),
            name="ex_unit_range_disjoint",
            using="gist",
            deferrable=True,
            initially="DEFERRED",
        ),
        Index("ix_unit_range_account_id", "account_id", postgresql_where=text("closed_by IS NULL")),
    )

    id: Mapped[Id]
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("batch.id"))
    serials: Mapped[Range[int]] = mapped_column(INT8RANGE, comment="One serial per kg")
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    status: Mapped[Code]
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit_range.id"))
    opened_by: Mapped[UUID] = mapped_column(ForeignKey("event.id"))
    closed_by: Mapped[UUID | None] = mapped_column(ForeignKey("event.id"))


class Retirement(Base):
    """Units used for good, for someone, for a purpose; irreversible."""

    __tablename__ = "retirement"
    __table_args__ = (
        UniqueConstraint("number"),
        CheckConstraint("kg > 0", name="kg_positive"),
        CheckConstraint("length(note) <= 512", name="note_short"),
        CheckConstraint(
            "purpose IN ('corporate_targets', 'public_environmental_claims', 'insetting',"
            " 'regulatory_requirement', 'other')",
            name="purpose_known",
        ),
        CheckConstraint(
            "beneficiary_kind IN ('enterprise', 'person', 'government', 'event', 'other')",
            name="beneficiary_kind_known",
        ),
        CheckConstraint("length(beneficiary) > 0", name="for_someone"),
    )

    id: Mapped[Id]
    number: Mapped[Code]
    holder_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    beneficiary: Mapped[str]
    beneficiary_kind: Mapped[Code]
    beneficiary_location: Mapped[str]
    purpose: Mapped[Code]
    reporting_period: Mapped[str]
    note: Mapped[str]
    reference: Mapped[str | None] = mapped_column(comment="The contract it came from, if any")
    kg: Mapped[BigInt]
    serials: Mapped[list[Any]] = mapped_column(JSONB, comment="Full serial ranges, inclusive")
    event_id: Mapped[UUID] = mapped_column(ForeignKey("event.id"))
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class Certificate(Base):
    """A signed statement about the record at one moment; its live state is looked up by number."""

    __tablename__ = "certificate"
    __table_args__ = (
        UniqueConstraint("number"),
        CheckConstraint("sha256 = sha256(convert_to(body, 'UTF8'))", name="digest_is_true"),
    )

    id: Mapped[Id]
    number: Mapped[Code]
    kind: Mapped[Code]
    subject_kind: Mapped[Code]
    subject_id: Mapped[Code]
    body: Mapped[str] = mapped_column(Text, comment="Canonical JSON, the bytes that are signed")
    sha256: Mapped[Digest]
    signature: Mapped[bytes]
    public_key: Mapped[bytes]
    event_id: Mapped[UUID] = mapped_column(ForeignKey("event.id"))
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class CertificateRevocation(Base):
    """Why a certificate no longer counts; the certificate itself is never changed."""

    __tablename__ = "certificate_revocation"

    certificate_id: Mapped[UUID] = mapped_column(ForeignKey("certificate.id"), primary_key=True)
    reason: Mapped[str]
    event_id: Mapped[UUID] = mapped_column(ForeignKey("event.id"))
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class Slot(Base):
    """A part of a contended quantity: writers take from different parts at the same time."""

    __tablename__ = "slot"
    __table_args__ = (CheckConstraint("quantity >= 0", name="never_negative"),)

    owner_ref: Mapped[Code] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    quantity: Mapped[BigInt]


class Capacity(Base):
    """What may be sold ahead of a parcel's vintage: the approved forecast less the buffer.

    ``committed_kg`` is the sum of its reservations not released.  A trigger lets it rise only
    while nothing is short, so it is never sold beyond the cap; a later, lower forecast lowers the
    cap and shows what is missing in ``short_kg``.
    """

    __tablename__ = "capacity"
    __table_args__ = (
        CheckConstraint("cap_kg >= 0 AND committed_kg >= 0 AND short_kg >= 0", name="not_negative"),
        CheckConstraint("short_kg = greatest(committed_kg - cap_kg, 0)", name="short_is_true"),
        ForeignKeyConstraint(
            ["parcel_id", "version"], ["parcel_version.parcel_id", "parcel_version.version"]
        ),
    )

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claim.id"), primary_key=True)
    parcel_id: Mapped[UUID] = mapped_column(primary_key=True)
    vintage: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]
    run_id: Mapped[UUID] = mapped_column(ForeignKey("assessment_run.id"))
    cap_kg: Mapped[BigInt]
    committed_kg: Mapped[BigInt] = mapped_column(server_default="0")
    short_kg: Mapped[BigInt] = mapped_column(server_default="0")


class Reservation(Base):
    """Kilograms of a capacity held for someone who is only known by a reference.

    ``shared`` is what a split parcel handed on: a trigger finds the same kg with its children.
    """

    __tablename__ = "reservation"
    __table_args__ = (
        CheckConstraint("kg > 0", name="kg_positive"),
        CheckConstraint("state IN ('held', 'released', 'burned', 'shared')", name="state_known"),
        ForeignKeyConstraint(
            ["claim_id", "parcel_id", "vintage"],
            ["capacity.claim_id", "capacity.parcel_id", "capacity.vintage"],
        ),
        CheckConstraint("burned_kg BETWEEN 0 AND kg", name="burned_within"),
        UniqueConstraint("holder_ref", "claim_id", "parcel_id", "vintage"),
        Index("ix_reservation_capacity", "claim_id", "parcel_id", "vintage"),
    )

    id: Mapped[Id]
    claim_id: Mapped[UUID]
    parcel_id: Mapped[UUID]
    vintage: Mapped[int]
    kg: Mapped[BigInt]
    burned_kg: Mapped[BigInt] = mapped_column(
        server_default="0", comment="Delivered as units; never free again"
    )
    holder_ref: Mapped[Code]
    state: Mapped[Code]
    recorded_at: Mapped[RecordedAt]
