"""Which divisions a county begins with: the nation's table, and what its own files add."""

from collections.abc import Sequence
from dataclasses import replace

from registry import nation
from registry.division_files import OwnDivisions
from registry.divisions import DivisionRow, full_code


def county_divisions(adcode: str, own: Sequence[OwnDivisions] = ()) -> Sequence[DivisionRow]:
    """Return a county's divisions; its own files add rows, and their names and boundaries count.

    Raises
    ------
    registry.nation.CountyUnknownError : neither the table nor a file knows the county.
    """
    given = [row for one in own for row in one.rows]
    if not nation.is_county(adcode) and full_code(adcode) not in {row.code for row in given}:
        raise nation.unknown(adcode)
    known = nation.county_rows(adcode) if nation.is_county(adcode) else nation.above(adcode)
    rows = {row.code: row for row in known}
    for row in given:
        rows[row.code] = _over(rows[row.code], row) if row.code in rows else row
    return [_settled(row, rows) for row in rows.values()]


def _over(known: DivisionRow, row: DivisionRow) -> DivisionRow:
    """Return a known row with what a file says; where it belongs the first to name it knows."""
    return replace(
        known,
        name=row.name,
        boundary=row.boundary or known.boundary,
        valid_from_year=row.valid_from_year or known.valid_from_year,
        valid_to_year=row.valid_to_year or known.valid_to_year,
    )


def _settled(row: DivisionRow, rows: dict[str, DivisionRow]) -> DivisionRow:
    """Return the row below the nearest division that is there."""
    parent = row.parent_code
    while parent is not None and parent not in rows:
        parent = None if parent.endswith("0" * 10) else _up(parent)
    return replace(row, parent_code=parent)


def _up(code: str) -> str:
    for zeros in (3, 6, 8, 10):
        if not code.endswith("0" * zeros):
            return code[:-zeros] + "0" * zeros
    return code
