"""Small sound files of every format that is read: what the mutations start from."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pyogrio.raw
import shapely
import xlsxwriter

from geo.export import FORMATS, Parcels, write_parcels
from tests.geo.makers import CGCS2000, collection, feature, good, ring, shapefile

DATA = Path(__file__).parent.parent / "data"
GPX = (
    '<?xml version="1.0"?><gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">'
    '<wpt lat="28.97" lon="118.87"><name>树</name></wpt><trk><name>巡护</name><trkseg>'
    '<trkpt lat="28.97" lon="118.87"/><trkpt lat="28.97" lon="118.88"/>'
    '<trkpt lat="28.98" lon="118.88"/><trkpt lat="28.97" lon="118.87"/></trkseg></trk></gpx>'
)
GML = (
    '<f:FeatureCollection xmlns:f="urn:f" xmlns:gml="http://www.opengis.net/gml/3.2">'
    '<gml:featureMember><f:plot gml:id="a"><f:name>甲</f:name><f:g>'
    '<gml:MultiSurface srsName="urn:ogc:def:crs:EPSG::4490"><gml:surfaceMember><gml:Polygon>'
    "<gml:exterior><gml:LinearRing><gml:posList>28.97 118.87 28.97 118.88 28.98 118.88 28.97 118.87"
    "</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon></gml:surfaceMember>"
    "</gml:MultiSurface></f:g></f:plot></gml:featureMember></f:FeatureCollection>"
)
CORNERS = (
    "地块编号,圈号,点号,X坐标,Y坐标,备注\n"
    "DK1,1,J1,3206470.36,389858.44,甲\nDK1,1,J2,3206470.36,389898.44,\n"
    "DK1,1,J3,3206510.36,389898.44,\nDK2,1,J1,28°58′12″,118°52′30″,乙\n"
)
DXF = (
    "0\nSECTION\n2\nHEADER\n9\n$ACADVER\n1\nAC1015\n9\n$DWGCODEPAGE\n3\nANSI_936\n0\nENDSEC\n"
    "0\nSECTION\n2\nENTITIES\n0\nPOLYLINE\n8\n林地\n70\n1\n0\nVERTEX\n10\n1\n20\n2\n42\n0.5\n"
    "0\nVERTEX\n10\n9\n20\n2\n0\nVERTEX\n10\n9\n20\n8\n0\nSEQEND\n0\nCIRCLE\n10\n1\n20\n1\n40\n5\n"
    "0\nTEXT\n1\n注\n0\nENDSEC\n0\nEOF\n"
)


def write_seeds(folder: Path) -> list[Path]:
    """Write one or more sound files of each format; return them by name."""
    folder.mkdir(parents=True, exist_ok=True)
    shapes = np.array(
        [
            shapely.box(118.8, 28.9, 118.81, 28.91) - shapely.box(118.803, 28.903, 118.806, 28.906),
            shapely.MultiPolygon([shapely.box(118.9, 28.9, 118.91, 28.91)]),
        ],
        dtype=object,
    )
    attributes = [{"小班": "0012", "郁闭度": 0.7, "n": 3, "flag": True}, {"小班": None, "n": 4}]
    for name, about in FORMATS.items():
        write_parcels(
            folder / f"own_{name}{about.suffix}",
            Parcels(geometries=shapes, attributes=attributes),
            format=name,
        )
    _texts(folder)
    _folders(folder)
    with xlsxwriter.Workbook(folder / "corners.xlsx") as book:
        sheet = book.add_worksheet("坐标")
        for n, line in enumerate(CORNERS.splitlines()):
            sheet.write_row(n, 0, line.split(","))
    (folder / "corners.xls").write_bytes((DATA / "tables/corners.xls").read_bytes())
    for path in (DATA / "kml").glob("*.kml"):
        (folder / path.name).write_bytes(path.read_bytes())
    return sorted(path for path in folder.iterdir() if path.is_file())


def _texts(folder: Path) -> None:
    texts = {"a.gpx": GPX, "a.gml": GML, "a.dxf": DXF, "a.csv": CORNERS}
    texts["b.csv"] = 'wkt;name\n"SRID=4490;POLYGON Z((118 28 1,119 28 1,119 29 1,118 28 1))";甲\n'
    texts["c.csv"] = "坐标\n118.87,28.97;118.88,28.97;118.88,28.98\n[[1,2],[3,4],[5,1]]\n"
    rows = good(2)
    texts["a.geojson"] = json.dumps(collection(*rows, feature([ring()], 树种="杉木")))
    texts["b.geojsonl"] = "\n".join(json.dumps(row) for row in rows)
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode("gb18030" if name == "a.dxf" else "utf-8"))


def _folders(folder: Path) -> None:
    """Formats of several files: a shapefile and a geodatabase, each in a zip; a KMZ."""
    parts = folder / "parts"
    parts.mkdir(exist_ok=True)
    shapefile(parts)
    base = parts / "a.gdb"
    if not base.exists():
        pyogrio.raw.write(
            base, geometry=shapely.to_wkb([shapely.MultiPolygon([shapely.box(118, 28, 119, 29)])]),
            field_data=[np.array(["甲"], dtype=object)], fields=["名称"],
            geometry_type="MultiPolygon", crs="EPSG:4490", driver="OpenFileGDB", layer="plots",
        )  # fmt: skip
    with zipfile.ZipFile(folder / "shape.zip", "w", zipfile.ZIP_STORED) as archive:
        for path in parts.glob("plots.*"):
            archive.write(path, path.name)
    with zipfile.ZipFile(folder / "base.zip", "w", zipfile.ZIP_STORED) as archive:
        for path in base.iterdir():
            archive.write(path, f"a.gdb/{path.name}")
    with zipfile.ZipFile(folder / "a.kmz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(DATA / "kml/polygon.kml", "doc.kml")
    for suffix in ("shp", "dbf", "shx", "prj", "cpg"):
        part = parts / f"plots.{suffix}"
        if part.exists():
            (folder / f"plots.{suffix}").write_bytes(part.read_bytes())
    assert CGCS2000["type"] == "name"
