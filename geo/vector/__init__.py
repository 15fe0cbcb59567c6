"""Readers: a file of parcels becomes features, each with its own faults."""

from pathlib import Path

from geo.crs import ReferenceSystem, missing_crs, parse_crs
from geo.errors import FileError
from geo.findings import Finding, warning
from geo.vector.features import FeatureFile, Limits, RawFeature
from geo.vector.geojson import Document, read_geojson

__all__ = ["FeatureFile", "Limits", "RawFeature", "choose_crs", "open_features"]

_HEAD_BYTES = 4_096


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
        if declared and declared != given:
            note = warning(None, "CRS_OVERRIDDEN", declared=declared[:80], used=system.label)
            return system, (note,)
        return system, ()
    if declared is None:
        raise missing_crs()
    return parse_crs(declared), ()


def _read(path: Path, limits: Limits) -> bytes:
    if not path.is_file():
        raise FileError("FILE_NOT_FOUND", name=path.name)
    size = path.stat().st_size
    if size == 0:
        raise FileError("FILE_EMPTY", name=path.name)
    if size > limits.file_bytes:
        raise FileError("FILE_TOO_LARGE", name=path.name, bytes=size, limit=limits.file_bytes)
    return path.read_bytes()


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


def open_features(
    path: Path | str,
    *,
    crs: str | None = None,
    encoding: str | None = None,
    layer: str | None = None,  # noqa: ARG001 - GeoJSON has one layer only
    limits: Limits | None = None,
) -> FeatureFile:
    """Open a file of parcels.

    Parameters
    ----------
    path
        GeoJSON (also one feature a line).
    crs, encoding, layer
        Override what the file says.

    Raises
    ------
    FileError, CrsError
        When the file as a whole cannot be read; the code says why.
    """
    path, limits = Path(path), limits or Limits()
    data = _read(path, limits)
    document = read_geojson(data, encoding=encoding, limits=limits)
    return _from_geojson(document, path.name, crs)
