import struct
from pathlib import Path

import numpy as np
import pyogrio.raw
import pytest
import shapely

from geo.errors import CrsError, FileError
from geo.intake import examine
from geo.vector import Limits, open_features
from geo.vector.wkb import shape_from_wkb
from tests.geo.makers import collection, good, shapefile, write, zipped

SQUARE = "118.87,28.97,55 118.871,28.97,55 118.871,28.971,55 118.87,28.97,55"


def refusal(path, **options):
    with pytest.raises((FileError, CrsError)) as caught:
        open_features(path, **options)
    return caught.value


def codes(file):
    return sorted(finding.code for finding in file.findings)


def kml(path, *placemarks, head='<?xml version="1.0" encoding="UTF-8"?>'):
    body = "".join(f"<Folder><Placemark>{item}</Placemark></Folder>" for item in placemarks)
    text = f'{head}<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{body}</Document></kml>'
    path.write_text(text, encoding="utf-8")
    return path


def outer(coordinates, side="outerBoundaryIs"):
    return f"<{side}><LinearRing><coordinates>{coordinates}</coordinates></LinearRing></{side}>"


def test_a_shapefile_is_read_with_its_parts(tmp_path):
    path = shapefile(tmp_path)
    file = open_features(path)
    assert (file.format, file.crs_label, file.encoding) == ("shapefile", "EPSG:4549", "gb18030")
    assert [item.attributes["name"] for item in file.features] == [
        f"常山县地块{k}" for k in range(3)
    ]
    assert file.findings == ()
    intake = examine(path)
    assert intake.accepted == 3
    assert intake.area_m2 == pytest.approx(900, rel=1e-3)


def test_gbk_attributes_without_cpg_are_guessed_and_can_be_named(tmp_path):
    path = shapefile(tmp_path)
    path.with_suffix(".cpg").unlink()
    dbf = path.with_suffix(".dbf")
    data = bytearray(dbf.read_bytes())
    data[29] = 0
    dbf.write_bytes(data)
    file = open_features(path)
    assert file.features[2].attributes["name"] == "常山县地块2"
    assert codes(file) == ["ENCODING_GUESSED"]
    assert codes(open_features(path, encoding="gbk")) == []


def test_utf8_attributes_without_cpg_are_not_taken_for_gbk(tmp_path):
    path = shapefile(tmp_path, encoding="utf-8")
    path.with_suffix(".cpg").unlink()
    data = bytearray(path.with_suffix(".dbf").read_bytes())
    data[29] = 0
    path.with_suffix(".dbf").write_bytes(data)
    file = open_features(path)
    assert (file.encoding, file.features[1].attributes["name"]) == ("utf-8", "常山县地块1")


def test_a_missing_prj_is_refused_unless_the_user_says(tmp_path):
    path = shapefile(tmp_path)
    path.with_suffix(".prj").unlink()
    error = refusal(path)
    assert error.code == "CRS_MISSING"
    assert error.params["option"] == "--crs"
    assert open_features(path, crs="EPSG:4549").crs_label == "EPSG:4549"
    assert codes(open_features(shapefile(tmp_path, name="again"), crs="4549")) == []
    assert codes(open_features(shapefile(tmp_path, name="more"), crs="4548")) == ["CRS_OVERRIDDEN"]


def test_a_missing_index_is_rebuilt_and_a_missing_table_told(tmp_path):
    path = shapefile(tmp_path)
    path.with_suffix(".shx").unlink()
    assert codes(open_features(path)) == ["SHAPE_SHX_RESTORED"]
    assert not path.with_suffix(".shx").exists()
    path.with_suffix(".dbf").unlink()
    file = open_features(path)
    assert codes(file) == ["SHAPE_DBF_MISSING", "SHAPE_SHX_RESTORED"]
    assert file.n_features == 3


def test_web_pages_saved_as_prj_or_cpg_are_told(tmp_path):
    path = shapefile(tmp_path)
    for suffix in (".prj", ".cpg"):
        path.with_suffix(suffix).write_text("<!DOCTYPE html><html><body>404</body></html>")
    assert refusal(path).code == "CRS_MISSING"
    found = codes(open_features(path, crs="4549"))
    assert found.count("SIDECAR_NOT_TEXT") == 2


def test_beijing_54_is_refused(tmp_path):
    assert refusal(shapefile(tmp_path, crs="EPSG:2437")).code == "CRS_NEEDS_PARAMETERS"


def test_an_open_ring_in_a_shapefile_refuses_one_row(tmp_path):
    path = shapefile(tmp_path)
    data = bytearray(path.read_bytes())
    # the last vertex of the last record is the last 16 bytes of the file
    x, y = struct.unpack("<2d", data[-16:])
    data[-16:] = struct.pack("<2d", x + 5, y + 5)
    path.write_bytes(data)
    intake = examine(path)
    assert (intake.read, intake.accepted) == (3, 2)
    assert [f.code for f in intake.findings_of(3)] == ["GEOM_RING_UNCLOSED"]
    assert intake.findings_of(3)[0].params["gap_m"] == pytest.approx(7.07, abs=0.01)


def test_a_truncated_shapefile_is_unreadable_or_short_but_never_a_crash(tmp_path):
    path = shapefile(tmp_path)
    path.write_bytes(path.read_bytes()[:60])
    assert refusal(path).code == "FILE_UNREADABLE"


def test_a_zip_of_a_shapefile(tmp_path):
    path = shapefile(tmp_path)
    members = {f"数据/地块{p.suffix.upper()}": p.read_bytes() for p in tmp_path.glob("plots.*")}
    file = open_features(zipped(tmp_path / "a.zip", members))
    assert (file.format, file.name, file.n_features) == ("shapefile", "a.zip", 3)
    assert path.exists()


def test_zips_of_other_formats(tmp_path):
    data = write(tmp_path / "a.geojson", collection(*good(2))).read_bytes()
    for name in ("a.geojson", "__MACOSX/._a.geojson"):
        members = {name: b"x", "deep/b.geojson": data} if "MAC" in name else {name: data}
        assert open_features(zipped(tmp_path / "z.zip", members)).n_features == 2
    page = kml(tmp_path / "doc.kml", f"<Polygon>{outer(SQUARE)}</Polygon>").read_bytes()
    assert open_features(zipped(tmp_path / "k.kmz", {"doc.kml": page})).format == "kml"


def test_a_zip_of_several_files_asks_which(tmp_path):
    data = write(tmp_path / "a.geojson", collection(*good(2))).read_bytes()
    path = zipped(tmp_path / "z.zip", {"east.geojson": data, "west.geojson": data})
    error = refusal(path)
    assert (error.code, error.params["layers"]) == ("FILE_HAS_LAYERS", ["east", "west"])
    assert open_features(path, layer="west").n_features == 2
    assert refusal(path, layer="north").code == "FILE_HAS_NO_LAYER"


@pytest.mark.parametrize(
    "name", ["../evil.geojson", "/etc/evil.geojson", "a/../../b.geojson", "C:\\x.geojson"]
)
def test_a_zip_that_points_outside_is_refused(tmp_path, name):
    path = zipped(tmp_path / "z.zip", {name: b"{}", "good.geojson": b"{}"})
    assert refusal(path).code == "ZIP_PATH_TRAVERSAL"


def test_a_zip_with_a_link_is_refused(tmp_path):
    import zipfile

    path = tmp_path / "z.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("a.geojson")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    assert refusal(path).code == "ZIP_PATH_TRAVERSAL"


def test_zips_that_blow_up_are_refused(tmp_path):
    path = zipped(tmp_path / "z.zip", {"a.geojson": b" " * 5_000_000})
    error = refusal(path)
    assert (error.code, error.params["limit"]) == ("ZIP_RATIO", 100)
    wide = Limits(zip_ratio=10_000, zip_bytes=1_000_000)
    assert refusal(path, limits=wide).code == "ZIP_TOO_LARGE"


def test_broken_and_empty_zips(tmp_path):
    path = zipped(tmp_path / "z.zip", {"a.txt": b"hello"})
    assert refusal(path).code == "ZIP_HAS_NO_PARCELS"
    path.write_bytes(path.read_bytes()[:30])
    assert refusal(path).code == "ZIP_BROKEN"


def test_a_geopackage_with_an_open_ring_and_a_line(tmp_path):
    square = shapely.to_wkb(shapely.box(118.5, 28.9, 118.501, 28.901))
    broken = bytearray(square)
    broken[-16:] = struct.pack("<2d", 118.4995, 28.9)
    line = shapely.to_wkb(shapely.LineString([(118, 28), (119, 29)]))
    path = tmp_path / "a.gpkg"
    pyogrio.raw.write(
        path,
        geometry=np.array([square, bytes(broken), line, None], dtype=object),
        field_data=[np.array([1.5, np.nan, 2, 3])],
        fields=["value"],
        geometry_type="Unknown",
        crs="EPSG:4490",
        driver="GPKG",
    )
    intake = examine(path)
    found = [[f.code for f in intake.findings_of(row)] for row in (1, 2, 3, 4)]
    assert found == [[], ["GEOM_RING_UNCLOSED"], ["NOT_A_POLYGON"], ["GEOM_EMPTY"]]
    assert intake.attributes[1] == {"value": None}


def test_a_geopackage_of_two_layers_asks_which(tmp_path):
    path = tmp_path / "a.gpkg"
    for n, layer in enumerate(("east", "west")):
        pyogrio.raw.write(
            path, geometry=shapely.to_wkb([shapely.box(118, 28, 119, 29)]), field_data=[], fields=[],
            geometry_type="Polygon", crs="EPSG:4490", driver="GPKG", layer=layer, append=n > 0,
        )  # fmt: skip
    assert refusal(path).code == "FILE_HAS_LAYERS"
    assert open_features(path, layer="west").n_features == 1


def test_kml_polygons_with_holes_fields_and_folders(tmp_path):
    hole = outer(
        "118.8705,28.9702 118.8707,28.9702 118.8707,28.9704 118.8705,28.9702", "innerBoundaryIs"
    )
    data = '<name>甲</name><ExtendedData><Data name="mu"><value>15</value></Data></ExtendedData>'
    one = f"{data}<Polygon>{outer(SQUARE)}{hole}</Polygon>"
    two = f"<MultiGeometry><Polygon>{outer(SQUARE.replace('118', '119'))}</Polygon></MultiGeometry>"
    file = open_features(kml(tmp_path / "a.kml", one, two))
    assert file.features[0].attributes == {"name": "甲", "mu": "15"}
    assert shapely.get_num_interior_rings(file.features[0].geometry) == 1
    assert all(item.dropped_dimension for item in file.features)


def test_kml_lines_are_asked_about_and_open_rings_refused_row_by_row(tmp_path):
    line = f"<LineString><coordinates>{SQUARE}</coordinates></LineString>"
    track = '<gx:Track xmlns:gx="http://www.google.com/kml/ext/2.2"/>'
    ajar = f"<Polygon>{outer(SQUARE.rpartition(' ')[0])}</Polygon>"
    bad = f"<Polygon>{outer('118.87,x 1,2 3,4')}</Polygon>"
    path = kml(
        tmp_path / "a.kml", line, track, ajar, bad, "", f"<Polygon>{outer(SQUARE)}</Polygon>"
    )
    faults = [[f.code for f in item.faults] for item in open_features(path).features]
    assert faults == [
        ["LINE_AS_POLYGON"], ["GEOM_EMPTY"], ["GEOM_RING_UNCLOSED"],
        ["GEOM_BAD_NUMBER"], ["GEOM_EMPTY"], [],
    ]  # fmt: skip


def test_kml_that_is_broken_or_dangerous(tmp_path):
    path = kml(tmp_path / "a.kml", "")
    path.write_text(path.read_text()[:-10])
    assert refusal(path).code == "FILE_NOT_XML"
    path = kml(tmp_path / "b.kml", "", head='<!DOCTYPE x [<!ENTITY a "aa">]>')
    assert refusal(path).code == "FILE_HAS_DOCTYPE"


@pytest.mark.parametrize(
    ("data", "looks"),
    [
        (b"<svg></svg>", "svg"),
        (b"AC1032\x00\x00", "DWG"),
        (b"<!DOCTYPE html><html></html>", "html"),
        (b"\x00\x01", ".bin"),
    ],
)
def test_other_formats_are_named(tmp_path, data, looks):
    path = tmp_path / "a.bin"
    path.write_bytes(data)
    error = refusal(path)
    assert (error.code, error.params["looks_like"]) == ("FILE_FORMAT_UNKNOWN", looks)
    assert refusal(tmp_path).code == "FILE_FORMAT_UNKNOWN"


@pytest.mark.parametrize("cut", [0, 1, 5, 9, 20, 60])
def test_cut_well_known_binary_is_malformed(cut):
    data = shapely.to_wkb(shapely.box(0, 0, 1, 1))[:cut]
    shape = shape_from_wkb(1, data, vertices_max=100)
    assert [f.code for f in shape.faults] == ["GEOM_MALFORMED"]


@pytest.mark.parametrize("flavor", ["iso", "extended"])
def test_well_known_binary_of_every_flavour(flavor):
    shapes = shapely.force_3d(
        shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(2, 0, 3, 1)]), z=7
    )
    for order in (0, 1):
        data = shapely.to_wkb(
            shapely.set_srid(shapes, 4490),
            flavor=flavor,
            byte_order=order,
            include_srid=flavor == "extended",
        )
        found = shape_from_wkb(1, data, vertices_max=100)
        assert found.dropped_dimension
        assert found.geometry == shapely.force_2d(shapes)


def test_the_messages_cover_every_code():
    import re
    import tomllib

    from geo import slips

    root = Path(slips.__file__).parent
    entries = tomllib.loads((root.parent / "web/messages/places.toml").read_text("utf-8"))
    sources = [
        *root.glob("vector/*.py"),
        *(root / f"{n}.py" for n in ("crs", "slips", "shape", "intake", "placing", "helmert")),
    ]
    pattern = re.compile(
        r'"((?:FILE|ZIP|CRS|GEOM|SHAPE|ENCODING|FEATURE|DUPLICATE|OVERLAP|SLIVER|SWAPPED|COORD|DATUM|NOT_A|SIDECAR|LINE|TRACK|TABLE|DXF|KML)_[A-Z0-9_]+)"'
    )
    codes = {code for source in sources for code in pattern.findall(source.read_text())}
    assert codes - {"SHAPE_RESTORE_SHX"} <= set(entries)
    assert len(codes) > 50
    for entry in entries.values():
        assert set(entry) == {"zh", "en", "remedy_zh", "remedy_en"}
