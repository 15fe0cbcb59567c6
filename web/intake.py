"""A file of parcels from the wire: examined, tried, taken in; the report in words."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import shapely

from geo.helmert import parse_helmert
from geo.intake import Intake, IntakeOptions, examine
from registry import import_jobs, imports
from registry.divisions import ground as division_ground
from registry.places import ImportReport, RowFinding
from registry.reads.scope import require_division
from web import messages
from web.context import act, actor, reading

AT_ONCE_BYTES_MAX: Final = 4_000_000
"""A larger file is read by a job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidFinding:
    """A finding in both languages."""

    row: int | None
    code: str
    severity: str
    zh: str
    en: str
    remedy_zh: str
    remedy_en: str
    params: dict[str, Any]
    at: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedRow:
    """An accepted row and its parcel; no parcel in a dry run."""

    row: int
    id: UUID
    area_m2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidReport:
    """What became of a file, in words: ``read = accepted + refused + questioned``."""

    batch_id: UUID | None
    read: int
    accepted: int
    refused: int
    questioned: int
    findings: list[SaidFinding]
    parcels: list[AcceptedRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions:
    """How a file is to be read."""

    crs: str | None = None
    crs_parameters: str | None = None
    encoding: str | None = None


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def preview(
    path: Path, command: imports.ImportParcels, options: FileOptions
) -> tuple[SaidReport, Intake]:
    """Return what an import would answer now, writing nothing, and what was read.

    Raises
    ------
    geo.errors.FileError, geo.errors.CrsError : the file as a whole cannot be read.
    """
    require_division(actor(), command.division_code)
    intake = _examined(path, command, options)
    with reading() as session:
        return said(imports.preview(session, command, intake)), intake


def _examined(path: Path, command: imports.ImportParcels, options: FileOptions) -> Intake:
    """Examine a file; the boundary of its division helps to tell shifted coordinates."""
    with reading() as session:
        ground = division_ground(session, command.division_code)
    parameters = parse_helmert(options.crs_parameters) if options.crs_parameters else None
    settings = IntakeOptions(division=ground, parameters=parameters)
    return examine(path, crs=options.crs, encoding=options.encoding, options=settings)


def take(path: Path, command: imports.ImportParcels, options: FileOptions) -> SaidReport:
    """Import a file, once for the command's key.

    Raises
    ------
    geo.errors.FileError, geo.errors.CrsError : the file as a whole cannot be read.
    """
    require_division(actor(), command.division_code)
    intake = _examined(path, command, options)
    return said(act(partial(imports.import_parcels, intake=intake), command))


def ask(
    path: Path, command: imports.ImportParcels, options: FileOptions, *, accept: bool
) -> import_jobs.JobAsked:
    """Have a large file read by a job; with ``accept`` what is acceptable is taken at once."""
    require_division(actor(), command.division_code)
    asked = import_jobs.RequestImport(
        at=command.at,
        actor_id=command.actor_id,
        key=command.key,
        file_name=command.file_name,
        file_sha256=command.file_sha256,
        division_code=command.division_code,
        programme_id=command.programme_id,
        strict=command.strict,
        path=str(path.resolve()),
        crs=options.crs,
        crs_parameters=options.crs_parameters,
        encoding=options.encoding,
        accept=accept,
    )
    return act(import_jobs.request, asked)


def said(report: ImportReport) -> SaidReport:
    """Return a report with every finding in words."""
    return SaidReport(
        batch_id=report.batch_id,
        read=report.read,
        accepted=report.accepted,
        refused=report.refused,
        questioned=report.questioned,
        findings=[said_finding(found) for found in report.findings],
        parcels=[
            AcceptedRow(row=one.row, id=one.id, area_m2=one.area_m2) for one in report.parcels
        ],
    )


def said_finding(found: RowFinding) -> SaidFinding:
    """Return one finding in words."""
    words = messages.say(found.code, {"row": found.row, **found.params})
    return SaidFinding(
        row=found.row,
        code=found.code,
        severity=found.severity,
        zh=words.zh,
        en=words.en,
        remedy_zh=words.remedy_zh,
        remedy_en=words.remedy_en,
        params=dict(found.params),
        at=found.at,
    )


def row_features(intake: Intake, report: SaidReport) -> str:
    """Return the rows that can be drawn as GeoJSON text, each with its answer."""
    worst: dict[int | None, str] = {}
    for found in report.findings:
        counts = found.row is not None and found.severity in {"refused", "questioned"}
        if counts and worst.get(found.row) != "refused":
            worst[found.row] = found.severity
    features = [
        _feature(shapely.to_geojson(geometry), row=int(row), status=worst.get(int(row), status))
        for row, geometry, status in zip(intake.rows, intake.geometry, intake.status, strict=True)
        if geometry is not None
    ]
    return json.dumps({"type": "FeatureCollection", "features": features})


def features(shapes: Iterable[tuple[int, Any, str]]) -> str:
    """Return (row, shape, answer) as GeoJSON text."""
    made = [
        _feature(shapely.to_geojson(shape), row=row, status=status) for row, shape, status in shapes
    ]
    return json.dumps({"type": "FeatureCollection", "features": made})


def finding_features(findings: list[SaidFinding]) -> str:
    """Return the places of findings as GeoJSON text."""
    features = [
        _feature(
            {"type": "Point", "coordinates": found.at},
            row=found.row,
            severity=found.severity,
            code=found.code,
        )
        for found in findings
        if found.at is not None
    ]
    return json.dumps({"type": "FeatureCollection", "features": features})


def _feature(geometry: str | Mapping[str, Any], **properties: object) -> dict[str, Any]:
    shape = json.loads(geometry) if isinstance(geometry, str) else geometry
    return {
        "type": "Feature",
        "id": properties.get("row"),
        "geometry": shape,
        "properties": {"name": str(properties.get("row")), **properties},
    }
