"""KML placemarks with their folders and fields; lines and tracks are asked about, row by row."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final
from xml.etree.ElementTree import Element

import numpy as np

from geo.errors import FileError
from geo.findings import questioned, refused, warning
from geo.vector.features import Limits, RawFeature, Table
from geo.vector.lines import offer_line, offer_track
from geo.vector.rings import BadVertexError, FloatArray, Shape, assemble, vertices
from geo.vector.xml import child, local, parse_xml, text_of, walk

CRS_FIELD: Final = "tanhui_crs"
"""Field of the document in which our own export names its reference system."""

_COMMA: Final = re.compile(r"\s*,\s*")
_LINES: Final = frozenset({"LineString", "LinearRing"})
_TRACKS: Final = frozenset({"Track", "MultiTrack"})
_NO_AREA: Final = frozenset({"Point", "Model"})
_TRUTHS: Final[Mapping[str, bool]] = {"1": True, "true": True, "0": False, "false": False}
_KINDS: Final[Mapping[str, Callable[[str], object]]] = {
    **dict.fromkeys(("int", "uint", "short", "ushort"), int),
    **dict.fromkeys(("float", "double"), float),
    "bool": lambda text: _TRUTHS[text.lower()],
}


def read_kml(data: bytes, *, encoding: str | None, limits: Limits) -> Table:
    """Read every placemark of a KML document.

    Names of folders become the attribute `folder`, fields their own; a field of a schema has the
    schema's type.

    Raises
    ------
    FileError
        As `geo.vector.xml.parse_xml`, or FILE_TOO_MANY_FEATURES.
    """
    root, used, notes = parse_xml(data, encoding=encoding, limits=limits)
    found = [pair for pair in walk(root) if local(pair[0]) == "Placemark"]
    if len(found) > limits.features:
        raise FileError("FILE_TOO_MANY_FEATURES", features=len(found), limit=limits.features)
    links = sum(local(element) == "NetworkLink" for element, _ in walk(root))
    if links:
        notes = (*notes, warning(None, "KML_LINKS_NOT_FOLLOWED", links=links))
    kinds = _schema(root)
    features = tuple(
        _feature(row, item, above, kinds, limits) for row, (item, above) in enumerate(found, 1)
    )
    return Table(encoding=used, crs=_crs(root), features=features, findings=notes)


def _crs(root: Element) -> str:
    """WGS84 as the standard has it, or what our own export says of itself."""
    document = child(root, "Document")
    data = child(document, "ExtendedData") if document is not None else None
    for element in data if data is not None else ():
        if element.get("name") == CRS_FIELD:
            return text_of(child(element, "value")) or "EPSG:4326"
    return "EPSG:4326"


def _schema(root: Element) -> dict[tuple[str, str], str]:
    """Type of each field by schema and name."""
    return {
        (schema.get("id", ""), one.get("name", "")): one.get("type", "string").rpartition(":")[2]
        for schema, _ in walk(root)
        if local(schema) == "Schema"
        for one in schema
        if local(one) == "SimpleField"
    }


def _typed(text: str, kind: str) -> object:
    """Value of a typed field; text that is none of its type stays text."""
    try:
        return _KINDS[kind](text)
    except (KeyError, ValueError):
        return text


def _attributes(
    placemark: Element, above: Sequence[Element], kinds: Mapping[tuple[str, str], str]
) -> dict[str, object]:
    found: dict[str, object] = {}
    for name in ("name", "description"):
        if value := text_of(child(placemark, name)):
            found[name] = value
    for element, over in walk(placemark):
        key = element.get("name")
        if key and local(element) == "Data":
            _add(found, key, text_of(child(element, "value")))
        elif key and local(element) == "SimpleData":
            schema = over[-1].get("schemaUrl", "").rpartition("#")[2]
            _add(found, key, _typed(element.text or "", kinds.get((schema, key), "string")))
    folders = [text_of(child(one, "name")) for one in above if local(one) == "Folder"]
    if any(folders):
        _add(found, "folder", "/".join(filter(None, folders)))
    return found


def _add(found: dict[str, object], key: str, value: object) -> None:
    """Enter a field; one whose name is taken gets a number behind it instead of being lost."""
    name, number = key, 2
    while name in found:
        name, number = f"{key}_{number}", number + 1
    found[name] = value


class _Parts:
    """Geometries of a placemark, sorted by what they are."""

    def __init__(self, placemark: Element) -> None:
        self.polygons: list[Element] = []
        self.lines: list[Element] = []
        self.tracks: list[Element] = []
        self.others: list[str] = []
        for element, above in walk(placemark):
            name = local(element)
            if name == "Polygon":
                self.polygons.append(element)
            elif name in _TRACKS and not any(local(one) == "MultiTrack" for one in above):
                self.tracks.append(element)
            elif name in _LINES and not any(local(one) == "Polygon" for one in above):
                self.lines.append(element)
            elif name in _NO_AREA:
                self.others.append(name)


def _rings(polygon: Element) -> list[Element]:
    """Ring elements of a polygon, the shell first."""
    sides = [c for c in polygon if local(c) == "outerBoundaryIs"]
    sides += [c for c in polygon if local(c) == "innerBoundaryIs"]
    return [ring for side in sides for ring in side if local(ring) == "LinearRing"]


def _positions(words: Sequence[str], separator: str | None) -> tuple[FloatArray, bool]:
    positions: list[list[float]] = []
    for number, word in enumerate(words, 1):
        try:
            positions.append([float(value) for value in word.split(separator) if value])
        except ValueError as error:
            raise BadVertexError(number) from error
    return vertices(positions)


def _vertices(ring: Element) -> tuple[FloatArray, bool]:
    return _positions(_COMMA.sub(",", text_of(child(ring, "coordinates"))).split(), ",")


def _track(element: Element) -> list[tuple[FloatArray, bool]]:
    pieces = [element] if local(element) == "Track" else list(element)
    return [
        _positions([text_of(one) for one in piece if local(one) == "coord"], None)
        for piece in pieces
        if local(piece) == "Track"
    ]


def _shape(row: int, placemark: Element, limits: Limits) -> Shape:
    parts = _Parts(placemark)
    if parts.polygons:
        shape = _polygons(row, parts.polygons, limits)
        others = len(parts.lines) + len(parts.tracks) + len(parts.others)
        if others and shape.geometry is not None:
            ask = questioned(row, "GEOM_PARTS_LEFT_OUT", parts=others)
            return replace(shape, faults=(*shape.faults, ask))
        return shape
    return _without_area(row, parts, limits)


def _without_area(row: int, parts: _Parts, limits: Limits) -> Shape:
    """Offer a placemark of lines or tracks; refuse one of points."""
    other = parts.others + ["LineString"] * bool(parts.lines and parts.tracks)
    if other:
        return Shape(geometry=None, faults=(refused(row, "NOT_A_POLYGON", type=other[0]),))
    if not (parts.tracks or parts.lines):
        return Shape(geometry=None, faults=(refused(row, "GEOM_EMPTY"),))
    try:
        read = [piece for element in parts.tracks for piece in _track(element)]
        read += [_vertices(element) for element in parts.lines]
    except BadVertexError as error:
        fault = refused(row, "GEOM_BAD_NUMBER", part=1, ring=1, vertex=error.vertex)
        return Shape(geometry=None, faults=(fault,))
    offer = offer_track if parts.tracks else offer_line
    return offer(
        row,
        [array for array, _ in read],
        kind="Track" if parts.tracks else "LineString",
        vertices_max=limits.vertices_per_feature,
        dropped=any(deep for _, deep in read),
    )


def _polygons(row: int, polygons: Sequence[Element], limits: Limits) -> Shape:
    parts, dropped = [], False
    for p, polygon in enumerate(polygons, 1):
        rings = []
        for r, ring in enumerate(_rings(polygon), 1):
            try:
                array, deep = _vertices(ring)
            except BadVertexError as error:
                fault = refused(row, "GEOM_BAD_NUMBER", part=p, ring=r, vertex=error.vertex)
                return Shape(geometry=None, faults=(fault,))
            rings.append(array if len(array) else np.empty((0, 2)))
            dropped |= deep
        parts.append(rings)
    return assemble(row, parts, vertices_max=limits.vertices_per_feature, dropped=dropped)


def _feature(
    row: int,
    placemark: Element,
    above: Sequence[Element],
    kinds: Mapping[tuple[str, str], str],
    limits: Limits,
) -> RawFeature:
    shape = _shape(row, placemark, limits)
    return RawFeature(
        row=row,
        geometry=shape.geometry,
        faults=shape.faults,
        attributes=_attributes(placemark, above, kinds),
        dropped_dimension=shape.dropped_dimension,
    )
