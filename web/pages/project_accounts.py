"""A project's account: forecast beside monitored by year, and the rows that count against it."""

import json
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from flask import Blueprint, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from registry import intervals, project_accounts, project_items
from registry.db import Command
from registry.errors import NotPermittedError
from registry.project_accounts import AccountView
from registry.project_items import NEEDED, OPTIONAL, ItemView
from registry.reads import projects as reads
from sinks import units
from web.api import project_accounts as api
from web.auth import may, requires
from web.chart_frame import Axes, Chart
from web.charts import Band, line_band
from web.commands import from_form
from web.context import actor, reading
from web.pages.acting import Faults, acted, answered, given, paper, paper_limit, word
from web.pages.assessments import plus_minus
from web.pages.frame import show
from web.parsing import FieldsInvalidError, field_error, parse

blueprint = Blueprint("project_accounts", __name__, url_prefix="/projects")
KINDS: Final = ("prior_vegetation", "baseline", "burning", "fertiliser", "emission", "leakage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One account, and "±" of its run's net or in words that there is none."""

    account: AccountView
    spread: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A number that a kind of row needs or may have."""

    name: str
    word: str
    needed: bool
    answer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPage:
    """Context of ``projects/account.html``."""

    project: reads.ProjectLine
    sides: tuple[Side, ...]
    net: Chart
    items: tuple[tuple[ItemView, str], ...]
    may_write: bool
    kind: str
    kinds: tuple[tuple[str, str], ...]
    fields: tuple[Field, ...]
    faults: Faults


@blueprint.get("/<uuid:project_id>/account")
@requires("period:read")
def account(project_id: UUID) -> str:
    """Show a project's account."""
    return _page(project_id, Faults())


@blueprint.post("/<uuid:project_id>/items")
@requires("period:open")
@paper_limit
def record(project_id: UUID) -> Response | tuple[str, int]:
    """Enter a row."""
    return answered(
        project_items.record,
        lambda: _recorded(project_id),
        lambda _made: url_for("project_accounts.account", project_id=project_id),
        lambda faults: _page(project_id, faults),
        guard=api.guard_item,
        done=gettext("明细已登记。"),
    )


@blueprint.post("/<uuid:project_id>/items/<uuid:item_id>/withdrawal")
@requires("period:open")
def withdraw(project_id: UUID, item_id: UUID) -> Response:
    """Take a row back."""
    return acted(
        project_items.withdraw,
        lambda: from_form(api.WithdrawProjectItem, project_id=project_id, item_id=item_id),
        url_for("project_accounts.account", project_id=project_id),
        guard=api.guard_withdraw,
        done=gettext("明细已撤回，记录保留。"),
    )


def _page(project_id: UUID, faults: Faults) -> str:
    who = actor()
    with reading() as session:
        line = reads.project(session, who, reads.ProjectById(project_id=project_id))
        sides = []
        for kind in ("forecast", "monitored"):
            found = project_accounts.account(session, project_id, kind=kind)
            if found is not None:
                drawn = intervals.of_run(session, found.run_id)
                none = gettext("这次测算没有计算区间。")
                spread = none if drawn is None else plus_minus(drawn.net)
                sides.append(Side(account=found, spread=spread))
        items = project_items.listing(session, project_id)
        writes = may(who, "period:open")
        if writes:
            try:
                reads.require_writer(session, who, project_id)
            except NotPermittedError:
                writes = False
    kind = faults.value("kind", word("kind") or "leakage")
    kind = kind if kind in KINDS else "leakage"
    return show(
        "projects/account.html",
        AccountPage(
            project=line,
            sides=tuple(sides),
            net=_chart(sides),
            items=tuple((one, kind_word(one.kind)) for one in items),
            may_write=writes,
            kind=kind,
            kinds=tuple((one, kind_word(one)) for one in KINDS),
            fields=_fields(kind),
            faults=faults,
        ),
        part_word=part_word,
        kind_word=kind_word,
        detail_word=detail_word,
    )


def _fields(kind: str) -> tuple[Field, ...]:
    return tuple(
        Field(
            name=name,
            word=detail_word(name),
            needed=name in NEEDED[kind],
            answer=name in project_items.ANSWERS,
        )
        for name in (*NEEDED[kind], *OPTIONAL.get(kind, ()))
    )


def _recorded(project_id: UUID) -> Command:
    kind = word("kind")
    wrong = []
    if kind not in KINDS:
        wrong.append(field_error("/kind", "FIELD_MISSING", field="kind"))
    names = (*NEEDED.get(kind, ()), *OPTIONAL.get(kind, ()))
    details = {name: word(name) for name in names if word(name)}
    wrong += [
        field_error(f"/{name}", "FIELD_MISSING", field=name)
        for name in NEEDED.get(kind, ())
        if name not in details
    ]
    year = word("year")
    if not (year.isascii() and year.isdecimal() and len(year) == _YEAR_DIGITS):
        wrong.append(field_error("/year", "FIELD_FORMAT", field="year"))
    if not word("source"):
        wrong.append(field_error("/source", "FIELD_MISSING", field="source"))
    if wrong:
        raise FieldsInvalidError(tuple(wrong))
    body = {
        "kind": kind,
        "year": int(year),
        "details": details,
        "planned": word("planned") == "yes",
        "source": word("source"),
        "evidence_sha256": paper("evidence").hex() if _has_paper() else None,
    }
    return parse(project_items.RecordItem, json.dumps(body), given(project_id=project_id))


_YEAR_DIGITS: Final = 4


def _has_paper() -> bool:
    return bool(request.files.get("evidence"))


def _chart(sides: list[Side]) -> Chart:
    """Net of each year before discount and provision, forecast and monitored."""
    axes = Axes(
        title=gettext("每年净减排"),
        description=gettext("碳库变化减基线、排放、泄漏；未扣不确定性折减和非持久性。"),
        x=gettext("年份"),
        y=gettext("净减排"),
        unit=gettext("吨"),
    )
    bands = {one.account.kind: _band(one) for one in sides}
    empty = Band(name=gettext("预测"), x=(), middle=(), low=(), high=())
    return line_band(
        axes, bands.get("forecast", empty), bands.get("monitored"), empty=gettext("暂无数据")
    )


def _band(side: Side) -> Band:
    values = tuple(one.net_kg / units.KG_PER_T for one in side.account.years)
    return Band(
        name=gettext("预测") if side.account.kind == "forecast" else gettext("监测"),
        x=tuple(float(one.year) for one in side.account.years),
        middle=values,
        low=values,
        high=values,
    )


def part_word(part: str) -> str:
    """Return the word of a part of the account."""
    words: dict[str, str] = {
        "baseline": gettext("基线"),
        "emissions": gettext("项目排放"),
        "leakage": gettext("泄漏"),
    }
    return words.get(part, part)


def kind_word(kind: str) -> str:
    """Return the word of a kind of row."""
    words: dict[str, str] = {
        "prior_vegetation": gettext("原有植被（散生木、灌木）"),
        "baseline": gettext("基线（直接填公斤）"),
        "burning": gettext("火烧"),
        "fertiliser": gettext("施肥"),
        "emission": gettext("其他排放"),
        "leakage": gettext("泄漏"),
        "by_hand": gettext("提交时填写"),
    }
    return words.get(kind, kind)


def detail_word(name: str) -> str:
    """Return the word of a number, with its unit."""
    words: dict[str, str] = {
        "kg": gettext("公斤二氧化碳当量"),
        "area_ha": gettext("面积（公顷）"),
        "tree_cover": gettext("散生木郁闭度（0–1）"),
        "shrub_cover": gettext("灌木盖度（0–1）"),
        "trees_kept": gettext("散生木保留且不计入项目"),
        "shrubs_removed": gettext("清除的灌木占比（0–1）"),
        "forest_agb_t_ha": gettext("当地成林地上生物量（吨/公顷）"),
        "forest_gain_t_ha_yr": gettext("当地成林年增量（吨/公顷·年）"),
        "fuel_t": gettext("可燃物（吨干物质）"),
        "combustion": gettext("燃烧比例（0–1，空则用缺省值）"),
        "product": gettext("肥料种类（如 urea）"),
        "mass_kg": gettext("肥料量（公斤）"),
        "n_kg": gettext("其中氮（公斤）"),
        "organic": gettext("有机肥"),
    }
    return words.get(name, name)
