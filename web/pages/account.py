"""One's own account: password, second factor, sessions, tokens."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

import segno
from flask import Blueprint, g, redirect, request, url_for
from flask import session as cookie
from flask_babel import gettext
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from registry.db import transaction
from registry.errors import NotPermittedError, RegistryError
from web.accounts import logins, opened, second_factor, sessions
from web.accounts.models import Login
from web.accounts.passwords import matches
from web.auth import SIGNED_IN, requires
from web.context import actor, engine, now
from web.pages.acting import refusal_words, word
from web.pages.frame import ROLE_WORDS, say, show

blueprint = Blueprint("account", __name__, url_prefix="/me")
PENDING: Final = "totp_pending"
NO_STORE: Final = {"Cache-Control": "no-store"}
TOKENS_MAX: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPage:
    """Context of ``account/account.html``."""

    username: str
    name: str
    roles: str
    second_factor: bool
    needs_code: bool
    codes_left: int
    sessions: tuple[opened.SessionLine, ...]
    here: UUID
    tokens: tuple[opened.TokenLine, ...]
    attempts: tuple[opened.AttemptLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUpPage:
    """Context of ``account/second_factor.html``: the picture and the secret to be typed."""

    qr: Markup
    secret: str
    issuer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OncePage:
    """Context of ``account/once.html``: what is shown now and never again."""

    title: str
    text: str
    words: tuple[str, ...]


@blueprint.get("")
@requires(SIGNED_IN)
def index() -> str:
    """Show what opens this account, and what is open."""
    who = actor()
    with transaction(engine()) as session:
        login = _own(session)
        page = AccountPage(
            username=login.username,
            name=who.name,
            roles="、".join(str(ROLE_WORDS[role]) for role in who.roles if role in ROLE_WORDS),
            second_factor=bool(login.tf_totp_secret),
            needs_code=sessions.needs_code(who),
            codes_left=second_factor.codes_left(session, login.id),
            sessions=opened.sessions(session, login.id, since=now() - _LIFE),
            here=g.session_id,
            tokens=opened.tokens(session, login.id, at=now()),
            attempts=opened.attempts(session, login.username),
        )
    return show("account/account.html", page)


@blueprint.post("/password")
@requires(SIGNED_IN)
def password() -> Response:
    """Replace one's password; every other session ends."""
    new = request.form.get("new_password", "")
    try:
        if new != request.form.get("again", ""):
            say("bad", gettext("两次输入的新密码不一样。"))
            return _back()
        with transaction(engine()) as session:
            login = _own(session)
            by_code = g.second_factor
        if not matches(request.form.get("password", ""), login.password):
            raise second_factor.CodeWrongError
        command = logins.SetPassword(
            at=now(),
            actor_id=actor().id,
            key=uuid4().hex,
            username=login.username,
            password_hash=logins.checked_hash(new, username=login.username),
        )
        with transaction(engine()) as session:
            logins.set_password(session, command)
    except RegistryError as error:
        return _refused(error)
    with transaction(engine()) as session:
        login = session.get_one(Login, login.id)
    sessions.open_session(login, by_code=by_code)
    say("good", gettext("密码已更换，其他浏览器都已退出。"))
    return _back()


@blueprint.get("/second-factor")
@requires(SIGNED_IN)
def set_up() -> Response | tuple[str, int, dict[str, str]]:
    """Show the picture that the phone reads; a reload shows the same one."""
    with transaction(engine()) as session:
        login = _own(session)
    if login.tf_totp_secret:
        return _back()
    secret = cookie.get(PENDING) or second_factor.new_secret()
    cookie[PENDING] = secret
    address = second_factor.address_of(secret, login.username)
    made = segno.make(address, error="m", micro=False)
    qr = Markup(made.svg_inline(scale=4, border=4, omitsize=False))  # noqa: S704 -- made here
    page = SetUpPage(qr=qr, secret=secret, issuer=second_factor.ISSUER)
    return show("account/second_factor.html", page), 200, NO_STORE


@blueprint.post("/second-factor")
@requires(SIGNED_IN)
def confirm() -> Response | tuple[str, int, dict[str, str]]:
    """Set the second factor up with a code from the phone; show the recovery codes once."""
    try:
        with transaction(engine()) as session:
            codes = second_factor.set_up(
                session, _command(), secret=cookie.get(PENDING, ""), code=word("code")
            )
    except RegistryError as error:
        for words in refusal_words(error):
            say("bad", words)
        return redirect(url_for("account.set_up"), 303)
    cookie.pop(PENDING, None)
    with transaction(engine()) as session:
        login = session.get_one(Login, g.login_id)
        opened.end(session, login.id, g.session_id, at=now())
    sessions.open_session(login, by_code=True)
    return _codes(codes)


@blueprint.post("/recovery-codes")
@requires(SIGNED_IN)
def renew() -> Response | tuple[str, int, dict[str, str]]:
    """Replace the recovery codes; password and code prove who asks."""
    try:
        with transaction(engine()) as session:
            codes = second_factor.renew_codes(
                session, _command(), password=request.form.get("password", ""), code=word("code")
            )
    except RegistryError as error:
        return _refused(error)
    return _codes(codes)


@blueprint.post("/second-factor/off")
@requires(SIGNED_IN)
def switch_off() -> Response:
    """Do without the second factor; password and code prove who asks."""
    try:
        with transaction(engine()) as session:
            second_factor.switch_off(
                session, _command(), password=request.form.get("password", ""), code=word("code")
            )
    except RegistryError as error:
        return _refused(error)
    say("good", gettext("两步验证已关闭。"))
    return _back()


@blueprint.post("/sessions/<uuid:session_id>/end")
@requires(SIGNED_IN)
def end_session(session_id: UUID) -> Response:
    """Sign another browser out."""
    with transaction(engine()) as session:
        opened.end(session, _login_id(), session_id, at=now())
    say("good", gettext("已退出该浏览器。"))
    return _back()


@blueprint.post("/tokens")
@requires(SIGNED_IN)
def make_token() -> Response | tuple[str, int, dict[str, str]]:
    """Make a token for a program of one's own; it is shown once."""
    name = word("name")[:60]
    with transaction(engine()) as session:
        login = _own(session)
        if not name or len(opened.tokens(session, login.id, at=now())) >= TOKENS_MAX:
            say("bad", gettext("请填写用途；同时有效的令牌最多 %(n)s 个。", n=TOKENS_MAX))
            return _back()
        token = logins.make_token(session, login.id, name=name, at=now())
    page = OncePage(
        title=gettext("新的令牌"),
        text=gettext("只显示这一次，请现在保存。程序用 Authorization: Bearer 携带它。"),
        words=(token,),
    )
    return show("account/once.html", page), 200, NO_STORE


@blueprint.post("/tokens/<uuid:token_id>/revoke")
@requires(SIGNED_IN)
def revoke_token(token_id: UUID) -> Response:
    """Revoke one of one's tokens."""
    with transaction(engine()) as session:
        opened.revoke(session, _login_id(), token_id, at=now())
    say("good", gettext("令牌已吊销。"))
    return _back()


_LIFE: Final = timedelta(hours=sessions.SESSION_HOURS)


def _login_id() -> UUID:
    """Return the login of this browser; programs have no account pages.

    Its rows are met as the system, for every role: whose they are is settled here.

    Raises
    ------
    NotPermittedError : the caller came with a header.
    """
    if not g.by_cookie or g.login_id is None:
        raise NotPermittedError(needs="浏览器登录 a browser's sign-in")
    found: UUID = g.login_id
    return found


def _own(session: Session) -> Login:
    return session.get_one(Login, _login_id())


def _command() -> second_factor.FactorCommand:
    return second_factor.FactorCommand(
        at=now(), actor_id=actor().id, key=uuid4().hex, login_id=_login_id()
    )


def _codes(codes: tuple[str, ...]) -> tuple[str, int, dict[str, str]]:
    page = OncePage(
        title=gettext("两步验证的备用码"),
        text=gettext(
            "只显示这一次，请抄写或打印后妥善保管。手机不在身边时，每个可以代替一次动态口令。"
        ),
        words=codes,
    )
    return show("account/once.html", page), 200, NO_STORE


def _refused(error: RegistryError) -> Response:
    for words in refusal_words(error):
        say("bad", words)
    return _back()


def _back() -> Response:
    return redirect(url_for("account.index"), 303)
