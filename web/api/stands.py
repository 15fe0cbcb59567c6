"""``/parcels/…/events``: what happened to a parcel's stands, for assessments to read."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from registry import stand_events
from registry.errors import InvalidValueError, NotFoundError, NotPermittedError
from registry.people import ActorView
from registry.reads.scope import require_parcel
from registry.stand_events import EventReplacedError, StandEventView
from web.api.endpoints import Act, Noun, Read


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Events of a parcel; with ``history`` also those replaced or withdrawn."""

    parcel_id: UUID
    history: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StandEvents:
    """Events by year."""

    items: list[StandEventView]


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawParcelEvent(stand_events.WithdrawStandEvent):
    """Take back an event of one parcel."""

    parcel_id: UUID


def listed(session: Session, who: ActorView, query: EventQuery) -> StandEvents:
    """Return what happened to the stands of a parcel in sight."""
    require_parcel(session, who, query.parcel_id)
    found = stand_events.listing(session, query.parcel_id, history=query.history)
    return StandEvents(items=found)


def guard_record(session: Session, who: ActorView, command: stand_events.RecordStandEvent) -> None:
    """Refuse events of ground that is not the actor's."""
    require_parcel(session, who, command.parcel_id)


def guard_withdraw(session: Session, who: ActorView, command: WithdrawParcelEvent) -> None:
    """Refuse to take back what belongs to another parcel."""
    require_parcel(session, who, command.parcel_id)
    known = {one.id for one in stand_events.listing(session, command.parcel_id, history=True)}
    if command.event_id not in known:
        raise NotFoundError(what="stand_event", id=command.event_id)


_WRITES = (InvalidValueError, NotFoundError, NotPermittedError, EventReplacedError)

NOUN = Noun(
    name="stand_events",
    title=("林分事件", "What happened to stands"),
    endpoints=(
        Act(
            name="record_stand_event",
            rule="/parcels/<uuid:parcel_id>/events",
            permission="assessment:run",
            command=stand_events.RecordStandEvent,
            verb=stand_events.record,
            summary=(
                "登记林分事件",
                "Enter a thinning, harvest, fire, planting …, with its source",
            ),
            raises=_WRITES,
            status=201,
            guard=guard_record,
        ),
        Act(
            name="withdraw_stand_event",
            rule="/parcels/<uuid:parcel_id>/events/<uuid:event_id>/withdrawal",
            permission="assessment:run",
            command=WithdrawParcelEvent,
            verb=stand_events.withdraw,
            summary=("撤回林分事件", "Take an event back; the record keeps it"),
            raises=_WRITES,
            guard=guard_withdraw,
        ),
        Read(
            name="list_stand_events",
            rule="/parcels/<uuid:parcel_id>/events",
            permission="assessment:read",
            query=EventQuery,
            read=listed,
            summary=("林分事件列表", "What happened to a parcel's stands, by year"),
            raises=(NotFoundError,),
        ),
    ),
)
