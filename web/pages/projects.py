"""Projects: a list, one with its ground, answers, claims and story, and the steps of its way."""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from flask import Blueprint, request, url_for
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from registry import claims, projects
from registry.db import Command
from registry.eligibility_inputs import RunEligibility
from registry.errors import NotPermittedError
from registry.people import ActorView
from registry.reads import projects as reads
from registry.reads.choices import ProjectChoices, project_choices
from web import messages
from web.api import projects as api
from web.api.endpoints import Empty
from web.api.programmes import ProgrammeLine, ask_later, guard_run, programme_list
from web.auth import may, requires
from web.commands import from_form, from_query
from web.context import actor, reading
from web.i18n import english
from web.pages import frame, home
from web.pages.acting import Faults, acted, answered, given, paper, paper_limit, word
from web.pages.frame import moment, show
from web.parsing import FieldError, FieldsInvalidError, field_error, parse

blueprint = Blueprint("projects", __name__, url_prefix="/projects")
ANSWERS: Final = ("eligible", "not_eligible", "needs_documents", "unknown")
PATH: Final = ("draft", "submitted", "approved")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPage:
    """Context of ``projects/index.html``."""

    projects: tuple[reads.ProjectLine, ...]
    status: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPage:
    """Context of ``projects/new.html``."""

    choices: ProjectChoices
    programmes: tuple[ProgrammeLine, ...]
    faults: Faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A rule's answer that stands in the way, in words."""

    answer: str
    code: str
    words: str
    remedy: str
    area_m2: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A parcel with what stands in its way."""

    line: reads.GroundLine
    name: str
    against: tuple[Said, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of a project's timeline."""

    at: str
    who: str
    what: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectContext:
    """Context of ``projects/project.html``."""

    page: reads.ProjectPage
    last_day: date
    ground: tuple[Ground, ...]
    answers: tuple[tuple[str, int], ...]
    story: tuple[Step, ...]
    spans: tuple[str, ...]
    path: tuple[str, ...]
    here: int
    may: frozenset[str]
    own_submission: bool
    held: tuple[tuple[str, str], ...]
    """Active claims to let go of: id, and the parcel with its years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelsPage:
    """Context of ``projects/parcels.html``: what may join, and what stands in the way."""

    project: reads.ProjectLine
    eligible: tuple[Ground, ...]
    others: tuple[Ground, ...]
    next_url: str | None
    faults: Faults


frame.NAV.insert(
    1,
    frame.NavItem(
        word=lazy_gettext("项目"),
        endpoint="projects.index",
        permission="project:read",
        group="projects",
    ),
)
home.CARDS.insert(
    0,
    home.Card(
        title=lazy_gettext("碳汇项目"),
        text=lazy_gettext("建项目、列入地块、核查、提交和审批，看主张、测算和签发。"),
        endpoint="projects.index",
        permission="project:read",
    ),
)


@blueprint.get("")
@requires("project:read")
def index() -> str:
    """Show the projects the actor may see."""
    query = from_query(reads.ProjectQuery)
    with reading() as session:
        found = reads.projects(session, actor(), query)
    return show("projects/index.html", IndexPage(projects=tuple(found.items), status=query.status))


@blueprint.get("/new")
@requires("project:write")
def new() -> str:
    """Show the form of a new project."""
    return _new(Faults())


@blueprint.post("/new")
@requires("project:write")
@paper_limit
def create() -> Response | tuple[str, int]:
    """Begin a project as a draft."""
    return answered(
        projects.create,
        _created,
        lambda made: url_for("projects.project", project_id=made.project_id),
        _new,
        guard=api.guard_create,
        done=gettext("项目已建立。下一步：列入地块。"),
    )


@blueprint.get("/<uuid:project_id>")
@requires("project:read")
def project(project_id: UUID) -> str:
    """Show one project."""
    with reading() as session:
        found = reads.project_page(session, actor(), reads.ProjectById(project_id=project_id))
        held = claims.claims_of_project(session, project_id)
    return show("projects/project.html", _context(found, held), scheme=scheme_word)


@blueprint.get("/<uuid:project_id>/parcels.geojson")
@requires("project:read")
def features(project_id: UUID) -> Response:
    """Answer with the project's parcels as GeoJSON."""
    with reading() as session:
        body = reads.project_features(session, actor(), reads.ProjectById(project_id=project_id))
    return Response(body, content_type="application/geo+json")


@blueprint.get("/<uuid:project_id>/parcels")
@requires("project:write")
def parcels(project_id: UUID) -> str:
    """Show which parcels may join."""
    return _parcels(project_id, Faults())


@blueprint.post("/<uuid:project_id>/parcels")
@requires("project:write")
def attach(project_id: UUID) -> Response | tuple[str, int]:
    """Take the ticked parcels in."""
    return answered(
        projects.attach,
        lambda: _attached(project_id),
        lambda made: url_for("projects.project", project_id=made.project_id),
        lambda faults: _parcels(project_id, faults),
        guard=api.guard_attach,
        done=gettext("地块已列入。"),
    )


@blueprint.post("/<uuid:project_id>/eligibility")
@requires("eligibility:run")
def check(project_id: UUID) -> Response:
    """Ask the project's programme about its parcels, or about those shown that may join."""
    here = url_for("projects.project", project_id=project_id)
    return acted(
        ask_later,
        lambda: _asked(project_id),
        lambda job: url_for("jobs.job", job_id=job.id, back=here),
        guard=guard_run,
        done=gettext("核查已开始。"),
        again=here,
    )


@blueprint.post("/<uuid:project_id>/decisions")
@requires("project:write")
def decide(project_id: UUID) -> Response:
    """Submit, approve, return or withdraw."""
    return acted(
        projects.decide,
        lambda: from_form(projects.DecideProject, project_id=project_id),
        url_for("projects.project", project_id=project_id),
        guard=_guard_decide,
    )


@blueprint.post("/<uuid:project_id>/claims")
@requires("project:write")
def claim(project_id: UUID) -> Response:
    """Hold the ground for the crediting years, or those given."""
    return acted(
        claims.place,
        lambda: from_form(claims.PlaceClaims, project_id=project_id),
        url_for("projects.project", project_id=project_id),
        guard=api.guard_claim,
        done=gettext("已对全部地块提出主张。"),
    )


@blueprint.post("/<uuid:project_id>/claims/releases")
@requires("parcel:decide")
def release(project_id: UUID) -> Response:
    """Let go of one parcel's claim, or of all that are held."""
    return acted(
        claims.release,
        lambda: _released(project_id),
        url_for("projects.project", project_id=project_id),
        guard=api.guard_release,
        done=gettext("主张已放弃，土地和年份可以重新主张。"),
    )


def _released(project_id: UUID) -> Command:
    chosen = word("claim_id")
    if chosen:
        ids = [chosen]
    else:
        with reading() as session:
            held = claims.claims_of_project(session, project_id)
        ids = [str(one.id) for one in held if one.status == "active"]
    body = {"claim_ids": ids, "reason": word("reason")}
    return parse(api.ReleaseProjectClaims, json.dumps(body), {**given(), "project_id": project_id})


def _guard_decide(session: Session, who: ActorView, command: projects.DecideProject) -> None:
    """Refuse another's project; approval and return are the county's."""
    api.guard_decide(session, who, command)
    if command.decision in {"approve", "return"} and not may(who, "parcel:decide"):
        raise NotPermittedError(needs="county")


def _new(faults: Faults) -> str:
    with reading() as session:
        choices = project_choices(session, actor())
        listed = programme_list(session, actor(), Empty())
    offered = tuple(
        one for one in listed.items if one.adopted and one.kind != "orchard" and one.scheme
    )
    return show("projects/new.html", NewPage(choices=choices, programmes=offered, faults=faults))


def _created() -> Command:
    body = {
        name: word(name)
        for name in ("adcode", "name", "proponent_id", "programme_id", "started_on",
                     "crediting_from", "external_number")
        if word(name)
    }  # fmt: skip
    if word("last_day"):
        try:
            past = date.fromisoformat(word("last_day")) + timedelta(days=1)
        except (ValueError, OverflowError):
            fault = field_error("/last_day", "FIELD_FORMAT", field="last_day")
            raise FieldsInvalidError((fault,)) from None
        body["crediting_to"] = past.isoformat()
    if request.files.get("document"):
        body["document_sha256"] = paper().hex()
    try:
        return parse(projects.CreateProject, json.dumps(body), given())
    except FieldsInvalidError as error:
        raise FieldsInvalidError(tuple(_last_day(one) for one in error.errors)) from None


def _last_day(fault: FieldError) -> FieldError:
    """Point at the field of the form: people give the last day, the record the day after."""
    if fault.pointer != "/crediting_to":
        return fault
    return field_error("/last_day", fault.code, field="last_day")


def _attached(project_id: UUID) -> Command:
    ticked = request.form.getlist("parcel")
    if not ticked:
        raise FieldsInvalidError((field_error("/parcel_ids", "FIELD_MISSING", field="parcel"),))
    body = json.dumps({"parcel_ids": ticked})
    return parse(projects.AttachParcels, body, given(project_id=project_id))


def _asked(project_id: UUID) -> Command:
    """Return the question; with parcels named, under the project's years."""
    with reading() as session:
        line = reads.project(session, actor(), reads.ProjectById(project_id=project_id))
    common = {"programme_id": line.programme_id, "programme_version": line.programme_version}
    named = request.form.getlist("parcel")
    if not named:
        return parse(RunEligibility, "{}", given(project_id=project_id, **common))
    years = (line.crediting_from.year, (line.crediting_to - timedelta(days=1)).year)
    body = json.dumps({"parcel_ids": named})
    more = {"crediting": years, "start_year": line.started_on.year, **common}
    return parse(RunEligibility, body, given(**more))


def _parcels(project_id: UUID, faults: Faults) -> str:
    query = from_query(reads.CandidateQuery, project_id=project_id)
    with reading() as session:
        line = reads.require_writer(session, actor(), project_id)
        found = reads.candidates(session, actor(), query)
    ground = [_ground(one) for one in found.items]
    more = url_for("projects.parcels", project_id=project_id, after=found.next)
    return show(
        "projects/parcels.html",
        ParcelsPage(
            project=line,
            eligible=tuple(one for one in ground if one.line.answer == "eligible"),
            others=tuple(one for one in ground if one.line.answer != "eligible"),
            next_url=more if found.next else None,
            faults=faults,
        ),
    )


def _ground(line: reads.GroundLine) -> Ground:
    return Ground(
        line=line,
        name=line.code or str(line.id)[:8],
        against=tuple(_said(one) for one in line.against),
    )


def _said(one: reads.Against) -> Said:
    said = messages.say(one.code, {"row": 1, **one.params})
    words, remedy = (said.en, said.remedy_en) if english() else (said.zh, said.remedy_zh)
    return Said(answer=one.answer, code=one.code, words=words, remedy=remedy, area_m2=one.area_m2)


def year_span(first_day: date, day_after: date) -> str:
    """Return the years of a period of whole years."""
    first, last = first_day.year, (day_after - timedelta(days=1)).year
    return str(first) if first == last else f"{first}–{last}"


def scheme_word(scheme: str) -> str:
    """Return the word of a crediting scheme."""
    words: dict[str, str] = {
        "ccer": "CCER",
        "vcs": "VCS",
        "inclusion": gettext("碳普惠"),
        "ticket": gettext("碳票"),
        "single_tree": gettext("单株碳汇"),
        "reward": gettext("奖励"),
        "other": gettext("其他机制"),
    }
    return words.get(scheme, scheme)


def _context(found: reads.ProjectPage, held: list[claims.ClaimView]) -> ProjectContext:
    line, who = found.project, actor()
    names: dict[UUID | None, str] = {one.line.id: one.name for one in map(_ground, found.ground)}
    words = {
        "draft": gettext("起草"),
        "submitted": gettext("提交"),
        "approved": gettext("批准"),
        "returned": gettext("退回"),
        "withdrawn": gettext("撤回"),
    }
    path = PATH if line.status in PATH else (PATH[0], line.status)
    return ProjectContext(
        page=found,
        last_day=line.crediting_to - timedelta(days=1),
        ground=tuple(_ground(one) for one in found.ground),
        answers=tuple((one, found.answers[one]) for one in ANSWERS if found.answers.get(one)),
        story=tuple(_step(one) for one in reversed(found.story)),
        spans=tuple(year_span(one.starts_on, one.ends_on) for one in found.periods),
        path=(*(words[one] for one in path), gettext("主张")),
        here=_here(found),
        may=frozenset(_open_steps(found, who)),
        own_submission=line.submitted_by == who.id,
        held=tuple(
            (str(one.id), f"{names.get(one.parcel_id, '—')} · {one.first_year}–{one.last_year}")
            for one in held
            if one.status == "active"
        ),
    )


def _here(found: reads.ProjectPage) -> int:
    status = found.project.status
    if status == "approved":
        return 4 if any(one.status == "active" for one in found.claims) else 3
    return PATH.index(status) if status in PATH else 1


def _open_steps(found: reads.ProjectPage, who: ActorView) -> list[str]:
    """Return what the actor may do with the project now."""
    line = found.project
    staff = who.has("township", "county", "company", "system")
    if not may(who, "project:write") or not (staff or line.proponent_id == who.party_id):
        return []
    steps = []
    if line.status in {"draft", "returned"}:
        steps += ["attach", "withdraw", *(["submit"] if line.parcels else [])]
    if line.status == "submitted" and may(who, "parcel:decide"):
        steps.append("decide")
    active = any(one.status == "active" for one in found.claims)
    if line.status == "approved" and not active and who.has("county", "company", "system"):
        steps.append("claim")
    if active and may(who, "parcel:decide"):
        steps.append("release")
    if line.parcels and may(who, "eligibility:run"):
        steps.append("check")
    return steps


def _step(act: reads.Act) -> Step:
    words = {
        "project.created": gettext("建立项目"),
        "project.parcels_attached": gettext("列入地块"),
        "project.submit": gettext("提交"),
        "project.approve": gettext("批准"),
        "project.return": gettext("退回"),
        "project.withdraw": gettext("撤回"),
        "claims.placed": gettext("提出主张"),
        "buffer.cancelled": gettext("取消缓冲单位"),
    }
    what = words.get(act.kind, act.kind)
    if act.count is not None:
        what = gettext("%(what)s（%(n)s 块）", what=what, n=act.count)
    return Step(at=moment(act.effective_at), who=act.actor, what=what, note=act.note)
