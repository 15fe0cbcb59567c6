"""Tables of parcels: a shape in a cell, or a vertex a row, under Chinese or English headers."""

import json
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.errors import FileError
from geo.findings import Finding, refused, warning
from geo.vector.axes import north_first
from geo.vector.features import Limits, RawFeature, Table
from geo.vector.geojson import shape_of
from geo.vector.headers import CRS_NAMES, Role, continued, crs_in, plain, role_of
from geo.vector.ogr import choose_layer
from geo.vector.rings import Shape, assemble
from geo.vector.sheet import Cell, Sheet, Workbook
from geo.vector.wkt import is_wkt, shape_from_wkt, srid_of

FloatArray = NDArray[np.float64]

_HEADER_ROWS: Final = 20
_PAIRS: Final[tuple[tuple[Role, Role], ...]] = (("lon", "lat"), ("east", "north"), ("x", "y"))
_MIXED: Final[tuple[tuple[Role, Role], ...]] = (("x", "east"), ("north", "y"))
_ANGLE: Final = re.compile(
    r"^\s*([NSEW]?)\s*(\d{1,3})\s*[°度]\s*(?:(\d{1,2}(?:\.\d+)?)\s*[′'分])?"
    r"\s*(?:(\d{1,2}(?:\.\d+)?)\s*(?:[″\"秒]|''|′′)?)?\s*([NSEW]?)\s*$",
    re.IGNORECASE,
)
_THOUSANDS: Final = re.compile(r"^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$")
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_BETWEEN: Final = re.compile(r"[\s,;，；、|()（）\[\]]*")
_GROUPS: Final = re.compile(r"[;；|\n]+")
_DIGITS: Final = re.compile(r"(\d+)\D*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Where in a sheet things stand; columns by role, one or more a role."""

    header_row: int
    names: tuple[str, ...]
    columns: Mapping[Role, tuple[int, ...]]
    pair: tuple[Role, Role] | None


def read_table(book: Workbook, *, name: str, layer: str | None, limits: Limits) -> Table:
    """Read the sheet of parcels in a workbook.

    Raises
    ------
    FileError
        FILE_TABLE_NO_SHAPES (no sheet has a shape column or coordinate columns; names what was
        found), FILE_HAS_LAYERS, FILE_HAS_NO_LAYER, FILE_TOO_MANY_FEATURES.
    """
    found = {sheet.name: (sheet, layout) for sheet in book.sheets if (layout := _layout(sheet))}
    if not found:
        heads = [cell for sheet in book.sheets for row in sheet.rows[:1] for cell in row]
        seen = [str(cell)[:40] for cell in heads if cell is not None]
        raise FileError("FILE_TABLE_NO_SHAPES", name=name, headers=seen[:20])
    if book.sheets[0].name:
        sheet, layout = found[choose_layer(list(found), layer, name=name)]
    else:
        sheet, layout = next(iter(found.values()))
    rows = sheet.rows[layout.header_row + 1 :]
    notes: list[Finding] = []
    if layout.pair is None:
        features = _shape_rows(rows, layout, limits)
    else:
        features, notes = _vertex_rows(rows, layout, limits)
    return Table(
        encoding=book.encoding,
        crs=_crs(rows, layout),
        features=tuple(features),
        findings=(*book.findings, *notes),
    )


def _layout(sheet: Sheet) -> _Layout | None:
    """Find the header: the first of the top rows that names shapes or a pair of coordinates."""
    for number, row in enumerate(sheet.rows[:_HEADER_ROWS]):
        names = tuple("" if cell is None else str(cell).strip() for cell in row)
        columns: dict[Role, list[int]] = {}
        for place, header in enumerate(names):
            role = role_of(header) if header else None
            if role is not None:
                columns.setdefault(role, []).append(place)
        pair = next((p for p in (*_PAIRS, *_MIXED) if p[0] in columns and p[1] in columns), None)
        shapes = columns.get("wkt") or columns.get("vertices")
        if shapes or pair:
            kept: dict[Role, tuple[int, ...]] = {role: tuple(at) for role, at in columns.items()}
            if shapes:
                kept = {"wkt": _continuing(names, shapes[0])}
            return _Layout(
                header_row=number, names=names, columns=kept, pair=None if shapes else pair
            )
    return None


def _continuing(names: Sequence[str], first: int) -> tuple[int, ...]:
    """Columns that hold one long text: the first and those that continue it, in order."""
    stem = plain(names[first])
    more = [(continued(name), place) for place, name in enumerate(names) if name]
    rest = sorted((n, place) for (other, n), place in more if other == stem and n > 1)
    return (first, *(place for _, place in rest))


def _crs(rows: Sequence[Sequence[Cell]], layout: _Layout) -> str | None:
    """Reference system named in the header, in a column of its own or in the shapes."""
    for header in layout.names:
        if code := crs_in(header):
            return code
    for place, header in enumerate(layout.names):
        if plain(header) in CRS_NAMES:
            said = {str(value).strip() for row in rows if (value := _at(row, place)) is not None}
            if len(said) == 1:
                return said.pop()
    if layout.pair is None:
        named = {srid_of(str(_at(row, layout.columns["wkt"][0]) or "")[:200]) for row in rows}
        if len(named) == 1:
            return named.pop()
    return None


def _at(row: Sequence[Cell], place: int) -> Cell:
    return row[place] if place < len(row) else None


def _blank(row: Sequence[Cell]) -> bool:
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in row)


def _names(layout: _Layout, taken: set[int]) -> dict[int, str]:
    """Name of every attribute column; nameless ones are numbered, repeated ones too."""
    found: dict[int, str] = {}
    used: set[str] = set()
    for place, header in enumerate(layout.names):
        if place in taken:
            continue
        stem = header or f"column_{place + 1}"
        name, number = stem, 2
        while name in used:
            name, number = f"{stem}_{number}", number + 1
        used.add(name)
        found[place] = name
    return found


def _too_many(count: int, limits: Limits) -> None:
    if count > limits.features:
        raise FileError("FILE_TOO_MANY_FEATURES", features=count, limit=limits.features)


def _shape_rows(
    rows: Sequence[Sequence[Cell]], layout: _Layout, limits: Limits
) -> list[RawFeature]:
    """One parcel a row, its shape in one text."""
    places = layout.columns["wkt"]
    names = _names(layout, set(places))
    filled = [row for row in rows if not _blank(row)]
    _too_many(len(filled), limits)
    features = []
    for number, row in enumerate(filled, 1):
        text = "".join(str(cell) for place in places if (cell := _at(row, place)) is not None)
        shape = _shape_of_text(number, text.strip(), limits)
        extra = {f"column_{n + 1}": row[n] for n in range(len(layout.names), len(row))}
        features.append(
            RawFeature(
                row=number,
                geometry=shape.geometry,
                faults=shape.faults,
                attributes={
                    **{name: _at(row, place) for place, name in names.items()},
                    **{name: cell for name, cell in extra.items() if cell is not None},
                },
                dropped_dimension=shape.dropped_dimension,
            )
        )
    return features


def _shape_of_text(row: int, text: str, limits: Limits) -> Shape:
    if not text:
        return Shape(geometry=None, faults=(refused(row, "GEOM_EMPTY"),))
    if is_wkt(text):
        return shape_from_wkt(row, text, limits)
    if text.startswith(("{", "[")):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return Shape(geometry=None, faults=(refused(row, "GEOM_MALFORMED", found="JSON"),))
        return shape_of(row, _as_geometry(value), limits)
    return _listed(row, text, limits)


def _as_geometry(value: object) -> object:
    """A bare nested list of positions as the polygon it is."""
    depth, inner = 0, value
    while isinstance(inner, list) and inner:
        depth, inner = depth + 1, inner[0]
    kinds = {2: "Polygon", 3: "Polygon", 4: "MultiPolygon"}
    if depth not in kinds:
        return value
    return {"type": kinds[depth], "coordinates": [value] if depth == 2 else value}  # noqa: PLR2004


def _listed(row: int, text: str, limits: Limits) -> Shape:
    """A ring written as a list of corners: `118.87,28.97;118.88,28.97;...`."""
    text = unicodedata.normalize("NFKC", text)
    rest = _NUMBER.sub("", text)
    if _BETWEEN.fullmatch(rest) is None:
        return Shape(geometry=None, faults=(refused(row, "GEOM_MALFORMED", found=text[:40]),))
    groups = [_NUMBER.findall(group) for group in _GROUPS.split(text)]
    groups = [group for group in groups if group]
    widths = {len(group) for group in groups}
    if len(groups) > 1 and len(widths) == 1 and widths <= {2, 3}:
        pairs = [group[:2] for group in groups]
    else:
        flat = [number for group in groups for number in group]
        if len(flat) % 2:
            fault = refused(row, "GEOM_BAD_NUMBER", part=1, ring=1, vertex=len(flat) // 2 + 1)
            return Shape(geometry=None, faults=(fault,))
        pairs = [flat[n : n + 2] for n in range(0, len(flat), 2)]
    ring = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    if north_first(ring[:, 0], ring[:, 1]):
        ring = ring[:, ::-1]
    return assemble(row, [[_closed(ring)]], vertices_max=limits.vertices_per_feature)


def _closed(ring: FloatArray) -> FloatArray:
    """A list of corners as a ring: the first corner need not be written twice."""
    if len(ring) and (ring[0] != ring[-1]).any():
        return np.concatenate([ring, ring[:1]])
    return ring


def number_of(cell: Cell) -> float:
    """Coordinate in a cell: a number, also with thousands or full-width digits, or an angle.

    Returns
    -------
    NaN for what is none of these.
    """
    if cell is None or isinstance(cell, bool):
        return math.nan
    if isinstance(cell, int | float):
        return float(cell)
    text = unicodedata.normalize("NFKC", cell).strip()
    if _THOUSANDS.match(text):
        text = text.replace(",", "")
    try:
        return float(text)
    except ValueError:
        angle = _ANGLE.match(text)
    if angle is None:
        return math.nan
    before, degrees, minutes, seconds, after = angle.groups()
    value = float(degrees) + float(minutes or 0) / 60 + float(seconds or 0) / 3600
    return -value if (before or after).upper() in {"S", "W"} else value


@dataclass(slots=True)
class _Gathered:
    """Vertices of one parcel: places of its rows in the sheet."""

    key: str
    rows: list[int]


def _vertex_rows(
    rows: Sequence[Sequence[Cell]], layout: _Layout, limits: Limits
) -> tuple[list[RawFeature], list[Finding]]:
    """One vertex a row, gathered by the parcel's number."""
    first, second, notes = _coordinates(rows, layout)
    parcels = _gather(rows, layout)
    _too_many(len(parcels), limits)
    taken = {place for role in (layout.pair or ()) for place in layout.columns[role][:1]}
    names = _names(layout, taken)
    features = []
    for number, parcel in enumerate(parcels, 1):
        xy = np.column_stack([first[parcel.rows], second[parcel.rows]])
        shape = _ringed(number, xy, [rows[n] for n in parcel.rows], layout, limits)
        features.append(
            RawFeature(
                row=number,
                geometry=shape.geometry,
                faults=shape.faults,
                attributes=_merged([rows[n] for n in parcel.rows], names, layout),
            )
        )
    return features, notes


def _coordinates(
    rows: Sequence[Sequence[Cell]], layout: _Layout
) -> tuple[FloatArray, FloatArray, list[Finding]]:
    """Eastings and northings (or longitudes and latitudes) of every row of the sheet."""
    pair = layout.pair or ("x", "y")
    one, two = (
        np.array([number_of(_at(row, layout.columns[role][0])) for row in rows], dtype=np.float64)
        for role in pair
    )
    if pair == ("north", "y"):
        return two, one, []
    if pair == ("x", "east"):
        return two, one, []
    if north_first(one, two):
        heads = [layout.names[layout.columns[role][0]] for role in pair]
        return two, one, [warning(None, "TABLE_NORTH_FIRST", first=heads[0], second=heads[1])]
    return one, two, []


def _gather(rows: Sequence[Sequence[Cell]], layout: _Layout) -> list[_Gathered]:
    """Rows by parcel in order of first appearance; an empty number repeats the one above it."""
    places = layout.columns.get("parcel", ())
    found: dict[str, _Gathered] = {}
    key, block = "", 0
    for n, row in enumerate(rows):
        if _blank(row):
            block += 1
            continue
        if places:
            said = _at(row, places[0])
            key = str(said).strip() if said is not None and str(said).strip() else key
        else:
            key = str(block)
        found.setdefault(key, _Gathered(key, [])).rows.append(n)
    return list(found.values())


def _ringed(
    row: int, xy: FloatArray, cells: Sequence[Sequence[Cell]], layout: _Layout, limits: Limits
) -> Shape:
    bad = ~np.isfinite(xy).all(axis=1)
    if bad.any():
        vertex = int(bad.argmax()) + 1
        fault = refused(row, "GEOM_BAD_NUMBER", part=1, ring=1, vertex=vertex)
        return Shape(geometry=None, faults=(fault,))
    groups: dict[tuple[str, str], list[int]] = {}
    for n, cell in enumerate(cells):
        labels = _label(cell, layout, "part"), _label(cell, layout, "ring")
        groups.setdefault(labels, []).append(n)
    parts: dict[str, list[FloatArray]] = {}
    for (part, _), places in sorted(groups.items(), key=lambda one: _natural(one[0])):
        order = _order([cells[n] for n in places], layout)
        parts.setdefault(part, []).append(_closed(xy[[places[n] for n in order]]))
    return assemble(row, list(parts.values()), vertices_max=limits.vertices_per_feature)


def _label(cells: Sequence[Cell], layout: _Layout, role: Role) -> str:
    places = layout.columns.get(role, ())
    value = _at(cells, places[0]) if places else None
    return "" if value is None else str(value).strip()


def _natural(labels: tuple[str, str]) -> tuple[tuple[int, str], ...]:
    """Order of rings by the numbers in their labels, so that 10 comes after 2."""
    return tuple(
        (int(found.group(1)[:15]) if (found := _DIGITS.search(label)) else 0, label)
        for label in labels
    )


def _order(cells: Sequence[Sequence[Cell]], layout: _Layout) -> list[int]:
    """Order of the vertices of a ring: by their numbers where these differ, else as they stand."""
    numbers = []
    for one in cells:
        found = _DIGITS.search(_label(one, layout, "order"))
        if found is None:
            return list(range(len(cells)))
        numbers.append(int(found.group(1)[:15]))
    if len(set(numbers)) < len(numbers):
        return list(range(len(cells)))
    return sorted(range(len(cells)), key=numbers.__getitem__)


def _merged(
    cells: Sequence[Sequence[Cell]], names: Mapping[int, str], layout: _Layout
) -> dict[str, object]:
    """Attributes of a parcel: what all its rows say, else the list of what each says."""
    found: dict[str, object] = {}
    gone = {p for role in ("part", "ring", "order") for p in _places(layout, role)}
    for place, name in names.items():
        values = [_at(row, place) for row in cells]
        said = list(dict.fromkeys(value for value in values if value is not None))
        if len(said) <= 1:
            found[name] = said[0] if said else None
        elif place not in gone:
            found[name] = values
    return found


def _places(layout: _Layout, role: str) -> Iterator[int]:
    for known, places in layout.columns.items():
        if known == role:
            yield from places
