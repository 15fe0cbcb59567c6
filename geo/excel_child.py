"""Read a workbook in a process of its own, with limits: a damaged one may end the process.

    python -m geo.excel_child FILE CELLS_MAX

Writes JSON: for each sheet its name and its rows of cells. It imports no more than it needs.
"""

import json
import resource
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

import python_calamine

MEMORY_BYTES: Final = 3_000_000_000
CPU_SECONDS: Final = 120
TOO_MANY: Final = 3
"""Exit code for more cells than are allowed."""

_EXACT_MAX: Final = 2**53


def cell(value: object) -> str | int | float | bool | None:
    """One cell as JSON can hold it; whole numbers are integers, as they were typed."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        if value != value or abs(value) == float("inf"):  # noqa: PLR0124 -- not a number
            return None
        return int(value) if value == int(value) and abs(value) < _EXACT_MAX else value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value) or None


def _rows(sheet: Any, allowed: int) -> Iterator[list[object]]:  # noqa: ANN401 -- untyped library
    cells = 0
    for row in sheet.iter_rows():
        cells += len(row)
        if cells > allowed:
            sys.exit(TOO_MANY)
        yield [cell(value) for value in row]


def main() -> None:
    """Read the file named first and write its cells."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    path, allowed = Path(sys.argv[1]), int(sys.argv[2])
    with python_calamine.load_workbook(path) as book:
        sheets = [
            {"name": name, "rows": list(_rows(book.get_sheet_by_name(name), allowed))}
            for name in book.sheet_names
        ]
    json.dump(sheets, sys.stdout)


if __name__ == "__main__":
    main()
