"""Files of rows and cells: CSV in any separator and encoding, Excel of both generations."""

import csv
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from geo.errors import FileError
from geo.excel_child import TOO_MANY
from geo.findings import Finding, warning
from geo.vector.archive import BROKEN_ZIP
from geo.vector.features import Limits
from geo.vector.text import decode

Cell = str | int | float | bool | None

_SEPARATORS: Final = (",", "\t", ";", "|", "，")
_FIELD_CHARACTERS: Final = 50_000_000
_SAMPLE_LINES: Final = 20
_REFERENCE: Final = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{1,3})(\d{1,7})["']""")
_ROW: Final = re.compile(rb"""<(?:\w+:)?row\b[^>]*?\br\s*=\s*["'](\d{1,8})["']""")
_CHUNK: Final = 1 << 20
_OVERLAP: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One sheet of cells."""

    name: str
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbook:
    """Sheets of a file and how its text was read."""

    encoding: str
    sheets: tuple[Sheet, ...]
    findings: tuple[Finding, ...] = ()


def read_csv(data: bytes, *, encoding: str | None, limits: Limits) -> Workbook:
    """Read separated text; the separator is the one that splits the most lines alike.

    Raises
    ------
    FileError
        One of the encoding's codes, FILE_NOT_A_TABLE, FILE_TOO_MANY_CELLS.
    """
    text, used, guessed = decode(data, encoding)
    text = text.lstrip("\ufeff").replace("\x00", "")
    csv.field_size_limit(_FIELD_CHARACTERS)
    try:
        rows = _counted(
            (
                tuple(value or None for value in line)
                for line in csv.reader(text.splitlines(keepends=True), delimiter=_separator(text))
            ),
            limits,
        )
    except csv.Error as error:
        raise FileError("FILE_NOT_A_TABLE", reason=str(error)[:100]) from error
    notes = (warning(None, "ENCODING_GUESSED", encoding=used),) if guessed else ()
    return Workbook(encoding=used, sheets=(Sheet(name="", rows=rows),), findings=notes)


def _separator(text: str) -> str:
    lines = [line for line in text[:100_000].splitlines() if line.strip()][:_SAMPLE_LINES]
    counts = {one: [_outside_quotes(line).count(one) for line in lines] for one in _SEPARATORS}
    return max(_SEPARATORS, key=lambda one: (min(counts[one], default=0), sum(counts[one])))


def _outside_quotes(line: str) -> str:
    return "".join(line.split('"')[::2])


def _counted(rows: Iterable[Sequence[Cell]], limits: Limits) -> tuple[tuple[Cell, ...], ...]:
    kept, cells = [], 0
    for row in rows:
        cells += len(row)
        if cells > limits.cells:
            raise FileError("FILE_TOO_MANY_CELLS", cells=cells, limit=limits.cells)
        kept.append(tuple(row))
    return tuple(kept)


def read_excel(path: Path, *, limits: Limits) -> Workbook:
    """Read the sheets of an .xlsx or .xls file, in a process of its own.

    Raises
    ------
    FileError
        FILE_UNREADABLE, FILE_TOO_SLOW, FILE_TOO_MANY_CELLS (also for a sheet that only claims to
        be so large).
    """
    if zipfile.is_zipfile(path):
        _check_extent(path, limits)
    words = [sys.executable, "-m", "geo.excel_child", str(path.resolve()), str(limits.cells)]
    try:
        done = subprocess.run(  # noqa: S603 -- our own module, no shell
            words, capture_output=True, check=False, timeout=limits.seconds
        )
    except subprocess.TimeoutExpired as error:
        raise FileError("FILE_TOO_SLOW", name=path.name, seconds=limits.seconds) from error
    if done.returncode == TOO_MANY:
        raise FileError("FILE_TOO_MANY_CELLS", cells=limits.cells, limit=limits.cells)
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise FileError("FILE_UNREADABLE", name=path.name, reason=said[:200])
    sheets = tuple(
        Sheet(name=str(one["name"]), rows=tuple(map(tuple, one["rows"])))
        for one in json.loads(done.stdout)
    )
    return Workbook(encoding="utf-8", sheets=sheets)


def _check_extent(path: Path, limits: Limits) -> None:
    """Refuse a sheet whose last cell lies so far out that its rectangle would fill the memory."""
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if info.filename.lower().endswith(".xml") and "sheet" in info.filename.lower():
                    _check_sheet(archive, info, limits)
    except BROKEN_ZIP as error:
        raise FileError("FILE_UNREADABLE", name=path.name, reason=str(error)[:100]) from error


def _check_sheet(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limits: Limits) -> None:
    columns = rows = 1
    with archive.open(info) as stream:
        tail = b""
        while chunk := stream.read(_CHUNK):
            window = tail + chunk
            for found in _REFERENCE.finditer(window):
                columns = max(columns, _column(found.group(1)))
                rows = max(rows, int(found.group(2)))
            rows = max([rows, *(int(found.group(1)) for found in _ROW.finditer(window))])
            if columns * rows > limits.cells:
                raise FileError("FILE_TOO_MANY_CELLS", cells=columns * rows, limit=limits.cells)
            tail = window[-_OVERLAP:]


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
