"""Settlement of a lot's vintage, run by run: drafted, checked, approved by two, paid, published.

Every step is one transaction: a killed process leaves whole steps only, and the same key completes
the step that was cut off exactly once.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from options import books, outside, settlement_store
from options.books import Shelf, Statement
from options.calendar import beijing_day, deadline
from options.errors import PaymentAmountError
from options.lot_store import load, waterfall_of
from options.machines import SETTLEMENT, require_two_persons, transition
from options.models import Lot, Settlement, SettlementLine, SettlementPayment
from options.refusals import (
    BankAccountKindError,
    ReviewerError,
    SettlementLineError,
    SettlementOpenError,
)
from options.settlement_store import Payee, lines_of, load_settlement
from options.waterfall import Deduction, Reserve, SettlementPlan, plan_settlement
from registry import events
from registry.canonical import digest, plain
from registry.db import Command
from registry.ledger import Leg, post_legs

PUBLISH_DAYS: Final = 5
"""A settlement is published within five days of its return (Zhejiang rules, 25)."""
OPEN_STATES: Final = ("DRAFT", "CHECKED", "APPROVED")
COLLECTIVE_ACCOUNTS: Final = frozenset({"basic", "general"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """Money to hold back for a published type until its voucher comes."""

    type: str
    amount_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSettlement(Command):
    """Draft the next run of a lot's vintage, or draft the open one again."""

    lot_id: UUID
    vintage: int
    deductions: tuple[Deduction, ...] = ()
    set_aside: tuple[SetAside, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementCommand(Command):
    """A step of a settlement: check, reopen, approve, start payment."""

    settlement_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmSettlementPayment(Command):
    """One transfer of the bank: the lines it paid and the row of the statement."""

    settlement_id: UUID
    lines: tuple[int, ...]
    statement: Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishSettlement(Command):
    """Publish the statement; ``document_sha256`` is what was put up."""

    settlement_id: UUID
    document_sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """A payee of a run; ``paid`` when the bank confirmed."""

    n: int
    kind: str
    type: str
    voucher: str
    payee_id: UUID | None
    payee_name: str
    units: int
    amount_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementState:
    """A run after a step: sums of the identity, and its lines."""

    settlement_id: UUID
    lot_id: UUID
    vintage: int
    run: int
    revision: int
    state: str
    escrow_in_fen: int
    refunds_fen: int
    gross_fen: int
    taxes_fen: int
    insurance_fen: int
    costs_fen: int
    reserves_brought_fen: int
    reserves_held_fen: int
    advance_recouped_fen: int
    returned_fen: int
    remainder_fen: int
    escrow_balance_fen: int
    publish_by: date | None
    lines: tuple[LineView, ...]
    event_id: UUID


def draft(session: Session, command: DraftSettlement) -> SettlementState:
    """Plan a run from the books as they stand and write it with its lines.

    Raises
    ------
    NothingToSettleError
        Nothing earned since the last run.
    SettlementOpenError
        The last run is checked or approved already.
    OptionsError
        A reason of ``waterfall.check_settlement``.
    """
    lot = load(session, command.lot_id)
    shelf = Shelf(lot_id=lot.id, vintage=command.vintage)
    found = _open(session, lot, shelf)
    run = found.run if found else _next_run(session, shelf)
    given = settlement_store.gather(
        session,
        lot,
        shelf,
        deductions=command.deductions,
        set_aside=[Reserve(type=s.type, set_aside_fen=s.amount_fen) for s in command.set_aside],
        run=run,
    )
    plan = plan_settlement(waterfall_of(lot), given)
    inputs = plain(given)
    assert isinstance(inputs, dict)  # noqa: S101 -- a dataclass becomes a mapping
    if found is None:
        found = Settlement(
            id=uuid4(),
            lot_id=lot.id,
            vintage=command.vintage,
            run=run,
            revision=0,
            state=SETTLEMENT.initial,
            prepared_by=command.actor_id,
        )
        session.add(found)
    found.revision += 1
    found.inputs, found.input_digest = inputs, digest(inputs)
    found.prepared_by, found.effective_at = command.actor_id, command.at
    for name, value in settlement_store.columns(plan).items():
        setattr(found, name, value)
    session.flush()
    _write_lines(session, lot, found, plan, command)
    return _record(session, command, found, "draft")


def check(session: Session, command: SettlementCommand) -> SettlementState:
    """Confirm a draft; by another person than the one who prepared it.

    Raises
    ------
    ReviewerError, TransitionRefusedError
    """
    found = load_settlement(session, command.settlement_id)
    if found.state == "DRAFT" and found.prepared_by == command.actor_id:
        raise ReviewerError(lot=found.id)
    found.state = transition(SETTLEMENT, found.state, "check")
    found.checked_by = command.actor_id
    return _record(session, command, found, "check")


def reopen(session: Session, command: SettlementCommand) -> SettlementState:
    """Send a checked run back to be drafted again; approvals given so far fall away."""
    found = load_settlement(session, command.settlement_id)
    found.state = transition(SETTLEMENT, found.state, "reopen")
    found.checked_by, found.approved_by = None, []
    return _record(session, command, found, "reopen")


def approve(session: Session, command: SettlementCommand) -> SettlementState:
    """Approve; the run is approved when two different persons have, neither its preparer.

    Raises
    ------
    ApproverError
        The same person a second time.
    ReviewerError
        The preparer.
    """
    found = load_settlement(session, command.settlement_id)
    after = transition(SETTLEMENT, found.state, "approve")
    if found.prepared_by == command.actor_id:
        raise ReviewerError(lot=found.id)
    given = [*found.approved_by, str(command.actor_id)]
    if len(given) > 1:
        require_two_persons(given)
        found.state = after
    found.approved_by = given
    return _record(session, command, found, "approve")


def start_payment(session: Session, command: SettlementCommand) -> SettlementState:
    """Move the money from the pool to what is payable to each; refused for a private account.

    Raises
    ------
    BankAccountKindError
        A collective without its own basic or general account.
    InsufficientBalanceError
        The pool holds less than at drafting.
    """
    found = load_settlement(session, command.settlement_id)
    found.state = transition(SETTLEMENT, found.state, "start_payment")
    lines = lines_of(session, found)
    _require_own_accounts(session, lines)
    done = _record(session, command, found, "start_payment")
    post_legs(session, done.event_id, _payment_legs(session, found, lines))
    if all(line.kind == "reserve" for line in lines):
        return _returned(session, command, found)
    return done


def confirm_payment(session: Session, command: ConfirmSettlementPayment) -> SettlementState:
    """Book one transfer of the bank; the last one makes the run RETURNED.

    Raises
    ------
    PaymentAmountError
        The transfer is not the sum of its lines.
    SettlementLineError
        A line that is not there, or paid already.
    BankReferenceError, TransitionRefusedError
    """
    found = load_settlement(session, command.settlement_id)
    sent, subject = command.statement, ("settlement", found.id)
    if books.used_before(session, sent, direction="out", subject=subject) is not None:
        return _state(session, found, _last_event(session, sent.bank_reference))
    after = transition(SETTLEMENT, found.state, "confirm_payment")
    lines = _to_confirm(session, found, command.lines)
    due_fen = sum(line.amount_fen for line in lines)
    if due_fen != sent.amount_fen:
        raise PaymentAmountError(
            due_fen=due_fen, paid_fen=sent.amount_fen, difference_fen=sent.amount_fen - due_fen
        )
    kinds = _require_own_accounts(session, lines)
    done = _record(session, command, found, "confirm_payment")
    books.use_statement(
        session, command, sent, direction="out", subject=subject, event_id=done.event_id
    )
    world = books.world(session, found.lot_id)
    post_legs(
        session,
        done.event_id,
        [
            Leg(source=_payable(session, found, line), target=world, amount=line.amount_fen)
            for line in lines
        ],
    )
    session.add_all(
        SettlementPayment(
            settlement_id=found.id,
            revision=found.revision,
            n=line.n,
            amount_fen=line.amount_fen,
            bank_reference=sent.bank_reference,
            account_kind=kinds.get(line.through_id or line.payee_id, ""),
            event_id=done.event_id,
            effective_at=command.at,
        )
        for line in lines
    )
    session.flush()
    if after == "RETURNED" and not _unpaid(session, found):
        return _returned(session, command, found)
    return done


def publish(session: Session, command: PublishSettlement) -> SettlementState:
    """Put the run's statement up."""
    found = load_settlement(session, command.settlement_id)
    found.state = transition(SETTLEMENT, found.state, "publish")
    found.document_sha256, found.published_at = command.document_sha256, command.at
    return _record(session, command, found, "publish")


def _open(session: Session, lot: Lot, shelf: Shelf) -> Settlement | None:
    query = (
        select(Settlement)
        .where(
            Settlement.lot_id == shelf.lot_id,
            Settlement.vintage == shelf.vintage,
            Settlement.state.in_(OPEN_STATES),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = session.scalar(query)
    if found is not None and found.state != "DRAFT":
        raise SettlementOpenError(lot=lot.number, vintage=shelf.vintage)
    return found


def _next_run(session: Session, shelf: Shelf) -> int:
    query = select(func.coalesce(func.max(Settlement.run), 0)).where(
        Settlement.lot_id == shelf.lot_id, Settlement.vintage == shelf.vintage
    )
    return int(session.scalar(query) or 0) + 1


def _write_lines(
    session: Session,
    lot: Lot,
    found: Settlement,
    plan: SettlementPlan,
    command: DraftSettlement,
) -> None:
    _, cards = settlement_store.suppliers(session, lot.id)
    company = outside.party(session, lot.company_id)
    rows: list[Payee] = list(settlement_store.payees(plan, lot, command.deductions, cards, company))
    session.add_all(
        SettlementLine(
            settlement_id=found.id,
            revision=found.revision,
            n=n,
            kind=row.kind,
            type=row.type,
            voucher=row.voucher,
            payee_id=row.party_id,
            payee_name=row.name,
            through_id=row.through_id,
            units=row.units,
            amount_fen=row.amount_fen,
        )
        for n, row in enumerate(rows, start=1)
    )
    session.flush()


def _require_own_accounts(
    session: Session, lines: tuple[SettlementLine, ...]
) -> dict[UUID | None, str]:
    # a household's money goes through the account of its village
    receivers = {
        line.through_id or line.payee_id
        for line in lines
        if line.kind in {"village", "household"} and line.amount_fen
    }
    ids = sorted(i for i in receivers if i is not None)
    kinds: dict[UUID | None, str] = {
        i: card.kind or "" for i, card in outside.accounts(session, ids).items()
    }
    for card in outside.parties(session, ids).values():
        if kinds.get(card.id) not in COLLECTIVE_ACCOUNTS:
            raise BankAccountKindError(party=card.name, kind=kinds.get(card.id) or "-")
    return kinds


def _payable(session: Session, found: Settlement, line: SettlementLine) -> UUID:
    return books.payable(session, f"settlement:{found.id}:{line.n}", line.payee_id)


def _payment_legs(
    session: Session, found: Settlement, lines: tuple[SettlementLine, ...]
) -> list[Leg]:
    shelf = Shelf(lot_id=found.lot_id, vintage=found.vintage)
    pool = books.pool(session, shelf)
    legs = [
        Leg(
            source=books.reserve(session, shelf, str(row["type"])),
            target=pool,
            amount=int(row["brought_forward_fen"]),
        )
        for row in found.inputs["reserves"]
        if row["brought_forward_fen"]
    ]
    for line in lines:
        if line.amount_fen:
            target = (
                books.reserve(session, shelf, line.type)
                if line.kind == "reserve"
                else _payable(session, found, line)
            )
            legs.append(Leg(source=pool, target=target, amount=line.amount_fen))
    return legs


def _to_confirm(
    session: Session, found: Settlement, wanted: tuple[int, ...]
) -> tuple[SettlementLine, ...]:
    unpaid = {line.n: line for line in _unpaid(session, found)}
    if not wanted or len(set(wanted)) != len(wanted):
        raise SettlementLineError(n=wanted[0] if wanted else 0)
    for n in wanted:
        if n not in unpaid:
            raise SettlementLineError(n=n)
    return tuple(unpaid[n] for n in wanted)


def _unpaid(session: Session, found: Settlement) -> list[SettlementLine]:
    done = set(
        session.scalars(
            select(SettlementPayment.n).where(
                SettlementPayment.settlement_id == found.id,
                SettlementPayment.revision == found.revision,
            )
        )
    )
    return [
        line
        for line in lines_of(session, found)
        if line.kind != "reserve" and line.amount_fen and line.n not in done
    ]


def _returned(session: Session, command: Command, found: Settlement) -> SettlementState:
    found.state = transition(SETTLEMENT, found.state, "confirm_payment")
    found.returned_at = command.at
    found.publish_by = deadline(beijing_day(command.at), PUBLISH_DAYS)
    return _record(session, command, found, "returned")


def _last_event(session: Session, bank_reference: str) -> UUID:
    query = select(SettlementPayment.event_id).where(
        SettlementPayment.bank_reference == bank_reference
    )
    found = session.scalars(query).first()
    assert found is not None  # noqa: S101 -- a used row has its payments
    return found


def _record(session: Session, command: Command, found: Settlement, event: str) -> SettlementState:
    session.flush()
    view = _state(session, found, UUID(int=0))
    event_id = events.record(
        session,
        command,
        kind=f"settlement.{event}",
        subject=("settlement", str(found.id)),
        body={
            "command": command,
            "state": found.state,
            "input_digest": found.input_digest,
            "approved_by": found.approved_by,
            "lines": view.lines,
            "sums": {n: getattr(view, n) for n in view.__slots__ if n.endswith("_fen")},
        },
    )
    return _state(session, found, event_id)


def _state(session: Session, found: Settlement, event_id: UUID) -> SettlementState:
    lines = tuple(
        LineView(
            n=line.n,
            kind=line.kind,
            type=line.type,
            voucher=line.voucher,
            payee_id=line.payee_id,
            payee_name=line.payee_name,
            units=line.units,
            amount_fen=line.amount_fen,
        )
        for line in lines_of(session, found)
    )
    names = (
        *(n for n in SettlementState.__slots__ if n.endswith("_fen")),
        *("lot_id", "vintage", "run", "revision", "state", "publish_by"),
    )
    return SettlementState(
        settlement_id=found.id,
        lines=lines,
        event_id=event_id,
        **{name: getattr(found, name) for name in names},
    )
