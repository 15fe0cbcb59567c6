"""Sign in and out."""

from dataclasses import dataclass

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from web import messages
from web.accounts import sessions
from web.accounts.logins import (
    CodeNeededError,
    PasswordOnceError,
    PasswordWeakError,
    SignInLockedError,
    SignInRefusedError,
)
from web.auth import SIGNED_IN, public, requires
from web.context import viewer
from web.i18n import english, safe_next
from web.pages.frame import show

blueprint = Blueprint("signin", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPage:
    """Context of ``signin.html``; ``replaces`` asks for a new password beside the first one."""

    next: str
    username: str
    refused: str | None
    remedy: str | None
    replaces: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePage:
    """Context of ``signin_code.html``."""

    next: str
    refused: str | None
    remedy: str | None


@blueprint.get("/sign-in")
@public
def sign_in() -> Response | str:
    """Show the form; who is signed in already goes on."""
    target = safe_next(request.args.get("next"))
    if viewer() is not None:
        return redirect(target, 303)
    return show("signin.html", SignInPage(next=target, username="", refused=None, remedy=None))


@blueprint.post("/sign-in")
@public
def enter() -> Response | tuple[str, int]:
    """Try a name and a password; every failure is counted, and a code may be asked for next."""
    target = safe_next(request.form.get("next"))
    name = request.form.get("username", "")[:200]
    try:
        sessions.sign_in(
            name,
            request.form.get("password", ""),
            code=request.form.get("code", "").strip(),
            new_password=request.form.get("new_password", ""),
        )
    except CodeNeededError:
        return redirect(url_for("signin.code", next=target), 303)
    except (
        PasswordOnceError,
        PasswordWeakError,
        SignInRefusedError,
        SignInLockedError,
    ) as error:
        said = messages.say(error.code, error.params)
        words = (said.en, said.remedy_en) if english() else (said.zh, said.remedy_zh)
        page = SignInPage(
            next=target,
            username=name,
            refused=words[0],
            remedy=words[1],
            replaces=isinstance(error, PasswordOnceError | PasswordWeakError),
        )
        return show("signin.html", page), 401
    return redirect(target, 303)


@blueprint.get("/sign-in/code")
@public
def code() -> Response | str:
    """Ask who proved the password for the code of the second factor."""
    target = safe_next(request.args.get("next"))
    if viewer() is not None or not sessions.is_half_way():
        return redirect(target if viewer() else url_for("signin.sign_in", next=target), 303)
    return show("signin_code.html", CodePage(next=target, refused=None, remedy=None))


@blueprint.post("/sign-in/code")
@public
def enter_code() -> Response | tuple[str, int]:
    """Try the code; a wrong one counts like a wrong password."""
    target = safe_next(request.form.get("next"))
    try:
        sessions.finish(request.form.get("code", "").strip()[:60])
    except (SignInRefusedError, SignInLockedError) as error:
        said = messages.say(error.code, error.params)
        words = (said.en, said.remedy_en) if english() else (said.zh, said.remedy_zh)
        page = CodePage(next=target, refused=words[0], remedy=words[1])
        return show("signin_code.html", page), 401
    return redirect(target, 303)


@blueprint.post("/sign-out")
@requires(SIGNED_IN)
def sign_out() -> Response:
    """End the session and go to the first page."""
    sessions.sign_out()
    return redirect(url_for("home.home"), 303)
