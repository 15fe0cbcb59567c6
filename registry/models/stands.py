"""What happened to stands: thinned, felled, burnt, broken, planted; the record only grows."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from registry.db import Base
from registry.models.columns import Code, EffectiveAt, Id, RecordedAt

KINDS = (
    "'thinning', 'harvest', 'clearing', 'fire', 'snow', 'pest', 'wind', 'landslide', 'replanting'"
)


class StandEvent(Base):
    """One event on a parcel's stands in a year; a correction is another row that names it."""

    __tablename__ = "stand_event"
    __table_args__ = (
        CheckConstraint(f"kind IN ({KINDS})", name="kind_known"),
        CheckConstraint("year BETWEEN 1900 AND 2200", name="year_sensible"),
        CheckConstraint("touched_ppm BETWEEN 1 AND 1000000", name="touched_share"),
        CheckConstraint("intensity_ppm BETWEEN 1 AND 1000000", name="intensity_share"),
        CheckConstraint("species IS NULL OR kind = 'replanting'", name="species_planted"),
        CheckConstraint("NOT withdrawn OR replaces IS NOT NULL", name="withdrawn_names"),
        UniqueConstraint("replaces"),
        Index("ix_stand_event_parcel_id", "parcel_id"),
    )

    id: Mapped[Id]
    parcel_id: Mapped[UUID] = mapped_column(ForeignKey("parcel.id"))
    year: Mapped[int] = mapped_column(comment="It counts in the stock of 31 December of it")
    kind: Mapped[Code]
    touched_ppm: Mapped[int] = mapped_column(comment="Millionths of the parcel's area it touched")
    intensity_ppm: Mapped[int] = mapped_column(
        comment="Millionths of the stand that went where it touched"
    )
    species: Mapped[int | None] = mapped_column(comment="Code that was planted; as before if null")
    planned: Mapped[bool] = mapped_column(comment="Of forecasts only: it has not happened yet")
    source: Mapped[str] = mapped_column(comment="Who saw it, or what it was found in")
    evidence: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="What it was found by")
    evidence_sha256: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    replaces: Mapped[UUID | None] = mapped_column(ForeignKey("stand_event.id"))
    withdrawn: Mapped[bool]
    reason: Mapped[str] = mapped_column(comment="Why it was entered again; empty at first")
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("actor.id"))
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]
