"""Which polygons overlap, by how much, and whether that is more than drawing imprecision."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.errors import GEOSException

from geo.area import area_m2

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

OVERLAP_M2_MAX: Final = 1.0
"""Overlap of a pair that is kept as a sliver at most, m2."""

OVERLAP_SHARE_MAX: Final = 0.001
"""The same as a share of the smaller polygon; the lesser of the two holds."""

OVERLAP_NOISE_M2: Final = 1e-4
"""Shared ground of at most this is rounding of coordinates, m2."""

_SURFACE: Final = 2
_GRID_DEG: Final = 1e-10
"""Grid of the second attempt, about 0.01 mm, where exact overlay fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlapPairs:
    """Pairs of polygons that share ground.

    Attributes
    ----------
    left, right
        (p,) positions in the two inputs; for one input left < right.
    overlap_m2, tolerance_m2
        (p,) shared area on the ellipsoid and what the pair is allowed.
    at
        (p, 2) longitude and latitude of a point in the shared ground.
    """

    left: IntArray
    right: IntArray
    overlap_m2: FloatArray
    tolerance_m2: FloatArray
    at: FloatArray

    @property
    def beyond(self) -> NDArray[np.bool_]:
        """(p,) True where the overlap is more than the pair is allowed."""
        result: NDArray[np.bool_] = self.overlap_m2 > self.tolerance_m2
        return result


def tolerance_m2(area_a_m2: FloatArray, area_b_m2: FloatArray) -> FloatArray:
    """Overlap allowed to pairs: the lesser of 1 m2 and 0.1 % of the smaller polygon, m2."""
    smaller = np.minimum(area_a_m2, area_b_m2)
    result: FloatArray = np.minimum(OVERLAP_M2_MAX, OVERLAP_SHARE_MAX * smaller)
    return result


def _intersection_of_pair(left: Any, right: Any) -> Any:  # noqa: ANN401 - shapely has no types
    for grid in (None, _GRID_DEG, 100 * _GRID_DEG):
        try:
            return shapely.intersection(left, right, grid_size=grid)
        except GEOSException:
            continue
    return shapely.intersection(shapely.make_valid(left), shapely.make_valid(right))


def intersections(left: NDArray[np.object_], right: NDArray[np.object_]) -> NDArray[np.object_]:
    """Shared ground of each pair; an overlay that fails is repeated on a grid of 0.01 mm."""
    try:
        result: NDArray[np.object_] = shapely.intersection(left, right)
    except GEOSException:
        result = np.empty(len(left), dtype=object)
        result[:] = [_intersection_of_pair(a, b) for a, b in zip(left, right, strict=True)]
    return result


def overlap_pairs(
    geometries: NDArray[np.object_],
    areas_m2: FloatArray | None = None,
    *,
    against: NDArray[np.object_] | None = None,
    against_m2: FloatArray | None = None,
) -> OverlapPairs:
    """Find the pairs that share ground, within one set or between two.

    Parameters
    ----------
    geometries
        (n,) valid polygons in longitude and latitude; None takes part in no pair.
    areas_m2
        (n,) their areas on the ellipsoid; computed when absent.
    against, against_m2
        (m,) a second set; without it every unordered pair of the first set is looked at.

    Returns
    -------
    Pairs that share more than rounding leaves (1 cm2), sorted by left and right. Edges and points
    in common are no overlap.
    """
    areas_m2 = area_m2(geometries) if areas_m2 is None else areas_m2
    others = geometries if against is None else against
    if against is None:
        others_m2 = areas_m2
    else:
        others_m2 = area_m2(against) if against_m2 is None else against_m2
    left, right = shapely.STRtree(others).query(geometries, predicate="intersects")
    if against is None:
        once = left < right
        left, right = left[once], right[once]
    # Most neighbours of a cadastre only touch; telling so costs a third of cutting them.
    inside = ~shapely.touches(geometries[left], others[right])
    left, right = left[inside], right[inside]
    order = np.lexsort((right, left))
    left, right = left[order], right[order]
    shared = intersections(geometries[left], others[right])
    surface = shapely.get_dimensions(shared) == _SURFACE
    left, right, shared = left[surface], right[surface], shared[surface]
    overlap = area_m2(shared) if len(shared) else np.zeros(0)
    real = overlap > OVERLAP_NOISE_M2
    left, right, shared, overlap = left[real], right[real], shared[real], overlap[real]
    points = shapely.get_coordinates(shapely.point_on_surface(shared))
    return OverlapPairs(
        left=left.astype(np.int64),
        right=right.astype(np.int64),
        overlap_m2=overlap,
        tolerance_m2=tolerance_m2(areas_m2[left], others_m2[right]),
        at=points.reshape(-1, 2),
    )


def inside_share(geometries: NDArray[np.object_], boundary: Any) -> FloatArray:  # noqa: ANN401
    """Share of each polygon's area that lies inside a boundary, 0 to 1; NaN without an area.

    Parameters
    ----------
    geometries
        (n,) polygons in longitude and latitude, None allowed.
    boundary
        One valid Polygon or MultiPolygon, for example a county.
    """
    shapely.prepare(boundary)
    whole = area_m2(geometries)
    share = np.where(shapely.is_missing(geometries) | (whole <= 0), np.nan, 0.0)
    touching = ~np.isnan(share) & shapely.intersects(boundary, geometries)
    inside = touching & shapely.covers(boundary, geometries)
    share[inside] = 1.0
    cut = np.flatnonzero(touching & ~inside)
    if len(cut):
        pieces = intersections(geometries[cut], np.full(len(cut), boundary, dtype=object))
        share[cut] = np.clip(area_m2(pieces) / whole[cut], 0.0, 1.0)
    result: FloatArray = share
    return result
