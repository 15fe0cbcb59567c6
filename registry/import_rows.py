"""Rows of a file on their way into ``import_row``: what each says, before it meets the others."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import shapely
from sqlalchemy.orm import Session

from geo.findings import Finding
from geo.intake import Intake
from registry import divisions, within
from registry.attributes import attribute_findings
from registry.copying import copy_rows
from registry.models.columns import CGCS2000
from registry.places import (
    CODE_FIELDS,
    DIVISION_FIELDS,
    KIND_OF_PROGRAMME,
    KINDS,
    OWNER_FIELDS,
    Kind,
    RowFinding,
)

_COLUMNS: Mapping[str, str] = {
    "batch_id": "uuid",
    "row": "int4",
    "status": "text",
    "geometry": "bytea",
    "area_m2": "float8",
    "shape_digest": "bytea",
    "attribute_digest": "bytea",
    "attributes": "jsonb",
    "findings": "jsonb",
    "kind": "text",
    "plot_code": "text",
    "division_code": "text",
    "owner_ref": "text",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a file's rows go: the batch, and what its rows are held against one by one."""

    batch_id: UUID
    division_code: str | None
    programme_id: str | None
    boundary: divisions.Boundary | None
    outlines: Mapping[str, divisions.Boundary]
    """Boundaries of the divisions below, by code: a row that names its village is held to it."""


def stage(session: Session, target: Target, intake: Intake) -> None:
    """Write a run of examined rows; none is accepted yet."""
    findings = _findings(target, intake)
    copy_rows(session, "import_row", _COLUMNS, _rows(target, intake, findings))


def _rows(
    target: Target, intake: Intake, findings: Mapping[int, Sequence[RowFinding]]
) -> Iterator[Sequence[object]]:
    usual = KIND_OF_PROGRAMME.get(target.programme_id or "", "carbon")
    blobs = shapely.to_wkb(shapely.set_srid(intake.geometry, CGCS2000), include_srid=True)
    for n, row in enumerate(map(int, intake.rows)):
        attributes, area, shape = intake.attributes[n], intake.area_m2[n], intake.shape_digest[n]
        yield (
            target.batch_id,
            row,
            worst(intake.status[n], findings.get(row, ())),
            blobs[n],
            None if np.isnan(area) else float(area),
            bytes.fromhex(shape) if shape else None,
            bytes.fromhex(intake.attribute_digest[n]),
            plain(attributes),
            as_objects(findings.get(row, ())),
            _kind(attributes, usual),
            first_of(attributes, CODE_FIELDS),
            _division(target.division_code, attributes),
            first_of(attributes, OWNER_FIELDS),
        )


def _findings(target: Target, intake: Intake) -> dict[int, list[RowFinding]]:
    found: dict[int, list[RowFinding]] = {}
    for one in intake.findings:
        if one.row is not None:
            found.setdefault(one.row, []).append(row_finding(one))
    for row, attributes in zip(map(int, intake.rows), intake.attributes, strict=True):
        for said in attribute_findings(row, attributes):
            found.setdefault(row, []).append(said)
    for said in _outside(target, intake):
        found.setdefault(said.row or 0, []).append(said)
    return found


def _outside(target: Target, intake: Intake) -> Iterator[RowFinding]:
    """Question sound rows that do not lie wholly in the division they are said to be in."""
    held: dict[str, tuple[divisions.Boundary, list[int]]] = {}
    for n in map(int, np.flatnonzero(~np.isnan(intake.area_m2))):
        boundary = _boundary_of(target, intake.attributes[n])
        if boundary is not None:
            held.setdefault(boundary.code, (boundary, []))[1].append(n)
    for boundary, places in held.values():
        answers = within.beyond(list(intake.geometry[places]), boundary.geometry)
        for n, answer in zip(places, answers, strict=True):
            if answer.counts:
                yield _beyond(int(intake.rows[n]), intake.geometry[n], boundary, answer)


def _boundary_of(target: Target, attributes: Mapping[str, object]) -> divisions.Boundary | None:
    """Return the boundary of a row's own village or township where it is known, else the file's."""
    named = divisions.full_code(_division(target.division_code, attributes) or "")
    for digits in sorted(divisions.LEVELS, reverse=True):
        found = target.outlines.get(divisions.full_code(named[:digits]))
        if found is not None:
            return found
    return target.boundary


def _beyond(
    row: int,
    geometry: Any,  # noqa: ANN401 -- shapely
    boundary: divisions.Boundary,
    answer: within.Beyond,
) -> RowFinding:
    away = geometry if answer.whole else shapely.difference(geometry, boundary.geometry)
    point = shapely.point_on_surface(away)
    return RowFinding(
        row=row,
        code="OUTSIDE_DIVISION" if answer.whole else "STRADDLES_DIVISION",
        severity="questioned",
        params={
            "division": boundary.name,
            "outside_m2": round(answer.outside_m2, 1),
            "share_percent": round(answer.share * 100, 1),
        },
        at=(point.x, point.y),
    )


def worst(status: str, findings: Iterable[RowFinding]) -> str:
    """Return a row's answer: refused over questioned over ready."""
    said = {status, *(found.severity for found in findings)}
    return next((state for state in ("refused", "questioned") if state in said), "ready")


def row_finding(found: Finding) -> RowFinding:
    """Return a finding of geometry as the record keeps it."""
    return RowFinding(
        row=found.row,
        code=found.code,
        severity=found.severity,
        params=dict(found.params),
        at=found.at,
    )


def as_objects(findings: Iterable[RowFinding]) -> list[dict[str, object]]:
    """Return findings as JSON can hold them."""
    return [
        {
            "row": found.row,
            "code": found.code,
            "severity": found.severity,
            "params": plain(found.params),
            "at": found.at,
        }
        for found in findings
    ]


def plain(values: Mapping[str, object]) -> dict[str, object]:
    """Return values as JSON can hold them: what is no number, word or list becomes its text."""
    return {name: _plain_value(value) for name, value in values.items()}


def first_of(attributes: Mapping[str, object], fields: Iterable[str]) -> str | None:
    """Return the first of ``fields`` that has a value, as text."""
    named = (attributes.get(name) for name in fields)
    return next((str(value) for value in named if value not in (None, "")), None)


def _plain_value(value: Any) -> object:  # noqa: ANN401
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str):
        return value.replace("\x00", "")  # PostgreSQL keeps no zero character
    if isinstance(value, int | float | list | tuple | dict) or value is None:
        return value
    return str(value)


def _kind(attributes: Mapping[str, object], usual: Kind) -> Kind:
    named = attributes.get("kind")
    return next((kind for kind in KINDS if kind == named), usual)


def _division(wide: str | None, attributes: Mapping[str, object]) -> str | None:
    """Return the row's own village where it lies below the division of the file."""
    named = first_of(attributes, DIVISION_FIELDS)
    below = wide and divisions.subtree_prefix(wide)
    if named and wide and len(named) == len(wide) and named.startswith(below or ""):
        return named
    return wide
