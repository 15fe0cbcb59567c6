"""Reads of imports: a list of files, and one file row by row."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import text
from sqlalchemy.orm import Session

from registry.errors import NotFoundError
from registry.people import ActorView
from registry.reads.places import FEATURES_MAX, Page
from registry.reads.scope import scope_of


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchQuery:
    """Imports, the newest first; ``before`` is the cursor."""

    before: datetime | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchById:
    """One import."""

    batch_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLine:
    """An import in a list: what was read and how much of it still waits for approval."""

    id: UUID
    file_name: str
    sender: str
    sender_id: UUID
    division: str | None
    read: int
    accepted: int
    refused: int
    questioned: int
    waiting: int
    approved: int
    state: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """One row of a file with its answer."""

    row: int
    status: str
    area_m2: float | None
    parcel_id: UUID | None
    findings: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPage:
    """An import with the rows that have findings, at most 500, and the file's own findings."""

    line: BatchLine
    file_format: str
    source_crs: str
    encoding: str | None
    file_sha256: str
    findings: list[dict[str, Any]]
    rows: list[BatchRow]


def batches(session: Session, who: ActorView, query: BatchQuery) -> Page[BatchLine]:
    """Return the imports the actor may see, the newest first."""
    bound = {**_bound(who), "id": None, "before": query.before, "limit": query.limit + 1}
    rows = session.execute(_BATCHES, bound).all()
    items = [_line(row) for row in rows[: query.limit]]
    more = len(rows) > query.limit
    return Page(items=items, next=items[-1].recorded_at.isoformat() if more else None)


def batch(session: Session, who: ActorView, query: BatchById) -> BatchPage:
    """Return one import.

    Raises
    ------
    NotFoundError : there is none, or the actor may not see it.
    """
    bound = {**_bound(who), "id": query.batch_id, "before": None, "limit": 1}
    row = session.execute(_BATCHES, bound).first()
    if row is None:
        raise NotFoundError(what="import", id=query.batch_id)
    return BatchPage(
        line=_line(row),
        file_format=row.file_format,
        source_crs=row.source_crs,
        encoding=row.encoding,
        file_sha256=bytes(row.file_sha256).hex(),
        findings=list(row.findings),
        rows=[
            BatchRow(
                row=one["row"],
                status=one["status"],
                area_m2=one["area_m2"],
                parcel_id=UUID(one["parcel_id"]) if one["parcel_id"] else None,
                findings=one["findings"],
            )
            for one in row.faulty or ()
        ],
    )


def batch_features(session: Session, who: ActorView, query: BatchById) -> str:
    """Return the rows of an import that can be drawn, as GeoJSON text.

    Raises
    ------
    NotFoundError : there is no such import, or the actor may not see it.
    """
    batch(session, who, query)
    lines = [
        row.feature
        for row in session.execute(_FEATURES, {"id": query.batch_id, "most": FEATURES_MAX})
    ]
    return f'{{"type":"FeatureCollection","features":[{",".join(lines)}]}}'


def _bound(who: ActorView) -> dict[str, object]:
    scope = scope_of(who).params()
    return {"everything": scope["everything"], "prefix": scope["prefix"], "me": who.id}


def _line(row: Any) -> BatchLine:  # noqa: ANN401
    names = BatchLine.__dataclass_fields__
    return BatchLine(**{name: getattr(row, name) for name in names})


_BATCHES = text(
    """
    SELECT b.id, b.file_name, a.name AS sender, b.actor_id AS sender_id, d.name AS division,
           b.read_rows AS read, b.accepted, b.refused, b.questioned, b.recorded_at,
           b.file_format, b.source_crs, b.encoding, b.file_sha256, b.findings, b.state,
           state.waiting, state.approved,
           CASE WHEN cast(:id AS uuid) IS NOT NULL THEN
             (SELECT jsonb_agg(x.line ORDER BY x.row) FROM (
                SELECT r.row, jsonb_build_object('row', r.row, 'status', r.status,
                         'area_m2', r.area_m2, 'parcel_id', r.parcel_id,
                         'findings', r.findings) AS line
                  FROM import_row r WHERE r.batch_id = b.id AND r.findings <> '[]'
                 ORDER BY r.row LIMIT 500) x) END AS faulty
      FROM import_batch b
      JOIN actor a ON a.id = b.actor_id
      LEFT JOIN division d ON d.code = rpad(b.division_code, 12, '0')
      CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE p.status = 'submitted') AS waiting,
               count(*) FILTER (WHERE p.status = 'approved') AS approved
          FROM import_row r JOIN parcel p ON p.id = r.parcel_id WHERE r.batch_id = b.id) state
     WHERE (cast(:everything AS boolean) OR b.actor_id = cast(:me AS uuid)
            OR rpad(b.division_code, 12, '0') LIKE cast(:prefix AS text))
       AND (cast(:id AS uuid) IS NULL OR b.id = :id)
       AND (cast(:before AS timestamptz) IS NULL OR b.recorded_at < :before)
     ORDER BY b.recorded_at DESC LIMIT :limit
    """
)
_FEATURES = text(
    """
    SELECT json_build_object('type', 'Feature', 'id', r.row,
             'geometry', ST_AsGeoJSON(r.geometry, 7)::json,
             'properties', json_build_object('name', r.row::text, 'row', r.row,
               'status', CASE WHEN p.status = 'approved' THEN 'approved'
                              WHEN r.status = 'ready' THEN 'accepted' ELSE r.status END,
               'url', '/parcels/' || r.parcel_id))::text AS feature
      FROM import_row r LEFT JOIN parcel p ON p.id = r.parcel_id
     WHERE r.batch_id = :id AND r.geometry IS NOT NULL AND NOT ST_IsEmpty(r.geometry)
     ORDER BY r.row LIMIT :most
    """
)
