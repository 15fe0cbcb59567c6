"""Exact share of every raster cell that a polygon covers, by signed-area accumulation.

Each edge leaves its signed height in the cells it crosses, split by where in the cell it runs; the
running sum along a row is then the covered share of each cell. There is no sampling and no
tolerance. Rows do not depend on each other, so a polygon may be taken strip by strip with the same
bits; each polygon is counted from its own origin by one thread, so neither the number of threads
nor the order of polygons changes a bit. Sums are integers (mm2), hence free of order altogether.

Polygons must be valid. Shells and holes are told apart by their place in the geometry, not by their
orientation.
"""
# ruff: noqa: PLR0917 -- numba kernels take their arrays by position

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numba as nb
import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from geo.errors import GeoError
from geo.pieces import segments
from geo.raster import Grid

LON_LAT: Final = "EPSG:4490"

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRings:
    """Polygons in cell coordinates: x to the right, y down, each from its own box's corner."""

    xy: Floats  # (vertices, 2), relative to each polygon's own box
    ring_start: Ints  # (rings + 1,) offsets into xy
    poly_start: Ints  # (n + 1,) offsets into rings
    box: Ints  # (n, 4) first column, first row, column after the last, row after the last
    cells: Floats  # (n,) area in cells

    def __len__(self) -> int:
        """Return the number of polygons."""
        return len(self.box)


def cell_rings(geometries: NDArray[Any], grid: Grid, *, crs: str = LON_LAT) -> CellRings:
    """Turn polygons into rings in cell coordinates, carrying vertices to the grid's system.

    Parameters
    ----------
    geometries : (n,) shapely polygons or multipolygons, valid, x before y.
    grid : the cells.
    crs : reference system of the geometries.

    Raises
    ------
    GeoError : COVERAGE_NOT_POLYGON (with the row), or COVERAGE_OUTSIDE_CRS when a vertex has no
        place in the grid's system.
    """
    kinds = shapely.get_type_id(geometries)
    usable = (
        (kinds == shapely.GeometryType.POLYGON) | (kinds == shapely.GeometryType.MULTIPOLYGON)
    ) & (~shapely.is_empty(geometries))
    if not usable.all():
        raise GeoError("COVERAGE_NOT_POLYGON", row=int(usable.argmin()))
    if len(geometries) == 0:
        return _no_rings()
    xy, ring_start, poly_start, shell = _ragged(geometries)
    x, y = xy[:, 0].copy(), xy[:, 1].copy()
    if crs != grid.crs:
        _carry(x, y, crs, grid.crs)
    cell_xy = np.empty((len(xy), 2))
    corner = (grid.origin_x, grid.origin_y, grid.cell_x, grid.cell_y)
    if not _to_cells(x, y, corner, cell_xy):
        vertex = int(np.isfinite(cell_xy).all(axis=1).argmin())
        ring = int(np.searchsorted(ring_start, vertex, side="right")) - 1
        row = int(np.searchsorted(poly_start, ring, side="right")) - 1
        raise GeoError("COVERAGE_OUTSIDE_CRS", row=row, crs=grid.crs)
    box = np.empty((len(poly_start) - 1, 4), np.int64)
    cells = np.empty(len(poly_start) - 1, np.float64)
    _settle(cell_xy, ring_start, poly_start, shell, box, cells)
    return CellRings(xy=cell_xy, ring_start=ring_start, poly_start=poly_start, box=box, cells=cells)


def _carry(x: Floats, y: Floats, crs: str, to: str) -> None:
    """Carry vertices to another system in place, by all cores; each by itself, so no bit moves."""
    bounds = np.linspace(0, len(x), nb.get_num_threads() + 1).astype(np.int64)

    def part(first: int, last: int) -> None:
        # One transformer a thread: PROJ's are not to be shared.
        Transformer.from_crs(crs, to, always_xy=True).transform(
            x[first:last], y[first:last], inplace=True
        )

    if len(x) < _ALONE_MAX:
        part(0, len(x))
        return
    with ThreadPoolExecutor(len(bounds) - 1) as pool:
        list(pool.map(part, bounds[:-1], bounds[1:]))


_ALONE_MAX: Final = 50_000
"""So few vertices are carried sooner than threads are started."""


def _no_rings() -> CellRings:
    """Rings of no polygons at all."""
    return CellRings(
        xy=np.empty((0, 2)),
        ring_start=np.zeros(1, np.int64),
        poly_start=np.zeros(1, np.int64),
        box=np.empty((0, 4), np.int64),
        cells=np.empty(0),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CellShares:
    """Covered cells, polygon by polygon, row by row; only cells inside the grid."""

    start: Ints  # (n + 1,) offsets
    row: Ints
    column: Ints
    share: Floats  # in (0, 1]


def cell_shares(rings: CellRings, grid: Grid) -> CellShares:
    """List every covered cell and its share; for maps and checks, not for counties."""
    items = strip_items(rings, grid, 0, grid.height)
    start = np.zeros(len(rings) + 1, np.int64)
    size = np.zeros(len(rings), np.int64)
    size[items[:, 0]] = (items[:, 3] - items[:, 1]) * (items[:, 4] - items[:, 2])
    np.cumsum(size, out=start[1:])
    share = np.zeros(start[-1], np.float64)
    row, column = np.zeros(start[-1], np.int64), np.zeros(start[-1], np.int64)
    _list_shares(
        rings.xy, rings.ring_start, rings.poly_start, rings.box, items, start, share, row, column
    )
    keep = share > 0.0
    kept = np.concatenate(([0], np.cumsum(keep, dtype=np.int64)))[start]
    return CellShares(start=kept, row=row[keep], column=column[keep], share=share[keep])


def strip_items(rings: CellRings, grid: Grid, row0: int, row1: int) -> Ints:
    """Return the pieces of polygons inside rows ``row0`` to ``row1`` of the grid.

    Returns
    -------
    (items, 5) polygon, first column, first row, column after the last, row after the last; clipped
    to the grid.
    """
    box = rings.box
    clipped = np.column_stack(
        (
            np.arange(len(box)),
            np.maximum(box[:, 0], 0),
            np.maximum(box[:, 1], row0),
            np.minimum(box[:, 2], grid.width),
            np.minimum(box[:, 3], min(row1, grid.height)),
        )
    )
    inside = (clipped[:, 3] > clipped[:, 1]) & (clipped[:, 4] > clipped[:, 2])
    found = clipped[inside]
    # From left to right, so that neighbours in time are neighbours in the strip's memory.
    return np.ascontiguousarray(found[np.argsort(found[:, 1], kind="stable")])


def chunk_bounds(items: Ints, chunks: int) -> Ints:
    """Cut a list of items into chunks of about equal numbers of cells."""
    cost = np.cumsum((items[:, 3] - items[:, 1]) * (items[:, 4] - items[:, 2]) + 64)
    total = int(cost[-1]) if len(cost) else 0
    at = np.searchsorted(cost, np.arange(chunks + 1) * (total / chunks), side="left")
    at[0], at[-1] = 0, len(items)
    return at.astype(np.int64)


def _ragged(geometries: NDArray[Any]) -> tuple[Floats, Ints, Ints, NDArray[np.bool_]]:
    """Vertices, ring offsets, polygon offsets (in rings), and which rings are shells.

    Most polygons have one ring, whose length GEOS knows; only the others are taken apart.
    """
    kinds = shapely.get_type_id(geometries)
    plain = kinds == shapely.GeometryType.POLYGON
    plain &= shapely.get_num_interior_rings(geometries) == 0
    odd = np.flatnonzero(~plain)
    parts, part_of = shapely.get_parts(geometries[odd], return_index=True)
    rings, ring_of = shapely.get_rings(parts, return_index=True)
    rings_of_odd = np.bincount(part_of[ring_of], minlength=len(odd)).astype(np.int64)
    count = np.ones(len(geometries), np.int64)
    count[odd] = rings_of_odd
    poly_start = np.concatenate(([0], np.cumsum(count)))
    size = np.empty(poly_start[-1], np.int64)
    size[poly_start[:-1][plain]] = shapely.get_num_coordinates(geometries[plain])
    shell = np.ones(len(size), np.bool_)
    at = segments(poly_start[odd], rings_of_odd)
    size[at] = shapely.get_num_coordinates(rings)
    shell[at] = np.diff(ring_of, prepend=-1) > 0
    xy = shapely.get_coordinates(geometries, include_z=False)
    return xy, np.concatenate(([0], np.cumsum(size))), poly_start, shell


@nb.njit(parallel=True, cache=True)
def _to_cells(x: Floats, y: Floats, corner: tuple[float, float, float, float], out: Floats) -> bool:
    """Write places as cells from the grid's corner, y down; return whether all are finite."""
    left, top, cell_x, cell_y = corner
    lost = 0
    for v in nb.prange(x.size):
        out[v, 0] = (x[v] - left) / cell_x
        out[v, 1] = (top - y[v]) / cell_y
        lost += not (np.isfinite(out[v, 0]) and np.isfinite(out[v, 1]))
    return lost == 0


@nb.njit(parallel=True, cache=True)
def _settle(
    xy: Floats,
    ring_start: Ints,
    poly_start: Ints,
    shell: NDArray[np.bool_],
    box: Ints,
    cells: Floats,
) -> None:
    """Move polygons to their own boxes, turn shells one way and holes the other; in place."""
    for p in nb.prange(poly_start.size - 1):
        first, last = ring_start[poly_start[p]], ring_start[poly_start[p + 1]]
        left, top = xy[first, 0], xy[first, 1]
        right, bottom = left, top
        for v in range(first, last):
            left, right = min(left, xy[v, 0]), max(right, xy[v, 0])
            top, bottom = min(top, xy[v, 1]), max(bottom, xy[v, 1])
        box[p, 0], box[p, 1] = int(np.floor(left)), int(np.floor(top))
        box[p, 2] = max(int(np.ceil(right)), box[p, 0] + 1)
        box[p, 3] = max(int(np.ceil(bottom)), box[p, 1] + 1)
        for v in range(first, last):
            xy[v, 0] -= box[p, 0]
            xy[v, 1] -= box[p, 1]
        twice = 0.0
        for ring in range(poly_start[p], poly_start[p + 1]):
            size = _turn(xy, ring_start[ring], ring_start[ring + 1], shell[ring])
            twice += size if shell[ring] else -size
        cells[p] = 0.5 * twice


@nb.njit(inline="always")
def _turn(xy: Floats, first: int, last: int, shell: bool) -> float:  # noqa: FBT001 -- numba kernel
    """Reverse a ring that runs the wrong way; return twice its area."""
    twice = 0.0
    for v in range(first, last - 1):
        ax, ay = xy[v, 0] - xy[first, 0], xy[v, 1] - xy[first, 1]
        bx, by = xy[v + 1, 0] - xy[first, 0], xy[v + 1, 1] - xy[first, 1]
        twice += ax * by - bx * ay
    if (twice > 0.0) == shell:  # y runs down, so a left edge must run up to count as a gain
        for j in range((last - first) // 2):
            for d in range(2):
                keep = xy[first + j, d]
                xy[first + j, d] = xy[last - 1 - j, d]
                xy[last - 1 - j, d] = keep
    return abs(twice)


@nb.njit(inline="always")
def _spread(acc: Floats, base: int, width: int, lo: float, hi: float, height: float) -> None:
    """Leave ``height`` of an edge that runs from x = lo to x = hi within one row."""
    if lo >= width:
        return
    if hi <= 0.0:
        acc[base] += height
        return
    if hi - lo < 1e-12:  # noqa: PLR2004 -- upright within rounding: one cell takes it all
        i = int(max(lo, 0.0))
        m = 0.5 * (max(lo, 0.0) + hi) - i
        acc[base + i] += height * (1.0 - m)
        acc[base + i + 1] += height * m
        return
    per = height / (hi - lo)
    if lo < 0.0:
        acc[base] += per * -lo
        lo = 0.0
    for i in range(int(lo), min(int(np.ceil(hi)), width)):
        left, right = max(lo, float(i)), min(hi, i + 1.0)
        part = per * (right - left)
        m = 0.5 * (left + right) - i
        acc[base + i] += part * (1.0 - m)
        acc[base + i + 1] += part * m


@nb.njit(inline="always")
def _edge(
    acc: Floats, width: int, row0: int, row1: int, xa: float, ya: float, xb: float, yb: float
) -> None:
    """Accumulate one edge in rows ``row0`` to ``row1``; x is counted from the first column kept."""
    sign = 1.0
    if ya > yb:
        xa, ya, xb, yb = xb, yb, xa, ya
        sign = -1.0
    if ya == yb:
        return
    # Places are taken from the edge's own upper end, never by steps from row to row: a strip that
    # starts half way down gives the same bits.
    slope = (xb - xa) / (yb - ya)
    for r in range(max(int(np.floor(ya)), row0), min(int(np.ceil(yb)), row1)):
        y0, y1 = max(ya, float(r)), min(yb, r + 1.0)
        x0 = xa + (y0 - ya) * slope
        x1 = xb if y1 == yb else xa + (y1 - ya) * slope
        _spread(acc, (r - row0) * (width + 1), width, min(x0, x1), max(x0, x1), sign * (y1 - y0))


@nb.njit(cache=True)
def _accumulate(
    acc: Floats,
    xy: Floats,
    ring_start: Ints,
    poly_start: Ints,
    box: Ints,
    item: Ints,
) -> None:
    """Fill ``acc`` with the differences of shares along each row of one item's window."""
    p = item[0]
    shift, row0, row1 = item[1] - box[p, 0], item[2] - box[p, 1], item[4] - box[p, 1]
    width = item[3] - item[1]
    acc[: (width + 1) * (row1 - row0)] = 0.0
    for ring in range(poly_start[p], poly_start[p + 1]):
        for v in range(ring_start[ring], ring_start[ring + 1] - 1):
            _edge(
                acc,
                width,
                row0,
                row1,
                xy[v, 0] - shift,
                xy[v, 1],
                xy[v + 1, 0] - shift,
                xy[v + 1, 1],
            )


@nb.njit(cache=True)
def _room(items: Ints, first: int, last: int) -> int:
    """Cells of scratch that the largest of some items needs."""
    room = 1
    for k in range(first, last):
        room = max(room, (items[k, 3] - items[k, 1] + 1) * (items[k, 4] - items[k, 2]))
    return room


@nb.njit(cache=True)
def _list_shares(
    xy: Floats,
    ring_start: Ints,
    poly_start: Ints,
    box: Ints,
    items: Ints,
    start: Ints,
    share: Floats,
    row: Ints,
    column: Ints,
) -> None:
    """Write the share, row and column of every cell of every item's window."""
    acc = np.empty(_room(items, 0, len(items)), np.float64)
    for k in range(len(items)):
        _accumulate(acc, xy, ring_start, poly_start, box, items[k])
        _, c0, r0, c1, r1 = items[k]
        at = start[items[k, 0]]
        for r in range(r1 - r0):
            run = 0.0
            for c in range(c1 - c0):
                run += acc[r * (c1 - c0 + 1) + c]
                share[at] = min(run, 1.0) if run > NOISE else 0.0
                row[at], column[at] = r0 + r, c0 + c
                at += 1


NOISE: Final = 1e-11
"""Shares below this are the rounding of the running sum, not ground."""


@nb.njit(cache=True)
def _close(total: Ints, found: NDArray[np.int32], mm2: Ints) -> None:
    """Order one item's classes, take their sums over and leave the sums at zero."""
    found.sort()
    for j in range(found.size):
        mm2[j] = total[found[j]]
        total[found[j]] = 0


@nb.njit(parallel=True, cache=True)
def count_classes(
    xy: Floats,
    ring_start: Ints,
    poly_start: Ints,
    box: Ints,
    items: Ints,
    chunks: Ints,
    cohorts: NDArray[np.int32],
    row_of_cells: int,
    column_of_cells: int,
    cell_mm2: Floats,
    n_cohorts: int,
    slot: Ints,
    out_cohort: NDArray[np.int32],
    out_mm2: Ints,
    out_count: Ints,
    out_nodata: Ints,
) -> None:
    """Sum covered area by class for every item.

    Parameters
    ----------
    items : (k, 5) from :func:`strip_items`; ``chunks`` its bounds, one task each.
    cohorts : (rows, columns) class of each cell, -1 where unknown; its first cell is
        ``row_of_cells``, ``column_of_cells`` of the grid.
    cell_mm2 : (height,) area of a cell in each row of the grid.
    slot : (k,) where each item's classes begin in ``out_cohort`` (ascending) and ``out_mm2``.
    out_count, out_nodata : (k,) number of classes; mm2 where the class is unknown.
    """
    for chunk in nb.prange(chunks.size - 1):
        first, last = chunks[chunk], chunks[chunk + 1]
        acc = np.empty(_room(items, first, last), np.float64)
        total = np.zeros(n_cohorts, np.int64)
        for k in range(first, last):
            _accumulate(acc, xy, ring_start, poly_start, box, items[k])
            _, c0, r0, c1, r1 = items[k]
            at = slot[k]
            for r in range(r0, r1):
                run = 0.0
                base = (r - r0) * (c1 - c0 + 1) - c0
                for c in range(c0, c1):
                    run += acc[base + c]
                    mm2 = int(min(run, 1.0) * cell_mm2[r] + 0.5) if run > NOISE else 0
                    if mm2 == 0:
                        continue
                    cohort = cohorts[r - row_of_cells, c - column_of_cells]
                    if cohort < 0:
                        out_nodata[k] += mm2
                        continue
                    if total[cohort] == 0:
                        out_cohort[at] = cohort
                        at += 1
                    total[cohort] += mm2
            out_count[k] = at - slot[k]
            _close(total, out_cohort[slot[k] : at], out_mm2[slot[k] : at])


@nb.njit(parallel=True, cache=True)
def sum_values(
    xy: Floats,
    ring_start: Ints,
    poly_start: Ints,
    box: Ints,
    items: Ints,
    chunks: Ints,
    values: Floats,
    row_of_cells: int,
    column_of_cells: int,
    cell_mm2: Floats,
    weighted: Floats,
    weight: Floats,
    least: Floats,
    most: Floats,
) -> None:
    """Add covered area times value, covered area, and the extremes, to each polygon's own sums.

    Parameters
    ----------
    values : (rows, columns) float64, NaN where unknown; placed as in :func:`count_classes`.
    weighted, weight, least, most : (n,) per polygon, carried from strip to strip. Rows are added
        whole and in order, so the height of a strip changes no bit.
    """
    for chunk in nb.prange(chunks.size - 1):
        first, last = chunks[chunk], chunks[chunk + 1]
        acc = np.empty(_room(items, first, last), np.float64)
        for k in range(first, last):
            _accumulate(acc, xy, ring_start, poly_start, box, items[k])
            p, c0, r0, c1, r1 = items[k]
            for r in range(r0, r1):
                run, row_sum, row_weight = 0.0, 0.0, 0.0
                base = (r - r0) * (c1 - c0 + 1) - c0
                for c in range(c0, c1):
                    run += acc[base + c]
                    value = values[r - row_of_cells, c - column_of_cells]
                    if run > NOISE and not np.isnan(value):
                        share = min(run, 1.0)
                        row_sum += share * value
                        row_weight += share
                        least[p] = min(least[p], value)
                        most[p] = max(most[p], value)
                weighted[p] += row_sum * cell_mm2[r]
                weight[p] += row_weight * cell_mm2[r]


@nb.njit(parallel=True, cache=True)
def share_out(
    start: Ints, mm2: Ints, rest_mm2: Ints, target_dm2: Floats, out: Ints, rest: Ints
) -> None:
    """Turn mm2 of the grid's measure into dm2 that add up to each polygon's own area.

    Running sums are scaled and rounded, and a class gets the difference of two: every class is
    within 1 dm2 of its exact value, and all of them with the two rests (unknown, outside) make
    exactly the rounded area.

    Parameters
    ----------
    start, mm2 : classes of each polygon.
    rest_mm2 : (n, 2) unknown and outside.
    target_dm2 : (n,) the polygon's area.
    out, rest : the same in dm2.
    """
    for p in nb.prange(start.size - 1):
        total = rest_mm2[p, 0] + rest_mm2[p, 1]
        for k in range(start[p], start[p + 1]):
            total += mm2[k]
        scale = target_dm2[p] / total if total > 0 else 0.0
        run, before = 0, 0
        for k in range(start[p], start[p + 1]):
            run += mm2[k]
            after = int(np.floor(run * scale + 0.5))
            out[k] = after - before
            before = after
        for k in range(2):
            run += rest_mm2[p, k]
            after = int(np.floor(run * scale + 0.5))
            rest[p, k] = after - before
            before = after
