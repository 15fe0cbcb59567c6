"""Divisions, parties and the actors who act for them."""

from uuid import UUID

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from registry.db import Base
from registry.models.columns import CGCS2000, Code, EffectiveAt, Id, RecordedAt


class Division(Base):
    """An administrative division by its 12-digit code; records keep the code of their date."""

    __tablename__ = "division"
    __table_args__ = (
        CheckConstraint("code ~ '^[0-9]{12}$'", name="code_has_12_digits"),
        CheckConstraint("valid_to_year IS NULL OR valid_to_year >= valid_from_year", name="years"),
        Index("ix_division_boundary", "boundary", postgresql_using="gist"),
        Index("ix_division_parent_code", "parent_code"),
        Index("ix_division_name_grams", text("grams(name)"), postgresql_using="gin"),
    )

    code: Mapped[Code] = mapped_column(primary_key=True)
    name: Mapped[str]
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("division.code"))
    level: Mapped[str] = mapped_column(comment="province, city, county, township or village")
    valid_from_year: Mapped[int]
    valid_to_year: Mapped[int | None]
    source: Mapped[str]
    boundary: Mapped[WKBElement | None] = mapped_column(
        Geometry("MULTIPOLYGON", srid=CGCS2000, spatial_index=False)
    )


class Party(Base):
    """A legal or natural person: collective, cooperative, company, person, verifier, bank.

    Whoever acts may know an organisation; its account and a person's identity stand apart, since
    row-level security hides rows, not columns.
    """

    __tablename__ = "party"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('collective','cooperative','state_farm','household','company','enterprise',"
            "'person','association','institution','verifier','bank','programme')",
            name="kind_known",
        ),
        UniqueConstraint("uscc"),
        UniqueConstraint("reference"),
        Index("ix_party_division_code", "division_code"),
        Index("ix_party_name_grams", text("grams(name)"), postgresql_using="gin"),
    )

    id: Mapped[Id]
    kind: Mapped[Code]
    name: Mapped[str]
    division_code: Mapped[str | None] = mapped_column(ForeignKey("division.code"))
    reference: Mapped[str | None] = mapped_column(comment="The code other systems know it by")
    uscc: Mapped[str | None] = mapped_column(comment="Unified social credit code, GB 32100-2015")
    recorded_at: Mapped[RecordedAt]


class PartyAccount(Base):
    """Where money for a party goes: shown to itself and to who pays it, to nobody else."""

    __tablename__ = "party_account"

    party_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"), primary_key=True)
    number: Mapped[str]
    kind: Mapped[str | None] = mapped_column(comment="basic, general or personal")
    recorded_at: Mapped[RecordedAt]


class PartyIdentity(Base):
    """A person's identity number, encrypted and found by a keyed hash."""

    __tablename__ = "party_identity"
    __table_args__ = (UniqueConstraint("number_hash"),)

    party_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"), primary_key=True)
    number_hash: Mapped[bytes] = mapped_column(comment="Keyed hash of the number")
    number_cipher: Mapped[bytes] = mapped_column(comment="The number, encrypted")
    shown: Mapped[str] = mapped_column(comment="First 6 and last 4 digits at most")
    recorded_at: Mapped[RecordedAt]


class Actor(Base):
    """Who acts: a person at a desk, for a division's subtree or for a party, in some roles."""

    __tablename__ = "actor"
    __table_args__ = (Index("ix_actor_party_id", "party_id"),)

    id: Mapped[Id]
    name: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    division_code: Mapped[str | None] = mapped_column(ForeignKey("division.code"))
    party_id: Mapped[UUID | None] = mapped_column(ForeignKey("party.id"))
    active: Mapped[bool] = mapped_column(server_default="true")
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]
