"""Fertiliser reward of an orchard's net sink: one tonne fixed net, one tonne of fertiliser."""

from dataclasses import dataclass
from fractions import Fraction
from math import floor

from sinks import units
from sinks.errors import DomainError


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardRule:
    """Terms of the reward; every number proposed and open to a programme."""

    unit: str = "tCO2e"  # tCO2e | tC
    fertiliser_t_per_t: Fraction = Fraction(1)
    evidence_min: Fraction = Fraction(7, 10)
    step_kg: int = 10

    def __post_init__(self) -> None:
        if self.unit not in {"tCO2e", "tC"}:
            raise DomainError("REWARD_UNIT", unit=self.unit)
        if self.step_kg <= 0 or self.fertiliser_t_per_t <= 0:
            raise DomainError("REWARD_STEP", step_kg=self.step_kg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """What a year earns.

    Attributes
    ----------
    fertiliser_kg : whole steps, rounded down.
    basis_kg : net kg CO2e it was worked out on, after what was carried in.
    carried_kg : correction (<= 0, kg CO2e) left for the next year.
    reasons : codes why nothing is paid, empty when the year qualifies.
    """

    fertiliser_kg: int
    basis_kg: int
    carried_kg: int
    reasons: tuple[str, ...]


def plan_reward(
    rule: RewardRule,
    *,
    net_kg: int,
    gate: bool,
    approved: bool,
    evidence_share: Fraction | None,
    carried_kg: int = 0,
) -> Reward:
    """Reward of an account year; the label's colour plays no part.

    Parameters
    ----------
    net_kg : net kg CO2e of the year.
    gate, approved : the area gate holds; the year's book is approved.
    evidence_share : share of E in kg that has evidence; None counts as none.
    carried_kg : corrections of earlier years, not above zero; nothing is ever clawed back.

    Raises
    ------
    DomainError : REWARD_CARRIED when what is carried in is above zero.
    """
    if carried_kg > 0:
        raise DomainError("REWARD_CARRIED", kg=carried_kg)
    reasons = []
    if not gate:
        reasons.append("REWARD_GATE")
    if not approved:
        reasons.append("REWARD_NOT_APPROVED")
    if evidence_share is None or evidence_share < rule.evidence_min:
        reasons.append("REWARD_EVIDENCE")
    if reasons:
        return Reward(fertiliser_kg=0, basis_kg=0, carried_kg=carried_kg, reasons=tuple(reasons))
    after = max(0, net_kg) + carried_kg
    basis = max(0, after)
    mass = Fraction(basis) if rule.unit == "tCO2e" else basis / units.CO2_PER_C
    steps = floor(mass * rule.fertiliser_t_per_t / rule.step_kg)
    return Reward(
        fertiliser_kg=steps * rule.step_kg,
        basis_kg=basis,
        carried_kg=min(0, after),
        reasons=(),
    )
