"""Stock before the project by crown cover (CDM AR-TOOL14 v04.2): trees, shrubs, yearly gain."""

import numpy as np

from sinks import tables, units
from sinks.arrays import as_float, require_not_negative
from sinks.errors import DomainError


def _cover(cover: float) -> float:
    if not 0 <= cover <= 1:
        raise DomainError("SHARE_RANGE", share=cover)
    return cover


def _not_negative(**values: float) -> None:
    for name, value in values.items():
        require_not_negative(name, as_float(value))


def tree_t_co2(*, area_ha: float, crown_cover: float, forest_agb_t_ha: float) -> float:
    """Trees: 44/12 CF b_FOREST (1 + R) cover A.

    Parameters
    ----------
    area_ha : area of the stratum.
    crown_cover : share of the area under crowns, 0 to 1.
    forest_agb_t_ha : aboveground t d.m./ha of a full forest of the region.

    Raises
    ------
    DomainError : SHARE_RANGE, VALUE_*.
    """
    _not_negative(area_ha=area_ha, forest_agb_t_ha=forest_agb_t_ha)
    roots = 1 + tables.default("artool14_root_ratio_tree_baseline")
    biomass = forest_agb_t_ha * roots * _cover(crown_cover) * area_ha
    return float(units.CO2_PER_C) * tables.default("artool14_CF") * biomass


def tree_gain_t_co2(
    *, area_ha: float, crown_cover: float, forest_gain_t_ha_yr: float, project_year: int
) -> float:
    """Yearly gain of the same trees, nothing after project year 20."""
    if project_year > tables.default("artool14_baseline_increment_years"):
        return 0.0
    return tree_t_co2(area_ha=area_ha, crown_cover=crown_cover, forest_agb_t_ha=forest_gain_t_ha_yr)


def shrub_t_co2(*, area_ha: float, crown_cover: float, forest_agb_t_ha: float) -> float:
    """Shrubs: 44/12 CF_S (1 + R_S) A BDR_SF b_FOREST cover (26, 27); none under 5 % cover.

    Raises
    ------
    DomainError : SHARE_RANGE, VALUE_*.
    """
    _not_negative(area_ha=area_ha, forest_agb_t_ha=forest_agb_t_ha)
    if _cover(crown_cover) < tables.default("artool14_shrub_cover_min"):
        return 0.0
    dry = tables.default("artool14_shrub_biomass_ratio") * forest_agb_t_ha * crown_cover * area_ha
    carbon = dry * tables.default("artool14_CF_shrub")
    return float(units.CO2_PER_C) * carbon * (1 + tables.default("artool14_root_ratio_shrub"))


def yearly_change(*, first: float, second: float, years: float) -> float:
    """Change a year between two measurements; the years may be fractional (equation 11).

    Raises
    ------
    DomainError : INTERVAL_NOT_POSITIVE.
    """
    if not (np.isfinite(years) and years > 0):
        raise DomainError("INTERVAL_NOT_POSITIVE", years=years)
    return (second - first) / years
