"""Parcels on rasters: area by cohort, coverage-weighted means, class shares.

Layers are read once, in strips of rows, only where parcels lie; memory holds two strips and the
parcels.
All areas end as integer square decimetres that add up to the parcel's own area on the ellipsoid.
Long work: call it from a job, never from a request.
"""

import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numba as nb
import numpy as np
import shapely
from numpy.typing import NDArray

from geo.area import FLATTENING, SEMI_MAJOR_M, area_m2
from geo.coverage import (
    CellRings,
    Floats,
    Ints,
    cell_rings,
    chunk_bounds,
    count_classes,
    share_out,
    strip_items,
    sum_values,
)
from geo.pieces import Counted, Pieces, segments
from geo.raster import (
    STRIP_ROWS,
    ArrayLayer,
    Grid,
    RasterError,
    Reader,
    Source,
    is_missing,
    require_aligned,
)

MM2_PER_M2: Final = 1_000_000
DM2_PER_M2: Final = 100

MAX_COHORTS: Final = 1 << 22
"""Bound of the dense sums each thread keeps: 32 MB."""

BATCH_SLOTS: Final = 1 << 22
"""Bound of (parcel, cohort) pairs in flight: 48 MB."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassLayer:
    """One digit of the cohort number: cohort = sum of class x stride over the layers."""

    source: Source
    radix: int  # classes are 0 ... radix - 1
    stride: int
    lookup: NDArray[np.int32] | None = None
    """Class of each raw value, -1 for "not known"; without it the value is the class."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Histogram:
    """Area of every parcel by cohort; for each parcel all parts add up to its rounded area."""

    start: Ints  # (n + 1,) parcel i owns entries start[i]:start[i + 1]
    cohort: NDArray[np.int32]  # (k,) ascending within a parcel
    area_dm2: Ints  # (k,) above zero
    nodata_dm2: Ints  # (n,) inside the grid, some layer unknown
    outside_dm2: Ints  # (n,) off the grid

    @property
    def parcel(self) -> Ints:
        """Row of the parcel that owns each entry, (k,)."""
        return np.repeat(np.arange(len(self.nodata_dm2)), np.diff(self.start))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ZonalMean:
    """Coverage-weighted mean of a layer over each parcel."""

    mean: Floats  # (n,) NaN where nothing is known
    minimum: Floats  # (n,) of all cells touched
    maximum: Floats  # (n,)
    known_share: Floats  # (n,) share of the parcel that lies on known cells


def cohort_histogram(
    geometries: NDArray[Any],
    layers: Sequence[ClassLayer],
    *,
    parcel_area_m2: Floats | None = None,
    strip_rows: int = STRIP_ROWS,
) -> Histogram:
    """Sum each parcel's area by cohort, exactly to the dm2.

    A cell gives the share of it that the parcel covers, as integer mm2; the sums are scaled to the
    parcel's area on the ellipsoid and rounded once. On a projected grid this takes the projection's
    local scale as one factor for the whole parcel. Neither thread count, strip height, order of
    parcels nor other parcels in the call change a bit.

    Parameters
    ----------
    geometries : (n,) valid polygons or multipolygons, lon/lat.
    layers : aligned class layers with mixed-radix strides.
    parcel_area_m2 : (n,) areas already known; computed when left out.
    strip_rows : raster rows in memory at a time.

    Raises
    ------
    RasterError : layers not aligned, RASTER_CLASS_OUT_OF_RANGE.
    GeoError : COVERAGE_NOT_POLYGON, COVERAGE_OUTSIDE_CRS.
    ValueError : strides that overlap, or too many cohorts.
    """
    n_cohorts = _check_radices(layers)
    grid = require_aligned([layer.source for layer in layers])
    areas = area_m2(geometries) if parcel_area_m2 is None else parcel_area_m2
    rings = cell_rings(geometries, grid)
    cell_mm2 = cell_area_m2(grid) * MM2_PER_M2
    pieces = Pieces(len(rings))
    with contextlib.ExitStack() as stack:
        readers = [stack.enter_context(layer.source.reader()) for layer in layers]
        strips = _strips(rings, grid, strip_rows)
        for strip, cohorts in _ahead(strips, partial(_cohort_cells, layers, readers)):
            for items in _batches(strip.items, n_cohorts):
                counted = _count(
                    rings,
                    items,
                    cohorts=cohorts,
                    strip=strip,
                    cell_mm2=cell_mm2,
                    n_cohorts=n_cohorts,
                )
                pieces.add(items, counted)
    start, cohort, mm2 = pieces.merged()
    whole = _whole_mm2(rings, grid, areas, cell_mm2)
    return _histogram(start, cohort, mm2, nodata=pieces.nodata, areas=areas, whole=whole)


def zonal_mean(
    geometries: NDArray[Any],
    source: Source,
    *,
    strip_rows: int = STRIP_ROWS,
) -> ZonalMean:
    """Average a layer over each parcel, every cell weighted by the ground of it that is covered.

    Parameters
    ----------
    geometries : (n,) valid polygons or multipolygons, lon/lat.
    source : any numeric layer (slope, canopy, height); its unit is the unit of the result.
    strip_rows : raster rows in memory at a time; changes no bit of the result.
    """
    grid = source.grid
    rings = cell_rings(geometries, grid)
    cell_mm2 = cell_area_m2(grid) * MM2_PER_M2
    n = len(rings)
    weighted, weight = np.zeros(n), np.zeros(n)
    least, most = np.full(n, np.inf), np.full(n, -np.inf)
    with source.reader() as read:
        for strip in _strips(rings, grid, strip_rows):
            cells = read(strip.row0, strip.row1, strip.column0, strip.column1)
            values = cells.astype(np.float64)
            values[is_missing(cells, source.nodata)] = np.nan
            sum_values(
                rings.xy,
                rings.ring_start,
                rings.poly_start,
                rings.box,
                strip.items,
                chunk_bounds(strip.items, 4 * nb.get_num_threads()),
                values,
                strip.row0,
                strip.column0,
                cell_mm2,
                weighted,
                weight,
                least,
                most,
            )
    known = weight > 0.0
    mean = np.divide(weighted, weight, out=np.full(n, np.nan), where=known)
    whole = rings.cells * _cell_mm2_of_parcels(rings, cell_mm2)
    share = np.minimum(np.divide(weight, whole, out=np.zeros(n), where=whole > 0.0), 1.0)
    return ZonalMean(
        mean=mean,
        minimum=np.where(known, least, np.nan),
        maximum=np.where(known, most, np.nan),
        known_share=share,
    )


def combined_classes(
    layers: Sequence[ClassLayer], row0: int, row1: int, column0: int, column1: int
) -> NDArray[np.int32]:
    """Cohort number of every cell of a window, -1 where any layer is unknown.

    Raises
    ------
    RasterError : layers not aligned, RASTER_CLASS_OUT_OF_RANGE.
    """
    require_aligned([layer.source for layer in layers])
    none = np.empty((0, 5), np.int64)
    window = _Strip(row0=row0, row1=row1, column0=column0, column1=column1, items=none)
    with contextlib.ExitStack() as stack:
        readers = [stack.enter_context(layer.source.reader()) for layer in layers]
        return _cohort_cells(layers, readers, window)


def class_shares(histogram: Histogram, n_classes: int) -> Floats:
    """Return the share of each parcel's whole area in each class, (n, n_classes)."""
    n = len(histogram.nodata_dm2)
    area = np.zeros((n, n_classes))
    area[histogram.parcel, histogram.cohort] = histogram.area_dm2
    whole = area.sum(axis=1) + histogram.nodata_dm2 + histogram.outside_dm2
    share = np.zeros_like(area)
    np.divide(area, whole[:, None], out=share, where=whole[:, None] > 0)
    return share


def cell_area_m2(grid: Grid) -> Floats:
    """Area of a cell by row, (height,): on the ellipsoid for degrees, in the plane for metres."""
    if not grid.is_geographic:
        return np.full(grid.height, grid.cell_x * grid.cell_y)
    edges = np.radians(grid.origin_y - grid.cell_y * np.arange(grid.height + 1))
    rows: Floats = -np.diff(_zone_m2(np.clip(edges, -np.pi / 2, np.pi / 2))) * np.radians(
        grid.cell_x
    )
    return rows


def _zone_m2(latitude_rad: Floats) -> Floats:
    """Area between the equator and a latitude, m2 a radian of longitude (Snyder 1987, eq. 3-12)."""
    e2 = FLATTENING * (2.0 - FLATTENING)
    e, s = np.sqrt(e2), np.sin(latitude_rad)
    half_b2 = 0.5 * SEMI_MAJOR_M**2 * (1.0 - e2)
    zone: Floats = half_b2 * (s / (1.0 - e2 * s * s) + np.arctanh(e * s) / e)
    return zone


def warm_up() -> None:
    """Compile every kernel, or load it from the cache, before the first real work."""
    grid = Grid(
        crs="EPSG:4490", origin_x=0.0, origin_y=2.0, cell_x=1.0, cell_y=1.0, width=2, height=2
    )
    cells = np.ones((2, 2), np.uint8)
    layer = ArrayLayer(name="warm-up", grid=grid, nodata=0.0, cells=cells)
    parcel = np.array([shapely.box(0.25, 0.25, 1.5, 1.5)])
    cohort_histogram(parcel, [ClassLayer(source=layer, radix=2, stride=1)])
    zonal_mean(parcel, layer)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Strip:
    """Rows and columns of the grid that hold parcels, and the pieces of parcels there."""

    row0: int
    row1: int
    column0: int
    column1: int
    items: Ints


def _strips(rings: CellRings, grid: Grid, strip_rows: int) -> Iterator[_Strip]:
    """Cut the grid into strips, each no larger than the parcels in it."""
    for top in range(0, grid.height, strip_rows):
        items = strip_items(rings, grid, top, top + strip_rows)
        if len(items):
            yield _Strip(
                row0=int(items[:, 2].min()),
                row1=int(items[:, 4].max()),
                column0=int(items[:, 1].min()),
                column1=int(items[:, 3].max()),
                items=items,
            )


def _ahead(
    strips: Iterator[_Strip], read: Callable[[_Strip], NDArray[np.int32]]
) -> Iterator[tuple[_Strip, NDArray[np.int32]]]:
    """Read each strip while the one before it is counted."""
    with ThreadPoolExecutor(1) as reader:
        waiting: deque[tuple[_Strip, Future[NDArray[np.int32]]]] = deque()
        for strip in strips:
            waiting.append((strip, reader.submit(read, strip)))
            if len(waiting) > 1:
                before, cells = waiting.popleft()
                yield before, cells.result()
        for before, cells in waiting:
            yield before, cells.result()


def _slots(items: Ints, n_cohorts: int) -> Ints:
    """Most classes that each item can hold."""
    return np.minimum((items[:, 3] - items[:, 1]) * (items[:, 4] - items[:, 2]), n_cohorts)


def _batches(items: Ints, n_cohorts: int) -> Iterator[Ints]:
    """Cut a strip's items so that the slots of a batch stay within ``BATCH_SLOTS``."""
    ends = np.cumsum(_slots(items, n_cohorts))
    first, done = 0, 0
    while first < len(items):
        last = max(int(np.searchsorted(ends, done + BATCH_SLOTS, side="right")), first + 1)
        yield items[first:last]
        first, done = last, int(ends[last - 1])


def _cohort_cells(
    layers: Sequence[ClassLayer], readers: Sequence[Reader], strip: _Strip
) -> NDArray[np.int32]:
    """Cohort number of every cell of a strip, -1 where any layer is unknown."""
    shape = (strip.row1 - strip.row0, strip.column1 - strip.column0)
    total = np.zeros(shape, np.int32)
    missing = np.zeros(shape, np.bool_)
    for layer, read in zip(layers, readers, strict=True):
        cells = read(strip.row0, strip.row1, strip.column0, strip.column1)
        unknown = is_missing(cells, layer.source.nodata)
        top = layer.radix if layer.lookup is None else len(layer.lookup)
        outside = ((cells < 0) | (cells >= top)) & ~unknown
        if outside.any():
            _refuse_class(layer, cells, outside, strip)
        classes = np.where(unknown, 0, cells).astype(np.int32)
        if layer.lookup is not None:
            classes = layer.lookup[classes]
            unknown |= classes < 0
            if classes.max(initial=0) >= layer.radix:
                _refuse_class(layer, cells, classes >= layer.radix, strip)
        total += classes * np.int32(layer.stride)
        missing |= unknown
    total[missing] = -1
    return total


def _refuse_class(
    layer: ClassLayer, cells: NDArray[Any], bad: NDArray[np.bool_], strip: _Strip
) -> None:
    """Raise for the first cell whose value is no class of the layer."""
    row, column = np.unravel_index(int(bad.argmax()), bad.shape)
    raise RasterError(
        "RASTER_CLASS_OUT_OF_RANGE",
        file=layer.source.name,
        row=strip.row0 + int(row),
        column=strip.column0 + int(column),
        value=cells[row, column].item(),
        classes=layer.radix,
    )


def _count(
    rings: CellRings,
    items: Ints,
    *,
    cohorts: NDArray[np.int32],
    strip: _Strip,
    cell_mm2: Floats,
    n_cohorts: int,
) -> Counted:
    """Run the kernel over a batch of items and close the gaps in its output."""
    room = _slots(items, n_cohorts)
    slot = np.cumsum(room) - room
    out_cohort = np.empty(int(room.sum()), np.int32)
    out_mm2 = np.empty(int(room.sum()), np.int64)
    count, nodata = np.zeros(len(items), np.int64), np.zeros(len(items), np.int64)
    count_classes(
        rings.xy,
        rings.ring_start,
        rings.poly_start,
        rings.box,
        items,
        chunk_bounds(items, 4 * nb.get_num_threads()),
        cohorts,
        strip.row0,
        strip.column0,
        cell_mm2,
        n_cohorts,
        slot,
        out_cohort,
        out_mm2,
        count,
        nodata,
    )
    at = segments(slot, count)
    return Counted(count=count, cohort=out_cohort[at], mm2=out_mm2[at], nodata=nodata)


def _cell_mm2_of_parcels(rings: CellRings, cell_mm2: Floats) -> Floats:
    """Cell area at the middle row of each parcel, (n,)."""
    middle = (rings.box[:, 1] + rings.box[:, 3]) // 2
    areas: Floats = cell_mm2[np.clip(middle, 0, len(cell_mm2) - 1)]
    return areas


def _whole_mm2(rings: CellRings, grid: Grid, areas: Floats, cell_mm2: Floats) -> Ints:
    """Whole area in the grid's measure, mm2, of parcels over the edge; -1 for those inside."""
    over = (
        (rings.box[:, :2] < 0).any(axis=1)
        | (rings.box[:, 2] > grid.width)
        | (rings.box[:, 3] > grid.height)
    )
    whole = areas * MM2_PER_M2 if grid.is_geographic else rings.cells * cell_mm2[0]
    return np.where(over, np.rint(whole), -1).astype(np.int64)


def _histogram(
    start: Ints,
    cohort: NDArray[np.int32],
    mm2: Ints,
    *,
    nodata: Ints,
    areas: Floats,
    whole: Ints,
) -> Histogram:
    """Scale and round to dm2, and drop cohorts that come to none."""
    n = len(nodata)
    known = np.concatenate(([0], np.cumsum(mm2)))
    inside = known[start[1:]] - known[start[:-1]] + nodata
    outside = np.where(whole < 0, 0, np.maximum(whole - inside, 0))
    area_dm2, rest = np.zeros(len(mm2), np.int64), np.zeros((n, 2), np.int64)
    share_out(start, mm2, np.column_stack((nodata, outside)), areas * DM2_PER_M2, area_dm2, rest)
    keep = area_dm2 > 0
    return Histogram(
        start=np.concatenate(([0], np.cumsum(keep, dtype=np.int64)))[start],
        cohort=cohort[keep],
        area_dm2=area_dm2[keep],
        nodata_dm2=rest[:, 0],
        outside_dm2=rest[:, 1],
    )


def _check_radices(layers: Sequence[ClassLayer]) -> int:
    """Return the number of cohorts; strides must keep every combination apart."""
    if not layers:
        raise ValueError("a histogram needs at least one layer")
    reach = 1
    for layer in sorted(layers, key=lambda one: one.stride):
        if layer.stride < reach:
            raise ValueError(f"stride {layer.stride} of {layer.source.name} overlaps another layer")
        reach = layer.stride * layer.radix
    if reach > MAX_COHORTS:
        raise ValueError(f"{reach} cohorts are more than {MAX_COHORTS}")
    return reach
