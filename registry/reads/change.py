"""Reads of change: a parcel's series and losses, disturbances in sight with their ground."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import text
from sqlalchemy.orm import Session

from registry import change_series
from registry.change_series import SeriesPoint
from registry.errors import NotFoundError
from registry.people import ActorView
from registry.reads.scope import READABLE, require_readable, scope_of
from sinks.units import DM2_PER_M2, M2_PER_MU

Status = Literal["candidate", "confirmed", "dismissed"]
SHAPES_MAX: Final = 2_000
"""Most shapes of one answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisturbanceQuery:
    """Disturbances by status, year and parcel; ``after`` is the cursor."""

    status: Status | None = None
    year: int | None = None
    parcel_id: UUID | None = None
    after: UUID | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class DisturbanceById:
    """One disturbance."""

    disturbance_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DisturbanceLine:
    """A disturbance in a list; areas of parcels in sight and out of it, m2."""

    id: UUID
    status: str
    year: int
    area_m2: float
    parcels: int
    place: str | None
    kind: str | None
    share_ppm: int | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbances:
    """Disturbances, the newest first."""

    items: list[DisturbanceLine]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchedParcel:
    """A parcel in sight that a disturbance touches, with what the runs before and after say.

    Kilograms are of the event's year by the newest run before the decision and the newest since,
    of the kind that ``run_kind`` names; None where there is none.
    """

    id: UUID
    code: str | None
    division: str | None
    owner: str | None
    parcel_m2: float
    area_m2: float
    run_kind: str | None
    before_run: UUID | None
    after_run: UUID | None
    before_stock_kg: int | None
    after_stock_kg: int | None
    before_net_kg: int | None
    after_net_kg: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionView:
    """What was decided, by whom, when and why."""

    decision: str
    kind: str | None
    share_ppm: int | None
    year: int | None
    occurred_on: date | None
    reason: str
    actor: str
    event_id: UUID
    effective_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """A run asked for again, and how far it is."""

    id: UUID
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DisturbancePage:
    """One disturbance: what the raster showed, what each parcel has of it, what was decided."""

    line: DisturbanceLine
    layer_id: UUID
    layer: str
    layer_sha256: str
    patch_m2: float
    unit_m2: float
    parcels: list[TouchedParcel]
    decision: DecisionView | None
    jobs: list[JobState]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesQuery:
    """A parcel's series."""

    parcel_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LossYear:
    """A parcel's lost ground of a year by the newest loss layer, m2."""

    year: int
    area_m2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelChange:
    """A parcel's means by kind and day, its lost ground by year, its disturbances."""

    parcel_id: UUID
    points: list[SeriesPoint]
    losses: list[LossYear]
    loss_layer: UUID | None
    disturbances: list[DisturbanceLine]


def disturbances(session: Session, who: ActorView, query: DisturbanceQuery) -> Disturbances:
    """Return the disturbances on parcels the actor may see, the newest first."""
    rows = session.execute(
        _LINES,
        {
            **scope_of(who).params(),
            "id": None,
            "status": query.status,
            "year": query.year,
            "parcel": query.parcel_id,
            "after": query.after,
            "most": query.limit + 1,
        },
    ).all()
    items = [_line(row) for row in rows[: query.limit]]
    return Disturbances(items=items, next=str(items[-1].id) if len(rows) > query.limit else None)


def disturbance(session: Session, who: ActorView, query: DisturbanceById) -> DisturbancePage:
    """Return one disturbance.

    Raises
    ------
    NotFoundError : there is none, or none of its parcels is in sight.
    """
    line = _in_sight(session, who, query.disturbance_id)
    given = {**scope_of(who).params(), "id": line.id}
    about = session.execute(_ABOUT, given).one()
    decided = session.execute(_DECIDED, given).first()
    found = session.execute(_TOUCHED, given).mappings()
    return DisturbancePage(
        line=line,
        layer_id=about.layer_id,
        layer=about.name,
        layer_sha256=bytes(about.sha256).hex(),
        patch_m2=about.patch_m2,
        unit_m2=about.unit_m2,
        parcels=[TouchedParcel(**row) for row in found],
        decision=None if decided is None else _decision(decided),
        jobs=[JobState(id=row.id, state=row.state) for row in session.execute(_JOBS, given)],
    )


def shapes(session: Session, who: ActorView, query: DisturbanceQuery) -> dict[str, Any]:
    """Return disturbances in sight as GeoJSON, the largest first where there are very many."""
    rows = session.execute(
        _SHAPES,
        {
            **scope_of(who).params(),
            "id": query.after,
            "status": query.status,
            "year": query.year,
            "parcel": query.parcel_id,
            "most": SHAPES_MAX,
        },
    )
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": str(row.id),
                "geometry": json.loads(row.geometry),
                "properties": {
                    "id": str(row.id),
                    "name": str(row.year),
                    "status": row.status,
                    "area_m2": row.area_m2,
                    "mu": f"{row.area_m2 / M2_PER_MU:,.2f}",
                    "url": f"/disturbances/{row.id}",
                },
            }
            for row in rows
        ],
    }


def ground(session: Session, who: ActorView, query: DisturbanceById) -> dict[str, Any]:
    """Return a disturbance's ground over the parcels in sight that it touches, as GeoJSON.

    Raises
    ------
    NotFoundError : there is none in sight.
    """
    line = _in_sight(session, who, query.disturbance_id)
    rows = session.execute(_GROUND, {**scope_of(who).params(), "id": line.id})
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": str(row.id),
                "geometry": json.loads(row.geometry),
                "properties": {
                    "name": row.name,
                    "status": row.status,
                    "mu": f"{row.area_m2 / M2_PER_MU:,.2f}",
                },
            }
            for row in rows
        ],
    }


def parcel_change(session: Session, who: ActorView, query: SeriesQuery) -> ParcelChange:
    """Return what layers by date show of a parcel.

    Raises
    ------
    NotFoundError : there is no such parcel in sight.
    """
    require_readable(session, who, query.parcel_id)
    lost = session.execute(_LOST, {"parcel": query.parcel_id}).first()
    years = [] if lost is None else zip(lost.years, lost.area_dm2, strict=True)
    mine = DisturbanceQuery(parcel_id=query.parcel_id, limit=200)
    return ParcelChange(
        parcel_id=query.parcel_id,
        points=change_series.of_parcel(session, query.parcel_id),
        losses=[LossYear(year=year, area_m2=dm2 / DM2_PER_M2) for year, dm2 in years],
        loss_layer=None if lost is None else lost.layer_id,
        disturbances=disturbances(session, who, mine).items,
    )


def _in_sight(session: Session, who: ActorView, disturbance_id: UUID) -> DisturbanceLine:
    none = {"status": None, "year": None, "parcel": None, "after": None, "most": 1}
    given = {**scope_of(who).params(), "id": disturbance_id, **none}
    row = session.execute(_LINES, given).first()
    if row is None:
        raise NotFoundError(what="disturbance", id=disturbance_id)
    return _line(row)


def _line(row: Any) -> DisturbanceLine:  # noqa: ANN401 -- a result row
    return DisturbanceLine(
        **{name: getattr(row, name) for name in DisturbanceLine.__dataclass_fields__}
    )


def _decision(row: Any) -> DecisionView:  # noqa: ANN401 -- a result row
    return DecisionView(**{name: getattr(row, name) for name in DecisionView.__dataclass_fields__})


_SEEN = (
    "EXISTS (SELECT FROM disturbance_parcel x JOIN parcel p ON p.id = x.parcel_id"
    f" WHERE x.disturbance_id = d.id AND {READABLE}"
    " AND (cast(:parcel AS uuid) IS NULL OR p.id = :parcel))"
)
_ASKED = (
    f"{_SEEN} AND (cast(:id AS uuid) IS NULL OR d.id = :id)"
    " AND (cast(:status AS text) IS NULL OR d.status = :status)"
    " AND (cast(:year AS int) IS NULL OR d.year = :year)"
)
_LINES = text(
    "SELECT d.id, d.status, coalesce(e.year, d.year) AS year, d.area_m2, e.kind, e.share_ppm,"
    " d.recorded_at, (SELECT count(*) FROM disturbance_parcel x WHERE x.disturbance_id = d.id)"
    " AS parcels, (SELECT v.name FROM disturbance_parcel x JOIN parcel p ON p.id = x.parcel_id"
    " JOIN division v ON v.code = p.division_code WHERE x.disturbance_id = d.id"
    " ORDER BY x.area_m2 DESC LIMIT 1) AS place"
    " FROM disturbance d LEFT JOIN disturbance_decision e ON e.disturbance_id = d.id"
    f" WHERE {_ASKED} AND (cast(:after AS uuid) IS NULL OR (d.recorded_at, d.id) <"
    " (SELECT c.recorded_at, c.id FROM disturbance c WHERE c.id = :after))"
    " ORDER BY d.recorded_at DESC, d.id DESC LIMIT :most"
)
_SHAPES = text(
    "SELECT d.id, d.status, d.year, d.area_m2, ST_AsGeoJSON(d.geometry, 7) AS geometry"
    f" FROM disturbance d WHERE {_ASKED} ORDER BY d.area_m2 DESC, d.id LIMIT :most"
)
_GROUND = text(
    "SELECT p.id, coalesce(p.code, left(p.id::text, 8)) AS name,"
    " CASE p.status WHEN 'returned' THEN 'returned_for_change' ELSE p.status END AS status,"
    " p.area_m2, ST_AsGeoJSON(p.geometry, 7) AS geometry FROM disturbance_parcel x"
    f" JOIN parcel p ON p.id = x.parcel_id WHERE x.disturbance_id = :id AND {READABLE}"
    " UNION ALL SELECT d.id, d.year::text, d.status, d.area_m2, ST_AsGeoJSON(d.geometry, 7)"
    " FROM disturbance d WHERE d.id = :id"
)
_ABOUT = text(
    "SELECT d.layer_id, d.patch_m2, d.unit_m2, l.name, l.sha256 FROM disturbance d"
    " JOIN layer l ON l.id = d.layer_id WHERE d.id = :id"
)
_DECIDED = text(
    "SELECT e.*, a.name AS actor FROM disturbance_decision e JOIN actor a ON a.id = e.actor_id"
    " WHERE e.disturbance_id = :id"
)
_JOBS = text(
    "SELECT j.id, j.state FROM disturbance_decision e JOIN job j ON j.id = ANY(e.job_ids)"
    " WHERE e.disturbance_id = :id ORDER BY j.recorded_at, j.id"
)
_RUN_OF = (
    "SELECT s.run_id, r.kind, s.stock_kg[t.year - s.first_year + 1] AS stock_kg,"
    " s.net_kg[t.year - s.first_year + 1] AS net_kg"
    " FROM assessment_series s JOIN assessment_run r ON r.id = s.run_id"
    " WHERE s.parcel_id = p.id AND t.year BETWEEN lower(r.years) AND upper(r.years) - 1"
)
_TOUCHED = text(
    "SELECT p.id, p.code, v.name AS division, o.name AS owner, p.area_m2 AS parcel_m2, x.area_m2,"
    " b.kind AS run_kind, b.run_id AS before_run, a.run_id AS after_run,"
    " b.stock_kg AS before_stock_kg, a.stock_kg AS after_stock_kg,"
    " b.net_kg AS before_net_kg, a.net_kg AS after_net_kg"
    " FROM (SELECT d.id, coalesce(e.year, d.year) AS year, e.recorded_at FROM disturbance d"
    "  LEFT JOIN disturbance_decision e ON e.disturbance_id = d.id WHERE d.id = :id) t"
    " JOIN disturbance_parcel x ON x.disturbance_id = t.id JOIN parcel p ON p.id = x.parcel_id"
    " LEFT JOIN division v ON v.code = p.division_code LEFT JOIN party o ON o.id = p.owner_id"
    f" LEFT JOIN LATERAL ({_RUN_OF} AND (t.recorded_at IS NULL OR r.recorded_at < t.recorded_at)"
    "  ORDER BY r.kind DESC, r.recorded_at DESC LIMIT 1) b ON true"
    f" LEFT JOIN LATERAL ({_RUN_OF} AND r.recorded_at >= t.recorded_at AND r.kind = b.kind"
    "  ORDER BY r.recorded_at DESC LIMIT 1) a ON true"
    f" WHERE {READABLE} ORDER BY x.area_m2 DESC, p.id"
)
_LOST = text(
    "SELECT s.layer_id, s.years, s.area_dm2 FROM parcel p"
    " JOIN parcel_loss s ON s.parcel_id = p.id AND s.version = p.version"
    " JOIN layer l ON l.id = s.layer_id WHERE p.id = :parcel"
    " ORDER BY l.year DESC, l.recorded_at DESC, s.recorded_at DESC LIMIT 1"
)
