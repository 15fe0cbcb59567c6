"""Tables of credentials: logins, attempts to sign in, tokens of machines."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from flask_security import UserMixin
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

import registry.people  # noqa: F401 -- the actor table must stand on the same metadata
from registry.db import Base


def _uniquifier() -> str:
    return uuid4().hex


class Login(Base, UserMixin):
    """A name and a password for one actor; a new ``fs_uniquifier`` ends all its sessions."""

    __tablename__ = "login"
    __table_args__ = (
        CheckConstraint("username = lower(username) AND length(username) > 0", name="lower_case"),
        UniqueConstraint("username"),
        UniqueConstraint("fs_uniquifier"),
        UniqueConstraint("actor_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)  # type: ignore[assignment]
    username: Mapped[str] = mapped_column(Text)
    password: Mapped[str] = mapped_column(Text, comment="argon2id")
    fs_uniquifier: Mapped[str] = mapped_column(Text, default=_uniquifier)
    active: Mapped[bool] = mapped_column(server_default="true", default=True)
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("actor.id"))
    tf_totp_secret: Mapped[str | None] = mapped_column(Text, comment="Second factor, if set up")
    password_once: Mapped[bool] = mapped_column(
        server_default="false", default=False, comment="The first sign-in must replace it"
    )
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    @property
    def roles(self) -> list[Any]:  # type: ignore[override]
        """Return nothing: roles are the actor's and live in the register."""
        return []


class LoginAttempt(Base):
    """One attempt to sign in; too many failures in a row lock the name for a while."""

    __tablename__ = "login_attempt"
    __table_args__ = (Index("ix_login_attempt_username_at", "username", "at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    username: Mapped[str] = mapped_column(Text)
    succeeded: Mapped[bool]
    address: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ApiToken(Base):
    """A machine's key, kept as its SHA-256; shown once, when it is made."""

    __tablename__ = "api_token"
    __table_args__ = (
        UniqueConstraint("sha256"),
        Index("ix_api_token_login_id", "login_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    login_id: Mapped[UUID] = mapped_column(ForeignKey("login.id"))
    name: Mapped[str] = mapped_column(Text)
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
