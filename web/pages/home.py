"""The first page: what this is, its figures, and the ways in for who asks."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, url_for
from flask_babel import lazy_gettext

from registry.reads.places import PublicFigures, public_figures
from web.auth import PUBLIC, may, public
from web.context import reading, viewer
from web.pages.frame import show

blueprint = Blueprint("home", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A way in: title, what it is for, where it leads, who may follow."""

    title: Any
    text: Any
    endpoint: str
    permission: str = PUBLIC


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage:
    """Context of ``home.html``: figures for everybody, cards (title, text, address)."""

    figures: PublicFigures
    cards: tuple[tuple[str, str, str], ...]
    signed_in: bool


CARDS: list[Card] = [
    Card(
        title=lazy_gettext("地块地图"),
        text=lazy_gettext("查看辖区内的地块、状态和审批进度。"),
        endpoint="parcels.index",
        permission="parcel:read",
    ),
    Card(
        title=lazy_gettext("画一个地块"),
        text=lazy_gettext("在地图上沿边界点拐点，随时看到亩数，保存时自动检查。"),
        endpoint="parcels.draw",
        permission="parcel:draw",
    ),
    Card(
        title=lazy_gettext("导入文件"),
        text=lazy_gettext("上传 GeoJSON、GeoPackage、Shapefile 或 KML，先预览问题再确认。"),
        endpoint="imports.form",
        permission="parcel:import",
    ),
    Card(
        title=lazy_gettext("待审批"),
        text=lazy_gettext("按批次批准乡镇提交的地块；提交人不能审批自己的。"),
        endpoint="imports.index",
        permission="parcel:decide",
    ),
    Card(
        title=lazy_gettext("果园碳账户"),
        text=lazy_gettext("记台账，看净碳汇、贴标和肥料奖励。"),
        endpoint="orchards.index",
        permission="orchard:read",
    ),
    Card(
        title=lazy_gettext("全县一览"),
        text=lazy_gettext("果园余额和变化、贴标分布、项目吨数、返还金额。"),
        endpoint="county.index",
        permission="county:read",
    ),
    Card(
        title=lazy_gettext("怎么算的"),
        text=lazy_gettext("每个参数的数值、单位、来源和标记。"),
        endpoint="methods.index",
    ),
    Card(
        title=lazy_gettext("公开查询"),
        text=lazy_gettext("输入编号，核对登记内容。无需登录。"),
        endpoint="public.lookup",
    ),
]
"""The ways in, in their order; a module of pages adds its own card here."""


@blueprint.get("/")
@public
def home() -> str:
    """Show what this registry is and where to go."""
    who = viewer()
    with reading() as session:
        figures = public_figures(session)
    cards = tuple(
        (str(card.title), str(card.text), url_for(card.endpoint))
        for card in CARDS
        if may(who, card.permission)
    )
    return show("home.html", HomePage(figures=figures, cards=cards, signed_in=who is not None))
