"""Which reading of a file puts its parcels into the division they are said to be in.

GCJ-02 moves a plot by some 600 m and BD-09 by twice that. Parcels spread over a county tell the
three apart by how many fall over its boundary; a few in its middle do not, and then nobody
guesses. Where some of a few do not lie in it as they stand, and all of them would by another
reading, a person is asked as well.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.offsets import from_bd09, from_gcj02

FloatArray = NDArray[np.float64]
Reading = Literal["as_is", "gcj02", "bd09"]

PARCELS_MIN: Final = 30
"""Fewer parcels than this never settle the question."""

OUTSIDE_SHARE_MAX: Final = 0.002
"""The reading that fits leaves no more than this share outside."""

APART_MIN: Final = 5
APART_SHARE_MIN: Final = 0.004
"""Every other reading leaves at least so many more outside, and this share."""


FEW_MAX: Final = 2_000
FEW_MIN: Final = 10
"""So many shapes are held against the boundary whole, not by one point each."""

_EDGE_DEG: Final = 2e-5
"""A shape that reaches so far beyond (2 m) may be drawn along the boundary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How many parcels each reading leaves outside, and the reading that fits, if one does."""

    parcels: int
    outside: Mapping[Reading, int]
    reading: Reading | None


def fit_datum(points: FloatArray, division: Any) -> Fit:  # noqa: ANN401 - shapely has no types
    """Tell true, GCJ-02 and BD-09 places apart by the boundary of the division.

    Parameters
    ----------
    points
        (n, 2) one point of each parcel, degrees as in the file.
    division
        Its boundary, a polygon in EPSG:4490.
    """
    shapely.prepare(division)
    readings: dict[Reading, FloatArray] = {
        "as_is": points,
        "gcj02": from_gcj02(points),
        "bd09": from_bd09(points),
    }
    outside: dict[Reading, int] = {
        name: int((~shapely.contains_xy(division, *places.T)).sum())
        for name, places in readings.items()
    }
    return Fit(parcels=len(points), outside=outside, reading=_best(len(points), outside))


def fit_shapes(shapes: NDArray[np.object_], division: Any) -> Fit:  # noqa: ANN401 - shapely
    """Tell by whole shapes whether another reading puts all of a few into the division.

    Parameters
    ----------
    shapes
        (n,) polygons, degrees as in the file.
    division
        Its boundary, a polygon in EPSG:4490.
    """
    ground = shapely.buffer(division, _EDGE_DEG)
    shapely.prepare(ground)
    moves: dict[Reading, Callable[[FloatArray], FloatArray]] = {
        "as_is": np.asarray,
        "gcj02": from_gcj02,
        "bd09": from_bd09,
    }
    outside: dict[Reading, int] = {
        name: int((~shapely.covers(ground, shapely.transform(shapes, move))).sum())
        for name, move in moves.items()
    }
    whole: list[Reading] = [name for name in ("gcj02", "bd09") if outside[name] == 0]
    asked = FEW_MIN <= len(shapes) <= FEW_MAX and outside["as_is"] > 0 and whole
    return Fit(parcels=len(shapes), outside=outside, reading=whole[0] if asked else None)


def _best(parcels: int, outside: Mapping[Reading, int]) -> Reading | None:
    first, second, *_ = sorted(outside, key=lambda name: outside[name])
    apart = max(APART_MIN, APART_SHARE_MIN * parcels)
    sure = parcels >= PARCELS_MIN and outside[first] <= OUTSIDE_SHARE_MAX * parcels
    return first if sure and outside[second] - outside[first] >= apart else None
