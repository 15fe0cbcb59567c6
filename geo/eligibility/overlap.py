"""Ground that parcels share with other geometries, and what overlap is too small to count."""

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.area import area_m2
from geo.eligibility.table import Answer, ParcelTable, RuleAnswer, Thresholds

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def pairs(parcels: NDArray[Any], others: NDArray[Any]) -> tuple[Ints, Ints, NDArray[Any], Floats]:
    """Pairs that share ground.

    Parameters
    ----------
    parcels, others : (n,), (m,) lon/lat geometries; others may be invalid and are mended.

    Returns
    -------
    parcel row, other row, common ground (polygons only), its area in m2; ordered by both rows.
    """
    mended = np.where(shapely.is_valid(others), others, shapely.make_valid(others))
    tree = shapely.STRtree(mended)
    parcel, other = tree.query(parcels, predicate="intersects")
    order = np.lexsort((other, parcel))
    parcel, other = parcel[order].astype(np.int64), other[order].astype(np.int64)
    common = _polygons(shapely.intersection(parcels[parcel], mended[other]))
    area = area_m2(common)
    keep = area > 0.0
    return parcel[keep], other[keep], common[keep], area[keep]


def tolerance_m2(smaller_m2: Floats, thresholds: Thresholds) -> Floats:
    """Overlap that does not count: the lesser of an area and a share of the smaller parcel."""
    most = float(thresholds["overlap_m2_max"].exact)
    share = float(thresholds["overlap_share_max"].exact)
    return np.minimum(most, share * smaller_m2)


def excluded_ground(
    parcels: ParcelTable, thresholds: Thresholds, *, rule: str, attribute: str, code: str
) -> list[RuleAnswer]:
    """Answer for a layer of ground that is not allowed.

    The layer decides where it is loaded; otherwise the field record's yes or no; otherwise it is
    asked for. Thresholds: ``overlap_m2_max``, ``overlap_share_max``.
    """
    layer = parcels.exclusions.get(rule)
    if layer is None:
        return [_declared(parcels, row, rule, attribute, code) for row in range(len(parcels))]
    row, _, common, _ = pairs(parcels.geometries, layer)
    limit = tolerance_m2(parcels.area_m2, thresholds)
    answers = []
    bounds = np.searchsorted(row, np.arange(len(parcels) + 1))
    for one in range(len(parcels)):
        mine = common[bounds[one] : bounds[one + 1]]
        ground = shapely.union_all(mine) if len(mine) else None
        area = float(area_m2(np.array([ground]))[0]) if ground is not None else 0.0
        over = area > limit[one]
        params = {"measured": area, "threshold": float(limit[one]), "unit": "m2", "basis": "layer"}
        answers.append(
            RuleAnswer(
                parcel=one,
                rule=rule,
                answer=Answer.NOT_ELIGIBLE if over else Answer.ELIGIBLE,
                code=f"{code}_OVERLAP" if over else f"{code}_NONE",
                params=params,
                area_m2=area,
                geometry=ground,
            )
        )
    return answers


def _declared(parcels: ParcelTable, row: int, rule: str, attribute: str, code: str) -> RuleAnswer:
    """Answer from the field record alone."""
    flag = parcels.flag(row, attribute)
    params: dict[str, object] = {"basis": "record", "unit": "m2", "threshold": 0.0}
    if flag is None:
        return RuleAnswer(
            parcel=row,
            rule=rule,
            answer=Answer.NEEDS_DOCUMENTS,
            code=f"{code}_UNKNOWN",
            params=params,
        )
    area = float(parcels.area_m2[row]) if flag else 0.0
    return RuleAnswer(
        parcel=row,
        rule=rule,
        answer=Answer.NOT_ELIGIBLE if flag else Answer.ELIGIBLE,
        code=f"{code}_OVERLAP" if flag else f"{code}_NONE",
        params=params | {"measured": area},
        area_m2=area,
        geometry=parcels.geometries[row] if flag else None,
    )


def _polygons(geometries: NDArray[Any]) -> NDArray[Any]:
    """Only the polygons of each geometry: lines and points in common are no ground."""
    kinds = shapely.get_type_id(geometries)
    mixed = np.flatnonzero(kinds == shapely.GeometryType.GEOMETRYCOLLECTION)
    out = geometries.copy()
    for at in mixed:
        parts = shapely.get_parts(geometries[at])
        out[at] = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])  # noqa: PLR2004
    return out
