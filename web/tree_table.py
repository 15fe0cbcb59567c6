"""A table of numbered trees (CSV) as people keep it: Chinese or English headings, every fault."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Final

from options.groves import NewTree
from web.parsing import FieldError, FieldsInvalidError, field_error

ROWS_MAX: Final = 10_000
BYTES_MAX: Final = 4 * 1024 * 1024
HEADINGS: Final[Mapping[str, str]] = {
    "树号": "number",
    "编号": "number",
    "number": "number",
    "树种": "species",
    "species": "species",
    "经度": "lon",
    "lon": "lon",
    "纬度": "lat",
    "lat": "lat",
    "种植日期": "planted",
    "种植年": "planted",
    "种植年份": "planted",
    "planted": "planted",
    "planted_on": "planted",
    "planted_year": "planted",
}
"""Headings as they stand in tables, and the fact each names; CGCS2000 degrees."""
NEEDED: Final = ("number", "species", "lon", "lat", "planted")
EXAMPLE: Final = "树号,树种,经度,纬度,种植日期\r\n1,闽楠,118.7712345,28.9512345,2021-03-12\r\n"
_YEAR_DIGITS: Final = 4


def read_table(data: bytes) -> tuple[NewTree, ...]:
    """Return the trees of a table; empty lines are passed over.

    Raises
    ------
    FieldsInvalidError : every faulty cell, by line and heading; or the table is too long.
    """
    reader = csv.DictReader(io.StringIO(_text(data)))
    names = {heading: HEADINGS.get(heading.strip().lower()) for heading in reader.fieldnames or ()}
    missing = [name for name in NEEDED if name not in names.values()]
    if missing:
        raise FieldsInvalidError(
            tuple(field_error(f"/{name}", "FIELD_MISSING", field=name) for name in missing)
        )
    try:
        lines = [*_lines(reader, names)]
    except csv.Error as error:
        fault = field_error("/file", "FIELD_FORMAT", field="CSV")
        raise FieldsInvalidError((fault,)) from error
    if not 0 < len(lines) <= ROWS_MAX:
        raise FieldsInvalidError((field_error("/rows", "FIELD_RANGE", field="rows"),))
    if faults := tuple(fault for line, cells in lines for fault in _faults(line, cells)):
        raise FieldsInvalidError(faults)
    return tuple(_tree(cells) for _, cells in lines)


def _lines(
    reader: "csv.DictReader[str]", names: Mapping[str, str | None]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line of the file, known facts) of every line that is not empty."""
    for row in reader:
        cells = {
            name: (row.get(heading) or "").strip()
            for heading, name in names.items()
            if name is not None
        }
        if any(cells.values()):
            yield reader.line_num, cells


def _text(data: bytes) -> str:
    """Decode what spreadsheets write in China: UTF-8 with or without its mark, or GB 18030."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FieldsInvalidError((field_error("/file", "FIELD_FORMAT", field="UTF-8 / GB 18030"),))


def _faults(line: int, cells: Mapping[str, str]) -> Iterator[FieldError]:
    checks: dict[str, Callable[[str], object]] = {
        "number": _whole,
        "lon": float,
        "lat": float,
        "planted": _planted,
    }
    for name in NEEDED:
        value = cells.get(name, "")
        if not value:
            yield field_error(f"/{line}/{name}", "FIELD_MISSING", field=name)
            continue
        try:
            checks.get(name, str)(value)
        except ValueError:
            yield field_error(f"/{line}/{name}", "FIELD_FORMAT", field=name)


def _tree(cells: Mapping[str, str]) -> NewTree:
    year, day = _planted(cells["planted"])
    return NewTree(
        number=_whole(cells["number"]),
        species=cells["species"],
        lon=float(cells["lon"]),
        lat=float(cells["lat"]),
        planted_year=year,
        planted_on=day,
    )


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:  # noqa: PLR2004 -- an int4
        raise ValueError(text)
    return int(text)


def _planted(text: str) -> tuple[int, date | None]:
    """Read a day (2021-03-12, 2021/3/12) or only a year."""
    if len(text) == _YEAR_DIGITS:
        return _whole(text), None
    parts = [_whole(part) for part in text.replace("/", "-").replace(".", "-").split("-")]
    if len(parts) != 3:  # noqa: PLR2004 -- year, month, day
        raise ValueError(text)
    day = date(*parts)
    return day.year, day
