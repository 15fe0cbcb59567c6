"""What counts against a project: prior vegetation, baseline, burning, fertiliser, leakage; as rows.

A row has its year, its numbers, a source and its evidence's digest; a correction is another row.
`planned` rows are of forecasts only. `registry.project_accounts` makes kg of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any, Final, Literal, get_args
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from registry import events, people
from registry.db import Command
from registry.errors import InvalidValueError, NotFoundError, RegistryError
from registry.models import ProjectItem
from registry.stand_events import FIRST_YEAR, LAST_YEAR, WRITERS

Kind = Literal["prior_vegetation", "baseline", "burning", "fertiliser", "emission", "leakage"]

NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "prior_vegetation": (
        "area_ha",
        "tree_cover",
        "shrub_cover",
        "trees_kept",
        "shrubs_removed",
        "forest_agb_t_ha",
        "forest_gain_t_ha_yr",
    ),
    "baseline": ("kg",),
    "burning": ("fuel_t",),
    "fertiliser": ("product", "mass_kg", "n_kg"),
    "emission": ("kg",),
    "leakage": ("kg",),
}
"""Numbers each kind needs; ``trees_kept`` is yes or no, ``product`` a word."""

OPTIONAL: Final[Mapping[str, tuple[str, ...]]] = {
    "burning": ("combustion",),
    "fertiliser": ("organic",),
}
WORDS: Final = frozenset({"product"})
ANSWERS: Final = frozenset({"trees_kept", "organic"})
SHARES: Final = frozenset({"tree_cover", "shrub_cover", "shrubs_removed", "combustion"})
MOST: Final = 10**15


class ItemReplacedError(RegistryError):
    """A row that another one has taken the place of is corrected again."""

    code = "PROJECT_ITEM_REPLACED"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordItem(Command):
    """Enter a row, or put it in the place of another for a reason.

    Attributes
    ----------
    details : by kind as `NEEDED` and `OPTIONAL` name them; numbers as decimal text.
    planned : not yet done; forecasts count it, monitored accounts do not.
    """

    project_id: UUID
    kind: Kind
    year: int
    details: Mapping[str, str] = field(default_factory=dict)
    planned: bool = False
    source: str
    evidence_sha256: str | None = None
    replaces: UUID | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawItem(Command):
    """Take a row back for a reason; the record keeps it."""

    item_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """A row as it stands."""

    id: UUID
    project_id: UUID
    kind: str
    year: int
    details: dict[str, str]
    planned: bool
    source: str
    evidence_sha256: str | None
    replaces: UUID | None
    withdrawn: bool
    reason: str
    actor: str
    effective_at: datetime

    def number(self, name: str) -> Fraction:
        """Return a number of the details, exactly."""
        return Fraction(self.details[name])

    def yes(self, name: str) -> bool:
        """Return an answer of the details."""
        return self.details.get(name) == "yes"


def record(session: Session, command: RecordItem) -> ItemView:
    """Enter what counts against a project.

    Raises
    ------
    NotPermittedError, NotFoundError : by role; no such project or row to replace.
    InvalidValueError : a number that is missing, unknown or makes no sense; no source or reason.
    ItemReplacedError : the row it would replace was replaced before.
    """
    people.require_role(session, command, *WRITERS)
    _check(command)
    if session.scalar(_PROJECT, {"id": command.project_id}) is None:
        raise NotFoundError(what="project", id=command.project_id)
    if command.replaces is not None:
        before = _present(session, command.replaces)
        if before.project_id != command.project_id:
            raise NotFoundError(what="project_item", id=command.replaces)
    digest = command.evidence_sha256
    made = ProjectItem(
        id=uuid4(),
        project_id=command.project_id,
        kind=command.kind,
        year=command.year,
        details={name: value.strip() for name, value in command.details.items()},
        planned=command.planned,
        source=command.source.strip(),
        evidence_sha256=None if digest is None else bytes.fromhex(digest),
        replaces=command.replaces,
        withdrawn=False,
        reason=command.reason.strip(),
        actor_id=command.actor_id,
        effective_at=command.at,
    )
    return _add(session, command, made, kind="project.item")


def withdraw(session: Session, command: WithdrawItem) -> ItemView:
    """Take a row back; accounts made from now on do not see it.

    Raises
    ------
    NotPermittedError, NotFoundError, ItemReplacedError; InvalidValueError : no reason.
    """
    people.require_role(session, command, *WRITERS)
    if not command.reason.strip():
        raise InvalidValueError(field="reason", value="", why="1-")
    before = _present(session, command.item_id)
    made = ProjectItem(
        id=uuid4(),
        project_id=before.project_id,
        kind=before.kind,
        year=before.year,
        details=before.details,
        planned=before.planned,
        source=before.source,
        evidence_sha256=None,
        replaces=before.id,
        withdrawn=True,
        reason=command.reason.strip(),
        actor_id=command.actor_id,
        effective_at=command.at,
    )
    return _add(session, command, made, kind="project.item_withdrawn")


def listing(session: Session, project_id: UUID, *, history: bool = False) -> list[ItemView]:
    """Return a project's rows by year; with ``history`` also those replaced or withdrawn."""
    present = "" if history else f" AND {_PRESENT}"
    query = text(
        f"{_SELECT} WHERE i.project_id = :project{present} ORDER BY i.year, i.recorded_at, i.id"
    )
    return [_view(row) for row in session.execute(query, {"project": project_id})]


def _check(command: RecordItem) -> None:
    if command.kind not in get_args(Kind):
        raise InvalidValueError(field="kind", value=command.kind, why=" | ".join(get_args(Kind)))
    last = LAST_YEAR if command.planned else command.at.year
    if not FIRST_YEAR <= command.year <= last:
        raise InvalidValueError(field="year", value=command.year, why=f"{FIRST_YEAR}-{last}")
    _check_details(command)
    if not command.source.strip():
        raise InvalidValueError(field="source", value="", why="1-")
    if command.replaces is not None and not command.reason.strip():
        raise InvalidValueError(field="reason", value="", why="1-")


def _check_details(command: RecordItem) -> None:
    needed, more = NEEDED[command.kind], OPTIONAL.get(command.kind, ())
    for name in needed:
        if not command.details.get(name, "").strip():
            raise InvalidValueError(field=name, value="", why=", ".join(needed))
    for name, value in command.details.items():
        if name not in needed + more:
            raise InvalidValueError(field=name, value=value, why=", ".join(needed + more))
        _check_value(name, value.strip(), signed=command.kind == "baseline")


def _check_value(name: str, value: str, *, signed: bool) -> None:
    if name in WORDS:
        return
    if name in ANSWERS:
        if value not in {"yes", "no"}:
            raise InvalidValueError(field=name, value=value, why="yes | no")
        return
    try:
        number = Fraction(value)
    except (ValueError, ZeroDivisionError) as error:
        raise InvalidValueError(field=name, value=value, why="0.25") from error
    most = 1 if name in SHARES else MOST
    low = -MOST if signed else 0
    if not low <= number <= most or (name == "kg" and number.denominator != 1):
        raise InvalidValueError(field=name, value=value, why=f"{low}-{most}")


def _present(session: Session, item_id: UUID) -> ItemView:
    row = session.execute(text(f"{_SELECT} WHERE i.id = :id"), {"id": item_id}).first()
    if row is None:
        raise NotFoundError(what="project_item", id=item_id)
    by = session.scalar(_TAKEN, {"id": item_id})
    if row.withdrawn or by is not None:
        raise ItemReplacedError(item=str(item_id), by=str(by or "—"))
    return _view(row)


def _add(
    session: Session, command: RecordItem | WithdrawItem, made: ProjectItem, *, kind: str
) -> ItemView:
    session.add(made)
    session.flush()
    events.record(
        session,
        command,
        kind=kind,
        subject=("project", str(made.project_id)),
        body={
            "item": made.id,
            "kind": made.kind,
            "year": made.year,
            "details": made.details,
            "planned": made.planned,
            "source": made.source,
            "evidence_sha256": made.evidence_sha256,
            "replaces": made.replaces,
            "reason": made.reason,
        },
    )
    return _view(session.execute(text(f"{_SELECT} WHERE i.id = :id"), {"id": made.id}).one())


def _view(row: Any) -> ItemView:  # noqa: ANN401 -- a result row
    found = {name: getattr(row, name) for name in ItemView.__dataclass_fields__}
    digest = found["evidence_sha256"]
    return ItemView(**found | {"evidence_sha256": None if digest is None else bytes(digest).hex()})


_SELECT = "SELECT i.*, a.name AS actor FROM project_item i JOIN actor a ON a.id = i.actor_id"
_PRESENT = "NOT i.withdrawn AND NOT EXISTS (SELECT FROM project_item r WHERE r.replaces = i.id)"
_PROJECT = text("SELECT id FROM project WHERE id = :id")
_TAKEN = text("SELECT id FROM project_item WHERE replaces = :id")
