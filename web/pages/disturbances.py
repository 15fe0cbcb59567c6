"""Disturbances: what rasters propose, one with its evidence, the decision, what it touches."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final, get_args
from uuid import UUID

from flask import Blueprint, url_for
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from options import touched
from registry import change_series, disturbances, layers, losses
from registry.change_series import SeriesPoint
from registry.db import Command
from registry.layers import LayerView
from registry.reads import change as reads
from registry.reads.choices import Choice, place_choices
from registry.reads.scope import scope_of
from registry.stand_events import WHOLE
from sinks import tables
from web.api.change import (
    GEOJSON,
    ask_detection,
    ask_series,
    guard_decide,
    guard_detection,
    guard_series,
)
from web.auth import may, requires
from web.chart_frame import Axes, Chart
from web.commands import from_query
from web.context import actor, now, reading
from web.pages import frame
from web.pages.acting import Faults, acted, answered, given, word
from web.pages.frame import show
from web.parsing import FieldsInvalidError, field_error, parse
from web.series_chart import DayLine, DayValue, series_chart

blueprint = Blueprint("disturbances", __name__, url_prefix="/disturbances")
PERCENT: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPage:
    """Context of ``disturbances/index.html``; the last seven are for who may look for more."""

    found: reads.Disturbances
    status: str | None
    next_url: str | None
    source: str
    loss_layers: tuple[LayerView, ...]
    series_layers: int
    divisions: list[Choice]
    division: str
    must_name: bool
    unit_m2: int
    unit_mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OnePage:
    """Context of ``disturbances/disturbance.html``."""

    told: touched.Touched
    chart: Chart
    source: str
    kinds: tuple[tuple[str, str], ...]
    kind: str
    place: str
    lost_kg: int | None
    today: date
    can_decide: bool
    faults: Faults


frame.NAV.append(
    frame.NavItem(
        word=lazy_gettext("变化和扰动"),
        endpoint="disturbances.index",
        permission="change:read",
        group="places",
    )
)


@blueprint.get("")
@requires("change:read")
def index() -> str:
    """Show the disturbances in sight, on a map and in a list."""
    query = from_query(reads.DisturbanceQuery)
    who = actor()
    with reading() as session:
        found = reads.disturbances(session, who, query)
        runs = may(who, "change:run")
        loss = tuple(layers.listing(session, kind="loss")) if runs else ()
        series = len(change_series.chosen(session, ())) if runs else 0
        places = place_choices(session, who).divisions if runs else []
    more = url_for("disturbances.index", status=query.status, year=query.year, after=found.next)
    unit = tables.lookup(tables.defaults(), losses.UNIT)
    return show(
        "disturbances/index.html",
        IndexPage(
            found=found,
            status=query.status,
            next_url=more if found.next else None,
            source=url_for("api.disturbance_features", status=query.status, year=query.year),
            loss_layers=loss,
            series_layers=series,
            divisions=places,
            division=who.division_code or "",
            must_name=not scope_of(who).everything,
            unit_m2=int(unit.value),
            unit_mark=unit.mark,
        ),
    )


@blueprint.post("/detect")
@requires("change:run")
def detect() -> Response:
    """Leave the search to a worker."""
    return acted(
        ask_detection,
        _detection,
        lambda job: url_for("jobs.job", job_id=job.id),
        guard=guard_detection,
        done=gettext("查找已开始。"),
        again=url_for("disturbances.index"),
    )


@blueprint.post("/measure")
@requires("change:run")
def measure() -> Response:
    """Leave the measuring to a worker."""
    return acted(
        ask_series,
        lambda: parse(
            change_series.MeasureSeries,
            json.dumps({"division_code": word("division_code") or None}),
            given(),
        ),
        lambda job: url_for("jobs.job", job_id=job.id),
        guard=guard_series,
        done=gettext("测量已开始。"),
        again=url_for("disturbances.index"),
    )


@blueprint.get("/<uuid:disturbance_id>")
@requires("change:read")
def one(disturbance_id: UUID) -> str:
    """Show a disturbance with its evidence and what it touches."""
    return _one(disturbance_id, Faults())


@blueprint.get("/<uuid:disturbance_id>/ground.geojson")
@requires("change:read")
def ground(disturbance_id: UUID) -> Response:
    """Answer with a disturbance's ground and the parcels it touches."""
    query = reads.DisturbanceById(disturbance_id=disturbance_id)
    with reading() as session:
        found = reads.ground(session, actor(), query)
    return Response(json.dumps(found, ensure_ascii=False), content_type=GEOJSON)


@blueprint.post("/<uuid:disturbance_id>/confirm")
@requires("change:decide")
def confirm(disturbance_id: UUID) -> Response | tuple[str, int]:
    """Confirm a candidate."""
    return answered(
        disturbances.confirm,
        lambda: _confirmation(disturbance_id),
        lambda _done: url_for("disturbances.one", disturbance_id=disturbance_id),
        lambda faults: _one(disturbance_id, faults),
        guard=guard_decide,
        done=gettext("已确认；所触地块正在重算。"),
    )


@blueprint.post("/<uuid:disturbance_id>/dismiss")
@requires("change:decide")
def dismiss(disturbance_id: UUID) -> Response | tuple[str, int]:
    """Dismiss a candidate."""
    return answered(
        disturbances.dismiss,
        lambda: parse(
            disturbances.DismissDisturbance,
            json.dumps({"reason": word("dismissal")}),
            given(disturbance_id=disturbance_id),
        ),
        lambda _done: url_for("disturbances.one", disturbance_id=disturbance_id),
        lambda faults: _one(disturbance_id, faults),
        guard=guard_decide,
        done=gettext("已排除。"),
    )


def kind_words() -> dict[str, str]:
    """Return the words of the kinds of disturbance."""
    return {
        "harvest": gettext("采伐"),
        "clearing": gettext("毁林、开垦或占用"),
        "fire": gettext("火灾"),
        "snow": gettext("雪压、冰冻"),
        "pest": gettext("病虫害"),
        "wind": gettext("风灾"),
        "landslide": gettext("滑坡"),
    }


def change_chart(points: Sequence[SeriesPoint], lost: Sequence[int]) -> Chart:
    """Return NDVI and canopy cover by day, with the years in which ground was lost."""
    names = {"ndvi": gettext("植被指数 NDVI"), "canopy": gettext("郁闭度")}
    lines = [
        DayLine(
            name=name,
            points=tuple(
                DayValue(day=one.shows, value=one.mean, known_share=one.known_share)
                for one in points
                if one.kind == kind and one.mean is not None
            ),
        )
        for kind, name in names.items()
    ]
    return series_chart(
        Axes(
            title=gettext("植被指数和郁闭度"),
            description=gettext("每个日期的面积加权平均；浅色带是图层显示受损的年份"),
            x=gettext("日期"),
            y=gettext("平均值"),
            unit="0–1",
        ),
        lines,
        lost=[(year, gettext("%(year)s 受损", year=year)) for year in sorted(set(lost))],
        empty=gettext("还没有测量"),
        known=gettext("有数据面积"),
    )


def _one(disturbance_id: UUID, faults: Faults) -> str:
    who = actor()
    query = reads.DisturbanceById(disturbance_id=disturbance_id)
    with reading() as session:
        told = touched.touched(session, who, query)
        points = _weighted(session, told.page)
    page = told.page
    places = list(dict.fromkeys(one.division for one in page.parcels if one.division))
    changed = [
        one.before_stock_kg - one.after_stock_kg
        for one in page.parcels
        if one.before_stock_kg is not None and one.after_stock_kg is not None
    ]
    words = kind_words()
    return show(
        "disturbances/disturbance.html",
        OnePage(
            told=told,
            chart=change_chart(points, [page.line.year]),
            source=url_for("disturbances.ground", disturbance_id=disturbance_id),
            kinds=tuple((kind, words[kind]) for kind in get_args(disturbances.Kind)),
            kind=words.get(page.line.kind or "", ""),
            place="、".join(places),
            lost_kg=sum(changed) if changed else None,
            today=now().date(),
            can_decide=may(who, "change:decide") and page.line.status == "candidate",
            faults=faults,
        ),
    )


def _weighted(session: Session, page: reads.DisturbancePage) -> list[SeriesPoint]:
    """Average the parcels' points of each layer, each by its lost ground."""
    sums: dict[UUID, list[tuple[float, SeriesPoint]]] = {}
    for parcel in page.parcels:
        for point in change_series.of_parcel(session, parcel.id):
            if point.mean is not None:
                sums.setdefault(point.layer_id, []).append((parcel.area_m2, point))
    found = []
    for members in sums.values():
        weight = sum(area for area, _ in members)
        first = members[0][1]
        means = [(area, one.mean) for area, one in members if one.mean is not None]
        found.append(
            replace(
                first,
                mean=sum(area * mean for area, mean in means) / weight,
                known_share=sum(area * one.known_share for area, one in members) / weight,
            )
        )
    return sorted(found, key=lambda one: (one.kind, one.shows))


def _detection() -> Command:
    body: dict[str, object] = {
        "layer_id": word("layer_id"),
        "division_code": word("division_code") or None,
    }
    unit = word("unit_m2")
    if unit:
        if not (unit.isascii() and unit.isdecimal()):
            raise FieldsInvalidError((field_error("/unit_m2", "FIELD_FORMAT", field="unit_m2"),))
        body["unit_m2"] = int(unit)
    return parse(losses.DetectLosses, json.dumps(body), given())


def _confirmation(disturbance_id: UUID) -> Command:
    body: dict[str, object] = {
        "kind": word("kind"),
        "share_ppm": _ppm(word("share")),
        "occurred_on": word("occurred_on") or None,
        "reason": word("reason"),
    }
    return parse(
        disturbances.ConfirmDisturbance, json.dumps(body), given(disturbance_id=disturbance_id)
    )


def _ppm(percent: str) -> int:
    """Read a percentage with at most four digits after the point as millionths."""
    try:
        value = Decimal(percent.rstrip("%％ "))
    except InvalidOperation:
        value = Decimal(-1)
    ppm = value * (WHOLE // PERCENT) if value.is_finite() else Decimal(-1)
    if not 0 < ppm <= WHOLE or ppm != ppm.to_integral_value():
        raise FieldsInvalidError((field_error("/share", "FIELD_FORMAT", field="share"),))
    return int(ppm)
