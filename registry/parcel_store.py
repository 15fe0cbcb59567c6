"""What every verb on parcels stands on: sound shapes, locked rows, versions, decisions, events."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import shapely
from geoalchemy2 import WKBElement
from geoalchemy2.shape import from_shape
from sqlalchemy import select
from sqlalchemy.orm import Session

from geo.intake import Intake, examine_document
from registry import events
from registry.db import Command
from registry.errors import NotFoundError, RegistryError, WrongStateError
from registry.models import Claim, Parcel, ParcelDecision, ParcelVersion
from registry.models.columns import CGCS2000


class PlaceRefusedError(RegistryError):
    """A drawn place has a fault; the parameters carry the first finding."""

    code = "PLACE_REFUSED"


class VersionConflictError(RegistryError):
    """Somebody else saved a newer version meanwhile."""

    code = "VERSION_CONFLICT"


class ParcelClaimedError(RegistryError):
    """A crediting scheme holds this ground."""

    code = "PARCEL_CLAIMED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelState:
    """A parcel as a verb left it."""

    parcel_id: UUID
    version: int
    status: str
    area_m2: float


def sound(geojson: Mapping[str, Any]) -> tuple[WKBElement, float, bytes]:
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


def lock(session: Session, parcel_id: UUID) -> Parcel:
    """Return a parcel that nobody else changes until the transaction ends.

    Raises
    ------
    NotFoundError : there is none, or it lies out of the actor's sight.
    """
    parcel = session.scalar(select(Parcel).where(Parcel.id == parcel_id).with_for_update())
    if parcel is None:
        raise NotFoundError(what="parcel", id=parcel_id)
    return parcel


def lock_seen(session: Session, parcel_id: UUID, version: int) -> Parcel:
    """Return a parcel, locked, that is still as its editor saw it.

    Raises
    ------
    VersionConflictError : it has a newer version.
    WrongStateError : it was withdrawn.
    """
    parcel = lock(session, parcel_id)
    if parcel.status == "withdrawn":
        raise WrongStateError(
            what="parcel", state=parcel.status, needs="draft/submitted/returned/approved"
        )
    if parcel.version != version:
        raise VersionConflictError(parcel=str(parcel.id), seen=version, now=parcel.version)
    return parcel


def require_unclaimed(session: Session, parcel_id: UUID) -> None:
    """Refuse where a claim holds the parcel's ground.

    Raises
    ------
    ParcelClaimedError : names the first such claim.
    """
    claim = session.scalar(
        select(Claim.id).where(Claim.parcel_id == parcel_id, Claim.status == "active").limit(1)
    )
    if claim is not None:
        raise ParcelClaimedError(claim=str(claim))


def next_version(
    session: Session,
    command: Command,
    parcel: Parcel,
    *,
    attributes: dict[str, Any],
    reason: str,
    captured_with: str,
) -> None:
    """Store the parcel as it is now as its next version; what was approved is decided again."""
    parcel.version += 1
    if parcel.status == "approved":
        parcel.status = "submitted"
    parcel.submitted_by = command.actor_id
    session.flush()
    add_version(
        session, command, parcel, attributes=attributes, reason=reason, captured_with=captured_with
    )


def add_version(
    session: Session,
    command: Command,
    parcel: Parcel,
    *,
    attributes: dict[str, Any],
    reason: str,
    captured_with: str,
) -> None:
    """Write the parcel's present shape as the version it says it is."""
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


def add_decision(
    session: Session, command: Command, parcel: Parcel, decision: str, reason: str
) -> None:
    """Write one decision on the parcel's present version."""
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


def record(
    session: Session, command: Command, parcel: Parcel, kind: str, body: Mapping[str, object]
) -> None:
    """Record what was done to a parcel, with the shape it has now."""
    shared = {
        "version": parcel.version,
        "status": parcel.status,
        "shape": parcel.shape_digest,
        "area_dm2": round(parcel.area_m2 * 100),
    }
    events.record(
        session, command, kind=kind, subject=("parcel", str(parcel.id)), body=shared | dict(body)
    )


def state_of(parcel: Parcel) -> ParcelState:
    """Return a parcel as a verb leaves it."""
    return ParcelState(
        parcel_id=parcel.id,
        version=parcel.version,
        status=parcel.status,
        area_m2=parcel.area_m2,
    )
