"""Parcels written out again, so that every format read back gives the same parcels."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from geo.errors import GeometryError
from geo.export.columns import Field, Parcels
from geo.export.dxf import write_dxf
from geo.export.excel import write_excel
from geo.export.geojson import to_geojson, write_geojson
from geo.export.kml import write_kml
from geo.export.tables import (
    write_flatgeobuf,
    write_geopackage,
    write_geoparquet,
    write_shapefile,
)

__all__ = ["FORMATS", "Field", "Format", "FormatName", "Parcels", "to_geojson", "write_parcels"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format to write: the end of its file's name, its media type and its writer."""

    suffix: str
    media_type: str
    write: Callable[..., None]


FormatName = Literal[
    "gpkg", "geojson", "shapefile", "kml", "dxf", "geoparquet", "excel", "flatgeobuf"
]

FORMATS: Final[dict[str, Format]] = {
    "gpkg": Format(
        suffix=".gpkg", media_type="application/geopackage+sqlite3", write=write_geopackage
    ),
    "geojson": Format(suffix=".geojson", media_type="application/geo+json", write=write_geojson),
    "shapefile": Format(suffix=".zip", media_type="application/zip", write=write_shapefile),
    "kml": Format(
        suffix=".kml", media_type="application/vnd.google-earth.kml+xml", write=write_kml
    ),
    "dxf": Format(suffix=".dxf", media_type="image/vnd.dxf", write=write_dxf),
    "geoparquet": Format(
        suffix=".parquet", media_type="application/vnd.apache.parquet", write=write_geoparquet
    ),
    "excel": Format(
        suffix=".xlsx",
        media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        write=write_excel,
    ),
    "flatgeobuf": Format(
        suffix=".fgb", media_type="application/flatgeobuf", write=write_flatgeobuf
    ),
}


def write_parcels(
    path: Path,
    parcels: Parcels,
    *,
    format: str,  # noqa: A002 - the word of the command line
    neighbours: NDArray[np.object_] | None = None,
) -> None:
    """Write parcels in a format of `FORMATS`, whatever the file is called.

    Parameters
    ----------
    neighbours
        Shapes to look at beside the parcels; only a GeoPackage holds them.

    Raises
    ------
    GeometryError
        EXPORT_FORMAT_UNKNOWN, EXPORT_TEXT_TOO_LONG (Excel).
    """
    if format not in FORMATS:
        raise GeometryError("EXPORT_FORMAT_UNKNOWN", given=format[:40], known=list(FORMATS))
    options: dict[str, Any] = {"neighbours": neighbours} if format == "gpkg" else {}
    about = FORMATS[format]
    with tempfile.TemporaryDirectory(prefix="tanhui-export-") as folder:
        staged = Path(folder) / f"parcels{about.suffix}"  # GDAL goes by the name
        about.write(staged, parcels, **options)
        shutil.copyfile(staged, path)
