"""A collective's yearly distribution: reserve first, the rest by the share register.

Pass-through money of households never enters here: it is not income of the collective.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from options.errors import NetIncomeError, ReserveRatioError, ShareRegisterError
from options.rounding import largest_remainder, require_amounts

RESERVE_RATIO_MIN: Final = Fraction(30, 100)
"""公积金 and 公益金 together, Zhejiang rules on rural collective assets, 32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shareholding:
    """A row of the share register: a household and its shares."""

    household_code: str
    shares: int

    def __post_init__(self) -> None:
        require_amounts(shares=self.shares)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """What a household receives."""

    household_code: str
    shares: int
    amount_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionPlan:
    """The year's distribution; cannot be constructed unless it sums to the net income."""

    year: int
    net_income_fen: int
    reserve_ratio: Fraction
    reserve_fen: int
    distributed_fen: int
    total_shares: int
    payouts: tuple[Payout, ...]

    def __post_init__(self) -> None:
        paid_fen = sum(payout.amount_fen for payout in self.payouts)
        if paid_fen != self.distributed_fen:
            raise ValueError("the payouts do not sum to what is distributed")
        if self.reserve_fen + self.distributed_fen != self.net_income_fen:
            raise ValueError("reserve and payouts do not sum to the net income")


def plan_distribution(
    *,
    year: int,
    net_income_fen: int,
    register: Sequence[Shareholding],
    reserve_ratio: Fraction = RESERVE_RATIO_MIN,
) -> DistributionPlan:
    """Plan the distribution of one year.

    Parameters
    ----------
    year : int
        Account year.
    net_income_fen : int
        Entered net income of the collective, fen.
    register : Sequence[Shareholding]
        Share register on the day of the decision, one row a household, in any order.
    reserve_ratio : Fraction
        From 30 % to 1; the reserve rounds up.

    Returns
    -------
    DistributionPlan
        Payouts by household code; largest remainder, ties by household code.

    Raises
    ------
    NetIncomeError
        A loss.
    ReserveRatioError
        Below the legal share or above 1.
    ShareRegisterError
        Empty, a household twice, or a row without shares.
    """
    if net_income_fen < 0:
        raise NetIncomeError(year=year, net_income_fen=net_income_fen)
    require_amounts(net_income_fen=net_income_fen)
    if not RESERVE_RATIO_MIN <= reserve_ratio <= 1:
        raise ReserveRatioError(ratio=str(reserve_ratio), minimum=str(RESERVE_RATIO_MIN))
    rows = sorted(register, key=lambda row: row.household_code)
    _require_register(rows)
    # the reserve rounds up: minus the floor of the negative
    reserve_fen = -(-net_income_fen * reserve_ratio.numerator // reserve_ratio.denominator)
    distributed_fen = net_income_fen - reserve_fen
    parts = largest_remainder(
        distributed_fen, [row.shares for row in rows], [row.household_code for row in rows]
    )
    return DistributionPlan(
        year=year,
        net_income_fen=net_income_fen,
        reserve_ratio=reserve_ratio,
        reserve_fen=reserve_fen,
        distributed_fen=distributed_fen,
        total_shares=sum(row.shares for row in rows),
        payouts=tuple(
            Payout(household_code=row.household_code, shares=row.shares, amount_fen=part)
            for row, part in zip(rows, parts, strict=True)
        ),
    )


def _require_register(rows: Sequence[Shareholding]) -> None:
    if not rows:
        raise ShareRegisterError(household="", reason="empty")
    previous = ""
    for i, row in enumerate(rows):
        if row.shares == 0:
            raise ShareRegisterError(household=row.household_code, reason="no shares")
        if i and row.household_code == previous:
            raise ShareRegisterError(household=row.household_code, reason="repeated")
        previous = row.household_code
