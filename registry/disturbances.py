"""What staff decide of a proposed disturbance: it happened or not; once, with the reason.

One that happened becomes an event of every parcel it touches, and exactly these parcels are
assessed again: each of their newest runs, asked for anew over the same years with the same layers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, Literal, get_args
from uuid import UUID, uuid4

from sqlalchemy import Row, RowMapping, text
from sqlalchemy.orm import Session

from registry import estimation, events, people, stand_events
from registry.db import Command
from registry.errors import InvalidValueError, NotFoundError, WrongStateError
from registry.estimation import AssessParcels
from registry.models import DisturbanceDecision
from registry.stand_events import WHOLE, RecordStandEvent

DECIDERS: Final = ("county",)
FIRST_YEAR: Final = 2001
"""Of loss rasters; no stand is known before."""

Kind = Literal["harvest", "clearing", "fire", "snow", "pest", "wind", "landslide"]
"""Events of the science's tables that take trees away and that a raster can show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmDisturbance(Command):
    """Say that a candidate happened: what it was, how much of the stand on its ground it took.

    Attributes
    ----------
    share_ppm : millionths of the stand on the ground; 1,000,000 is all of it.
    occurred_on : the day, where it is known; its year then is the event's.
    year : of the event, where it is not the raster's.
    """

    disturbance_id: UUID
    kind: Kind
    share_ppm: int = WHOLE
    occurred_on: date | None = None
    year: int | None = None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A parcel's newest run of a kind, as far as it must be asked for again."""

    parcel_id: UUID
    kind: Literal["forecast", "monitored"]
    first_year: int
    last_year: int
    layer_ids: tuple[UUID, ...]
    curves: tuple[tuple[int, str], ...]
    programme_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """Parcels whose newest run was asked for in one way, to be run again in that way."""

    run: Known
    parcel_ids: tuple[UUID, ...]


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


def confirm(session: Session, command: ConfirmDisturbance) -> Decided:
    """Confirm a candidate: write the event of each parcel and ask for their runs again.

    Raises
    ------
    NotPermittedError, NotFoundError : by role and county; no such disturbance.
    WrongStateError : it was decided before.
    InvalidValueError : a kind, share, day or year that makes no sense; no reason.
    """
    people.require_role(session, command, *DECIDERS)
    reason = _reason(command.reason)
    found = _candidate(session, command.disturbance_id)
    year = _year(command, found.year)
    _check(command)
    parts = session.execute(_PARTS, {"id": found.id}).all()
    made = [_record(session, command, year, row) for row in parts]
    known = [_known(row) for row in session.execute(_KNOWN, {"id": found.id}).mappings()]
    jobs = [_ask(session, command, n, one) for n, one in enumerate(plan_reruns(known, year))]
    parcels = tuple(row.parcel_id for row in parts)
    event_id = events.record(
        session,
        command,
        kind="disturbance.confirmed",
        subject=("disturbance", str(found.id)),
        body={
            "kind": command.kind,
            "year": year,
            "share_ppm": command.share_ppm,
            "occurred_on": command.occurred_on,
            "parcels": parcels,
            "stand_events": made,
            "jobs": jobs,
            "reason": reason,
        },
    )
    session.add(
        DisturbanceDecision(
            id=uuid4(),
            disturbance_id=found.id,
            decision="confirm",
            kind=command.kind,
            share_ppm=command.share_ppm,
            year=year,
            occurred_on=command.occurred_on,
            reason=reason,
            job_ids=jobs,
            actor_id=command.actor_id,
            event_id=event_id,
            effective_at=command.at,
        )
    )
    session.execute(_SET, {"id": found.id, "status": "confirmed"})
    return Decided(
        disturbance_id=found.id,
        status="confirmed",
        event_id=event_id,
        parcel_ids=parcels,
        job_ids=tuple(jobs),
    )


def plan_reruns(known: Iterable[Known], year: int) -> list[Rerun]:
    """Put parcels together that are run again in one way; pure, whatever their order.

    A run that ends before the event's year stays as it is: nothing in it changes.
    """
    groups: dict[Known, list[UUID]] = {}
    for one in known:
        if one.last_year >= year:
            groups.setdefault(replace(one, parcel_id=_ANY), []).append(one.parcel_id)
    made = [Rerun(run=run, parcel_ids=tuple(sorted(ids))) for run, ids in groups.items()]
    return sorted(made, key=lambda one: (one.run.kind, one.run.first_year, one.parcel_ids))


def touched_ppm(area_m2: float, parcel_m2: float) -> int:
    """Return the share of a parcel that a disturbance touches, in millionths; never none."""
    return min(max(round(area_m2 / parcel_m2 * WHOLE), 1), WHOLE)


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


def _year(command: ConfirmDisturbance, by_raster: int) -> int:
    day = command.occurred_on
    if day is not None and command.year not in (None, day.year):
        raise InvalidValueError(field="year", value=command.year, why=str(day.year))
    if day is not None and day > command.at.date():
        raise InvalidValueError(field="occurred_on", value=day, why=f"<= {command.at.date()}")
    year = command.year or (day.year if day else by_raster)
    if not FIRST_YEAR <= year <= command.at.year:
        raise InvalidValueError(field="year", value=year, why=f"{FIRST_YEAR}-{command.at.year}")
    return year


def _check(command: ConfirmDisturbance) -> None:
    if command.kind not in get_args(Kind):
        raise InvalidValueError(field="kind", value=command.kind, why=" | ".join(get_args(Kind)))
    if not 0 < command.share_ppm <= WHOLE:
        raise InvalidValueError(field="share_ppm", value=command.share_ppm, why=f"1-{WHOLE}")


def _record(session: Session, command: ConfirmDisturbance, year: int, row: Row[Any]) -> UUID:
    """Write what happened to one parcel, for runs to read."""
    event = RecordStandEvent(
        at=command.at,
        actor_id=command.actor_id,
        key=command.key,
        parcel_id=row.parcel_id,
        year=year,
        kind=command.kind,
        touched_ppm=touched_ppm(row.area_m2, row.parcel_m2),
        intensity_ppm=command.share_ppm,
        source=f"layer {bytes(row.sha256).hex()}",
        evidence={
            "disturbance": str(command.disturbance_id),
            "area_m2": row.area_m2,
            "version": row.version,
        },
    )
    return stand_events.record(session, event).id


def _ask(session: Session, command: ConfirmDisturbance, n: int, one: Rerun) -> UUID:
    asked = AssessParcels(
        at=command.at,
        actor_id=command.actor_id,
        key=f"{command.key}:{n}",
        kind=one.run.kind,
        first_year=one.run.first_year,
        last_year=one.run.last_year,
        parcel_ids=one.parcel_ids,
        layer_ids=one.run.layer_ids,
        curves=dict(one.run.curves),
        programme_id=one.run.programme_id,
    )
    return estimation.request(session, asked)


def _known(row: RowMapping) -> Known:
    used: Sequence[Mapping[str, Any]] = row["rows"]
    return Known(
        parcel_id=row["parcel_id"],
        kind=row["kind"],
        first_year=row["years"].lower,
        last_year=row["years"].upper - 1,
        layer_ids=tuple(UUID(one["id"]) for one in row["layers"]),
        curves=tuple(sorted((one["species"], one["curve"]) for one in used if "species" in one)),
        programme_id=row["programme_id"],
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
_PARTS = text(
    "SELECT x.parcel_id, x.version, x.area_m2, v.area_m2 AS parcel_m2, l.sha256"
    " FROM disturbance_parcel x JOIN disturbance d ON d.id = x.disturbance_id"
    " JOIN parcel_version v ON v.parcel_id = x.parcel_id AND v.version = x.version"
    " JOIN layer l ON l.id = d.layer_id WHERE d.id = :id ORDER BY x.parcel_id"
)
_KNOWN = text(
    "SELECT DISTINCT ON (s.parcel_id, r.kind) s.parcel_id, r.kind, r.years, r.layers, t.rows,"
    " j.programme_id FROM disturbance_parcel x"
    " JOIN assessment_series s ON s.parcel_id = x.parcel_id"
    " JOIN assessment_run r ON r.id = s.run_id JOIN cohort_table t ON t.digest = r.table_digest"
    " LEFT JOIN project j ON j.id = r.project_id WHERE x.disturbance_id = :id"
    " ORDER BY s.parcel_id, r.kind, r.recorded_at DESC, r.id"
)
_ANY: Final = UUID(int=0)
_SET = text("UPDATE disturbance SET status = :status WHERE id = :id")
