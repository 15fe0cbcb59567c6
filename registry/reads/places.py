"""Reads of places: map, list, one parcel with its history, neighbours, outlines, public figures."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Generic, Literal, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import shapely
from geoalchemy2.shape import to_shape
from pydantic import Field
from sqlalchemy import text
from sqlalchemy.orm import Session

from registry import division_lookup, parcel_store, within
from registry.division_lookup import DivisionView, PointDivisions, ShapeDivisions
from registry.divisions import full_code
from registry.errors import InvalidValueError, NotFoundError
from registry.people import ActorView
from registry.reads.scope import READABLE, VISIBLE, scope_of
from sinks.units import M2_PER_MU

ItemT = TypeVar("ItemT")
ParcelStatus = Literal["draft", "submitted", "approved", "returned", "withdrawn"]
BEIJING: Final = ZoneInfo("Asia/Shanghai")
STATUSES: Final = ("draft", "submitted", "approved", "returned", "withdrawn")
FEATURES_MAX: Final = 5_000
"""Most shapes one answer holds; a wider view gets the largest and says that it is cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[ItemT]):
    """A part of a list; ``next`` is the cursor of the part after it, or None at the end."""

    items: list[ItemT]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelQuery:
    """Which parcels, and from where on."""

    status: ParcelStatus | None = None
    kind: Literal["carbon", "orchard", "tree"] | None = None
    after: UUID | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelLine:
    """A parcel in a list."""

    id: UUID
    code: str | None
    kind: str
    status: str
    version: int
    division: str | None
    owner: str | None
    area_m2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelById:
    """One parcel."""

    parcel_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionLine:
    """One version of a parcel: who drew it, when, why, from what."""

    version: int
    area_m2: float
    source_crs: str
    captured_with: str
    reason: str
    actor: str
    effective_at: datetime
    batch_id: UUID | None
    batch_row: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionLine:
    """One step of a parcel's way."""

    version: int
    decision: str
    reason: str
    actor: str
    effective_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingLine:
    """One eligibility rule's answer."""

    version: int
    programme: str
    rule: str
    answer: str
    code: str
    params: dict[str, Any]
    area_m2: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KinLine:
    """A parcel this one was made from, or that was made from it; nameless where out of reach."""

    id: UUID
    readable: bool
    code: str | None
    status: str | None
    operation: Literal["split", "merge"]
    effective_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelPage:
    """One parcel with everything its page shows; ``geometry`` is GeoJSON in EPSG:4490.

    ``outside_division_m2`` lie beyond the boundary of its division, as far as one is known.
    """

    id: UUID
    code: str | None
    kind: str
    status: str
    version: int
    division_code: str | None
    division: str | None
    owner_id: UUID | None
    owner: str | None
    area_m2: float
    submitted_by: UUID | None
    attributes: dict[str, Any]
    geometry: dict[str, Any]
    outside_division_m2: float
    versions: list[VersionLine]
    decisions: list[DecisionLine]
    findings: list[FindingLine]
    parents: list[KinLine]
    children: list[KinLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicFigures:
    """What everybody may know: counts and areas, no plot and no person."""

    parcels: int
    area_m2: float
    orchards: int
    villages: int
    projects: int
    issued_kg: int
    retired_kg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DivisionQuery:
    """Divisions below one; the provinces without."""

    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DivisionLine:
    """A division by name."""

    code: str
    name: str
    level: str
    valid_from_year: int
    valid_to_year: int | None
    has_boundary: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Divisions:
    """The divisions directly below one."""

    items: list[DivisionLine]


def parcels(session: Session, who: ActorView, query: ParcelQuery) -> Page[ParcelLine]:
    """Return the parcels the actor may see, by id."""
    rows = session.execute(
        _PARCELS,
        {
            **scope_of(who).params(),
            "status": query.status,
            "kind": query.kind,
            "after": query.after,
            "limit": query.limit + 1,
        },
    ).all()
    items = [ParcelLine(**row._mapping) for row in rows[: query.limit]]  # noqa: SLF001
    more = len(rows) > query.limit
    return Page(items=items, next=str(items[-1].id) if more else None)


def parcel(session: Session, who: ActorView, query: ParcelById) -> ParcelPage:
    """Return one parcel with versions, decisions, findings and kinship.

    Raises
    ------
    NotFoundError : there is none, or the actor may not read it.
    """
    row = session.execute(_PARCEL, {**scope_of(who).params(), "id": query.parcel_id}).first()
    if row is None:
        raise NotFoundError(what="parcel", id=query.parcel_id)
    found = dict(row._mapping)  # noqa: SLF001
    for name, kind in (("versions", VersionLine), ("decisions", DecisionLine)):
        lines = [kind(**{**one, "effective_at": _moment(one)}) for one in found[name]]
        found[name] = lines
    for side in ("parents", "children"):
        found[side] = [
            KinLine(**{**one, "id": UUID(one["id"]), "effective_at": _moment(one)})
            for one in found[side]
        ]
    found["findings"] = [FindingLine(**one) for one in found["findings"]]
    shape = shapely.from_geojson(json.dumps(found["geometry"]))
    found["outside_division_m2"] = within.require(
        session, found["division_code"], [shape], confirmed=True
    )
    return ParcelPage(**found)


def parcel_features(
    session: Session,
    who: ActorView,
    box: Sequence[float] | None,
    parcel_id: UUID | None = None,
) -> str:
    """Return the parcels the actor may see as GeoJSON text: those in ``box`` (degrees), or one."""
    bound = {**scope_of(who).params(), **_bounds(box), "m2_per_mu": float(M2_PER_MU)}
    return _collection(session, _FEATURES, bound | {"id": parcel_id})


def more_than(session: Session, who: ActorView, count: int) -> bool:
    """Say whether the actor's map holds more than ``count`` parcels."""
    found = session.scalar(_SEVERAL, {**scope_of(who).params(), "most": count + 1})
    return int(found or 0) > count


def neighbour_features(session: Session, box: Sequence[float]) -> str:
    """Return the shapes of all active parcels in ``box``: to draw beside, with no owner or name."""
    return _collection(session, _NEIGHBOURS, _bounds(box))


def outline(session: Session, division_code: str) -> str:
    """Return a division's boundary, or its nearest ancestor's, as GeoJSON text."""
    found = session.scalar(_OUTLINE, {"code": full_code(division_code)})
    return str(found or '{"type": "FeatureCollection", "features": []}')


def own_outline(session: Session, who: ActorView) -> str:
    """Return where an actor's map begins, as GeoJSON text.

    The boundary of their own division; where that is not known a box round the parcels they may
    see; without any, the boundary of the nearest ancestor.
    """
    bound = {**scope_of(who).params(), "code": who.division_code}
    found = session.scalar(_OWN_OUTLINE, bound)
    return str(found) if found else outline(session, who.division_code or "")


def public_figures(session: Session) -> PublicFigures:
    """Return the figures of the first page."""
    return PublicFigures(**session.execute(_FIGURES).one()._mapping)  # noqa: SLF001


def divisions(session: Session, _who: ActorView | None, query: DivisionQuery) -> Divisions:
    """Return the divisions directly below one."""
    parent = query.parent and full_code(query.parent)
    rows = session.execute(_DIVISIONS, {"parent": parent})
    return Divisions(items=[DivisionLine(**row._mapping) for row in rows])  # noqa: SLF001


@dataclass(frozen=True, slots=True, kw_only=True)
class PointQuery:
    """A point in CGCS2000 degrees, and a year; this one if none."""

    lon: Annotated[float, Field(ge=-180, le=180)]
    lat: Annotated[float, Field(ge=-90, le=90)]
    year: Annotated[int, Field(ge=1900, le=2200)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DivisionByCode:
    """One division, by two to twelve digits."""

    division_code: str


def divisions_at(session: Session, _who: ActorView | None, query: PointQuery) -> PointDivisions:
    """Return the chain of divisions at a point."""
    year = query.year or datetime.now(BEIJING).year
    return division_lookup.at_point(session, lon=query.lon, lat=query.lat, year=year)


def divisions_of(session: Session, geojson: Mapping[str, Any], year: int | None) -> ShapeDivisions:
    """Return the divisions of a drawn shape.

    Raises
    ------
    registry.parcel_store.PlaceRefusedError : the shape has a fault.
    """
    shape = to_shape(parcel_store.sound(geojson)[0])
    return division_lookup.of_shape(session, shape, year=year or datetime.now(BEIJING).year)


def division(session: Session, _who: ActorView | None, query: DivisionByCode) -> DivisionView:
    """Return a division with its years and what lies above it."""
    return division_lookup.view(session, query.division_code)


def box_of(words: str) -> tuple[float, float, float, float]:
    """Return west, south, east, north from ``"118.1,28.9,118.2,29.0"``.

    Raises
    ------
    InvalidValueError : not four numbers in order within the world.
    """
    try:
        west, south, east, north = (float(part) for part in words.split(","))
    except ValueError:
        west = south = east = north = float("nan")
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):  # noqa: PLR2004
        raise InvalidValueError(field="bbox", value=words[:80], why="west,south,east,north")
    return west, south, east, north


def _moment(line: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(line["effective_at"])


def _bounds(box: Sequence[float] | None) -> dict[str, object]:
    names = ("west", "south", "east", "north")
    given = dict(zip(names, box or (None, None, None, None), strict=True))
    return {**given, "most": FEATURES_MAX}


def _collection(session: Session, query: Any, bound: Mapping[str, object]) -> str:  # noqa: ANN401
    lines = [row.feature for row in session.execute(query, bound)]
    cut = json.dumps(len(lines) >= FEATURES_MAX)
    return f'{{"type":"FeatureCollection","truncated":{cut},"features":[{",".join(lines)}]}}'


_PARCELS = text(
    f"""
    SELECT p.id, p.code, p.kind, p.status, p.version, d.name AS division, o.name AS owner,
           p.area_m2
      FROM parcel p LEFT JOIN division d ON d.code = p.division_code
      LEFT JOIN party o ON o.id = p.owner_id
     WHERE {VISIBLE}
       AND (cast(:status AS text) IS NULL OR p.status = :status)
       AND (cast(:kind AS text) IS NULL OR p.kind = :kind)
       AND (cast(:after AS uuid) IS NULL OR p.id > :after)
     ORDER BY p.id LIMIT :limit
    """
)


def _kin(own: str, other: str) -> str:
    """Return the SQL of a parcel's parents or children, by the column that holds each side."""
    return f"""
           coalesce((SELECT jsonb_agg(jsonb_build_object(
                     'id', l.{other}_id, 'readable', k.id IS NOT NULL, 'code', k.code,
                     'status', k.status, 'operation', l.operation,
                     'effective_at', l.effective_at) ORDER BY k.code, l.{other}_id)
              FROM parcel_lineage l LEFT JOIN (
                SELECT p.id, p.code, p.status FROM parcel p WHERE {READABLE}
              ) k ON k.id = l.{other}_id WHERE l.{own}_id = p.id), '[]')"""


_PARCEL = text(
    f"""
    SELECT p.id, p.code, p.kind, p.status, p.version, p.division_code, d.name AS division,
           p.owner_id, o.name AS owner, p.area_m2, p.submitted_by, now.attributes,
           ST_AsGeoJSON(p.geometry, 9)::jsonb AS geometry,
           (SELECT jsonb_agg(jsonb_build_object(
                     'version', v.version, 'area_m2', v.area_m2, 'source_crs', v.source_crs,
                     'captured_with', v.captured_with, 'reason', v.reason, 'actor', a.name,
                     'effective_at', v.effective_at, 'batch_id', v.batch_id,
                     'batch_row', v.batch_row) ORDER BY v.version DESC)
              FROM parcel_version v JOIN actor a ON a.id = v.actor_id
             WHERE v.parcel_id = p.id) AS versions,
           coalesce((SELECT jsonb_agg(jsonb_build_object(
                     'version', c.version, 'decision', c.decision, 'reason', c.reason,
                     'actor', a.name, 'effective_at', c.effective_at) ORDER BY c.recorded_at)
              FROM parcel_decision c JOIN actor a ON a.id = c.actor_id
             WHERE c.parcel_id = p.id), '[]') AS decisions,
           coalesce((SELECT jsonb_agg(jsonb_build_object(
                     'version', f.version, 'programme', g.name_zh, 'rule', f.rule,
                     'answer', f.answer, 'code', f.code, 'params', f.params,
                     'area_m2', f.evidence_area_m2) ORDER BY g.name_zh, f.recorded_at)
              FROM finding f JOIN programme g
                ON g.id = f.programme_id AND g.version = f.programme_version
             WHERE f.parcel_id = p.id AND f.version = p.version), '[]') AS findings,
           {_kin("child", "parent")} AS parents,
           {_kin("parent", "child")} AS children
      FROM parcel p
      JOIN parcel_version now ON now.parcel_id = p.id AND now.version = p.version
      LEFT JOIN division d ON d.code = p.division_code
      LEFT JOIN party o ON o.id = p.owner_id
     WHERE p.id = :id AND {READABLE}
    """
)
_BOX = (
    "ST_MakeEnvelope(cast(:west AS float8), cast(:south AS float8), cast(:east AS float8),"
    " cast(:north AS float8), 4490)"
)
_MEETS = f"(cast(:west AS float8) IS NULL OR p.id IN (SELECT parcels_meeting({_BOX})))"
_FEATURES = text(
    f"""
    SELECT json_build_object('type', 'Feature', 'id', p.id,
             'geometry', ST_AsGeoJSON(p.geometry, 7)::json,
             'properties', json_build_object('name', coalesce(p.code, left(p.id::text, 8)),
               'status', CASE p.status WHEN 'returned' THEN 'returned_for_change' ELSE p.status END,
               'kind', p.kind, 'mu', round((p.area_m2 / :m2_per_mu)::numeric, 2),
               'division', d.name, 'owner', o.name,
               'url', '/parcels/' || p.id))::text AS feature
      FROM parcel p LEFT JOIN division d ON d.code = p.division_code
      LEFT JOIN party o ON o.id = p.owner_id
     WHERE {VISIBLE} AND {_MEETS}
       AND p.status <> 'withdrawn' AND (cast(:id AS uuid) IS NULL OR p.id = :id)
     ORDER BY p.area_m2 DESC, p.id LIMIT :most
    """
)
_SEVERAL = text(
    f"SELECT count(*) FROM (SELECT FROM parcel p WHERE {VISIBLE} AND p.status <> 'withdrawn'"
    " LIMIT :most) s"
)
_NEIGHBOURS = text(
    f"""
    SELECT json_build_object('type', 'Feature', 'id', p.id,
             'geometry', ST_AsGeoJSON(p.geometry, 9)::json,
             'properties', json_build_object('kind', p.kind, 'status', p.status))::text AS feature
      FROM neighbours({_BOX}, :most) p
    """
)
_OUTLINE = text(
    """
    WITH RECURSIVE up AS (
      SELECT code, name, parent_code, boundary, 0 AS step FROM division WHERE code = :code
      UNION ALL SELECT d.code, d.name, d.parent_code, d.boundary, up.step + 1
        FROM division d JOIN up ON d.code = up.parent_code)
    SELECT json_build_object('type', 'FeatureCollection', 'features', json_build_array(
             json_build_object('type', 'Feature', 'geometry', ST_AsGeoJSON(boundary, 6)::json,
               'properties', json_build_object('name', name, 'code', code))))::text
      FROM up WHERE boundary IS NOT NULL ORDER BY step LIMIT 1
    """
)
_OWN_OUTLINE = text(
    f"""
    SELECT json_build_object('type', 'FeatureCollection', 'features', json_build_array(
             json_build_object('type', 'Feature', 'properties', json_build_object(),
               'geometry', ST_AsGeoJSON(shape, 6)::json)))::text
      FROM (SELECT coalesce(
              (SELECT boundary FROM division WHERE code = cast(:code AS text)),
              (SELECT ST_Expand(ST_SetSRID(ST_Extent(p.geometry)::geometry, 4490), 0.005)
                 FROM parcel p WHERE {VISIBLE} AND p.status <> 'withdrawn')) AS shape) s
     WHERE shape IS NOT NULL
    """
)
_FIGURES = text("SELECT * FROM public_figures()")
_DIVISIONS = text(
    "SELECT code, name, level, valid_from_year, valid_to_year, boundary IS NOT NULL AS has_boundary"
    " FROM division WHERE parent_code IS NOT DISTINCT FROM"
    " cast(:parent AS text) ORDER BY code"
)
