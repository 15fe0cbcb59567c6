"""Ground that a raster shows as lost: connected cells of one year, and what parcels hold of them.

A loss raster gives each cell the year in which its stand was lost.  Cells of one year that touch,
corners included, are a patch; one smaller than the mapping unit is noise of the classification and
not told of.  Only lost cells are kept in memory, not the raster.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.area import area_m2
from geo.coverage import LON_LAT, Ints
from geo.cutout import box_of
from geo.raster import STRIP_ROWS, Grid, RasterError, Reader, Source, is_missing
from geo.zonal import ClassLayer, cell_area_m2, cohort_histogram

YEAR_BEFORE: Final = 2000
LAST_SHORT: Final = 99
"""Values up to it count from 2000: 1 is 2001 (Hansen et al. 2013, Science 342: 850-853)."""

YEARS: Final = 101
"""Classes: 0 is "not lost", k is the year 2000 + k."""

MARGIN_CELLS: Final = 128
"""Cells around the parcels in which a patch is followed beyond them."""

_NEARLY: Final = 0.9
"""Below it a patch's cells, each as large as the plane says, can't come to the mapping unit."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Patches:
    """Patches of at least the mapping unit, in the order of their year and first cell."""

    year: NDArray[np.int32]  # (n,)
    geometry: NDArray[Any]  # (n,) polygons or multipolygons, lon/lat
    area_m2: NDArray[np.float64]  # (n,) on the ellipsoid


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """What parcels hold of patches; one row a pair that shares ground."""

    patch: Ints  # (k,) row of the patch
    parcel: Ints  # (k,) row of the parcel
    geometry: NDArray[Any]  # (k,)
    area_m2: NDArray[np.float64]  # (k,)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lost:
    """Area of each parcel by year of loss, exact to the dm2; only years in which there is some."""

    years: tuple[tuple[int, ...], ...]
    area_dm2: tuple[tuple[int, ...], ...]
    nodata_dm2: Ints
    outside_dm2: Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Runs:
    """Lost cells of a row that lie side by side and have one year."""

    row: Ints
    first: Ints
    past: Ints
    year: NDArray[np.int32]


def loss_year(value: int) -> int:
    """Return the year that a cell's value means; 0 is not lost, as is what means no year."""
    if 0 < value <= LAST_SHORT:
        return YEAR_BEFORE + value
    return value if YEAR_BEFORE < value < YEAR_BEFORE + YEARS else 0


def loss_values(latest: int) -> set[int]:
    """Return the values a loss raster may hold that shows the end of the year ``latest``."""
    years = range(YEAR_BEFORE + 1, min(latest, YEAR_BEFORE + YEARS - 1) + 1)
    return {0, *years, *(year - YEAR_BEFORE for year in years if year - YEAR_BEFORE <= LAST_SHORT)}


def lost_areas(
    geometries: NDArray[Any], source: Source, *, parcel_area_m2: NDArray[np.float64] | None = None
) -> Lost:
    """Measure each parcel's lost ground by year, exactly to the dm2.

    Parameters
    ----------
    geometries : (n,) valid polygons or multipolygons, lon/lat.
    source : a loss raster.
    parcel_area_m2 : (n,) areas already known.

    Raises
    ------
    RasterError : RASTER_CLASS_OUT_OF_RANGE for a value that means no year.
    GeoError : as `geo.zonal.cohort_histogram`.
    """
    counted = cohort_histogram(
        geometries,
        [ClassLayer(source=source, radix=YEARS, stride=1, lookup=_lookup())],
        parcel_area_m2=parcel_area_m2,
    )
    years, areas = [], []
    for first, last in zip(counted.start[:-1], counted.start[1:], strict=True):
        lost = [i for i in range(int(first), int(last)) if counted.cohort[i] > 0]
        years.append(tuple(YEAR_BEFORE + int(counted.cohort[i]) for i in lost))
        areas.append(tuple(int(counted.area_dm2[i]) for i in lost))
    return Lost(
        years=tuple(years),
        area_dm2=tuple(areas),
        nodata_dm2=counted.nodata_dm2,
        outside_dm2=counted.outside_dm2,
    )


def find_patches(
    source: Source,
    near: NDArray[Any],
    *,
    unit_m2: float,
    latest: int,
    strip_rows: int = STRIP_ROWS,
) -> Patches:
    """Find the patches around some parcels that are at least as large as the mapping unit.

    Parameters
    ----------
    source : a loss raster.
    near : (n,) the parcels, lon/lat; the raster is read around them only.
    unit_m2 : minimum mapping unit, m2 of the whole patch, also where it leaves the parcels.
    latest : last year that the raster can know of.
    strip_rows : raster rows in memory at a time; changes nothing of the result.

    Raises
    ------
    RasterError : RASTER_LOSS_YEAR for a value that means no year, or one after ``latest``.
    """
    runs = _runs(source, near, latest=latest, strip_rows=strip_rows)
    return _patches(runs, source.grid, unit_m2)


def parts_of(patches: Patches, geometries: NDArray[Any]) -> Parts:
    """Cut patches along parcels.

    Parameters
    ----------
    patches : as `find_patches` gives them.
    geometries : (n,) valid polygons or multipolygons, lon/lat.

    Returns
    -------
    Parts by patch, then parcel; a patch's parts never overlap where parcels do not.
    """
    if not len(patches.geometry) or not len(geometries):
        none = np.empty(0, np.int64)
        return Parts(patch=none, parcel=none, geometry=np.empty(0, object), area_m2=np.empty(0))
    patch, parcel = shapely.STRtree(geometries).query(patches.geometry, predicate="intersects")
    order = np.lexsort((parcel, patch))
    patch, parcel = patch[order].astype(np.int64), parcel[order].astype(np.int64)
    shared = ground(shapely.intersection(patches.geometry[patch], geometries[parcel]))
    some = ~shapely.is_empty(shared)
    return Parts(
        patch=patch[some],
        parcel=parcel[some],
        geometry=shared[some],
        area_m2=area_m2(shared[some]),
    )


def ground(shapes: NDArray[Any]) -> NDArray[Any]:
    """Keep the polygons of shapes: lines and points of a cut are no ground; (n,) multipolygons."""
    made = np.empty(len(shapes), object)
    for i, shape in enumerate(shapes):
        polygons = [
            part
            for part in shapely.get_parts(shapely.get_parts(np.array([shape])))
            if shapely.get_type_id(part) == shapely.GeometryType.POLYGON and part.area > 0
        ]
        made[i] = shapely.MultiPolygon(polygons)
    return made


def _lookup() -> NDArray[np.int32]:
    """Class of each value, -1 for one that means no year."""
    table = np.full(YEAR_BEFORE + YEARS, -1, np.int32)
    table[: LAST_SHORT + 1] = np.arange(LAST_SHORT + 1)
    table[YEAR_BEFORE + 1 :] = np.arange(1, YEARS)
    return table


def _runs(source: Source, near: NDArray[Any], *, latest: int, strip_rows: int) -> _Runs:
    grid = source.grid
    parts: list[_Runs] = []
    if len(near) and (box := box_of(grid, near)).cells:
        top = max(box.rows[0] - MARGIN_CELLS, 0)
        bottom = min(box.rows[1] + MARGIN_CELLS, grid.height)
        columns = (
            max(box.columns[0] - MARGIN_CELLS, 0),
            min(box.columns[1] + MARGIN_CELLS, grid.width),
        )
        with source.reader() as read:
            for row in range(top, bottom, strip_rows):
                rows = (row, min(row + strip_rows, bottom))
                parts.append(_strip(source, read, rows, columns, latest))
    return _Runs(
        row=np.concatenate([one.row for one in parts] or [np.empty(0, np.int64)]),
        first=np.concatenate([one.first for one in parts] or [np.empty(0, np.int64)]),
        past=np.concatenate([one.past for one in parts] or [np.empty(0, np.int64)]),
        year=np.concatenate([one.year for one in parts] or [np.empty(0, np.int32)]),
    )


def _strip(
    source: Source, read: Reader, rows: tuple[int, int], columns: tuple[int, int], latest: int
) -> _Runs:
    cells = read(*rows, *columns)
    lost = ~is_missing(cells, source.nodata) & (cells != 0)
    year = np.zeros(cells.shape, np.int32)
    values = cells[lost].astype(np.int64)
    year[lost] = np.where(
        (values > 0) & (values <= LAST_SHORT), values + YEAR_BEFORE, np.clip(values, -1, 1 << 30)
    )
    wrong = lost & ((year <= YEAR_BEFORE) | (year > min(latest, YEAR_BEFORE + YEARS - 1)))
    if wrong.any():
        at = np.unravel_index(int(wrong.argmax()), wrong.shape)
        raise RasterError(
            "RASTER_LOSS_YEAR",
            file=source.name,
            row=rows[0] + int(at[0]),
            column=columns[0] + int(at[1]),
            value=cells[at].item(),
            latest=latest,
        )
    edge = np.zeros((len(year), 1), np.int32)
    padded = np.concatenate((edge, year, edge), axis=1)
    change = padded[:, 1:] != padded[:, :-1]
    row, first = np.nonzero(change[:, :-1] & (year > 0))
    _, past = np.nonzero(change[:, 1:] & (year > 0))
    return _Runs(
        row=row.astype(np.int64) + rows[0],
        first=first.astype(np.int64) + columns[0],
        past=past.astype(np.int64) + 1 + columns[0],
        year=year[row, first],
    )


def _labels(runs: _Runs, width: int) -> NDArray[np.int32]:
    """Number the patch of each run: runs of one year that touch in neighbouring rows are one."""
    n = len(runs.row)
    stride = width + 2
    # in the row above: those that end at or after my first cell, and begin at or before my last
    low = np.searchsorted(runs.row * stride + runs.past, (runs.row - 1) * stride + runs.first)
    high = np.searchsorted(
        runs.row * stride + runs.first, (runs.row - 1) * stride + runs.past, side="right"
    )
    count = np.maximum(high - low, 0)
    mine = np.repeat(np.arange(n), count)
    ends = np.cumsum(count)
    above = np.repeat(low - (ends - count), count) + np.arange(int(ends[-1]) if n else 0)
    same = runs.year[mine] == runs.year[above]
    links = coo_array((np.ones(int(same.sum()), np.int8), (mine[same], above[same])), shape=(n, n))
    labels: NDArray[np.int32] = connected_components(links, directed=False)[1]
    return labels


def _patches(runs: _Runs, grid: Grid, unit_m2: float) -> Patches:
    """Join the cells of each patch and measure it on the ellipsoid."""
    none = np.empty(0, np.int64)
    if not len(runs.row):
        return Patches(
            year=none.astype(np.int32), geometry=none.astype(object), area_m2=np.empty(0)
        )
    size = (runs.past - runs.first) * cell_area_m2(grid)[runs.row]
    labels = _labels(runs, grid.width)
    order = np.argsort(labels, kind="stable")
    cuts = np.flatnonzero(np.diff(labels[order])) + 1
    members = [one for one in np.split(order, cuts) if size[one].sum() >= _NEARLY * unit_m2]
    if not members:
        return _patches(_Runs(row=none, first=none, past=none, year=none.astype(np.int32)), grid, 0)
    boxes = shapely.box(
        grid.origin_x + runs.first * grid.cell_x,
        grid.origin_y - (runs.row + 1) * grid.cell_y,
        grid.origin_x + runs.past * grid.cell_x,
        grid.origin_y - runs.row * grid.cell_y,
    )
    shapes = _lon_lat([shapely.union_all(boxes[one]) for one in members], grid.crs)
    areas = area_m2(shapes)
    first = np.array([one[0] for one in members])
    kept = np.flatnonzero(areas >= unit_m2)
    kept = kept[np.lexsort((first[kept], runs.year[first[kept]]))]
    return Patches(year=runs.year[first[kept]], geometry=shapes[kept], area_m2=areas[kept])


def _lon_lat(shapes: Sequence[Any], crs: str) -> NDArray[Any]:
    back = Transformer.from_crs(crs, LON_LAT, always_xy=True)
    moved = shapely.transform(np.array(shapes, object), back.transform, interleaved=False)
    whole: NDArray[Any] = ground(np.asarray(moved, object))
    return whole
