"""Additionality: the growth would not have come about, or not have been paid for, without it."""

from geo.eligibility.table import Answer, ParcelTable, RuleAnswer, Thresholds

NAME = "additionality"


def additionality(parcels: ParcelTable, thresholds: Thresholds) -> list[RuleAnswer]:
    """Look for a ground on which the county takes a parcel as additional.

    Thresholds: ``grounds`` (list of attributes of the county's record, yes or no: any one that is
    yes is enough) and ``excluded`` (list of attributes any one of which, if yes, rules it out).
    """
    grounds, excluded = thresholds["grounds"].texts, thresholds["excluded"].texts
    return [_one(parcels, row, grounds, excluded) for row in range(len(parcels))]


def _one(
    parcels: ParcelTable, row: int, grounds: tuple[str, ...], excluded: tuple[str, ...]
) -> RuleAnswer:
    params: dict[str, object] = {"grounds": ", ".join(grounds), "excluded": ", ".join(excluded)}
    against = next((key for key in excluded if parcels.flag(row, key)), None)
    given = next((key for key in grounds if parcels.flag(row, key)), None)
    asked = [key for key in (*grounds, *excluded) if parcels.flag(row, key) is None]
    if against is not None:
        code, answer = "RULE_ADDITIONALITY_EXCLUDED", Answer.NOT_ELIGIBLE
        params |= {"measured": against}
    elif given is not None and not any(key in excluded for key in asked):
        code, answer = "RULE_ADDITIONALITY_GIVEN", Answer.ELIGIBLE
        params |= {"measured": given}
    elif asked:
        code, answer = "RULE_ADDITIONALITY_UNKNOWN", Answer.NEEDS_DOCUMENTS
        params |= {"missing": ", ".join(asked)}
    else:
        code, answer = "RULE_ADDITIONALITY_NONE", Answer.NOT_ELIGIBLE
    return RuleAnswer(parcel=row, rule=NAME, answer=answer, code=code, params=params)
