"""Tree packs: a lot of them drafted, one for everybody, its trees for who is concerned."""

import json
from dataclasses import dataclass
from uuid import UUID, uuid4

from flask import Blueprint, request, url_for
from flask_babel import gettext, lazy_gettext
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from options import tree_lots, tree_reads, trees
from options.calendar import beijing_day
from options.reads import lot_page
from options.terms import PACK_TREES
from registry import programmes
from registry.divisions import subtree_prefix
from registry.errors import NotFoundError
from registry.people import ActorView
from web.api.lots import guard_seller
from web.api.sale_scope import PUBLIC_STATES, party_of
from web.api.trees import guard_draft, sees_record
from web.auth import public, requires
from web.commands import from_form
from web.context import actor, config, now, reading, viewer
from web.pages.acting import acted, fen, given, whole, word
from web.pages.frame import show
from web.pages.labels import qr_svg
from web.pages.public import LOOKUPS, Hit
from web.parsing import FieldsInvalidError, field_error, parse

blueprint = Blueprint("packs", __name__)
PROGRAMME = "one-village-ten-thousand-trees"
STATES = {
    "FREE": lazy_gettext("可认购"),
    "RESERVED": lazy_gettext("已预留"),
    "SIGNED": lazy_gettext("已预留"),
    "AWAITING_PAYMENT": lazy_gettext("已预留"),
}
"""Words for everybody; the steps before payment are one to them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackContext:
    """Context of ``packs/pack.html``; ``record`` only for who is concerned."""

    pack: tree_reads.PublicPack
    state: str
    state_word: str | None
    numbers: tuple[str, ...]
    record: tree_reads.PackRecord | None
    features_url: str | None
    own: bool
    address: str
    qr: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A published offer: years and the price of 2019, an example and no default."""

    years: int
    price_fen: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftContext:
    """Context of ``packs/draft.html``: groves with enough free trees, published offers."""

    groves: tuple[tree_lots.SellableGrove, ...]
    offers: tuple[Terms, ...]
    adopted: bool
    number: str
    year: int


@blueprint.get("/packs/<uuid:pack_id>")
@public
def pack(pack_id: UUID) -> str:
    """Show a pack; places, contract and single trees only to who is concerned."""
    who = viewer()
    with reading() as session:
        found = tree_reads.record(session, pack_id)
        concerned = sees_record(session, who, found)
        selling = lot_page(session, found.public.pack.lot_id).lot.sale_state in PUBLIC_STATES
    if not concerned and not selling:
        raise NotFoundError(what="pack", id=pack_id)
    return show("packs/pack.html", _context(found, who, concerned=concerned))


@blueprint.get("/packs/new")
@requires("lot:write")
def draft() -> str:
    """Choose groves, their packs, the term and the price."""
    with reading() as session:
        page = _draft_page(session, actor())
    return show("packs/draft.html", page)


@blueprint.post("/packs/new")
@requires("lot:write")
def save_draft() -> Response:
    """Draft the lot with its packs."""
    return acted(
        tree_lots.draft_tree_lot,
        _drafted,
        lambda made: url_for("lots.lot", lot_id=made.lot_id),
        guard=guard_draft,
        done=gettext("树包批次已起草，请核对后提交审核。"),
    )


@blueprint.post("/lots/<uuid:lot_id>/deliver-trees")
@requires("settlement:write")
def deliver(lot_id: UUID) -> Response:
    """Count what lives, and give each holder his trees."""
    return acted(
        trees.deliver_trees,
        lambda: from_form(trees.DeliverTrees, lot_id=lot_id),
        url_for("lots.lot", lot_id=lot_id),
        guard=guard_seller,
        done=gettext("树木已交付。"),
    )


def pack_hit(session: Session, words: str) -> Hit | None:
    """Return what everybody may know of a pack, by its printed code."""
    pack_id = tree_reads.pack_by_code(session, words)
    if pack_id is None:
        return None
    found = tree_reads.public_pack(session, pack_id)
    if lot_page(session, found.pack.lot_id).lot.sale_state not in PUBLIC_STATES:
        return None
    facts = (
        (gettext("村"), found.villages),
        (gettext("树木"), gettext("%(live)s 株存活，共 %(all)s 株", live=found.pack.live,
                                all=found.pack.trees)),
        (gettext("成熟年份"), str(found.pack.vintage)),
    )  # fmt: skip
    return Hit(
        title=found.pack.code,
        state=_public_state(found.pack.state),
        facts=facts,
        url=url_for("packs.pack", pack_id=pack_id),
    )


LOOKUPS.append(pack_hit)


def spans(numbers: tuple[int, ...]) -> tuple[str, ...]:
    """Return ascending numbers as people write them: ``1–6``, ``8``."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return tuple(str(a) if a == b else f"{a}–{b}" for a, b in found)


def _public_state(state: str) -> str:
    return "RESERVED" if state in STATES and state != "FREE" else state


def _context(
    found: tree_reads.PackRecord, who: ActorView | None, *, concerned: bool
) -> PackContext:
    one = found.public
    state = one.pack.state if concerned else _public_state(one.pack.state)
    address = config().public_url.rstrip("/") + url_for("packs.pack", pack_id=one.pack.pack_id)
    return PackContext(
        pack=one,
        state=state,
        state_word=str(STATES[state]) if state in STATES and not concerned else None,
        numbers=spans(one.numbers),
        record=found if concerned else None,
        features_url=url_for("api.pack_features", pack_id=one.pack.pack_id) if concerned else None,
        own=who is not None and who.party_id is not None and who.party_id == found.buyer_id,
        address=address,
        qr=qr_svg(address),
    )


def _draft_page(session: Session, who: ActorView) -> DraftContext:
    today = beijing_day(now())
    division = subtree_prefix(who.division_code) if who.division_code else "—"
    try:
        figures = programmes.current(session, PROGRAMME, on=today).figures
    except NotFoundError:
        return DraftContext(groves=(), offers=(), adopted=False, number="", year=today.year)
    offers = tuple(
        Terms(
            years=int(str(figures[f"offers.{n}.term_years"].value)),
            price_fen=int(str(figures[f"offers.{n}.published_price_fen"].value)),
            source=figures[f"offers.{n}.published_price_fen"].source,
        )
        for n in range(len(figures))
        if f"offers.{n}.term_years" in figures and figures[f"offers.{n}.trees"].value == PACK_TREES
    )
    return DraftContext(
        groves=tree_lots.sellable_groves(session, division="" if who.has("system") else division),
        offers=offers,
        adopted=True,
        number=f"YCWS-{today:%Y%m%d}-{uuid4().hex[:4].upper()}",
        year=today.year,
    )


def _drafted() -> tree_lots.DraftTreeLot:
    with reading() as session:
        adopted = programmes.current(session, PROGRAMME, on=beijing_day(now()))
    wanted = tuple(
        tree_lots.GrovePacks(parcel_id=UUID(name.removeprefix("packs-")), packs=whole(name))
        for name in request.form
        if name.startswith("packs-") and word(name) not in {"", "0"}
    )
    if not wanted:
        raise FieldsInvalidError((field_error("/packs", "FIELD_MISSING", field="packs"),))
    years = whole("term_years")
    body = {"number": word("number"), "title": word("title")}
    return parse(
        tree_lots.DraftTreeLot,
        json.dumps(body),
        given(
            programme_id=adopted.id,
            programme_version=adopted.version,
            company_id=party_of(actor()),
            term_years=years,
            matures=beijing_day(now()).year + years,
            price_fen=fen("price"),
            groves=wanted,
        ),
    )
