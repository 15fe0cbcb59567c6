"""Division codes of the whole country, province to township, as packaged (see its README)."""

import csv
import lzma
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from registry.divisions import LEVELS, DivisionRow, full_code
from registry.errors import RegistryError

VALID_FROM_YEAR: Final = 2023
SOURCE: Final = "国家统计局 统计用区划代码 2023-06-30（china-division 2.7.0）"
COUNTY_DIGITS: Final = 6
SUGGESTED: Final = 5
_FILE: Final = Path(__file__).resolve().parent / "divisions.csv.xz"


class CountyUnknownError(RegistryError):
    """No county has this code; the parameters name the nearest ones."""

    code = "COUNTY_CODE_UNKNOWN"


@cache
def names() -> Mapping[str, str]:
    """Return every name by its short code: 2 digits a province, 4 a city, 6 a county, 9 a town."""
    with lzma.open(_FILE, "rt", encoding="utf-8", newline="") as handle:
        return MappingProxyType({row["code"]: row["name"] for row in csv.DictReader(handle)})


def is_county(adcode: str) -> bool:
    """Say whether six digits are a county's code."""
    return len(adcode) == COUNTY_DIGITS and adcode in names()


def nearest(given: str, *, at_most: int = SUGGESTED) -> Sequence[tuple[str, str]]:
    """Return the counties most like what was given: a mistyped code, or a name."""
    counties = {code: name for code, name in names().items() if len(code) == COUNTY_DIGITS}
    if given.isascii() and given.isdigit():
        like = sorted(counties, key=lambda code: (_distance(code, given), code))
    else:
        stem = given.rstrip("县区市旗") or given
        close = set(get_close_matches(given, counties.values(), n=at_most))
        alike = [code for code, name in counties.items() if stem in name]
        like = alike + [code for code, name in counties.items() if name in close]
    return [(code, counties[code]) for code in dict.fromkeys(like)][:at_most]


def unknown(given: str) -> CountyUnknownError:
    """Return the refusal of a code that no county has, with the nearest ones in words."""
    like = "、".join(f"{code} {name}" for code, name in nearest(given))
    return CountyUnknownError(given=given, nearest=like or "—")


def county_rows(adcode: str) -> list[DivisionRow]:
    """Return a county with all above and below it: province, city, county, its townships.

    Raises
    ------
    CountyUnknownError : there is no such county.
    """
    if not is_county(adcode):
        raise unknown(adcode)
    return [*above(adcode), *_from(adcode)]


def above(adcode: str) -> list[DivisionRow]:
    """Return the province and the city that a county's code begins with, where they are known."""
    # 441900 is both a city and its only county: it stands once, as the county.
    short = [adcode[:2], adcode[:4]]
    known = [code for code in short if code in names() and full_code(code) != full_code(adcode)]
    return [
        DivisionRow(
            code=full_code(code),
            name=names()[code],
            level=LEVELS[len(code)],
            parent_code=full_code(known[n - 1]) if n else None,
        )
        for n, code in enumerate(known)
    ]


def _from(adcode: str) -> list[DivisionRow]:
    upper = above(adcode)
    county = DivisionRow(
        code=full_code(adcode),
        name=names()[adcode],
        level="county",
        parent_code=upper[-1].code if upper else None,
    )
    towns = [
        DivisionRow(
            code=full_code(code), name=name, level=LEVELS[len(code)], parent_code=county.code
        )
        for code, name in names().items()
        if code.startswith(adcode) and len(code) > COUNTY_DIGITS
    ]
    return [county, *towns]


def _distance(code: str, given: str) -> tuple[int, int, int]:
    """Rank a code against a mistyped one: digits in place, digits that begin it, difference."""
    same = sum(one == two for one, two in zip(code, given, strict=False))
    begun = next(
        (n for n, (one, two) in enumerate(zip(code, given, strict=False)) if one != two), len(code)
    )
    digits = given[:COUNTY_DIGITS].ljust(COUNTY_DIGITS, "0")
    return -same, -begun, abs(int(code) - int(digits))
