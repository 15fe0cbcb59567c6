"""GeoParquet: columns read at once, geometry as well-known binary, reference in the metadata."""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from geo.errors import FileError
from geo.vector.features import Limits, Table
from geo.vector.ogr import features_from_wkb

_WKB: Final = "wkb"
_DEFAULT_CRS: Final = "OGC:CRS84"
"""What GeoParquet 1.0 says of a column that names no reference system."""

_JSON_KINDS: Final = (str, bool, int, float, type(None))


def read_parquet(path: Path, *, limits: Limits) -> Table:
    """Read the primary geometry column of a GeoParquet file and its attributes.

    Raises
    ------
    FileError
        FILE_UNREADABLE (no Parquet, no geometry column, another encoding than WKB, edges on a
        sphere), FILE_TOO_MANY_FEATURES.
    """
    try:
        with pq.ParquetFile(path) as file:
            column, about = _primary(file.schema_arrow, path.name)
            count = int(file.metadata.num_rows)
            if count > limits.features:
                raise FileError("FILE_TOO_MANY_FEATURES", features=count, limit=limits.features)
            table = file.read()
            names = [name for name in table.column_names if name != column]
            blobs = np.array([*table.column(column).to_pylist(), None], dtype=object)[:-1]
            columns = [_values(table.column(name)) for name in names]
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise FileError("FILE_UNREADABLE", name=path.name, reason=str(error)[:200]) from error
    return Table(
        encoding="utf-8",
        crs=_crs(about),
        features=tuple(features_from_wkb(names, blobs, columns, limits)),
    )


def _values(column: Any) -> list[object]:  # noqa: ANN401 -- untyped
    return [_jsonable(value) for value in column.to_pylist()]


def _primary(schema: Any, name: str) -> tuple[str, dict[str, Any]]:  # noqa: ANN401 -- untyped
    """Return the geometry column and what the file says of it."""
    try:
        head = json.loads((schema.metadata or {}).get(b"geo", b""))
        column = str(head["primary_column"])
        about = dict(head["columns"][column])
    except (KeyError, TypeError, ValueError) as error:
        raise FileError("FILE_UNREADABLE", name=name, reason="no GeoParquet metadata") from error
    if column not in schema.names:
        raise FileError("FILE_UNREADABLE", name=name, reason=f"no column {column[:60]}")
    encoding = str(about.get("encoding", "")).lower()
    if encoding != _WKB:
        raise FileError("FILE_UNREADABLE", name=name, reason=f"encoding {encoding[:60]!r}")
    if about.get("edges", "planar") != "planar":
        raise FileError("FILE_UNREADABLE", name=name, reason="spherical edges")
    return column, about


def _crs(about: dict[str, Any]) -> str | None:
    """Return the declared reference: its code where it has one, else its whole description."""
    declared = about.get("crs", _DEFAULT_CRS)
    if isinstance(declared, dict):
        code = declared.get("id")
        if isinstance(code, dict) and {"authority", "code"} <= code.keys():
            return f"{code['authority']}:{code['code']}"
        return json.dumps(declared)
    return None if declared is None else str(declared)


def _jsonable(value: object) -> object:
    return value if isinstance(value, _JSON_KINDS) else str(value)
