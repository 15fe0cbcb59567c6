"""Rasters of the demo window as cloud-optimised GeoTIFFs in EPSG:4549, 10 m."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import rasterio
from affine import Affine
from rasterio.features import rasterize

from geo.synthetic.layout import Layout
from geo.synthetic.mesh import Bools, Floats, Ints
from geo.synthetic.stands import BROADLEAF, CITRUS, NONE, Stands
from geo.synthetic.terrain import CELL_M, Grid, Terrain

NODATA: Final = {
    "dem": -9999.0,
    "species": 255,
    "age": 255,
    "site": 255,
    "disturbance": 65535,
}
FIRE_YEAR: Final = 2025
"""The year after the layers: the fire is an event, not part of the starting stock."""
_CORNER_SHARE: Final = 0.12
_SITE_CLASSES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """Arrays by layer name, and the number of the parcel in each cell (-1 where none is)."""

    arrays: Mapping[str, npt.NDArray[np.generic]]
    parcel: npt.NDArray[np.int32]
    in_corner: Bools


def make_layers(layout: Layout, stands: Stands, terrain: Terrain, fire_m: object) -> Layers:
    """Burn the stands into the grid, with cohorts and small patches of other trees."""
    grid = terrain.grid
    parcel = _burn(grid, list(layout.geometry_m)) - 1
    inside = parcel >= 0
    at = np.where(inside, parcel, 0)
    species = np.where(inside, stands.species[at], NONE).astype(np.uint8)
    patch = inside & (species != CITRUS) & (terrain.cohort > 0.93) & (terrain.blob > 0.5)  # noqa: PLR2004
    species[patch] = BROADLEAF
    cohorts = stands.cohorts[at]
    shift = np.floor(terrain.cohort * cohorts).astype(np.int64).clip(0, cohorts - 1) - cohorts // 2
    age = np.where(inside, np.maximum(stands.age[at] + shift, 1), 0).astype(np.uint8)
    fire = _burn(grid, [fire_m]) > 0
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "dem": terrain.elevation.copy(),
        "species": species,
        "age": age,
        "site": site_class(terrain),
        "disturbance": np.where(fire, FIRE_YEAR, 0).astype(np.uint16),
    }
    corner = _corner(grid)
    for name, array in arrays.items():
        array[corner] = NODATA[name]
    return Layers(arrays=arrays, parcel=parcel.astype(np.int32), in_corner=corner)


def _transform(grid: Grid) -> Affine:
    return Affine(CELL_M, 0.0, grid.west, 0.0, -CELL_M, grid.north)


def _burn(grid: Grid, shapes: list[object]) -> npt.NDArray[np.int32]:
    burned: npt.NDArray[np.int32] = rasterize(
        zip(shapes, range(1, len(shapes) + 1), strict=True),
        out_shape=(grid.height, grid.width),
        transform=_transform(grid),
        fill=0,
        dtype="int32",
    )
    return burned


def site_class(terrain: Terrain) -> npt.NDArray[np.uint8]:
    """Site class 1 (best) to 5, falling with elevation and slope."""
    burden = terrain.elevation / 130.0 + terrain.slope / 12.0
    return np.clip(np.floor(burden), 1, _SITE_CLASSES).astype(np.uint8)


def _corner(grid: Grid) -> Bools:
    """A triangle in the south-east without data, as at the edge of a real scene."""
    column = np.arange(grid.width)[None, :] / grid.width
    row = np.arange(grid.height)[:, None] / grid.height
    inside: Bools = (column + row) > 2 - _CORNER_SHARE * 2
    return inside


def share_by_parcel(layers: Layers, mask: Bools, parcels: int) -> Floats:
    """Share of each parcel's cells (by cell centre) under a mask."""
    inside = layers.parcel >= 0
    cells: Ints = np.bincount(layers.parcel[inside], minlength=parcels)
    under = np.bincount(layers.parcel[inside & mask], minlength=parcels)
    return under / np.maximum(cells, 1)


def write_layer(path: Path, array: npt.NDArray[np.generic], nodata: float, grid: Grid) -> None:
    """Write one band as a COG; the bytes depend on the array and the GDAL version only."""
    with rasterio.open(
        path,
        "w",
        driver="COG",
        width=grid.width,
        height=grid.height,
        count=1,
        dtype=array.dtype,
        crs="EPSG:4549",
        transform=_transform(grid),
        nodata=nodata,
        compress="DEFLATE",
        blocksize=256,
        overview_resampling="NEAREST",
        num_threads=1,
    ) as target:
        target.write(array, 1)
