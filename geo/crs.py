"""Reference systems that a file may use, and the one way each becomes EPSG:4490.

Coordinates are always easting or longitude first, whatever order the authority states, as GIS
files hold them. WGS84 and CGCS2000 longitude and latitude are taken as equal (they agree to
centimetres); Beijing 54 and Xi'an 80 need parameters that are not public and are refused.
"""

import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import pyproj
from numpy.typing import NDArray
from pyproj.exceptions import CRSError, ProjError

from geo.errors import CrsError

FloatArray = NDArray[np.float64]

TARGET_EPSG: Final = 4490
"""CGCS2000 longitude and latitude: what every stored geometry uses."""

_SAME_AS_TARGET: Final = frozenset({4490, 4480, 4479, 4326, 4979})
_WGS84: Final = frozenset({4326, 4979})
_NEEDS_PARAMETERS: Final = ("beijing", "xian", "xi'an", "xi_an")
_CANDIDATES: Final = ("EPSG:4490", "EPSG:4549", "EPSG:4528", "EPSG:4548", "EPSG:4527")

ZONES_6: Final = range(13, 24)
ZONES_3: Final = range(25, 46)


@dataclass(frozen=True, slots=True, kw_only=True)
class GaussKruger:
    """A Gauss-Kruger grid of China: its central meridian and whether eastings carry the zone."""

    meridian_deg: float
    prefix: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceSystem:
    """A reference system that can be turned into EPSG:4490.

    Attributes
    ----------
    label
        `EPSG:4549` where there is a code, else the name in the file.
    geographic
        True when coordinates are degrees.
    china_2000, wgs84
        Which datum it stands on, if one of these two.
    gauss_kruger
        The Chinese grid it is, if it is one.
    definition
        Well-known text, from which the transformation is made.
    """

    label: str
    name: str
    geographic: bool
    china_2000: bool
    wgs84: bool
    gauss_kruger: GaussKruger | None
    definition: str


def gauss_kruger_epsg(*, zone: int) -> int | None:
    """EPSG code of the CGCS2000 grid whose eastings begin with this zone number."""
    if zone in ZONES_6:
        return 4491 + zone - ZONES_6.start
    if zone in ZONES_3:
        return 4513 + zone - ZONES_3.start
    return None


def unprefixed_epsg(*, zone: int) -> int | None:
    """EPSG code of the same CGCS2000 grid without the zone number in its eastings."""
    if zone in ZONES_6:
        return 4502 + zone - ZONES_6.start
    if zone in ZONES_3:
        return 4534 + zone - ZONES_3.start
    return None


def missing_crs() -> CrsError:
    """Build the refusal of a file that does not say its reference system."""
    return CrsError("CRS_MISSING", option="--crs", candidates=list(_CANDIDATES))


@lru_cache(maxsize=256)
def parse_crs(text: str) -> ReferenceSystem:
    """Read a reference system from a code, a URN, a well-known text or a PROJ string.

    Raises
    ------
    CrsError
        CRS_MISSING for an empty text, CRS_UNKNOWN, CRS_NEEDS_PARAMETERS (Beijing 54, Xi'an 80),
        CRS_NOT_HORIZONTAL (heights, engineering grids).
    """
    if not text.strip():
        raise missing_crs()
    cleaned = f"EPSG:{text.strip()}" if text.strip().isdigit() else text.strip()
    try:
        crs = pyproj.CRS.from_user_input(cleaned)
    except CRSError as error:
        raise CrsError("CRS_UNKNOWN", given=text[:200]) from error
    return _describe(crs)


def _describe(crs: pyproj.CRS) -> ReferenceSystem:
    if crs.is_compound:
        crs = crs.sub_crs_list[0]
    geodetic = crs.geodetic_crs
    if geodetic is None or not (crs.is_geographic or crs.is_projected or crs.is_bound):
        raise CrsError("CRS_NOT_HORIZONTAL", given=crs.name)
    if crs.is_bound and crs.source_crs is not None:
        crs = crs.source_crs
    datum = f"{geodetic.name} {geodetic.datum.name if geodetic.datum else ''}".lower()
    if any(word in datum for word in _NEEDS_PARAMETERS):
        raise CrsError("CRS_NEEDS_PARAMETERS", given=crs.name)
    geodetic_epsg = geodetic.to_epsg() or 0
    epsg = crs.to_epsg() or (4326 if crs.to_authority() == ("OGC", "CRS84") else None)
    china = "china 2000" in datum or "china_2000" in datum or "cgcs2000" in datum
    return ReferenceSystem(
        label=f"EPSG:{epsg}" if epsg else crs.name,
        name=crs.name,
        geographic=bool(crs.is_geographic),
        china_2000=china,
        wgs84=geodetic_epsg in _WGS84 or "wgs 84" in datum or "wgs_1984" in datum,
        gauss_kruger=_gauss_kruger(crs) if china else None,
        definition=f"EPSG:{epsg}" if epsg else crs.to_wkt(),
    )


def _gauss_kruger(crs: pyproj.CRS) -> GaussKruger | None:
    """Read the grid from the projection's own parameters, so that ESRI names work too."""
    operation = crs.coordinate_operation
    method = operation.method_name.lower() if operation is not None else ""
    if operation is None or not ("transverse mercator" in method or "gauss" in method):
        return None
    values = {parameter.name.lower(): float(parameter.value) for parameter in operation.params}
    meridian = next((v for k, v in values.items() if "longitude" in k or "meridian" in k), None)
    easting = values.get("false easting", values.get("false_easting"))
    if meridian is None or easting is None:
        return None
    prefix, rest = divmod(easting, 1_000_000)
    if rest != 500_000:  # noqa: PLR2004 - the false easting of every Gauss-Kruger grid of China
        return None
    return GaussKruger(meridian_deg=meridian, prefix=int(prefix) or None)


@lru_cache(maxsize=64)
def _transformer(definition: str) -> pyproj.Transformer:
    crs = pyproj.CRS.from_user_input(definition)
    geodetic = crs.geodetic_crs
    china = geodetic is not None and geodetic.to_epsg() in _SAME_AS_TARGET
    target = geodetic if china else pyproj.CRS.from_epsg(4326)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pyproj.Transformer.from_crs(crs, target, always_xy=True)


def is_ballpark(system: ReferenceSystem) -> bool:
    """Say whether the shift to EPSG:4490 ignores a difference of datums (metres to hundreds)."""
    if system.china_2000 or system.wgs84:
        return False
    return "ballpark" in _transformer(system.definition).description.lower()


def to_cgcs2000(coordinates: FloatArray, system: ReferenceSystem) -> FloatArray:
    """Turn (n, 2) coordinates of a system into longitude and latitude of EPSG:4490.

    What is already in CGCS2000 or WGS84 degrees is returned unchanged; a point outside the
    domain of a projection becomes infinite.

    Raises
    ------
    CrsError
        CRS_NOT_CONVERTIBLE when PROJ knows no way.
    """
    if system.geographic and (system.china_2000 or system.wgs84):
        return coordinates
    try:
        x, y = _transformer(system.definition).transform(coordinates[:, 0], coordinates[:, 1])
    except ProjError as error:
        raise CrsError("CRS_NOT_CONVERTIBLE", given=system.name) from error
    return np.column_stack([x, y])
