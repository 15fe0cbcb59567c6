"""Languages and reading aids: Chinese is the source, English the one catalogue."""

from typing import Final

from flask import Blueprint, Flask, has_request_context, redirect, request
from flask_babel import Babel
from werkzeug.wrappers import Response

from web.auth import public

LANGUAGES: Final = ("zh", "en")
COOKIE_SECONDS: Final = 365 * 24 * 3600
PREFERENCES: Final = {
    "language": LANGUAGES,
    "text_size": ("normal", "large"),
    "contrast": ("normal", "high"),
}
"""What a reader may choose; each is a cookie of its own name with a prefix."""

blueprint = Blueprint("preferences", __name__)


def preference(name: str) -> str:
    """Return the reader's choice; the first of the choices unless they made another."""
    choices = PREFERENCES[name]
    chosen = request.cookies.get(f"tanhui_{name}", "")
    return chosen if chosen in choices else choices[0]


def language() -> str:
    """Return the language of this request."""
    return preference("language") if has_request_context() else LANGUAGES[0]


def english() -> bool:
    """Say whether this request is answered in English."""
    return language() == "en"


def safe_next(target: str | None) -> str:
    """Return an address of ours to go back to; anything else becomes the first page."""
    plain = target or "/"
    own = plain.startswith("/") and not plain.startswith(("//", "/\\"))
    return plain if own and "\\" not in plain and plain.isprintable() else "/"


@blueprint.post("/preferences")
@public
def set_preferences() -> Response:
    """Remember a choice of language, text size or contrast in a cookie, and go back."""
    answer = redirect(safe_next(request.form.get("next")), 303)
    for name, choices in PREFERENCES.items():
        chosen = request.form.get(name)
        if chosen in choices:
            answer.set_cookie(
                f"tanhui_{name}",
                chosen,
                max_age=COOKIE_SECONDS,
                samesite="Lax",
                httponly=True,
                secure=request.is_secure,
            )
    return answer


def register(app: Flask) -> None:
    """Give ``app`` its languages."""
    app.config["BABEL_DEFAULT_LOCALE"] = LANGUAGES[0]
    app.config["BABEL_DEFAULT_TIMEZONE"] = "Asia/Shanghai"
    Babel(app, locale_selector=language)
    app.register_blueprint(blueprint)
