"""Edits of boundaries that neither make nor lose ground: split, merge, trim, hole, shared line.

Edges are straight in longitude and latitude, for the overlay as for :mod:`geo.area`, so the areas
of what comes out add up to the area that went in.  What an edit would lose or leave over is part
of its answer, never dropped in silence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import shapely
from shapely.geometry import LineString, MultiLineString, MultiPolygon, Polygon

from geo.area import area_m2
from geo.errors import GeometryError
from geo.overlap import OVERLAP_NOISE_M2

Surface: TypeAlias = Any
"""A valid Polygon or MultiPolygon in longitude and latitude; shapely has no types."""

Line: TypeAlias = Any
"""A LineString or MultiLineString in longitude and latitude."""

AREA_RELATIVE_MAX: Final = 1e-9
"""Most by which the areas after an edit may differ from those before, relative."""

_SNAP_DEG: Final = 1e-9
"""Ends of a drawn line this near a boundary lie on it: 0.1 mm, far below what a hand draws."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Edited:
    """What came of an edit; areas on the ellipsoid.

    Attributes
    ----------
    pieces
        The places after the edit, each a MultiPolygon.
    areas_m2
        Their areas.
    before_m2
        Area of all that went in.
    removed_m2
        Ground that went in and lies in no piece: cut off, a hole, or counted twice before.
    """

    pieces: tuple[MultiPolygon, ...]
    areas_m2: tuple[float, ...]
    before_m2: float
    removed_m2: float


def split(place: Surface, line: Line) -> Edited:
    """Cut a place along a line; the parts from west to east, then south to north.

    Parts of a multipart place that the line does not cross stay with the largest piece.

    Raises
    ------
    GeometryError : EDIT_LINE_DOES_NOT_CROSS when the line leaves the place in one piece.
    """
    faces = _faces(place, line)
    crossed = [group for group in faces if len(group) > 1]
    if not crossed:
        raise GeometryError("EDIT_LINE_DOES_NOT_CROSS")
    pieces = [[face] for group in crossed for face in group]
    rest = [face for group in faces if len(group) == 1 for face in group]
    largest = max(range(len(pieces)), key=lambda at: _area(pieces[at][0]))
    pieces[largest].extend(rest)
    return _edited([_multi(parts) for parts in pieces], before=[place])


def merge(places: Sequence[Surface]) -> Edited:
    """Join neighbours into one place.

    Ground two of them share (a sliver within the tolerance) counts once: ``removed_m2`` says how
    much that was.

    Raises
    ------
    GeometryError : EDIT_NEEDS_TWO, or EDIT_NOT_NEIGHBOURS with the first place (its position) that
        shares no stretch of boundary with the others.
    """
    if len(places) < 2:  # noqa: PLR2004 -- one place is merged with nothing
        raise GeometryError("EDIT_NEEDS_TWO")
    for at, place in enumerate(places):
        others = shapely.union_all([one for other, one in enumerate(places) if other != at])
        if not _share_boundary(place, others):
            raise GeometryError("EDIT_NOT_NEIGHBOURS", place=at + 1)
    return _edited([_as_multi(shapely.union_all(list(places)))], before=places)


def trim(place: Surface, neighbours: Sequence[Surface]) -> Edited:
    """Cut a place back to its neighbours' lines.

    Raises
    ------
    GeometryError : EDIT_NOTHING_TO_TRIM when it overlaps none, EDIT_NOTHING_LEFT when it lies
        within them.
    """
    theirs = shapely.union_all(list(neighbours)) if len(neighbours) else None
    if theirs is None or _area(shapely.intersection(place, theirs)) <= OVERLAP_NOISE_M2:
        raise GeometryError("EDIT_NOTHING_TO_TRIM")
    return _edited([_left(shapely.difference(place, theirs))], before=[place])


def cut_hole(place: Surface, hole: Polygon) -> Edited:
    """Take a pond, a house or a rock out of a place.

    Raises
    ------
    GeometryError : EDIT_HOLE_OUTSIDE when the hole does not lie inside, EDIT_HOLE_INVALID when its
        own line crosses itself, EDIT_NOTHING_LEFT when it is the whole place.
    """
    if not shapely.is_valid(hole) or _area(hole) <= 0:
        raise GeometryError("EDIT_HOLE_INVALID")
    if not shapely.covers(place, hole):
        raise GeometryError("EDIT_HOLE_OUTSIDE")
    return _edited([_left(shapely.difference(place, hole))], before=[place])


def move_boundary(first: Surface, second: Surface, line: Line) -> Edited:
    """Give two neighbours a new common line; the ground of both together stays the same.

    Parameters
    ----------
    first, second
        Places that share a stretch of boundary.
    line
        The new line, from side to side of the two together.

    Returns
    -------
    Two pieces, in the order of the places: each part of the whole goes to the place that held the
    greater share of it, where both keep something.

    Raises
    ------
    GeometryError : EDIT_NOT_NEIGHBOURS, EDIT_LINE_DOES_NOT_CROSS, or EDIT_NOTHING_LEFT when one of
        them would have no ground.
    """
    if not _share_boundary(first, second):
        raise GeometryError("EDIT_NOT_NEIGHBOURS", place=2)
    whole = shapely.union_all([first, second])
    faces = _faces(whole, line)
    if all(len(group) == 1 for group in faces):
        raise GeometryError("EDIT_LINE_DOES_NOT_CROSS")
    mine: list[Polygon] = []
    theirs: list[Polygon] = []
    for face in (face for group in faces for face in group):
        held = [_area(shapely.intersection(face, place)) for place in (first, second)]
        (mine if held[0] >= held[1] else theirs).append(face)
    if not mine or not theirs:
        raise GeometryError("EDIT_NOTHING_LEFT")
    return _edited([_multi(mine), _multi(theirs)], before=[first, second])


def _faces(place: Surface, line: Line) -> list[list[Polygon]]:
    """Faces of each part of a place, cut by a line; holes stay holes."""
    groups = []
    for part in shapely.get_parts(place):
        edge = shapely.boundary(part)
        lines = shapely.node(shapely.union_all([edge, _reaching(line, edge)]))
        faces = shapely.get_parts(shapely.polygonize([*shapely.get_parts(lines)]))
        within = shapely.contains_properly(part, shapely.point_on_surface(faces))
        groups.append(sorted(faces[within], key=_west_to_east))
    return groups


def _reaching(line: Line, edge: Line) -> Line:
    """Return a line whose ends, where they stop on a boundary within rounding, reach across it."""
    reached = []
    for one in shapely.get_parts(line):
        xy = shapely.get_coordinates(one)
        for end, towards in ((0, 1), (-1, -2)):
            step = xy[end] - xy[towards]
            length = float(np.hypot(*step))
            if length > 0 and shapely.distance(edge, shapely.points(xy[end])) <= _SNAP_DEG:
                xy[end] += step / length * 2 * _SNAP_DEG
        reached.append(LineString(xy))
    return MultiLineString(reached)


def _west_to_east(face: Polygon) -> tuple[float, float]:
    """Return a place's rank; rounded, so that where its ring begins does not count."""
    middle = face.centroid
    return round(middle.x, 10), round(middle.y, 10)


def _share_boundary(one: Surface, other: Surface) -> bool:
    """Say whether two places share a stretch of line, or ground."""
    if not shapely.intersects(one, other):
        return False
    return bool(shapely.get_dimensions(shapely.intersection(one, other)) >= 1) or _near(one, other)


def _near(one: Surface, other: Surface) -> bool:
    """Say the same where corners of one lie on lines of the other within rounding."""
    snapped = shapely.snap(one, other, _SNAP_DEG)
    shared = shapely.intersection(shapely.boundary(snapped), shapely.boundary(other))
    return bool(shapely.length(shared) > 0)


def _edited(pieces: Sequence[MultiPolygon], *, before: Sequence[Surface]) -> Edited:
    areas = area_m2(np.array(pieces, dtype=object))
    went_in = float(area_m2(np.array(before, dtype=object)).sum())
    gone = went_in - float(areas.sum())
    return Edited(
        pieces=tuple(pieces),
        areas_m2=tuple(float(area) for area in areas),
        before_m2=went_in,
        removed_m2=0.0 if abs(gone) <= AREA_RELATIVE_MAX * went_in else gone,
    )


def _left(shape: Surface) -> MultiPolygon:
    """Return the surfaces that are left; crumbs below rounding are none."""
    parts = [
        part
        for part in shapely.get_parts(shape)
        if shapely.get_dimensions(part) == _SURFACE and _area(part) > OVERLAP_NOISE_M2
    ]
    if not parts:
        raise GeometryError("EDIT_NOTHING_LEFT")
    return _multi(parts)


def _multi(parts: Sequence[Polygon]) -> MultiPolygon:
    """Return parts as one place; parts that meet along a line become one."""
    return _as_multi(shapely.union_all(list(parts)) if len(parts) > 1 else parts[0])


def _as_multi(shape: Surface) -> MultiPolygon:
    return shape if isinstance(shape, MultiPolygon) else MultiPolygon([shape])


def _area(shape: Surface) -> float:
    return float(area_m2(np.array([shape], dtype=object))[0])


_SURFACE: Final = 2
