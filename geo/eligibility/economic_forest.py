"""No economic forest: citrus, camellia, tea and the like earn under other schemes."""

from geo.eligibility.table import Answer, ParcelTable, RuleAnswer, Thresholds

NAME = "economic_forest"
ECONOMIC = "economic"


def economic_forest(parcels: ParcelTable, thresholds: Thresholds) -> list[RuleAnswer]:
    """Refuse garden land classes (``excluded_land_classes``) and the forest category "economic".

    A land class that is not excluded does not prove the category, so the category must be known.
    """
    excluded = thresholds["excluded_land_classes"].texts
    answers = []
    for row in range(len(parcels)):
        land_class = parcels.text(row, "land_class")
        category = parcels.text(row, "forest_category")
        params = {
            "measured": category or land_class or "",
            "land_class": land_class or "",
            "threshold": ", ".join(excluded),
            "unit": "class",
        }
        if category == ECONOMIC or land_class in excluded:
            answer, code = Answer.NOT_ELIGIBLE, "RULE_ECONOMIC_FOREST"
        elif category is None:
            answer, code = Answer.NEEDS_DOCUMENTS, "RULE_FOREST_CATEGORY_UNKNOWN"
        else:
            answer, code = Answer.ELIGIBLE, "RULE_NOT_ECONOMIC_FOREST"
        answers.append(RuleAnswer(parcel=row, rule=NAME, answer=answer, code=code, params=params))
    return answers
