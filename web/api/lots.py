"""``/lots``: what villages offer, from the draft to the end of the sale."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from options import lots, pre_store, sale_reads, trees
from options.errors import ApproverError, OptionsError, OversoldError, TransitionRefusedError
from options.reads import LotPage, LotView, OfferView, lot_list, lot_page
from options.refusals import (
    LotGroundError,
    LotNotFoundError,
    NumberTakenError,
    ObjectionClosedError,
    ReviewerError,
)
from registry.db import Command
from registry.errors import NotFoundError, NotPermittedError
from registry.people import ActorView
from web.api.endpoints import Act, Empty, Noun, Read
from web.api.sale_scope import (
    PUBLIC_STATES,
    division_of,
    require_lot,
    require_seller,
    sees_all,
)
from web.auth import PUBLIC

_STEPS: Final = (LotNotFoundError, TransitionRefusedError)


@dataclass(frozen=True, slots=True, kw_only=True)
class LotById:
    """Which lot."""

    lot_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LotCard:
    """A lot as everybody may see it: villages by name, no plot and no household."""

    lot_id: UUID
    number: str
    title: str
    unit: str
    sale_state: str
    physical_state: str
    programme_id: str
    carbon_right_holder: str
    term_years: int
    closes_on: date | None
    villages: str
    offers: tuple[OfferView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lots:
    """Lots, newest first."""

    items: tuple[LotCard, ...]


def card(view: LotView, villages: str) -> LotCard:
    """Return what is public of a lot."""
    return LotCard(
        lot_id=view.lot_id,
        number=view.number,
        title=view.title,
        unit=view.unit,
        sale_state=view.sale_state,
        physical_state=view.physical_state,
        programme_id=view.programme_id,
        carbon_right_holder=view.carbon_right_holder,
        term_years=view.term_years,
        closes_on=view.closes_on,
        villages=villages,
        offers=view.offers,
    )


def visible(session: Session, who: ActorView | None, _query: Empty) -> Lots:
    """Return the lots on sale or sold, and those of the actor's own in any state."""
    found = lot_list(session)
    own: frozenset[UUID] = frozenset()
    if who is not None and not sees_all(who):
        own = sale_reads.lots_concerning(session, party_id=who.party_id, division=division_of(who))
    shown = [
        lot
        for lot in found
        if lot.sale_state in PUBLIC_STATES or lot.lot_id in own or sees_all(who)
    ]
    names = sale_reads.villages_of(session, [lot.lot_id for lot in shown])
    return Lots(items=tuple(card(lot, names.get(lot.lot_id, "")) for lot in shown))


def public_card(session: Session, who: ActorView | None, query: LotById) -> LotCard:
    """Return one lot without its papers.

    Raises
    ------
    NotFoundError : there is no such lot, or it is not on sale and not the actor's.
    """
    page = lot_page(session, query.lot_id)
    if page.lot.sale_state not in PUBLIC_STATES:
        require_lot(session, who, query.lot_id)
    return card(page.lot, "、".join(sale_reads.villages(session, query.lot_id)))


def record(session: Session, who: ActorView, query: LotById) -> LotPage:
    """Return a lot with its parcels, papers and steps to who may see them."""
    return require_lot(session, who, query.lot_id)


def guard_draft(_session: Session, who: ActorView, command: lots.DraftLot) -> None:
    """Refuse to draft for another company."""
    if not who.has("system") and command.company_id != who.party_id:
        raise NotPermittedError(needs=str(command.company_id))


def guard_seller(session: Session, who: ActorView, command: Any) -> None:  # noqa: ANN401
    """Refuse steps of another company's lot."""
    require_seller(session, who, command.lot_id)


def guard_concerned(session: Session, who: ActorView, command: Any) -> None:  # noqa: ANN401
    """Refuse steps of a lot that is none of the actor's."""
    require_lot(session, who, command.lot_id)


def guard_objection(session: Session, who: ActorView, command: lots.AnswerObjection) -> None:
    """Refuse to answer objections to a lot that is none of the actor's."""
    lot_id = sale_reads.lot_of_objection(session, command.objection_id)
    if lot_id is None:
        raise NotFoundError(what="objection", id=command.objection_id)
    require_lot(session, who, lot_id)


def _step(
    name: str,
    command: type[Command],
    verb: Callable[[Session, Any], Any],
    summary: tuple[str, str],
    *,
    permission: str = "lot:write",
    raises: tuple[type[Exception], ...] = (),
) -> Act:
    return Act(
        name=f"{name}_lot",
        rule=f"/lots/<uuid:lot_id>/{name.replace('_', '-')}",
        permission=permission,
        command=command,
        verb=verb,
        summary=summary,
        raises=(*_STEPS, *raises),
        guard=guard_seller if permission == "lot:write" else guard_concerned,
    )


NOUN = Noun(
    name="lots",
    title=("批次", "Lots: what is offered for sale"),
    endpoints=(
        Read(
            name="list_lots",
            rule="/lots",
            permission=PUBLIC,
            query=Empty,
            read=visible,
            summary=("批次列表", "Lots on sale, and the caller's own in any state"),
        ),
        Read(
            name="get_lot",
            rule="/lots/<uuid:lot_id>",
            permission=PUBLIC,
            query=LotById,
            read=public_card,
            summary=("一个批次（公开内容）", "One lot, as everybody may see it"),
            raises=(NotFoundError, LotNotFoundError),
        ),
        Read(
            name="get_lot_record",
            rule="/lots/<uuid:lot_id>/record",
            permission="lot:read",
            query=LotById,
            read=record,
            summary=("批次的地块、材料和经过", "A lot's parcels, papers and steps"),
            raises=(NotFoundError,),
        ),
        Act(
            name="draft_lot",
            rule="/lots",
            permission="lot:write",
            command=lots.DraftLot,
            verb=lots.draft_lot,
            summary=("起草批次", "Draft a lot"),
            raises=(LotGroundError, NumberTakenError, OptionsError),
            status=201,
            guard=guard_draft,
        ),
        _step("submit", lots.LotCommand, lots.submit, ("提交审核", "Hand a draft in for review")),
        _step(
            "review",
            lots.ReviewLot,
            lots.review,
            ("审核通过或不通过", "Pass or reject a lot"),
            permission="lot:decide",
            raises=(ReviewerError,),
        ),
        _step(
            "notice",
            lots.PublishNotice,
            lots.publish_notice,
            ("发布公示", "Put the notice up"),
            permission="lot:confirm",
        ),
        _step(
            "objections",
            lots.FileObjection,
            lots.file_objection,
            ("登记异议", "Write an objection down"),
            permission="lot:confirm",
            raises=(ObjectionClosedError,),
        ),
        Act(
            name="answer_objection",
            rule="/objections/<uuid:objection_id>/answer",
            permission="lot:confirm",
            command=lots.AnswerObjection,
            verb=lots.answer_objection,
            summary=("答复异议", "Answer an objection"),
            raises=(ObjectionClosedError, TransitionRefusedError),
            guard=guard_objection,
        ),
        _step(
            "mandate",
            lots.RecordMandate,
            lots.record_mandate,
            ("登记表决和授权", "Record the vote and the owners' mandate"),
            permission="lot:confirm",
            raises=(OptionsError,),
        ),
        Act(
            name="make_packs",
            rule="/lots/<uuid:lot_id>/packs",
            permission="lot:write",
            command=trees.MakePacks,
            verb=trees.make_packs,
            summary=("把编号树木分成百株一包", "Group numbered trees into packs of a hundred"),
            raises=(LotGroundError, OptionsError),
            status=201,
            guard=guard_seller,
        ),
        _step(
            "pre_store",
            pre_store.PreStore,
            pre_store.pre_store,
            ("预存入一级账户", "Pre-store: the forecast enters the first-level account"),
            raises=(OversoldError, OptionsError),
        ),
        _step("list", lots.LotCommand, lots.list_lot, ("上架", "Put a lot on sale")),
        _step("close", lots.EndSale, lots.close_sale, ("停止销售", "End the sale")),
        _step(
            "withdraw",
            lots.EndSale,
            lots.withdraw,
            ("撤回", "Withdraw a lot that has sold nothing"),
            raises=(ApproverError, OptionsError),
        ),
        _step(
            "report",
            lots.ReportForest,
            lots.report_forest,
            ("登记林况变化", "Report damage, recovery or loss of the forest"),
        ),
    ),
)
