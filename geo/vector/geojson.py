"""GeoJSON and newline-delimited GeoJSON, read so that a broken feature loses only itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from geo.errors import CrsError, FileError
from geo.findings import Finding, refused, warning
from geo.vector.features import Limits, RawFeature
from geo.vector.rings import BadVertexError, Shape, assemble, vertices
from geo.vector.text import decode

_GEOMETRIES: Final = frozenset(
    {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"}
)
_RECORD_SEPARATOR: Final = "\x1e"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A GeoJSON document: its features, what it says of its reference system, its encoding."""

    format: str
    encoding: str
    crs: str | None
    features: tuple[RawFeature, ...]
    findings: tuple[Finding, ...]


def read_geojson(data: bytes, *, encoding: str | None, limits: Limits) -> Document:
    """Read the bytes of a GeoJSON file.

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
    try:
        value, kind = json.loads(text), "geojson"
    except json.JSONDecodeError as error:
        lines = _lines(text)
        if lines is None:
            raise FileError(
                "FILE_NOT_JSON", line=error.lineno, column=error.colno, reason=error.msg
            ) from error
        value, kind = {"type": "FeatureCollection", "features": lines}, "geojsonl"
    except (ValueError, RecursionError) as error:
        raise FileError("FILE_NOT_JSON", line=1, column=1, reason=str(error)[:100]) from error
    found = parse_document(value, limits=limits)
    return Document(
        format=kind,
        encoding=name,
        crs=found.crs,
        features=found.features,
        findings=(*findings, *found.findings),
    )


class _BadLine:
    """A line that is not JSON, kept in its place."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


def _lines(text: str) -> list[object] | None:
    """Read one JSON value a line; None when the first line already is none."""
    lines = [line.strip().lstrip(_RECORD_SEPARATOR) for line in text.split("\n")]
    values: list[object] = []
    for line in filter(None, lines):
        try:
            values.append(json.loads(line))
        except (ValueError, RecursionError) as error:
            values.append(_BadLine(str(error)[:100]))
    if len(values) < 2 or not isinstance(values[0], dict):  # noqa: PLR2004 - one line is no list
        return None
    return values if values[0].get("type") in {*_GEOMETRIES, "Feature"} else None


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
        items = value["features"]
    elif kind == "Feature":
        items = [value]
    elif kind == "GeometryCollection" or kind in _GEOMETRIES:
        items = [{"type": "Feature", "properties": {}, "geometry": value}]
    else:
        raise FileError("FILE_NOT_GEOJSON", found=str(kind)[:50])
    if len(items) > limits.features:
        raise FileError("FILE_TOO_MANY_FEATURES", features=len(items), limit=limits.features)
    features = tuple(_feature(row, item, limits) for row, item in enumerate(items, 1))
    return Document(
        format="geojson",
        encoding="utf-8",
        crs=_declared_crs(value),
        features=features,
        findings=_repeated_ids(items),
    )


def _declared_crs(value: Mapping[str, Any]) -> str | None:
    """Read the crs member of the older standard; None when there is none."""
    member = value.get("crs")
    if member is None:
        return None
    properties = member.get("properties") if isinstance(member, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str):
        raise CrsError("CRS_UNKNOWN", given=json.dumps(member, default=str)[:200])
    return name


def _repeated_ids(items: list[Any]) -> tuple[Finding, ...]:
    first: dict[str, int] = {}
    found = []
    for row, item in enumerate(items, 1):
        if not isinstance(item, dict) or item.get("id") is None:
            continue
        key = json.dumps(item["id"], default=str)
        if key in first:
            found.append(warning(row, "FEATURE_ID_REPEATED", id=key, other_row=first[key]))
        first.setdefault(key, row)
    return tuple(found)


def _feature(row: int, item: object, limits: Limits) -> RawFeature:
    if isinstance(item, _BadLine):
        fault = refused(row, "FEATURE_NOT_JSON", reason=item.reason)
        return RawFeature(row=row, geometry=None, faults=(fault,))
    if not isinstance(item, dict) or item.get("type") not in {"Feature", *_GEOMETRIES}:
        return RawFeature(row=row, geometry=None, faults=(refused(row, "FEATURE_NOT_OBJECT"),))
    bare = item.get("type") in _GEOMETRIES
    properties = {} if bare else item.get("properties")
    attributes = dict(properties) if isinstance(properties, dict) else {}
    if item.get("id") is not None and "id" not in attributes:
        attributes["id"] = item["id"]
    shape = _shape(row, item if bare else item.get("geometry"), limits)
    return RawFeature(
        row=row,
        geometry=shape.geometry,
        faults=shape.faults,
        attributes=attributes,
        dropped_dimension=shape.dropped_dimension,
    )


def _shape(row: int, geometry: object, limits: Limits) -> Shape:
    if geometry is None:
        return Shape(geometry=None, faults=(refused(row, "GEOM_EMPTY"),))
    if not isinstance(geometry, dict):
        return Shape(geometry=None, faults=(refused(row, "GEOM_MALFORMED", found="geometry"),))
    try:
        polygons = list(_polygons(geometry))
    except _OtherTypeError as error:
        return Shape(geometry=None, faults=(refused(row, "NOT_A_POLYGON", type=str(error)),))
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


class _OtherTypeError(Exception):
    """The geometry is, or holds, something that is not a polygon."""


def _polygons(geometry: Mapping[str, Any]) -> list[Any]:
    """Coordinates of every polygon in a geometry, collections of polygons included."""
    kind = geometry.get("type")
    if kind == "GeometryCollection":
        members = geometry.get("geometries")
        if not isinstance(members, list) or not all(isinstance(m, dict) for m in members):
            raise _OtherTypeError("GeometryCollection")
        return [polygon for member in members for polygon in _polygons(member)]
    coordinates = geometry.get("coordinates")
    if kind == "Polygon":
        return [coordinates if coordinates is not None else []]
    if kind == "MultiPolygon":
        return coordinates if isinstance(coordinates, list) else [coordinates]
    raise _OtherTypeError(str(kind)[:50])
