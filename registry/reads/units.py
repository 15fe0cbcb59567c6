"""Reads of units: from a batch back to what it stands on, a range's history, a holder's acts.

What is public names no person, no holder and no plot: how many parcels and how large together,
which run, which layers by their digests, which seal of the chain.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from registry import serials
from registry.errors import NotFoundError
from registry.people import ActorView


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerLine:
    """A layer that a batch's figures come from."""

    kind: str
    name: str
    year: int
    source: str
    licence: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPage:
    """A batch and what it stands on; ``states`` in kg; ``ends_on`` is the first day after."""

    prefix: str
    vintage: int
    size_kg: int
    buffer_kg: int
    states: dict[str, int]
    project: str
    county: str
    programme_id: str
    programme_version: str
    programme_zh: str
    programme_en: str
    starts_on: date
    ends_on: date
    verified_kg: int
    verifier: str
    statement_sha256: str
    parcels: int
    area_m2: float
    run_id: UUID
    engine_version: int
    code_revision: str
    table_digest: str
    input_digest: str
    layers: list[LayerLine]
    issued_at: datetime
    seal_pos: int | None
    seal_hash: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchQuery:
    """A batch by the head of its serials."""

    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryQuery:
    """A serial range as it is printed."""

    serial: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """What an act made of some of the serials; ``seal_pos`` once it is in the chain."""

    first: int
    last: int
    kg: int
    status: str
    act: str
    at: datetime
    seal_pos: int | None
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Every act on some serials, the oldest first; holders are not named."""

    serial: str
    items: list[HistoryLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetirementLine:
    """A retirement of a holder; ``certificate`` once it is made, ``sealed`` once it can be."""

    id: UUID
    number: str
    kg: int
    beneficiary: str
    purpose: str
    reporting_period: str
    serials: list[str]
    effective_at: datetime
    sealed: bool
    certificate: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirements:
    """A holder's retirements, the newest first."""

    items: list[RetirementLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLine:
    """A batch in a list; ``held_kg`` and ``retired_kg`` of its size."""

    prefix: str
    vintage: int
    project: str
    size_kg: int
    buffer_kg: int
    held_kg: int
    retired_kg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """All batches, the newest first."""

    items: list[BatchLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchList:
    """Batches of a project, by its id; all without."""

    project_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """A party found by its exact name or credit code."""

    party_id: UUID
    name: str


def batch(session: Session, _who: ActorView | None, query: BatchQuery) -> BatchPage:
    """Return what a batch stands on.

    Raises
    ------
    SerialInvalidError : that is no batch's name.
    NotFoundError : there is no such batch.
    """
    serials.batch_name(query.prefix)
    row = session.execute(_BATCH, {"prefix": query.prefix}).mappings().first()
    if row is None:
        raise NotFoundError(what="batch", id=query.prefix)
    digests = ("statement_sha256", "table_digest", "input_digest", "seal_hash")
    words = {name: None if row[name] is None else bytes(row[name]).hex() for name in digests}
    found: dict[str, Any] = {**row, **words}
    found["layers"] = [LayerLine(**one) for one in row["layers"]]
    return BatchPage(**found)


def batches(session: Session, _who: ActorView | None, query: BatchList) -> Batches:
    """Return all batches, or a project's."""
    rows = session.execute(_BATCHES, {"project": query.project_id}).mappings()
    return Batches(items=[BatchLine(**row) for row in rows])


def history(session: Session, _who: ActorView | None, query: HistoryQuery) -> History:
    """Return every act on some serials.

    Raises
    ------
    SerialInvalidError : no serial of ours.
    NotFoundError : there are no such serials.
    """
    wanted = serials.parse(query.serial)
    bound = {"prefix": wanted.prefix, "first": wanted.first, "past": wanted.last + 1}
    items = [HistoryLine(**row) for row in session.execute(_HISTORY, bound).mappings()]
    covered = sum(one.kg for one in items if one.open)
    if covered != wanted.kg:
        raise NotFoundError(what="serial", id=query.serial)
    return History(serial=str(wanted), items=items)


def retirements(session: Session, party_id: UUID) -> Retirements:
    """Return a holder's retirements."""
    rows = session.execute(_RETIREMENTS, {"party": party_id, "id": None}).mappings()
    return Retirements(items=[RetirementLine(**row) for row in rows])


def retirement(session: Session, retirement_id: UUID) -> tuple[UUID, RetirementLine]:
    """Return a retirement and who retired.

    Raises
    ------
    NotFoundError : there is none.
    """
    row = session.execute(_RETIREMENTS, {"party": None, "id": retirement_id}).mappings().first()
    if row is None:
        raise NotFoundError(what="retirement", id=retirement_id)
    holder = session.scalar(_HOLDER, {"id": retirement_id})
    assert isinstance(holder, UUID)  # noqa: S101 -- the column is not null
    return holder, RetirementLine(**row)


def receiver(session: Session, words: str) -> Receiver | None:
    """Return the one party of this exact name or credit code, if there is one.

    Nothing else is said of parties: who does not know the name finds nobody.
    """
    rows = session.execute(_RECEIVER, {"words": words.strip()}).all()
    return Receiver(party_id=rows[0].id, name=rows[0].name) if len(rows) == 1 else None


_BATCH = text("SELECT * FROM batch_register(:prefix)")
_BATCHES = text("SELECT * FROM batch_list(cast(:project AS uuid))")
_HISTORY = text("SELECT * FROM serial_history(:prefix, int8range(:first, :past))")
_RETIREMENTS = text(
    "SELECT r.id, r.number, r.kg, r.beneficiary, r.purpose, r.reporting_period, r.serials,"
    " r.effective_at, s.pos IS NOT NULL AS sealed, c.number AS certificate"
    " FROM retirement r LEFT JOIN event_seal s ON s.event_id = r.event_id"
    " LEFT JOIN certificate c ON c.subject_kind = 'retirement' AND c.subject_id = r.id::text"
    " WHERE (cast(:party AS uuid) IS NULL OR r.holder_id = :party)"
    " AND (cast(:id AS uuid) IS NULL OR r.id = :id)"
    " ORDER BY r.effective_at DESC, r.number DESC LIMIT 200"
)
_HOLDER = text("SELECT holder_id FROM retirement WHERE id = :id")
_RECEIVER = text("SELECT id, name FROM party_named(:words)")
