"""The steps that every sale of the demo county shares: on sale, contract, payment, settlement."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from options import lots, payments, pre_store, settlement, subscriptions, timers
from options.books import Statement
from options.errors import OptionsError
from options.mandate import Consent, Vote
from options.terms import BuyerKind
from options.waterfall import Deduction
from registry.db import SYSTEM_ACTOR
from registry.errors import RegistryError
from web.demo.teller import Teller, at

DOCUMENT = sha256("演示文件 demonstration document".encode()).digest()


@dataclass(slots=True)
class Sale:
    """A sale as it goes on; ``name`` begins its keys."""

    teller: Teller
    party: dict[str, UUID]
    name: str
    keys: int = 0

    def by(self, role: str, on: date | datetime) -> dict[str, Any]:
        """Return what the next command carries."""
        self.keys += 1
        made = self.teller.by(role, f"{self.name}:{self.keys}", on)
        return made | ({"at": on} if isinstance(on, datetime) else {})

    def lot(self, verb: Any, lot_id: UUID, on: date, role: str = "company") -> Any:  # noqa: ANN401
        """Let a verb that needs no more than the lot act."""
        return self.teller.do(verb, lots.LotCommand(**self.by(role, on), lot_id=lot_id))

    def bank(self, reference: str, fen: int, counterparty: str, on: date) -> Statement:
        """Return a line of the supervised account's statement."""
        return Statement(
            bank_reference=f"DEMO-{reference}",
            amount_fen=fen,
            counterparty=counterparty,
            booked_on=on,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OnSale:
    """The days on which a lot takes its steps to the market."""

    drafted: date
    noticed: date
    voted: date
    listed: date


def put_on_sale(
    sale: Sale, lot_id: UUID, *, on: OnSale, consents: tuple[Consent, ...] = ()
) -> None:
    """Submit, review, put on notice, vote, pre-store and list a draft."""
    teller = sale.teller
    sale.lot(lots.submit, lot_id, on.drafted)
    teller.do(
        lots.review, lots.ReviewLot(**sale.by("county", on.noticed), lot_id=lot_id, passed=True)
    )
    teller.do(
        lots.publish_notice,
        lots.PublishNotice(
            **sale.by("company", on.noticed), lot_id=lot_id, document_sha256=DOCUMENT
        ),
    )
    teller.do(
        lots.record_mandate,
        lots.RecordMandate(
            **sale.by("company", on.voted),
            lot_id=lot_id,
            vote=Vote(on=on.voted, yes=320, entitled=478),
            consents=consents,
        ),
    )
    teller.do(
        pre_store.pre_store,
        pre_store.PreStore(
            **sale.by("company", on.listed), lot_id=lot_id, exempt_reason="低于县评估限额（演示）"
        ),
    )
    sale.lot(lots.list_lot, lot_id, on.listed)


def contract(
    sale: Sale, lot_id: UUID, *, buyer: str, vintage: int, quantity: int, on: date
) -> subscriptions.SubscriptionState:
    """Reserve and sign, and let the minutes to undo pass."""
    teller = sale.teller
    state = teller.do(
        subscriptions.reserve,
        subscriptions.Reserve(
            **sale.by("company", on),
            lot_id=lot_id,
            buyer_id=sale.party[buyer],
            buyer_kind=BuyerKind.ENTERPRISE,
            lines=(subscriptions.LineAsk(vintage=vintage, quantity=quantity),),
        ),
    )
    teller.do(
        subscriptions.sign,
        subscriptions.Sign(
            **sale.by("company", on),
            subscription_id=state.subscription_id,
            contract_sha256=DOCUMENT,
            identity_checked=True,
            risk_accepted=True,
        ),
    )
    run_timers(sale, at(on) + timedelta(minutes=11))
    return state


def pay(
    sale: Sale, state: subscriptions.SubscriptionState, reference: str, payer: str, on: date
) -> None:
    """Pay a contract to the fen, and let cooling-off pass."""
    sale.teller.do(
        payments.record_payment,
        payments.RecordPayment(
            **sale.by("company", on),
            subscription_number=state.number,
            statement=sale.bank(reference, state.amount_fen, payer, on),
        ),
    )
    run_timers(sale, at(on) + timedelta(days=15))


def settle(
    sale: Sale,
    lot_id: UUID,
    vintage: int,
    *,
    deductions: Sequence[Deduction],
    on: tuple[date, date],
) -> settlement.SettlementState:
    """Draft, check, approve by two, pay each line, publish; ``on``: settled, returned."""
    teller, (settled, returned) = sale.teller, on
    state = teller.do(
        settlement.draft,
        settlement.DraftSettlement(
            **sale.by("company", settled),
            lot_id=lot_id,
            vintage=vintage,
            deductions=tuple(deductions),
        ),
    )
    for verb, role in (
        (settlement.check, "company2"),
        (settlement.approve, "company3"),
        (settlement.approve, "company2"),
        (settlement.start_payment, "company"),
    ):
        command = settlement.SettlementCommand(
            **sale.by(role, settled), settlement_id=state.settlement_id
        )
        state = teller.do(verb, command)
    name = "OUT" if sale.name == "fen" else f"{sale.name.upper()}-OUT"
    for line in state.lines:
        if line.kind != "reserve" and line.amount_fen:
            state = teller.do(
                settlement.confirm_payment,
                settlement.ConfirmSettlementPayment(
                    **sale.by("company", returned),
                    settlement_id=state.settlement_id,
                    lines=(line.n,),
                    statement=sale.bank(
                        f"{name}-{line.n}", line.amount_fen, line.payee_name, returned
                    ),
                ),
            )
    return teller.do(
        settlement.publish,
        settlement.PublishSettlement(
            **sale.by("company", returned),
            settlement_id=state.settlement_id,
            document_sha256=DOCUMENT,
        ),
    )


def check_identity(teller: Teller, done: settlement.SettlementState, of: str = "") -> None:
    """Note that a settlement sums to the fen."""
    teller.check(
        f"{of}escrow in = refunds + taxes + insurance + costs + reserves + returned + rest"
        " + balance",
        holds=done.escrow_in_fen
        == done.refunds_fen
        + done.taxes_fen
        + done.insurance_fen
        + done.costs_fen
        + done.reserves_held_fen
        + done.advance_recouped_fen
        + done.returned_fen
        + done.remainder_fen
        + done.escrow_balance_fen,
        figure=f"{done.escrow_in_fen} fen",
    )


def run_timers(sale: Sale, moment: datetime) -> None:
    """Let what is due by a moment happen."""
    sale.keys += 1
    key = "story:timers" if sale.name == "fen" else f"story:{sale.name}:timers"
    sale.teller.do(
        timers.run_timers,
        timers.RunTimers(at=moment, actor_id=SYSTEM_ACTOR, key=f"{key}:{sale.keys}"),
    )


def refused(teller: Teller, verb: Callable[..., Any], command: Any) -> str:  # noqa: ANN401
    """Return the code with which a command is refused, empty if it was not."""
    try:
        teller.do(verb, command)
    except (OptionsError, RegistryError) as refusal:
        return refusal.code
    return ""
