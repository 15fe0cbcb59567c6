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


DM2_PER_M2: Final = 100
MG_M2_PER_T_HA: Final = 100_000
"""1 t/ha is 1,000 kg on 10,000 m2, so 100 g/m2, so 100,000 mg/m2; 300 t C/ha is 3e7 mg/m2."""

CENTI_MG_PER_KG: Final = 100_000_000
"""dm2 x mg/m2 is a hundredth of a milligram."""

HA_PER_ACRE: Final = Fraction(40_468_564_224, 100_000_000_000)
KG_PER_LB: Final = Fraction(45_359_237, 100_000_000)


def kg_co2_from_stock_sum(stock_sum: int) -> int:
    """Whole kg CO2 in a sum of dm2 x mg C/m2, rounded down; exact for any int."""
    return stock_sum * CO2_PER_C.numerator // (CO2_PER_C.denominator * CENTI_MG_PER_KG)


def t_ha_from_lb_acre(mass: float) -> float:
    """Mass per area in t/ha of one in pounds per acre."""
    return mass * float(KG_PER_LB / (KG_PER_T * HA_PER_ACRE))


def t_co2_mu_from_kg_m2(mass: float) -> float:
    """Mass per area in t CO2/mu of one in kg CO2/m2."""
    return mass * float(M2_PER_MU) / KG_PER_T


def n2o_from_n(nitrogen: float) -> float:
    """Mass of N2O that holds this mass of nitrogen."""
    return nitrogen * float(N2O_PER_N)
