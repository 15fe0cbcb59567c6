"""Parcels on the map, one parcel, drawing, and the decisions on it."""

import json
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID, uuid4

from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from registry import parcels
from registry.divisions import full_code
from registry.errors import RegistryError
from registry.parcel_store import PlaceRefusedError
from registry.reads import change as reads
from registry.reads import places
from registry.reads.choices import PlaceChoices, place_choices
from registry.reads.scope import require_parcel
from registry.within import DivisionQuestionError
from web import messages
from web.api.parcels import DECIDES, guard_decide, guard_draw
from web.auth import may, requires
from web.chart_frame import Chart
from web.commands import KEY_FIELD, form_errors, form_key, from_form, from_query
from web.context import act, actor, now, reading
from web.errors import status_of
from web.formats import mu
from web.i18n import english
from web.pages import editor_words
from web.pages.disturbances import change_chart
from web.pages.frame import moment, say, show
from web.parsing import FieldsInvalidError, parse
from web.tiles import tile_address

blueprint = Blueprint("parcels", __name__, url_prefix="/parcels")
SHAPES_MAX: Final = 300
"""Up to so many parcels the map gets the shapes themselves; above, tiles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPage:
    """Context of ``parcels/index.html``: the list beside the map."""

    parcels: places.Page[places.ParcelLine]
    status: str | None
    outline: str
    tiles: str | None
    next_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of a parcel's timeline."""

    at: str
    who: str
    what: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleAnswer:
    """One eligibility rule's answer in words."""

    programme: str
    answer: str
    code: str
    words: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KinSaid:
    """What a parcel was made from, or what was made of it, in words."""

    words: str
    parcels: tuple[places.KinLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelContext:
    """Context of ``parcels/parcel.html``."""

    parcel: places.ParcelPage
    steps: tuple[Step, ...]
    answers: tuple[RuleAnswer, ...]
    feature_url: str
    can_decide: bool
    can_submit: bool
    own_submission: bool
    can_edit: bool
    kin: tuple[KinSaid, ...]
    draft_saved: str | None
    change: reads.ParcelChange
    chart: Chart | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EditContext:
    """Context of ``parcels/edit.html``; ``stored``, ``words`` and addresses are the script's."""

    parcel: places.ParcelPage
    stored: dict[str, Any]
    tools: tuple[tuple[str, str], ...]
    words: dict[str, str]
    api: str
    page: str
    neighbour_tiles: str
    draft_key: str
    key: str
    job: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawContext:
    """Context of ``parcels/draw.html``: the form as it was filled, and what is wrong with it."""

    choices: PlaceChoices
    outline: str
    neighbour_tiles: str
    geometry: str
    values: dict[str, str]
    errors: dict[str, list[str]]
    faults: tuple[tuple[str, str], ...]
    key: str
    draft_key: str
    division_words: dict[str, str]
    asks_division: bool


def outline_of() -> str:
    """Return the address of the outline in which the actor's maps begin."""
    return url_for("api.own_outline")


@blueprint.get("")
@requires("parcel:read")
def index() -> str:
    """Show the parcels the actor may see: a map and, beside it, a list."""
    query = from_query(places.ParcelQuery)
    with reading() as session:
        page = places.parcels(session, actor(), query)
        many = places.more_than(session, actor(), SHAPES_MAX)
    more = url_for("parcels.index", status=query.status, kind=query.kind, after=page.next)
    return show(
        "parcels/index.html",
        IndexPage(
            parcels=page,
            status=query.status,
            outline=outline_of(),
            tiles=tile_address("parcels") if many else None,
            next_url=more if page.next else None,
        ),
    )


@blueprint.get("/<uuid:parcel_id>")
@requires("parcel:read")
def parcel(parcel_id: UUID) -> str:
    """Show one parcel: where it is, how large, what was found, what was decided."""
    with reading() as session:
        found = places.parcel(session, actor(), places.ParcelById(parcel_id=parcel_id))
        change = reads.parcel_change(session, actor(), reads.SeriesQuery(parcel_id=parcel_id))
    return show("parcels/parcel.html", _parcel_context(found, change))


@blueprint.get("/<uuid:parcel_id>/feature.geojson")
@requires("parcel:read")
def feature(parcel_id: UUID) -> Response:
    """Answer with one parcel as GeoJSON."""
    with reading() as session:
        found = places.parcel(session, actor(), places.ParcelById(parcel_id=parcel_id))
    line = {
        "type": "Feature",
        "id": str(found.id),
        "geometry": found.geometry,
        "properties": {"name": found.code or str(found.id)[:8], "status": _badge(found.status)},
    }
    body = json.dumps({"type": "FeatureCollection", "features": [line]})
    return Response(body, content_type="application/geo+json")


@blueprint.get("/<uuid:parcel_id>/edit")
@requires("parcel:draw")
def edit(parcel_id: UUID) -> str | Response:
    """Show the editor of a parcel's boundary; what it saves goes through the API."""
    with reading() as session:
        require_parcel(session, actor(), parcel_id)
        found = places.parcel(session, actor(), places.ParcelById(parcel_id=parcel_id))
    here = url_for("parcels.parcel", parcel_id=parcel_id)
    if found.status == "withdrawn":
        say("warn", gettext("这个地块已撤回，不能再改。"))
        return redirect(here, 303)
    stored = {
        "id": str(found.id),
        "version": found.version,
        "kind": found.kind,
        "area_m2": found.area_m2,
        "geometry": found.geometry,
    }
    page = EditContext(
        parcel=found,
        stored=stored,
        tools=editor_words.tools(),
        words=editor_words.words(),
        api=url_for("api.get_parcel", parcel_id=parcel_id).removesuffix(f"/{parcel_id}"),
        page=here.replace(str(parcel_id), "{id}"),
        neighbour_tiles=tile_address("neighbours"),
        draft_key=f"tanhui:edit:{actor().id}:{parcel_id}",
        key=uuid4().hex,
        job=_job_page() if may(actor(), DECIDES) else None,
    )
    return show("parcels/edit.html", page)


def _job_page() -> str:
    """Return the address of a job's page, with a place for its id."""
    return url_for("jobs.job", job_id=UUID(int=0)).replace(str(UUID(int=0)), "{id}")


@blueprint.get("/new")
@requires("parcel:draw")
def draw() -> str:
    """Show the drawing board with the neighbours in sight."""
    return show("parcels/draw.html", _draw_context(errors={}, faults=()))


@blueprint.post("/new")
@requires("parcel:draw")
def save_drawing() -> Response | tuple[str, int]:
    """Enter a drawn parcel; faults are shown on the same board."""
    try:
        command = _drawn()
        with reading() as session:
            guard_draw(session, actor(), command)
        state = act(parcels.draw, command)
    except FieldsInvalidError as error:
        page = _draw_context(errors=form_errors(error, english=english()), faults=())
        return show("parcels/draw.html", page), 422
    except RegistryError as error:
        asks = isinstance(error, DivisionQuestionError)
        page = _draw_context(errors={}, faults=(_fault(error),), asks_division=asks)
        return show("parcels/draw.html", page), status_of(error)
    say("good", gettext("已保存：%(mu)s 亩", mu=mu(state.area_m2)))
    return redirect(url_for("parcels.parcel", parcel_id=state.parcel_id, drawn=1), 303)


@blueprint.post("/<uuid:parcel_id>/decisions")
@requires("parcel:draw")
def decide(parcel_id: UUID) -> Response:
    """Submit, approve, return or withdraw."""
    command = from_form(parcels.DecideParcel, parcel_id=parcel_id)
    with reading() as session:
        guard_decide(session, actor(), command)
    act(parcels.decide, command)
    say("good", gettext("已记录。"))
    return redirect(url_for("parcels.parcel", parcel_id=parcel_id), 303)


def _drawn() -> parcels.DrawParcel:
    form = request.form
    sent: dict[str, Any] = {
        "kind": form.get("kind") or None,
        "division_code": form.get("division_code") or None,
        "plot_code": form.get("plot_code", "").strip() or None,
        "owner_id": form.get("owner_id") or None,
        "submit": form.get("act") != "draft",
        "division_confirmed": bool(form.get("division_confirmed")),
        "attributes": {},
        "captured_with": "drawing",
    }
    try:
        sent["geojson"] = json.loads(form.get("geometry") or "null")
    except ValueError:
        sent["geojson"] = None
    given = {"at": now(), "actor_id": actor().id, "key": form_key()}
    command = parse(parcels.DrawParcel, json.dumps(sent), given)
    return replace(
        command, division_code=command.division_code and full_code(command.division_code)
    )


def _fault(error: RegistryError) -> tuple[str, str]:
    """Return what is wrong and how to mend it; a faulty shape names its own fault."""
    code, params = error.code, error.params
    if isinstance(error, PlaceRefusedError):
        code, params = str(params["reason"]), dict(params["detail"])  # type: ignore[call-overload]
    said = messages.say(code, {"row": 1, **params})
    return (said.en, said.remedy_en) if english() else (said.zh, said.remedy_zh)


def _draft_key() -> str:
    """Return where this browser keeps what the actor draws and has not saved."""
    return f"tanhui:draw:{actor().id}"


def _draw_context(
    *,
    errors: dict[str, list[str]],
    faults: tuple[tuple[str, str], ...],
    asks_division: bool = False,
) -> DrawContext:
    who = actor()
    with reading() as session:
        choices = place_choices(session, who)
    return DrawContext(
        choices=choices,
        outline=outline_of(),
        neighbour_tiles=tile_address("neighbours"),
        geometry=request.form.get("geometry", ""),
        values=dict(request.form),
        errors=errors,
        faults=faults,
        draft_key=_draft_key(),
        division_words=editor_words.divisions(),
        asks_division=asks_division,
        key=request.form.get(KEY_FIELD) or uuid4().hex,
    )


def _badge(status: str) -> str:
    """Return a parcel's state as the design system names it: `returned` there is money."""
    return "returned_for_change" if status == "returned" else status


def _parcel_context(found: places.ParcelPage, change: reads.ParcelChange) -> ParcelContext:
    who = actor()
    lost = [one.year for one in change.losses]
    words = {
        "submit": gettext("提交"),
        "approve": gettext("批准"),
        "return": gettext("退回"),
        "withdraw": gettext("撤回"),
    }
    steps = [
        (
            line.effective_at,
            Step(
                at=moment(line.effective_at),
                who=line.actor,
                what=gettext("%(what)s（第 %(n)s 版）", what=words[line.decision], n=line.version),
                note=line.reason,
            ),
        )
        for line in found.decisions
    ] + [
        (
            line.effective_at,
            Step(
                at=moment(line.effective_at),
                who=line.actor,
                what=gettext("第 %(n)s 版，%(mu)s 亩", n=line.version, mu=mu(line.area_m2)),
                note=_origin(line),
            ),
        )
        for line in found.versions
    ]
    steps.sort(key=lambda pair: pair[0], reverse=True)
    return ParcelContext(
        parcel=found,
        steps=tuple(step for _, step in steps),
        answers=tuple(_answer(line) for line in found.findings),
        feature_url=url_for("parcels.feature", parcel_id=found.id),
        can_decide=may(who, DECIDES) and found.status == "submitted",
        can_submit=may(who, "parcel:draw") and found.status in {"draft", "returned"},
        own_submission=found.submitted_by == who.id,
        can_edit=may(who, "parcel:draw") and found.status != "withdrawn",
        kin=_kin(found),
        draft_saved=_draft_key() if request.args.get("drawn") else None,
        change=change,
        chart=change_chart(change.points, lost) if change.points else None,
    )


def _kin(found: places.ParcelPage) -> tuple[KinSaid, ...]:
    """Return a parcel's kinship: one parent was split, several were merged."""
    from_words = {"split": gettext("由这个地块分割而来"), "merge": gettext("由这些地块合并而来")}
    into_words = {"split": gettext("已分割为"), "merge": gettext("已合并为")}
    sides = ((found.parents, from_words), (found.children, into_words))
    return tuple(
        KinSaid(words=words[lines[0].operation], parcels=tuple(lines))
        for lines, words in sides
        if lines
    )


def _origin(line: places.VersionLine) -> str:
    """Return what a version was made from, and its reason where a person gave one."""
    words = {
        "import": gettext("导入"),
        "drawing": gettext("手绘"),
        "revision": gettext("修订"),
        "editing": gettext("边界编辑"),
    }
    parts = [words.get(line.captured_with, line.captured_with), line.source_crs]
    if line.reason not in {"import", "drawn"}:
        parts.append(line.reason)
    return " · ".join(parts)


def _answer(line: places.FindingLine) -> RuleAnswer:
    said = messages.say(line.code, {"row": 1, **line.params})
    words, remedy = (said.en, said.remedy_en) if english() else (said.zh, said.remedy_zh)
    return RuleAnswer(
        programme=line.programme, answer=line.answer, code=line.code, words=words, remedy=remedy
    )
