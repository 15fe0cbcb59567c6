"""The catalogue of layers: valid by pystac, true to the raster, the file itself only by right."""

import hashlib
from datetime import UTC, datetime

import numpy as np
import pystac
import pytest
import rasterio
from pystac.validation import validate_dict
from rasterio.transform import Affine

from registry import layers
from registry.db import SYSTEM_ACTOR, perform
from tests.web.conftest import PASSWORD

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def layer(town, tmp_path_factory):
    """An elevation raster of 40 x 30 cells of 10 m in zone 120 E, taken in."""
    path = tmp_path_factory.mktemp("layers") / "dem.tif"
    profile = {
        "driver": "GTiff", "width": 40, "height": 30, "count": 1, "dtype": "float32",
        "crs": "EPSG:4549", "nodata": -9999.0, "transform": Affine(10, 0, 500_000, 0, -10, 3_200_000),
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.write(np.full((1, 30, 40), 120.0, dtype="float32"))
    taken = layers.take_file(path, kind="dem", folder=town.app.config["TANHUI"].layer_dir)
    command = layers.RegisterLayer(
        at=AT, actor_id=SYSTEM_ACTOR, key="dem", file=taken, kind="dem", year=2024,
        source="测绘院", licence="CC-BY-4.0",
    )  # fmt: skip
    perform(town.engine, layers.register_layer, command)
    return taken, path.read_bytes()


def get(town, path, desk=None, **headers):
    auth = (desk, PASSWORD) if desk else None
    return town.app.test_client().get(f"/stac{path}", auth=auth, headers=headers)


def walk(town, path="/"):
    """Every document that links lead to, from the root on."""
    body = get(town, path).get_json()
    yield body
    for link in body["links"]:
        if link["rel"] in {"child", "item"}:
            yield from walk(town, link["href"].split("/stac", 1)[1])


def test_every_document_is_valid(town, layer):
    kinds = []
    for body in walk(town):
        # The core schemas come with pystac; those of extensions lie on the network.
        validate_dict({**body, "stac_extensions": []} if "stac_extensions" in body else body)
        kinds.append(body["type"])
    assert kinds == ["Catalog", "Collection", "Feature"]
    listed = get(town, "/collections/dem/items").get_json()["features"]
    assert pystac.Item.from_dict(listed[0]).properties["gsd"] == 10


def test_an_item_tells_the_truth_of_its_raster(town, layer):
    taken, content = layer
    body = get(town, f"/collections/dem/items/{taken.sha256}").get_json()
    told = body["properties"]
    assert (told["proj:code"], told["proj:shape"], told["gsd"]) == ("EPSG:4549", [30, 40], 10)
    assert (told["start_datetime"][:4], told["license"]) == ("2024", "CC-BY-4.0")
    west, south, east, north = body["bbox"]
    assert west == pytest.approx(120.0, abs=1e-9)  # the zone's middle meridian
    assert (east - west) * 97_000 == pytest.approx(400, rel=0.02)
    assert (north - south) * 110_900 == pytest.approx(300, rel=0.02)
    asset = body["assets"]["data"]
    assert asset["file:checksum"] == "1220" + hashlib.sha256(content).hexdigest()
    assert asset["file:size"] == len(content)


def test_the_raster_itself_goes_only_to_who_may_have_it(town, layer):
    taken, content = layer
    path = f"/assets/{taken.sha256}.tif"
    assert get(town, path).status_code in {303, 401}
    assert get(town, path, "buyer").status_code == 403
    with get(town, path, "county") as whole, get(town, path, "county", Range="bytes=0-9") as part:
        assert whole.data == content
        assert (part.status_code, part.data) == (206, content[:10])
    for missing in ("/assets/" + "0" * 64 + ".tif", "/assets/..%2f..%2fkeys.tif"):
        assert get(town, missing, "county").status_code == 404
    assert get(town, "/collections/ndvi").status_code == 404
    assert get(town, "/collections/secret").status_code == 404
