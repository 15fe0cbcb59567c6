"""Least width: how much of a parcel is at least so wide, strips and tails left out."""

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.area import area_m2
from geo.eligibility.table import Answer, ParcelTable, RuleAnswer, Thresholds

NAME = "width_min"

_METRES_PER_DEGREE = 111_195.0
_ROUND = 16
"""Segments of a quarter circle of the disc that is rolled inside a parcel."""


def width_min(parcels: ParcelTable, thresholds: Thresholds) -> list[RuleAnswer]:
    """Roll a disc of the least width inside each parcel; what it does not reach is too narrow.

    Thresholds: ``width_m_min``, ``wide_share_min`` (share of the parcel's area the disc must
    reach; itself enough).  Corners a disc cannot reach count as narrow, so the share stays below 1.
    """
    width_m = float(thresholds["width_m_min"].exact)
    needed = float(thresholds["wide_share_min"].exact)
    narrow = _narrow(parcels.geometries, width_m)
    lost = np.minimum(area_m2(narrow), parcels.area_m2)
    answers = []
    for row in range(len(parcels)):
        share = 1.0 - float(lost[row] / parcels.area_m2[row])
        wide = share >= needed
        answers.append(
            RuleAnswer(
                parcel=row,
                rule=NAME,
                answer=Answer.ELIGIBLE if wide else Answer.NOT_ELIGIBLE,
                code="RULE_WIDTH_ENOUGH" if wide else "RULE_WIDTH_TOO_NARROW",
                params={
                    "measured": share,
                    "threshold": needed,
                    "width_m": width_m,
                    "unit": "share",
                },
                area_m2=float(lost[row]),
                geometry=None if wide else narrow[row],
            )
        )
    return answers


def _narrow(geometries: NDArray[Any], width_m: float) -> NDArray[Any]:
    """Ground of each parcel that a disc of a width does not reach, lon/lat."""
    bounds = shapely.bounds(geometries)
    middle = np.radians((bounds[:, 1] + bounds[:, 3]) / 2)
    # One degree is shorter along a parallel: each parcel is drawn in its own metres and back.
    scale = np.column_stack([np.cos(middle), np.ones(len(middle))]) * _METRES_PER_DEGREE
    plane = _scaled(geometries, bounds[:, :2], scale)
    reached = shapely.buffer(
        shapely.buffer(plane, -width_m / 2, quad_segs=_ROUND), width_m / 2, quad_segs=_ROUND
    )
    return _scaled(shapely.difference(plane, reached), bounds[:, :2], scale, back=True)


def _scaled(
    geometries: NDArray[Any],
    origin: NDArray[np.float64],
    scale: NDArray[np.float64],
    *,
    back: bool = False,
) -> NDArray[Any]:
    """Geometries in metres from their own origin, or back in degrees."""
    xy, owner = shapely.get_coordinates(geometries, return_index=True)
    moved = xy / scale[owner] + origin[owner] if back else (xy - origin[owner]) * scale[owner]
    made: NDArray[Any] = shapely.set_coordinates(geometries.copy(), moved)
    return made
