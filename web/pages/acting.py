"""How a form of a page acts: once, and what is refused is said on the page it came from."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from flask import redirect, request
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from options.errors import OptionsError, TransitionRefusedError
from options.machines import refusal_in_words
from registry.db import Command
from registry.errors import NotFoundError, NotPermittedError, RegistryError
from registry.people import ActorView
from sinks.errors import SinksError
from web import messages
from web.commands import KEY_FIELD, form_errors, form_key
from web.context import act, actor, now, reading
from web.errors import status_of
from web.i18n import english
from web.pages.frame import say
from web.parsing import FieldsInvalidError, field_error
from web.security import body_limit

PAPER_BYTES_MAX: Final = 20 * 1024 * 1024
paper_limit = body_limit(PAPER_BYTES_MAX)
"""Marks a view whose form carries a scanned paper."""
_FEN: Final = 100
_DIGITS_AFTER: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What is wrong with a form as it was sent: by field, and with the whole."""

    fields: Mapping[str, list[str]] = field(default_factory=dict)
    whole: tuple[str, ...] = ()

    def of(self, name: str) -> list[str]:
        """Return what is wrong with a field."""
        return self.fields.get(name, [])

    def value(self, name: str, otherwise: object = "") -> str:
        """Return a field as it was sent, or what it shows first."""
        return request.form.get(name, str("" if otherwise is None else otherwise))

    @property
    def key(self) -> str:
        """The form's own key: the same while it is being mended, so that it acts once."""
        return request.form.get(KEY_FIELD) or uuid4().hex


def acted(
    verb: Callable[[Session, Any], Any],
    make: Callable[[], Command],
    back: str | Callable[[Any], str],
    *,
    guard: Callable[[Session, ActorView, Any], None] | None = None,
    done: str | None = None,
    again: str | None = None,
) -> Response:
    """Act on a form, say how it went, and go to ``back`` (given the result, if it is a function).

    What is refused leads to ``again`` or, where that is none, to ``back`` or the form's own page.
    Out of sight and not permitted stay errors of the whole request.
    """
    try:
        command = make()
        if guard is not None:
            with reading() as session:
                guard(session, actor(), command)
        result = act(verb, command)
    except (NotFoundError, NotPermittedError):
        raise
    except (RegistryError, OptionsError) as error:
        for words in refusal_words(error):
            say("bad", words)
        return redirect(again or (back if isinstance(back, str) else request.path), 303)
    say("good", done or gettext("已记录。"))
    return redirect(back if isinstance(back, str) else back(result), 303)


def answered(
    verb: Callable[[Session, Any], Any],
    make: Callable[[], Command],
    back: Callable[[Any], str],
    again: Callable[[Faults], str],
    *,
    guard: Callable[[Session, ActorView, Any], None] | None = None,
    done: str | None = None,
) -> Response | tuple[str, int]:
    """Act on a form and go to ``back``; what is refused shows the form ``again`` as it was filled.

    Faults stand at their fields with 422, other refusals above the form with their own status.
    Out of sight and not permitted stay errors of the whole request.
    """
    try:
        command = make()
        if guard is not None:
            with reading() as session:
                guard(session, actor(), command)
        result = act(verb, command)
    except (NotFoundError, NotPermittedError):
        raise
    except FieldsInvalidError as error:
        by_field = form_errors(error, english=english())
        return again(Faults(fields=by_field, whole=tuple(by_field.get("", ())))), 422
    except (RegistryError, OptionsError, SinksError) as error:
        return again(Faults(whole=tuple(refusal_words(error)))), status_of(error)
    say("good", done or gettext("已记录。"))
    return redirect(back(result), 303)


def refusal_words(error: RegistryError | OptionsError | SinksError) -> list[str]:
    """Return what is wrong and how to mend it, in the reader's language."""
    if isinstance(error, FieldsInvalidError):
        pairs = [(one.pointer.strip("/"), one.en if english() else one.zh) for one in error.errors]
        return [f"{field}：{words}" if field else words for field, words in pairs]
    params: Mapping[str, object] = error.params
    if isinstance(error, TransitionRefusedError):
        params = {**params, **refusal_in_words(error, language="en" if english() else "zh")}
    said = messages.say(error.code, params)
    words, remedy = (said.en, said.remedy_en) if english() else (said.zh, said.remedy_zh)
    return [f"{words}。{remedy}" if remedy and not english() else f"{words}. {remedy}".strip()]


def given(**more: object) -> dict[str, object]:
    """Return what every command carries, and more."""
    return {"at": now(), "actor_id": actor().id, "key": form_key(), **more}


def word(name: str) -> str:
    """Return a field of the form without the spaces around it."""
    return request.form.get(name, "").strip()


def fen(name: str) -> int:
    """Read an amount of yuan with at most two digits after the point, as fen.

    Raises
    ------
    FieldsInvalidError : it is no such amount.
    """
    text = word(name).replace(",", "").replace("，", "").lstrip("¥￥")
    whole, point, rest = text.partition(".")
    if not whole.isascii() or not whole.isdecimal() or len(rest) > _DIGITS_AFTER:
        raise FieldsInvalidError((field_error(f"/{name}", "FIELD_FORMAT", field=name),))
    if point and not (rest.isascii() and rest.isdecimal()):
        raise FieldsInvalidError((field_error(f"/{name}", "FIELD_FORMAT", field=name),))
    return int(whole) * _FEN + int(rest.ljust(_DIGITS_AFTER, "0"))


def whole(name: str, text: str | None = None) -> int:
    """Read a whole number.

    Raises
    ------
    FieldsInvalidError : it is none.
    """
    found = (word(name) if text is None else text.strip()).replace(",", "")
    if not (found.isascii() and found.isdecimal()) or len(found) > 15:  # noqa: PLR2004
        raise FieldsInvalidError((field_error(f"/{name}", "FIELD_FORMAT", field=name),))
    return int(found)


def kg(name: str) -> int:
    """Read tonnes with at most three digits after the point, as kg.

    Raises
    ------
    FieldsInvalidError : it is no such quantity.
    """
    first, point, rest = word(name).replace(",", "").partition(".")
    shaped = first.isascii() and first.isdecimal() and len(first) < 12 and len(rest) <= 3  # noqa: PLR2004
    if not shaped or (point and not (rest.isascii() and rest.isdecimal())):
        raise FieldsInvalidError((field_error(f"/{name}", "FIELD_FORMAT", field=name),))
    return int(first) * 1000 + int(rest.ljust(3, "0"))


def paper(name: str = "document") -> bytes:
    """Return the SHA-256 of an uploaded paper: what is kept is its fingerprint.

    Raises
    ------
    FieldsInvalidError : none was sent.
    """
    sent = request.files.get(name)
    found = hashlib.sha256()
    size = 0
    while sent is not None and (part := sent.stream.read(1 << 20)):
        found.update(part)
        size += len(part)
    if size == 0:
        raise FieldsInvalidError((field_error(f"/{name}", "FIELD_MISSING", field=name),))
    return found.digest()
