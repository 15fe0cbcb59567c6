"""Area on the CGCS2000 ellipsoid of polygons whose edges are straight in longitude and latitude.

The area left of a closed line is the contour integral of q(phi) d lambda, q being the area per
radian of longitude between the equator and the latitude phi. Each edge takes three Gauss-Legendre
points. Because GEOS cuts edges straight in longitude and latitude too, a split parcel's parts add
up to the parcel; geodesic areas do not have this property.
"""

from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

SEMI_MAJOR_M: Final = 6_378_137.0
"""Semi-major axis of the CGCS2000 ellipsoid, m (EPSG ellipsoid 1024)."""

FLATTENING: Final = 1 / 298.257222101
"""Flattening of the CGCS2000 ellipsoid (EPSG ellipsoid 1024)."""

_E2: Final = FLATTENING * (2 - FLATTENING)
_E: Final = float(np.sqrt(_E2))
_HALF_B2: Final = SEMI_MAJOR_M**2 * (1 - _E2) / 2

_NODES: Final = (-float(np.sqrt(0.6)), 0.0, float(np.sqrt(0.6)))
_WEIGHTS: Final = (5 / 18, 8 / 18, 5 / 18)
"""Three-point Gauss-Legendre rule on [-1, 1], weights halved to sum to one."""


_BLOCK: Final = 8_192
"""Edges computed at a time."""

_SMALL_RAD: Final = 0.01
"""Below this the series are exact to the last digit; nearly all edges are far below it."""


def _sin(angle: FloatArray) -> FloatArray:
    """Sine by its series where the angle is small, each element by itself."""
    square = angle * angle
    result = angle * (1 - square / 6 * (1 - square / 20 * (1 - square / 42)))
    large = np.abs(angle) > _SMALL_RAD
    if large.any():
        result[large] = np.sin(angle[large])
    return result


def _arctanh(value: FloatArray) -> FloatArray:
    """Inverse hyperbolic tangent, likewise."""
    square = value * value
    result = value * (1 + square * (1 / 3 + square * (1 / 5 + square / 7)))
    large = np.abs(value) > _SMALL_RAD
    if large.any():
        result[large] = np.arctanh(value[large])
    return result


def _strip_area(rise_deg: FloatArray, sin_origin: FloatArray, cos_origin: FloatArray) -> FloatArray:
    """Area per radian of longitude from an origin's latitude to one above it, m2.

    Closed forms of the differences are used: subtracting two distances from the equator would
    lose the last digits of a small parcel.
    """
    sin_half = _sin(np.radians(rise_deg / 2))
    cos_half = np.sqrt(1 - sin_half * sin_half)
    gap = 2 * (cos_origin * cos_half - sin_origin * sin_half) * sin_half
    sin_here = sin_origin + gap
    product = _E2 * sin_here * sin_origin
    shrink = (1 - _E2 * sin_here**2) * (1 - _E2 * sin_origin**2)
    rational = gap * (1 + product) / shrink
    logarithm = _arctanh(_E * gap / (1 - product)) / _E
    result: FloatArray = _HALF_B2 * (rational + logarithm)
    return result


def _ring_areas(rings: NDArray[np.object_]) -> FloatArray:
    """Area enclosed by each linear ring, m2, whatever its direction."""
    coordinates, ring_of = shapely.get_coordinates(rings, return_index=True)
    if len(coordinates) == 0:
        return np.zeros(len(rings))
    first = np.searchsorted(ring_of, np.arange(len(rings)))
    origin_deg = coordinates[np.minimum(first, len(coordinates) - 1), 1]
    origin_rad = np.radians(origin_deg)
    origins = np.column_stack([origin_deg, np.sin(origin_rad), np.cos(origin_rad)])
    integral = np.empty(len(coordinates) - 1)
    for low in range(0, len(integral), _BLOCK):  # what a block needs stays in the cache
        part = slice(low, low + _BLOCK)
        edges = coordinates[low : low + _BLOCK + 1]
        integral[part] = _edge_integrals(edges, origins[ring_of[:-1][part]])
    integral[ring_of[1:] != ring_of[:-1]] = 0.0  # from one ring to the next
    total = np.bincount(ring_of[:-1], weights=integral, minlength=len(rings))
    return np.abs(total.astype(np.float64))


def _edge_integrals(line: FloatArray, origin: FloatArray) -> FloatArray:
    """Contour integral along each edge of a line, m2; origin: latitude, its sine and cosine."""
    start, end = line[:-1], line[1:]
    middle = (start[:, 1] + end[:, 1]) / 2 - origin[:, 0]
    half = (end[:, 1] - start[:, 1]) / 2
    mean = np.zeros(len(start))
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        mean += weight * _strip_area(middle + node * half, origin[:, 1], origin[:, 2])
    result: FloatArray = mean * np.radians(end[:, 0] - start[:, 0])
    return result


def area_m2(geometries: NDArray[np.object_]) -> FloatArray:
    """Area of polygons in longitude and latitude on the CGCS2000 ellipsoid.

    Parameters
    ----------
    geometries
        (n,) Polygons or MultiPolygons, degrees, longitude first; None, empty geometries, lines
        and points have no area.

    Returns
    -------
    (n,) float64, m2. Holes are subtracted; the direction of rings does not matter. Adding a
    vertex on an edge changes the area by about 3e-12 of it; for edges under 2 km it lies within
    3e-7 of the geodesic area.
    """
    geometries = np.atleast_1d(np.asarray(geometries, dtype=object))
    parts, owner = shapely.get_parts(geometries, return_index=True)
    polygonal = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    parts, owner = parts[polygonal], owner[polygonal]
    rings, part = shapely.get_rings(parts, return_index=True)
    if len(rings) == 0:
        return np.zeros(len(geometries), dtype=np.float64)
    is_shell = np.r_[True, part[1:] != part[:-1]]
    signed = np.where(is_shell, 1.0, -1.0) * _ring_areas(rings)
    total = np.bincount(owner[part], weights=signed, minlength=len(geometries))
    return total.astype(np.float64)
