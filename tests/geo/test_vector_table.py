"""Tables of coordinates: CSV and Excel with the headers that surveyors and clerks write."""

from pathlib import Path

import numpy as np
import pytest
import shapely
import xlsxwriter

from geo.errors import CrsError, FileError
from geo.intake import examine
from geo.vector import Limits, open_features
from geo.vector.table import number_of

HERE = Path(__file__).parent.parent / "data"
X, Y = 389_858.44, 3_206_470.36


def refusal(path, **options):
    with pytest.raises((FileError, CrsError)) as caught:
        open_features(path, **options)
    return caught.value


def written(path: Path, text: str, encoding="utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def faults(file):
    return [[f.code for f in item.faults] for item in file.features]


def corners(dx=0.0, size=40.0):
    return [(X + dx, Y), (X + dx + size, Y), (X + dx + size, Y + size), (X + dx, Y + size)]


def test_a_survey_table_of_corners_has_x_to_the_north(tmp_path):
    lines = ["地块编号,点号,X坐标,Y坐标,权利人"]
    for k in range(2):
        lines += [f"DK{k},J{n},{y},{x},张三" for n, (x, y) in enumerate(corners(60 * k), 1)]
    path = written(tmp_path / "a.csv", "\n".join(lines), "gb18030")
    assert refusal(path).code == "CRS_MISSING"
    file = open_features(path, crs="EPSG:4549")
    assert sorted(f.code for f in file.findings) == ["ENCODING_GUESSED", "TABLE_NORTH_FIRST"]
    assert [item.geometry.bounds[:2] for item in file.features] == [(X, Y), (X + 60, Y)]
    assert file.features[1].attributes == {"地块编号": "DK1", "权利人": "张三"}
    intake = examine(path, crs="EPSG:4549")
    assert intake.accepted == 2
    assert intake.area_m2 == pytest.approx(1600, rel=1e-3)


def test_the_rows_of_a_numbered_table_may_stand_in_any_order(tmp_path):
    lines = [f"DK{k},{n},{x},{y}" for k in range(2) for n, (x, y) in enumerate(corners(60 * k), 1)]
    head = "地块编号,序号,东坐标,北坐标"
    one = open_features(written(tmp_path / "a.csv", "\n".join([head, *lines])), crs="4549")
    order = np.random.default_rng(1).permutation(len(lines))
    text = "\n".join([head, *(lines[n] for n in order)])
    two = open_features(written(tmp_path / "b.csv", text), crs="4549")
    shapes = [
        {f.attributes["地块编号"]: shapely.normalize(f.geometry) for f in file.features}
        for file in (one, two)
    ]
    assert shapes[0] == shapes[1]


def test_holes_parts_and_degrees_in_minutes(tmp_path):
    lines = ["地块编号\t部件\t圈号\t点号\t经度\t纬度"]
    rings = {("1", "1"): (0, 40), ("1", "2"): (10, 10), ("2", "1"): (100, 40)}
    for (part, ring), (start, size) in rings.items():
        for n, (dx, dy) in enumerate([(0, 0), (1, 0), (1, 1), (0, 1)], 1):
            lon, lat = 12 + (start + dx * size) / 100, 58 + (start + dy * size) / 100
            lines.append(
                f"甲\t{part}\t{ring}\t{n}\t118°52′{lon:.2f}″E\t北纬28度{lat / 60 * 60:.2f}分".replace(
                    "北纬", ""
                )
            )
    file = open_features(written(tmp_path / "a.tsv", "\n".join(lines)), crs="EPSG:4490")
    shape = file.features[0].geometry
    assert faults(file) == [[]]
    assert (
        shapely.get_num_geometries(shape),
        shapely.get_num_interior_rings(shapely.get_geometry(shape, 0)),
    ) == (2, 1)
    assert shape.bounds[0] == pytest.approx(118 + 52 / 60 + 12 / 3600)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("118°52′12.5″", 118 + 52 / 60 + 12.5 / 3600), ("28度58分", 28 + 58 / 60), ("3,206,470.36", 3206470.36),
        ("１１８．５", 118.5), ("W118°30'", -118.5), (118, 118.0), ("118°", 118.0),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(text, value):
    assert number_of(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", None, "甲", "118 28", True, "1,2"])
def test_what_is_no_number_is_none(text):
    assert np.isnan(number_of(text))


def test_shapes_in_one_cell_as_text_list_or_json(tmp_path):
    square = [(118.87, 28.97), (118.871, 28.97), (118.871, 28.971), (118.87, 28.971)]
    closed = [*square, square[0]]
    wkt = "POLYGON ((" + ", ".join(f"{x} {y}" for x, y in closed) + "))"
    pairs = ";".join(f"{x},{y}" for x, y in square)
    turned = "；".join(f"{y}，{x}" for x, y in square)
    nested = str([[list(p) for p in closed]])
    lines = [
        "名称|坐标",
        f"a|{wkt}",
        f"b|{pairs}",
        f"c|{turned}",
        f"d|{nested}",
        "e|",
        "f|POINT (1 2)",
        "g|1,2;3",
        "h|甲",
    ]
    file = open_features(written(tmp_path / "a.csv", "\n".join(lines)), crs="EPSG:4490")
    assert faults(file) == [
        [],
        [],
        [],
        [],
        ["GEOM_EMPTY"],
        ["NOT_A_POLYGON"],
        ["GEOM_BAD_NUMBER"],
        ["GEOM_MALFORMED"],
    ]
    assert {shapely.normalize(item.geometry) for item in file.features[:4]} == {
        shapely.normalize(shapely.Polygon(square))
    }
    assert file.features[3].attributes == {"名称": "d"}


def test_a_reference_in_header_column_or_text_is_taken(tmp_path):
    wkt = "POLYGON ((118.87 28.97,118.871 28.97,118.871 28.971,118.87 28.97))"
    for text in (
        f'"WKT (EPSG:4490)"\n"{wkt}"',
        f'wkt,坐标系\n"{wkt}",CGCS2000',
        f'wkt\n"SRID=4490;{wkt}"',
    ):
        assert open_features(written(tmp_path / "a.csv", text)).crs_label == "EPSG:4490"


def test_old_excel_with_a_title_merged_numbers_and_the_zone_in_front():
    intake = examine(HERE / "tables/corners.xls", crs="EPSG:4528")
    assert (intake.read, intake.accepted, intake.format) == (3, 3, "excel")
    assert [a["地块编号"] for a in intake.attributes] == ["DK01", "DK02", "DK03"]
    assert intake.attributes[0]["面积(亩)"] == 2.4
    assert intake.area_m2 == pytest.approx(1600, rel=1e-3)


def workbook(path, sheets):
    with xlsxwriter.Workbook(path) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for n, row in enumerate(rows):
                sheet.write_row(n, 0, row)
    return path


def test_a_new_excel_of_several_sheets(tmp_path):
    rows = [["地块编号", "X", "Y"], *[["1", y, x] for x, y in corners()]]
    path = workbook(tmp_path / "a.xlsx", {"说明": [["无"]], "坐标": rows})
    assert open_features(path, crs="4549").features[0].geometry.area == pytest.approx(1600)
    path = workbook(tmp_path / "b.xlsx", {"东": rows, "西": rows})
    assert refusal(path, crs="4549").params["layers"] == ["东", "西"]
    assert open_features(path, crs="4549", layer="西").n_features == 1
    path = workbook(tmp_path / "c.xlsx", {"表": [["名称", "面积"], ["甲", 3]]})
    assert refusal(path).code == "FILE_TABLE_NO_SHAPES"


def test_a_sheet_that_spans_the_world_is_refused_before_it_fills_the_memory(tmp_path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("坐标")
        sheet.write(0, 0, "wkt")
        sheet.write(1_048_575, 16_383, "x")
    error = refusal(path)
    assert error.code == "FILE_TOO_MANY_CELLS"


def test_a_table_of_one_parcel_or_of_blocks_needs_no_number(tmp_path):
    block = "\n".join(f"{n},{x},{y}" for n, (x, y) in enumerate(corners(), 1))
    other = "\n".join(f"{n},{x},{y}" for n, (x, y) in enumerate(corners(100), 1))
    path = written(tmp_path / "a.csv", f"序号,横坐标,纵坐标\n{block}\n,,\n{other}\n")
    file = open_features(path, crs="4549")
    assert [item.geometry.area for item in file.features] == pytest.approx([1600, 1600])
    many = Limits(features=1)
    assert refusal(path, crs="4549", limits=many).code == "FILE_TOO_MANY_FEATURES"


def test_a_bad_number_loses_one_parcel(tmp_path):
    rows = [f"{k},{x},{y}" for k in range(3) for x, y in corners(60 * k)]
    rows[5] = "1,甲,3206470"
    path = written(tmp_path / "a.csv", "\n".join(["地块编号,x,y", *rows]))
    intake = examine(path, crs="4549")
    assert (intake.accepted, intake.refused) == (2, 1)
    assert [f.code for f in intake.findings_of(2)] == ["GEOM_BAD_NUMBER"]
    assert intake.findings_of(2)[0].params["vertex"] == 2
