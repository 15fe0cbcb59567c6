"""Areas, reading and overlaps of a file of parcels."""

import json
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import shapely
from pyproj import Geod

from geo.area import area_m2
from geo.overlap import overlap_pairs
from geo.vector import open_features
from tests.bench.ground import county, ground
from tests.bench.timing import Case, Cases, Way

GEOD = Geod(a=6378137.0, rf=298.257222101)
HAS_PANDAS = find_spec("geopandas") is not None


def area_case(folder: Path, parcels: int) -> Case:
    """Areas on the ellipsoid."""
    shapes = ground(folder, parcels).geometry
    return Case(
        name="area on the ellipsoid",
        size=len(shapes),
        ours=Way(run=lambda: area_m2(shapes)),
        peers={
            "pyproj Geod, parcel by parcel": Way(
                run=lambda: [GEOD.geometry_area_perimeter(shape)[0] for shape in shapes], runs=3
            )
        },
        limit=("coordinates and one sine of each", Way(run=lambda: _sines(shapes))),
        work=float(len(shapes)),
        work_unit="parcels/s",
    )


def _sines(shapes: np.ndarray) -> None:
    np.sin(np.radians(shapely.get_coordinates(shapes)[:, 1]))


def read_case(folder: Path, parcels: int) -> Case:
    """Reading GeoJSON feature by feature, every fault named, against readers that do not."""
    path = county(folder, parcels) / "parcels.geojson"
    peers = {}
    if HAS_PANDAS:
        import pyogrio

        peers["pyogrio (GDAL)"] = Way(run=lambda: pyogrio.read_dataframe(path))
    if HAS_PANDAS and find_spec("fiona"):
        peers["fiona"] = Way(run=lambda: _fiona(path), runs=3)
    return Case(
        name="read GeoJSON",
        size=parcels,
        ours=Way(run=lambda: open_features(path)),
        peers=peers,
        limit=("json.loads of the bytes", Way(run=lambda: json.loads(path.read_bytes()))),
        work=float(parcels),
        work_unit="parcels/s",
    )


def _fiona(path: Path) -> object:
    import fiona
    import geopandas

    with fiona.open(path) as source:
        return geopandas.GeoDataFrame.from_features(source, crs=source.crs)


def overlap_case(folder: Path, parcels: int) -> Case:
    """Overlaps within a cadastre of which every fiftieth parcel was moved by 3 m."""
    shapes = moved(ground(folder, parcels).geometry)
    peers = {}
    if HAS_PANDAS:
        import geopandas

        frame = geopandas.GeoDataFrame({"n": np.arange(len(shapes))}, geometry=shapes)
        peers["geopandas sjoin + intersection"] = Way(run=lambda: sjoin_pairs(frame), runs=3)
        peers["geopandas overlay"] = Way(
            run=lambda: geopandas.overlay(frame, frame, how="intersection", keep_geom_type=False),
            runs=3,
        )
    return Case(
        name="overlaps within a cadastre",
        size=len(shapes),
        ours=Way(run=lambda: overlap_pairs(shapes)),
        peers=peers,
        limit=("neighbours by tree", Way(run=lambda: _neighbours(shapes))),
        work=float(len(shapes)),
        work_unit="parcels/s",
    )


def moved(shapes: np.ndarray) -> np.ndarray:
    """Move every fiftieth parcel by 3e-5 degrees."""
    made = shapes.copy()
    made[::50] = shapely.transform(made[::50], lambda xy: xy + 3e-5)
    return made


def sjoin_pairs(frame) -> int:
    """Pairs by geopandas that share more than a square metre (about 1e-10 square degrees)."""
    import geopandas

    joined = geopandas.sjoin(frame, frame, predicate="intersects")
    joined = joined[joined["n_left"] < joined["n_right"]]
    left = frame.geometry.values[joined["n_left"].to_numpy()]
    right = frame.geometry.values[joined["n_right"].to_numpy()]
    return int((left.intersection(right).area > 1e-10).sum())


def _neighbours(shapes: np.ndarray) -> None:
    shapely.STRtree(shapes).query(shapes, predicate="intersects")


def cases(folder: Path, sizes: tuple[int, ...]) -> Cases:
    """Yield the cases of vectors."""
    yield "area", partial(area_case, folder, sizes[-1])
    yield "read", partial(read_case, folder, sizes[0])
    yield "overlap", partial(overlap_case, folder, sizes[0])
