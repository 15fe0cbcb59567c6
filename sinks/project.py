"""A project's account: what it did to carbon less what would have happened, forecast or measured.

One function serves both: a forecast and a monitored result differ in where the yearly changes
come from, and in that a forecast is not discounted for uncertainty (AR-TOOL14 v04.2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from types import MappingProxyType
from typing import Final, Literal

from sinks import baseline, tables, units
from sinks.arrays import as_float, require_not_negative
from sinks.emissions import Fertiliser, Setting, inventory
from sinks.errors import DomainError
from sinks.issuance import BufferPool, CreditablePlan, Deduction, plan_creditable
from sinks.pools import Pool
from sinks.uncertainty import DiscountTable

Kind = Literal["forecast", "monitored"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What of a programme the account needs.

    Attributes
    ----------
    pools : that count; what a pool outside them gains or loses is nobody's credit.
    first_year, last_year : the crediting period, both in it.
    years_min, years_max : lengths the programme allows.
    discount : of the project's change, for sampling error.
    non_permanence : a share that never becomes a unit, or one that goes to the buffer.
    """

    pools: frozenset[Pool]
    first_year: int
    last_year: int
    years_min: int
    years_max: int
    discount: DiscountTable | None
    non_permanence: Deduction | BufferPool

    def __post_init__(self) -> None:
        years = self.last_year - self.first_year + 1
        if not self.years_min <= years <= self.years_max:
            raise DomainError(
                "CREDITING_PERIOD", years=years, low=self.years_min, high=self.years_max
            )
        if Pool.ATMOSPHERE in self.pools or not self.pools:
            raise DomainError("PROJECT_POOLS", pools=sorted(self.pools))


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorVegetation:
    """What grew on the ground before: scattered trees and shrubs, by crown cover (AR-TOOL14).

    Attributes
    ----------
    area_ha : of the stratum.
    tree_cover, shrub_cover : share of the ground under their crowns.
    trees_kept : not harvested, not killed by the project and not counted as its trees: their
        stock is then zero in the baseline, and stays out of the project's as well.
    shrubs_removed : share of the shrubs that site preparation takes away.
    forest_agb_t_ha, forest_gain_t_ha_yr : of a full forest of the region, with its source.
    """

    area_ha: float
    tree_cover: float
    shrub_cover: float
    trees_kept: bool
    shrubs_removed: float
    forest_agb_t_ha: float
    forest_gain_t_ha_yr: float

    def gain_kg(self, project_year: int) -> int:
        """Kg CO2 that the prior trees would have gained in a year of the project, from 1 on."""
        if self.trees_kept:
            return 0
        gain = baseline.tree_gain_t_co2(
            area_ha=self.area_ha,
            crown_cover=self.tree_cover,
            forest_gain_t_ha_yr=self.forest_gain_t_ha_yr,
            project_year=project_year,
        )
        return _up(gain)

    def cleared_kg(self) -> int:
        """Kg CO2 in what makes room: the shrubs removed, and trees that are not kept."""
        if not 0 <= self.shrubs_removed <= 1:
            raise DomainError("SHARE_RANGE", share=self.shrubs_removed)
        shrubs = baseline.shrub_t_co2(
            area_ha=self.area_ha,
            crown_cover=self.shrub_cover,
            forest_agb_t_ha=self.forest_agb_t_ha,
        )
        trees = 0.0
        if not self.trees_kept:
            trees = baseline.tree_t_co2(
                area_ha=self.area_ha,
                crown_cover=self.tree_cover,
                forest_agb_t_ha=self.forest_agb_t_ha,
            )
        return _up(shrubs * self.shrubs_removed + trees)


def _up(t_co2: float) -> int:
    """Whole kg, rounded against the holder; the last bit of a float is no kg."""
    return -int(-round(t_co2 * units.KG_PER_T, 6) // 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Burning:
    """Biomass burnt on the ground: methane and nitrous oxide, for the CO2 is in the pools.

    Attributes
    ----------
    fuel_t : t d.m. that was there to burn.
    combustion : share of it that burns; ``combustion_forest`` of the defaults unless measured.
    """

    year: int
    fuel_t: float
    combustion: float | None = None

    def kg_co2e(self, *, gwp: str) -> int:
        """Kg CO2e; ``gwp`` is AR5 or AR6.

        Raises
        ------
        DomainError : VALUE_*, SHARE_RANGE; TableError for an unknown assessment report.
        """
        require_not_negative("fuel_t", as_float(self.fuel_t))
        share = tables.default("combustion_forest") if self.combustion is None else self.combustion
        if not 0 <= share <= 1:
            raise DomainError("SHARE_RANGE", share=share)
        factors = tables.emission_factors()
        per_t = sum(
            (tables.lookup(factors, f"burning_{gas}").value or 0.0)
            * (tables.lookup(factors, f"GWP_{gas}_{gwp}").value or 0.0)
            for gas in ("CH4", "N2O")
        )
        # The factors are g a kg, which is kg a t.
        return _up(self.fuel_t * share * per_t / units.KG_PER_T)


def fertiliser_kg_co2e(items: Sequence[Fertiliser], setting: Setting) -> int:
    """Nitrous oxide of what was spread on the ground, whole kg CO2e rounded up.

    Only the field's emission: making the fertiliser is another account's.

    Raises
    ------
    DomainError : EMISSION_NOT_COUNTED when a line has no factor; nothing is silently zero.
    """
    made = inventory(items, setting)
    total = Fraction(0)
    for line in made.lines:
        if line.term not in FIELD_TERMS:
            continue
        if line.kg_co2e is None:
            raise DomainError("EMISSION_NOT_COUNTED", ref=line.ref, term=line.term)
        total += line.kg_co2e
    return -int(-total // 1)


FIELD_TERMS: Final = frozenset({"N2O_dir", "N2O_ind", "CO2_urea"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Yearly figures of a project, kg CO2e, by calendar year; a year that is not there is zero.

    Attributes
    ----------
    change_kg : of each pool, the project's stock change, any sign.
    baseline_kg : what would have happened anyway, any sign.
    emissions_kg, leakage_kg : not below zero.
    """

    change_kg: Mapping[Pool, Mapping[int, int]]
    baseline_kg: Mapping[int, int] = field(default_factory=dict)
    emissions_kg: Mapping[int, int] = field(default_factory=dict)
    leakage_kg: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A project's account of some years.

    Attributes
    ----------
    by_year : the counted pools' change, baseline, emissions, leakage and net of each year, kg;
        the net is before discount and deduction.
    outside : years of the series that lie outside the crediting period and were left out.
    not_counted : pools of the series that the programme does not count, with their change.
    plan : the period's arithmetic to the kg (decision 17).
    """

    kind: Kind
    by_year: Mapping[int, Mapping[str, int]]
    outside: tuple[int, ...]
    not_counted: Mapping[Pool, int]
    plan: CreditablePlan


def account(
    series: Series,
    rules: Rules,
    *,
    kind: Kind,
    years: Sequence[int],
    uncertainty: Fraction = Fraction(0),
    verified_kg: int | None = None,
    deficit_kg: int = 0,
) -> Account:
    """Account for the years of a period, forecast or monitored by the same steps.

    Parameters
    ----------
    years : calendar years, rising by one; those outside the crediting period are left out.
    uncertainty : relative half-width of the project's change; a forecast has none.

    Raises
    ------
    DomainError : YEARS_NOT_CONSECUTIVE; CREDITING_PERIOD when no year is credited; those of
        `sinks.issuance.plan_creditable`.
    """
    span = tuple(years)
    if not span or any(b - a != 1 for a, b in pairwise(span)):
        raise DomainError("YEARS_NOT_CONSECUTIVE", years=list(span))
    credited = [year for year in span if rules.first_year <= year <= rules.last_year]
    if not credited:
        raise DomainError("CREDITING_PERIOD", years=0, low=rules.first_year, high=rules.last_year)
    change = {
        year: sum(series.change_kg.get(pool, {}).get(year, 0) for pool in rules.pools)
        for year in credited
    }
    sums = {
        name: {year: getattr(series, name).get(year, 0) for year in credited}
        for name in ("baseline_kg", "emissions_kg", "leakage_kg")
    }
    plan = plan_creditable(
        credited,
        [change[year] for year in credited],
        baseline_kg=sum(sums["baseline_kg"].values()),
        emissions_kg=sum(sums["emissions_kg"].values()),
        leakage_kg=sum(sums["leakage_kg"].values()),
        uncertainty=uncertainty if kind == "monitored" else Fraction(0),
        discount=rules.discount if kind == "monitored" else None,
        non_permanence=rules.non_permanence,
        verified_kg=verified_kg,
        deficit_kg=deficit_kg,
    )
    by_year = {
        year: {"change_kg": change[year]}
        | {name: one[year] for name, one in sums.items()}
        | {"net_kg": change[year] - sum(one[year] for one in sums.values())}
        for year in credited
    }
    return Account(
        kind=kind,
        by_year=MappingProxyType(by_year),
        outside=tuple(year for year in span if year not in change),
        not_counted=MappingProxyType(
            {
                pool: sum(of_year.get(year, 0) for year in credited)
                for pool, of_year in series.change_kg.items()
                if pool not in rules.pools
            }
        ),
        plan=plan,
    )
