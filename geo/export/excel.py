"""Excel for the desk: a sheet of parcels and a sheet that says what each column is."""

from pathlib import Path
from typing import Any, Final

import shapely
import xlsxwriter

from geo.errors import GeometryError
from geo.export.columns import Field, Kind, Parcels

_CELL_CHARACTERS: Final = 32_000
_SHAPE: Final = "WKT"
_CODE: Final = "(EPSG:4490)"
_KINDS: Final[dict[Kind, str]] = {
    "text": "文本 text",
    "integer": "整数 integer",
    "real": "小数 real",
    "boolean": "是否 yes/no",
}


def write_excel(path: Path, parcels: Parcels) -> None:
    """Write a workbook; shapes are well-known text, long ones go on in further columns.

    Text is always written as text, so that no cell becomes a formula.

    Raises
    ------
    GeometryError
        EXPORT_TEXT_TOO_LONG for an attribute that no cell can hold.
    """
    columns = parcels.columns()
    pieces = [_pieces(geometry) for geometry in parcels.geometries]
    wide = max((len(one) for one in pieces), default=1)
    heads = [f"{_SHAPE} {_CODE}", *(f"{_SHAPE}_{n} {_CODE}" for n in range(2, wide + 1))]
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        sheet = book.add_worksheet("地块")
        sheet.freeze_panes(1, 0)
        for place, name in enumerate([*(column.name for column in columns), *heads]):
            sheet.write_string(0, place, name, bold)
        for row in range(len(pieces)):
            values = [*(column.values[row] for column in columns), *pieces[row]]
            for place, value in enumerate(values):
                _cell(sheet, row + 1, place, value)
        about = book.add_worksheet("字段说明")
        about.set_column(0, 3, 24)
        for place, name in enumerate(("字段 field", "名称 name", "单位 unit", "类型 kind")):
            about.write_string(0, place, name, bold)
        for n, column in enumerate(columns, 1):
            said = parcels.fields.get(column.name, Field())
            words = (column.name, said.alias or column.name, said.unit, _KINDS[column.kind])
            for place, word in enumerate(words):
                about.write_string(n, place, word)


def _pieces(geometry: Any) -> list[str]:  # noqa: ANN401 - shapely has no types
    if geometry is None:
        return [""]
    text = shapely.to_wkt(geometry, rounding_precision=-1, trim=True)
    return [text[n : n + _CELL_CHARACTERS] for n in range(0, len(text), _CELL_CHARACTERS)]


def _cell(sheet: Any, row: int, place: int, value: object) -> None:  # noqa: ANN401
    if value is None or value == "":
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, place, value)
    elif isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**53):
        sheet.write_number(row, place, value)
    elif len(str(value)) > _CELL_CHARACTERS:
        raise GeometryError(
            "EXPORT_TEXT_TOO_LONG", row=row, characters=len(str(value)), limit=_CELL_CHARACTERS
        )
    else:
        sheet.write_string(row, place, str(value))
