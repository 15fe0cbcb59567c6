"""No wetland."""

from geo.eligibility.overlap import excluded_ground
from geo.eligibility.table import ParcelTable, RuleAnswer, Thresholds


def wetland(parcels: ParcelTable, thresholds: Thresholds) -> list[RuleAnswer]:
    """Refuse ground on wetland (layer ``wetland``, or the record's ``is_wetland``)."""
    return excluded_ground(
        parcels, thresholds, rule="wetland", attribute="is_wetland", code="RULE_WETLAND"
    )
