"""A settlement and a distribution as they stand, by id."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from options.distribution import PayoutView, masked
from options.refusals import SettlementNotFoundError
from registry.errors import NotFoundError


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementLineRead:
    """A line of a settlement and what was paid of it."""

    n: int
    kind: str
    type: str
    voucher: str
    payee_id: UUID | None
    payee_name: str
    units: int
    amount_fen: int
    paid_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementRead:
    """A settlement's last revision; ``unit`` is what its lot counts."""

    settlement_id: UUID
    lot_id: UUID
    lot_number: str
    unit: str
    vintage: int
    run: int
    revision: int
    state: str
    escrow_in_fen: int
    refunds_fen: int
    gross_fen: int
    taxes_fen: int
    insurance_fen: int
    costs_fen: int
    reserves_brought_fen: int
    reserves_held_fen: int
    advance_recouped_fen: int
    returned_fen: int
    remainder_fen: int
    escrow_balance_fen: int
    publish_by: date | None
    lines: tuple[SettlementLineRead, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionRead:
    """A year of a collective; reserve + distributed = net income."""

    distribution_id: UUID
    collective_id: UUID
    collective: str
    year: int
    net_income_fen: int
    reserve_fen: int
    distributed_fen: int
    total_shares: int
    payouts: tuple[PayoutView, ...]


def settlement(session: Session, settlement_id: UUID) -> SettlementRead:
    """Return a settlement.

    Raises
    ------
    SettlementNotFoundError
    """
    row = session.execute(_SETTLEMENT, {"id": settlement_id}).first()
    if row is None:
        raise SettlementNotFoundError(settlement=settlement_id)
    bound = {"id": settlement_id, "revision": row.revision}
    lines = tuple(SettlementLineRead(**one) for one in session.execute(_LINES, bound).mappings())
    names = SettlementRead.__dataclass_fields__.keys() - {"lines"}
    return SettlementRead(lines=lines, **{name: getattr(row, name) for name in names})


def distribution(session: Session, distribution_id: UUID) -> DistributionRead:
    """Return a distribution.

    Raises
    ------
    NotFoundError : there is none.
    """
    row = session.execute(_DISTRIBUTION, {"id": distribution_id}).mappings().first()
    if row is None:
        raise NotFoundError(what="distribution", id=distribution_id)
    payouts = tuple(
        PayoutView(
            household_code=one.household_code,
            masked_name=masked(one.holder_name),
            shares=one.shares,
            amount_fen=one.amount_fen,
        )
        for one in session.execute(_PAYOUTS, {"id": distribution_id})
    )
    return DistributionRead(payouts=payouts, **row)


_SETTLEMENT = text(
    "SELECT s.*, s.id AS settlement_id, l.number AS lot_number, l.unit"
    " FROM settlement s JOIN lot l ON l.id = s.lot_id WHERE s.id = :id"
)
_LINES = text(
    "SELECT n.n, n.kind, n.type, n.voucher, n.payee_id, n.payee_name, n.units, n.amount_fen,"
    " coalesce((SELECT sum(p.amount_fen) FROM settlement_payment p"
    "   WHERE (p.settlement_id, p.revision, p.n) = (n.settlement_id, n.revision, n.n)),"
    "   0)::bigint AS paid_fen"
    " FROM settlement_line n WHERE n.settlement_id = :id AND n.revision = :revision ORDER BY n.n"
)
_DISTRIBUTION = text(
    "SELECT d.id AS distribution_id, d.collective_id, p.name AS collective, d.year,"
    " d.net_income_fen, d.reserve_fen, d.distributed_fen, d.total_shares"
    " FROM distribution d JOIN party p ON p.id = d.collective_id WHERE d.id = :id"
)
_PAYOUTS = text(
    "SELECT household_code, holder_name, shares, amount_fen FROM distribution_payout"
    " WHERE distribution_id = :id ORDER BY household_code"
)
