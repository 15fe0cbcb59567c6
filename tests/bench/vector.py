"""Areas, reading and overlaps of a file of parcels."""

import json
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import shapely
from pyproj import Geod

from geo.area import area_m2
from geo.eligibility import ClaimLayer, ParcelTable, run_rules
from geo.overlap import overlap_pairs
from geo.vector import open_features
from registry.programmes.schema import read as read_programme
from registry.programmes.store import packaged
from tests.bench.ground import cadastre, county, ground, in_degrees
from tests.bench.timing import Case, Cases, Way

LARGE = 50_000
"""From here on slow things run once, and peers that take minutes do not."""
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
    shapes = moved(in_degrees(cadastre(folder, parcels)))
    peers = {}
    if HAS_PANDAS and parcels < LARGE:
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
        ours=Way(run=lambda: overlap_pairs(shapes), runs=_fewer(parcels)),
        peers=peers,
        limit=("neighbours by tree", Way(run=lambda: _neighbours(shapes), runs=_fewer(parcels))),
        work=float(len(shapes)),
        work_unit="parcels/s",
    )


def eligibility_case(folder: Path, parcels: int) -> Case:
    """Time every rule of a programme over a cadastre, with zones that are excluded."""
    shapes = in_degrees(cadastre(folder, parcels))
    west, south, east, north = shapely.total_bounds(shapes)
    rng = np.random.default_rng(5)
    places = rng.uniform((west, south), (east, north), (300, 2))
    zones = np.array([shapely.Point(*one).buffer(0.003) for one in places], dtype=object)
    known = {
        "start_year": 2015, "crediting_from": 2025, "crediting_to": 2044, "land_class": "0301",
        "forest_category": "commodity", "non_forest_years": 10, "tenure_type": "contract",
        "tenure_document": "1", "tenure_until": "unlimited",
    }  # fmt: skip
    table = ParcelTable(
        ids=[str(n) for n in range(len(shapes))],
        geometries=shapes,
        area_m2=area_m2(shapes),
        attributes=[known] * len(shapes),
        exclusions={"wetland": zones[:100], "basic_farmland": zones[100:200]},
        claims=ClaimLayer(
            ids=[str(n) for n in range(100)],
            schemes=["other"] * 100,
            geometries=zones[200:],
            first_year=np.full(100, 2020),
            last_year=np.full(100, 2030),
        ),
    )
    rules = read_programme(packaged()["ccer-afforestation"]).rules
    peers = {}
    if HAS_PANDAS:
        import geopandas

        ground_ = geopandas.GeoDataFrame({"n": np.arange(len(shapes))}, geometry=shapes)
        layer = geopandas.GeoDataFrame({"zone": np.arange(300)}, geometry=zones)
        peers["geopandas overlay with the zones alone"] = Way(
            run=lambda: geopandas.overlay(ground_, layer, how="intersection"), runs=_fewer(parcels)
        )
    return Case(
        name="eligibility, every rule",
        size=len(shapes),
        ours=Way(run=lambda: run_rules(table, rules), runs=_fewer(parcels)),
        peers=peers,
        work=float(len(shapes)),
        work_unit="parcels/s",
        note=f"{', '.join(rules)}; in memory, not stored",
    )


def _fewer(parcels: int) -> int:
    return 3 if parcels < LARGE else 1


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
    yield "area", partial(area_case, folder, sizes[1])
    yield "read", partial(read_case, folder, sizes[0])
    for size in sizes:
        yield f"overlap {size}", partial(overlap_case, folder, size)
        yield f"eligibility {size}", partial(eligibility_case, folder, size)
