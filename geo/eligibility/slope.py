"""Mean slope of a parcel, from a height layer by a named method."""

import numpy as np

from geo.eligibility.table import Answer, ParcelTable, RuleAnswer, Thresholds

NAME = "slope"


def slope(parcels: ParcelTable, thresholds: Thresholds) -> list[RuleAnswer]:
    """Compare the coverage-weighted mean slope with the limit, which itself is allowed.

    Thresholds: ``slope_deg_max``, ``method`` (text), ``known_share_min``.

    Raises
    ------
    ValueError : the slopes were made by another method than the programme names.
    """
    limit = float(thresholds["slope_deg_max"].exact)
    least_known = float(thresholds["known_share_min"].exact)
    method = str(thresholds["method"].value)
    facts = parcels.slope
    if facts is not None and facts.method != method:
        raise ValueError(f"slopes by {facts.method}, the programme asks for {method}")
    answers = []
    for row in range(len(parcels)):
        params: dict[str, object] = {"threshold": limit, "unit": "degree", "method": method}
        if facts is None or not facts.known_share[row] >= least_known:
            known = 0.0 if facts is None else float(np.nan_to_num(facts.known_share[row]))
            params |= {"known_share": known}
            answer, code = Answer.NEEDS_DOCUMENTS, "RULE_SLOPE_UNKNOWN"
        else:
            measured = float(facts.mean_deg[row])
            steepest = float(facts.max_deg[row])
            params |= {"measured": measured, "maximum": steepest, "layer": facts.layer}
            gentle = measured <= limit
            answer = Answer.ELIGIBLE if gentle else Answer.NOT_ELIGIBLE
            code = "RULE_SLOPE_GENTLE" if gentle else "RULE_SLOPE_TOO_STEEP"
        answers.append(RuleAnswer(parcel=row, rule=NAME, answer=answer, code=code, params=params))
    return answers
