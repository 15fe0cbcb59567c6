"""``/units``, ``/certificates``: look-up for everybody; transfer, retirement by the holder."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from registry import certificates, retirement, transfers
from registry.errors import NotFoundError, NotPermittedError
from registry.people import ActorView
from registry.unit_errors import SerialInvalidError, UnitNotHeldError
from web.api.endpoints import Act, Noun, Read
from web.auth import PUBLIC


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
            rule="/units/transfers",
            permission="unit:hold",
            command=transfers.TransferUnits,
            verb=transfers.transfer,
            summary=("转让", "Move units to another holder"),
            raises=(UnitNotHeldError, SerialInvalidError, NotPermittedError, NotFoundError),
            status=201,
            guard=guard_holder,
        ),
        Act(
            name="retire_units",
            rule="/units/retirements",
            permission="unit:hold",
            command=retirement.RetireUnits,
            verb=retirement.retire,
            summary=("注销使用", "Retire units for a beneficiary; irreversible"),
            raises=(UnitNotHeldError, SerialInvalidError, NotPermittedError, NotFoundError),
            status=201,
            guard=guard_holder,
        ),
    ),
)
