"""GPX: tracks and routes are offered as polygons and asked about, waypoints refused by name."""

import math
from typing import Final
from xml.etree.ElementTree import Element

import numpy as np

from geo.errors import FileError
from geo.findings import refused
from geo.vector.features import Limits, RawFeature, Table
from geo.vector.lines import offer_track
from geo.vector.rings import BadVertexError, FloatArray, Shape
from geo.vector.xml import local, parse_xml, walk

_FEATURES: Final = frozenset({"wpt", "rte", "trk"})
_POINTS: Final = frozenset({"rtept", "trkpt"})


def read_gpx(data: bytes, *, encoding: str | None, limits: Limits) -> Table:
    """Read every track, route and waypoint of a GPX document, in document order.

    Raises
    ------
    FileError
        As `geo.vector.xml.parse_xml`, or FILE_TOO_MANY_FEATURES.
    """
    root, used, notes = parse_xml(data, encoding=encoding, limits=limits)
    found = [element for element in root if local(element) in _FEATURES]
    if len(found) > limits.features:
        raise FileError("FILE_TOO_MANY_FEATURES", features=len(found), limit=limits.features)
    features = tuple(_feature(row, item, limits) for row, item in enumerate(found, 1))
    return Table(encoding=used, crs="EPSG:4326", features=features, findings=notes)


def _points(element: Element) -> FloatArray:
    points = [one for one, _ in walk(element) if local(one) in _POINTS]
    values = np.empty((len(points), 2))
    for n, point in enumerate(points):
        try:
            values[n] = float(point.get("lon", "")), float(point.get("lat", ""))
        except ValueError as error:
            raise BadVertexError(n + 1) from error
    return values


def _shape(row: int, element: Element, limits: Limits) -> Shape:
    kind = local(element)
    if kind == "wpt":
        return Shape(geometry=None, faults=(refused(row, "NOT_A_POLYGON", type=kind),))
    pieces = [one for one in element if local(one) == "trkseg"] if kind == "trk" else [element]
    try:
        lines = [_points(piece) for piece in pieces]
    except BadVertexError as error:
        fault = refused(row, "GEOM_BAD_NUMBER", part=1, ring=1, vertex=error.vertex)
        return Shape(geometry=None, faults=(fault,))
    return offer_track(row, lines, kind=kind, vertices_max=limits.vertices_per_feature)


def _attributes(element: Element) -> dict[str, object]:
    """Texts beside the points, extensions by their own names; the time is that of the start."""
    found: dict[str, object] = {}
    for one, above in walk(element):
        over = {local(other) for other in above}
        text = (one.text or "").strip()
        if text and len(one) == 0 and (not over & _POINTS or local(one) == "time"):
            found.setdefault(local(one), text)
    if local(element) == "wpt":
        for key in ("lon", "lat"):
            value = element.get(key, "")
            found[key] = _number(value)
    return found


def _number(text: str) -> object:
    try:
        value = float(text)
    except ValueError:
        return text
    return value if math.isfinite(value) else text


def _feature(row: int, element: Element, limits: Limits) -> RawFeature:
    shape = _shape(row, element, limits)
    return RawFeature(
        row=row, geometry=shape.geometry, faults=shape.faults, attributes=_attributes(element)
    )
