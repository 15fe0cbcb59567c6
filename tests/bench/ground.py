"""Ground to measure on: a cadastre with shared wiggly borders, a cohort raster, kept by size."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from scipy.spatial import Voronoi

from geo.raster import Grid, write_cog
from geo.synthetic import make_county
from sinks.cohorts import CohortScheme

X0, Y0, CELL_M, HA = 480_000.0, 3_220_000.0, 10.0, 25_000.0
NODATA = 65_535
SCHEME = CohortScheme()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Parcels in the plane and in degrees, and a raster of cohort codes over them."""

    plane: NDArray[np.object_]
    geometry: NDArray[np.object_]
    raster: Path
    grid: Grid


def ground(folder: Path, parcels: int) -> Ground:
    """Return the ground of a size, made once."""
    side = np.ceil(np.sqrt(parcels * HA) / CELL_M) * CELL_M
    cells = int(side / CELL_M)
    grid = Grid(
        crs="EPSG:4549",
        origin_x=X0,
        origin_y=Y0,
        cell_x=CELL_M,
        cell_y=CELL_M,
        width=cells,
        height=cells,
    )
    raster = folder / f"stands_{parcels}.tif"
    plane = cadastre(folder, parcels)
    if not raster.exists():
        write_cog(raster, _stands(cells), grid=grid, nodata=NODATA)
    return Ground(plane=plane, geometry=in_degrees(plane), raster=raster, grid=grid)


def cadastre(folder: Path, parcels: int) -> NDArray[np.object_]:
    """Return the parcels of a size in the plane, made once."""
    kept = folder / f"cadastre_{parcels}.npy"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        side = np.ceil(np.sqrt(parcels * HA) / CELL_M) * CELL_M
        np.save(kept, shapely.to_wkb(_cadastre(parcels, side)), allow_pickle=True)
    return shapely.from_wkb(np.load(kept, allow_pickle=True))


def in_degrees(plane: NDArray[np.object_]) -> NDArray[np.object_]:
    """Turn parcels of the plane into degrees of CGCS2000."""
    back = Transformer.from_crs("EPSG:4549", "EPSG:4490", always_xy=True)
    return shapely.transform(plane, lambda xy: np.column_stack(back.transform(xy[:, 0], xy[:, 1])))


def county(folder: Path, parcels: int) -> Path:
    """Return the folder of a demo county of so many parcels, made once."""
    made = folder / f"county_{parcels}"
    if not (made / "manifest.json").exists():
        make_county(parcels=parcels, out_dir=made)
    return made


def _stands(cells: int, block: int = 12) -> NDArray[np.uint16]:
    """Stands of 120 m, one species and site class each, their ages as a satellite sees them."""
    rng = np.random.default_rng(3)
    count = (-(-cells // block),) * 2
    seen = rng.integers(0, 4, (cells, cells), dtype=np.uint16)
    code = SCHEME.encode(
        rng.integers(1, SCHEME.n_species, count),
        rng.integers(1, 6, count),
        rng.integers(0, 90, count),
    )
    return np.repeat(np.repeat(code.astype(np.uint16), block, 0), block, 1)[:cells, :cells] + seen


def _cadastre(parcels: int, side: float) -> NDArray[np.object_]:
    """Cells of a Voronoi diagram whose borders wiggle alike on both sides; unsound ones go."""
    rng = np.random.default_rng(2)
    far = [[-side, -side], [2 * side, -side], [-side, 2 * side], [2 * side, 2 * side]]
    diagram = Voronoi(np.vstack([rng.uniform(0, side, (parcels, 2)), far]))
    borders: dict[tuple[int, int], Any] = {}
    share = np.linspace(0, 1, 7)[:, None]
    polygons = []
    for region in (diagram.regions[i] for i in diagram.point_region[:parcels]):
        if not region or -1 in region:
            continue
        ring = []
        for a, b in zip(region, region[1:] + region[:1], strict=True):
            low, high = min(a, b), max(a, b)
            line = borders.get((low, high))
            if line is None:
                start, way = diagram.vertices[low], diagram.vertices[high] - diagram.vertices[low]
                off = np.zeros((7, 1))
                off[1:-1, 0] = rng.normal(0, 0.03, 5)
                line = start + share * way + off * np.array([-way[1], way[0]])
                borders[low, high] = line
            ring.append((line if a == low else line[::-1])[:-1])
        points = np.concatenate(ring)
        if points.min() > 0 and points.max() < side:
            polygons.append(shapely.Polygon(points + np.array([X0, Y0 - side])))
    made = np.array(polygons, dtype=object)
    return made[shapely.is_valid(made)]
