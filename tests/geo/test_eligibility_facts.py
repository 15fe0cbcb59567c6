"""Slopes and class shares measured from layers, as the rules read them."""

import numpy as np
import pytest
import shapely

from geo.eligibility.facts import land_class_shares, slope_facts
from geo.raster import ArrayLayer, Grid
from geo.slope import SlopeMethod

GRID = Grid(
    crs="EPSG:4490",
    origin_x=118.8,
    origin_y=29.0,
    cell_x=0.0003,
    cell_y=0.0003,
    width=40,
    height=40,
)
PARCELS = np.array(
    [
        shapely.box(118.803, 28.991, 118.808, 28.996),
        shapely.box(118.7955, 28.991, 118.805, 28.996),
        shapely.box(119.1, 28.9, 119.2, 28.95),
    ]
)


def test_slope_of_a_plane():
    from geo.slope import cell_size_m

    east_m, _ = cell_size_m(GRID)
    heights = 0.5 * np.arange(40)[None, :] * east_m[:, None]
    found = slope_facts(
        PARCELS,
        ArrayLayer(name="dem.tif", grid=GRID, nodata=None, cells=heights),
        method=SlopeMethod.HORN,
    )
    assert (found.method, found.layer) == ("horn", "dem.tif")
    np.testing.assert_allclose(found.mean_deg[:2], np.degrees(np.arctan(0.5)), atol=2e-3)
    assert found.max_deg[0] == pytest.approx(np.degrees(np.arctan(0.5)), abs=2e-3)
    np.testing.assert_allclose(found.known_share, [1.0, 0.005 / 0.0095, 0.0], rtol=1e-4)
    assert np.isnan(found.mean_deg[2])


def test_shares_of_named_classes():
    cells = np.where(np.arange(40)[None, :] < 20, 2, 3).astype(np.uint8).repeat(40, 0)
    cells[:, 25:] = 5
    layer = ArrayLayer(name="land", grid=GRID, nodata=0.0, cells=cells)
    classes = {"bamboo": [2], "forest": [2, 3], "other": [5]}
    found = land_class_shares(PARCELS, layer, classes=classes, code_max=5, known_share_min=0.9)
    np.testing.assert_allclose(found["bamboo"], [0.6, np.nan, np.nan], atol=1e-4)
    np.testing.assert_allclose(found["forest"][0] + found["other"][0], 1.0, atol=1e-6)
    half = land_class_shares(PARCELS, layer, classes=classes, code_max=5, known_share_min=0.5)
    assert half["bamboo"][1] == pytest.approx(0.005 / 0.0095, rel=1e-4)
