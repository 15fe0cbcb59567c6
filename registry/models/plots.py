"""Field plots as they were measured, and what was estimated from them; both only grow."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from registry.db import Base
from registry.models.columns import Code, EffectiveAt, Id, RecordedAt


class FieldPlot(Base):
    """One version of a plot of a survey: where, how large, who measured what and when."""

    __tablename__ = "field_plot"
    __table_args__ = (
        CheckConstraint("origin IN ('project', 'verifier')", name="origin_known"),
        CheckConstraint("shape IN ('circle', 'square')", name="shape_known"),
        CheckConstraint("size_m > 0 AND slope >= 0", name="size_positive"),
        CheckConstraint("version > 0", name="version_positive"),
        UniqueConstraint("project_id", "origin", "survey_year", "number", "version"),
    )

    id: Mapped[Id]
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"))
    origin: Mapped[Code] = mapped_column(comment="Whose plot: the project's, or a verifier's own")
    survey_year: Mapped[int] = mapped_column(comment="Its stock counts for 31 December of it")
    number: Mapped[Code]
    version: Mapped[int]
    withdrawn: Mapped[bool]
    lon: Mapped[float] = mapped_column(comment="Of the middle, CGCS2000 degrees")
    lat: Mapped[float]
    shape: Mapped[Code]
    size_m: Mapped[float] = mapped_column(comment="Radius or side as laid out on the ground")
    slope: Mapped[float] = mapped_column(comment="Rise over run")
    measured_on: Mapped[date] = mapped_column(Date)
    measured_by: Mapped[str]
    stratum: Mapped[str]
    trees: Mapped[list[Any]] = mapped_column(JSONB, comment="Species, d cm, h m, crown length m")
    culms: Mapped[list[Any]] = mapped_column(JSONB, comment="Age class, count, mean d cm")
    reason: Mapped[str] = mapped_column(comment="Why it was entered again; empty at first")
    source_sha256: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("actor.id"))
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class PlotEstimate(Base):
    """A mean of plots with its half-width at 90 %, and everything it was made from."""

    __tablename__ = "plot_estimate"
    __table_args__ = (
        CheckConstraint("origin IN ('project', 'verifier')", name="origin_known"),
        CheckConstraint(
            "estimator IN ('expansion', 'difference', 'ratio', 'regression')",
            name="estimator_known",
        ),
        CheckConstraint("(estimator = 'expansion') = (run_id IS NULL)", name="map_of_run"),
    )

    id: Mapped[Id]
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"), index=True)
    origin: Mapped[Code] = mapped_column(comment="Whose plot: the project's, or a verifier's own")
    survey_year: Mapped[int] = mapped_column(comment="Its stock counts for 31 December of it")
    before_year: Mapped[int | None] = mapped_column(comment="The estimate is the change since")
    model: Mapped[Code] = mapped_column(comment="Source of the equations")
    mean_t_c_ha: Mapped[float]
    half_width_t_c_ha: Mapped[float]
    u: Mapped[str] = mapped_column(comment="Relative half-width, an exact fraction")
    n: Mapped[int]
    strata: Mapped[list[Any]] = mapped_column(JSONB, comment="Name, share of the area, plots")
    plots: Mapped[list[Any]] = mapped_column(JSONB, comment="Number, id of each version used")
    models: Mapped[list[Any]] = mapped_column(JSONB, comment="The same by every other model")
    estimator: Mapped[Code] = mapped_column(
        server_default="expansion",
        comment="expansion: plots alone; difference, ratio, regression: with a map",
    )
    run_id: Mapped[UUID | None] = mapped_column(ForeignKey("assessment_run.id"))
    assisted: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB(none_as_null=True),
        comment="The map at the plots and its means, correction, how much it helped",
    )
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("actor.id"))
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]
