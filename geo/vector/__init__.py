"""Readers: a file of parcels becomes features, each with its own faults."""

import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import shapely

from geo.crs import ReferenceSystem, missing_crs, parse_crs
from geo.errors import CrsError, FileError
from geo.findings import Finding, warning
from geo.helmert import Helmert
from geo.slips import likely_systems
from geo.vector.archive import unpack
from geo.vector.dxf import is_dxf, read_dxf
from geo.vector.features import FeatureFile, Limits, RawFeature, Table
from geo.vector.folder import Folder
from geo.vector.geojson import Document, read_geojson, stream_geojson
from geo.vector.gml import read_gml
from geo.vector.gpx import read_gpx
from geo.vector.kml import read_kml
from geo.vector.ogr import LayerFeatures, read_flatgeobuf, read_layers, read_shapefile
from geo.vector.parquet import read_parquet
from geo.vector.sheet import read_csv, read_excel
from geo.vector.table import read_table

__all__ = ["FeatureFile", "Limits", "RawFeature", "choose_crs", "open_features"]

_HEAD_BYTES: Final = 4_096
_IN_RUNS: Final = frozenset({"gpkg", "shapefile", "flatgeobuf", "filegdb"})
_MAGIC: Final = (
    (b"SQLite format 3", "gpkg"),
    (b"\x00\x00\x27\x0a", "shapefile"),
    (b"PAR1", "geoparquet"),
    (b"fgb\x03", "flatgeobuf"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "excel"),
)
_DRAWING: Final = re.compile(rb"AC10\d\d")
_JSON_STARTS: Final = (b"{", b"[", b"\xff\xfe", b"\xfe\xff")
_JSON_SUFFIXES: Final = frozenset({".geojson", ".json", ".geojsonl", ".ndjson"})
_TABLE_SUFFIXES: Final = frozenset({".csv", ".tsv", ".txt"})
_XML_FORMATS: Final = ("kml", "gpx", "gml")
_ROOT: Final = re.compile(rb"<(?:[\w-]+:)?([A-Za-z][\w-]*)[\s>/]")
_GML: Final = (b"opengis.net/gml", b"opengis.net/wfs")


@dataclass(frozen=True, slots=True, kw_only=True)
class _How:
    """What the user says of a file."""

    crs: str | None
    encoding: str | None
    layer: str | None
    limits: Limits
    parameters: Helmert | None


def _same_system(declared: str, used: ReferenceSystem) -> bool:
    """Say whether the file declares the system that is used, in whatever words."""
    try:
        return parse_crs(declared).label == used.label
    except CrsError:
        return False


def choose_crs(
    declared: str | None,
    given: str | None,
    *,
    parameters: Helmert | None = None,
    candidates: tuple[str, ...] = (),
) -> tuple[ReferenceSystem, tuple[Finding, ...]]:
    """Choose between what the file and what the user says; the user wins, with a warning.

    Raises
    ------
    CrsError
        CRS_MISSING when neither says anything, else as `geo.crs.parse_crs`.
    """
    if given is not None:
        system = parse_crs(given, parameters)
        if declared and not _same_system(declared, system):
            note = warning(None, "CRS_OVERRIDDEN", declared=declared[:80], used=system.label)
            return system, (note,)
        return system, ()
    if declared is None:
        raise missing_crs(candidates) if candidates else missing_crs()
    return parse_crs(declared, parameters), ()


def detect_format(path: Path) -> str:
    """Tell a file's format by its content; the suffix decides only for plain or broken text.

    Returns
    -------
    `zip`, `filegdb`, `excel`, `gpkg`, `shapefile`, `geoparquet`, `flatgeobuf`, `dxf`, `kml`,
    `gpx`, `gml`, `csv` or `geojson`.

    Raises
    ------
    FileError
        FILE_FORMAT_UNKNOWN with what it looks like.
    """
    if path.is_dir():
        return "filegdb"
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    if head.startswith(b"PK"):
        return "excel" if _is_workbook(path) else "zip"
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if is_dxf(head):
        return "dxf"
    return _detect_text(head, path)


def _is_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def _detect_text(head: bytes, path: Path) -> str:
    suffix = path.suffix.lower()
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\x1e \t\r\n")
    if text.startswith(b"<"):
        root = _ROOT.search(text)
        name = root.group(1).decode() if root else ""
        known = name if name in _XML_FORMATS else suffix.removeprefix(".")
        if known in _XML_FORMATS:
            return known
        if any(mark in head for mark in _GML):
            return "gml"
        looks = name or "XML"
    elif suffix in _TABLE_SUFFIXES:
        return "csv"
    elif text.startswith(_JSON_STARTS) or suffix in _JSON_SUFFIXES:
        return "geojson"
    else:
        looks = "DWG" if _DRAWING.match(head) else suffix or "?"
    raise FileError("FILE_FORMAT_UNKNOWN", name=path.name, looks_like=looks)


def _check(path: Path, limits: Limits) -> None:
    if not path.exists():
        raise FileError("FILE_NOT_FOUND", name=path.name)
    if not path.is_file():
        raise FileError("FILE_FORMAT_UNKNOWN", name=path.name, looks_like="folder")
    size = path.stat().st_size
    if size == 0:
        raise FileError("FILE_EMPTY", name=path.name)
    if size > limits.file_bytes:
        raise FileError("FILE_TOO_LARGE", name=path.name, bytes=size, limit=limits.file_bytes)


def _from_geojson(document: Document, name: str, how: _How) -> FeatureFile:
    """Open a document; without a crs member it is WGS84 by RFC 7946."""
    table = Table(
        encoding=document.encoding,
        crs=document.crs or (None if how.crs else "EPSG:4326"),
        features=document.features,
        findings=document.findings,
    )
    return _from_table(table, document.format, name, how)


def _from_table(table: Table, kind: str, name: str, how: _How) -> FeatureFile:
    candidates: tuple[str, ...] = ()
    if table.crs is None and how.crs is None and len(table.features):
        shapes = np.array([feature.geometry for feature in table.features], dtype=object)
        candidates = likely_systems(shapely.total_bounds(shapes))
    system, notes = choose_crs(
        table.crs,
        how.crs,
        parameters=how.parameters,
        candidates=candidates,
    )
    return FeatureFile(
        name=name,
        format=kind,
        encoding=table.encoding,
        system=system,
        features=table.features,
        findings=(*table.findings, *notes),
    )


def open_features(
    path: Path | str,
    *,
    crs: str | None = None,
    encoding: str | None = None,
    layer: str | None = None,
    limits: Limits | None = None,
    parameters: Helmert | None = None,
) -> FeatureFile:
    """Open a file of parcels.

    Parameters
    ----------
    path
        GeoJSON (also one feature a line), GeoPackage, Shapefile (.shp), KML, GPX, GML, DXF,
        FlatGeobuf, GeoParquet, CSV or Excel, or a zip of one (also KMZ, or a file geodatabase).
    crs, encoding
        Override what the file says.
    layer
        Layer of a GeoPackage or geodatabase, sheet of an Excel file, or stem of the member of a
        zip, where there are several.
    parameters
        From an older datum of China to CGCS2000.

    Raises
    ------
    FileError, CrsError
        When the file as a whole cannot be read; the code says why.
    """
    path, limits = Path(path), limits or Limits()
    how = _How(crs=crs, encoding=encoding, layer=layer, limits=limits, parameters=parameters)
    _check(path, limits)
    if detect_format(path) != "zip":
        return _open(path, path.name, how)
    folder = Folder("tanhui-zip-")
    inner = unpack(path, folder.path, layer=layer, limits=limits)
    # in a geodatabase the layer named is one of its tables, else it chose the member
    within = layer if inner.suffix == ".gdb" else None
    file = _open(inner, path.name, replace(how, layer=within))
    if isinstance(file.features, LayerFeatures):
        file.features.hold(folder)
    return file


_TextReader = Callable[..., Table]
_TEXTS: Final[dict[str, _TextReader]] = {
    "kml": read_kml,
    "gpx": read_gpx,
    "gml": read_gml,
    "dxf": read_dxf,
}


def _open(path: Path, name: str, how: _How) -> FeatureFile:
    kind = detect_format(path)
    size = path.stat().st_size
    if kind == "geojson" and size > how.limits.held_bytes:
        streamed = stream_geojson(path, encoding=how.encoding, limits=how.limits)
        if streamed is not None:
            return _from_geojson(streamed, name, how)
    if kind not in _IN_RUNS and size > how.limits.whole_bytes:
        raise FileError("FILE_TOO_LARGE", name=name, bytes=size, limit=how.limits.whole_bytes)
    if kind == "geojson":
        document = read_geojson(path.read_bytes(), encoding=how.encoding, limits=how.limits)
        return _from_geojson(document, name, how)
    if kind == "zip":
        raise FileError("FILE_FORMAT_UNKNOWN", name=name, looks_like="zip")
    return _from_table(_read(path, kind, how), kind, name, how)


def _read(path: Path, kind: str, how: _How) -> Table:
    encoding, layer, limits = how.encoding, how.layer, how.limits
    if kind in _TEXTS:
        return _TEXTS[kind](path.read_bytes(), encoding=encoding, limits=limits)
    if kind in {"csv", "excel"}:
        book = (
            read_csv(path.read_bytes(), encoding=encoding, limits=limits)
            if kind == "csv"
            else read_excel(path, limits=limits)
        )
        return read_table(book, name=path.name, layer=layer, limits=limits)
    if kind == "shapefile":
        return read_shapefile(path, encoding=encoding, limits=limits)
    if kind == "geoparquet":
        return read_parquet(path, limits=limits)
    if kind == "flatgeobuf":
        return read_flatgeobuf(path, limits=limits)
    return read_layers(path, layer=layer, limits=limits)
