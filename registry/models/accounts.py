"""What a project's account stands on beside the stands: rows with evidence; its periods' sums."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from registry.db import Base
from registry.models.columns import BigInt, Code, EffectiveAt, Id, RecordedAt

KINDS = "'prior_vegetation', 'baseline', 'burning', 'fertiliser', 'emission', 'leakage'"
IDENTITY = (
    "gross_kg - discount_kg - baseline_kg - emissions_kg - leakage_kg - deficit_before_kg"
    " - withheld_kg = creditable_kg - deficit_kg"
)


class ProjectItem(Base):
    """One thing a project's account counts against it; a correction is another row."""

    __tablename__ = "project_item"
    __table_args__ = (
        CheckConstraint(f"kind IN ({KINDS})", name="kind_known"),
        CheckConstraint("year BETWEEN 1900 AND 2200", name="year_sensible"),
        CheckConstraint("NOT withdrawn OR replaces IS NOT NULL", name="withdrawn_names"),
        UniqueConstraint("replaces"),
        Index("ix_project_item_project_id", "project_id"),
    )

    id: Mapped[Id]
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"))
    kind: Mapped[Code]
    year: Mapped[int] = mapped_column(comment="Of the thing; of site preparation for vegetation")
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="By kind; numbers as text")
    planned: Mapped[bool] = mapped_column(comment="Of forecasts only: it has not happened yet")
    source: Mapped[str] = mapped_column(comment="Who measured it, or what it is taken from")
    evidence_sha256: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    replaces: Mapped[UUID | None] = mapped_column(ForeignKey("project_item.id"))
    withdrawn: Mapped[bool]
    reason: Mapped[str] = mapped_column(comment="Why it was entered again; empty at first")
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("actor.id"))
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class PeriodAccount(Base):
    """A period's sums in whole kg, rounded against the project; they add up or are not stored."""

    __tablename__ = "period_account"
    __table_args__ = (
        CheckConstraint(IDENTITY, name="adds_up"),
        CheckConstraint(
            "least(emissions_kg, leakage_kg, deficit_before_kg, withheld_kg, creditable_kg,"
            " deficit_kg) >= 0",
            name="not_negative",
        ),
    )

    period_id: Mapped[UUID] = mapped_column(ForeignKey("period.id"), primary_key=True)
    gross_kg: Mapped[BigInt] = mapped_column(comment="Change of the counted pools")
    discount_kg: Mapped[BigInt] = mapped_column(comment="For sampling error, rounded up")
    baseline_kg: Mapped[BigInt]
    emissions_kg: Mapped[BigInt]
    leakage_kg: Mapped[BigInt]
    deficit_before_kg: Mapped[BigInt]
    withheld_kg: Mapped[BigInt] = mapped_column(comment="Never a unit: non-permanence, roundings")
    creditable_kg: Mapped[BigInt]
    deficit_kg: Mapped[BigInt] = mapped_column(comment="What the next period repays first")
