"""Who asks: a session cookie for browsers, Basic or a token for machines."""

from typing import Final
from uuid import UUID, uuid4

from flask import Flask, current_app, g, request
from flask import session as cookie
from flask_security import (
    RoleMixin,
    Security,
    SQLAlchemySessionUserDatastore,
    current_user,
    login_user,
    logout_user,
)
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from registry import people
from registry.db import SYSTEM_ACTOR, act_as, transaction
from registry.errors import NotFoundError
from registry.people import ActorView
from web.accounts import logins, opened, second_factor
from web.accounts.models import Login
from web.context import engine, now
from web.keys import secret

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
CSRF: Final = CSRFProtect()
SESSION_HOURS: Final = 12
SID: Final = "sid"
HALF_WAY: Final = "half_way"
HALF_WAY_SECONDS: Final = 300
"""How long a proved password waits for its code."""


def register(app: Flask, made: Engine) -> None:
    """Give ``app`` its sessions, kept apart from the register's own transactions."""
    config = app.config["TANHUI"]
    keys = config.state_dir / "keys"
    app.config.update(
        SECRET_KEY=secret(keys, "session").decode(),
        SESSION_COOKIE_NAME="tanhui_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.public_url.startswith("https:"),
        PERMANENT_SESSION_LIFETIME=SESSION_HOURS * 3600,
        WTF_CSRF_CHECK_DEFAULT=False,  # checked in `check_csrf`, for cookies only
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        SECURITY_PASSWORD_SALT=secret(keys, "salt").decode(),
        SECURITY_PASSWORD_HASH="argon2",  # noqa: S106 -- a method, not a password
        SECURITY_PASSWORD_SINGLE_HASH=True,
        SECURITY_USER_IDENTITY_ATTRIBUTES=[
            {"username": {"mapper": logins.normal, "case_insensitive": True}}
        ],
        SECURITY_JOIN_USER_ROLES=False,
        SECURITY_DEFAULT_REMEMBER_ME=False,
        SECURITY_TOTP_ISSUER=second_factor.ISSUER,
    )
    making = sessionmaker(made, expire_on_commit=False)
    own = scoped_session(making)

    @event.listens_for(making, "after_begin")
    def set_actor(_session: Session, _transaction: object, connection: Connection) -> None:
        act_as(connection, SYSTEM_ACTOR)  # who asks is not known yet

    Security(app, SQLAlchemySessionUserDatastore(own, Login, RoleMixin), register_blueprint=False)
    CSRF.init_app(app)

    @app.teardown_appcontext
    def close(_error: BaseException | None) -> None:
        own.remove()


def identify() -> None:
    """Find out who asks; runs before every request, and before the guard.

    Raises
    ------
    SignInRefusedError, SignInLockedError : a header names somebody it can not prove to be.
    """
    g.actor, g.by_cookie, g.login_id, g.second_factor = None, True, None, False
    if request.endpoint == "static":
        return
    given = request.authorization
    if given is not None:
        g.by_cookie = False
        _enter(_by_header(given.type, given.token, given.username, given.password))
    elif current_user.is_authenticated:
        _by_cookie(current_user)


def _by_cookie(login: Login) -> None:
    """Enter with a session that is neither signed out nor ended from another browser."""
    sid = cookie.get(SID)
    with transaction(engine()) as session:
        found = opened.seen(session, login.id, sid, at=now())
    if found is None or not login.is_let_in:
        logout_user()
        return
    g.login_id, g.session_id, g.second_factor = login.id, found.id, found.second_factor
    _enter(login.actor_id)


def _enter(actor_id: UUID) -> None:
    with transaction(engine(), actor_id=actor_id) as session:
        try:
            g.actor = people.actor(session, actor_id)
        except NotFoundError:
            g.actor = None  # no longer active: as if not signed in


def _by_header(kind: str, token: str | None, name: str | None, password: str | None) -> UUID:
    with transaction(engine()) as session:
        login: Login | None = None
        if kind == "bearer" and token:
            login = logins.login_of_token(session, token, at=now())
        elif kind == "basic" and name:
            login = _tried(session, name, password or "", code="")
    if login is None:
        raise logins.SignInRefusedError(left="—")
    g.login_id = login.id
    if kind == "basic" and login.password_once:
        raise logins.PasswordOnceError
    return login.actor_id


def _tried(session: Session, name: str, password: str, *, code: str) -> Login | None:
    login_id = logins.verify(
        session, name, password, code=code, at=now(), address=request.remote_addr
    )
    return session.get(Login, login_id) if login_id is not None else None


def sign_in(name: str, password: str, *, code: str, new_password: str = "") -> None:
    """Open a session for who proves to be ``name``; a first password is replaced at once.

    Raises
    ------
    SignInRefusedError, SignInLockedError : the attempt failed; it is counted.
    PasswordOnceError : the password is for the first sign-in, and no new one came with it.
    PasswordWeakError : the new one is too weak.
    """
    try:
        with transaction(engine()) as session:
            login = _tried(session, name, password, code=code)
    except logins.CodeNeededError as error:
        cookie[HALF_WAY] = [str(error.params["login"]), int(now().timestamp())]
        raise
    if login is None:
        raise _refused(name)
    if login.password_once:
        login = _replaced(login, password, new_password)
    open_session(login, by_code=bool(login.tf_totp_secret))


def finish(code: str) -> None:
    """Open the session of who proved the password just now, and now the second factor.

    Raises
    ------
    SignInRefusedError, SignInLockedError : the attempt failed, or came too late.
    """
    login_id, since = cookie.get(HALF_WAY) or ("", 0)
    if not login_id or now().timestamp() - since > HALF_WAY_SECONDS:
        cookie.pop(HALF_WAY, None)
        raise logins.SignInRefusedError(left=logins.FAILURES_MAX)
    with transaction(engine()) as session:
        right = logins.verify_code(
            session, UUID(login_id), code=code, at=now(), address=request.remote_addr
        )
        login = session.get(Login, UUID(login_id))
    if login is None or not right:
        raise _refused(login.username if login else "")
    cookie.pop(HALF_WAY, None)
    open_session(login, by_code=True)


def needs_code(who: ActorView) -> bool:
    """Say whether the settings ask an actor for the second factor when value moves."""
    return bool(current_app.config["TANHUI"].code_roles.intersection(who.roles))


def is_half_way() -> bool:
    """Say whether the password was proved and the code is waited for."""
    return HALF_WAY in cookie


def _refused(name: str) -> logins.SignInRefusedError:
    with transaction(engine()) as session:
        left = logins.tries_left(session, name, at=now())
    return logins.SignInRefusedError(left=left)


def open_session(login: Login, *, by_code: bool) -> None:
    """Sign a login in on this browser, under a session of its own."""
    with transaction(engine()) as session:
        sid = opened.start(
            session,
            login.id,
            at=now(),
            address=request.remote_addr,
            agent=request.user_agent.string[:200],
            second_factor=by_code,
        )
    login_user(login, remember=False, authn_via=["password"])
    cookie[SID] = str(sid)


def _replaced(login: Login, password: str, new_password: str) -> Login:
    if new_password in ("", password):
        raise logins.PasswordOnceError
    command = logins.SetPassword(
        at=now(),
        actor_id=login.actor_id,
        key=uuid4().hex,
        username=login.username,
        password_hash=logins.checked_hash(new_password, username=login.username),
    )
    with transaction(engine()) as session:
        logins.set_password(session, command)
        found = logins.find(session, login.username)
    assert found is not None  # noqa: S101 -- its password was set just now
    return found


def sign_out() -> None:
    """End the session."""
    if g.get("session_id") is not None:
        with transaction(engine()) as session:
            opened.end(session, g.login_id, g.session_id, at=now())
    logout_user()


def check_csrf() -> None:
    """Refuse a change that another site made a signed-in browser send; headers need no token.

    Raises
    ------
    flask_wtf.csrf.CSRFError : the form or header holds no valid token.
    """
    if request.method not in SAFE and request.endpoint is not None and g.by_cookie:
        CSRF.protect()
