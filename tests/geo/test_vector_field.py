"""Formats of the field and the drawing office: GPX, DXF, GML, KMZ, FlatGeobuf, geodatabases."""

import math
import struct
import zipfile
from pathlib import Path

import numpy as np
import pyogrio.raw
import pytest
import shapely

from geo.errors import CrsError, FileError
from geo.intake import examine
from geo.vector import open_features
from tests.geo.makers import zipped

X, Y = 389_858.0, 3_206_470.0
LON, LAT = 118.87, 28.97
CORNERS = [(0, 0), (40, 0), (40, 30), (0, 30)]


def refusal(path, **options):
    with pytest.raises((FileError, CrsError)) as caught:
        open_features(path, **options)
    return caught.value


def faults(file):
    return [[f.code for f in item.faults] for item in file.features]


def written(path: Path, text: str, encoding="utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


# GPX ----------------------------------------------------------------------------------------


def gpx(path, *items):
    head = '<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">'
    return written(path, f'<?xml version="1.0"?>{head}{"".join(items)}</gpx>')


def track(points, name="巡护", kind="trk"):
    inner = "".join(f'<{kind}pt lat="{y}" lon="{x}"><ele>86</ele></{kind}pt>' for x, y in points)
    body = f"<trkseg>{inner}</trkseg>" if kind == "trk" else inner
    return f"<{kind}><name>{name}</name>{body}</{kind}>"


LOOP = [
    (LON, LAT),
    (LON + 1e-3, LAT),
    (LON + 1e-3, LAT + 1e-3),
    (LON, LAT + 1e-3),
    (LON, LAT + 5e-5),
]


def test_a_walked_loop_is_offered_as_a_polygon_and_asked_about(tmp_path):
    away = [(LON + 1, LAT), (LON + 1, LAT + 1e-3), (LON + 1.001, LAT + 1e-3)]
    path = gpx(
        tmp_path / "a.gpx",
        '<wpt lat="28.97" lon="118.87"><name>大树</name></wpt>',
        track(LOOP),
        track(away, kind="rte"),
    )
    file = open_features(path)
    assert faults(file) == [["NOT_A_POLYGON"], ["TRACK_AS_POLYGON"], ["TRACK_OPEN"]]
    assert [item.attributes["name"] for item in file.features] == ["大树", "巡护", "巡护"]
    gap = file.features[1].faults[0].params["gap_m"]
    assert gap == pytest.approx(5.56, abs=0.02)
    intake = examine(path)
    assert (intake.read, intake.accepted, intake.questioned, intake.refused) == (3, 0, 2, 1)
    assert intake.area_m2[1] == pytest.approx(97.4 * 110.8, rel=2e-2)


def test_pieces_of_a_track_are_joined_in_their_order(tmp_path):
    halves = "".join(
        "<trkseg>" + "".join(f'<trkpt lat="{y}" lon="{x}"/>' for x, y in part) + "</trkseg>"
        for part in (LOOP[:2], LOOP[2:])
    )
    file = open_features(gpx(tmp_path / "a.gpx", f"<trk>{halves}</trk>"))
    assert file.features[0].faults[0].params["pieces"] == 2
    assert shapely.get_num_coordinates(file.features[0].geometry) == 6


def test_gpx_with_bad_or_few_points_loses_one_row(tmp_path):
    bad = track([(LON, "north"), *LOOP[1:]])
    path = gpx(tmp_path / "a.gpx", bad, track(LOOP[:2]), "<trk/>", track(LOOP))
    assert faults(open_features(path)) == [
        ["GEOM_BAD_NUMBER"], ["NOT_A_POLYGON"], ["GEOM_EMPTY"], ["TRACK_AS_POLYGON"],
    ]  # fmt: skip


# XML in general ------------------------------------------------------------------------------


@pytest.mark.parametrize("root", ["kml", "gpx", "gml"])
def test_bombs_of_entities_and_depth_are_refused(tmp_path, root):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    path = written(tmp_path / f"a.{root}", f"<?xml version='1.0'?>{bomb}<{root}>&b;</{root}>")
    assert refusal(path).code == "FILE_HAS_DOCTYPE"
    deep = "<a>" * 100_000 + "</a>" * 100_000
    path = written(tmp_path / f"b.{root}", f"<{root}>{deep}</{root}>")
    assert refusal(path).code == "FILE_TOO_NESTED"


# KML -----------------------------------------------------------------------------------------


def ring_text(x=LON, y=LAT, size=1e-3):
    corners = [(x, y), (x + size, y), (x + size, y + size), (x, y + size), (x, y)]
    return " ".join(f"{a!r},{b!r}" for a, b in corners)


def placemark(inner, name="甲"):
    return f"<Placemark><name>{name}</name>{inner}</Placemark>"


def polygon(text):
    ring = f"<LinearRing><coordinates>{text}</coordinates></LinearRing>"
    return f"<Polygon><outerBoundaryIs>{ring}</outerBoundaryIs></Polygon>"


def test_folders_typed_fields_labels_and_links_of_kml(tmp_path):
    fields = (
        '<ExtendedData><SchemaData schemaUrl="#s"><SimpleData name="亩">15.5</SimpleData>'
        '<SimpleData name="name">乙</SimpleData></SchemaData></ExtendedData>'
    )
    schema = '<Schema id="s" name="s"><SimpleField type="float" name="亩"/></Schema>'
    label = f"<MultiGeometry>{polygon(ring_text())}<Point><coordinates>118,28</coordinates></Point></MultiGeometry>"
    body = (
        f"<Document>{schema}<NetworkLink/><Folder><name>辉埠镇</name><Folder><name>后社村</name>"
        f"{placemark(fields + polygon(ring_text()))}{placemark(label)}</Folder></Folder></Document>"
    )
    file = open_features(written(tmp_path / "a.kml", f"<kml>{body}</kml>"))
    assert file.features[0].attributes == {
        "name": "甲", "亩": 15.5, "name_2": "乙", "folder": "辉埠镇/后社村",
    }  # fmt: skip
    assert [f.code for f in file.findings] == ["KML_LINKS_NOT_FOLLOWED"]
    assert faults(file) == [[], ["GEOM_PARTS_LEFT_OUT"]]


def test_a_kmz_is_read_by_its_main_document(tmp_path):
    page = f"<kml>{placemark(polygon(ring_text()))}</kml>".encode()
    other = f"<kml>{placemark(polygon(ring_text(x=119)))}</kml>".encode()
    path = zipped(tmp_path / "a.kmz", {"doc.kml": page, "files/b.kml": other, "images/a.png": b"x"})
    assert open_features(path).n_features == 1
    assert open_features(path, layer="b").features[0].geometry.bounds[0] == 119


# DXF -----------------------------------------------------------------------------------------


def dxf(path, *entities, head="", encoding="utf-8", version="AC1032"):
    pairs = f"0\nSECTION\n2\nHEADER\n9\n$ACADVER\n1\n{version}\n{head}0\nENDSEC\n"
    body = "".join(entities)
    return written(path, f"{pairs}0\nSECTION\n2\nENTITIES\n{body}0\nENDSEC\n0\nEOF\n", encoding)


def lwpolyline(corners, *, layer="小班", closed=1, bulges=(), extra=""):
    head = f"0\nLWPOLYLINE\n8\n{layer}\n90\n{len(corners)}\n70\n{closed}\n{extra}"
    rows = []
    for n, (x, y) in enumerate(corners):
        rows.append(f"10\n{x}\n20\n{y}\n")
        if n < len(bulges) and bulges[n]:
            rows.append(f"42\n{bulges[n]}\n")
    return head + "".join(rows)


def moved(dx=0.0):
    return [(X + dx + x, Y + y) for x, y in CORNERS]


def test_closed_polylines_of_a_drawing_with_their_layers(tmp_path):
    old = "0\nPOLYLINE\n8\n林地\n70\n1\n" + "".join(
        f"0\nVERTEX\n8\n林地\n10\n{x}\n20\n{y}\n30\n5.0\n" for x, y in moved(100)
    )
    path = dxf(
        tmp_path / "a.dxf",
        lwpolyline(moved()),
        old + "0\nSEQEND\n",
        "0\nTEXT\n8\n注记\n1\n甲\n",
        lwpolyline([*moved(200), moved(200)[0]], closed=0),
    )
    assert refusal(path).code == "CRS_MISSING"
    file = open_features(path, crs="EPSG:4549")
    assert faults(file) == [[], [], []]
    assert [item.attributes["layer"] for item in file.features] == ["小班", "林地", "小班"]
    assert [(f.code, f.params["kinds"]) for f in file.findings] == [("DXF_PASSED_OVER", "TEXT 1")]
    assert [item.geometry.area for item in file.features] == [1200, 1200, 1200]


def test_a_bulge_is_the_arc_it_stands_for(tmp_path):
    # two half circles of 10 m radius: a disc
    both = [(X, Y), (X + 20, Y)]
    for sign, mirror in ((1, ""), (-1, "230\n-1.0\n")):
        corners = both if sign == 1 else [(-x, y) for x, y in both]
        path = dxf(tmp_path / "a.dxf", lwpolyline(corners, bulges=(sign, sign), extra=mirror))
        shape = open_features(path, crs="EPSG:4549").features[0].geometry
        assert shape.area == pytest.approx(math.pi * 100, rel=2e-3)
        assert shape.centroid.x == pytest.approx(X + 10, abs=1e-6)
        assert shape.bounds[0] == pytest.approx(X, abs=1e-6)


def test_open_lines_and_circles_of_a_drawing_are_asked_about_or_refused(tmp_path):
    ajar = [*moved(), (X + 0.5, Y + 3.0)]
    path = dxf(
        tmp_path / "a.dxf",
        lwpolyline(ajar, closed=0),
        lwpolyline(moved()[:2], closed=0),
        f"0\nCIRCLE\n8\n0\n10\n{X}\n20\n{Y}\n40\n10\n",
        lwpolyline([(X, "x"), *moved()[1:]]),
        lwpolyline(moved(300)),
    )
    file = open_features(path, crs="EPSG:4549")
    assert faults(file) == [
        ["LINE_OPEN"], ["NOT_A_POLYGON"], ["LINE_AS_POLYGON"], ["GEOM_BAD_NUMBER"], [],
    ]  # fmt: skip


def test_chinese_layers_of_older_drawings(tmp_path):
    page = "9\n$DWGCODEPAGE\n3\nANSI_936\n"
    path = dxf(tmp_path / "a.dxf", lwpolyline(moved()), head=page, encoding="gbk", version="AC1015")
    file = open_features(path, crs="EPSG:4549")
    assert (file.encoding, file.features[0].attributes["layer"]) == ("gb18030", "小班")
    path = dxf(tmp_path / "b.dxf", lwpolyline(moved(), layer=r"\U+5C0F\U+73ED"), version="AC1015")
    assert open_features(path, crs="EPSG:4549").features[0].attributes["layer"] == "小班"


def test_broken_and_binary_drawings_are_named(tmp_path):
    path = dxf(tmp_path / "a.dxf", lwpolyline(moved()))
    path.write_text(path.read_text().replace("LWPOLYLINE", "LWPOLYLINE\nodd"))
    assert refusal(path, crs="4549").code == "FILE_DXF_BROKEN"
    path.write_bytes(b"AutoCAD Binary DXF\r\n\x1a\x00")
    assert refusal(path).code == "FILE_DXF_BINARY"


# GML -----------------------------------------------------------------------------------------


def gml(path, *members, srs="urn:ogc:def:crs:EPSG::4549"):
    body = "".join(f"<gml:featureMember>{one}</gml:featureMember>" for one in members)
    head = '<wfs:FeatureCollection xmlns:gml="http://www.opengis.net/gml/3.2" xmlns:wfs="http://www.opengis.net/wfs/2.0" xmlns:t="urn:t">'
    return written(path, f"{head}{body}</wfs:FeatureCollection>".replace("SRS", srs))


def plot(inner, name="甲"):
    return f'<t:plot gml:id="p1"><t:name>{name}</t:name><t:owner><t:id>91</t:id></t:owner><t:geom>{inner}</t:geom></t:plot>'


def gml_polygon(corners, hole=()):
    def side(name, ring):
        text = " ".join(f"{a} {b}" for a, b in [*ring, ring[0]])
        return f"<gml:{name}><gml:LinearRing><gml:posList>{text}</gml:posList></gml:LinearRing></gml:{name}>"

    holes = side("interior", hole) if hole else ""
    return f'<gml:Polygon srsName="SRS">{side("exterior", corners)}{holes}</gml:Polygon>'


def test_gml_axes_follow_the_reference_as_it_is_written(tmp_path):
    hole = [(x / 4 + X + 5, y / 4 + Y + 5) for x, y in CORNERS]
    east = gml_polygon(moved(), hole)
    north = gml_polygon([(y, x) for x, y in moved()], [(y, x) for x, y in hole])
    one = open_features(gml(tmp_path / "a.gml", plot(north)))
    two = open_features(gml(tmp_path / "b.gml", plot(east), srs="EPSG:4549"))
    assert one.crs_label == two.crs_label == "EPSG:4549"
    assert one.features[0].geometry == two.features[0].geometry
    assert one.features[0].geometry.area == pytest.approx(1125)
    assert one.features[0].attributes == {"gml_id": "p1", "name": "甲", "owner.id": "91"}


def test_gml_surfaces_older_coordinates_arcs_and_mixed_references(tmp_path):
    text = " ".join(f"{x},{y},9" for x, y in [*moved(), moved()[0]])
    old = f'<gml:MultiPolygon srsName="SRS"><gml:polygonMember><gml:Polygon><gml:outerBoundaryIs><gml:LinearRing><gml:coordinates>{text}</gml:coordinates></gml:LinearRing></gml:outerBoundaryIs></gml:Polygon></gml:polygonMember></gml:MultiPolygon>'
    patch = gml_polygon(moved(100)).replace("gml:Polygon", "gml:PolygonPatch", 1)
    surface = f'<gml:Surface srsName="SRS"><gml:patches>{patch.replace("/gml:Polygon>", "/gml:PolygonPatch>")}</gml:patches></gml:Surface>'
    arc = '<gml:Curve srsName="SRS"><gml:segments><gml:Arc/></gml:segments></gml:Curve>'
    other = gml_polygon(moved()).replace("SRS", "EPSG:4548")
    bad = gml_polygon([("x", 1), *moved()[1:]])
    path = gml(tmp_path / "a.gml", *map(plot, (old, surface, arc, other, bad, "")), srs="EPSG:4549")
    file = open_features(path)
    assert faults(file) == [
        [], [], ["NOT_A_POLYGON"], ["CRS_MIXED"], ["GEOM_BAD_NUMBER"], ["GEOM_EMPTY"],
    ]  # fmt: skip
    assert file.features[0].dropped_dimension
    assert [item.geometry.area for item in file.features[:2]] == [1200, 1200]


def test_gml_without_features_says_so(tmp_path):
    assert refusal(gml(tmp_path / "a.gml")).code == "FILE_GML_NO_FEATURES"


# GDAL's own --------------------------------------------------------------------------------


def through_gdal(path, driver, layer="plots"):
    shapes = [shapely.box(X + 50 * k, Y, X + 50 * k + 40, Y + 30) for k in range(3)]
    pyogrio.raw.write(
        path, geometry=shapely.to_wkb(shapely.multipolygons([[s] for s in shapes])),
        field_data=[np.array(["甲", "乙", "丙"], dtype=object)], fields=["名称"],
        geometry_type="MultiPolygon", crs="EPSG:4549", driver=driver, layer=layer,
    )  # fmt: skip
    return path


def test_flatgeobuf_is_read_whatever_it_is_called(tmp_path):
    path = through_gdal(tmp_path / "a.fgb", "FlatGeobuf").rename(tmp_path / "a.bin")
    file = open_features(path)
    assert (file.format, file.crs_label, file.n_features) == ("flatgeobuf", "EPSG:4549", 3)
    assert sorted(item.attributes["名称"] for item in file.features) == ["丙", "乙", "甲"]


def test_a_file_geodatabase_in_a_zip(tmp_path):
    folder = through_gdal(tmp_path / "a.gdb", "OpenFileGDB")
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for one in sorted(folder.iterdir()):
            archive.write(one, f"成果/常山.gdb/{one.name}")
    file = open_features(path)
    assert (file.format, file.crs_label) == ("filegdb", "EPSG:4549")
    assert [item.attributes["名称"] for item in file.features] == ["甲", "乙", "丙"]
    assert open_features(path, layer="plots").n_features == 3
    assert refusal(path, layer="other").code == "FILE_HAS_NO_LAYER"


def test_a_damaged_record_of_a_shapefile_loses_only_itself(tmp_path):
    path = tmp_path / "a.shp"
    through_gdal(path, "ESRI Shapefile")
    data = bytearray(path.read_bytes())
    record = (len(data) - 100) // 3
    struct.pack_into("<i", data, 100 + record + 8 + 36, 1_000_000)  # parts of the second record
    path.write_bytes(data)
    intake = examine(path)
    assert (intake.read, intake.accepted, intake.refused) == (3, 2, 1)
    assert [
        row for row, status in zip(intake.rows, intake.status, strict=True) if status == "refused"
    ] == [2]
