"""The second trip of a run, with no connection held: areas by cohort -> kg by year, and flags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from geo.zonal import Histogram
from registry import cohort_tables, covering, pool_flags, stocks, strata
from registry.cohort_tables import UsedTable
from registry.db import transaction
from registry.estimation_inputs import Inputs
from registry.pool_inputs import Pooling
from registry.strata import StrataTable
from sinks.cohorts import stock_kg_co2, yearly_flux_kg


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """All that the last trip writes.

    Attributes
    ----------
    stock_kg, net_kg : (n, years of the run).
    pool_kg : (n, pools, years and the one before), of a run that keeps pools apart.
    """

    made: dict[covering.Key, Histogram]
    regrowth: list[UsedTable]
    strata: StrataTable | None
    stock_kg: NDArray[np.int64]
    net_kg: NDArray[np.int64]
    pool_kg: NDArray[np.int64] | None
    flags: list[list[stocks.Flag]]


def grow(
    engine: Engine, inputs: Inputs, made: dict[covering.Key, Histogram], say: covering.Say
) -> Answers:
    """Compute a run's figures from what its parcels hold."""
    parcels = inputs.parcels
    say("growing", 0, len(parcels.ids))
    both = inputs.known | made
    keys = zip(parcels.ids, parcels.versions, strict=True)
    histogram = stocks.joined([both[key] for key in keys])
    if inputs.pooling is None:
        return _plain(engine, inputs, made, histogram)
    return _apart(engine, inputs, inputs.pooling, made, histogram)


def _plain(
    engine: Engine, inputs: Inputs, made: dict[covering.Key, Histogram], histogram: Histogram
) -> Answers:
    """Live carbon by the cohort table alone."""
    table = inputs.used.table
    regrowth = _regrowth(engine, inputs, stocks.loss_years(histogram, table))
    grown = stocks.grow(histogram, table, {year: one.table for year, one in regrowth.items()})
    stock_kg = stock_kg_co2(grown.stock_sum)
    net_kg = yearly_flux_kg(stock_kg)
    return Answers(
        made=made,
        regrowth=list(regrowth.values()),
        strata=None,
        stock_kg=stock_kg[:, 1:],
        net_kg=net_kg,
        pool_kg=None,
        flags=stocks.flags(histogram, table, _judged(inputs, net_kg, grown.lost_dm2)),
    )


def _apart(
    engine: Engine,
    inputs: Inputs,
    pooling: Pooling,
    made: dict[covering.Key, Histogram],
    histogram: Histogram,
) -> Answers:
    """Every pool by itself, events counted."""
    table = inputs.used.table
    spread = strata.spread_parcels(
        histogram,
        strata.places(inputs.parcels.ids, pooling.given),
        layer_year=table.layer_year,
        last_year=table.years[-1],
    )
    with transaction(engine) as session:
        found = strata.load(
            session, spread.strata, cohort=table, curves=inputs.curves, pooling=pooling
        )
    total, pools = strata.pool_kg(strata.pool_sums(spread, found), pooling.pools)
    net_kg = yearly_flux_kg(total)
    judged = _judged(inputs, net_kg, stocks.lost_areas(histogram, table))
    flags = stocks.flags(histogram, table, judged)
    known = pool_flags.found(
        inputs.parcels.ids, histogram, spread, pooling=pooling, curves=inputs.curves
    )
    for index, flag in known:
        flags[index].append(flag)
    return Answers(
        made=made,
        regrowth=[],
        strata=found,
        stock_kg=total[:, 1:],
        net_kg=net_kg,
        pool_kg=pools,
        flags=flags,
    )


def _judged(
    inputs: Inputs, net_kg: NDArray[np.int64], lost_dm2: Mapping[int, NDArray[np.int64]]
) -> stocks.Judged:
    return stocks.Judged(
        area_m2=inputs.parcels.area_m2,
        recorded_age_yr=inputs.parcels.recorded_age_yr,
        net_kg=net_kg,
        lost_dm2=lost_dm2,
        curves=inputs.curves,
    )


def _regrowth(engine: Engine, inputs: Inputs, years: Sequence[int]) -> dict[int, UsedTable]:
    """Return tables of stands planted in years of loss; a short read only where there are such."""
    if not years:
        return {}
    span = inputs.used.table.years
    with transaction(engine) as session:
        return {
            year: cohort_tables.load(session, curves=inputs.curves, layer_year=year, years=span)
            for year in years
        }
