"""What a login has open: sessions of browsers, tokens of machines; its owner ends each."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from registry.errors import NotFoundError
from web.accounts.models import LoginSession

SEEN_EVERY: Final = timedelta(minutes=5)
"""How exactly the last use of a session is kept: a page does not write each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLine:
    """A session of a browser."""

    id: UUID
    started_at: datetime
    seen_at: datetime
    address: str | None
    agent: str
    second_factor: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLine:
    """A token of a machine; the token itself was shown once."""

    id: UUID
    name: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLine:
    """An attempt to sign in."""

    at: datetime
    succeeded: bool
    address: str | None


def start(
    session: Session,
    login_id: UUID,
    *,
    at: datetime,
    address: str | None,
    agent: str,
    second_factor: bool,
) -> UUID:
    """Open a session and return its id."""
    made = LoginSession(
        id=uuid4(),
        login_id=login_id,
        started_at=at,
        seen_at=at,
        address=address,
        agent=agent,
        second_factor=second_factor,
    )
    session.add(made)
    session.flush()
    return made.id


def seen(session: Session, login_id: UUID, sid: object, *, at: datetime) -> SessionLine | None:
    """Return a login's open session and note that it was used; None where it has ended."""
    try:
        bound = {"login": login_id, "id": UUID(str(sid))}
    except ValueError:
        return None
    row = session.execute(_OPEN, bound).first()
    if row is None:
        return None
    if row.seen_at + SEEN_EVERY < at:
        session.execute(_SEEN, {"id": row.id, "at": at})
    return SessionLine(**row._asdict())


def end(session: Session, login_id: UUID, session_id: UUID, *, at: datetime) -> None:
    """End one of a login's sessions.

    Raises
    ------
    NotFoundError : it has none such open.
    """
    bound = {"login": login_id, "id": session_id, "at": at}
    if session.execute(_END, bound).first() is None:
        raise NotFoundError(what="session", id=session_id)


def revoke(session: Session, login_id: UUID, token_id: UUID, *, at: datetime) -> None:
    """Revoke one of a login's tokens.

    Raises
    ------
    NotFoundError : it has none such.
    """
    bound = {"login": login_id, "id": token_id, "at": at}
    if session.execute(_REVOKE, bound).first() is None:
        raise NotFoundError(what="token", id=token_id)


def sessions(session: Session, login_id: UUID, *, since: datetime) -> tuple[SessionLine, ...]:
    """Return a login's open sessions that a cookie may still carry, the newest use first."""
    rows = session.execute(_SESSIONS, {"login": login_id, "since": since})
    return tuple(SessionLine(**row._asdict()) for row in rows)


def tokens(session: Session, login_id: UUID, *, at: datetime) -> tuple[TokenLine, ...]:
    """Return a login's tokens that still open something."""
    rows = session.execute(_TOKENS, {"login": login_id, "at": at})
    return tuple(TokenLine(**row._asdict()) for row in rows)


def attempts(session: Session, username: str) -> tuple[AttemptLine, ...]:
    """Return the last attempts to sign in under a name."""
    rows = session.execute(_ATTEMPTS, {"name": username})
    return tuple(AttemptLine(**row._asdict()) for row in rows)


_COLUMNS = "id, started_at, seen_at, address, agent, second_factor"
_OPEN = text(
    f"SELECT {_COLUMNS} FROM login_session WHERE login_id = :login AND id = :id"
    " AND ended_at IS NULL"
)
_SEEN = text("UPDATE login_session SET seen_at = :at WHERE id = :id")
_END = text(
    "UPDATE login_session SET ended_at = :at WHERE login_id = :login AND id = :id"
    " AND ended_at IS NULL RETURNING id"
)
_REVOKE = text(
    "UPDATE api_token SET revoked_at = :at WHERE login_id = :login AND id = :id"
    " AND revoked_at IS NULL RETURNING id"
)
_SESSIONS = text(
    f"SELECT {_COLUMNS} FROM login_session WHERE login_id = :login AND ended_at IS NULL"
    " AND seen_at > :since ORDER BY seen_at DESC, id"
)
_TOKENS = text(
    "SELECT id, name, created_at, expires_at FROM api_token WHERE login_id = :login"
    " AND revoked_at IS NULL AND expires_at > :at ORDER BY created_at DESC"
)
_ATTEMPTS = text(
    "SELECT at, succeeded, address FROM login_attempt WHERE username = :name"
    " ORDER BY at DESC LIMIT 10"
)
