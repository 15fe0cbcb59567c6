"""Projects: a proponent's parcels under one programme version, approved by another person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal
from uuid import UUID, uuid4

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from registry import divisions, events, people, programmes
from registry.db import Command
from registry.errors import NotFoundError, RegistryError, WrongStateError
from registry.models import Parcel, Party, Project, ProjectDecision, ProjectParcel
from registry.programmes import ProgrammeView

Decision = Literal["submit", "approve", "return", "withdraw"]
NAMED_AT_MOST: Final = 20
"""How many refused parcels the message names."""


class CreditingPeriodError(RegistryError):
    """The crediting period is shorter or longer than the programme allows."""

    code = "PROJECT_CREDITING_PERIOD"


class StartDateError(RegistryError):
    """The start lies after the first crediting day, or before the programme's date."""

    code = "PROJECT_START"


class ParcelsRefusedError(RegistryError):
    """Some parcels cannot join; ``reasons`` holds the state of each that is in the way."""

    code = "PROJECT_PARCELS_REFUSED"

    def __init__(self, reasons: Mapping[UUID, str]) -> None:
        self.reasons = reasons
        named = [f"{parcel} ({why})" for parcel, why in list(reasons.items())[:NAMED_AT_MOST]]
        more = ["…"] if len(reasons) > NAMED_AT_MOST else []
        super().__init__(count=len(reasons), parcels="; ".join(named + more))


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateProject(Command):
    """Begin a project; ``crediting_to`` is the first day after the period."""

    adcode: str
    name: str
    proponent_id: UUID
    programme_id: str
    started_on: date
    crediting_from: date
    crediting_to: date
    programme_version: str | None = None
    document_sha256: str | None = None
    external_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachParcels(Command):
    """Take parcels into a project that is not submitted."""

    project_id: UUID
    parcel_ids: Sequence[UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideProject(Command):
    """Submit, approve, return with a reason, or withdraw a project."""

    project_id: UUID
    decision: Decision
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectState:
    """A project as a verb left it."""

    project_id: UUID
    number: str
    status: str
    parcels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectView:
    """A project as screens show it; ``crediting_to`` is the first day after the period."""

    id: UUID
    adcode: str
    number: str
    name: str
    status: str
    proponent_id: UUID
    proponent: str
    programme_id: str
    programme_version: str
    started_on: date
    crediting_from: date
    crediting_to: date
    external_number: str | None
    document_sha256: str | None
    submitted_by: UUID | None
    parcels: int
    area_m2: float


_AFTER: Final[Mapping[str, tuple[frozenset[str], str]]] = {
    "submit": (frozenset({"draft", "returned"}), "submitted"),
    "approve": (frozenset({"submitted"}), "approved"),
    "return": (frozenset({"submitted"}), "returned"),
    "withdraw": (frozenset({"draft", "submitted", "returned"}), "withdrawn"),
}
_WRITERS: Final = ("township", "county", "company", "collective")


def create(session: Session, command: CreateProject) -> ProjectState:
    """Begin a project as a draft with the county's next number.

    Raises
    ------
    NotFoundError : the county, the proponent or the programme is not known.
    CreditingPeriodError, StartDateError : the dates do not fit the programme.
    """
    people.require_role(session, command, *_WRITERS)
    divisions.require(session, command.adcode)
    if session.get(Party, command.proponent_id) is None:
        raise NotFoundError(what="party", id=command.proponent_id)
    programme = (
        programmes.current(session, command.programme_id, on=programmes.day_of(command.at))
        if command.programme_version is None
        else programmes.version(session, command.programme_id, command.programme_version)
    )
    _check_dates(command, programme)
    # Numbers are given one after the other: two writers meet here.
    session.execute(_LOCK_COUNTY, {"name": f"project:{command.adcode}"})
    last = session.scalar(_LAST_NUMBER, {"adcode": command.adcode})
    project = Project(
        id=uuid4(),
        adcode=command.adcode,
        number=(last or 0) + 1,
        name=command.name,
        proponent_id=command.proponent_id,
        programme_id=programme.id,
        programme_version=programme.version,
        started_on=command.started_on,
        crediting_from=command.crediting_from,
        crediting_to=command.crediting_to,
        external_number=command.external_number,
        document_sha256=command.document_sha256 and bytes.fromhex(command.document_sha256),
        status="draft",
        effective_at=command.at,
    )
    session.add(project)
    session.flush()
    _record(session, command, project, "created", {"programme": programme.id})
    return _state(session, project)


def attach(session: Session, command: AttachParcels) -> ProjectState:
    """Take parcels in; all or, naming each that is in the way, none.

    Raises
    ------
    WrongStateError : the project is submitted, approved or withdrawn.
    ParcelsRefusedError : a parcel is not approved, not eligible under this version, or not of the
        programme's kind.
    """
    people.require_role(session, command, *_WRITERS)
    project = _lock(session, command.project_id)
    if project.status not in {"draft", "returned"}:
        raise WrongStateError(what="project", state=project.status, needs="draft/returned")
    wanted = sorted(set(command.parcel_ids))
    versions = _admit(session, project, wanted)
    there = set(
        session.scalars(
            select(ProjectParcel.parcel_id).where(ProjectParcel.project_id == project.id)
        )
    )
    session.add_all(
        ProjectParcel(
            project_id=project.id,
            parcel_id=parcel_id,
            version=versions[parcel_id],
            actor_id=command.actor_id,
            effective_at=command.at,
        )
        for parcel_id in wanted
        if parcel_id not in there
    )
    session.flush()
    _record(session, command, project, "parcels_attached", {"parcels": wanted})
    return _state(session, project)


def decide(session: Session, command: DecideProject) -> ProjectState:
    """Move a project on; a county administrator other than the submitter approves (database too).

    Raises
    ------
    WrongStateError : the decision does not fit the state, or there is no parcel to submit.
    ParcelsRefusedError : a parcel changed since it joined.
    NotApprovedByAnotherError : the submitter approves.
    """
    roles = ("county",) if command.decision in {"approve", "return"} else _WRITERS
    people.require_role(session, command, *roles)
    project = _lock(session, command.project_id)
    before, after = _AFTER[command.decision]
    if project.status not in before:
        raise WrongStateError(what="project", state=project.status, needs="/".join(sorted(before)))
    if command.decision in {"submit", "approve"}:
        _recheck(session, project)
    if command.decision == "submit":
        project.submitted_by = command.actor_id
    session.add(
        ProjectDecision(
            id=uuid4(),
            project_id=project.id,
            decision=command.decision,
            reason=command.reason,
            submitted_by=project.submitted_by or command.actor_id,
            actor_id=command.actor_id,
            effective_at=command.at,
        )
    )
    session.flush()
    project.status = after
    session.flush()
    _record(session, command, project, command.decision, {"reason": command.reason})
    return _state(session, project)


def view(session: Session, project_id: UUID) -> ProjectView:
    """Return a project.

    Raises
    ------
    NotFoundError : there is no such project.
    """
    found = _views(session, project_id=project_id)
    if not found:
        raise NotFoundError(what="project", id=project_id)
    return found[0]


def projects(session: Session, *, adcode: str | None = None) -> list[ProjectView]:
    """Return all projects, or a county's, by number."""
    return _views(session, adcode=adcode)


def parcels_of(session: Session, project_id: UUID) -> list[tuple[UUID, int]]:
    """Return (parcel, version) of a project, by parcel."""
    query = (
        select(ProjectParcel.parcel_id, ProjectParcel.version)
        .where(ProjectParcel.project_id == project_id)
        .order_by(ProjectParcel.parcel_id)
    )
    return [(row.parcel_id, row.version) for row in session.execute(query)]


def number_text(number: int) -> str:
    """Return a project's number with six digits, as it stands in serials."""
    return f"{number:06d}"


def crediting_years(first_day: date, day_after: date) -> float:
    """Return the length of a period in years; whole years from any day count as whole."""
    months = (day_after.year - first_day.year) * 12 + day_after.month - first_day.month
    return months / 12 + (day_after.day - first_day.day) / 365


def _check_dates(command: CreateProject, programme: ProgrammeView) -> None:
    least, most = programme.figure("crediting.years_min"), programme.figure("crediting.years_max")
    years = crediting_years(command.crediting_from, command.crediting_to)
    low = float(least.exact) if least else 0.0
    high = float(most.exact) if most else float("inf")
    if not (years > 0 and low <= years <= high):
        raise CreditingPeriodError(years=round(years, 2), years_min=low, years_max=high)
    started = command.started_on
    if started > command.crediting_from:
        raise StartDateError(
            started_on=started.isoformat(), rule=f"<= {command.crediting_from.isoformat()}"
        )
    earliest = programme.figure("crediting.start_not_before")
    if earliest is not None and started < date.fromisoformat(str(earliest.value)):
        raise StartDateError(started_on=started.isoformat(), rule=f">= {earliest.value}")


def _admit(session: Session, project: Project, wanted: Sequence[UUID]) -> dict[UUID, int]:
    """Return the version of each parcel, or raise naming every one that is in the way."""
    kind = programmes.version(session, project.programme_id, project.programme_version).kind
    rows = {
        row.id: row
        for row in session.execute(
            _ADMISSION,
            {
                "ids": list(wanted),
                "programme": project.programme_id,
                "version": project.programme_version,
            },
        )
    }
    refused: dict[UUID, str] = {}
    for parcel_id in wanted:
        row = rows.get(parcel_id)
        if row is None:
            refused[parcel_id] = "not_found"
        elif row.kind != kind:
            refused[parcel_id] = f"kind {row.kind}"
        elif row.status != "approved":
            refused[parcel_id] = row.status
        elif row.answer != "eligible":
            refused[parcel_id] = row.answer or "not_checked"
    if refused:
        raise ParcelsRefusedError(refused)
    return {parcel_id: rows[parcel_id].version for parcel_id in wanted}


def _recheck(session: Session, project: Project) -> None:
    """Refuse to go on with no parcel, or with one that changed since it joined."""
    joined = dict(parcels_of(session, project.id))
    if not joined:
        raise WrongStateError(what="project", state="without parcels", needs="parcels")
    now = _admit(session, project, list(joined))
    moved = {one: f"version {now[one]}" for one, version in joined.items() if now[one] != version}
    if moved:
        raise ParcelsRefusedError(moved)


def _lock(session: Session, project_id: UUID) -> Project:
    query = select(Project).where(Project.id == project_id)
    project = session.scalar(query.with_for_update().execution_options(populate_existing=True))
    if project is None:
        raise NotFoundError(what="project", id=project_id)
    return project


def _record(
    session: Session, command: Command, project: Project, act: str, body: Mapping[str, object]
) -> None:
    shared = {
        "adcode": project.adcode,
        "number": number_text(project.number),
        "status": project.status,
        "document": project.document_sha256,
    }
    events.record(
        session,
        command,
        kind=f"project.{act}",
        subject=("project", str(project.id)),
        body=shared | dict(body),
    )


def _state(session: Session, project: Project) -> ProjectState:
    count = select(func.count()).where(ProjectParcel.project_id == project.id)
    return ProjectState(
        project_id=project.id,
        number=number_text(project.number),
        status=project.status,
        parcels=session.scalar(count) or 0,
    )


def _views(
    session: Session, *, project_id: UUID | None = None, adcode: str | None = None
) -> list[ProjectView]:
    query: Any = (
        select(
            Project,
            Party.name,
            func.count(ProjectParcel.parcel_id),
            func.coalesce(func.sum(Parcel.area_m2), 0.0),
        )
        .join(Party, Party.id == Project.proponent_id)
        .outerjoin(ProjectParcel, ProjectParcel.project_id == Project.id)
        .outerjoin(Parcel, Parcel.id == ProjectParcel.parcel_id)
        .group_by(Project.id, Party.name)
        .order_by(Project.adcode, Project.number)
    )
    if project_id is not None:
        query = query.where(Project.id == project_id)
    if adcode is not None:
        query = query.where(Project.adcode == adcode)
    return [
        ProjectView(
            id=row.id,
            adcode=row.adcode,
            number=number_text(row.number),
            name=row.name,
            status=row.status,
            proponent_id=row.proponent_id,
            proponent=proponent,
            programme_id=row.programme_id,
            programme_version=row.programme_version,
            started_on=row.started_on,
            crediting_from=row.crediting_from,
            crediting_to=row.crediting_to,
            external_number=row.external_number,
            document_sha256=row.document_sha256 and row.document_sha256.hex(),
            submitted_by=row.submitted_by,
            parcels=count,
            area_m2=area,
        )
        for row, proponent, count, area in session.execute(query)
    ]


_LAST_NUMBER = text("SELECT last_project_number(:adcode)")
_LOCK_COUNTY = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_ADMISSION = text(
    "SELECT p.id, p.version, p.kind, p.status, e.answer FROM parcel p LEFT JOIN eligibility e"
    " ON e.parcel_id = p.id AND e.version = p.version"
    " AND e.programme_id = :programme AND e.programme_version = :version"
    " WHERE p.id = ANY(:ids)"
)
