"""``/subscriptions``: contracts (认购协议) and the money that comes in for them."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from options import payments, refunds, sale_reads, subscriptions
from options.errors import (
    OptionsError,
    OversoldError,
    PaymentAmountError,
    SaleSuspendedError,
    TransitionRefusedError,
)
from options.reads import SubscriptionPage, subscriptions_of
from options.refusals import (
    BankReferenceError,
    DeadlinePassedError,
    IdentityUncheckedError,
    LotNotFoundError,
    PayerError,
    RefundNotDueError,
    RiskNotAcceptedError,
    SubscriptionNotFoundError,
)
from options.sale_reads import ContractLine
from registry.errors import NotFoundError, NotPermittedError
from registry.people import ActorView
from web.api.endpoints import Act, Empty, Noun, Read
from web.api.sale_scope import (
    may_see_lot,
    party_of,
    require_buyer,
    require_contract,
    require_seller,
    sees_all,
)

_STEPS: Final = (NotFoundError, SubscriptionNotFoundError, TransitionRefusedError)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionById:
    """Which contract."""

    subscription_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriptions:
    """A buyer's contracts, newest first."""

    items: tuple[SubscriptionPage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contracts:
    """The contracts on a company's lots."""

    items: tuple[ContractLine, ...]


def mine(session: Session, who: ActorView, _query: Empty) -> Subscriptions:
    """Return the contracts of the actor's party."""
    return Subscriptions(items=subscriptions_of(session, party_of(who)))


def of_company(session: Session, who: ActorView, _query: Empty) -> Contracts:
    """Return the contracts on the lots of the actor's company."""
    found = sale_reads.contracts(session, company_id=who.party_id, everything=sees_all(who))
    return Contracts(items=found)


def one(session: Session, who: ActorView, query: SubscriptionById) -> SubscriptionPage:
    """Return a contract to its buyer, its seller, and who watches over the lot."""
    return require_contract(session, who, query.subscription_id)


def guard_reserve(_session: Session, who: ActorView, command: subscriptions.Reserve) -> None:
    """Refuse to subscribe for another buyer."""
    if not who.has("system") and command.buyer_id != who.party_id:
        raise NotPermittedError(needs=str(command.buyer_id))


def guard_buyer(session: Session, who: ActorView, command: Any) -> None:  # noqa: ANN401
    """Refuse steps of another buyer's contract."""
    require_buyer(session, who, command.subscription_id)


def guard_seller(session: Session, who: ActorView, command: Any) -> None:  # noqa: ANN401
    """Refuse to act on the money of another company's lot."""
    require_seller(session, who, command.lot_id)


def guard_payment(session: Session, who: ActorView, command: payments.RecordPayment) -> None:
    """Refuse to book payments for another company's contracts."""
    lot_id = sale_reads.lot_of_contract(session, command.subscription_number)
    if lot_id is None or not may_see_lot(session, who, lot_id):
        raise SubscriptionNotFoundError(subscription=command.subscription_number)


def guard_refund(session: Session, who: ActorView, command: refunds.ConfirmRefund) -> None:
    """Refuse to confirm refunds of another company's lot."""
    lot_id = sale_reads.lot_of_refund(session, command.refund_id)
    if lot_id is None or not may_see_lot(session, who, lot_id):
        raise NotFoundError(what="refund", id=command.refund_id)


def _step(name: str, verb: Any, summary: tuple[str, str]) -> Act:  # noqa: ANN401
    return Act(
        name=f"{name}_subscription",
        rule=f"/subscriptions/<uuid:subscription_id>/{name}",
        permission="subscription:write",
        command=subscriptions.SubscriptionCommand,
        verb=verb,
        summary=summary,
        raises=(*_STEPS, DeadlinePassedError),
        guard=guard_buyer,
    )


NOUN = Noun(
    name="subscriptions",
    title=("认购", "Subscriptions and their payments"),
    endpoints=(
        Read(
            name="list_my_subscriptions",
            rule="/subscriptions",
            permission="subscription:write",
            query=Empty,
            read=mine,
            summary=("我的认购", "The caller's contracts"),
        ),
        Read(
            name="list_contracts",
            rule="/contracts",
            permission="settlement:read",
            query=Empty,
            read=of_company,
            summary=("本公司批次上的认购", "Contracts on the company's lots"),
        ),
        Read(
            name="get_subscription",
            rule="/subscriptions/<uuid:subscription_id>",
            permission="subscription:read",
            query=SubscriptionById,
            read=one,
            summary=("一份认购", "One contract"),
            raises=(NotFoundError, SubscriptionNotFoundError),
        ),
        Act(
            name="reserve",
            rule="/lots/<uuid:lot_id>/subscriptions",
            permission="subscription:write",
            command=subscriptions.Reserve,
            verb=subscriptions.reserve,
            summary=("预留", "Reserve quantities of one lot"),
            raises=(LotNotFoundError, SaleSuspendedError, OversoldError, OptionsError),
            status=201,
            guard=guard_reserve,
        ),
        Act(
            name="sign_subscription",
            rule="/subscriptions/<uuid:subscription_id>/sign",
            permission="subscription:write",
            command=subscriptions.Sign,
            verb=subscriptions.sign,
            summary=("签订认购协议", "Sign; ten minutes to undo"),
            raises=(*_STEPS, IdentityUncheckedError, RiskNotAcceptedError, DeadlinePassedError),
            guard=guard_buyer,
        ),
        _step("undo", subscriptions.undo, ("十分钟内撤销签约", "Undo a signature")),
        _step("release", subscriptions.release, ("放弃预留", "Give a reservation up")),
        _step(
            "withdraw",
            refunds.withdraw_in_cooling_off,
            ("冷静期内退回", "Give a paid contract back in cooling-off"),
        ),
        Act(
            name="record_payment",
            rule="/payments",
            permission="payment:record",
            command=payments.RecordPayment,
            verb=payments.record_payment,
            summary=("登记到账流水", "Book a row of the supervised account's statement"),
            raises=(
                SubscriptionNotFoundError,
                PaymentAmountError,
                PayerError,
                BankReferenceError,
                DeadlinePassedError,
                TransitionRefusedError,
            ),
            status=201,
            guard=guard_payment,
        ),
        Act(
            name="record_insurance",
            rule="/lots/<uuid:lot_id>/insurance",
            permission="payment:record",
            command=payments.RecordInsurance,
            verb=payments.record_insurance,
            summary=("登记保险赔款", "Book insurance money received for a lot"),
            raises=(BankReferenceError, LotNotFoundError),
            status=201,
            guard=guard_seller,
        ),
        Act(
            name="refund_shortfall",
            rule="/lots/<uuid:lot_id>/refunds",
            permission="settlement:write",
            command=refunds.RefundShortfall,
            verb=refunds.refund_shortfall,
            summary=("对未交付的部分退款", "Refund what was paid and not delivered"),
            raises=(RefundNotDueError, LotNotFoundError),
            status=201,
            guard=guard_seller,
        ),
        Act(
            name="confirm_refund",
            rule="/refunds/<uuid:refund_id>/confirmation",
            permission="payment:record",
            command=refunds.ConfirmRefund,
            verb=refunds.confirm_refund,
            summary=("登记退款已付出", "Book the bank's confirmation of a refund"),
            raises=(RefundNotDueError, PaymentAmountError, BankReferenceError),
            guard=guard_refund,
        ),
    ),
)
