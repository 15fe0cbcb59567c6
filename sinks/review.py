"""Results that a person has to look at because they are above anything published."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from sinks import tables, units
from sinks.errors import DomainError

REVIEW_CODE: Final = "PLAUSIBILITY_ABOVE"
"""Code of the finding that a result above the limit becomes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plausibility:
    """A mean yearly sink against the highest published one; ``review`` None: too few years."""

    review: bool | None
    mean_t_mu_yr: float
    limit_t_mu_yr: float
    years: int
    source: str


def plausibility(flux_kg: Sequence[int], *, area_m2: float, kind: str) -> Plausibility:
    """Mean sink over the years given, flagged when above 1.33 (forest) or 0.4 (bamboo) t CO2/mu/yr.

    Parameters
    ----------
    flux_kg : kg CO2 of each year.
    area_m2 : area the flux belongs to, above zero.
    kind : ``forest`` or ``bamboo``.

    Raises
    ------
    DomainError : AREA_NOT_POSITIVE; TableError for an unknown kind.
    """
    if not area_m2 > 0:
        raise DomainError("AREA_NOT_POSITIVE", area_m2=area_m2)
    keys = {"forest": "review_planted_forest", "bamboo": "review_bamboo"}
    row = tables.lookup(tables.defaults(), keys.get(kind, kind))
    years_min = int(tables.default("review_years_min"))
    if not flux_kg:
        mean = Fraction(0)
    else:
        mean = Fraction(sum(flux_kg), len(flux_kg)) / units.KG_PER_T * units.M2_PER_MU
        mean /= Fraction(area_m2)
    above = mean > Fraction(repr(row.value))
    return Plausibility(
        review=above if len(flux_kg) >= years_min else None,
        mean_t_mu_yr=float(mean),
        limit_t_mu_yr=row.value,
        years=len(flux_kg),
        source=row.source,
    )
