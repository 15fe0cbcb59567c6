"""A small run of `make fuzz`: broken files of every format end in findings or in our own errors."""

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
