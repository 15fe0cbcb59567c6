"""Raster layers: what is refused, by which code, and what is written."""

import dataclasses

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine

from geo.raster import (
    ArrayLayer,
    Grid,
    GridMismatchError,
    RasterError,
    file_sha256,
    open_layer,
    require_aligned,
    write_cog,
)

GRID = Grid(
    crs="EPSG:4549",
    origin_x=370_000.0,
    origin_y=3_211_000.0,
    cell_x=30.0,
    cell_y=30.0,
    width=60,
    height=50,
)
CELLS = np.random.default_rng(5).integers(0, 6, (50, 60)).astype(np.uint8)


def write(path, cells=CELLS, **changes):
    """A plain GeoTIFF with one property changed."""
    profile = {
        "driver": "GTiff",
        "dtype": cells.dtype.name,
        "count": 1,
        "height": 50,
        "width": 60,
        "crs": "EPSG:4549",
        "transform": GRID.transform,
        "nodata": 255 if cells.dtype != np.int8 else -128,
    }
    profile |= changes
    bands = profile["count"]
    with rasterio.open(path, "w", **profile) as dst:
        for band in range(bands):
            dst.write(cells, band + 1)
    return path


def code_of(path, kind="species", **options):
    with pytest.raises(RasterError) as caught:
        open_layer(path, kind=kind, **options)
    assert caught.value.params["file"] == path.name
    return caught.value.code


def test_a_good_layer_says_what_it_is(tmp_path):
    path = write(tmp_path / "species.tif")
    layer = open_layer(path, kind="species", allowed=range(6), year=2020)
    assert layer.grid == GRID
    assert (layer.nodata, layer.dtype, layer.band, layer.year, layer.crs) == (
        255.0,
        "uint8",
        1,
        2020,
        "EPSG:4549",
    )
    assert layer.sha256 == file_sha256(path)
    with layer.reader() as read:
        np.testing.assert_array_equal(read(3, 9, 4, 50), CELLS[3:9, 4:50])


def test_no_system_no_nodata_rotated_and_many_bands(tmp_path):
    assert code_of(write(tmp_path / "a.tif", crs=None)) == "RASTER_NO_CRS"
    assert code_of(write(tmp_path / "b.tif", nodata=None)) == "RASTER_NO_NODATA"
    assert open_layer(tmp_path / "b.tif", kind="species", nodata=0).nodata == 0
    turned = Affine(30, 5, 370_000, 5, -30, 3_211_000)
    assert code_of(write(tmp_path / "c.tif", transform=turned)) == "RASTER_ROTATED"
    assert (
        code_of(write(tmp_path / "d.tif", transform=Affine(30, 0, 370_000, 0, 30, 3_211_000)))
        == "RASTER_ROTATED"
    )
    assert code_of(write(tmp_path / "e.tif", count=3)) == "RASTER_MANY_BANDS"
    assert open_layer(tmp_path / "e.tif", kind="species", band=2).band == 2
    assert code_of(tmp_path / "e.tif", band=4) == "RASTER_MANY_BANDS"


def test_values_that_make_no_sense(tmp_path):
    assert code_of(write(tmp_path / "a.tif", CELLS.astype(np.float32))) == "RASTER_WRONG_DTYPE"
    assert open_layer(tmp_path / "a.tif", kind="dem").dtype == "float32"
    assert code_of(write(tmp_path / "b.tif", np.full_like(CELLS, 255))) == "RASTER_ALL_NODATA"
    age = CELLS.astype(np.int16)
    age[7, 11] = -3
    with pytest.raises(RasterError) as caught:
        open_layer(write(tmp_path / "c.tif", age, nodata=-9999), kind="age")
    assert caught.value.code == "RASTER_NEGATIVE_AGE"
    assert dict(caught.value.params) == {"file": "c.tif", "row": 7, "column": 11, "value": -3}
    age[7, 11] = -9999
    assert open_layer(write(tmp_path / "d.tif", age, nodata=-9999), kind="age").nodata == -9999
    assert code_of(write(tmp_path / "e.tif"), allowed=[0, 1, 2]) == "RASTER_UNKNOWN_SPECIES"
    assert (
        code_of(tmp_path / "e.tif", kind="land_class", allowed=[0, 1, 2]) == "RASTER_UNKNOWN_CLASS"
    )


def test_a_raster_that_only_claims_to_be_gigantic(tmp_path):
    for width, height in ((600_000, 10), (400_000, 200_000)):
        path = tmp_path / f"{width}.tif"
        profile = {"driver": "GTiff", "dtype": "uint8", "count": 1, "width": width,
                   "height": height, "crs": "EPSG:4549", "transform": GRID.transform,
                   "nodata": 255, "SPARSE_OK": True, "BIGTIFF": "YES", "tiled": True}  # fmt: skip
        with rasterio.open(path, "w", **profile):
            pass
        assert code_of(path) == "RASTER_TOO_LARGE"


def test_infinite_values_are_refused_and_single_cells_are_a_layer(tmp_path):
    cells = np.ones((50, 60), np.float32)
    cells[7, 9] = np.inf
    with pytest.raises(RasterError) as caught:
        open_layer(write(tmp_path / "a.tif", cells, nodata=-1), kind="ndvi")
    assert caught.value.code == "RASTER_NOT_FINITE"
    assert (caught.value.params["row"], caught.value.params["column"]) == (7, 9)
    cells[7, 9] = np.nan
    assert open_layer(write(tmp_path / "b.tif", cells, nodata=-1), kind="ndvi").nodata == -1
    one = write(tmp_path / "c.tif", np.ones((1, 1), np.uint8), width=1, height=1)
    assert open_layer(one, kind="species").grid.width == 1


def test_a_nan_layer_of_nothing(tmp_path):
    assert (
        code_of(
            write(tmp_path / "a.tif", np.full((50, 60), np.nan, np.float32), nodata=np.nan),
            kind="dem",
        )
        == "RASTER_ALL_NODATA"
    )


def test_files_cut_off_missing_or_of_another_kind(tmp_path):
    whole = write(
        tmp_path / "whole.tif", np.random.default_rng(1).normal(size=(50, 60)).astype(np.float32)
    )
    cut = tmp_path / "cut.tif"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert code_of(cut, kind="dem") == "RASTER_UNREADABLE"
    head = tmp_path / "head.tif"
    head.write_bytes(whole.read_bytes()[:6])
    assert code_of(head, kind="dem") == "RASTER_UNREADABLE"
    page = tmp_path / "page.tif"
    page.write_text("<html>404</html>")
    assert code_of(page) == "RASTER_UNREADABLE"
    assert code_of(tmp_path / "absent.tif") == "RASTER_UNREADABLE"
    vrt = tmp_path / "other.vrt"
    vrt.write_text(
        f'<VRTDataset rasterXSize="60" rasterYSize="50"><VRTRasterBand dataType="Byte" band="1"><SimpleSource><SourceFilename>{whole}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>'
    )
    assert code_of(vrt) == "RASTER_UNREADABLE"


def test_a_cog_is_tiled_and_its_bytes_repeat(tmp_path):
    grid = dataclasses.replace(GRID, width=1100, height=900)
    cells = np.random.default_rng(2).normal(300, 80, (900, 1100)).astype(np.float32)
    digests = [
        write_cog(
            tmp_path / name,
            cells,
            grid=grid,
            nodata=-9999.0,
            tags={"year": "2020", "kind": "dem"},
            average=True,
        )
        for name in ("a.tif", "b.tif")
    ]
    assert digests[0] == digests[1] == file_sha256(tmp_path / "b.tif")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.tif", "b.tif"]
    with rasterio.open(tmp_path / "a.tif") as src:
        assert src.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert src.block_shapes == [(512, 512)]
        assert src.overviews(1) == [2, 4]
        assert (src.nodata, src.tags()["kind"]) == (-9999.0, "dem")
        np.testing.assert_array_equal(src.read(1), cells)
    assert open_layer(tmp_path / "a.tif", kind="dem").grid == grid
    with pytest.raises(ValueError, match="do not fill"):
        write_cog(tmp_path / "c.tif", cells[1:], grid=grid, nodata=0.0)


def test_layers_that_do_not_lie_cell_on_cell():
    one = ArrayLayer(name="one", grid=GRID, nodata=None, cells=CELLS)
    assert require_aligned([one, one]) == GRID
    for change, code in (
        ({"crs": "EPSG:4548"}, "RASTER_CRS_MISMATCH"),
        ({"origin_x": 370_015.0}, "RASTER_GRID_MISMATCH"),
        ({"width": 61}, "RASTER_GRID_MISMATCH"),
    ):
        two = ArrayLayer(
            name="two", grid=dataclasses.replace(GRID, **change), nodata=None, cells=CELLS
        )
        with pytest.raises(GridMismatchError) as caught:
            require_aligned([one, two])
        assert caught.value.code == code
        assert {caught.value.params["first"], caught.value.params["second"]} == {"one", "two"}
