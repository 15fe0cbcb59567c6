"""The only conversion factors of the project, as named functions and constants.

Everything else imports them from here; a system test looks for the bare numbers elsewhere.
"""

from fractions import Fraction
from typing import Final

CO2_PER_C: Final = Fraction(44, 12)
"""Mass of carbon dioxide per mass of carbon (molar masses 44 and 12, as IPCC uses them)."""

N2O_PER_N: Final = Fraction(44, 28)
"""Mass of nitrous oxide per mass of nitrogen in it."""

M2_PER_HA: Final = 10_000
MU_PER_HA: Final = 15
M2_PER_MU: Final = Fraction(M2_PER_HA, MU_PER_HA)
"""One mu is exactly 2000/3 m2; 667 m2 and 0.0667 ha are roundings and never factors."""

KG_PER_T: Final = 1_000
FEN_PER_YUAN: Final = 100


def mu_from_m2(area_m2: float) -> float:
    """Area in mu (亩) of an area in square metres."""
    return area_m2 * MU_PER_HA / M2_PER_HA


def ha_from_m2(area_m2: float) -> float:
    """Area in hectares of an area in square metres."""
    return area_m2 / M2_PER_HA


def m2_from_mu(area_mu: float) -> float:
    """Area in square metres of an area in mu (亩)."""
    return area_mu * M2_PER_HA / MU_PER_HA


def co2_from_c(carbon: float) -> float:
    """Mass of CO2 that holds this mass of carbon."""
    return carbon * 44 / 12
