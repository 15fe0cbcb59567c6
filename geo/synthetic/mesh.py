"""A planar mesh of cells whose shared edges are fractal and shared exactly.

Every edge is displaced once and used by the cells on both sides, so that neighbours can neither
overlap nor leave a gap; parcels are groups of cells, assembled by walking edges, never by overlay.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from numpy.random import Generator, Philox
from pyproj import Transformer
from scipy.spatial import Voronoi

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

LEVELS: Final = 3
"""Midpoint displacements an edge: 2**3 = 8 segments."""
PADDING: Final = 2
"""Rings of extra seeds around the window, so that every wanted cell is finite."""
_MAX_REPAIRS: Final = 8
_SHARPEST_DEG: Final = 8.0
"""Where the curved ends of two edges meet at less, both stay straight: no spike by accident."""


def generator(seed: int, layer: int) -> Generator:
    """Random numbers of one layer: Philox keyed by seed and layer, never by the process."""
    return Generator(Philox(seed + layer))


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """Cells of the window.

    Attributes
    ----------
    seeds : (cells, 2) metres in EPSG:4549.
    left, right : (edges,) cell on either side, -1 outside the window.
    start, end : (edges,) ids of the end points.
    lines_m : per edge (points, 2) metres; 9 points, or 2 where the edge had to stay straight.
    lines : the same in degrees of EPSG:4490, longitude first, rounded to 1e-9.
    """

    seeds: Floats
    left: Ints
    right: Ints
    start: Ints
    end: Ints
    lines_m: Sequence[Floats]
    lines: Sequence[Floats]

    @cached_property
    def neighbours(self) -> list[list[int]]:
        """Cells that share an edge with each cell, in ascending order."""
        found: list[list[int]] = [[] for _ in range(len(self.seeds))]
        for a, b in zip(self.left.tolist(), self.right.tolist(), strict=True):
            if a >= 0 and b >= 0:
                found[a].append(b)
                found[b].append(a)
        return [sorted(set(near)) for near in found]


def to_degrees(points_m: Floats) -> Floats:
    """EPSG:4549 metres (east, north) to EPSG:4490 degrees (lon, lat), rounded to 1e-9."""
    transformer = Transformer.from_crs(4549, 4490, always_xy=True)
    lon, lat = transformer.transform(points_m[:, 0], points_m[:, 1])
    return np.round(np.column_stack([lon, lat]), 9)


def to_metres(points: Floats) -> Floats:
    """EPSG:4490 degrees (lon, lat) to EPSG:4549 metres (east, north)."""
    transformer = Transformer.from_crs(4490, 4549, always_xy=True)
    east, north = transformer.transform(points[:, 0], points[:, 1])
    return np.column_stack([east, north])


def jittered_grid(
    columns: int, rows: int, spacing_m: float, centre: tuple[float, float], rng: Generator
) -> tuple[Floats, Bools]:
    """One seed a grid cell, the padding included; the mask tells the cells that are wanted."""
    wide, high = columns + 2 * PADDING, rows + 2 * PADDING
    x, y = np.meshgrid(np.arange(wide), np.arange(high))
    jitter = rng.uniform(-0.36, 0.36, size=(high, wide, 2))
    east = centre[0] + (x - (wide - 1) / 2 + jitter[..., 0]) * spacing_m
    north = centre[1] + (y - (high - 1) / 2 + jitter[..., 1]) * spacing_m
    inside_x = (x >= PADDING) & (x < wide - PADDING)
    inside_y = (y >= PADDING) & (y < high - PADDING)
    seeds = np.column_stack([east.ravel(), north.ravel()]).astype(np.float64).round(2)
    return seeds, (inside_x & inside_y).ravel()


def make_mesh(
    columns: int, rows: int, spacing_m: float, centre: tuple[float, float], seed: int
) -> Mesh:
    """Voronoi cells of a jittered grid with fractal shared edges, valid and without overlap.

    Cells whose fractal outline would cross itself or a neighbour get straight edges again.
    """
    points, wanted = jittered_grid(columns, rows, spacing_m, centre, generator(seed, 1))
    voronoi = Voronoi(points)
    vertices, ids = np.unique(np.round(voronoi.vertices, 2), axis=0, return_inverse=True)
    cell_of = np.full(len(points), -1, dtype=np.int64)
    cell_of[wanted] = np.arange(int(wanted.sum()))
    pairs = np.asarray(voronoi.ridge_points, dtype=np.int64)
    ends = np.asarray(voronoi.ridge_vertices, dtype=np.int64)
    keep = (ends >= 0).all(axis=1) & wanted[pairs].any(axis=1)
    pairs, ends = pairs[keep], ids.ravel()[ends[keep]]
    keep = ends[:, 0] != ends[:, 1]
    pairs, ends = pairs[keep], ends[keep]
    flip = ends[:, 0] > ends[:, 1]
    ends[flip] = ends[flip][:, ::-1]
    order = np.lexsort([ends[:, 1], ends[:, 0]])
    pairs, ends = pairs[order], ends[order]
    a, b = vertices[ends[:, 0]], vertices[ends[:, 1]]
    side = _cross(b - a, points[pairs[:, 0]] - a) < 0
    pairs[side] = pairs[side][:, ::-1]
    reach = np.abs(_cross(b - a, points[pairs[:, 0]] - a)) / np.hypot(*(b - a).T)
    curved = _fractal(a, b, reach, generator(seed, 2))
    return _repaired(
        seeds=points[wanted],
        sides=(cell_of[pairs[:, 0]], cell_of[pairs[:, 1]]),
        ends=(ends[:, 0], ends[:, 1]),
        straight=np.stack([a, b], axis=1),
        curved=curved,
    )


def _cross(u: Floats, v: Floats) -> Floats:
    product: Floats = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    return product


def _fractal(a: Floats, b: Floats, reach: Floats, rng: Generator) -> Floats:
    """Displace midpoints: (edges, 2**LEVELS + 1, 2), both ends kept."""
    along = b - a
    length = np.hypot(along[:, 0], along[:, 1])
    normal = np.column_stack([-along[:, 1], along[:, 0]]) / length[:, None]
    amplitude = np.minimum(0.18 * length, 0.35 * reach)
    line = np.stack([a, b], axis=1)
    for level in range(LEVELS):
        step = np.diff(line, axis=1)
        segment = np.hypot(step[..., 0], step[..., 1])
        draw = rng.uniform(-1.0, 1.0, size=segment.shape)
        shift = np.clip(draw * (amplitude / 2**level)[:, None], -segment / 4, segment / 4)
        middle = line[:, :-1] + step / 2 + shift[..., None] * normal[:, None, :]
        finer = np.empty((len(a), 2 * step.shape[1] + 1, 2))
        finer[:, ::2] = line
        finer[:, 1::2] = middle
        line = finer
    return np.round(line, 2)


def _repaired(
    *,
    seeds: Floats,
    sides: tuple[Ints, Ints],
    ends: tuple[Ints, Ints],
    straight: Floats,
    curved: Floats,
) -> Mesh:
    is_straight = _too_sharp(ends, curved)
    curved_degrees = to_degrees(curved.reshape(-1, 2)).reshape(curved.shape)
    straight_degrees = np.ascontiguousarray(curved_degrees[:, [0, -1]])
    one_each = np.arange(len(seeds))
    for _ in range(_MAX_REPAIRS):
        choice = is_straight.tolist()
        mesh = Mesh(
            seeds=seeds,
            left=sides[0],
            right=sides[1],
            start=ends[0],
            end=ends[1],
            lines_m=[straight[i] if s else curved[i] for i, s in enumerate(choice)],
            lines=[straight_degrees[i] if s else curved_degrees[i] for i, s in enumerate(choice)],
        )
        bad = _faulty(shapely.multipolygons(outlines(mesh, one_each)))
        if not bad.any():
            return mesh
        padded = np.append(bad, False)
        is_straight |= padded[sides[0]] | padded[sides[1]]
    message = "straight edges of a Voronoi diagram cannot cross: the mesh is inconsistent"
    raise AssertionError(message)


def _too_sharp(ends: tuple[Ints, Ints], curved: Floats) -> Bools:
    """Edges that leave a vertex in nearly the direction of another one."""
    count = len(curved)
    first, last = curved[:, 1] - curved[:, 0], curved[:, -2] - curved[:, -1]
    away = np.concatenate([first, last])
    vertex = np.concatenate(ends)
    angle = np.degrees(np.arctan2(away[:, 1], away[:, 0]))
    order = np.lexsort([angle, vertex])
    vertex, angle = vertex[order], angle[order]
    begins = np.concatenate([[True], vertex[1:] != vertex[:-1]])
    starts = np.nonzero(begins)[0]
    following = np.arange(1, 2 * count + 1)
    following[np.append(starts[1:], 2 * count) - 1] = starts
    sharp = ((angle[following] - angle) % 360 < _SHARPEST_DEG) & (following != np.arange(2 * count))
    edge = np.concatenate([order[sharp], order[following[sharp]]]) % count
    found = np.zeros(count, dtype=np.bool_)
    found[edge] = True
    return found


def _faulty(cells: npt.NDArray[np.object_]) -> Bools:
    """Cells that are invalid or do not match a neighbour edge by edge."""
    bad: Bools = ~shapely.is_valid(cells)
    if not bad.any():
        bad = ~shapely.is_empty(shapely.coverage_invalid_edges(cells))
    return bad


def outlines(mesh: Mesh, group_of: Ints) -> list[list[shapely.Polygon]]:
    """Polygons of each group of cells, in degrees, outer rings counter-clockwise.

    Parameters
    ----------
    group_of : (cells,) group number of each cell, numbered 0.. without a gap.
    """
    padded = np.append(group_of, -1)
    left, right = padded[mesh.left], padded[mesh.right]
    border = np.nonzero(left != right)[0]
    start, end = mesh.start.tolist(), mesh.end.tolist()
    steps: list[dict[int, tuple[int, int, bool]]] = [{} for _ in range(int(group_of.max()) + 1)]
    for edge in border.tolist():
        a, b = int(left[edge]), int(right[edge])
        if a >= 0:
            steps[a][start[edge]] = (end[edge], edge, False)
        if b >= 0:
            steps[b][end[edge]] = (start[edge], edge, True)
    return [_polygons(_rings(mesh, step)) for step in steps]


def _rings(mesh: Mesh, step: dict[int, tuple[int, int, bool]]) -> list[Floats]:
    rings = []
    while step:
        first = min(step)
        at, pieces = first, []
        while True:
            at, edge, backwards = step.pop(at)
            line = mesh.lines[edge]
            pieces.append(line[:0:-1] if backwards else line[:-1])
            if at == first:
                break
        ring = np.concatenate(pieces)
        rings.append(np.concatenate([ring, ring[:1]]))
    return rings


def _polygons(rings: list[Floats]) -> list[shapely.Polygon]:
    """Outer rings turn counter-clockwise; each hole goes to the outer ring around it."""
    outer = [ring for ring in rings if _signed(ring) > 0]
    inner = [ring for ring in rings if _signed(ring) <= 0]
    if not inner:
        return [shapely.Polygon(ring) for ring in outer]
    shells = [shapely.Polygon(ring) for ring in outer]
    holes: list[list[Floats]] = [[] for _ in outer]
    for ring in inner:
        inside = shapely.contains_xy(shells, *((ring[0] + ring[1]) / 2))
        holes[int(np.argmax(inside))].append(ring)
    return [shapely.Polygon(ring, cut) for ring, cut in zip(outer, holes, strict=True)]


def _signed(ring: Floats) -> float:
    moved = ring - ring[0]
    return float(np.sum(moved[:-1, 0] * moved[1:, 1] - moved[1:, 0] * moved[:-1, 1]))
