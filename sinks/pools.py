"""Names of the carbon pools and the order of a year's processes, as data."""

from enum import StrEnum
from typing import Final


class Pool(StrEnum):
    """A carbon pool, by the name methodologies use."""

    ABOVEGROUND = "AGB"
    BELOWGROUND = "BGB"
    DEAD_WOOD = "DW"
    LITTER = "LI"
    SOIL = "SOC"
    HARVESTED_PRODUCTS = "HWP"


PROCESS_ORDER: Final = ("disturbance", "growth", "stock_at_31_december")
"""A year's processes: a loss happens before that year's growth, stock is read at the year's end."""

POOLS_OF_SCOPE: Final = {
    "stem": (Pool.ABOVEGROUND,),
    "AGB": (Pool.ABOVEGROUND,),
    "AGB+BGB": (Pool.ABOVEGROUND, Pool.BELOWGROUND),
}
"""Pools that a growth curve's scope holds."""
