"""Share of a parcel that carries the land classes a programme is for."""

import numpy as np

from geo.eligibility.table import Answer, ParcelTable, RuleAnswer, Thresholds

NAME = "land_class_share"


def land_class_share(parcels: ParcelTable, thresholds: Thresholds) -> list[RuleAnswer]:
    """Compare the share in the classes asked for with the least share, which itself is enough.

    Thresholds: ``classes`` (list of class names), ``share_min``.
    """
    classes = thresholds["classes"].texts
    needed = float(thresholds["share_min"].exact)
    share = np.full(len(parcels), np.nan)
    if all(name in parcels.class_shares for name in classes):
        share = np.sum([parcels.class_shares[name] for name in classes], axis=0)
    answers = []
    for row in range(len(parcels)):
        params: dict[str, object] = {
            "threshold": needed,
            "unit": "share",
            "classes": ", ".join(classes),
        }
        area = None
        if np.isnan(share[row]):
            answer, code = Answer.NEEDS_DOCUMENTS, "RULE_LAND_CLASS_UNKNOWN"
        else:
            params["measured"] = float(share[row])
            area = float(share[row] * parcels.area_m2[row])
            enough = share[row] >= needed
            answer = Answer.ELIGIBLE if enough else Answer.NOT_ELIGIBLE
            code = "RULE_LAND_CLASS_ENOUGH" if enough else "RULE_LAND_CLASS_TOO_LITTLE"
        answers.append(
            RuleAnswer(parcel=row, rule=NAME, answer=answer, code=code, params=params, area_m2=area)
        )
    return answers
