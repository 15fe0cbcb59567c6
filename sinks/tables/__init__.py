"""Reference values as frozen rows: every row has unit, source, date, mark and domain.

Rows are found by key, never by position. ``table_digest`` names the exact bytes an answer used.
"""

import csv
import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, TypeVar, cast, get_type_hints

from sinks.errors import TableError
from sinks.tables.rows import (
    MARKS,
    BambooRow,
    DefaultRow,
    DiscountRow,
    EmissionFactorRow,
    FlowRow,
    GrowthRow,
    OrchardRow,
    Row,
    SiteClassRow,
    SoilFactorRow,
    SpeciesCodeRow,
    SpeciesRow,
    StandLineRow,
    TreeEquationRow,
)

RowT = TypeVar("RowT", bound=Row)

ROW_TYPES: Mapping[str, type[Row]] = MappingProxyType(
    {
        "species": SpeciesRow,
        "tree_equations": TreeEquationRow,
        "stand_lines": StandLineRow,
        "growth": GrowthRow,
        "bamboo": BambooRow,
        "emission_factors": EmissionFactorRow,
        "soil_factors": SoilFactorRow,
        "defaults": DefaultRow,
        "discounts": DiscountRow,
        "orchards": OrchardRow,
        "species_codes": SpeciesCodeRow,
        "site_classes": SiteClassRow,
        "flows": FlowRow,
    }
)


def _bytes(file: str) -> bytes:
    return resources.files("sinks.tables").joinpath(file).read_bytes()


def table_file(name: str) -> str:
    """File name of a table.

    Raises
    ------
    TableError : TABLE_UNKNOWN.
    """
    if name in ROW_TYPES:
        return f"{name}.csv"
    if name in {"sources", "label_sets"}:
        return f"{name}.toml"
    raise TableError("TABLE_UNKNOWN", table=name)


@cache
def table_digest(name: str) -> str:
    """SHA-256 of the table's bytes, hex; stored with every answer that used the table."""
    return hashlib.sha256(_bytes(table_file(name))).hexdigest()


def table_digests() -> dict[str, str]:
    """Digest of every table, for the provenance of an answer."""
    return {name: table_digest(name) for name in (*ROW_TYPES, "label_sets", "sources")}


@cache
def sources() -> Mapping[str, str]:
    """Citation of every source key."""
    data = tomllib.loads(_bytes("sources.toml").decode())
    return MappingProxyType({key: str(entry["citation"]) for key, entry in data.items()})


@cache
def label_sets() -> Mapping[str, Mapping[str, Any]]:
    """Label sets as they stand in the file; `sinks.labels.label_rule` makes rules of them."""
    return MappingProxyType(tomllib.loads(_bytes("label_sets.toml").decode()))


def _value(text: str, kind: object, where: Mapping[str, object]) -> object:
    """One cell as its field's type; an empty cell is None where the type allows it."""
    optional = kind in (float | None, int | None)
    if text == "" and optional:
        return None
    try:
        if kind in (float, float | None):
            return float(text)
        if kind in (int, int | None):
            return int(text)
        return date.fromisoformat(text) if kind is date else text
    except ValueError:
        raise TableError("TABLE_CELL", **where, value=text) from None


def _check(table: str, row: Row) -> None:
    where = {"table": table, "key": row.key}
    if row.mark not in MARKS:
        raise TableError("TABLE_CELL", **where, column="mark", value=row.mark)
    if row.source not in sources():
        raise TableError("TABLE_CELL", **where, column="source", value=row.source)
    if not row.unit:
        raise TableError("TABLE_CELL", **where, column="unit", value="")


def rows_from_text(table: str, kind: type[RowT], text: str) -> Mapping[str, RowT]:
    """Rows of one table's text, by key.

    Raises
    ------
    TableError : TABLE_COLUMNS, TABLE_CELL or TABLE_KEY_TWICE.
    """
    hints = get_type_hints(kind)
    names = {field.name for field in fields(kind)}
    reader = csv.DictReader(text.splitlines())
    if set(reader.fieldnames or ()) != names:
        columns = sorted(names ^ set(reader.fieldnames or ()))
        raise TableError("TABLE_COLUMNS", table=table, columns=columns)
    rows: dict[str, RowT] = {}
    for record in reader:
        key = record["key"]
        if key in rows:
            raise TableError("TABLE_KEY_TWICE", table=table, key=key)
        values: dict[str, Any] = {
            name: _value(record[name], hints[name], {"table": table, "key": key, "column": name})
            for name in names
        }
        rows[key] = kind(**values)
        _check(table, rows[key])
    return MappingProxyType(rows)


@cache
def _rows(table: str) -> Mapping[str, Row]:
    return rows_from_text(table, ROW_TYPES[table], _bytes(table_file(table)).decode())


def _load(table: str, kind: type[RowT]) -> Mapping[str, RowT]:
    if ROW_TYPES[table] is not kind:
        raise TableError("TABLE_UNKNOWN", table=table)
    return cast("Mapping[str, RowT]", _rows(table))


def rows(table: str) -> Mapping[str, Row]:
    """Rows of a table by key.

    Raises
    ------
    TableError : TABLE_UNKNOWN.
    """
    if table not in ROW_TYPES:
        raise TableError("TABLE_UNKNOWN", table=table)
    return _rows(table)


def species() -> Mapping[str, SpeciesRow]:
    """Carbon fraction, expansion factor, wood density and root ratio by species group."""
    return _load("species", SpeciesRow)


def tree_equations() -> Mapping[str, TreeEquationRow]:
    """Per-tree equations."""
    return _load("tree_equations", TreeEquationRow)


def stand_lines() -> Mapping[str, StandLineRow]:
    """Stand volume to total biomass, B = a V + b."""
    return _load("stand_lines", StandLineRow)


def growth() -> Mapping[str, GrowthRow]:
    """Growth curves by key."""
    return _load("growth", GrowthRow)


def bamboo() -> Mapping[str, BambooRow]:
    """Moso bamboo parameters and stocks."""
    return _load("bamboo", BambooRow)


def emission_factors() -> Mapping[str, EmissionFactorRow]:
    """Emission factors of orchards; a row without a value is known to be missing."""
    return _load("emission_factors", EmissionFactorRow)


def soil_factors() -> Mapping[str, SoilFactorRow]:
    """IPCC stock-change factors and reference stocks."""
    return _load("soil_factors", SoilFactorRow)


def defaults() -> Mapping[str, DefaultRow]:
    """Default parameters of the methodology tools and the review thresholds."""
    return _load("defaults", DefaultRow)


def discounts() -> Mapping[str, DiscountRow]:
    """Bands of the uncertainty discount tables."""
    return _load("discounts", DiscountRow)


def orchards() -> Mapping[str, OrchardRow]:
    """Evidence on orchard biomass; nothing in it is huyou."""
    return _load("orchards", OrchardRow)


def species_codes() -> Mapping[str, SpeciesCodeRow]:
    """Raster species codes of the demo county and the curve each uses."""
    return _load("species_codes", SpeciesCodeRow)


def site_classes() -> Mapping[str, SiteClassRow]:
    """Stock multiplier by site class."""
    return _load("site_classes", SiteClassRow)


def flows() -> Mapping[str, FlowRow]:
    """Where carbon goes in an event, and what dies and decays each year."""
    return _load("flows", FlowRow)


def default(key: str) -> float:
    """Value of a default parameter."""
    return lookup(defaults(), key).value


def lookup(rows: Mapping[str, RowT], key: str) -> RowT:
    """Row of this key.

    Raises
    ------
    TableError : TABLE_NO_ROW with the key.
    """
    try:
        return rows[key]
    except KeyError:
        raise TableError("TABLE_NO_ROW", key=key) from None


def methods() -> list[dict[str, object]]:
    """All rows of all tables for the methods page, each with table, values and citation."""
    meta = {field.name for field in fields(Row)}
    page: list[dict[str, object]] = []
    for table in ROW_TYPES:
        for row in _rows(table).values():
            record: dict[str, object] = {"table": table}
            record |= {name: getattr(row, name) for name in sorted(meta)}
            record["citation"] = sources()[row.source]
            record["provisional"] = row.is_provisional
            record["values"] = {
                field.name: getattr(row, field.name)
                for field in fields(row)
                if field.name not in meta
            }
            page.append(record)
    return page
