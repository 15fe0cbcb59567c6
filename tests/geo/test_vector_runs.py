"""Long layers read in runs, by a process that may stall or end; shared by all who read them."""

import os
import zipfile

import numpy as np
import pyogrio.raw
import pytest
import shapely

from geo.errors import FileError
from geo.vector import gdal, ogr, open_features

X, Y = 500_000.0, 3_200_000.0
SUFFIX = {"GPKG": ".gpkg", "ESRI Shapefile": ".shp", "FlatGeobuf": ".fgb"}
N = 25


@pytest.fixture
def short_runs(monkeypatch):
    """Runs of four features, so that a small file has several."""
    monkeypatch.setattr(ogr, "RUN_ROWS", 4)


def write(folder, driver):
    path = folder / f"a{SUFFIX[driver]}"
    boxes = [shapely.box(X + 50 * k, Y, X + 50 * k + 40, Y + 30) for k in range(N)]
    pyogrio.raw.write(
        path, geometry=shapely.to_wkb(shapely.multipolygons([[one] for one in boxes])),
        field_data=[np.array([f"第{k}" for k in range(N)], dtype=object)], fields=["名称"],
        geometry_type="MultiPolygon", crs="EPSG:4549", driver=driver, layer="a",
    )  # fmt: skip
    return path


def told(file):
    return [
        (item.row, item.geometry.wkt, dict(item.attributes), item.faults) for item in file.features
    ]


@pytest.mark.parametrize("driver", SUFFIX)
def test_a_layer_in_runs_is_the_layer_at_once(tmp_path, monkeypatch, driver):
    path = write(tmp_path, driver)
    once = open_features(path)
    monkeypatch.setattr(ogr, "RUN_ROWS", 4)
    runs = open_features(path)
    assert isinstance(runs.features, ogr.LayerFeatures)
    assert (runs.n_features, runs.crs_label, runs.findings) == (N, once.crs_label, once.findings)
    assert told(runs) == told(runs) == told(once)
    assert [len(run) for run in runs.chunks(10)] == [10, 10, 5]
    assert runs.features[3].row == 4


def test_what_was_unpacked_lasts_as_long_as_it_may_be_read(tmp_path, monkeypatch, short_runs):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    write(tmp_path, "ESRI Shapefile")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for part in tmp_path.glob("a.*"):
            if part.suffix != ".zip":
                archive.write(part, part.name)
    features = open_features(tmp_path / "a.zip").features
    assert [item.attributes["名称"] for item in features] == [f"第{k}" for k in range(N)]
    assert len(list((tmp_path / "temporary").iterdir())) == 2
    del features
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_layer_that_ends_before_it_says_is_told(tmp_path, short_runs):
    path = write(tmp_path, "ESRI Shapefile")
    for part in (path, path.with_suffix(".dbf")):
        part.write_bytes(part.read_bytes())
    index = path.with_suffix(".shx")
    index.write_bytes(index.read_bytes()[: 100 + 8 * 10])
    file = open_features(path)
    read = [item for item in file.features if item.geometry is not None]
    assert len(read) >= 10
    assert [item.row for item in file.features] == list(range(1, file.n_features + 1))


def test_a_file_that_stalls_its_reader_is_given_up(tmp_path):
    path = tmp_path / "a.gpkg"
    os.mkfifo(path)  # opening it waits for a writer who never comes
    with pytest.raises(FileError) as caught:
        gdal.ask("layers", str(path), file="a.gpkg", seconds=0.3)
    assert (caught.value.code, caught.value.params["seconds"]) == ("FILE_TOO_SLOW", 0.3)


def test_a_reader_that_ends_is_told_and_the_next_file_has_another(tmp_path):
    with pytest.raises(FileError) as caught:
        gdal.ask("no such question", file="a.gpkg", seconds=10.0)
    assert caught.value.code == "FILE_ENDS_READER"
    assert open_features(write(tmp_path, "GPKG")).n_features == N


def test_a_reader_serves_file_after_file(tmp_path):
    path = str(write(tmp_path, "GPKG"))
    gdal.ask("layers", path, file="a", seconds=10.0)
    (one,) = {reader.process.pid for reader in gdal._idle}
    gdal.ask("layers", path, file="a", seconds=10.0)
    assert {reader.process.pid for reader in gdal._idle} == {one}
