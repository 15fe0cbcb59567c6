"""Places for other programs: divisions and counted cells for everybody, plots by right."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from registry.errors import NotFoundError
from registry.reads.cql import Clause

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a collection's features come from; its SQL consists of constants of this module."""

    rows: str
    fields: Mapping[str, str]
    kinds: Mapping[str, str]  # JSON type of each field
    geometry: str = "f.geometry"
    moment: str | None = None
    key: str = "f.id"
    key_type: str = "text"
    meets: str = "f.geometry && {box} AND ST_Intersects(f.geometry, {box})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """A reference system as it is asked for: its EPSG code, and whether north comes first."""

    srid: int
    north_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureQuery:
    """A part of a collection, by id from ``after`` on."""

    limit: int
    after: str | None = None
    box: tuple[float, float, float, float] | None = None
    box_axes: Axes
    since: datetime | None = None
    until: datetime | None = None
    clause: Clause | None = None
    axes: Axes


@dataclass(frozen=True, slots=True, kw_only=True)
class FeaturePage:
    """Features as GeoJSON, how many match in all, and the id after which the next page begins."""

    features: list[dict[str, Any]]
    matched: int
    next: str | None


def _fields(*names: str) -> dict[str, str]:
    return {name: f"f.{name}" for name in names}


SOURCES: Final[Mapping[str, Source]] = {
    "divisions": Source(
        rows="(SELECT d.code AS id, d.code, d.name, d.level, d.parent_code, d.valid_from_year,"
        " d.valid_to_year, d.boundary AS geometry FROM division d WHERE d.boundary IS NOT NULL) f",
        fields=_fields("code", "name", "level", "parent_code", "valid_from_year", "valid_to_year"),
        kinds=dict.fromkeys(("code", "name", "level", "parent_code"), "string")
        | dict.fromkeys(("valid_from_year", "valid_to_year"), "integer"),
    ),
    "cells": Source(
        rows="(SELECT '15-' || c.x || '-' || c.y AS id, c.parcels,"
        " round(c.area_dm2 / 100.0)::bigint AS area_m2, tile_box(15, c.x, c.y) AS geometry"
        " FROM public_cells(0, 0, 32767, 32767) c) f",
        fields=_fields("parcels", "area_m2"),
        kinds={"parcels": "integer", "area_m2": "integer"},
    ),
    "parcels": Source(
        rows="(SELECT p.id::text AS id, p.id AS key, p.code, p.kind, p.status, p.version,"
        " p.division_code, p.area_m2, p.recorded_at, p.geometry FROM parcel p"
        " WHERE p.status <> 'withdrawn') f",
        fields=_fields(
            "code", "kind", "status", "version", "division_code", "area_m2", "recorded_at"
        ),
        kinds=dict.fromkeys(("code", "kind", "status", "division_code", "recorded_at"), "string")
        | {"version": "integer", "area_m2": "number"},
        moment="f.recorded_at",
        key="f.key",
        key_type="uuid",
        meets="f.key IN (SELECT parcels_meeting({box})) AND ST_Intersects(f.geometry, {box})",
    ),
}


def page(session: Session, name: str, query: FeatureQuery) -> FeaturePage:
    """Return a part of a collection; policies decide which plots are in it."""
    source = SOURCES[name]
    where, bound = _conditions(source, query)
    matched = session.scalar(text(f"SELECT count(*) FROM {source.rows} WHERE {where}"), bound)
    rows = session.execute(
        text(
            f"SELECT f.id, {_feature(source, query.axes)} AS feature FROM {source.rows}"
            f" WHERE {where} AND (cast(:after AS text) IS NULL"
            f" OR {source.key} > cast(:after AS {source.key_type}))"
            f" ORDER BY {source.key} LIMIT :most"
        ),
        {**bound, "after": query.after, "most": query.limit + 1},
    ).all()
    shown = rows[: query.limit]
    return FeaturePage(
        features=[json.loads(row.feature) for row in shown],
        matched=int(matched or 0),
        next=shown[-1].id if len(rows) > query.limit else None,
    )


def feature(session: Session, name: str, key: str, axes: Axes) -> dict[str, Any]:
    """Return one feature.

    Raises
    ------
    NotFoundError : there is none, or the actor may not see it.
    """
    source = SOURCES[name]
    found = None
    if source.key_type != "uuid" or _UUID.fullmatch(key):
        found = session.scalar(
            text(
                f"SELECT {_feature(source, axes)} FROM {source.rows}"
                f" WHERE {source.key} = cast(:id AS {source.key_type})"
            ),
            {"id": key},
        )
    if found is None:
        raise NotFoundError(what=name, id=key)
    made: dict[str, Any] = json.loads(found)
    return made


def extent(session: Session, name: str) -> list[float] | None:
    """Return west, south, east, north of a public collection, or None where nothing is in it."""
    source = SOURCES[name]
    row = session.execute(
        text(
            "SELECT ST_XMin(e) AS w, ST_YMin(e) AS s, ST_XMax(e) AS e, ST_YMax(e) AS n"
            f" FROM (SELECT ST_Extent(f.geometry) AS e FROM {source.rows}) b WHERE e IS NOT NULL"
        )
    ).first()
    return None if row is None else [row.w, row.s, row.e, row.n]


def _conditions(source: Source, query: FeatureQuery) -> tuple[str, dict[str, object]]:
    parts, bound = ["true"], dict[str, object]()
    if query.box is not None:
        corners = ("w", "s", "e", "n")
        bound |= dict(zip(corners, query.box, strict=True))
        parts.append(source.meets.format(box=_box(query.box_axes)))
    if source.moment and (query.since or query.until):
        bound |= {"since": query.since, "until": query.until}
        parts.append(
            f"{source.moment} >= coalesce(cast(:since AS timestamptz), '-infinity')"
            f" AND {source.moment} <= coalesce(cast(:until AS timestamptz), 'infinity')"
        )
    if query.clause is not None:
        bound |= query.clause.params
        parts.append(query.clause.sql)
    return " AND ".join(parts), bound


def _box(axes: Axes) -> str:
    """Return the SQL of the box asked for, in longitude and latitude."""
    sides = ", ".join(f"cast(:{name} AS float8)" for name in ("w", "s", "e", "n"))
    made = f"ST_MakeEnvelope({sides}, {axes.srid})"
    if axes.north_first:
        made = f"ST_FlipCoordinates({made})"
    return f"ST_SetSRID({_moved(made, axes.srid, 4490)}, 4490)"


def _feature(source: Source, axes: Axes) -> str:
    shape = _moved(source.geometry, 4490, axes.srid)
    if axes.north_first:
        shape = f"ST_FlipCoordinates({shape})"
    digits = 9 if axes.srid in _DEGREES else 3
    values = ", ".join(f"'{name}', {sql}" for name, sql in source.fields.items())
    return (
        "json_build_object('type', 'Feature', 'id', f.id, 'geometry',"
        f" ST_AsGeoJSON({shape}, {digits}, 0)::json, 'properties',"
        f" json_build_object({values}))::text"
    )


_DEGREES: Final = frozenset({4326, 4490})


def _moved(shape: str, source: int, target: int) -> str:
    """Return the SQL of a shape in another system; degrees are the same numbers (millimetres)."""
    if source == target or {source, target} <= _DEGREES:
        return shape
    if 3857 in {source, target}:  # noqa: PLR2004 -- defined on WGS 84
        shape = shape if source not in _DEGREES else f"ST_SetSRID({shape}, 4326)"
        target = 4326 if target in _DEGREES else target
    return f"ST_Transform({shape}, {target})"
