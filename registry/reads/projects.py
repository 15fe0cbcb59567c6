"""Reads of projects: which an actor may see, one with all that its page shows, what may join.

A desk of the government sees the projects of its county, a company those of its ground, a party
those it undertakes or owns ground in, a verifier every approved one.  Parcels are listed whole to
who answers for the project, to others only those they may see anyway.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import text
from sqlalchemy.orm import Session

from registry import programmes
from registry.errors import NotFoundError, NotPermittedError
from registry.people import ActorView
from registry.projects import number_text
from registry.reads.scope import STAFF, VISIBLE, scope_of

PARCELS_MAX: Final = 500
"""Most parcels one answer lists; the sums are of all."""

WHOLE: Final = (
    "(cast(:everything AS boolean) OR cast(:verifier AS boolean)"
    " OR rpad(j.adcode, 12, '0') LIKE cast(:prefix AS text)"
    " OR j.proponent_id = cast(:party AS uuid))"
)
"""True for a project ``j`` all of whose parcels the actor may see."""
IN_SIGHT: Final = (
    "(cast(:everything AS boolean) OR (cast(:verifier AS boolean) AND j.status = 'approved')"
    " OR rpad(j.adcode, 12, '0') LIKE cast(:prefix AS text)"
    " OR cast(:prefix AS text) LIKE j.adcode || '%' OR j.proponent_id = cast(:party AS uuid)"
    " OR EXISTS (SELECT FROM project_parcel s JOIN parcel p ON p.id = s.parcel_id"
    " WHERE s.project_id = j.id AND p.owner_id = cast(:party AS uuid)))"
)
"""True for a project ``j`` that the actor may see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectQuery:
    """Projects of a county by its 6-digit code, in a state; all in sight without."""

    adcode: str | None = None
    status: Literal["draft", "submitted", "approved", "returned", "withdrawn"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectById:
    """One project."""

    project_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectLine:
    """A project in a list; ``crediting_to`` is the first day after the period."""

    id: UUID
    adcode: str
    number: str
    name: str
    status: str
    proponent_id: UUID
    proponent: str
    programme_id: str
    programme_version: str
    started_on: date
    crediting_from: date
    crediting_to: date
    external_number: str | None
    document_sha256: str | None
    submitted_by: UUID | None
    parcels: int
    area_m2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Projects:
    """Projects by number."""

    items: list[ProjectLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """A rule's answer that stands in the way, with the ground that decided it."""

    rule: str
    answer: str
    code: str
    params: dict[str, Any]
    area_m2: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundLine:
    """A parcel of a project or one that may join; ``answer`` is None where never asked.

    ``joined`` is the version that joined, where the present one is another.
    """

    id: UUID
    code: str | None
    division: str | None
    owner: str | None
    status: str
    version: int
    joined: int | None
    area_m2: float
    answer: str | None
    against: list[Against]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One line of a project's story: who did what, when, and why."""

    kind: str
    actor: str
    effective_at: datetime
    note: str
    count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimSum:
    """A project's claims of one scheme and one span of years, inclusive."""

    scheme: str
    status: str
    first_year: int
    last_year: int
    claims: int
    area_m2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """An assessment run of the project; ``low_kg`` and ``high_kg`` where an interval is kept."""

    id: UUID
    kind: str
    first_year: int
    last_year: int
    parcels: int
    net_kg: int
    low_kg: int | None
    high_kg: int | None
    effective_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodLine:
    """A monitoring period; ``ends_on`` is the first day after it."""

    id: UUID
    starts_on: date
    ends_on: date
    status: str
    creditable_kg: int
    verified_kg: int | None
    issued_kg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectPage:
    """One project with everything its page shows; ``answers`` counts all its parcels."""

    project: ProjectLine
    programme_zh: str
    programme_en: str
    whole: bool
    answers: dict[str, int]
    ground: list[GroundLine]
    story: list[Act]
    claims: list[ClaimSum]
    runs: list[RunLine]
    periods: list[PeriodLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateQuery:
    """Approved parcels in sight that are not in the project; ``after`` is the cursor."""

    project_id: UUID
    after: UUID | None = None
    limit: Annotated[int, Field(ge=1, le=PARCELS_MAX)] = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Parcels that may join, those that are eligible first named by their answer."""

    items: list[GroundLine]
    next: str | None


def bound(who: ActorView) -> dict[str, object]:
    """Return the values of :data:`IN_SIGHT` and :data:`WHOLE`."""
    return scope_of(who).params()


def projects(session: Session, who: ActorView, query: ProjectQuery) -> Projects:
    """Return the projects the actor may see, by number."""
    more = {"id": None, "adcode": query.adcode, "status": query.status}
    rows = session.execute(_PROJECTS, {**bound(who), **more})
    return Projects(items=[_line(row) for row in rows])


def project(session: Session, who: ActorView, query: ProjectById) -> ProjectLine:
    """Return one project.

    Raises
    ------
    NotFoundError : there is none, or the actor may not see it.
    """
    more = {"id": query.project_id, "adcode": None, "status": None}
    row = session.execute(_PROJECTS, {**bound(who), **more}).first()
    if row is None:
        raise NotFoundError(what="project", id=query.project_id)
    return _line(row)


def project_page(session: Session, who: ActorView, query: ProjectById) -> ProjectPage:
    """Return one project with its ground, story, claims, runs and periods.

    Raises
    ------
    NotFoundError : there is none, or the actor may not see it.
    """
    line = project(session, who, query)
    given = {**bound(who), "id": query.project_id, "most": PARCELS_MAX}
    row = session.execute(_PAGE, given).one()
    ground = session.execute(_GROUND, given)
    return ProjectPage(
        project=line,
        programme_zh=row.programme_zh,
        programme_en=row.programme_en,
        whole=row.whole,
        answers=row.answers,
        ground=[_ground(one) for one in ground],
        story=[Act(**_dated(one)) for one in row.story],
        claims=[ClaimSum(**one) for one in row.claims],
        runs=[RunLine(**_dated(one)) for one in row.runs],
        periods=[PeriodLine(**_days(one)) for one in row.periods],
    )


def candidates(session: Session, who: ActorView, query: CandidateQuery) -> Candidates:
    """Return approved parcels in sight that the project's programme could take, by id.

    Raises
    ------
    NotFoundError : there is no such project in sight.
    """
    line = project(session, who, ProjectById(project_id=query.project_id))
    kind = programmes.version(session, line.programme_id, line.programme_version).kind
    given = {"id": line.id, "kind": kind, "after": query.after, "most": query.limit + 1}
    rows = session.execute(_CANDIDATES, {**bound(who), **given}).all()
    items = [_ground(row) for row in rows[: query.limit]]
    return Candidates(items=items, next=str(items[-1].id) if len(rows) > query.limit else None)


def project_features(session: Session, who: ActorView, query: ProjectById) -> str:
    """Return the shapes of a project's parcels that the actor may see, as GeoJSON text.

    Raises
    ------
    NotFoundError : there is no such project in sight.
    """
    project(session, who, query)
    rows = session.execute(_FEATURES, {**bound(who), "id": query.project_id, "most": 5_000})
    return f'{{"type":"FeatureCollection","features":[{",".join(row.feature for row in rows)}]}}'


def require_writer(session: Session, who: ActorView, project_id: UUID) -> ProjectLine:
    """Return a project to who may change it: staff of its county, or its proponent.

    Raises
    ------
    NotFoundError : there is none in sight.
    NotPermittedError : the actor only looks on.
    """
    found = project(session, who, ProjectById(project_id=project_id))
    own = who.party_id is not None and found.proponent_id == who.party_id
    if not (own or who.has("system") or STAFF.intersection(who.roles)):
        raise NotPermittedError(needs=found.proponent)
    return found


def _line(row: Any) -> ProjectLine:  # noqa: ANN401 -- a result row
    found = {name: getattr(row, name) for name in ProjectLine.__dataclass_fields__}
    sha256 = row.document_sha256
    return ProjectLine(
        **found
        | {
            "number": number_text(row.number),
            "document_sha256": None if sha256 is None else bytes(sha256).hex(),
        }
    )


def _ground(row: Any) -> GroundLine:  # noqa: ANN401 -- a result row
    found = {name: getattr(row, name) for name in GroundLine.__dataclass_fields__}
    return GroundLine(**found | {"against": [Against(**one) for one in row.against]})


def _dated(line: Mapping[str, Any]) -> dict[str, Any]:
    return {**line, "effective_at": datetime.fromisoformat(line["effective_at"])}


def _days(line: Mapping[str, Any]) -> dict[str, Any]:
    days = {name: date.fromisoformat(line[name]) for name in ("starts_on", "ends_on")}
    return {**line, **days}


_PROJECTS = text(
    f"""
    SELECT j.id, j.adcode, j.number, j.name, j.status, j.proponent_id, o.name AS proponent,
           j.programme_id, j.programme_version, j.started_on, j.crediting_from, j.crediting_to,
           j.external_number, j.document_sha256, j.submitted_by, s.parcels, s.area_m2
      FROM project j JOIN party o ON o.id = j.proponent_id
      CROSS JOIN LATERAL project_ground(j.id) s
     WHERE {IN_SIGHT}
       AND (cast(:id AS uuid) IS NULL OR j.id = :id)
       AND (cast(:adcode AS text) IS NULL OR j.adcode = :adcode)
       AND (cast(:status AS text) IS NULL OR j.status = :status)
     ORDER BY j.adcode, j.number LIMIT 1000
    """
)
# The body of an act is in its event's envelope; only what the page says is taken out of it.
_PAGE = text(
    f"""
    SELECT g.name_zh AS programme_zh, g.name_en AS programme_en,
           {WHOLE} AS whole,
           coalesce((SELECT jsonb_object_agg(x.answer, x.n) FROM project_answers(j.id) x),
                    '{{}}') AS answers,
           coalesce((SELECT jsonb_agg(jsonb_build_object(
                     'kind', v.kind, 'actor', a.name, 'effective_at', v.effective_at,
                     'note', coalesce(v.body ->> 'reason', ''),
                     'count', coalesce(jsonb_array_length(v.body -> 'parcels'),
                                       jsonb_array_length(v.body -> 'claims')))
                     ORDER BY v.number)
              FROM (SELECT kind, actor_id, effective_at, number, envelope::jsonb -> 'body' AS body
                      FROM event WHERE subject_kind = 'project'
                       AND subject_id = cast(j.id AS text)) v
              JOIN actor a ON a.id = v.actor_id), '[]') AS story,
           coalesce((SELECT jsonb_agg(to_jsonb(x) ORDER BY x.scheme, x.first_year)
              FROM project_claims(j.id) x), '[]') AS claims,
           coalesce((SELECT jsonb_agg(jsonb_build_object(
                     'id', r.id, 'kind', r.kind, 'first_year', lower(r.years),
                     'last_year', upper(r.years) - 1, 'parcels', r.parcels, 'net_kg', r.net_kg,
                     'low_kg', i.net -> 'low_kg', 'high_kg', i.net -> 'high_kg',
                     'effective_at', r.effective_at) ORDER BY r.recorded_at DESC)
              FROM assessment_run r LEFT JOIN LATERAL (SELECT n.body -> 'net' AS net
                   FROM run_interval n WHERE n.run_id = r.id
                  ORDER BY n.recorded_at DESC, n.id LIMIT 1) i ON true
             WHERE r.project_id = j.id), '[]') AS runs,
           coalesce((SELECT jsonb_agg(jsonb_build_object(
                     'id', d.id, 'starts_on', d.starts_on, 'ends_on', d.ends_on,
                     'status', d.status, 'creditable_kg', d.creditable_kg,
                     'verified_kg', d.verified_kg, 'issued_kg', coalesce(
                       (SELECT sum(b.size_kg) FROM batch b WHERE b.period_id = d.id), 0))
                     ORDER BY d.starts_on DESC, d.recorded_at DESC)
              FROM period d WHERE d.project_id = j.id), '[]') AS periods
      FROM project j
      JOIN programme g ON g.id = j.programme_id AND g.version = j.programme_version
     WHERE j.id = :id
    """
)
_AGAINST = (
    "coalesce((SELECT jsonb_agg(jsonb_build_object('rule', f.rule, 'answer', f.answer,"
    " 'code', f.code, 'params', f.params, 'area_m2', f.evidence_area_m2)"
    " ORDER BY f.answer DESC, f.rule)"
    " FROM finding f WHERE f.parcel_id = e.parcel_id AND f.version = e.version"
    " AND f.programme_id = e.programme_id AND f.programme_version = e.programme_version"
    " AND f.input_digest = e.input_digest AND f.answer <> 'eligible'), '[]') AS against"
)
_COLUMNS = (
    "p.id, p.code, d.name AS division, o.name AS owner, p.status, p.version, p.area_m2, e.answer"
)
_JOINS = (
    "LEFT JOIN division d ON d.code = p.division_code LEFT JOIN party o ON o.id = p.owner_id"
    " LEFT JOIN eligibility e ON e.parcel_id = p.id AND e.version = p.version"
    " AND e.programme_id = j.programme_id AND e.programme_version = j.programme_version"
)
_GROUND = text(
    f"SELECT {_COLUMNS}, CASE WHEN k.version <> p.version THEN k.version END AS joined, {_AGAINST}"
    " FROM project j JOIN project_parcel k ON k.project_id = j.id"
    f" JOIN parcel p ON p.id = k.parcel_id {_JOINS}"
    f" WHERE j.id = :id AND ({WHOLE} OR {VISIBLE})"
    " ORDER BY e.answer = 'eligible', d.code, p.code, p.id LIMIT :most"
)
_CANDIDATES = text(
    f"SELECT {_COLUMNS}, CAST(NULL AS int) AS joined, {_AGAINST}"
    f" FROM project j JOIN parcel p ON p.status = 'approved' AND p.kind = :kind {_JOINS}"
    f" WHERE j.id = :id AND {VISIBLE}"
    " AND NOT EXISTS (SELECT FROM project_parcel k"
    "   WHERE k.project_id = j.id AND k.parcel_id = p.id)"
    " AND (cast(:after AS uuid) IS NULL OR p.id > :after)"
    " ORDER BY p.id LIMIT :most"
)
_FEATURES = text(
    f"""
    SELECT json_build_object('type', 'Feature', 'id', p.id,
             'geometry', ST_AsGeoJSON(v.geometry, 7)::json,
             'properties', json_build_object('name', coalesce(p.code, left(p.id::text, 8)),
               'status', coalesce(e.answer, 'unknown'), 'division', d.name, 'owner', o.name,
               'url', CASE WHEN {VISIBLE} THEN '/parcels/' || p.id END))::text AS feature
      FROM project j JOIN project_parcel k ON k.project_id = j.id
      JOIN parcel p ON p.id = k.parcel_id
      JOIN parcel_version v ON v.parcel_id = k.parcel_id AND v.version = k.version
      {_JOINS}
     WHERE j.id = :id AND ({WHOLE} OR {VISIBLE}) ORDER BY p.id LIMIT :most
    """
)
