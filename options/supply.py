"""What a lot holds of its parcels' capacity: registry owns it, options asks by reference."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from options.books import Shelf
from registry import capacity
from registry.capacity import Part


def free(session: Session, claims: Mapping[str, UUID], vintage: int) -> dict[str, int]:
    """Return what is free of each parcel (its id as text) in a vintage, locked until commit."""
    rows = capacity.caps(session, sorted(claims.values()), vintage, lock=True)
    return {str(r.parcel_id): r.free_kg for r in rows if str(r.parcel_id) in claims}


def short_lots(session: Session) -> frozenset[UUID]:
    """Return the lots that promised more than the latest forecast of their parcels covers."""
    refs = (ref.split(":") for ref in capacity.short_holders(session))
    return frozenset(UUID(parts[1]) for parts in refs if parts[0] == "lot")


def reserve(session: Session, shelf: Shelf, parts: Sequence[tuple[UUID, UUID, int]]) -> None:
    """Reserve (claim, parcel, kg) for a shelf."""
    capacity.reserve(
        session,
        shelf.ref,
        shelf.vintage,
        [Part(claim_id=claim, parcel_id=parcel, kg=kg) for claim, parcel, kg in parts],
    )


def release(session: Session, shelf: Shelf, *, kg: int) -> None:
    """Give kg of a shelf back to its parcels' capacity."""
    capacity.release(session, shelf.ref, kg)


def finish(session: Session, shelf: Shelf, *, delivered_kg: int) -> None:
    """Burn what was delivered of a shelf and release the rest."""
    capacity.finish(session, shelf.ref, delivered_kg=delivered_kg)
