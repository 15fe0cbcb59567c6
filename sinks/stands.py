"""Stands year by year: growth, turnover, decay and events between pools, nothing lost on the way.

Every stand is a row: pools in t C/ha, an age, a stocking and its mixture of curves. A year is a
list of processes, taken in the order it is given; each moves carbon between pools, the air being
one of them, so the total of a stand never changes. Each year's balance is checked.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from sinks import flows, growth
from sinks.arrays import FloatArray, as_float, first_true, require_not_negative
from sinks.errors import DomainError, SinksError
from sinks.flows import Flow
from sinks.pools import ALL_POOLS, STAND_ORDER, Pool
from sinks.tables.rows import GrowthRow

BALANCE_TOLERANCE: Final = 1e-9
"""Largest loss of a year as a share of what there is."""

SHARE_TOLERANCE: Final = 1e-9
INDEX: Final = MappingProxyType({name: i for i, name in enumerate(ALL_POOLS)})
AGB, BGB, ATM = (INDEX[one] for one in (Pool.ABOVEGROUND, Pool.BELOWGROUND, Pool.ATMOSPHERE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A curve as stands use it: carbon of the trees at each age, and how much of it is roots.

    Attributes
    ----------
    row : carbon curve, or biomass with its carbon fraction.
    root_ratio : belowground to aboveground; a curve of AGB + BGB is split by it, one of AGB
        gets it on top.
    """

    row: GrowthRow
    root_ratio: float

    def __post_init__(self) -> None:
        if not self.root_ratio >= 0:
            raise DomainError("VALUE_NEGATIVE", name="root_ratio", index=0, value=self.root_ratio)

    def above_t_ha(self, age_yr: FloatArray) -> FloatArray:
        """Aboveground t C/ha at each age."""
        carbon, _ = growth.carbon_t_ha(self.row, age_yr)
        return carbon / (1 + self.root_ratio) if self.row.scope == "AGB+BGB" else carbon


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happens to stands in a year.

    Attributes
    ----------
    flow : key of an event in ``tables/flows.csv``, or a `Flow`; ``replanting`` moves nothing.
    intensity : share of the stand it touches; or one for each of ``stands``.
    stands : indices; None is all of them.
    replant : the touched share starts again at age 0. Full intensity needs it to grow again.
    """

    year: int
    flow: str | Flow
    intensity: float | tuple[float, ...] = 1.0
    stands: tuple[int, ...] | None = None
    replant: bool = False

    def __post_init__(self) -> None:
        each = self.intensity if isinstance(self.intensity, tuple) else (self.intensity,)
        for share in each:
            if not 0 <= share <= 1:
                raise DomainError("SHARE_RANGE", share=share)
            if self.replant and 0 < share < 1 and self.flow != REPLANTING:
                # A stand has one age: what is felled in part is another stand from then on.
                raise DomainError("REPLANT_PART", intensity=share, year=self.year)
        if isinstance(self.intensity, tuple) and len(each) != len(self.stands or ()):
            raise DomainError("EVENT_SHARES", year=self.year, stands=len(self.stands or ()))


REPLANTING: Final = "replanting"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stands:
    """What stands are at a 31 December.

    Attributes
    ----------
    stock : (n, n_pools) t C/ha, in the order of `sinks.pools.ALL_POOLS`.
    age_yr : (n,) years.
    stocking : (n,) share of the curve's growth that the stand has; 0 is bare ground.
    mixture : (n, n_curves) share of each curve in the stand; rows add up to one.
    """

    stock: FloatArray
    age_yr: FloatArray
    stocking: FloatArray
    mixture: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """Years of stands.

    Attributes
    ----------
    years : the year before the first, then every year of the run.
    stock : (n_years + 1, n, n_pools) t C/ha at 31 December.
    moved : by process, (n_years, n_pools) sum over the stands of what each pool gained, t C/ha.
    balance_error : (n_years,) largest relative loss of a stand in the year.
    end : the stands as they stand at the end.
    """

    years: tuple[int, ...]
    stock: FloatArray
    moved: Mapping[str, FloatArray]
    balance_error: FloatArray
    end: Stands

    def pool(self, *names: str) -> FloatArray:
        """Sum of pools by year and stand, (n_years + 1, n)."""
        return np.asarray(self.stock[:, :, [INDEX[name] for name in names]].sum(axis=2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Curves, yearly flows and the order of a year.

    Attributes
    ----------
    turnover, decay : flows of a year; None leaves the dead pools alone.
    order : names of `PROCESSES`, ending with the stock at 31 December.
    """

    curves: tuple[Curve, ...]
    turnover: Flow | None = None
    decay: Flow | None = None
    order: tuple[str, ...] = STAND_ORDER

    def __post_init__(self) -> None:
        unknown = [name for name in self.order if name not in PROCESSES]
        halves = self.order.count("half_growth") + 2 * self.order.count("growth")
        whole = halves == _HALVES and self.order[-1:] == ("stock_at_31_december",)
        if unknown or not whole or not self.curves:
            raise DomainError("PROCESS_ORDER", order=list(self.order))


_HALVES: Final = 2


def planted(
    curves: int, *, age_yr: ArrayLike, mixture: ArrayLike | None = None, stocking: ArrayLike = 1.0
) -> Stands:
    """Stands with empty pools; `settled` fills the live ones from the curves.

    Raises
    ------
    DomainError : VALUE_*; MIXTURE_NOT_ONE when a stand's shares do not add up to one.
    """
    ages = as_float(age_yr)
    require_not_negative("age_yr", ages)
    shares = np.eye(1, curves) if mixture is None else np.atleast_2d(as_float(mixture))
    shares = np.broadcast_to(shares, (ages.size, curves)).copy()
    bad = (np.abs(shares.sum(axis=1) - 1) > SHARE_TOLERANCE) | (shares < 0).any(axis=1)
    if bad.any():
        index = first_true(bad)
        raise DomainError("MIXTURE_NOT_ONE", index=index, total=float(shares[index].sum()))
    full = np.broadcast_to(as_float(stocking), ages.shape).copy()
    require_not_negative("stocking", full)
    stock = np.zeros((ages.size, len(ALL_POOLS)))
    return Stands(stock=stock, age_yr=ages.copy(), stocking=full, mixture=shares)


def settled(model: Model, stands: Stands) -> Stands:
    """The same stands with the trees the curves give at their age; the air paid for them."""
    stock = stands.stock.copy()
    for i, curve in enumerate(model.curves):
        share = stands.mixture[:, i] * stands.stocking
        above = share * curve.above_t_ha(stands.age_yr)
        _grow(stock, above, curve.root_ratio)
    return Stands(
        stock=stock, age_yr=stands.age_yr, stocking=stands.stocking, mixture=stands.mixture
    )


@dataclass(slots=True, kw_only=True)
class _Year:
    """A year under way; the arrays are the run's own."""

    model: Model
    year: int
    stock: FloatArray
    age_yr: FloatArray
    stocking: FloatArray
    mixture: FloatArray
    events: Sequence[Event]


def _grow(stock: FloatArray, above: FloatArray, root_ratio: float) -> None:
    stock[:, AGB] += above
    stock[:, BGB] += above * root_ratio
    stock[:, ATM] -= above + above * root_ratio


def _growth(now: _Year, part: float) -> None:
    """Growth of a part of the year along each curve; a fall of a curve is no loss here."""
    for i, curve in enumerate(now.model.curves):
        share = now.mixture[:, i] * now.stocking
        step = curve.above_t_ha(now.age_yr + part) - curve.above_t_ha(now.age_yr)
        _grow(now.stock, share * np.maximum(step, 0.0), curve.root_ratio)
    now.age_yr += np.where(now.stocking > 0, part, 0.0)


def _turnover(now: _Year) -> None:
    """What dies of the living, and grew again in the year: the curves are net of it."""
    if now.model.turnover is None:
        return
    moved = now.model.turnover.moved(now.stock)
    lost = -np.minimum(moved[:, [AGB, BGB]], 0.0)
    now.stock += moved
    now.stock[:, [AGB, BGB]] += lost
    now.stock[:, ATM] -= lost.sum(axis=1)


def _decay(now: _Year) -> None:
    if now.model.decay is not None:
        now.stock += now.model.decay.moved(now.stock)


def _disturbance(now: _Year) -> None:
    for one in now.events:
        if one.year != now.year:
            continue
        where = list(one.stands) if one.stands is not None else slice(None)
        share = np.zeros(now.age_yr.size)
        share[where] = one.intensity
        if one.flow != REPLANTING:
            flow = flows.event(one.flow) if isinstance(one.flow, str) else one.flow
            now.stock += flow.moved(now.stock, share)
            now.stocking *= 1 - share
        if one.replant or one.flow == REPLANTING:
            now.age_yr[where] = 0.0
            now.stocking[where] = share[where]


PROCESSES: Final[Mapping[str, Callable[[_Year], None]]] = MappingProxyType(
    {
        "disturbance": _disturbance,
        "growth": lambda now: _growth(now, 1.0),
        "half_growth": lambda now: _growth(now, 0.5),
        "turnover": _turnover,
        "decay": _decay,
        "stock_at_31_december": lambda _now: None,
    }
)


def run(
    model: Model, stands: Stands, *, first_year: int, last_year: int, events: Sequence[Event] = ()
) -> Run:
    """Stands from the 31 December before ``first_year`` to that of ``last_year``.

    Raises
    ------
    DomainError : YEARS_NOT_CONSECUTIVE; EVENT_STAND for a stand that is not there.
    SinksError : MASS_BALANCE when a year loses or makes carbon; never a matter of the input.
    """
    years = range(first_year, last_year + 1)
    if not years:
        raise DomainError("YEARS_NOT_CONSECUTIVE", years=[first_year, last_year])
    _check_events(events, stands.age_yr.size)
    stock = np.zeros((len(years) + 1, *stands.stock.shape))
    stock[0] = stands.stock
    moved = {name: np.zeros((len(years), len(ALL_POOLS))) for name in dict.fromkeys(model.order)}
    errors = np.zeros(len(years))
    now = _Year(
        model=model,
        year=first_year,
        stock=stands.stock.copy(),
        age_yr=stands.age_yr.copy(),
        stocking=stands.stocking.copy(),
        mixture=stands.mixture,
        events=events,
    )
    for i, year in enumerate(years):
        now.year = year
        for name in model.order:
            before = now.stock.copy()
            PROCESSES[name](now)
            moved[name][i] += (now.stock - before).sum(axis=0)
        stock[i + 1] = now.stock
        errors[i] = _balance(stock[i], stock[i + 1], year)
    end = Stands(stock=now.stock, age_yr=now.age_yr, stocking=now.stocking, mixture=stands.mixture)
    return Run(
        years=(first_year - 1, *years),
        stock=stock,
        moved=MappingProxyType(moved),
        balance_error=errors,
        end=end,
    )


def _check_events(events: Sequence[Event], n: int) -> None:
    for one in events:
        for stand in one.stands or ():
            if not 0 <= stand < n:
                raise DomainError("EVENT_STAND", year=one.year, stand=stand, stands=n)


def _balance(before: FloatArray, after: FloatArray, year: int) -> float:
    """Largest relative loss of a stand in a year."""
    scale = np.abs(after).sum(axis=1)
    lost = np.abs(after.sum(axis=1) - before.sum(axis=1))
    error = np.divide(lost, scale, out=np.zeros_like(lost), where=scale > 0)
    worst = float(error.max(initial=0.0))
    if not worst <= BALANCE_TOLERANCE:
        raise SinksError("MASS_BALANCE", year=year, index=first_true(error == worst), error=worst)
    return worst
