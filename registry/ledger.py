"""The ledger: kilograms, forecast kilograms, fen and trees in one book of double entries.

A movement is one row (source, target, amount > 0), so all balances of an asset sum to zero by
construction.  Only the database function ``post_legs`` moves a balance: accounts locked in id
order, nothing below zero except the sources of an asset.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

from psycopg import errors as pg
from sqlalchemy import Engine, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from registry import events
from registry.canonical import digest
from registry.db import RETRIES, Command, lane
from registry.errors import KeyReusedError
from registry.unit_errors import (
    InsufficientBalanceError,
    LegsOfTwoAssetsError,
    SlotsUnknownError,
    SoldOutError,
    refusals,
)

SOURCES: Final = frozenset({"issued", "grown", "planted", "world"})
"""Kinds of account that stand for the outside world: they may owe."""

REASONS: Final = {
    "ck_account_never_negative": InsufficientBalanceError,
    "legs_of_one_asset": LegsOfTwoAssetsError,
    "slot_sold_out": SoldOutError,
    "slot_unknown": SlotsUnknownError,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One movement between two accounts of one asset; ``amount`` is an integer above zero."""

    source: UUID
    target: UUID
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """A quantity taken from the slots of ``owner_ref`` in the same act."""

    owner_ref: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """The answer of an act of the ledger: its event, and whether this was a repeat."""

    event_id: UUID
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What one account holds."""

    account_id: UUID
    asset: str
    kind: str
    party_id: UUID | None
    reference: str | None
    amount: int


def open_account(
    session: Session,
    asset: str,
    kind: str,
    *,
    party_id: UUID | None = None,
    reference: str | None = None,
) -> UUID:
    """Return the account of this place, opened now if there is none.

    Two writers at once get the same account: the loser of the insert waits and reads.
    """
    place = {"asset": asset, "kind": kind, "party": party_id, "reference": reference}
    fresh = {"fresh": uuid4(), "owes": kind in SOURCES}
    found = session.scalar(_ACCOUNT_AT, place | fresh)
    assert isinstance(found, UUID)  # noqa: S101 -- inserted by us or by the one we waited for
    return found


def post_legs(session: Session, event_id: UUID, legs: Sequence[Leg]) -> None:
    """Move ``legs`` under an event of this transaction; many legs are one call.

    Raises
    ------
    InsufficientBalanceError : ``account``, ``asked``, ``has``.
    LegsOfTwoAssetsError : ``source``, ``target``.
    """
    if not legs:
        return
    with refusals(dict(REASONS)):
        session.execute(_LEGS, {"event": event_id, "legs": _plain_legs(legs)})


def post(
    session: Session,
    command: Command,
    *,
    kind: str,
    subject: tuple[str, str],
    body: dict[str, object],
    legs: Sequence[Leg],
) -> UUID:
    """Record an event and move its legs in the caller's transaction; return the event's id."""
    event_id = events.record(
        session, command, kind=kind, subject=subject, body=body | {"legs": _plain_legs(legs)}
    )
    post_legs(session, event_id, legs)
    return event_id


def post_once(
    engine: Engine,
    command: Command,
    *,
    kind: str,
    subject: tuple[str, str],
    body: dict[str, object],
    legs: Sequence[Leg],
    takes: Sequence[Take] = (),
) -> Posted:
    """Do a whole act in one statement that commits: key, event, takes and legs in one round trip.

    A repeat of the same request writes nothing and returns the first event.

    Raises
    ------
    KeyReusedError : the key was used for another request.
    InsufficientBalanceError, LegsOfTwoAssetsError, SoldOutError : nothing was written.
    """
    moved = _plain_legs(legs)
    taken = [{"owner": take.owner_ref, "quantity": take.quantity} for take in takes]
    made = events.envelope(
        command, kind=kind, subject=subject, body=body | {"legs": moved, "takes": taken}
    )
    request_hash = digest(
        {"post": kind, "subject": subject, "body": body, "legs": moved, "takes": taken}
    )
    row = _call(
        engine,
        (
            command.actor_id,
            command.key,
            request_hash,
            made.id,
            made.kind,
            made.subject_kind,
            made.subject_id,
            made.text,
            command.at,
            json.dumps(moved),
            json.dumps(taken),
            json.dumps({"event_id": str(made.id)}),
        ),
    )
    replayed, stored_hash, answer = row
    if bytes(stored_hash) != request_hash:
        raise KeyReusedError(key=command.key)
    return Posted(event_id=UUID(json.loads(answer)["event_id"]), replayed=replayed)


def balance(session: Session, account_id: UUID) -> int:
    """Return what an account holds now."""
    found = session.scalar(text("SELECT balance FROM account WHERE id = :id"), {"id": account_id})
    return int(found or 0)


def balances(
    session: Session, *, asset: str | None = None, party_id: UUID | None = None
) -> tuple[Balance, ...]:
    """Return accounts with their balances, of one asset or party if given, by asset and kind."""
    rows = session.execute(_BALANCES, {"asset": asset, "party": party_id})
    return tuple(
        Balance(
            account_id=row.id,
            asset=row.asset,
            kind=row.kind,
            party_id=row.party_id,
            reference=row.reference,
            amount=row.balance,
        )
        for row in rows
    )


def trial_balance(session: Session) -> dict[str, int]:
    """Return the sum of all balances by asset; each is 0 as long as the books are whole."""
    return {row.asset: int(row.total) for row in session.execute(_TRIAL)}


def drift(session: Session) -> tuple[UUID, ...]:
    """Return accounts whose balance is not the sum of their entries; empty on a whole book."""
    return tuple(session.scalars(_DRIFT))


def _plain_legs(legs: Sequence[Leg]) -> list[dict[str, Any]]:
    return [
        {"source": str(leg.source), "target": str(leg.target), "amount": leg.amount} for leg in legs
    ]


def _call(engine: Engine, values: tuple[object, ...]) -> tuple[bool, bytes, str]:
    for round_ in range(RETRIES):
        connection = lane(engine).raw_connection()
        driver: Any = connection.driver_connection
        try:
            with refusals(dict(REASONS)):
                answer: tuple[bool, bytes, str] = driver.execute(
                    _POST, values, prepare=True
                ).fetchone()
        except pg.OperationalError as error:
            # A lost connection is safe to ask again: the key makes the act happen once.
            again = driver.broken or isinstance(error, pg.DeadlockDetected)
            if driver.broken:
                connection.invalidate()
            if not again or round_ == RETRIES - 1:
                raise
        else:
            return answer
        finally:
            connection.close()
    raise AssertionError


_POST = (
    "SELECT replayed, stored_hash, body FROM"
    " post(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s::jsonb, %s)"
)
_ACCOUNT_AT = text(
    "SELECT account_at(cast(:asset AS text), cast(:kind AS text), cast(:party AS uuid),"
    " cast(:reference AS text), cast(:fresh AS uuid), :owes)"
)
_LEGS = text("SELECT post_legs(:event, :legs)").bindparams(bindparam("legs", type_=JSONB))
_BALANCES = text(
    "SELECT id, asset, kind, party_id, reference, balance FROM account"
    " WHERE (cast(:asset AS text) IS NULL OR asset = :asset)"
    " AND (cast(:party AS uuid) IS NULL OR party_id = :party)"
    " ORDER BY asset, kind, party_id, reference"
)
_TRIAL = text("SELECT asset, sum(balance) AS total FROM account GROUP BY asset ORDER BY asset")
_DRIFT = text(
    "SELECT a.id FROM account a LEFT JOIN ("
    "  SELECT id, sum(amount) AS total FROM ("
    "    SELECT target_id AS id, amount FROM entry"
    "    UNION ALL SELECT source_id, -amount FROM entry) m GROUP BY id) e ON e.id = a.id"
    " WHERE a.balance <> coalesce(e.total, 0)"
)
