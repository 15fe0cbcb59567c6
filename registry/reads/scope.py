"""Which plots an actor may see, and may act on.

Staff see the subtree of their division; everyone else what their party owns.  The system and
auditors see all.  The clause is SQL, so that a page stays one statement.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from registry.divisions import subtree_prefix
from registry.errors import NotFoundError, NotPermittedError
from registry.people import ActorView

STAFF: Final = frozenset({"township", "county", "company"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Everything, or a division's subtree, a party's own and what a verifier verifies."""

    everything: bool
    prefix: str | None
    party_id: UUID | None
    verifier: bool

    def params(self) -> dict[str, object]:
        """Return the values of :data:`VISIBLE` and :data:`READABLE`."""
        return {
            "everything": self.everything,
            "prefix": None if self.prefix is None else f"{self.prefix}%",
            "party": self.party_id,
            "verifier": self.verifier,
        }

    def covers(self, division_code: str | None) -> bool:
        """Say whether a division lies in the subtree."""
        inside = self.prefix is not None and (division_code or "").startswith(self.prefix)
        return self.everything or inside


VISIBLE: Final = (
    "(cast(:everything AS boolean) OR p.division_code LIKE cast(:prefix AS text)"
    " OR p.owner_id = cast(:party AS uuid))"
)
"""True for a parcel ``p`` in the scope whose params are bound."""
READABLE: Final = (
    f"({VISIBLE} OR (cast(:verifier AS boolean) AND p.id IN (SELECT reached_parcels())))"
)
"""True for a parcel ``p`` to be read, though not acted on: also ground of projects to verify."""


def scope_of(who: ActorView) -> Scope:
    """Return what an actor may see."""
    staff = STAFF.intersection(who.roles)
    return Scope(
        everything=who.has("system", "auditor"),
        prefix=subtree_prefix(who.division_code) if staff and who.division_code else None,
        party_id=who.party_id,
        verifier=who.has("verifier"),
    )


def require_division(who: ActorView, division_code: str | None) -> None:
    """Refuse to act in a division that is not the actor's.

    Raises
    ------
    NotPermittedError : it lies outside, or none is named and the actor has one.
    """
    if not scope_of(who).covers(division_code):
        raise NotPermittedError(needs=division_code or "—")


def require_parcel(session: Session, who: ActorView, parcel_id: UUID) -> None:
    """Refuse to act on a parcel that the actor may not see.

    Raises
    ------
    NotFoundError : there is none, or it lies outside the actor's division and party.
    """
    _require(session, who, parcel_id, VISIBLE)


def require_readable(session: Session, who: ActorView, parcel_id: UUID) -> None:
    """Refuse to tell of a parcel that the actor neither sees nor verifies.

    Raises
    ------
    NotFoundError : there is none, or it is out of reach.
    """
    _require(session, who, parcel_id, READABLE)


def _require(session: Session, who: ActorView, parcel_id: UUID, clause: str) -> None:
    query = text(f"SELECT 1 FROM parcel p WHERE p.id = :id AND {clause}")
    bound = {"id": parcel_id, **scope_of(who).params()}
    if session.execute(query, bound).first() is None:
        raise NotFoundError(what="parcel", id=parcel_id)
