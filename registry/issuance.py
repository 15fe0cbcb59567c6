"""Issuance: a verified period becomes serials, one batch a vintage, the holders' first.

Numbering starts at 1 in each batch; the buffer's serials are the last ones.  Holders share a
batch by their weights (largest remainder).  What is issued comes out of the ``issued`` account,
the only one of kilograms that may owe, so all kilograms sum to zero.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from registry import events, evidence, ledger, serials
from registry.db import Command
from registry.errors import InvalidValueError, NotFoundError, WrongStateError
from registry.ledger import Leg
from registry.periods import plan_period, read_inputs
from registry.serials import SerialRange
from registry.unit_errors import HolderNotAllowedError, IssuerExternalError
from sinks.issuance import VintageBatch, largest_remainder


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderShare:
    """A party's weight in what is issued: kg pre-stored, area, or shares."""

    party_id: UUID
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuePeriod(Command):
    """Issue a verified period to ``holders``; none given: to the project's proponent."""

    period_id: UUID
    holders: tuple[HolderShare, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRange:
    """Serials of one holder (index into the weights) or, with None, of the buffer."""

    holder: int | None
    serial: SerialRange


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBatch:
    """One batch as it will be written."""

    number: int
    vintage: int
    prefix: str
    size_kg: int
    buffer_kg: int
    ranges: tuple[PlannedRange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedRange:
    """Serials and who has them; the buffer's have no party."""

    party_id: UUID | None
    serial: str
    kg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedBatch:
    """A batch as it was written."""

    batch_id: UUID
    vintage: int
    prefix: str
    size_kg: int
    buffer_kg: int
    ranges: tuple[IssuedRange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """The answer of an issuance."""

    event_id: UUID
    period_id: UUID
    batches: tuple[IssuedBatch, ...]


def plan_issuance(
    vintages: Sequence[VintageBatch],
    *,
    adcode: str,
    project: int,
    first_number: int,
    weights: Sequence[int],
) -> tuple[PlannedBatch, ...]:
    """Lay out the serials of each vintage: holders in the order given, then the buffer.

    Raises
    ------
    BatchNumbersSpentError : more than 999 batches.
    """
    return tuple(
        _plan_batch(
            vintage,
            number=number,
            prefix=serials.prefix(
                adcode=adcode, project=project, batch=number, vintage=vintage.year
            ),
            weights=weights,
        )
        for number, vintage in enumerate(vintages, start=first_number)
    )


def _plan_batch(
    vintage: VintageBatch, *, number: int, prefix: str, weights: Sequence[int]
) -> PlannedBatch:
    parts: list[tuple[int | None, int]] = [
        *enumerate(largest_remainder(vintage.holder_kg, weights)),
        (None, vintage.buffer_kg),
    ]
    ranges, last = [], 0
    for holder, kg in parts:
        if kg:
            serial = SerialRange(prefix=prefix, first=last + 1, last=last + kg)
            ranges.append(PlannedRange(holder=holder, serial=serial))
            last += kg
    return PlannedBatch(
        number=number,
        vintage=vintage.year,
        prefix=prefix,
        size_kg=vintage.total_kg,
        buffer_kg=vintage.buffer_kg,
        ranges=tuple(ranges),
    )


def issue(session: Session, command: IssuePeriod) -> Issued:
    """Issue a verified period whole: batches, serials, balances and the event together.

    Raises
    ------
    NotFoundError, WrongStateError, IssuerExternalError, HolderNotAllowedError,
    InvalidValueError, BatchNumbersSpentError; MarkForbiddenError when a figure stands on a row
    that the programme will not issue on.
    """
    period = session.execute(_PERIOD, {"id": command.period_id}).first()
    if period is None:
        raise NotFoundError(what="period", id=command.period_id)
    if period.status != "verified":
        raise WrongStateError(what="period", state=period.status, needs="verified")
    if period.issuing_authority != "local":
        raise IssuerExternalError(programme=period.programme_id)
    evidence.require_checked(
        session, period_id=command.period_id, discount=period.inputs["discount"]
    )
    holders = _holders(session, command, period.proponent_id)
    plan = plan_period(
        dict(period.plan["changes"]),
        read_inputs(period.inputs),
        deficit_kg=period.plan["deficit_before_kg"],
        verified_kg=period.verified_kg,
    )
    last_number = session.scalar(_LAST_NUMBER, {"project": period.project_id})
    planned = plan_issuance(
        plan.batches,
        adcode=period.adcode,
        project=period.number,
        first_number=(last_number or 0) + 1,
        weights=[holder.weight for holder in holders],
    )
    return _write(session, command, period, planned, [holder.party_id for holder in holders])


def _holders(session: Session, command: IssuePeriod, proponent_id: UUID) -> list[HolderShare]:
    asked = command.holders or (HolderShare(party_id=proponent_id, weight=1),)
    if any(one.weight <= 0 for one in asked):
        raise InvalidValueError(field="weight", value=min(h.weight for h in asked), why="> 0")
    by_party = {one.party_id: one for one in asked}
    if len(by_party) != len(asked):
        raise InvalidValueError(field="holders", value=len(asked), why="unique")
    rows = session.execute(_PARTIES, {"ids": list(by_party)}).all()
    if len(rows) != len(asked):
        missing = set(by_party) - {row.id for row in rows}
        raise NotFoundError(what="party", id=min(missing))
    if any(row.kind == "verifier" for row in rows):
        raise HolderNotAllowedError(why="verifier")
    return [by_party[row.id] for row in rows]


def _write(
    session: Session,
    command: IssuePeriod,
    period: Row[Any],
    planned: Sequence[PlannedBatch],
    parties: Sequence[UUID],
) -> Issued:
    batches = tuple(_issued(batch, parties) for batch in planned)
    event_id = events.record(
        session,
        command,
        kind="units.issued",
        subject=("period", str(period.id)),
        body={
            "project": period.project_id,
            "run": period.run_id,
            "run_input_digest": bytes(period.input_digest),
            "layers": period.layers,
            "verified_kg": period.verified_kg,
            "batches": [
                {
                    "prefix": batch.prefix,
                    "size_kg": batch.size_kg,
                    "buffer_kg": batch.buffer_kg,
                    "ranges": [
                        [one.serial.first, one.serial.last, _party(one.holder, parties)]
                        for one in batch.ranges
                    ],
                }
                for batch in planned
            ],
        },
    )
    reference = str(period.project_id)
    source = ledger.open_account(session, "kg", "issued", reference=reference)
    buffer = ledger.open_account(session, "kg", "buffer", reference=reference)
    accounts: dict[int | None, UUID] = {
        n: ledger.open_account(session, "kg", "holding", party_id=party_id)
        for n, party_id in enumerate(parties)
    }
    accounts[None] = buffer
    moved: Counter[UUID] = Counter()
    for batch, made in zip(planned, batches, strict=True):
        session.execute(_BATCH, _batch_row(batch, made.batch_id, period, event_id))
        session.execute(_RANGE, _range_rows(batch, made.batch_id, accounts, event_id))
        for one in batch.ranges:
            moved[accounts[one.holder]] += one.serial.kg
    ledger.post_legs(
        session,
        event_id,
        [Leg(source=source, target=target, amount=kg) for target, kg in moved.items()],
    )
    session.execute(_ISSUED, {"id": period.id})
    return Issued(event_id=event_id, period_id=period.id, batches=batches)


def _issued(batch: PlannedBatch, parties: Sequence[UUID]) -> IssuedBatch:
    return IssuedBatch(
        batch_id=uuid4(),
        vintage=batch.vintage,
        prefix=batch.prefix,
        size_kg=batch.size_kg,
        buffer_kg=batch.buffer_kg,
        ranges=tuple(
            IssuedRange(
                party_id=_party(one.holder, parties), serial=str(one.serial), kg=one.serial.kg
            )
            for one in batch.ranges
        ),
    )


def _party(holder: int | None, parties: Sequence[UUID]) -> UUID | None:
    return None if holder is None else parties[holder]


def _batch_row(
    batch: PlannedBatch, batch_id: UUID, period: Row[Any], event_id: UUID
) -> dict[str, Any]:
    return {
        "id": batch_id,
        "project": period.project_id,
        "period": period.id,
        "number": batch.number,
        "vintage": batch.vintage,
        "prefix": batch.prefix,
        "size": batch.size_kg,
        "buffer": batch.buffer_kg,
        "event": event_id,
    }


def _range_rows(
    batch: PlannedBatch, batch_id: UUID, accounts: dict[int | None, UUID], event_id: UUID
) -> list[dict[str, Any]]:
    return [
        {
            "id": uuid4(),
            "batch": batch_id,
            "first": one.serial.first,
            "past": one.serial.last + 1,
            "account": accounts[one.holder],
            "status": "buffer" if one.holder is None else "held",
            "event": event_id,
        }
        for one in batch.ranges
    ]


_PERIOD = text(
    "SELECT p.*, j.adcode, j.number, j.proponent_id, j.programme_id, g.issuing_authority,"
    " r.input_digest, r.layers"
    " FROM period p JOIN project j ON j.id = p.project_id"
    " JOIN programme g ON g.id = j.programme_id AND g.version = j.programme_version"
    " JOIN assessment_run r ON r.id = p.run_id"
    " WHERE p.id = :id FOR UPDATE OF p, j"
)
_PARTIES = text(
    "SELECT id, kind FROM party WHERE id = ANY (:ids) ORDER BY division_code NULLS LAST, id"
)
_LAST_NUMBER = text("SELECT max(number) FROM batch WHERE project_id = :project")
_BATCH = text(
    "INSERT INTO batch (id, project_id, period_id, number, vintage, prefix, size_kg, buffer_kg,"
    " event_id) VALUES (:id, :project, :period, :number, :vintage, :prefix, :size, :buffer,"
    " :event)"
)
_RANGE = text(
    "INSERT INTO unit_range (id, batch_id, serials, account_id, status, opened_by)"
    " VALUES (:id, :batch, int8range(:first, :past), :account, :status, :event)"
)
_ISSUED = text("UPDATE period SET status = 'issued' WHERE id = :id")
