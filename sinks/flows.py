"""What moves carbon between pools: a matrix of shares from each pool to each, rows adding to one.

An event (harvest, fire, snow ...) moves its share at once, scaled by its intensity; a yearly flow
(turnover, decay) moves rate x share every year. A matrix whose rows do not add up can't be made.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from sinks import tables
from sinks.arrays import FloatArray, as_float
from sinks.errors import DomainError, TableError
from sinks.pools import ALL_POOLS, SINKS_ONLY
from sinks.tables.rows import FlowRow

ROW_TOLERANCE: Final = 1e-12
BASE_TEMPERATURE_C: Final = 10.0
"""Mean annual temperature at which the decay rates of the table hold (CBM)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Flow:
    """Shares from pool to pool.

    Attributes
    ----------
    pools : names of the rows and columns, in order.
    shares : (n_pools, n_pools), from the row's pool to the column's; read-only.

    Raises
    ------
    DomainError : FLOW_SHARES when a share is not within 0 and 1 or a row does not add up to one.
    """

    key: str
    pools: tuple[str, ...]
    shares: FloatArray

    def __post_init__(self) -> None:
        shares = np.array(self.shares, np.float64)
        n = len(self.pools)
        if shares.shape != (n, n) or len(set(self.pools)) != n:
            raise DomainError("FLOW_SHARES", key=self.key, pool="*", total=float(shares.size))
        totals = shares.sum(axis=1)
        for pool, row, total in zip(self.pools, shares, totals, strict=True):
            inside = bool(np.all((row >= 0) & (row <= 1)))  # NaN fails both
            if not inside or abs(total - 1) > ROW_TOLERANCE:
                raise DomainError("FLOW_SHARES", key=self.key, pool=pool, total=float(total))
        shares.setflags(write=False)
        object.__setattr__(self, "shares", shares)

    def scaled(self, intensity: float) -> "Flow":
        """The same flow where only a share of the stand is touched.

        Raises
        ------
        DomainError : SHARE_RANGE.
        """
        if not 0 <= intensity <= 1:
            raise DomainError("SHARE_RANGE", share=intensity)
        stay = np.eye(len(self.pools))
        return Flow(key=self.key, pools=self.pools, shares=stay + intensity * (self.shares - stay))

    def moved(self, stock: FloatArray, intensity: ArrayLike = 1.0) -> FloatArray:
        """What each pool of each stand gains and loses; adds up to zero over the pools.

        Parameters
        ----------
        stock : (n_stands, n_pools).
        intensity : share of each stand that is touched, one number or (n_stands,).
        """
        share = np.broadcast_to(as_float(intensity), stock.shape[:1])
        # Sums over the middle axis in a fixed order: a stand's bits do not depend on its company.
        after = (stock[:, :, None] * self.shares[None, :, :]).sum(axis=1)
        return np.asarray(share[:, None] * (after - stock))


def flow(
    key: str, parts: Mapping[tuple[str, str], float], *, pools: Sequence[str] = ALL_POOLS
) -> Flow:
    """Flow from the shares that leave; what is not named stays where it is.

    A pool that is named as a source must say where all of it goes.

    Raises
    ------
    DomainError : FLOW_SHARES; FLOW_POOL for an unknown pool, or one that gives nothing back.
    """
    index = {name: i for i, name in enumerate(pools)}
    shares = np.eye(len(index))
    for source in {one for one, _ in parts}:
        if source not in index or source in SINKS_ONLY:
            raise DomainError("FLOW_POOL", key=key, pool=source)
        shares[index[source]] = 0.0
    for (source, sink), share in parts.items():
        if sink not in index:
            raise DomainError("FLOW_POOL", key=key, pool=sink)
        shares[index[source], index[sink]] += share
    return Flow(key=key, pools=tuple(index), shares=shares)


def event(key: str) -> Flow:
    """Event of ``tables/flows.csv`` at full intensity.

    Raises
    ------
    TableError : TABLE_NO_ROW; DomainError as in `flow`.
    """
    rows = _rows(key, "event")
    return flow(key, {(row.source_pool, row.sink_pool): row.share for row in rows})


def yearly(key: str, *, temperature_c: float = BASE_TEMPERATURE_C, share: float = 1.0) -> Flow:
    """Flow of a year: of each source rate x Q10^((T - 10)/10) moves, never more than all of it.

    Parameters
    ----------
    key : flow of kind ``turnover`` or ``decay``.
    temperature_c : mean annual temperature of the place.
    share : part of a year.

    Raises
    ------
    TableError : TABLE_NO_ROW; DomainError : VALUE_NOT_FINITE.
    """
    if not math.isfinite(temperature_c):
        raise DomainError("VALUE_NOT_FINITE", name="temperature_c", index=0, value="NaN")
    parts: dict[tuple[str, str], float] = {}
    for row in _rows(key, "turnover", "decay"):
        warm = (row.q10 or 1.0) ** ((temperature_c - BASE_TEMPERATURE_C) / 10)
        rate = min((row.rate_per_yr or 0.0) * warm * share, 1.0)
        parts[row.source_pool, row.sink_pool] = (
            parts.get((row.source_pool, row.sink_pool), 0.0) + rate * row.share
        )
        own = (row.source_pool, row.source_pool)
        parts[own] = parts.get(own, 0.0) + (1 - rate) * row.share
    return flow(key, parts)


def _rows(key: str, *kinds: str) -> list[FlowRow]:
    rows = [row for row in tables.flows().values() if row.flow == key and row.kind in kinds]
    if not rows:
        raise TableError("TABLE_NO_ROW", key=key)
    return rows


def keys(kind: str) -> tuple[str, ...]:
    """Flows of a kind: ``event``, ``turnover`` or ``decay``."""
    return tuple(dict.fromkeys(row.flow for row in tables.flows().values() if row.kind == kind))


def marks(flows: Iterable[str]) -> Mapping[str, str]:
    """Worst mark of each flow, for whoever must say what is to be checked."""
    order = ("read", "secondary", "computed", "recalled", "proposed")
    found = {}
    for key in flows:
        rows = _rows(key, "event", "turnover", "decay")
        found[key] = max((row.mark for row in rows), key=order.index)
    return MappingProxyType(found)
