"""Gate of an orchard carbon account: planted area of all its parcels together, 50 mu included."""

from collections import defaultdict
from fractions import Fraction

from geo.eligibility.table import Answer, ParcelTable, RuleAnswer, Thresholds
from sinks.units import M2_PER_MU

NAME = "orchard_area_min"


def orchard_area_min(parcels: ParcelTable, thresholds: Thresholds) -> list[RuleAnswer]:
    """Compare each account's planted area with the gate, exactly: 3 x m2 >= 2000 x mu.

    Thresholds: ``planted_mu_min``. Parcels of one account share the attribute ``account_id``; a
    parcel without one stands alone. A planted area that is missing is asked for only while the
    others do not reach the gate.
    """
    gate = thresholds["planted_mu_min"].exact * M2_PER_MU
    groups: dict[str, list[int]] = defaultdict(list)
    for row in range(len(parcels)):
        account = parcels.text(row, "account_id")
        groups[f"parcel {row}" if account is None else f"account {account}"].append(row)
    answers: dict[int, RuleAnswer] = {}
    for rows in groups.values():
        planted = [parcels.number(row, "planted_area_m2") for row in rows]
        known = sum((area for area in planted if area is not None), Fraction(0))
        missing = sum(area is None for area in planted)
        answer, code = _verdict(known >= gate, missing)
        for row in rows:
            params = {
                "measured": float(known),
                "measured_mu": float(known / M2_PER_MU),
                "threshold": float(gate / M2_PER_MU),
                "unit": "mu",
                "parcels": len(rows),
                "missing": missing,
            }
            answers[row] = RuleAnswer(
                parcel=row, rule=NAME, answer=answer, code=code, params=params, area_m2=float(known)
            )
    return [answers[row] for row in range(len(parcels))]


def _verdict(reached: bool, missing: int) -> tuple[Answer, str]:  # noqa: FBT001 -- a fact
    """Answer and code of a group."""
    if reached:
        return Answer.ELIGIBLE, "RULE_ORCHARD_AREA_ENOUGH"
    if missing:
        return Answer.NEEDS_DOCUMENTS, "RULE_ORCHARD_AREA_UNKNOWN"
    return Answer.NOT_ELIGIBLE, "RULE_ORCHARD_AREA_TOO_SMALL"
