"""No ground inside the ecological protection red line."""

from geo.eligibility.overlap import excluded_ground
from geo.eligibility.table import ParcelTable, RuleAnswer, Thresholds


def red_line(parcels: ParcelTable, thresholds: Thresholds) -> list[RuleAnswer]:
    """Refuse ground inside the red line (layer ``red_line``, or the record's ``is_red_line``)."""
    return excluded_ground(
        parcels, thresholds, rule="red_line", attribute="is_red_line", code="RULE_RED_LINE"
    )
