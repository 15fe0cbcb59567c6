"""Repairs of an import's rows: proposed from what is stored now, accepted one by one or by kind.

A proposal is worked out anew each time it is asked for, so it never is older than the ground; the
row keeps the shape that was read, and what was done to it stands among its findings.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import shapely
from sqlalchemy import text
from sqlalchemy.orm import Session

from geo.repair import REPAIRABLE, Faulty, Kind, Proposal, propose
from geo.shape import shape_digests
from registry import events, import_store, people
from registry.db import Command
from registry.errors import InvalidValueError, NotFoundError, WrongStateError
from registry.import_rows import as_objects
from registry.models.columns import CGCS2000
from registry.places import RowFinding


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptRepairs(Command):
    """Accept the proposals of some rows, or of some kinds."""

    batch_id: UUID
    rows: tuple[int, ...] = ()
    kinds: tuple[Kind, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """A row as its repair left it; no parcel where it was left out as a duplicate."""

    row: int
    kind: Kind
    parcel_id: UUID | None
    area_before_m2: float
    area_after_m2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairsAccepted:
    """What was done."""

    batch_id: UUID
    repaired: tuple[Repaired, ...]


def proposals(session: Session, batch_id: UUID) -> list[Proposal]:
    """Return what could be done about an import's rows; duplicates left out already are gone."""
    rows = [
        Faulty(row=one.row, geometry=shapely.from_wkb(one.wkb), codes=frozenset(one.codes))
        for one in session.execute(_FAULTY, {"batch": batch_id, "codes": sorted(REPAIRABLE)})
    ]
    stored: dict[int, list[Any]] = {}
    for one in session.execute(_STORED, {"batch": batch_id, "rows": [row.row for row in rows]}):
        stored.setdefault(one.row, []).append(shapely.from_wkb(one.wkb))
    return propose(rows, stored)


def shapes(session: Session, batch_id: UUID, rows: Sequence[int]) -> dict[int, Any]:
    """Return the shapes of rows as they were read."""
    found = session.execute(_SHAPES, {"batch": batch_id, "rows": list(rows)})
    return {one.row: shapely.from_wkb(one.wkb) for one in found}


def accept_repairs(session: Session, command: AcceptRepairs) -> RepairsAccepted:
    """Make parcels of repaired rows, with lineage to the row; they wait for approval as any.

    Raises
    ------
    NotFoundError : there is no such import.
    NotPermittedError : somebody else sent it, and the actor is no county administrator.
    WrongStateError : it is not accepted yet, or taken back.
    InvalidValueError : nothing is chosen, or nothing chosen has a proposal.
    ParcelOverlapError : the ground was taken meanwhile (from the database).
    """
    batch = import_store.lock(session, command.batch_id)
    if batch is None:
        raise NotFoundError(what="import", id=command.batch_id)
    if batch.actor_id != command.actor_id:
        people.require_role(session, command, "county")
    if batch.state != "accepted":
        raise WrongStateError(what="batch", state=batch.state, needs="accepted")
    chosen = [
        one
        for one in proposals(session, command.batch_id)
        if one.row in command.rows or one.kind in command.kinds
    ]
    if not chosen:
        raise InvalidValueError(field="rows", value="—", why="没有可采纳的修复 no proposal chosen")
    done = tuple(_carry_out(session, command, one) for one in chosen)
    import_store.settle(session, command.batch_id, "accepted")
    events.record(
        session,
        command,
        kind="parcels.repaired",
        subject=("import_batch", str(command.batch_id)),
        body={"repaired": [[one.row, one.kind, one.parcel_id] for one in done]},
    )
    return RepairsAccepted(batch_id=command.batch_id, repaired=done)


def _carry_out(session: Session, command: AcceptRepairs, one: Proposal) -> Repaired:
    made = None if one.geometry is None else uuid4()
    code = "REPAIR_DROPPED" if made is None else "REPAIR_ACCEPTED"
    note = RowFinding(
        row=one.row,
        code=code,
        severity="warning",
        params={
            "kind": one.kind,
            "before_m2": round(one.area_before_m2, 2),
            "after_m2": round(one.area_after_m2, 2),
        },
    )
    bound: Mapping[str, object] = {
        "batch": command.batch_id,
        "row": one.row,
        "parcel": made,
        "note": json.dumps(as_objects([note])),
        "actor": command.actor_id,
        "at": command.at,
    }
    session.execute(_MARK if made is None else _TAKE, bound)
    if made is not None:
        shape = _placed(one)
        session.execute(_PARCEL, {**bound, **shape})
        session.execute(_VERSION, {**bound, **shape, "reason": f"repair: {one.kind}"})
    return Repaired(
        row=one.row,
        kind=one.kind,
        parcel_id=made,
        area_before_m2=round(one.area_before_m2, 2),
        area_after_m2=round(one.area_after_m2, 2),
    )


def _placed(one: Proposal) -> dict[str, object]:
    (digest,) = shape_digests(np.array([one.geometry], dtype=object))
    located = shapely.set_srid(one.geometry, CGCS2000)
    return {
        "shape": shapely.to_wkb(located, include_srid=True),
        "area": one.area_after_m2,
        "digest": bytes.fromhex(digest or ""),
    }


def select(found: Sequence[Proposal], *, row: int | None, kind: str | None) -> list[Proposal]:
    """Return the proposals of one row, of one kind, or all."""
    return [one for one in found if row in (None, one.row) and kind in (None, one.kind)]


_FAULTY = text(
    """
    SELECT r.row, ST_AsBinary(r.geometry) AS wkb, x.codes
      FROM import_row r CROSS JOIN LATERAL (
        SELECT array_agg(f ->> 'code') FILTER (WHERE f ->> 'severity' <> 'warning') AS codes,
               bool_or(f ->> 'code' = 'REPAIR_DROPPED') AS dropped
          FROM jsonb_array_elements(r.findings) f) x
     WHERE r.batch_id = :batch AND r.status IN ('refused', 'questioned')
       AND r.geometry IS NOT NULL AND x.codes <@ CAST(:codes AS text[]) AND NOT x.dropped
     ORDER BY r.row
    """
)
_STORED = text(
    "SELECT r.row, ST_AsBinary(p.geometry) AS wkb FROM import_row r JOIN parcel p"
    " ON p.kind = r.kind AND p.status IN ('submitted', 'approved') AND p.geometry && r.geometry"
    " WHERE r.batch_id = :batch AND r.row = ANY(CAST(:rows AS int[])) ORDER BY r.row, p.id"
)
_SHAPES = text(
    "SELECT row, ST_AsBinary(geometry) AS wkb FROM import_row"
    " WHERE batch_id = :batch AND row = ANY(CAST(:rows AS int[]))"
)
_MARK = text(
    "UPDATE import_row SET findings = findings || CAST(:note AS jsonb)"
    " WHERE batch_id = :batch AND row = :row"
)
_TAKE = text(
    "UPDATE import_row SET findings = findings || CAST(:note AS jsonb), status = 'accepted',"
    " parcel_id = :parcel WHERE batch_id = :batch AND row = :row"
)
_PARCEL = text(
    """
    INSERT INTO parcel (id, code, kind, status, version, division_code, owner_id, geometry,
                        area_m2, shape_digest, submitted_by)
    SELECT :parcel, r.plot_code, r.kind, 'submitted', 1, coalesce(d.code, b.division_code), o.id,
           CAST(:shape AS geometry), :area, :digest, :actor
      FROM import_row r JOIN import_batch b ON b.id = r.batch_id
      LEFT JOIN division d ON d.code = r.division_code
      LEFT JOIN LATERAL (
        SELECT p.id FROM party p WHERE p.uscc = r.owner_ref OR p.reference = r.owner_ref
         ORDER BY (p.reference = r.owner_ref) IS TRUE DESC LIMIT 1) o ON true
     WHERE r.batch_id = :batch AND r.row = :row
    """
)
_VERSION = text(
    """
    INSERT INTO parcel_version (parcel_id, version, geometry, area_m2, shape_digest, attributes,
                                source_crs, captured_with, batch_id, batch_row, reason, actor_id,
                                effective_at)
    SELECT :parcel, 1, CAST(:shape AS geometry), :area, :digest, r.attributes, b.source_crs,
           'import', r.batch_id, r.row, :reason, :actor, :at
      FROM import_row r JOIN import_batch b ON b.id = r.batch_id
     WHERE r.batch_id = :batch AND r.row = :row
    """
)
