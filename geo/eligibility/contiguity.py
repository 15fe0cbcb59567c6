"""Contiguity: the parts of one parcel lie near each other, and none is a crumb."""

from typing import Any

import numpy as np
import shapely

from geo.area import area_m2
from geo.eligibility.table import Answer, ParcelTable, RuleAnswer, Thresholds

NAME = "contiguity"

_METRES_PER_DEGREE = 111_195.0


def contiguity(parcels: ParcelTable, thresholds: Thresholds) -> list[RuleAnswer]:
    """Compare the widest gap that joins a parcel's parts, and its smallest part, with the limits.

    Thresholds: ``gap_m_max``, ``part_m2_min``; the limits themselves are allowed.
    """
    gap_max = float(thresholds["gap_m_max"].exact)
    part_min = float(thresholds["part_m2_min"].exact)
    return [_one(parcels, row, gap_max, part_min) for row in range(len(parcels))]


def _one(parcels: ParcelTable, row: int, gap_max: float, part_min: float) -> RuleAnswer:
    parts = shapely.get_parts(parcels.geometries[row])
    areas = area_m2(parts)
    smallest = int(areas.argmin())
    gap_m = _widest_gap_m(parts) if len(parts) > 1 else 0.0
    params: dict[str, object] = {
        "parts": len(parts),
        "measured": gap_m,
        "threshold": gap_max,
        "part_m2": float(areas[smallest]),
        "part_m2_min": part_min,
        "unit": "m",
    }
    code, answer, ground = "RULE_PARTS_TOGETHER", Answer.ELIGIBLE, None
    if gap_m > gap_max:
        code, answer = "RULE_PARTS_APART", Answer.NOT_ELIGIBLE
    elif len(parts) > 1 and areas[smallest] < part_min:
        code, answer, ground = "RULE_PART_TOO_SMALL", Answer.NOT_ELIGIBLE, parts[smallest]
    return RuleAnswer(
        parcel=row,
        rule=NAME,
        answer=answer,
        code=code,
        params=params,
        area_m2=None if ground is None else float(areas[smallest]),
        geometry=ground,
    )


def _widest_gap_m(parts: Any) -> float:  # noqa: ANN401 -- shapely is untyped
    """Widest of the gaps that must be crossed to reach every part from any other, m."""
    south, north = shapely.total_bounds(parts)[[1, 3]]
    scale = np.array([np.cos(np.radians((south + north) / 2)), 1.0]) * _METRES_PER_DEGREE
    plane = shapely.transform(parts, lambda xy: xy * scale)
    gaps = shapely.distance(plane[:, None], plane[None, :])
    reached, widest = gaps[0], 0.0
    left = np.arange(1, len(plane))
    while len(left):  # the nearest part next: the widest step of all is the answer
        nearest = left[reached[left].argmin()]
        widest = max(widest, float(reached[nearest]))
        reached = np.minimum(reached, gaps[nearest])
        left = left[left != nearest]
    return widest
