"""Summer images of the demo window: canopy cover and NDVI of some years, the fire in the last.

Invented, and only for show: cover closes with age, greenness follows cover, clouds hide a little.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt

from geo.synthetic.layers import FIRE_YEAR, NODATA, Layers
from geo.synthetic.mesh import Floats
from geo.synthetic.stands import LAYER_YEAR, NONE
from geo.synthetic.terrain import Terrain

YEARS: Final = range(LAYER_YEAR - 3, FIRE_YEAR + 1)
SUMMER: Final = (7, 20)
NDVI_SCALE: Final = 0.0001
CANOPY_SCALE: Final = 0.01
NDVI_NODATA: Final = -32768
CANOPY_NODATA: Final = 255
_CLOSES_YR: Final = 8.0
_FULL: Final = 0.9
_OPEN: Final = 0.04
_LEFT_AFTER_FIRE: Final = 0.2
_CLOUD: Final = 0.985


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One raster: what it shows, of which day, how its numbers are read."""

    name: str
    kind: str
    day: date
    nodata: int
    scale: float
    cells: npt.NDArray[np.generic]


def make_images(layers: Layers, terrain: Terrain) -> Iterator[Image]:
    """Give the images by year, canopy cover before NDVI."""
    age = layers.arrays["age"].astype(np.float64)
    species = layers.arrays["species"]
    burnt = layers.arrays["disturbance"] == FIRE_YEAR
    missing = species == NODATA["species"]
    for i, year in enumerate(YEARS):
        cover = _cover(age + year - LAYER_YEAR, species == NONE)
        if year >= FIRE_YEAR:
            cover[burnt] *= _LEFT_AFTER_FIRE
        green = np.clip(0.12 + 0.72 * cover + 0.08 * (terrain.cohort - 0.5), -1, 1)
        hidden = missing | (np.mod(terrain.blob + 0.17 * i, 1.0) > _CLOUD)
        for kind, values, scale, nodata in (
            ("canopy", cover, CANOPY_SCALE, CANOPY_NODATA),
            ("ndvi", green, NDVI_SCALE, NDVI_NODATA),
        ):
            cells = np.rint(values / scale).astype(np.uint8 if kind == "canopy" else np.int16)
            cells[hidden] = nodata
            yield Image(
                name=f"{kind}_{year}",
                kind=kind,
                day=date(year, *SUMMER),
                nodata=nodata,
                scale=scale,
                cells=cells,
            )


def _cover(age_yr: Floats, bare: npt.NDArray[np.bool_]) -> Floats:
    """Canopy cover by age, 0 to 1; open ground keeps a little."""
    cover: Floats = _FULL * -np.expm1(-np.maximum(age_yr, 0.0) / _CLOSES_YR)
    cover[bare] = _OPEN
    return cover
