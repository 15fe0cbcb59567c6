"""Village trees: groves on a map and in a list, one grove with its numbered trees."""

import json
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, redirect, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response as AnyResponse

from options import groves, tree_reads
from options.errors import OptionsError
from registry.errors import RegistryError
from web import tree_table
from web.api.trees import guard_grove, keep_photo
from web.auth import may, requires
from web.commands import from_form, from_query
from web.context import act, actor, reading
from web.pages import frame
from web.pages.acting import acted, given, refusal_words, word
from web.pages.frame import say, show
from web.pages.parcels import outline_of
from web.parsing import FieldsInvalidError, field_error, parse
from web.photos import PHOTO_BYTES_MAX
from web.security import body_limit

blueprint = Blueprint("trees", __name__, url_prefix="/trees")
SHOWN_A_PAGE: Final = 30
FAULTS_SHOWN: Final = 50
_NUMBERS_MAX: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPage:
    """Context of ``trees/index.html``: groves in sight, their sums, and the villages to choose."""

    groves: tuple[tree_reads.Grove, ...]
    villages: tuple[tuple[str, str], ...]
    village: str
    outline: str
    features_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrovePage:
    """Context of ``trees/grove.html``: one grove with its trees from a number on."""

    grove: tree_reads.Grove
    name: str
    trees: tree_reads.Trees
    status: str
    next_url: str | None
    features_url: str
    can_write: bool
    faults: tuple[str, ...]
    faults_total: int
    numbers_example: str


frame.NAV.insert(
    6,
    frame.NavItem(
        word=lazy_gettext("一村万树"),
        endpoint="trees.index",
        permission="tree:read",
        group="places",
    ),
)


@blueprint.get("")
@requires("tree:read")
def index() -> str:
    """Show the groves that the actor may see, or one village's."""
    query = from_query(tree_reads.GroveQuery)
    with reading() as session:
        every = tree_reads.groves(session, actor(), tree_reads.GroveQuery()).items
    named = {one.division_code: one.division or one.division_code for one in every}
    shown = tuple(one for one in every if (one.division_code or "").startswith(query.village))
    page = IndexPage(
        groves=shown,
        villages=tuple((code, name or code) for code, name in named.items() if code),
        village=query.village,
        outline=outline_of(),
        features_url=url_for("api.tree_features", village=query.village),
    )
    return show("trees/index.html", page)


@blueprint.get("/table.csv")
@requires("tree:read")
def example() -> Response:
    """Answer with an example of the table that is taken in."""
    head = {"Content-Disposition": 'attachment; filename="trees.csv"'}
    data = tree_table.EXAMPLE.encode("utf-8-sig")
    return Response(data, content_type="text/csv; charset=utf-8", headers=head)


@blueprint.get("/<uuid:parcel_id>")
@requires("tree:read")
def grove(parcel_id: UUID) -> str:
    """Show one grove."""
    return _grove(parcel_id, faults=[])


@blueprint.post("/<uuid:parcel_id>")
@requires("tree:write")
def register(parcel_id: UUID) -> AnyResponse:
    """Register one tree."""
    return acted(
        groves.register_trees,
        lambda: groves.RegisterTrees(**given(parcel_id=parcel_id, trees=(_tree(),))),  # type: ignore[arg-type]
        _here(parcel_id),
        guard=guard_grove,
        done=gettext("已登记。"),
    )


@blueprint.post("/<uuid:parcel_id>/table")
@requires("tree:write")
@body_limit(tree_table.BYTES_MAX)
def import_table(parcel_id: UUID) -> AnyResponse | tuple[str, int]:
    """Register every tree of a table, or show everything that is wrong with it."""
    sent = request.files.get("table")
    try:
        found = tree_table.read_table(sent.stream.read() if sent is not None else b"")
        command = groves.RegisterTrees(**given(parcel_id=parcel_id, trees=found))  # type: ignore[arg-type]
        with reading() as session:
            guard_grove(session, actor(), command)
            findings = groves.tree_findings(session, command)
        if findings:
            words = [one for finding in findings for one in refusal_words(finding)]
            return _grove(parcel_id, faults=words), 422
        done = act(groves.register_trees, command)
    except (FieldsInvalidError, OptionsError) as error:
        return _grove(parcel_id, faults=refusal_words(error)), 422
    say("good", gettext("已登记 %(n)s 株。", n=done.trees))
    return redirect(_here(parcel_id), 303)


@blueprint.post("/<uuid:parcel_id>/reports")
@requires("tree:write")
def report(parcel_id: UUID) -> AnyResponse:
    """Report trees dead, or alive after all."""
    return acted(
        groves.report_trees,
        lambda: from_form(groves.ReportTrees, parcel_id=parcel_id, numbers=_numbers()),
        _here(parcel_id),
        guard=guard_grove,
    )


@blueprint.post("/<uuid:parcel_id>/replacements")
@requires("tree:write")
def replace(parcel_id: UUID) -> AnyResponse:
    """Let a live tree stand in for a dead one."""
    return acted(
        groves.replace_trees, lambda: _replaced(parcel_id), _here(parcel_id), guard=guard_grove
    )


@blueprint.post("/<uuid:parcel_id>/photos")
@requires("tree:write")
@body_limit(PHOTO_BYTES_MAX + 64 * 1024)
def photo(parcel_id: UUID) -> AnyResponse:
    """Keep a tree's photo."""
    try:
        number = parse(_Numbered, json.dumps({"number": word("number")}), {}).number
        keep_photo(parcel_id, number)
    except (FieldsInvalidError, OptionsError, RegistryError) as error:
        for words in refusal_words(error):
            say("bad", words)
    else:
        say("good", gettext("照片已保存。"))
    return redirect(_here(parcel_id), 303)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Numbered:
    number: int


def _here(parcel_id: UUID) -> str:
    return url_for("trees.grove", parcel_id=parcel_id)


def _grove(parcel_id: UUID, *, faults: list[str]) -> str:
    asked: dict[str, Any] = {"limit": SHOWN_A_PAGE}
    query = from_query(tree_reads.TreeQuery, parcel_id=parcel_id, **asked)
    with reading() as session:
        one = tree_reads.grove(session, actor(), parcel_id)
        found = tree_reads.trees(session, actor(), query)
    more = url_for("trees.grove", parcel_id=parcel_id, status=query.status, after=found.next)
    page = GrovePage(
        grove=one,
        name=one.code or str(one.parcel_id)[:8],
        trees=found,
        status=query.status or "",
        next_url=more if found.next else None,
        features_url=url_for("api.tree_features", parcel_id=parcel_id),
        can_write=may(actor(), "tree:write"),
        faults=tuple(faults[:FAULTS_SHOWN]),
        faults_total=len(faults),
        numbers_example="3, 7, 20-25",
    )
    return show("trees/grove.html", page)


def _tree() -> groves.NewTree:
    """Read one tree of the form as a line of the table is read: a day, or only a year."""
    names = ("number", "species", "lon", "lat", "planted")
    cells = ['"' + word(name).replace('"', "") + '"' for name in names]
    try:
        return tree_table.read_table(f"{','.join(names)}\n{','.join(cells)}\n".encode())[0]
    except FieldsInvalidError as error:
        # of one tree the line says nothing
        faults = [
            field_error(f"/{one.pointer.rsplit('/', 1)[-1]}", one.code, field=one.pointer)
            for one in error.errors
        ]
        raise FieldsInvalidError(tuple(faults)) from error


def _numbers() -> tuple[int, ...]:
    """Read numbers and ranges of numbers: ``3, 7, 20-25``.

    Raises
    ------
    FieldsInvalidError : it is no such list, or a very long one.
    """
    found: list[int] = []
    text = word("numbers").replace("，", ",").replace("、", ",").replace("－", "-")
    for part in text.replace(" ", ",").split(","):
        first, dash, last = part.partition("-")
        if not part:
            continue
        ends = (first, last if dash else first)
        if not all(end.isascii() and end.isdecimal() and len(end) < 8 for end in ends):  # noqa: PLR2004
            raise FieldsInvalidError((field_error("/numbers", "FIELD_FORMAT", field="numbers"),))
        span = range(int(ends[0]), int(ends[1]) + 1)
        if not 0 < len(span) <= _NUMBERS_MAX - len(found):
            raise FieldsInvalidError((field_error("/numbers", "FIELD_RANGE", field="numbers"),))
        found.extend(span)
    if not found:
        raise FieldsInvalidError((field_error("/numbers", "FIELD_MISSING", field="numbers"),))
    return tuple(found)


def _replaced(parcel_id: UUID) -> groves.ReplaceTrees:
    body = {"number": word("number"), "by": word("by")}
    pair = parse(groves.Replacement, json.dumps(body), {})
    return from_form(groves.ReplaceTrees, parcel_id=parcel_id, replacements=(pair,))
