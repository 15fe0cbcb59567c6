"""Names of the carbon pools and the order of a year's processes, as data."""

from enum import StrEnum
from typing import Final


class Pool(StrEnum):
    """A carbon pool, by the name methodologies use; the air is one, so that nothing is lost."""

    ABOVEGROUND = "AGB"
    BELOWGROUND = "BGB"
    DEAD_WOOD = "DW"
    LITTER = "LI"
    SOIL = "SOC"
    HARVESTED_PRODUCTS = "HWP"
    ATMOSPHERE = "ATM"


ALL_POOLS: Final = tuple(str(pool) for pool in Pool)
LIVE: Final = (Pool.ABOVEGROUND, Pool.BELOWGROUND)
DEAD: Final = (Pool.DEAD_WOOD, Pool.LITTER, Pool.SOIL)
SINKS_ONLY: Final = frozenset({Pool.ATMOSPHERE})
"""Pools nothing flows out of but by growth."""

PROCESS_ORDER: Final = ("disturbance", "growth", "stock_at_31_december")
"""A year's processes: a loss happens before that year's growth, stock is read at the year's end."""

STAND_ORDER: Final = (
    "disturbance",
    "half_growth",
    "turnover",
    "half_growth",
    "decay",
    "stock_at_31_december",
)
"""The same year with dead pools: CBM's order (libcbm_py), half the growth before what dies."""

BAMBOO_ORDER: Final = ("cutting", "ageing", "recruitment", "stock_at_31_december")
"""A bamboo year: winter cutting, the culms that stay grow a year older, spring brings new ones."""

POOLS_OF_SCOPE: Final = {
    "stem": (Pool.ABOVEGROUND,),
    "AGB": (Pool.ABOVEGROUND,),
    "AGB+BGB": (Pool.ABOVEGROUND, Pool.BELOWGROUND),
}
"""Pools that a growth curve's scope holds."""
