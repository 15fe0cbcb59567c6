"""What staff decide of a proposed disturbance: it happened or not; once, with the reason."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from registry import events, people
from registry.db import Command
from registry.errors import InvalidValueError, NotFoundError, WrongStateError
from registry.models import DisturbanceDecision

DECIDERS = ("county",)


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissDisturbance(Command):
    """Say that a candidate is no disturbance, and why."""

    disturbance_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A candidate as it stands after a decision; ``job_ids`` are the runs asked for again."""

    disturbance_id: UUID
    status: str
    event_id: UUID
    parcel_ids: tuple[UUID, ...]
    job_ids: tuple[UUID, ...]


def dismiss(session: Session, command: DismissDisturbance) -> Decided:
    """Dismiss a candidate; its ground is not proposed for that year again.

    Raises
    ------
    NotPermittedError, NotFoundError : by role and county; no such disturbance.
    WrongStateError : it was decided before.
    InvalidValueError : no reason.
    """
    people.require_role(session, command, *DECIDERS)
    reason = _reason(command.reason)
    found = _candidate(session, command.disturbance_id)
    parcels = tuple(session.scalars(_PARCELS, {"id": found.id}))
    event_id = events.record(
        session,
        command,
        kind="disturbance.dismissed",
        subject=("disturbance", str(found.id)),
        body={"year": found.year, "parcels": parcels, "reason": reason},
    )
    session.add(
        DisturbanceDecision(
            id=uuid4(),
            disturbance_id=found.id,
            decision="dismiss",
            reason=reason,
            job_ids=[],
            actor_id=command.actor_id,
            event_id=event_id,
            effective_at=command.at,
        )
    )
    session.execute(_SET, {"id": found.id, "status": "dismissed"})
    return Decided(
        disturbance_id=found.id,
        status="dismissed",
        event_id=event_id,
        parcel_ids=parcels,
        job_ids=(),
    )


def _reason(words: str) -> str:
    reason = words.strip()
    if not reason:
        raise InvalidValueError(field="reason", value="", why="1-")
    return reason


def _candidate(session: Session, disturbance_id: UUID) -> Row[Any]:
    """Lock a candidate: of two who decide at once, the second finds it decided."""
    found = session.execute(_LOCKED, {"id": disturbance_id}).first()
    if found is None:
        raise NotFoundError(what="disturbance", id=disturbance_id)
    if found.status != "candidate":
        raise WrongStateError(what="disturbance", state=found.status, needs="candidate")
    return found


_LOCKED = text("SELECT id, year, status FROM disturbance WHERE id = :id FOR UPDATE")
_PARCELS = text(
    "SELECT parcel_id FROM disturbance_parcel WHERE disturbance_id = :id ORDER BY parcel_id"
)
_SET = text("UPDATE disturbance SET status = :status WHERE id = :id")
