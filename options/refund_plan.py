"""Refunds when units or trees do not come: from which money, in which order (decision 14).

First the subscription's own escrow, then insurance received for the lot, the lot's hold-back, the
lot's undistributed pool. What is still missing is a claim on the seller, written down and never
taken from another village or lot. The buffer is kg, not money, and appears nowhere here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from options.errors import ShareWeightError
from options.rounding import largest_remainder, require_amounts


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundDue:
    """What one line is owed, and what of its own payment still lies in escrow."""

    line_id: str
    signed_at: datetime
    due_fen: int
    own_escrow_fen: int

    def __post_init__(self) -> None:
        require_amounts(due_fen=self.due_fen, own_escrow_fen=self.own_escrow_fen)


@dataclass(frozen=True, slots=True, kw_only=True)
class LotFunds:
    """The lot's money that may answer for refunds, besides each line's own escrow."""

    insurance_fen: int = 0
    hold_back_fen: int = 0
    pool_fen: int = 0

    def __post_init__(self) -> None:
        require_amounts(
            insurance_fen=self.insurance_fen,
            hold_back_fen=self.hold_back_fen,
            pool_fen=self.pool_fen,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRefund:
    """Where one line's refund comes from; the parts and the claim sum to what is due."""

    line_id: str
    due_fen: int
    escrow_fen: int
    insurance_fen: int
    hold_back_fen: int
    pool_fen: int
    seller_claim_fen: int

    def __post_init__(self) -> None:
        if self.paid_fen + self.seller_claim_fen != self.due_fen:
            raise ValueError("a refund whose parts do not sum to what is due")

    @property
    def paid_fen(self) -> int:
        """What the buyer receives now."""
        return self.escrow_fen + self.insurance_fen + self.hold_back_fen + self.pool_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPlan:
    """All refunds of a lot at once, and what its funds keep."""

    lines: tuple[LineRefund, ...]
    left: LotFunds

    @property
    def paid_fen(self) -> int:
        """Money that leaves to buyers."""
        return sum(line.paid_fen for line in self.lines)

    @property
    def seller_claim_fen(self) -> int:
        """Money that the seller still owes."""
        return sum(line.seller_claim_fen for line in self.lines)


def plan_refunds(dues: Sequence[RefundDue], funds: LotFunds) -> RefundPlan:
    """Plan the refunds of one lot.

    Parameters
    ----------
    dues : Sequence[RefundDue]
        In any order, line ids distinct.
    funds : LotFunds
        Of this lot only.

    Returns
    -------
    RefundPlan
        Lines by signing time, then id. A fund too small for all is shared pro rata to what is
        still due, by largest remainder with the same ties.

    Raises
    ------
    ShareWeightError
        A line twice.
    """
    ordered = sorted(dues, key=lambda due: (due.signed_at, due.line_id))
    if len({due.line_id for due in ordered}) != len(ordered):
        raise ShareWeightError(total=sum(due.due_fen for due in ordered), reason="keys")
    escrow = {due.line_id: min(due.due_fen, due.own_escrow_fen) for due in ordered}
    open_fen = {due.line_id: due.due_fen - escrow[due.line_id] for due in ordered}
    insurance = _draw(ordered, open_fen, funds.insurance_fen)
    hold_back = _draw(ordered, open_fen, funds.hold_back_fen)
    pool = _draw(ordered, open_fen, funds.pool_fen)
    return RefundPlan(
        lines=tuple(
            LineRefund(
                line_id=due.line_id,
                due_fen=due.due_fen,
                escrow_fen=escrow[due.line_id],
                insurance_fen=insurance[due.line_id],
                hold_back_fen=hold_back[due.line_id],
                pool_fen=pool[due.line_id],
                seller_claim_fen=open_fen[due.line_id],
            )
            for due in ordered
        ),
        left=LotFunds(
            insurance_fen=funds.insurance_fen - sum(insurance.values()),
            hold_back_fen=funds.hold_back_fen - sum(hold_back.values()),
            pool_fen=funds.pool_fen - sum(pool.values()),
        ),
    )


def _draw(
    ordered: Sequence[RefundDue], open_fen: dict[str, int], fund_fen: int
) -> Mapping[str, int]:
    """Take from one fund what is still open, lower ``open_fen``, and say who got what."""
    ids = [due.line_id for due in ordered]
    keys = [(due.signed_at, due.line_id) for due in ordered]
    drawn_fen = min(fund_fen, sum(open_fen.values()))
    parts = largest_remainder(drawn_fen, [open_fen[i] for i in ids], keys)
    taken = dict(zip(ids, parts, strict=True))
    for line_id, part in taken.items():
        open_fen[line_id] -= part
    return taken
