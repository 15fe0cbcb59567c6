"""Delivery of a vintage: issued units reach the sold lines first; what is over stays the villages'.

When fewer units than sold kg were issued, the sold lines share them pro rata by largest remainder;
ties go to the earlier signature, then to the smaller id. The missing kg stand on each line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from options.pricing import refund_fen
from options.rounding import largest_remainder, require_amounts


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldLine:
    """A paid line of one vintage, waiting for units."""

    line_id: str
    signed_at: datetime
    kg: int
    price_fen_per_t: int
    paid_fen: int

    def __post_init__(self) -> None:
        require_amounts(kg=self.kg, price_fen_per_t=self.price_fen_per_t, paid_fen=self.paid_fen)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDelivery:
    """What a line receives, what it lacks, and what is refunded for the lacking part."""

    line_id: str
    delivered_kg: int
    shortfall_kg: int
    refund_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPlan:
    """The delivery of one lot and vintage; units to lines + unsold = units available."""

    vintage: int
    available_kg: int
    sold_kg: int
    lines: tuple[LineDelivery, ...]
    unsold_kg: int

    def __post_init__(self) -> None:
        if self.delivered_kg + self.unsold_kg != self.available_kg:
            raise ValueError("a delivery that loses units")
        if self.delivered_kg + self.shortfall_kg != self.sold_kg:
            raise ValueError("a delivery that loses a promise")

    @property
    def delivered_kg(self) -> int:
        """Units that reach lines."""
        return sum(line.delivered_kg for line in self.lines)

    @property
    def shortfall_kg(self) -> int:
        """Sold kg for which no units were issued."""
        return sum(line.shortfall_kg for line in self.lines)


def plan_delivery(*, vintage: int, available_kg: int, lines: Sequence[SoldLine]) -> DeliveryPlan:
    """Plan the delivery of issued units to the sold lines of a vintage.

    Parameters
    ----------
    vintage : int
    available_kg : int
        Units issued for the lot and vintage after the buffer, kg.
    lines : Sequence[SoldLine]
        In any order, ids distinct.

    Returns
    -------
    DeliveryPlan
        Lines by signing time, then id. The refund of a line is what decision 10 gives; whether it
        is paid, substituted or claimed is the contract's next step.

    Raises
    ------
    AmountError
        A quantity below zero.
    ShareWeightError
        A line twice.
    """
    require_amounts(vintage=vintage, available_kg=available_kg)
    ordered = sorted(lines, key=lambda line: (line.signed_at, line.line_id))
    sold_kg = sum(line.kg for line in ordered)
    to_lines_kg = min(available_kg, sold_kg)
    parts = largest_remainder(
        to_lines_kg,
        [line.kg for line in ordered],
        [(line.signed_at, line.line_id) for line in ordered],
    )
    return DeliveryPlan(
        vintage=vintage,
        available_kg=available_kg,
        sold_kg=sold_kg,
        lines=tuple(
            LineDelivery(
                line_id=line.line_id,
                delivered_kg=part,
                shortfall_kg=line.kg - part,
                refund_fen=refund_fen(
                    paid_fen=line.paid_fen,
                    delivered_kg=part,
                    price_fen_per_t=line.price_fen_per_t,
                ),
            )
            for line, part in zip(ordered, parts, strict=True)
        ),
        unsold_kg=available_kg - to_lines_kg,
    )
