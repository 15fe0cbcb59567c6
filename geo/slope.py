"""Slope of the ground from a height grid; the method is part of the result's name.

Methods differ by up to 10 degrees on steep 25 m cells, so evidence must say which one was used.
A cell without height has no slope. A missing neighbour, at the edge of the grid or beside a hole,
is continued: a side from the one opposite (level with the cell where both are missing), a corner
from its two sides.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.area import FLATTENING, SEMI_MAJOR_M
from geo.raster import STRIP_ROWS, Grid, Reader, Source, is_missing

Floats = NDArray[np.float64]


class SlopeMethod(StrEnum):
    """How the gradient is taken from the eight neighbours."""

    ZEVENBERGEN_THORNE = "zevenbergen_thorne"
    """Central differences of the four neighbours (Zevenbergen & Thorne 1987); SAGA's default."""

    HORN = "horn"
    """Weighted differences of the eight neighbours (Horn 1981); gdaldem's default."""


_WEIGHTS: Final = {SlopeMethod.ZEVENBERGEN_THORNE: (0.0, 1.0), SlopeMethod.HORN: (1.0, 2.0)}
"""Weight of a corner neighbour and of a side neighbour."""


def slope_deg(
    height_m: NDArray[np.floating],
    *,
    cell_x_m: Floats | float,
    cell_y_m: Floats | float,
    method: SlopeMethod = SlopeMethod.ZEVENBERGEN_THORNE,
) -> Floats:
    """Slope of every cell, degrees.

    Parameters
    ----------
    height_m : (rows, columns) metres, NaN where unknown.
    cell_x_m, cell_y_m : size of a cell in metres, one number or one for each row.
    method : how the gradient is taken.

    Returns
    -------
    (rows, columns) 0 to below 90; NaN where the height is unknown.

    References
    ----------
    Zevenbergen and Thorne (1987), Earth Surf. Process. Landf. 12: 47-56. Horn (1981), Proc. IEEE
    69: 14-47.
    """
    height = np.asarray(height_m, np.float64)
    corner, side = _WEIGHTS[method]
    around = _neighbours(height)
    west = corner * (around[0, 0] + around[2, 0]) + side * around[1, 0]
    east = corner * (around[0, 2] + around[2, 2]) + side * around[1, 2]
    north = corner * (around[0, 0] + around[0, 2]) + side * around[0, 1]
    south = corner * (around[2, 0] + around[2, 2]) + side * around[2, 1]
    span = 2.0 * (2.0 * corner + side)
    rise_x = (east - west) / (span * np.reshape(cell_x_m, (-1, 1)))
    rise_y = (south - north) / (span * np.reshape(cell_y_m, (-1, 1)))
    slope: Floats = np.degrees(np.arctan(np.hypot(rise_x, rise_y)))
    slope[np.isnan(height)] = np.nan
    return slope


@dataclass(frozen=True, slots=True, kw_only=True)
class SlopeLayer:
    """Slope of a height layer, made window by window as it is read; a source like any other.

    Each window is read with one cell around it, so how the layer is cut changes no value and the
    whole of it is never in memory.
    """

    dem: Source
    method: SlopeMethod = SlopeMethod.ZEVENBERGEN_THORNE

    @property
    def name(self) -> str:
        """Name of the height layer and of the method, for evidence."""
        return f"{self.dem.name} ({self.method.value})"

    @property
    def grid(self) -> Grid:
        """Grid of the height layer."""
        return self.dem.grid

    @property
    def nodata(self) -> float | None:
        """None: what is unknown is NaN."""
        return None

    @contextlib.contextmanager
    def reader(self) -> Iterator[Reader]:
        """Open the height layer and give a function that makes slopes of a window of it."""
        grid = self.grid
        cell_x_m, cell_y_m = cell_size_m(grid)
        with self.dem.reader() as read_height:

            def read(row0: int, row1: int, col0: int, col1: int) -> Floats:
                top, bottom = max(row0 - 1, 0), min(row1 + 1, grid.height)
                left, right = max(col0 - 1, 0), min(col1 + 1, grid.width)
                cells = read_height(top, bottom, left, right)
                height = cells.astype(np.float64)
                height[is_missing(cells, self.dem.nodata)] = np.nan
                slope = slope_deg(
                    height,
                    cell_x_m=cell_x_m[top:bottom],
                    cell_y_m=cell_y_m[top:bottom],
                    method=self.method,
                )
                return slope[row0 - top : row1 - top, col0 - left : col1 - left]

            yield read


def layer_slope_deg(
    source: Source, *, method: SlopeMethod = SlopeMethod.ZEVENBERGEN_THORNE
) -> Floats:
    """Slope of a whole height layer, degrees, (height, width); NaN where unknown."""
    grid = source.grid
    slope = np.empty((grid.height, grid.width))
    with SlopeLayer(dem=source, method=method).reader() as read:
        for row in range(0, grid.height, STRIP_ROWS):
            end = min(row + STRIP_ROWS, grid.height)
            slope[row:end] = read(row, end, 0, grid.width)
    return slope


def cell_size_m(grid: Grid) -> tuple[Floats, Floats]:
    """Width and height of the cells of each row in metres, each (rows,).

    Degrees are turned into metres with the radii of curvature at the middle of the row; a projected
    grid is taken as metres.
    """
    if not grid.is_geographic:
        return np.full(grid.height, grid.cell_x), np.full(grid.height, grid.cell_y)
    latitude = np.radians(grid.origin_y - grid.cell_y * (np.arange(grid.height) + 0.5))
    e2 = FLATTENING * (2.0 - FLATTENING)
    w = np.sqrt(1.0 - e2 * np.sin(latitude) ** 2)
    across = SEMI_MAJOR_M / w * np.cos(latitude)
    along = SEMI_MAJOR_M * (1.0 - e2) / w**3
    return across * np.radians(grid.cell_x), along * np.radians(grid.cell_y)


def _neighbours(height: Floats) -> Floats:
    """Heights around every cell, (3, 3, rows, columns), missing ones continued."""
    padded = np.pad(height, 1, constant_values=np.nan)
    rows, columns = height.shape
    around = np.empty((3, 3, rows, columns))
    for down in range(3):
        for right in range(3):
            around[down, right] = padded[down : down + rows, right : right + columns]
    around[1, 1] = height
    for down, right in ((0, 1), (1, 0), (1, 2), (2, 1)):
        facing = around[2 - down, 2 - right]
        mirror = np.where(np.isnan(facing), height, 2.0 * height - facing)
        around[down, right] = np.where(np.isnan(around[down, right]), mirror, around[down, right])
    for down, right in ((0, 0), (0, 2), (2, 0), (2, 2)):
        plane = around[down, 1] + around[1, right] - height
        around[down, right] = np.where(np.isnan(around[down, right]), plane, around[down, right])
    return around
