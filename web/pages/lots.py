"""Lots: what is on sale, one lot, its papers, and the steps of company, county and village."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from options import calendar, lots, pre_store, sale_reads, tree_reads
from options.machines import LOT_PHYSICAL, LOT_SALE
from options.reads import LotPage, OfferView, lot_page
from options.sale_reads import FreeYear, ObjectionView, SellableParcel
from options.tree_reads import PackLine
from registry import projects
from registry.errors import NotFoundError
from registry.people import ActorView
from registry.reads import assessments
from web.api import lots as api
from web.api.endpoints import Empty
from web.api.sale_scope import PUBLIC_STATES, may_see_lot
from web.auth import may, public, requires
from web.chart_frame import Chart
from web.charts import share_bar
from web.commands import from_form
from web.context import now, reading, viewer
from web.formats import mu, tonnes
from web.i18n import english
from web.pages import frame, home, lot_forms
from web.pages.acting import acted, given, paper, paper_limit
from web.pages.frame import show

blueprint = Blueprint("lots", __name__, url_prefix="/lots")
SALE_PATH: Final = ("DRAFT", "REVIEW", "ELIGIBLE", "NOTICED", "RESOLVED", "PRE_STORED", "LISTED")
_AFTER_LISTED: Final = {"SOLD_OUT": 6, "CLOSED_TO_SALE": 7}
_PERMISSIONS: Final[Mapping[str, str]] = {
    "submit": "lot:write",
    "pass_review": "lot:decide",
    "publish_notice": "lot:confirm",
    "record_mandate": "lot:confirm",
    "pre_store": "lot:write",
    "list_for_sale": "lot:write",
    "close_sale": "lot:write",
    "withdraw": "lot:write",
}
"""Who takes which step of the sale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPage:
    """Context of ``lots/index.html``: lots on sale first, then the actor's own."""

    on_sale: tuple[api.LotCard, ...]
    others: tuple[api.LotCard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of a lot's story."""

    at: str
    what: str
    who: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """What only who is concerned sees of a lot."""

    page: LotPage
    steps: tuple[Step, ...]
    objections: tuple[ObjectionView, ...]
    earliest_vote: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LotContext:
    """Context of ``lots/lot.html``."""

    lot: api.LotCard
    company: str
    path: tuple[str, ...]
    here: int
    capacity: tuple[Chart, ...]
    area_mu: str
    risks: tuple[str, ...]
    may_reserve: bool
    own: bool
    papers: Papers | None
    steps_open: frozenset[str]
    physical_steps: tuple[tuple[str, str], ...]
    basis_url: str
    """Where the quantities come from: the forecast run or, out of sight, the programme's values."""
    settle_url: str | None
    packs: tuple[PackLine, ...]
    matured: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftPage:
    """Context of ``lots/draft.html``: projects, then the chosen one's parcels and free years."""

    projects: tuple[tuple[str, str], ...]
    project_id: str
    parcels: tuple[SellableParcel, ...]
    free: tuple[FreeYear, ...]
    number: str
    has_forecast: bool
    rows: tuple[int, ...]


frame.NAV.insert(1, frame.NavItem(word=lazy_gettext("批次"), endpoint="lots.index", group="market"))
home.CARDS.insert(
    0,
    home.Card(
        title=lazy_gettext("正在出售的碳汇批次"),
        text=lazy_gettext("看各村可认购的年份、数量和单价。"),
        endpoint="lots.index",
    ),
)


@blueprint.get("")
@public
def index() -> str:
    """Show the lots on sale and, to who has any, their own."""
    with reading() as session:
        found = api.visible(session, viewer(), Empty())
    selling = tuple(
        one
        for one in found.items
        if one.sale_state == "LISTED" and one.physical_state == LOT_PHYSICAL.initial
    )
    others = tuple(one for one in found.items if one not in selling)
    return show("lots/index.html", IndexPage(on_sale=selling, others=others))


@blueprint.get("/<uuid:lot_id>")
@public
def lot(lot_id: UUID) -> str:
    """Show one lot; its papers only to who is concerned."""
    who = viewer()
    with reading() as session:
        page = lot_page(session, lot_id)
        concerned = may_see_lot(session, who, lot_id)
        if page.lot.sale_state not in PUBLIC_STATES and not concerned:
            raise NotFoundError(what="lot", id=lot_id)
        villages = "、".join(sale_reads.villages(session, lot_id))
        area_m2 = sale_reads.ground_m2(session, lot_id)
        said = sale_reads.objections(session, lot_id) if concerned else ()
        packs = tree_reads.packs(session, lot_id).items if page.lot.unit == "tree" else ()
        basis_url = _basis_url(session, who, lot_id)
    context = _context(
        page, (villages, area_m2), who, said, concerned=concerned, basis_url=basis_url
    )
    return show("lots/lot.html", replace(context, packs=packs))


@blueprint.get("/new")
@requires("lot:write")
def draft() -> str:
    """Choose a project, then its parcels and what is offered."""
    project_id = request.args.get("project_id", "")
    with reading() as session:
        found = [one for one in projects.projects(session) if one.status == "approved"]
        chosen = next((one for one in found if str(one.id) == project_id), None)
        page = DraftPage(
            projects=tuple((str(one.id), one.name) for one in found),
            project_id=str(chosen.id) if chosen else "",
            parcels=sale_reads.sellable(session, chosen.id) if chosen else (),
            free=sale_reads.free_years(session, chosen.id) if chosen else (),
            number=f"PC-{calendar.beijing_day(now()):%Y%m%d}-{uuid4().hex[:4].upper()}",
            has_forecast=chosen is not None
            and sale_reads.latest_forecast(session, chosen.id) is not None,
            rows=tuple(range(lot_forms.OFFER_ROWS)),
        )
    return show("lots/draft.html", page)


@blueprint.post("/new")
@requires("lot:write")
def save_draft() -> Response:
    """Draft the lot."""
    return acted(
        lots.draft_lot,
        lot_forms.drafted,
        lambda made: url_for("lots.lot", lot_id=made.lot_id),
        guard=api.guard_draft,
        done=gettext("批次已起草，请核对后提交审核。"),
    )


@blueprint.post("/<uuid:lot_id>/submit")
@requires("lot:write")
def submit(lot_id: UUID) -> Response:
    """Hand the draft in for review."""
    return _simple(lot_id, lots.submit, lots.LotCommand, api.guard_seller)


@blueprint.post("/<uuid:lot_id>/review")
@requires("lot:decide")
def review(lot_id: UUID) -> Response:
    """Pass or reject."""
    return _simple(lot_id, lots.review, lots.ReviewLot, api.guard_concerned)


@blueprint.post("/<uuid:lot_id>/notice")
@requires("lot:confirm")
@paper_limit
def notice(lot_id: UUID) -> Response:
    """Put the notice up."""
    return acted(
        lots.publish_notice,
        lambda: lots.PublishNotice(**given(lot_id=lot_id, document_sha256=paper())),  # type: ignore[arg-type]
        _here(lot_id),
        guard=api.guard_concerned,
        done=gettext("公示已开始。"),
    )


@blueprint.post("/<uuid:lot_id>/objections")
@requires("lot:confirm")
def objection(lot_id: UUID) -> Response:
    """Write an objection down."""
    return _simple(lot_id, lots.file_objection, lots.FileObjection, api.guard_concerned)


@blueprint.post("/<uuid:lot_id>/objections/<uuid:objection_id>")
@requires("lot:confirm")
def answer(lot_id: UUID, objection_id: UUID) -> Response:
    """Answer an objection."""
    return acted(
        lots.answer_objection,
        lambda: from_form(lots.AnswerObjection, objection_id=objection_id),
        _here(lot_id),
        guard=api.guard_objection,
    )


@blueprint.post("/<uuid:lot_id>/mandate")
@requires("lot:confirm")
def mandate(lot_id: UUID) -> Response:
    """Record the vote, the households' papers, the charter."""
    return acted(
        lots.record_mandate,
        lambda: lot_forms.mandate(lot_id),
        _here(lot_id),
        guard=api.guard_concerned,
        done=gettext("授权已登记。"),
    )


@blueprint.post("/<uuid:lot_id>/pre-store")
@requires("lot:write")
def store(lot_id: UUID) -> Response:
    """Pre-store."""
    return _simple(lot_id, pre_store.pre_store, pre_store.PreStore, api.guard_seller)


@blueprint.post("/<uuid:lot_id>/list")
@requires("lot:write")
def list_for_sale(lot_id: UUID) -> Response:
    """Put on sale."""
    return _simple(lot_id, lots.list_lot, lots.LotCommand, api.guard_seller)


@blueprint.post("/<uuid:lot_id>/close")
@requires("lot:write")
def close(lot_id: UUID) -> Response:
    """End the sale."""
    return _simple(lot_id, lots.close_sale, lots.EndSale, api.guard_seller)


@blueprint.post("/<uuid:lot_id>/withdraw")
@requires("lot:write")
def withdraw(lot_id: UUID) -> Response:
    """Take the lot back."""
    return _simple(lot_id, lots.withdraw, lots.EndSale, api.guard_seller)


@blueprint.post("/<uuid:lot_id>/report")
@requires("lot:write")
def report(lot_id: UUID) -> Response:
    """Report what befell the forest."""
    return _simple(lot_id, lots.report_forest, lots.ReportForest, api.guard_seller)


def _here(lot_id: UUID) -> str:
    return url_for("lots.lot", lot_id=lot_id)


def _simple(lot_id: UUID, verb: Any, kind: Any, guard: Any) -> Response:  # noqa: ANN401
    return acted(verb, lambda: from_form(kind, lot_id=lot_id), _here(lot_id), guard=guard)


def risk_texts(lot: api.LotCard) -> tuple[str, ...]:
    """Return what a buyer accepts when they sign; part of the contract."""
    tree = lot.unit == "tree"
    return (
        gettext("认购的是将来交付的权利，不是收益产品：没有承诺收益，也没有保证回购。"),
        gettext("树木可能因火灾、病虫害、冰雪、采伐而减少，成熟时可交付的株数可能少于约定。")
        if tree
        else gettext(
            "可认购数量来自预测。预测不是减排量，不能用来抵消排放；以核证签发的数量为准。"
        ),
        gettext(
            "未交付的部分按认购单价退款；资金依次来自本单监管资金、保险赔款、本批次留存和未分配款，不足部分记为对卖方的债权。"
        ),
        gettext("碳汇权益随本协议归认购方。")
        if lot.carbon_right_holder == "buyer"
        else gettext("碳汇权益仍归卖方，本协议只含树木权益。"),
        gettext("付款后有七天冷静期，期内可无理由退回并全额退款。"),
    )


def _context(
    page: LotPage,
    ground: tuple[str, float],
    who: ActorView | None,
    said: tuple[ObjectionView, ...],
    *,
    concerned: bool,
    basis_url: str,
) -> LotContext:
    view = api.card(page.lot, ground[0])
    words = {state.code: state.en if english() else state.zh for state in LOT_SALE.states}
    state = view.sale_state
    allowed = LOT_SALE.allowed(state)
    own = who is not None and who.party_id == page.lot.company_id
    steps_open = frozenset(
        event
        for event, permission in _PERMISSIONS.items()
        if concerned and event in allowed and may(who, permission)
    )
    selling = state == "LISTED" and view.physical_state == LOT_PHYSICAL.initial
    path = SALE_PATH if state not in {"REJECTED", "WITHDRAWN"} else (SALE_PATH[0], state)
    here = path.index(state) if state in path else _AFTER_LISTED.get(state, len(path))
    physical = LOT_PHYSICAL.allowed(view.physical_state)
    stored = state in {"PRE_STORED", "LISTED", "SOLD_OUT", "CLOSED_TO_SALE"}
    return LotContext(
        lot=view,
        company=page.company_name,
        path=tuple(words[code] for code in path),
        here=here,
        capacity=tuple(capacity_bar(view.unit, offer) for offer in view.offers),
        area_mu=mu(ground[1]),
        risks=risk_texts(view),
        may_reserve=selling and may(who, "subscription:write"),
        own=own,
        papers=_papers(page, said) if concerned else None,
        steps_open=steps_open,
        physical_steps=tuple(
            (event.code, event.en if english() else event.zh)
            for event in LOT_PHYSICAL.events
            if own and stored and event.code in physical
        ),
        basis_url=basis_url,
        settle_url=url_for("statements.begin", lot_id=view.lot_id)
        if own and may(who, "settlement:write") and stored
        else None,
        packs=(),
        matured=_matured(page) if own and may(who, "settlement:write") and stored else None,
    )


def _basis_url(session: Session, who: ActorView | None, lot_id: UUID) -> str:
    """Lead to the inputs of this lot's numbers: its forecast, or the values anybody may read."""
    basis = sale_reads.basis(session, lot_id)
    reader = who is not None and may(who, "assessment:read")
    if who and reader and basis.run_id and assessments.may_see(session, who, basis.run_id):
        return url_for("assessments.run", run_id=basis.run_id)
    return url_for(
        "methods.programme",
        programme_id=basis.programme_id,
        version=basis.programme_version,
    )


def _matured(page: LotPage) -> int | None:
    """Return the year of maturity of a lot of trees once it has come and is not delivered."""
    if page.lot.unit != "tree":
        return None
    year = calendar.beijing_day(now()).year
    waiting = (
        offer.vintage
        for offer in page.lot.offers
        if offer.vintage <= year and not offer.delivered and offer.sold
    )
    return next(waiting, None)


def capacity_bar(unit: str, offer: OfferView) -> Chart:
    """Return the bar of what a vintage offered has become."""
    named = (
        (gettext("可认购"), offer.free),
        (gettext("已预留"), offer.held),
        (gettext("已售未交付"), offer.sold),
        (gettext("已交付"), offer.delivered),
        (gettext("未能交付"), offer.shortfall),
    )
    kg_unit = unit == "kg"
    return share_bar(
        gettext("%(year)s 年份的去向", year=offer.vintage),
        gettext(
            "预存 %(all)s 中还有多少可以认购",
            all=tonnes(offer.quantity) if kg_unit else offer.quantity,
        ),
        [(name, value / 1000 if kg_unit else value) for name, value in named if value],
        unit=gettext("吨") if kg_unit else gettext("包"),
        headers=(gettext("去向"), gettext("数量"), gettext("占比")),
    )


def _papers(page: LotPage, said: tuple[ObjectionView, ...]) -> Papers:
    named = {
        event.code: event.en if english() else event.zh
        for machine in (LOT_SALE, LOT_PHYSICAL)
        for event in machine.events
    }
    steps = tuple(
        Step(
            at=moment(one.at),
            what=named.get(one.event, one.event),
            who="",
            note=str(one.inputs.get("reason") or one.inputs.get("answer") or ""),
        )
        for one in reversed(page.steps)
    )
    earliest = None
    if page.lot.noticed_on is not None:
        days = int(page.sale.get("notice_days", calendar.NOTICE_DAYS_MIN))
        earliest = calendar.earliest_vote(page.lot.noticed_on, notice_days=days).day.isoformat()
    return Papers(page=page, steps=steps, objections=said, earliest_vote=earliest)


def moment(at: datetime) -> str:
    """Return an instant as Beijing writes it, to the minute."""
    return f"{at.astimezone(calendar.BEIJING):%Y-%m-%d %H:%M}"


@blueprint.get("/by-number/<number>")
@public
def by_number(number: str) -> Response:
    """Lead from a printed number to its lot."""
    with reading() as session:
        found = api.visible(session, viewer(), Empty())
    for one in found.items:
        if one.number == number:
            return redirect(_here(one.lot_id), 303)
    raise NotFoundError(what="lot", id=number[:60])
