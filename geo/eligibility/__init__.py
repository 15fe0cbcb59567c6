"""Eligibility: one rule a file, each ``rule(parcels, thresholds) -> answers``, one answer a parcel.

``RULES`` is in the order a reviewer reads them. A programme names the rules it uses and gives their
thresholds; nothing here knows a number of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from geo.eligibility.additionality import additionality
from geo.eligibility.area_min import area_min
from geo.eligibility.basic_farmland import basic_farmland
from geo.eligibility.canopy import canopy
from geo.eligibility.contiguity import contiguity
from geo.eligibility.economic_forest import economic_forest
from geo.eligibility.land_class_share import land_class_share
from geo.eligibility.non_forest_years import non_forest_years
from geo.eligibility.orchard_area_min import orchard_area_min
from geo.eligibility.other_programme import other_programme
from geo.eligibility.red_line import red_line
from geo.eligibility.slope import slope
from geo.eligibility.table import (
    Answer,
    CanopyFacts,
    ClaimLayer,
    ParcelTable,
    RuleAnswer,
    SlopeFacts,
    Threshold,
    Thresholds,
)
from geo.eligibility.tenure import tenure
from geo.eligibility.wetland import wetland
from geo.eligibility.width_min import width_min

Rule: TypeAlias = Callable[[ParcelTable, Thresholds], list[RuleAnswer]]

RULES: Final[Mapping[str, Rule]] = {
    "area_min": area_min,
    "orchard_area_min": orchard_area_min,
    "width_min": width_min,
    "contiguity": contiguity,
    "tenure": tenure,
    "non_forest_years": non_forest_years,
    "land_class_share": land_class_share,
    "economic_forest": economic_forest,
    "canopy": canopy,
    "slope": slope,
    "wetland": wetland,
    "basic_farmland": basic_farmland,
    "red_line": red_line,
    "other_programme": other_programme,
    "additionality": additionality,
}
"""Every rule by name, in reading order."""


def run_rules(parcels: ParcelTable, rules: Mapping[str, Thresholds]) -> dict[str, list[RuleAnswer]]:
    """Run the rules a programme names, in the order of ``RULES``.

    Parameters
    ----------
    parcels : what is known of each parcel.
    rules : thresholds by rule name.

    Returns
    -------
    For each rule one answer a parcel, in the order of the parcels.

    Raises
    ------
    KeyError : a rule that does not exist, or a threshold that a rule needs and was not given.
    """
    unknown = set(rules) - set(RULES)
    if unknown:
        raise KeyError(f"no such rule: {sorted(unknown)}; rules are {list(RULES)}")
    return {name: rule(parcels, rules[name]) for name, rule in RULES.items() if name in rules}


def overall(answers: Sequence[RuleAnswer]) -> Answer:
    """One answer of several: not eligible beats missing documents beats eligible."""
    given = {answer.answer for answer in answers}
    for worst in (Answer.NOT_ELIGIBLE, Answer.NEEDS_DOCUMENTS):
        if worst in given:
            return worst
    return Answer.ELIGIBLE


__all__ = [
    "RULES",
    "Answer",
    "CanopyFacts",
    "ClaimLayer",
    "ParcelTable",
    "Rule",
    "RuleAnswer",
    "SlopeFacts",
    "Threshold",
    "Thresholds",
    "overall",
    "run_rules",
]
