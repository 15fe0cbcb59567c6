"""Import: every row of a file is kept; accepted ones become submitted parcels in one transaction.

The file is examined before (``geo.intake``); here its rows meet what is stored.  The ground is
locked first, so that what is found cannot change before it is written.
"""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import shapely
from sqlalchemy import text
from sqlalchemy.orm import Session

from geo.intake import Intake
from registry import divisions, events
from registry.attributes import attribute_findings
from registry.canonical import digest
from registry.copying import copy_rows
from registry.db import Command
from registry.errors import RegistryError
from registry.models.columns import CGCS2000
from registry.places import (
    CODE_FIELDS,
    DIVISION_FIELDS,
    KIND_OF_PROGRAMME,
    KINDS,
    OWNER_FIELDS,
    ImportedParcel,
    ImportReport,
    Kind,
    RowFinding,
)


class NothingAcceptedError(RegistryError):
    """A strict import had a row that was not accepted."""

    code = "IMPORT_NOT_ALL_ACCEPTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportParcels(Command):
    """Take a file in: what it is, where it belongs and what it is for."""

    file_name: str
    file_sha256: str
    division_code: str | None = None
    programme_id: str | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One row on its way: geometry may be missing where it could not be read."""

    row: int
    status: str
    kind: Kind
    geometry: Any
    area_m2: float | None
    shape_digest: str | None
    attributes: Mapping[str, object]
    findings: tuple[RowFinding, ...]
    parcel_id: UUID | None


def preview(session: Session, command: ImportParcels, intake: Intake) -> ImportReport:
    """Return what :func:`import_parcels` would answer now, writing nothing (a dry run)."""
    with session.begin_nested() as savepoint:
        report = import_parcels(session, replace(command, strict=False), intake)
        savepoint.rollback()
    return replace(report, batch_id=None)


def import_parcels(session: Session, command: ImportParcels, intake: Intake) -> ImportReport:
    """Store every row of an examined file; accepted rows become submitted parcels.

    Raises
    ------
    NotFoundError : the division or programme is not known.
    NothingAcceptedError : ``strict`` and some row was not accepted; nothing is stored.
    """
    if command.division_code is not None:
        divisions.require(session, command.division_code)
        command = replace(command, division_code=divisions.full_code(command.division_code))
    batch_id = uuid4()
    rows = _rows(command, intake)
    rows = _outside(session, command.division_code, rows)
    file_findings = [
        *(_finding(found) for found in intake.findings_of(None)),
        *_unchecked(session, command.division_code),
    ]
    _insert_batch(session, command, intake, batch_id=batch_id, rows=rows, findings=file_findings)
    _stage(session, batch_id, rows)
    rows = _against_stored(session, batch_id, rows)
    _insert_parcels(session, command, intake, batch_id, rows)
    report = _report(batch_id, rows, file_findings)
    if command.strict and report.accepted < report.read:
        raise NothingAcceptedError(
            read=report.read, refused=report.refused, questioned=report.questioned
        )
    _record(session, command, report, rows)
    return report


def _rows(command: ImportParcels, intake: Intake) -> list[_Row]:
    by_row: dict[int, list[RowFinding]] = defaultdict(list)
    for found in intake.findings:
        if found.row is not None:
            by_row[found.row].append(_finding(found))
    for row, attributes in zip(intake.rows, intake.attributes, strict=True):
        by_row[int(row)].extend(attribute_findings(int(row), attributes))
    usual = KIND_OF_PROGRAMME.get(command.programme_id or "", "carbon")
    return [
        _Row(
            row=int(row),
            status=answer,
            kind=_kind(attributes, usual),
            geometry=geometry,
            area_m2=None if np.isnan(area) else float(area),
            shape_digest=shape,
            attributes=attributes,
            findings=tuple(by_row[int(row)]),
            parcel_id=uuid4() if answer == "accepted" else None,
        )
        for row, status, geometry, area, shape, attributes in zip(
            intake.rows,
            intake.status,
            intake.geometry,
            intake.area_m2,
            intake.shape_digest,
            intake.attributes,
            strict=True,
        )
        for answer in [_worst(status, by_row[int(row)])]
    ]


def _worst(status: str, findings: Iterable[RowFinding]) -> str:
    """Return the row's answer: refused over questioned over accepted."""
    said = {status, *(found.severity for found in findings)}
    return next(state for state in ("refused", "questioned", "accepted") if state in said)


def _kind(attributes: Mapping[str, object], usual: Kind) -> Kind:
    named = attributes.get("kind")
    return next((kind for kind in KINDS if kind == named), usual)


def _finding(found: Any) -> RowFinding:  # noqa: ANN401 -- geo.findings.Finding, same fields
    return RowFinding(
        row=found.row,
        code=found.code,
        severity=found.severity,
        params=dict(found.params),
        at=found.at,
    )


def _outside(session: Session, division_code: str | None, rows: list[_Row]) -> list[_Row]:
    """Question accepted rows that lie outside the division they are said to be in."""
    boundary = divisions.boundary(session, division_code) if division_code else None
    if boundary is None:
        return rows
    open_ = [n for n, row in enumerate(rows) if row.status == "accepted"]
    geometries = np.array([rows[n].geometry for n in open_], dtype=object)
    shapely.prepare(boundary.geometry)
    points = shapely.point_on_surface(geometries)
    away = ~shapely.contains(boundary.geometry, points)
    checked = list(rows)
    for n, point in zip(np.array(open_)[away], points[away], strict=True):
        checked[n] = _answer(
            rows[n],
            "questioned",
            "OUTSIDE_DIVISION",
            at=(point.x, point.y),
            division=boundary.name,
        )
    return checked


def _unchecked(session: Session, division_code: str | None) -> list[RowFinding]:
    """Warn where no boundary is known, so that nobody takes silence for "inside"."""
    if division_code is None or divisions.boundary(session, division_code) is not None:
        return []
    params = {"division": division_code}
    return [RowFinding(row=None, code="DIVISION_NO_BOUNDARY", severity="warning", params=params)]


def _against_stored(session: Session, batch_id: UUID, rows: list[_Row]) -> list[_Row]:
    """Refuse accepted rows that overlap an active parcel; the ground is locked from here on."""
    kinds = {row.row: row.kind for row in rows if row.status == "accepted"}
    if not kinds:
        return rows
    found = session.execute(_OVERLAPS, {"batch": batch_id, "kinds": json.dumps(kinds)}).all()
    worst: dict[int, Any] = {}
    for one in found:
        if one.row_number not in worst or one.same_shape:
            worst[one.row_number] = one
    changed = []
    for n, row in enumerate(rows):
        if row.row not in worst:
            continue
        clash = worst[row.row]
        code = "DUPLICATE_STORED" if clash.same_shape else "OVERLAP_STORED"
        rows[n] = _answer(
            row,
            "refused",
            code,
            other=clash.other_code or str(clash.other),
            area_m2=round(clash.m2, 2),
        )
        changed.append(rows[n])
    if changed:
        session.execute(
            _REFUSE,
            [
                {"batch": batch_id, "row": row.row, "findings": _json(row.findings)}
                for row in changed
            ],
        )
        session.execute(_COUNTS, {"batch": batch_id})
    return rows


def _answer(
    row: _Row, status: str, code: str, *, at: tuple[float, float] | None = None, **params: object
) -> _Row:
    """Return ``row`` with one finding more that keeps it from being accepted."""
    severity: Any = status
    found = RowFinding(row=row.row, code=code, severity=severity, params=params, at=at)
    return replace(row, status=status, parcel_id=None, findings=(*row.findings, found))


def _insert_batch(
    session: Session,
    command: ImportParcels,
    intake: Intake,
    *,
    batch_id: UUID,
    rows: Sequence[_Row],
    findings: Sequence[RowFinding],
) -> None:
    states = [row.status for row in rows]
    session.execute(
        _BATCH,
        {
            "id": batch_id,
            "actor": command.actor_id,
            "name": command.file_name,
            "sha256": bytes.fromhex(command.file_sha256),
            "format": intake.format,
            "crs": intake.crs_label,
            "encoding": intake.encoding,
            "division": command.division_code,
            "programme": command.programme_id,
            "read": len(rows),
            "accepted": states.count("accepted"),
            "refused": states.count("refused"),
            "questioned": states.count("questioned"),
            "findings": _json(findings),
            "at": command.at,
        },
    )


def _stage(session: Session, batch_id: UUID, rows: Sequence[_Row]) -> None:
    blobs = _ewkb([row.geometry for row in rows])
    copy_rows(
        session,
        "import_row",
        {
            "batch_id": "uuid",
            "row": "int4",
            "status": "text",
            "geometry": "bytea",
            "area_m2": "float8",
            "shape_digest": "bytea",
            "attributes": "jsonb",
            "findings": "jsonb",
            "parcel_id": "uuid",
        },
        (
            (
                batch_id,
                row.row,
                row.status,
                blob,
                row.area_m2,
                _bytes(row.shape_digest),
                _plain(row.attributes),
                _objects(row.findings),
                row.parcel_id,
            )
            for row, blob in zip(rows, blobs, strict=True)
        ),
    )


def _insert_parcels(
    session: Session, command: ImportParcels, intake: Intake, batch_id: UUID, rows: Sequence[_Row]
) -> None:
    taken = [row for row in rows if row.status == "accepted"]
    blobs = _ewkb([row.geometry for row in taken])
    owners = _owners(session, taken)
    villages = _villages(session, command, taken)
    copy_rows(
        session,
        "parcel",
        {
            "id": "uuid",
            "code": "text",
            "kind": "text",
            "status": "text",
            "version": "int4",
            "division_code": "text",
            "owner_id": "uuid",
            "geometry": "bytea",
            "area_m2": "float8",
            "shape_digest": "bytea",
            "submitted_by": "uuid",
        },
        (
            (
                row.parcel_id,
                _code(row.attributes),
                row.kind,
                "submitted",
                1,
                villages.get(row.row),
                owners.get(_owner(row.attributes) or ""),
                blob,
                row.area_m2,
                _bytes(row.shape_digest),
                command.actor_id,
            )
            for row, blob in zip(taken, blobs, strict=True)
        ),
    )
    copy_rows(
        session,
        "parcel_version",
        {
            "parcel_id": "uuid",
            "version": "int4",
            "geometry": "bytea",
            "area_m2": "float8",
            "shape_digest": "bytea",
            "attributes": "jsonb",
            "source_crs": "text",
            "captured_with": "text",
            "batch_id": "uuid",
            "batch_row": "int4",
            "reason": "text",
            "actor_id": "uuid",
            "effective_at": "timestamptz",
        },
        (
            (
                row.parcel_id,
                1,
                blob,
                row.area_m2,
                _bytes(row.shape_digest),
                _plain(row.attributes),
                intake.crs_label,
                "import",
                batch_id,
                row.row,
                "import",
                command.actor_id,
                command.at,
            )
            for row, blob in zip(taken, blobs, strict=True)
        ),
    )


def _owners(session: Session, rows: Iterable[_Row]) -> dict[str, UUID]:
    """Return the parties that the file names by credit code or by reference."""
    named = {name for row in rows if (name := _owner(row.attributes)) is not None}
    if not named:
        return {}
    found = session.execute(_PARTIES, {"codes": sorted(named)})
    return {row.known_as: row.id for row in found}


def _villages(
    session: Session, command: ImportParcels, rows: Sequence[_Row]
) -> dict[int, str | None]:
    """Return each row's division: its village where that is known, else the file's."""
    named = {row.row: _division(command, row.attributes) for row in rows}
    codes = sorted({code for code in named.values() if code})
    known = set(session.scalars(_DIVISIONS, {"codes": codes}))
    return {row: code if code in known else command.division_code for row, code in named.items()}


def _owner(attributes: Mapping[str, object]) -> str | None:
    return _first(attributes, OWNER_FIELDS)


def _division(command: ImportParcels, attributes: Mapping[str, object]) -> str | None:
    """Return the row's own village where it lies below the division of the file."""
    wide = command.division_code
    named = _first(attributes, DIVISION_FIELDS)
    below = wide and divisions.subtree_prefix(wide)
    if named and wide and len(named) == len(wide) and named.startswith(below or ""):
        return named
    return wide


def _code(attributes: Mapping[str, object]) -> str | None:
    return _first(attributes, CODE_FIELDS)


def _first(attributes: Mapping[str, object], fields: Iterable[str]) -> str | None:
    named = (attributes.get(name) for name in fields)
    return next((str(value) for value in named if value not in (None, "")), None)


def _report(batch_id: UUID, rows: Sequence[_Row], file_findings: list[RowFinding]) -> ImportReport:
    states = [row.status for row in rows]
    return ImportReport(
        batch_id=batch_id,
        read=len(rows),
        accepted=states.count("accepted"),
        refused=states.count("refused"),
        questioned=states.count("questioned"),
        findings=file_findings + [found for row in rows for found in row.findings],
        parcels=[
            ImportedParcel(row=row.row, id=row.parcel_id, area_m2=row.area_m2)
            for row in rows
            if row.parcel_id is not None and row.area_m2 is not None
        ],
    )


def _record(
    session: Session, command: ImportParcels, report: ImportReport, rows: Sequence[_Row]
) -> None:
    parcels = [[row.row, row.parcel_id, row.shape_digest] for row in rows if row.parcel_id]
    events.record(
        session,
        command,
        kind="parcels.imported",
        subject=("import_batch", str(report.batch_id)),
        body={
            "file": command.file_name,
            "file_sha256": command.file_sha256,
            "read": report.read,
            "accepted": report.accepted,
            "refused": report.refused,
            "questioned": report.questioned,
            "parcels_digest": digest(parcels),
        },
    )


def _ewkb(geometries: Sequence[Any]) -> Sequence[bytes | None]:
    made: Sequence[bytes | None] = shapely.to_wkb(
        shapely.set_srid(np.array(geometries, dtype=object), CGCS2000), include_srid=True
    ).tolist()
    return made


def _bytes(hexadecimal: str | None) -> bytes | None:
    return bytes.fromhex(hexadecimal) if hexadecimal else None


def _json(findings: Iterable[RowFinding]) -> str:
    return json.dumps(_objects(findings), ensure_ascii=False)


def _objects(findings: Iterable[RowFinding]) -> list[dict[str, object]]:
    return [
        {
            "row": found.row,
            "code": found.code,
            "severity": found.severity,
            "params": _plain(found.params),
            "at": found.at,
        }
        for found in findings
    ]


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    """Return values as JSON can hold them: what is no number, word or list becomes its text."""
    return {name: _plain_value(value) for name, value in values.items()}


def _plain_value(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str | int | float | list | tuple | dict) or value is None:
        return value
    return str(value)


_OVERLAPS = text("SELECT * FROM staged_overlaps(CAST(:batch AS uuid), CAST(:kinds AS jsonb))")
_REFUSE = text(
    "UPDATE import_row SET status = 'refused', parcel_id = NULL,"
    " findings = CAST(:findings AS jsonb) WHERE batch_id = :batch AND row = :row"
)
_COUNTS = text(
    "UPDATE import_batch SET (accepted, refused, questioned) = ("
    " SELECT count(*) FILTER (WHERE status = 'accepted'),"
    " count(*) FILTER (WHERE status = 'refused'),"
    " count(*) FILTER (WHERE status = 'questioned')"
    " FROM import_row WHERE batch_id = :batch) WHERE id = :batch"
)
_BATCH = text(
    "INSERT INTO import_batch (id, actor_id, file_name, file_sha256, file_format, source_crs,"
    " encoding, division_code, programme_id, read_rows, accepted, refused, questioned, findings,"
    " effective_at) VALUES (:id, :actor, :name, :sha256, :format, :crs, :encoding, :division,"
    " :programme, :read, :accepted, :refused, :questioned, CAST(:findings AS jsonb), :at)"
)
_PARTIES = text(
    "SELECT id, uscc AS known_as FROM party WHERE uscc = ANY(:codes)"
    " UNION ALL SELECT id, reference FROM party WHERE reference = ANY(:codes)"
)
_DIVISIONS = text("SELECT code FROM division WHERE code = ANY(:codes)")
