"""Parcels: drawn, revised, submitted, approved by another person; versions, never overwritten."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID, uuid4

import shapely
from geoalchemy2 import WKBElement
from geoalchemy2.shape import from_shape
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from geo.intake import Intake, examine_document
from registry import divisions, events
from registry.db import Command
from registry.errors import NotFoundError, RegistryError, WrongStateError
from registry.models import Parcel, ParcelDecision, ParcelVersion
from registry.models.columns import CGCS2000
from registry.places import Kind


class PlaceRefusedError(RegistryError):
    """A drawn place has a fault; the parameters carry the first finding."""

    code = "PLACE_REFUSED"


class VersionConflictError(RegistryError):
    """Somebody else saved a newer version meanwhile."""

    code = "VERSION_CONFLICT"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawParcel(Command):
    """A place drawn or walked; ``geojson`` is a GeoJSON geometry or feature in WGS84/CGCS2000."""

    geojson: Mapping[str, Any]
    kind: Kind
    division_code: str | None
    plot_code: str | None
    owner_id: UUID | None
    captured_with: str
    attributes: Mapping[str, str | int | None]
    submit: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviseParcel(Command):
    """A new boundary or new attributes for a parcel, based on the version the editor saw."""

    parcel_id: UUID
    based_on_version: int
    geojson: Mapping[str, Any] | None
    attributes: Mapping[str, str | int | None] | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideParcel(Command):
    """Submit, approve, return with a reason, or withdraw a parcel's present version."""

    parcel_id: UUID
    decision: Literal["submit", "approve", "return", "withdraw"]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelState:
    """A parcel as a verb left it."""

    parcel_id: UUID
    version: int
    status: str
    area_m2: float


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
    ParcelOverlapError : it overlaps an active parcel of its kind (from the database).
    """
    if command.division_code:
        divisions.require(session, command.division_code)
    geometry, area_m2, digest = _sound(command.geojson)
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
    _add_version(
        session,
        command,
        parcel,
        attributes=dict(command.attributes),
        reason="drawn",
        captured_with=command.captured_with,
    )
    if command.submit:
        _add_decision(session, command, parcel, "submit", "")
    _record(session, command, parcel, "parcel.drawn", {"captured_with": command.captured_with})
    return _state(parcel)


def revise(session: Session, command: ReviseParcel) -> ParcelState:
    """Add a version; an approved parcel goes back to submitted and is decided again.

    Raises
    ------
    VersionConflictError : the parcel has a newer version than the one the editor saw.
    """
    parcel = _lock(session, command.parcel_id)
    if parcel.version != command.based_on_version:
        raise VersionConflictError(
            parcel=str(parcel.id), seen=command.based_on_version, now=parcel.version
        )
    if command.geojson is not None:
        parcel.geometry, parcel.area_m2, parcel.shape_digest = _sound(command.geojson)
    before = session.get_one(ParcelVersion, (parcel.id, parcel.version)).attributes
    parcel.version += 1
    if parcel.status == "approved":
        parcel.status = "submitted"
    parcel.submitted_by = command.actor_id
    session.flush()
    _add_version(
        session,
        command,
        parcel,
        reason=command.reason,
        captured_with="revision",
        attributes=before if command.attributes is None else dict(command.attributes),
    )
    _record(session, command, parcel, "parcel.revised", {"reason": command.reason})
    return _state(parcel)


def decide(session: Session, command: DecideParcel) -> ParcelState:
    """Move a parcel's present version on; who submitted does not approve (also in the database).

    Raises
    ------
    WrongStateError : the decision does not fit the parcel's state.
    NotApprovedByAnotherError : the submitter approves.
    """
    parcel = _lock(session, command.parcel_id)
    before, after = _AFTER[command.decision]
    if parcel.status not in before:
        raise WrongStateError(what="parcel", state=parcel.status, needs="/".join(sorted(before)))
    if command.decision == "submit":
        parcel.submitted_by = command.actor_id
    _add_decision(session, command, parcel, command.decision, command.reason)
    parcel.status = after
    session.flush()
    _record(session, command, parcel, f"parcel.{command.decision}", {"reason": command.reason})
    return _state(parcel)


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


def _sound(geojson: Mapping[str, Any]) -> tuple[WKBElement, float, bytes]:
    """Return geometry, area and digest of a drawn place, or raise with its first finding."""
    intake: Intake = examine_document(dict(geojson))
    if intake.read != 1 or intake.status[0] != "accepted":
        first = next((f for f in intake.findings if f.severity != "warning"), None)
        raise PlaceRefusedError(
            reason=first.code if first else "GEOM_EMPTY",
            detail=first.message_params() if first else {"row": 1},
        )
    shape = shapely.force_2d(intake.geometry[0])
    digest = bytes.fromhex(intake.shape_digest[0] or "")
    return from_shape(shape, srid=CGCS2000), float(intake.area_m2[0]), digest


def _lock(session: Session, parcel_id: UUID) -> Parcel:
    parcel = session.scalar(select(Parcel).where(Parcel.id == parcel_id).with_for_update())
    if parcel is None:
        raise NotFoundError(what="parcel", id=parcel_id)
    return parcel


def _add_version(
    session: Session,
    command: Command,
    parcel: Parcel,
    *,
    attributes: dict[str, Any],
    reason: str,
    captured_with: str,
) -> None:
    session.add(
        ParcelVersion(
            parcel_id=parcel.id,
            version=parcel.version,
            geometry=parcel.geometry,
            area_m2=parcel.area_m2,
            shape_digest=parcel.shape_digest,
            attributes=attributes,
            source_crs="EPSG:4490",
            captured_with=captured_with,
            reason=reason,
            actor_id=command.actor_id,
            effective_at=command.at,
        )
    )
    session.flush()


def _add_decision(
    session: Session, command: Command, parcel: Parcel, decision: str, reason: str
) -> None:
    session.add(
        ParcelDecision(
            id=uuid4(),
            parcel_id=parcel.id,
            version=parcel.version,
            decision=decision,
            reason=reason,
            submitted_by=parcel.submitted_by or command.actor_id,
            actor_id=command.actor_id,
            effective_at=command.at,
        )
    )
    session.flush()


def _record(
    session: Session, command: Command, parcel: Parcel, kind: str, body: Mapping[str, object]
) -> None:
    shared = {
        "version": parcel.version,
        "status": parcel.status,
        "shape": parcel.shape_digest,
        "area_dm2": round(parcel.area_m2 * 100),
    }
    events.record(
        session, command, kind=kind, subject=("parcel", str(parcel.id)), body=shared | dict(body)
    )


def _state(parcel: Parcel) -> ParcelState:
    return ParcelState(
        parcel_id=parcel.id,
        version=parcel.version,
        status=parcel.status,
        area_m2=parcel.area_m2,
    )


_APPROVE_DECISIONS = text(
    "INSERT INTO parcel_decision (id, parcel_id, version, decision, reason, submitted_by,"
    " actor_id, effective_at)"
    " SELECT gen_random_uuid(), id, version, 'approve', '', submitted_by, :actor, :at"
    " FROM parcel WHERE id = ANY(:ids)"
)
_APPROVE_PARCELS = text("UPDATE parcel SET status = 'approved' WHERE id = ANY(:ids)")
