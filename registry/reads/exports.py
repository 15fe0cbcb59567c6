"""Parcels to take away: what an actor may see, with every attribute, and the shapes beside."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from registry.divisions import subtree_prefix
from registry.errors import RegistryError
from registry.people import ActorView
from registry.reads.scope import VISIBLE, scope_of
from sinks.units import mu_from_m2

ROWS_MAX: Final = 100_000
NEIGHBOURS_MAX: Final = 20_000
_BESIDE_DEG: Final = 0.001
"""How far from a parcel a neighbour may lie to be shown, some 100 m."""


class TooManyParcelsError(RegistryError):
    """More parcels than one file should hold."""

    code = "EXPORT_TOO_MANY"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportQuery:
    """Which parcels; all that the actor may see without. ``division`` is one below the actor's."""

    status: str | None = None
    kind: str | None = None
    division: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelRows:
    """Shapes as well-known binary in EPSG:4490, the attributes of each, and shapes beside them."""

    shapes: tuple[bytes, ...]
    attributes: tuple[Mapping[str, Any], ...]
    neighbours: tuple[bytes, ...] = ()


def parcel_rows(
    session: Session,
    who: ActorView,
    query: ExportQuery,
    *,
    neighbours: bool = False,
    most: int = ROWS_MAX,
) -> ParcelRows:
    """Return the parcels the actor may see, by code and id, for a file.

    Parameters
    ----------
    neighbours : also the active shapes beside them that are not among them; without owner or name.

    Raises
    ------
    TooManyParcelsError : more than ``most``; narrow the query.
    """
    bound = {
        **scope_of(who).params(),
        "status": query.status,
        "kind": query.kind,
        "below": f"{subtree_prefix(query.division)}%" if query.division else None,
    }
    rows = session.execute(_ROWS, {**bound, "most": most + 1}).all()
    if len(rows) > most:
        raise TooManyParcelsError(limit=most)
    beside: tuple[bytes, ...] = ()
    if neighbours and rows:
        near = {**bound, "reach": _BESIDE_DEG, "most": NEIGHBOURS_MAX}
        beside = tuple(bytes(row.shape) for row in session.execute(_BESIDE, near))
    return ParcelRows(
        shapes=tuple(bytes(row.shape) for row in rows),
        attributes=tuple(_attributes(dict(row._mapping)) for row in rows),  # noqa: SLF001
        neighbours=beside,
    )


def _attributes(row: dict[str, Any]) -> dict[str, Any]:
    """The register's own fields first; a field of the file with the same name keeps it after."""
    row.pop("shape")
    brought: Mapping[str, Any] = row.pop("brought") or {}
    own = {**row, "area_mu": round(mu_from_m2(row["area_m2"]), 4)}
    return {**own, **{_free(name, own): value for name, value in brought.items()}}


def _free(name: str, own: Mapping[str, Any]) -> str:
    return name if name not in own else f"file_{name}"


_CHOSEN = f"""
    {VISIBLE} AND p.status <> 'withdrawn'
       AND (cast(:status AS text) IS NULL OR p.status = :status)
       AND (cast(:kind AS text) IS NULL OR p.kind = :kind)
       AND (cast(:below AS text) IS NULL OR p.division_code LIKE cast(:below AS text))
"""
_ROWS = text(
    f"""
    SELECT p.id::text AS parcel_id, p.code AS parcel_code, p.kind AS parcel_kind,
           p.status AS parcel_status, p.version AS parcel_version,
           p.division_code AS division_code, d.name AS division, o.name AS owner,
           p.area_m2, ST_AsBinary(p.geometry) AS shape, v.attributes AS brought
      FROM parcel p
      JOIN parcel_version v ON v.parcel_id = p.id AND v.version = p.version
      LEFT JOIN division d ON d.code = p.division_code
      LEFT JOIN party o ON o.id = p.owner_id
     WHERE {_CHOSEN}
     ORDER BY p.code, p.id LIMIT :most
    """
)
_BESIDE = text(
    f"""
    WITH chosen AS (SELECT p.id, p.geometry FROM parcel p WHERE {_CHOSEN}),
         around AS (SELECT ST_Expand(ST_SetSRID(ST_Extent(geometry)::geometry, 4490),
                                     cast(:reach AS float8)) AS box FROM chosen)
    SELECT ST_AsBinary(n.geometry) AS shape
      FROM around, LATERAL neighbours(around.box, :most) n
     WHERE NOT EXISTS (SELECT 1 FROM chosen c WHERE c.id = n.id)
       AND EXISTS (SELECT 1 FROM chosen c
                    WHERE c.geometry && ST_Expand(n.geometry, cast(:reach AS float8)))
     ORDER BY n.id
    """
)
