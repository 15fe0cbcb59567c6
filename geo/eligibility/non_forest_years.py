"""Years for which the land was no forest before planting."""

from geo.eligibility.table import Answer, ParcelTable, RuleAnswer, Thresholds

NAME = "non_forest_years"


def non_forest_years(parcels: ParcelTable, thresholds: Thresholds) -> list[RuleAnswer]:
    """Compare the proven years without forest with the years asked for (``years_min``)."""
    needed = thresholds["years_min"].exact
    answers = []
    for row in range(len(parcels)):
        years = parcels.number(row, "non_forest_years")
        params: dict[str, object] = {"threshold": float(needed), "unit": "year"}
        if years is None:
            answer, code = Answer.NEEDS_DOCUMENTS, "RULE_NON_FOREST_YEARS_UNKNOWN"
        else:
            params["measured"] = float(years)
            enough = years >= needed
            answer = Answer.ELIGIBLE if enough else Answer.NOT_ELIGIBLE
            code = "RULE_NON_FOREST_YEARS_ENOUGH" if enough else "RULE_NON_FOREST_YEARS_TOO_FEW"
        answers.append(RuleAnswer(parcel=row, rule=NAME, answer=answer, code=code, params=params))
    return answers
