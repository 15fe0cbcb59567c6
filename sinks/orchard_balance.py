"""An orchard's year: emission E, fixation S and net, kept apart; whole kg CO2e.

Fixation is the change of the trees' stock. Fruit, leaves, grass, prunings and the carbon of
organic fertiliser are not stored carbon.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from sinks.emissions import Inventory
from sinks.errors import DomainError
from sinks.exact import Number, exact, total

METHODS = ("stock_change", "sampled_soil", "stage_factors")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotStock:
    """Tree stock of one plot at the ends of the year before and of the year."""

    ref: str
    before_kg: int
    after_kg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixation:
    """How fixation is counted, a versioned setting.

    Attributes
    ----------
    method : ``stock_change`` counts trees only. ``sampled_soil`` adds sampled soil up to the cap.
        ``stage_factors`` waits for the standard's annex and is refused until then.
    soil_cap_kg : most that soil may add in the year; counts with ``sampled_soil`` alone.
    """

    method: str = "stock_change"
    soil_cap_kg: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise DomainError("FIXATION_METHOD", method=self.method)
        if self.method == "stage_factors":
            raise DomainError("FIXATION_NOT_LOADED", method=self.method)
        if self.soil_cap_kg < 0:
            raise DomainError("AMOUNT_NEGATIVE", name="soil_cap_kg", kg=self.soil_cap_kg)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchardBalance:
    """E, S and net of a year.

    Attributes
    ----------
    e_kg : emission, rounded up.
    s_biomass_kg : change of tree stock, may be negative (felling, frost, re-grafting).
    s_soil_kg : soil change that counts.
    soil_shown_kg : soil change as computed, shown apart whether it counts or not.
    not_counted : terms whose factor is missing, as "ref/term".
    """

    e_kg: int
    s_biomass_kg: int
    s_soil_kg: int
    soil_shown_kg: int
    not_counted: tuple[str, ...]
    evidence_share: Fraction | None

    @property
    def s_kg(self) -> int:
        """Fixation that counts."""
        return self.s_biomass_kg + self.s_soil_kg

    @property
    def net_kg(self) -> int:
        """Fixation less emission."""
        return self.s_kg - self.e_kg

    @property
    def net_without_soil_kg(self) -> int:
        """Net with soil credit left out: what the best label grade asks for."""
        return self.s_biomass_kg - self.e_kg


def balance(
    inventory: Inventory,
    plots: Iterable[PlotStock],
    fixation: Fixation,
    *,
    soil_kg: Number = 0,
) -> OrchardBalance:
    """Balance of a year.

    Parameters
    ----------
    inventory : the year's emission lines; refused inputs must be mended first.
    plots : each plot once.
    fixation : the setting.
    soil_kg : soil change in kg CO2e; a loss always counts once soil counts at all.

    Raises
    ------
    DomainError : ACTIVITY_REFUSED while the inventory has findings; PLOT_TWICE; NUMBER_INVALID.
    """
    if inventory.findings:
        raise DomainError("ACTIVITY_REFUSED", refs=[f.ref for f in inventory.findings])
    stocks = list(plots)
    refs = [plot.ref for plot in stocks]
    if len(set(refs)) != len(refs):
        raise DomainError("PLOT_TWICE", ref=next(ref for ref in refs if refs.count(ref) > 1))
    shown = floor(exact(soil_kg, name="soil_kg"))
    counts = fixation.method == "sampled_soil"
    gain = total(Fraction(plot.after_kg - plot.before_kg) for plot in stocks)
    return OrchardBalance(
        e_kg=inventory.e_kg,
        s_biomass_kg=int(gain),
        s_soil_kg=min(shown, fixation.soil_cap_kg) if counts else 0,
        soil_shown_kg=shown,
        not_counted=tuple(sorted(f"{x.ref}/{x.term}" for x in inventory.not_counted)),
        evidence_share=inventory.evidence_share,
    )
