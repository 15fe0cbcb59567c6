"""GML of any version: features with polygons, arcs refused by name, axis order by the reference."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final
from xml.etree.ElementTree import Element

import numpy as np
import pyproj
from pyproj.exceptions import CRSError

from geo.errors import FileError
from geo.findings import refused
from geo.vector.features import Limits, RawFeature, Table
from geo.vector.lines import offer_line
from geo.vector.rings import BadVertexError, FloatArray, Shape, assemble
from geo.vector.xml import local, parse_xml, text_of, walk

_MEMBERS: Final = frozenset({"featureMember", "featureMembers", "member", "members"})
_POLYGONS: Final = frozenset({"Polygon", "PolygonPatch", "Rectangle", "Triangle"})
_SHELLS: Final = frozenset({"exterior", "outerBoundaryIs"})
_HOLES: Final = frozenset({"interior", "innerBoundaryIs"})
_CURVED: Final = frozenset(
    {"Arc", "ArcString", "ArcByBulge", "ArcByCenterPoint", "Circle", "CircleByCenterPoint"}
    | {"CubicSpline", "BSpline", "Bezier", "Clothoid", "Geodesic"}
)
_LINES: Final = frozenset({"LineString", "Curve"})
_GEOMETRIES: Final = (
    _POLYGONS
    | _LINES
    | frozenset({"Point", "MultiPoint", "MultiPolygon", "MultiSurface", "Surface"})
    | frozenset({"CompositeSurface", "MultiGeometry", "MultiCurve", "MultiLineString", "Solid"})
)
_BOUNDS: Final = frozenset({"boundedBy", "Envelope", "Box"})
_NORTH_FIRST: Final = re.compile(r"^urn:|/def/crs/", re.IGNORECASE)


def read_gml(data: bytes, *, encoding: str | None, limits: Limits) -> Table:
    """Read every feature of a GML document.

    A reference written as a URN or a web address gives the axes in the order of its authority
    (for CGCS2000 grids north first), a short `EPSG:4549` in that of GIS files.

    Raises
    ------
    FileError
        As `geo.vector.xml.parse_xml`, FILE_TOO_MANY_FEATURES, or FILE_GML_NO_FEATURES.
    """
    root, used, notes = parse_xml(data, encoding=encoding, limits=limits)
    found = _features(root)
    if not found:
        raise FileError("FILE_GML_NO_FEATURES", root=local(root)[:60])
    if len(found) > limits.features:
        raise FileError("FILE_TOO_MANY_FEATURES", features=len(found), limit=limits.features)
    named = [name for element, _ in walk(root) if (name := element.get("srsName"))]
    crs = named[0] if named else None
    features = tuple(_feature(row, item, crs, limits) for row, item in enumerate(found, 1))
    return Table(encoding=used, crs=crs, features=features, findings=notes)


def _features(root: Element) -> list[Element]:
    members = [one for element, _ in walk(root) if local(element) in _MEMBERS for one in element]
    if members:
        return members
    if local(root) in _GEOMETRIES:
        return [root]
    return [one for one in root if any(local(inner) in _GEOMETRIES for inner in one.iter())]


@lru_cache(maxsize=64)
def _swapped(name: str) -> bool:
    """Say whether positions of this reference stand north first."""
    if not _NORTH_FIRST.search(name):
        return False
    try:
        axes = pyproj.CRS.from_user_input(name).axis_info
    except CRSError:
        return False
    return bool(axes) and axes[0].direction.lower() in {"north", "south"}


def _numbers(text: str) -> FloatArray:
    words = text.split()
    try:
        return np.array([float(word) for word in words], dtype=np.float64)
    except ValueError as error:
        raise BadVertexError(1) from error


def _dimension(element: Element, above: tuple[Element, ...]) -> int:
    for one in (element, *reversed(above)):
        said = one.get("srsDimension") or one.get("dimension")
        if said is not None:
            return int(said) if said in {"2", "3"} else 2
    return 2


def _positions(ring: Element) -> tuple[FloatArray, bool]:
    """Vertices of a ring however they are written, curves of straight pieces joined."""
    pieces: list[FloatArray] = []
    deep = False
    for element, above in walk(ring):
        name = local(element)
        if name in {"posList", "pos"}:
            flat, width = _numbers(text_of(element)), _dimension(element, above)
            width = len(flat) if name == "pos" else width
            if width == 0 or len(flat) % width:
                raise BadVertexError(len(flat) // max(width, 1) + 1)
            deep |= width > 2  # noqa: PLR2004 - the plane
            pieces.append(flat.reshape(-1, width)[:, :2])
        elif name == "coordinates":
            array, dropped = _tuples(element)
            deep |= dropped
            pieces.append(array)
    try:
        joined = np.concatenate(pieces) if pieces else np.empty((0, 2))
    except ValueError as error:
        raise BadVertexError(1) from error
    again = np.zeros(len(joined), dtype=np.bool_)
    again[1:] = (joined[1:] == joined[:-1]).all(axis=1)
    return joined[~again], deep


def _tuples(element: Element) -> tuple[FloatArray, bool]:
    """The older way: `1,2 3,4`, with separators that may be told."""
    comma, space = element.get("cs", ","), element.get("ts", " ")
    point = element.get("decimal", ".")
    text = text_of(element).replace(comma, "\x01").replace(space, " ").replace(point, ".")
    rows = [_numbers(word.replace("\x01", " ")) for word in text.split()]
    if not rows:
        return np.empty((0, 2)), False
    if any(len(row) < 2 for row in rows):  # noqa: PLR2004 - the plane
        raise BadVertexError(1 + next(n for n, row in enumerate(rows) if len(row) < 2))  # noqa: PLR2004
    return np.array([row[:2] for row in rows]), any(len(row) > 2 for row in rows)  # noqa: PLR2004


def _polygons(feature: Element) -> Iterator[Element]:
    return (one for one, above in walk(feature) if local(one) in _POLYGONS and not _outside(above))


def _outside(above: tuple[Element, ...]) -> bool:
    return any(local(one) in _BOUNDS for one in above)


def _shape(row: int, feature: Element, crs: str | None, limits: Limits) -> Shape:
    inside = [(one, above) for one, above in walk(feature) if not _outside(above)]
    names = [local(one) for one, _ in inside]
    bent = next((name for name in names if name in _CURVED), None)
    if bent:
        return Shape(geometry=None, faults=(refused(row, "NOT_A_POLYGON", type=bent),))
    other = {name for one, _ in inside if (name := one.get("srsName"))} - {crs}
    if other:
        fault = refused(row, "CRS_MIXED", used=str(crs)[:80], other=min(other)[:80])
        return Shape(geometry=None, faults=(fault,))
    try:
        return _assembled(row, feature, names, swap=_swapped(crs or ""), limits=limits)
    except BadVertexError as error:
        fault = refused(row, "GEOM_BAD_NUMBER", part=1, ring=1, vertex=error.vertex)
        return Shape(geometry=None, faults=(fault,))


def _assembled(
    row: int, feature: Element, names: list[str], *, swap: bool, limits: Limits
) -> Shape:
    def turned(array: FloatArray) -> FloatArray:
        return array[:, ::-1] if swap else array

    parts, dropped = [], False
    for polygon in _polygons(feature):
        sides = [one for one in polygon if local(one) in _SHELLS]
        sides += [one for one in polygon if local(one) in _HOLES]
        read = [_positions(side) for side in sides]
        parts.append([turned(array) for array, _ in read])
        dropped |= any(deep for _, deep in read)
    if parts:
        return assemble(row, parts, vertices_max=limits.vertices_per_feature, dropped=dropped)
    lines = [_positions(one) for one, _ in walk(feature) if local(one) in _LINES]
    if lines:
        return offer_line(
            row,
            [turned(array) for array, _ in lines],
            kind="LineString",
            vertices_max=limits.vertices_per_feature,
            dropped=any(deep for _, deep in lines),
        )
    kind = next((name for name in names if name in _GEOMETRIES), None)
    fault = refused(row, "NOT_A_POLYGON", type=kind) if kind else refused(row, "GEOM_EMPTY")
    return Shape(geometry=None, faults=(fault,))


def _attributes(feature: Element) -> dict[str, object]:
    """Texts outside the geometry; nested ones are named by their path."""
    found: dict[str, object] = {}
    for key, value in feature.attrib.items():
        if key.rpartition("}")[2] in {"id", "fid"}:
            found["gml_id"] = value
    for element, above in walk(feature):
        path = [*above[1:], element] if above else []
        plain = not any(local(one) in _GEOMETRIES | _BOUNDS for one in path)
        text = text_of(element)
        if path and plain and text and len(element) == 0:
            name, number = ".".join(local(one) for one in path), 2
            stem = name
            while name in found:
                name, number = f"{stem}_{number}", number + 1
            found[name] = text
    return found


def _feature(row: int, item: Element, crs: str | None, limits: Limits) -> RawFeature:
    shape = _shape(row, item, crs, limits)
    return RawFeature(
        row=row,
        geometry=shape.geometry,
        faults=shape.faults,
        attributes=_attributes(item),
        dropped_dimension=shape.dropped_dimension,
    )
