"""Sums by class of pieces of parcels, put together by parcel.

Strips of rows cut some parcels; the classes of each piece ascend, and so do those of the whole.
Sums are integers, so neither the order of strips nor the number of threads changes a bit.
"""
# ruff: noqa: PLR0917 -- numba kernels take their arrays by position

from dataclasses import dataclass
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Classes = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counted:
    """Classes of a batch of items, item by item."""

    count: Ints
    cohort: Classes
    mm2: Ints
    nodata: Ints


class Pieces:
    """Counted items of all strips, to be put together by parcel."""

    def __init__(self, parcels: int) -> None:
        self.parcels = parcels
        self.nodata = np.zeros(parcels, np.int64)
        self._owner: list[Ints] = []
        self._parts: list[Counted] = []

    def add(self, items: Ints, part: Counted) -> None:
        """Keep what one batch counted."""
        self._owner.append(items[:, 0])
        self._parts.append(part)
        np.add.at(self.nodata, items[:, 0], part.nodata)

    def merged(self) -> tuple[Ints, Classes, Ints]:
        """Offsets, classes and mm2 by parcel."""
        owner = _joined(self._owner, np.int64)
        count = _joined([part.count for part in self._parts], np.int64)
        order = np.argsort(owner, kind="stable")
        first = (np.cumsum(count) - count)[order]
        count = count[order]
        pieces = np.concatenate(
            ([0], np.cumsum(np.bincount(owner, minlength=self.parcels), dtype=np.int64))
        )
        room = np.concatenate(([0], np.cumsum(count, dtype=np.int64)))
        slot = room[pieces]
        cohort, mm2 = np.empty(int(room[-1]), np.int32), np.empty(int(room[-1]), np.int64)
        used = np.zeros(self.parcels, np.int64)
        _merge(
            _joined([part.cohort for part in self._parts], np.int32),
            _joined([part.mm2 for part in self._parts], np.int64),
            first,
            count,
            pieces,
            slot,
            cohort,
            mm2,
            used,
        )
        start = np.concatenate(([0], np.cumsum(used, dtype=np.int64)))
        if start[-1] == room[-1]:
            return start, cohort, mm2
        at = segments(slot[:-1], used)
        return start, cohort[at], mm2[at]


def segments(first: Ints, count: Ints) -> Ints:
    """Indices of segments laid end to end: first[i], first[i] + 1, ... count[i] of them."""
    ends = np.cumsum(count)
    return np.repeat(first - (ends - count), count) + np.arange(int(ends[-1]) if len(ends) else 0)


def _joined(parts: list[NDArray[Any]], dtype: Any) -> NDArray[Any]:  # noqa: ANN401 -- a numpy type
    return np.concatenate(parts) if parts else np.empty(0, dtype)


@nb.njit(cache=True)
def _take_least(
    cohort: Classes, mm2: Ints, first: Ints, count: Ints, piece: int, place: Ints
) -> tuple[int, int]:
    """Take the least class that some pieces still hold, and its sum; -1 when none is left."""
    least = -1
    for j in range(place.size):
        k = piece + j
        if place[j] < count[k] and (least < 0 or cohort[first[k] + place[j]] < least):
            least = cohort[first[k] + place[j]]
    total = 0
    for j in range(place.size):
        k = piece + j
        if place[j] < count[k] and cohort[first[k] + place[j]] == least:
            total += mm2[first[k] + place[j]]
            place[j] += 1
    return least, total


@nb.njit(parallel=True, cache=True)
def _merge(
    cohort: Classes,
    mm2: Ints,
    first: Ints,
    count: Ints,
    pieces: Ints,
    slot: Ints,
    out_cohort: Classes,
    out_mm2: Ints,
    used: Ints,
) -> None:
    """Put each parcel's pieces together; equal classes are added.

    Parameters
    ----------
    cohort, mm2 : of all pieces; piece k has ``count[k]`` from ``first[k]``, classes ascending.
    pieces : (n + 1,) which pieces are a parcel's.
    slot : (n + 1,) where a parcel's room begins in ``out_cohort`` and ``out_mm2``.
    used : (n,) how many classes each parcel has.
    """
    for p in nb.prange(used.size):
        at = slot[p]
        if pieces[p + 1] - pieces[p] == 1:
            k = pieces[p]
            for j in range(count[k]):
                out_cohort[at + j], out_mm2[at + j] = cohort[first[k] + j], mm2[first[k] + j]
            used[p] = count[k]
            continue
        place = np.zeros(pieces[p + 1] - pieces[p], np.int64)
        while True:
            least, total = _take_least(cohort, mm2, first, count, pieces[p], place)
            if least < 0:
                break
            out_cohort[at], out_mm2[at] = least, total
            at += 1
        used[p] = at - slot[p]
