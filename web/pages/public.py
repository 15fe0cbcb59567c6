"""Pages that need no account: look-up, what a code means, how figures are made."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, request
from sqlalchemy.orm import Session

from registry.errors import NotFoundError
from web import messages
from web.auth import public
from web.context import reading
from web.messages import Said
from web.pages.frame import show

blueprint = Blueprint("public", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """What a number stands for: words, state (of ``components/status.html``), page, label."""

    title: Any
    state: str
    facts: tuple[tuple[Any, str], ...]
    url: str | None = None
    label: str | None = None


LOOKUPS: list[Callable[[Session, str], Hit | None]] = []
"""Functions that know one kind of number; a module of pages adds its own.  Only what is public."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupPage:
    """Context of ``lookup.html``."""

    query: str
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePage:
    """Context of ``code.html``: what a code means, in both languages."""

    code: str
    said: Said


@blueprint.get("/lookup")
@public
def lookup() -> str:
    """Look a serial, certificate, label or project number up."""
    query = request.args.get("q", "").strip()[:120]
    hits: tuple[Hit, ...] = ()
    if query and query.isprintable():
        with reading() as session:
            found = (one(session, query) for one in LOOKUPS)
            hits = tuple(hit for hit in found if hit is not None)
    return show("lookup.html", LookupPage(query=query, hits=hits))


@blueprint.get("/problems/<code>")
@public
def problem(code: str) -> str:
    """Say what a code means and how to mend it: the ``type`` of a problem leads here.

    Raises
    ------
    NotFoundError : there is no such code.
    """
    if code not in messages.entries():
        raise NotFoundError(what="code", id=code[:60])
    return show("code.html", CodePage(code=code, said=messages.say(code, {})))
