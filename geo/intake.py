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
from geo.findings import Finding, Severity, questioned, refused, warning
from geo.overlap import overlap_pairs
from geo.shape import (
    attribute_digest,
    find_spikes,
    shape_digests,
    to_multipolygons,
    validity_fault,
)
from geo.slips import Slip, find_slips, in_china
from geo.vector import Limits, RawFeature, open_features
from geo.vector.geojson import parse_document

FloatArray = NDArray[np.float64]
Geometries = NDArray[np.object_]
Status = Literal["accepted", "questioned", "refused"]

AREA_M2_MIN: Final = 1.0
"""A parcel smaller than this is refused as a slip of the pen, m2."""

_WORLD_DEG: Final = np.array([180.0, 90.0, 180.0, 90.0])
_EDGE_STEPS_M: Final = (200.0, 50.0, 10.0)
"""Lengths tried, in the unit of the projection, for edges that must follow their curve."""

_BENT_VERTICES_MAX: Final = 200_000
_RANK: Final[dict[Severity, int]] = {"refused": 0, "questioned": 1, "warning": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeOptions:
    """Settings of an examination."""

    limits: Limits = field(default_factory=Limits)
    area_m2_min: float = AREA_M2_MIN
    check_overlap: bool = True
    layer: str | None = None


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
        path, crs=crs, encoding=encoding, layer=options.layer, limits=options.limits
    )
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    intake = examine_features(file.features, file.system, options=options)
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
) -> Intake:
    """Examine features that are read already; the pure part of `examine`.

    Parameters
    ----------
    features
        In file order; row numbers are taken as they stand and must be unique.
    system
        Reference system of their coordinates.
    """
    options = options or IntakeOptions()
    rows = np.array([feature.row for feature in features], dtype=np.int64)
    raw = np.empty(len(features), dtype=object)
    raw[:] = [feature.geometry for feature in features]
    geometry, placing = _place(rows, raw, system)
    geometry = to_multipolygons(geometry)
    attributes = tuple(feature.attributes for feature in features)
    ledger = _Ledger(rows)
    ledger.add(_reader_faults(features, system))
    ledger.add(placing)
    areas = _examine_rows(ledger, rows, geometry, options)
    digests = tuple(shape_digests(geometry))
    attribute_digests = tuple(attribute_digest(values) for values in attributes)
    _refuse_duplicates(ledger, rows, raw, digests, attribute_digests)
    if options.check_overlap:
        _question_overlaps(ledger, rows, geometry, areas)
    ledger.add(_file_notes(features, system, geometry, ledger.open()))
    return Intake(
        name="",
        format="features",
        encoding="utf-8",
        crs_label=system.label,
        file_digest="",
        rows=rows,
        geometry=geometry,
        area_m2=areas,
        shape_digest=digests,
        attribute_digest=attribute_digests,
        attributes=attributes,
        status=ledger.status(),
        findings=ledger.sorted(),
    )


class _Ledger:
    """Findings gathered so far and what they make of each row."""

    def __init__(self, rows: NDArray[np.int64]) -> None:
        self._place = {int(row): place for place, row in enumerate(rows)}
        self._rank = np.full(len(rows), _RANK["warning"])
        self._findings: list[Finding] = []

    def add(self, findings: Iterable[Finding]) -> None:
        """Enter findings."""
        for finding in findings:
            self._findings.append(finding)
            if finding.row is not None:
                place = self._place[finding.row]
                self._rank[place] = min(self._rank[place], _RANK[finding.severity])

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
        names: tuple[Status, ...] = ("refused", "questioned", "accepted")
        return tuple(names[rank] for rank in self._rank)

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


def _place(
    rows: NDArray[np.int64], raw: Geometries, system: ReferenceSystem
) -> tuple[Geometries, list[Finding]]:
    """Bring every geometry to EPSG:4490, by the proposed reading where a row shows a slip."""
    bounds = shapely.bounds(raw)
    slips = find_slips(bounds, system)
    result = np.full(len(raw), None, dtype=object)
    plain = ~shapely.is_missing(raw)
    findings: list[Finding] = []
    for slip in slips:
        plain &= ~slip.mask
        findings += _slip_findings(rows, bounds, slip)
        if slip.severity == "questioned":
            target = parse_crs(slip.crs) if slip.crs else system
            result[slip.mask] = _moved(raw[slip.mask], target, swap=slip.swap)
    result[plain] = _moved(raw[plain], system, swap=False)
    findings += _follow_bent_edges(rows[plain], raw[plain], result, plain, system)
    landed = shapely.bounds(result)
    lost = ~shapely.is_missing(result) & ~_possible(landed)
    for place in np.flatnonzero(lost):
        x, y = (float(v) for v in bounds[place, :2])
        findings.append(refused(int(rows[place]), "COORD_OUT_OF_RANGE", x=x, y=y))
    result[lost] = None
    return result, findings


def _follow_bent_edges(
    rows: NDArray[np.int64],
    raw: Geometries,
    result: Geometries,
    plain: NDArray[np.bool_],
    system: ReferenceSystem,
) -> list[Finding]:
    """Add vertices where a sound shape of a projection would cross itself in degrees.

    A straight edge of a projection is a curve in longitude and latitude; a long one may then run
    over a vertex beside it. Only such rows get vertices; all others keep theirs as they stand.
    A shape that is unsound as drawn is refused even where the curve happens to mend it.
    """
    if system.geographic:
        return []
    places, moved = np.flatnonzero(plain), result[plain]
    as_drawn, as_moved = shapely.is_valid(raw), shapely.is_valid(moved)
    suspects = np.flatnonzero(~as_moved & as_drawn)
    findings = [
        _moved_fault(validity_fault(int(rows[n]), raw[n]), system)
        for n in np.flatnonzero(as_moved & ~as_drawn & ~shapely.is_missing(raw))
    ]
    for n in suspects:
        for step_m in _EDGE_STEPS_M:
            finer = np.array([shapely.segmentize(raw[n], step_m)], dtype=object)
            if shapely.get_num_coordinates(finer[0]) > _BENT_VERTICES_MAX:
                break
            bent = _moved(finer, system, swap=False)
            if shapely.is_valid(bent[0]):
                result[places[n]] = bent[0]
                findings.append(warning(int(rows[n]), "GEOM_EDGES_FOLLOWED", step_m=step_m))
                break
    return findings


def _moved_fault(fault: Finding, system: ReferenceSystem) -> Finding:
    """Give a fault found in the file's own coordinates its place on the map."""
    place = np.array([[fault.params["lon"], fault.params["lat"]]], dtype=np.float64)
    lon, lat = (float(value) for value in to_cgcs2000(place, system)[0])
    return replace(fault, at=(lon, lat), params={**fault.params, "lon": lon, "lat": lat})


def _possible(bounds: FloatArray) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        finite = np.isfinite(bounds).all(axis=1)
        result: NDArray[np.bool_] = finite & np.all(np.abs(bounds) <= _WORLD_DEG, axis=1)
    return result


def _moved(geometries: Geometries, system: ReferenceSystem, *, swap: bool) -> Geometries:
    def move(coordinates: FloatArray) -> FloatArray:
        return to_cgcs2000(coordinates[:, ::-1] if swap else coordinates, system)

    if len(geometries) == 0:
        return geometries
    result: Geometries = shapely.transform(geometries, move, include_z=False)
    return result


def _slip_findings(rows: NDArray[np.int64], bounds: FloatArray, slip: Slip) -> list[Finding]:
    build = questioned if slip.severity == "questioned" else refused
    return [
        build(
            int(rows[place]),
            slip.code,
            x=float(bounds[place, 0]),
            y=float(bounds[place, 1]),
            **slip.params,
        )
        for place in np.flatnonzero(slip.mask)
    ]


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
    raw: Geometries,
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
        group.sort(key=lambda n: (bool(waiting[n]), attributes[n], shapely.to_wkb(raw[n])))
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


def _file_notes(
    features: Sequence[RawFeature],
    system: ReferenceSystem,
    geometry: Geometries,
    open_rows: NDArray[np.bool_],
) -> list[Finding]:
    """Warnings that concern the file: heights dropped, datum unproven, datum shift unknown."""
    notes: list[Finding] = []
    deep = [feature.row for feature in features if feature.dropped_dimension]
    if deep:
        notes.append(warning(None, "GEOM_3D_DROPPED", rows=len(deep), first_row=min(deep)))
    if is_ballpark(system):
        notes.append(warning(None, "CRS_SHIFT_UNKNOWN", crs=system.label, name=system.name))
    if system.wgs84:
        chinese = int((in_china(shapely.bounds(geometry)) & open_rows).sum())
        if chinese:
            notes.append(warning(None, "DATUM_UNPROVEN", rows=chinese, crs=system.label))
    return notes


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
