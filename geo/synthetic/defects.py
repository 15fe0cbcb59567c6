"""Known defects put into a clean parcel file, each with the finding an import has to report."""

import copy
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import shapely
from pyproj import Transformer

from geo.synthetic.mesh import Floats, generator, to_degrees, to_metres

DEFECT_SHARE: Final = 0.02
TOLERANCE_M2: Final = 1.0
"""Overlaps up to this are slivers; parcels here are so large that 0.1 % never is less."""
_SLIVER_M2: Final = (0.1, 0.9)
_ZONE_PREFIX_M: Final = 40_000_000.0
_ZONE_EPSG: Final = 4549

Feature = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What an import has to say about a row, counted from 1.

    `partner_rows` are the other rows the finding concerns (questioned too where the code is an
    overlap); of identical shapes either row may be the one refused. `also` lists codes that follow
    from the defect and are no false alarm, on the row itself or on `also_rows`. Where `scope` is
    "file" the finding speaks of the file as a whole.
    """

    row: int
    kind: str
    code: str
    severity: str
    parcel_no: str
    partner_rows: tuple[int, ...] = ()
    also: tuple[str, ...] = ()
    also_rows: tuple[int, ...] = ()
    scope: str = "row"


@dataclass(slots=True, kw_only=True)
class _Case:
    """A parcel to spoil: its ring in degrees and what is known around it."""

    row: int
    feature: Feature
    ring: Floats
    shape: shapely.Geometry
    near: dict[int, shapely.Geometry]
    partners: list[int] = field(default_factory=list)
    slivers: list[int] = field(default_factory=list)
    extra: Feature | None = None

    def put(self, ring: Floats) -> bool:
        """Replace the outline."""
        self.feature["geometry"] = {"type": "Polygon", "coordinates": [ring.tolist()]}
        return True

    def geometry(self, kind: str, coordinates: object) -> bool:
        """Replace the geometry by any other."""
        self.feature["geometry"] = {"type": kind, "coordinates": coordinates}
        return True


def _bow_tie(case: _Case) -> bool:
    ring = case.ring.copy()
    quarter = (len(ring) - 1) // 4
    ring[[quarter, 3 * quarter]] = ring[[3 * quarter, quarter]]
    return case.put(ring) and not shapely.is_valid(shapely.Polygon(ring))


def _unclosed(case: _Case) -> bool:
    return case.put(case.ring[:-1])


def _rotated_duplicate(case: _Case) -> bool:
    half = len(case.ring) // 2
    turned = np.concatenate([case.ring[half:-1], case.ring[: half + 1]])
    case.extra = copy.deepcopy(case.feature)
    case.extra["geometry"] = {"type": "Polygon", "coordinates": [turned.tolist()]}
    return True


def _overlap(case: _Case) -> bool:
    """A bulge of 25 m radius over the border."""
    metres = shapely.Polygon(to_metres(case.ring))
    at = shapely.Point(to_metres(case.ring[:1])[0])
    wider = shapely.union(metres, shapely.buffer(at, 25.0, quad_segs=4))
    if wider.geom_type != "Polygon" or len(wider.interiors):
        return False
    ring = to_degrees(np.asarray(wider.exterior.coords))
    shared = _shared_m2(ring, case.near)
    case.partners = [row for row, area in shared.items() if area > TOLERANCE_M2]
    case.slivers = [row for row, area in shared.items() if 0 < area <= TOLERANCE_M2]
    return bool(case.partners) and case.put(ring)


def _sliver(case: _Case) -> bool:
    """One vertex moved over the border, less than a square metre in all."""
    metres = to_metres(case.ring)
    for i in range(1, len(metres) - 1):
        chord = metres[i + 1] - metres[i - 1]
        length = math.hypot(*chord)
        outward = np.array([chord[1], -chord[0]]) / length
        moved = metres.copy()
        moved[i] += outward / length
        ring = to_degrees(moved)
        shared = {row: area for row, area in _shared_m2(ring, case.near).items() if area > 0}
        if len(shared) == 1 and _SLIVER_M2[0] < sum(shared.values()) < _SLIVER_M2[1]:
            case.partners = list(shared)
            return case.put(ring) and bool(shapely.is_valid(shapely.Polygon(ring)))
    return False


def _spike(case: _Case) -> bool:
    """A needle of 30 m, 2 cm wide at its foot."""
    metres = to_metres(case.ring)
    for i in range(len(metres) - 1):
        along = (metres[i + 1] - metres[i]) / math.hypot(*(metres[i + 1] - metres[i]))
        tip = metres[i] + 30.0 * np.array([along[1], -along[0]])
        foot = metres[i] + 0.02 * along
        ring = to_degrees(np.insert(metres, i + 1, [tip, foot], axis=0))
        shared = _shared_m2(ring, case.near)
        if shapely.is_valid(shapely.Polygon(ring)) and max(shared.values()) < TOLERANCE_M2:
            case.slivers = [row for row, area in shared.items() if area > 0]
            return case.put(ring)
    return False


def _shared_m2(ring: Floats, near: dict[int, shapely.Geometry]) -> dict[int, float]:
    """Plane area shared with each neighbour, by row."""
    shape = shapely.Polygon(ring)
    if not shapely.is_valid(shape):
        return dict.fromkeys(near, math.inf)
    rows = list(near)
    cut = shapely.intersection(shape, np.array([near[row] for row in rows], dtype=np.object_))
    areas = shapely.area(shapely.transform(cut, to_metres))
    return dict(zip(rows, areas.tolist(), strict=True))


def _hole_outside(case: _Case) -> bool:
    hole = case.ring[:1] + 0.01 + np.array([[0, 0], [0, 2e-4], [2e-4, 2e-4], [2e-4, 0], [0, 0]])
    return case.geometry("Polygon", [case.ring.tolist(), np.round(hole, 9).tolist()])


def _zone_prefixed(case: _Case) -> bool:
    """Metres with the zone in front; read back they miss the neighbours by under 0.1 mm."""
    case.slivers = list(case.near)
    return case.put(np.round(to_metres(case.ring) + np.array([_ZONE_PREFIX_M, 0.0]), 3))


def _grid_metres(case: _Case) -> bool:
    return case.put(np.round(to_metres(case.ring), 3))


def _web_mercator(case: _Case) -> bool:
    transformer = Transformer.from_crs(4490, 3857, always_xy=True)
    return case.put(np.round(np.column_stack(transformer.transform(*case.ring.T)), 3))


def _swapped(case: _Case) -> bool:
    return case.put(case.ring[:, ::-1])


def _nan(case: _Case) -> bool:
    ring = case.ring.copy()
    ring[len(ring) // 2, 1] = np.nan
    return case.put(ring)


def _text_number(case: _Case) -> bool:
    ring: list[list[Any]] = case.ring.tolist()
    ring[1][0] = f"{ring[1][0]:.6f}E"
    return case.geometry("Polygon", [ring])


def _tiny(case: _Case) -> bool:
    inside = to_metres(np.asarray(case.shape.representative_point().coords))
    square = inside + 0.5 * np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]])
    return case.put(to_degrees(square))


def _with_height(case: _Case) -> bool:
    return case.put(np.column_stack([case.ring, np.full(len(case.ring), 86.5)]))


def _empty(case: _Case) -> bool:
    return case.geometry("Polygon", [])


def _null(case: _Case) -> bool:
    case.feature["geometry"] = None
    return True


def _line(case: _Case) -> bool:
    return case.geometry("LineString", case.ring.tolist())


def _point(case: _Case) -> bool:
    return case.geometry("Point", case.ring[0].tolist())


def _too_few(case: _Case) -> bool:
    return case.put(case.ring[[0, len(case.ring) // 2, 0]])


def _malformed(case: _Case) -> bool:
    return case.geometry("Polygon", case.ring[0].tolist())


def _negative_age(case: _Case) -> bool:
    case.feature["properties"]["pingjun_nl"] = -3
    return True


def _unknown_species(case: _Case) -> bool:
    case.feature["properties"].update(you_shi_sz="火星松", species_code=99)
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of defect, the code and severity an import owes it, and how to make it."""

    name: str
    code: str
    severity: str
    spoil: Callable[[_Case], bool]


def _kind(name: str, code: str, severity: str, spoil: Callable[[_Case], bool]) -> Kind:
    return Kind(name=name, code=code, severity=severity, spoil=spoil)


KINDS: Final = (
    _kind("bow_tie", "GEOM_SELF_INTERSECTION", "refused", _bow_tie),
    _kind("unclosed", "GEOM_RING_UNCLOSED", "refused", _unclosed),
    _kind("rotated_duplicate", "DUPLICATE_IN_FILE", "refused", _rotated_duplicate),
    _kind("overlap", "OVERLAP_IN_FILE", "questioned", _overlap),
    _kind("sliver", "SLIVER_IN_FILE", "warning", _sliver),
    _kind("hole_outside", "GEOM_HOLE_OUTSIDE", "refused", _hole_outside),
    _kind("zone_prefixed_metres", "CRS_ZONE_PREFIX", "questioned", _zone_prefixed),
    _kind("grid_metres", "CRS_METRES_AS_DEGREES", "refused", _grid_metres),
    _kind("web_mercator_metres", "CRS_WEBMERCATOR_AS_DEGREES", "refused", _web_mercator),
    _kind("swapped_axes", "SWAPPED_AXES", "questioned", _swapped),
    _kind("nan", "GEOM_NAN", "refused", _nan),
    _kind("text_number", "GEOM_BAD_NUMBER", "refused", _text_number),
    _kind("tiny", "GEOM_TINY", "refused", _tiny),
    _kind("spike", "GEOM_SPIKE", "warning", _spike),
    _kind("height", "GEOM_3D_DROPPED", "warning", _with_height),
    _kind("empty", "GEOM_EMPTY", "refused", _empty),
    _kind("null", "GEOM_EMPTY", "refused", _null),
    _kind("line", "LINE_AS_POLYGON", "questioned", _line),
    _kind("point", "NOT_A_POLYGON", "refused", _point),
    _kind("too_few_points", "GEOM_RING_TOO_FEW", "refused", _too_few),
    _kind("malformed", "GEOM_MALFORMED", "refused", _malformed),
    _kind("negative_age", "ATTR_AGE_NEGATIVE", "refused", _negative_age),
    _kind("unknown_species", "ATTR_SPECIES_UNKNOWN", "questioned", _unknown_species),
)

_FILE_CODES: Final = frozenset({"GEOM_3D_DROPPED"})
_NEEDS_ROOM: Final = frozenset(
    {"overlap", "sliver", "spike", "rotated_duplicate", "zone_prefixed_metres"}
)
_FOLLOWING: Final = {"overlap": ("AREA_DIFFERS",)}
"""What else may be said of a defect: a bulge makes the stated area untrue."""

_REACH_DEG: Final = 4e-4
"""How far a defect may reach over the border, about 40 m."""


def spoil(
    features: Sequence[Feature],
    geometry: Sequence[shapely.Geometry],
    barred: frozenset[int],
    seed: int,
) -> tuple[list[Feature], list[Truth]]:
    """Return the file with 2 % of its parcels spoilt, at least one a kind, and the truth.

    Parameters
    ----------
    features : GeoJSON features, in the order of `geometry` (MultiPolygons in degrees). A defect
        that involves neighbours keeps them whole, so that every finding has one cause.
    barred : positions to leave alone.

    Returns
    -------
    Features, with added duplicates last, and one truth a defect in the order of rows.
    """
    order = generator(seed, 71).permutation(len(features)).tolist()
    pool = deque(i for i in order if i not in barred and _is_simple(geometry[i]))
    tree = shapely.STRtree(geometry)
    spoilt: list[Feature] = list(features)
    truths: list[Truth] = []
    taken: set[int] = set()
    wanted = max(len(KINDS), round(len(features) * DEFECT_SHARE))
    for number in range(wanted):
        kind = KINDS[number % len(KINDS)]
        for _ in range(len(pool)):
            i = pool.popleft()
            if i in taken:
                continue
            around = tree.query(geometry[i], predicate="dwithin", distance=_REACH_DEG).tolist()
            near = {n + 1: geometry[n] for n in sorted(around) if n != i}
            roomy = kind.name not in _NEEDS_ROOM or taken.isdisjoint(around)
            case = _case(i, features[i], geometry[i], near)
            if roomy and kind.spoil(case):
                truths.append(_record(case, kind, spoilt))
                taken.update(around if kind.name in _NEEDS_ROOM else [i])
                break
            pool.append(i)
        else:
            message = f"no parcel is left for the defect {kind.name}"
            raise AssertionError(message)
    return spoilt, sorted(truths, key=lambda truth: truth.row)


def _is_simple(shape: shapely.Geometry) -> bool:
    return len(shape.geoms) == 1 and not len(shape.geoms[0].interiors)


def _case(
    position: int, feature: Feature, shape: shapely.Geometry, near: dict[int, shapely.Geometry]
) -> _Case:
    return _Case(
        row=position + 1,
        feature=copy.deepcopy(feature),
        ring=np.asarray(shape.geoms[0].exterior.coords),
        shape=shape.geoms[0],
        near=near,
    )


def _record(case: _Case, kind: Kind, spoilt: list[Feature]) -> Truth:
    row = case.row
    if case.extra is None:
        spoilt[row - 1] = case.feature
    else:
        spoilt.append(case.extra)
        case.partners, row = [row], len(spoilt)
    return Truth(
        row=row,
        kind=kind.name,
        code=kind.code,
        severity=kind.severity,
        parcel_no=str(case.feature["properties"]["parcel_no"]),
        partner_rows=tuple(case.partners),
        also=(("SLIVER_IN_FILE",) if case.slivers else ()) + _FOLLOWING.get(kind.name, ()),
        also_rows=tuple(case.slivers),
        scope="file" if kind.code in _FILE_CODES else "row",
    )
