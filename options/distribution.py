"""A collective's yearly distribution: reserve first, the rest by its share register.

Households' pass-through money is not income of the collective and never enters here.
"""

from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from options import outside
from options.distribution_plan import (
    RESERVE_RATIO_MIN,
    DistributionPlan,
    Shareholding,
    plan_distribution,
)
from options.models import Distribution, DistributionPayout
from options.refusals import DistributionDoneError
from registry import events
from registry.db import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRow:
    """A row of the share register with the holder's name."""

    household_code: str
    holder_name: str
    shares: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribute(Command):
    """Distribute a collective's year; the register's document is named by its digest."""

    collective_id: UUID
    year: int
    net_income_fen: int
    register: tuple[ShareRow, ...]
    document_sha256: bytes
    reserve_ratio: Fraction = RESERVE_RATIO_MIN


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutView:
    """What a holder receives; the name is masked in public."""

    household_code: str
    masked_name: str
    shares: int
    amount_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Distributed:
    """A year as it was distributed; reserve + distributed = net income."""

    distribution_id: UUID
    year: int
    net_income_fen: int
    reserve_fen: int
    distributed_fen: int
    payouts: tuple[PayoutView, ...]
    event_id: UUID


def distribute(session: Session, command: Distribute) -> Distributed:
    """Distribute a year, once.

    Raises
    ------
    DistributionDoneError
    NetIncomeError, ReserveRatioError, ShareRegisterError
    """
    outside.party(session, command.collective_id)
    plan = plan_distribution(
        year=command.year,
        net_income_fen=command.net_income_fen,
        register=[
            Shareholding(household_code=row.household_code, shares=row.shares)
            for row in command.register
        ],
        reserve_ratio=command.reserve_ratio,
    )
    query = select(func.count()).where(
        Distribution.collective_id == command.collective_id, Distribution.year == command.year
    )
    if session.scalar(query):
        raise DistributionDoneError(year=command.year)
    names = {row.household_code: row.holder_name for row in command.register}
    event_id = events.record(
        session,
        command,
        kind="distribution",
        subject=("party", str(command.collective_id)),
        body={"plan": plan, "document_sha256": command.document_sha256},
    )
    made = _write(session, command, plan, names, event_id)
    return Distributed(
        distribution_id=made,
        year=plan.year,
        net_income_fen=plan.net_income_fen,
        reserve_fen=plan.reserve_fen,
        distributed_fen=plan.distributed_fen,
        payouts=tuple(
            PayoutView(
                household_code=payout.household_code,
                masked_name=masked(names[payout.household_code]),
                shares=payout.shares,
                amount_fen=payout.amount_fen,
            )
            for payout in plan.payouts
        ),
        event_id=event_id,
    )


def masked(name: str) -> str:
    """Return a name as the public sees it: its first character, the rest as asterisks."""
    return name[:1] + "*" * (len(name) - 1)


def _write(
    session: Session,
    command: Distribute,
    plan: DistributionPlan,
    names: dict[str, str],
    event_id: UUID,
) -> UUID:
    made = Distribution(
        id=uuid4(),
        collective_id=command.collective_id,
        year=plan.year,
        net_income_fen=plan.net_income_fen,
        reserve_ratio=str(plan.reserve_ratio),
        reserve_fen=plan.reserve_fen,
        distributed_fen=plan.distributed_fen,
        total_shares=plan.total_shares,
        document_sha256=command.document_sha256,
        event_id=event_id,
        actor_id=command.actor_id,
        effective_at=command.at,
    )
    session.add(made)
    session.flush()
    session.add_all(
        DistributionPayout(
            distribution_id=made.id,
            household_code=payout.household_code,
            holder_name=names[payout.household_code],
            shares=payout.shares,
            amount_fen=payout.amount_fen,
        )
        for payout in plan.payouts
    )
    session.flush()
    return made.id
