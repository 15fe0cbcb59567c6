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
        CheckConstraint("confirmed_by <> asked_by", name="confirmed_by_another"),
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
    totp_last: Mapped[int | None] = mapped_column(
        BigInteger, comment="Time step of the last code; it and those before it are used up"
    )
    asked_by: Mapped[UUID | None] = mapped_column(
        ForeignKey("actor.id"),
        comment="Administrator who asked for the login or its one-time password",
    )
    confirmed_by: Mapped[UUID | None] = mapped_column(
        ForeignKey("actor.id"), comment="Another one, who let it in"
    )
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    @property
    def is_let_in(self) -> bool:
        """Whether it may sign in: not switched off, and no other administrator is waited for."""
        return self.active and (self.asked_by is None or self.confirmed_by is not None)

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


class RecoveryCode(Base):
    """A code that stands in for a lost second factor, once; kept as its SHA-256."""

    __tablename__ = "recovery_code"
    __table_args__ = (UniqueConstraint("login_id", "sha256"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    login_id: Mapped[UUID] = mapped_column(ForeignKey("login.id"))
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class LoginSession(Base):
    """A browser that somebody signed in with, until it is signed out or ended from another."""

    __tablename__ = "login_session"
    __table_args__ = (Index("ix_login_session_login_id", "login_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    login_id: Mapped[UUID] = mapped_column(ForeignKey("login.id"))
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    address: Mapped[str | None] = mapped_column(Text)
    agent: Mapped[str] = mapped_column(Text)
    second_factor: Mapped[bool]
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


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
