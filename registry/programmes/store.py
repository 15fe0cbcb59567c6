"""Programmes as adopted by a county: a version is kept as the text it was, and never changes."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry import events
from registry.db import Command
from registry.errors import NotFoundError, RegistryError
from registry.models import Programme
from registry.programmes.schema import ProgrammeView, read

FOLDER = Path(__file__).resolve().parent
"""Where the programmes lie that come with this program."""


class ProgrammeVersionChangedError(RegistryError):
    """A version that was adopted comes back with another text."""

    code = "PROGRAMME_VERSION_CHANGED"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptProgramme(Command):
    """Let a programme's text count from ``at`` on."""

    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeAdopted:
    """Which version stands, and whether it is new."""

    id: str
    version: str
    sha256: str
    new: bool


def packaged() -> dict[str, str]:
    """Return the texts of the programmes that come with this program, by id."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.toml"))}


def adopt(session: Session, command: AdoptProgramme) -> ProgrammeAdopted:
    """Keep a version of a programme; the same text again changes nothing.

    Raises
    ------
    ProgrammeRefusedError : the text has faults.
    ProgrammeVersionChangedError : this version was adopted with another text.
    """
    view = read(command.source)
    key = (view.id, view.version)
    before = session.get(Programme, key)
    if before is not None:
        if before.sha256.hex() != view.sha256:
            raise ProgrammeVersionChangedError(
                programme=view.id, version=view.version, adopted=before.sha256.hex()[:12]
            )
        return ProgrammeAdopted(id=view.id, version=view.version, sha256=view.sha256, new=False)
    session.add(
        Programme(
            id=view.id,
            version=view.version,
            scheme=view.scheme,
            name_zh=view.name_zh,
            name_en=view.name_en,
            issuing_authority=view.issuing_authority,
            source=command.source,
            sha256=hashlib.sha256(command.source.encode()).digest(),
            effective_at=command.at,
        )
    )
    session.flush()
    events.record(
        session,
        command,
        kind="programme.adopted",
        subject=("programme", f"{view.id}@{view.version}"),
        body={"sha256": view.sha256},
    )
    return ProgrammeAdopted(id=view.id, version=view.version, sha256=view.sha256, new=True)


def current(session: Session, programme_id: str, *, on: date) -> ProgrammeView:
    """Return the version of a programme that counts on a day (Beijing).

    Raises
    ------
    NotFoundError : none was adopted by then.
    """
    # The day ends at 16:00 UTC: Beijing is eight hours ahead.
    end = datetime.combine(on, time(16), tzinfo=UTC)
    source = session.scalar(
        select(Programme.source)
        .where(Programme.id == programme_id, Programme.effective_at < end)
        .order_by(Programme.effective_at.desc(), Programme.recorded_at.desc())
        .limit(1)
    )
    if source is None:
        raise NotFoundError(what="programme", id=programme_id)
    return _view(source)


def version(session: Session, programme_id: str, version: str) -> ProgrammeView:
    """Return one version of a programme, whenever it counts.

    Raises
    ------
    NotFoundError : it was never adopted.
    """
    row = session.get(Programme, (programme_id, version))
    if row is None:
        raise NotFoundError(what="programme", id=f"{programme_id}@{version}")
    return _view(row.source)


def adopted(session: Session) -> list[ProgrammeView]:
    """Return every adopted version, newest of each programme first."""
    sources = session.scalars(
        select(Programme.source).order_by(
            Programme.id, Programme.effective_at.desc(), Programme.recorded_at.desc()
        )
    )
    return [_view(source) for source in sources]


def day_of(moment: datetime) -> date:
    """Return the day in Beijing at a moment."""
    return (moment.astimezone(UTC) + timedelta(hours=8)).date()


@lru_cache(maxsize=64)
def _view(source: str) -> ProgrammeView:
    return read(source)
