"""Retirement: units are used for good, for someone and for a purpose; nothing brings them back."""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from registry import events, ledger, ranges
from registry.db import Command
from registry.errors import InvalidValueError
from registry.ledger import Leg
from registry.ranges import Opened, Piece, Selection

Purpose = Literal[
    "corporate_targets",
    "public_environmental_claims",
    "insetting",
    "regulatory_requirement",
    "other",
]
BeneficiaryKind = Literal["enterprise", "person", "government", "event", "other"]
NOTE_LENGTH_MAX = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireUnits(Command):
    """Retire units that ``holder_id`` holds, on behalf of a beneficiary."""

    holder_id: UUID
    units: Selection
    beneficiary: str
    beneficiary_kind: BeneficiaryKind
    beneficiary_location: str
    purpose: Purpose
    reporting_period: str
    note: str = ""
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """A retirement: its number, kilograms and full serial ranges."""

    retirement_id: UUID
    number: str
    event_id: UUID
    kg: int
    serials: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelBuffer(Command):
    """Cancel buffer units of a project after a reversal (kg above what remains creditable)."""

    project_id: UUID
    kg: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BufferCancelled:
    """What the buffer could cover and what is missing: project debt that blocks issuance."""

    event_id: UUID
    cancelled_kg: int
    short_kg: int
    serials: list[str]


def retire(session: Session, command: RetireUnits) -> Retired:
    """Retire units.

    Raises
    ------
    InvalidValueError : no beneficiary, or a note that is too long.
    InsufficientBalanceError, UnitNotHeldError : the holder does not hold what is asked; a
        forecast is no unit and cannot be found among them.
    """
    _check(command)
    source = ledger.open_account(session, "kg", "holding", party_id=command.holder_id)
    target = ledger.open_account(session, "kg", "retired", party_id=command.holder_id)
    pool = ranges.load_pool(session, source)
    pieces = ranges.take(session, pool, command.units)
    kg = sum(piece.kg for piece in pieces)
    number = f"RET-{command.at.year:04d}-{_next_number(session, command.at.year):06d}"
    words = [str(piece.serial) for piece in pieces]
    event_id = _record(session, command, number, pieces, kg)
    moved = [Opened(piece=piece, account_id=target, status="retired") for piece in pieces]
    ranges.settle(session, event_id, [pool], moved, kept="held")
    ledger.post_legs(session, event_id, [Leg(source=source, target=target, amount=kg)])
    retirement_id = uuid4()
    session.execute(
        _INSERT, _row(command, retirement_id, number, event_id) | {"kg": kg, "serials": words}
    )
    return Retired(
        retirement_id=retirement_id, number=number, event_id=event_id, kg=kg, serials=words
    )


def cancel_buffer(session: Session, command: CancelBuffer) -> BufferCancelled:
    """Cancel up to ``kg`` of a project's buffer units; what is missing is said, never hidden.

    Raises
    ------
    InvalidValueError : an amount below one.
    """
    if command.kg < 1:
        raise InvalidValueError(field="kg", value=command.kg, why="> 0")
    reference = str(command.project_id)
    source = ledger.open_account(session, "kg", "buffer", reference=reference)
    target = ledger.open_account(session, "kg", "cancelled", reference=reference)
    pool = ranges.load_pool(session, source)
    covered = min(command.kg, sum(piece.kg for piece in pool.left))
    pieces = ranges.take(session, pool, Selection(kg=covered)) if covered else []
    event_id = events.record(
        session,
        command,
        kind="buffer.cancelled",
        subject=("project", reference),
        body={
            "kg": covered,
            "short_kg": command.kg - covered,
            "ranges": ranges.in_words(pieces),
            "reason": command.reason,
        },
    )
    moved = [Opened(piece=piece, account_id=target, status="cancelled") for piece in pieces]
    ranges.settle(session, event_id, [pool], moved, kept="buffer")
    if covered:
        ledger.post_legs(session, event_id, [Leg(source=source, target=target, amount=covered)])
    return BufferCancelled(
        event_id=event_id,
        cancelled_kg=covered,
        short_kg=command.kg - covered,
        serials=[str(piece.serial) for piece in pieces],
    )


def _check(command: RetireUnits) -> None:
    if not command.beneficiary.strip():
        raise InvalidValueError(field="beneficiary", value="", why="必填 required")
    if len(command.note) > NOTE_LENGTH_MAX:
        raise InvalidValueError(field="note", value=len(command.note), why=f"≤ {NOTE_LENGTH_MAX}")


def _next_number(session: Session, year: int) -> int:
    """Return the year's next retirement number; two writers queue on the year's lock."""
    session.execute(_NUMBER_LOCK, {"year": year})
    return int(session.scalar(_LAST, {"year": year}) or 0) + 1


def _record(
    session: Session, command: RetireUnits, number: str, pieces: list[Piece], kg: int
) -> UUID:
    return events.record(
        session,
        command,
        kind="units.retired",
        subject=("party", str(command.holder_id)),
        body={
            "number": number,
            "kg": kg,
            "ranges": ranges.in_words(pieces),
            "beneficiary": command.beneficiary,
            "beneficiary_kind": command.beneficiary_kind,
            "purpose": command.purpose,
            "reporting_period": command.reporting_period,
        },
    )


def _row(command: RetireUnits, retirement_id: UUID, number: str, event_id: UUID) -> dict[str, Any]:
    return {
        "id": retirement_id,
        "number": number,
        "holder": command.holder_id,
        "beneficiary": command.beneficiary,
        "kind": command.beneficiary_kind,
        "location": command.beneficiary_location,
        "purpose": command.purpose,
        "period": command.reporting_period,
        "note": command.note,
        "reference": command.reference,
        "event": event_id,
        "at": command.at,
    }


_NUMBER_LOCK = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('retirement:' || CAST(:year AS text), 0))"
)
_LAST = text("SELECT last_retirement_number(:year)")
_INSERT = text(
    "INSERT INTO retirement (id, number, holder_id, beneficiary, beneficiary_kind,"
    " beneficiary_location, purpose, reporting_period, note, reference, kg, serials, event_id,"
    " effective_at) VALUES (:id, :number, :holder, :beneficiary, :kind, :location, :purpose,"
    " :period, :note, :reference, :kg, :serials, :event, :at)"
).bindparams(bindparam("serials", type_=JSONB))
