"""Users of a county: asked for by one administrator, let in by another; disabled, reset."""

from dataclasses import dataclass, replace
from uuid import UUID

from flask import Blueprint, redirect, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from registry.errors import RegistryError
from registry.reads.choices import Choice, place_choices
from web.accounts import managing
from web.accounts.passwords import hashed, one_time
from web.auth import requires
from web.commands import from_form
from web.context import act, actor, reading
from web.pages import frame
from web.pages.account import NO_STORE, OncePage
from web.pages.acting import acted, given, refusal_words
from web.pages.frame import ROLE_WORDS, say, show

blueprint = Blueprint("users", __name__, url_prefix="/users")


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersPage:
    """Context of ``users/index.html``."""

    users: tuple[managing.UserLine, ...]
    roles: tuple[tuple[str, str], ...]
    divisions: tuple[Choice, ...]
    parties: tuple[Choice, ...]
    me: UUID


frame.NAV.append(
    frame.NavItem(word=lazy_gettext("用户"), endpoint="users.index", permission="user:manage")
)


@blueprint.get("")
@requires("user:manage")
def index() -> str:
    """Show the county's users and the form for a new one."""
    who = actor()
    with reading() as session:
        found = managing.users(session, who)
        choices = place_choices(session, who)
        parties = managing.parties(session, who)
    page = UsersPage(
        users=found,
        roles=tuple((role, str(ROLE_WORDS[role])) for role in managing.GIVEN_ROLES),
        divisions=tuple(choices.divisions),
        parties=parties,
        me=who.id,
    )
    return show("users/index.html", page, role_words=ROLE_WORDS)


@blueprint.post("")
@requires("user:manage")
def ask() -> Response | tuple[str, int, dict[str, str]]:
    """Ask for a login; its one-time password is shown once."""
    password = one_time()
    try:
        command = from_form(managing.AskLogin, password_hash=hashed(password))
        with reading() as session:
            managing.require_asking(session, actor(), command)
        # who acts for a party belongs to the county that let them in
        place = command.division_code or actor().division_code
        command = replace(command, division_code=place)
        done = act(managing.ask_login, command)
    except RegistryError as error:
        return _refused(error)
    return _once(done.username, password)


@blueprint.post("/<username>/confirm")
@requires("user:manage")
def confirm(username: str) -> Response:
    """Let in who another administrator asked for."""
    return acted(
        managing.confirm_login,
        lambda: managing.LoginCommand(**given(username=username)),  # type: ignore[arg-type]
        url_for("users.index"),
        guard=lambda session, who, one: _seen(session, who, one.username),
        done=gettext("已确认，此账号可以登录。"),
    )


@blueprint.post("/<username>/switch")
@requires("user:manage")
def switch(username: str) -> Response:
    """Disable at once, or ask to switch on again."""
    return acted(
        managing.switch_login,
        lambda: from_form(managing.SwitchLogin, username=username),
        url_for("users.index"),
        guard=lambda session, who, one: _seen(session, who, one.username),
    )


@blueprint.post("/<username>/reset")
@requires("user:manage")
def reset(username: str) -> Response | tuple[str, int, dict[str, str]]:
    """Give a one-time password, shown once; another administrator must let it in."""
    password = one_time()
    try:
        with reading() as session:
            managing.require_user(session, actor(), username)
        command = managing.ResetLogin(
            **given(username=username, password_hash=hashed(password))  # type: ignore[arg-type]
        )
        done = act(managing.reset_login, command)
    except RegistryError as error:
        return _refused(error)
    return _once(done.username, password)


def _seen(session: object, who: object, username: str) -> None:
    managing.require_user(session, who, username)  # type: ignore[arg-type]


def _once(username: str, password: str) -> tuple[str, int, dict[str, str]]:
    page = OncePage(
        title=gettext("%(name)s 的一次性密码", name=username),
        text=gettext(
            "只显示这一次，请当面交给本人；首次登录必须更换。另一位管理员确认后，此账号才能登录。"
        ),
        words=(password,),
    )
    return show("account/once.html", page), 200, NO_STORE


def _refused(error: RegistryError) -> Response:
    for words in refusal_words(error):
        say("bad", words)
    return redirect(url_for("users.index"), 303)
