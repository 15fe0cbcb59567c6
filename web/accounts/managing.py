"""Logins in an administrator's hands: asked for by one, let in by another; disabled, reset.

Whoever knows a one-time password could sign in with it, so a login that one administrator made,
reset or switched on opens nothing until another one has looked at it.
"""

from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from registry import events, people
from registry.db import Command
from registry.errors import InvalidValueError, NotFoundError, WrongStateError
from registry.people import ActorView
from registry.reads.choices import Choice
from registry.reads.scope import require_division, scope_of
from registry.unit_errors import SamePersonError
from web.accounts import logins, second_factor
from web.accounts.models import Login

GIVEN_ROLES = ("township", "county", "company", "collective", "farmer", "buyer", "verifier", "bank")
"""Roles a county gives; who sees everything is let in at the command line."""
OF_DIVISION = ("township", "county")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskLogin(Command):
    """Ask for a login with a one-time password, for a new actor in one role."""

    username: str
    name: str
    role: str
    password_hash: str
    division_code: str | None = None
    party_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginCommand(Command):
    """Let a login in that another administrator asked for."""

    username: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchLogin(Command):
    """Disable a login at once, or ask to switch it on again."""

    username: str
    active: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetLogin(Command):
    """Ask for a new one-time password; second factor, sessions and tokens end at once."""

    username: str
    password_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginState:
    """A login after an act; ``waits`` for another administrator."""

    username: str
    active: bool
    waits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLine:
    """A login as an administrator sees it."""

    username: str
    actor_id: UUID
    name: str
    roles: tuple[str, ...]
    division: str | None
    party: str | None
    active: bool
    second_factor: bool
    password_once: bool
    asked_by: UUID | None
    asked_by_name: str | None
    waits: bool


def users(session: Session, who: ActorView, username: str | None = None) -> tuple[UserLine, ...]:
    """Return the logins of an administrator's ground."""
    scope = scope_of(who)
    bound = {
        "username": username,
        "given": list(GIVEN_ROLES),
        "everything": scope.everything,
        "prefix": scope.params()["prefix"],
    }
    rows = session.execute(_USERS, bound)
    return tuple(UserLine(**row._asdict() | {"roles": tuple(row.roles)}) for row in rows)


def parties(session: Session, who: ActorView) -> tuple[Choice, ...]:
    """Return the parties for whom a county lets somebody act: its own, and those of no ground."""
    scope = scope_of(who)
    bound = {"everything": scope.everything, "prefix": scope.params()["prefix"]}
    rows = session.execute(_PARTIES, bound)
    return tuple(Choice(value=str(row.id), zh=row.name, en=row.name) for row in rows)


def require_user(session: Session, who: ActorView, username: str) -> UserLine:
    """Return one of the logins in an administrator's sight.

    Raises
    ------
    NotFoundError
    """
    found = users(session, who, logins.normal(username))
    if not found:
        raise NotFoundError(what="login", id=username[:60])
    return found[0]


def require_asking(session: Session, who: ActorView, command: AskLogin) -> None:
    """Refuse a login outside the administrator's ground.

    Raises
    ------
    InvalidValueError : the role is not given by a county, or has no ground or party to act for.
    NotPermittedError : the ground is another county's.
    """
    if command.role not in GIVEN_ROLES:
        raise InvalidValueError(field="role", value=command.role, why="/".join(GIVEN_ROLES))
    if command.role in OF_DIVISION:
        if not command.division_code:
            raise InvalidValueError(field="division_code", value="—", why=command.role)
        require_division(who, command.division_code)
        return
    if command.role != "bank" and command.party_id is None:
        raise InvalidValueError(field="party_id", value="—", why=command.role)
    if command.party_id is not None:
        place = session.execute(_PARTY, {"id": command.party_id}).first()
        if place is None:
            raise NotFoundError(what="party", id=command.party_id)
        if place.division_code is not None:
            require_division(who, place.division_code)


def ask_login(session: Session, command: AskLogin) -> LoginState:
    """Make an actor and a login that another administrator must let in.

    Raises
    ------
    UsernameTakenError
    """
    made = people.add_actor(
        session,
        people.AddActor(
            at=command.at,
            actor_id=command.actor_id,
            key=command.key,
            name=command.name,
            roles=[command.role],
            division_code=command.division_code,
            party_id=command.party_id,
        ),
    )
    logins.add_login(
        session,
        logins.AddLogin(
            at=command.at,
            actor_id=command.actor_id,
            key=command.key,
            username=command.username,
            password_hash=command.password_hash,
            for_actor_id=made.actor_id,
            once=True,
        ),
    )
    login = _locked(session, command.username)
    return _asked(session, command, login, "login.asked")


def confirm_login(session: Session, command: LoginCommand) -> LoginState:
    """Let a login in that another administrator asked for.

    Raises
    ------
    WrongStateError : it waits for nobody.
    SamePersonError : who asked for it, or whose it is.
    """
    login = _locked(session, command.username)
    if login.asked_by is None or login.confirmed_by is not None:
        raise WrongStateError(what="login", state="confirmed", needs="asked for")
    if command.actor_id in {login.asked_by, login.actor_id}:
        raise SamePersonError(actor=command.actor_id)
    login.confirmed_by = command.actor_id
    session.flush()
    _record(session, command, login, "login.confirmed", {"asked_by": login.asked_by})
    return _state(login)


def switch_login(session: Session, command: SwitchLogin) -> LoginState:
    """Disable a login at once and end its sessions, or ask to switch it on again.

    Raises
    ------
    SamePersonError : one's own.
    """
    login = _others(session, command.username, command.actor_id)
    login.active = command.active
    if command.active:
        return _asked(session, command, login, "login.enabled", reason=command.reason)
    _end(session, login, command)
    _record(session, command, login, "login.disabled", {"reason": command.reason})
    return _state(login)


def reset_login(session: Session, command: ResetLogin) -> LoginState:
    """Give a one-time password; what was open ends, the second factor is taken away.

    Raises
    ------
    SamePersonError : one's own.
    """
    login = _others(session, command.username, command.actor_id)
    logins.set_password(
        session,
        logins.SetPassword(
            at=command.at,
            actor_id=command.actor_id,
            key=command.key,
            username=login.username,
            password_hash=command.password_hash,
        ),
    )
    login.password_once = True
    second_factor.remove(session, login, at=command.at)
    _end(session, login, command)
    return _asked(session, command, login, "login.reset")


def forget_factor(session: Session, command: LoginCommand) -> LoginState:
    """Take a lost second factor away at the command line; what was open ends.

    Raises
    ------
    SamePersonError : one's own.
    """
    login = _others(session, command.username, command.actor_id)
    second_factor.remove(session, login, at=command.at)
    _end(session, login, command)
    _record(session, command, login, "login.second_factor_forgotten", {})
    return _state(login)


def _locked(session: Session, username: str) -> Login:
    query = select(Login).where(Login.username == logins.normal(username)).with_for_update()
    login = session.scalar(query.execution_options(populate_existing=True))
    if login is None:
        raise NotFoundError(what="login", id=username[:60])
    return login


def _others(session: Session, username: str, actor_id: UUID) -> Login:
    login = _locked(session, username)
    if login.actor_id == actor_id:
        raise SamePersonError(actor=actor_id)
    return login


def _asked(
    session: Session, command: Command, login: Login, kind: str, *, reason: str = ""
) -> LoginState:
    login.asked_by, login.confirmed_by = command.actor_id, None
    session.flush()
    _record(session, command, login, kind, {"reason": reason})
    return _state(login)


def _end(session: Session, login: Login, command: Command) -> None:
    login.fs_uniquifier = uuid4().hex
    session.flush()
    for statement in _ENDS:
        session.execute(statement, {"login": login.id, "at": command.at})


def _record(
    session: Session, command: Command, login: Login, kind: str, body: dict[str, object]
) -> None:
    events.record(
        session,
        command,
        kind=kind,
        subject=("login", str(login.id)),
        body={"username": login.username, "actor": login.actor_id} | body,
    )


def _state(login: Login) -> LoginState:
    waits = login.asked_by is not None and login.confirmed_by is None
    return LoginState(username=login.username, active=login.active, waits=waits)


_PARTY = text("SELECT division_code FROM party WHERE id = :id")
_PARTIES = text(
    "SELECT id, name FROM party WHERE cast(:everything AS boolean) OR division_code IS NULL"
    " OR division_code LIKE cast(:prefix AS text) ORDER BY division_code NULLS FIRST, name"
    " LIMIT 1000"
)
_ENDS = (
    text("UPDATE login_session SET ended_at = :at WHERE login_id = :login AND ended_at IS NULL"),
    text("UPDATE api_token SET revoked_at = :at WHERE login_id = :login AND revoked_at IS NULL"),
)
_USERS = text(
    "SELECT l.username, l.actor_id, a.name, a.roles, d.name AS division, p.name AS party,"
    " l.active AND a.active AS active, l.tf_totp_secret IS NOT NULL AS second_factor,"
    " l.password_once, l.asked_by, b.name AS asked_by_name,"
    " l.asked_by IS NOT NULL AND l.confirmed_by IS NULL AS waits"
    " FROM login l JOIN actor a ON a.id = l.actor_id"
    " LEFT JOIN division d ON d.code = a.division_code LEFT JOIN party p ON p.id = a.party_id"
    " LEFT JOIN actor b ON b.id = l.asked_by"
    " WHERE (cast(:username AS text) IS NULL OR l.username = :username)"
    "   AND (cast(:everything AS boolean)"
    "     OR a.division_code LIKE cast(:prefix AS text))"
    "   AND a.roles <@ cast(:given AS text[])"
    " ORDER BY waits DESC, l.username LIMIT 500"
)
