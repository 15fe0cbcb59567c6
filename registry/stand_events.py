"""What happened to stands: rows that a run reads; corrected by another row, never changed.

An event counts from its year on for every run asked for since it was entered: it is part of a
run's input digest.  Children of a split have what their parent had.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, get_args
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from registry import events, people
from registry.db import Command
from registry.errors import InvalidValueError, NotFoundError, RegistryError
from registry.models import StandEvent
from sinks import tables

Kind = Literal[
    "thinning",
    "harvest",
    "clearing",
    "fire",
    "snow",
    "pest",
    "wind",
    "landslide",
    "replanting",
]

WHOLE: Final = 1_000_000
"""All of a stand, in millionths."""

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2200

WRITERS: Final = ("township", "county", "company", "collective")


class EventReplacedError(RegistryError):
    """A row that another one has taken the place of is corrected again."""

    code = "STAND_EVENT_REPLACED"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordStandEvent(Command):
    """Enter an event, or put it in the place of another for a reason.

    Attributes
    ----------
    year : the stock of 31 December of it is the first to show the event.
    touched_ppm : millionths of the parcel's area that the event touched.
    intensity_ppm : millionths of the stand that went there; 1,000,000 is all of it.
    species : code planted, of ``replanting`` only; the stand's own if not given.
    planned : not yet done; forecasts count it, monitored runs do not. Only plans lie in the future.
    source : who saw it, or what it was found in.
    evidence : what it was found by, for machine-made rows; kept as it is given.
    replaces : the row this one corrects.
    """

    parcel_id: UUID
    year: int
    kind: Kind
    touched_ppm: int = WHOLE
    intensity_ppm: int = WHOLE
    species: int | None = None
    planned: bool = False
    source: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    evidence_sha256: str | None = None
    replaces: UUID | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawStandEvent(Command):
    """Take an event back for a reason; the record keeps it."""

    event_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StandEventView:
    """An event as it stands."""

    id: UUID
    parcel_id: UUID
    year: int
    kind: str
    touched_ppm: int
    intensity_ppm: int
    species: int | None
    planned: bool
    source: str
    evidence: dict[str, Any]
    evidence_sha256: str | None
    replaces: UUID | None
    withdrawn: bool
    reason: str
    actor: str
    effective_at: datetime
    recorded_at: datetime


def record(session: Session, command: RecordStandEvent) -> StandEventView:
    """Enter what happened to a parcel's stands.

    Raises
    ------
    NotPermittedError, NotFoundError : by role; no such parcel or row to replace.
    InvalidValueError : a kind, year, share or species that makes no sense; no source or reason.
    EventReplacedError : the row it would replace was replaced before.
    """
    people.require_role(session, command, *WRITERS)
    _check(command)
    if session.scalar(_PARCEL, {"id": command.parcel_id}) is None:
        raise NotFoundError(what="parcel", id=command.parcel_id)
    if command.replaces is not None:
        before = _present(session, command.replaces)
        if before.parcel_id != command.parcel_id:
            raise NotFoundError(what="stand_event", id=command.replaces)
    made = StandEvent(
        id=uuid4(),
        parcel_id=command.parcel_id,
        year=command.year,
        kind=command.kind,
        touched_ppm=command.touched_ppm,
        intensity_ppm=command.intensity_ppm,
        species=command.species,
        planned=command.planned,
        source=command.source.strip(),
        evidence=dict(command.evidence),
        evidence_sha256=(
            None if command.evidence_sha256 is None else bytes.fromhex(command.evidence_sha256)
        ),
        replaces=command.replaces,
        withdrawn=False,
        reason=command.reason.strip(),
        actor_id=command.actor_id,
        effective_at=command.at,
    )
    return _add(session, command, made, kind="stand.event")


def withdraw(session: Session, command: WithdrawStandEvent) -> StandEventView:
    """Take an event back; runs made from now on do not see it.

    Raises
    ------
    NotPermittedError, NotFoundError, EventReplacedError; InvalidValueError : no reason.
    """
    people.require_role(session, command, *WRITERS)
    if not command.reason.strip():
        raise InvalidValueError(field="reason", value="", why="1-")
    before = _present(session, command.event_id)
    made = StandEvent(
        id=uuid4(),
        parcel_id=before.parcel_id,
        year=before.year,
        kind=before.kind,
        touched_ppm=before.touched_ppm,
        intensity_ppm=before.intensity_ppm,
        species=before.species,
        planned=before.planned,
        source=before.source,
        evidence=before.evidence,
        evidence_sha256=None,
        replaces=before.id,
        withdrawn=True,
        reason=command.reason.strip(),
        actor_id=command.actor_id,
        effective_at=command.at,
    )
    return _add(session, command, made, kind="stand.event_withdrawn")


def get(session: Session, event_id: UUID) -> StandEventView:
    """Return one row, replaced or not.

    Raises
    ------
    NotFoundError
    """
    row = session.execute(text(f"{_SELECT} WHERE e.id = :id"), {"id": event_id}).first()
    if row is None:
        raise NotFoundError(what="stand_event", id=event_id)
    return _view(row)


def listing(session: Session, parcel_id: UUID, *, history: bool = False) -> list[StandEventView]:
    """Return a parcel's own events by year; with ``history`` also those replaced or withdrawn."""
    present = "" if history else f" AND {PRESENT}"
    query = text(f"{_SELECT} WHERE e.parcel_id = :parcel{present} ORDER BY e.year, e.recorded_at")
    return [_view(row) for row in session.execute(query, {"parcel": parcel_id})]


def _check(command: RecordStandEvent) -> None:
    if command.kind not in get_args(Kind):
        raise InvalidValueError(field="kind", value=command.kind, why=" | ".join(get_args(Kind)))
    last = LAST_YEAR if command.planned else command.at.year
    if not FIRST_YEAR <= command.year <= last:
        raise InvalidValueError(field="year", value=command.year, why=f"{FIRST_YEAR}-{last}")
    for name in ("touched_ppm", "intensity_ppm"):
        if not 0 < getattr(command, name) <= WHOLE:
            raise InvalidValueError(field=name, value=getattr(command, name), why=f"1-{WHOLE}")
    codes = {row.code for row in tables.species_codes().values()} - {0}
    if command.species is not None and (
        command.kind != "replanting" or command.species not in codes
    ):
        raise InvalidValueError(field="species", value=command.species, why=f"{sorted(codes)}")
    if not command.source.strip():
        raise InvalidValueError(field="source", value="", why="1-")
    if command.replaces is not None and not command.reason.strip():
        raise InvalidValueError(field="reason", value="", why="1-")


def _present(session: Session, event_id: UUID) -> StandEventView:
    found = get(session, event_id)
    taken = text("SELECT id FROM stand_event WHERE replaces = :id")
    by = session.scalar(taken, {"id": event_id})
    if found.withdrawn or by is not None:
        raise EventReplacedError(event=str(event_id), by=str(by or "—"))
    return found


def _add(
    session: Session,
    command: RecordStandEvent | WithdrawStandEvent,
    made: StandEvent,
    *,
    kind: str,
) -> StandEventView:
    session.add(made)
    session.flush()
    events.record(
        session,
        command,
        kind=kind,
        subject=("parcel", str(made.parcel_id)),
        body={
            "stand_event": made.id,
            "year": made.year,
            "kind": made.kind,
            "touched_ppm": made.touched_ppm,
            "intensity_ppm": made.intensity_ppm,
            "species": made.species,
            "planned": made.planned,
            "source": made.source,
            "evidence_sha256": made.evidence_sha256,
            "replaces": made.replaces,
            "reason": made.reason,
        },
    )
    return get(session, made.id)


def _view(row: Any) -> StandEventView:  # noqa: ANN401 -- a result row
    values: Sequence[str] = tuple(StandEventView.__dataclass_fields__)
    found = {name: getattr(row, name) for name in values}
    digest = found["evidence_sha256"]
    return StandEventView(
        **found | {"evidence_sha256": None if digest is None else bytes(digest).hex()}
    )


PRESENT: Final = (
    "NOT e.withdrawn AND NOT EXISTS (SELECT FROM stand_event r WHERE r.replaces = e.id)"
)
"""Rows ``e`` that count: not taken back, and nothing in their place."""

_SELECT = "SELECT e.*, a.name AS actor FROM stand_event e JOIN actor a ON a.id = e.actor_id"
_PARCEL = text("SELECT id FROM parcel WHERE id = :id")
