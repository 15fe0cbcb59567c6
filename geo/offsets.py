"""GCJ-02 and BD-09, the shifted longitudes and latitudes of Chinese web maps, both ways.

The forward formulas are the publicly known ones (constants a = 6378245.0 and
ee = 0.00669342162296594323 for GCJ-02; 0.0065 and 0.006 for BD-09). They have no closed inverse:
it is found by iteration to far below a millimetre. Points outside the box around China are
untouched, as in the formulas themselves.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_A_M: Final = 6_378_245.0
_EE: Final = 0.00669342162296594323
_BOX: Final = (72.004, 137.8347, 0.8293, 55.8271)
"""West, east, south and north end of what is shifted, degrees."""

_X_PI: Final = np.pi * 3000.0 / 180.0
_BD_LON: Final = 0.0065
_BD_LAT: Final = 0.006
_TOLERANCE_DEG: Final = 1e-12
_ROUNDS_MAX: Final = 60


def _shifted(lonlat: FloatArray) -> NDArray[np.bool_]:
    west, east, south, north = _BOX
    lon, lat = lonlat[:, 0], lonlat[:, 1]
    inside: NDArray[np.bool_] = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return inside


def _waves(values: FloatArray, low: float, high: float) -> FloatArray:
    """Sum of the two long waves that both directions share in form."""
    return np.asarray(
        (low * np.sin(values / 12.0 * np.pi) + high * np.sin(values * np.pi / 30.0)) * 2.0 / 3.0
    )


def _ripple(x: FloatArray) -> FloatArray:
    return np.asarray((20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0)


def _swell(values: FloatArray) -> FloatArray:
    return np.asarray(
        (20.0 * np.sin(values * np.pi) + 40.0 * np.sin(values / 3.0 * np.pi)) * 2.0 / 3.0
    )


def _offset(lonlat: FloatArray) -> FloatArray:
    """How far GCJ-02 lies from the true place, degrees."""
    x, y = lonlat[:, 0] - 105.0, lonlat[:, 1] - 35.0
    root = np.sqrt(np.abs(x))
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += _ripple(x) + _swell(y) + _waves(y, 160.0, 320.0)
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += _ripple(x) + _swell(x) + _waves(x, 150.0, 300.0)
    latitude = np.radians(lonlat[:, 1])
    magic = 1.0 - _EE * np.sin(latitude) ** 2
    root_magic = np.sqrt(magic)
    north_deg = north * 180.0 / ((_A_M * (1.0 - _EE)) / (magic * root_magic) * np.pi)
    east_deg = east * 180.0 / (_A_M / root_magic * np.cos(latitude) * np.pi)
    return np.column_stack([east_deg, north_deg])


def to_gcj02(lonlat: FloatArray) -> FloatArray:
    """Shift (n, 2) true degrees as Chinese web maps do."""
    inside = _shifted(lonlat)
    result = lonlat.astype(np.float64, copy=True)
    result[inside] += _offset(lonlat[inside])
    return result


def _gcj02_to_bd09(lonlat: FloatArray) -> FloatArray:
    lon, lat = lonlat[:, 0], lonlat[:, 1]
    distance = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _X_PI)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _X_PI)
    return np.column_stack([distance * np.cos(angle) + _BD_LON, distance * np.sin(angle) + _BD_LAT])


def to_bd09(lonlat: FloatArray) -> FloatArray:
    """Shift (n, 2) true degrees as Baidu's maps do: GCJ-02 and once more."""
    inside = _shifted(lonlat)
    result = lonlat.astype(np.float64, copy=True)
    result[inside] = _gcj02_to_bd09(to_gcj02(lonlat[inside]))
    return result


def from_gcj02(lonlat: FloatArray) -> FloatArray:
    """Undo the shift of (n, 2) degrees on GCJ-02."""
    return _undone(lonlat, to_gcj02)


def from_bd09(lonlat: FloatArray) -> FloatArray:
    """Undo the shift of (n, 2) degrees on BD-09."""
    return _undone(lonlat, to_bd09)


def _undone(shifted: FloatArray, forward: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Find what `forward` turns into `shifted`: the error is taken off until there is none."""
    result = shifted.astype(np.float64, copy=True)
    places = np.flatnonzero(_shifted(shifted))
    if len(places) == 0:
        return result
    wanted = shifted[places]
    guess = wanted - (forward(wanted) - wanted)
    for _ in range(_ROUNDS_MAX):
        error = forward(guess) - wanted
        guess -= error
        if np.abs(error).max() < _TOLERANCE_DEG:
            break
    result[places] = guess
    return result
