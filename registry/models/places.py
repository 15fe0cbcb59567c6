"""Places: import batches with every row they read, parcels and their versions."""

from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Text,
    func,
    literal_column,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from registry.db import Base
from registry.models.columns import (
    CGCS2000,
    BigInt,
    Code,
    Digest,
    EffectiveAt,
    Id,
    MultiPolygon,
    RecordedAt,
)

KINDS = "'carbon', 'orchard', 'tree'"
CODE_HEAD = func.lower(literal_column("code")).label("head")
CODE_TAIL = func.reverse(func.lower(literal_column("code"))).label("tail")
STATUSES = "'draft', 'submitted', 'approved', 'returned', 'withdrawn'"


class ImportBatch(Base):
    """One file as it came: who sent it, what was read, what became of each row."""

    __tablename__ = "import_batch"
    __table_args__ = (
        CheckConstraint("read_rows = accepted + refused + questioned", name="every_row_counted"),
        CheckConstraint(
            "state IN ('reading', 'previewed', 'accepted', 'taken_back')", name="state_known"
        ),
        Index("ix_import_batch_actor_id", "actor_id"),
        Index("ix_import_batch_file_sha256", "file_sha256"),
    )

    id: Mapped[Id]
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("actor.id"))
    file_name: Mapped[str]
    file_sha256: Mapped[Digest]
    file_format: Mapped[str]
    source_crs: Mapped[str]
    encoding: Mapped[str | None]
    division_code: Mapped[str | None] = mapped_column(ForeignKey("division.code"))
    programme_id: Mapped[str | None]
    read_rows: Mapped[int]
    accepted: Mapped[int]
    refused: Mapped[int]
    questioned: Mapped[int]
    findings: Mapped[list[Any]] = mapped_column(JSONB, comment="Findings about the whole file")
    state: Mapped[Code] = mapped_column(server_default="accepted")
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class ImportRow(Base):
    """One row of a file: its shape and attributes as read, its answer, its findings."""

    __tablename__ = "import_row"
    __table_args__ = (
        CheckConstraint(
            "status IN ('ready', 'accepted', 'questioned', 'refused')", name="status_known"
        ),
        CheckConstraint(
            "(status = 'accepted') = (parcel_id IS NOT NULL)", name="accepted_has_parcel"
        ),
        Index("ix_import_row_shape_digest", "shape_digest"),
        Index("ix_import_row_parcel_id", "parcel_id"),
    )

    batch_id: Mapped[UUID] = mapped_column(ForeignKey("import_batch.id"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    status: Mapped[Code]
    geometry: Mapped[WKBElement | None] = mapped_column(
        Geometry("GEOMETRY", srid=CGCS2000, spatial_index=False)
    )
    area_m2: Mapped[float | None]
    shape_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    attributes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    findings: Mapped[list[Any]] = mapped_column(JSONB)
    parcel_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("parcel.id", deferrable=True, initially="DEFERRED")
    )
    kind: Mapped[str | None] = mapped_column(Text, comment="Of the parcel it would become")
    plot_code: Mapped[str | None] = mapped_column(Text, comment="The plot number it names")
    division_code: Mapped[str | None] = mapped_column(Text, comment="Its village, if it names one")
    owner_ref: Mapped[str | None] = mapped_column(Text, comment="The owner's code it names")
    attribute_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))


class Parcel(Base):
    """A place as it stands now: the copy of its newest version that rules and maps look at.

    A trigger refuses two active parcels of one kind that overlap beyond the tolerance, whoever
    writes.  Active is submitted or approved.
    """

    __tablename__ = "parcel"
    __table_args__ = (
        CheckConstraint(f"kind IN ({KINDS})", name="kind_known"),
        CheckConstraint(f"status IN ({STATUSES})", name="status_known"),
        CheckConstraint("area_m2 > 0", name="area_positive"),
        Index("ix_parcel_geometry", "geometry", postgresql_using="gist"),
        Index("ix_parcel_division_code", "division_code"),
        Index("ix_parcel_owner_id", "owner_id"),
        Index("ix_parcel_shape_digest", "shape_digest"),
        Index("ix_parcel_code_head", CODE_HEAD, postgresql_ops={"head": "text_pattern_ops"}),
        Index("ix_parcel_code_tail", CODE_TAIL, postgresql_ops={"tail": "text_pattern_ops"}),
    )

    id: Mapped[Id]
    code: Mapped[str | None] = mapped_column(comment="The plot number its village knows it by")
    kind: Mapped[Code]
    status: Mapped[Code]
    version: Mapped[int]
    division_code: Mapped[str | None] = mapped_column(ForeignKey("division.code"))
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("party.id"))
    geometry: Mapped[MultiPolygon]
    area_m2: Mapped[float] = mapped_column(comment="On the CGCS2000 ellipsoid")
    shape_digest: Mapped[Digest]
    submitted_by: Mapped[UUID | None] = mapped_column(ForeignKey("actor.id"))
    recorded_at: Mapped[RecordedAt]


class ParcelCell(Base):
    """Parcels counted by cell of the web map's grid (z16, by their middle); kept by triggers.

    The application reads it through definers only, which apply the actor's reach.
    """

    __tablename__ = "parcel_cell"
    __table_args__ = (Index("ix_parcel_cell_extent", "extent", postgresql_using="gist"),)

    x: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    y: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    township: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    status: Mapped[str] = mapped_column(Text, primary_key=True)
    parcels: Mapped[BigInt]
    area_dm2: Mapped[BigInt]
    version: Mapped[BigInt] = mapped_column(
        server_default="1", comment="One more with every change"
    )
    extent: Mapped[WKBElement] = mapped_column(
        Geometry("POLYGON", srid=CGCS2000, spatial_index=False),
        comment="Holds every parcel that was ever counted here",
    )


class ParcelCellWide(Base):
    """Parcels counted by cells sixteen times as wide (z12): what far tiles and their versions read.

    Kept by the same triggers and read the same way as `ParcelCell`.
    """

    __tablename__ = "parcel_cell_wide"

    x: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    y: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    township: Mapped[str] = mapped_column(Text, primary_key=True)
    status: Mapped[str] = mapped_column(Text, primary_key=True)
    parcels: Mapped[BigInt]
    area_dm2: Mapped[BigInt]
    version: Mapped[BigInt] = mapped_column(
        server_default="1", comment="One more with every change"
    )


class ParcelVersion(Base):
    """One version of a place: who drew it, when, why, and from what; never overwritten."""

    __tablename__ = "parcel_version"
    __table_args__ = (
        CheckConstraint("area_m2 > 0", name="area_positive"),
        ForeignKeyConstraint(
            ["batch_id", "batch_row"],
            ["import_row.batch_id", "import_row.row"],
            deferrable=True,
            initially="DEFERRED",
        ),
        Index("ix_parcel_version_batch_id", "batch_id"),
    )

    parcel_id: Mapped[UUID] = mapped_column(ForeignKey("parcel.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    geometry: Mapped[MultiPolygon]
    area_m2: Mapped[float]
    shape_digest: Mapped[Digest]
    attributes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    source_crs: Mapped[str]
    captured_with: Mapped[str] = mapped_column(comment="import, drawing, or a device's name")
    batch_id: Mapped[UUID | None]
    batch_row: Mapped[int | None]
    reason: Mapped[str]
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("actor.id"))
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class ParcelLineage(Base):
    """Which parcel came of which: parents end as withdrawn, children begin; never changed."""

    __tablename__ = "parcel_lineage"
    __table_args__ = (
        CheckConstraint("operation IN ('split', 'merge')", name="operation_known"),
        CheckConstraint("parent_id <> child_id", name="two_parcels"),
        ForeignKeyConstraint(
            ["parent_id", "parent_version"], ["parcel_version.parcel_id", "parcel_version.version"]
        ),
        Index("ix_parcel_lineage_child_id", "child_id"),
    )

    parent_id: Mapped[UUID] = mapped_column(primary_key=True)
    parent_version: Mapped[int]
    child_id: Mapped[UUID] = mapped_column(ForeignKey("parcel.id"), primary_key=True)
    operation: Mapped[Code]
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class ParcelDecision(Base):
    """A submission, an approval or a return with its reason; the approver is another person."""

    __tablename__ = "parcel_decision"
    __table_args__ = (
        CheckConstraint("decision IN ('submit', 'approve', 'return', 'withdraw')", name="known"),
        CheckConstraint("decision <> 'return' OR length(reason) > 0", name="return_says_why"),
        CheckConstraint(
            "decision <> 'approve' OR submitted_by <> actor_id", name="approved_by_another"
        ),
        ForeignKeyConstraint(
            ["parcel_id", "version"], ["parcel_version.parcel_id", "parcel_version.version"]
        ),
        Index("ix_parcel_decision_parcel_id", "parcel_id"),
    )

    id: Mapped[Id]
    parcel_id: Mapped[UUID]
    version: Mapped[int]
    decision: Mapped[Code]
    reason: Mapped[str]
    submitted_by: Mapped[UUID] = mapped_column(ForeignKey("actor.id"))
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("actor.id"))
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]
