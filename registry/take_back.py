"""Take an import back: its parcels are withdrawn, except those that something else rests on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from registry import events, import_store, people
from registry.db import Command
from registry.errors import InvalidValueError, NotFoundError, WrongStateError

Why = Literal["claim", "lot", "project", "orchard", "tree", "revised"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack(Command):
    """Withdraw what an import brought; the reason is kept with every parcel."""

    batch_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A parcel that stays, and everything that rests on it."""

    row: int
    parcel_id: UUID
    why: tuple[Why, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """How many parcels were withdrawn, and which stay."""

    batch_id: UUID
    withdrawn: int
    kept: tuple[Kept, ...]


def take_back(session: Session, command: TakeBack) -> TakenBack:
    """Withdraw an import's parcels; a parcel that is claimed, sold or edited stays as it is.

    Raises
    ------
    NotFoundError : there is no such import.
    NotPermittedError : somebody else sent it, and the actor is no county administrator.
    WrongStateError : it was not accepted, or is taken back already.
    InvalidValueError : no reason is given.
    """
    if not command.reason.strip():
        raise InvalidValueError(field="reason", value="—", why="须写明理由 say why")
    batch = import_store.lock(session, command.batch_id)
    if batch is None:
        raise NotFoundError(what="import", id=command.batch_id)
    if batch.actor_id != command.actor_id:
        people.require_role(session, command, "county")
    if batch.state != "accepted":
        raise WrongStateError(what="batch", state=batch.state, needs="accepted")
    kept = obstacles(session, command.batch_id)
    bound = {
        "batch": command.batch_id,
        "kept": [one.parcel_id for one in kept],
        "actor": command.actor_id,
        "reason": command.reason.strip(),
        "at": command.at,
    }
    session.execute(_DECISIONS, bound)
    withdrawn = len(session.execute(_WITHDRAW, bound).all())
    if not kept:
        session.execute(_STATE, bound)
    events.record(
        session,
        command,
        kind="parcels.taken_back",
        subject=("import_batch", str(command.batch_id)),
        body={"withdrawn": withdrawn, "kept": len(kept), "reason": command.reason.strip()},
    )
    return TakenBack(batch_id=command.batch_id, withdrawn=withdrawn, kept=tuple(kept))


def obstacles(session: Session, batch_id: UUID) -> Sequence[Kept]:
    """Return the parcels of an import that something rests on, by row."""
    found: dict[tuple[int, UUID], list[Why]] = {}
    for one in session.execute(_OBSTACLES, {"batch": batch_id}):
        found.setdefault((one.row_number, one.parcel), []).append(one.why)
    return [Kept(row=row, parcel_id=id_, why=tuple(why)) for (row, id_), why in found.items()]


_OBSTACLES = text("SELECT * FROM import_obstacles(:batch)")
_MINE = (
    " FROM parcel p JOIN import_row r ON r.parcel_id = p.id WHERE r.batch_id = :batch"
    " AND p.status <> 'withdrawn' AND p.id <> ALL(CAST(:kept AS uuid[]))"
)
_DECISIONS = text(
    "INSERT INTO parcel_decision (id, parcel_id, version, decision, reason, submitted_by,"
    " actor_id, effective_at) SELECT gen_random_uuid(), p.id, p.version, 'withdraw', :reason,"
    f" coalesce(p.submitted_by, :actor), :actor, :at{_MINE}"
)
_WITHDRAW = text(
    f"UPDATE parcel SET status = 'withdrawn' WHERE id IN (SELECT p.id{_MINE}) RETURNING id"
)
_STATE = text("UPDATE import_batch SET state = 'taken_back' WHERE id = :batch")
