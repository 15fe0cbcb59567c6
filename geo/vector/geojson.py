"""GeoJSON and newline-delimited GeoJSON, read so that a broken feature loses only itself."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, overload

from geo.errors import CrsError, FileError
from geo.findings import Finding, refused, warning
from geo.vector.features import Limits, RawFeature
from geo.vector.json_items import GEOMETRIES, BadLine, Items, collection_items, line_items
from geo.vector.json_stream import collection_stream, line_stream
from geo.vector.lines import offer_line
from geo.vector.rings import BadVertexError, Shape, assemble, vertices
from geo.vector.text import decode, open_decoded

_LINES: Final = ("LineString", "MultiLineString")
CRS_MEMBER: Final = "tanhui:crs"
"""Member in which our own export names its reference system, for RFC 7946 has none."""


class Features(Sequence[RawFeature]):
    """Features of a document, each decoded when it is gone through: one is in memory at a time."""

    def __init__(self, items: Items, count: int, limits: Limits) -> None:
        self._items, self._count, self._limits = items, count, limits

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[RawFeature]:
        for row, item in enumerate(self._items.read(), 1):
            yield _feature(row, item, self._limits)

    @overload
    def __getitem__(self, place: int) -> RawFeature: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[RawFeature]: ...
    def __getitem__(self, place: int | slice) -> RawFeature | Sequence[RawFeature]:
        return list(self)[place]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A GeoJSON document: its features, what it says of its reference system, its encoding."""

    format: str
    encoding: str
    crs: str | None
    features: Sequence[RawFeature]
    findings: tuple[Finding, ...]


def read_geojson(data: bytes, *, encoding: str | None, limits: Limits) -> Document:
    """Read the bytes of a GeoJSON file; its features are decoded when they are gone through.

    Raises
    ------
    FileError
        FILE_NOT_JSON (line, column), FILE_NOT_GEOJSON, FILE_TOO_MANY_FEATURES, or one of the
        encoding's codes.
    CrsError
        CRS_UNKNOWN for a crs member that says nothing usable.
    """
    text, name, guessed = decode(data, encoding)
    findings = [warning(None, "ENCODING_GUESSED", encoding=name)] if guessed else []
    found = _parse(text, limits)
    return replace(found, encoding=name, findings=(*findings, *found.findings))


def stream_geojson(path: Path, *, encoding: str | None, limits: Limits) -> Document | None:
    """Read a long GeoJSON file as `read_geojson` does, a window of its text at a time.

    None where it is neither a collection nor one feature a line: such a text is read whole.

    Raises
    ------
    FileError, CrsError
        As `read_geojson`.
    """
    opener, name, guessed = open_decoded(path, encoding)
    findings = [warning(None, "ENCODING_GUESSED", encoding=name)] if guessed else []
    kind, items = "geojsonl", line_stream(opener)
    if items is None:
        try:
            kind, items = "geojson", collection_stream(opener)
        except json.JSONDecodeError as error:
            raise _not_json(error) from error
        except RecursionError as error:
            raise FileError("FILE_NOT_JSON", line=1, column=1, reason=str(error)[:100]) from error
    if items is None:
        return None
    found = _document(kind, items, limits)
    return replace(found, encoding=name, findings=(*findings, *found.findings))


def _not_json(error: json.JSONDecodeError) -> FileError:
    return FileError("FILE_NOT_JSON", line=error.lineno, column=error.colno, reason=error.msg)


def _parse(text: str, limits: Limits) -> Document:
    try:
        items = collection_items(text)
    except (ValueError, RecursionError):
        items = None  # told below: by `json.loads`, with the place in the text
    if items is not None:
        return _document("geojson", items, limits)
    if (items := line_items(text)) is not None:
        return _document("geojsonl", items, limits)
    try:
        return parse_document(json.loads(text), limits=limits)
    except json.JSONDecodeError as error:
        raise _not_json(error) from error
    except (ValueError, RecursionError) as error:
        raise FileError("FILE_NOT_JSON", line=1, column=1, reason=str(error)[:100]) from error


def parse_document(value: object, *, limits: Limits) -> Document:
    """Read a decoded GeoJSON document: a collection, a feature or a bare geometry.

    Raises
    ------
    FileError
        FILE_NOT_GEOJSON, FILE_TOO_MANY_FEATURES.
    CrsError
        CRS_UNKNOWN.
    """
    if not isinstance(value, dict):
        raise FileError("FILE_NOT_GEOJSON", found=type(value).__name__)
    kind = value.get("type")
    if kind == "FeatureCollection" and isinstance(value.get("features"), list):
        features = value["features"]
    elif kind == "Feature":
        features = [value]
    elif kind == "GeometryCollection" or kind in GEOMETRIES:
        features = [{"type": "Feature", "properties": {}, "geometry": value}]
    else:
        raise FileError("FILE_NOT_GEOJSON", found=str(kind)[:50])
    return _document("geojson", Items(members=value, read=lambda: iter(features)), limits)


def _document(kind: str, items: Items, limits: Limits) -> Document:
    count, findings = _first_look(items.read())
    if count > limits.features:
        raise FileError("FILE_TOO_MANY_FEATURES", features=count, limit=limits.features)
    return Document(
        format=kind,
        encoding="utf-8",
        crs=_declared_crs(items.members),
        features=Features(items, count, limits),
        findings=tuple(findings),
    )


def _first_look(items: Iterator[object]) -> tuple[int, list[Finding]]:
    """Count the features, and warn of ids that come again."""
    count, first = 0, dict[str, int]()
    found: list[Finding] = []
    for count, item in enumerate(items, 1):
        if not isinstance(item, dict) or item.get("id") is None:
            continue
        key = json.dumps(item["id"], default=str)
        if (other := first.setdefault(key, count)) != count:
            found.append(warning(count, "FEATURE_ID_REPEATED", id=key, other_row=other))
    return count, found


def _declared_crs(value: Mapping[str, Any]) -> str | None:
    """Read the crs member of the older standard; None when there is none."""
    member = value.get("crs")
    if member is None:
        own = value.get(CRS_MEMBER)
        return own if isinstance(own, str) else None
    properties = member.get("properties") if isinstance(member, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str):
        raise CrsError("CRS_UNKNOWN", given=json.dumps(member, default=str)[:200])
    return name


def _feature(row: int, item: object, limits: Limits) -> RawFeature:
    if isinstance(item, BadLine):
        fault = refused(row, "FEATURE_NOT_JSON", reason=item.reason)
        return RawFeature(row=row, geometry=None, faults=(fault,))
    if not isinstance(item, dict) or item.get("type") not in {"Feature", *GEOMETRIES}:
        return RawFeature(row=row, geometry=None, faults=(refused(row, "FEATURE_NOT_OBJECT"),))
    bare = item.get("type") in GEOMETRIES
    properties = {} if bare else item.get("properties")
    attributes = dict(properties) if isinstance(properties, dict) else {}
    if item.get("id") is not None and "id" not in attributes:
        attributes["id"] = item["id"]
    shape = shape_of(row, item if bare else item.get("geometry"), limits)
    return RawFeature(
        row=row,
        geometry=shape.geometry,
        faults=shape.faults,
        attributes=attributes,
        dropped_dimension=shape.dropped_dimension,
    )


def shape_of(row: int, geometry: object, limits: Limits) -> Shape:
    """Build a polygon of a GeoJSON geometry, or say why not.

    Returns
    -------
    A Shape with the faults of `geo.vector.rings.assemble`, or NOT_A_POLYGON, GEOM_EMPTY,
    GEOM_MALFORMED, GEOM_BAD_NUMBER; a closed line is offered with the question LINE_AS_POLYGON.
    """
    if not isinstance(geometry, dict):
        empty, odd = refused(row, "GEOM_EMPTY"), refused(row, "GEOM_MALFORMED", found="geometry")
        return Shape(geometry=None, faults=(empty if geometry is None else odd,))
    if geometry.get("type") in _LINES:
        return _line(row, geometry, limits)
    try:
        polygons = list(_polygons(geometry, limits.nesting))
    except _OtherTypeError as error:
        return Shape(geometry=None, faults=(refused(row, "NOT_A_POLYGON", type=str(error)),))
    return _assembled(row, polygons, limits)


def _assembled(row: int, polygons: list[Any], limits: Limits) -> Shape:
    parts, dropped = [], False
    for p, polygon in enumerate(polygons, 1):
        if not isinstance(polygon, list) or not all(isinstance(r, list) for r in polygon):
            return Shape(geometry=None, faults=(refused(row, "GEOM_MALFORMED", found="ring"),))
        rings = []
        for r, ring in enumerate(polygon, 1):
            try:
                array, deep = vertices(ring)
            except BadVertexError as error:
                fault = refused(row, "GEOM_BAD_NUMBER", part=p, ring=r, vertex=error.vertex)
                return Shape(geometry=None, faults=(fault,))
            rings.append(array)
            dropped |= deep
        parts.append(rings)
    return assemble(row, parts, vertices_max=limits.vertices_per_feature, dropped=dropped)


def _line(row: int, geometry: Mapping[str, Any], limits: Limits) -> Shape:
    kind, values = str(geometry["type"]), geometry.get("coordinates")
    lines = [values] if kind == "LineString" else values
    try:
        read = [vertices(line) for line in lines] if isinstance(lines, list) else []
    except BadVertexError:
        return Shape(geometry=None, faults=(refused(row, "NOT_A_POLYGON", type=kind),))
    return offer_line(
        row,
        [array for array, _ in read],
        kind=kind,
        vertices_max=limits.vertices_per_feature,
        dropped=any(deep for _, deep in read),
    )


class _OtherTypeError(Exception):
    """The geometry is, or holds, something that is not a polygon."""


def _polygons(geometry: Mapping[str, Any], depth: int) -> list[Any]:
    """Coordinates of every polygon in a geometry, collections of polygons included."""
    kind = geometry.get("type")
    if kind == "GeometryCollection" and depth > 0:
        members = geometry.get("geometries")
        if not isinstance(members, list) or not all(isinstance(m, dict) for m in members):
            raise _OtherTypeError("GeometryCollection")
        return [polygon for member in members for polygon in _polygons(member, depth - 1)]
    coordinates = geometry.get("coordinates")
    if kind == "Polygon":
        return [coordinates if coordinates is not None else []]
    if kind == "MultiPolygon":
        return coordinates if isinstance(coordinates, list) else [coordinates]
    raise _OtherTypeError(str(kind)[:50])
