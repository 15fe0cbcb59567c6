"""GeoParquet: what its metadata says is believed; what is not GeoParquet is told."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from geo.errors import CrsError, FileError
from geo.intake import examine
from geo.vector import Limits, open_features

SQUARES = [shapely.box(118.8 + n, 28.9, 118.801 + n, 28.901) for n in range(3)]


def write(path, *, crs="absent", geo=None, blobs=None, **columns):
    blobs = [shapely.to_wkb(g) for g in SQUARES] if blobs is None else blobs
    about = {"encoding": "WKB", "geometry_types": ["Polygon"]}
    if crs != "absent":
        about["crs"] = crs
    head = {"version": "1.0.0", "primary_column": "shape", "columns": {"shape": about}}
    table = pa.table({**columns, "shape": pa.array(blobs, pa.binary())})
    text = json.dumps(head if geo is None else geo)
    pq.write_table(table.replace_schema_metadata({"geo": text} if geo != "none" else {}), path)
    return path


def test_rows_attributes_and_reference_are_read(tmp_path):
    crs = {"type": "GeographicCRS", "name": "CGCS2000", "id": {"authority": "EPSG", "code": 4490}}
    path = write(tmp_path / "a.parquet", crs=crs, plot_code=["1", "2", None], age=[1, 2, 3])
    intake = examine(path)
    assert (intake.format, intake.crs_label, intake.accepted) == ("geoparquet", "EPSG:4490", 3)
    assert intake.attributes[2] == {"plot_code": None, "age": 3}
    assert shapely.equals(intake.geometry[1].geoms[0], SQUARES[1])


def test_a_column_that_names_no_reference_is_longitude_and_latitude(tmp_path):
    intake = examine(write(tmp_path / "a.parquet"))
    assert (intake.accepted, intake.crs_label) == (3, "EPSG:4326")
    assert [one.code for one in intake.findings] == ["DATUM_UNPROVEN"]
    assert examine(write(tmp_path / "a.parquet"), crs="EPSG:4326").accepted == 3


def test_an_unknown_reference_must_be_told(tmp_path):
    path = write(tmp_path / "a.parquet", crs=None)
    with pytest.raises(CrsError) as error:
        open_features(path)
    assert error.value.code == "CRS_MISSING"
    assert open_features(path, crs="EPSG:4490").n_features == 3


def test_missing_and_broken_shapes_are_rows_of_their_own(tmp_path):
    blobs = [None, b"\x01\x02", shapely.to_wkb(SQUARES[0])]
    intake = examine(write(tmp_path / "a.parquet", blobs=blobs), crs="EPSG:4490")
    assert (intake.read, intake.accepted, intake.refused) == (3, 1, 2)


@pytest.mark.parametrize(
    "geo",
    [
        "none",
        [],
        {"primary_column": "other", "columns": {"other": {"encoding": "WKB"}}},
        {"primary_column": "shape", "columns": {"shape": {"encoding": "polygon"}}},
        {
            "primary_column": "shape",
            "columns": {"shape": {"encoding": "WKB", "edges": "spherical"}},
        },
    ],
)
def test_what_cannot_be_believed_is_refused(tmp_path, geo):
    with pytest.raises(FileError) as error:
        open_features(write(tmp_path / "a.parquet", geo=geo))
    assert error.value.code == "FILE_UNREADABLE"


def test_a_cut_file_and_too_many_rows_are_told(tmp_path):
    path = write(tmp_path / "a.parquet")
    with pytest.raises(FileError) as error:
        open_features(path, limits=Limits(features=2))
    assert error.value.code == "FILE_TOO_MANY_FEATURES"
    (tmp_path / "cut.parquet").write_bytes(path.read_bytes()[:60])
    with pytest.raises(FileError) as error:
        open_features(tmp_path / "cut.parquet")
    assert error.value.code == "FILE_UNREADABLE"
