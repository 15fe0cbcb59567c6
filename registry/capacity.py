"""Capacity: what of a claim's forecast may still be promised, by parcel and vintage.

``cap`` is the approved forecast less the buffer.  A holder is known only by a reference; what it
holds is reserved, then burned (delivered as units, never free again) or released.  The database
lets the committed sum rise only up to the cap, whoever writes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from registry import events
from registry.db import Command
from registry.errors import InvalidValueError, NotFoundError
from registry.unit_errors import CapacityExceededError, refusals
from sinks.issuance import largest_remainder

_REASONS: Final = {
    "capacity_never_oversold": CapacityExceededError,
    "ck_capacity_short_is_true": CapacityExceededError,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Kilograms of one claim's parcel."""

    claim_id: UUID
    parcel_id: UUID
    kg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """A row of capacity; ``free_kg`` is below zero when a later forecast was lower."""

    claim_id: UUID
    parcel_id: UUID
    vintage: int
    cap_kg: int
    committed_kg: int
    short_kg: int

    @property
    def free_kg(self) -> int:
        """What may still be reserved."""
        return self.cap_kg - self.committed_kg


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCaps(Command):
    """Let a forecast run say what may be promised: floor(net x (1 - buffer share)), never < 0."""

    run_id: UUID
    buffer_share: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class CapsSet:
    """How many (claim, parcel, vintage) were set, and the sums they now have."""

    rows: int
    cap_kg: int
    short_kg: int
    event_id: UUID


def set_caps(session: Session, command: SetCaps) -> CapsSet:
    """Set the caps of every claimed parcel and year of a forecast run.

    A lower forecast is never refused: what is already committed beyond it stands as short.

    Raises
    ------
    NotFoundError : no such forecast run.
    InvalidValueError : a buffer share outside 0 to 1.
    """
    if not 0 <= command.buffer_share <= 1:
        raise InvalidValueError(field="buffer_share", value=command.buffer_share, why="0..1")
    kind = session.scalar(_RUN, {"run": command.run_id})
    if kind != "forecast":
        raise NotFoundError(what="forecast run", id=command.run_id)
    kept = 1 - command.buffer_share
    found = session.execute(
        _SET_CAPS, {"run": command.run_id, "over": kept.numerator, "under": kept.denominator}
    ).all()
    cap_kg, short_kg = sum(row.cap_kg for row in found), sum(row.short_kg for row in found)
    event_id = events.record(
        session,
        command,
        kind="capacity.set",
        subject=("assessment_run", str(command.run_id)),
        body={
            "buffer_share": command.buffer_share,
            "rows": len(found),
            "cap_kg": cap_kg,
            "short_kg": short_kg,
        },
    )
    return CapsSet(rows=len(found), cap_kg=cap_kg, short_kg=short_kg, event_id=event_id)


def short_holders(session: Session) -> frozenset[str]:
    """Return who holds reservations on parcels whose forecast no longer covers them."""
    return frozenset(session.scalars(_SHORT))


def caps(
    session: Session, claim_ids: Sequence[UUID], vintage: int, *, lock: bool = False
) -> tuple[Cap, ...]:
    """Return the capacity rows of claims in a vintage, by parcel; locked in that order if asked."""
    statement = _LOCKED if lock else _READ
    rows = session.execute(statement, {"claims": list(claim_ids), "vintage": vintage})
    return tuple(Cap(**row._asdict()) for row in rows)


def reserve(session: Session, holder_ref: str, vintage: int, parts: Sequence[Part]) -> None:
    """Reserve ``parts`` (kg > 0) of a vintage for a holder who holds nothing of them yet.

    Raises
    ------
    CapacityExceededError : ``parcel``, ``asked``, ``free``: a parcel has less free than asked.
    """
    rows = {
        (row.claim_id, row.parcel_id): row
        for row in caps(session, [part.claim_id for part in parts], vintage, lock=True)
    }
    for part in parts:
        row = rows.get((part.claim_id, part.parcel_id))
        free_kg = max(0, row.free_kg) if row else 0
        if part.kg > free_kg:
            raise CapacityExceededError(parcel=part.parcel_id, asked=part.kg, free=free_kg)
        place = {"claim": part.claim_id, "parcel": part.parcel_id, "vintage": vintage}
        with refusals(dict(_REASONS)):
            session.execute(_COMMIT, place | {"kg": part.kg})
        session.execute(_RESERVE, place | {"kg": part.kg, "id": uuid4(), "holder": holder_ref})


def release(session: Session, holder_ref: str, kg: int) -> None:
    """Give ``kg`` of what a holder has reserved and not delivered back, spread over its parcels."""
    _change(session, holder_ref, burn_kg=0, release_kg=kg)


def burn(session: Session, holder_ref: str, kg: int) -> None:
    """Write ``kg`` of a holder's reservations down as delivered, spread over its parcels."""
    _change(session, holder_ref, burn_kg=kg, release_kg=0)


def finish(session: Session, holder_ref: str, *, delivered_kg: int) -> None:
    """Burn what was delivered to a holder's buyers and release all the rest."""
    open_kg = sum(_open(row) for row in _held(session, holder_ref))
    _change(session, holder_ref, burn_kg=delivered_kg, release_kg=open_kg - delivered_kg)


def _held(session: Session, holder_ref: str) -> Sequence[Row[tuple[object, ...]]]:
    return session.execute(_HELD, {"holder": holder_ref}).all()


def _open(row: Row[tuple[object, ...]]) -> int:
    return int(row.kg) - int(row.burned_kg)


def _change(session: Session, holder_ref: str, *, burn_kg: int, release_kg: int) -> None:
    rows = _held(session, holder_ref)
    open_kg = [_open(row) for row in rows]
    if burn_kg < 0 or release_kg < 0 or burn_kg + release_kg > sum(open_kg):
        raise CapacityExceededError(
            parcel=holder_ref, asked=burn_kg + release_kg, free=sum(open_kg)
        )
    if burn_kg + release_kg == 0:
        return
    # what leaves is spread first, what is burned of it next: neither exceeds a parcel's open kg
    gone = largest_remainder(burn_kg + release_kg, open_kg)
    burned = largest_remainder(burn_kg, gone)
    for row, left, burns in zip(rows, gone, burned, strict=True):
        freed = left - burns
        kg, delivered = int(row.kg) - freed, int(row.burned_kg) + burns
        state = "released" if kg == 0 else "burned" if kg == delivered else "held"
        if left == 0:
            continue
        place = {"claim": row.claim_id, "parcel": row.parcel_id, "vintage": row.vintage}
        if freed:
            session.execute(_FREE, place | {"kg": freed})
        session.execute(
            _SET,
            {"id": row.id, "kg": kg or row.kg, "burned": delivered, "state": state},
        )


_RUN = text("SELECT kind FROM assessment_run WHERE id = :run")
_SET_CAPS = text(
    "INSERT INTO capacity (claim_id, parcel_id, vintage, version, run_id, cap_kg)"
    " SELECT c.id, a.parcel_id, a.year, a.version, a.run_id,"
    "  greatest(div(a.net_kg::numeric * :over, :under), 0)::bigint"
    " FROM assessment a JOIN claim c ON c.parcel_id = a.parcel_id AND c.status = 'active'"
    "  AND c.years @> a.year"
    " WHERE a.run_id = :run ORDER BY a.parcel_id, c.id, a.year"
    " ON CONFLICT (claim_id, parcel_id, vintage) DO UPDATE SET cap_kg = excluded.cap_kg,"
    "  run_id = excluded.run_id, version = excluded.version,"
    "  short_kg = greatest(capacity.committed_kg - excluded.cap_kg, 0)"
    " RETURNING cap_kg, short_kg"
)
_SHORT = text(
    "SELECT DISTINCT r.holder_ref FROM reservation r JOIN capacity c"
    " ON (c.claim_id, c.parcel_id, c.vintage) = (r.claim_id, r.parcel_id, r.vintage)"
    " WHERE r.state = 'held' AND c.short_kg > 0"
)
_COLUMNS = "SELECT claim_id, parcel_id, vintage, cap_kg, committed_kg, short_kg FROM capacity"
_WHERE = " WHERE claim_id = ANY (:claims) AND vintage = :vintage ORDER BY parcel_id, claim_id"
_READ = text(_COLUMNS + _WHERE)
_LOCKED = text(_COLUMNS + _WHERE + " FOR UPDATE")
_PLACE = " WHERE claim_id = :claim AND parcel_id = :parcel AND vintage = :vintage"
_COMMIT = text("UPDATE capacity SET committed_kg = committed_kg + :kg" + _PLACE)
_FREE = text(
    "UPDATE capacity SET committed_kg = committed_kg - :kg,"
    " short_kg = greatest(committed_kg - :kg - cap_kg, 0)" + _PLACE
)
_RESERVE = text(
    "INSERT INTO reservation (id, claim_id, parcel_id, vintage, kg, holder_ref, state)"
    " VALUES (:id, :claim, :parcel, :vintage, :kg, :holder, 'held')"
)
_HELD = text(
    "SELECT id, claim_id, parcel_id, vintage, kg, burned_kg FROM reservation"
    " WHERE holder_ref = :holder AND state = 'held' ORDER BY parcel_id, claim_id FOR UPDATE"
)
_SET = text("UPDATE reservation SET kg = :kg, burned_kg = :burned, state = :state WHERE id = :id")
