"""Reads of assessment runs: which an actor may see, their years, their parcels.

A run of a project is seen by who sees the project, another by who may see a parcel of it; sums
are over the parcels the actor may see, so nobody reads another's ground out of a total.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from registry import assessments
from registry.assessments import Explanation, NoAssessmentError, RunView, YearSum
from registry.errors import NotFoundError
from registry.people import ActorView
from registry.reads.projects import IN_SIGHT, WHOLE, bound
from registry.reads.scope import VISIBLE

GROUND: Final = f"((j.id IS NOT NULL AND {WHOLE}) OR {VISIBLE})"
"""True for a parcel ``p`` of a run (of project ``j``, if any) whose figures the actor may see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQuery:
    """Runs of a project, of a kind; ``before`` is the cursor."""

    project_id: UUID | None = None
    kind: Literal["forecast", "monitored"] | None = None
    before: datetime | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class RunById:
    """One run."""

    run_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """A run in a list; ``parcels`` are all it covers."""

    id: UUID
    kind: str
    project_id: UUID | None
    project: str | None
    first_year: int
    last_year: int
    parcels: int
    actor: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Runs, the newest first."""

    items: list[RunLine]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """A run with the digests of its inputs and the sums of each year over the parcels in sight.

    ``other`` are the sums of the project's newest run of the other kind, where there is one.
    """

    line: RunLine
    run: RunView
    years: list[YearSum]
    other_run: UUID | None
    other: list[YearSum]
    flagged: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelsQuery:
    """Parcels of a run; ``after`` is the cursor."""

    run_id: UUID
    after: UUID | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RunParcel:
    """A parcel of a run: stock at the end of the last year, net over the years, codes of flags."""

    id: UUID
    code: str | None
    division: str | None
    version: int
    area_m2: float
    stock_kg: int
    net_kg: int
    flags: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunParcels:
    """Parcels of a run by id."""

    items: list[RunParcel]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelQuery:
    """A parcel in a run."""

    run_id: UUID
    parcel_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelYears:
    """A parcel's years in a run, and what a reader must know of them."""

    parcel: RunParcel
    years: list[YearSum]
    flags: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplanationQuery:
    """A figure of a run: parcel and year."""

    run_id: UUID
    parcel_id: UUID
    year: int


def runs(session: Session, who: ActorView, query: RunQuery) -> Runs:
    """Return the runs the actor may see, the newest first."""
    given = {
        "id": None,
        "project": query.project_id,
        "kind": query.kind,
        "before": query.before,
        "most": query.limit + 1,
    }
    rows = session.execute(_RUNS, {**bound(who), **given}).all()
    items = [_line(row) for row in rows[: query.limit]]
    more = len(rows) > query.limit
    return Runs(items=items, next=items[-1].recorded_at.isoformat() if more else None)


def run(session: Session, who: ActorView, query: RunById) -> RunPage:
    """Return one run with the sums of its years.

    Raises
    ------
    NotFoundError : there is none, or the actor may see nothing of it.
    """
    line = _in_sight(session, who, query.run_id)
    view = assessments.run(session, query.run_id)
    assert view is not None  # noqa: S101 -- its line was just read
    other = session.execute(_OTHER, {"project": line.project_id, "kind": line.kind}).first()
    flagged = session.execute(_FLAGS, {**bound(who), "run": line.id})
    return RunPage(
        line=line,
        run=view,
        years=_years(session, who, line.id),
        other_run=other.id if other else None,
        other=_years(session, who, other.id) if other else [],
        flagged={row.code: row.n for row in flagged},
    )


def run_parcels(session: Session, who: ActorView, query: ParcelsQuery) -> RunParcels:
    """Return the parcels of a run that the actor may see.

    Raises
    ------
    NotFoundError : there is no such run in sight.
    """
    _in_sight(session, who, query.run_id)
    given = {"run": query.run_id, "ids": None, "after": query.after, "most": query.limit + 1}
    rows = session.execute(_PARCELS, {**bound(who), **given}).all()
    items = [_parcel(row) for row in rows[: query.limit]]
    return RunParcels(items=items, next=str(items[-1].id) if len(rows) > query.limit else None)


def parcels_of_run(
    session: Session, who: ActorView, run_id: UUID, parcel_ids: Sequence[UUID]
) -> list[RunParcel]:
    """Return those of some parcels that are in a run and in sight, by id."""
    given = {"run": run_id, "ids": list(parcel_ids), "after": None, "most": len(parcel_ids)}
    return [_parcel(row) for row in session.execute(_PARCELS, {**bound(who), **given})]


def parcel_years(session: Session, who: ActorView, query: ParcelQuery) -> ParcelYears:
    """Return a parcel's years in a run.

    Raises
    ------
    NotFoundError : it is not in the run, or out of sight.
    """
    line = next(iter(parcels_of_run(session, who, query.run_id, [query.parcel_id])), None)
    if line is None:
        raise NotFoundError(what="assessment", id=query.parcel_id)
    found = assessments.of_parcel(session, query.parcel_id, run_id=query.run_id)
    assert found is not None  # noqa: S101 -- its row was just read
    return ParcelYears(parcel=line, years=found.years, flags=found.flags)


def explanation(session: Session, who: ActorView, query: ExplanationQuery) -> Explanation:
    """Say how a figure of a run came about.

    Raises
    ------
    NotFoundError : the parcel is not in the run, or out of sight.
    NoAssessmentError : the run has no such year.
    """
    years = parcel_years(session, who, ParcelQuery(run_id=query.run_id, parcel_id=query.parcel_id))
    if query.year not in {one.year for one in years.years}:
        raise NoAssessmentError(parcel=str(query.parcel_id), year=query.year)
    return assessments.explain(session, query.parcel_id, query.year, query.run_id)


def latest_run(
    session: Session, parcel_id: UUID, *, kind: Literal["forecast", "monitored"]
) -> UUID | None:
    """Return the newest run of a kind that covers a parcel."""
    found = assessments.of_parcel(session, parcel_id, kind=kind)
    return None if found is None else found.run_id


def may_see(session: Session, who: ActorView, run_id: UUID) -> bool:
    """Say whether an actor may open a run's page."""
    return _found(session, who, run_id) is not None


def _in_sight(session: Session, who: ActorView, run_id: UUID) -> RunLine:
    row = _found(session, who, run_id)
    if row is None:
        raise NotFoundError(what="assessment", id=run_id)
    return _line(row)


def _found(session: Session, who: ActorView, run_id: UUID) -> Row[Any] | None:
    given = {"id": run_id, "project": None, "kind": None, "before": None, "most": 1}
    return session.execute(_RUNS, {**bound(who), **given}).first()


def _years(session: Session, who: ActorView, run_id: UUID) -> list[YearSum]:
    rows = session.execute(_YEARS, {**bound(who), "run": run_id})
    return [
        YearSum(
            year=row.year, stock_kg=int(row.stock_kg), net_kg=int(row.net_kg), parcels=row.parcels
        )
        for row in rows
    ]


def _line(row: Any) -> RunLine:  # noqa: ANN401 -- a result row
    return RunLine(**{name: getattr(row, name) for name in RunLine.__dataclass_fields__})


def _parcel(row: Any) -> RunParcel:  # noqa: ANN401 -- a result row
    return RunParcel(**{name: getattr(row, name) for name in RunParcel.__dataclass_fields__})


_RUNS = text(
    f"""
    SELECT r.id, r.kind, r.project_id, j.name AS project, lower(r.years) AS first_year,
           upper(r.years) - 1 AS last_year, r.parcels, a.name AS actor, r.recorded_at
      FROM assessment_run r JOIN actor a ON a.id = r.actor_id
      LEFT JOIN project j ON j.id = r.project_id
     WHERE (cast(:id AS uuid) IS NULL OR r.id = :id)
       AND (cast(:project AS uuid) IS NULL OR r.project_id = :project)
       AND (cast(:kind AS text) IS NULL OR r.kind = :kind)
       AND (cast(:before AS timestamptz) IS NULL OR r.recorded_at < :before)
       AND ((j.id IS NOT NULL AND {IN_SIGHT})
            OR EXISTS (SELECT FROM assessment_series s JOIN parcel p ON p.id = s.parcel_id
                        WHERE s.run_id = r.id AND {VISIBLE}))
     ORDER BY r.recorded_at DESC, r.id LIMIT :most
    """
)
_OF_RUN = (
    " FROM assessment_run r JOIN assessment_series s ON s.run_id = r.id"
    " JOIN parcel p ON p.id = s.parcel_id LEFT JOIN project j ON j.id = r.project_id"
)
_YEARS = text(
    "SELECT s.first_year + i::int - 1 AS year, sum(s.stock_kg[i]) AS stock_kg,"
    f" sum(s.net_kg[i]) AS net_kg, count(*) AS parcels{_OF_RUN}"
    " CROSS JOIN LATERAL generate_series(1, cardinality(s.net_kg)) AS i"
    f" WHERE r.id = :run AND {GROUND} GROUP BY 1 ORDER BY 1"
)
_FLAGS = text(
    f"SELECT f ->> 'code' AS code, count(DISTINCT s.parcel_id) AS n{_OF_RUN}"
    " CROSS JOIN LATERAL jsonb_array_elements(s.flags) AS f"
    f" WHERE r.id = :run AND {GROUND} GROUP BY 1 ORDER BY 2 DESC, 1"
)
_OTHER = text(
    "SELECT id FROM assessment_run WHERE project_id = cast(:project AS uuid) AND kind <> :kind"
    " ORDER BY recorded_at DESC LIMIT 1"
)
_PARCELS = text(
    "SELECT p.id, p.code, d.name AS division, s.version, v.area_m2,"
    " s.stock_kg[cardinality(s.stock_kg)] AS stock_kg,"
    " (SELECT sum(n) FROM unnest(s.net_kg) n)::bigint AS net_kg,"
    " ARRAY(SELECT DISTINCT f ->> 'code' FROM jsonb_array_elements(s.flags) f ORDER BY 1) AS flags"
    f"{_OF_RUN}"
    " JOIN parcel_version v ON v.parcel_id = s.parcel_id AND v.version = s.version"
    " LEFT JOIN division d ON d.code = p.division_code"
    f" WHERE r.id = :run AND {GROUND} AND (cast(:ids AS uuid[]) IS NULL OR p.id = ANY(:ids))"
    " AND (cast(:after AS uuid) IS NULL OR p.id > :after) ORDER BY p.id LIMIT :most"
)
