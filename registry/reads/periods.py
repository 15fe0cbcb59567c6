"""Reads of monitoring periods: which an actor may see, one with its acts, the verifier's sample."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import text
from sqlalchemy.orm import Session

from registry.errors import NotFoundError
from registry.people import ActorView
from registry.reads import books
from registry.reads.assessments import RunParcel, parcels_of_run
from registry.reads.projects import IN_SIGHT, Act, ProjectById, ProjectLine, bound, project
from registry.sampling import plan_sample, sample_size

SAMPLE_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodQuery:
    """Periods in a state, of a project; all in sight without."""

    status: Literal["submitted", "verified", "refused", "issued"] | None = None
    project_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodById:
    """One period."""

    period_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodRow:
    """A period in a list; ``ends_on`` is the first day after it."""

    id: UUID
    project_id: UUID
    project: str
    starts_on: date
    ends_on: date
    status: str
    creditable_kg: int
    verified_kg: int | None
    submitted_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """Periods: those that wait for a verifier first, then the newest."""

    items: list[PeriodRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodPage:
    """A period with its project, plan, batches and story."""

    period: books.PeriodView
    project: ProjectLine
    submitted_by_id: UUID
    submitted_by: str
    verifier: str | None
    statement_sha256: str | None
    inputs: dict[str, Any]
    issuing_authority: str
    story: list[Act]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleQuery:
    """The sample of a period; its proposed size without one."""

    period_id: UUID
    size: Annotated[int, Field(ge=1, le=SAMPLE_MAX)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Parcels in the order they are drawn, ``of`` how many, from which seed."""

    seed: str
    size: int
    of: int
    items: list[RunParcel]


def periods(session: Session, who: ActorView, query: PeriodQuery) -> Periods:
    """Return the periods of projects in sight."""
    given = {"id": None, "status": query.status, "project": query.project_id}
    rows = session.execute(_PERIODS, {**bound(who), **given})
    names = PeriodRow.__dataclass_fields__
    return Periods(items=[PeriodRow(**{n: getattr(row, n) for n in names}) for row in rows])


def period(session: Session, who: ActorView, query: PeriodById) -> PeriodPage:
    """Return one period.

    Raises
    ------
    NotFoundError : there is none, or its project is out of sight.
    """
    given = {"id": query.period_id, "status": None, "project": None}
    row = session.execute(_PERIODS, {**bound(who), **given}).first()
    if row is None:
        raise NotFoundError(what="period", id=query.period_id)
    more = session.execute(_MORE, {"id": query.period_id}).one()
    return PeriodPage(
        period=books.period(session, query.period_id),
        project=project(session, who, ProjectById(project_id=row.project_id)),
        submitted_by_id=more.submitted_by,
        submitted_by=row.submitted_by,
        verifier=more.verifier,
        statement_sha256=more.statement and bytes(more.statement).hex(),
        inputs=dict(more.inputs),
        issuing_authority=more.issuing_authority,
        story=[
            Act(**{**one, "effective_at": datetime.fromisoformat(one["effective_at"])})
            for one in more.story
        ],
    )


def sample(session: Session, who: ActorView, query: SampleQuery) -> Sample:
    """Draw a period's sample; the same for everybody, each time.

    Raises
    ------
    NotFoundError : there is no such period in sight.
    """
    page = period(session, who, PeriodById(period_id=query.period_id))
    parcels = list(session.scalars(_PARCELS, {"run": page.period.run_id}))
    size = min(query.size or sample_size(len(parcels)), SAMPLE_MAX)
    seed = str(query.period_id)
    drawn = plan_sample(seed, parcels, size=size)
    seen = {one.id: one for one in parcels_of_run(session, who, page.period.run_id, drawn)}
    return Sample(
        seed=seed,
        size=len(drawn),
        of=len(parcels),
        items=[seen[one] for one in drawn if one in seen],
    )


_PERIODS = text(
    f"""
    SELECT d.id, d.project_id, j.name AS project, d.starts_on, d.ends_on, d.status,
           d.creditable_kg, d.verified_kg, a.name AS submitted_by, d.recorded_at
      FROM period d JOIN project j ON j.id = d.project_id JOIN actor a ON a.id = d.submitted_by
     WHERE {IN_SIGHT}
       AND (cast(:id AS uuid) IS NULL OR d.id = :id)
       AND (cast(:status AS text) IS NULL OR d.status = :status)
       AND (cast(:project AS uuid) IS NULL OR d.project_id = :project)
     ORDER BY d.status <> 'submitted', d.recorded_at DESC LIMIT 500
    """
)
_MORE = text(
    """
    SELECT d.submitted_by, v.name AS verifier, d.statement_sha256 AS statement, d.inputs,
           g.issuing_authority,
           coalesce((SELECT jsonb_agg(jsonb_build_object(
                     'kind', e.kind, 'actor', a.name, 'effective_at', e.effective_at,
                     'note', coalesce(e.envelope::jsonb -> 'body' ->> 'reason', ''),
                     'count', NULL) ORDER BY e.number)
              FROM event e JOIN actor a ON a.id = e.actor_id
             WHERE e.subject_kind = 'period' AND e.subject_id = cast(d.id AS text)), '[]') AS story
      FROM period d JOIN project j ON j.id = d.project_id
      JOIN programme g ON g.id = j.programme_id AND g.version = j.programme_version
      LEFT JOIN party v ON v.id = d.verifier_id
     WHERE d.id = :id
    """
)
_PARCELS = text("SELECT parcel_id FROM assessment_series WHERE run_id = :run")
