"""``/programmes``, ``/eligibility-runs`` and a parcel's findings over HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from registry import eligibility, eligibility_jobs, jobs, programmes
from registry.eligibility_inputs import RunEligibility
from registry.errors import InvalidValueError, NotFoundError
from registry.people import ActorView
from registry.programmes import ProgrammeView
from registry.programmes.schema import ProgrammeRefusedError, read
from registry.programmes.store import ProgrammeVersionChangedError, packaged
from registry.reads.projects import require_writer
from registry.reads.scope import require_division, require_parcel, require_readable, scope_of
from web import messages
from web.api.endpoints import Act, Empty, Noun, Read
from web.auth import PUBLIC


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeLine:
    """A programme version; ``adopted`` says whether it counts here."""

    id: str
    version: str
    kind: str
    scheme: str | None
    issuing_authority: str
    name_zh: str
    name_en: str
    sha256: str
    adopted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Programmes:
    """Programmes, newest version of each first."""

    items: tuple[ProgrammeLine, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeById:
    """One version; the newest if none is named."""

    programme_id: str
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure of a programme with where it comes from."""

    path: str
    value: str | int | float | bool | list[str] | list[int]
    unit: str
    source: str
    mark: str
    checked_on: date
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammePage:
    """A programme version with every figure."""

    programme: ProgrammeLine
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingsQuery:
    """Findings of a parcel's present version, of one programme or of all."""

    parcel_id: UUID
    programme: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidFinding:
    """One rule's answer in words; ``evidence_area_m2`` of the ground that decided it."""

    programme_id: str
    programme_version: str
    rule: str
    answer: str
    code: str
    zh: str
    en: str
    remedy_zh: str
    remedy_en: str
    params: Mapping[str, Any]
    evidence_area_m2: float | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelFindings:
    """Findings in the rules' order."""

    parcel_id: UUID
    items: tuple[SaidFinding, ...]
    next: str | None = None


def programme_list(session: Session, _who: ActorView | None, _query: Empty) -> Programmes:
    """Return the adopted versions, and what ships but was not adopted."""
    return Programmes(items=tuple(_line(view, adopted=yes) for view, yes in _known(session)))


def programme_page(session: Session, _who: ActorView | None, query: ProgrammeById) -> ProgrammePage:
    """Return a programme with every figure.

    Raises
    ------
    NotFoundError : there is no such programme or version.
    """
    for view, adopted in _known(session):
        if view.id == query.programme_id and query.version in {None, view.version}:
            return ProgrammePage(programme=_line(view, adopted=adopted), figures=figures_of(view))
    raise NotFoundError(what="programme", id=f"{query.programme_id}@{query.version or '—'}")


def figures_of(view: ProgrammeView) -> tuple[Figure, ...]:
    """Return a programme's figures in the file's order, those of its rules first."""
    figures = sorted(view.figures.items(), key=lambda pair: not pair[0].startswith("rules."))
    return tuple(
        Figure(
            path=path,
            value=one.value,  # type: ignore[arg-type]  # checked when the file was read
            unit=one.unit,
            source=one.source,
            mark=one.mark,
            checked_on=one.checked_on,
            note=one.note,
        )
        for path, one in figures
    )


def findings(session: Session, who: ActorView, query: FindingsQuery) -> ParcelFindings:
    """Return what the rules found on a parcel the actor may read, in words.

    Raises
    ------
    NotFoundError : there is none, or it is out of sight.
    """
    require_readable(session, who, query.parcel_id)
    found = eligibility.findings(session, query.parcel_id, programme_id=query.programme)
    return ParcelFindings(parcel_id=query.parcel_id, items=tuple(_said(one) for one in found))


def guard_run(session: Session, who: ActorView, command: RunEligibility) -> None:
    """Refuse to check parcels outside the actor's division; digests of layers are ours to name."""
    if command.layers:
        raise InvalidValueError(field="layers", value="—", why="由服务端填写 filled in here")
    for parcel_id in command.parcel_ids or ():
        require_parcel(session, who, parcel_id)
    if command.project_id is not None:
        require_writer(session, who, command.project_id)
    elif command.parcel_ids is None and not scope_of(who).everything:
        require_division(who, command.division_code)


def ask_later(session: Session, command: RunEligibility) -> jobs.JobView:
    """Ask for a run with the layers at hand, which a worker does."""
    return jobs.get(session, eligibility_jobs.request(session, command))


def _known(session: Session) -> list[tuple[ProgrammeView, bool]]:
    adopted = [(view, True) for view in programmes.adopted(session)]
    held = {(view.id, view.version) for view, _ in adopted}
    return adopted + [(view, False) for view in _shipped() if (view.id, view.version) not in held]


@cache
def _shipped() -> tuple[ProgrammeView, ...]:
    return tuple(read(source) for source in packaged().values())


def _line(view: ProgrammeView, *, adopted: bool) -> ProgrammeLine:
    return ProgrammeLine(
        id=view.id,
        version=view.version,
        kind=view.kind,
        scheme=view.scheme,
        issuing_authority=view.issuing_authority,
        name_zh=view.name_zh,
        name_en=view.name_en,
        sha256=view.sha256,
        adopted=adopted,
    )


def _said(one: eligibility.FindingView) -> SaidFinding:
    words = messages.say(one.code, {"row": 1, **one.params})
    return SaidFinding(
        programme_id=one.programme_id,
        programme_version=one.programme_version,
        rule=one.rule,
        answer=one.answer,
        code=one.code,
        zh=words.zh,
        en=words.en,
        remedy_zh=words.remedy_zh,
        remedy_en=words.remedy_en,
        params=one.params,
        evidence_area_m2=one.evidence_area_m2,
        at=one.effective_at,
    )


NOUN = Noun(
    name="programmes",
    title=("项目规则", "Programmes and eligibility"),
    endpoints=(
        Read(
            name="list_programmes",
            rule="/programmes",
            permission=PUBLIC,
            query=Empty,
            read=programme_list,
            summary=("项目规则列表", "Programmes and their versions"),
        ),
        Read(
            name="get_programme",
            rule="/programmes/<programme_id>",
            permission=PUBLIC,
            query=ProgrammeById,
            read=programme_page,
            summary=("一项规则的全部数值", "A programme with every figure and its source"),
            raises=(NotFoundError,),
        ),
        Act(
            name="adopt_programme",
            rule="/programmes",
            permission="programme:write",
            command=programmes.AdoptProgramme,
            verb=programmes.adopt,
            summary=("启用规则版本", "Let a version count from now on"),
            raises=(ProgrammeRefusedError, ProgrammeVersionChangedError),
            status=201,
        ),
        Act(
            name="run_eligibility",
            rule="/eligibility-runs",
            permission="eligibility:run",
            command=RunEligibility,
            verb=eligibility.run_eligibility,
            summary=("按规则核查地块", "Ask a programme's rules about parcels"),
            raises=(InvalidValueError, NotFoundError),
            guard=guard_run,
        ),
        Act(
            name="request_eligibility",
            rule="/eligibility-jobs",
            permission="eligibility:run",
            command=RunEligibility,
            verb=ask_later,
            summary=(
                "按规则和图层核查（任务）",
                "The same with what layers tell, as a job",
            ),
            raises=(InvalidValueError, NotFoundError),
            status=202,
            guard=guard_run,
        ),
        Read(
            name="list_findings",
            rule="/parcels/<uuid:parcel_id>/findings",
            permission="parcel:read",
            query=FindingsQuery,
            read=findings,
            summary=("地块核查结果", "What the rules found on a parcel"),
            raises=(NotFoundError,),
        ),
    ),
)
