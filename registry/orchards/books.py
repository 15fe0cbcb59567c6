"""An orchard's book of a year: lines come in, the balance follows, another person approves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID, uuid4

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from registry import events, people
from registry.db import Command
from registry.errors import InvalidValueError, NotFoundError, WrongStateError
from registry.models import OrchardBook, OrchardBookDecision, OrchardLine
from registry.orchards import accounts, balances
from registry.orchards import lines as book_lines
from registry.orchards.balances import BalanceView
from registry.orchards.errors import (
    BookClosedError,
    BookEmptyError,
    LineInvalidError,
    LineReusedError,
    LineReversedError,
)
from registry.orchards.lines import LineEntry, LineView
from registry.refusals import NotApprovedByAnotherError

OPEN = frozenset({"draft", "returned"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AddLines(Command):
    """Enter lines of one year, usually one; from a phone, possibly again."""

    orchard_id: UUID
    year: int
    lines: Sequence[LineEntry]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseLine(Command):
    """Take a line back by a line of its own."""

    orchard_id: UUID
    year: int
    line_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitBook(Command):
    """Hand the year's book in."""

    orchard_id: UUID
    year: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideBook(Command):
    """Approve a book, return it with a reason, or open an approved one again with a reason."""

    orchard_id: UUID
    year: int
    decision: Literal["approve", "return", "reopen"]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookState:
    """A book as a verb left it, with the balance that follows from its lines.

    ``line_ids`` are the lines this command asked for, whether new or entered before.
    """

    orchard_id: UUID
    year: int
    status: str
    line_ids: tuple[UUID, ...]
    balance: BalanceView


@dataclass(frozen=True, slots=True, kw_only=True)
class BookDecisionView:
    """One step of a book's way."""

    decision: str
    reason: str
    actor_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BookView:
    """A year's book: every line ever written, the newest draft, what was approved, its way."""

    orchard_id: UUID
    year: int
    status: str
    lines: tuple[LineView, ...]
    draft: BalanceView | None
    approved: BalanceView | None
    decisions: tuple[BookDecisionView, ...]


def add_lines(session: Session, command: AddLines) -> BookState:
    """Enter lines and return the draft balance they make; a line entered before acts once.

    Raises
    ------
    BookClosedError : the book is submitted or approved.
    LineInvalidError, DomainError : a line that can never be counted; none is entered then.
    LineReusedError : a phone's number came back with another content.
    """
    orchard = accounts.locked(session, command.orchard_id)
    accounts.require_keeper(session, command, orchard)
    book = open_book(session, orchard.id, command.year)
    ids = tuple(enter(session, command, book, entry) for entry in command.lines)
    balance = redraft(session, command, book)
    _record(
        session,
        command,
        book,
        kind="orchard.lines",
        body={"lines": list(command.lines)},
        balance=balance,
    )
    return _state(book, ids, balance)


def reverse_line(session: Session, command: ReverseLine) -> BookState:
    """Write the reversal of a line; neither counts from then on.

    Raises
    ------
    NotFoundError, BookClosedError
    LineReversedError : it was reversed before, or is a reversal.
    """
    if not command.reason:
        raise InvalidValueError(field="reason", value="", why="冲销须说明原因 say why")
    orchard = accounts.locked(session, command.orchard_id)
    accounts.require_keeper(session, command, orchard)
    book = open_book(session, orchard.id, command.year)
    line = session.get(OrchardLine, command.line_id)
    if line is None or (line.orchard_id, line.year) != (orchard.id, command.year):
        raise NotFoundError(what="line", id=command.line_id)
    again = select(OrchardLine.id).where(OrchardLine.reverses_id == line.id)
    if line.reverses_id is not None or session.scalar(again) is not None:
        raise LineReversedError(line=str(line.id))
    if line.client_id.startswith(VOUCHER):
        raise LineInvalidError(field="client_id", value=line.client_id, needs="!= RWD")
    made = _copy(line, command)
    session.add(made)
    session.flush()
    balance = redraft(session, command, book)
    body = {"line": line.id, "reason": command.reason}
    _record(session, command, book, kind="orchard.line_reversed", body=body, balance=balance)
    return _state(book, (made.id,), balance)


VOUCHER = "RWD-"
"""Client numbers of lines that redeemed fertiliser became: they stand on a voucher."""


def submit_book(session: Session, command: SubmitBook) -> BookState:
    """Hand the book in.

    Raises
    ------
    BookEmptyError : no line counts.
    WrongStateError : it is submitted or approved.
    """
    orchard = accounts.locked(session, command.orchard_id)
    accounts.require_keeper(session, command, orchard)
    book = _locked_book(session, orchard.id, command.year)
    if book.status not in OPEN:
        raise WrongStateError(what="book", state=book.status, needs="/".join(sorted(OPEN)))
    if not any(line.counts for line in lines_of(session, orchard.id, command.year)):
        raise BookEmptyError(year=command.year, name=orchard.name)
    book.status, book.submitted_by = "submitted", command.actor_id
    balance = redraft(session, command, book)
    _decide(session, command, book, decision="submit", reason="", balance_id=None)
    _record(session, command, book, kind="orchard.book_submitted", body={}, balance=balance)
    return _state(book, (), balance)


def decide_book(session: Session, command: DecideBook) -> BookState:
    """Decide on a submitted book; approval keeps the balance with its factors as they stand now.

    Raises
    ------
    NotApprovedByAnotherError : who submitted approves.
    WrongStateError : it is not submitted (or, to open again, not approved).
    InvalidValueError : a return without a reason.
    """
    people.require_role(session, command, "county")
    if command.decision != "approve" and not command.reason:
        raise InvalidValueError(field="reason", value="", why="退回须说明原因 say why")
    orchard = accounts.locked(session, command.orchard_id)
    book = _locked_book(session, orchard.id, command.year)
    needs = "approved" if command.decision == "reopen" else "submitted"
    if book.status != needs or book.submitted_by is None:
        raise WrongStateError(what="book", state=book.status, needs=needs)
    if command.decision == "approve" and book.submitted_by == command.actor_id:
        raise NotApprovedByAnotherError(year=command.year)
    kind = "approved" if command.decision == "approve" else "draft"
    balance = redraft(session, command, book, kind=kind)
    book.status = "approved" if command.decision == "approve" else "returned"
    kept = balance.id if kind == "approved" else None
    _decide(
        session,
        command,
        book,
        decision=command.decision,
        reason=command.reason,
        balance_id=kept,
    )
    body = {"decision": command.decision, "reason": command.reason}
    _record(session, command, book, kind="orchard.book_decided", body=body, balance=balance)
    return _state(book, (), balance)


def book_view(session: Session, orchard_id: UUID, year: int) -> BookView:
    """Return a year's book; an unwritten one is an empty draft."""
    book = session.get(OrchardBook, (orchard_id, year))
    way = session.scalars(
        select(OrchardBookDecision)
        .where(OrchardBookDecision.orchard_id == orchard_id, OrchardBookDecision.year == year)
        .order_by(OrchardBookDecision.recorded_at)
    )
    return BookView(
        orchard_id=orchard_id,
        year=year,
        status=book.status if book else "draft",
        lines=lines_of(session, orchard_id, year),
        draft=balances.latest(session, orchard_id, year, "draft"),
        approved=balances.latest(session, orchard_id, year, "approved"),
        decisions=tuple(
            BookDecisionView(decision=x.decision, reason=x.reason, actor_id=x.actor_id) for x in way
        ),
    )


def years_of(session: Session, orchard_id: UUID) -> tuple[int, ...]:
    """Return the years an account has a book of."""
    query = select(OrchardBook.year).where(OrchardBook.orchard_id == orchard_id)
    return tuple(session.scalars(query.order_by(OrchardBook.year)))


def lines_of(session: Session, orchard_id: UUID, year: int) -> tuple[LineView, ...]:
    """Return every line of a book by date, each with whether it counts."""
    query = select(OrchardLine).where(
        OrchardLine.orchard_id == orchard_id, OrchardLine.year == year
    )
    rows = session.scalars(query.order_by(OrchardLine.on_date, OrchardLine.recorded_at)).all()
    reversed_ids = {row.reverses_id for row in rows if row.reverses_id is not None}
    return tuple(
        book_lines.view(row, counts=row.reverses_id is None and row.id not in reversed_ids)
        for row in rows
    )


def open_book(session: Session, orchard_id: UUID, year: int) -> OrchardBook:
    """Return a book that takes lines, begun now if there is none, locked.

    Raises
    ------
    BookClosedError : it is submitted or approved.
    """
    session.execute(_BEGIN, {"orchard": orchard_id, "year": year})
    book = _locked_book(session, orchard_id, year)
    if book.status not in OPEN:
        raise BookClosedError(year=year, state=book.status)
    return book


def enter(session: Session, command: Command, book: OrchardBook, entry: LineEntry) -> UUID:
    """Write one line, or find it written; the caller holds the book."""
    book_lines.check(entry, book.year)
    query = select(OrchardLine).where(
        OrchardLine.orchard_id == book.orchard_id,
        OrchardLine.year == book.year,
        OrchardLine.client_id == entry.client_id,
    )
    kept = session.scalar(query)
    if kept is not None:
        if not book_lines.same(entry, kept):
            raise LineReusedError(client_id=entry.client_id, year=book.year)
        return kept.id
    if entry.parcel_id is not None:
        held = accounts.orchard_view(session, book.orchard_id, year=book.year)
        if entry.parcel_id not in {plot.parcel_id for plot in held.plots}:
            raise LineInvalidError(
                field="parcel_id", value=str(entry.parcel_id), needs=f"{held.name} {book.year}"
            )
    made = book_lines.row(
        entry,
        id=uuid4(),
        orchard_id=book.orchard_id,
        year=book.year,
        reason="",
        actor_id=command.actor_id,
        effective_at=command.at,
    )
    session.add(made)
    session.flush()
    return made.id


def redraft(
    session: Session, command: Command, book: OrchardBook, *, kind: str = "draft"
) -> BalanceView:
    """Compute the balance of the lines as they stand and keep it."""
    session.flush()
    held = accounts.orchard_view(session, book.orchard_id, year=book.year)
    lines = lines_of(session, book.orchard_id, book.year)
    plan = balances.plan_balance(held, book.year, lines, kind=kind)
    before = balances.latest(session, book.orchard_id, book.year, kind)
    if kind == "draft" and before is not None and before.input_digest == plan.input_digest:
        return before
    return balances.keep(session, command, plan)


def _locked_book(session: Session, orchard_id: UUID, year: int) -> OrchardBook:
    query = select(OrchardBook).where(
        OrchardBook.orchard_id == orchard_id, OrchardBook.year == year
    )
    book = session.scalar(query.with_for_update().execution_options(populate_existing=True))
    if book is None:
        raise NotFoundError(what="book", id=f"{orchard_id} {year}")
    return book


def _copy(line: OrchardLine, command: ReverseLine) -> OrchardLine:
    """Return the reversal of a line: the same words, pointing at it."""
    same = (
        "orchard_id",
        "year",
        "kind",
        "product",
        "quantity",
        "unit",
        "n_kg",
        "p2o5_kg",
        "k2o_kg",
        "area_share",
        "premium_kg",
        "on_date",
        "parcel_id",
        "evidence",
        "photo_sha256",
    )
    return OrchardLine(
        **{name: getattr(line, name) for name in same},
        id=uuid4(),
        client_id=f"reversal:{line.id}",
        reverses_id=line.id,
        reason=command.reason,
        actor_id=command.actor_id,
        effective_at=command.at,
    )


def _decide(
    session: Session,
    command: Command,
    book: OrchardBook,
    *,
    decision: str,
    reason: str,
    balance_id: UUID | None,
) -> None:
    session.add(
        OrchardBookDecision(
            id=uuid4(),
            orchard_id=book.orchard_id,
            year=book.year,
            decision=decision,
            reason=reason,
            submitted_by=book.submitted_by,
            balance_id=balance_id,
            actor_id=command.actor_id,
            effective_at=command.at,
        )
    )
    session.flush()


def _record(
    session: Session,
    command: Command,
    book: OrchardBook,
    *,
    kind: str,
    body: Mapping[str, object],
    balance: BalanceView,
) -> None:
    events.record(
        session,
        command,
        kind=kind,
        subject=("orchard", str(book.orchard_id)),
        body={
            **body,
            "year": book.year,
            "balance": {
                "id": balance.id,
                "digest": balance.input_digest,
                "e_kg": balance.e_kg,
                "s_kg": balance.s_kg,
                "net_kg": balance.net_kg,
            },
        },
    )


def _state(book: OrchardBook, ids: tuple[UUID, ...], balance: BalanceView) -> BookState:
    return BookState(
        orchard_id=book.orchard_id,
        year=book.year,
        status=book.status,
        line_ids=ids,
        balance=balance,
    )


_BEGIN = text(
    "INSERT INTO orchard_book (orchard_id, year) VALUES (:orchard, :year) ON CONFLICT DO NOTHING"
)
