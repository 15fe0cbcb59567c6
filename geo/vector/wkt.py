"""Well-known text read as GeoJSON is, so that an open or short ring is named instead of lost."""

import json
import re
from typing import Any, Final

from geo.findings import refused
from geo.vector.features import Limits
from geo.vector.geojson import shape_of
from geo.vector.rings import Shape

_HEAD: Final = re.compile(
    r"^\s*(?:SRID\s*=\s*(\d{1,6})\s*;)?\s*([A-Z]+?)\s*(?:ZM|Z|M)?\s*(?=\(|EMPTY)", re.IGNORECASE
)
_POSITION: Final = re.compile(r"[^(),]+")
_TYPES: Final = {
    "POLYGON": "Polygon",
    "MULTIPOLYGON": "MultiPolygon",
    "LINESTRING": "LineString",
    "MULTILINESTRING": "MultiLineString",
}


def is_wkt(text: str) -> bool:
    """Say whether a text looks like well-known text."""
    return _HEAD.match(text) is not None


def srid_of(text: str) -> str | None:
    """Reference system that an extended text names."""
    head = _HEAD.match(text)
    return f"EPSG:{head.group(1)}" if head and head.group(1) else None


def shape_from_wkt(row: int, text: str, limits: Limits) -> Shape:
    """Build a polygon of well-known text, or say why not, as `geo.vector.geojson.shape_of`."""
    head = _HEAD.match(text)
    if head is None:
        return Shape(geometry=None, faults=(refused(row, "GEOM_MALFORMED", found="WKT"),))
    kind, body = head.group(2).upper(), text[head.end() :].strip()
    if body.upper() == "EMPTY":
        return Shape(geometry=None, faults=(refused(row, "GEOM_EMPTY"),))
    if kind not in _TYPES:
        return Shape(geometry=None, faults=(refused(row, "NOT_A_POLYGON", type=kind),))
    try:
        value = json.loads(_as_json(body))
    except (ValueError, RecursionError):
        return Shape(geometry=None, faults=(refused(row, "GEOM_MALFORMED", found="WKT"),))
    return shape_of(row, {"type": _TYPES[kind], "coordinates": value}, limits)


def _as_json(body: str) -> str:
    def position(found: re.Match[str]) -> str:
        words = found.group().split()
        return f"[{','.join(_number(word) for word in words)}]" if words else ""

    return _POSITION.sub(position, body).replace("(", "[").replace(")", "]")


def _number(word: str) -> str:
    value: Any
    try:
        value = float(word)
    except ValueError:
        return json.dumps(word)
    return json.dumps(value)
