"""Many raster files of one grid put together as one; where two of them differ, nothing is made."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from geo.raster import (
    CLASS_KINDS,
    MOST_CELLS,
    MOST_COLUMNS,
    STRIP_ROWS,
    Grid,
    GridMismatchError,
    RasterError,
    band_in,
    copy_as_cog,
    grid_in,
    is_missing,
    open_tiff,
)

_OFF_GRID_MAX: Final = 1e-3
"""Of a cell: writers round corners, so a part may lie this far off the others' cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    path: Path
    band: int
    grid: Grid
    dtype: str
    nodata: float


def mosaic(
    paths: Sequence[Path],
    out: Path,
    *,
    kind: str,
    nodata: float | None = None,
    band: int | None = None,
) -> str:
    """Put files of one reference system and one grid together and write them as one.

    Parts may overlap where they say the same; cells that no part covers are nodata.

    Parameters
    ----------
    paths : GeoTIFFs; their order changes nothing.
    out : a cloud-optimised GeoTIFF, written in one step.
    kind : as of `geo.raster.open_layer`; classes get overviews of nearest cells, others averages.
    nodata : value that means "not known" in parts that do not say; a part's own wins.
    band : band number from 1, where parts hold several.

    Returns
    -------
    SHA-256 of the file.

    Raises
    ------
    RasterError : what `geo.raster.open_layer` refuses of a grid, RASTER_PARTS_DIFFER (type of
        number), or RASTER_PARTS_DISAGREE with the first cell that two parts know differently.
    GridMismatchError : RASTER_CRS_MISMATCH or RASTER_GRID_MISMATCH, naming both parts.
    """
    parts = [_part(path, nodata, band) for path in sorted(paths, key=lambda one: one.name)]
    whole = _union(parts)
    missing = parts[0].nodata
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".mosaic-") as room:
        plain = Path(room) / "plain.tif"
        profile = {
            "driver": "GTiff",
            "dtype": parts[0].dtype,
            "count": 1,
            "width": whole.width,
            "height": whole.height,
            "crs": whole.crs,
            "transform": whole.transform,
            "nodata": missing,
            "tiled": True,
            "blockxsize": STRIP_ROWS,
            "blockysize": STRIP_ROWS,
            "compress": "DEFLATE",
            "BIGTIFF": "IF_SAFER",
            "SPARSE_OK": "TRUE",
        }
        with rasterio.open(plain, "w+", **profile) as made:
            for number, part in enumerate(parts):
                _lay(part, made, whole, missing, parts[:number])
        return copy_as_cog(plain, out, average=kind not in CLASS_KINDS)


def _part(path: Path, nodata: float | None, band: int | None) -> _Part:
    with open_tiff(path) as src:
        number = band_in(src, path, band)
        declared = src.nodatavals[number - 1]
        missing = nodata if declared is None else float(declared)
        if missing is None:
            raise RasterError("RASTER_NO_NODATA", file=path.name)
        grid = grid_in(src, path)
        dtype = str(src.dtypes[number - 1])
    return _Part(path=path, band=number, grid=grid, dtype=dtype, nodata=missing)


def _union(parts: Sequence[_Part]) -> Grid:
    """Return the one grid that holds every part cell on cell."""
    first = parts[0]
    for other in parts[1:]:
        names = {"first": first.path.name, "second": other.path.name}
        if other.grid.crs != first.grid.crs:
            crs = {"first_crs": first.grid.crs, "second_crs": other.grid.crs}
            raise GridMismatchError("RASTER_CRS_MISMATCH", **names, **crs)
        if other.dtype != first.dtype:
            types = {"first_dtype": first.dtype, "second_dtype": other.dtype}
            raise RasterError("RASTER_PARTS_DIFFER", **names, **types)
        if not _on_cells(first.grid, other.grid):
            raise GridMismatchError(
                "RASTER_GRID_MISMATCH",
                **names,
                first_grid=first.grid.in_words(),
                second_grid=other.grid.in_words(),
            )
    cell_x, cell_y = first.grid.cell_x, first.grid.cell_y
    places = [_place(first.grid, part.grid) for part in parts]
    row0 = min(row for row, _ in places)
    column0 = min(column for _, column in places)
    height = max(r + p.grid.height for (r, _), p in zip(places, parts, strict=True)) - row0
    width = max(c + p.grid.width for (_, c), p in zip(places, parts, strict=True)) - column0
    if width > MOST_COLUMNS or width * height > MOST_CELLS:
        raise RasterError(
            "RASTER_TOO_LARGE",
            file=first.path.name,
            width=width,
            height=height,
            cells_max=MOST_CELLS,
            width_max=MOST_COLUMNS,
        )
    return replace(
        first.grid,
        origin_x=first.grid.origin_x + column0 * cell_x,
        origin_y=first.grid.origin_y - row0 * cell_y,
        width=width,
        height=height,
    )


def _on_cells(first: Grid, other: Grid) -> bool:
    """Whether the other's cells are the first's, continued: same size, whole cells apart."""
    tolerance_x = _OFF_GRID_MAX * first.cell_x / max(first.width, other.width)
    tolerance_y = _OFF_GRID_MAX * first.cell_y / max(first.height, other.height)
    if abs(first.cell_x - other.cell_x) > tolerance_x:
        return False
    if abs(first.cell_y - other.cell_y) > tolerance_y:
        return False
    off_x = (other.origin_x - first.origin_x) / first.cell_x
    off_y = (first.origin_y - other.origin_y) / first.cell_y
    return max(abs(off_x - round(off_x)), abs(off_y - round(off_y))) <= _OFF_GRID_MAX


def _place(whole: Grid, part: Grid) -> tuple[int, int]:
    """(row, column) of a part's first cell in a grid that it lies on."""
    row = round((whole.origin_y - part.origin_y) / whole.cell_y)
    return row, round((part.origin_x - whole.origin_x) / whole.cell_x)


def _lay(
    part: _Part,
    made: Any,  # noqa: ANN401 -- rasterio is untyped
    whole: Grid,
    nodata: float,
    laid: Sequence[_Part],
) -> None:
    """Write a part's known cells; refuse where an earlier part knows otherwise."""
    row0, column0 = _place(whole, part.grid)
    with open_tiff(part.path) as src:
        for row in range(0, part.grid.height, STRIP_ROWS):
            rows = min(STRIP_ROWS, part.grid.height - row)
            cells = src.read(part.band, window=Window(0, row, part.grid.width, rows))
            window = Window(column0, row0 + row, part.grid.width, rows)
            there = made.read(1, window=window)
            known, before = ~is_missing(cells, part.nodata), ~is_missing(there, nodata)
            differ = known & before & (cells != there)
            if differ.any():
                _refuse(part, row, differ, (cells, there), laid)
            made.write(np.where(known, cells, there), 1, window=window)


def _refuse(
    part: _Part,
    row: int,
    differ: NDArray[np.bool_],
    cells: tuple[NDArray[Any], NDArray[Any]],
    laid: Sequence[_Part],
) -> None:
    at = np.unravel_index(int(differ.argmax()), differ.shape)
    raise RasterError(
        "RASTER_PARTS_DISAGREE",
        file=part.path.name,
        others=", ".join(one.path.name for one in laid),
        row=row + int(at[0]),
        column=int(at[1]),
        value=cells[0][at].item(),
        other=cells[1][at].item(),
    )
