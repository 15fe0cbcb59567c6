"""Sign in with lockout, new logins and passwords, tokens of machines."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from registry import events, people
from registry.db import Command
from registry.errors import NotFoundError, RegistryError
from web.accounts import second_factor
from web.accounts.models import ApiToken, Login, LoginAttempt
from web.accounts.passwords import hashed, matches, weakness

FAILURES_MAX: Final = 5
LOCKED_FOR: Final = timedelta(minutes=15)
TOKEN_LIFE: Final = timedelta(days=365)
TOKEN_PREFIX: Final = "tanhui_"  # noqa: S105 -- what a token starts with, not a token


class SignInRefusedError(RegistryError):
    """The name, the password or the code is wrong; which one is not said."""

    code = "SIGN_IN_REFUSED"


class SignInLockedError(RegistryError):
    """Too many failures in a row."""

    code = "SIGN_IN_LOCKED"


class CodeNeededError(RegistryError):
    """The password is right; the code of the second factor is missing."""

    code = "SIGN_IN_CODE_NEEDED"


class PasswordWeakError(RegistryError):
    """A password is too short, too long or the name itself."""

    code = "PASSWORD_WEAK"


class PasswordOnceError(RegistryError):
    """The password is for the first sign-in only, and nothing replaces it."""

    code = "PASSWORD_ONCE"


class UsernameTakenError(RegistryError):
    """Somebody has this name already."""

    code = "USERNAME_TAKEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddLogin(Command):
    """Let an actor sign in; the password comes hashed, so that no command holds one.

    With ``once`` the first sign-in must replace it.
    """

    username: str
    password_hash: str
    for_actor_id: UUID
    once: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginAdded:
    """The login that was made."""

    login_id: UUID
    username: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPassword(Command):
    """Replace a password; every session of the login ends."""

    username: str
    password_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginLine:
    """A login as ``tanhui user list`` shows it."""

    username: str
    name: str
    roles: tuple[str, ...]
    active: bool
    second_factor: bool
    waits: bool


def normal(username: str) -> str:
    """Return a username as it is stored: no spaces around, lower case."""
    return username.strip().lower()


def checked_hash(password: str, *, username: str) -> str:
    """Return the hash of a password that is strong enough.

    Raises
    ------
    PasswordWeakError : says what is missing.
    """
    why = weakness(password, username=normal(username))
    if why is not None:
        raise PasswordWeakError(why=why)
    return hashed(password)


def add_login(session: Session, command: AddLogin) -> LoginAdded:
    """Make a login for an actor.

    Raises
    ------
    UsernameTakenError : the name, or the actor, has a login already.
    """
    people.actor(session, command.for_actor_id)
    login = Login(
        id=uuid4(),
        username=normal(command.username),
        password=command.password_hash,
        actor_id=command.for_actor_id,
        password_once=command.once,
        created_at=command.at,
    )
    try:
        with session.begin_nested():
            session.add(login)
    except IntegrityError as error:
        raise UsernameTakenError(username=login.username) from error
    _record(session, command, "login.added", login)
    return LoginAdded(login_id=login.id, username=login.username)


def set_password(session: Session, command: SetPassword) -> LoginAdded:
    """Replace the password of a login and end its sessions.

    Raises
    ------
    NotFoundError : there is no such login.
    """
    login = find(session, command.username)
    if login is None:
        raise NotFoundError(what="login", id=command.username)
    login.password = command.password_hash
    login.password_once = False
    login.fs_uniquifier = uuid4().hex
    session.execute(_END_SESSIONS, {"login": login.id, "at": command.at})
    session.flush()
    _record(session, command, "login.password_set", login)
    return LoginAdded(login_id=login.id, username=login.username)


def _record(session: Session, command: Command, kind: str, login: Login) -> None:
    events.record(
        session,
        command,
        kind=kind,
        subject=("login", str(login.id)),
        body={"username": login.username, "actor": login.actor_id},
    )


def find(session: Session, username: str) -> Login | None:
    """Return the login of a name."""
    return session.scalar(select(Login).where(Login.username == normal(username)))


def verify(
    session: Session, username: str, password: str, *, code: str, at: datetime, address: str | None
) -> UUID | None:
    """Note an attempt; return the login's id, or None where it fails.  The caller commits.

    A right password without its code is no failure: the code is asked for next.

    Raises
    ------
    SignInLockedError : too many failures in a row; nothing is tried.
    CodeNeededError : the second factor is set up, and no code came.
    """
    name = normal(username)
    require_unlocked(session, name, at=at)
    login = find(session, name)
    right = matches(password, login.password if login else None)
    held = login if right and login is not None and login.is_let_in else None
    if held is not None and held.tf_totp_secret:
        if not code:
            raise CodeNeededError(login=held.id)
        held = held if second_factor.is_right(session, held, code, at=at) else None
    note(session, name, succeeded=held is not None, at=at, address=address)
    return held.id if held is not None else None


def verify_code(
    session: Session, login_id: UUID, *, code: str, at: datetime, address: str | None
) -> bool:
    """Note an attempt at the second factor alone, after the password; the caller commits.

    Raises
    ------
    SignInLockedError : too many failures in a row; nothing is tried.
    """
    login = session.get(Login, login_id)
    if login is None or not login.is_let_in:
        return False
    require_unlocked(session, login.username, at=at)
    right = second_factor.is_right(session, login, code, at=at)
    note(session, login.username, succeeded=right, at=at, address=address)
    return right


def require_unlocked(session: Session, name: str, *, at: datetime) -> None:
    """Refuse an attempt on a locked name; the caller holds the name until it commits.

    Raises
    ------
    SignInLockedError : says how many minutes are left.
    """
    # One attempt on a name at a time: parallel guesses count one by one.
    session.execute(_NAME_LOCK, {"name": name})
    row = session.execute(_FAILURES, _since(name, at)).one()
    if row.failures >= FAILURES_MAX:
        left = row.first + LOCKED_FOR - at
        raise SignInLockedError(minutes=max(1, -(-int(left.total_seconds()) // 60)))


def note(
    session: Session, name: str, *, succeeded: bool, at: datetime, address: str | None
) -> None:
    """Write an attempt down."""
    session.add(LoginAttempt(username=name, succeeded=succeeded, address=address, at=at))
    session.flush()


def tries_left(session: Session, username: str, *, at: datetime) -> int:
    """Return how many more failures lock a name, whether or not it is anybody's."""
    row = session.execute(_FAILURES, _since(normal(username), at)).one()
    return max(0, FAILURES_MAX - int(row.failures))


def _since(name: str, at: datetime) -> dict[str, object]:
    return {"name": name, "since": at - LOCKED_FOR, "most": FAILURES_MAX}


def make_token(session: Session, login_id: UUID, *, name: str, at: datetime) -> str:
    """Make a machine's token and return it; only its SHA-256 is kept."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    session.add(
        ApiToken(
            login_id=login_id,
            name=name,
            sha256=hashlib.sha256(token.encode()).digest(),
            created_at=at,
            expires_at=at + TOKEN_LIFE,
        )
    )
    session.flush()
    return token


def token_for(session: Session, username: str, *, name: str, at: datetime) -> str:
    """Make a token for a login by its name.

    Raises
    ------
    NotFoundError : there is no such login.
    """
    login = find(session, username)
    if login is None:
        raise NotFoundError(what="login", id=username)
    return make_token(session, login.id, name=name, at=at)


def login_of_token(session: Session, token: str, *, at: datetime) -> Login | None:
    """Return the login a token acts for, if it is neither expired nor revoked."""
    return session.scalar(
        select(Login)
        .join(ApiToken, ApiToken.login_id == Login.id)
        .where(
            ApiToken.sha256 == hashlib.sha256(token.encode()).digest(),
            ApiToken.expires_at > at,
            ApiToken.revoked_at.is_(None),
            Login.active,
            Login.asked_by.is_(None) | Login.confirmed_by.is_not(None),
        )
    )


def logins(session: Session) -> list[LoginLine]:
    """Return every login by name."""
    return [
        LoginLine(
            username=row.username,
            name=row.name,
            roles=tuple(row.roles),
            active=row.active,
            second_factor=row.second_factor,
            waits=row.waits,
        )
        for row in session.execute(_LOGINS)
    ]


_END_SESSIONS = text(
    "UPDATE login_session SET ended_at = :at WHERE login_id = :login AND ended_at IS NULL"
)
_NAME_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('sign-in:' || :name, 0))")
_FAILURES = text(
    "SELECT count(*) AS failures,"
    " (array_agg(f.at ORDER BY f.at DESC))[least(count(*), :most)] AS first"
    " FROM login_attempt f WHERE f.username = :name AND NOT f.succeeded"
    " AND f.at > :since AND NOT EXISTS (SELECT FROM login_attempt s"
    " WHERE s.username = f.username AND s.succeeded AND s.at >= f.at)"
)
_LOGINS = text(
    "SELECT l.username, a.name, a.roles, l.active AND a.active AS active,"
    " l.tf_totp_secret IS NOT NULL AS second_factor,"
    " l.asked_by IS NOT NULL AND l.confirmed_by IS NULL AS waits"
    " FROM login l JOIN actor a ON a.id = l.actor_id ORDER BY l.username"
)
