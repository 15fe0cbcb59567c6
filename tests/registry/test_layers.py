"""Layers are known by their bytes; a raster with a fault never becomes one."""

import numpy as np
import pytest
import rasterio
from sqlalchemy import text

from geo.raster import RasterError, file_sha256, write_cog
from registry import layers
from registry.db import transaction
from registry.errors import InvalidValueError, NotFoundError
from tests.registry import makers_science as makers


def raster(path, cells, **profile):
    """Write a plain GeoTIFF with what the profile leaves of it."""
    whole = {
        "driver": "GTiff",
        "dtype": cells.dtype.name,
        "count": 1,
        "width": cells.shape[1],
        "height": cells.shape[0],
        "crs": makers.GRID.crs,
        "transform": makers.GRID.transform,
        "nodata": 255,
    } | profile
    with rasterio.open(path, "w", **whole) as made:
        made.write(cells, 1)
    return path


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "species.tif"
    write_cog(path, makers.arrays()["species"], grid=makers.GRID, nodata=255)
    return path


def test_a_layer_is_kept_by_its_digest(engine, at, tmp_path, good):
    folder = tmp_path / "kept"
    made = makers.add_layer(engine, at, good, "species", folder=folder)
    assert made.sha256 == file_sha256(good)
    assert file_sha256(layers.layer_path(folder, made.sha256)) == made.sha256
    assert (made.year, made.crs, made.cell_m) == (2024, "EPSG:4549", 30.0)
    assert (made.width, made.height, made.nodata) == (60, 50, 255.0)
    assert [path.name for path in folder.iterdir()] == [f"{made.sha256}.tif"]


def test_the_same_bytes_are_one_layer(engine, at, tmp_path, good):
    first = makers.add_layer(engine, at, good, "species", folder=tmp_path / "kept")
    renamed = good.rename(tmp_path / "other.tif")
    again = makers.add_layer(engine, at, renamed, "species", folder=tmp_path / "kept", year=2020)
    assert again == first
    with transaction(engine) as session:
        assert layers.listing(session) == [first]
        assert layers.listing(session, kind="age") == []
        registered = text("SELECT count(*) FROM event WHERE kind = 'layer.registered'")
        assert session.execute(registered).scalar() == 1


def test_the_newest_layer_of_a_kind_comes_first(engine, at, tmp_path):
    made = [
        makers.add_layers(engine, at, tmp_path, {"age": makers.arrays(seed)["age"]})["age"]
        for seed in (1, 2)
    ]
    with transaction(engine) as session:
        assert [view.id for view in layers.listing(session)] == made[::-1]
        assert layers.get(session, made[0]).id == made[0]
        raster_of = layers.rasters(session, made, tmp_path / "layers")[made[0]]
    assert raster_of.grid == makers.GRID
    layers.require_unchanged(raster_of)


def test_an_unknown_layer_is_not_found(engine, at):
    with transaction(engine) as session, pytest.raises(NotFoundError):
        layers.get(session, makers.uuid4())
    with transaction(engine) as session, pytest.raises(NotFoundError):
        layers.rasters(session, [makers.uuid4()], makers.Path())


def test_an_unknown_kind_is_refused(tmp_path, good):
    with pytest.raises(InvalidValueError):
        layers.take_file(good, kind="secret", folder=tmp_path / "kept")


@pytest.mark.parametrize(
    ("kind", "value", "profile", "code"),
    [
        ("age", 20, {"nodata": None}, "RASTER_NO_NODATA"),
        ("age", 20, {"crs": None}, "RASTER_NO_CRS"),
        ("age", -3, {"dtype": "int16", "nodata": -9999}, "RASTER_NEGATIVE_AGE"),
        ("age", 300, {"dtype": "int16", "nodata": -9999}, "RASTER_UNKNOWN_CLASS"),
        ("age", 20, {"dtype": "float32"}, "RASTER_WRONG_DTYPE"),
        ("age", 255, {}, "RASTER_ALL_NODATA"),
        ("species", 77, {}, "RASTER_UNKNOWN_SPECIES"),
        ("site", 9, {}, "RASTER_UNKNOWN_CLASS"),
    ],
)
def test_a_raster_with_a_fault_is_refused_and_not_kept(tmp_path, kind, value, profile, code):
    cells = np.full((50, 60), value, profile.get("dtype", "uint8"))
    path = raster(tmp_path / "bad.tif", cells, **profile)
    with pytest.raises(RasterError) as refused:
        layers.take_file(path, kind=kind, folder=tmp_path / "kept")
    assert refused.value.code == code
    assert not (tmp_path / "kept").exists()


def test_a_file_that_is_no_raster_is_refused(tmp_path):
    path = tmp_path / "notes.tif"
    path.write_text("age,year\n12,2024\n")
    with pytest.raises(RasterError) as refused:
        layers.take_file(path, kind="age", folder=tmp_path / "kept")
    assert refused.value.code == "RASTER_UNREADABLE"


def test_nodata_may_be_stated_where_the_file_is_silent(engine, at, tmp_path):
    cells = np.full((50, 60), 20, np.uint8)
    path = raster(tmp_path / "age.tif", cells, nodata=None)
    made = makers.add_layer(engine, at, path, "age", folder=tmp_path / "kept", nodata=0)
    assert made.nodata == 0.0
