"""From cells to parcels: neighbours merged, some in two parts, some with a pond."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from numpy.random import Generator

from geo.synthetic.mesh import Bools, Floats, Ints, Mesh, generator, outlines, to_degrees, to_metres

MULTIPART_SHARE: Final = 0.03
POND_SHARE: Final = 0.01
_SIZES: Final = (1, 2, 3, 4, 5, 6)
_SIZE_WEIGHTS: Final = (0.20, 0.22, 0.22, 0.18, 0.11, 0.07)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Parcels of the window.

    Attributes
    ----------
    geometry : (parcels,) MultiPolygon, degrees.
    geometry_m : the same in EPSG:4549 metres.
    area_m2 : (parcels,) plane area in EPSG:4549; the record book's area, not the legal one.
    centre_m : (parcels, 2) seed of the parcel's first cell: a point inside it.
    main_cell : (parcels,) that cell.
    """

    geometry: npt.NDArray[np.object_]
    geometry_m: npt.NDArray[np.object_]
    area_m2: Floats
    centre_m: Floats
    main_cell: Ints


class _Groups:
    """Disjoint groups of cells that only ever grow."""

    def __init__(self, cells: int) -> None:
        self.of = list(range(cells))
        self.free = [True] * cells
        self.count = cells

    def join(self, cells: list[int]) -> None:
        """Make one closed group of free cells."""
        for cell in cells:
            self.of[cell] = cells[0]
            self.free[cell] = False
        self.count -= len(cells) - 1


def group_cells(mesh: Mesh, low: Bools, village: Ints, parcels: int, rng: Generator) -> Ints:
    """Group number of each cell, exactly `parcels` groups, never across a village border.

    On slopes two to six neighbours become one parcel; the plain keeps small parcels and is
    merged only as far as the number asks for it.
    """
    kind = (village * 2 + low).tolist()
    groups = _Groups(len(mesh.seeds))
    order = rng.permutation(len(mesh.seeds)).tolist()
    sizes = rng.choice(_SIZES, p=_SIZE_WEIGHTS, size=len(order)).tolist()
    _join_apart(mesh, kind, groups, order, round(parcels * MULTIPART_SHARE))
    slope_first = [c for c in order if not low[c]]
    for cell in slope_first:
        _grow(mesh, kind, groups, cell, min(sizes[cell], groups.count - parcels + 1))
    for cell in order:
        if groups.count == parcels:
            break
        _grow(mesh, kind, groups, cell, min(3, groups.count - parcels + 1))
    if groups.count != parcels:
        message = f"{groups.count} groups instead of {parcels}: too many cells for the window"
        raise AssertionError(message)
    _, number = np.unique(np.asarray(groups.of), return_inverse=True)
    return number.astype(np.int64)


def _grow(mesh: Mesh, kind: list[int], groups: _Groups, cell: int, size: int) -> None:
    if size <= 1 or not groups.free[cell]:
        return
    chosen = [cell]
    for _ in range(size - 1):
        near = (n for c in chosen for n in mesh.neighbours[c])
        fits = (n for n in near if groups.free[n] and kind[n] == kind[cell] and n not in chosen)
        nearest = next(fits, None)
        if nearest is None:
            break
        chosen.append(nearest)
    if len(chosen) > 1:
        groups.join(chosen)


def _join_apart(mesh: Mesh, kind: list[int], groups: _Groups, order: list[int], pairs: int) -> None:
    """Join cells that are neighbours of a neighbour: parcels in two parts."""
    for cell in order:
        if pairs == 0:
            return
        near = mesh.neighbours[cell]
        second = sorted({n for c in near for n in mesh.neighbours[c]} - {cell, *near})
        fits = (n for n in second if groups.free[n] and kind[n] == kind[cell])
        other = next(fits, None) if groups.free[cell] else None
        if other is not None:
            groups.join([cell, other])
            pairs -= 1


def make_layout(mesh: Mesh, group_of: Ints, seed: int) -> Layout:
    """Outline every group, cut the ponds, and measure."""
    polygons = outlines(mesh, group_of)
    _, main_cell = np.unique(group_of, return_index=True)
    rng = generator(seed, 21)
    ponds = round(len(polygons) * POND_SHARE)
    for parcel in sorted(rng.choice(len(polygons), size=ponds, replace=False).tolist()):
        pond = _pond(mesh, int(main_cell[parcel]), rng)
        polygons[parcel] = [
            shapely.Polygon(p.exterior, [*p.interiors, pond]) if _holds(p, pond) else p
            for p in polygons[parcel]
        ]
    geometry = np.array([shapely.MultiPolygon(parts) for parts in polygons], dtype=np.object_)
    if not shapely.is_valid(geometry).all():
        message = "a parcel assembled from valid cells is invalid"
        raise AssertionError(message)
    geometry_m = shapely.transform(geometry, to_metres)
    return Layout(
        geometry=geometry,
        geometry_m=geometry_m,
        area_m2=shapely.area(geometry_m),
        centre_m=mesh.seeds[main_cell],
        main_cell=main_cell.astype(np.int64),
    )


def _pond(mesh: Mesh, cell: int, rng: Generator) -> Floats:
    """Outline a pond around the cell's seed, well inside the cell; degrees, clockwise."""
    around = np.nonzero((mesh.left == cell) | (mesh.right == cell))[0].tolist()
    border = np.concatenate([mesh.lines_m[e] for e in around])
    reach = 0.4 * float(np.hypot(*(border - mesh.seeds[cell]).T).min())
    turn = -np.linspace(0, 2 * np.pi, 15)[:-1]
    radius = reach * rng.uniform(0.7, 1.0, size=turn.size)
    ring = mesh.seeds[cell] + radius[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])
    degrees = to_degrees(np.round(ring, 2))
    return np.concatenate([degrees, degrees[:1]])


def _holds(polygon: shapely.Polygon, pond: Floats) -> bool:
    return bool(shapely.contains_properly(polygon, shapely.LinearRing(pond)))
