"""``/settlements`` and the accounts of those who are paid: every fen, due and received."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from options import sale_reads, settlement, trees
from options.delivery import Delivered, DeliverPeriod, deliver_period
from options.errors import ApproverError, OptionsError, PaymentAmountError, TransitionRefusedError
from options.outside import project_of_period
from options.reads import (
    FirstLevelAccount,
    ForestOwnerAccount,
    VillageStatement,
    first_level_account,
    forest_owner_account,
    lot_list,
    village_statement,
)
from options.refusals import (
    BankAccountKindError,
    BankReferenceError,
    LinesOpenError,
    NothingToDeliverError,
    NothingToSettleError,
    PartyNotFoundError,
    ReviewerError,
    SettlementLineError,
    SettlementNotFoundError,
    SettlementOpenError,
)
from options.sale_reads import SettlementPage, SettlementRow
from registry.errors import NotFoundError
from registry.people import ActorView
from web.api.endpoints import Act, Empty, Noun, Read
from web.api.sale_scope import (
    division_of,
    require_account,
    require_seller,
    require_settlement,
    sees_all,
)

_STEPS: Final = (NotFoundError, SettlementNotFoundError, TransitionRefusedError)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementById:
    """Which run."""

    settlement_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyById:
    """Whose account."""

    party_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlements:
    """Runs, newest first."""

    items: tuple[SettlementRow, ...]


def listed(session: Session, who: ActorView, _query: Empty) -> Settlements:
    """Return the runs of the lots the actor may see."""
    if sees_all(who):
        ids = [lot.lot_id for lot in lot_list(session)]
    else:
        ids = list(
            sale_reads.lots_concerning(session, party_id=who.party_id, division=division_of(who))
        )
    found = sale_reads.settlements(session, ids)
    if who.has("collective", "farmer"):
        found = tuple(run for run in found if run.state not in {"DRAFT", "CHECKED"})
    return Settlements(items=found)


def one(session: Session, who: ActorView, query: SettlementById) -> SettlementPage:
    """Return a run with its lines."""
    return require_settlement(session, who, query.settlement_id)


def statement(session: Session, who: ActorView, query: PartyById) -> VillageStatement:
    """Return every fen due to a party and received."""
    require_account(session, who, query.party_id)
    return village_statement(session, query.party_id)


def forest_account(session: Session, who: ActorView, query: PartyById) -> ForestOwnerAccount:
    """Return a forest owner's account (林业碳账户)."""
    require_account(session, who, query.party_id)
    return forest_owner_account(session, query.party_id)


def first_level(session: Session, who: ActorView, query: PartyById) -> FirstLevelAccount:
    """Return a collection company's first-level account."""
    require_account(session, who, query.party_id)
    return first_level_account(session, query.party_id)


def guard_seller(session: Session, who: ActorView, command: Any) -> None:  # noqa: ANN401
    """Refuse to settle another company's lot."""
    require_seller(session, who, command.lot_id)


def guard_run(session: Session, who: ActorView, command: Any) -> None:  # noqa: ANN401
    """Refuse steps of another company's run."""
    page = require_settlement(session, who, command.settlement_id)
    require_seller(session, who, page.lot_id)


def guard_delivery(session: Session, who: ActorView, command: DeliverPeriod) -> None:
    """Refuse to deliver for projects whose lots are none of the actor's."""
    project_id = project_of_period(session, command.period_id)
    ids = sale_reads.lots_of_project(session, project_id)
    if not ids:
        raise NothingToDeliverError(vintage=0)
    for lot_id in ids:
        require_seller(session, who, lot_id)


def deliver(session: Session, command: DeliverPeriod) -> Delivered:
    """Issue a verified period, burn its forecast and deliver what was sold of it."""
    return deliver_period(session, command)


def _step(name: str, verb: Any, summary: tuple[str, str], *raises: type[Exception]) -> Act:  # noqa: ANN401
    return Act(
        name=f"{name}_settlement",
        rule=f"/settlements/<uuid:settlement_id>/{name}",
        permission="settlement:write",
        command=settlement.SettlementCommand,
        verb=verb,
        summary=summary,
        raises=(*_STEPS, *raises),
        guard=guard_run,
        moves_value=name in _VALUE,
    )


_VALUE: Final = frozenset({"approve", "pay"})
NOUN = Noun(
    name="settlements",
    title=("结算", "Deliveries, settlements and accounts"),
    endpoints=(
        Read(
            name="list_settlements",
            rule="/settlements",
            permission="settlement:read",
            query=Empty,
            read=listed,
            summary=("结算列表", "The runs the caller may see"),
        ),
        Read(
            name="get_settlement",
            rule="/settlements/<uuid:settlement_id>",
            permission="settlement:read",
            query=SettlementById,
            read=one,
            summary=("一张结算单", "One run with its lines"),
            raises=(NotFoundError, SettlementNotFoundError),
        ),
        Act(
            name="draft_settlement",
            rule="/lots/<uuid:lot_id>/settlements",
            permission="settlement:write",
            command=settlement.DraftSettlement,
            verb=settlement.draft,
            summary=("起草结算", "Draft the next run of a lot's vintage"),
            raises=(NothingToSettleError, SettlementOpenError, OptionsError),
            status=201,
            guard=guard_seller,
        ),
        _step("check", settlement.check, ("复核", "Confirm a draft"), ReviewerError),
        _step("reopen", settlement.reopen, ("退回重拟", "Send a checked run back")),
        _step(
            "approve",
            settlement.approve,
            ("批准（须两人）", "Approve; two persons must"),
            ApproverError,
            ReviewerError,
        ),
        _step("pay", settlement.start_payment, ("开始付款", "Start payment"), BankAccountKindError),
        Act(
            name="confirm_settlement_payment",
            moves_value=True,
            rule="/settlements/<uuid:settlement_id>/payments",
            permission="payment:record",
            command=settlement.ConfirmSettlementPayment,
            verb=settlement.confirm_payment,
            summary=("登记付款回单", "Book one transfer of the bank"),
            raises=(*_STEPS, PaymentAmountError, SettlementLineError, BankReferenceError),
            guard=guard_run,
        ),
        Act(
            name="publish_settlement",
            rule="/settlements/<uuid:settlement_id>/publication",
            permission="settlement:write",
            command=settlement.PublishSettlement,
            verb=settlement.publish,
            summary=("公开", "Publish the statement"),
            raises=_STEPS,
            guard=guard_run,
        ),
        Act(
            name="deliver_period",
            rule="/periods/<uuid:period_id>/delivery",
            permission="settlement:write",
            command=DeliverPeriod,
            verb=deliver,
            summary=("签发、核销预测并交付", "Issue a verified period and deliver what was sold"),
            raises=(NothingToDeliverError, LinesOpenError, NotFoundError),
            status=201,
            guard=guard_delivery,
        ),
        Act(
            name="deliver_trees",
            rule="/lots/<uuid:lot_id>/delivery",
            permission="settlement:write",
            command=trees.DeliverTrees,
            verb=trees.deliver_trees,
            summary=("交付树木", "Deliver the trees of a matured lot"),
            raises=(NothingToDeliverError, LinesOpenError),
            status=201,
            guard=guard_seller,
        ),
        Read(
            name="get_statement",
            rule="/parties/<uuid:party_id>/statement",
            permission="statement:read",
            query=PartyById,
            read=statement,
            summary=("应得与实收", "Every fen due to a party and received"),
            raises=(NotFoundError, PartyNotFoundError),
        ),
        Read(
            name="get_forest_account",
            rule="/parties/<uuid:party_id>/forest-account",
            permission="statement:read",
            query=PartyById,
            read=forest_account,
            summary=("林业碳账户", "A forest owner's account"),
            raises=(NotFoundError, PartyNotFoundError),
        ),
        Read(
            name="get_first_level_account",
            rule="/parties/<uuid:party_id>/first-level-account",
            permission="settlement:read",
            query=PartyById,
            read=first_level,
            summary=("一级账户", "A collection company's first-level account"),
            raises=(NotFoundError, PartyNotFoundError),
        ),
    ),
)
