"""The page behind the search box in every page's head."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, redirect, request, url_for
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from registry.reads import search as reads
from web.auth import public
from web.context import reading, viewer
from web.pages.frame import show
from web.pages.public import LOOKUPS, Hit

blueprint = Blueprint("search", __name__)
WORDS_MAX: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that was found, as it is shown."""

    name: str
    kind: Any
    place: str
    state: str | None
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """Context of ``search.html``: places and projects, and numbers that everybody may look up."""

    query: str
    lines: tuple[Line, ...]
    hits: tuple[Hit, ...]
    signed_in: bool


KINDS: Final[Mapping[str, Any]] = {
    "division": lazy_gettext("行政区划"),
    "parcel": lazy_gettext("地块"),
    "project": lazy_gettext("项目"),
}
_PAGES: Final[Mapping[str, Callable[[str], str]]] = {
    "parcel": lambda key: url_for("parcels.parcel", parcel_id=key),
    "project": lambda key: url_for("projects.project", project_id=key),
}


@blueprint.get("/search")
@public
def search() -> str | Response:
    """Show what a part of a name or a number stands for; one plot alone is opened at once."""
    words = " ".join(request.args.get("q", "").split())[:WORDS_MAX]
    if not words or not words.isprintable():
        return show("search.html", SearchPage(query="", lines=(), hits=(), signed_in=_known()))
    with reading() as session:
        found = reads.search(session, viewer(), reads.SearchQuery(q=words, limit=50)).items
        hits = tuple(hit for look in LOOKUPS if (hit := look(session, words)) is not None)
    lines = tuple(_line(one) for one in found)
    if len(lines) == 1 and lines[0].url and not hits:
        return redirect(lines[0].url, 303)
    return show("search.html", SearchPage(query=words, lines=lines, hits=hits, signed_in=_known()))


def _known() -> bool:
    return viewer() is not None


def _line(one: reads.Found) -> Line:
    page = _PAGES.get(one.kind)
    state = "returned_for_change" if one.status == "returned" else one.status
    return Line(
        name=one.name,
        kind=KINDS[one.kind],
        place=one.place,
        state=state,
        url=page(one.id) if page else None,
    )
