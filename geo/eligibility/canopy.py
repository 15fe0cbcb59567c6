"""Canopy of a parcel: the share of its ground under crowns."""

from fractions import Fraction

from geo.eligibility.table import Answer, ParcelTable, RuleAnswer, Thresholds, exact

NAME = "canopy"


def canopy(parcels: ParcelTable, thresholds: Thresholds) -> list[RuleAnswer]:
    """Compare the canopy share with a least and a greatest share; both limits are allowed.

    The layer decides where it is loaded and knows enough of the parcel; otherwise the field
    record's ``canopy`` (0 to 1); otherwise it is asked for.  Thresholds: ``known_share_min``,
    ``canopy_share_min`` and optional ``canopy_share_max``.
    """
    return [_one(parcels, row, thresholds) for row in range(len(parcels))]


def _one(parcels: ParcelTable, row: int, thresholds: Thresholds) -> RuleAnswer:
    least = thresholds["canopy_share_min"].exact
    most = thresholds["canopy_share_max"].exact if "canopy_share_max" in thresholds else Fraction(1)
    params: dict[str, object] = {
        "threshold": float(least),
        "threshold_max": float(most),
        "unit": "share",
    }
    measured, basis = _measured(parcels, row, thresholds)
    if measured is None:
        code, answer = "RULE_CANOPY_UNKNOWN", Answer.NEEDS_DOCUMENTS
    else:
        params |= {"measured": float(measured), "basis": basis}
        code, answer = "RULE_CANOPY_WITHIN", Answer.ELIGIBLE
        if measured < least:
            code, answer = "RULE_CANOPY_TOO_THIN", Answer.NOT_ELIGIBLE
        elif measured > most:
            code, answer = "RULE_CANOPY_TOO_DENSE", Answer.NOT_ELIGIBLE
    return RuleAnswer(parcel=row, rule=NAME, answer=answer, code=code, params=params)


def _measured(
    parcels: ParcelTable, row: int, thresholds: Thresholds
) -> tuple[Fraction | None, str]:
    """Return the canopy share and what it rests on: a layer's name, or ``record``."""
    facts = parcels.canopy
    known = float(thresholds["known_share_min"].exact)
    if facts is not None and facts.known_share[row] >= known:
        return exact(float(facts.mean_share[row])), facts.layer
    recorded = parcels.number(row, "canopy")
    if recorded is not None and 0 <= recorded <= 1:
        return recorded, "record"
    return None, ""
