"""The cells of a layer under some ground, cut out, and read again as if they still lay in it.

A grid of the cut's own would move its origin, and with it the last bits of every coverage; so a
cut keeps the whole layer's grid and knows where in it it lies.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.coverage import cell_rings
from geo.raster import Grid, Reader, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """The cells of a grid that some ground may touch: first and after the last, and their grid."""

    whole: Grid
    rows: tuple[int, int]
    columns: tuple[int, int]

    @property
    def cells(self) -> int:
        """How many they are; none where the ground lies wholly off the grid."""
        return (self.rows[1] - self.rows[0]) * (self.columns[1] - self.columns[0])

    @property
    def grid(self) -> Grid:
        """Where they lie."""
        return replace(
            self.whole,
            origin_x=self.whole.origin_x + self.columns[0] * self.whole.cell_x,
            origin_y=self.whole.origin_y - self.rows[0] * self.whole.cell_y,
            width=self.columns[1] - self.columns[0],
            height=self.rows[1] - self.rows[0],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cut:
    """A window of a layer: a `geo.raster.Source` that knows only its own cells.

    Attributes
    ----------
    grid : of the whole layer.
    row0, column0 : where the first cell lies in it.
    cells : (rows, columns); what lies around them is read as nodata.
    """

    name: str
    grid: Grid
    nodata: float | None
    row0: int
    column0: int
    cells: NDArray[Any]

    @property
    def own_grid(self) -> Grid:
        """Where the cut's cells lie, for a file of its own."""
        rows, columns = self.cells.shape
        return Box(
            whole=self.grid,
            rows=(self.row0, self.row0 + rows),
            columns=(self.column0, self.column0 + columns),
        ).grid

    @contextlib.contextmanager
    def reader(self) -> Iterator[Reader]:
        """Give a function that reads windows of the whole layer."""

        def read(row0: int, row1: int, col0: int, col1: int) -> NDArray[Any]:
            found = np.full((row1 - row0, col1 - col0), self.nodata, self.cells.dtype)
            rows, columns = self.cells.shape
            top, left = max(row0, self.row0), max(col0, self.column0)
            bottom, right = min(row1, self.row0 + rows), min(col1, self.column0 + columns)
            if top < bottom and left < right:
                found[top - row0 : bottom - row0, left - col0 : right - col0] = self.cells[
                    top - self.row0 : bottom - self.row0, left - self.column0 : right - self.column0
                ]
            return found

        yield read


def box_of(grid: Grid, geometries: NDArray[Any]) -> Box:
    """Return the cells around some ground: (n,) valid polygons or multipolygons, lon/lat."""
    box = cell_rings(geometries, grid).box
    column0, row0 = (max(int(box[:, i].min()), 0) for i in (0, 1))
    column1 = min(int(box[:, 2].max()), grid.width)
    row1 = min(int(box[:, 3].max()), grid.height)
    if column1 <= column0 or row1 <= row0:
        row0 = row1 = column0 = column1 = 0
    return Box(whole=grid, rows=(row0, row1), columns=(column0, column1))


def cut(source: Source, geometries: NDArray[Any]) -> Cut:
    """Cut out every cell of a layer that some ground may touch.

    Parameters
    ----------
    source : the layer.
    geometries : (n,) valid polygons or multipolygons, lon/lat.

    Returns
    -------
    The cells of the box around the ground; none where it lies wholly off the layer.
    """
    box = box_of(source.grid, geometries)
    (row0, row1), (column0, column1) = box.rows, box.columns
    with source.reader() as read:
        cells = read(row0, row1, column0, column1) if row1 else read(0, 1, 0, 1)[:0, :0]
    return Cut(
        name=source.name,
        grid=source.grid,
        nodata=source.nodata,
        row0=row0,
        column0=column0,
        cells=cells,
    )
