"""Bad files through the front door: ``tanhui parcel import``, one test a row of the table.

Each gets a clear answer with a stable code in both languages, nothing is lost (every row is
counted) and nothing is half-written.
"""

import importlib.util
import json
import math
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from registry.db import transaction
from web import database
from web.cli import app

_spec = importlib.util.spec_from_file_location(
    "makers", Path(__file__).resolve().parent.parent / "geo" / "makers.py"
)
makers = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(makers)

SOUND = makers.feature([makers.ring(lon=118.60)], name="好地块")


@pytest.fixture
def front_door(engine, monkeypatch):
    """The command line on this test's own database."""
    monkeypatch.setattr(database, "app_engine", lambda: engine)

    def run(path: Path, *options: str):
        return CliRunner().invoke(app, ["parcel", "import", str(path), "--json", *options])

    return run


def counted(engine) -> tuple[int, int]:
    with transaction(engine) as session:
        parcels = session.scalar(text("SELECT count(*) FROM parcel"))
        rows = session.scalar(text("SELECT count(*) FROM import_row"))
    return parcels, rows


def ring_of(points):
    return [[*points, points[0]]]


LON, LAT = 118.87, 28.97
BOW_TIE = ring_of([[LON, LAT], [LON + 0.001, LAT + 0.001], [LON + 0.001, LAT], [LON, LAT + 0.001]])
ZONE = [[40389858.0 + x, 3206470.0 + y] for x, y in ((0, 0), (90, 0), (90, 90), (0, 90))]
MERCATOR = [[13232547.0 + x, 3373000.0 + y] for x, y in ((0, 0), (90, 0), (90, 90), (0, 90))]
SQUARE = makers.ring()

ROWS = {
    "unclosed ring": (
        makers.feature(
            [[[LON, LAT], [LON + 1e-3, LAT], [LON + 1e-3, LAT + 1e-3], [LON, LAT + 5e-4]]]
        ),
        "GEOM_RING_UNCLOSED",
        "refused",
    ),
    "bow-tie": (makers.feature(BOW_TIE), "GEOM_SELF_INTERSECTION", "refused"),
    "empty geometry": (makers.feature([]), "GEOM_EMPTY", "refused"),
    "null geometry": (makers.feature(geometry=None), "GEOM_EMPTY", "refused"),
    "NaN": (
        makers.feature(ring_of([[LON, LAT], [LON + 1e-3, LAT], [math.nan, LAT]])),
        "GEOM_NAN",
        "refused",
    ),
    "swapped axes": (
        makers.feature([[[y, x] for x, y in SQUARE]]),
        "SWAPPED_AXES",
        "questioned",
    ),
    "web mercator metres": (
        makers.feature(ring_of(MERCATOR)),
        "CRS_WEBMERCATOR_AS_DEGREES",
        "refused",
    ),
    "zone-prefixed eastings": (makers.feature(ring_of(ZONE)), "CRS_ZONE_PREFIX", "questioned"),
    "age below zero": (makers.feature(pingjun_nl=-3), "ATTR_AGE_NEGATIVE", "refused"),
    "unknown species": (makers.feature(you_shi_sz="火星松"), "ATTR_SPECIES_UNKNOWN", "questioned"),
}


@pytest.mark.parametrize("case", ROWS)
def test_a_bad_row_is_answered_and_its_neighbour_is_kept(front_door, engine, tmp_path, case):
    bad, code, severity = ROWS[case]
    result = front_door(makers.write(tmp_path / "f.geojson", makers.collection(SOUND, bad)))
    said = json.loads(result.stdout)
    assert (said["read"], said["accepted"], said[severity]) == (2, 1, 1)
    assert said["read"] == said["accepted"] + said["refused"] + said["questioned"]
    (found,) = (f for f in said["findings"] if f["row"] == 2 and f["severity"] == severity)
    assert found["code"] == code
    assert all(found[words] for words in ("zh", "en", "remedy_zh", "remedy_en"))
    assert "{" not in found["zh"] + found["en"] + found["remedy_zh"] + found["remedy_en"]
    assert [parcel["row"] for parcel in said["parcels"]] == [1]
    assert counted(engine) == (1, 2)
    assert result.exit_code == 0


def test_three_dimensions_are_dropped_with_a_warning(front_door, tmp_path):
    tall = makers.feature([[[x, y, 120.5] for x, y in SQUARE]])
    said = json.loads(
        front_door(makers.write(tmp_path / "f.geojson", makers.collection(tall))).stdout
    )
    assert said["accepted"] == 1
    assert ("GEOM_3D_DROPPED", "warning") in {(f["code"], f["severity"]) for f in said["findings"]}


@pytest.mark.parametrize("turned", [1, 2, 3])
def test_the_same_shape_from_another_corner_is_a_duplicate(front_door, tmp_path, turned):
    open_ring = SQUARE[:-1]
    other = [*open_ring[turned:], *open_ring[:turned]]
    both = makers.collection(makers.feature([SQUARE]), makers.feature([[*other, other[0]]]))
    said = json.loads(front_door(makers.write(tmp_path / "f.geojson", both)).stdout)
    assert (said["accepted"], said["refused"]) == (1, 1)
    assert "DUPLICATE_IN_FILE" in {f["code"] for f in said["findings"]}


def refused_whole(front_door, engine, path: Path, code: str, *options: str) -> dict:
    """The file as a whole is refused: exit 1 from the edge, nothing written."""
    result = front_door(path, *options)
    assert result.exit_code == 1
    assert result.exception is not None
    assert result.exception.code == code
    assert counted(engine) == (0, 0)
    return result.exception.params


def test_a_missing_prj_is_asked_for_and_mended_by_an_option(front_door, engine, tmp_path):
    path = makers.shapefile(tmp_path)
    path.with_suffix(".prj").unlink()
    refused_whole(front_door, engine, path, "CRS_MISSING")
    said = json.loads(front_door(path, "--crs", "EPSG:4549").stdout)
    assert said["accepted"] == 3


def test_gbk_attributes_without_a_code_page_are_read(front_door, engine, tmp_path):
    path = makers.shapefile(tmp_path, encoding="gbk")
    path.with_suffix(".cpg").unlink(missing_ok=True)
    said = json.loads(front_door(path).stdout)
    assert said["accepted"] == 3
    with transaction(engine) as session:
        names = session.scalars(text("SELECT attributes ->> 'name' FROM parcel_version")).all()
    assert sorted(names) == [f"常山县地块{k}" for k in range(3)]


def test_a_file_over_the_limit_is_refused(front_door, engine, tmp_path):
    path = tmp_path / "big.geojson"
    with path.open("wb") as handle:
        handle.truncate(201_000_000)
    refused_whole(front_door, engine, path, "FILE_TOO_LARGE")


def test_a_zip_that_unpacks_too_far_is_refused(front_door, engine, tmp_path):
    path = makers.zipped(tmp_path / "bomb.zip", {"a.geojson": b"0" * 30_000_000})
    refused_whole(front_door, engine, path, "ZIP_RATIO")


def test_a_zip_that_climbs_out_is_refused(front_door, engine, tmp_path):
    path = makers.zipped(tmp_path / "climb.zip", {"../../outside.geojson": b"{}"})
    refused_whole(front_door, engine, path, "ZIP_PATH_TRAVERSAL")
    assert not (tmp_path.parent.parent / "outside.geojson").exists()


def test_a_file_that_is_not_there_or_empty_or_no_map(front_door, engine, tmp_path):
    refused_whole(front_door, engine, tmp_path / "none.geojson", "FILE_NOT_FOUND")
    (tmp_path / "empty.geojson").touch()
    refused_whole(front_door, engine, tmp_path / "empty.geojson", "FILE_EMPTY")
    (tmp_path / "words.geojson").write_text("plots: none", encoding="utf-8")
    refused_whole(front_door, engine, tmp_path / "words.geojson", "FILE_NOT_JSON")


def test_a_file_with_nothing_to_accept_exits_with_one(front_door, tmp_path):
    result = front_door(makers.write(tmp_path / "f.geojson", makers.collection(makers.feature([]))))
    assert result.exit_code == 1
    assert json.loads(result.stdout)["refused"] == 1
