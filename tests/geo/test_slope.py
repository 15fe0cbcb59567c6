"""Slope: planes by hand, the two methods, holes and edges."""

import numpy as np
import pytest

from geo.raster import ArrayLayer, Grid
from geo.slope import SlopeLayer, SlopeMethod, cell_size_m, layer_slope_deg, slope_deg

ROWS, COLUMNS = np.mgrid[0:9, 0:11].astype(float)


@pytest.mark.parametrize("method", SlopeMethod)
@pytest.mark.parametrize(
    ("east", "north"), [(0.0, 0.0), (0.2, 0.0), (0.0, -0.7), (0.35, 0.6), (-1.0, 1.0)]
)
def test_a_plane_has_one_slope_up_to_its_edges(method, east, north):
    height = 100 + east * 30 * COLUMNS - north * 25 * ROWS
    got = slope_deg(height, cell_x_m=30.0, cell_y_m=25.0, method=method)
    np.testing.assert_allclose(got, np.degrees(np.arctan(np.hypot(east, north))), atol=1e-9)


def test_a_hole_has_no_slope_and_its_neighbours_keep_theirs():
    height = 0.3 * 10 * COLUMNS
    height[4, 5] = np.nan
    got = slope_deg(height, cell_x_m=10.0, cell_y_m=10.0)
    assert np.isnan(got[4, 5])
    assert np.isnan(got).sum() == 1
    np.testing.assert_allclose(got[~np.isnan(got)], np.degrees(np.arctan(0.3)), atol=1e-9)


def test_the_methods_differ_on_rough_ground():
    height = np.random.default_rng(4).normal(0, 20, (40, 40))
    one = slope_deg(height, cell_x_m=25.0, cell_y_m=25.0)
    two = slope_deg(height, cell_x_m=25.0, cell_y_m=25.0, method=SlopeMethod.HORN)
    assert np.sqrt(np.mean((one - two) ** 2)) > 1
    r, c = 7, 9
    east, south = (
        (height[r, c + 1] - height[r, c - 1]) / 50,
        (height[r + 1, c] - height[r - 1, c]) / 50,
    )
    assert one[r, c] == pytest.approx(np.degrees(np.arctan(np.hypot(east, south))))
    w = np.array([1, 2, 1])
    east = (w @ height[r - 1 : r + 2, c + 1] - w @ height[r - 1 : r + 2, c - 1]) / 200
    south = (w @ height[r + 1, c - 1 : c + 2] - w @ height[r - 1, c - 1 : c + 2]) / 200
    assert two[r, c] == pytest.approx(np.degrees(np.arctan(np.hypot(east, south))))


def test_turning_the_ground_turns_the_slope():
    height = np.random.default_rng(5).normal(0, 20, (12, 12))
    for method in SlopeMethod:
        straight = slope_deg(height, cell_x_m=30.0, cell_y_m=30.0, method=method)
        turned = slope_deg(np.rot90(height), cell_x_m=30.0, cell_y_m=30.0, method=method)
        np.testing.assert_allclose(turned, np.rot90(straight), atol=1e-9)


def test_degrees_are_metres_by_row():
    grid = Grid(
        crs="EPSG:4490",
        origin_x=118.0,
        origin_y=29.0,
        cell_x=0.001,
        cell_y=0.001,
        width=11,
        height=9,
    )
    x, _ = cell_size_m(grid)
    assert x[-1] > x[0]
    cells = (0.4 * x[:, None] * COLUMNS).astype(np.float32)
    cells[0, 0] = -9999
    got = layer_slope_deg(ArrayLayer(name="dem", grid=grid, nodata=-9999.0, cells=cells))
    assert np.isnan(got[0, 0])
    assert got[4, 5] == pytest.approx(np.degrees(np.arctan(0.4)), abs=1e-3)


def test_geodesic_lengths_agree():
    import pyproj

    grid = Grid(
        crs="EPSG:4490",
        origin_x=118.0,
        origin_y=29.5,
        cell_x=0.001,
        cell_y=0.001,
        width=1,
        height=1000,
    )
    x, y = cell_size_m(grid)
    geod = pyproj.Geod(a=6378137.0, f=1 / 298.257222101)
    for row in (0, 999):
        lat = 29.5 - 0.001 * (row + 0.5)
        assert x[row] == pytest.approx(geod.inv(118.0, lat, 118.001, lat)[2], rel=1e-7)
        assert y[row] == pytest.approx(
            geod.inv(118.0, lat - 0.0005, 118.0, lat + 0.0005)[2], rel=1e-7
        )


def test_one_cell_is_level():
    assert slope_deg(np.array([[12.0]]), cell_x_m=1.0, cell_y_m=1.0)[0, 0] == 0.0


@pytest.mark.parametrize("crs", ["EPSG:4549", "EPSG:4490"])
def test_windows_make_the_slopes_of_the_whole(crs):
    grid = Grid(
        crs=crs, origin_x=118.0, origin_y=29.0, cell_x=0.001, cell_y=0.002, width=23, height=31
    )
    cells = np.random.default_rng(8).normal(0, 20, (31, 23))
    cells[4:7, 5:9] = np.nan
    dem = ArrayLayer(name="dem", grid=grid, nodata=None, cells=cells)
    for method in SlopeMethod:
        whole = layer_slope_deg(dem, method=method)
        layer = SlopeLayer(dem=dem, method=method)
        assert (layer.grid, layer.nodata, layer.name) == (grid, None, f"dem ({method.value})")
        with layer.reader() as read:
            for window in ((0, 31, 0, 23), (0, 4, 0, 7), (5, 6, 8, 9), (27, 31, 20, 23)):
                row0, row1, col0, col1 = window
                np.testing.assert_array_equal(read(*window), whole[row0:row1, col0:col1])
