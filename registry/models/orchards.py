"""Orchards: accounts with versioned boundaries, books of lines, balances, labels, vouchers."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Numeric,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from registry.db import Base
from registry.models.columns import BigInt, Code, Digest, EffectiveAt, Id, RecordedAt

Exact = Annotated[Decimal, mapped_column(Numeric)]
"""Decimal of any scale: what was written is what is summed."""

ActorId = Annotated[UUID, mapped_column(ForeignKey("actor.id"))]


class Orchard(Base):
    """An operator's orchard account in one county."""

    __tablename__ = "orchard"
    __table_args__ = (
        CheckConstraint("adcode ~ '^[0-9]{6}$'", name="adcode_has_6_digits"),
        CheckConstraint("boundary_version >= 1", name="has_boundary"),
        UniqueConstraint("operator_id", "adcode", "crop"),
        Index("ix_orchard_adcode", "adcode"),
    )

    id: Mapped[Id]
    adcode: Mapped[Code]
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    name: Mapped[str]
    crop: Mapped[Code]
    boundary_version: Mapped[int] = mapped_column(comment="The newest version")
    actor_id: Mapped[ActorId]
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class OrchardBoundary(Base):
    """One version of what an account covers, from a day on; never overwritten."""

    __tablename__ = "orchard_boundary"
    __table_args__ = (CheckConstraint("planted_area_m2 > 0", name="planted"),)

    orchard_id: Mapped[UUID] = mapped_column(ForeignKey("orchard.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    valid_from: Mapped[date]
    planted_area_m2: Mapped[Exact] = mapped_column(comment="Sum over the plots, exact")
    reason: Mapped[str]
    actor_id: Mapped[ActorId]
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class OrchardPlot(Base):
    """One parcel of a boundary: what is planted on it, exact."""

    __tablename__ = "orchard_plot"
    __table_args__ = (
        CheckConstraint("planted_area_m2 > 0", name="planted"),
        CheckConstraint("trees IS NULL OR trees >= 0", name="trees_counted"),
        CheckConstraint("stage IN ('young', 'mature', 'old')", name="stage_known"),
        ForeignKeyConstraint(
            ["orchard_id", "version"], ["orchard_boundary.orchard_id", "orchard_boundary.version"]
        ),
        Index("ix_orchard_plot_parcel_id", "parcel_id"),
    )

    orchard_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    parcel_id: Mapped[UUID] = mapped_column(ForeignKey("parcel.id"), primary_key=True)
    planted_area_m2: Mapped[Exact]
    parcel_area_m2: Mapped[float] = mapped_column(comment="Of the parcel when it was written")
    trees: Mapped[int | None]
    planting_year: Mapped[int]
    stage: Mapped[Code]


class OrchardBook(Base):
    """An account's book of one year: where it stands."""

    __tablename__ = "orchard_book"
    __table_args__ = (
        CheckConstraint("status IN ('draft','submitted','returned','approved')", name="known"),
    )

    orchard_id: Mapped[UUID] = mapped_column(ForeignKey("orchard.id"), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    status: Mapped[Code] = mapped_column(server_default="draft")
    submitted_by: Mapped[UUID | None] = mapped_column(ForeignKey("actor.id"))
    recorded_at: Mapped[RecordedAt]


class OrchardLine(Base):
    """One line of a book; a mistake is reversed by another line, never edited."""

    __tablename__ = "orchard_line"
    __table_args__ = (
        CheckConstraint("quantity >= 0", name="quantity_not_negative"),
        CheckConstraint("extract(year FROM on_date) = year", name="date_in_year"),
        CheckConstraint("area_share IS NULL OR area_share BETWEEN 0 AND 1", name="share"),
        CheckConstraint(
            "premium_kg IS NULL OR premium_kg BETWEEN 0 AND quantity", name="premium_within"
        ),
        ForeignKeyConstraint(
            ["orchard_id", "year"], ["orchard_book.orchard_id", "orchard_book.year"]
        ),
        UniqueConstraint("orchard_id", "year", "client_id"),
        UniqueConstraint("reverses_id"),
    )

    id: Mapped[Id]
    orchard_id: Mapped[UUID]
    year: Mapped[int]
    client_id: Mapped[str] = mapped_column(comment="Given by the phone: a repeat is the same line")
    kind: Mapped[Code]
    product: Mapped[str]
    quantity: Mapped[Exact]
    unit: Mapped[str]
    n_kg: Mapped[Exact]
    p2o5_kg: Mapped[Exact]
    k2o_kg: Mapped[Exact]
    area_share: Mapped[Decimal | None] = mapped_column(Numeric)
    premium_kg: Mapped[Decimal | None] = mapped_column(Numeric)
    on_date: Mapped[date]
    parcel_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("parcel.id"), comment="None: the whole orchard"
    )
    evidence: Mapped[str]
    photo_sha256: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    reverses_id: Mapped[UUID | None] = mapped_column(ForeignKey("orchard_line.id"))
    reason: Mapped[str]
    actor_id: Mapped[ActorId] = mapped_column(comment="Who entered it")
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class OrchardBalance(Base):
    """A computed year, draft or approved, with its inputs' digest and the factor rows it used."""

    __tablename__ = "orchard_balance"
    __table_args__ = (
        CheckConstraint("kind IN ('draft', 'approved')", name="kind_known"),
        CheckConstraint("s_kg = s_biomass_kg + s_soil_kg", name="fixation_adds_up"),
        CheckConstraint("net_kg = s_kg - e_kg", name="net_adds_up"),
        CheckConstraint("e_kg >= 0", name="emission_not_negative"),
        ForeignKeyConstraint(
            ["orchard_id", "year"], ["orchard_book.orchard_id", "orchard_book.year"]
        ),
        ForeignKeyConstraint(
            ["orchard_id", "boundary_version"],
            ["orchard_boundary.orchard_id", "orchard_boundary.version"],
        ),
        UniqueConstraint("orchard_id", "year", "number"),
    )

    id: Mapped[Id]
    orchard_id: Mapped[UUID]
    year: Mapped[int]
    number: Mapped[int] = mapped_column(comment="In the order computed")
    kind: Mapped[Code]
    boundary_version: Mapped[int]
    e_kg: Mapped[BigInt] = mapped_column(comment="Emission, kg CO2e, rounded up")
    s_kg: Mapped[BigInt] = mapped_column(comment="Fixation that counts, kg CO2e")
    s_biomass_kg: Mapped[BigInt]
    s_soil_kg: Mapped[BigInt]
    soil_shown_kg: Mapped[BigInt] = mapped_column(comment="Soil as computed, counted or not")
    net_kg: Mapped[BigInt]
    evidence_share: Mapped[str | None] = mapped_column(comment="Exact fraction of E with evidence")
    organic_share: Mapped[str | None] = mapped_column(comment="Exact fraction of N")
    coverage: Mapped[str] = mapped_column(comment="Exact fraction of planted area with records")
    yield_kg: Mapped[Exact]
    premium_kg: Mapped[Exact]
    practices: Mapped[list[str]] = mapped_column(ARRAY(Text))
    terms: Mapped[list[Any]] = mapped_column(JSONB, comment="Each term of each line")
    factors: Mapped[list[Any]] = mapped_column(JSONB, comment="Rows used: value, source, mark")
    stocks: Mapped[list[Any]] = mapped_column(JSONB, comment="Tree stock before and after")
    setting: Mapped[dict[str, Any]] = mapped_column(JSONB)
    input_digest: Mapped[Digest]
    actor_id: Mapped[ActorId]
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class OrchardBookDecision(Base):
    """A book submitted, approved, returned with a reason, or opened again."""

    __tablename__ = "orchard_book_decision"
    __table_args__ = (
        CheckConstraint("decision IN ('submit','approve','return','reopen')", name="known"),
        CheckConstraint(
            "decision NOT IN ('return', 'reopen') OR length(reason) > 0", name="says_why"
        ),
        CheckConstraint(
            "decision <> 'approve' OR submitted_by <> actor_id", name="approved_by_another"
        ),
        CheckConstraint("(decision = 'approve') = (balance_id IS NOT NULL)", name="balance_kept"),
        ForeignKeyConstraint(
            ["orchard_id", "year"], ["orchard_book.orchard_id", "orchard_book.year"]
        ),
        Index("ix_orchard_book_decision_book", "orchard_id", "year"),
    )

    id: Mapped[Id]
    orchard_id: Mapped[UUID]
    year: Mapped[int]
    decision: Mapped[Code]
    reason: Mapped[str]
    submitted_by: Mapped[ActorId]
    balance_id: Mapped[UUID | None] = mapped_column(ForeignKey("orchard_balance.id"))
    actor_id: Mapped[ActorId]
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class OrchardVeto(Base):
    """A reason to withhold an orchard's label for a year, or the lifting of one."""

    __tablename__ = "orchard_veto"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('basic_farmland_conflict', 'boundary_dispute', 'false_record')",
            name="kind_known",
        ),
        UniqueConstraint("lifts_id"),
        Index("ix_orchard_veto_orchard", "orchard_id", "year"),
    )

    id: Mapped[Id]
    orchard_id: Mapped[UUID] = mapped_column(ForeignKey("orchard.id"))
    year: Mapped[int]
    kind: Mapped[Code]
    reason: Mapped[str]
    lifts_id: Mapped[UUID | None] = mapped_column(ForeignKey("orchard_veto.id"))
    actor_id: Mapped[ActorId]
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class OrchardBenchmark(Base):
    """A county's own value for a group that is too small; the newest row counts."""

    __tablename__ = "orchard_benchmark"
    __table_args__ = (
        CheckConstraint("basis IN ('fruit', 'area')", name="basis_known"),
        CheckConstraint("value > 0", name="value_positive"),
        Index("ix_orchard_benchmark_group", "adcode", "year", "crop", "stage", "basis"),
    )

    id: Mapped[Id]
    adcode: Mapped[Code]
    year: Mapped[int]
    crop: Mapped[Code]
    stage: Mapped[Code]
    basis: Mapped[Code] = mapped_column(comment="fruit: kg CO2e per kg; area: kg CO2e per mu")
    value: Mapped[Exact]
    source: Mapped[str]
    actor_id: Mapped[ActorId]
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class LabelRun(Base):
    """One labelling of a county's orchards for a year, with the rule as it stood."""

    __tablename__ = "label_run"
    __table_args__ = (Index("ix_label_run_county", "adcode", "year"),)

    id: Mapped[Id]
    adcode: Mapped[Code]
    year: Mapped[int]
    reason: Mapped[str] = mapped_column(comment="Empty, or why it was run again")
    programme_id: Mapped[Code]
    programme_version: Mapped[Code]
    programme_sha256: Mapped[Digest]
    rule: Mapped[dict[str, Any]] = mapped_column(JSONB)
    groups: Mapped[list[Any]] = mapped_column(JSONB, comment="Benchmarks: value, basis, n")
    input_digest: Mapped[Digest]
    actor_id: Mapped[ActorId]
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class OrchardLabel(Base):
    """A verdict of a run; a later run's verdict replaces it on screen, never in the record."""

    __tablename__ = "orchard_label"
    __table_args__ = (
        CheckConstraint("state IN ('labelled', 'unlabelled', 'withheld')", name="state_known"),
        CheckConstraint("(state = 'labelled') = (grade <> '')", name="only_labelled_have_grade"),
        CheckConstraint("valid_to >= valid_from", name="valid"),
        UniqueConstraint("run_id", "orchard_id"),
        UniqueConstraint("adcode", "year", "seq"),
        Index("ix_orchard_label_orchard", "orchard_id", "year"),
    )

    number: Mapped[Code] = mapped_column(primary_key=True, comment="LBL-adcode-year-seq")
    adcode: Mapped[Code]
    year: Mapped[int]
    seq: Mapped[int]
    run_id: Mapped[UUID] = mapped_column(ForeignKey("label_run.id"))
    appeal_of: Mapped[str | None] = mapped_column(
        ForeignKey("orchard_label.number"), comment="The verdict this one answers an appeal to"
    )
    orchard_id: Mapped[UUID] = mapped_column(ForeignKey("orchard.id"))
    balance_id: Mapped[UUID | None] = mapped_column(ForeignKey("orchard_balance.id"))
    state: Mapped[Code]
    grade: Mapped[Code]
    x: Mapped[str | None] = mapped_column(comment="The measure, exact fraction")
    points: Mapped[int]
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text))
    rule_key: Mapped[Code]
    rule_version: Mapped[Code]
    inputs: Mapped[dict[str, Any]] = mapped_column(JSONB)
    digest: Mapped[Digest]
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    recorded_at: Mapped[RecordedAt]


class RewardVoucher(Base):
    """Fertiliser earned by one orchard-year; one voucher a year."""

    __tablename__ = "reward_voucher"
    __table_args__ = (
        CheckConstraint("issued_kg >= 0", name="issued_not_negative"),
        CheckConstraint("redeemed_kg >= 0 AND expired_kg >= 0", name="amounts_not_negative"),
        CheckConstraint("redeemed_kg + expired_kg <= issued_kg", name="never_more_than_issued"),
        CheckConstraint("unit IN ('tCO2e', 'tC')", name="unit_known"),
        CheckConstraint("carried_in_kg <= 0 AND carried_kg <= 0", name="corrections_lower"),
        UniqueConstraint("orchard_id", "year"),
        UniqueConstraint("adcode", "year", "seq"),
    )

    number: Mapped[Code] = mapped_column(primary_key=True, comment="RWD-adcode-year-seq")
    adcode: Mapped[Code]
    year: Mapped[int]
    seq: Mapped[int]
    orchard_id: Mapped[UUID] = mapped_column(ForeignKey("orchard.id"))
    balance_id: Mapped[UUID] = mapped_column(ForeignKey("orchard_balance.id"))
    unit: Mapped[Code]
    net_kg: Mapped[BigInt]
    carried_in_kg: Mapped[BigInt]
    basis_kg: Mapped[BigInt] = mapped_column(comment="Net it was worked out on, kg CO2e")
    carried_kg: Mapped[BigInt] = mapped_column(comment="Correction left for the next year")
    issued_kg: Mapped[BigInt] = mapped_column(comment="Fertiliser, whole steps")
    redeemed_kg: Mapped[int] = mapped_column(BigInteger, server_default="0")
    expired_kg: Mapped[int] = mapped_column(BigInteger, server_default="0")
    expires_on: Mapped[date]
    rule: Mapped[dict[str, Any]] = mapped_column(JSONB)
    actor_id: Mapped[ActorId]
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class RewardMovement(Base):
    """Fertiliser issued, redeemed or expired; a voucher's amounts are the sums of its movements."""

    __tablename__ = "reward_movement"
    __table_args__ = (
        CheckConstraint("kind IN ('issue', 'redeem', 'expire')", name="kind_known"),
        CheckConstraint("kg > 0", name="kg_positive"),
        CheckConstraint("(kind = 'redeem') = (line_id IS NOT NULL)", name="redeemed_is_an_input"),
        UniqueConstraint("line_id"),
        Index("ix_reward_movement_voucher", "voucher"),
    )

    id: Mapped[Id]
    voucher: Mapped[str] = mapped_column(ForeignKey("reward_voucher.number"))
    kind: Mapped[Code]
    kg: Mapped[BigInt]
    line_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("orchard_line.id"), comment="The line it became in a later book"
    )
    actor_id: Mapped[ActorId]
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]
