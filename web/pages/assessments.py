"""Assessments: runs, a run's years and parcels, and how one figure came about, down to its rows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from registry import estimation, intervals, layers, provenance
from registry.assessments import CohortPart, Explanation, YearSum
from registry.db import Command
from registry.errors import NotFoundError
from registry.layers import LayerView
from registry.parameter_error import Interval, RunInterval
from registry.reads import assessments as reads
from registry.reads import projects as project_reads
from registry.reads.choices import Choice, place_choices
from sinks import units
from web import messages
from web.api.assessments import ask, guard_ask
from web.api.factors import Factor, FactorQuery, factors
from web.auth import requires
from web.chart_frame import Axes, Chart
from web.charts import Band, line_band
from web.commands import from_query
from web.context import actor, config, now, reading
from web.formats import tonnes
from web.i18n import english
from web.pages import frame
from web.pages.acting import Faults, answered, given, word
from web.pages.frame import show
from web.parsing import FieldsInvalidError, field_error, parse

blueprint = Blueprint("assessments", __name__, url_prefix="/assessments")
YEARS_AHEAD: Final = 40
SHOWN: Final = 30
"""Parcels of a run on one page: a phone shows it quickly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPage:
    """Context of ``assessments/index.html``."""

    runs: reads.Runs
    project: project_reads.ProjectLine | None
    next_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPage:
    """Context of ``assessments/new.html``."""

    projects: tuple[tuple[str, str], ...]
    divisions: list[Choice]
    first_year: int
    last_year: int
    faults: Faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """What a reader must know: the words of a code, and how many parcels it concerns."""

    code: str
    words: str
    remedy: str
    parcels: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertain:
    """How sure a run is: "±" of the net and of the last stock, or in words why that is not said."""

    net: str
    stock: str
    why_none: str
    seed: int | None
    draws: int | None
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """Context of ``assessments/run.html``."""

    page: reads.RunPage
    parcels: reads.RunParcels
    stock_kg: int
    net_kg: int
    stock: Chart
    net: Chart
    flags: tuple[Flag, ...]
    layers: tuple[LayerView, ...]
    interval: Uncertain
    next_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelContext:
    """Context of ``assessments/parcel.html``."""

    run: reads.RunLine
    found: reads.ParcelYears
    name: str
    stock: Chart
    net: Chart
    flags: tuple[Flag, ...]
    interval: Uncertain
    spread: Mapping[int, tuple[str, str]]
    """By year, "±" of stock and net."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """A cohort's part of the stock in the units people read."""

    part: CohortPart
    t_c_ha: str
    share: str
    happened: tuple[str, ...]
    """What the record says happened to it, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HowPage:
    """Context of ``assessments/how.html``: from tonnes back to areas, rows and layers."""

    run: reads.RunLine
    name: str
    told: Explanation
    before_kg: int
    carbon_kg: str
    cohorts: tuple[Cohort, ...]
    rows: tuple[Factor, ...]
    ground_m2: float
    layers: tuple[LayerView, ...]
    flags: tuple[Flag, ...]
    years: tuple[int, ...]
    bundle: bool


frame.NAV.append(
    frame.NavItem(
        word=lazy_gettext("测算"),
        endpoint="assessments.index",
        permission="assessment:read",
        group="projects",
    )
)


@blueprint.get("")
@requires("assessment:read")
def index() -> str:
    """Show the runs the actor may see, all or a project's."""
    query = from_query(reads.RunQuery)
    project = None
    with reading() as session:
        found = reads.runs(session, actor(), query)
        if query.project_id is not None:
            asked = project_reads.ProjectById(project_id=query.project_id)
            project = project_reads.project(session, actor(), asked)
    more = url_for("assessments.index", project_id=query.project_id, before=found.next)
    return show(
        "assessments/index.html",
        IndexPage(runs=found, project=project, next_url=more if found.next else None),
    )


@blueprint.get("/new")
@requires("assessment:run")
def new() -> str:
    """Ask for a run."""
    return _new(Faults())


@blueprint.post("/new")
@requires("assessment:run")
def begin() -> Response | tuple[str, int]:
    """Leave the run to a worker and show how far it is."""
    return answered(
        ask,
        _asked,
        lambda job: url_for("jobs.job", job_id=job.id),
        _new,
        guard=guard_ask,
        done=gettext("测算已开始。"),
    )


@blueprint.get("/<uuid:run_id>")
@requires("assessment:read")
def run(run_id: UUID) -> str:
    """Show a run: its years, its parcels, what it stands on."""
    query = replace(from_query(reads.ParcelsQuery, run_id=run_id), limit=SHOWN)
    with reading() as session:
        page = reads.run(session, actor(), reads.RunById(run_id=run_id))
        parcels = reads.run_parcels(session, actor(), query)
        used = _layers(session, page.run.layers)
        drawn = _drawn(session, page)
    more = url_for("assessments.run", run_id=run_id, after=parcels.next, _anchor="parcels")
    bands = _both(page)
    return show(
        "assessments/run.html",
        RunContext(
            page=page,
            parcels=parcels,
            stock_kg=page.years[-1].stock_kg if page.years else 0,
            net_kg=sum(one.net_kg for one in page.years),
            stock=_chart_of(page.line, bands, drawn, stock=True),
            net=_chart_of(page.line, bands, drawn, stock=False),
            flags=_flags(page.flagged),
            interval=_uncertain(drawn, _why_none(page)),
            layers=used,
            next_url=more if parcels.next else None,
        ),
    )


@blueprint.get("/<uuid:run_id>/parcels/<uuid:parcel_id>")
@requires("assessment:read")
def parcel(run_id: UUID, parcel_id: UUID) -> str:
    """Show a parcel's years in a run; every year can be asked how."""
    query = reads.ParcelQuery(run_id=run_id, parcel_id=parcel_id)
    with reading() as session:
        found = reads.parcel_years(session, actor(), query)
        line = reads.run(session, actor(), reads.RunById(run_id=run_id)).line
        drawn = intervals.of_parcel(session, run_id, parcel_id)
    pair = (found.years, []) if line.kind == "forecast" else ([], found.years)
    return show(
        "assessments/parcel.html",
        ParcelContext(
            run=line,
            found=found,
            name=found.parcel.code or str(parcel_id)[:8],
            stock=_chart_of(line, pair, drawn, stock=True),
            net=_chart_of(line, pair, drawn, stock=False),
            flags=tuple(_flag(one) for one in found.flags),
            interval=_uncertain(drawn, gettext("这次测算没有计算区间。")),
            spread={
                one.year: (plus_minus(one.stock), plus_minus(one.net))
                for one in (drawn.years if drawn else [])
            },
        ),
    )


@blueprint.get("/<uuid:run_id>/parcels/<uuid:parcel_id>/<int:year>")
@requires("assessment:read")
def how(run_id: UUID, parcel_id: UUID, year: int) -> str:
    """Say how a parcel's tonnes of one year came about."""
    query = reads.ExplanationQuery(run_id=run_id, parcel_id=parcel_id, year=year)
    with reading() as session:
        told = reads.explanation(session, actor(), query)
        asked = reads.ParcelQuery(run_id=run_id, parcel_id=parcel_id)
        found = reads.parcel_years(session, actor(), asked)
        line = reads.run(session, actor(), reads.RunById(run_id=run_id)).line
        used = _layers(session, told.run.layers)
        growth = factors(session, actor(), FactorQuery(table="growth")).items
        exact = provenance.may_have_geometry(session, actor(), parcel_id)
    keys = {one.curve for one in told.cohorts}
    carbon = told.stock_sum
    return show(
        "assessments/how.html",
        HowPage(
            run=line,
            name=found.parcel.code or str(parcel_id)[:8],
            told=told,
            before_kg=told.stock_kg - told.net_kg,
            carbon_kg=f"{carbon // units.CENTI_MG_PER_KG:,}",
            cohorts=tuple(_cohort(one, told.area_m2) for one in told.cohorts),
            rows=tuple(row for row in growth if row.key in keys),
            ground_m2=_ground_m2(told),
            layers=used,
            flags=tuple(_flag(one) for one in told.flags),
            years=tuple(one.year for one in found.years),
            bundle=exact,
        ),
    )


@blueprint.get("/<uuid:run_id>/parcels/<uuid:parcel_id>/<int:year>/bundle.zip")
@requires("assessment:read")
def bundle(run_id: UUID, parcel_id: UUID, year: int) -> Response:
    """Answer with all that a figure stands on, to be computed again elsewhere."""
    query = reads.ExplanationQuery(run_id=run_id, parcel_id=parcel_id, year=year)
    with reading() as session:
        told = reads.explanation(session, actor(), query)
        data = provenance.bundle(session, actor(), told, layer_dir=config().layer_dir)
    name = f"tanhui-{str(parcel_id)[:8]}-{year}.zip"
    head = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, content_type="application/zip", headers=head)


@blueprint.get("/of/<uuid:parcel_id>")
@requires("assessment:read")
def latest(parcel_id: UUID) -> Response:
    """Lead to a parcel's newest forecast or, asked for, monitored run; with a year, to how.

    Raises
    ------
    NotFoundError : it was never assessed.
    """
    monitored = request.args.get("kind") == "monitored"
    with reading() as session:
        run_id = reads.latest_run(session, parcel_id, kind="monitored" if monitored else "forecast")
    if run_id is None:
        raise NotFoundError(what="assessment", id=parcel_id)
    year = request.args.get("year", "")
    if year.isdecimal() and len(year) == 4:  # noqa: PLR2004 -- digits of a year
        where = url_for("assessments.how", run_id=run_id, parcel_id=parcel_id, year=int(year))
    else:
        where = url_for("assessments.parcel", run_id=run_id, parcel_id=parcel_id)
    return redirect(where, 303)


def _drawn(session: Session, page: reads.RunPage) -> RunInterval | None:
    """Return a run's interval to who sees all of it: it is of the whole, not of a part."""
    seen = page.years[0].parcels if page.years else 0
    return intervals.of_run(session, page.line.id) if seen == page.line.parcels else None


def _why_none(page: reads.RunPage) -> str:
    seen = page.years[0].parcels if page.years else 0
    whole = seen == page.line.parcels
    words: str = (
        gettext("这次测算没有计算区间。")
        if whole
        else gettext("区间按整次测算给出；您看到的只是其中一部分地块，不给区间。")
    )
    return words


def _uncertain(drawn: RunInterval | None, why_none: str) -> Uncertain:
    if drawn is None:
        return Uncertain(net="", stock="", why_none=why_none, seed=None, draws=None, unknown=())
    return Uncertain(
        net=plus_minus(drawn.net),
        stock=plus_minus(drawn.years[-1].stock),
        why_none="",
        seed=drawn.seed,
        draws=drawn.draws,
        unknown=tuple(drawn.unknown),
    )


def plus_minus(one: Interval) -> str:
    """Return the larger side of an interval as tonnes, ``± 1,234.567``."""
    return f"± {tonnes(max(one.high_kg - one.kg, one.kg - one.low_kg, 0))}"


def _chart_of(
    line: reads.RunLine,
    bands: tuple[Sequence[YearSum], Sequence[YearSum]],
    drawn: RunInterval | None,
    *,
    stock: bool,
) -> Chart:
    title = gettext("碳储量") if stock else gettext("净吸收")
    words = gettext("每年12月31日的碳储量") if stock else gettext("当年储量减上年储量")
    if drawn is not None:
        words += gettext("；浅色带是九成区间")
    spread = {one.year: one.stock if stock else one.net for one in drawn.years} if drawn else {}
    forecast = line.kind == "forecast"
    return _chart(
        title,
        words,
        *bands,
        stock=stock,
        spread=(spread, {}) if forecast else ({}, spread),
    )


def _chart(
    title: str,
    description: str,
    forecast: Sequence[YearSum],
    monitored: Sequence[YearSum],
    *,
    stock: bool,
    spread: tuple[Mapping[int, Interval], Mapping[int, Interval]] = ({}, {}),
) -> Chart:
    axes = Axes(
        title=title, description=description, x=gettext("年份"), y=title, unit=gettext("吨")
    )
    seen = _band(gettext("监测"), monitored, stock=stock, spread=spread[1])
    return line_band(
        axes,
        _band(gettext("预测"), forecast, stock=stock, spread=spread[0]),
        seen if monitored else None,
        empty=gettext("暂无数据"),
    )


def _band(
    name: str, years: Sequence[YearSum], *, stock: bool, spread: Mapping[int, Interval]
) -> Band:
    """Return years as a line with its interval; the line itself where none was made."""
    values = tuple((one.stock_kg if stock else one.net_kg) / units.KG_PER_T for one in years)
    ends = [spread.get(one.year) for one in years]
    pairs = list(zip(values, ends, strict=True))
    return Band(
        name=name,
        x=tuple(float(one.year) for one in years),
        middle=values,
        low=tuple(min(v, e.low_kg / units.KG_PER_T) if e else v for v, e in pairs),
        high=tuple(max(v, e.high_kg / units.KG_PER_T) if e else v for v, e in pairs),
    )


def _both(page: reads.RunPage) -> tuple[Sequence[YearSum], Sequence[YearSum]]:
    if page.line.kind == "forecast":
        return page.years, page.other
    return page.other, page.years


def _flag(flag: dict[str, Any]) -> Flag:
    said = messages.say(flag["code"], flag)
    words, remedy = (said.en, said.remedy_en) if english() else (said.zh, said.remedy_zh)
    return Flag(code=flag["code"], words=words, remedy=remedy, parcels=None)


def _flags(counted: Mapping[str, int]) -> tuple[Flag, ...]:
    """Return what concerns several parcels: each parcel's own page has the figures."""
    named = {
        "LAYER_NODATA": gettext("有图层没有数据的面积，不计碳"),
        "LAYER_OUTSIDE": gettext("有图层范围以外的面积，不计碳"),
        "AGE_BELOW_CURVE": gettext("有林龄低于生长曲线标定范围的面积"),
        "AGE_ABOVE_CURVE": gettext("有林龄高于生长曲线标定范围的面积"),
        "AGE_DISAGREES": gettext("登记林龄与图层林龄不符"),
        "CURVE_PROVISIONAL": gettext("用到尚未核对原文的生长曲线"),
        "STAND_LOST": gettext("有受损后重新生长的面积"),
    }
    flags = []
    for code, parcels in counted.items():
        said = messages.say(code, {})
        remedy = said.remedy_en if english() else said.remedy_zh
        words = named.get(code, gettext("需要人工复核"))
        flags.append(Flag(code=code, words=words, remedy=remedy, parcels=parcels))
    return tuple(flags)


def _ground_m2(told: Explanation) -> float:
    """Return the ground that counts; what was planted again stands on ground counted already."""
    if told.given is None:
        return sum(one.area_m2 for one in told.cohorts)
    return max(told.area_m2 - told.nodata_m2 - told.outside_m2, 0.0)


def _cohort(part: CohortPart, area_m2: float) -> Cohort:
    return Cohort(
        part=part,
        t_c_ha=f"{part.mg_c_m2 / units.MG_M2_PER_T_HA:.5f}",
        share=f"{part.area_m2 / area_m2:.1%}" if area_m2 else "—",
        happened=tuple(f"{year} {flow} {share:.2%}" for year, flow, share in part.happened),
    )


def _layers(session: Session, used: Sequence[dict[str, str]]) -> tuple[LayerView, ...]:
    return tuple(layers.get(session, UUID(one["id"])) for one in used)


def _new(faults: Faults) -> str:
    who = actor()
    with reading() as session:
        found = project_reads.projects(session, who, project_reads.ProjectQuery(status="approved"))
        places = place_choices(session, who)
    year = now().year
    return show(
        "assessments/new.html",
        NewPage(
            projects=tuple((str(one.id), one.name) for one in found.items),
            divisions=places.divisions,
            first_year=year,
            last_year=year + YEARS_AHEAD - 1,
            faults=faults,
        ),
    )


def _asked() -> Command:
    scope = "project_id" if word("scope") == "project" else "division_code"
    body: dict[str, object] = {"kind": word("kind") or "forecast", scope: word(scope)}
    wrong = [] if word(scope) else [field_error(f"/{scope}", "FIELD_MISSING", field=scope)]
    for name in ("first_year", "last_year"):
        text = word(name)
        if len(text) == 4 and text.isascii() and text.isdecimal():  # noqa: PLR2004 -- of a year
            body[name] = int(text)
        else:
            code = "FIELD_FORMAT" if text else "FIELD_MISSING"
            wrong.append(field_error(f"/{name}", code, field=name))
    if wrong:
        raise FieldsInvalidError(tuple(wrong))
    return parse(estimation.AssessParcels, json.dumps(body), given())
