"""Patches of lost cells against a plain flood fill, and their parts against the exact sums."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pyproj import Transformer
from scipy import ndimage

from geo.area import area_m2
from geo.patches import (
    YEAR_BEFORE,
    find_patches,
    loss_values,
    loss_year,
    lost_areas,
    parts_of,
)
from geo.raster import ArrayLayer, Grid, RasterError, open_layer
from geo.zonal import zonal_mean

EXTRA = os.environ.get("TANHUI_EXTRA_DATA")
GRID = Grid(
    crs="EPSG:4549",
    origin_x=380_000.0,
    origin_y=3_200_000.0,
    cell_x=10.0,
    cell_y=10.0,
    width=16,
    height=14,
)
SHAPE = (GRID.height, GRID.width)
TO_LON_LAT = Transformer.from_crs(GRID.crs, "EPSG:4490", always_xy=True)
NODATA = 65535
LATEST = 2025
losses = arrays(np.uint16, SHAPE, elements=st.sampled_from([0, 0, 0, 2023, 2024, 24, 25, NODATA]))
WHOLE = shapely.box(379_990.0, 3_199_850.0, 380_170.0, 3_200_010.0)


def layer(cells, **more):
    return ArrayLayer(name="loss", grid=GRID, nodata=NODATA, cells=cells, **more)


def lon_lat(shape):
    return shapely.transform(shape, TO_LON_LAT.transform, interleaved=False)


def years(cells):
    known = np.where(cells == NODATA, 0, cells).astype(int)
    return np.where((known > 0) & (known < 100), known + YEAR_BEFORE, known)


def flooded(cells):
    """Sizes in cells of the patches of each year, by a flood fill over eight neighbours."""
    shown, found = years(cells), []
    for year in np.unique(shown[shown > 0]):
        labels, count = ndimage.label(shown == year, np.ones((3, 3)))
        sizes = ndimage.sum_labels(shown == year, labels, range(1, count + 1))
        found += [(int(year), int(size)) for size in sizes]
    return sorted(found)


@given(cells=losses)
def test_patches_are_those_of_a_flood_fill_at_any_height_of_strips(cells):
    near = np.array([lon_lat(WHOLE)])
    found = find_patches(layer(cells), near, unit_m2=0, latest=LATEST)
    sizes = sorted(
        (int(year), round(float(area) / 100, 0))
        for year, area in zip(found.year, found.area_m2, strict=True)
    )
    assert sizes == flooded(cells)
    assert shapely.is_valid(found.geometry).all()
    again = find_patches(layer(cells), near, unit_m2=0, latest=LATEST, strip_rows=3)
    assert (again.year == found.year).all()
    assert shapely.equals_exact(again.geometry, found.geometry).all()


@given(cells=losses, unit=st.sampled_from([150, 250, 450, 1_000]))
def test_what_is_smaller_than_the_mapping_unit_is_not_told(cells, unit):
    near = np.array([lon_lat(WHOLE)])
    found = find_patches(layer(cells), near, unit_m2=unit, latest=LATEST)
    assert len(found.year) == sum(size * 100 > unit for _, size in flooded(cells))
    assert (found.area_m2 >= unit).all()


spans = st.tuples(*[st.floats(0.02, 0.98)] * 4)


@given(cells=losses, cut=spans)
def test_parts_of_parcels_add_up_to_their_exact_lost_ground(cells, cut):
    """Four parcels that share all ground of a box: parts by year are the histogram's areas."""
    across, down, x, y = cut
    west, south, east, north = WHOLE.bounds
    inner = (
        west + 20 + across * 60,
        south + 20 + down * 40,
        east - 20 - x * 60,
        north - 20 - y * 40,
    )
    mid_x, mid_y = (inner[0] + inner[2]) / 2, (inner[1] + inner[3]) / 2
    parcels = np.array(
        [
            lon_lat(shapely.box(*box))
            for box in (
                (inner[0], inner[1], mid_x, mid_y),
                (mid_x, inner[1], inner[2], mid_y),
                (inner[0], mid_y, mid_x, inner[3]),
                (mid_x, mid_y, inner[2], inner[3]),
            )
        ]
    )
    found = find_patches(layer(cells), parcels, unit_m2=0, latest=LATEST)
    parts = parts_of(found, parcels)
    lost = lost_areas(parcels, layer(cells))
    for i in range(len(parcels)):
        told = dict(zip(lost.years[i], lost.area_dm2[i], strict=True))
        mine = parts.parcel == i
        for year in set(told) | set(found.year[parts.patch[mine]].tolist()):
            of_year = mine & (found.year[parts.patch] == year)
            assert parts.area_m2[of_year].sum() == pytest.approx(
                told.get(year, 0) / 100, rel=1e-3, abs=0.05
            )


values = arrays(np.float32, SHAPE, elements=st.floats(-1, 1, width=32))


@given(cells=values, hidden=arrays(np.bool_, SHAPE), turn=st.floats(0, 90), size=st.floats(15, 60))
def test_a_mean_is_that_of_the_cells_cut_one_by_one(cells, hidden, turn, size):
    cells = np.where(hidden, np.float32(-9), cells)
    square = shapely.box(380_080 - size, 3_199_930 - size, 380_080 + size, 3_199_930 + size)
    plane = shapely.affinity.rotate(square, turn)
    row, column = np.indices(SHAPE)
    x, y = GRID.origin_x + column * 10.0, GRID.origin_y - row * 10.0
    part = shapely.area(shapely.intersection(shapely.box(x, y - 10, x + 10, y), plane))
    found = zonal_mean(
        np.array([lon_lat(plane)]), ArrayLayer(name="v", grid=GRID, nodata=-9.0, cells=cells)
    )
    known = part[~hidden].sum()
    assert found.known_share[0] == pytest.approx(known / plane.area, abs=1e-6)
    if known > 1e-3:
        mean = (part * cells)[~hidden].sum() / known
        assert found.mean[0] == pytest.approx(mean, abs=1e-5)


@pytest.mark.parametrize("value", [2026, 2000, 100, 26, 1999])
def test_a_year_to_come_or_none_is_refused_where_it_stands(value):
    cells = np.zeros(SHAPE, np.uint16)
    cells[5, 7] = value
    with pytest.raises(RasterError) as refused:
        find_patches(layer(cells), np.array([lon_lat(WHOLE)]), unit_m2=0, latest=LATEST)
    assert refused.value.code == "RASTER_LOSS_YEAR"
    assert (refused.value.params["row"], refused.value.params["column"]) == (5, 7)


def test_values_and_years_agree():
    assert {loss_year(value) for value in loss_values(2024)} == {0, *range(2001, 2025)}
    assert loss_year(24) == loss_year(2024) == 2024
    assert loss_year(2000) == loss_year(100) == loss_year(-1) == 0


def test_ground_off_the_raster_has_no_patches():
    far = replace(GRID, origin_x=GRID.origin_x + 50_000)
    cells = np.full(SHAPE, 2024, np.uint16)
    there = ArrayLayer(name="loss", grid=far, nodata=NODATA, cells=cells)
    near = np.array([lon_lat(WHOLE)])
    found = find_patches(there, near, unit_m2=0, latest=LATEST)
    assert len(found.year) == 0
    assert len(parts_of(found, near).patch) == 0


@pytest.mark.skipif(not EXTRA, reason="TANHUI_EXTRA_DATA is not set")
def test_a_global_product_gives_the_same_ground_twice_over():
    """Hansen's loss years of Dominica: patches cut along squares add up to the exact areas."""
    path = Path(EXTRA) / "04_rasters" / "dominica_hansen_lossyear_EPSG4326.tif"
    raster = open_layer(path, kind="loss", nodata=255, allowed=loss_values(2018))
    west, south = -61.42, 15.40
    squares = np.array(
        [
            shapely.box(west + 0.01 * i, south + 0.01 * j, west + 0.01 * i + 0.0093,
                        south + 0.01 * j + 0.0091)
            for i in range(4) for j in range(4)
        ]
    )  # fmt: skip
    parts = parts_of(find_patches(raster, squares, unit_m2=0, latest=2018), squares)
    lost = lost_areas(squares, raster)
    exact = np.array([sum(areas) / 100 for areas in lost.area_dm2])
    told = np.bincount(parts.parcel, parts.area_m2, len(squares))
    assert exact.sum() > 10_000
    assert told == pytest.approx(exact, rel=1e-4, abs=1)
    assert area_m2(squares).sum() > exact.sum()
