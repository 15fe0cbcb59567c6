"""KML placemarks: polygons are read, tracks, lines and points are refused row by row."""

import re
from typing import Final
from xml.etree import ElementTree as ET

from geo.errors import FileError
from geo.findings import Finding, refused, warning
from geo.vector.features import Limits, RawFeature
from geo.vector.ogr import Table
from geo.vector.rings import BadVertexError, FloatArray, Shape, assemble, vertices
from geo.vector.text import decode

_DECLARED: Final = re.compile(rb"^\s*(?:\xef\xbb\xbf)?<\?xml[^>]*encoding=[\"']([\w.-]+)[\"']")
_DECLARATION: Final = re.compile(r"^\s*<\?xml[^>]*\?>")
_COMMA: Final = re.compile(r"\s*,\s*")
_OTHERS: Final = frozenset({"Point", "LineString", "LinearRing", "Track", "MultiTrack", "Model"})


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _child(element: ET.Element, name: str) -> ET.Element | None:
    return next((child for child in element if _local(child) == name), None)


def _text(element: ET.Element | None) -> str:
    return (element.text or "").strip() if element is not None else ""


def read_kml(data: bytes, *, encoding: str | None, limits: Limits) -> Table:
    """Read every placemark of a KML document, folders included.

    Raises
    ------
    FileError
        FILE_NOT_XML (line, column), FILE_HAS_DOCTYPE (entities can blow up), FILE_FORMAT_UNKNOWN,
        FILE_TOO_MANY_FEATURES or one of the encoding's codes.
    """
    declared = _DECLARED.match(data[:200])
    named = encoding or (declared.group(1).decode() if declared else None)
    text, used, guessed = decode(data, named)
    text = _DECLARATION.sub("", text, count=1).lstrip("\ufeff")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise FileError("FILE_HAS_DOCTYPE")
    try:
        root = ET.fromstring(text)  # noqa: S314 - documents with entities are refused above
    except ET.ParseError as error:
        line, column = error.position
        raise FileError("FILE_NOT_XML", line=line, column=column, reason=str(error)) from error
    placemarks = [element for element in root.iter() if _local(element) == "Placemark"]
    if len(placemarks) > limits.features:
        raise FileError("FILE_TOO_MANY_FEATURES", features=len(placemarks), limit=limits.features)
    notes: tuple[Finding, ...] = ()
    if guessed:
        notes = (warning(None, "ENCODING_GUESSED", encoding=used),)
    return Table(
        encoding=used,
        crs="EPSG:4326",
        features=tuple(_feature(row, item, limits) for row, item in enumerate(placemarks, 1)),
        findings=notes,
    )


def _attributes(placemark: ET.Element) -> dict[str, object]:
    found: dict[str, object] = {}
    for name in ("name", "description"):
        if value := _text(_child(placemark, name)):
            found[name] = value
    for element in placemark.iter():
        key = element.get("name")
        if key and _local(element) == "Data":
            found[key] = _text(_child(element, "value"))
        elif key and _local(element) == "SimpleData":
            found[key] = _text(element)
    return found


class _OtherTypeError(Exception):
    """The placemark holds something that is not a polygon."""


def _polygons(element: ET.Element) -> list[ET.Element]:
    found: list[ET.Element] = []
    for child in element:
        name = _local(child)
        if name == "Polygon":
            found.append(child)
        elif name == "MultiGeometry":
            found += _polygons(child)
        elif name in _OTHERS:
            raise _OtherTypeError(name)
    return found


def _rings(polygon: ET.Element) -> list[ET.Element]:
    """Ring elements of a polygon, the shell first."""
    sides = [c for c in polygon if _local(c) == "outerBoundaryIs"]
    sides += [c for c in polygon if _local(c) == "innerBoundaryIs"]
    return [ring for side in sides for ring in side if _local(ring) == "LinearRing"]


def _vertices(ring: ET.Element) -> tuple[FloatArray, bool]:
    words = _COMMA.sub(",", _text(_child(ring, "coordinates"))).split()
    positions: list[list[float]] = []
    for number, word in enumerate(words, 1):
        try:
            positions.append([float(value) for value in word.split(",") if value])
        except ValueError as error:
            raise BadVertexError(number) from error
    return vertices(positions)


def _shape(row: int, placemark: ET.Element, limits: Limits) -> Shape:
    try:
        polygons = _polygons(placemark)
    except _OtherTypeError as error:
        return Shape(geometry=None, faults=(refused(row, "NOT_A_POLYGON", type=str(error)),))
    parts, dropped = [], False
    for p, polygon in enumerate(polygons, 1):
        rings = []
        for r, ring in enumerate(_rings(polygon), 1):
            try:
                array, deep = _vertices(ring)
            except BadVertexError as error:
                fault = refused(row, "GEOM_BAD_NUMBER", part=p, ring=r, vertex=error.vertex)
                return Shape(geometry=None, faults=(fault,))
            rings.append(array)
            dropped |= deep
        parts.append(rings)
    return assemble(row, parts, vertices_max=limits.vertices_per_feature, dropped=dropped)


def _feature(row: int, placemark: ET.Element, limits: Limits) -> RawFeature:
    shape = _shape(row, placemark, limits)
    return RawFeature(
        row=row,
        geometry=shape.geometry,
        faults=shape.faults,
        attributes=_attributes(placemark),
        dropped_dimension=shape.dropped_dimension,
    )
