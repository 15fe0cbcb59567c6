"""Which accounts of the ledger options uses, and the bank statement rows that move money in them.

Money: ``world`` (outside) > ``escrow`` of a line > ``pool`` of a lot's vintage > ``payable`` to a
payee > ``world``.  All fen accounts but ``world`` together are the bank-supervised account, which
Tanhui mirrors and never holds.  Forecast: ``grown`` > ``first_level`` of the company > ``forecast``
of a line > back to ``grown`` when it is burned.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from options.refusals import BankReferenceError
from registry.db import Command
from registry.ledger import balance, open_account


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A row of the supervised account's statement: unique reference, exact amount, other side."""

    bank_reference: str
    amount_fen: int
    counterparty: str
    booked_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """One vintage of one lot: the key of its slots, its pool and its forecast."""

    lot_id: UUID
    vintage: int

    @property
    def ref(self) -> str:
        """The reference under which registry knows it."""
        return f"lot:{self.lot_id}:{self.vintage}"


def world(session: Session, lot_id: UUID) -> UUID:
    """Open the outside of the supervised account, as this lot meets it."""
    return open_account(session, "fen", "world", reference=f"lot:{lot_id}")


def escrow(session: Session, *, line_id: UUID, buyer_id: UUID) -> UUID:
    """Open the account of a line's own prepaid money."""
    return open_account(session, "fen", "escrow", party_id=buyer_id, reference=f"line:{line_id}")


def pool(session: Session, shelf: Shelf) -> UUID:
    """Open the account of earned money that a settlement shares out."""
    return open_account(session, "fen", "pool", reference=shelf.ref)


def reserve(session: Session, shelf: Shelf, type_: str) -> UUID:
    """Open the account of money set aside for one published type."""
    return open_account(session, "fen", "reserve", reference=f"{shelf.ref}:{type_}")


def insurance(session: Session, lot_id: UUID) -> UUID:
    """Open the account of insurance money received for a lot."""
    return open_account(session, "fen", "insurance", reference=f"lot:{lot_id}")


def hold_back(session: Session, lot_id: UUID) -> UUID:
    """Open the account of money a lot holds back for refunds."""
    return open_account(session, "fen", "hold_back", reference=f"lot:{lot_id}")


def payable(session: Session, reference: str, party_id: UUID | None) -> UUID:
    """Open the account of money on its way out to one payee."""
    return open_account(session, "fen", "payable", party_id=party_id, reference=reference)


def source_of(session: Session, asset: str) -> UUID:
    """Open the source that an asset comes from and is burned to."""
    kind = {"forecast_kg": "grown", "tree": "planted"}[asset]
    return open_account(session, asset, kind)


def first_level(session: Session, asset: str, *, company_id: UUID, shelf: Shelf) -> UUID:
    """Open the company's first-level account of a lot's vintage: pre-stored, not yet paid for."""
    return open_account(session, asset, "first_level", party_id=company_id, reference=shelf.ref)


def bought(session: Session, asset: str, *, line_id: UUID, buyer_id: UUID) -> UUID:
    """Open the account of what a buyer has paid for and not yet received."""
    kind = {"forecast_kg": "forecast", "tree": "right"}[asset]
    return open_account(session, asset, kind, party_id=buyer_id, reference=f"line:{line_id}")


def holding(session: Session, asset: str, party_id: UUID) -> UUID:
    """Open the account of what a party holds for good: verified kg, or trees."""
    return open_account(session, asset, "holding", party_id=party_id)


def held(session: Session, account_id: UUID) -> int:
    """Return the balance of an account."""
    return balance(session, account_id)


def use_statement(
    session: Session,
    command: Command,
    statement: Statement,
    *,
    direction: str,
    subject: tuple[str, UUID],
    event_id: UUID,
) -> None:
    """Write a statement row down as used; the database lets each be used once.

    Raises
    ------
    BankReferenceError
        It was used before.
    """
    row = {
        "id": uuid4(),
        "reference": statement.bank_reference,
        "direction": direction,
        "amount": statement.amount_fen,
        "counterparty": statement.counterparty,
        "booked_on": statement.booked_on,
        "subject_kind": subject[0],
        "subject_id": subject[1],
        "event": event_id,
        "actor": command.actor_id,
        "at": command.at,
    }
    if session.execute(_USE, row).first() is None:
        raise BankReferenceError(bank_reference=statement.bank_reference)


def used_before(
    session: Session, statement: Statement, *, direction: str, subject: tuple[str, UUID]
) -> UUID | None:
    """Return the event in which this very row was used for this very thing, or None.

    Raises
    ------
    BankReferenceError
        The reference was used for another thing or amount.
    """
    row = session.execute(_USED, {"reference": statement.bank_reference}).first()
    if row is None:
        return None
    same = (row.direction, row.amount_fen, row.subject_kind, row.subject_id)
    if same != (direction, statement.amount_fen, *subject):
        raise BankReferenceError(bank_reference=statement.bank_reference)
    found: UUID = row.event_id
    return found


_USE = text(
    "INSERT INTO bank_line (id, bank_reference, direction, amount_fen, counterparty, booked_on,"
    " subject_kind, subject_id, event_id, actor_id, effective_at)"
    " VALUES (:id, :reference, :direction, :amount, :counterparty, :booked_on, :subject_kind,"
    " :subject_id, :event, :actor, :at) ON CONFLICT (bank_reference) DO NOTHING RETURNING id"
)
_USED = text(
    "SELECT direction, amount_fen, subject_kind, subject_id, event_id FROM bank_line"
    " WHERE bank_reference = :reference"
)
