"""What of a period's measured change may be issued: pure arithmetic in exact integers.

The order is fixed: discount on the project's stock change, then baseline, emissions and leakage,
then a deficit of the period before, then the deduction, whole kg, the verified ceiling, vintages,
buffer. Net and holder's units round down, the buffer rounds up.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from sinks.errors import DomainError
from sinks.uncertainty import DiscountTable, discount_amount

ORDER: Final = (
    "discount_on_project_change",
    "minus_baseline_emissions_leakage",
    "minus_deficit_of_the_period_before",
    "non_permanence_deduction",
    "floor_kg",
    "minimum_of_verified",
    "split_to_vintages",
    "buffer",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deduction:
    """Share that never becomes a unit."""

    share: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class BufferPool:
    """Share of each batch that is issued into the buffer account."""

    share: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class VintageBatch:
    """Units of one calendar year."""

    year: int
    total_kg: int
    holder_kg: int
    buffer_kg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditablePlan:
    """A period's arithmetic, step by step.

    Attributes
    ----------
    discount_kg : taken off the project's change for sampling error; exact.
    net_kg : after discount, baseline, emissions, leakage and the old deficit; exact, may be < 0.
    deducted_kg : kg that never become a unit.
    creditable_kg : whole kg after the deduction, before the verified ceiling.
    issued_kg : kg of all batches, buffer included.
    deficit_kg : what the next period repays first.
    """

    project_change_kg: int
    discount_kg: Fraction
    net_kg: Fraction
    deducted_kg: Fraction
    creditable_kg: int
    issued_kg: int
    deficit_kg: int
    batches: tuple[VintageBatch, ...]

    @property
    def buffer_kg(self) -> int:
        """Kg of all batches that go into the buffer."""
        return sum(batch.buffer_kg for batch in self.batches)


def largest_remainder(total: int, weights: Sequence[Fraction | int]) -> list[int]:
    """Whole parts of a total in proportion to weights, adding up to it exactly.

    What is left after rounding down goes one by one to the largest remainders; among equals
    to the earlier place. Weights that are all zero share equally.

    Raises
    ------
    DomainError : SPLIT_INPUT when the total or a weight is negative or there is no weight.
    """
    exact = [Fraction(weight) for weight in weights]
    if total < 0 or not exact or any(weight < 0 for weight in exact):
        raise DomainError("SPLIT_INPUT", total=total, weights=len(exact))
    whole = sum(exact)
    if whole == 0:
        exact, whole = [Fraction(1)] * len(exact), Fraction(len(exact))
    quotas = [total * weight / whole for weight in exact]
    parts = [math.floor(quota) for quota in quotas]
    order = sorted(range(len(quotas)), key=lambda i: (parts[i] - quotas[i], i))
    for i in order[: total - sum(parts)]:
        parts[i] += 1
    return parts


def plan_creditable(
    years: Sequence[int],
    project_change_kg: Sequence[int],
    *,
    baseline_kg: int,
    emissions_kg: int,
    leakage_kg: int,
    uncertainty: Fraction,
    discount: DiscountTable | None,
    non_permanence: Deduction | BufferPool,
    verified_kg: int | None = None,
    deficit_kg: int = 0,
) -> CreditablePlan:
    """Creditable kg of a period and its batches by vintage and buffer.

    Parameters
    ----------
    years : calendar years of the period, each once.
    project_change_kg : the project's modelled stock change of each year, kg CO2e, any sign.
    baseline_kg, emissions_kg, leakage_kg : of the whole period; emissions and leakage not < 0.
    uncertainty : relative half-width U of the project's change.
    discount : table, or None when the methodology discounts nothing.
    non_permanence : `Deduction` or `BufferPool`; a programme has one of them.
    verified_kg : ceiling signed by the verifier; None before verification.
    deficit_kg : left by the period before, not < 0.

    Returns
    -------
    CreditablePlan; a net below zero issues nothing and leaves a deficit.

    Raises
    ------
    DomainError : PERIOD_YEARS, AMOUNT_NEGATIVE, SHARE_RANGE, or what the discount table says.
    """
    _check_period(years, project_change_kg)
    _check_amounts(
        emissions_kg=emissions_kg,
        leakage_kg=leakage_kg,
        deficit_kg=deficit_kg,
        verified_kg=verified_kg or 0,
    )
    if not 0 <= non_permanence.share < 1:
        raise DomainError("SHARE_RANGE", share=float(non_permanence.share))
    change = sum(project_change_kg)
    taken = _discount(discount, change, uncertainty)
    net = change - taken - baseline_kg - emissions_kg - leakage_kg - deficit_kg
    positive = max(net, Fraction(0))
    deducting = isinstance(non_permanence, Deduction)
    deducted = positive * non_permanence.share if deducting else Fraction(0)
    creditable = math.floor(positive - deducted)
    issued = creditable if verified_kg is None else min(creditable, verified_kg)
    parts = largest_remainder(issued, [max(kg, 0) for kg in project_change_kg])
    buffer_share = Fraction(0) if deducting else non_permanence.share
    return CreditablePlan(
        project_change_kg=change,
        discount_kg=taken,
        net_kg=net,
        deducted_kg=deducted,
        creditable_kg=creditable,
        issued_kg=issued,
        deficit_kg=max(0, math.ceil(-net)),
        batches=tuple(
            _batch(year, part, buffer_share)
            for year, part in zip(years, parts, strict=True)
            if part
        ),
    )


def _discount(table: DiscountTable | None, change_kg: int, u: Fraction) -> Fraction:
    if table is None:
        return Fraction(0)
    return discount_amount(table, value=Fraction(change_kg), u=u)


def _batch(year: int, total_kg: int, buffer_share: Fraction) -> VintageBatch:
    buffer_kg = math.ceil(total_kg * buffer_share)
    return VintageBatch(
        year=year, total_kg=total_kg, holder_kg=total_kg - buffer_kg, buffer_kg=buffer_kg
    )


def _check_period(years: Sequence[int], change_kg: Sequence[int]) -> None:
    if not years or len(set(years)) != len(years) or len(years) != len(change_kg):
        raise DomainError("PERIOD_YEARS", years=list(years), values=len(change_kg))


def _check_amounts(**amounts: int) -> None:
    for name, kg in amounts.items():
        if kg < 0:
            raise DomainError("AMOUNT_NEGATIVE", name=name, kg=kg)


def reversal_kg(*, issued_kg: int, creditable_after_kg: int) -> int:
    """Buffer units to cancel after an event: what was issued above what is still creditable."""
    return max(0, issued_kg - creditable_after_kg)
