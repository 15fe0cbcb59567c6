"""One tonne, one claim: no ground that another carbon scheme holds in the same years."""

from collections import defaultdict
from typing import Any

import numpy as np
import shapely

from geo.area import area_m2
from geo.eligibility.overlap import pairs, tolerance_m2
from geo.eligibility.table import Answer, ClaimLayer, ParcelTable, RuleAnswer, Thresholds

NAME = "other_programme"


def other_programme(parcels: ParcelTable, thresholds: Thresholds) -> list[RuleAnswer]:
    """Refuse overlap in ground and years with any claim, whatever its scheme.

    Thresholds: ``overlap_m2_max``, ``overlap_share_max``, measured pair by pair against the
    smaller of the two. Years are ``crediting_from`` to ``crediting_to``; where they are not known,
    ground in common is asked about.
    """
    claims = parcels.claims
    if claims is None:
        params = {"missing": "claims"}
        return [
            _answer(row, Answer.NEEDS_DOCUMENTS, "RULE_CLAIMS_UNKNOWN", params)
            for row in range(len(parcels))
        ]
    parcel, claim, common, area = pairs(parcels.geometries, claims.geometries)
    claim_m2 = area_m2(claims.geometries)
    limit = tolerance_m2(np.minimum(parcels.area_m2[parcel], claim_m2[claim]), thresholds)
    beyond: dict[int, list[tuple[int, Any]]] = defaultdict(list)
    for k in np.flatnonzero(area > limit):
        beyond[int(parcel[k])].append((int(claim[k]), common[k]))
    return [_one(parcels, row, claims, beyond[row]) for row in range(len(parcels))]


def _one(
    parcels: ParcelTable, row: int, claims: ClaimLayer, overlaps: list[tuple[int, Any]]
) -> RuleAnswer:
    """Answer for one parcel and the claims that share ground with it."""
    first, last = parcels.number(row, "crediting_from"), parcels.number(row, "crediting_to")
    if overlaps and (first is None or last is None):
        return _held(row, Answer.NEEDS_DOCUMENTS, "RULE_CLAIM_YEARS_UNKNOWN", claims, overlaps)
    held = [
        (claim, ground)
        for claim, ground in overlaps
        if first is not None
        and last is not None
        and claims.first_year[claim] <= last
        and first <= claims.last_year[claim]
    ]
    if held:
        return _held(row, Answer.NOT_ELIGIBLE, "RULE_CLAIMED_ELSEWHERE", claims, held)
    params = {"measured": 0.0, "unit": "m2"}
    return _answer(row, Answer.ELIGIBLE, "RULE_NOT_CLAIMED", params)


def _held(
    row: int, answer: Answer, code: str, claims: ClaimLayer, held: list[tuple[int, Any]]
) -> RuleAnswer:
    """Build the answer that names the claims and the ground they hold."""
    ground = shapely.union_all([one for _, one in held])
    area = float(area_m2(np.array([ground]))[0])
    rows = [claim for claim, _ in held]
    params = {
        "measured": area,
        "unit": "m2",
        "claims": ", ".join(claims.ids[k] for k in rows),
        "schemes": ", ".join(sorted({claims.schemes[k] for k in rows})),
        "first_year": int(min(claims.first_year[k] for k in rows)),
        "last_year": int(max(claims.last_year[k] for k in rows)),
    }
    return _answer(row, answer, code, params, area=area, geometry=ground)


def _answer(
    row: int,
    answer: Answer,
    code: str,
    params: dict[str, Any],
    *,
    area: float | None = None,
    geometry: Any = None,  # noqa: ANN401 -- shapely is untyped
) -> RuleAnswer:
    """Build the answer."""
    return RuleAnswer(
        parcel=row,
        rule=NAME,
        answer=answer,
        code=code,
        params=params,
        area_m2=area,
        geometry=geometry,
    )
