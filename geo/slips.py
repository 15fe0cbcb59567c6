"""Coordinates that do not fit the reference system declared for them.

A slip that has one reading is questioned with that reading applied, so that a person who says
yes gets the right place; a slip without a certain reading is refused.
"""

from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from geo.crs import ReferenceSystem, gauss_kruger_epsg, unprefixed_epsg

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

CHINA_LON_DEG: Final = (73.0, 136.0)
CHINA_LAT_DEG: Final = (3.0, 54.0)
_EARTH_DEG: Final = np.array([180.0, 90.0, 180.0, 90.0])
_NORTHING_MAX_M: Final = 6_300_000.0
_EASTING_MAX_M: Final = 1_000_000.0
_NORTHING_MIN_M: Final = 300_000.0
_EASTING_MIN_M: Final = 100_000.0
_MM_SCALE: Final = 0.001
_FOOT_M: Final = 0.3048
_MERCATOR_MAX_M: Final = 20_048_967.0
_METRES_MIN: Final = 1_000.0
"""A number below this is a bad degree rather than metres."""
_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """One kind of slip and the rows that show it.

    Attributes
    ----------
    mask
        (n,) True for the rows concerned; masks of several slips never overlap.
    swap
        The proposed reading takes the second number first.
    crs
        The reference system of the proposed reading, if it is another than declared.
    scale
        What the numbers of the proposed reading are multiplied by.
    """

    code: str
    severity: Literal["refused", "questioned"]
    mask: BoolArray
    swap: bool = False
    crs: str | None = None
    scale: float = 1.0
    params: dict[str, Any] = field(default_factory=dict)


def in_china(bounds: FloatArray) -> BoolArray:
    """Rows of (n, 4) bounds in degrees that lie in the box around China."""
    result: BoolArray = (
        (bounds[:, 0] >= CHINA_LON_DEG[0])
        & (bounds[:, 2] <= CHINA_LON_DEG[1])
        & (bounds[:, 1] >= CHINA_LAT_DEG[0])
        & (bounds[:, 3] <= CHINA_LAT_DEG[1])
    )
    return result


def _swapped(bounds: FloatArray) -> FloatArray:
    return bounds[:, [1, 0, 3, 2]]


def _on_earth(bounds: FloatArray) -> BoolArray:
    return np.asarray(np.all(np.abs(bounds) <= _EARTH_DEG, axis=1), dtype=np.bool_)


def _zones(bounds: FloatArray) -> NDArray[np.int64]:
    """Zone number in front of the eastings, 0 where there is none."""
    low, high = np.floor(bounds[:, 0] / _MILLION), np.floor(bounds[:, 2] / _MILLION)
    plausible = (low == high) & (low >= 13) & (low <= 45) & (low != 24)  # noqa: PLR2004
    plausible &= (bounds[:, 1] > 0) & (bounds[:, 3] < _NORTHING_MAX_M)
    return np.where(plausible, np.nan_to_num(low, posinf=0, neginf=0), 0).astype(np.int64)


def _prefix_slips(zones: NDArray[np.int64], *, swap: bool) -> list[Slip]:
    return [
        Slip(
            code="CRS_ZONE_PREFIX",
            severity="questioned",
            mask=zones == zone,
            swap=swap,
            crs=f"EPSG:{gauss_kruger_epsg(zone=int(zone))}",
            params={"zone": int(zone), "epsg": gauss_kruger_epsg(zone=int(zone))},
        )
        for zone in np.unique(zones[zones > 0])
    ]


def _degree_slips(bounds: FloatArray) -> list[Slip]:
    """Slips of coordinates that are declared as degrees."""
    fits, flipped = _on_earth(bounds), _swapped(bounds)
    swapped = in_china(flipped) | (~fits & _on_earth(flipped))
    rest = ~fits & ~swapped
    mercator = rest & _in_mercator_china(bounds)
    zones = np.where(rest & ~mercator, _zones(bounds), 0)
    rest &= ~mercator & (zones == 0)
    grid = rest & (bounds[:, 0] > _METRES_MIN) & (bounds[:, 2] < _EASTING_MAX_M)
    grid &= (bounds[:, 1] > _METRES_MIN) & (bounds[:, 3] < _NORTHING_MAX_M)
    world = rest & ~grid & (np.abs(bounds) <= _MERCATOR_MAX_M).all(axis=1)
    world &= (np.abs(bounds) > _METRES_MIN).all(axis=1)
    return [
        Slip(code="SWAPPED_AXES", severity="questioned", mask=swapped, swap=True),
        Slip(
            code="CRS_WEBMERCATOR_AS_DEGREES",
            severity="refused",
            mask=mercator | world,
            params={"epsg": 3857},
        ),
        *_prefix_slips(zones, swap=False),
        Slip(code="CRS_METRES_AS_DEGREES", severity="refused", mask=grid),
        Slip(code="COORD_OUT_OF_RANGE", severity="refused", mask=rest & ~grid & ~world),
    ]


def _in_mercator_china(bounds: FloatArray) -> BoolArray:
    """Rows that lie in the box around China when read as Web Mercator metres."""
    radius = 6_378_137.0
    low = np.radians([CHINA_LON_DEG[0], CHINA_LAT_DEG[0]])
    high = np.radians([CHINA_LON_DEG[1], CHINA_LAT_DEG[1]])
    y_low, y_high = (radius * np.arctanh(np.sin(v)) for v in (low[1], high[1]))
    result: BoolArray = (
        (bounds[:, 0] >= radius * low[0])
        & (bounds[:, 2] <= radius * high[0])
        & (bounds[:, 1] >= y_low)
        & (bounds[:, 3] <= y_high)
    )
    return result


def _grid_slips(bounds: FloatArray, prefix: int | None) -> list[Slip]:
    """Slips of coordinates that are declared as a Gauss-Kruger grid of China."""
    degrees = _on_earth(bounds)
    flipped = _swapped(bounds)
    zones = np.where(degrees, 0, _zones(bounds))
    zones_flipped = np.where(degrees | (zones > 0), 0, _zones(flipped))
    zones = np.where(zones == (prefix or 0), 0, zones)
    own_flipped = zones_flipped == (prefix or -1)
    plain = (flipped[:, 0] > 0) & (flipped[:, 2] < _EASTING_MAX_M)
    plain &= (bounds[:, 0] > _EASTING_MAX_M) & (bounds[:, 2] < _NORTHING_MAX_M)
    slips = [
        Slip(code="CRS_DEGREES_AS_METRES", severity="refused", mask=degrees),
        *_prefix_slips(zones, swap=False),
        *_prefix_slips(np.where(own_flipped, 0, zones_flipped), swap=True),
        Slip(code="SWAPPED_AXES", severity="questioned", mask=own_flipped, swap=True),
    ]
    if prefix is None:
        slips.append(Slip(code="SWAPPED_AXES", severity="questioned", mask=plain, swap=True))
    else:
        epsg = unprefixed_epsg(zone=prefix)
        bare = ~degrees & (bounds[:, 0] > 0) & (bounds[:, 2] < _EASTING_MAX_M)
        bare &= (bounds[:, 1] > 0) & (bounds[:, 3] < _NORTHING_MAX_M)
        params = {"zone": prefix, "epsg": epsg}
        slips.append(
            Slip(
                code="CRS_ZONE_PREFIX_MISSING",
                severity="questioned",
                mask=bare,
                crs=f"EPSG:{epsg}",
                params=params,
            )
        )
    taken = np.any([slip.mask for slip in slips], axis=0)
    return [*slips, *_unit_slips(bounds, prefix, ~taken)]


def _unit_slips(bounds: FloatArray, prefix: int | None, rest: BoolArray) -> list[Slip]:
    """Grid coordinates in millimetres (one reading) or in feet (of which there are several)."""
    start = (prefix or 0) * _MILLION
    shifted = bounds - np.array([start, 0.0, start, 0.0])

    def fits(scale: float) -> BoolArray:
        scaled = bounds * scale - np.array([start, 0.0, start, 0.0])
        inside: BoolArray = (scaled[:, 0] > _EASTING_MIN_M) & (scaled[:, 2] < _EASTING_MAX_M)
        inside &= (scaled[:, 1] > _NORTHING_MIN_M) & (scaled[:, 3] < _NORTHING_MAX_M)
        return inside

    plausible = (np.abs(shifted[:, [0, 2]]) < _EASTING_MAX_M).all(axis=1)
    plausible &= bounds[:, 3] < _NORTHING_MAX_M
    millimetres = rest & ~plausible & fits(_MM_SCALE)
    feet = rest & ~plausible & ~millimetres & fits(_FOOT_M)
    return [
        Slip(code="COORD_MILLIMETRES", severity="questioned", mask=millimetres, scale=_MM_SCALE),
        Slip(code="CRS_FEET_AS_METRES", severity="refused", mask=feet),
    ]


def likely_systems(bounds: FloatArray) -> tuple[str, ...]:
    """Reference systems that coordinates without a declared one may be in, likeliest first.

    Parameters
    ----------
    bounds
        (4,) of all the shapes as in the file. It is a help for a person's answer and never one.
    """
    box = bounds.reshape(1, 4)
    if not np.isfinite(box).all():
        return ()
    if in_china(box)[0] or in_china(_swapped(box))[0]:
        return ("EPSG:4490", "gcj02", "bd09", "EPSG:4326")
    found = ["EPSG:3857"] if _in_mercator_china(box)[0] else []
    zones = [int(_zones(turned)[0]) for turned in (box, _swapped(box))]
    return (*found, *(f"EPSG:{gauss_kruger_epsg(zone=zone)}" for zone in zones if zone))


def find_slips(bounds: FloatArray, system: ReferenceSystem) -> list[Slip]:
    """Find rows whose coordinates do not fit the system declared for them.

    Parameters
    ----------
    bounds
        (n, 4) minimum x, minimum y, maximum x, maximum y as in the file; rows of NaN fit.
    system
        What the file or the user declares.

    Returns
    -------
    Slips with at least one row; no row is in two of them.
    """
    known = np.asarray(np.all(np.isfinite(bounds), axis=1), dtype=np.bool_)
    safe = np.where(known[:, None], bounds, np.array([0.0, 0.0, 0.0, 0.0]))
    if system.geographic:
        slips = _degree_slips(safe)
    elif system.gauss_kruger is not None:
        slips = _grid_slips(safe, system.gauss_kruger.prefix)
    else:
        degrees = _on_earth(safe)
        slips = [Slip(code="CRS_DEGREES_AS_METRES", severity="refused", mask=degrees)]
    return [
        Slip(
            code=slip.code,
            severity=slip.severity,
            mask=slip.mask & known,
            swap=slip.swap,
            crs=slip.crs,
            scale=slip.scale,
            params=slip.params,
        )
        for slip in slips
        if (slip.mask & known).any()
    ]
