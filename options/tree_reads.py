"""Reads of numbered trees and packs: a village's groves, trees on a map and in a list, one pack.

What a pack is to everybody names no person and no place; ``members`` and points are for who is
concerned, which the callers decide.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import text
from sqlalchemy.orm import Session

from options.refusals import PackNotFoundError
from registry.errors import NotFoundError
from registry.people import ActorView
from registry.reads.scope import VISIBLE, require_parcel, scope_of

FEATURES_MAX: Final = 5_000
"""Most trees one map shows; a village of more is looked at by parcel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroveQuery:
    """Which groves: all in sight, one village's (a prefix of its division code), or one."""

    village: Annotated[str, Field(pattern=r"^[0-9]{0,12}$")] = ""
    parcel_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grove:
    """A parcel of kind tree with what stands on it; ``free`` trees live and are in no pack."""

    parcel_id: UUID
    code: str | None
    status: str
    division_code: str | None
    division: str | None
    owner_id: UUID | None
    owner: str | None
    owner_kind: str | None
    area_m2: float
    trees: int
    live: int
    dead: int
    packed: int
    free: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Groves:
    """Groves in sight, by village."""

    items: tuple[Grove, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeQuery:
    """Trees of a parcel, from where on."""

    parcel_id: UUID
    status: Literal["live", "dead", "moved"] | None = None
    after: int = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeLine:
    """A numbered tree."""

    number: int
    species: str
    planted_year: int
    planted_on: date | None
    status: str
    owner: str
    lon: float
    lat: float
    photo_sha256: str | None
    replaces: int | None
    replaced_by: int | None
    pack_id: UUID | None
    pack_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """Trees by number; ``next`` is the cursor of those after them."""

    items: tuple[TreeLine, ...]
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackLine:
    """A pack in a list, as everybody may see it: free, or the state of the line that took it."""

    pack_id: UUID
    code: str
    lot_id: UUID
    lot_number: str
    vintage: int
    promised: int
    trees: int
    live: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Packs:
    """Packs of a lot by code."""

    items: tuple[PackLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeciesCount:
    """How many trees of a species a pack holds."""

    species: str
    trees: int
    planted_from: int
    planted_to: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicPack:
    """A pack as everybody may see it: numbers and species, villages; no plot and no person."""

    pack: PackLine
    lot_title: str
    programme_id: str
    carbon_right_holder: str
    term_years: int
    villages: str
    species: tuple[SpeciesCount, ...]
    numbers: tuple[int, ...]
    dead_numbers: tuple[int, ...]
    delivered_numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackMember:
    """A tree of a pack with its place; ``delivered`` once its holder has it."""

    number: int
    parcel_id: UUID
    parcel_code: str | None
    species: str
    planted_year: int
    planted_on: date | None
    status: str
    delivered: bool
    replaces: int | None
    lon: float
    lat: float
    photo_sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackRecord:
    """A pack with its contract and every tree, for who is concerned."""

    public: PublicPack
    subscription_id: UUID | None
    subscription_number: str | None
    buyer_id: UUID | None
    buyer: str | None
    members: tuple[PackMember, ...]


def groves(session: Session, who: ActorView, query: GroveQuery) -> Groves:
    """Return the parcels of kind tree that an actor may see."""
    bound = {"village": f"{query.village}%", "id": query.parcel_id, **scope_of(who).params()}
    rows = session.execute(_GROVES, bound)
    return Groves(items=tuple(Grove(**row._asdict()) for row in rows))


def grove(session: Session, who: ActorView, parcel_id: UUID) -> Grove:
    """Return one grove.

    Raises
    ------
    NotFoundError : there is none in sight.
    """
    found = groves(session, who, GroveQuery(parcel_id=parcel_id)).items
    if not found:
        raise NotFoundError(what="parcel", id=parcel_id)
    return found[0]


def trees(session: Session, who: ActorView, query: TreeQuery) -> Trees:
    """Return the trees of a parcel in sight, by number.

    Raises
    ------
    NotFoundError : the parcel is out of sight.
    """
    require_parcel(session, who, query.parcel_id)
    bound = {
        "parcel": query.parcel_id,
        "status": query.status,
        "after": query.after,
        "limit": query.limit + 1,
    }
    found = [TreeLine(**row._asdict()) for row in session.execute(_TREES, bound)]
    more = len(found) > query.limit
    items = tuple(found[: query.limit])
    return Trees(items=items, next=items[-1].number if more else None)


def features(session: Session, who: ActorView, query: GroveQuery) -> list[dict[str, Any]]:
    """Return groves in sight and their trees as GeoJSON features, FEATURES_MAX trees at most."""
    bound = {
        "village": f"{query.village}%",
        "id": query.parcel_id,
        "most": FEATURES_MAX,
        **scope_of(who).params(),
    }
    return [dict(row.feature) for row in session.execute(_FEATURES, bound)]


def pack_features(record: PackRecord) -> list[dict[str, Any]]:
    """Return a pack's trees as GeoJSON features."""
    return [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [one.lon, one.lat]},
            "properties": {
                "name": str(one.number),
                "status": "tree_delivered" if one.delivered else f"tree_{one.status}",
                "species": one.species,
                "planted": one.planted_on.isoformat() if one.planted_on else one.planted_year,
            },
        }
        for one in record.members
    ]


def packs(session: Session, lot_id: UUID) -> Packs:
    """Return the packs of a lot by code."""
    rows = session.execute(_PACKS, {"lot": lot_id, "pack": None})
    return Packs(items=tuple(PackLine(**row._asdict()) for row in rows))


def pack_by_code(session: Session, code: str) -> UUID | None:
    """Return the pack that carries a printed code, or None."""
    found = session.scalar(_BY_CODE, {"code": code})
    return found if isinstance(found, UUID) else None


def public_pack(session: Session, pack_id: UUID) -> PublicPack:
    """Return a pack as everybody may see it.

    Raises
    ------
    PackNotFoundError
    """
    line = session.execute(_PACKS, {"lot": None, "pack": pack_id}).first()
    lot = session.execute(_LOT, {"pack": pack_id}).first()
    if line is None or lot is None:
        raise PackNotFoundError(pack=pack_id)
    members = session.execute(_PUBLIC_MEMBERS, {"pack": pack_id}).all()
    return PublicPack(
        pack=PackLine(**line._asdict()),
        lot_title=lot.lot_title,
        programme_id=lot.programme_id,
        carbon_right_holder=lot.carbon_right_holder,
        term_years=lot.term_years,
        villages=lot.villages or "",
        species=_species(members),
        numbers=tuple(one.number for one in members),
        dead_numbers=tuple(one.number for one in members if one.status == "dead"),
        delivered_numbers=tuple(one.number for one in members if one.delivered),
    )


def record(session: Session, pack_id: UUID) -> PackRecord:
    """Return a pack with its contract and every tree.

    Raises
    ------
    PackNotFoundError
    """
    public = public_pack(session, pack_id)
    more = session.execute(_PACK, {"pack": pack_id}).first()
    if more is None:
        raise PackNotFoundError(pack=pack_id)
    members = tuple(
        PackMember(**row._asdict()) for row in session.execute(_MEMBERS, {"pack": pack_id})
    )
    return PackRecord(
        public=public,
        subscription_id=more.subscription_id,
        subscription_number=more.subscription_number,
        buyer_id=more.buyer_id,
        buyer=more.buyer,
        members=members,
    )


def _species(members: Sequence[Any]) -> tuple[SpeciesCount, ...]:
    years: dict[str, list[int]] = {}
    for one in members:
        years.setdefault(one.species, []).append(one.planted_year)
    return tuple(
        SpeciesCount(species=name, trees=len(found), planted_from=min(found), planted_to=max(found))
        for name, found in sorted(years.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    )


_COUNTED = (
    "SELECT p.id AS parcel_id, p.code, p.status, p.division_code, d.name AS division, p.owner_id,"
    " o.name AS owner, o.kind AS owner_kind, p.area_m2,"
    " count(t.id) AS trees, count(t.id) FILTER (WHERE t.status = 'live') AS live,"
    " count(t.id) FILTER (WHERE t.status = 'dead') AS dead, count(m.tree_id) AS packed,"
    " count(t.id) FILTER (WHERE t.status = 'live' AND m.tree_id IS NULL) AS free"
    " FROM parcel p LEFT JOIN division d ON d.code = p.division_code"
    " LEFT JOIN party o ON o.id = p.owner_id LEFT JOIN tree t ON t.parcel_id = p.id"
    " LEFT JOIN tree_pack_member m ON m.tree_id = t.id"
    f" WHERE p.kind = 'tree' AND p.status <> 'withdrawn' AND {VISIBLE}"
)
_WANTED = (
    " AND coalesce(p.division_code, '') LIKE :village"
    " AND (cast(:id AS uuid) IS NULL OR p.id = cast(:id AS uuid))"
)
_GROVES = text(
    f"{_COUNTED}{_WANTED}"
    " GROUP BY p.id, d.name, o.id ORDER BY p.division_code, p.code, p.id LIMIT 500"
)
_TREES = text(
    "SELECT t.number, t.species, t.planted_year, t.planted_on, t.status, o.name AS owner,"
    " ST_X(t.point) AS lon, ST_Y(t.point) AS lat, encode(t.photo_sha256, 'hex') AS photo_sha256,"
    " r.number AS replaces, n.number AS replaced_by, k.id AS pack_id, k.code AS pack_code"
    " FROM tree t JOIN party o ON o.id = t.owner_id"
    " LEFT JOIN tree r ON r.id = t.replaces_id LEFT JOIN tree n ON n.replaces_id = t.id"
    " LEFT JOIN tree_pack_member m ON m.tree_id = t.id LEFT JOIN tree_pack k ON k.id = m.pack_id"
    " WHERE t.parcel_id = :parcel AND t.number > :after"
    "   AND (cast(:status AS text) IS NULL OR t.status = :status)"
    " ORDER BY t.number LIMIT :limit"
)
_FEATURES = text(
    "WITH ground AS (SELECT p.id, p.code, p.status, p.geometry FROM parcel p"
    f"   WHERE p.kind = 'tree' AND p.status <> 'withdrawn' AND {VISIBLE}{_WANTED})"
    " SELECT json_build_object('type', 'Feature', 'geometry', ST_AsGeoJSON(geometry, 7)::json,"
    "   'properties', json_build_object('name', code, 'status', CASE status"
    "     WHEN 'returned' THEN 'returned_for_change' ELSE status END,"
    "     'url', '/trees/' || id)) AS feature FROM ground"
    " UNION ALL (SELECT json_build_object('type', 'Feature',"
    "   'geometry', ST_AsGeoJSON(t.point, 7)::json, 'properties', json_build_object("
    "     'name', t.number::text, 'status', 'tree_' || t.status, 'species', t.species,"
    "     'planted', coalesce(t.planted_on::text, t.planted_year::text), 'pack', k.code,"
    "     'url', '/trees/' || t.parcel_id))"
    "   FROM ground g JOIN tree t ON t.parcel_id = g.id"
    "   LEFT JOIN tree_pack_member m ON m.tree_id = t.id"
    "   LEFT JOIN tree_pack k ON k.id = m.pack_id ORDER BY g.id, t.number LIMIT :most)"
)
_PACKS = text("SELECT * FROM pack_lines(cast(:lot AS uuid), cast(:pack AS uuid))")
_BY_CODE = text("SELECT pack_by_code(:code)")
_LOT = text("SELECT * FROM pack_lot(:pack)")
_PUBLIC_MEMBERS = text("SELECT * FROM pack_trees(:pack)")
_PACK = text(
    "SELECT s.id AS subscription_id, s.number AS subscription_number, s.buyer_id, b.name AS buyer"
    " FROM tree_pack k LEFT JOIN subscription_line n ON n.id = k.line_id"
    " LEFT JOIN subscription s ON s.id = n.subscription_id"
    " LEFT JOIN party b ON b.id = s.buyer_id WHERE k.id = :pack"
)
_MEMBERS = text(
    "SELECT t.number, t.parcel_id, p.code AS parcel_code, t.species, t.planted_year, t.planted_on,"
    " t.status, m.delivered_to IS NOT NULL AS delivered, r.number AS replaces,"
    " ST_X(t.point) AS lon, ST_Y(t.point) AS lat, encode(t.photo_sha256, 'hex') AS photo_sha256"
    " FROM tree_pack_member m JOIN tree t ON t.id = m.tree_id JOIN parcel p ON p.id = t.parcel_id"
    " LEFT JOIN tree r ON r.id = t.replaces_id WHERE m.pack_id = :pack ORDER BY t.number"
)
