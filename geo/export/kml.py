"""KML for maps on phones: one placemark a parcel, fields with their types."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

import numpy as np
import shapely

from geo.export.columns import Column, Kind, Parcels
from geo.vector.kml import CRS_FIELD

_TYPES: Final[dict[Kind, str]] = {
    "text": "string",
    "integer": "int",
    "real": "double",
    "boolean": "bool",
}
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HEADS: Final = ("name", "description")


def write_kml(path: Path, parcels: Parcels) -> None:
    """Write a KML document; a character that XML cannot hold becomes U+FFFD."""
    root = Element("kml", xmlns="http://www.opengis.net/kml/2.2")
    document = SubElement(root, "Document")
    data = SubElement(SubElement(document, "ExtendedData"), "Data", name=CRS_FIELD)
    SubElement(data, "value").text = "EPSG:4490"
    columns = parcels.columns()
    schema = SubElement(document, "Schema", name="parcels", id="parcels")
    for column in columns:
        field = SubElement(schema, "SimpleField", type=_TYPES[column.kind], name=column.name)
        about = parcels.fields.get(column.name)
        if about is not None and about.alias:
            SubElement(field, "displayName").text = about.alias
    for row, geometry in enumerate(parcels.geometries):
        _placemark(document, row, geometry, columns)
    indent(root, space=" ")
    ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _placemark(document: Element, row: int, geometry: Any, columns: Sequence[Column]) -> None:  # noqa: ANN401
    mark = SubElement(document, "Placemark")
    values = [(one.name, one.values[row]) for one in columns if one.values[row] is not None]
    heads = [one for one in values if _is_head(*one)]
    for name, value in heads:
        SubElement(mark, name).text = _said(value)
    rest = [one for one in values if one not in heads]
    if rest:
        data = SubElement(SubElement(mark, "ExtendedData"), "SchemaData", schemaUrl="#parcels")
        for name, value in rest:
            SubElement(data, "SimpleData", name=name).text = _said(value)
    polygons = [] if geometry is None else shapely.get_parts(geometry)
    holder = SubElement(mark, "MultiGeometry") if len(polygons) > 1 else mark
    for polygon in polygons:
        _polygon(holder, polygon)


def _is_head(name: str, value: object) -> bool:
    return name in _HEADS and isinstance(value, str) and bool(value) and value.strip() == value


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return _NO_XML.sub("\ufffd", value if isinstance(value, str) else repr(value))


def _polygon(holder: Element, polygon: Any) -> None:  # noqa: ANN401
    element = SubElement(holder, "Polygon")
    shell, *holes = shapely.get_rings(polygon)
    for side, rings in (("outerBoundaryIs", [shell]), ("innerBoundaryIs", holes)):
        for ring in rings:
            inner = SubElement(SubElement(element, side), "LinearRing")
            places = np.asarray(shapely.get_coordinates(ring)).tolist()
            SubElement(inner, "coordinates").text = " ".join(f"{x!r},{y!r}" for x, y in places)
