"""What a reader must know of a run that keeps pools apart, beside what any run says."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

import numpy as np

from geo.zonal import Histogram
from registry.cohort_tables import SCHEME
from registry.pool_inputs import Given, Pooling, absent, provisional
from registry.stand_events import WHOLE
from registry.stocks import Flag
from registry.strata import Spread
from sinks.strata import Note
from sinks.tables.rows import GrowthRow


def found(
    ids: Sequence[UUID],
    histogram: Histogram,
    spread: Spread,
    *,
    pooling: Pooling,
    curves: Mapping[int, GrowthRow],
) -> Iterator[tuple[int, Flag]]:
    """Yield the place of a parcel and a flag, in a fixed order."""
    yield from _absent(histogram, pooling, curves)
    soft = [
        {"code": "FLOW_PROVISIONAL", "flow": key, "mark": mark}
        for key, mark in provisional(pooling).items()
    ]
    everywhere = [one for one in soft if one["flow"] in YEARLY]
    if pooling.shrubs:
        everywhere.append({"code": "POOL_ABSENT", "pool": "shrub", "species": "—"})
    for i, parcel in enumerate(ids):
        yield from ((i, flag) for flag in everywhere)
        told = pooling.given.get(parcel)
        if told is not None:
            stirred = [one for one in soft if one["flow"] not in YEARLY]
            yield from ((i, flag) for flag in _told(told, stirred, spread.notes.get(i, ())))


def _told(given: Given, soft: Sequence[Flag], notes: Iterable[Note]) -> Iterator[Flag]:
    """Yield what is to be known of one parcel's events and bamboo."""
    for one in given.happenings:
        yield {
            "code": "STAND_EVENT",
            "year": one.year,
            "kind": one.kind,
            "percent": round(one.touched_ppm * one.intensity_ppm / _PPM_OF_PERCENT, 2),
        }
    if given.happenings:
        yield from soft
    for code, year, kind in sorted(notes):
        yield {"code": code, "year": year, "kind": kind}
    if given.culms is not None:
        yield {"code": "CULMS_COUNTED", "year": given.culms.year}
    if given.culms_wrong:
        yield {"code": "CULMS_INCOMPLETE", "field": given.culms_wrong}


YEARLY: Final = frozenset({"turnover", "decay"})
_PPM_OF_PERCENT: Final = WHOLE * WHOLE / 100


def _absent(
    histogram: Histogram, pooling: Pooling, curves: Mapping[int, GrowthRow]
) -> Iterator[tuple[int, Flag]]:
    """Yield counted pools that are empty for a species, as no sourced parameter is known."""
    species = SCHEME.decode(histogram.cohort % np.int32(SCHEME.size))[0]
    for code in sorted(curves):
        for pool in absent(code, pooling, curves):
            flag = {"code": "POOL_ABSENT", "pool": str(pool), "species": curves[code].key}
            yield from ((int(i), flag) for i in np.unique(histogram.parcel[species == code]))
