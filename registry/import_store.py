"""Batches in the database: begun, staged run by run, compared, accepted at once, or discarded.

Everything here is set-based: no row passes through Python on its way from batch to parcel.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import numpy as np
import shapely
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from geo.intake import compare_rows
from registry import divisions
from registry.import_rows import Target, as_objects, row_finding
from registry.places import ImportedParcel, ImportReport, RowFinding

State = Literal["reading", "previewed", "accepted", "taken_back"]
WRITTEN_AT_ONCE = 5_000
"""Rows whose findings go to the database in one statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a file is, as its batch keeps it."""

    file_name: str
    file_sha256: str
    format: str
    crs_label: str
    encoding: str
    division_code: str | None
    programme_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of a file: ``read = accepted + refused + questioned``, always."""

    batch_id: UUID
    read: int
    accepted: int
    refused: int
    questioned: int


def begin(
    session: Session,
    facts: Facts,
    *,
    batch_id: UUID,
    actor_id: UUID,
    at: datetime,
    findings: Sequence[RowFinding],
) -> Target:
    """Open a batch, or find it where its reading was broken off; return where its rows go.

    Raises
    ------
    NotFoundError : the division is not known.
    DivisionExpiredError : it was given up before.
    """
    code = facts.division_code
    if code is not None:
        divisions.require(session, code, year=at.year)
        code = divisions.full_code(code)
    boundary = divisions.boundary(session, code) if code else None
    said = [
        *findings,
        *_unchecked(code, boundary),
        *_repeated(session, facts.file_sha256, code, batch_id),
    ]
    session.execute(
        _BEGIN,
        {
            "id": batch_id,
            "actor": actor_id,
            "name": facts.file_name,
            "sha256": bytes.fromhex(facts.file_sha256),
            "format": facts.format,
            "crs": facts.crs_label,
            "encoding": facts.encoding,
            "division": code,
            "programme": facts.programme_id,
            "findings": json.dumps(as_objects(said), ensure_ascii=False),
            "at": at,
        },
    )
    return Target(
        batch_id=batch_id,
        division_code=code,
        programme_id=facts.programme_id,
        boundary=boundary,
        outlines=divisions.outlines_below(session, code) if code else {},
    )


def last_row(session: Session, batch_id: UUID) -> int:
    """Return the number of the last row that is staged, 0 where there is none."""
    return int(session.scalar(_LAST, {"batch": batch_id}) or 0)


def compare(session: Session, batch_id: UUID) -> None:
    """Compare the staged rows with each other: duplicates are refused, overlaps questioned."""
    found = session.execute(_SHAPES, {"batch": batch_id}).all()
    geometry = np.empty(len(found), dtype=object)
    geometry[:] = shapely.from_wkb([one.wkb for one in found])
    said = compare_rows(
        rows=np.array([one.row for one in found], dtype=np.int64),
        geometry=geometry,
        area_m2=np.array([np.nan if o.area_m2 is None else o.area_m2 for o in found], dtype=float),
        shape_digest=[None if o.shape_digest is None else o.shape_digest.hex() for o in found],
        attribute_digest=[one.attribute_digest.hex() for one in found],
        status=[one.status for one in found],
    )
    add_findings(session, batch_id, [row_finding(one) for one in said])


def add_findings(session: Session, batch_id: UUID, findings: Iterable[RowFinding]) -> None:
    """Add findings to staged rows, whose answer becomes the worst that is said of them."""
    by_row: dict[int, list[RowFinding]] = {}
    for found in findings:
        by_row.setdefault(found.row or 0, []).append(found)
    rows = [{"row": row, "findings": as_objects(said)} for row, said in sorted(by_row.items())]
    for start in range(0, len(rows), WRITTEN_AT_ONCE):
        chunk = json.dumps(rows[start : start + WRITTEN_AT_ONCE], ensure_ascii=False)
        session.execute(_FINDINGS, {"batch": batch_id, "rows": chunk})


def note(session: Session, batch_id: UUID, findings: Sequence[RowFinding]) -> None:
    """Add findings about the file as a whole."""
    said = json.dumps(as_objects(findings), ensure_ascii=False)
    session.execute(_NOTES, {"batch": batch_id, "findings": said})


def open_shapes(session: Session, batch_id: UUID) -> np.ndarray[Any, Any]:
    """Return the shapes of the rows that are not refused."""
    found = session.scalars(_OPEN, {"batch": batch_id}).all()
    geometry = np.empty(len(found), dtype=object)
    geometry[:] = shapely.from_wkb(list(found))
    return geometry


def refuse_stored(session: Session, batch_id: UUID) -> None:
    """Refuse ready rows that overlap an active parcel; the ground is locked from here on."""
    session.execute(_CLASHES, {"batch": batch_id})


def settle(session: Session, batch_id: UUID, state: State) -> Counts:
    """Count a batch's rows and move it on."""
    row = session.execute(_SETTLE, {"batch": batch_id, "state": state}).mappings().one()
    return Counts(batch_id=batch_id, **row)


def lock(session: Session, batch_id: UUID) -> Row[Any] | None:
    """Return a batch, held until the transaction ends; None where there is none."""
    return session.execute(_LOCK, {"batch": batch_id}).first()


def make_parcels(session: Session, batch_id: UUID, *, actor_id: UUID, at: datetime) -> None:
    """Turn every ready row into a submitted parcel with its first version; others keep theirs."""
    bound = {"batch": batch_id, "actor": actor_id, "at": at}
    session.execute(_ACCEPT, {"batch": batch_id})
    session.execute(_PARCELS, bound)
    session.execute(_VERSIONS, bound)


def accepted_rows(session: Session, batch_id: UUID) -> Sequence[Row[Any]]:
    """Return (row, parcel_id, shape_digest, area_m2) of a batch's accepted rows."""
    return session.execute(_ACCEPTED, {"batch": batch_id}).all()


def report(session: Session, batch_id: UUID) -> ImportReport:
    """Return what became of a file, from its rows."""
    batch = session.execute(_BATCH, {"batch": batch_id}).one()
    lines = session.execute(_SAID, {"batch": batch_id})
    return ImportReport(
        batch_id=batch_id,
        read=batch.read_rows,
        accepted=batch.accepted,
        refused=batch.refused,
        questioned=batch.questioned,
        findings=[_found(one) for found in (batch.findings, *lines.scalars()) for one in found],
        parcels=[
            ImportedParcel(row=one.row, id=one.parcel_id, area_m2=one.area_m2)
            for one in accepted_rows(session, batch_id)
        ],
    )


def discard(session: Session, batch_id: UUID) -> None:
    """Forget a batch that was not accepted, with every row of it."""
    session.execute(_DISCARD, {"batch": batch_id})


def _unchecked(code: str | None, boundary: divisions.Boundary | None) -> list[RowFinding]:
    """Warn where no boundary is known, so that nobody takes silence for "inside"."""
    if code is None or boundary is not None:
        return []
    return [_warning("DIVISION_NO_BOUNDARY", division=code)]


def _repeated(session: Session, sha256: str, code: str | None, batch_id: UUID) -> list[RowFinding]:
    """Warn that the very same file was imported before."""
    bound = {"sha256": bytes.fromhex(sha256), "division": code, "batch": batch_id}
    before = session.execute(_BEFORE, bound).first()
    if before is None:
        return []
    moment = before.recorded_at.isoformat(timespec="minutes")
    return [_warning("IMPORT_REPEATED", batch=str(before.id), at=moment)]


def _warning(code: str, **params: object) -> RowFinding:
    return RowFinding(row=None, code=code, severity="warning", params=params)


def _found(one: dict[str, Any]) -> RowFinding:
    at = one["at"]
    return RowFinding(
        row=one["row"],
        code=one["code"],
        severity=one["severity"],
        params=one["params"],
        at=None if at is None else (at[0], at[1]),
    )


_BEGIN = text(
    "INSERT INTO import_batch (id, actor_id, file_name, file_sha256, file_format, source_crs,"
    " encoding, division_code, programme_id, read_rows, accepted, refused, questioned, findings,"
    " state, effective_at) VALUES (:id, :actor, :name, :sha256, :format, :crs, :encoding,"
    " :division, :programme, 0, 0, 0, 0, CAST(:findings AS jsonb), 'reading', :at)"
    " ON CONFLICT (id) DO NOTHING"
)
_BEFORE = text(
    "SELECT id, recorded_at FROM import_batch WHERE file_sha256 = :sha256 AND state = 'accepted'"
    " AND accepted > 0 AND division_code IS NOT DISTINCT FROM :division AND id <> :batch"
    " ORDER BY recorded_at LIMIT 1"
)
_LAST = text("SELECT max(row) FROM import_row WHERE batch_id = :batch")
_SHAPES = text(
    # What geometry alone says of a row; its attributes and its division are another matter.
    """
    SELECT r.row, ST_AsBinary(r.geometry) AS wkb, r.area_m2, r.shape_digest, r.attribute_digest,
           CASE WHEN r.findings @? '$[*] ? (@.severity == "refused"
                  && !(@.code starts with "ATTR_"))' THEN 'refused'
                WHEN r.findings @? '$[*] ? (@.severity == "questioned"
                  && !(@.code starts with "ATTR_") && @.code != "OUTSIDE_DIVISION"
                  && @.code != "STRADDLES_DIVISION")'
                THEN 'questioned' ELSE 'accepted' END AS status
      FROM import_row r WHERE r.batch_id = :batch ORDER BY r.row
    """
)
_OPEN = text(
    "SELECT ST_AsBinary(geometry) FROM import_row"
    " WHERE batch_id = :batch AND status <> 'refused' AND geometry IS NOT NULL"
)
_FINDINGS = text(
    """
    UPDATE import_row r SET findings = r.findings || x.findings,
           status = CASE
             WHEN r.status = 'refused' OR x.findings @> '[{"severity": "refused"}]' THEN 'refused'
             WHEN r.status = 'questioned' OR x.findings @> '[{"severity": "questioned"}]'
             THEN 'questioned' ELSE r.status END
      FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS x(row int, findings jsonb)
     WHERE r.batch_id = :batch AND r.row = x.row
    """
)
_NOTES = text(
    "UPDATE import_batch SET findings = findings || CAST(:findings AS jsonb) WHERE id = :batch"
)
_CLASHES = text(
    """
    WITH clash AS (
      SELECT DISTINCT ON (row_number) * FROM staged_overlaps(:batch)
       ORDER BY row_number, same_shape DESC, m2 DESC)
    UPDATE import_row r SET status = 'refused', findings = r.findings || jsonb_build_array(
             jsonb_build_object('row', r.row, 'severity', 'refused', 'at', NULL,
               'code', CASE WHEN c.same_shape THEN 'DUPLICATE_STORED' ELSE 'OVERLAP_STORED' END,
               'params', jsonb_build_object('other', coalesce(c.other_code, c.other::text),
                                            'area_m2', round(c.m2::numeric, 2))))
      FROM clash c WHERE r.batch_id = :batch AND r.row = c.row_number
    """
)
_SETTLE = text(
    "UPDATE import_batch SET state = :state, (read_rows, accepted, refused, questioned) = ("
    " SELECT count(*), count(*) FILTER (WHERE status IN ('ready', 'accepted')),"
    " count(*) FILTER (WHERE status = 'refused'), count(*) FILTER (WHERE status = 'questioned')"
    " FROM import_row WHERE batch_id = :batch) WHERE id = :batch"
    " RETURNING read_rows AS read, accepted, refused, questioned"
)
_LOCK = text("SELECT * FROM import_batch WHERE id = :batch FOR UPDATE")
_ACCEPT = text(
    "UPDATE import_row SET status = 'accepted', parcel_id = gen_random_uuid()"
    " WHERE batch_id = :batch AND status = 'ready'"
)
_PARCELS = text(
    """
    INSERT INTO parcel (id, code, kind, status, version, division_code, owner_id, geometry,
                        area_m2, shape_digest, submitted_by)
    SELECT r.parcel_id, r.plot_code, r.kind, 'submitted', 1,
           coalesce(d.code, b.division_code), o.id, r.geometry, r.area_m2, r.shape_digest, :actor
      FROM import_row r JOIN import_batch b ON b.id = r.batch_id
      LEFT JOIN division d ON d.code = r.division_code
      LEFT JOIN LATERAL (
        SELECT p.id FROM party p WHERE p.uscc = r.owner_ref OR p.reference = r.owner_ref
         ORDER BY (p.reference = r.owner_ref) IS TRUE DESC LIMIT 1) o ON true
     WHERE r.batch_id = :batch AND r.status = 'accepted'
       AND NOT EXISTS (SELECT FROM parcel p WHERE p.id = r.parcel_id) ORDER BY r.row
    """
)
_VERSIONS = text(
    """
    INSERT INTO parcel_version (parcel_id, version, geometry, area_m2, shape_digest, attributes,
                                source_crs, captured_with, batch_id, batch_row, reason, actor_id,
                                effective_at)
    SELECT r.parcel_id, 1, r.geometry, r.area_m2, r.shape_digest, r.attributes, b.source_crs,
           'import', r.batch_id, r.row, 'import', :actor, :at
      FROM import_row r JOIN import_batch b ON b.id = r.batch_id
     WHERE r.batch_id = :batch AND r.status = 'accepted'
       AND NOT EXISTS (SELECT FROM parcel_version v WHERE v.parcel_id = r.parcel_id) ORDER BY r.row
    """
)
_ACCEPTED = text(
    "SELECT row, parcel_id, shape_digest, area_m2 FROM import_row"
    " WHERE batch_id = :batch AND status = 'accepted' ORDER BY row"
)
_BATCH = text("SELECT * FROM import_batch WHERE id = :batch")
_SAID = text(
    "SELECT findings FROM import_row WHERE batch_id = :batch AND findings <> '[]' ORDER BY row"
)
_DISCARD = text("SELECT discard_import(:batch)")
