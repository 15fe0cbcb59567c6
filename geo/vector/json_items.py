"""The features of a GeoJSON text one after another: one of them is in memory at a time."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

GEOMETRIES: Final = frozenset(
    {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"}
)
_RECORD_SEPARATOR: Final = "\x1e"
_SPACE: Final = re.compile(r"[ \t\n\r]*")
_DECODER: Final = json.JSONDecoder()


class BadLine:
    """A line that is not JSON, kept in its place."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """Features of a text, each decoded when it is asked for.

    Attributes
    ----------
    members
        What stands beside the features in a collection.
    read
        Yields the features in order; may be called again.
    """

    members: Mapping[str, Any]
    read: Callable[[], Iterator[object]]


def collection_items(text: str) -> Items | None:
    """Find the features of a FeatureCollection without decoding them; None for any other text.

    Every feature is decoded once here and forgotten, so that a broken text is found out at once.

    Raises
    ------
    json.JSONDecodeError, RecursionError
        The text is no JSON; `json.loads` says where.
    """
    place = _after_space(text, 0)
    if text[place : place + 1] != "{":
        return None
    members: dict[str, Any] = {}
    features: int | None = None
    place = _after_space(text, place + 1)
    while text[place : place + 1] == '"':
        name, place = _DECODER.raw_decode(text, place)
        place = _after_space(text, _expect(text, place, ":"))
        if name == "features" and text[place : place + 1] == "[":
            features = place
            place = _skip(text, place)
        else:
            members[name], place = _DECODER.raw_decode(text, place)
        place = _after_space(text, place)
        if text[place : place + 1] != ",":
            break
        place = _after_space(text, place + 1)
    place = _expect(text, place, "}")
    if place != len(text) or features is None or members.get("type") != "FeatureCollection":
        return None
    start = features
    return Items(members=members, read=lambda: _items(text, start))


def line_items(text: str) -> Items | None:
    """Read one JSON value a line; None where the first line is no feature or stands alone."""
    lines = _lines(text)
    first = decoded_line(next(lines, ""))
    if not isinstance(first, dict) or next(lines, None) is None:
        return None
    if first.get("type") not in {*GEOMETRIES, "Feature"}:
        return None
    return Items(members={}, read=lambda: map(decoded_line, _lines(text)))


def _lines(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        if line := text[start:end].strip().lstrip(_RECORD_SEPARATOR):
            yield line
        start = end + 1


def decoded_line(line: str) -> object:
    """Decode one line; one that is no JSON is kept in its place."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        return BadLine(str(error)[:100])


def _items(text: str, place: int) -> Iterator[object]:
    place = _after_space(text, place + 1)
    while text[place : place + 1] != "]":
        value, place = _DECODER.raw_decode(text, place)
        yield value
        place = _after_space(text, place)
        if text[place : place + 1] == ",":
            place = _after_space(text, place + 1)


def _skip(text: str, place: int) -> int:
    """Decode an array's values and forget them; return where the array ends."""
    place = _after_space(text, place + 1)
    if text[place : place + 1] == "]":
        return place + 1
    while True:
        _, place = _DECODER.raw_decode(text, place)
        place = _after_space(text, place)
        if text[place : place + 1] != ",":
            return _expect(text, place, "]")
        place = _after_space(text, place + 1)


def _expect(text: str, place: int, mark: str) -> int:
    place = _after_space(text, place)
    if text[place : place + 1] != mark:
        raise json.JSONDecodeError(f"Expecting {mark!r}", text, place)
    return _after_space(text, place + 1)


def _after_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place
