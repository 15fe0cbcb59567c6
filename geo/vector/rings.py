"""Rings of vertices, as any format gives them, into polygons: or the reason why not."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.findings import Finding, refused

FloatArray = NDArray[np.float64]

RING_VERTICES_MIN: Final = 4
"""Vertices of the shortest closed ring: a triangle and its first corner again."""

_METRES_PER_DEGREE: Final = 111_195.0
_DIMENSIONS: Final = 2


class BadVertexError(Exception):
    """A vertex is not a pair of numbers; carries its place in the ring, from 1."""

    def __init__(self, vertex: int) -> None:
        self.vertex = vertex
        super().__init__(vertex)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Result of assembling rings: a polygon or the faults that prevent one."""

    geometry: Any
    faults: tuple[Finding, ...] = ()
    dropped_dimension: bool = False


def vertices(values: object) -> tuple[FloatArray, bool]:
    """Turn a list of positions into (n, 2) floats; say whether further dimensions were dropped.

    Raises
    ------
    BadVertexError
        A position is not a list of at least two numbers.
    """
    try:
        array = np.array(values)
    except (ValueError, OverflowError):
        array = np.empty(0, dtype=object)
    if array.ndim == _DIMENSIONS and array.dtype.kind in "if" and array.shape[1] >= _DIMENSIONS:
        return array[:, :_DIMENSIONS].astype(np.float64), array.shape[1] > _DIMENSIONS
    if not isinstance(values, list):
        raise BadVertexError(1)
    deep = any(isinstance(value, list) and len(value) > _DIMENSIONS for value in values)
    pairs = [_position(value, number) for number, value in enumerate(values, 1)]
    return np.array(pairs, dtype=np.float64).reshape(-1, _DIMENSIONS), deep


def _position(value: object, number: int) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) < _DIMENSIONS:
        raise BadVertexError(number)
    x, y = value[0], value[1]
    if isinstance(x, bool) or isinstance(y, bool):
        raise BadVertexError(number)
    if not isinstance(x, int | float) or not isinstance(y, int | float):
        raise BadVertexError(number)
    try:
        return float(x), float(y)
    except OverflowError:
        return math.inf, math.inf


def gap_m(first: FloatArray, last: FloatArray) -> float:
    """Distance between the ends of a ring, m; degrees are turned into metres roughly."""
    dx, dy = float(last[0] - first[0]), float(last[1] - first[1])
    if max(abs(float(v)) for v in (*first, *last)) > 360:  # noqa: PLR2004 - no degree is larger
        return math.hypot(dx, dy)
    shrink = math.cos(math.radians(max(-90.0, min(90.0, float(first[1])))))
    return math.hypot(dx * shrink, dy) * _METRES_PER_DEGREE


def _ring_fault(row: int, ring: FloatArray, *, part: int, number: int) -> Finding | None:
    finite = np.isfinite(ring).all(axis=1)
    if not finite.all():
        vertex = int(np.argmin(finite)) + 1
        return refused(row, "GEOM_NAN", part=part, ring=number, vertex=vertex)
    at = (float(ring[0, 0]), float(ring[0, 1]))
    distinct = len(np.unique(ring, axis=0)) if len(ring) < 2 * RING_VERTICES_MIN else len(ring)
    if distinct < RING_VERTICES_MIN - 1:
        return refused(row, "GEOM_RING_TOO_FEW", at=at, part=part, ring=number, distinct=distinct)
    if (ring[0] != ring[-1]).any():
        gap = gap_m(ring[0], ring[-1])
        return refused(row, "GEOM_RING_UNCLOSED", at=at, part=part, ring=number, gap_m=gap)
    return None


def assemble(
    row: int, parts: Sequence[Sequence[FloatArray]], *, vertices_max: int, dropped: bool = False
) -> Shape:
    """Build a polygon of rings, the first of each part being its shell.

    Parameters
    ----------
    parts
        For each polygon its rings, each (n, 2).
    vertices_max
        More vertices than this are refused.

    Returns
    -------
    A Shape with a Polygon or MultiPolygon, or with at least one fault; with both where all that is
    wrong is an open ring: GEOM_EMPTY, GEOM_NAN,
    GEOM_RING_TOO_FEW, GEOM_RING_UNCLOSED, GEOM_TOO_MANY_VERTICES.
    """
    count = sum(len(ring) for part in parts for ring in part)
    if count == 0:
        return Shape(geometry=None, faults=(refused(row, "GEOM_EMPTY"),))
    if count > vertices_max:
        large = refused(row, "GEOM_TOO_MANY_VERTICES", vertices=count, limit=vertices_max)
        return Shape(geometry=None, faults=(large,))
    kept = [[ring for ring in part if len(ring)] for part in parts]
    faults = tuple(
        fault
        for p, part in enumerate(kept, 1)
        for r, ring in enumerate(part, 1)
        if (fault := _ring_fault(row, ring, part=p, number=r)) is not None
    )
    # An open ring is refused, but drawn as it would be closed, so that this can be proposed.
    if any(fault.code != "GEOM_RING_UNCLOSED" for fault in faults):
        return Shape(geometry=None, faults=faults, dropped_dimension=dropped)
    polygons = [_polygon(part) for part in kept if part]
    geometry = polygons[0] if len(polygons) == 1 else shapely.multipolygons(polygons)
    if faults and not shapely.is_valid(geometry):
        geometry = None
    return Shape(geometry=geometry, faults=faults, dropped_dimension=dropped)


def _polygon(part: Sequence[FloatArray]) -> Any:  # noqa: ANN401 - shapely has no types
    shell, *holes = (shapely.linearrings(ring) for ring in part)
    return shapely.polygons(shell, holes=holes) if holes else shapely.polygons(shell)
