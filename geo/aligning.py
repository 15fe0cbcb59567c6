"""A raster brought onto the cells of another grid, by a method that has a name."""

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from geo.raster import (
    CLASS_KINDS,
    STRIP_ROWS,
    Grid,
    Layer,
    RasterError,
    copy_as_cog,
    open_tiff,
)


class Alignment(StrEnum):
    """How a cell of the new grid gets its value from the cells of the old one."""

    NEAREST = "nearest"
    """The old cell that holds the new cell's centre: no value arises that was not there."""
    BILINEAR = "bilinear"
    """Between the four old centres around the new centre, by distance; for finer grids."""
    AVERAGE = "average"
    """Mean of the known old cells under the new cell, by area; for coarser grids."""


_TOLERANCE_CELLS: Final = 1e-6
"""GDAL's usual 1/8 cell would move centres over a class's edge; none at all it does not accept."""

_GDAL: Final = {
    Alignment.NEAREST: Resampling.nearest,
    Alignment.BILINEAR: Resampling.bilinear,
    Alignment.AVERAGE: Resampling.average,
}


def align(layer: Layer, grid: Grid, out: Path, *, method: Alignment) -> str:
    """Write a layer on another grid's cells, of whatever system and resolution.

    Parameters
    ----------
    layer : as `geo.raster.open_layer` read it.
    grid : the cells to fill.
    out : a cloud-optimised GeoTIFF, written in one step.
    method : classes take `Alignment.NEAREST` only.

    Returns
    -------
    SHA-256 of the file.

    Raises
    ------
    RasterError : RASTER_METHOD_UNFIT for classes that would be averaged; RASTER_APART where the
        grids share no known cell; RASTER_UNREADABLE.
    """
    if layer.kind in CLASS_KINDS and method is not Alignment.NEAREST:
        raise RasterError(
            "RASTER_METHOD_UNFIT", file=layer.name, kind=layer.kind, method=method.value
        )
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".align-") as room:
        plain = Path(room) / "plain.tif"
        if not _warp(layer, grid, plain, method):
            raise RasterError("RASTER_APART", file=layer.name, crs=grid.crs)
        return copy_as_cog(plain, out, average=layer.kind not in CLASS_KINDS)


def usual_alignment(layer: Layer) -> Alignment:
    """Return the method where none is named: classes are never mixed, heights and shares are."""
    return Alignment.NEAREST if layer.kind in CLASS_KINDS else Alignment.BILINEAR


def _warp(layer: Layer, grid: Grid, plain: Path, method: Alignment) -> bool:
    """Fill a file of the new grid strip by strip; return whether any cell is known."""
    profile = {
        "driver": "GTiff",
        "dtype": layer.dtype,
        "count": 1,
        "width": grid.width,
        "height": grid.height,
        "crs": grid.crs,
        "transform": grid.transform,
        "nodata": layer.nodata,
        "compress": "DEFLATE",
        "BIGTIFF": "IF_SAFER",
    }
    known = False
    with (
        open_tiff(layer.path) as src,
        WarpedVRT(
            src,
            crs=grid.crs,
            transform=grid.transform,
            width=grid.width,
            height=grid.height,
            resampling=_GDAL[method],
            src_nodata=layer.nodata,
            nodata=layer.nodata,
            tolerance=_TOLERANCE_CELLS,
        ) as warped,
        rasterio.open(plain, "w", **profile) as made,
    ):
        for row in range(0, grid.height, STRIP_ROWS):
            window = Window(0, row, grid.width, min(STRIP_ROWS, grid.height - row))
            try:
                cells = warped.read(layer.band, window=window, masked=True)
            except RasterioError as error:
                raise RasterError("RASTER_UNREADABLE", file=layer.name, row=row) from error
            known = known or not bool(np.ma.getmaskarray(cells).all())
            made.write(cells.filled(layer.nodata), 1, window=window)
    return known
