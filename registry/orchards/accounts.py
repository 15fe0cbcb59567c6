"""Orchard accounts: who runs which plots, from which day; a boundary is versioned, never edited."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal
from uuid import UUID, uuid4

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from registry import events, people
from registry.db import Command
from registry.errors import InvalidValueError, NotFoundError, NotPermittedError
from registry.models import Orchard, OrchardBoundary, OrchardPlot, Parcel, Party
from registry.orchards.errors import (
    BoundaryDateError,
    OrchardExistsError,
    PlantedTooLargeError,
    PlotNotOrchardError,
    PlotsInvalidError,
    PlotTakenError,
)
from sinks.errors import DomainError
from sinks.exact import exact, total
from sinks.labels import gate_holds, label_rule

Stage = Literal["young", "mature", "old"]
ACTIVE = frozenset({"submitted", "approved"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One parcel of an account; ``planted_area_m2`` is an exact decimal, as text."""

    parcel_id: UUID
    planted_area_m2: str
    planting_year: int
    stage: Stage
    trees: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrchard(Command):
    """Open an operator's account for a crop in a county."""

    operator_id: UUID
    adcode: str
    name: str
    crop: str
    valid_from: date
    plots: Sequence[Plot]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetBoundary(Command):
    """Give an account other plots from a day on."""

    orchard_id: UUID
    valid_from: date
    plots: Sequence[Plot]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotView:
    """A plot of a boundary as it stands."""

    parcel_id: UUID
    parcel_code: str | None
    planted_area_m2: str
    parcel_area_m2: float
    trees: int | None
    planting_year: int
    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchardView:
    """An account with one version of its boundary; ``gate``: 50 mu or more, exactly."""

    id: UUID
    adcode: str
    operator_id: UUID
    operator_name: str
    name: str
    crop: str
    boundary_version: int
    valid_from: date
    planted_area_m2: str
    gate: bool
    plots: tuple[PlotView, ...]

    @property
    def stage(self) -> str:
        """Stage of most of the planted area; the younger one where two are equal."""
        by_stage: Counter[str] = Counter()
        for plot in self.plots:
            by_stage[plot.stage] += exact(plot.planted_area_m2)  # type: ignore[assignment]
        order = {"young": 0, "mature": 1, "old": 2}
        return min(by_stage, key=lambda stage: (-by_stage[stage], order[stage]))


def open_orchard(session: Session, command: OpenOrchard) -> OrchardView:
    """Open an account with version 1 of its boundary.

    Raises
    ------
    NotPermittedError : the actor is neither township nor county.
    OrchardExistsError : the operator has one for this crop here.
    PlotsInvalidError, PlotNotOrchardError, PlotTakenError, PlantedTooLargeError : by plot.
    """
    people.require_role(session, command, "township", "county")
    operator = session.get(Party, command.operator_id)
    if operator is None:
        raise NotFoundError(what="party", id=command.operator_id)
    # Two who open the same account at once: the second waits here and then sees the first.
    session.execute(_ONE_AT_A_TIME, {"key": f"orchard:{command.operator_id}"})
    known = session.scalar(
        select(Orchard.id).where(
            Orchard.operator_id == command.operator_id,
            Orchard.adcode == command.adcode,
            Orchard.crop == command.crop,
        )
    )
    if known is not None:
        raise OrchardExistsError(operator=operator.name, crop=command.crop, orchard=str(known))
    orchard = Orchard(
        id=uuid4(),
        adcode=command.adcode,
        operator_id=command.operator_id,
        name=command.name,
        crop=command.crop,
        boundary_version=1,
        actor_id=command.actor_id,
        effective_at=command.at,
    )
    session.add(orchard)
    session.flush()
    _write_boundary(session, command, orchard, "opened")
    return orchard_view(session, orchard.id)


def set_boundary(session: Session, command: SetBoundary) -> OrchardView:
    """Add a version of the boundary.

    Raises
    ------
    BoundaryDateError : it does not begin after the one before.
    PlotsInvalidError, PlotNotOrchardError, PlotTakenError, PlantedTooLargeError : by plot.
    """
    people.require_role(session, command, "township", "county")
    if not command.reason:
        raise InvalidValueError(field="reason", value="", why="变更边界须说明原因 say why")
    orchard = locked(session, command.orchard_id)
    before = session.get_one(OrchardBoundary, (orchard.id, orchard.boundary_version))
    if command.valid_from <= before.valid_from:
        raise BoundaryDateError(on=command.valid_from, valid_from=before.valid_from)
    orchard.boundary_version += 1
    session.flush()
    _write_boundary(session, command, orchard, command.reason)
    return orchard_view(session, orchard.id)


def planted(plots: Sequence[Plot]) -> Fraction:
    """Exact planted area of plots, m2.

    Raises
    ------
    PlotsInvalidError : no plot, one parcel twice, or an area that is no number above zero.
    """
    twice = [str(p) for p, n in Counter(plot.parcel_id for plot in plots).items() if n > 1]
    if not plots or twice:
        raise PlotsInvalidError(plots=len(plots), twice=", ".join(twice))
    try:
        areas = [exact(plot.planted_area_m2) for plot in plots]
    except DomainError as error:
        raise PlotsInvalidError(plots=len(plots), twice=error.params["value"]) from None
    if min(areas) <= 0:
        raise PlotsInvalidError(plots=len(plots), twice="<= 0")
    return total(areas)


def _write_boundary(
    session: Session, command: OpenOrchard | SetBoundary, orchard: Orchard, reason: str
) -> None:
    """Write the present version's rows and its event."""
    planted(command.plots)
    parcels = _ground(session, orchard, command.plots)
    area_m2 = sum((Decimal(plot.planted_area_m2) for plot in command.plots), Decimal(0))
    version = orchard.boundary_version
    session.add(
        OrchardBoundary(
            orchard_id=orchard.id,
            version=version,
            valid_from=command.valid_from,
            planted_area_m2=area_m2,
            reason=reason,
            actor_id=command.actor_id,
            effective_at=command.at,
        )
    )
    session.flush()
    session.add_all(
        OrchardPlot(
            orchard_id=orchard.id,
            version=version,
            parcel_id=plot.parcel_id,
            planted_area_m2=Decimal(plot.planted_area_m2),
            parcel_area_m2=parcels[plot.parcel_id].area_m2,
            trees=plot.trees,
            planting_year=plot.planting_year,
            stage=plot.stage,
        )
        for plot in command.plots
    )
    session.flush()
    events.record(
        session,
        command,
        kind="orchard.opened" if version == 1 else "orchard.boundary",
        subject=("orchard", str(orchard.id)),
        body={
            "version": version,
            "valid_from": command.valid_from,
            "reason": reason,
            "plots": list(command.plots),
        },
    )


def _ground(session: Session, orchard: Orchard, plots: Sequence[Plot]) -> dict[UUID, Parcel]:
    """Return the plots' parcels, locked in id order so that no two accounts take one."""
    ids = sorted(plot.parcel_id for plot in plots)
    rows = session.scalars(
        select(Parcel).where(Parcel.id.in_(ids)).order_by(Parcel.id).with_for_update(key_share=True)
    )
    found = {row.id: row for row in rows}
    for plot in plots:
        parcel = found.get(plot.parcel_id)
        if parcel is None:
            raise NotFoundError(what="parcel", id=plot.parcel_id)
        if parcel.kind != "orchard" or parcel.status not in ACTIVE:
            raise PlotNotOrchardError(
                parcel=parcel.code or str(parcel.id), kind=parcel.kind, state=parcel.status
            )
        if exact(plot.planted_area_m2) > exact(parcel.area_m2):
            raise PlantedTooLargeError(
                parcel=parcel.code or str(parcel.id),
                planted_m2=plot.planted_area_m2,
                area_m2=round(parcel.area_m2, 2),
            )
    taken = session.execute(_TAKEN, {"parcels": ids, "orchard": orchard.id}).first()
    if taken is not None:
        raise PlotTakenError(parcel=str(taken.parcel_id), orchard=taken.name)
    return found


def locked(session: Session, orchard_id: UUID) -> Orchard:
    """Return an account's row, locked; other writers of this account wait.

    Raises
    ------
    NotFoundError : there is none.
    """
    row = session.scalar(select(Orchard).where(Orchard.id == orchard_id).with_for_update())
    if row is None:
        raise NotFoundError(what="orchard", id=orchard_id)
    session.refresh(row)
    return row


def require_keeper(session: Session, command: Command, orchard: Orchard) -> people.ActorView:
    """Return who acts: the operator's own people, or the township's or county's desk.

    Raises
    ------
    NotPermittedError : anybody else.
    """
    who = people.require_role(
        session, command, "farmer", "collective", "company", "township", "county"
    )
    if who.has("system", "township", "county") or who.party_id == orchard.operator_id:
        return who
    raise NotPermittedError(needs="果园经营主体 the orchard's operator")


def orchard_view(session: Session, orchard_id: UUID, *, year: int | None = None) -> OrchardView:
    """Return an account with its newest boundary, or with the one of a year's last day.

    Raises
    ------
    NotFoundError : there is no such account.
    BoundaryDateError : the year lies before the account's first day.
    """
    orchard = session.get(Orchard, orchard_id)
    if orchard is None:
        raise NotFoundError(what="orchard", id=orchard_id)
    query = select(OrchardBoundary).where(OrchardBoundary.orchard_id == orchard_id)
    versions = session.scalars(query.order_by(OrchardBoundary.version)).all()
    at = date.max if year is None else date(year, 12, 31)
    held = [row for row in versions if row.valid_from <= at]
    if not held:
        raise BoundaryDateError(on=at, valid_from=versions[0].valid_from)
    return _view(session, orchard, held[-1])


def orchards(session: Session, adcode: str) -> tuple[OrchardView, ...]:
    """Return a county's accounts, by name."""
    query = select(Orchard).where(Orchard.adcode == adcode).order_by(Orchard.name, Orchard.id)
    return tuple(orchard_view(session, row.id) for row in session.scalars(query))


def _view(session: Session, orchard: Orchard, boundary: OrchardBoundary) -> OrchardView:
    operator = session.get_one(Party, orchard.operator_id)
    query = (
        select(OrchardPlot, Parcel.code)
        .join(Parcel, Parcel.id == OrchardPlot.parcel_id)
        .where(OrchardPlot.orchard_id == orchard.id, OrchardPlot.version == boundary.version)
        .order_by(Parcel.code, OrchardPlot.parcel_id)
    )
    plots = tuple(
        PlotView(
            parcel_id=plot.parcel_id,
            parcel_code=code,
            planted_area_m2=decimal_text(plot.planted_area_m2),
            parcel_area_m2=plot.parcel_area_m2,
            trees=plot.trees,
            planting_year=plot.planting_year,
            stage=plot.stage,
        )
        for plot, code in session.execute(query)
    )
    rule = label_rule("orchard-four-colours")
    return OrchardView(
        id=orchard.id,
        adcode=orchard.adcode,
        operator_id=orchard.operator_id,
        operator_name=operator.name,
        name=orchard.name,
        crop=orchard.crop,
        boundary_version=boundary.version,
        valid_from=boundary.valid_from,
        planted_area_m2=decimal_text(boundary.planted_area_m2),
        gate=gate_holds([plot.planted_area_m2 for plot in plots], rule),
        plots=plots,
    )


def decimal_text(value: Decimal) -> str:
    """Return one text for one amount: no exponent, no trailing zeros."""
    words = format(value, "f")
    return words.rstrip("0").rstrip(".") if "." in words else words


_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
_TAKEN = text(
    "SELECT p.parcel_id, o.name FROM orchard_plot p"
    " JOIN orchard o ON o.id = p.orchard_id AND o.boundary_version = p.version"
    " WHERE p.parcel_id = ANY (:parcels) AND o.id <> :orchard ORDER BY p.parcel_id LIMIT 1"
)
