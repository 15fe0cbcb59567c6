"""GeoPackage for QField, Shapefile for the office, FlatGeobuf and GeoParquet for machines."""

import csv
import io
import json
import sqlite3
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio.raw
import pyproj
import shapely
from numpy.typing import NDArray

from geo.export.columns import Column, Field, Kind, Parcels
from geo.vector.aliases import FIELDS_SUFFIX

CRS: Final = "EPSG:4490"
_NAME_BYTES: Final = 10
_TEXT_BYTES: Final = 254
_ARROW: Final[dict[Kind, pa.DataType]] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "real": pa.float64(),
    "boolean": pa.bool_(),
}


def _write(path: Path, parcels: Parcels, columns: Sequence[Column], **options: Any) -> None:  # noqa: ANN401
    arrays = [column.array() for column in columns]
    pyogrio.raw.write(
        path,
        geometry=np.array([*shapely.to_wkb(parcels.geometries), None], dtype=object)[:-1],
        field_data=[values for values, _ in arrays],
        field_mask=[mask for _, mask in arrays],
        fields=[column.name for column in columns],
        geometry_type="MultiPolygon",
        crs=CRS,
        promote_to_multi=True,
        **options,
    )


def write_flatgeobuf(path: Path, parcels: Parcels) -> None:
    """Write a FlatGeobuf; rows keep their order, so it has no index."""
    _write(path, parcels, parcels.columns(), driver="FlatGeobuf", SPATIAL_INDEX="NO")


def write_geopackage(
    path: Path, parcels: Parcels, *, neighbours: NDArray[np.object_] | None = None
) -> None:
    """Write a GeoPackage as a field app opens it.

    Layer `parcels` carries the names that people use for its fields; layer `neighbours` holds
    shapes only.

    Coordinates are kept to the last bit. A column of mixed kinds becomes text; a missing value
    stays missing.
    """
    columns = parcels.columns()
    _write(path, parcels, columns, driver="GPKG", layer="parcels")
    if neighbours is not None:
        beside = Parcels(geometries=neighbours, attributes=[{}] * len(neighbours))
        _write(path, beside, [], driver="GPKG", layer="neighbours", append=True)
    _describe_columns(path, {column.name for column in columns}, parcels.fields)


def _describe_columns(path: Path, names: set[str], fields: Mapping[str, Field]) -> None:
    """Enter names and units for people by the standard's schema extension."""
    rows = [
        ("parcels", name, about.alias or name, about.alias or name, about.unit)
        for name, about in fields.items()
        if name in names
    ]
    aliases = [row[2] for row in rows]
    rows = [row for row in rows if aliases.count(row[2]) == 1]  # the standard wants them unique
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "CREATE TABLE IF NOT EXISTS gpkg_data_columns (table_name TEXT NOT NULL,"
            " column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT, mime_type TEXT,"
            " constraint_name TEXT, CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name),"
            " CONSTRAINT gdc_tn UNIQUE (table_name, name))"
        )
        database.execute(
            "INSERT INTO gpkg_extensions (table_name, column_name, extension_name, definition,"
            " scope) SELECT 'gpkg_data_columns', NULL, 'gpkg_schema',"
            " 'http://www.geopackage.org/spec121/#extension_schema', 'read-write'"
        )
        database.executemany(
            "INSERT INTO gpkg_data_columns (table_name, column_name, name, title, description)"
            " VALUES (?, ?, ?, ?, ?)",
            rows,
        )


def write_geoparquet(path: Path, parcels: Parcels) -> None:
    """Write a GeoParquet 1.1 file with well-known binary."""
    about = {
        "encoding": "WKB",
        "geometry_types": ["MultiPolygon", "Polygon"],
        "crs": pyproj.CRS.from_user_input(CRS).to_json_dict(),
        "edges": "planar",
    }
    names = {column.name for column in parcels.columns()}
    shape = next(name for name in ("geometry", "geometry_", "geometry__") if name not in names)
    columns = {
        column.name: pa.array(column.values, _ARROW[column.kind]) for column in parcels.columns()
    }
    columns[shape] = pa.array(list(shapely.to_wkb(parcels.geometries)), pa.binary())
    head = {"version": "1.1.0", "primary_column": shape, "columns": {shape: about}}
    table = pa.table(columns).replace_schema_metadata({"geo": json.dumps(head)})
    pq.write_table(table, path, compression="zstd")


def write_shapefile(path: Path, parcels: Parcels) -> None:
    """Write a zip of a shapefile in UTF-8 with its list of field names.

    A name longer than 10 bytes is shortened and a text longer than 254 bytes goes on in further
    columns; `parcels.fields.csv` lists which column is which field, and our own import reads it
    back.
    """
    lines, columns = _short(parcels.columns())
    with tempfile.TemporaryDirectory(prefix="tanhui-export-") as folder:
        target = Path(folder) / "parcels.shp"
        _write(target, parcels, columns, driver="ESRI Shapefile", encoding="UTF-8")
        target.with_suffix(".cpg").write_text("UTF-8", encoding="ascii")
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(("column", "field", "part", "kind", "alias", "unit"))
        for column, name, part, kind in lines:
            about = parcels.fields.get(name, Field())
            writer.writerow((column, name, part, kind, about.alias, about.unit))
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for one in sorted(Path(folder).iterdir()):
                archive.write(one, one.name)
            archive.writestr(f"parcels{FIELDS_SUFFIX}", "\ufeff" + text.getvalue())


def _short(
    columns: Sequence[Column],
) -> tuple[list[tuple[str, str, int, Kind]], list[Column]]:
    taken: set[str] = set()
    lines: list[tuple[str, str, int, Kind]] = []
    found: list[Column] = []
    for column in columns:
        for part, piece in enumerate(_pieces(column), 1):
            name = _short_name(column.name, taken)
            taken.add(name.lower())
            lines.append((name, column.name, part, column.kind))
            found.append(Column(name=name, kind=piece.kind, values=piece.values))
    return lines, found


def _short_name(name: str, taken: set[str]) -> str:
    """At most 10 bytes, printable and not taken; cut at a character, then numbered."""
    stem = "".join(one for one in name if one.isprintable() and one != " ") or "field"
    for number in range(10_000):
        tail = f"_{number}" if number else ""
        kept = stem.encode()[: _NAME_BYTES - len(tail)].decode(errors="ignore")
        if f"{kept}{tail}".lower() not in taken and kept + tail:
            return kept + tail
    raise AssertionError(name)


def _pieces(column: Column) -> list[Column]:
    """A column that dBASE can hold: truths as 0 and 1, long texts cut at characters."""
    if column.kind == "boolean":
        values = tuple(None if value is None else int(value) for value in column.values)
        return [Column(name=column.name, kind="integer", values=values)]
    if column.kind != "text":
        return [column]
    cut = [_cut(value) for value in column.values]
    count = max((len(parts) for parts in cut), default=1)
    return [
        Column(
            name=column.name,
            kind="text",
            values=tuple(parts[n] if n < len(parts) else None for parts in cut),
        )
        for n in range(max(count, 1))
    ]


def _cut(text: str | None) -> list[str]:
    """Pieces of at most 254 bytes, cut between letters, for dBASE loses spaces at either end."""
    pieces: list[str] = []
    rest = text or ""
    while rest:
        length = len(rest.encode()[:_TEXT_BYTES].decode(errors="ignore"))
        cut = length
        while length < len(rest) and cut > 0 and (rest[cut - 1].isspace() or rest[cut].isspace()):
            cut -= 1
        pieces.append(rest[: cut or length])
        rest = rest[cut or length :]
    return pieces
