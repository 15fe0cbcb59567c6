"""No fruit or forest on permanent basic farmland (Land Administration Law rules, art. 12)."""

from geo.eligibility.overlap import excluded_ground
from geo.eligibility.table import ParcelTable, RuleAnswer, Thresholds


def basic_farmland(parcels: ParcelTable, thresholds: Thresholds) -> list[RuleAnswer]:
    """Refuse ground on basic farmland (layer ``basic_farmland``, or ``is_basic_farmland``)."""
    return excluded_ground(
        parcels,
        thresholds,
        rule="basic_farmland",
        attribute="is_basic_farmland",
        code="RULE_FARMLAND",
    )
