import json

import numpy as np
import pytest
import shapely

from geo.errors import GeometryError
from geo.export import to_geojson, write_geojson, write_geopackage
from geo.intake import examine, examine_document
from tests.geo.makers import collection, good

SOUND = examine_document(collection(*good(4)))
PLAIN = [
    {"name": f"地块{n}", "age": n, "canopy": 0.5 if n else None, "note": None} for n in range(4)
]


def test_rings_follow_the_right_hand_rule_and_there_is_no_crs_member():
    clockwise = shapely.orient_polygons(SOUND.geometry, exterior_cw=True)
    document = to_geojson(clockwise, PLAIN)
    assert set(document) == {"type", "features"}
    ring = document["features"][0]["geometry"]["coordinates"][0][0]
    assert shapely.is_ccw(shapely.linearrings(ring))


@pytest.mark.parametrize("write", [write_geojson, write_geopackage])
def test_what_is_written_reads_back_the_same(tmp_path, write):
    path = tmp_path / "parcels.out"
    path = path.with_suffix(".geojson" if write is write_geojson else ".gpkg")
    write(path, SOUND.geometry, PLAIN)
    again = examine(path)
    assert again.accepted == 4
    assert again.area_m2 == pytest.approx(SOUND.area_m2, rel=1e-6)
    assert list(again.attributes) == PLAIN


def test_a_geopackage_keeps_every_bit(tmp_path):
    write_geopackage(tmp_path / "a.gpkg", SOUND.geometry, PLAIN)
    again = examine(tmp_path / "a.gpkg")
    assert (again.shape_digest, again.crs_label) == (SOUND.shape_digest, "EPSG:4490")


def test_a_missing_geometry_is_null():
    document = to_geojson(np.array([None], dtype=object), [{}])
    assert json.dumps(document["features"][0]["geometry"]) == "null"


def test_lengths_must_agree(tmp_path):
    with pytest.raises(GeometryError):
        to_geojson(SOUND.geometry, PLAIN[:2])
