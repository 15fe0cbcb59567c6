"""Parcels: drawn, revised, submitted, approved by another person; versions, never overwritten."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID, uuid4

from geoalchemy2.shape import to_shape
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from registry import divisions, events, ground_claims, within
from registry import parcel_store as store
from registry.db import Command
from registry.errors import WrongStateError
from registry.models import Parcel, ParcelVersion
from registry.parcel_store import ParcelState
from registry.places import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawParcel(Command):
    """A place drawn or walked; ``geojson`` is a GeoJSON geometry or feature in WGS84/CGCS2000.

    ``division_confirmed``: it does belong to its division, whatever the boundary says.
    """

    geojson: Mapping[str, Any]
    kind: Kind
    division_code: str | None
    plot_code: str | None
    owner_id: UUID | None
    captured_with: str
    attributes: Mapping[str, str | int | None]
    submit: bool = True
    division_confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviseParcel(Command):
    """A new boundary or new attributes for a parcel, based on the version the editor saw."""

    parcel_id: UUID
    based_on_version: int
    geojson: Mapping[str, Any] | None
    attributes: Mapping[str, str | int | None] | None
    reason: str
    division_confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideParcel(Command):
    """Submit, approve, return with a reason, or withdraw a parcel's present version."""

    parcel_id: UUID
    decision: Literal["submit", "approve", "return", "withdraw"]
    reason: str = ""


_AFTER = {
    "submit": ({"draft", "returned"}, "submitted"),
    "approve": ({"submitted"}, "approved"),
    "return": ({"submitted"}, "returned"),
    "withdraw": ({"draft", "submitted", "returned", "approved"}, "withdrawn"),
}
"""For each decision: from which states it may come, and the state it leads to."""


def draw(session: Session, command: DrawParcel) -> ParcelState:
    """Enter one drawn place as a draft, or submitted at once.

    Raises
    ------
    PlaceRefusedError : the shape has a fault; nothing is stored.
    DivisionExpiredError : its division was given up before.
    DivisionQuestionError : it does not lie in its division, and nobody confirms it.
    ParcelOverlapError : it overlaps an active parcel of its kind (from the database).
    """
    if command.division_code:
        divisions.require(session, command.division_code, year=command.at.year)
    geometry, area_m2, digest = store.sound(command.geojson)
    outside_m2 = within.require(
        session,
        command.division_code,
        [to_shape(geometry)],
        confirmed=command.division_confirmed,
    )
    parcel = Parcel(
        id=uuid4(),
        code=command.plot_code,
        kind=command.kind,
        status="submitted" if command.submit else "draft",
        version=1,
        division_code=command.division_code and divisions.full_code(command.division_code),
        owner_id=command.owner_id,
        geometry=geometry,
        area_m2=area_m2,
        shape_digest=digest,
        submitted_by=command.actor_id,
    )
    session.add(parcel)
    session.flush()
    store.add_version(
        session,
        command,
        parcel,
        attributes=dict(command.attributes),
        reason="drawn",
        captured_with=command.captured_with,
    )
    if command.submit:
        store.add_decision(session, command, parcel, "submit", "")
    drawn = {"captured_with": command.captured_with, **_beyond(outside_m2)}
    store.record(session, command, parcel, "parcel.drawn", drawn)
    return store.state_of(parcel)


def revise(session: Session, command: ReviseParcel) -> ParcelState:
    """Add a version; an approved parcel goes back to submitted and is decided again.

    Raises
    ------
    VersionConflictError : the parcel has a newer version than the one the editor saw.
    DivisionQuestionError : it would leave its division, and nobody confirms it.
    ParcelObligedError : tonnes of its ground are sold ahead or issued.
    """
    parcel = store.lock_seen(session, command.parcel_id, command.based_on_version)
    outside_m2 = 0.0
    if command.geojson is not None:
        ground_claims.require_free(session, [parcel])
        old = to_shape(parcel.geometry)
        parcel.geometry, parcel.area_m2, parcel.shape_digest = store.sound(command.geojson)
        outside_m2 = within.require(
            session,
            parcel.division_code,
            [to_shape(parcel.geometry)],
            confirmed=command.division_confirmed,
            before=[old],
        )
    before = session.get_one(ParcelVersion, (parcel.id, parcel.version)).attributes
    store.next_version(
        session,
        command,
        parcel,
        reason=command.reason,
        captured_with="revision",
        attributes=before if command.attributes is None else dict(command.attributes),
    )
    revised = {"reason": command.reason, **_beyond(outside_m2)}
    store.record(session, command, parcel, "parcel.revised", revised)
    return store.state_of(parcel)


def _beyond(outside_m2: float) -> dict[str, object]:
    """Return what an event says of ground beyond the division; nothing where there is none."""
    return {"outside_division_dm2": round(outside_m2 * 100)} if outside_m2 else {}


def decide(session: Session, command: DecideParcel) -> ParcelState:
    """Move a parcel's present version on; who submitted does not approve (also in the database).

    Raises
    ------
    WrongStateError : the decision does not fit the parcel's state.
    NotApprovedByAnotherError : the submitter approves.
    ParcelClaimedError : a claim holds the ground that would be withdrawn.
    """
    parcel = store.lock(session, command.parcel_id)
    before, after = _AFTER[command.decision]
    if parcel.status not in before:
        raise WrongStateError(what="parcel", state=parcel.status, needs="/".join(sorted(before)))
    if command.decision == "withdraw":
        store.require_unclaimed(session, parcel.id)
    if command.decision == "submit":
        parcel.submitted_by = command.actor_id
    store.add_decision(session, command, parcel, command.decision, command.reason)
    parcel.status = after
    session.flush()
    store.record(session, command, parcel, f"parcel.{command.decision}", {"reason": command.reason})
    return store.state_of(parcel)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveBatch(Command):
    """Approve every submitted parcel of an import that has no open question."""

    batch_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchApproved:
    """How many parcels were approved."""

    approved: int


def approve_batch(session: Session, command: ApproveBatch) -> BatchApproved:
    """Approve the submitted parcels of an import at once, by another person than its sender.

    Raises
    ------
    NotApprovedByAnotherError : the sender approves.
    """
    ids = list(
        session.scalars(
            select(Parcel.id)
            .join(
                ParcelVersion,
                (ParcelVersion.parcel_id == Parcel.id) & (ParcelVersion.version == Parcel.version),
            )
            .where(ParcelVersion.batch_id == command.batch_id, Parcel.status == "submitted")
            .order_by(Parcel.id)
        )
    )
    bound = {"ids": ids, "actor": command.actor_id, "at": command.at}
    session.execute(_APPROVE_DECISIONS, bound)
    session.execute(_APPROVE_PARCELS, bound)
    events.record(
        session,
        command,
        kind="parcels.approved",
        subject=("import_batch", str(command.batch_id)),
        body={"approved": len(ids)},
    )
    return BatchApproved(approved=len(ids))


_APPROVE_DECISIONS = text(
    "INSERT INTO parcel_decision (id, parcel_id, version, decision, reason, submitted_by,"
    " actor_id, effective_at)"
    " SELECT gen_random_uuid(), id, version, 'approve', '', submitted_by, :actor, :at"
    " FROM parcel WHERE id = ANY(:ids)"
)
_APPROVE_PARCELS = text("UPDATE parcel SET status = 'approved' WHERE id = ANY(:ids)")
