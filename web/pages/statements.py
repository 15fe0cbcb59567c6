"""Settlements, a village's statement, a forest owner's account: every fen, due and received."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from options import outside, reads, sale_reads, settlement
from options.calendar import beijing_day
from options.programme import waterfall_terms
from options.reads import (
    FirstLevelAccount,
    ForestOwnerAccount,
    LotPage,
    VillageStatement,
    YearView,
    village_statement,
)
from options.sale_reads import SettlementPage, SettlementRow
from options.waterfall import Deduction
from registry import intervals, people
from registry.parameter_error import YearInterval
from web.api import settlements as api
from web.api.endpoints import Empty
from web.api.sale_scope import division_of, require_account, require_seller, require_settlement
from web.auth import may, moves_value, requires
from web.chart_frame import Axes, Chart
from web.charts import MoneyStep, Series, bar_chart, money_flow, stacked_bars
from web.commands import from_form
from web.context import actor, now, reading
from web.pages import frame
from web.pages.acting import acted, fen, given, paper, paper_limit, whole, word
from web.pages.assessments import plus_minus
from web.pages.frame import show
from web.pages.lots import moment
from web.pages.subscriptions import bank_row

blueprint = Blueprint("statements", __name__)
DEDUCTION_ROWS: Final = 5
PATH: Final = ("DRAFT", "CHECKED", "APPROVED", "PAYING", "RETURNED", "PUBLISHED")
YEARS_BACK, YEARS_SHOWN = 4, 12
"""Years of an account's chart: those gone by, and all; a forecast reaches far ahead."""
_KG_PER_T: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPage:
    """Context of ``statements/index.html``."""

    runs: tuple[SettlementRow, ...]
    account: FirstLevelAccount | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginPage:
    """Context of ``statements/begin.html``: what is spent, before a run is drafted."""

    lot: LotPage
    types: tuple[str, ...]
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """Context of ``statements/settlement.html``."""

    run: SettlementPage
    chart: Chart
    here: int
    people: dict[UUID, str]
    company: bool
    prepared: bool
    approved: bool
    unpaid: tuple[int, ...]
    today: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementPage:
    """Context of ``statements/statement.html``."""

    statement: VillageStatement
    outstanding_fen: int
    chart: Chart
    printed_on: str


Kind = Literal["forecast", "monitored"]
KINDS: Final[tuple[Kind, ...]] = ("forecast", "monitored")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPage:
    """Context of ``statements/account.html``: 林业碳账户."""

    account: ForestOwnerAccount
    stock_kg: int | None
    stock_year: int | None
    stock_spread: str
    """"±" of the stock; empty where no interval was made."""
    net: Chart
    sales: Chart
    years: tuple[tuple[int, str, int, str], ...]
    """Year, monitored or forecast, net in kg, and its "±"; empty where none was made."""


frame.NAV.append(
    frame.NavItem(
        word=lazy_gettext("结算"),
        endpoint="statements.index",
        permission="settlement:read",
        group="market",
    )
)
frame.NAV.append(
    frame.NavItem(
        word=lazy_gettext("碳账户"),
        endpoint="statements.own",
        permission="statement:read",
        group="market",
    )
)


@blueprint.get("/settlements")
@requires("settlement:read")
def index() -> str:
    """Show the runs the actor may see and, to a company, its first-level account."""
    who = actor()
    with reading() as session:
        runs = api.listed(session, who, Empty()).items
        account = None
        if who.party_id is not None and who.has("company"):
            account = reads.first_level_account(session, who.party_id)
    return show("statements/index.html", IndexPage(runs=runs, account=account))


@blueprint.get("/lots/<uuid:lot_id>/settlements/new")
@requires("settlement:write")
def begin(lot_id: UUID) -> str:
    """Ask for what was spent, with voucher numbers, before a run is drafted."""
    with reading() as session:
        lot = require_seller(session, actor(), lot_id)
    types = tuple(waterfall_terms(lot.waterfall).published)
    return show(
        "statements/begin.html", BeginPage(lot=lot, types=types, rows=tuple(range(DEDUCTION_ROWS)))
    )


@blueprint.post("/lots/<uuid:lot_id>/settlements/new")
@requires("settlement:write")
def draft(lot_id: UUID) -> Response:
    """Draft the run."""
    return acted(
        settlement.draft,
        lambda: settlement.DraftSettlement(
            **given(  # type: ignore[arg-type]
                lot_id=lot_id,
                vintage=whole("vintage"),
                deductions=tuple(
                    Deduction(
                        type=word(f"type-{row}"),
                        voucher=word(f"voucher-{row}"),
                        amount_fen=fen(f"amount-{row}"),
                    )
                    for row in range(DEDUCTION_ROWS)
                    if word(f"amount-{row}")
                ),
            )
        ),
        lambda made: _here(made.settlement_id),
        guard=api.guard_seller,
        done=gettext("结算单已起草，请另一人复核。"),
    )


@blueprint.get("/settlements/<uuid:settlement_id>")
@requires("settlement:read")
def run(settlement_id: UUID) -> str:
    """Show a run: where the money went, its lines with vouchers, who approved."""
    who = actor()
    with reading() as session:
        page = require_settlement(session, who, settlement_id)
        ids = {page.prepared_by, *page.approved_by}
        if page.checked_by is not None:
            ids.add(page.checked_by)
        names = {one: people.actor(session, one).name for one in ids}
    return show(
        "statements/settlement.html",
        RunPage(
            run=page,
            chart=waterfall(page),
            here=len(PATH) if page.state == PATH[-1] else PATH.index(page.state),
            people=names,
            company=may(who, "settlement:write")
            and (who.party_id == page.company_id or who.has("system")),
            prepared=page.prepared_by == who.id,
            approved=who.id in page.approved_by,
            unpaid=tuple(
                line.n
                for line in page.lines
                if line.kind != "reserve" and line.amount_fen and not line.paid_fen
            ),
            today=beijing_day(now()).isoformat(),
        ),
    )


@blueprint.post("/settlements/<uuid:settlement_id>/check")
@requires("settlement:write")
def check(settlement_id: UUID) -> Response:
    """Confirm the draft."""
    return _step(settlement_id, settlement.check)


@blueprint.post("/settlements/<uuid:settlement_id>/reopen")
@requires("settlement:write")
def reopen(settlement_id: UUID) -> Response:
    """Send it back."""
    return _step(settlement_id, settlement.reopen)


@blueprint.post("/settlements/<uuid:settlement_id>/approve")
@requires("settlement:write")
@moves_value
def approve(settlement_id: UUID) -> Response:
    """Approve; two persons must."""
    return _step(settlement_id, settlement.approve)


@blueprint.post("/settlements/<uuid:settlement_id>/pay")
@requires("settlement:write")
@moves_value
def start(settlement_id: UUID) -> Response:
    """Start payment."""
    return _step(settlement_id, settlement.start_payment)


@blueprint.post("/settlements/<uuid:settlement_id>/payments")
@requires("payment:record")
@moves_value
def confirm(settlement_id: UUID) -> Response:
    """Book one transfer of the bank."""
    return acted(
        settlement.confirm_payment,
        lambda: settlement.ConfirmSettlementPayment(
            **given(  # type: ignore[arg-type]
                settlement_id=settlement_id,
                lines=tuple(whole("lines", one) for one in request.form.getlist("lines")),
                statement=bank_row(),
            )
        ),
        _here(settlement_id),
        guard=api.guard_run,
        done=gettext("付款回单已登记。"),
    )


@blueprint.post("/settlements/<uuid:settlement_id>/publish")
@requires("settlement:write")
@paper_limit
def publish(settlement_id: UUID) -> Response:
    """Publish the statement."""
    return acted(
        settlement.publish,
        lambda: settlement.PublishSettlement(
            **given(settlement_id=settlement_id, document_sha256=paper())  # type: ignore[arg-type]
        ),
        _here(settlement_id),
        guard=api.guard_run,
    )


@blueprint.get("/account")
@requires("statement:read")
def own() -> Response | str:
    """Lead to the actor's own account; staff choose one of their villages."""
    who = actor()
    if who.party_id is not None:
        return redirect(url_for("statements.account", party_id=who.party_id), 303)
    with reading() as session:
        owners = sale_reads.owners(session, division=division_of(who) or "")
    return show("statements/owners.html", owners)


@blueprint.get("/parties/<uuid:party_id>/statement")
@requires("statement:read")
def statement(party_id: UUID) -> str:
    """Show every fen due to a party and received, run by run."""
    with reading() as session:
        require_account(session, actor(), party_id)
        found = village_statement(session, party_id)
    return show(
        "statements/statement.html",
        StatementPage(
            statement=found,
            outstanding_fen=found.due_fen - found.received_fen,
            chart=_money_by_run(found),
            printed_on=beijing_day(now()).isoformat(),
        ),
        moment=moment,
    )


@blueprint.get("/parties/<uuid:party_id>/account")
@requires("statement:read")
def account(party_id: UUID) -> str:
    """Show a forest owner's account (林业碳账户)."""
    with reading() as session:
        require_account(session, actor(), party_id)
        found = reads.forest_owner_account(session, outside.party(session, party_id).id)
        ids = reads.account_parcels(session, party_id)
        spread = {kind: intervals.of_parcels(session, ids, kind=kind) for kind in KINDS}
    stocks = [(year.year, year.stock_kg) for year in found.years if year.stock_kg is not None]
    return show(
        "statements/account.html",
        AccountPage(
            account=found,
            stock_year=stocks[-1][0] if stocks else None,
            stock_kg=stocks[-1][1] if stocks else None,
            stock_spread=_spread(spread["monitored"].get(stocks[-1][0]) if stocks else None),
            net=_net(found),
            sales=_sales(found),
            years=tuple(_year_row(one, spread) for one in _shown(found)),
        ),
    )


def _spread(one: YearInterval | None, *, net: bool = False) -> str:
    if one is None:
        return ""
    words: str = plus_minus(one.net if net else one.stock)
    return words


def _year_row(
    one: YearView, spread: Mapping[Kind, Mapping[int, YearInterval]]
) -> tuple[int, str, int, str]:
    kind: Kind = "forecast" if one.monitored_kg is None else "monitored"
    kg = one.forecast_kg if one.monitored_kg is None else one.monitored_kg
    return one.year, kind, kg or 0, _spread(spread[kind].get(one.year), net=True)


def waterfall(run: SettlementPage) -> Chart:
    """Return the waterfall of a run: from the money earned to the villages."""
    start = run.gross_fen + run.reserves_brought_fen
    rest = start
    steps = [MoneyStep(name=gettext("本次可分配收入"), fen=start, kind="total")]
    taken = (
        (gettext("税费"), run.taxes_fen),
        (gettext("保险"), run.insurance_fen),
        (gettext("公示成本"), run.costs_fen),
        (gettext("预留"), run.reserves_held_fen),
        (gettext("扣回预付款"), run.advance_recouped_fen),
        (gettext("其余归约定收款方"), run.remainder_fen),
    )
    for name, amount in taken:
        if amount:
            rest -= amount
            steps.append(MoneyStep(name=name, fen=amount, kind="minus"))
    steps.append(MoneyStep(name=gettext("返还村集体和农户"), fen=rest, kind="total"))
    return money_flow(
        gettext("钱从哪里来，到哪里去"),
        gettext("从本次收入依次扣除有凭证的税费、保险和成本，其余返还。"),
        steps,
        headers=(gettext("项目"), gettext("金额")),
    )


def _step(settlement_id: UUID, verb: Any) -> Response:  # noqa: ANN401
    return acted(
        verb,
        lambda: from_form(settlement.SettlementCommand, settlement_id=settlement_id),
        _here(settlement_id),
        guard=api.guard_run,
    )


def _here(settlement_id: UUID) -> str:
    return url_for("statements.run", settlement_id=settlement_id)


def _money_by_run(found: VillageStatement) -> Chart:
    names: dict[UUID, str] = {}
    due: dict[UUID, int] = {}
    received: dict[UUID, int] = {}
    for line in found.lines:
        key = line.settlement_id
        names[key] = f"{line.lot_number} · {line.vintage} · {line.run}"
        due[key] = due.get(key, 0) + line.due_fen
        received[key] = received.get(key, 0) + line.received_fen
    keys = list(names)[-8:]
    return stacked_bars(
        Axes(
            title=gettext("每次结算应得与实收"),
            description=gettext("每根柱子是一次结算：实收部分和尚未到账部分。"),
            x=gettext("批次 · 年份 · 次"),
            y=gettext("金额"),
            unit=gettext("元"),
        ),
        [names[key].split(" · ", 1)[1] for key in keys],
        [
            Series(name=gettext("实收"), values=tuple(received[key] / 100 for key in keys)),
            Series(
                name=gettext("未到账"),
                values=tuple((due[key] - received[key]) / 100 for key in keys),
            ),
        ]
        if keys
        else [],
        compact=True,
        empty=gettext("还没有结算"),
    )


def _shown(found: ForestOwnerAccount) -> list[YearView]:
    """Return the assessed years of the account's chart."""
    years = [y for y in found.years if y.forecast_kg is not None or y.monitored_kg is not None]
    start = next((i for i, y in enumerate(years) if y.year >= now().year - YEARS_BACK), 0)
    return years[start : start + YEARS_SHOWN]


def _net(found: ForestOwnerAccount) -> Chart:
    axes = Axes(
        title=gettext("每年净碳汇"),
        description=gettext("有监测数的年份用监测数，其余用预测数；预测不是减排量。"),
        x=gettext("年"),
        y=gettext("净碳汇"),
        unit=gettext("吨"),
    )
    shown = _shown(found)
    monitored = tuple((year.monitored_kg or 0) / _KG_PER_T for year in shown)
    forecast = tuple(
        0.0 if year.monitored_kg is not None else (year.forecast_kg or 0) / _KG_PER_T
        for year in shown
    )
    return stacked_bars(
        axes,
        [str(year.year) for year in shown],
        [
            Series(name=gettext("监测"), values=monitored),
            Series(name=gettext("预测"), values=forecast),
        ],
        empty=gettext("还没有核算"),
    )


def _sales(found: ForestOwnerAccount) -> Chart:
    totals = (
        (gettext("预存"), found.pre_stored),
        (gettext("已售"), found.sold),
        (gettext("已签发交付"), found.issued_kg),
    )
    return bar_chart(
        Axes(
            title=gettext("预存、已售与已交付"),
            description=gettext("三者各自累计，互不相加。"),
            x=gettext("去向"),
            y=gettext("数量"),
            unit=gettext("吨"),
        ),
        [name for name, _ in totals],
        [value / _KG_PER_T for _, value in totals],
        compact=True,
    )
