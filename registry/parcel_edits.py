"""Edits of stored boundaries: split, merge, trim, hole, shared line; ground and claims conserved.

A split or merge ends its parents (withdrawn) and begins children, with their kinship kept; the
other edits are new versions.  What was approved is decided again.  Claims follow the ground; where
tonnes are sold ahead or issued, a split shares them by the parts' own assessment, and every other
edit finds them in its way.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import shapely
from geoalchemy2.shape import from_shape, to_shape
from sqlalchemy import text
from sqlalchemy.orm import Session

from geo import editing
from geo.editing import Edited
from geo.shape import shape_digests
from registry import ground_claims, ground_shares, plot_ground, within
from registry import parcel_store as store
from registry.db import Command
from registry.errors import RegistryError
from registry.ground_shares import SharedKg, Sharing
from registry.models import Parcel, ParcelLineage, ParcelVersion
from registry.models.columns import CGCS2000
from registry.parcel_store import ParcelState
from registry.plot_ground import PlotPlace


class EditAcrossOwnersError(RegistryError):
    """Places of different owners stay apart."""

    code = "EDIT_ACROSS_OWNERS"


class EditAcrossKindsError(RegistryError):
    """Places of different kinds stay apart."""

    code = "EDIT_ACROSS_KINDS"


class EditLineExpectedError(RegistryError):
    """The geometry given with an edit is of another type."""

    code = "EDIT_LINE_EXPECTED"


class EditAcrossLotsError(RegistryError):
    """Places of different lots stay apart."""

    code = "EDIT_ACROSS_LOTS"


class SharingStaleError(RegistryError):
    """The parts were measured on another version, line or run than the one that is split."""

    code = "SPLIT_SHARING_STALE"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceSeen:
    """A parcel and the version its editor saw."""

    parcel_id: UUID
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitParcel(Command):
    """Cut a parcel along a line; ``plot_codes`` name the parts, west to east."""

    parcel_id: UUID
    based_on_version: int
    line: Mapping[str, Any]
    plot_codes: tuple[str, ...] = ()
    reason: str
    division_confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeParcels(Command):
    """Join neighbours of one owner and kind into one parcel."""

    parcels: tuple[PlaceSeen, ...]
    plot_code: str | None = None
    reason: str
    division_confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrimParcel(Command):
    """Cut a parcel back to the lines of the active parcels of its kind that it overlaps."""

    parcel_id: UUID
    based_on_version: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CutHole(Command):
    """Take a pond, a house or a rock out of a parcel; ``hole`` is a GeoJSON polygon inside it."""

    parcel_id: UUID
    based_on_version: int
    hole: Mapping[str, Any]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveBoundary(Command):
    """Give two neighbouring parcels a new common line."""

    parcels: tuple[PlaceSeen, PlaceSeen]
    line: Mapping[str, Any]
    reason: str
    division_confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelsEdited:
    """The parcels after an edit; ``removed_m2`` lies in none of them any more.

    ``claims_moved`` are the claims that now hold the children's ground; ``claims_to_review`` still
    hold the ground as it was before the edit.  ``shared`` says what each child took of what rested
    on the parcel, ``plots`` on which parcel each field plot of the ground lies now.
    """

    parcels: list[ParcelState]
    before_m2: float
    removed_m2: float
    claims_moved: list[UUID]
    claims_to_review: list[UUID]
    shared: list[SharedKg] = field(default_factory=list)
    plots: list[PlotPlace] = field(default_factory=list)


def parts_of(session: Session, command: SplitParcel) -> Edited:
    """Return the parts that a split would make, without making them."""
    parent = store.lock_seen(session, command.parcel_id, command.based_on_version)
    return editing.split(to_shape(parent.geometry), _shape(command.line, lines=True))


def split(session: Session, command: SplitParcel, sharing: Sharing | None = None) -> ParcelsEdited:
    """Cut a parcel in parts; it is withdrawn, the parts begin.

    Parameters
    ----------
    sharing : the parts as measured (`registry.ground_shares`), by which what rests on the ground
        is shared.

    Raises
    ------
    VersionConflictError : somebody saved a newer version.
    GeometryError : EDIT_LINE_DOES_NOT_CROSS.
    DivisionQuestionError : a part lies in another division, and nobody confirms it.
    ParcelObligedError : its tonnes are sold ahead or issued, and nothing was measured.
    SharingStaleError : something else was measured.
    """
    parent = store.lock_seen(session, command.parcel_id, command.based_on_version)
    done = editing.split(to_shape(parent.geometry), _shape(command.line, lines=True))
    _ask_division(session, command, [parent], done)
    codes = _part_codes(parent.code, command.plot_codes, len(done.pieces))
    return _replace(
        session, command, [parent], done, codes=codes, operation="split", sharing=sharing
    )


def merge(session: Session, command: MergeParcels) -> ParcelsEdited:
    """Join neighbours; they are withdrawn, one parcel begins.

    Raises
    ------
    VersionConflictError : somebody saved a newer version of one.
    EditAcrossOwnersError, EditAcrossKindsError : they are not of one owner and kind.
    EditAcrossLotsError : they are not in the same lots.
    EditClaimsDifferError, ParcelObligedError : claims stand in the way.
    GeometryError : EDIT_NEEDS_TWO, EDIT_NOT_NEIGHBOURS.
    DivisionQuestionError : a part of it lies in another division, and nobody confirms it.
    """
    parents = _lock_all(session, command.parcels)
    _require_alike(parents, owners=True)
    _require_one_lot(session, parents)
    done = editing.merge([to_shape(parent.geometry) for parent in parents])
    _ask_division(session, command, parents, done)
    code = command.plot_code or parents[0].code
    return _replace(session, command, parents, done, codes=[code], operation="merge")


def trim(session: Session, command: TrimParcel) -> ParcelsEdited:
    """Cut a parcel back to its neighbours' lines, as a new version.

    Raises
    ------
    VersionConflictError : somebody saved a newer version.
    GeometryError : EDIT_NOTHING_TO_TRIM, EDIT_NOTHING_LEFT.
    ParcelObligedError : tonnes of its ground are sold ahead or issued.
    """
    parcel = store.lock_seen(session, command.parcel_id, command.based_on_version)
    rows = session.scalars(_OVERLAPPING, {"id": parcel.id, "kind": parcel.kind})
    theirs = [shapely.from_wkb(bytes(row)) for row in rows]
    done = editing.trim(to_shape(parcel.geometry), theirs)
    return _revise(session, command, [parcel], done, operation="trim")


def cut_hole(session: Session, command: CutHole) -> ParcelsEdited:
    """Take a piece out of a parcel, as a new version.

    Raises
    ------
    VersionConflictError : somebody saved a newer version.
    GeometryError : EDIT_HOLE_OUTSIDE, EDIT_HOLE_INVALID, EDIT_NOTHING_LEFT.
    """
    parcel = store.lock_seen(session, command.parcel_id, command.based_on_version)
    done = editing.cut_hole(to_shape(parcel.geometry), _shape(command.hole, lines=False))
    return _revise(session, command, [parcel], done, operation="hole")


def move_boundary(session: Session, command: MoveBoundary) -> ParcelsEdited:
    """Move the common line of two parcels, as a new version of each.

    Raises
    ------
    VersionConflictError : somebody saved a newer version of one.
    EditAcrossKindsError : they are of different kinds.
    GeometryError : EDIT_NOT_NEIGHBOURS, EDIT_LINE_DOES_NOT_CROSS, EDIT_NOTHING_LEFT.
    DivisionQuestionError : one would leave its division, and nobody confirms it.
    """
    held = {parcel.id: parcel for parcel in _lock_all(session, command.parcels)}
    parcels = [held[one.parcel_id] for one in command.parcels]
    _require_alike(parcels, owners=False)
    first, second = (to_shape(parcel.geometry) for parcel in parcels)
    done = editing.move_boundary(first, second, _shape(command.line, lines=True))
    for parcel, piece in zip(parcels, done.pieces, strict=True):
        within.require(
            session,
            parcel.division_code,
            [piece],
            confirmed=command.division_confirmed,
            before=[to_shape(parcel.geometry)],
        )
    return _revise(session, command, parcels, done, operation="move_boundary")


def _ask_division(
    session: Session,
    command: SplitParcel | MergeParcels,
    parents: Sequence[Parcel],
    done: Edited,
) -> None:
    """Ask where a child would lie farther beyond the first parent's division than it did."""
    code = parents[0].division_code
    within.require(
        session,
        code,
        done.pieces,
        confirmed=command.division_confirmed,
        before=[to_shape(one.geometry) for one in parents if one.division_code == code],
    )


def _lock_all(session: Session, seen: Sequence[PlaceSeen]) -> list[Parcel]:
    """Lock parcels in the order of their ids, so that two editors never wait in a ring."""
    wanted = sorted({one.parcel_id: one for one in seen}.values(), key=lambda one: one.parcel_id)
    return [store.lock_seen(session, one.parcel_id, one.version) for one in wanted]


def _require_alike(parcels: Sequence[Parcel], *, owners: bool) -> None:
    if len({parcel.kind for parcel in parcels}) > 1:
        raise EditAcrossKindsError
    if owners and len({parcel.owner_id for parcel in parcels}) > 1:
        raise EditAcrossOwnersError


def _require_one_lot(session: Session, parcels: Sequence[Parcel]) -> None:
    lots: dict[UUID, set[UUID]] = {parcel.id: set() for parcel in parcels}
    for row in session.execute(_LOTS, {"ids": list(lots)}):
        lots[row.parcel].add(row.lot)
    if len({frozenset(one) for one in lots.values()}) > 1:
        raise EditAcrossLotsError


_POLYGON = (shapely.GeometryType.POLYGON,)
_LINES = (shapely.GeometryType.LINESTRING, shapely.GeometryType.MULTILINESTRING)


def _shape(geojson: Mapping[str, Any], *, lines: bool) -> Any:  # noqa: ANN401 -- shapely
    """Return the line or polygon that came with an edit.

    Raises
    ------
    EditLineExpectedError : it is of another type, or not to be read.
    """
    made = shapely.from_geojson(json.dumps(dict(geojson)), on_invalid="ignore")
    wanted = _LINES if lines else _POLYGON
    if made is None or shapely.get_type_id(made) not in wanted:
        raise EditLineExpectedError(needs="LineString" if lines else "Polygon")
    return shapely.force_2d(made)


def _part_codes(code: str | None, given: Sequence[str], parts: int) -> list[str | None]:
    """Name the parts: as given, else by the parent's code and a number."""
    named: list[str | None] = [word.strip() or None for word in given[:parts]]
    return named + [f"{code}-{at + 1}" if code else None for at in range(len(named), parts)]


def _replace(
    session: Session,
    command: SplitParcel | MergeParcels,
    parents: Sequence[Parcel],
    done: Edited,
    *,
    codes: Sequence[str | None],
    operation: str,
    sharing: Sharing | None = None,
) -> ParcelsEdited:
    """End the parents and begin the children: parents first, for the ground is theirs till then."""
    claims = ground_claims.to_move(session, command, parents, shared=sharing is not None)
    if sharing is not None and not ground_shares.matches(sharing, parents[0], done.pieces):
        raise SharingStaleError(parcel=str(parents[0].id))
    before = ground_claims.active(session, parents)
    plots = plot_ground.on_parcels(session, [parent.id for parent in parents])
    statuses = {parent.status for parent in parents}
    status = "draft" if statuses <= {"draft", "returned"} else "submitted"
    attributes = session.get_one(ParcelVersion, (parents[0].id, parents[0].version)).attributes
    for parent in parents:
        store.add_decision(session, command, parent, "withdraw", command.reason)
        parent.status = "withdrawn"
    session.flush()
    children = [
        _begin(session, command, parents[0], shape, code=code, status=status, attributes=attributes)
        for shape, code in zip(_measured(done), codes, strict=True)
    ]
    for parent in parents:
        for child in children:
            session.add(
                ParcelLineage(
                    parent_id=parent.id,
                    parent_version=parent.version,
                    child_id=child.id,
                    operation=operation,
                    effective_at=command.at,
                )
            )
    session.flush()
    moved = ground_claims.move(session, command, claims, parents, children)
    told: list[SharedKg] = []
    if sharing is None:
        ground_claims.stop_selling(session, parents)
    else:
        told = ground_shares.share(
            session,
            sharing,
            claims=ground_claims.heirs(
                before, ground_claims.active(session, children), [child.id for child in children]
            ),
            children=[child.id for child in children],
            areas_m2=done.areas_m2,
        )
    body: dict[str, object] = {"parents": [parent.id for parent in parents]}
    body["reason"] = command.reason
    for child in children:
        mine = [one for one in told if one.parcel_id == child.id and one.kg]
        took = [[one.what, one.ref, one.vintage, one.kg] for one in mine]
        more = {"took": took} if took else {}
        store.record(session, command, child, f"parcel.{operation}", body | more)
    now = plot_ground.places(session, plots)
    return _answer(children, done, moved=moved, stale=[], shared=told, plots=now)


def _begin(
    session: Session,
    command: SplitParcel | MergeParcels,
    like: Parcel,
    shape: dict[str, Any],
    *,
    code: str | None,
    status: str,
    attributes: dict[str, Any],
) -> Parcel:
    child = Parcel(
        id=uuid4(),
        code=code,
        kind=like.kind,
        status=status,
        version=1,
        division_code=like.division_code,
        owner_id=like.owner_id,
        submitted_by=command.actor_id,
        **shape,
    )
    session.add(child)
    session.flush()
    store.add_version(
        session,
        command,
        child,
        attributes=attributes,
        reason=command.reason,
        captured_with="editing",
    )
    if status == "submitted":
        store.add_decision(session, command, child, "submit", command.reason)
    return child


def _revise(
    session: Session,
    command: TrimParcel | CutHole | MoveBoundary,
    parcels: Sequence[Parcel],
    done: Edited,
    *,
    operation: str,
) -> ParcelsEdited:
    """Give each parcel its piece as a new version; none whose tonnes are sold ahead or issued."""
    ground_claims.require_free(session, parcels)
    plots = plot_ground.on_parcels(session, [parcel.id for parcel in parcels])
    shapes = _measured(done)
    # Both sides of a moved line change in one statement: in two, each would overlap the other.
    session.execute(
        _RESHAPE,
        {
            "ids": [parcel.id for parcel in parcels],
            "shapes": [shapely.to_wkb(piece) for piece in done.pieces],
            "areas": [shape["area_m2"] for shape in shapes],
            "digests": [shape["shape_digest"] for shape in shapes],
        },
    )
    stale: list[UUID] = []
    for parcel in parcels:
        session.refresh(parcel)
        before = session.get_one(ParcelVersion, (parcel.id, parcel.version)).attributes
        store.next_version(
            session,
            command,
            parcel,
            attributes=before,
            reason=command.reason,
            captured_with="editing",
        )
        store.record(session, command, parcel, f"parcel.{operation}", {"reason": command.reason})
        stale += session.scalars(_ACTIVE_CLAIMS, {"id": parcel.id})
    now = plot_ground.places(session, plots)
    return _answer(parcels, done, moved=[], stale=stale, plots=now)


def _measured(done: Edited) -> list[dict[str, Any]]:
    """Return geometry, area and digest of each piece, as columns."""
    digests = shape_digests(np.array(done.pieces, dtype=object))
    return [
        {
            "geometry": from_shape(piece, srid=CGCS2000),
            "area_m2": area,
            "shape_digest": bytes.fromhex(digest or ""),
        }
        for piece, area, digest in zip(done.pieces, done.areas_m2, digests, strict=True)
    ]


def _answer(
    parcels: Sequence[Parcel],
    done: Edited,
    *,
    moved: list[UUID],
    stale: list[UUID],
    shared: Sequence[SharedKg] = (),
    plots: Sequence[PlotPlace] = (),
) -> ParcelsEdited:
    return ParcelsEdited(
        parcels=[store.state_of(parcel) for parcel in parcels],
        before_m2=done.before_m2,
        removed_m2=done.removed_m2,
        claims_moved=moved,
        claims_to_review=stale,
        shared=list(shared),
        plots=list(plots),
    )


_OVERLAPPING = text(
    "SELECT ST_AsBinary(n.geometry) FROM parcel p, LATERAL neighbours(p.geometry, 1000) n"
    " WHERE p.id = :id AND n.kind = :kind AND n.id <> p.id"
)
_ACTIVE_CLAIMS = text(
    "SELECT id FROM claim WHERE parcel_id = :id AND status = 'active' ORDER BY id"
)
_RESHAPE = text(
    "UPDATE parcel p SET geometry = ST_GeomFromWKB(c.wkb, 4490), area_m2 = c.area,"
    " shape_digest = c.digest"
    " FROM unnest(cast(:ids AS uuid[]), cast(:shapes AS bytea[]), cast(:areas AS float8[]),"
    " cast(:digests AS bytea[])) AS c(id, wkb, area, digest) WHERE p.id = c.id"
)
_LOTS = text("SELECT parcel, lot FROM lots_of_ground(:ids)")
