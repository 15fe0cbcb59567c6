"""Real layers: figures that exactextract and rasterio found, and files as people publish them."""

import json
import os
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import Transformer

from geo.area import area_m2
from geo.coverage import cell_rings, cell_shares
from geo.raster import RasterError, open_layer, require_aligned
from geo.slope import SlopeLayer, SlopeMethod, layer_slope_deg
from geo.zonal import ClassLayer, class_shares, cohort_histogram, zonal_mean

EXTRA = os.environ.get("TANHUI_EXTRA_DATA")
pytestmark = pytest.mark.skipif(not EXTRA, reason="TANHUI_EXTRA_DATA is not set")
ROOT = Path(EXTRA or ".")
RASTERS, HANGBU = ROOT / "04_rasters", ROOT / "08_synthetic_hangbu_sample"


def expected():
    return json.loads((RASTERS / "expected_values.json").read_text(encoding="utf-8"))


def to_lon_lat(geometries, crs):
    back = Transformer.from_crs(crs, "EPSG:4490", always_xy=True)
    return shapely.transform(
        geometries, lambda c: np.column_stack(back.transform(c[:, 0], c[:, 1]))
    )


def polygons(path):
    meta, _, wkb, _ = pyogrio.raw.read(path)
    return shapely.force_2d(shapely.from_wkb(wkb)), meta["crs"]


def test_zion_classes_equal_exactextract():
    layer = open_layer(RASTERS / "zion_nlcd_EPSG26912.tif", kind="land_class", allowed=range(1, 10))
    park, crs = polygons(RASTERS / "zion_park_boundary_UTM12.gpkg")
    onto = Transformer.from_crs(crs, layer.crs, always_xy=True)
    park = shapely.transform(park, lambda c: np.column_stack(onto.transform(c[:, 0], c[:, 1])))
    listed = cell_shares(cell_rings(park, layer.grid, crs=layer.crs), layer.grid)
    with layer.reader() as read:
        cells = read(0, layer.grid.height, 0, layer.grid.width)[listed.row, listed.column]
    known = cells != layer.nodata
    count = listed.share[known].sum()
    key = "zion: coverage-weighted pixel count of zion_nlcd inside the park boundary (boundary reprojected to EPSG:26912)"
    assert count == pytest.approx(expected()[key], rel=1e-7)
    for code, share in expected()["zion: NLCD class fractions, coverage-weighted"].items():
        assert listed.share[cells == int(code)].sum() / count == pytest.approx(share, abs=6e-5)
    shares = class_shares(
        cohort_histogram(
            to_lon_lat(park, layer.crs), [ClassLayer(source=layer, radix=10, stride=1)]
        ),
        10,
    )
    assert shares[0, 4] == pytest.approx(0.4926, abs=1e-4)


def test_slovenia_class_counts_come_from_its_polygons():
    layer = open_layer(RASTERS / "slovenia_lulc_EPSG32633.tif", kind="land_class", nodata=255)
    grid = layer.grid
    whole = shapely.box(
        grid.origin_x,
        grid.origin_y - grid.height * grid.cell_y,
        grid.origin_x + grid.width * grid.cell_x,
        grid.origin_y,
    )
    listed = cell_shares(cell_rings(np.array([whole]), grid, crs=grid.crs), grid)
    assert len(listed.share) == grid.width * grid.height
    np.testing.assert_allclose(listed.share, 1.0, atol=1e-9)
    with layer.reader() as read:
        cells = read(0, grid.height, 0, grid.width)[listed.row, listed.column]
    codes, counts = np.unique(cells, return_counts=True)
    assert (
        dict(zip(map(str, codes.tolist()), counts.tolist(), strict=True))
        == expected()["slovenia_lulc pixel counts by class"]
    )


def test_layers_without_nodata_are_refused_until_told():
    path = RASTERS / "dominica_hansen_lossyear_EPSG4326.tif"
    with pytest.raises(RasterError) as caught:
        open_layer(path, kind="disturbance")
    assert caught.value.code == "RASTER_NO_NODATA"
    loss = open_layer(path, kind="disturbance", nodata=255)
    zone = open_layer(RASTERS / "dominica_fao_ecozone_EPSG4326.tif", kind="land_class")
    assert require_aligned([loss, zone]) == loss.grid
    with pytest.raises(RasterError) as caught:
        require_aligned([loss, open_layer(RASTERS / "zion_nlcd_EPSG26912.tif", kind="land_class")])
    assert caught.value.code == "RASTER_CRS_MISMATCH"


def test_an_island_strip_by_strip():
    """One polygon of 2.2 million cells, larger than any strip, in degrees."""
    zone = open_layer(RASTERS / "dominica_fao_ecozone_EPSG4326.tif", kind="land_class")
    grid = zone.grid
    island = np.array([shapely.box(-61.5, 15.2, -61.2, 15.7)])
    layers = [ClassLayer(source=zone, radix=256, stride=1)]
    one, many = cohort_histogram(island, layers), cohort_histogram(island, layers, strip_rows=64)
    np.testing.assert_array_equal(one.area_dm2, many.area_dm2)
    assert one.nodata_dm2[0] + one.area_dm2.sum() == round(area_m2(island)[0] * 100)
    with zone.reader() as read:
        land = read(0, grid.height, 0, grid.width) != 255
    assert int(land.sum()) == expected()["dominica: land pixels (ecozone != 255)"]
    assert one.area_dm2.sum() / (one.area_dm2.sum() + one.nodata_dm2[0]) == pytest.approx(
        land.mean(), abs=2e-3
    )


def test_hangbu_parcels_lie_wholly_on_their_layers():
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(
        HANGBU / "parcels_2000_EPSG4549.parquet", columns=["geometry"]
    )
    parcels = to_lon_lat(shapely.from_wkb(table["geometry"].to_numpy()), "EPSG:4549")
    names = {"age": (128, 1), "site_index": (64, 128), "species": (8, 8192)}
    layers = [
        ClassLayer(
            source=open_layer(HANGBU / f"{name}_30m_EPSG4549.tif", kind=name.split("_")[0]),
            radix=radix,
            stride=stride,
        )
        for name, (radix, stride) in names.items()
    ]
    found = cohort_histogram(parcels, layers)
    assert not found.outside_dm2.any()
    whole = np.bincount(found.parcel, found.area_dm2, minlength=2000) + found.nodata_dm2
    np.testing.assert_array_equal(whole, np.floor(area_m2(parcels) * 100 + 0.5))


def test_the_slope_method_decides_at_a_limit():
    dem = open_layer(HANGBU / "dem_30m_EPSG4549.tif", kind="dem")
    one, two = (layer_slope_deg(dem, method=method) for method in SlopeMethod)
    assert np.nanmax(np.abs(one - two)) > 1.0
    assert np.nanmax(one) < 90
    box = np.array([shapely.box(118.70, 28.95, 118.72, 28.97)])
    found = zonal_mean(box, SlopeLayer(dem=dem))
    assert 0 <= found.minimum[0] <= found.mean[0] <= found.maximum[0] < 90
    assert found.known_share[0] == pytest.approx(1.0, abs=1e-4)
