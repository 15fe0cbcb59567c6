"""A distribution as it stands, by id."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from options.distribution import PayoutView, masked
from registry.errors import NotFoundError


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


_DISTRIBUTION = text(
    "SELECT d.id AS distribution_id, d.collective_id, p.name AS collective, d.year,"
    " d.net_income_fen, d.reserve_fen, d.distributed_fen, d.total_shares"
    " FROM distribution d JOIN party p ON p.id = d.collective_id WHERE d.id = :id"
)
_PAYOUTS = text(
    "SELECT household_code, holder_name, shares, amount_fen FROM distribution_payout"
    " WHERE distribution_id = :id ORDER BY household_code"
)
