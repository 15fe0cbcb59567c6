"""Units: what a party holds, passing it on, retiring it; public pages of batch and serial."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from flask import Blueprint, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from registry import certificates, events, retirement, serials, transfers
from registry.db import Command, transaction
from registry.ranges import Selection
from registry.reads import assessments, books
from registry.reads import units as reads
from registry.reads.books import HeldRange, Holdings
from registry.unit_errors import SerialInvalidError
from web.api import units as api
from web.api.sale_scope import party_of
from web.auth import may, moves_value, public, requires
from web.chart_frame import Chart
from web.charts import share_bar
from web.commands import from_form
from web.context import actor, engine, reading, viewer
from web.pages import frame, home
from web.pages.acting import Faults, acted, answered, given, kg, word
from web.pages.frame import moment, show
from web.parsing import FieldError, FieldsInvalidError, field_error

blueprint = Blueprint("units", __name__)
SPENDABLE: Final = "holding"
"""Account from which units are passed on and retired."""
_KG_PER_T: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPage:
    """Context of ``units/index.html``: own units, or all batches to who holds for nobody."""

    holdings: Holdings | None
    open: tuple[HeldRange, ...]
    retirements: tuple[reads.RetirementLine, ...]
    batches: tuple[reads.BatchLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPage:
    """Context of ``units/transfer.html`` and ``units/retire.html``."""

    ranges: tuple[HeldRange, ...]
    chosen: str
    year: int
    purposes: tuple[tuple[str, str], ...]
    kinds: tuple[tuple[str, str], ...]
    faults: Faults


@dataclass(frozen=True, slots=True, kw_only=True)
class RetirementPage:
    """Context of ``units/retirement.html``."""

    retirement: reads.RetirementLine
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchContext:
    """Context of ``units/batch.html``."""

    batch: reads.BatchPage
    first_year: int
    last_year: int
    states: Chart
    run_open: bool
    """Whether the reader may open the run that the batch stands on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One line of a range's history in words."""

    at: str
    who: str
    what: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialPage:
    """Context of ``units/serial.html``."""

    view: certificates.SerialView
    prefix: str
    kg: int
    state: str
    story: tuple[Act, ...]


frame.NAV.append(
    frame.NavItem(
        word=lazy_gettext("碳汇单位"),
        endpoint="units.index",
        permission="unit:read",
        group="market",
    )
)
home.CARDS.append(
    home.Card(
        title=lazy_gettext("碳汇单位"),
        text=lazy_gettext("看持有的序列号，转让、捐赠或注销使用，开证书。"),
        endpoint="units.index",
        permission="unit:hold",
    )
)


@blueprint.get("/units")
@requires("unit:read")
def index() -> str:
    """Show what the actor's party holds and retired; to others the batches."""
    who = actor()
    holdings, done = None, reads.Retirements(items=[])
    with reading() as session:
        if who.party_id is not None:
            holdings = books.holdings(session, who.party_id)
            done = reads.retirements(session, who.party_id)
        listed = reads.batches(session, who, reads.BatchList())
    return show(
        "units/index.html",
        IndexPage(
            holdings=holdings,
            open=_spendable(holdings),
            retirements=tuple(done.items),
            batches=tuple(listed.items),
        ),
    )


@blueprint.get("/units/transfer")
@requires("unit:hold")
def pass_on() -> str:
    """Show the form to pass units on."""
    return _form("units/transfer.html", Faults())


@blueprint.post("/units/transfer")
@requires("unit:hold")
@moves_value
def transfer() -> Response | tuple[str, int]:
    """Pass units on to another holder, sold or given."""
    return answered(
        transfers.transfer,
        _transferred,
        lambda _moved: url_for("units.index"),
        lambda faults: _form("units/transfer.html", faults),
        guard=api.guard_holder,
        done=gettext("单位已转出。"),
    )


@blueprint.get("/units/retire")
@requires("unit:hold")
def use_up() -> str:
    """Show the form to retire units."""
    return _form("units/retire.html", Faults())


@blueprint.post("/units/retire")
@requires("unit:hold")
@moves_value
def retire() -> Response | tuple[str, int]:
    """Retire units for a beneficiary."""
    return answered(
        retirement.retire,
        _retired,
        lambda made: url_for("units.retired", retirement_id=made.retirement_id),
        lambda faults: _form("units/retire.html", faults),
        guard=api.guard_holder,
        done=gettext("已注销使用，这些单位不会再流转。"),
    )


@blueprint.get("/retirements/<uuid:retirement_id>")
@requires("unit:read")
def retired(retirement_id: UUID) -> str:
    """Show a retirement to who retired."""
    with reading() as session:
        found = api.own_retirement(
            session, actor(), api.RetirementById(retirement_id=retirement_id)
        )
    return show(
        "units/retirement.html",
        RetirementPage(retirement=found, purpose=dict(purposes()).get(found.purpose, "—")),
    )


@blueprint.post("/retirements/<uuid:retirement_id>/certificate")
@requires("unit:hold")
def certify(retirement_id: UUID) -> Response:
    """Make the certificate; the retirement is sealed first, unless the worker has done it."""
    with transaction(engine()) as session:
        events.seal(session)
    return acted(
        api.certify,
        lambda: from_form(certificates.CertifyRetirement, retirement_id=retirement_id),
        lambda made: url_for("certificates.certificate", number=made.number),
        guard=api.guard_retirement,
        done=gettext("证书已开出。"),
        again=url_for("units.retired", retirement_id=retirement_id),
    )


@blueprint.get("/batches/<prefix>")
@public
def batch(prefix: str) -> str:
    """Show to anybody what a batch stands on."""
    with reading() as session:
        found = reads.batch(session, None, reads.BatchQuery(prefix=prefix))
        who = viewer()
        run_open = (
            who is not None
            and may(who, "assessment:read")
            and assessments.may_see(session, who, found.run_id)
        )
    return show(
        "units/batch.html",
        BatchContext(
            batch=found,
            first_year=found.starts_on.year,
            last_year=(found.ends_on - timedelta(days=1)).year,
            states=_states(found),
            run_open=run_open,
        ),
    )


@blueprint.get("/serials/<serial>")
@public
def serial(serial: str) -> str:
    """Show to anybody what became of some serials, and every act on them."""
    with reading() as session:
        view = certificates.serial_state(session, serial)
        told = reads.history(session, None, reads.HistoryQuery(serial=serial))
    wanted = serials.parse(view.serial)
    states = {str(part["status"]) for part in view.parts}
    return show(
        "units/serial.html",
        SerialPage(
            view=view,
            prefix=wanted.prefix,
            kg=wanted.kg,
            state=states.pop() if len(states) == 1 else "issued",
            story=tuple(_act(one) for one in reversed(told.items)),
        ),
    )


def purposes() -> tuple[tuple[str, str], ...]:
    """Return what units are retired for, with words."""
    return (
        ("corporate_targets", gettext("企业目标")),
        ("public_environmental_claims", gettext("公开环境声明")),
        ("insetting", gettext("供应链内抵消")),
        ("regulatory_requirement", gettext("履约要求")),
        ("other", gettext("其他")),
    )


def beneficiary_kinds() -> tuple[tuple[str, str], ...]:
    """Return kinds of beneficiary, with words."""
    return (
        ("enterprise", gettext("企业")),
        ("person", gettext("个人")),
        ("government", gettext("政府机构")),
        ("event", gettext("会议或活动")),
        ("other", gettext("其他")),
    )


def _spendable(holdings: Holdings | None) -> tuple[HeldRange, ...]:
    if holdings is None:
        return ()
    return tuple(one for one in holdings.ranges if one.account == SPENDABLE)


def _form(template: str, faults: Faults) -> str:
    who = actor()
    with reading() as session:
        holdings = books.holdings(session, party_of(who))
    ranges = _spendable(holdings)
    return show(
        template,
        FormPage(
            ranges=ranges,
            chosen=request.args.get("serial", ""),
            year=max((one.vintage for one in ranges), default=0),
            purposes=purposes(),
            kinds=beneficiary_kinds(),
            faults=faults,
        ),
    )


def _selection(wrong: list[FieldError]) -> Selection:
    """Return the chosen range, or the last kilograms of it: the owner keeps the first."""
    text = word("serial")
    if not text:
        wrong.append(field_error("/serial", "FIELD_MISSING", field="serial"))
        return Selection()
    try:
        whole = serials.parse(text)
        amount = kg("amount") if word("amount") else whole.kg
    except SerialInvalidError:
        wrong.append(field_error("/serial", "FIELD_FORMAT", field="serial"))
        return Selection()
    except FieldsInvalidError as error:
        wrong.extend(error.errors)
        return Selection()
    if not 0 < amount <= whole.kg:
        wrong.append(
            field_error("/amount", "FIELD_RANGE", field="amount", why=f"0.001–{whole.kg / 1000}")
        )
        return Selection()
    first = whole.last - amount + 1
    part = serials.SerialRange(prefix=whole.prefix, first=first, last=whole.last)
    return Selection(serials=(str(part),))


def _transferred() -> Command:
    wrong: list[FieldError] = []
    units = _selection(wrong)
    with reading() as session:
        found = reads.receiver(session, word("receiver")) if word("receiver") else None
    if found is None:
        code = "FIELD_CHOICE" if word("receiver") else "FIELD_MISSING"
        hint = gettext("登记过的全称或统一社会信用代码")
        wrong.append(field_error("/receiver", code, field="receiver", choices=hint))
    if wrong or found is None:
        raise FieldsInvalidError(tuple(wrong))
    return transfers.TransferUnits(
        **given(  # type: ignore[arg-type]
            holder_id=party_of(actor()),
            receiver_id=found.party_id,
            units=units,
            reason=word("reason")[:500],
            donation=word("act") == "donation",
        )
    )


def _retired() -> Command:
    wrong: list[FieldError] = []
    units = _selection(wrong)
    needed = ("beneficiary", "beneficiary_location", "reporting_period")
    wrong += [field_error(f"/{one}", "FIELD_MISSING", field=one) for one in needed if not word(one)]
    if wrong:
        raise FieldsInvalidError(tuple(wrong))
    return from_form(retirement.RetireUnits, holder_id=party_of(actor()), units=units)


def _states(found: reads.BatchPage) -> Chart:
    words = (
        ("held", gettext("持有")),
        ("retired", gettext("已注销使用")),
        ("buffer", gettext("缓冲池")),
        ("cancelled", gettext("已取消")),
    )
    return share_bar(
        gettext("这一批现在在哪里"),
        gettext("各状态之和等于签发数量"),
        [(name, found.states[code] / _KG_PER_T) for code, name in words if found.states.get(code)],
        unit=gettext("吨"),
        headers=(gettext("状态"), gettext("数量"), gettext("占比")),
    )


def _act(one: reads.HistoryLine) -> Act:
    words = {
        ("units.issued", "held"): gettext("签发"),
        ("units.issued", "buffer"): gettext("签发到缓冲池"),
        ("units.transferred", "held"): gettext("转让（含拆分）"),
        ("units.donated", "held"): gettext("捐赠"),
        ("units.delivered", "held"): gettext("交付认购方"),
        ("units.retired", "retired"): gettext("注销使用"),
        ("units.retired", "held"): gettext("拆分后留下"),
        ("buffer.cancelled", "cancelled"): gettext("取消缓冲单位"),
    }
    what = words.get((one.act, one.status), one.act)
    chain = (
        gettext("审计链 #%(n)s", n=one.seal_pos)
        if one.seal_pos is not None
        else gettext("等待封存")
    )
    return Act(at=moment(one.at), who="", what=f"{what} · {one.first}–{one.last}", note=chain)
