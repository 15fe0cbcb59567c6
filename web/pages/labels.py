"""A label's public page with what it stands on, objections, and the county's runs."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import segno
from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext
from markupsafe import Markup
from werkzeug.wrappers import Response

from registry.errors import RegistryError
from registry.orchards import labels
from registry.reads import orchards as reads
from registry.reads.scope import require_division, scope_of
from sinks import tables
from web import orchard_words as words
from web.api.labels import guard_appeal
from web.auth import public, requires
from web.chart_frame import Chart
from web.commands import from_form
from web.context import act, actor, config, reading
from web.i18n import english
from web.label_chart import label_bars
from web.pages.frame import say, show
from web.parsing import parse

blueprint = Blueprint("labels", __name__, url_prefix="/labels")
ORDER: Final = (
    "dark_green",
    "medium_green",
    "light_green",
    "yellow",
    "red",
    "unlabelled",
    "withheld",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelContext:
    """Context of ``labels/label.html``."""

    page: reads.LabelPage
    colour: str
    crop: str
    title: str
    reasons: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...]
    cuts: tuple[tuple[str, str, bool], ...]
    qr: Markup
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsPage:
    """Context of ``labels/index.html``: a county's standing labels of a year."""

    adcode: str
    year: int
    years: tuple[int, ...]
    labels: tuple[labels.LabelView, ...]
    chart: Chart


@blueprint.get("/<number>")
@public
def label(number: str) -> str:
    """Show a label to anyone: colour, measure, cut-offs, validity, history."""
    with reading() as session:
        page = reads.label_page(session, None, reads.LabelByNumber(number=number))
    return show("labels/label.html", _context(page), label_word=words.label_word)


@blueprint.post("/<number>/appeals")
@requires("label:object")
def appeal(number: str) -> Response:
    """Have a verdict decided again on what stands approved now."""
    command = from_form(labels.AppealLabel, number=number)
    with reading() as session:
        guard_appeal(session, actor(), command)
    made = act(labels.appeal_label, command)
    say("good", gettext("已按异议重新评定，旧结果保留在历史里。"))
    return redirect(url_for("labels.label", number=made.labels[0].number), 303)


@blueprint.get("")
@requires("label:read")
def index() -> str:
    """Show the standing labels of the actor's county in a year, by colour."""
    with reading() as session:
        adcode = county_code(session, actor())
        years = reads.orchard_years(session, actor())
        asked = request.args.get("year", "")
        year = int(asked) if asked.isdecimal() and len(asked) == 4 else (years or (0,))[0]  # noqa: PLR2004 -- digits of a year
        standing = labels.current_labels(session, adcode, year) if adcode else ()
        whole = adcode is not None and scope_of(actor()).covers(adcode)
        seen = [row for row in standing if whole or _sees(session, row)]
    page = RunsPage(
        adcode=adcode or "",
        year=year,
        years=years,
        labels=tuple(seen),
        chart=colours_chart([row.grade or row.state for row in seen], year),
    )
    return show("labels/index.html", page, decimal=words.decimal)


@blueprint.post("/runs")
@requires("label:decide")
def run() -> Response:
    """Run a county's labels for a year."""
    command = from_form(labels.RunLabels)
    require_division(actor(), command.adcode)
    made = act(labels.run_labels, command)
    say("good", gettext("已评定 %(n)s 个账户。", n=len(made.labels)))
    return redirect(url_for("labels.index", year=command.year), 303)


def county_code(session: Any, who: Any) -> str | None:  # noqa: ANN401 -- session and actor
    """Return the actor's county, 6 digits; for who sees all, the first county with orchards."""
    if who.division_code and len(who.division_code.rstrip("0")) > 4:  # noqa: PLR2004 -- below a city
        return str(who.division_code[:6])
    page = reads.orchard_list(session, who, parse(reads.OrchardQuery, b'{"limit": 1}', {}))
    return reads.county_of(session, page.items[0].id) if page.items else None


def colours_chart(colours: list[str], year: int) -> Chart:
    """Return how many accounts have each colour."""
    found = [code for code in ORDER if code in colours]
    return label_bars(
        gettext("%(year)s 年贴标分布", year=year),
        gettext("每种颜色的账户数"),
        [(words.label_word(code), colours.count(code)) for code in found],
        unit=gettext("个"),
        headers=(gettext("颜色"), gettext("账户")),
        empty=gettext("还没有评定"),
    )


def _sees(session: Any, row: labels.LabelView) -> bool:  # noqa: ANN401
    try:
        reads.require_orchard(session, actor(), row.orchard_id)
    except RegistryError:
        return False
    return True


def _context(page: reads.LabelPage) -> LabelContext:
    one = page.label
    title = "title_en" if english() else "title_zh"
    address = config().public_url.rstrip("/") + url_for("labels.label", number=one.number)
    return LabelContext(
        page=page,
        colour=one.grade or one.state,
        crop=words.crop(one.crop),
        title=str(tables.label_sets().get(one.rule_key, {}).get(title, one.rule_key)),
        reasons=tuple(words.said(code) for code in one.reasons),
        facts=_facts(page),
        cuts=_cuts(page),
        qr=qr_svg(address),
        address=address,
    )


def _facts(page: reads.LabelPage) -> tuple[tuple[str, str], ...]:
    """Return what the verdict stands on, in words."""
    given, rule = page.inputs, page.rule
    unit = gettext("千克/千克果") if given.get("basis") == "fruit" else gettext("千克/亩")
    base = given.get("benchmark") or {}
    source = {
        "group": gettext("同县同作物同树龄 %(n)s 户的中位数", n=base.get("n", 0)),
        "county": gettext("县定值"),
        "none": gettext("没有基准"),
    }.get(str(base.get("basis", "none")), "—")
    years = given.get("years") or []
    emitted = sum(Fraction(str(year["e_kg"])) for year in years)
    borne = sum((Fraction(str(year["quantity"])) for year in years), Fraction(0))
    intensity = words.decimal(str(emitted / borne), 4) if borne else "—"
    net = int(given.get("net_without_soil_kg") or 0)
    met = gettext("满足") if net >= 0 else gettext("不满足")
    return (
        (gettext("排放强度（%(n)s 年）", n=len(years)), f"{intensity} {unit}"),
        (gettext("同类基准"), f"{words.decimal(base.get('value'), 4)} {unit}（{source}）"),
        (gettext("强度 ÷ 基准（x）"), words.decimal(page.x)),
        (
            gettext("有凭证的排放占比"),
            gettext(
                "%(share)s（要求 %(min)s 以上）",
                share=words.percent(given.get("evidence_share")),
                min=words.percent(rule.get("evidence_min")),
            ),
        ),
        (gettext("台账覆盖面积"), words.percent(given.get("coverage"))),
        (
            gettext("净碳汇条件（最优等级，不含土壤）"),
            f"{met}（{net:,} kg）" if rule.get("net_condition") else gettext("本规则未启用"),
        ),
        (gettext("措施得分"), gettext("%(n)s 分（满分 3）", n=page.points)),
    )


def _cuts(page: reads.LabelPage) -> tuple[tuple[str, str, bool], ...]:
    """Return (colour, condition, whether it is this label's) for each grade of the rule."""
    cuts = [words.decimal(str(cut), 2) for cut in page.rule["cuts"]]
    smaller = page.rule.get("measure") != "neutral_degree"
    sign, over = ("≤", ">") if smaller else ("≥", "<")
    rows = []
    for place, grade in enumerate(page.rule["grades"]):
        words_of = f"x {sign} {cuts[place]}" if place < len(cuts) else f"x {over} {cuts[-1]}"
        rows.append((str(grade), words_of, grade == page.label.grade))
    return tuple(rows)


def qr_svg(address: str) -> Markup:
    """Return a QR code of an address as an inline picture."""
    made = segno.make(address, error="m", micro=False)
    return Markup(  # noqa: S704 -- made here, from an address of ours
        made.svg_inline(scale=4, border=4, omitsize=False, title=address)
    )
