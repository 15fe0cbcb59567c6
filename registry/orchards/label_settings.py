"""What a county sets for its labels: values of small groups, and reasons to withhold."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry import events, people
from registry.db import Command
from registry.errors import InvalidValueError, NotFoundError
from registry.models import OrchardBenchmark, OrchardVeto
from registry.orchards import accounts
from registry.orchards.errors import BenchmarkSourceError, VetoLiftedError


@dataclass(frozen=True, slots=True, kw_only=True)
class SetBenchmark(Command):
    """The bureau's value for a group too small to compare with itself; decimal text.

    ``basis`` fruit: kg CO2e per kg; area: kg CO2e per mu.
    """

    adcode: str
    year: int
    crop: str
    stage: accounts.Stage
    basis: Literal["fruit", "area"]
    value: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Veto(Command):
    """Withhold an orchard's label for a year, for a reason."""

    orchard_id: UUID
    year: int
    kind: Literal["basic_farmland_conflict", "boundary_dispute", "false_record"]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftVeto(Command):
    """Lift a reason to withhold."""

    veto_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """The id of what was entered."""

    id: UUID


def set_benchmark(session: Session, command: SetBenchmark) -> Entered:
    """Enter the bureau's value for a group.

    Raises
    ------
    BenchmarkSourceError : no source is named.
    InvalidValueError : the value is no decimal above zero.
    """
    people.require_role(session, command, "county")
    if not command.source:
        raise BenchmarkSourceError(crop=command.crop, year=command.year)
    if not command.value.replace(".", "", 1).isdecimal() or not Decimal(command.value):
        raise InvalidValueError(field="value", value=command.value, why="> 0")
    row = OrchardBenchmark(
        id=uuid4(),
        adcode=command.adcode,
        year=command.year,
        crop=command.crop,
        stage=command.stage,
        basis=command.basis,
        value=Decimal(command.value),
        source=command.source,
        actor_id=command.actor_id,
        effective_at=command.at,
    )
    session.add(row)
    session.flush()
    body = {"crop": command.crop, "value": command.value, "source": command.source}
    subject = ("county", command.adcode)
    events.record(session, command, kind="orchard.benchmark", subject=subject, body=body)
    return Entered(id=row.id)


def veto(session: Session, command: Veto) -> Entered:
    """Enter a reason to withhold; it counts in the next run."""
    people.require_role(session, command, "county")
    orchard = accounts.locked(session, command.orchard_id)
    return _veto(session, command, orchard.id, command.year, command.kind, lifts=None)


def lift_veto(session: Session, command: LiftVeto) -> Entered:
    """Lift a reason to withhold.

    Raises
    ------
    NotFoundError, VetoLiftedError
    """
    people.require_role(session, command, "county")
    row = session.get(OrchardVeto, command.veto_id)
    if row is None:
        raise NotFoundError(what="veto", id=command.veto_id)
    accounts.locked(session, row.orchard_id)
    lifted = select(OrchardVeto.id).where(OrchardVeto.lifts_id == row.id)
    if row.lifts_id is not None or session.scalar(lifted) is not None:
        raise VetoLiftedError(veto=str(row.id))
    return _veto(session, command, row.orchard_id, row.year, row.kind, lifts=row.id)


def _veto(  # noqa: PLR0917 -- one row's fields
    session: Session,
    command: Veto | LiftVeto,
    orchard_id: UUID,
    year: int,
    kind: str,
    lifts: UUID | None,
) -> Entered:
    if not command.reason:
        raise InvalidValueError(field="reason", value="", why="须说明原因 say why")
    row = OrchardVeto(
        id=uuid4(),
        orchard_id=orchard_id,
        year=year,
        kind=kind,
        reason=command.reason,
        lifts_id=lifts,
        actor_id=command.actor_id,
        effective_at=command.at,
    )
    session.add(row)
    session.flush()
    events.record(
        session,
        command,
        kind="orchard.veto_lifted" if lifts else "orchard.veto",
        subject=("orchard", str(orchard_id)),
        body={"year": year, "kind": kind, "reason": command.reason},
    )
    return Entered(id=row.id)
