"""A filter in CQL2 text, read into SQL with every value bound; what is not in it is refused.

In it: ``= <> < <= > >=``, ``[NOT] BETWEEN``, ``[NOT] IN``, ``[NOT] LIKE``, ``IS [NOT] NULL``,
``AND``, ``OR``, ``NOT`` with brackets, and ``S_INTERSECTS(geometry, BBOX(...) | WKT)`` in longitude
and latitude.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import shapely

from registry.errors import RegistryError

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*|\"[^\"]+\")|(?P<sign><=|>=|<>|[=<>(),]))"
)
_SIGNS: Final = frozenset({"=", "<>", "<", "<=", ">", ">="})
_SHAPES: Final = frozenset({"POINT", "LINESTRING", "POLYGON", "MULTIPOLYGON"})
LENGTH_MAX: Final = 4_000
DEPTH_MAX: Final = 40


class FilterInvalidError(RegistryError):
    """A filter that can not be read: where, and what was expected."""

    code = "FILTER_INVALID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A condition in SQL and the values it binds."""

    sql: str
    params: Mapping[str, object]


def parse(words: str, fields: Mapping[str, str], geometry: str) -> Clause:
    """Return the condition that ``words`` say.

    Parameters
    ----------
    words : the filter.
    fields : SQL of each name that may be asked for; nothing else gets into the statement.
    geometry : SQL of the shape, longitude and latitude in EPSG:4490.

    Raises
    ------
    FilterInvalidError : it can not be read, or names what is not there.
    """
    if len(words) > LENGTH_MAX:
        raise FilterInvalidError(at=LENGTH_MAX, expected=f"<= {LENGTH_MAX}")
    reader = _Reader(words=words, fields=fields, geometry=geometry)
    sql = reader.either()
    if reader.peek() is not None:
        reader.refuse("AND, OR")
    return Clause(sql=sql, params=reader.params)


@dataclass(slots=True, kw_only=True)
class _Reader:
    """Reads from left to right; each method reads one kind of part and returns its SQL."""

    words: str
    fields: Mapping[str, str]
    geometry: str
    at: int = 0
    depth: int = 0
    params: dict[str, object] = field(default_factory=dict)

    def refuse(self, expected: str) -> None:
        raise FilterInvalidError(at=self.at, expected=expected)

    def _match(self) -> re.Match[str] | None:
        found = _TOKEN.match(self.words, self.at)
        if found is None and self.words[self.at :].strip():
            self.refuse("—")
        return found

    def peek(self) -> str | None:
        found = self._match()
        return None if found is None else found[0].strip()

    def take(self) -> tuple[str, str]:
        """Return the next part and its kind."""
        found = self._match()
        if found is None:
            self.refuse("…")
        assert found is not None  # noqa: S101 -- refused above
        self.at = found.end()
        return found[0].strip(), str(found.lastgroup)

    def word(self, *wanted: str) -> bool:
        """Take the next part if it is one of these."""
        found = self.peek()
        if found is None or found.upper() not in wanted:
            return False
        self.take()
        return True

    def need(self, sign: str) -> None:
        if not self.word(sign):
            self.refuse(sign)

    def either(self) -> str:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            self.refuse(f"<= {DEPTH_MAX} (")
        parts = [self.both()]
        while self.word("OR"):
            parts.append(self.both())
        self.depth -= 1
        return f"({' OR '.join(parts)})"

    def both(self) -> str:
        parts = [self.one()]
        while self.word("AND"):
            parts.append(self.one())
        return f"({' AND '.join(parts)})"

    def one(self) -> str:
        if self.word("NOT"):
            self.depth += 1
            if self.depth > DEPTH_MAX:
                self.refuse(f"<= {DEPTH_MAX} NOT")
            return f"(NOT {self.one()})"
        if self.word("("):
            inside = self.either()
            self.need(")")
            return inside
        if self.word("S_INTERSECTS"):
            return self.meets()
        return self.compared()

    def compared(self) -> str:
        name = self.column()
        if self.word("IS"):
            known = "NOT " if self.word("NOT") else ""
            self.need("NULL")
            return f"{name} IS {known}NULL"
        negated = "NOT " if self.word("NOT") else ""
        if self.word("BETWEEN"):
            low = self.value()
            self.need("AND")
            return f"{name} {negated}BETWEEN {low} AND {self.value()}"
        if self.word("LIKE"):
            return f"{name}::text {negated}LIKE {self.value()}"
        if self.word("IN"):
            self.need("(")
            values = [self.value()]
            while self.word(","):
                values.append(self.value())
            self.need(")")
            return f"{name} {negated}IN ({', '.join(values)})"
        sign, _ = self.take()
        if negated or sign not in _SIGNS:
            self.refuse(" ".join(sorted(_SIGNS)))
        return f"{name} {sign} {self.value()}"

    def column(self) -> str:
        name, kind = self.take()
        if kind != "name" or name.strip('"') not in self.fields:
            self.refuse(", ".join(self.fields))
        return self.fields[name.strip('"')]

    def value(self) -> str:
        words, kind = self.take()
        if words.upper() in {"DATE", "TIMESTAMP"}:
            self.need("(")
            bound = self.value()
            self.need(")")
            return f"cast({bound} AS timestamptz)"
        if kind == "text":
            return self.bind(words[1:-1].replace("''", "'"))
        if kind != "number":
            self.refuse("'…', 123")
        return self.bind(float(words) if re.search("[.eE]", words) else int(words))

    def meets(self) -> str:
        self.need("(")
        if not self.word("GEOMETRY"):
            self.refuse("geometry")
        self.need(",")
        shape = self.shape()
        self.need(")")
        return f"ST_Intersects({self.geometry}, ST_GeomFromText({self.bind(shape)}, 4490))"

    def shape(self) -> str:
        name, _ = self.take()
        if name.upper() == "BBOX":
            return self.box()
        if name.upper() not in _SHAPES:
            self.refuse("BBOX, POINT, POLYGON")
        end, level = self.at, 0
        while end < len(self.words):
            level += {"(": 1, ")": -1}.get(self.words[end], 0)
            end += 1
            if level == 0 and self.words[end - 1] == ")":
                break
        try:
            read = shapely.from_wkt(f"{name} {self.words[self.at : end]}")
        except shapely.GEOSException:
            read = None
        if read is None or not read.is_valid:
            self.refuse("WKT")
        self.at = end
        return str(read.wkt)

    def box(self) -> str:
        self.need("(")
        sides = [self.side()]
        while self.word(","):
            sides.append(self.side())
        self.need(")")
        if len(sides) != 4:  # noqa: PLR2004
            self.refuse("BBOX(west, south, east, north)")
        return str(shapely.box(*sides).wkt)

    def side(self) -> float:
        words, kind = self.take()
        if kind != "number":
            self.refuse("123.4")
        return float(words)

    def bind(self, value: object) -> str:
        name = f"cql_{len(self.params)}"
        self.params[name] = value
        return f":{name}"
