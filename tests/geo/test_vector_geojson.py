import json

import pytest

from geo.errors import CrsError, FileError
from geo.vector import Limits, open_features
from tests.geo.makers import collection, feature, good, write


def code_of(path, **options):
    with pytest.raises((FileError, CrsError)) as caught:
        open_features(path, **options)
    return caught.value


def test_a_collection_is_read(tmp_path):
    file = open_features(write(tmp_path / "a.geojson", collection(*good(7), crs=None)))
    assert (file.format, file.encoding, file.crs_label) == ("geojson", "utf-8", "EPSG:4326")
    assert [feature.row for feature in file.features] == [1, 2, 3, 4, 5, 6, 7]
    assert [len(chunk) for chunk in file.chunks(3)] == [3, 3, 1]


@pytest.mark.parametrize("value", [good(1)[0], good(1)[0]["geometry"]])
def test_a_single_feature_or_geometry_is_read(tmp_path, value):
    assert open_features(write(tmp_path / "a.json", value)).n_features == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_chinese_text_in_any_usual_encoding(tmp_path, encoding):
    file = open_features(write(tmp_path / "a.geojson", collection(*good(1)), encoding))
    assert file.features[0].attributes == {"name": "地块0"}
    guessed = [finding.code for finding in file.findings]
    assert guessed == (["ENCODING_GUESSED"] if encoding == "gbk" else [])


def test_one_feature_a_line_with_a_broken_line(tmp_path):
    lines = [json.dumps(item) for item in good(3)]
    lines[1] = lines[1][:-5]
    path = tmp_path / "a.geojsonl"
    path.write_text("\n".join(lines))
    file = open_features(path)
    assert file.format == "geojsonl"
    assert [[f.code for f in item.faults] for item in file.features] == [
        [],
        ["FEATURE_NOT_JSON"],
        [],
    ]


def test_text_that_is_not_json_is_named_with_its_place(tmp_path):
    path = tmp_path / "a.geojson"
    path.write_text('{"type": "FeatureCollection",\n "features": [}')
    error = code_of(path)
    assert (error.code, error.params["line"], error.params["column"]) == ("FILE_NOT_JSON", 2, 15)


@pytest.mark.parametrize(
    "value", [[], 3, {"a": 1}, {"type": "Topology"}, {"type": "FeatureCollection"}]
)
def test_json_that_is_not_geojson(tmp_path, value):
    assert code_of(write(tmp_path / "a.json", value)).code == "FILE_NOT_GEOJSON"


def test_files_that_are_missing_empty_or_large(tmp_path):
    assert code_of(tmp_path / "none.geojson").code == "FILE_NOT_FOUND"
    (tmp_path / "empty.geojson").write_bytes(b"")
    assert code_of(tmp_path / "empty.geojson").code == "FILE_EMPTY"
    path = write(tmp_path / "a.geojson", collection(*good(5)))
    assert code_of(path, limits=Limits(file_bytes=100)).code == "FILE_TOO_LARGE"
    assert code_of(path, limits=Limits(features=4)).code == "FILE_TOO_MANY_FEATURES"


def test_too_many_vertices_refuse_one_row(tmp_path):
    path = write(tmp_path / "a.geojson", collection(*good(2)))
    file = open_features(path, limits=Limits(vertices_per_feature=4))
    assert [item.faults[0].code for item in file.features] == ["GEOM_TOO_MANY_VERTICES"] * 2


def test_the_old_crs_member_is_honoured_and_the_user_wins(tmp_path):
    crs = {"type": "name", "properties": {"name": "EPSG:4549"}}
    path = write(tmp_path / "a.geojson", collection(*good(1), crs=crs))
    assert open_features(path).crs_label == "EPSG:4549"
    file = open_features(path, crs="EPSG:4490")
    assert (file.crs_label, file.findings[0].code) == ("EPSG:4490", "CRS_OVERRIDDEN")
    broken = write(tmp_path / "b.geojson", collection(*good(1), crs={"type": "link"}))
    assert code_of(broken).code == "CRS_UNKNOWN"


def test_repeated_ids_are_a_warning(tmp_path):
    path = write(tmp_path / "a.geojson", collection(*({**item, "id": 7} for item in good(2))))
    file = open_features(path)
    assert [(f.row, f.code, f.params["other_row"]) for f in file.findings] == [
        (2, "FEATURE_ID_REPEATED", 1)
    ]


def test_a_collection_of_polygons_is_one_shape_and_a_mixed_one_is_refused(tmp_path):
    a, b = (item["geometry"] for item in good(2))
    whole = feature(geometry={"type": "GeometryCollection", "geometries": [a, b]})
    mixed = feature(
        geometry={
            "type": "GeometryCollection",
            "geometries": [a, {"type": "Point", "coordinates": [1, 2]}],
        }
    )
    file = open_features(write(tmp_path / "a.geojson", collection(whole, mixed)))
    assert file.features[0].geometry.geom_type == "MultiPolygon"
    assert file.features[1].faults[0].code == "NOT_A_POLYGON"


def test_a_wrong_encoding_named_by_the_user_is_refused(tmp_path):
    path = write(tmp_path / "a.geojson", collection(*good(1)), "gbk")
    assert code_of(path, encoding="utf-8").code == "FILE_ENCODING_WRONG"
    assert code_of(path, encoding="klingon").code == "ENCODING_UNKNOWN"
