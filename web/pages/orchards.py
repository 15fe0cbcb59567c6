"""The farmer's orchard page, the desk's list of orchards, and what anyone may see of one."""

from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID, uuid4

from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from registry.errors import RegistryError
from registry.orchards import books, rewards
from registry.orchards.balances import BalanceView
from registry.orchards.books import OPEN
from registry.orchards.labels import LabelView
from registry.orchards.lines import FERTILISERS, LineView
from registry.reads import orchards as reads
from registry.reads.places import Page
from sinks.errors import SinksError
from web import orchard_words as words
from web import photos
from web.api.orchards import get_photo, guard_orchard, guard_voucher
from web.auth import may, public, requires
from web.commands import form_errors, from_form, from_query
from web.context import act, actor, config, now, reading
from web.errors import status_of
from web.formats import mu
from web.i18n import english
from web.pages.frame import say, show
from web.pages.orchard_forms import add_line
from web.parsing import FieldsInvalidError
from web.security import body_limit

blueprint = Blueprint("orchards", __name__, url_prefix="/orchards")
Answer = Response | str | tuple[str, int]
LINES_SHOWN = 20
"""Newest lines on the page: a phone on a weak network loads it whole; the rest is a link away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPage:
    """Context of ``orchards/index.html``."""

    orchards: Page[reads.OrchardLine]
    years: tuple[int, ...]
    year: int | None
    waiting: int
    next_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """What was wrong with what was sent: one fault with its remedy, or faults by field."""

    form: str = ""
    fault: tuple[str, str] | None = None
    errors: dict[str, list[str]] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class YearQuery(reads.OrchardYearQuery):
    """An account's year, with its newest lines or all of them."""

    lines: Literal["newest", "all"] = "newest"


@dataclass(frozen=True, slots=True, kw_only=True)
class BookLine:
    """One line of the book in words."""

    line: LineView
    what: str
    amount: str
    by_voucher: bool
    photo: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BookPage:
    """Context of ``orchards/orchard.html`` and of the part that each line renews."""

    one: reads.OrchardPage
    crop: str
    stage: str
    area: str
    balance: BalanceView | None
    sums: tuple[words.TermSum, ...]
    missing: tuple[words.NotCounted, ...]
    evidence: str
    lines: tuple[BookLine, ...]
    lines_total: int
    label: LabelView | None
    label_reasons: tuple[tuple[str, str], ...]
    label_x: str
    reward_reasons: tuple[tuple[str, str], ...]
    kinds: dict[str, str]
    products: dict[str, str]
    can_write: bool
    can_submit: bool
    can_decide: bool
    own_submission: bool
    today: str
    slip: Slip
    new_id: str


@blueprint.get("")
@requires("orchard:read")
def index() -> str:
    """Show the accounts the actor may see, with their year."""
    query = from_query(reads.OrchardQuery)
    with reading() as session:
        page = reads.orchard_list(session, actor(), query)
        years = reads.orchard_years(session, actor())
    year = page.items[0].year if page.items else query.year
    more = url_for("orchards.index", year=year, after=page.next) if page.next else None
    return show(
        "orchards/index.html",
        IndexPage(
            orchards=page,
            years=years,
            year=year,
            waiting=sum(line.book == "submitted" for line in page.items),
            next_url=more,
        ),
        crop=words.crop,
    )


@blueprint.get("/<uuid:orchard_id>")
@requires("orchard:read")
def orchard(orchard_id: UUID) -> str:
    """Show one account's year."""
    query = from_query(YearQuery, orchard_id=orchard_id)
    return show("orchards/orchard.html", _page(query), percent=words.percent)


@blueprint.get("/<uuid:orchard_id>/public")
@public
def public_page(orchard_id: UUID) -> str:
    """Show what anyone may see: approved years and labels, no person."""
    with reading() as session:
        found = reads.public_orchard(session, None, reads.OrchardById(orchard_id=orchard_id))
    return show("orchards/public.html", found, crop=words.crop(found.crop), area=_mu(found))


@blueprint.post("/<uuid:orchard_id>/books/<int:year>/lines")
@requires("orchard:book")
@body_limit(photos.PHOTO_BYTES_MAX + 64 * 1024)
def enter(orchard_id: UUID, year: int) -> Answer:
    """Enter one line; the draft is computed again at once."""

    def write() -> None:
        command = add_line(
            request.form,
            request.files.get("photo"),
            lambda file: photos.keep(config().state_dir, file).sha256,
            orchard_id=orchard_id,
            year=year,
        )
        with reading() as session:
            guard_orchard(session, actor(), command)
        act(books.add_lines, command)

    with reading() as session:
        reads.require_orchard(session, actor(), orchard_id)
    return _written(orchard_id, year, write, gettext("已记入，草算余额已更新。"))


@blueprint.post("/<uuid:orchard_id>/books/<int:year>/lines/<uuid:line_id>/reversal")
@requires("orchard:book")
def reverse(orchard_id: UUID, year: int, line_id: UUID) -> Answer:
    """Take a line back."""
    command = from_form(books.ReverseLine, orchard_id=orchard_id, year=year, line_id=line_id)
    return _act(orchard_id, year, books.reverse_line, command, gettext("这一行已冲销。"))


@blueprint.post("/<uuid:orchard_id>/books/<int:year>/submission")
@requires("orchard:book")
def submit(orchard_id: UUID, year: int) -> Answer:
    """Hand the book in."""
    command = from_form(books.SubmitBook, orchard_id=orchard_id, year=year)
    return _act(orchard_id, year, books.submit_book, command, gettext("台账已提交，等待审核。"))


@blueprint.post("/<uuid:orchard_id>/books/<int:year>/decisions")
@requires("orchard:decide")
def decide(orchard_id: UUID, year: int) -> Answer:
    """Approve a book, or return it with a reason."""
    command = from_form(books.DecideBook, orchard_id=orchard_id, year=year)
    return _act(orchard_id, year, books.decide_book, command, gettext("审核结果已记录。"))


@blueprint.post("/<uuid:orchard_id>/vouchers")
@requires("reward:issue")
def issue(orchard_id: UUID) -> Answer:
    """Issue the reward voucher of an approved year."""
    command = from_form(rewards.IssueVoucher, orchard_id=orchard_id)
    return _act(orchard_id, command.year, rewards.issue_voucher, command, gettext("凭证已发放。"))


@blueprint.post("/<uuid:orchard_id>/vouchers/<number>/redemptions")
@requires("reward:redeem")
def redeem(orchard_id: UUID, number: str) -> Answer:
    """Hand out fertiliser on a voucher."""
    command = from_form(rewards.RedeemVoucher, number=number)
    with reading() as session:
        guard_voucher(session, actor(), command)
        year = rewards.voucher(session, number).year
    done = gettext("已兑换，肥料已计入当年台账。")
    return _act(orchard_id, year, rewards.redeem_voucher, command, done)


@blueprint.get("/<uuid:orchard_id>/photos/<sha256>")
@requires("orchard:read")
def photo(orchard_id: UUID, sha256: str) -> Response:
    """Show a photo that a line names."""
    return get_photo(orchard_id, sha256)


def _act(orchard_id: UUID, year: int, verb: Any, command: Any, done: str) -> Answer:  # noqa: ANN401
    with reading() as session:
        reads.require_orchard(session, actor(), orchard_id)
    return _written(orchard_id, year, lambda: act(verb, command), done)


def _written(orchard_id: UUID, year: int, write: Any, done: str) -> Answer:  # noqa: ANN401
    """Act, then answer with the renewed part of the page, or say what is wrong in place."""
    query = YearQuery(orchard_id=orchard_id, year=year)
    try:
        write()
    except FieldsInvalidError as error:
        return _slip(query, error, errors=form_errors(error, english=english()))
    except (RegistryError, SinksError) as error:
        return _slip(query, error, fault=words.said(error.code, dict(error.params)))
    if "HX-Request" in request.headers:
        return show("orchards/_book.html", _page(query), percent=words.percent, done=done)
    say("good", done)
    return redirect(url_for("orchards.orchard", orchard_id=orchard_id, year=year), 303)


def _slip(
    query: YearQuery,
    error: RegistryError | SinksError,
    *,
    fault: tuple[str, str] | None = None,
    errors: dict[str, list[str]] | None = None,
) -> tuple[str, int]:
    """Show the page again with what was sent and what is wrong with it."""
    slip = Slip(
        form=request.form.get("part", ""),
        fault=fault,
        errors=errors or {},
        values=dict(request.form),
    )
    part = "_book.html" if "HX-Request" in request.headers else "orchard.html"
    page = _page(query, slip)
    return show(f"orchards/{part}", page, percent=words.percent), status_of(error)


def _page(query: YearQuery, slip: Slip | None = None) -> BookPage:
    who = actor()
    with reading() as session:
        plain = reads.OrchardYearQuery(orchard_id=query.orchard_id, year=query.year)
        one = reads.orchard_page(session, who, plain)
        submitted_by = _submitter(one)
    book = one.book
    balance = book.approved if book.status == "approved" else book.draft
    label = next((row for row in one.labels if row.year == one.year), None)
    rows = [row for row in reversed(book.lines) if row.reverses_id is None]
    kept = slip or Slip()
    return BookPage(
        one=one,
        crop=words.crop(one.orchard.crop),
        stage=words.stage(one.orchard.stage),
        area=_mu(one.orchard),
        balance=balance,
        sums=words.sums(balance.terms) if balance else (),
        missing=words.not_counted(balance.not_counted) if balance else (),
        evidence=words.percent(balance.evidence_share) if balance else "—",
        lines=tuple(_line(row) for row in (rows if query.lines == "all" else rows[:LINES_SHOWN])),
        lines_total=len(rows),
        label=label,
        label_reasons=tuple(words.said(code) for code in label.reasons) if label else (),
        label_x=words.decimal(label.x) if label else "—",
        reward_reasons=tuple(words.said(code) for code in one.reward.reasons),
        kinds=words.kinds(),
        products=words.products(),
        can_write=may(who, "orchard:book") and book.status in OPEN,
        can_submit=book.status in OPEN and any(line.counts for line in book.lines),
        can_decide=may(who, "orchard:decide"),
        own_submission=submitted_by == who.id,
        today=_day_in(one.year),
        slip=kept,
        new_id=kept.values.get("client_id") or uuid4().hex,
    )


def _submitter(one: reads.OrchardPage) -> UUID | None:
    """Return who handed the book in last."""
    steps = [step for step in one.book.decisions if step.decision == "submit"]
    return steps[-1].actor_id if steps else None


def _line(line: LineView) -> BookLine:
    kinds = words.kinds()
    what = kinds.get(line.kind, line.kind)
    if line.product and line.kind in FERTILISERS:
        what = f"{what} · {words.product(line.product)}"
    amount = f"{line.quantity} {_units().get(line.unit, line.unit)}"
    if line.unit == "share":
        amount = gettext("面积 %(share)s", share=words.percent(line.quantity))
    return BookLine(
        line=line,
        what=what,
        amount=amount,
        by_voucher=line.client_id.startswith(books.VOUCHER),
        photo=line.photo_sha256 is not None
        and photos.is_kept(config().state_dir, line.photo_sha256),
    )


def _units() -> dict[str, str]:
    return {"kg": gettext("公斤"), "kWh": gettext("度"), "L": gettext("升")}


def _mu(held: Any) -> str:  # noqa: ANN401 -- any view with a planted area
    return mu(float(held.planted_area_m2))


def _day_in(year: int) -> str:
    """Return today, or the year's last day where it is over."""
    today = now().date()
    return str(today) if today.year == year else f"{year}-12-31"
