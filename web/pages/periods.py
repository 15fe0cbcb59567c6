"""Monitoring periods: submitted with their plan, answered by an independent verifier, issued."""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, request, url_for
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from options import delivery, sale_reads
from registry import intervals, issuance, periods, plot_estimates, programmes, project_accounts
from registry.db import Command
from registry.reads import assessments as run_reads
from registry.reads import periods as reads
from registry.reads import projects as project_reads
from web.api import periods as api
from web.api.sale_scope import party_of
from web.api.settlements import deliver, guard_delivery
from web.auth import may, requires
from web.commands import from_form, from_query
from web.context import actor, reading
from web.formats import tonnes
from web.pages import frame, home
from web.pages.acting import Faults, acted, answered, given, kg, paper, paper_limit, word
from web.pages.assessments import plus_minus
from web.pages.frame import moment, show
from web.pages.plots import estimator_word
from web.pages.project_accounts import kind_word, part_word
from web.pages.projects import Step
from web.parsing import FieldError, FieldsInvalidError, field_error, parse

blueprint = Blueprint("periods", __name__)
_PERCENT: Final = 100
_YEAR_DIGITS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPage:
    """Context of ``periods/index.html``; years are inclusive."""

    periods: tuple[tuple[reads.PeriodRow, int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the programme says of a period, as the form shows it first."""

    discount: str
    non_permanence: str
    share_percent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPage:
    """Context of ``periods/new.html``."""

    project: project_reads.ProjectLine
    runs: tuple[tuple[str, str], ...]
    estimates: tuple[tuple[str, str], ...]
    first_year: int
    from_rows: frozenset[str]
    """Sums that the project's rows say; the form does not ask for them."""
    terms: Terms
    faults: Faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Independence:
    """Whether the verifier who looks may answer, and if not, why in words."""

    answers: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodContext:
    """Context of ``periods/period.html``."""

    page: reads.PeriodPage
    first_year: int
    last_year: int
    steps: tuple[tuple[str, str, str], ...]
    pools: tuple[tuple[str, str], ...]
    lines: tuple[tuple[int, str, str, str, str], ...]
    """Rows behind baseline, emissions and leakage: year, what, tonnes, how, source."""
    spread: str
    """"±" of the run's net over its years, or in words that there is none."""
    sample: reads.Sample
    story: tuple[Step, ...]
    verifier: Independence | None
    may_issue: bool
    may_deliver: bool
    sold_ahead: bool
    path: tuple[str, ...]
    here: int
    faults: Faults


frame.NAV.append(
    frame.NavItem(
        word=lazy_gettext("监测期"),
        endpoint="periods.index",
        permission="period:read",
        group="projects",
    )
)
home.CARDS.append(
    home.Card(
        title=lazy_gettext("待核证的监测期"),
        text=lazy_gettext("抽样、看每个数的来历，核证通过或说明理由不通过。"),
        endpoint="periods.index",
        permission="period:verify",
    )
)


@blueprint.get("/periods")
@requires("period:read")
def index() -> str:
    """Show the periods the actor may see."""
    query = from_query(reads.PeriodQuery)
    with reading() as session:
        found = reads.periods(session, actor(), query)
    rows = tuple((one, *_years(one.starts_on, one.ends_on)) for one in found.items)
    return show("periods/index.html", IndexPage(periods=rows))


@blueprint.get("/projects/<uuid:project_id>/periods/new")
@requires("period:open")
def new(project_id: UUID) -> str:
    """Show the form of a period with what the programme says."""
    return _new(project_id, Faults())


@blueprint.post("/projects/<uuid:project_id>/periods/new")
@requires("period:open")
def submit(project_id: UUID) -> Response | tuple[str, int]:
    """Plan and submit it."""
    return answered(
        periods.submit,
        lambda: _submitted(project_id),
        lambda made: url_for("periods.period", period_id=made.period_id),
        lambda faults: _new(project_id, faults),
        guard=api.guard_submit,
        done=gettext("监测期已提交，等待核证。"),
    )


@blueprint.get("/periods/<uuid:period_id>")
@requires("period:read")
def period(period_id: UUID) -> str:
    """Show one period."""
    return _period(period_id, Faults())


@blueprint.post("/periods/<uuid:period_id>/verification")
@requires("period:verify")
@paper_limit
def verify(period_id: UUID) -> Response | tuple[str, int]:
    """Record the verifier's yes."""
    return answered(
        periods.verify,
        lambda: _verified(period_id),
        lambda made: url_for("periods.period", period_id=made.period_id),
        lambda faults: _period(period_id, faults),
        guard=api.guard_verifier,
        done=gettext("核证已登记。"),
    )


@blueprint.post("/periods/<uuid:period_id>/refusal")
@requires("period:verify")
def refuse(period_id: UUID) -> Response | tuple[str, int]:
    """Record the verifier's no."""
    return answered(
        periods.refuse,
        lambda: _refused(period_id),
        lambda made: url_for("periods.period", period_id=made.period_id),
        lambda faults: _period(period_id, faults),
        guard=api.guard_verifier,
        done=gettext("已登记为不通过。"),
    )


@blueprint.post("/periods/<uuid:period_id>/issuance")
@requires("unit:issue")
def issue(period_id: UUID) -> Response:
    """Issue it to the proponent."""
    return acted(
        delivery.issue_period,
        lambda: from_form(issuance.IssuePeriod, period_id=period_id),
        url_for("periods.period", period_id=period_id),
        guard=api.guard_issue,
        done=gettext("已签发。"),
    )


@blueprint.post("/periods/<uuid:period_id>/delivery")
@requires("settlement:write")
def hand_over(period_id: UUID) -> Response:
    """Issue it and deliver what was sold of it."""
    return acted(
        deliver,
        lambda: from_form(delivery.DeliverPeriod, period_id=period_id),
        url_for("periods.period", period_id=period_id),
        guard=guard_delivery,
        done=gettext("已签发，已售的部分已交付认购方。"),
    )


def _years(starts_on: date, ends_on: date) -> tuple[int, int]:
    return starts_on.year, (ends_on - timedelta(days=1)).year


def _new(project_id: UUID, faults: Faults) -> str:
    with reading() as session:
        line = project_reads.require_writer(session, actor(), project_id)
        query = run_reads.RunQuery(project_id=project_id, kind="monitored", limit=50)
        runs = run_reads.runs(session, actor(), query).items
        terms = _terms(session, line)
        estimates = plot_estimates.listing(session, project_id)
        rows = _from_rows(session, line)
    return show(
        "periods/new.html",
        NewPage(
            project=line,
            runs=tuple(
                (str(one.id), f"{one.first_year}–{one.last_year} · {moment(one.recorded_at)}")
                for one in runs
            ),
            estimates=tuple(
                (str(one.id), f"{one.survey_year} · n = {one.n} · U = {_share(one.u)}")
                for one in estimates
            ),
            first_year=runs[0].first_year if runs else line.crediting_from.year,
            from_rows=rows,
            terms=terms,
            faults=faults,
        ),
    )


def _from_rows(session: Session, line: project_reads.ProjectLine) -> frozenset[str]:
    years = range(line.crediting_from.year, line.crediting_to.year)
    found = project_accounts.lines_of(session, line.id, years, planned=False)
    return frozenset(one.part for one in found)


def _terms(session: Session, line: project_reads.ProjectLine) -> Terms:
    """Return the programme's discount table and its provision against reversal."""
    found = programmes.version(session, line.programme_id, line.programme_version)
    lasting = found.settings("non_permanence")
    share = Decimal(str(lasting.get("share", "0"))) * _PERCENT
    return Terms(
        discount=str(found.settings("uncertainty").get("table", "")),
        non_permanence=str(lasting.get("kind", "buffer_pool")),
        share_percent=f"{share.normalize():f}",
    )


def _submitted(project_id: UUID) -> Command:
    """Return the period; discount and provision are the programme's, never the form's."""
    wrong: list[FieldError] = []
    first, last = (_year(name, wrong) for name in ("first_year", "last_year"))
    amounts = {name: _kg(name, wrong) if word(name) else None for name in project_accounts.PARTS}
    half_width = _percent("uncertainty", wrong)
    if not word("run_id"):
        wrong.append(field_error("/run_id", "FIELD_MISSING", field="run_id"))
    if wrong:
        raise FieldsInvalidError(tuple(wrong))
    with reading() as session:
        line = project_reads.require_writer(session, actor(), project_id)
        terms = _terms(session, line)
        if word("estimate_id"):
            half_width = _u_of(session, word("estimate_id"))
    body = {
        "starts_on": f"{first:04d}-01-01",
        "ends_on": f"{last + 1:04d}-01-01",
        "run_id": word("run_id"),
        "estimate_id": word("estimate_id") or None,
        "inputs": {
            **{f"{name}_kg": amount for name, amount in amounts.items()},
            "uncertainty": str(half_width),
            "discount": terms.discount or None,
            "non_permanence": terms.non_permanence,
            "non_permanence_share": str(Fraction(terms.share_percent) / _PERCENT),
        },
    }
    return parse(periods.SubmitPeriod, json.dumps(body), given(project_id=project_id))


def _u_of(session: Session, estimate_id: str) -> Fraction:
    """Return the U of an estimate of plots; the verb says whether it is this project's."""
    try:
        return Fraction(plot_estimates.get(session, UUID(estimate_id)).u)
    except ValueError as error:
        fault = field_error("/estimate_id", "FIELD_FORMAT", field="estimate_id")
        raise FieldsInvalidError((fault,)) from error


def _year(name: str, wrong: list[FieldError]) -> int:
    text = word(name)
    if len(text) == _YEAR_DIGITS and text.isascii() and text.isdecimal() and int(text):
        return min(int(text), 9998)
    wrong.append(field_error(f"/{name}", "FIELD_FORMAT" if text else "FIELD_MISSING", field=name))
    return 1


def _kg(name: str, wrong: list[FieldError]) -> int:
    if not word(name):
        return 0
    try:
        return kg(name)
    except FieldsInvalidError as error:
        wrong.extend(error.errors)
        return 0


def _percent(name: str, wrong: list[FieldError]) -> Fraction:
    try:
        value = Decimal(word(name) or "0")
    except InvalidOperation:
        value = Decimal(-1)
    if value.is_finite() and 0 <= value < 1000:  # noqa: PLR2004 -- percent; more is a slip
        return Fraction(value) / _PERCENT
    wrong.append(field_error(f"/{name}", "FIELD_FORMAT", field=name))
    return Fraction(0)


def _verified(period_id: UUID) -> Command:
    wrong: list[FieldError] = []
    amount = 0
    try:
        amount = kg("verified")
    except FieldsInvalidError as error:
        code = "FIELD_FORMAT" if word("verified") else "FIELD_MISSING"
        wrong += [field_error(one.pointer, code, field="verified") for one in error.errors]
    statement = b""
    try:
        statement = paper("statement")
    except FieldsInvalidError as error:
        wrong.extend(error.errors)
    if wrong:
        raise FieldsInvalidError(tuple(wrong))
    return periods.VerifyPeriod(
        **given(  # type: ignore[arg-type]
            period_id=period_id,
            verifier_id=party_of(actor()),
            verified_kg=amount,
            statement_sha256=statement.hex(),
        )
    )


def _refused(period_id: UUID) -> Command:
    if not word("reason"):
        raise FieldsInvalidError((field_error("/reason", "FIELD_MISSING", field="reason"),))
    return from_form(periods.RefusePeriod, period_id=period_id, verifier_id=party_of(actor()))


def _period(period_id: UUID, faults: Faults) -> str:
    who = actor()
    asked = request.args.get("size", "")
    size = int(asked) if asked.isdecimal() and 0 < int(asked[:4]) <= reads.SAMPLE_MAX else None
    with reading() as session:
        page = reads.period(session, who, reads.PeriodById(period_id=period_id))
        drawn = reads.sample(session, who, reads.SampleQuery(period_id=period_id, size=size))
        ahead = sale_reads.sold_ahead(session, page.project.id)
        verifier = _independence(session, page) if may(who, "period:verify") else None
        drawn_run = intervals.of_run(session, page.period.run_id)
    spread = gettext("监测测算没有计算区间。") if drawn_run is None else plus_minus(drawn_run.net)
    first, last = _years(page.period.starts_on, page.period.ends_on)
    ready = page.period.status == "verified" and page.issuing_authority == "local"
    order = ("submitted", "verified", "issued")
    status = page.period.status
    refused = status == "refused"
    return show(
        "periods/period.html",
        PeriodContext(
            page=page,
            first_year=first,
            last_year=last,
            steps=_steps(page),
            pools=tuple(
                (pool, tonnes(kg)) for pool, kg in page.period.plan.get("pools", {}).items()
            ),
            lines=tuple(_line(one) for one in page.period.plan.get("lines", [])),
            spread=spread,
            sample=drawn,
            story=tuple(_step(one) for one in reversed(page.story)),
            verifier=verifier,
            may_issue=ready and not ahead and may(who, "unit:issue"),
            may_deliver=ready and ahead and may(who, "settlement:write"),
            sold_ahead=ahead,
            path=(gettext("提交"), gettext("核证不通过"))
            if refused
            else (gettext("提交"), gettext("核证"), gettext("签发")),
            here=1 if refused else order.index(status) + 1,
            faults=faults,
        ),
        estimator_word=estimator_word,
    )


def _independence(session: Session, page: reads.PeriodPage) -> Independence:
    """Say whether the verifier who looks may answer; the verbs and the database say it again."""
    who = actor()
    relation = (
        "no_verifier"
        if who.party_id is None
        else periods.relation(session, verifier_id=who.party_id, project_id=page.project.id)
    )
    why = {
        None: "",
        "no_verifier": gettext("您不代表登记的核证机构。"),
        "proponent": gettext("贵机构是本项目的业主。"),
        "owner": gettext("贵机构是项目地块的权利人。"),
        "holder": gettext("贵机构持有碳汇单位。"),
    }.get(relation, relation or "")
    if not why and page.submitted_by_id == who.id:
        why = gettext("这个监测期是您提交的。")
    return Independence(answers=page.period.status == "submitted" and not why, why=why)


def _steps(page: reads.PeriodPage) -> tuple[tuple[str, str, str], ...]:
    """Return the plan's arithmetic: (what, amount, why), from the change to the batches."""
    plan, inputs = page.period.plan, page.inputs
    steps: dict[str, Any] = plan["steps"]
    lasting = gettext("扣减") if inputs["non_permanence"] == "deduction" else gettext("缓冲池")
    rows: list[tuple[str, int | Fraction, str]] = [
        (
            gettext("项目储量变化"),
            int(steps["project_change_kg"]),
            gettext("监测测算各年净吸收之和"),
        ),
        (
            gettext("减不确定性折减"),
            -Fraction(steps["discount_kg"]),
            gettext(
                "相对半宽 %(u)s，折减表 %(t)s",
                u=_share(inputs["uncertainty"]),
                t=inputs["discount"] or "—",
            ),
        ),
        (gettext("减基线"), -int(inputs["baseline_kg"]), ""),
        (gettext("减项目排放"), -int(inputs["emissions_kg"]), ""),
        (gettext("减泄漏"), -int(inputs["leakage_kg"]), ""),
        (gettext("减上期亏欠"), -int(plan["deficit_before_kg"]), ""),
        (
            gettext("非持久性扣减"),
            -Fraction(steps["deducted_kg"]),
            f"{lasting} {_share(inputs['non_permanence_share'])}",
        ),
        (gettext("可计入"), int(steps["creditable_kg"]), gettext("舍到公斤，向下")),
    ]
    if int(steps["deficit_kg"]):
        rows.append((gettext("留给下期补的亏欠"), int(steps["deficit_kg"]), ""))
    return tuple((what, _tonnes(amount), why) for what, amount, why in rows)


def _line(one: dict[str, Any]) -> tuple[int, str, str, str, str]:
    return (
        one["year"],
        f"{part_word(one['part'])} · {kind_word(one['kind'])}",
        tonnes(one["kg"]),
        one["how"],
        one["source"],
    )


def _tonnes(amount: int | Fraction) -> str:
    """Return kg as tonnes; what is not whole kg is marked as rounded."""
    whole = round(amount)
    return tonnes(whole) if whole == amount else f"≈ {tonnes(whole)}"


def _share(text: str) -> str:
    return f"{float(Fraction(text)):.4g}" if Fraction(text) > 1 else f"{float(Fraction(text)):.2%}"


def _step(act: project_reads.Act) -> Step:
    words = {
        "period.submitted": gettext("提交监测期"),
        "period.verified": gettext("核证通过"),
        "period.refused": gettext("核证不通过"),
        "units.issued": gettext("签发"),
    }
    return Step(
        at=moment(act.effective_at),
        who=act.actor,
        what=words.get(act.kind, act.kind),
        note=act.note,
    )
