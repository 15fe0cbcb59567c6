"""Reference systems that a file may use, and the one way each becomes EPSG:4490.

Coordinates are always easting or longitude first, whatever order the authority states, as GIS
files hold them. WGS84 and CGCS2000 longitude and latitude are taken as equal (they agree to
centimetres); Beijing 54 and Xi'an 80 need parameters that are not public: without them they are
refused. GCJ-02 and BD-09 are taken by name, for no authority knows them.
"""

import re
import warnings
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

import numpy as np
import pyproj
from numpy.typing import NDArray
from pyproj.exceptions import CRSError, ProjError

from geo.errors import CrsError
from geo.helmert import Helmert
from geo.offsets import from_bd09, from_gcj02

FloatArray = NDArray[np.float64]

TARGET_EPSG: Final = 4490
"""CGCS2000 longitude and latitude: what every stored geometry uses."""

_SAME_AS_TARGET: Final = frozenset({4490, 4480, 4479, 4326, 4979})
_WGS84: Final = frozenset({4326, 4979})
_NEEDS_PARAMETERS: Final = ("beijing", "xian", "xi'an", "xi_an")
_CANDIDATES: Final = ("EPSG:4490", "EPSG:4549", "EPSG:4528", "EPSG:4548", "EPSG:4527")
_MERCATOR_EPSG: Final = 3857
_CGCS2000_ELLIPSOID: Final = "+a=6378137 +rf=298.257222101"

_FAMILIES: Final = (range(4491, 4502), range(4502, 4513), range(4513, 4534), range(4534, 4555))
"""CGCS2000 grids: 6 degrees with and without the zone in front, 3 degrees likewise."""

Offset = Literal["gcj02", "bd09"]

_NAMES: Final = {
    "cgcs2000": "EPSG:4490",
    "国家2000": "EPSG:4490",
    "2000国家大地坐标系": "EPSG:4490",
    "国家2000大地坐标系": "EPSG:4490",
    "wgs84": "EPSG:4326",
    "xian80": "EPSG:4610",
    "西安80": "EPSG:4610",
    "80西安坐标系": "EPSG:4610",
    "1980西安坐标系": "EPSG:4610",
    "beijing54": "EPSG:4214",
    "北京54": "EPSG:4214",
    "1954北京坐标系": "EPSG:4214",
}
_OFFSETS: Final[dict[str, Offset]] = {
    "gcj02": "gcj02",
    "火星坐标": "gcj02",
    "火星坐标系": "gcj02",
    "bd09": "bd09",
    "bd09ll": "bd09",
    "百度坐标": "bd09",
    "百度坐标系": "bd09",
}
_LABELS: Final[dict[Offset, str]] = {"gcj02": "GCJ-02", "bd09": "BD-09"}
_JOINTS: Final = re.compile(r"[\s_\-]+")

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
    offset
        The shift of a Chinese web map that its degrees carry, if they do.
    parameters
        The user's seven parameters from its datum to CGCS2000, if it needs them.
    """

    label: str
    name: str
    geographic: bool
    china_2000: bool
    wgs84: bool
    gauss_kruger: GaussKruger | None
    definition: str
    offset: Offset | None = None
    parameters: Helmert | None = None

    @property
    def drawn_on_map(self) -> bool:
        """Whether the datum is one that Chinese web maps carry shifted under its name."""
        return self.wgs84 and (self.geographic or self.label == f"EPSG:{_MERCATOR_EPSG}")


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


def sibling_zones(system: ReferenceSystem) -> tuple[str, ...]:
    """Codes of the grids of the same family one zone to the west and to the east."""
    grid = system.gauss_kruger
    if grid is None or not system.label.startswith("EPSG:"):
        return ()
    code = int(system.label.removeprefix("EPSG:"))
    family = next((run for run in _FAMILIES if code in run), None)
    return tuple(f"EPSG:{n}" for n in (code - 1, code + 1) if family is not None and n in family)


def missing_crs(candidates: tuple[str, ...] = _CANDIDATES) -> CrsError:
    """Build the refusal of a file that does not say its reference system."""
    return CrsError("CRS_MISSING", option="--crs", candidates=list(candidates))


def parse_crs(text: str, parameters: Helmert | None = None) -> ReferenceSystem:
    """Read a reference system from a code, a URN, a well-known text, a PROJ string or a name.

    Parameters
    ----------
    text
        Also `gcj02`, `bd09`, and the usual Chinese names of datums.
    parameters
        From the datum to CGCS2000; taken by Beijing 54 and Xi'an 80 only.

    Raises
    ------
    CrsError
        CRS_MISSING for an empty text, CRS_UNKNOWN, CRS_NEEDS_PARAMETERS (Beijing 54, Xi'an 80),
        CRS_PARAMETERS_UNUSED (any other), CRS_NOT_HORIZONTAL (heights, engineering grids).
    """
    system, needs = _parsed(text)
    if needs and parameters is None:
        raise CrsError("CRS_NEEDS_PARAMETERS", given=system.name)
    if parameters is not None and not needs:
        raise CrsError("CRS_PARAMETERS_UNUSED", given=system.name)
    return replace(system, parameters=parameters)


@lru_cache(maxsize=256)
def _parsed(text: str) -> tuple[ReferenceSystem, bool]:
    if not text.strip():
        raise missing_crs()
    cleaned = f"EPSG:{text.strip()}" if text.strip().isdigit() else text.strip()
    name = _JOINTS.sub("", cleaned.lower())
    if name in _OFFSETS:
        return _offset_system(_OFFSETS[name]), False
    cleaned = _NAMES.get(name, cleaned)
    try:
        crs = pyproj.CRS.from_user_input(cleaned)
    except CRSError as error:
        raise CrsError("CRS_UNKNOWN", given=text[:200]) from error
    return _describe(crs)


def _offset_system(offset: Offset) -> ReferenceSystem:
    return ReferenceSystem(
        label=_LABELS[offset],
        name=_LABELS[offset],
        geographic=True,
        china_2000=False,
        wgs84=False,
        gauss_kruger=None,
        definition="EPSG:4490",
        offset=offset,
    )


def _describe(crs: pyproj.CRS) -> tuple[ReferenceSystem, bool]:
    """Describe a system; say whether it stands on a datum whose parameters are not public."""
    if crs.is_compound:
        crs = crs.sub_crs_list[0]
    geodetic = crs.geodetic_crs
    if geodetic is None or not (crs.is_geographic or crs.is_projected or crs.is_bound):
        raise CrsError("CRS_NOT_HORIZONTAL", given=crs.name)
    if crs.is_bound and crs.source_crs is not None:
        crs = crs.source_crs
    datum = f"{geodetic.name} {geodetic.datum.name if geodetic.datum else ''}".lower()
    needs = any(word in datum for word in _NEEDS_PARAMETERS)
    geodetic_epsg = geodetic.to_epsg() or 0
    epsg = crs.to_epsg() or (4326 if crs.to_authority() == ("OGC", "CRS84") else None)
    china = "china 2000" in datum or "china_2000" in datum or "cgcs2000" in datum
    system = ReferenceSystem(
        label=f"EPSG:{epsg}" if epsg else crs.name,
        name=crs.name,
        geographic=bool(crs.is_geographic),
        china_2000=china,
        wgs84=geodetic_epsg in _WGS84 or "wgs 84" in datum or "wgs_1984" in datum,
        gauss_kruger=_gauss_kruger(crs) if china else None,
        definition=f"EPSG:{epsg}" if epsg else crs.to_wkt(),
    )
    return system, needs


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


@lru_cache(maxsize=64)
def _datum_shift(definition: str, parameters: Helmert) -> pyproj.Transformer:
    """Degrees on an older datum to degrees on CGCS2000; the height is taken as 0."""
    ellipsoid = pyproj.CRS.from_user_input(definition).ellipsoid
    if ellipsoid is None:
        raise CrsError("CRS_NOT_CONVERTIBLE", given=definition[:60])
    old = f"+a={ellipsoid.semi_major_metre!r} +rf={ellipsoid.inverse_flattening!r}"
    return pyproj.Transformer.from_pipeline(
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad"
        f" +step +proj=cart {old} +step {parameters.step()}"
        f" +step +inv +proj=cart {_CGCS2000_ELLIPSOID}"
        " +step +proj=unitconvert +xy_in=rad +xy_out=deg"
    )


@lru_cache(maxsize=64)
def _unprojected(definition: str) -> pyproj.Transformer:
    crs = pyproj.CRS.from_user_input(definition)
    return pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)


def _by_parameters(coordinates: FloatArray, definition: str, parameters: Helmert) -> FloatArray:
    lon, lat = _unprojected(definition).transform(coordinates[:, 0], coordinates[:, 1])
    x, y, _ = _datum_shift(definition, parameters).transform(lon, lat, np.zeros(len(coordinates)))
    return np.column_stack([x, y])


def is_ballpark(system: ReferenceSystem) -> bool:
    """Say whether the shift to EPSG:4490 ignores a difference of datums (metres to hundreds)."""
    if system.china_2000 or system.wgs84 or system.offset or system.parameters:
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
    if system.offset is not None:
        return from_gcj02(coordinates) if system.offset == "gcj02" else from_bd09(coordinates)
    try:
        if system.parameters is not None:
            return _by_parameters(coordinates, system.definition, system.parameters)
        x, y = _transformer(system.definition).transform(coordinates[:, 0], coordinates[:, 1])
    except ProjError as error:
        raise CrsError("CRS_NOT_CONVERTIBLE", given=system.name) from error
    return np.column_stack([x, y])
