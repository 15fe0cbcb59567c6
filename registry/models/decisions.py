"""Decisions: programmes, findings, projects and the claims that hold ground and years."""

from datetime import date
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import INT4RANGE, JSONB, Range
from sqlalchemy.orm import Mapped, mapped_column

from registry.db import Base
from registry.models.columns import (
    CGCS2000,
    Code,
    Digest,
    EffectiveAt,
    Id,
    MultiPolygon,
    RecordedAt,
)

SCHEMES = "'ccer', 'vcs', 'inclusion', 'ticket', 'single_tree', 'reward', 'other'"


class Programme(Base):
    """One version of a programme's rules and thresholds, as the TOML text it was adopted from."""

    __tablename__ = "programme"
    __table_args__ = (
        CheckConstraint("issuing_authority IN ('local', 'external')", name="authority_known"),
        CheckConstraint("sha256 = sha256(convert_to(source, 'UTF8'))", name="digest_is_true"),
    )

    id: Mapped[Code] = mapped_column(primary_key=True)
    version: Mapped[Code] = mapped_column(primary_key=True)
    scheme: Mapped[str | None] = mapped_column(comment="Crediting scheme, none for labels")
    name_zh: Mapped[str]
    name_en: Mapped[str]
    issuing_authority: Mapped[Code]
    source: Mapped[str] = mapped_column(Text, comment="The TOML text")
    sha256: Mapped[Digest]
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class Finding(Base):
    """One rule's answer for one parcel version under a programme version; re-run, never edited."""

    __tablename__ = "finding"
    __table_args__ = (
        CheckConstraint(
            "answer IN ('eligible', 'not_eligible', 'needs_documents')", name="answer_known"
        ),
        ForeignKeyConstraint(
            ["parcel_id", "version"], ["parcel_version.parcel_id", "parcel_version.version"]
        ),
        ForeignKeyConstraint(
            ["programme_id", "programme_version"], ["programme.id", "programme.version"]
        ),
        UniqueConstraint(
            "parcel_id", "version", "programme_id", "programme_version", "rule", "input_digest"
        ),
    )

    id: Mapped[Id]
    parcel_id: Mapped[UUID]
    version: Mapped[int]
    programme_id: Mapped[Code]
    programme_version: Mapped[Code]
    rule: Mapped[Code]
    answer: Mapped[Code]
    code: Mapped[Code]
    params: Mapped[dict[str, Any]] = mapped_column(JSONB)
    evidence_area_m2: Mapped[float | None]
    evidence: Mapped[WKBElement | None] = mapped_column(
        Geometry("GEOMETRY", srid=CGCS2000, spatial_index=False)
    )
    input_digest: Mapped[Digest]
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("actor.id"))
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class Eligibility(Base):
    """The answer that stands for one parcel version under a programme version.

    It points at its findings by their input digest, so that going back to earlier inputs goes
    back to the earlier findings without writing them twice.
    """

    __tablename__ = "eligibility"
    __table_args__ = (
        CheckConstraint(
            "answer IN ('eligible', 'not_eligible', 'needs_documents')", name="answer_known"
        ),
        ForeignKeyConstraint(
            ["parcel_id", "version"], ["parcel_version.parcel_id", "parcel_version.version"]
        ),
        ForeignKeyConstraint(
            ["programme_id", "programme_version"], ["programme.id", "programme.version"]
        ),
    )

    parcel_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    programme_id: Mapped[Code] = mapped_column(primary_key=True)
    programme_version: Mapped[Code] = mapped_column(primary_key=True)
    answer: Mapped[Code]
    input_digest: Mapped[Digest] = mapped_column(comment="Which findings it rests on")
    effective_at: Mapped[EffectiveAt]


class Exclusion(Base):
    """A polygon that excludes: basic farmland, red line, wetland."""

    __tablename__ = "exclusion"
    __table_args__ = (
        CheckConstraint("kind IN ('basic_farmland', 'red_line', 'wetland')", name="kind_known"),
        Index("ix_exclusion_geometry", "geometry", postgresql_using="gist"),
        Index("ix_exclusion_layer_sha256", "layer_sha256"),
    )

    id: Mapped[Id]
    kind: Mapped[Code]
    name: Mapped[str]
    layer_sha256: Mapped[Digest] = mapped_column(comment="Digest of the file it came in")
    years: Mapped[Range[int] | None] = mapped_column(INT4RANGE)
    geometry: Mapped[MultiPolygon]
    recorded_at: Mapped[RecordedAt]


class Project(Base):
    """A proponent's undertaking under one programme version; its parcels may span counties."""

    __tablename__ = "project"
    __table_args__ = (
        CheckConstraint("number BETWEEN 1 AND 999999", name="number_has_6_digits"),
        CheckConstraint("adcode ~ '^[0-9]{6}$'", name="adcode_has_6_digits"),
        CheckConstraint("crediting_to > crediting_from", name="crediting_order"),
        ForeignKeyConstraint(
            ["programme_id", "programme_version"], ["programme.id", "programme.version"]
        ),
        CheckConstraint(
            "status IN ('draft', 'submitted', 'approved', 'returned', 'withdrawn')",
            name="status_known",
        ),
        UniqueConstraint("adcode", "number"),
        UniqueConstraint("external_number"),
    )

    id: Mapped[Id]
    adcode: Mapped[Code] = mapped_column(comment="County code in serials")
    number: Mapped[int]
    name: Mapped[str]
    proponent_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    programme_id: Mapped[Code]
    programme_version: Mapped[Code]
    started_on: Mapped[date] = mapped_column(Date)
    crediting_from: Mapped[date] = mapped_column(Date)
    crediting_to: Mapped[date] = mapped_column(Date, comment="First day after the crediting period")
    external_number: Mapped[str | None]
    document_sha256: Mapped[bytes | None]
    status: Mapped[Code] = mapped_column(server_default="draft")
    submitted_by: Mapped[UUID | None] = mapped_column(ForeignKey("actor.id"))
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class ProjectParcel(Base):
    """One parcel of a project, in the version it was taken in."""

    __tablename__ = "project_parcel"
    __table_args__ = (
        ForeignKeyConstraint(
            ["parcel_id", "version"], ["parcel_version.parcel_id", "parcel_version.version"]
        ),
        Index("ix_project_parcel_parcel_id", "parcel_id"),
    )

    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"), primary_key=True)
    parcel_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("actor.id"))
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class ProjectDecision(Base):
    """A project's submission, approval by another person, return with its reason, withdrawal."""

    __tablename__ = "project_decision"
    __table_args__ = (
        CheckConstraint("decision IN ('submit', 'approve', 'return', 'withdraw')", name="known"),
        CheckConstraint("decision <> 'return' OR length(reason) > 0", name="return_says_why"),
        CheckConstraint(
            "decision <> 'approve' OR submitted_by <> actor_id", name="approved_by_another"
        ),
        Index("ix_project_decision_project_id", "project_id"),
    )

    id: Mapped[Id]
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"))
    decision: Mapped[Code]
    reason: Mapped[str]
    submitted_by: Mapped[UUID] = mapped_column(ForeignKey("actor.id"))
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("actor.id"))
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class Claim(Base):
    """A crediting scheme's hold on ground and years, with its own copy of the geometry.

    A trigger refuses two active claims, of any schemes, that overlap in ground and years.
    """

    __tablename__ = "claim"
    __table_args__ = (
        CheckConstraint(f"scheme IN ({SCHEMES})", name="scheme_known"),
        CheckConstraint("status IN ('active', 'released')", name="status_known"),
        CheckConstraint("NOT isempty(years)", name="years_not_empty"),
        ForeignKeyConstraint(
            ["parcel_id", "version"], ["parcel_version.parcel_id", "parcel_version.version"]
        ),
        Index("ix_claim_geometry", "geometry", postgresql_using="gist"),
        Index("ix_claim_project_id", "project_id"),
        Index("ix_claim_parcel_id", "parcel_id"),
        UniqueConstraint("layer_sha256", "layer_row"),
    )

    id: Mapped[Id]
    scheme: Mapped[Code]
    status: Mapped[Code]
    project_id: Mapped[UUID | None] = mapped_column(ForeignKey("project.id"))
    parcel_id: Mapped[UUID | None]
    version: Mapped[int | None]
    external_reference: Mapped[str | None]
    layer_sha256: Mapped[bytes | None] = mapped_column(
        LargeBinary(32), comment="Digest of the file an outside claim came in"
    )
    layer_row: Mapped[int | None]
    years: Mapped[Range[int]] = mapped_column(INT4RANGE)
    geometry: Mapped[MultiPolygon]
    area_m2: Mapped[float]
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]
