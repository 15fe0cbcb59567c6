"""Yearly pools of strata, rounded once to whole mg C/m2.

A calm stratum's live pools are the cohort table's own bits, split by the root ratio; its dead pools
began empty when it was planted. From its first event on a stratum is run as a stand
(`sinks.stands.run`), which balances every year. A row depends on its own stratum only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from sinks import bamboo, flows, growth, stands, tables, units
from sinks.arrays import FloatArray, Int32Array, IntArray
from sinks.errors import DomainError, SinksError
from sinks.pools import Pool
from sinks.stands import Curve, Event, Model, Stands
from sinks.strata import PPM, Culms, Stratum, name_of
from sinks.tables.rows import GrowthRow

if TYPE_CHECKING:  # compiled code comes with it, and most who ask for pools grow nothing
    from sinks.cohorts import CohortTable

TURNS_OVER: Final = frozenset({"chinese_fir", "masson_pine"})
"""Species whose yearly litter and mortality the table knows: conifers (CBM softwood)."""

POOLS: Final = (
    Pool.ABOVEGROUND,
    Pool.BELOWGROUND,
    Pool.DEAD_WOOD,
    Pool.LITTER,
    Pool.SOIL,
    Pool.HARVESTED_PRODUCTS,
)
"""Pools of a stratum's table, in its order; the air is no stock."""

LIVING: Final = (Pool.ABOVEGROUND, Pool.BELOWGROUND)
STANDS_AT_ONCE: Final = 20_000
"""Stands grown together, so that many events need no more memory than some."""


def root_ratio(species: int, row: GrowthRow) -> float | None:
    """Roots to shoots by which a curve of both is split; None where no row says."""
    if row.scope != "AGB+BGB":
        return None
    code = next((one for one in tables.species_codes().values() if one.code == species), None)
    if row.root_ratio is not None:
        return row.root_ratio
    return (
        tables.lookup(tables.species(), code.species).root_ratio if code and code.species else None
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Yearly:
    """What strata are grown with.

    Attributes
    ----------
    curves : by species code.
    table : the run's cohort table; its bits are the live carbon of calm strata.
    multiplier : by site class.
    temperature_c : mean annual temperature of decay; None where nobody gave it, and then nothing
        dies or decays: the dead pools hold only what events left.
    """

    curves: Mapping[int, GrowthRow]
    table: "CohortTable"
    multiplier: Mapping[int, float]
    temperature_c: float | None = None

    def model(self, species: int) -> Model:
        """The stand model of a species."""
        row = self.curves[species]
        ratio = root_ratio(species, row) or 0.0
        warm = self.temperature_c
        turns = warm is not None and name_of(species) in TURNS_OVER
        return Model(
            curves=(Curve(row=row, root_ratio=ratio),),
            turnover=flows.yearly("turnover") if turns else None,
            decay=None if warm is None else flows.yearly("decay", temperature_c=warm),
        )


def strata_table(strata: Sequence[Stratum], yearly: Yearly) -> Int32Array:
    """Stock of every stratum, pool and year of the cohort table, mg C/m2.

    Returns
    -------
    (n_strata, n_pools, n_years) int32, pools in the order of `POOLS`; rows do not depend on what
    other strata there are.

    Raises
    ------
    SinksError : MASS_BALANCE, STOCK_TOO_LARGE; DomainError of the events and curves.
    """
    years = yearly.table.years
    out = np.zeros((len(strata), len(POOLS), len(years)), np.int32)
    by_species: dict[int, list[int]] = {}
    for i, stratum in enumerate(strata):
        if stratum.culms is not None:
            out[i] = _culm_rows(stratum, years)
        elif stratum.species in yearly.curves:
            by_species.setdefault(stratum.species, []).append(i)
    for species, places in sorted(by_species.items()):
        _grow([strata[i] for i in places], yearly, species, out, places)
    return out


def _grow(
    mine: Sequence[Stratum],
    yearly: Yearly,
    species: int,
    out: Int32Array,
    places: Sequence[int],
) -> None:
    """Write the rows of one species' strata."""
    model = yearly.model(species)
    oldest = max(yearly.table.years[-1] - min(one.born for one in mine), 1)
    begun = stands.settled(model, stands.planted(1, age_yr=[0.0]))
    calm = stands.run(model, begun, first_year=1, last_year=oldest).stock[:, 0]
    stirred: dict[int, list[int]] = {}
    for k, (stratum, place) in enumerate(zip(mine, places, strict=True)):
        out[place] = _calm_rows(stratum, yearly, calm)
        if stratum.happened:
            stirred.setdefault(stratum.happened[0][0], []).append(k)
    for first, found in sorted(stirred.items()):
        for begin in range(0, len(found), STANDS_AT_ONCE):
            part = found[begin : begin + STANDS_AT_ONCE]
            after = _stir([mine[k] for k in part], yearly, model, calm)
            shown = [i for i, year in enumerate(yearly.table.years) if year >= first]
            for k, rows in zip(part, after, strict=True):
                out[places[k]][:, shown] = rows


def _calm_rows(stratum: Stratum, yearly: Yearly, calm: FloatArray) -> Int32Array:
    """A stratum to which nothing happened; live carbon from the table, the rest from its age."""
    years = np.array(yearly.table.years)
    age = years - stratum.born
    scale = yearly.multiplier[stratum.site]
    at = calm[np.maximum(age, 0)] * scale
    made = _rounded(at)
    row = yearly.curves[stratum.species]
    made[0], made[1] = _split(_live(stratum, yearly, age), root_ratio(stratum.species, row))
    made[:, age < 0] = 0
    return made


def _live(stratum: Stratum, yearly: Yearly, age: IntArray) -> Int32Array:
    table = yearly.table
    layer_age = table.layer_year - stratum.born
    if 0 <= layer_age < table.scheme.n_age:
        code = table.scheme.encode(stratum.species, stratum.site, layer_age)[0]
        return np.asarray(table.mg_c_m2[code])
    carbon, _ = growth.carbon_t_ha(yearly.curves[stratum.species], np.maximum(age, 0))
    mg = np.rint(carbon * yearly.multiplier[stratum.site] * units.MG_M2_PER_T_HA)
    return np.where(age < 0, 0, mg).astype(np.int32)


def _split(live: Int32Array, ratio: float | None) -> tuple[Int32Array, Int32Array]:
    if ratio is None:
        return live, np.zeros_like(live)
    above = np.rint(live / (1 + ratio)).astype(np.int32)
    return above, live - above


def _rounded(stock: FloatArray) -> Int32Array:
    """Whole mg C/m2 of (n_years, all pools) t C/ha, (n_pools, n_years)."""
    places = [stands.INDEX[pool] for pool in POOLS]
    mg = np.rint(stock[:, places].T * units.MG_M2_PER_T_HA)
    if mg.max(initial=0.0) > np.iinfo(np.int32).max:
        raise SinksError("STOCK_TOO_LARGE", key="strata", value=float(mg.max()))
    # Live carbon is rounded as one figure, as in a cohort table; roots are what is left of it.
    live = np.rint(stock[:, [stands.AGB, stands.BGB]].sum(axis=1) * units.MG_M2_PER_T_HA)
    mg[1] = np.maximum(live - mg[0], 0)
    return np.maximum(mg, 0).astype(np.int32)


def _stir(
    mine: Sequence[Stratum], yearly: Yearly, model: Model, calm: FloatArray
) -> list[Int32Array]:
    """Rows of strata whose first event is in one year, from that year on."""
    years = yearly.table.years
    first = mine[0].happened[0][0]
    age = np.array([first - 1 - one.born for one in mine])
    begun = Stands(
        stock=calm[age].copy(),
        age_yr=age.astype(np.float64),
        stocking=np.ones(len(mine)),
        mixture=np.ones((len(mine), 1)),
    )
    ran = stands.run(model, begun, first_year=first, last_year=years[-1], events=_events(mine))
    at = [year - first + 1 for year in years if year >= first]
    return [_rounded(ran.stock[at, k] * yearly.multiplier[one.site]) for k, one in enumerate(mine)]


def _events(mine: Sequence[Stratum]) -> list[Event]:
    """The strata's moves by year, place in their order and flow."""
    groups: dict[tuple[int, int, str], list[tuple[int, float]]] = {}
    for k, stratum in enumerate(mine):
        for place, (year, flow, share) in enumerate(stratum.happened):
            groups.setdefault((year, place, flow), []).append((k, share / (PPM * PPM)))
    return [
        Event(
            year=year,
            flow=flow,
            stands=tuple(k for k, _ in found),
            intensity=tuple(share for _, share in found),
        )
        for (year, _, flow), found in sorted(groups.items())
    ]


def _culm_rows(stratum: Stratum, years: Sequence[int]) -> Int32Array:
    """Aboveground carbon of counted culms; before the count it is held, no root ratio is settled.

    An event takes its share of the culms and of the springs after it, so of the stock.
    """
    culms = stratum.culms
    assert culms is not None  # noqa: S101 -- the caller looked
    stock = culm_stock_t_ha(culms, max(years[-1] - culms.year, 1))
    at = np.clip(np.array(years) - culms.year, 0, stock.size - 1)
    standing = np.ones(len(years))
    for year, _, share in stratum.happened:
        standing *= np.where(np.array(years) >= year, 1 - share / (PPM * PPM), 1.0)
    made = np.zeros((len(POOLS), len(years)), np.int32)
    made[0] = np.rint(stock[at] * standing * units.MG_M2_PER_T_HA).astype(np.int32)
    return made


def culm_stock_t_ha(culms: Culms, years: int) -> FloatArray:
    """Aboveground t C/ha of counted culms at the count's 31 December and each of the years after.

    A class's culms are taken evenly over its ages.

    Raises
    ------
    DomainError : BAMBOO_CLASSES, VALUE_*, SHARE_RANGE.
    """
    if not culms.recruits:
        raise DomainError("BAMBOO_CLASSES", age_max_yr=culms.age_max_yr, classes=0)
    management = bamboo.Management(
        d_cm=culms.d_mm / 10,
        cut_share_by_du=tuple(one / PPM for one in culms.cut_ppm),
        age_max_yr=culms.age_max_yr,
    )
    du = bamboo.du_of_age(management.ages_yr).astype(np.int64)
    if len(culms.by_du) != int(du[-1]):
        raise DomainError("BAMBOO_CLASSES", age_max_yr=culms.age_max_yr, classes=len(culms.by_du))
    ages_of = np.bincount(du)
    counts = np.array([culms.by_du[one - 1] / ages_of[one] for one in du])
    recruits = [culms.recruits[i % len(culms.recruits)] for i in range(years)]
    made = bamboo.run(management, culms_per_ha=counts, recruits_per_ha=recruits)
    return np.asarray(made.stock_t_c)
