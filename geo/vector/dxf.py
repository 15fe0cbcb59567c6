"""DXF drawings: closed polylines with their bulges, the layer as an attribute, nothing lost unsaid.

The text form is read pair by pair (a code line, a value line), so that a broken entity loses only
itself. Entities that bound no area are counted by kind and told.
"""

import codecs
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.errors import FileError
from geo.findings import Finding, questioned, refused, warning
from geo.vector.features import Limits, RawFeature, Table
from geo.vector.rings import Shape, assemble, gap_m
from geo.vector.text import check_encoding

FloatArray = NDArray[np.float64]
Pair = tuple[int, str]

APP: Final = "TANHUI"
"""Name under which our own export writes a ring's parcel and attributes."""

CRS_PROPERTY: Final = "TANHUI_CRS"
CHORD_M: Final = 0.01
CHORD_SHARE: Final = 1e-4
"""An arc becomes chords that stay within 1 cm and this share of its radius."""

_ARC_POINTS_MAX: Final = 1_000
_GAP_SHARE: Final = 0.05
_BINARY: Final = b"AutoCAD Binary DXF"
_UNICODE: Final = re.compile(r"\\U\+([0-9A-Fa-f]{4})")
_UTF8_SINCE: Final = "AC1021"
_PAGES: Final = {"ANSI_936": "gb18030", "GB2312": "gb18030", "ANSI_950": "big5"}
_CLOSED: Final = 1
_MESH: Final = 8 | 16 | 64
_XDATA: Final = 1000


@dataclass(slots=True)
class _Entity:
    """Pairs of one entity; a polyline of the older kind holds its vertices too."""

    kind: str
    pairs: list[Pair] = field(default_factory=list)
    vertices: list[list[Pair]] = field(default_factory=list)

    def first(self, code: int, default: str = "") -> str:
        """First value of a code."""
        return next((value for known, value in self.pairs if known == code), default)


def is_dxf(head: bytes) -> bool:
    """Say whether a file begins as a DXF does."""
    return head.startswith(_BINARY) or (
        re.match(rb"\s*(?:999\s*\n.*\n\s*)*0\s*\r?\n\s*SECTION", head) is not None
    )


def read_dxf(data: bytes, *, encoding: str | None, limits: Limits) -> Table:
    """Read the closed polylines of a drawing's model space.

    A polyline left open is offered as a polygon and asked about. A circle is asked about too.

    Raises
    ------
    FileError
        FILE_DXF_BINARY, FILE_DXF_BROKEN (line), FILE_TOO_MANY_FEATURES, ENCODING_UNKNOWN.
    """
    if data.startswith(_BINARY):
        raise FileError("FILE_DXF_BINARY")
    used, guessed = _encoding(data, encoding)
    pairs = list(_pairs(data.decode(used, errors="replace")))
    entities = list(_entities(pairs))
    shapes, passed = _sorted(entities)
    if len(shapes) > limits.features:
        raise FileError("FILE_TOO_MANY_FEATURES", features=len(shapes), limit=limits.features)
    notes: list[Finding] = []
    if guessed:
        notes.append(warning(None, "ENCODING_GUESSED", encoding=used))
    if passed:
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(passed.items()))
        notes.append(warning(None, "DXF_PASSED_OVER", entities=passed.total(), kinds=kinds))
    return Table(
        encoding=used,
        crs=_crs(pairs),
        features=tuple(_features(shapes, limits)),
        findings=tuple(notes),
    )


def _encoding(data: bytes, given: str | None) -> tuple[str, bool]:
    """Encoding by the user, the version, the code page, else what decodes."""
    if given is not None:
        return check_encoding(given), False
    head = data[:20_000].decode("latin-1")
    version = re.search(r"\$ACADVER\s+1\s+(\w+)", head)
    if version and version.group(1) >= _UTF8_SINCE:
        return "utf-8", False
    if data.isascii():
        return "utf-8", False
    page = re.search(r"\$DWGCODEPAGE\s+3\s+(\w+)", head)
    if page and page.group(1).upper() in _PAGES:
        return _PAGES[page.group(1).upper()], False
    try:
        codecs.decode(data, "utf-8")
    except UnicodeDecodeError:
        return "gb18030", True
    return "utf-8", True


def _pairs(text: str) -> Iterator[Pair]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number in range(0, len(lines) - 1, 2):
        try:
            code = int(lines[number])
        except ValueError as error:
            if not "".join(lines[number:]).strip():
                return
            raise FileError("FILE_DXF_BROKEN", line=number + 1) from error
        yield code, _UNICODE.sub(lambda m: chr(int(m.group(1), 16)), lines[number + 1])


def _entities(pairs: Sequence[Pair]) -> Iterator[_Entity]:
    """Entities of the section that holds the model space."""
    inside, current, awaited = False, None, False
    for code, value in pairs:
        if code == 2 and awaited:  # noqa: PLR2004 - name of a section
            inside, awaited = value.strip() == "ENTITIES", False
            continue
        if code != 0:
            if current is not None:
                (current.vertices[-1] if current.vertices else current.pairs).append((code, value))
            continue
        kind = value.strip()
        awaited = kind == "SECTION"
        if inside and kind == "VERTEX" and current is not None and current.kind == "POLYLINE":
            current.vertices.append([])
            continue
        if current is not None:
            yield current
        ends = kind in {"ENDSEC", "SEQEND", "SECTION", "EOF"}
        inside = inside and kind not in {"ENDSEC", "EOF"}
        current = _Entity(kind) if inside and not ends else None
    if current is not None:
        yield current


def _sorted(entities: Sequence[_Entity]) -> tuple[list[_Entity], Counter[str]]:
    """Entities that may bound a parcel, and how many of each other kind there are."""
    shapes: list[_Entity] = []
    passed: Counter[str] = Counter()
    for one in entities:
        paper = one.first(67).strip() == "1"
        area = one.kind in {"LWPOLYLINE", "POLYLINE", "CIRCLE"}
        if area and not paper and not (_flags(one) & _MESH if one.kind == "POLYLINE" else 0):
            shapes.append(one)
        else:
            passed[one.kind[:30]] += 1
    return shapes, passed


def _flags(entity: _Entity) -> int:
    try:
        return int(entity.first(70, "0"))
    except ValueError:
        return 0


def _crs(pairs: Sequence[Pair]) -> str | None:
    """Reference system that our own export wrote into the drawing's properties."""
    for n, (code, value) in enumerate(pairs[:2_000]):
        if (
            code == 1
            and value == CRS_PROPERTY
            and n > 0
            and pairs[n - 1][1] == "$CUSTOMPROPERTYTAG"
        ):
            return next(
                (
                    pairs[k + 1][1]
                    for k in range(n, min(n + 4, len(pairs) - 1))
                    if pairs[k][1] == "$CUSTOMPROPERTY"
                ),
                None,
            )
    return None


@dataclass(frozen=True, slots=True)
class _Mark:
    """What our own export wrote on a ring."""

    feature: int
    part: int
    ring: int
    rings: int
    attributes: dict[str, object]


def _mark(entity: _Entity) -> _Mark | None:
    own = False
    texts = []
    for code, value in entity.pairs:
        if code == _XDATA + 1:
            own = value.strip() == APP
        elif code == _XDATA and own:
            texts.append(value)
    try:
        said = json.loads("".join(texts))
        return _Mark(
            feature=int(said["feature"]),
            part=int(said["part"]),
            ring=int(said["ring"]),
            rings=int(said["rings"]),
            attributes=dict(said["attributes"]),
        )
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def _features(shapes: Sequence[_Entity], limits: Limits) -> Iterator[RawFeature]:
    """One feature a polyline; rings that our own export marked as one parcel are joined again."""
    groups: dict[object, list[tuple[_Entity, _Mark | None]]] = {}
    for n, entity in enumerate(shapes):
        mark = _mark(entity)
        groups.setdefault(mark.feature if mark else ("plain", n), []).append((entity, mark))
    for row, members in enumerate(groups.values(), 1):
        marks = [mark for _, mark in members if mark is not None]
        shape = _joined(row, members, limits) if marks else _alone(row, members[0][0], limits)
        yield RawFeature(
            row=row,
            geometry=shape.geometry,
            faults=shape.faults,
            attributes=_own(marks) if marks else _attributes(members[0][0]),
            dropped_dimension=shape.dropped_dimension,
        )


def _own(marks: Sequence[_Mark]) -> dict[str, object]:
    return {name: value for mark in marks for name, value in mark.attributes.items()}


def _attributes(entity: _Entity) -> dict[str, object]:
    """Layer, colour, handle and the texts of other programs' extended data."""
    found: dict[str, object] = {"layer": entity.first(8, "0").strip()}
    for name, code in (("color", 62), ("handle", 5)):
        if value := entity.first(code).strip():
            found[name] = value
    app = ""
    for code, value in entity.pairs:
        if code == _XDATA + 1:
            app = value.strip()
        elif code == _XDATA and app:
            name = f"xdata.{app}"
            found[name] = f"{found[name]}\n{value}" if name in found else value
    return found


def _joined(row: int, members: Sequence[tuple[_Entity, _Mark | None]], limits: Limits) -> Shape:
    parts: dict[int, dict[int, FloatArray]] = {}
    wanted = {mark.rings for _, mark in members if mark is not None}
    for entity, mark in members:
        ring = _ring(entity)
        if mark is None or ring is None:
            fault = refused(row, "GEOM_BAD_NUMBER", part=1, ring=1, vertex=1)
            return Shape(geometry=None, faults=(fault,))
        parts.setdefault(mark.part, {})[mark.ring] = _closed(ring)
    if wanted != {sum(len(part) for part in parts.values())}:
        fault = refused(row, "GEOM_MALFORMED", found="DXF")
        return Shape(geometry=None, faults=(fault,))
    rings = [[part[k] for k in sorted(part)] for _, part in sorted(parts.items())]
    return assemble(row, rings, vertices_max=limits.vertices_per_feature)


def _alone(row: int, entity: _Entity, limits: Limits) -> Shape:
    ring = _circle(entity) if entity.kind == "CIRCLE" else _ring(entity)
    if ring is None or len(ring) == 0:
        fault = refused(row, "GEOM_BAD_NUMBER", part=1, ring=1, vertex=1)
        return Shape(geometry=None, faults=(fault,))
    closed = bool(_flags(entity) & _CLOSED) or bool((ring[0] == ring[-1]).all())
    if not closed and _gap_share(ring) > _GAP_SHARE:
        return Shape(geometry=None, faults=(refused(row, "NOT_A_POLYGON", type=entity.kind),))
    shape = assemble(row, [[_closed(ring)]], vertices_max=limits.vertices_per_feature)
    if shape.geometry is None or (closed and entity.kind != "CIRCLE"):
        return shape
    ask = (
        questioned(row, "LINE_AS_POLYGON", type="CIRCLE", vertices=len(ring))
        if closed
        else questioned(row, "LINE_OPEN", gap_m=gap_m(ring[0], ring[-1]))
    )
    return Shape(geometry=shape.geometry, faults=(ask,))


def _gap_share(ring: FloatArray) -> float:
    """Share of a line's length that is missing between its end and its start."""
    length = math.fsum(np.hypot(*np.diff(ring, axis=0).T).tolist())
    return float(math.hypot(*(ring[0] - ring[-1])) / length) if length else math.inf


def _closed(ring: FloatArray) -> FloatArray:
    if len(ring) and (ring[0] != ring[-1]).any():
        return np.concatenate([ring, ring[:1]])
    return ring


def _ring(entity: _Entity) -> FloatArray | None:
    """Vertices of a polyline with its bulges as chords; None where a number cannot be read."""
    rows = _vertices(entity)
    if rows is None or len(rows) == 0:
        return None
    closing = bool(_flags(entity) & _CLOSED)
    if entity.first(230).strip().startswith("-1"):  # drawn on the back of the plane
        rows = [(-x, y, -bulge) for x, y, bulge in rows]
    places: list[tuple[float, float]] = []
    for n, (x, y, bulge) in enumerate(rows):
        places.append((x, y))
        last = n == len(rows) - 1
        if bulge and (closing or not last):
            after = rows[0] if last else rows[n + 1]
            places += _arc((x, y), (after[0], after[1]), bulge)
    return np.array(places, dtype=np.float64)


def _vertices(entity: _Entity) -> list[tuple[float, float, float]] | None:
    try:
        if entity.kind == "POLYLINE":
            return [_vertex(pairs) for pairs in entity.vertices]
        found: list[list[float]] = []
        for code, value in entity.pairs:
            if code == _XDATA + 1:
                break
            if code == 10:  # noqa: PLR2004 - x of a vertex
                found.append([float(value), math.nan, 0.0])
            elif code in {20, 42} and found:
                found[-1][1 if code == 20 else 2] = float(value)  # noqa: PLR2004
        return [(x, y, bulge) for x, y, bulge in found]
    except ValueError:
        return None


def _vertex(pairs: Sequence[Pair]) -> tuple[float, float, float]:
    values = dict(reversed(pairs))
    return float(values.get(10, "nan")), float(values.get(20, "nan")), float(values.get(42, "0"))


def _arc(
    start: tuple[float, float], end: tuple[float, float], bulge: float
) -> list[tuple[float, float]]:
    """Points between two vertices on an arc; its bulge is the tangent of a quarter of its angle."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    chord = math.hypot(dx, dy)
    if not (math.isfinite(bulge) and math.isfinite(chord)) or chord == 0:
        return []
    angle = 4.0 * math.atan(bulge)
    radius = chord / (2.0 * abs(math.sin(angle / 2.0)))
    middle = (start[0] + end[0]) / 2.0, (start[1] + end[1]) / 2.0
    away = (1.0 - bulge * bulge) / (4.0 * bulge)
    centre = middle[0] - dy * away, middle[1] + dx * away
    steps = _steps(radius, abs(angle))
    first = math.atan2(start[1] - centre[1], start[0] - centre[0])
    turns = [first + angle * k / steps for k in range(1, steps)]
    return [(centre[0] + radius * math.cos(t), centre[1] + radius * math.sin(t)) for t in turns]


def _steps(radius: float, angle: float) -> int:
    """Number of chords: none strays from the arc by more than CHORD_M or CHORD_SHARE of it."""
    step = 2.0 * math.acos(1.0 - min(CHORD_M / radius, CHORD_SHARE))
    return max(2, min(_ARC_POINTS_MAX, math.ceil(angle / step))) if step > 0 else _ARC_POINTS_MAX


def _circle(entity: _Entity) -> FloatArray | None:
    try:
        x, y, radius = (float(entity.first(code)) for code in (10, 20, 40))
    except ValueError:
        return None
    if not (math.isfinite(x) and math.isfinite(y) and math.isfinite(radius)) or radius <= 0:
        return None
    steps = _steps(radius, 2.0 * math.pi)
    turns = 2.0 * math.pi * np.arange(steps) / steps
    return _closed(np.column_stack([x + radius * np.cos(turns), y + radius * np.sin(turns)]))
