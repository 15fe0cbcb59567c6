"""The county's page: orchards and their change, labels, parcels, projects, money returned."""

from dataclasses import dataclass
from fractions import Fraction

from flask import Blueprint, request
from flask_babel import gettext

from options.county import ReturnedYear, returned
from registry.errors import NotFoundError
from registry.orchards.county import Change, CountyOrchards, county
from registry.reads import orchards as reads
from registry.reads.county import CountyFigures, county_figures
from web import orchard_words as words
from web.auth import requires
from web.chart_frame import Axes, Chart
from web.charts import Series, bar_chart, stacked_bars
from web.context import actor, reading
from web.pages.frame import show
from web.pages.labels import colours_chart, county_code

blueprint = Blueprint("county", __name__, url_prefix="/county")
KG_PER_T = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class CountyPage:
    """Context of ``county/county.html``."""

    figures: CountyFigures
    orchards: CountyOrchards
    years: tuple[int, ...]
    year: int
    base: int | None
    change: Change | None
    change_words: tuple[tuple[str, str], ...]
    balance_chart: Chart
    change_chart: Chart | None
    colours_chart: Chart
    parcels_chart: Chart
    projects_chart: Chart
    money: tuple[ReturnedYear, ...]


@blueprint.get("")
@requires("county:read")
def index() -> str:
    """Show the actor's county in a year, against a base year."""
    with reading() as session:
        adcode = county_code(session, actor())
        if adcode is None:
            raise NotFoundError(what="county", id="—")
        years = reads.orchard_years(session, actor())
        year = _asked("year") or (years[0] if years else 0)
        base = _asked("base") or next((one for one in years if one < year), None)
        held = county(session, adcode, year, base_year=base)
        figures = county_figures(session, adcode)
        money = returned(session, adcode)
    colours = [code for code, n in held.colours.items() for _ in range(n)]
    return show(
        "county/county.html",
        CountyPage(
            figures=figures,
            orchards=held,
            years=years,
            year=year,
            base=base,
            change=held.change,
            change_words=_change_words(held.change),
            balance_chart=_balance_chart(held),
            change_chart=_change_chart(held.change),
            colours_chart=colours_chart(colours, year),
            parcels_chart=_parcels_chart(figures),
            projects_chart=_projects_chart(figures),
            money=money,
        ),
        crop=words.crop,
    )


def _asked(name: str) -> int | None:
    value = request.args.get(name, "")
    return int(value) if value.isdecimal() and len(value) == 4 else None  # noqa: PLR2004 -- digits of a year


def _balance_chart(held: CountyOrchards) -> Chart:
    """Return E, S and net of the approved accounts, side by side."""
    totals = held.totals
    axes = Axes(
        title=gettext("%(year)s 年果园排放、固碳与净碳汇", year=totals.year),
        description=gettext("已批准的账户合计"),
        x=gettext("项目"),
        y=gettext("数量"),
        unit=gettext("吨"),
    )
    names = [gettext("排放 E"), gettext("固碳 S"), gettext("净碳汇")]
    values = [totals.e_kg / KG_PER_T, totals.s_kg / KG_PER_T, totals.net_kg / KG_PER_T]
    return bar_chart(axes, names, values, compact=True)


def _change_chart(change: Change | None) -> Chart | None:
    if change is None or not change.accounts:
        return None
    base, now = change.base, change.now
    axes = Axes(
        title=gettext("%(base)s 年与 %(now)s 年比较", base=base.year, now=now.year),
        description=gettext("两年都已批准的 %(n)s 个账户", n=change.accounts),
        x=gettext("年份"),
        y=gettext("数量"),
        unit=gettext("吨"),
    )
    pairs = (("E", base.e_kg, now.e_kg), ("S", base.s_kg, now.s_kg))
    names = [f"{name} {year}" for name, *_ in pairs for year in (base.year, now.year)]
    values = [kg / KG_PER_T for _, *two in pairs for kg in two]
    return bar_chart(axes, names, values, compact=True)


def _parcels_chart(figures: CountyFigures) -> Chart:
    """Return area by status, one series a kind."""
    states = {
        "draft": gettext("草稿"),
        "submitted": gettext("已提交"),
        "approved": gettext("已批准"),
        "returned": gettext("已退回"),
        "withdrawn": gettext("已撤回"),
    }
    kinds = {"carbon": gettext("林地"), "orchard": gettext("果园"), "tree": gettext("单株树")}
    found = {(row.kind, row.status): row.parcels for row in figures.parcels}
    shown = [code for code in states if any(status == code for _, status in found)]
    series = [
        Series(name=word, values=tuple(float(found.get((kind, one), 0)) for one in shown))
        for kind, word in kinds.items()
        if any(kind == other for other, _ in found)
    ]
    axes = Axes(
        title=gettext("地块按状态"),
        description=gettext("各状态的地块数，按类别"),
        x=gettext("状态"),
        y=gettext("地块"),
        unit=gettext("块"),
    )
    return stacked_bars(axes, [states[code] for code in shown], series, compact=True)


def _projects_chart(figures: CountyFigures) -> Chart:
    axes = Axes(
        title=gettext("项目核证与签发"),
        description=gettext("每个项目已核证和已签发的吨数"),
        x=gettext("项目"),
        y=gettext("数量"),
        unit=gettext("吨"),
    )
    rows = [row for row in figures.projects if row.verified_kg or row.issued_kg][:6]
    names = [
        f"{row.number[-4:]} {word}" for row in rows for word in (gettext("核证"), gettext("签发"))
    ]
    values = [kg / KG_PER_T for row in rows for kg in (row.verified_kg, row.issued_kg)]
    return bar_chart(axes, names, values, compact=True, empty=gettext("还没有核证"))


def _change_words(change: Change | None) -> tuple[tuple[str, str], ...]:
    """Return the change in words, share and kilograms."""
    if change is None or not change.accounts:
        return ()
    points = change.premium_points
    return (
        (gettext("排放 E"), f"{_signed(change.e_kg)} kg（{_part(change.e_share)}）"),
        (gettext("固碳 S"), f"{_signed(change.s_kg)} kg"),
        (gettext("净碳汇"), f"{_signed(change.net_kg)} kg"),
        (gettext("产量"), _part(change.yield_share)),
        (
            gettext("优质果率"),
            "—"
            if points is None
            else gettext("%(n)s 个百分点", n=_sign(Fraction(points) * 100, 1)),
        ),
    )


def _signed(kg: int) -> str:
    return f"{kg:+,}"


def _part(share: str | None) -> str:
    return "—" if share is None else f"{_sign(Fraction(share) * 100, 1)}%"


def _sign(value: Fraction, places: int) -> str:
    shown = words.decimal(str(value), places)
    return shown if value < 0 else f"+{shown}"
