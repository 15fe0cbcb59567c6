"""Readers: a file of parcels becomes features, each with its own faults."""

import re
import tempfile
from pathlib import Path

from geo.crs import ReferenceSystem, missing_crs, parse_crs
from geo.errors import CrsError, FileError
from geo.findings import Finding, warning
from geo.vector.archive import unpack
from geo.vector.features import FeatureFile, Limits, RawFeature
from geo.vector.geojson import Document, read_geojson
from geo.vector.kml import read_kml
from geo.vector.ogr import Table, read_geopackage, read_shapefile
from geo.vector.parquet import read_parquet

__all__ = ["FeatureFile", "Limits", "RawFeature", "choose_crs", "open_features"]

_HEAD_BYTES = 4_096
_SHAPEFILE_MAGIC = b"\x00\x00\x27\x0a"
_JSON_STARTS = (b"{", b"[", b"\xff\xfe", b"\xfe\xff")
_JSON_SUFFIXES = frozenset({".geojson", ".json", ".geojsonl", ".ndjson"})
_ROOT = re.compile(rb"<(?:\w+:)?([A-Za-z]\w*)[\s>]")


def _same_system(declared: str, used: ReferenceSystem) -> bool:
    """Say whether the file declares the system that is used, in whatever words."""
    try:
        return parse_crs(declared).label == used.label
    except CrsError:
        return False


def choose_crs(
    declared: str | None, given: str | None
) -> tuple[ReferenceSystem, tuple[Finding, ...]]:
    """Choose between what the file and what the user says; the user wins, with a warning.

    Raises
    ------
    CrsError
        CRS_MISSING when neither says anything, else as `geo.crs.parse_crs`.
    """
    if given is not None:
        system = parse_crs(given)
        if declared and not _same_system(declared, system):
            note = warning(None, "CRS_OVERRIDDEN", declared=declared[:80], used=system.label)
            return system, (note,)
        return system, ()
    if declared is None:
        raise missing_crs()
    return parse_crs(declared), ()


def detect_format(path: Path) -> str:
    """Tell a file's format by its content; the suffix decides only for broken text.

    Returns
    -------
    `zip`, `gpkg`, `shapefile`, `geoparquet`, `kml` or `geojson`.

    Raises
    ------
    FileError
        FILE_FORMAT_UNKNOWN with what it looks like.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    for magic, name in (
        (b"PK", "zip"),
        (b"SQLite format 3", "gpkg"),
        (_SHAPEFILE_MAGIC, "shapefile"),
        (b"PAR1", "geoparquet"),
    ):
        if head.startswith(magic):
            return name
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\x1e \t\r\n")
    if text.startswith(b"<"):
        root = _ROOT.search(text)
        if path.suffix.lower() == ".kml" or (root is not None and root.group(1) == b"kml"):
            return "kml"
        looks = root.group(1).decode() if root else "XML"
    elif text.startswith(_JSON_STARTS) or path.suffix.lower() in _JSON_SUFFIXES:
        return "geojson"
    else:
        looks = path.suffix.lower() or "?"
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


def _from_geojson(document: Document, name: str, crs: str | None) -> FeatureFile:
    """Open a document; without a crs member it is WGS84 by RFC 7946."""
    system, notes = (
        choose_crs(document.crs, crs) if document.crs or crs else (parse_crs("EPSG:4326"), ())
    )
    return FeatureFile(
        name=name,
        format=document.format,
        encoding=document.encoding,
        system=system,
        features=document.features,
        findings=(*document.findings, *notes),
    )


def _from_table(table: Table, kind: str, name: str, crs: str | None) -> FeatureFile:
    system, notes = choose_crs(table.crs, crs)
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
) -> FeatureFile:
    """Open a file of parcels.

    Parameters
    ----------
    path
        GeoJSON (also one feature a line), GeoPackage, Shapefile (.shp), KML or GeoParquet, or a
        zip of one.
    crs, encoding
        Override what the file says.
    layer
        Layer of a GeoPackage, or stem of the member of a zip, where there are several.

    Raises
    ------
    FileError, CrsError
        When the file as a whole cannot be read; the code says why.
    """
    path, limits = Path(path), limits or Limits()
    _check(path, limits)
    if detect_format(path) != "zip":
        return _open(path, path.name, crs=crs, encoding=encoding, layer=layer, limits=limits)
    with tempfile.TemporaryDirectory(prefix="tanhui-zip-") as folder:
        inner = unpack(path, Path(folder), layer=layer, limits=limits)
        if inner.suffix == ".gpkg":
            return _open(inner, path.name, crs=crs, encoding=encoding, layer=None, limits=limits)
        return _open(inner, path.name, crs=crs, encoding=encoding, layer=layer, limits=limits)


def _open(
    path: Path,
    name: str,
    *,
    crs: str | None,
    encoding: str | None,
    layer: str | None,
    limits: Limits,
) -> FeatureFile:
    kind = detect_format(path)
    if kind == "gpkg":
        return _from_table(read_geopackage(path, layer=layer, limits=limits), kind, name, crs)
    if kind == "shapefile":
        table = read_shapefile(path, encoding=encoding, limits=limits)
        return _from_table(table, kind, name, crs)
    if kind == "geoparquet":
        return _from_table(read_parquet(path, limits=limits), kind, name, crs)
    if kind == "kml":
        table = read_kml(path.read_bytes(), encoding=encoding, limits=limits)
        return _from_table(table, kind, name, crs)
    if kind == "zip":
        raise FileError("FILE_FORMAT_UNKNOWN", name=name, looks_like="zip")
    document = read_geojson(path.read_bytes(), encoding=encoding, limits=limits)
    return _from_geojson(document, name, crs)
