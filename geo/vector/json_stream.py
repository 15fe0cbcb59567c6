"""The features of a GeoJSON file that is too long for memory: a window of its text is held."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final, TextIO

from geo.vector.json_items import GEOMETRIES, Items, decoded_line

STEP_CHARACTERS: Final = 1 << 20
VALUE_CHARACTERS_MAX: Final = 1 << 24
"""A text that does not parse for so long is broken, not cut off by the window."""

_MARKS: Final = "\x1e\ufeff"
_SPACE: Final = " \t\n\r\ufeff"
_DECODER: Final = json.JSONDecoder()
Opener = Callable[[], TextIO]


class _Window:
    """What is read of a text and not yet used."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._text, self._place = stream, "", 0
        self._lines, self._ended = 0, False

    def _more(self) -> None:
        rest = self._text[self._place :]
        self._lines += self._text.count("\n", 0, self._place)
        read = self._stream.read(max(STEP_CHARACTERS, len(rest)))
        self._text, self._place, self._ended = rest + read, 0, not read

    def peek(self) -> str:
        """Return the next character that is no space; empty at the end."""
        while True:
            while self._place < len(self._text):
                if self._text[self._place] not in _SPACE:
                    return self._text[self._place]
                self._place += 1
            if self._ended:
                return ""
            self._more()

    def skip(self, mark: str) -> bool:
        """Step over a mark if it comes next."""
        found = self.peek() == mark
        self._place += found
        return found

    def expect(self, mark: str) -> None:
        """Step over a mark that must come next."""
        if not self.skip(mark):
            raise self._fault(f"Expecting {mark!r}", self._place)

    def value(self) -> Any:  # noqa: ANN401 -- whatever JSON holds
        """Decode the next value, reading on while it is cut off."""
        self.peek()
        while True:
            try:
                found, end = _DECODER.raw_decode(self._text, self._place)
            except json.JSONDecodeError as error:
                if self._ended or len(self._text) - error.pos > VALUE_CHARACTERS_MAX:
                    raise self._fault(error.msg, error.pos) from None
            else:
                if end < len(self._text) or self._ended:  # a number may go on
                    self._place = end
                    return found
            self._more()

    def array(self) -> Iterator[object]:
        """Yield the values of an array, one after another."""
        self.expect("[")
        if self.skip("]"):
            return
        while True:
            yield self.value()
            if not self.skip(","):
                self.expect("]")
                return

    def _fault(self, why: str, place: int) -> json.JSONDecodeError:
        """Give an error whose line and column are those of the file."""
        error = json.JSONDecodeError(why, self._text, place)
        error.lineno += self._lines
        return error


def collection_stream(opener: Opener) -> Items | None:
    """Find the features of a FeatureCollection, each decoded once and forgotten; None for others.

    Raises
    ------
    json.JSONDecodeError, RecursionError
        The text is no JSON; the error's line and column say where.
    """
    members: dict[str, Any] = {}
    arrays = 0
    with opener() as stream:
        window = _Window(stream)
        if not window.skip("{"):
            return None
        for name in _names(window):
            if name == "features" and window.peek() == "[":
                arrays += 1
                for _ in window.array():
                    pass
            else:
                members[name] = window.value()
        window.expect("}")
        if window.peek() or arrays != 1 or members.get("type") != "FeatureCollection":
            return None
    return Items(members=members, read=lambda: _features(opener))


def line_stream(opener: Opener) -> Items | None:
    """Read one JSON value a line; None where the first line is no feature or stands alone."""
    with opener() as stream:
        line = stream.readline(VALUE_CHARACTERS_MAX)
        if not line.endswith("\n") or not stream.readline(1):
            return None
        first = decoded_line(line.strip().lstrip(_MARKS))
    if not isinstance(first, dict) or first.get("type") not in {*GEOMETRIES, "Feature"}:
        return None
    return Items(members={}, read=lambda: _lines_again(opener))


def _names(window: _Window) -> Iterator[str]:
    """Yield the names of an object's members; who asks reads the value before the next."""
    while window.peek() == '"':
        name = window.value()
        window.expect(":")
        yield name
        if not window.skip(","):
            return


def _features(opener: Opener) -> Iterator[object]:
    with opener() as stream:
        window = _Window(stream)
        window.expect("{")
        for name in _names(window):
            if name == "features" and window.peek() == "[":
                yield from window.array()
                return
            window.value()


def _lines(stream: TextIO) -> Iterator[str]:
    for line in stream:
        if found := line.strip().lstrip(_MARKS):
            yield found


def _lines_again(opener: Opener) -> Iterator[object]:
    with opener() as stream:
        for line in _lines(stream):
            yield decoded_line(line)
