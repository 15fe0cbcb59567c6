"""A long GeoJSON file read by a window says what the whole text says, wherever the window ends."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import FileError
from geo.vector import Limits, json_stream, open_features
from geo.vector.geojson import read_geojson, stream_geojson
from tests.geo.makers import collection, feature, good, ring

LIMITS = Limits()
WORDS = {"树种": "杉木", "备注": 'a "b" \\ ü', "n": 12.5e3, "空": None}
SOUND = {
    "collection": json.dumps(collection(*good(5), feature([ring()], **WORDS))),
    "written for people": json.dumps(collection(*good(3)), indent=2, ensure_ascii=False),
    "features first": json.dumps({"features": good(3), "type": "FeatureCollection", "name": "甲"}),
    "odd features": json.dumps(
        {"type": "FeatureCollection", "features": [1, 12345, "x", None, *good(1), []]}
    ),
    "none": json.dumps(collection()),
    "lines": "\n".join(json.dumps(one) for one in good(4)) + "\n",
    "lines, one broken": json.dumps(good(1)[0]) + "\n{oops\n" + json.dumps(good(1)[0]),
}


def told(document):
    shapes = [
        (one.row, one.geometry and one.geometry.wkt, dict(one.attributes), one.faults)
        for one in document.features
    ]
    return document.format, document.encoding, document.crs, document.findings, shapes


@pytest.mark.parametrize("name", SOUND)
@pytest.mark.parametrize("step", [1, 7, 64, 1 << 20])
def test_the_window_gives_what_the_text_gives(tmp_path, monkeypatch, name, step):
    monkeypatch.setattr(json_stream, "STEP_CHARACTERS", step)
    path = tmp_path / "a.geojson"
    path.write_text(SOUND[name], "utf-8")
    whole = read_geojson(path.read_bytes(), encoding=None, limits=LIMITS)
    streamed = stream_geojson(path, encoding=None, limits=LIMITS)
    assert told(streamed) == told(streamed) == told(whole)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_the_encoding_is_found_as_for_the_text(tmp_path, encoding):
    path = tmp_path / "a.geojson"
    path.write_text(
        json.dumps(collection(feature([ring()], **WORDS)), ensure_ascii=False), encoding
    )
    whole = read_geojson(path.read_bytes(), encoding=None, limits=LIMITS)
    assert told(stream_geojson(path, encoding=None, limits=LIMITS)) == told(whole)


def test_bytes_of_no_encoding_are_told_with_their_place(tmp_path):
    path = tmp_path / "a.geojson"
    path.write_bytes(b'{"a": "\xff\xff\xff"}')
    with pytest.raises(FileError) as caught:
        stream_geojson(path, encoding=None, limits=LIMITS)
    assert (caught.value.code, caught.value.params["byte"]) == ("FILE_ENCODING_WRONG", 7)


@given(st.data())
def test_a_broken_text_is_told_at_the_same_place(tmp_path_factory, data):
    text = SOUND["written for people"]
    cut = data.draw(st.integers(1, len(text) - 1))
    broken = (
        text[:cut] + data.draw(st.sampled_from(["", "}", "]", ",,", "x", "\n"])) + text[cut + 1 :]
    )
    path = tmp_path_factory.mktemp("a") / "a.geojson"
    path.write_text(broken, "utf-8")
    answers = []
    for read in (
        lambda: read_geojson(path.read_bytes(), encoding=None, limits=LIMITS),
        lambda: stream_geojson(path, encoding=None, limits=LIMITS),
    ):
        try:
            found = read()
            answers.append(found and told(found))
        except FileError as error:
            answers.append((error.code, error.params.get("line")))
    whole, streamed = answers
    assert streamed in (whole, None) or (streamed[0] == whole[0] == "FILE_NOT_JSON")


def test_what_is_no_collection_is_left_to_be_read_whole(tmp_path):
    for n, text in enumerate([json.dumps(good(1)[0]), "[1, 2]", json.dumps({"type": "Topology"})]):
        path = tmp_path / f"{n}.geojson"
        path.write_text(text)
        assert stream_geojson(path, encoding=None, limits=LIMITS) is None


def test_a_long_file_is_opened_by_the_window_and_a_longer_one_of_another_kind_refused(tmp_path):
    window = Limits(held_bytes=100)
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps(collection(*good(30), crs=None)))
    assert open_features(path, limits=window).n_features == 30
    alone = tmp_path / "b.geojson"
    alone.write_text(json.dumps(good(1)[0]))
    assert open_features(alone, limits=window).n_features == 1
    with pytest.raises(FileError) as caught:
        open_features(alone, limits=Limits(held_bytes=100, whole_bytes=50))
    assert caught.value.code == "FILE_TOO_LARGE"
