"""What was done, once: idempotency rows, events, and the chain that seals them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from registry.db import Base
from registry.models.columns import Code, Digest, EffectiveAt, Id, RecordedAt


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction number."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """Return the type's name in DDL."""
        return "xid8"


ischema_names["xid8"] = Xid8  # so that a reflected column is known


class Idempotency(Base):
    """One row for each (actor, key): written first, answered in the same transaction."""

    __tablename__ = "idempotency"

    actor_id: Mapped[UUID] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    key: Mapped[Code] = mapped_column(primary_key=True)
    request_hash: Mapped[Digest]
    body: Mapped[str | None] = mapped_column(Text, comment="The verb's answer as JSON")
    recorded_at: Mapped[RecordedAt]


class Event(Base):
    """One act, in the words that are hashed; append-only, sealed later by one sealer.

    ``envelope`` is canonical JSON and holds everything an auditor needs; the other columns are
    copies for look-up.
    """

    __tablename__ = "event"
    __table_args__ = (
        CheckConstraint("digest = sha256(convert_to(envelope, 'UTF8'))", name="digest_is_true"),
        Index("ix_event_subject", "subject_kind", "subject_id"),
        Index("ix_event_xid_number", "xid", "number"),
        UniqueConstraint("number"),
    )

    id: Mapped[Id]
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    xid: Mapped[int] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"))
    kind: Mapped[Code]
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("actor.id"))
    subject_kind: Mapped[Code]
    subject_id: Mapped[Code]
    envelope: Mapped[str] = mapped_column(Text)
    digest: Mapped[Digest]
    effective_at: Mapped[EffectiveAt]
    recorded_at: Mapped[RecordedAt]


class EventSeal(Base):
    """The chain: position, event, hash of the previous seal, hash of this one."""

    __tablename__ = "event_seal"
    __table_args__ = (
        CheckConstraint("pos > 0", name="pos_positive"),
        UniqueConstraint("event_id"),
        UniqueConstraint("hash"),
    )

    pos: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event_id: Mapped[UUID] = mapped_column(ForeignKey("event.id"))
    prev: Mapped[Digest]
    hash: Mapped[Digest]
    format: Mapped[int] = mapped_column(SmallInteger, comment="Version of the hashing rule")
    sealed_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )
