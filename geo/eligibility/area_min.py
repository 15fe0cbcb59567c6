"""Least area of one parcel; a programme may ask more of projects begun early."""

from fractions import Fraction

from geo.eligibility.table import Answer, ParcelTable, RuleAnswer, Thresholds, exact

NAME = "area_min"


def area_min(parcels: ParcelTable, thresholds: Thresholds) -> list[RuleAnswer]:
    """Compare each parcel's area with the least area, which itself is enough.

    Thresholds: ``area_m2_min``; optional ``early_area_m2_min`` with ``early_until_year``, which
    rule parcels whose ``start_year`` is that year or before.
    """
    return [_one(parcels, row, thresholds) for row in range(len(parcels))]


def _one(parcels: ParcelTable, row: int, thresholds: Thresholds) -> RuleAnswer:
    """Answer for one parcel; the start year is asked for only where it decides."""
    area = exact(float(parcels.area_m2[row])) or Fraction(0)
    general, early = thresholds["area_m2_min"].exact, _early(parcels, row, thresholds)
    needed = general if early is None else early
    if early is None and "early_area_m2_min" in thresholds:
        strict = thresholds["early_area_m2_min"].exact
        if min(general, strict) <= area < max(general, strict):
            return _answer(row, Answer.NEEDS_DOCUMENTS, "RULE_AREA_START_YEAR", area, strict)
        needed = max(general, strict) if area >= max(general, strict) else min(general, strict)
    if area >= needed:
        return _answer(row, Answer.ELIGIBLE, "RULE_AREA_ENOUGH", area, needed)
    return _answer(row, Answer.NOT_ELIGIBLE, "RULE_AREA_TOO_SMALL", area, needed)


def _early(parcels: ParcelTable, row: int, thresholds: Thresholds) -> Fraction | None:
    """Least area that the start year asks for; None when it is not known or not asked."""
    if "early_area_m2_min" not in thresholds:
        return None
    year = parcels.number(row, "start_year")
    if year is None:
        return None
    is_early = year <= thresholds["early_until_year"].exact
    return thresholds["early_area_m2_min" if is_early else "area_m2_min"].exact


def _answer(row: int, answer: Answer, code: str, area: Fraction, needed: Fraction) -> RuleAnswer:
    """Build the answer with both areas."""
    measured = float(area)
    params = {"measured": measured, "threshold": float(needed), "unit": "m2"}
    return RuleAnswer(
        parcel=row, rule=NAME, answer=answer, code=code, params=params, area_m2=measured
    )
