"""``/orchards`` and ``/vouchers``: accounts, their books, photos, fertiliser vouchers over HTTP."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol
from uuid import UUID

from flask import Response, json, request
from sqlalchemy import text
from sqlalchemy.orm import Session

from registry.errors import InvalidValueError, NotFoundError, NotPermittedError, WrongStateError
from registry.orchards import accounts, books, errors, label_settings, rewards
from registry.people import ActorView
from registry.reads import orchards as reads
from registry.reads.scope import require_division
from registry.refusals import NotApprovedByAnotherError
from web import photos
from web.api.endpoints import JSON, Act, Noun, Raw, Read
from web.auth import PUBLIC
from web.context import actor, config, reading
from web.security import body_limit

_ONE: Final = "/orchards/<uuid:orchard_id>"
_BOOK: Final = f"{_ONE}/books/<int:year>"


@dataclass(frozen=True, slots=True, kw_only=True)
class BookQuery:
    """One year of one account."""

    orchard_id: UUID
    year: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherQuery:
    """One voucher."""

    number: str


class OfOrchard(Protocol):
    """A command on one account."""

    @property
    def orchard_id(self) -> UUID:
        """The account."""


class OfVoucher(Protocol):
    """A command on one voucher."""

    @property
    def number(self) -> str:
        """The voucher's number."""


class OfCounty(Protocol):
    """A command on one county."""

    @property
    def adcode(self) -> str:
        """County, 6 digits."""


def guard_orchard(session: Session, who: ActorView, command: OfOrchard) -> None:
    """Refuse to act on an account out of sight."""
    reads.require_orchard(session, who, command.orchard_id)


def guard_county(_session: Session, who: ActorView, command: OfCounty) -> None:
    """Refuse to act for another county."""
    require_division(who, command.adcode)


def guard_open(session: Session, who: ActorView, command: accounts.OpenOrchard) -> None:
    """Refuse to open an account on ground outside the actor's division."""
    _require_ground(session, who, command.plots, command.adcode)


def guard_boundary(session: Session, who: ActorView, command: accounts.SetBoundary) -> None:
    """Refuse an account out of sight, and ground outside the actor's division."""
    reads.require_orchard(session, who, command.orchard_id)
    adcode = reads.county_of(session, command.orchard_id)
    _require_ground(session, who, command.plots, adcode)


def _require_ground(
    session: Session, who: ActorView, plots: Sequence[accounts.Plot], adcode: str
) -> None:
    places = session.scalars(_PLACES, {"ids": [plot.parcel_id for plot in plots]}).all()
    for place in places or [adcode]:
        require_division(who, place)
        if not place.startswith(adcode):
            raise InvalidValueError(field="adcode", value=adcode, why=place)


def guard_voucher(session: Session, who: ActorView, command: OfVoucher) -> None:
    """Refuse to act on a voucher of an account out of sight."""
    reads.require_orchard(session, who, rewards.voucher(session, command.number).orchard_id)


def guard_lift(session: Session, who: ActorView, command: label_settings.LiftVeto) -> None:
    """Refuse to lift a veto of an account out of sight."""
    found = session.scalar(_VETO, {"id": command.veto_id})
    if found is None:
        raise NotFoundError(what="veto", id=command.veto_id)
    reads.require_orchard(session, who, found)


def get_book(session: Session, who: ActorView, query: BookQuery) -> books.BookView:
    """Return a year's book with every line, draft and approved balance."""
    reads.require_orchard(session, who, query.orchard_id)
    return books.book_view(session, query.orchard_id, query.year)


def get_voucher(session: Session, who: ActorView, query: VoucherQuery) -> rewards.VoucherView:
    """Return a voucher: issued = redeemed + expired + open, kg of fertiliser."""
    found = rewards.voucher(session, query.number)
    reads.require_orchard(session, who, found.orchard_id)
    return found


@body_limit(photos.PHOTO_BYTES_MAX + 64 * 1024)
def add_photo(orchard_id: UUID) -> Response:
    """Keep a photo; lines name it by its digest.

    Raises
    ------
    PhotoInvalidError : no photo, of another type, or too large.
    """
    with reading() as session:
        reads.require_orchard(session, actor(), orchard_id)
    sent = request.files.get("photo")
    if sent is None:
        raise photos.PhotoInvalidError(field="photo", value="—", why="photo")
    kept = photos.keep(config().state_dir, sent)
    return Response(json.dumps(asdict(kept)), status=201, content_type=JSON)


def get_photo(orchard_id: UUID, sha256: str) -> Response:
    """Answer with a photo that a line of the account names.

    Raises
    ------
    NotFoundError : no line of this account names it.
    """
    with reading() as session:
        reads.require_orchard(session, actor(), orchard_id)
        bound = {"orchard": orchard_id, "sha256": sha256}
        if session.execute(_NAMED, bound).first() is None:
            raise NotFoundError(what="photo", id=sha256[:64])
    data, kind = photos.find(config().state_dir, sha256)
    return Response(data, content_type=kind, headers={"Content-Disposition": "inline"})


_PLACES = text("SELECT DISTINCT coalesce(division_code, '') FROM parcel WHERE id = ANY (:ids)")
_VETO = text("SELECT orchard_id FROM orchard_veto WHERE id = :id")
_NAMED = text(
    "SELECT 1 FROM orchard_line WHERE orchard_id = :orchard"
    " AND encode(photo_sha256, 'hex') = :sha256 LIMIT 1"
)
_PHOTO_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["photo"],
                "properties": {"photo": {"type": "string", "format": "binary"}},
            }
        }
    },
}
_PHOTO: Final = {
    "type": "object",
    "required": ["sha256", "media_type"],
    "properties": {"sha256": {"type": "string"}, "media_type": {"type": "string"}},
}
_PLOTS: Final = (
    errors.PlotsInvalidError,
    errors.PlotNotOrchardError,
    errors.PlotTakenError,
    errors.PlantedTooLargeError,
    NotFoundError,
    NotPermittedError,
    InvalidValueError,
)
NOUN = Noun(
    name="orchards",
    title=("果园", "Orchard accounts, books and vouchers"),
    endpoints=(
        Read(
            name="list_orchards",
            rule="/orchards",
            permission="orchard:read",
            query=reads.OrchardQuery,
            read=reads.orchard_list,
            summary=("可见果园碳账户列表", "The accounts the caller may see"),
        ),
        Act(
            name="open_orchard",
            rule="/orchards",
            permission="orchard:write",
            command=accounts.OpenOrchard,
            verb=accounts.open_orchard,
            summary=("开立果园碳账户", "Open an account"),
            raises=(errors.OrchardExistsError, *_PLOTS),
            status=201,
            guard=guard_open,
        ),
        Read(
            name="get_orchard",
            rule=_ONE,
            permission="orchard:read",
            query=reads.OrchardYearQuery,
            read=reads.orchard_page,
            summary=("一个账户一年的全部内容", "An account in a year: book, labels, vouchers"),
            raises=(NotFoundError, errors.BoundaryDateError),
        ),
        Read(
            name="get_public_orchard",
            rule=f"{_ONE}/public",
            permission=PUBLIC,
            query=reads.OrchardById,
            read=reads.public_orchard,
            summary=("果园公开信息", "What anyone may see of an account"),
            raises=(NotFoundError,),
        ),
        Act(
            name="set_orchard_boundary",
            rule=f"{_ONE}/boundaries",
            permission="orchard:write",
            command=accounts.SetBoundary,
            verb=accounts.set_boundary,
            summary=("变更账户边界", "Give an account other plots from a day on"),
            raises=(errors.BoundaryDateError, *_PLOTS),
            status=201,
            guard=guard_boundary,
        ),
        Read(
            name="get_book",
            rule=_BOOK,
            permission="orchard:read",
            query=BookQuery,
            read=get_book,
            summary=("一年的活动台账", "A year's book: lines and balances"),
            raises=(NotFoundError,),
        ),
        Act(
            name="add_lines",
            rule=f"{_BOOK}/lines",
            permission="orchard:book",
            command=books.AddLines,
            verb=books.add_lines,
            summary=("记台账，答复为新的草算余额", "Enter lines; answers the draft balance"),
            raises=(
                errors.LineInvalidError,
                errors.LineReusedError,
                errors.BookClosedError,
                NotFoundError,
            ),
            status=201,
            guard=guard_orchard,
        ),
        Act(
            name="reverse_line",
            rule=f"{_BOOK}/lines/<uuid:line_id>/reversal",
            permission="orchard:book",
            command=books.ReverseLine,
            verb=books.reverse_line,
            summary=("冲销一行", "Take a line back by a line of its own"),
            raises=(errors.LineReversedError, errors.BookClosedError, NotFoundError),
            guard=guard_orchard,
        ),
        Act(
            name="submit_book",
            rule=f"{_BOOK}/submission",
            permission="orchard:book",
            command=books.SubmitBook,
            verb=books.submit_book,
            summary=("提交年度台账", "Hand the year's book in"),
            raises=(errors.BookEmptyError, WrongStateError, NotFoundError),
            guard=guard_orchard,
        ),
        Act(
            name="decide_book",
            rule=f"{_BOOK}/decisions",
            permission="orchard:decide",
            command=books.DecideBook,
            verb=books.decide_book,
            summary=("批准、退回或重新打开台账", "Approve, return or reopen a book"),
            raises=(
                NotApprovedByAnotherError,
                WrongStateError,
                InvalidValueError,
                NotFoundError,
            ),
            guard=guard_orchard,
        ),
        Raw(
            name="add_photo",
            rule=f"{_ONE}/photos",
            method="POST",
            permission="orchard:book",
            view=add_photo,
            summary=("上传照片，按 SHA-256 保存", "Keep a photo by its SHA-256"),
            operation={
                "requestBody": _PHOTO_BODY,
                "responses": {
                    "201": {
                        "description": "OK",
                        "content": {"application/json": {"schema": _PHOTO}},
                    }
                },
            },
            raises=(photos.PhotoInvalidError, NotFoundError),
        ),
        Raw(
            name="get_photo",
            rule=f"{_ONE}/photos/<sha256>",
            permission="orchard:read",
            view=get_photo,
            summary=("台账照片", "A photo that a line names"),
            operation={"responses": {"200": {"description": "OK", "content": {"image/*": {}}}}},
            raises=(NotFoundError,),
        ),
        Act(
            name="add_veto",
            rule=f"{_ONE}/vetoes",
            permission="orchard:decide",
            command=label_settings.Veto,
            verb=label_settings.veto,
            summary=("登记暂缓评定的原因", "Enter a reason to withhold a label"),
            raises=(InvalidValueError, NotFoundError),
            status=201,
            guard=guard_orchard,
        ),
        Act(
            name="lift_veto",
            rule="/vetoes/<uuid:veto_id>/lift",
            permission="orchard:decide",
            command=label_settings.LiftVeto,
            verb=label_settings.lift_veto,
            summary=("解除暂缓评定", "Lift a reason to withhold"),
            raises=(errors.VetoLiftedError, NotFoundError),
            guard=guard_lift,
        ),
        Act(
            name="issue_voucher",
            rule=f"{_ONE}/vouchers",
            permission="reward:issue",
            command=rewards.IssueVoucher,
            verb=rewards.issue_voucher,
            summary=("发放肥料奖励凭证", "Issue the voucher of an approved year"),
            raises=(
                errors.RewardNotEarnedError,
                errors.RewardTwiceError,
                errors.RewardSoldError,
                NotFoundError,
            ),
            status=201,
            guard=guard_orchard,
        ),
        Read(
            name="get_voucher",
            rule="/vouchers/<number>",
            permission="orchard:read",
            query=VoucherQuery,
            read=get_voucher,
            summary=("一张凭证", "A voucher and what is open on it"),
            raises=(NotFoundError,),
        ),
        Act(
            name="redeem_voucher",
            rule="/vouchers/<number>/redemptions",
            permission="reward:redeem",
            command=rewards.RedeemVoucher,
            verb=rewards.redeem_voucher,
            summary=("兑换肥料，计入当年台账", "Hand out fertiliser; it enters the book"),
            raises=(
                errors.VoucherShortError,
                errors.VoucherExpiredError,
                errors.BookClosedError,
                NotFoundError,
            ),
            guard=guard_voucher,
        ),
        Act(
            name="expire_vouchers",
            rule="/vouchers/expiry",
            permission="reward:issue",
            command=rewards.ExpireVouchers,
            verb=rewards.expire_vouchers,
            summary=("关闭到期凭证", "Close a county's vouchers whose last day is over"),
            guard=guard_county,
        ),
    ),
)
