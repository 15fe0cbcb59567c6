"""Long field names of a shapefile that our own export listed beside it, put back."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from geo.vector.features import RawFeature

FIELDS_SUFFIX: Final = ".fields.csv"
"""End of the list's name: `parcels.fields.csv` beside `parcels.shp`."""

_LIST_BYTES_MAX: Final = 1_000_000
_Line = tuple[str, str]


def with_long_names(features: Iterable[RawFeature], shapefile: Path) -> Iterator[RawFeature]:
    """Give attributes the names in the list beside a shapefile; without one they stay as they are.

    Texts cut over several columns are joined and truths are truths again.
    """
    listed = _listed(shapefile.with_suffix(FIELDS_SUFFIX))
    for feature in features:
        yield (
            feature
            if not listed
            else replace(feature, attributes=_renamed(feature.attributes, listed))
        )


def _listed(path: Path) -> dict[str, _Line]:
    if not path.is_file() or path.stat().st_size > _LIST_BYTES_MAX:
        return {}
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines(keepends=True)))
        return {row["column"]: (row["field"], row["kind"]) for row in rows}
    except (KeyError, UnicodeDecodeError, csv.Error):
        return {}


def _renamed(attributes: Mapping[str, object], listed: Mapping[str, _Line]) -> dict[str, object]:
    found: dict[str, object] = {}
    for column, value in attributes.items():
        name, kind = listed.get(column, (column, ""))
        if kind == "boolean" and isinstance(value, int | float):
            found[name] = bool(value)
        elif isinstance(value, str) and isinstance(before := found.get(name), str):
            found[name] = before + value
        elif value is not None or name not in found:
            found[name] = value
    return found
