"""A run's map adds up to the run's kg, and a cell's density is the cohort table's."""

import json

import numpy as np
import pystac
import pytest
import rasterio
from pystac.validation import validate_dict
from rasterio.warp import transform_bounds

from geo.raster import file_sha256, open_layer
from registry import assessments, map_items, maps, people
from registry.db import SYSTEM_ACTOR, transaction
from registry.errors import NotFoundError
from registry.estimation import assess
from registry.provenance import GeometryWithheldError
from sinks import units
from tests import factories
from tests.registry import makers_science as makers


@pytest.fixture
def stand(engine, at, tmp_path):
    """Six parcels, one partly off the layers, and a loss in the west; one run."""
    ids = makers.draw_parcels(engine, at, makers.blocks(2, 3))
    loss = np.zeros((makers.GRID.height, makers.GRID.width), np.uint16)
    loss[:, :10] = 2028
    makers.add_layers(engine, at, tmp_path, makers.arrays())
    makers.add_layers(engine, at, tmp_path, {"disturbance": loss}, nodata=65535)
    return ids, assess(engine, makers.command(at, ids), layer_dir=tmp_path / "layers")


def drawn(engine, tmp_path, run_id, year, *, what="stock", actor_id=SYSTEM_ACTOR, name="map.tif"):
    with transaction(engine) as session:
        return maps.write_map(
            session, people.actor(session, actor_id), run_id, year,
            out=tmp_path / name, layer_dir=tmp_path / "layers", what=what,
        )  # fmt: skip


@pytest.mark.parametrize("year", [2025, 2028, 2034])
@pytest.mark.parametrize("what", ["stock", "net"])
def test_the_totals_add_up_to_the_run(engine, tmp_path, stand, year, what):
    _, report = stand
    made = drawn(engine, tmp_path, report.run_id, year, what=what)
    with transaction(engine) as session:
        sums = next(one for one in assessments.yearly(session) if one.year == year)
    assert made.run_kg == (sums.stock_kg if what == "stock" else sums.net_kg)
    assert made.total_kg == made.run_kg
    with rasterio.open(tmp_path / made.total) as src:
        cells = src.read(1)
        assert src.tags()["unit"] == "kg CO2e"
        assert src.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert cells[cells != src.nodata].sum() == pytest.approx(made.run_kg, abs=1e-3)
    assert file_sha256(tmp_path / made.total) == made.total_sha256
    assert file_sha256(tmp_path / made.density) == made.density_sha256
    assert open_layer(tmp_path / made.density, kind="carbon").nodata == maps.NODATA


def test_a_cells_density_is_that_of_its_cohort(engine, tmp_path, stand):
    ids, report = stand
    made = drawn(engine, tmp_path, report.run_id, 2030)
    with rasterio.open(tmp_path / made.density) as src:
        cells = src.read(1)
    found = {round(float(v), 3) for v in np.unique(cells[cells != maps.NODATA])}
    with transaction(engine) as session:
        told = [assessments.explain(session, one, 2030) for one in ids]
    known = {
        round(float(np.float32(part.mg_c_m2 / units.MG_M2_PER_T_HA)), 3)
        for one in told
        for part in one.cohorts
    }
    assert found == known


def test_the_same_map_has_the_same_bytes_and_a_stranger_gets_none(engine, tmp_path, stand):
    _, report = stand
    one = drawn(engine, tmp_path, report.run_id, 2030)
    two = drawn(engine, tmp_path, report.run_id, 2030, name="again.tif")
    assert one.density_sha256 == two.density_sha256
    assert one.total_sha256 == two.total_sha256
    with transaction(engine) as session:
        verifier = factories.actor(session, "verifier")
    with pytest.raises(GeometryWithheldError):
        drawn(engine, tmp_path, report.run_id, 2030, actor_id=verifier, name="none.tif")
    assert not (tmp_path / "none.tif").exists()
    with pytest.raises(assessments.NoAssessmentError):
        drawn(engine, tmp_path, report.run_id, 2050)
    with pytest.raises(NotFoundError):
        drawn(engine, tmp_path, factories.uuid4(), 2030)


@pytest.mark.parametrize("what", ["stock", "net"])
def test_the_item_beside_a_map_names_its_rasters_by_digest(engine, tmp_path, stand, what):
    _, report = stand
    made = drawn(engine, tmp_path, report.run_id, 2030, what=what)
    path = map_items.write_item(made, tmp_path / made.density)
    item = pystac.Item.from_file(path)
    # The core schema comes with pystac; those of extensions lie on the network.
    validate_dict({**json.loads(path.read_text()), "stac_extensions": []})
    assert (path.name, item.properties["tanhui:run"]) == ("map.json", str(report.run_id))
    assert item.properties["tanhui:map_kg"] == made.run_kg
    for role, digest in (("density", made.density_sha256), ("total", made.total_sha256)):
        asset = item.assets[role]
        assert asset.extra_fields["file:checksum"] == f"1220{digest}"
        assert file_sha256(tmp_path / asset.href) == digest
    with rasterio.open(tmp_path / made.density) as src:
        west, south, east, north = transform_bounds(src.crs, "EPSG:4490", *src.bounds)
    assert item.bbox == pytest.approx([west, south, east, north], abs=1e-6)
