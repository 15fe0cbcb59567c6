"""Small places, rasters and layers for tests of the science, made by the verbs themselves."""

import json
from pathlib import Path
from uuid import uuid4

import numpy as np
import shapely
from pyproj import Transformer
from sqlalchemy import text

from geo.raster import Grid, write_cog
from registry import layers, parcels
from registry.db import SYSTEM_ACTOR, perform, transaction
from registry.estimation import AssessParcels
from registry.programmes import packaged

GRID = Grid(
    crs="EPSG:4549",
    origin_x=380_000.0,
    origin_y=3_200_000.0,
    cell_x=30.0,
    cell_y=30.0,
    width=60,
    height=50,
)
TO_LON_LAT = Transformer.from_crs("EPSG:4549", "EPSG:4490", always_xy=True)
LAYER_YEAR = 2024
NODATA = 255


def arrays(seed=1):
    """Species, age and site of every cell; some cells without data."""
    draw = np.random.default_rng(seed)
    shape = (GRID.height, GRID.width)
    species = draw.integers(0, 6, shape).astype(np.uint8)
    species[draw.random(shape) < 0.05] = NODATA
    return {
        "species": species,
        "age": draw.integers(0, 70, shape).astype(np.uint8),
        "site": draw.integers(1, 6, shape).astype(np.uint8),
    }


def blocks(rows=4, columns=5):
    """Tilted quadrilaterals that do not touch, lon/lat, some over the edge of the grid."""
    made = []
    for row in range(rows):
        for column in range(columns):
            x = GRID.origin_x - 100 + column * 350.0 + 13 * row
            y = GRID.origin_y + 90 - row * 330.0 - 7 * column
            square = shapely.Polygon(
                [(x, y), (x + 290, y - 20), (x + 270, y - 260), (x + 25, y - 245)]
            )
            made.append(shapely.transform(square, TO_LON_LAT.transform, interleaved=False))
    return made


def draw_parcels(engine, at, shapes, *, division_code=None, attributes=None):
    """Enter shapes as submitted parcels; return their ids in the order given."""
    ids = []
    for shape in shapes:
        command = parcels.DrawParcel(
            at=at,
            actor_id=SYSTEM_ACTOR,
            key=uuid4().hex,
            geojson=json.loads(shapely.to_geojson(shape)),
            kind="carbon",
            division_code=division_code,
            plot_code=None,
            owner_id=None,
            captured_with="test",
            attributes=attributes or {},
        )
        ids.append(perform(engine, parcels.draw, command).parcel_id)
    return ids


def add_layer(engine, at, path: Path, kind, *, folder: Path, year=LAYER_YEAR, **options):
    """Register a raster file as a layer."""
    file = layers.take_file(path, kind=kind, folder=folder, **options)
    command = layers.RegisterLayer(
        at=at,
        actor_id=SYSTEM_ACTOR,
        key=uuid4().hex,
        file=file,
        kind=kind,
        year=year,
        source="test",
        licence="CC0-1.0",
    )
    return perform(engine, layers.register_layer, command)


def add_layers(engine, at, tmp_path: Path, made, *, nodata=NODATA):
    """Write arrays as rasters and register them; return ids by kind."""
    ids = {}
    for kind, cells in made.items():
        path = tmp_path / f"{kind}-{uuid4().hex[:6]}.tif"
        write_cog(path, cells, grid=GRID, nodata=nodata)
        ids[kind] = add_layer(engine, at, path, kind, folder=tmp_path / "layers").id
    return ids


def command(at, ids, *, years=(2025, 2034), kind="forecast", **more):
    return AssessParcels(
        at=at,
        actor_id=SYSTEM_ACTOR,
        key=uuid4().hex,
        kind=kind,
        first_year=years[0],
        last_year=years[1],
        parcel_ids=tuple(ids),
        **more,
    )


def series(engine, run_id):
    with transaction(engine) as session:
        rows = session.execute(
            text(
                "SELECT parcel_id, year, stock_kg, net_kg FROM assessment WHERE run_id = :run"
                " ORDER BY 1, 2"
            ),
            {"run": run_id},
        )
        return {(row.parcel_id, row.year): (row.stock_kg, row.net_kg) for row in rows}


WARM = (
    'mean_temperature_c = { value = 10.0, unit = "degC", source = "test", mark = "computed",'
    " checked_on = 2026-11-28 }\n"
)


def all_pools_source():
    """Return a programme that counts six pools, at a temperature of its own."""
    head, _, rest = packaged()["county-inclusion"].partition("[pools]\n")
    section, _, after = rest.partition("\n[")
    for name in ("dead_wood", "litter", "soil", "harvested_products"):
        section = section.replace(f"{name} = {{ value = false", f"{name} = {{ value = true")
    head = head.replace('id = "county-inclusion"', 'id = "all-pools"')
    return f"{head}[pools]\n{WARM}{section}\n[{after}"
