"""Seven parameters between an older datum of China and CGCS2000, as a surveying office gives them.

They are not public and belong to a county; nothing here guesses them. The sense of the rotations
has two usages that differ in sign, so it must be said.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, cast

from geo.errors import CrsError

Rotation = Literal["coordinate_frame", "position_vector"]

_NUMBERS: Final = ("dx_m", "dy_m", "dz_m", "rx_arcsec", "ry_arcsec", "rz_arcsec", "scale_ppm")
_LIMITS: Final = {"dx_m": 1e3, "dy_m": 1e3, "dz_m": 1e3, "scale_ppm": 200.0}
_ROTATION_ARCSEC_MAX: Final = 60.0
_ROTATIONS: Final = ("coordinate_frame", "position_vector")
_TEXT_MAX: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Helmert:
    """Shift in metres, rotation in seconds of arc and scale in parts per million.

    `rotation` says which sense the angles have: `coordinate_frame` (EPSG 1032, the Bursa formula
    of Chinese textbooks) or `position_vector` (EPSG 1033).
    """

    dx_m: float
    dy_m: float
    dz_m: float
    rx_arcsec: float
    ry_arcsec: float
    rz_arcsec: float
    scale_ppm: float
    rotation: Rotation
    source: str = ""

    def __post_init__(self) -> None:
        for name in _NUMBERS:
            value = getattr(self, name)
            if not math.isfinite(value) or abs(value) > _LIMITS.get(name, _ROTATION_ARCSEC_MAX):
                raise CrsError("CRS_PARAMETERS_BAD", name=name, given=str(value))
        if self.rotation not in _ROTATIONS:
            raise CrsError("CRS_PARAMETERS_BAD", name="rotation", given=str(self.rotation))

    def step(self) -> str:
        """Operation of PROJ between geocentric coordinates."""
        return (
            f"+proj=helmert +x={self.dx_m!r} +y={self.dy_m!r} +z={self.dz_m!r}"
            f" +rx={self.rx_arcsec!r} +ry={self.ry_arcsec!r} +rz={self.rz_arcsec!r}"
            f" +s={self.scale_ppm!r} +convention={self.rotation}"
        )


def read_parameters(path: Path) -> str:
    """Read the text of a file of parameters that `parse_helmert` understands.

    Raises
    ------
    CrsError
        CRS_PARAMETERS_BAD.
    """
    try:
        if path.stat().st_size > _TEXT_MAX:
            raise CrsError("CRS_PARAMETERS_BAD", name="file", given=path.name)
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise CrsError("CRS_PARAMETERS_BAD", name="file", given=path.name) from error
    parse_helmert(text)
    return text


def parse_helmert(text: str) -> Helmert:
    """Read parameters from TOML or from `dx_m=..,dy_m=..,...,rotation=coordinate_frame`.

    Raises
    ------
    CrsError
        CRS_PARAMETERS_BAD with the name of what is missing or unusable.
    """
    values = dict(_toml(text) if "\n" in text.strip() else _inline(text))
    unknown = sorted(set(values) - {*_NUMBERS, "rotation", "source"})
    if unknown:
        raise CrsError("CRS_PARAMETERS_BAD", name=unknown[0], given=str(values[unknown[0]])[:40])
    numbers = {name: _number(values, name) for name in _NUMBERS}
    rotation = cast("Rotation", str(values.get("rotation", "")))
    return Helmert(**numbers, rotation=rotation, source=str(values.get("source", "")))


def _inline(given: str) -> Mapping[str, object]:
    pairs = (part.partition("=") for part in given.split(",") if part.strip())
    return {name.strip(): value.strip().strip('"') for name, _, value in pairs}


def _toml(text: str) -> Mapping[str, object]:
    try:
        return tomllib.loads(text)
    except ValueError as error:
        raise CrsError("CRS_PARAMETERS_BAD", name="TOML", given=str(error)[:60]) from error


def _number(values: Mapping[str, object], name: str) -> float:
    try:
        return float(str(values[name]))
    except (KeyError, ValueError) as error:
        given = str(values.get(name, ""))[:40]
        raise CrsError("CRS_PARAMETERS_BAD", name=name, given=given) from error
