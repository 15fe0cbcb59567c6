"""A county's own divisions from a file: villages, changed names, reviewed boundaries.

CSV with ``code`` and ``name``, or any format of :mod:`geo.vector` with boundaries; a row may say
from which year to which its code counts.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import shapely

from geo.intake import IntakeOptions, examine_features
from geo.vector import open_features
from geo.vector.text import decode
from registry.divisions import LEVELS, DivisionRow, full_code
from registry.errors import RegistryError

CODE_FIELDS: Final = ("code", "adcode", "XZQDM", "ZLDWDM", "区划代码", "行政区划代码", "行政区代码")
FROM_FIELDS: Final = ("valid_from_year", "valid_from", "启用年", "启用年份")
TO_FIELDS: Final = ("valid_to_year", "valid_to", "撤销年", "撤销年份", "停用年")
NAME_FIELDS: Final = ("name", "XZQMC", "ZLDWMC", "名称", "区划名称", "行政区名称")
_YEAR_DIGITS: Final = 4
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_CSV: Final = frozenset({".csv", ".txt"})
_GROUPS: Final = ((12, 9, "000"), (9, 6, "000"), (6, 4, "00"), (4, 2, "00"))
"""Digits of a level, digits of the one above it, and how a code ends that is of the upper one."""


class DivisionFileError(RegistryError):
    """A row of a file of divisions makes no sense; the parameters say which and why."""

    code = "DIVISION_FILE_ROW"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDivisions:
    """What a file says of one county, and how many rows it has of others."""

    rows: tuple[DivisionRow, ...]
    others: int


def read_divisions(
    path: Path, *, adcode: str, crs: str | None = None, encoding: str | None = None
) -> OwnDivisions:
    """Read a county's own divisions; rows of other counties are counted and left.

    Parameters
    ----------
    adcode : the county's six digits; its city and province may be in the file too.

    Raises
    ------
    DivisionFileError : a row has no code or name, or its boundary is unsound.
    geo.errors.FileError, geo.errors.CrsError : the file as a whole cannot be read.
    """
    if path.suffix.lower() in _CSV:
        told = _of_csv(path.read_bytes(), encoding)
    else:
        told = _of_features(path, crs=crs, encoding=encoding)
    mine = [row for row in told if _concerns(row.code, adcode)]
    return OwnDivisions(rows=tuple(mine), others=len(told) - len(mine))


def short_code(code: str) -> str:
    """Return a division code without the zeros that fill it up to twelve digits."""
    for digits, upper, end in _GROUPS:
        if len(code) == digits and code.endswith(end):
            code = code[:upper]
    return code


def _of_csv(data: bytes, encoding: str | None) -> Sequence[DivisionRow]:
    text, _, _ = decode(data, encoding)
    reader = csv.DictReader(io.StringIO(text))
    return [_row(place, line, None) for place, line in enumerate(reader, 2)]


def _of_features(path: Path, *, crs: str | None, encoding: str | None) -> Sequence[DivisionRow]:
    file = open_features(path, crs=crs, encoding=encoding)
    # A county borders on itself a level up: only each shape by itself is examined.
    found = examine_features(file.features, file.system, options=IntakeOptions(check_overlap=False))
    rows = []
    for row, status, geometry, attributes in zip(
        found.rows, found.status, found.geometry, found.attributes, strict=True
    ):
        if status != "accepted":
            first = next(one for one in found.findings_of(int(row)) if one.severity == status)
            raise DivisionFileError(row=int(row), why=first.code)
        rows.append(_row(int(row), attributes, shapely.to_wkb(geometry)))
    return rows


def _row(place: int, values: Mapping[str, object], boundary: bytes | None) -> DivisionRow:
    code = short_code(_first(values, CODE_FIELDS))
    name = _first(values, NAME_FIELDS)
    if not (code.isascii() and code.isdigit() and len(code) in LEVELS):
        raise DivisionFileError(row=place, why=f"code = {code or '—'}")
    if not name:
        raise DivisionFileError(row=place, why="name = —")
    first, last = _year(place, values, FROM_FIELDS), _year(place, values, TO_FIELDS)
    if first is not None and last is not None and last < first:
        raise DivisionFileError(row=place, why=f"{first} > {last}")
    above = next((code[:upper] for digits, upper, _ in _GROUPS if digits == len(code)), None)
    return DivisionRow(
        code=full_code(code),
        name=name,
        level=LEVELS[len(code)],
        parent_code=above and full_code(above),
        boundary=boundary,
        valid_from_year=first,
        valid_to_year=last,
    )


def _year(place: int, values: Mapping[str, object], names: Sequence[str]) -> int | None:
    """Return the year of a row; a date counts by its year, the number of a table may end in .0."""
    said = _first(values, names)
    if not said:
        return None
    digits = said[:_YEAR_DIGITS]
    if not (digits.isascii() and digits.isdigit() and _FIRST_YEAR <= int(digits) <= _LAST_YEAR):
        raise DivisionFileError(row=place, why=f"{names[0]} = {said[:20]}")
    return int(digits)


def _concerns(code: str, adcode: str) -> bool:
    upper = {full_code(adcode[:2]), full_code(adcode[:4])}
    return code.startswith(adcode) or code in upper


def _first(values: Mapping[str, object], names: Sequence[str]) -> str:
    given = (str(values[name]).strip() for name in names if values.get(name) not in (None, ""))
    return next(given, "")
