"""Moso bamboo as culms by age: recruitment in spring, ageing by du, selective cutting in winter.

A culm is nearly full grown in forty days and then gains little, so a bamboo stand is no growth
curve: its stock is the number of culms of each age class times what a culm of that class weighs.
A du (度) is an age class: the first is one year, each later one two years.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from sinks import biomass, tables, units
from sinks.arrays import FloatArray, as_float, require_not_negative, require_positive
from sinks.errors import DomainError, SinksError
from sinks.pools import BAMBOO_ORDER
from sinks.stands import BALANCE_TOLERANCE

YEARS_PER_DU: Final = 2
CARBON_BY_DU: Final = ("moso_cf_1yr", "moso_cf_3yr", "moso_cf_5yr")
"""Carbon fraction of culms of the first, second and later classes (Taojiang, read)."""


def du_of_age(age_yr: ArrayLike) -> FloatArray:
    """Age class of culms that have lived through so many springs: 1, 2-3, 4-5, 6-7 years ...

    Raises
    ------
    DomainError : VALUE_*.
    """
    ages = as_float(age_yr)
    require_positive("age_yr", ages)
    return np.asarray(1 + ages // YEARS_PER_DU)


def culm_carbon_kg(d_cm: ArrayLike, age_du: ArrayLike) -> FloatArray:
    """Aboveground kg C of a culm: the culm equation times the carbon fraction of its class."""
    du = as_float(age_du)
    keys = np.minimum(du.astype(np.int64), len(CARBON_BY_DU)) - 1
    fractions = np.array([tables.lookup(tables.bamboo(), key).value for key in CARBON_BY_DU])
    return np.asarray(biomass.moso_culm_kg(d_cm, du) * fractions[keys])


@dataclass(frozen=True, slots=True, kw_only=True)
class Management:
    """How a bamboo stand is managed, all of it measured or planned by who manages it.

    Attributes
    ----------
    d_cm : mean diameter of the culms at breast height.
    cut_share_by_du : share of each class, from the first, that is cut each winter; the last one
        holds for all older.
    age_max_yr : culms that would grow older die standing.
    """

    d_cm: float
    cut_share_by_du: tuple[float, ...]
    age_max_yr: int

    def __post_init__(self) -> None:
        require_positive("d_cm", as_float(self.d_cm))
        for share in self.cut_share_by_du:
            if not 0 <= share <= 1:
                raise DomainError("SHARE_RANGE", share=share)
        if self.age_max_yr < 1 or not self.cut_share_by_du:
            raise DomainError(
                "BAMBOO_CLASSES", age_max_yr=self.age_max_yr, classes=len(self.cut_share_by_du)
            )

    @property
    def ages_yr(self) -> FloatArray:
        """Ages of the culms that can stand: 1 to the last."""
        return np.arange(1, self.age_max_yr + 1, dtype=np.float64)

    @property
    def cut_share(self) -> FloatArray:
        """Share cut at each age."""
        du = du_of_age(self.ages_yr).astype(np.int64)
        shares = np.array(self.cut_share_by_du)
        return np.asarray(shares[np.minimum(du, len(shares)) - 1])

    @property
    def carbon_t(self) -> FloatArray:
        """T C of a culm at each age."""
        return culm_carbon_kg(self.d_cm, du_of_age(self.ages_yr)) / units.KG_PER_T


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BambooRun:
    """Years of a bamboo stand, a hectare.

    Attributes
    ----------
    culms : (n_years + 1, n_ages) a hectare at 31 December.
    stock_t_c : (n_years + 1,) aboveground t C/ha at 31 December.
    cut_t_c, died_t_c, recruited_t_c, grown_t_c : (n_years,) t C/ha of the year; ``cut`` leaves
        as product, ``died`` is dead wood, neither is counted as a sink here.
    order : the processes of a year, as they were taken.
    """

    culms: FloatArray
    stock_t_c: FloatArray
    cut_t_c: FloatArray
    died_t_c: FloatArray
    recruited_t_c: FloatArray
    grown_t_c: FloatArray
    order: tuple[str, ...]

    @property
    def balance_error(self) -> FloatArray:
        """Relative loss of each year: change of stock against what came and went."""
        change = np.diff(self.stock_t_c)
        flows = self.recruited_t_c + self.grown_t_c - self.cut_t_c - self.died_t_c
        scale = np.maximum(self.stock_t_c[1:] + self.cut_t_c + self.died_t_c, 1e-300)
        return np.asarray(np.abs(change - flows) / scale)


_SUMS: Final = ("cut", "died", "recruited", "grown")


@dataclass(slots=True, kw_only=True)
class _Stand:
    """A stand under way: its culms, and what the year came to."""

    management: Management
    culms: FloatArray
    sums: dict[str, float] = field(default_factory=dict)


def _cut(now: _Stand, _new: float) -> None:
    share = now.management.cut_share
    now.sums["cut"] = float((now.culms * share * now.management.carbon_t).sum())
    now.culms = now.culms * (1 - share)


def _age(now: _Stand, _new: float) -> None:
    weight = now.management.carbon_t
    now.sums["died"] = float(now.culms[-1] * weight[-1])
    now.sums["grown"] = float((now.culms[:-1] * np.diff(weight)).sum())
    now.culms = np.concatenate(([0.0], now.culms[:-1]))


def _recruit(now: _Stand, new: float) -> None:
    now.sums["recruited"] = new * float(now.management.carbon_t[0])
    now.culms = np.concatenate(([now.culms[0] + new], now.culms[1:]))


PROCESSES: Final[Mapping[str, Callable[[_Stand, float], None]]] = MappingProxyType(
    {
        "cutting": _cut,
        "ageing": _age,
        "recruitment": _recruit,
        "stock_at_31_december": lambda _now, _new: None,
    }
)


def run(
    management: Management,
    *,
    culms_per_ha: ArrayLike,
    recruits_per_ha: ArrayLike,
    order: tuple[str, ...] = BAMBOO_ORDER,
) -> BambooRun:
    """Years of a stand from the culms that stand and those that come each spring.

    Parameters
    ----------
    management : diameter, cutting, age of death.
    culms_per_ha : (n_ages,) counted culms by age, 1 to ``age_max_yr``.
    recruits_per_ha : (n_years,) new culms of each spring; an off year (小年) has few.
    order : the year's processes; `sinks.pools.BAMBOO_ORDER`.

    Raises
    ------
    DomainError : BAMBOO_CLASSES when the counts do not fit the ages, PROCESS_ORDER, VALUE_*.
    SinksError : MASS_BALANCE; never a matter of the input.
    """
    culms, recruits = as_float(culms_per_ha), as_float(recruits_per_ha)
    require_not_negative("culms_per_ha", culms)
    require_not_negative("recruits_per_ha", recruits)
    if culms.size != management.age_max_yr:
        raise DomainError(
            "BAMBOO_CLASSES", age_max_yr=management.age_max_yr, classes=int(culms.size)
        )
    if sorted(order) != sorted(BAMBOO_ORDER) or order[-1] != BAMBOO_ORDER[-1]:
        raise DomainError("PROCESS_ORDER", order=list(order))
    now = _Stand(management=management, culms=culms.copy())
    state, sums = [culms], []
    for new in recruits:
        now.sums = dict.fromkeys(_SUMS, 0.0)
        for process in order:
            PROCESSES[process](now, float(new))
        state.append(now.culms)
        sums.append(now.sums)
    made = BambooRun(
        culms=np.array(state),
        stock_t_c=(np.array(state) * management.carbon_t).sum(axis=1),
        **{f"{name}_t_c": np.array([year[name] for year in sums]) for name in _SUMS},
        order=order,
    )
    worst = float(made.balance_error.max(initial=0.0))
    if not worst <= BALANCE_TOLERANCE:
        raise SinksError("MASS_BALANCE", year=0, index=0, error=worst)
    return made


def stable_culms(management: Management, *, recruits_per_ha: float) -> FloatArray:
    """Culms by age of a stand that has the same recruits every year, (n_ages,) a hectare.

    Its stock is the most such management keeps: a forecast is never above it (AR-CM-002 caps the
    aboveground stock when the culm ages are stable).
    """
    require_not_negative("recruits_per_ha", as_float(recruits_per_ha))
    stay = np.concatenate(([1.0], 1 - management.cut_share[:-1]))
    return np.asarray(recruits_per_ha * np.cumprod(stay))


def stand_t_c_ha(management: Management, culms_per_ha: ArrayLike) -> float:
    """Aboveground t C/ha of counted culms by age."""
    return float((as_float(culms_per_ha) * management.carbon_t).sum())
