"""What is written reads back the same, in every format."""

import json
import sqlite3
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pyogrio.raw
import pytest
import python_calamine
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import GeometryError
from geo.export import FORMATS, Field, Parcels, to_geojson, write_parcels
from geo.intake import IntakeOptions, examine, examine_document
from tests.geo.makers import collection, good

SOUND = examine_document(collection(*good(4)))
PLAIN = [
    {"name": f"地块{n}", "age": n, "canopy": 0.5 if n else None, "note": None} for n in range(4)
]
EXACT = frozenset(FORMATS) - {"dxf"}
DEGREES = 1e-11
"""A drawing holds metres of a grid; undone they give the degrees to this. All others are exact."""

NO_OVERLAP = IntakeOptions(check_overlap=False)


def out(folder, name):
    return Path(folder) / f"parcels{FORMATS[name].suffix}"


def same(folder, name, geometries, attributes, **options):
    path = out(folder, name)
    write_parcels(path, Parcels(geometries=geometries, attributes=attributes), format=name)
    again = examine(path, options=NO_OVERLAP, **options)
    assert [f for f in again.findings if f.severity != "warning"] == []
    assert again.accepted == len(geometries)
    return again


# shapes and attributes ------------------------------------------------------------------------

NUDGE = st.floats(-1e-4, 1e-4, allow_nan=False)
LETTERS = st.characters(
    exclude_categories=["Cc", "Cs", "Cn", "Co"],
    exclude_characters="\ufeff\ufffe\uffff\u2028\u2029\x85",
)
# an empty text is a missing one in dBASE and in a sheet; a space at either end is lost in dBASE
TEXT = st.text(LETTERS, max_size=120).filter(lambda text: text.strip() == text and text != "")
LONG = st.sampled_from(["郁" * 300, "a b" * 200, "x" * 254 + " y"])
WHOLE = st.integers(-(10**14), 10**14)
REAL = st.floats(-1e9, 1e9, allow_nan=False).map(lambda value: round(value, 6))
FIELDS = [
    "小班号",
    "优势树种名称",
    "优势树种组成",
    "yu_bi_du",
    "a_very_long_field_name_1",
    "a_very_long_field_name_2",
    "权属单位名称",
    "name",
    "description",
    "DLMC",
    "面积（公顷）",
    "x",
    "lon",
    "id",
]
NAMES = st.lists(st.sampled_from(FIELDS), unique=True, min_size=1, max_size=6)


@st.composite
def multipolygons(draw):
    """One to three disjoint quadrilaterals, some with a hole, off any round number."""
    lon, lat = draw(st.floats(76, 134)), draw(st.floats(19, 52))
    parts = []
    for n in range(draw(st.integers(1, 3))):
        shell = [
            (lon + 0.01 * n + x + draw(NUDGE), lat + y + draw(NUDGE))
            for x, y in ((0, 0), (4e-3, 0), (4e-3, 4e-3), (0, 4e-3))
        ]
        hole = [
            (lon + 0.01 * n + x + draw(NUDGE), lat + y + draw(NUDGE))
            for x, y in ((1e-3, 1e-3), (3e-3, 1e-3), (3e-3, 3e-3), (1e-3, 3e-3))
        ]
        parts.append(shapely.Polygon(shell, [hole] if draw(st.booleans()) else []))
    return shapely.MultiPolygon(parts)


@st.composite
def files(draw):
    shapes = draw(st.lists(multipolygons(), min_size=1, max_size=3, unique_by=lambda g: g.wkb))
    columns = {
        name: draw(
            st.lists(
                st.one_of(st.none(), draw(st.sampled_from([TEXT, LONG, WHOLE, REAL, st.booleans()]))),
                min_size=len(shapes), max_size=len(shapes),
            )
        )
        for name in draw(NAMES)
    }  # fmt: skip
    rows = [{name: values[n] for name, values in columns.items()} for n in range(len(shapes))]
    return np.array(shapes, dtype=object), rows


def present(attributes):
    return {name: value for name, value in attributes.items() if value is not None}


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(file=files())
def test_export_then_import_is_identical(name, file):
    geometries, attributes = file
    with tempfile.TemporaryDirectory() as folder:
        again = same(folder, name, geometries, attributes)
    assert again.crs_label == ("EPSG:4490" if name in EXACT else again.crs_label)
    for old, new in zip(geometries, again.geometry, strict=True):
        if name in EXACT:
            assert shapely.normalize(old) == shapely.normalize(new)
        else:
            assert (
                np.abs(shapely.get_coordinates(old) - shapely.get_coordinates(new)).max() < DEGREES
            )
        assert [len(p.interiors) for p in old.geoms] == [len(p.interiors) for p in new.geoms]
    pairs = zip(map(present, attributes), map(present, again.attributes), strict=True)
    for old, new in pairs:
        assert set(old) == set(new)
        for key, value in old.items():
            exact = not isinstance(value, float)
            assert (
                new[key] == value
                if exact
                else new[key] == pytest.approx(value, rel=1e-14, abs=1e-9)
            )


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_accepted_set(tmp_path, name):
    again = same(tmp_path, name, SOUND.geometry, PLAIN)
    assert sorted(a["name"] for a in again.attributes) == ["地块0", "地块1", "地块2", "地块3"]
    assert sorted(again.area_m2) == pytest.approx(sorted(SOUND.area_m2), rel=1e-9)
    if name in EXACT:
        assert set(again.shape_digest) == set(SOUND.shape_digest)


# each by itself -------------------------------------------------------------------------------


def test_geojson_follows_the_right_hand_rule_and_has_no_crs_member():
    clockwise = shapely.orient_polygons(SOUND.geometry, exterior_cw=True)
    document = to_geojson(clockwise, PLAIN)
    assert set(document) == {"type", "features", "tanhui:crs"}
    ring = document["features"][0]["geometry"]["coordinates"][0][0]
    assert shapely.is_ccw(shapely.linearrings(ring))


def test_a_missing_geometry_is_null():
    document = to_geojson(np.array([None], dtype=object), [{}])
    assert json.dumps(document["features"][0]["geometry"]) == "null"


def test_lengths_must_agree():
    with pytest.raises(GeometryError) as error:
        to_geojson(SOUND.geometry, PLAIN[:2])
    assert error.value.code == "EXPORT_LENGTHS_DIFFER"


def test_an_unknown_format_is_named(tmp_path):
    with pytest.raises(GeometryError) as error:
        write_parcels(
            tmp_path / "a", Parcels(geometries=SOUND.geometry, attributes=PLAIN), format="dwg"
        )
    assert error.value.code == "EXPORT_FORMAT_UNKNOWN"


def test_a_geopackage_for_the_field_has_names_for_people_and_neighbours(tmp_path):
    path = tmp_path / "a.gpkg"
    fields = {
        "age": Field(alias="林龄", unit="年"),
        "canopy": Field(alias="郁闭度"),
        "gone": Field(alias="无"),
    }
    parcels = Parcels(geometries=SOUND.geometry[:3], attributes=PLAIN[:3], fields=fields)
    write_parcels(path, parcels, format="gpkg", neighbours=SOUND.geometry[3:])
    layers = {str(name) for name, kind in pyogrio.list_layers(path)}
    assert layers == {"parcels", "neighbours"}
    assert examine(path).accepted == 3
    with sqlite3.connect(path) as database:
        rows = database.execute(
            "SELECT column_name, name, description FROM gpkg_data_columns ORDER BY 1"
        ).fetchall()
    assert rows == [("age", "林龄", "年"), ("canopy", "郁闭度", "")]


def test_a_shapefile_says_which_column_is_which_field(tmp_path):
    path = tmp_path / "a.zip"
    rows = [{"优势树种名称": "杉木", "优势树种组成": "8杉2松", "flag": True}]
    parcels = Parcels(
        geometries=SOUND.geometry[:1],
        attributes=rows,
        fields={"优势树种名称": Field(alias="树种", unit="")},
    )
    write_parcels(path, parcels, format="shapefile")
    with zipfile.ZipFile(path) as archive:
        assert archive.read("parcels.cpg") == b"UTF-8"
        listed = archive.read("parcels.fields.csv").decode("utf-8-sig").splitlines()
        archive.extractall(tmp_path / "x")
    assert listed[1:] == [
        "优势树,优势树种名称,1,text,树种,",
        "优势_1,优势树种组成,1,text,,",
        "flag,flag,1,boolean,,",
    ]
    (tmp_path / "x/parcels.fields.csv").unlink()
    plain = examine(tmp_path / "x/parcels.shp").attributes[0]
    assert plain == {"优势树": "杉木", "优势_1": "8杉2松", "flag": 1}


def test_a_drawing_is_one_that_other_programs_read(tmp_path):
    path = tmp_path / "a.dxf"
    holed = shapely.MultiPolygon(
        [
            shapely.box(118.8, 28.9, 118.81, 28.91).difference(
                shapely.box(118.803, 28.903, 118.806, 28.906)
            )
        ]
    )
    write_parcels(
        path,
        Parcels(geometries=np.array([holed], dtype=object), attributes=[{"name": "甲"}]),
        format="dxf",
    )
    meta, _, blobs, columns = pyogrio.raw.read(path)
    layers = dict(zip(meta["fields"], columns, strict=True))["Layer"]
    assert list(layers) == ["TANHUI_PARCEL", "TANHUI_HOLE"]
    assert all(shapely.from_wkb(blob).is_ring for blob in blobs)
    assert examine(path).crs_label == "EPSG:4549"


def test_a_ring_missing_from_our_own_drawing_is_noticed(tmp_path):
    path = tmp_path / "a.dxf"
    holed = shapely.MultiPolygon(
        [
            shapely.box(118.8, 28.9, 118.81, 28.91).difference(
                shapely.box(118.803, 28.903, 118.806, 28.906)
            )
        ]
    )
    write_parcels(
        path, Parcels(geometries=np.array([holed], dtype=object), attributes=[{}]), format="dxf"
    )
    text = path.read_text()
    start = text.rindex("LWPOLYLINE")
    path.write_text(text[:start] + "POINT" + text[start + len("LWPOLYLINE") :])
    intake = examine(path)
    assert (intake.accepted, [f.code for f in intake.findings_of(1)]) == (0, ["GEOM_MALFORMED"])


def test_a_workbook_tells_its_fields_and_never_a_formula(tmp_path):
    path = tmp_path / "a.xlsx"
    rows = [{"名称": "=1+1", "面积": 3.5}]
    fields = {"面积": Field(alias="面积", unit="公顷 ha")}
    write_parcels(
        path, Parcels(geometries=SOUND.geometry[:1], attributes=rows, fields=fields), format="excel"
    )
    book = python_calamine.load_workbook(path)
    assert book.sheet_names == ["地块", "字段说明"]
    assert book.get_sheet_by_name("字段说明").to_python()[2] == [
        "面积",
        "面积",
        "公顷 ha",
        "小数 real",
    ]
    assert examine(path).attributes[0]["名称"] == "=1+1"


def test_a_shape_too_long_for_a_cell_goes_on_in_the_next(tmp_path):
    turn = np.linspace(0, 2 * np.pi, 5_000, endpoint=False)
    disc = shapely.Polygon(
        np.column_stack([118.8 + 0.01 * np.cos(turn), 28.9 + 0.01 * np.sin(turn)])
    )
    again = same(
        tmp_path, "excel", np.array([shapely.MultiPolygon([disc])], dtype=object), [{"a": 1}]
    )
    assert (
        shapely.get_coordinates(again.geometry[0]).tolist()
        == shapely.get_coordinates(disc).tolist()
    )
    assert again.attributes[0] == {"a": 1}


def test_a_text_that_no_cell_holds_is_refused(tmp_path):
    with pytest.raises(GeometryError) as error:
        write_parcels(
            tmp_path / "a.xlsx",
            Parcels(geometries=SOUND.geometry[:1], attributes=[{"a": "x" * 40_000}]),
            format="excel",
        )
    assert error.value.code == "EXPORT_TEXT_TOO_LONG"


@pytest.mark.parametrize("name", FORMATS)
def test_no_parcels_at_all_are_a_file_without_any(tmp_path, name):
    path = out(tmp_path, name)
    nothing = Parcels(geometries=np.empty(0, dtype=object), attributes=[])
    write_parcels(path, nothing, format=name)
    assert path.stat().st_size > 0
