"""A file of parcels examined: every row accepted, questioned or refused, with reasons.

Rows are judged by themselves first (`_examine_rows`), then against each other. Nothing depends on
the order of the rows: of identical shapes the one kept is chosen by its attributes.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.area import area_m2
from geo.crs import ReferenceSystem, is_ballpark, parse_crs, to_cgcs2000
from geo.doubt import judge
from geo.fields import field_findings
from geo.findings import Finding, Severity, questioned, refused, warning
from geo.helmert import Helmert
from geo.overlap import overlap_pairs
from geo.placing import to_ground
from geo.shape import (
    attribute_digest,
    find_spikes,
    shape_digests,
    to_multipolygons,
    validity_fault,
)
from geo.slips import in_china
from geo.vector import Limits, RawFeature, open_features
from geo.vector.geojson import parse_document

FloatArray = NDArray[np.float64]
Geometries = NDArray[np.object_]
Status = Literal["accepted", "questioned", "refused"]

AREA_M2_MIN: Final = 1.0
"""A parcel smaller than this is refused as a slip of the pen, m2."""

_RANK: Final[dict[Severity, int]] = {"refused": 0, "questioned": 1, "warning": 2}
_STATES: Final[tuple[Status, ...]] = ("refused", "questioned", "accepted")
"""State of a row by the rank of its worst finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeOptions:
    """Settings of an examination."""

    limits: Limits = field(default_factory=Limits)
    area_m2_min: float = AREA_M2_MIN
    check_overlap: bool = True
    layer: str | None = None
    parameters: Helmert | None = None
    division: Any = None
    """Boundary, in EPSG:4490, of the division that the parcels are said to be in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What an examination found; all arrays and tuples are in file order.

    Attributes
    ----------
    rows
        (n,) row numbers from 1.
    geometry
        (n,) MultiPolygons in EPSG:4490, or None. A refused row keeps its geometry where it can be
        drawn; a questioned row has the geometry of the proposed reading.
    area_m2
        (n,) area on the CGCS2000 ellipsoid, NaN without a sound geometry.
    shape_digest
        SHA-256 that identical shapes share, or None.
    status
        One of accepted, questioned, refused for each row.
    findings
        Sorted by row, severity and code; those of the file first.
    """

    name: str
    format: str
    encoding: str
    crs_label: str
    file_digest: str
    rows: NDArray[np.int64]
    geometry: Geometries
    area_m2: FloatArray
    shape_digest: tuple[str | None, ...]
    attribute_digest: tuple[str, ...]
    attributes: tuple[Mapping[str, object], ...]
    status: tuple[Status, ...]
    findings: tuple[Finding, ...]

    @property
    def read(self) -> int:
        """Number of rows read: accepted + questioned + refused."""
        return len(self.rows)

    @property
    def accepted(self) -> int:
        """Number of rows that may become parcels."""
        return self.status.count("accepted")

    @property
    def questioned(self) -> int:
        """Number of rows that wait for a person."""
        return self.status.count("questioned")

    @property
    def refused(self) -> int:
        """Number of rows that are not taken."""
        return self.status.count("refused")

    def findings_of(self, row: int | None) -> tuple[Finding, ...]:
        """Findings of one row, or of the file."""
        return tuple(finding for finding in self.findings if finding.row == row)


def examine(
    path: Path | str,
    *,
    crs: str | None = None,
    encoding: str | None = None,
    options: IntakeOptions | None = None,
) -> Intake:
    """Examine a file of parcels.

    Raises
    ------
    FileError, CrsError
        When the file as a whole cannot be read.
    """
    options, path = options or IntakeOptions(), Path(path)
    file = open_features(
        path,
        crs=crs,
        encoding=encoding,
        layer=options.layer,
        limits=options.limits,
        parameters=options.parameters,
    )
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    intake = examine_features(file.features, file.system, options=options, named=crs is not None)
    return replace(
        intake,
        name=file.name,
        format=file.format,
        encoding=file.encoding,
        file_digest=digest,
        findings=(*file.findings, *intake.findings),
    )


def examine_document(value: object, *, options: IntakeOptions | None = None) -> Intake:
    """Examine a decoded GeoJSON document, for example a parcel drawn on the map.

    Raises
    ------
    FileError, CrsError
        When the document is no GeoJSON.
    """
    options = options or IntakeOptions()
    document = parse_document(value, limits=options.limits)
    system = parse_crs(document.crs or "EPSG:4326")
    intake = examine_features(document.features, system, options=options)
    return replace(intake, findings=(*document.findings, *intake.findings))


def examine_features(
    features: Sequence[RawFeature],
    system: ReferenceSystem,
    *,
    options: IntakeOptions | None = None,
    named: bool = True,
) -> Intake:
    """Examine features that are read already; the pure part of `examine`.

    Parameters
    ----------
    features
        In file order; row numbers are taken as they stand and must be unique.
    system
        Reference system of their coordinates.
    named
        A person said so; what only a file says of Chinese degrees is asked about.
    """
    options, features = options or IntakeOptions(), list(features)
    verdict = judge(features, system, named=named, division=options.division)
    alone = examine_alone(features, verdict.system, options=options, asked=verdict.asked)
    ledger = _Ledger(alone.rows, alone.status)
    ledger.add(alone.findings)
    ledger.add(verdict.findings)
    ledger.add(
        compare_rows(
            rows=alone.rows,
            geometry=alone.geometry,
            area_m2=alone.area_m2,
            shape_digest=alone.shape_digest,
            attribute_digest=alone.attribute_digest,
            status=alone.status,
            check_overlap=options.check_overlap,
        )
    )
    deep = [feature.row for feature in features if feature.dropped_dimension]
    standing = np.where(ledger.open(), alone.area_m2, np.nan)
    ledger.add(field_findings(alone.rows, alone.attributes, standing))
    ledger.add(file_notes(verdict.system, alone.geometry[ledger.open()], deep=deep))
    return replace(alone, status=ledger.status(), findings=ledger.sorted())


def examine_alone(
    features: Sequence[RawFeature],
    system: ReferenceSystem,
    *,
    options: IntakeOptions | None = None,
    asked: bool = False,
) -> Intake:
    """Examine each feature by itself: a run of a file that is too long to be read at once.

    What rows say of each other is found by `compare_rows` when all are known.

    Parameters
    ----------
    asked
        A question about the whole file (`geo.doubt.judge`) keeps its rows in China waiting.
    """
    options = options or IntakeOptions()
    rows = np.array([feature.row for feature in features], dtype=np.int64)
    raw = np.empty(len(features), dtype=object)
    raw[:] = [feature.geometry for feature in features]
    geometry, placing = to_ground(rows, raw, system)
    geometry = to_multipolygons(geometry)
    attributes = tuple(feature.attributes for feature in features)
    ledger = _Ledger(rows)
    ledger.add(_reader_faults(features, system))
    ledger.add(placing)
    if asked:
        ledger.ask(in_china(shapely.bounds(geometry)))
    areas = _examine_rows(ledger, rows, geometry, options)
    return Intake(
        name="",
        format="features",
        encoding="utf-8",
        crs_label=system.label,
        file_digest="",
        rows=rows,
        geometry=geometry,
        area_m2=areas,
        shape_digest=tuple(shape_digests(geometry)),
        attribute_digest=tuple(attribute_digest(values) for values in attributes),
        attributes=attributes,
        status=ledger.status(),
        findings=ledger.sorted(),
    )


def compare_rows(
    *,
    rows: NDArray[np.int64],
    geometry: Geometries,
    area_m2: FloatArray,
    shape_digest: Sequence[str | None],
    attribute_digest: Sequence[str],
    status: Sequence[Status],
    check_overlap: bool = True,
) -> tuple[Finding, ...]:
    """Compare rows that were examined by themselves: duplicates, and pairs that overlap.

    Parameters
    ----------
    rows, geometry, area_m2, shape_digest, attribute_digest, status
        As in `Intake`, of every row of the file.
    """
    ledger = _Ledger(rows, status)
    _refuse_duplicates(ledger, rows, geometry, shape_digest, attribute_digest)
    if check_overlap:
        _question_overlaps(ledger, rows, geometry, area_m2)
    return ledger.sorted()


def file_notes(
    system: ReferenceSystem, geometry: Geometries, *, deep: Sequence[int]
) -> list[Finding]:
    """Warn of what concerns the file: heights dropped, datum unproven, datum shift unknown.

    Parameters
    ----------
    geometry
        (n,) shapes in EPSG:4490 of the rows that are not refused, None allowed.
    deep
        Numbers of the rows whose heights or measures were dropped.
    """
    notes: list[Finding] = []
    if deep:
        notes.append(warning(None, "GEOM_3D_DROPPED", rows=len(deep), first_row=min(deep)))
    if is_ballpark(system):
        notes.append(warning(None, "CRS_SHIFT_UNKNOWN", crs=system.label, name=system.name))
    if system.wgs84 and not system.drawn_on_map:
        chinese = int(in_china(shapely.bounds(geometry)).sum())
        if chinese:
            notes.append(warning(None, "DATUM_UNPROVEN", rows=chinese, crs=system.label))
    return notes


class _Ledger:
    """Findings gathered so far and what they make of each row."""

    def __init__(self, rows: NDArray[np.int64], status: Sequence[Status] = ()) -> None:
        self._place = {int(row): place for place, row in enumerate(rows)}
        known = [_STATES.index(one) for one in status]
        self._rank = np.array(known or [_RANK["warning"]] * len(rows), dtype=np.int64)
        self._findings: list[Finding] = []

    def add(self, findings: Iterable[Finding]) -> None:
        """Enter findings."""
        for finding in findings:
            self._findings.append(finding)
            if finding.row is not None:
                place = self._place[finding.row]
                self._rank[place] = min(self._rank[place], _RANK[finding.severity])

    def ask(self, mask: NDArray[np.bool_]) -> None:
        """Let rows wait for the answer to a question about the whole file."""
        self._rank[mask] = np.minimum(self._rank[mask], _RANK["questioned"])

    def open(self) -> NDArray[np.bool_]:
        """(n,) True for rows that are not refused."""
        result: NDArray[np.bool_] = self._rank > _RANK["refused"]
        return result

    def questioned(self) -> NDArray[np.bool_]:
        """(n,) True for rows that wait for a person."""
        result: NDArray[np.bool_] = self._rank == _RANK["questioned"]
        return result

    def status(self) -> tuple[Status, ...]:
        """Give the state of every row."""
        return tuple(_STATES[rank] for rank in self._rank)

    def sorted(self) -> tuple[Finding, ...]:
        """Findings in an order that depends on the rows only."""
        return tuple(
            sorted(
                self._findings,
                key=lambda f: (f.row or 0, _RANK[f.severity], f.code, str(sorted(f.params))),
            )
        )


def _reader_faults(features: Sequence[RawFeature], system: ReferenceSystem) -> list[Finding]:
    """Faults of the reader, their places moved from the file's coordinates to the map's."""
    faults = [fault for feature in features for fault in feature.faults]
    places = [n for n, fault in enumerate(faults) if fault.at is not None]
    if not places:
        return faults
    moved = to_cgcs2000(np.array([faults[n].at for n in places], dtype=np.float64), system)
    for n, (lon, lat) in zip(places, moved, strict=True):
        sound = bool(np.isfinite([lon, lat]).all()) and abs(lon) <= 180 and abs(lat) <= 90  # noqa: PLR2004
        faults[n] = replace(faults[n], at=(float(lon), float(lat)) if sound else None)
    return faults


def _examine_rows(
    ledger: _Ledger, rows: NDArray[np.int64], geometry: Geometries, options: IntakeOptions
) -> FloatArray:
    """Judge each row by itself; return the areas, NaN where the shape is unsound."""
    present = ~shapely.is_missing(geometry)
    sound = present & shapely.is_valid(geometry)
    ledger.add(
        validity_fault(int(rows[place]), geometry[place])
        for place in np.flatnonzero(present & ~sound)
    )
    areas = np.where(sound, area_m2(geometry), np.nan)
    tiny = sound & (areas < options.area_m2_min)
    for place in np.flatnonzero(tiny):
        lon, lat = (float(v) for v in shapely.get_coordinates(geometry[place])[0])
        found = refused(
            int(rows[place]),
            "GEOM_TINY",
            at=(lon, lat),
            area_m2=float(areas[place]),
            minimum_m2=options.area_m2_min,
        )
        ledger.add([found])
    ledger.add(find_spikes(rows[sound], geometry[sound]))
    return areas


def _refuse_duplicates(
    ledger: _Ledger,
    rows: NDArray[np.int64],
    geometry: Geometries,
    shapes: Sequence[str | None],
    attributes: Sequence[str],
) -> None:
    """Of rows with one shape keep the one whose attributes sort first; refuse the others."""
    groups: dict[str, list[int]] = defaultdict(list)
    for place in map(int, np.flatnonzero(ledger.open())):
        if (digest := shapes[place]) is not None:
            groups[digest].append(place)
    waiting = ledger.questioned()
    for group in groups.values():
        if len(group) == 1:
            continue
        group.sort(key=lambda n: (bool(waiting[n]), attributes[n], shapely.to_wkb(geometry[n])))
        kept = int(rows[group[0]])
        ledger.add(
            refused(int(rows[place]), "DUPLICATE_IN_FILE", kept_row=kept) for place in group[1:]
        )


def _question_overlaps(
    ledger: _Ledger, rows: NDArray[np.int64], geometry: Geometries, areas: FloatArray
) -> None:
    """Question both rows of every pair that overlaps beyond tolerance; warn of slivers."""
    place = np.flatnonzero(ledger.open())
    pairs = overlap_pairs(geometry[place], areas[place])
    beyond, at = pairs.beyond, pairs.at
    found: list[Finding] = []
    for n in range(len(pairs.left)):
        one, two = int(rows[place[pairs.left[n]]]), int(rows[place[pairs.right[n]]])
        params: dict[str, Any] = {
            "overlap_m2": float(pairs.overlap_m2[n]),
            "tolerance_m2": float(pairs.tolerance_m2[n]),
        }
        where = (float(at[n, 0]), float(at[n, 1]))
        for row, other in ((one, two), (two, one)):
            if beyond[n]:
                found.append(
                    questioned(row, "OVERLAP_IN_FILE", at=where, other_row=other, **params)
                )
            else:
                found.append(warning(row, "SLIVER_IN_FILE", at=where, other_row=other, **params))
    ledger.add(found)


def summary(intake: Intake) -> dict[str, Any]:
    """Counts and codes of an examination, for logs and bench."""
    codes: dict[str, int] = defaultdict(int)
    for finding in intake.findings:
        codes[finding.code] += 1
    return {
        "read": intake.read,
        "accepted": intake.accepted,
        "questioned": intake.questioned,
        "refused": intake.refused,
        "codes": dict(sorted(codes.items())),
    }
