"""``/units``, ``/batches``, ``/certificates``: look-up for everybody; acts by the holder."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from registry import certificates, keys, retirement, transfers
from registry.errors import InvalidValueError, NotFoundError, NotPermittedError
from registry.people import ActorView
from registry.reads import books
from registry.reads import units as reads
from registry.unit_errors import (
    EventNotSealedError,
    HolderNotAllowedError,
    InsufficientBalanceError,
    SerialInvalidError,
    UnitNotHeldError,
)
from web.api.endpoints import Act, Noun, Read
from web.api.sale_scope import sees_all
from web.auth import PUBLIC
from web.context import config


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialQuery:
    """A serial range as it is printed."""

    serial: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateQuery:
    """A certificate's number, or its retirement's."""

    number: str


def serial(session: Session, _who: ActorView | None, query: SerialQuery) -> certificates.SerialView:
    """Return what became of serials; holders are not named."""
    return certificates.serial_state(session, query.serial)


def certificate(
    session: Session, _who: ActorView | None, query: CertificateQuery
) -> certificates.CertificateView:
    """Return a certificate with its state now."""
    return certificates.look_up(session, query.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingsQuery:
    """What a party holds."""

    party_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RetirementById:
    """One retirement."""

    retirement_id: UUID


def holdings(session: Session, who: ActorView, query: HoldingsQuery) -> books.Holdings:
    """Return what a party holds, to itself and to who watches over all.

    Raises
    ------
    NotFoundError : it is another's.
    """
    _require_own(who, query.party_id)
    return books.holdings(session, query.party_id)


def retirements(session: Session, who: ActorView, query: HoldingsQuery) -> reads.Retirements:
    """Return what a party retired, to itself and to who watches over all.

    Raises
    ------
    NotFoundError : it is another's.
    """
    _require_own(who, query.party_id)
    return reads.retirements(session, query.party_id)


def own_retirement(session: Session, who: ActorView, query: RetirementById) -> reads.RetirementLine:
    """Return a retirement to who retired, and to who watches over all.

    Raises
    ------
    NotFoundError : there is none, or it is another's.
    """
    holder, line = reads.retirement(session, query.retirement_id)
    if not sees_all(who) and who.party_id != holder:
        raise NotFoundError(what="retirement", id=query.retirement_id)
    return line


def certify(session: Session, command: certificates.CertifyRetirement) -> certificates.Certified:
    """Sign a statement about a sealed retirement with this installation's key."""
    key = keys.signing_key(config().state_dir / "keys" / "registry.pem")
    return certificates.certify_retirement(session, command, key)


def guard_retirement(
    session: Session, who: ActorView, command: certificates.CertifyRetirement
) -> None:
    """Refuse to certify what another retired."""
    own_retirement(session, who, RetirementById(retirement_id=command.retirement_id))


def _require_own(who: ActorView, party_id: UUID) -> None:
    if not sees_all(who) and who.party_id != party_id:
        raise NotFoundError(what="party", id=party_id)


def guard_holder(
    _session: Session,
    who: ActorView,
    command: transfers.TransferUnits | retirement.RetireUnits,
) -> None:
    """Refuse to move what another party holds."""
    if command.holder_id != who.party_id and not who.has("system"):
        raise NotPermittedError(needs=str(command.holder_id))


NOUN = Noun(
    name="units",
    title=("核证减排量", "Units by serial, and certificates"),
    endpoints=(
        Read(
            name="get_serial",
            rule="/units/<serial>",
            permission=PUBLIC,
            query=SerialQuery,
            read=serial,
            summary=("查询序列号", "What became of serials, by range; holders are not named"),
            raises=(SerialInvalidError, NotFoundError),
        ),
        Read(
            name="get_history",
            rule="/units/<serial>/history",
            permission=PUBLIC,
            query=reads.HistoryQuery,
            read=reads.history,
            summary=("序列号的经过", "Every act on some serials; holders are not named"),
            raises=(SerialInvalidError, NotFoundError),
        ),
        Read(
            name="list_batches",
            rule="/batches",
            permission=PUBLIC,
            query=reads.BatchList,
            read=reads.batches,
            summary=("签发批", "Batches with what became of them"),
        ),
        Read(
            name="get_batch",
            rule="/batches/<prefix>",
            permission=PUBLIC,
            query=reads.BatchQuery,
            read=reads.batch,
            summary=("一批的来历", "What a batch stands on: parcels, run, layers by digest, seal"),
            raises=(SerialInvalidError, NotFoundError),
        ),
        Read(
            name="get_holdings",
            rule="/parties/<uuid:party_id>/holdings",
            permission="unit:read",
            query=HoldingsQuery,
            read=holdings,
            summary=("持有的单位", "What a party holds, range by range"),
            raises=(NotFoundError,),
        ),
        Read(
            name="list_retirements",
            rule="/parties/<uuid:party_id>/retirements",
            permission="unit:read",
            query=HoldingsQuery,
            read=retirements,
            summary=("注销使用记录", "What a party retired, with its certificates"),
            raises=(NotFoundError,),
        ),
        Read(
            name="get_retirement",
            rule="/retirements/<uuid:retirement_id>",
            permission="unit:read",
            query=RetirementById,
            read=own_retirement,
            summary=("一次注销使用", "One retirement, to who retired"),
            raises=(NotFoundError,),
        ),
        Read(
            name="get_certificate",
            rule="/certificates/<number>",
            permission=PUBLIC,
            query=CertificateQuery,
            read=certificate,
            summary=("查询证书", "A certificate with its state now"),
            raises=(NotFoundError,),
        ),
        Act(
            name="transfer_units",
            moves_value=True,
            rule="/units/transfers",
            permission="unit:hold",
            command=transfers.TransferUnits,
            verb=transfers.transfer,
            summary=("转让或捐赠", "Move units to another holder, sold or given"),
            raises=(
                UnitNotHeldError,
                InsufficientBalanceError,
                HolderNotAllowedError,
                SerialInvalidError,
                InvalidValueError,
                NotPermittedError,
                NotFoundError,
            ),
            status=201,
            guard=guard_holder,
        ),
        Act(
            name="retire_units",
            moves_value=True,
            rule="/units/retirements",
            permission="unit:hold",
            command=retirement.RetireUnits,
            verb=retirement.retire,
            summary=("注销使用", "Retire units for a beneficiary; irreversible"),
            raises=(
                UnitNotHeldError,
                InsufficientBalanceError,
                SerialInvalidError,
                InvalidValueError,
                NotPermittedError,
                NotFoundError,
            ),
            status=201,
            guard=guard_holder,
        ),
        Act(
            name="certify_retirement",
            rule="/retirements/<uuid:retirement_id>/certificate",
            permission="unit:hold",
            command=certificates.CertifyRetirement,
            verb=certify,
            summary=("开证书", "Sign the certificate of a sealed retirement"),
            raises=(EventNotSealedError, NotPermittedError, NotFoundError),
            status=201,
            guard=guard_retirement,
        ),
    ),
)
