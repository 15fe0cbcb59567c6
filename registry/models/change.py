"""Change: what rasters by date show of each parcel, and disturbances proposed and decided."""

from datetime import date
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from registry.db import Base
from registry.models.columns import BigInt, Code, Digest, EffectiveAt, Id, MultiPolygon, RecordedAt

EVENT_KINDS = "'harvest', 'clearing', 'fire', 'snow', 'pest', 'wind', 'landslide'"


class ParcelValue(Base):
    """The mean of a layer over a parcel version, each cell by the ground of it that is covered."""

    __tablename__ = "parcel_value"
    __table_args__ = (
        ForeignKeyConstraint(
            ["parcel_id", "version"], ["parcel_version.parcel_id", "parcel_version.version"]
        ),
        CheckConstraint("known_share BETWEEN 0 AND 1", name="share_is_one"),
        CheckConstraint("(mean IS NULL) = (known_share = 0)", name="known_has_mean"),
    )

    parcel_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    layer_id: Mapped[UUID] = mapped_column(ForeignKey("layer.id"), primary_key=True)
    input_digest: Mapped[Digest] = mapped_column(
        primary_key=True, comment="Of boundary, layer, band, nodata, scale and method"
    )
    mean: Mapped[float | None]
    minimum: Mapped[float | None] = mapped_column(comment="Of all cells touched")
    maximum: Mapped[float | None]
    known_share: Mapped[float] = mapped_column(comment="Share of the parcel on known cells")
    recorded_at: Mapped[RecordedAt]


class ParcelLoss(Base):
    """A parcel version's ground by the year in which a loss raster shows it as lost, dm2."""

    __tablename__ = "parcel_loss"
    __table_args__ = (
        ForeignKeyConstraint(
            ["parcel_id", "version"], ["parcel_version.parcel_id", "parcel_version.version"]
        ),
        CheckConstraint("cardinality(years) = cardinality(area_dm2)", name="arrays_match"),
    )

    parcel_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    layer_id: Mapped[UUID] = mapped_column(ForeignKey("layer.id"), primary_key=True)
    input_digest: Mapped[Digest] = mapped_column(primary_key=True)
    years: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    area_dm2: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    nodata_dm2: Mapped[BigInt]
    outside_dm2: Mapped[BigInt]
    recorded_at: Mapped[RecordedAt]


class Disturbance(Base):
    """Ground of parcels that a loss raster shows as lost in one year, until staff decide."""

    __tablename__ = "disturbance"
    __table_args__ = (
        CheckConstraint("status IN ('candidate', 'confirmed', 'dismissed')", name="status_known"),
        CheckConstraint("area_m2 > 0 AND patch_m2 >= unit_m2 AND unit_m2 >= 0", name="areas"),
        UniqueConstraint("year", "ground_digest"),
        Index("ix_disturbance_geometry", "geometry", postgresql_using="gist"),
        Index("ix_disturbance_status", "status"),
    )
    # It is seen through its parcels, which are written after it: nothing may be read back here.
    __mapper_args__ = {"eager_defaults": False}  # noqa: RUF012 -- SQLAlchemy's own

    id: Mapped[Id]
    layer_id: Mapped[UUID] = mapped_column(ForeignKey("layer.id"))
    year: Mapped[int] = mapped_column(comment="Of loss, by the raster")
    status: Mapped[Code] = mapped_column(server_default="candidate")
    geometry: Mapped[MultiPolygon]
    area_m2: Mapped[float] = mapped_column(comment="Of parcels, on the ellipsoid")
    patch_m2: Mapped[float] = mapped_column(comment="Of the whole patch, also beyond parcels")
    unit_m2: Mapped[float] = mapped_column(comment="Minimum mapping unit it was found with")
    ground_digest: Mapped[Digest] = mapped_column(comment="Of the geometry's bytes")
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class DisturbanceParcel(Base):
    """What a disturbance takes of one parcel, in the version it was found in."""

    __tablename__ = "disturbance_parcel"
    __table_args__ = (
        ForeignKeyConstraint(
            ["parcel_id", "version"], ["parcel_version.parcel_id", "parcel_version.version"]
        ),
        CheckConstraint("area_m2 > 0", name="area_positive"),
        Index("ix_disturbance_parcel_parcel_id", "parcel_id"),
    )

    disturbance_id: Mapped[UUID] = mapped_column(ForeignKey("disturbance.id"), primary_key=True)
    parcel_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    area_m2: Mapped[float]


class DisturbanceDecision(Base):
    """What staff decided of a candidate: once, with the reason, and what it was."""

    __tablename__ = "disturbance_decision"
    __table_args__ = (
        CheckConstraint("decision IN ('confirm', 'dismiss')", name="decision_known"),
        CheckConstraint("length(reason) > 0", name="says_why"),
        CheckConstraint(f"kind IN ({EVENT_KINDS})", name="kind_known"),
        CheckConstraint("share_ppm BETWEEN 1 AND 1000000", name="share_is_one"),
        CheckConstraint(
            "(decision = 'confirm') = (kind IS NOT NULL AND share_ppm IS NOT NULL"
            " AND year IS NOT NULL)",
            name="confirmed_says_what",
        ),
        UniqueConstraint("disturbance_id"),
    )

    id: Mapped[Id]
    disturbance_id: Mapped[UUID] = mapped_column(ForeignKey("disturbance.id"))
    decision: Mapped[Code]
    kind: Mapped[str | None]
    share_ppm: Mapped[int | None] = mapped_column(
        comment="Of the stand on its ground, in millionths"
    )
    year: Mapped[int | None] = mapped_column(comment="Of the event, as staff found it")
    occurred_on: Mapped[date | None] = mapped_column(Date, comment="The day, where it is known")
    reason: Mapped[str]
    job_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), comment="Runs asked for again")
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("actor.id"))
    event_id: Mapped[UUID] = mapped_column(ForeignKey("event.id"))
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]
