"""Soil carbon by IPCC stock-change factors; off by default, as it would dominate every label."""

from dataclasses import dataclass

from sinks import tables
from sinks.errors import DomainError


@dataclass(frozen=True, slots=True, kw_only=True)
class SoilPractice:
    """Rows of ``tables/soil_factors.csv``: reference stock, land use, tillage, input."""

    reference: str
    land_use: str
    management: str
    input: str


def stock_t_c_ha(practice: SoilPractice) -> float:
    """SOC = SOCref FLU FMG FI, t C/ha in 0-30 cm (IPCC 2006, volume 4, equation 2.25).

    Raises
    ------
    TableError : TABLE_NO_ROW.
    DomainError : SOIL_FACTOR when a row is of another factor than its place.
    """
    stock = 1.0
    wanted = ("SOCref", "FLU", "FMG", "FI")
    keys = (practice.reference, practice.land_use, practice.management, practice.input)
    for factor, key in zip(wanted, keys, strict=True):
        row = tables.lookup(tables.soil_factors(), key)
        if row.factor != factor:
            raise DomainError("SOIL_FACTOR", key=key, factor=factor)
        stock *= row.value
    return stock


def yearly_change_t_c_ha(
    base: SoilPractice | None, now: SoilPractice, *, years_since_change: int
) -> float:
    """Change of a year: the difference of both stocks over 20 years, then nothing.

    Raises
    ------
    DomainError : SOIL_BASE_MISSING without a stated base practice; VALUE_NEGATIVE.
    """
    if base is None:
        raise DomainError("SOIL_BASE_MISSING")
    if years_since_change < 0:
        raise DomainError("VALUE_NEGATIVE", name="years", index=0, value=years_since_change)
    span = tables.lookup(tables.soil_factors(), "soil_transition_years").value
    if years_since_change >= span:
        return 0.0
    return (stock_t_c_ha(now) - stock_t_c_ha(base)) / span
