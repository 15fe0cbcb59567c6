"""How a page is shown: one template, one frozen context; the frame round it is the same for all."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from flask import Flask, flash, get_flashed_messages, render_template, request, url_for
from flask_babel import gettext, lazy_gettext, to_user_timezone

from registry.people import ActorView
from registry.reads.choices import Choice
from web.auth import PUBLIC, may
from web.context import viewer
from web.i18n import english, language, preference


@dataclass(frozen=True, slots=True, kw_only=True)
class NavItem:
    """A word in the main menu, shown to who may follow it; under ``group`` where it has one."""

    word: Any  # a lazy string: it is read in the language of the request
    endpoint: str
    permission: str = PUBLIC
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NavEntry:
    """A word of the menu as it is shown: a link, or a heading over links of its own."""

    word: str
    href: str
    current: bool
    inside: tuple["NavEntry", ...] = ()


GROUPS: Final = {
    "market": lazy_gettext("交易"),
    "projects": lazy_gettext("项目"),
    "places": lazy_gettext("地块"),
    "orchards": lazy_gettext("果园"),
    "public": lazy_gettext("公开信息"),
}
"""The headings of the main menu, in its order."""
FLAT_MAX: Final = 7
"""A menu of so few words needs no headings."""


ROLE_WORDS: Final = {
    "township": lazy_gettext("乡镇人员"),
    "county": lazy_gettext("县管理员"),
    "company": lazy_gettext("收储公司"),
    "collective": lazy_gettext("村集体"),
    "farmer": lazy_gettext("果农"),
    "buyer": lazy_gettext("认购方"),
    "verifier": lazy_gettext("核证机构"),
    "bank": lazy_gettext("银行"),
    "auditor": lazy_gettext("审计"),
    "system": lazy_gettext("系统"),
}
NAV: list[NavItem] = [
    NavItem(word=lazy_gettext("首页"), endpoint="home.home"),
    NavItem(
        word=lazy_gettext("地块地图"),
        endpoint="parcels.index",
        permission="parcel:read",
        group="places",
    ),
    NavItem(
        word=lazy_gettext("画地块"),
        endpoint="parcels.draw",
        permission="parcel:draw",
        group="places",
    ),
    NavItem(
        word=lazy_gettext("导入"),
        endpoint="imports.form",
        permission="parcel:import",
        group="places",
    ),
    NavItem(
        word=lazy_gettext("果园"),
        endpoint="orchards.index",
        permission="orchard:read",
        group="orchards",
    ),
    NavItem(
        word=lazy_gettext("贴标"),
        endpoint="labels.index",
        permission="label:read",
        group="orchards",
    ),
    NavItem(word=lazy_gettext("全县一览"), endpoint="county.index", permission="county:read"),
    NavItem(word=lazy_gettext("公开查询"), endpoint="public.lookup", group="public"),
    NavItem(word=lazy_gettext("开放数据"), endpoint="ogc.landing", group="public"),
    NavItem(word=lazy_gettext("怎么算的"), endpoint="methods.index", group="public"),
]
"""The main menu, in its order; a module of pages adds its own entry here."""


def show(template: str, page: object, **more: object) -> str:
    """Render ``template`` with its context as ``page``."""
    return render_template(template, page=page, **more)


def say(tone: str, text: str) -> None:
    """Show a message on the next page; tone: good, warn, bad or progress."""
    flash(text, tone)


def moment(at: datetime) -> str:
    """Return a moment as people of the county read it, in their own time."""
    return f"{to_user_timezone(at):%Y-%m-%d %H:%M}"


def register(app: Flask) -> None:
    """Give every template the frame's context."""
    app.context_processor(_frame)
    app.jinja_env.filters["choices"] = _choices
    app.jinja_env.filters["moment"] = moment


def _frame() -> dict[str, object]:
    who = viewer()
    return {
        "locale": language(),
        "text_size": preference("text_size"),
        "contrast": preference("contrast"),
        "preference_url": url_for("preferences.set_preferences"),
        "search_url": url_for("search.search"),
        "login_url": url_for("signin.sign_in"),
        "logout_url": url_for("signin.sign_out"),
        "account": _account(who),
        "nav_items": _menu([item for item in NAV if may(who, item.permission)]),
        "messages": get_flashed_messages(with_categories=True),
        "may": lambda permission: may(who, permission),
        "request_key": lambda: uuid4().hex,
        "site_place": gettext("林业和农业碳汇登记"),
    }


def _menu(items: list[NavItem]) -> list[NavEntry]:
    """Return the menu: a short one flat, a long one under its headings."""
    entries = [(item.group, _entry(item)) for item in items]
    if len(entries) <= FLAT_MAX:
        return [entry for _, entry in entries]
    shown = [entry for group, entry in entries if not group]
    for group, word in GROUPS.items():
        inside = tuple(entry for name, entry in entries if name == group)
        if len(inside) == 1:
            shown.append(inside[0])
        elif inside:
            current = any(entry.current for entry in inside)
            shown.append(NavEntry(word=str(word), href="", current=current, inside=inside))
    return shown


def _entry(item: NavItem) -> NavEntry:
    return NavEntry(
        word=str(item.word),
        href=url_for(item.endpoint),
        current=request.endpoint == item.endpoint,
    )


def _account(who: ActorView | None) -> dict[str, object] | None:
    if who is None:
        return None
    words = [str(ROLE_WORDS[role]) for role in who.roles if role in ROLE_WORDS]
    return {"name": who.name, "role": "、".join(words), "url": url_for("account.index")}


def _choices(offered: Iterable[Choice]) -> list[tuple[str, str]]:
    """Return (value, word) pairs for a select, in the language of the request."""
    in_english = english()
    return [(one.value, one.en if in_english else one.zh) for one in offered]
