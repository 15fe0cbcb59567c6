"""What could be done about a faulty polygon: proposals for a person, never applied here.

Nothing depends on the order of the rows given: of two that overlap, the later row of the file gives
way, and its area before and after is told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import shapely

from geo.area import area_m2

Kind = Literal["close_ring", "make_valid", "trim", "clip_sliver", "drop_duplicate"]
KINDS: Final[tuple[Kind, ...]] = (
    "close_ring",
    "make_valid",
    "trim",
    "clip_sliver",
    "drop_duplicate",
)
SLIVER_SHARE_MAX: Final = 0.01
"""Of its own area a row loses at most this where what is cut off is called a sliver."""

AREA_M2_MIN: Final = 1.0
_DUPLICATES: Final = frozenset({"DUPLICATE_IN_FILE", "DUPLICATE_STORED"})
_OVERLAPS: Final = frozenset({"OVERLAP_IN_FILE", "OVERLAP_STORED"})
_UNCLOSED: Final = frozenset({"GEOM_RING_UNCLOSED"})
_INVALID: Final = frozenset(
    {
        "GEOM_SELF_INTERSECTION",
        "GEOM_RING_TOUCHES_ITSELF",
        "GEOM_HOLE_OUTSIDE",
        "GEOM_NESTED_HOLES",
        "GEOM_NESTED_SHELLS",
        "GEOM_DUPLICATE_RINGS",
        "GEOM_INTERIOR_CUT",
        "GEOM_INVALID",
    }
)
REPAIRABLE: Final = _DUPLICATES | _OVERLAPS | _UNCLOSED | _INVALID
"""Codes that a proposal answers; a row with any other refusal or question has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulty:
    """A row that was not accepted: its shape in EPSG:4490 and the codes that kept it out."""

    row: int
    geometry: Any
    codes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What could become of a row; no geometry where it is to be left out.

    Attributes
    ----------
    area_before_m2, area_after_m2
        On the ellipsoid; before is the area of the outline as drawn, crossings and all.
    """

    row: int
    kind: Kind
    geometry: Any
    area_before_m2: float
    area_after_m2: float


def propose(rows: Sequence[Faulty], stored: Mapping[int, Sequence[Any]]) -> list[Proposal]:
    """Propose a repair for every row whose faults all have one.

    Parameters
    ----------
    rows
        Rows of one file that were refused or questioned.
    stored
        Active parcels that each row must not overlap, in EPSG:4490.

    Returns
    -------
    Sorted by row; a row that would keep less than 1 m2 has none.
    """
    ordered = sorted(rows, key=lambda one: one.row)
    open_ = [one for one in ordered if one.codes & _OVERLAPS and _sound(one.geometry)]
    found = []
    for one in ordered:
        if not one.codes or not one.codes <= REPAIRABLE or one.geometry is None:
            continue
        if one.codes & _DUPLICATES:
            area = _area(one.geometry)
            found.append(_proposal(one, "drop_duplicate", None, area, 0.0))
            continue
        earlier = [other.geometry for other in open_ if other.row < one.row]
        made = _repaired(one, [*earlier, *stored.get(one.row, ())])
        if made is not None:
            found.append(made)
    return found


def _repaired(one: Faulty, others: Sequence[Any]) -> Proposal | None:
    before = _area(one.geometry)
    whole = one.geometry if _sound(one.geometry) else _polygons(shapely.make_valid(one.geometry))
    cut = whole
    if one.codes & _OVERLAPS:
        cut = _polygons(shapely.difference(whole, shapely.union_all(list(others))))
    after = _area(cut)
    if after < AREA_M2_MIN:
        return None
    lost = 1 - after / _area(whole)
    if one.codes & _OVERLAPS:
        kind: Kind = "clip_sliver" if lost <= SLIVER_SHARE_MAX else "trim"
    else:
        kind = "close_ring" if one.codes <= _UNCLOSED else "make_valid"
    return _proposal(one, kind, cut, before, after)


def _proposal(one: Faulty, kind: Kind, geometry: Any, before: float, after: float) -> Proposal:  # noqa: ANN401
    return Proposal(
        row=one.row, kind=kind, geometry=geometry, area_before_m2=before, area_after_m2=after
    )


def _sound(geometry: Any) -> bool:  # noqa: ANN401 -- shapely has no types
    return geometry is not None and bool(shapely.is_valid(geometry))


def _polygons(geometry: Any) -> Any:  # noqa: ANN401
    """Return the areas of a geometry as one MultiPolygon; lines and points fall away."""
    parts = shapely.get_parts(shapely.get_parts(geometry))
    areas = [part for part in parts if shapely.get_type_id(part) == shapely.GeometryType.POLYGON]
    return shapely.multipolygons(areas) if areas else shapely.MultiPolygon()


def _area(geometry: Any) -> float:  # noqa: ANN401
    return float(abs(area_m2(np.array([geometry], dtype=object))[0]))
