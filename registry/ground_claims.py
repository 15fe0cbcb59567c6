"""Claims on ground whose parcels change: which follow it, which stand in the way, their heirs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from registry import people
from registry.db import Command
from registry.errors import RegistryError
from registry.models import Parcel


class EditClaimsDifferError(RegistryError):
    """Places to merge are held by different claims."""

    code = "EDIT_CLAIMS_DIFFER"


class ParcelObligedError(RegistryError):
    """Tonnes of the ground are sold ahead or issued."""

    code = "PARCEL_OBLIGED"


Hold: TypeAlias = tuple[str, UUID | None, int, int]
"""A claim but for its ground: scheme, project, first year, year after the last."""


def active(session: Session, parcels: Sequence[Parcel]) -> dict[UUID, tuple[UUID, Hold]]:
    """Return (parcel, hold) of each active claim of parcels."""
    rows = session.execute(_HOLDS, {"ids": [parcel.id for parcel in parcels]})
    return {
        row.id: (row.parcel_id, (row.scheme, row.project_id, row.first, row.end)) for row in rows
    }


def heirs(
    before: Mapping[UUID, tuple[UUID, Hold]],
    after: Mapping[UUID, tuple[UUID, Hold]],
    children: Sequence[UUID],
) -> dict[UUID, list[UUID]]:
    """Return for each claim of a parent the children's claims that follow it, in their order."""
    found = {place: claim for claim, place in after.items()}
    return {
        claim: [found[child, hold] for child in children] for claim, (_, hold) in before.items()
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One scheme's hold that follows the ground."""

    scheme: str
    project_id: UUID | None
    first: int
    end: int


def to_move(
    session: Session, command: Command, parents: Sequence[Parcel], *, shared: bool
) -> list[Held]:
    """Return the holds that every parent is under.

    Raises
    ------
    ParcelObligedError : tonnes of one are sold ahead or issued, and are not to be ``shared``.
    EditClaimsDifferError : the parents are not under the same holds.
    NotPermittedError : claims are moved by the county.
    """
    ids = [parent.id for parent in parents]
    rows = _locked(session, parents)
    if not rows:
        return []
    if not shared:
        _refuse(rows)
    people.require_role(session, command, "county")
    by_parent: dict[UUID, set[tuple[str, UUID | None, int, int]]] = {one: set() for one in ids}
    for row in rows:
        by_parent[row.parcel_id].add((row.scheme, row.project_id, row.first, row.end))
    if len({frozenset(held) for held in by_parent.values()}) > 1:
        raise EditClaimsDifferError
    return [
        Held(scheme=scheme, project_id=project, first=first, end=end)
        for scheme, project, first, end in sorted(by_parent[ids[0]], key=str)
    ]


def stop_selling(session: Session, parents: Sequence[Parcel]) -> None:
    """Let nothing more be promised of ground whose claims were handed on."""
    session.execute(_NO_MORE, {"parents": [parent.id for parent in parents]})


def require_free(session: Session, parcels: Sequence[Parcel]) -> None:
    """Refuse where tonnes of the ground are sold ahead or issued.

    Raises
    ------
    ParcelObligedError : names the claims.
    """
    _refuse(_locked(session, parcels))


def _locked(session: Session, parcels: Sequence[Parcel]) -> Sequence[Row[Any]]:
    """Lock what may be promised of the parcels, then their claims: nobody sells meanwhile."""
    ids = {"ids": [parcel.id for parcel in parcels]}
    session.execute(_LOCK_CAPACITY, ids)
    return session.execute(_LOCK_CLAIMS, ids).all()


def _refuse(rows: Sequence[Row[Any]]) -> None:
    obliged = [str(row.id) for row in rows if row.committed_kg > 0 or row.issued]
    if obliged:
        raise ParcelObligedError(claims="、".join(obliged))


def move(
    session: Session,
    command: Command,
    held: Sequence[Held],
    parents: Sequence[Parcel],
    children: Sequence[Parcel],
) -> list[UUID]:
    """Put the children in their parents' place in projects and under the same holds."""
    ids = {
        "parents": [parent.id for parent in parents],
        "children": [child.id for child in children],
    }
    bound = {**ids, "actor": command.actor_id, "at": command.at}
    session.execute(_RELEASE, ids)
    session.execute(_JOIN_PROJECTS, bound)
    session.execute(_LEAVE_PROJECTS, ids)
    moved: list[UUID] = []
    for hold in held:
        row = {
            "scheme": hold.scheme,
            "project": hold.project_id,
            "first": hold.first,
            "end": hold.end,
        }
        moved += session.scalars(_HOLD, bound | row)
    return sorted(moved)


_LOCK_CAPACITY = text(
    "SELECT 1 FROM capacity WHERE parcel_id = ANY(:ids) ORDER BY vintage, parcel_id, claim_id"
    " FOR UPDATE"
)
_NO_MORE = text(
    "UPDATE capacity SET cap_kg = 0 WHERE parcel_id = ANY(:parents) AND committed_kg = 0"
)
_LOCK_CLAIMS = text(
    "SELECT c.id, c.parcel_id, c.scheme, c.project_id, lower(c.years) AS first,"
    ' upper(c.years) AS "end", coalesce((SELECT sum(k.committed_kg) FROM capacity k'
    "  WHERE k.claim_id = c.id), 0)::int8 AS committed_kg,"
    " EXISTS (SELECT FROM batch b WHERE b.project_id = c.project_id AND c.years @> b.vintage)"
    " AS issued"
    " FROM claim c WHERE c.parcel_id = ANY(:ids) AND c.status = 'active'"
    " ORDER BY c.id FOR UPDATE OF c"
)
_HOLDS = text(
    'SELECT id, parcel_id, scheme, project_id, lower(years) AS first, upper(years) AS "end"'
    " FROM claim WHERE parcel_id = ANY(:ids) AND status = 'active'"
)
_RELEASE = text(
    "UPDATE claim SET status = 'released' WHERE parcel_id = ANY(:parents) AND status = 'active'"
)
_JOIN_PROJECTS = text(
    "INSERT INTO project_parcel (project_id, parcel_id, version, actor_id, effective_at)"
    " SELECT DISTINCT j.project_id, c.id, 1, cast(:actor AS uuid), cast(:at AS timestamptz)"
    " FROM project_parcel j CROSS JOIN unnest(cast(:children AS uuid[])) AS c(id)"
    " WHERE j.parcel_id = ANY(:parents)"
)
_LEAVE_PROJECTS = text("DELETE FROM project_parcel WHERE parcel_id = ANY(:parents)")
_HOLD = text(
    "INSERT INTO claim (id, scheme, status, project_id, parcel_id, version, years, geometry,"
    " area_m2, effective_at)"
    " SELECT gen_random_uuid(), :scheme, 'active', cast(:project AS uuid), v.parcel_id, v.version,"
    " int4range(CAST(:first AS int4), CAST(:end AS int4)), v.geometry, v.area_m2, :at"
    " FROM parcel_version v WHERE v.parcel_id = ANY(:children) AND v.version = 1"
    " ORDER BY v.parcel_id RETURNING id"
)
