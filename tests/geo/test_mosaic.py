"""Parts put together are the whole they were cut from, whatever their order; faults are named."""

import itertools
import random

import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from rasterio.transform import Affine

from geo.aligning import Alignment, align, usual_alignment
from geo.mosaic import mosaic
from geo.raster import Grid, RasterError, file_sha256, open_layer, write_cog

GRID = Grid(
    crs="EPSG:4549", origin_x=430_000.0, origin_y=3_210_000.0, cell_x=10.0, cell_y=10.0,
    width=700, height=1_100,
)  # fmt: skip


def cells_of(path):
    with rasterio.open(path) as src:
        return src.read(1), src.transform, src.nodata


def write(path, cells, column=0, row=0, *, nodata=255, crs=GRID.crs, shift=0.0):
    place = GRID.transform @ Affine.translation(column + shift, row)
    with rasterio.open(
        path, "w", driver="GTiff", dtype=cells.dtype.name, count=1, height=cells.shape[0],
        width=cells.shape[1], crs=crs, transform=place, nodata=nodata,
    ) as made:  # fmt: skip
        made.write(cells, 1)
    return path


@pytest.fixture
def whole():
    return np.random.default_rng(7).integers(1, 120, (GRID.height, GRID.width), np.uint8)


@pytest.fixture
def parts(tmp_path, whole):
    """Six parts that overlap by some cells, one of them with a nodata value of its own."""
    made = []
    for row, column in itertools.product((0, 370, 740), (0, 345)):
        cut = whole[row : row + 375, column : column + 360].copy()
        own = 200 if (row, column) == (370, 0) else 255
        made.append(write(tmp_path / f"{row}-{column}.tif", cut, column, row, nodata=own))
    return made


def test_parts_in_any_order_are_the_whole(tmp_path, parts, whole):
    digest = mosaic(parts, tmp_path / "one.tif", kind="species")
    cells, place, nodata = cells_of(tmp_path / "one.tif")
    assert (cells == whole).all()
    assert (place, nodata) == (GRID.transform, 255)
    shuffled = random.Random(3).sample(parts, len(parts))
    assert mosaic(shuffled, tmp_path / "two.tif", kind="species") == digest
    layer = open_layer(tmp_path / "one.tif", kind="species")
    assert layer.sha256 == digest == file_sha256(tmp_path / "one.tif")


def test_what_no_part_covers_is_nodata(tmp_path, parts, whole):
    mosaic([parts[0], parts[5]], tmp_path / "one.tif", kind="species")
    cells, _, _ = cells_of(tmp_path / "one.tif")
    covered = np.zeros(whole.shape, bool)
    covered[:375, :360] = covered[740:, 345:] = True
    assert (cells == np.where(covered, whole, 255)).all()


def test_parts_that_disagree_are_named_with_the_cell(tmp_path, parts, whole):
    cut = whole[:375, 345:].copy()
    cut[17, 4] += 1
    write(parts[1], cut, 345, 0)
    with pytest.raises(RasterError) as refused:
        mosaic(parts, tmp_path / "one.tif", kind="species")
    assert refused.value.code == "RASTER_PARTS_DISAGREE"
    told = refused.value.params
    assert (told["file"], told["row"], told["column"]) == ("0-345.tif", 17, 4)
    assert {told["value"], told["other"]} == {int(cut[17, 4]), int(cut[17, 4]) - 1}
    assert not (tmp_path / "one.tif").exists()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"shift": 0.5}, "RASTER_GRID_MISMATCH"),
        ({"crs": "EPSG:4550"}, "RASTER_CRS_MISMATCH"),
        ({"dtype": np.int16}, "RASTER_PARTS_DIFFER"),
        ({"nodata": None}, "RASTER_NO_NODATA"),
        ({"column": 600_000}, "RASTER_TOO_LARGE"),
    ],
)
def test_parts_of_another_kind_are_refused(tmp_path, parts, whole, change, code):
    cells = whole[:50, :50].astype(change.pop("dtype", np.uint8))
    odd = write(tmp_path / "odd.tif", cells, **change)
    with pytest.raises(RasterError) as refused:
        mosaic([*parts, odd], tmp_path / "one.tif", kind="species")
    assert refused.value.code == code


DEGREES = Grid(
    crs="EPSG:4490", origin_x=119.275, origin_y=29.01, cell_x=0.00013, cell_y=0.00011,
    width=300, height=260,
)  # fmt: skip


def centres(grid):
    """Where the middle of each cell lies, in the grid's own coordinates."""
    x = grid.origin_x + (np.arange(grid.width) + 0.5) * grid.cell_x
    y = grid.origin_y - (np.arange(grid.height) + 0.5) * grid.cell_y
    return np.meshgrid(x, y)


def test_nearest_is_the_cell_under_the_centre(tmp_path, whole):
    write_cog(tmp_path / "a.tif", whole, grid=GRID, nodata=255)
    layer = open_layer(tmp_path / "a.tif", kind="species")
    assert usual_alignment(layer) is Alignment.NEAREST
    align(layer, DEGREES, tmp_path / "b.tif", method=Alignment.NEAREST)
    got, place, _ = cells_of(tmp_path / "b.tif")
    assert place == DEGREES.transform
    x, y = Transformer.from_crs("EPSG:4490", GRID.crs, always_xy=True).transform(*centres(DEGREES))
    column = np.floor((x - GRID.origin_x) / GRID.cell_x).astype(int)
    row = np.floor((GRID.origin_y - y) / GRID.cell_y).astype(int)
    inside = (row >= 0) & (row < GRID.height) & (column >= 0) & (column < GRID.width)
    assert 0.2 < inside.mean() < 1.0
    want = np.where(inside, whole[row.clip(0, 1_099), column.clip(0, 699)], 255)
    # A centre within a millimetre of an edge may fall to either side.
    off = np.minimum(np.abs(x / 10 - np.round(x / 10)), np.abs(y / 10 - np.round(y / 10)))
    sure = off > 1e-4
    assert (got == want)[sure].all()
    assert sure.mean() > 0.99


def test_average_is_the_mean_of_what_is_known(tmp_path):
    cells = np.random.default_rng(5).uniform(0, 900, (40, 60)).astype(np.float32)
    cells[4, 4] = cells[:10, 20:30] = -9999
    fine = Grid(
        crs="EPSG:4549", origin_x=0, origin_y=400, cell_x=10, cell_y=10, width=60, height=40
    )
    coarse = Grid(
        crs="EPSG:4549", origin_x=0, origin_y=400, cell_x=100, cell_y=100, width=6, height=4
    )
    write_cog(tmp_path / "a.tif", cells, grid=fine, nodata=-9999)
    layer = open_layer(tmp_path / "a.tif", kind="dem")
    align(layer, coarse, tmp_path / "b.tif", method=Alignment.AVERAGE)
    got, _, nodata = cells_of(tmp_path / "b.tif")
    blocks = np.where(cells == -9999, np.nan, cells.astype(float)).reshape(4, 10, 6, 10)
    blocks = blocks.swapaxes(1, 2).reshape(4, 6, 100)
    known = ~np.isnan(blocks).all(axis=2)
    assert (got[~known], known[0, 2]) == (nodata, False)
    assert np.allclose(got[known], np.nanmean(blocks[known], axis=1), rtol=1e-6)


def test_bilinear_keeps_a_plane(tmp_path):
    x, y = centres(GRID)
    plane = (0.02 * (x - 430_000) + 0.03 * (y - 3_200_000)).astype(np.float32)
    write_cog(tmp_path / "a.tif", plane, grid=GRID, nodata=-1)
    finer = Grid(
        crs="EPSG:4549", origin_x=431_003.0, origin_y=3_208_001.0, cell_x=4.0, cell_y=4.0,
        width=500, height=400,
    )  # fmt: skip
    layer = open_layer(tmp_path / "a.tif", kind="dem")
    assert usual_alignment(layer) is Alignment.BILINEAR
    align(layer, finer, tmp_path / "b.tif", method=Alignment.BILINEAR)
    got, _, _ = cells_of(tmp_path / "b.tif")
    u, v = centres(finer)
    assert np.abs(got - (0.02 * (u - 430_000) + 0.03 * (v - 3_200_000))).max() < 1e-3


def test_classes_are_never_mixed_and_grids_must_meet(tmp_path, whole):
    write_cog(tmp_path / "a.tif", whole, grid=GRID, nodata=255)
    layer = open_layer(tmp_path / "a.tif", kind="species")
    with pytest.raises(RasterError) as refused:
        align(layer, DEGREES, tmp_path / "b.tif", method=Alignment.AVERAGE)
    assert refused.value.code == "RASTER_METHOD_UNFIT"
    elsewhere = Grid(
        crs="EPSG:4490", origin_x=100.0, origin_y=30.0, cell_x=1e-4, cell_y=1e-4, width=9, height=9
    )
    with pytest.raises(RasterError) as refused:
        align(layer, elsewhere, tmp_path / "b.tif", method=Alignment.NEAREST)
    assert refused.value.code == "RASTER_APART"
    assert not (tmp_path / "b.tif").exists()
