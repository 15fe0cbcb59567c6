"""One polygon by itself: is it sound, how is it named, is it the same as another."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.findings import Finding, refused, warning

FloatArray = NDArray[np.float64]

SPIKE_ANGLE_DEG: Final = 1.0
"""A vertex where the boundary turns back within this angle is called a spike."""

SPIKE_LENGTH_M: Final = 2.0
"""Both edges of a spike are at least as long as this."""

_METRES_PER_DEGREE: Final = 111_195.0
_REASON: Final = re.compile(r"^(?P<what>[^\[]+)(\[(?P<x>\S+) (?P<y>[^\]\s]+).*\])?$")
_CODES: Final = {
    "Self-intersection": "GEOM_SELF_INTERSECTION",
    "Ring Self-intersection": "GEOM_RING_TOUCHES_ITSELF",
    "Hole lies outside shell": "GEOM_HOLE_OUTSIDE",
    "Holes are nested": "GEOM_NESTED_HOLES",
    "Nested holes": "GEOM_NESTED_HOLES",
    "Nested shells": "GEOM_NESTED_SHELLS",
    "Duplicate Rings": "GEOM_DUPLICATE_RINGS",
    "Interior is disconnected": "GEOM_INTERIOR_CUT",
    "Too few points in geometry component": "GEOM_RING_TOO_FEW_POINTS",
}


def to_multipolygons(geometries: NDArray[np.object_]) -> NDArray[np.object_]:
    """Wrap single polygons, so that every geometry is a MultiPolygon; None stays."""
    result = geometries.copy()
    single = shapely.get_type_id(geometries) == shapely.GeometryType.POLYGON
    if single.any():
        result[single] = shapely.multipolygons(
            geometries[single], indices=np.arange(int(single.sum()))
        )
    return result


def shape_digests(geometries: NDArray[np.object_]) -> list[str | None]:
    """SHA-256 of each shape, the same for any start, direction or order of its rings and parts."""
    normal = shapely.normalize(geometries)
    blobs = shapely.to_wkb(normal, output_dimension=2, byte_order=1)
    return [None if blob is None else hashlib.sha256(blob).hexdigest() for blob in blobs]


def attribute_digest(attributes: Mapping[str, object]) -> str:
    """SHA-256 of a row's attributes, whatever their order."""
    text = json.dumps(attributes, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def validity_fault(row: int, geometry: Any) -> Finding:  # noqa: ANN401 - shapely has no types
    """Say why an invalid polygon is invalid, and where."""
    match = _REASON.match(shapely.is_valid_reason(geometry))
    what = match["what"].strip() if match else "unknown"
    code = _CODES.get(what, "GEOM_INVALID")
    if match is None or match["x"] is None:
        lon, lat = (float(v) for v in shapely.get_coordinates(geometry)[0])
    else:
        lon, lat = float(match["x"]), float(match["y"])
    params: dict[str, object] = {"lon": lon, "lat": lat}
    if code == "GEOM_INVALID":
        params["reason"] = what
    return refused(row, code, at=(lon, lat), **params)


def _angles(before: FloatArray, after: FloatArray) -> FloatArray:
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    dot = (before * after).sum(axis=1)
    result: FloatArray = np.degrees(np.arctan2(np.abs(cross), dot))
    return result


def find_spikes(rows: NDArray[np.int64], geometries: NDArray[np.object_]) -> list[Finding]:
    """Warn of vertices where a boundary runs out and straight back.

    Parameters
    ----------
    rows
        (n,) row numbers.
    geometries
        (n,) valid MultiPolygons in longitude and latitude; None is passed over.

    Returns
    -------
    At most one GEOM_SPIKE a row, at the sharpest such vertex.
    """
    parts, owner = shapely.get_parts(geometries, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    if len(xy) == 0:
        return []
    moved = np.r_[True, (xy[1:] != xy[:-1]).any(axis=1) | (ring[1:] != ring[:-1])]
    xy, ring = xy[moved], ring[moved]
    last = np.r_[ring[1:] != ring[:-1], True]
    first = np.r_[True, last[:-1]]
    starts = np.flatnonzero(first)
    previous = np.arange(len(xy)) - 1
    previous[first] = np.flatnonzero(last) - 1
    following = np.minimum(np.arange(len(xy)) + 1, len(xy) - 1)
    following[last] = starts + 1
    scale = np.cos(np.radians(xy[:, 1]))[:, None] ** np.array([1.0, 0.0]) * _METRES_PER_DEGREE
    back, ahead = (xy[previous] - xy) * scale, (xy[following] - xy) * scale
    shorter = np.minimum(np.hypot(*back.T), np.hypot(*ahead.T))
    angle = _angles(back, ahead)
    sharp = np.flatnonzero((angle < SPIKE_ANGLE_DEG) & (shorter >= SPIKE_LENGTH_M) & ~last)
    position = owner[part[ring]]
    found: dict[int, Finding] = {}
    for vertex in sharp[np.argsort(angle[sharp], kind="stable")]:
        row = int(rows[position[vertex]])
        lon, lat = float(xy[vertex, 0]), float(xy[vertex, 1])
        found.setdefault(
            row,
            warning(
                row, "GEOM_SPIKE", at=(lon, lat), lon=lon, lat=lat, angle_deg=float(angle[vertex])
            ),
        )
    return list(found.values())
