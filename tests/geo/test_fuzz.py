"""A small run of `make fuzz`: broken files of every format end in findings or in our own errors."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import GeoError
from geo.intake import examine
from tests.fuzz.mutations import mutate, seed_of
from tests.fuzz.run import fuzz
from tests.fuzz.seeds import write_seeds


def test_the_same_seed_breaks_a_file_the_same_way():
    data = bytes(range(256)) * 4
    broken = [mutate(data, seed_of("a.shp", n)) for n in range(50)]
    assert broken == [mutate(data, seed_of("a.shp", n)) for n in range(50)]
    assert len(set(broken)) == 50


def test_every_format_is_among_the_seeds(tmp_path):
    suffixes = {path.suffix for path in write_seeds(tmp_path)}
    assert suffixes >= {
        ".geojson", ".geojsonl", ".gpkg", ".shp", ".dbf", ".kml", ".kmz", ".gpx", ".gml", ".dxf", ".fgb",
        ".parquet", ".csv", ".xlsx", ".xls", ".zip",
    }  # fmt: skip


def test_broken_files_never_break_the_reader(tmp_path):
    report = fuzz(tmp_path, inputs=120, workers=1)
    assert report["failures"] == []
    assert sum(report["answers"].values()) == 120


HEADS = {
    "a.geojson": b'{"type":"FeatureCollection","features":[',
    "a.kml": b"<kml><Placemark>",
    "a.gpx": b"<gpx><trk>",
    "a.gml": b"<gml><featureMember>",
    "a.csv": "地块编号,点号,X坐标,Y坐标\n".encode(),
    "b.csv": b"wkt\n",
    "a.dxf": b"0\nSECTION\n2\nENTITIES\n0\nLWPOLYLINE\n",
    "a.fgb": b"fgb\x03fgb\x00",
    "a.parquet": b"PAR1",
    "a.gpkg": b"SQLite format 3\x00",
    "a.shp": b"\x00\x00\x27\x0a",
    "a.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "a.zip": b"PK\x03\x04",
}


@pytest.mark.parametrize("name", sorted(HEADS))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rest=st.one_of(
        st.binary(max_size=400),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=200).map(str.encode),
    )
)
def test_any_bytes_after_a_true_beginning_end_in_an_answer(name, rest):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(HEADS[name] + rest)
        try:
            intake = examine(path, crs="EPSG:4490")
        except GeoError:
            return
        assert intake.read == intake.accepted + intake.questioned + intake.refused
