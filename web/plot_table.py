"""A table of field plots (Excel or CSV) as field books have it: a row a tree or an age class.

The facts of a plot stand in its first row and may be left out below it.  Every fault is told by
row and heading, with what to do; a heading that names another unit is refused, not converted.
"""

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from math import isfinite
from pathlib import Path
from typing import Final

from geo.errors import FileError
from geo.vector.features import Limits
from geo.vector.sheet import Cell, read_csv, read_excel
from registry.field_plots import Culms, Plot, Tree, carbon
from sinks.errors import DomainError
from web import messages
from web.parsing import FieldError, FieldsInvalidError, field_error

BYTES_MAX: Final = 8 * 1024 * 1024
LIMITS: Final = Limits(cells=1_000_000, seconds=60.0)
FAULTS_MAX: Final = 200

HEADINGS: Final[Mapping[str, str]] = {
    "样地号": "number",
    "样地编号": "number",
    "plot": "number",
    "经度": "lon",
    "lon": "lon",
    "纬度": "lat",
    "lat": "lat",
    "形状": "shape",
    "shape": "shape",
    "半径": "radius_m",
    "样圆半径": "radius_m",
    "radius": "radius_m",
    "边长": "side_m",
    "样方边长": "side_m",
    "side": "side_m",
    "坡度": "slope",
    "slope": "slope",
    "调查日期": "measured_on",
    "measured_on": "measured_on",
    "调查人": "measured_by",
    "measured_by": "measured_by",
    "层": "stratum",
    "分层": "stratum",
    "样地层": "stratum",
    "stratum": "stratum",
    "树种": "species",
    "species": "species",
    "胸径": "d_cm",
    "平均胸径": "d_cm",
    "d": "d_cm",
    "dbh": "d_cm",
    "树高": "h_m",
    "h": "h_m",
    "冠长": "crown_length_m",
    "crown_length": "crown_length_m",
    "竹度": "du",
    "龄级": "du",
    "度": "du",
    "du": "du",
    "株数": "count",
    "count": "count",
}
"""Headings without their unit, and the fact each names."""
UNITS: Final[Mapping[str, tuple[str, ...]]] = {
    "d_cm": ("cm", "厘米", "公分"),
    "h_m": ("m", "米"),
    "crown_length_m": ("m", "米"),
    "radius_m": ("m", "米"),
    "side_m": ("m", "米"),
    "slope": ("比值", "ratio"),
}
"""Units a heading may name; a bare heading means the first."""
OF_PLOT: Final = (
    "lon",
    "lat",
    "radius_m",
    "side_m",
    "slope",
    "measured_on",
    "measured_by",
    "stratum",
)
NEEDED: Final = ("number", "lon", "lat", "measured_on", "measured_by")
EXAMPLE: Final = (
    "样地号,经度,纬度,半径(米),坡度(比值),调查日期,调查人,层,树种,胸径(厘米),树高(米),竹度,株数\r\n"
    "1,118.7712345,28.9512345,14.57,0.2,2025-11-03,张三,,杉木,14.2,11.5,,\r\n"
    "1,,,,,,,,杉木,16.8,12.9,,\r\n"
    "2,118.7722345,28.9522345,10,0,2025-11-04,张三,,,9.4,,1,12\r\n"
    "2,,,,,,,,,9.8,,2,15\r\n"
)
_UNIT = re.compile(r"^(.*?)\s*[(（\[/]\s*([^)）\]]+?)\s*[)）\]]?\s*$")
_YMD: Final = 3


@dataclass(slots=True, kw_only=True)
class _Draft:
    """A plot while its rows are gathered."""

    row: int
    facts: dict[str, str] = field(default_factory=dict)
    stems: list[tuple[int, dict[str, str]]] = field(default_factory=list)


def read_plots(data: bytes, name: str) -> tuple[Plot, ...]:
    """Return the plots of a table.

    Raises
    ------
    FieldsInvalidError : every faulty cell by row and heading; or the file is no such table.
    """
    return plots_of(_rows(data, name))


def plots_of(rows: Sequence[Sequence[str]]) -> tuple[Plot, ...]:
    """Return the plots of rows of cells, of which the first are the headings.

    Raises
    ------
    FieldsInvalidError : every faulty cell by row and heading.
    """
    columns = _columns(rows[0]) if rows else {}
    missing = [one for one in NEEDED if one not in columns.values()]
    if "radius_m" not in columns.values() and "side_m" not in columns.values():
        missing.append("radius_m")
    if missing:
        raise FieldsInvalidError(
            tuple(field_error(f"/1/{one}", "FIELD_MISSING", field=_words(one)) for one in missing)
        )
    drafts = list(_drafts(rows, columns))
    faults = [fault for draft in drafts for fault in _faults(draft)]
    if faults or not drafts:
        raise FieldsInvalidError(
            tuple(faults[:FAULTS_MAX])
            or (field_error("/file", "FIELD_MISSING", field=_words("number")),)
        )
    plots = tuple(_plot(draft) for draft in drafts)
    slips = [
        slip for draft, plot in zip(drafts, plots, strict=True) for slip in _slips(draft, plot)
    ]
    if slips:
        raise FieldsInvalidError(tuple(slips[:FAULTS_MAX]))
    return plots


def _rows(data: bytes, name: str) -> list[list[str]]:
    if len(data) > BYTES_MAX or not data:
        raise FieldsInvalidError((field_error("/file", "FIELD_MISSING", field="Excel / CSV"),))
    try:
        if data[:2] == b"PK" or data[:4] == b"\xd0\xcf\x11\xe0":
            with tempfile.TemporaryDirectory(prefix="tanhui-plots-") as room:
                path = Path(room) / ("plots" + (Path(name).suffix or ".xlsx"))
                path.write_bytes(data)
                sheets = read_excel(path, limits=LIMITS).sheets
        else:
            sheets = read_csv(data, encoding=None, limits=LIMITS).sheets
    except FileError as error:
        said = messages.say(error.code, error.params)
        fault = FieldError(pointer="/file", code=error.code, zh=said.zh, en=said.en)
        raise FieldsInvalidError((fault,)) from error
    return [[_text(cell) for cell in row] for row in (sheets[0].rows if sheets else ())]


def _text(cell: Cell) -> str:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return "" if cell is None else str(cell).strip()


def _columns(headings: Sequence[str]) -> dict[int, str]:
    """Return the fact of each column.

    Raises
    ------
    FieldsInvalidError : a heading names a unit that is not the fact's.
    """
    found: dict[int, str] = {}
    faults = []
    for at, heading in enumerate(headings):
        split = _UNIT.match(heading)
        bare, unit = (split[1], split[2].strip().lower()) if split else (heading, "")
        fact = HEADINGS.get(bare.strip().lower())
        if fact is None:
            continue
        allowed = UNITS.get(fact, ())
        if unit and allowed and unit not in allowed:
            faults.append(
                field_error(
                    f"/1/{bare}", "PLOT_TABLE_UNIT", field=bare, unit=unit, needs="/".join(allowed)
                )
            )
        found[at] = fact
    if faults:
        raise FieldsInvalidError(tuple(faults))
    return found


def _drafts(rows: Sequence[Sequence[str]], columns: Mapping[int, str]) -> Iterator[_Draft]:
    """Gather the rows of each plot, in the order in which plots first appear."""
    drafts: dict[str, _Draft] = {}
    last = ""
    for number, cells in enumerate(rows[1:], start=2):
        found = {fact: cells[at] for at, fact in columns.items() if at < len(cells) and cells[at]}
        if not found:
            continue
        last = found.pop("number", last)
        draft = drafts.setdefault(last, _Draft(row=number, facts={"number": last}))
        for fact in OF_PLOT:
            if fact in found:
                draft.facts.setdefault(fact, found.pop(fact))
        stem = {fact: value for fact, value in found.items() if fact not in OF_PLOT}
        if stem:
            draft.stems.append((number, stem))
    yield from drafts.values()


def _faults(draft: _Draft) -> Iterator[FieldError]:
    facts = draft.facts
    for name in NEEDED:
        if not facts.get(name):
            yield field_error(f"/{draft.row}/{name}", "FIELD_MISSING", field=_words(name))
    if ("radius_m" in facts) == ("side_m" in facts):
        yield field_error(f"/{draft.row}/radius_m", "PLOT_TABLE_SIZE", plot=facts.get("number"))
    checks: dict[str, Callable[[str], object]] = {
        "lon": _number, "lat": _number, "radius_m": _number, "side_m": _number, "slope": _number,
        "measured_on": _day,
    }  # fmt: skip
    yield from _cells(draft.row, facts, checks)
    for row, stem in draft.stems:
        needs = ("du", "count", "d_cm") if "du" in stem else ("species", "d_cm", "h_m")
        for name in needs:
            if name not in stem:
                yield field_error(f"/{row}/{name}", "FIELD_MISSING", field=_words(name))
        numbers: dict[str, Callable[[str], object]] = {
            "d_cm": _number, "h_m": _number, "crown_length_m": _number,
            "du": _whole, "count": _whole,
        }  # fmt: skip
        yield from _cells(row, stem, numbers)


def _cells(
    row: int, facts: Mapping[str, str], checks: Mapping[str, Callable[[str], object]]
) -> Iterator[FieldError]:
    for name, check in checks.items():
        try:
            if name in facts:
                check(facts[name])
        except ValueError:
            field_name = _words(name)
            yield field_error(f"/{row}/{name}", "FIELD_FORMAT", field=field_name, why=facts[name])


def _plot(draft: _Draft) -> Plot:
    facts = draft.facts
    size = facts.get("radius_m") or facts["side_m"]
    return Plot(
        number=facts["number"],
        lon=float(facts["lon"]),
        lat=float(facts["lat"]),
        shape="circle" if "radius_m" in facts else "square",
        size_m=float(size),
        slope=float(facts.get("slope") or 0),
        measured_on=_day(facts["measured_on"]),
        measured_by=facts["measured_by"],
        stratum=facts.get("stratum", ""),
        trees=tuple(
            Tree(
                species=one["species"],
                d_cm=float(one["d_cm"]),
                h_m=float(one["h_m"]),
                crown_length_m=float(one["crown_length_m"]) if "crown_length_m" in one else None,
            )
            for _, one in draft.stems
            if "du" not in one
        ),
        culms=tuple(
            Culms(du=_whole(one["du"]), count=_whole(one["count"]), d_cm=float(one["d_cm"]))
            for _, one in draft.stems
            if "du" in one
        ),
    )


def _slips(draft: _Draft, plot: Plot) -> Iterator[FieldError]:
    """Yield what the science refuses of a plot, each tree at its own row."""
    trees = [row for row, one in draft.stems if "du" not in one]
    culms = [row for row, one in draft.stems if "du" in one]
    for tree, row in zip(plot.trees, trees, strict=True):
        yield from _refused(_alone(plot, trees=(tree,)), row)
    for one, row in zip(plot.culms, culms, strict=True):
        yield from _refused(_alone(plot, culms=(one,)), row)
    if not draft.stems or len(plot.culms) > 1:
        yield from _refused(plot, draft.row)


def _alone(plot: Plot, *, trees: tuple[Tree, ...] = (), culms: tuple[Culms, ...] = ()) -> Plot:
    return replace(plot, trees=trees, culms=culms)


def _refused(plot: Plot, row: int) -> Iterator[FieldError]:
    try:
        carbon(plot)
    except DomainError as error:
        params = {**error.params, "index": row - 1}  # counted from nought, as the error does
        said = messages.say(error.code, params)
        yield FieldError(
            pointer=f"/{row}",
            code=error.code,
            zh=f"第 {row} 行：{said.zh}。{said.remedy_zh}",
            en=f"Row {row}: {said.en}. {said.remedy_en}",
        )


def _day(text: str) -> date:
    """Read 2025-11-03, 2025/11/3, 2025.11.3 or 2025年11月3日; a time behind it is left out."""
    parts = [
        one
        for one in re.split(
            r"[-/.年月日]", text.split(" ", maxsplit=1)[0].split("T", maxsplit=1)[0]
        )
        if one
    ]
    if len(parts) != _YMD:
        raise ValueError(text)
    return date(*(_whole(one) for one in parts))


def _number(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(text)
    return value


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:  # noqa: PLR2004 -- an int4
        raise ValueError(text)
    return int(text)


def _words(name: str) -> str:
    """Return the Chinese heading of a fact with its unit."""
    heading = next(words for words, fact in HEADINGS.items() if fact == name)
    return heading + (f"({UNITS[name][1]})" if name in UNITS and len(UNITS[name]) > 1 else "")
