"""Which of two columns is the easting: by its name, else by the only reading inside China.

In surveying X points north and Y east; in GIS files X is the easting. The ranges tell: northings
of China lie between 0.3 and 6.1 million metres, eastings have six digits or eight with the zone.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_NORTHING_M: Final = (1_000_000.0, 6_300_000.0)
_EASTING_M: Final = (100_000.0, 900_000.0)
_ZONED_M: Final = (13_100_000.0, 45_900_000.0)
_LAT_DEG: Final = (3.0, 54.0)
_LON_DEG: Final = (73.0, 136.0)


def _within(values: FloatArray, limits: tuple[float, float]) -> bool:
    return bool(((values >= limits[0]) & (values <= limits[1])).all())


def _east(values: FloatArray) -> bool:
    return _within(values, _EASTING_M) or _within(values, _ZONED_M)


def north_first(first: FloatArray, second: FloatArray) -> bool:
    """Say whether the first of two undecided columns holds northings or latitudes.

    True only where every value fits that reading; such values fit no other.
    """
    finite = np.isfinite(first) & np.isfinite(second)
    one, two = first[finite], second[finite]
    if len(one) == 0:
        return False
    metres = _within(one, _NORTHING_M) and _east(two)
    return metres or (_within(one, _LAT_DEG) and _within(two, _LON_DEG))
