"""Raster layers: one band of one file with a declared system, grid and nodata; refused when not.

A layer that is open here has been read wholly once: it is not cut off, its values are of its kind,
and its digest names exactly the bytes that later results come from.
"""

import contextlib
import hashlib
import os
import tempfile
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.shutil import copy as raster_copy
from rasterio.transform import Affine
from rasterio.warp import transform
from rasterio.windows import Window

from geo.errors import GeoError

STRIP_ROWS: Final = 512
"""Rows held in memory at a time; one row of blocks of our own layers."""

MOST_CELLS: Final = 40_000_000_000
MOST_COLUMNS: Final = 500_000
"""A province at 2 m; a file that claims more is a slip or a trap: its strips fill the memory."""

CLASS_KINDS: Final = frozenset(
    {"species", "age", "site", "land_class", "origin", "disturbance", "loss"}
)
"""Kinds whose values are counted, not averaged, and so are whole numbers."""

Reader: TypeAlias = Callable[[int, int, int, int], NDArray[Any]]
"""(first row, row after the last, first column, column after the last) -> the cells between."""


class RasterError(GeoError):
    """A raster file or layer that must not be used."""


class GridMismatchError(RasterError):
    """Layers that should lie cell on cell do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """North-up cells: where they lie and how many there are."""

    crs: str  # "EPSG:4549", or WKT where the file names no authority
    origin_x: float  # west edge, units of the CRS
    origin_y: float  # north edge
    cell_x: float  # width of a cell, > 0
    cell_y: float  # height of a cell, > 0
    width: int
    height: int

    @property
    def transform(self) -> Affine:
        """The affine transform GDAL writes for this grid."""
        return Affine(self.cell_x, 0.0, self.origin_x, 0.0, -self.cell_y, self.origin_y)

    @property
    def is_geographic(self) -> bool:
        """Whether the cells are degrees."""
        return bool(rasterio.crs.CRS.from_user_input(self.crs).is_geographic)

    def in_words(self) -> str:
        """Say the grid in a few words, for an error that names two of them."""
        return (
            f"{self.width} x {self.height} @ {self.origin_x:.9g}, {self.origin_y:.9g} "
            f"({self.cell_x:.9g} x {self.cell_y:.9g})"
        )


class Source(Protocol):
    """What the zonal sums need: a grid, what is missing in it, and its cells by window."""

    @property
    def name(self) -> str:
        """Name used in errors."""
        ...

    @property
    def grid(self) -> Grid:
        """Where the cells lie."""
        ...

    @property
    def nodata(self) -> float | None:
        """Value that means "not known"; None when every finite value is one."""
        ...

    def reader(self) -> contextlib.AbstractContextManager[Reader]:
        """Open the cells for reading."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One band of a raster file, checked by :func:`open_layer`."""

    path: Path
    kind: str
    grid: Grid
    dtype: str
    nodata: float | None
    band: int
    sha256: str
    year: int | None

    @property
    def name(self) -> str:
        """File name, for errors and evidence."""
        return self.path.name

    @property
    def crs(self) -> str:
        """Reference system of the grid."""
        return self.grid.crs

    @contextlib.contextmanager
    def reader(self) -> Iterator[Reader]:
        """Open the file and give a function that reads a window of it."""
        with open_tiff(self.path) as src:

            def read(row0: int, row1: int, col0: int, col1: int) -> NDArray[Any]:
                window = Window(col0, row0, col1 - col0, row1 - row0)
                try:
                    cells: NDArray[Any] = src.read(self.band, window=window)
                except RasterioError as error:
                    raise RasterError("RASTER_UNREADABLE", file=self.name, row=row0) from error
                return cells

            yield read


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayLayer:
    """Cells already in memory, where a file would otherwise be."""

    name: str
    grid: Grid
    nodata: float | None
    cells: NDArray[Any]

    @contextlib.contextmanager
    def reader(self) -> Iterator[Reader]:
        """Give a function that cuts windows out of the array."""
        yield lambda row0, row1, col0, col1: self.cells[row0:row1, col0:col1]


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def open_layer(
    path: Path,
    *,
    kind: str,
    nodata: float | None = None,
    allowed: Collection[int] | None = None,
    year: int | None = None,
    band: int | None = None,
    limits: tuple[float, float] | None = None,
) -> Layer:
    """Check one band of a GeoTIFF wholly and return what later steps need of it.

    Parameters
    ----------
    path : the file.
    kind : "species", "age", "site", "land_class", "dem", "canopy" ...; those in ``CLASS_KINDS``
        hold whole numbers.
    nodata : value that means "not known", where the file does not say; the file's own wins.
    allowed : codes that may occur in a class layer.
    year : year the layer shows.
    band : band number from 1; may be left out for files of one band.
    limits : least and most of what a cell may hold.

    Raises
    ------
    RasterError : RASTER_UNREADABLE, RASTER_MANY_BANDS, RASTER_NO_CRS, RASTER_NO_NODATA,
        RASTER_ROTATED, RASTER_TOO_LARGE, RASTER_WRONG_DTYPE, RASTER_ALL_NODATA,
        RASTER_NOT_FINITE, RASTER_NEGATIVE_AGE, RASTER_LOSS_YEAR, RASTER_OUTSIDE_LIMITS,
        RASTER_UNKNOWN_SPECIES or RASTER_UNKNOWN_CLASS.
    """
    with open_tiff(path) as src:
        number = band_in(src, path, band)
        grid = grid_in(src, path)
        dtype = str(src.dtypes[number - 1])
        _check_dtype(dtype, kind, path)
        declared = src.nodatavals[number - 1]
        missing = nodata if declared is None else float(declared)
        if missing is None:
            raise RasterError("RASTER_NO_NODATA", file=path.name)
        _check_values(src, number, path, kind=kind, nodata=missing, allowed=allowed, limits=limits)
    return Layer(
        path=path,
        kind=kind,
        grid=grid,
        dtype=dtype,
        nodata=missing,
        band=number,
        sha256=file_sha256(path),
        year=year,
    )


def require_aligned(layers: Sequence[Source]) -> Grid:
    """Return the one grid that all layers share.

    Raises
    ------
    GridMismatchError : RASTER_CRS_MISMATCH or RASTER_GRID_MISMATCH, naming both layers.
    """
    first = layers[0]
    for other in layers[1:]:
        names = {"first": first.name, "second": other.name}
        if other.grid.crs != first.grid.crs:
            crs = {"first_crs": first.grid.crs, "second_crs": other.grid.crs}
            raise GridMismatchError("RASTER_CRS_MISMATCH", **names, **crs)
        if other.grid != first.grid:
            raise GridMismatchError(
                "RASTER_GRID_MISMATCH",
                **names,
                first_grid=first.grid.in_words(),
                second_grid=other.grid.in_words(),
            )
    return first.grid


def footprint(grid: Grid, *, steps: int = 8) -> tuple[tuple[float, float], ...]:
    """Return the outline of a grid, longitude and latitude, closed, counter-clockwise.

    Each side has ``steps`` parts, so that one that is straight on the grid bends as it does.
    """
    along = np.linspace(0.0, 1.0, steps, endpoint=False)
    width, height = grid.cell_x * grid.width, grid.cell_y * grid.height
    nought, one = np.zeros(steps), np.ones(steps)
    x = np.concatenate([along, one, 1 - along, nought, nought[:1]]) * width + grid.origin_x
    y = np.concatenate([nought, along, one, 1 - along, nought[:1]]) * height
    lon, lat = transform(grid.crs, "EPSG:4490", x, y + grid.origin_y - height)[:2]
    return tuple((float(a), float(b)) for a, b in zip(lon, lat, strict=True))


def is_missing(cells: NDArray[Any], nodata: float | None) -> NDArray[np.bool_]:
    """Which cells hold nothing: the nodata value, or NaN in a layer of floats."""
    missing = np.zeros(cells.shape, np.bool_)
    if cells.dtype.kind == "f":
        missing |= np.isnan(cells)
    if nodata is not None and not np.isnan(nodata):
        missing |= cells == nodata
    return missing


def write_cog(
    path: Path,
    cells: NDArray[Any],
    *,
    grid: Grid,
    nodata: float,
    tags: Mapping[str, str] | None = None,
    average: bool = False,
) -> str:
    """Write a cloud-optimised GeoTIFF; equal arguments give equal bytes.

    Parameters
    ----------
    path : where to; an older file there is replaced in one step.
    cells : (height, width) values.
    grid : where the cells lie.
    nodata : value that means "not known".
    tags : written as dataset tags, sorted by name.
    average : overviews are averages (heights), not the nearest cell (classes).

    Returns
    -------
    SHA-256 of the file.
    """
    if cells.shape != (grid.height, grid.width):
        raise ValueError(f"{cells.shape} cells do not fill a {grid.height} x {grid.width} grid")
    profile = {
        "driver": "GTiff",
        "dtype": cells.dtype.name,
        "count": 1,
        "width": grid.width,
        "height": grid.height,
        "crs": grid.crs,
        "transform": grid.transform,
        "nodata": nodata,
    }
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".cog-") as room:
        plain = Path(room) / "plain.tif"
        with rasterio.open(plain, "w", **profile) as dst:
            dst.write(cells, 1)
            dst.update_tags(**dict(sorted((tags or {}).items())))
        return copy_as_cog(plain, path, average=average)


def copy_as_cog(plain: Path, path: Path, *, average: bool = False) -> str:
    """Copy a GeoTIFF as a cloud-optimised one in one step; equal cells give equal bytes.

    Returns
    -------
    SHA-256 of the file.
    """
    with open_tiff(plain) as src:
        floats = np.dtype(src.dtypes[0]).kind == "f"
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".cog-") as room:
        done = Path(room) / "done.tif"
        raster_copy(
            str(plain),
            str(done),
            driver="COG",
            BLOCKSIZE=STRIP_ROWS,
            COMPRESS="DEFLATE",
            PREDICTOR="FLOATING_POINT" if floats else "STANDARD",
            OVERVIEW_RESAMPLING=(Resampling.average if average else Resampling.nearest).name,
            NUM_THREADS="1",
        )
        digest = file_sha256(done)
        os.replace(done, path)  # noqa: PTH105 -- one atomic step, same file system
    return digest


@contextlib.contextmanager
def open_tiff(path: Path) -> Iterator[Any]:
    """Open a GeoTIFF and no other format: a VRT could name files and addresses of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        try:
            src = rasterio.open(path, driver="GTiff", NUM_THREADS="1")
        except RasterioError as error:
            raise RasterError("RASTER_UNREADABLE", file=path.name, row=0) from error
    with src:
        yield src


def band_in(src: Any, path: Path, band: int | None) -> int:  # noqa: ANN401 -- rasterio is untyped
    """Return the band to read; a file of several needs to be told which."""
    if band is None and src.count != 1:
        raise RasterError("RASTER_MANY_BANDS", file=path.name, bands=src.count)
    number = band or 1
    if not 1 <= number <= src.count:
        raise RasterError("RASTER_MANY_BANDS", file=path.name, bands=src.count)
    return number


def grid_in(src: Any, path: Path) -> Grid:  # noqa: ANN401 -- rasterio is untyped
    """Return the grid of an open file, or refuse it."""
    if src.crs is None or src.transform == Affine.identity():
        raise RasterError("RASTER_NO_CRS", file=path.name)
    t = src.transform
    if t.b != 0.0 or t.d != 0.0 or t.a <= 0.0 or t.e >= 0.0:
        raise RasterError("RASTER_ROTATED", file=path.name)
    if src.width > MOST_COLUMNS or src.width * src.height > MOST_CELLS:
        raise RasterError(
            "RASTER_TOO_LARGE",
            file=path.name,
            width=src.width,
            height=src.height,
            cells_max=MOST_CELLS,
            width_max=MOST_COLUMNS,
        )
    return Grid(
        crs=src.crs.to_string(),
        origin_x=t.c,
        origin_y=t.f,
        cell_x=t.a,
        cell_y=-t.e,
        width=src.width,
        height=src.height,
    )


def _check_dtype(dtype: str, kind: str, path: Path) -> None:
    """Classes are whole numbers; nothing is complex."""
    whole = np.dtype(dtype).kind in "iu"
    if (kind in CLASS_KINDS and not whole) or dtype.startswith("complex"):
        raise RasterError("RASTER_WRONG_DTYPE", file=path.name, dtype=dtype, kind=kind)


def _check_values(
    src: Any,  # noqa: ANN401 -- rasterio is untyped
    band: int,
    path: Path,
    *,
    kind: str,
    nodata: float,
    allowed: Collection[int] | None,
    limits: tuple[float, float] | None,
) -> None:
    """Read every cell once: the file is whole, not empty, and holds values of its kind."""
    known = 0
    codes = None if allowed is None else np.array(sorted(allowed), np.int64)
    for row in range(0, src.height, STRIP_ROWS):
        rows = min(STRIP_ROWS, src.height - row)
        try:
            cells = src.read(band, window=Window(0, row, src.width, rows))
        except RasterioError as error:
            raise RasterError("RASTER_UNREADABLE", file=path.name, row=row) from error
        present = ~is_missing(cells, nodata)
        known += int(np.count_nonzero(present))
        if cells.dtype.kind == "f":
            _refuse(present & np.isinf(cells), cells, row, path, "RASTER_NOT_FINITE")
        if kind == "age":
            _refuse(present & (cells < 0), cells, row, path, "RASTER_NEGATIVE_AGE")
        if codes is not None:
            code = _UNKNOWN.get(kind, "RASTER_UNKNOWN_CLASS")
            latest = {"latest": int(codes[-1])} if kind == "loss" else {}
            _refuse(present & ~np.isin(cells, codes), cells, row, path, code, **latest)
        if limits is not None:
            low, high = limits
            _refuse(
                present & ((cells < low) | (cells > high)),
                cells,
                row,
                path,
                "RASTER_OUTSIDE_LIMITS",
                low=low,
                high=high,
            )
    if known == 0:
        raise RasterError("RASTER_ALL_NODATA", file=path.name, nodata=nodata)


_UNKNOWN: Final = {"species": "RASTER_UNKNOWN_SPECIES", "loss": "RASTER_LOSS_YEAR"}


def _refuse(
    bad: NDArray[np.bool_],
    cells: NDArray[Any],
    row: int,
    path: Path,
    code: str,
    **more: float,
) -> None:
    """Raise for the first bad cell, if there is one, with its place and value."""
    if not bad.any():
        return
    at = np.unravel_index(int(bad.argmax()), bad.shape)
    raise RasterError(
        code,
        file=path.name,
        row=row + int(at[0]),
        column=int(at[1]),
        value=cells[at].item(),
        **more,
    )
