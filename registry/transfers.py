"""Transfer: units move from one holder to another, by amount or by serials.

The owner keeps the first sub-range, the receiver gets the last; lineage stays in ``parent_id``.
Only held units move: retired, cancelled and buffer units never do.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from registry import events, ledger, ranges
from registry.db import Command
from registry.errors import InvalidValueError, NotFoundError
from registry.ledger import Leg
from registry.ranges import Opened, Selection
from registry.unit_errors import HolderNotAllowedError

MAY_NOT_HOLD: Final = frozenset({"verifier", "bank"})
"""Kinds of party that stand outside the market they check or lend to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferUnits(Command):
    """Move units that ``holder_id`` holds to ``receiver_id``; a donation asks for nothing back."""

    holder_id: UUID
    receiver_id: UUID
    units: Selection
    reason: str = ""
    donation: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What moved: full serial ranges, ends inclusive."""

    event_id: UUID
    kg: int
    serials: list[str]


def transfer(session: Session, command: TransferUnits) -> Moved:
    """Move units between two holders.

    Raises
    ------
    NotFoundError : a party or serial that does not exist.
    HolderNotAllowedError : the receiver may not hold units.
    InvalidValueError : to oneself, or neither amount nor serials.
    InsufficientBalanceError, UnitNotHeldError : the holder does not hold what is asked.
    """
    if command.holder_id == command.receiver_id:
        raise InvalidValueError(field="receiver_id", value=command.receiver_id, why="≠ holder_id")
    require_holder(session, command.receiver_id)
    source = ledger.open_account(session, "kg", "holding", party_id=command.holder_id)
    target = ledger.open_account(session, "kg", "holding", party_id=command.receiver_id)
    pool = ranges.load_pool(session, source)
    pieces = ranges.take(session, pool, command.units)
    kg = sum(piece.kg for piece in pieces)
    event_id = events.record(
        session,
        command,
        kind="units.donated" if command.donation else "units.transferred",
        subject=("party", str(command.holder_id)),
        body={
            "to": command.receiver_id,
            "kg": kg,
            "ranges": ranges.in_words(pieces),
            "reason": command.reason,
        },
    )
    moved = [Opened(piece=piece, account_id=target, status="held") for piece in pieces]
    ranges.settle(session, event_id, [pool], moved, kept="held")
    ledger.post_legs(session, event_id, [Leg(source=source, target=target, amount=kg)])
    return Moved(event_id=event_id, kg=kg, serials=[str(piece.serial) for piece in pieces])


def require_holder(session: Session, party_id: UUID) -> None:
    """Raise unless the party exists and may hold units.

    Raises
    ------
    NotFoundError, HolderNotAllowedError.
    """
    kind = session.scalar(text("SELECT party_kind(:id)"), {"id": party_id})
    if kind is None:
        raise NotFoundError(what="party", id=party_id)
    if kind in MAY_NOT_HOLD:
        raise HolderNotAllowedError(why=kind)
