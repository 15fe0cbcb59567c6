"""Science: layers, what each parcel holds of them, tables used, runs and their yearly answers."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY, INT4RANGE, JSONB, Range
from sqlalchemy.orm import Mapped, mapped_column

from registry.db import Base
from registry.models.columns import BigInt, Code, Digest, EffectiveAt, Id, RecordedAt


class Layer(Base):
    """A raster as it was loaded: immutable, known by the SHA-256 of its file."""

    __tablename__ = "layer"
    __table_args__ = (UniqueConstraint("sha256", "kind"),)

    id: Mapped[Id]
    kind: Mapped[Code] = mapped_column(
        comment="species, age, site, disturbance, dem, land_class, canopy, ndvi, loss"
    )
    name: Mapped[str]
    path: Mapped[str] = mapped_column(comment="Below the folder of layers, or an address")
    sha256: Mapped[Digest]
    year: Mapped[int]
    crs: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    cell_m: Mapped[float]
    nodata: Mapped[float]
    dtype: Mapped[str]
    band: Mapped[int]
    grid: Mapped[dict[str, Any]] = mapped_column(
        JSONB, comment="Origin and cells; numbers as their shortest decimal text"
    )
    source: Mapped[str]
    licence: Mapped[str]
    observed_on: Mapped[date | None] = mapped_column(
        Date, comment="The day of the image, where it is of one day"
    )
    scale: Mapped[float] = mapped_column(
        server_default="1", comment="A cell's number times this is the value"
    )
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class Histogram(Base):
    """What a parcel version holds of a set of layers: exact area by cohort, in dm2."""

    __tablename__ = "histogram"
    __table_args__ = (
        ForeignKeyConstraint(
            ["parcel_id", "version"], ["parcel_version.parcel_id", "parcel_version.version"]
        ),
        CheckConstraint("cardinality(cohort) = cardinality(area_dm2)", name="arrays_match"),
    )

    parcel_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    layer_set: Mapped[Digest] = mapped_column(
        primary_key=True, comment="Digest of layer digests, cohort scheme and engine version"
    )
    cohort: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    area_dm2: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    nodata_dm2: Mapped[BigInt]
    outside_dm2: Mapped[BigInt]
    recorded_at: Mapped[RecordedAt]


class CohortTable(Base):
    """The rounded growth table of a run: mg C/m2 by cohort and year; re-runs use these bits."""

    __tablename__ = "cohort_table"
    __table_args__ = (UniqueConstraint("key"),)

    digest: Mapped[Digest] = mapped_column(primary_key=True)
    key: Mapped[Digest] = mapped_column(
        comment="Digest of what was asked of the growth tables, before anything is rounded"
    )
    scheme: Mapped[dict[str, Any]] = mapped_column(JSONB)
    years: Mapped[Range[int]] = mapped_column(INT4RANGE)
    rows: Mapped[list[Any]] = mapped_column(JSONB, comment="Keys, marks, digests of rows used")
    cells: Mapped[bytes] = mapped_column(LargeBinary, comment="int32 little-endian, deflated")
    recorded_at: Mapped[RecordedAt]


class AssessmentRun(Base):
    """One run of the model over some parcels: forecast or monitored, with every input's digest."""

    __tablename__ = "assessment_run"
    __table_args__ = (
        CheckConstraint("kind IN ('forecast', 'monitored')", name="kind_known"),
        CheckConstraint("(pools IS NULL) = (strata_digest IS NULL)", name="pools_of_strata"),
        UniqueConstraint("input_digest"),
        Index("ix_assessment_run_project_id", "project_id"),
    )

    id: Mapped[Id]
    kind: Mapped[Code]
    project_id: Mapped[UUID | None] = mapped_column(ForeignKey("project.id"))
    years: Mapped[Range[int]] = mapped_column(INT4RANGE)
    layer_set: Mapped[Digest]
    layers: Mapped[list[Any]] = mapped_column(JSONB, comment="Kind, id and SHA-256 of each layer")
    table_digest: Mapped[Digest] = mapped_column(ForeignKey("cohort_table.digest"))
    strata_digest: Mapped[bytes | None] = mapped_column(
        LargeBinary(32),
        ForeignKey("cohort_table.digest"),
        comment="Of a run that keeps pools apart",
    )
    pools: Mapped[list[Any] | None] = mapped_column(
        JSONB(none_as_null=True),
        comment="Pools that add up to its figures, with source and mark of that choice",
    )
    engine_version: Mapped[int]
    input_digest: Mapped[Digest]
    code_revision: Mapped[str]
    parcels: Mapped[int]
    net_kg: Mapped[BigInt] = mapped_column(comment="Sum over parcels and years")
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("actor.id"))
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class AssessmentSeries(Base):
    """A parcel's stock at every 31 December of a run and what changed within each year, kg CO2e.

    The view ``assessment`` gives the same as a row a year, ``assessment_pool`` as a row a pool and
    year.
    """

    __tablename__ = "assessment_series"
    __table_args__ = (
        CheckConstraint("cardinality(stock_kg) = cardinality(net_kg)", name="arrays_match"),
        CheckConstraint(
            "pool_kg IS NULL OR array_length(pool_kg, 2) = cardinality(net_kg) + 1",
            name="pools_match",
        ),
        ForeignKeyConstraint(
            ["parcel_id", "version"], ["parcel_version.parcel_id", "parcel_version.version"]
        ),
        Index("ix_assessment_series_parcel_id", "parcel_id"),
    )

    run_id: Mapped[UUID] = mapped_column(ForeignKey("assessment_run.id"), primary_key=True)
    parcel_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    first_year: Mapped[int]
    stock_kg: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger), comment="At 31 December of each year from first_year on"
    )
    net_kg: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger), comment="Change of stock within each year from first_year on"
    )
    flags: Mapped[list[Any]] = mapped_column(
        JSONB, comment="Codes and parameters of what a reader must know"
    )
    pool_kg: Mapped[list[list[int]] | None] = mapped_column(
        ARRAY(BigInteger, dimensions=2),
        comment="Of each of the run's pools, at 31 December from the year before first_year on",
    )
    given: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB(none_as_null=True),
        comment="Events and counted bamboo that the run read of the record",
    )


class AssessmentShare(Base):
    """A child's part of what a run says of the parcel it was split from; they add up to it.

    A deferred trigger holds the sums.
    """

    __tablename__ = "assessment_share"
    __table_args__ = (
        CheckConstraint("cardinality(stock_kg) = cardinality(net_kg)", name="arrays_match"),
        ForeignKeyConstraint(
            ["parent_id", "parcel_id"], ["parcel_lineage.parent_id", "parcel_lineage.child_id"]
        ),
        Index("ix_assessment_share_parcel_id", "parcel_id"),
    )

    run_id: Mapped[UUID] = mapped_column(ForeignKey("assessment_run.id"), primary_key=True)
    parcel_id: Mapped[UUID] = mapped_column(primary_key=True)
    parent_id: Mapped[UUID]
    first_year: Mapped[int]
    stock_kg: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger), comment="Its part of the parent's, by the parts' own assessment"
    )
    net_kg: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    recorded_at: Mapped[RecordedAt]


class Job(Base):
    """Long work as people see it: phase, how much of how much, and what came of it."""

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="state_known"
        ),
        Index("ix_job_state", "state"),
    )

    id: Mapped[Id]
    task: Mapped[Code]
    arguments: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[Code]
    phase: Mapped[str] = mapped_column(server_default="")
    done: Mapped[BigInt] = mapped_column(server_default="0")
    total: Mapped[BigInt] = mapped_column(server_default="0")
    cancel_requested: Mapped[bool] = mapped_column(server_default="false")
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB, comment="Code and parameters")
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("actor.id"))
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]
