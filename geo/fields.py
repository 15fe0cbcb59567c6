"""What the fields of a forest or land-survey file mean, by `fields.toml`.

Names are matched whatever their case and width. A code that the tables do not hold is told, never
guessed; areas are compared with the ground and a unit that looks mistaken is told. Nothing here
changes an attribute.
"""

import math
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from geo.findings import Finding, warning
from sinks.units import M2_PER_HA, M2_PER_MU

FloatArray = NDArray[np.float64]
AreaUnit = Literal["ha", "mu", "m2"]

AREA_DIFFERS_SHARE: Final = 0.05
"""A stated area further from the ground than this share is told."""

UNIT_SLIP_SHARE: Final = 0.8
"""So many of the rows have to show one and the same other unit."""

_CODES_TOLD_MAX: Final = 50
_NUMBER_MAX: Final = 1e300
_M2_PER: Final[dict[AreaUnit, float]] = {
    "ha": float(M2_PER_HA),
    "mu": float(M2_PER_MU),
    "m2": 1.0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """One field: its key, what people call it, its unit and where the names come from."""

    key: str
    alias: str
    names: tuple[str, ...]
    source: str
    mark: str
    unit: str = ""
    codes: str = ""
    area: AreaUnit | None = None
    low: float = -math.inf
    high: float = math.inf
    digits: int | None = None


@cache
def _tables() -> dict[str, Any]:
    path = Path(__file__).with_name("fields.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


@cache
def meanings() -> dict[str, Meaning]:
    """Every field that is known, by key."""
    return {
        key: Meaning(key=key, **{**row, "names": tuple(row["names"])})
        for key, row in _tables()["field"].items()
    }


@cache
def codes(table: str) -> dict[str, str]:
    """Names by code of a table; empty for a table that does not exist."""
    return {code: row["name"] for code, row in _tables()["codes"].get(table, {}).items()}


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().lower().replace(" ", "")


@cache
def _by_name() -> dict[str, str]:
    return {_plain(name): key for key, about in meanings().items() for name in about.names}


def meaning_of(name: str) -> Meaning | None:
    """What a column means, or None where nobody knows."""
    key = _by_name().get(_plain(name))
    return meanings()[key] if key else None


def map_fields(names: Sequence[str]) -> dict[str, str]:
    """Key by column name, for the columns that are known."""
    return {name: about.key for name in names if (about := meaning_of(name)) is not None}


def field_findings(
    rows: NDArray[np.int64], attributes: Sequence[Mapping[str, object]], area_m2: FloatArray
) -> Iterator[Finding]:
    """Say how the fields of a file were understood and what in them is odd.

    Parameters
    ----------
    rows
        (n,) row numbers.
    attributes
        Of each row.
    area_m2
        (n,) areas on the ground, NaN where there is none.

    Yields
    ------
    FIELDS_MAPPED (kept with the batch), FIELD_CODE_UNKNOWN, FIELD_OUT_OF_RANGE, AREA_UNIT_SLIP,
    AREA_DIFFERS; all are warnings.
    """
    names = list(dict.fromkeys(name for mapping in attributes for name in mapping))
    mapped = map_fields(names)
    if mapped:
        said = "、".join(f"{name}={meanings()[key].alias}" for name, key in mapped.items())
        yield warning(None, "FIELDS_MAPPED", mapping=mapped, said=said)
    for name, key in mapped.items():
        about = meanings()[key]
        values = [mapping.get(name) for mapping in attributes]
        yield from _unknown_codes(rows, name, about, values)
        if about.area is None and not (math.isfinite(about.low) or math.isfinite(about.high)):
            continue
        numbers = np.array([_number(value) for value in values], dtype=np.float64)
        yield from _out_of_range(rows, name, about, numbers)
        if about.area is not None:
            yield from _areas(rows, name, about, numbers * _M2_PER[about.area], area_m2)


def _number(value: object) -> float:
    if isinstance(value, bool) or value is None:
        return math.nan
    if isinstance(value, int | float):
        return float(value) if abs(value) <= _NUMBER_MAX else math.nan
    try:
        return float(str(value))
    except ValueError:
        return math.nan


def _unknown_codes(
    rows: NDArray[np.int64], name: str, about: Meaning, values: Sequence[object]
) -> Iterator[Finding]:
    """Codes that the table does not hold, each once; words in place of codes are left alone."""
    known = codes(about.codes) if about.codes else {}
    if not known and about.digits is None:
        return
    first: dict[str, int] = {}
    count: Counter[str] = Counter()
    for row, value in zip(rows, values, strict=True):
        text = "" if value is None or isinstance(value, bool) else str(value).strip()
        fits = text in known if known else len(text) == about.digits and text.isdigit()
        if text and not fits and (text[:1].isdigit() or about.digits is not None):
            first.setdefault(text, int(row))
            count[text] += 1
    for text, times in count.most_common(_CODES_TOLD_MAX):
        yield warning(
            None,
            "FIELD_CODE_UNKNOWN",
            field=name,
            alias=about.alias,
            value=text[:40],
            rows=times,
            first_row=first[text],
        )


def _out_of_range(
    rows: NDArray[np.int64], name: str, about: Meaning, numbers: FloatArray
) -> Iterator[Finding]:
    odd = (numbers < about.low) | (numbers > about.high)
    if odd.any():
        place = int(odd.argmax())
        yield warning(
            None,
            "FIELD_OUT_OF_RANGE",
            field=name,
            alias=about.alias,
            rows=int(odd.sum()),
            first_row=int(rows[place]),
            value=float(numbers[place]),
        )


def _areas(
    rows: NDArray[np.int64], name: str, about: Meaning, said_m2: FloatArray, area_m2: FloatArray
) -> Iterator[Finding]:
    """Compare stated areas with the ground: a mistaken unit once, other differences by row."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = said_m2 / area_m2
    known = np.isfinite(ratio) & (ratio > 0)
    if not known.any() or about.area is None:
        return
    for other, m2 in _M2_PER.items():
        factor = _M2_PER[about.area] / m2
        near = known & (np.abs(ratio / factor - 1.0) <= AREA_DIFFERS_SHARE)
        if other != about.area and near.sum() >= UNIT_SLIP_SHARE * known.sum():
            yield warning(
                None,
                "AREA_UNIT_SLIP",
                field=name,
                said=about.area,
                likely=other,
                rows=int(near.sum()),
            )
            return
    far = known & (np.abs(ratio - 1.0) > AREA_DIFFERS_SHARE)
    for place in np.flatnonzero(far):
        yield warning(
            int(rows[place]),
            "AREA_DIFFERS",
            field=name,
            said_m2=float(said_m2[place]),
            area_m2=float(area_m2[place]),
        )
