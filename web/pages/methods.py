"""Where every number comes from: parameters with source and mark, programmes with thresholds."""

import re
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, url_for
from flask_babel import gettext
from markupsafe import Markup, escape

from registry.errors import NotFoundError
from web.api.endpoints import Empty
from web.api.factors import Factor, FactorQuery, factors
from web.api.programmes import (
    ProgrammeById,
    ProgrammeLine,
    ProgrammePage,
    programme_list,
    programme_page,
)
from web.auth import public
from web.commands import from_query
from web.context import reading
from web.pages.frame import show

blueprint = Blueprint("methods", __name__, url_prefix="/methods")
SHOWN = 60
"""Rows on a page: a phone loads it quickly; the search narrows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A parameter in words: its main value, other columns, and where it comes from."""

    factor: Factor
    table: str
    value: str
    more: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodsPage:
    """Context of ``methods/index.html``."""

    query: FactorQuery
    rows: tuple[Row, ...]
    found: int
    total: int
    tables: tuple[tuple[str, str], ...]
    marks: tuple[tuple[str, str], ...]
    programmes: tuple[ProgrammeLine, ...]
    next_url: str | None


def marks() -> dict[str, str]:
    """Return the word of each mark."""
    return {
        "read": gettext("已核对"),
        "secondary": gettext("二手"),
        "recalled": gettext("待核实"),
        "computed": gettext("推算"),
        "proposed": gettext("建议"),
    }


def tables() -> dict[str, str]:
    """Return the word of each table."""
    return {
        "species": gettext("树种参数"),
        "tree_equations": gettext("单株方程"),
        "stand_lines": gettext("蓄积换生物量"),
        "growth": gettext("生长曲线"),
        "bamboo": gettext("毛竹"),
        "emission_factors": gettext("排放因子"),
        "soil_factors": gettext("土壤因子"),
        "defaults": gettext("方法学缺省值"),
        "discounts": gettext("不确定性折减"),
        "orchards": gettext("果园证据"),
        "species_codes": gettext("树种编码"),
        "site_classes": gettext("立地等级"),
        "flows": gettext("碳库转移"),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class PagedQuery(FactorQuery):
    """A search and the part of its answer, counting from 0."""

    part: int = 0


@blueprint.get("")
@public
def index() -> str:
    """Tell how the figures are made, and list every parameter."""
    query = from_query(PagedQuery)
    part = max(0, min(query.part, 1000))
    plain = FactorQuery(q=query.q, table=query.table, mark=query.mark)
    with reading() as session:
        listed = programme_list(session, None, Empty())
        found = factors(session, None, plain)
    start = part * SHOWN
    words = tables()
    more = len(found.items) > start + SHOWN
    where: dict[str, Any] = {"q": query.q, "table": query.table, "mark": query.mark}
    return show(
        "methods/index.html",
        MethodsPage(
            query=plain,
            rows=tuple(_row(one, words) for one in found.items[start : start + SHOWN]),
            found=len(found.items),
            total=found.total,
            tables=tuple(words.items()),
            marks=tuple(marks().items()),
            programmes=listed.items,
            next_url=url_for("methods.index", **where, part=part + 1, _anchor="table")
            if more
            else None,
        ),
        breakable=breakable,
    )


@blueprint.get("/programmes/<programme_id>")
@public
def programme(programme_id: str) -> str:
    """Show a programme with every threshold.

    Raises
    ------
    NotFoundError : there is none.
    """
    query = from_query(ProgrammeById, programme_id=programme_id)
    with reading() as session:
        page: ProgrammePage = programme_page(session, None, query)
    if not page.figures:
        raise NotFoundError(what="programme", id=programme_id)
    return show("methods/programme.html", page, breakable=breakable)


def breakable(key: str) -> Markup:
    """Return a key that may be broken after its dots and underscores."""
    return Markup("<wbr>").join(escape(part) for part in re.split(r"(?<=[._])", key))


def _row(one: Factor, words: dict[str, str]) -> Row:
    values = {name: value for name, value in one.values.items() if value not in {None, ""}}
    main = values.pop("value", None)
    return Row(
        factor=one,
        table=words.get(one.table, one.table),
        value="—" if main is None else f"{main:g}" if isinstance(main, float) else str(main),
        more="；".join(f"{name} = {value}" for name, value in values.items()),
    )
