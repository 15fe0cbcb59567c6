"""Every geometry of a file brought to EPSG:4490, or why it cannot be."""

from dataclasses import replace
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.crs import ReferenceSystem, parse_crs, to_cgcs2000
from geo.findings import Finding, questioned, refused, warning
from geo.shape import validity_fault
from geo.slips import Slip, find_slips

FloatArray = NDArray[np.float64]
Geometries = NDArray[np.object_]

_WORLD_DEG: Final = np.array([180.0, 90.0, 180.0, 90.0])
_EDGE_STEPS_M: Final = (200.0, 50.0, 10.0)
"""Lengths tried, in the unit of the projection, for edges that must follow their curve."""

_BENT_VERTICES_MAX: Final = 20_000


def to_ground(
    rows: NDArray[np.int64], raw: Geometries, system: ReferenceSystem
) -> tuple[Geometries, list[Finding]]:
    """Bring every geometry to EPSG:4490, by the proposed reading where a row shows a slip.

    Parameters
    ----------
    rows
        (n,) row numbers.
    raw
        (n,) shapes in the coordinates of ``system``, None allowed.

    Returns
    -------
    The shapes, None where there is no place on earth for one, and what was found.
    """
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
            result[slip.mask] = _moved(raw[slip.mask], target, swap=slip.swap, scale=slip.scale)
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
            if not shapely.length(raw[n]) / step_m < _BENT_VERTICES_MAX:
                break
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


def _moved(
    geometries: Geometries, system: ReferenceSystem, *, swap: bool, scale: float = 1.0
) -> Geometries:
    def move(coordinates: FloatArray) -> FloatArray:
        scaled = coordinates if scale == 1.0 else coordinates * scale
        return to_cgcs2000(scaled[:, ::-1] if swap else scaled, system)

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
