"""Subscriptions: the buyer's way from reservation to delivery, and the company's payment desk."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from options import outside, payments, refunds, sale_reads, subscriptions, tree_reads
from options.books import Statement
from options.calendar import beijing_day
from options.reads import LotPage, SubscriptionPage, lot_page
from options.sale_reads import ContractLine, RefundView
from options.subscriptions import LineAsk
from options.terms import BuyerKind
from options.tree_reads import PackLine
from registry.people import ActorView
from web.api import subscriptions as api
from web.api.endpoints import Empty
from web.api.sale_scope import party_of, require_contract, sees_all
from web.auth import may, requires
from web.commands import from_form
from web.context import actor, now, reading
from web.contracts import contract_sha256, contract_text
from web.pages import frame
from web.pages.acting import acted, fen, given, kg, whole, word
from web.pages.frame import show
from web.pages.lots import moment
from web.parsing import parse

blueprint = Blueprint("subscriptions", __name__)
PATH: Final = ("RESERVED", "SIGNED", "AWAITING_PAYMENT", "COOLING_OFF", "VESTING", "DELIVERED")


@dataclass(frozen=True, slots=True, kw_only=True)
class MinePage:
    """Context of ``subscriptions/index.html``: a buyer's own, or a company's contracts."""

    mine: tuple[SubscriptionPage, ...]
    contracts: tuple[ContractLine, ...]
    is_buyer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """Where to pay."""

    payee: str
    account: str
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractContext:
    """Context of ``subscriptions/subscription.html``."""

    contract: SubscriptionPage
    lot: LotPage
    state: str
    here: int
    due: str | None
    text: str
    sha256: str
    details: Details | None
    refunds: tuple[RefundView, ...]
    packs: tuple[PackLine, ...]
    mine: bool
    can_undo: bool
    can_pay: bool
    today: str


frame.NAV.insert(
    2,
    frame.NavItem(
        word=lazy_gettext("认购"),
        endpoint="subscriptions.index",
        permission="subscription:read",
        group="market",
    ),
)


@blueprint.get("/subscriptions")
@requires("subscription:read")
def index() -> str:
    """Show a buyer's own contracts, or those on a company's lots."""
    who = actor()
    is_buyer = may(who, "subscription:write") and who.party_id is not None
    with reading() as session:
        mine = api.mine(session, who, Empty()).items if is_buyer else ()
        watches = may(who, "settlement:read")
        found = api.of_company(session, who, Empty()).items if watches else ()
    page = MinePage(mine=mine, contracts=found, is_buyer=is_buyer)
    return show("subscriptions/index.html", page, moment=moment)


@blueprint.post("/lots/<uuid:lot_id>/reserve")
@requires("subscription:write")
def reserve(lot_id: UUID) -> AnyResponse:
    """Reserve quantities of one lot."""
    return acted(
        subscriptions.reserve,
        lambda: _reserved(lot_id),
        lambda made: _here(made.subscription_id),
        guard=api.guard_reserve,
        done=gettext("已为您预留，请在期限内签约。"),
        again=url_for("lots.lot", lot_id=lot_id),
    )


@blueprint.get("/subscriptions/<uuid:subscription_id>")
@requires("subscription:read")
def subscription(subscription_id: UUID) -> str:
    """Show one contract: its state, what comes next, its words, its money."""
    who = actor()
    with reading() as session:
        contract = require_contract(session, who, subscription_id)
        page = _context(session, who, contract)
    return show("subscriptions/subscription.html", page)


@blueprint.get("/subscriptions/<uuid:subscription_id>/contract.txt")
@requires("subscription:read")
def words(subscription_id: UUID) -> Response:
    """Answer with the contract's words, whose fingerprint is signed."""
    with reading() as session:
        contract = require_contract(session, actor(), subscription_id)
        text = contract_text(contract, lot_page(session, contract.lot_id))
    return Response(text, content_type="text/plain; charset=utf-8")


@blueprint.post("/subscriptions/<uuid:subscription_id>/sign")
@requires("subscription:write")
def sign(subscription_id: UUID) -> AnyResponse:
    """Sign: identity checked, risk accepted."""
    return acted(
        subscriptions.sign,
        lambda: _signed(subscription_id),
        _here(subscription_id),
        guard=api.guard_buyer,
        done=gettext("已签约。十分钟内可以撤销，之后显示付款信息。"),
    )


@blueprint.post("/subscriptions/<uuid:subscription_id>/undo")
@requires("subscription:write")
def undo(subscription_id: UUID) -> AnyResponse:
    """Undo the signature."""
    return _step(subscription_id, subscriptions.undo)


@blueprint.post("/subscriptions/<uuid:subscription_id>/release")
@requires("subscription:write")
def release(subscription_id: UUID) -> AnyResponse:
    """Give the reservation up."""
    return _step(subscription_id, subscriptions.release)


@blueprint.post("/subscriptions/<uuid:subscription_id>/withdraw")
@requires("subscription:write")
def withdraw(subscription_id: UUID) -> AnyResponse:
    """Give the contract back in cooling-off."""
    return _step(subscription_id, refunds.withdraw_in_cooling_off)


@blueprint.post("/subscriptions/<uuid:subscription_id>/payments")
@requires("payment:record")
def pay(subscription_id: UUID) -> AnyResponse:
    """Book a row of the bank's statement for this contract."""
    return acted(
        payments.record_payment,
        lambda: payments.RecordPayment(
            **given(subscription_number=word("subscription_number"), statement=bank_row())  # type: ignore[arg-type]
        ),
        _here(subscription_id),
        guard=api.guard_payment,
        done=gettext("到账已登记，进入冷静期。"),
    )


@blueprint.post("/subscriptions/<uuid:subscription_id>/refunds/<uuid:refund_id>")
@requires("payment:record")
def refunded(subscription_id: UUID, refund_id: UUID) -> AnyResponse:
    """Book the bank's confirmation of a refund."""
    return acted(
        refunds.confirm_refund,
        lambda: refunds.ConfirmRefund(**given(refund_id=refund_id, statement=bank_row())),  # type: ignore[arg-type]
        _here(subscription_id),
        guard=api.guard_refund,
    )


def bank_row() -> Statement:
    """Read one row of the bank's statement from the form."""
    body = {
        "bank_reference": word("bank_reference"),
        "counterparty": word("counterparty"),
        "booked_on": word("booked_on"),
    }
    return parse(Statement, json.dumps(body), {"amount_fen": fen("amount")})


def _here(subscription_id: UUID) -> str:
    return url_for("subscriptions.subscription", subscription_id=subscription_id)


def _step(subscription_id: UUID, verb: Any) -> AnyResponse:  # noqa: ANN401
    kind = subscriptions.SubscriptionCommand
    return acted(
        verb,
        lambda: from_form(kind, subscription_id=subscription_id),
        _here(subscription_id),
        guard=api.guard_buyer,
    )


def _reserved(lot_id: UUID) -> subscriptions.Reserve:
    who = actor()
    with reading() as session:
        unit = lot_page(session, lot_id).lot.unit
        buyer = outside.party(session, party_of(who))
    kind = BuyerKind.PERSON if buyer.kind in {"person", "household"} else BuyerKind.ENTERPRISE
    asks = tuple(
        LineAsk(
            vintage=whole("vintage", name.removeprefix("quantity-")),
            quantity=kg(name) if unit == "kg" else whole(name),
        )
        for name, value in request.form.items()
        if name.startswith("quantity-") and value.strip()
    )
    return subscriptions.Reserve(
        **given(lot_id=lot_id, buyer_id=buyer.id, buyer_kind=kind, lines=asks)  # type: ignore[arg-type]
    )


def _signed(subscription_id: UUID) -> subscriptions.Sign:
    with reading() as session:
        contract = require_contract(session, actor(), subscription_id)
        text = contract_text(contract, lot_page(session, contract.lot_id))
    return subscriptions.Sign(
        **given(  # type: ignore[arg-type]
            subscription_id=subscription_id,
            contract_sha256=contract_sha256(text),
            identity_checked=bool(word("identity_checked")),
            risk_accepted=bool(word("risk_accepted")),
        )
    )


def _packs(session: Session, contract: SubscriptionPage) -> tuple[PackLine, ...]:
    codes = {code for line in contract.lines for code in line.pack_codes}
    if not codes:
        return ()
    return tuple(
        one for one in tree_reads.packs(session, contract.lot_id).items if one.code in codes
    )


def _context(session: Session, who: ActorView, contract: SubscriptionPage) -> ContractContext:
    lot = lot_page(session, contract.lot_id)
    text = contract_text(contract, lot)
    state = contract.lines[0].state
    undo_ends = contract.signed_at and contract.signed_at + timedelta(
        minutes=int(lot.sale.get("timers", {}).get("undo_minutes", 10))
    )
    # the timers may not have run yet: the ten minutes are over when they are over
    undone = state == "SIGNED" and undo_ends is not None and now() >= undo_ends
    if undone:
        state = "AWAITING_PAYMENT"
    mine = who.party_id == contract.buyer_id
    details = None
    if state == "AWAITING_PAYMENT":
        card = outside.party(session, lot.lot.company_id)
        account = outside.accounts(session, [card.id]).get(card.id)
        details = Details(
            payee=card.name, account=account.number if account else "", purpose=contract.number
        )
    shown = "DELIVERED" if state == "DELIVERABLE" else "COOLING_OFF" if state == "PAID" else state
    return ContractContext(
        contract=contract,
        lot=lot,
        state=state,
        here=PATH.index(shown) if shown in PATH[:-1] else len(PATH),
        due=None if contract.due_at is None or undone else moment(contract.due_at),
        text=text,
        sha256=contract_sha256(text).hex(),
        details=details,
        refunds=sale_reads.refunds(session, contract.subscription_id),
        packs=_packs(session, contract),
        mine=mine and may(who, "subscription:write"),
        can_undo=state == "SIGNED",
        can_pay=state == "AWAITING_PAYMENT"
        and may(who, "payment:record")
        and (who.party_id == lot.lot.company_id or sees_all(who)),
        today=beijing_day(now()).isoformat(),
    )
