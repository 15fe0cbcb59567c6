"""Eligibility of stored parcels: rules run over many at once, findings kept with their inputs.

Findings are appended, never edited; the same inputs give the same digest and no second row.  The
answer that stands points at its findings by that digest.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from geo.eligibility import (
    RULES,
    Answer,
    RuleAnswer,
    overall,
    run_rules,
)
from registry import events
from registry.canonical import digest
from registry.eligibility_inputs import (
    PARCELS,
    Measure,
    RunEligibility,
    chosen,
    division_prefix,
    programme_of,
    table_of,
)
from registry.programmes import ProgrammeView

Floats = NDArray[np.float64]
_AT_ONCE: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityRun:
    """How many parcels got which answer, why not, and how many findings are new."""

    programme_id: str
    programme_version: str
    parcels: int
    eligible: int
    not_eligible: int
    needs_documents: int
    reasons: dict[str, int]
    """Findings that are not eligible or ask for documents, by code."""
    findings_new: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """One rule's answer for a parcel with its evidence (WKB in EPSG:4490)."""

    rule: str
    answer: str
    code: str
    params: Mapping[str, Any]
    evidence_area_m2: float | None
    evidence: bytes | None
    programme_id: str
    programme_version: str
    parcel_version: int
    effective_at: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilitySummary:
    """Standing answers under one programme version: counts by answer, by rule and code."""

    programme_id: str
    programme_version: str
    parcels: int
    answers: Mapping[str, int]
    areas_m2: Mapping[str, float]
    reasons: Mapping[str, int]


def run_eligibility(
    session: Session, command: RunEligibility, measure: Measure | None = None
) -> EligibilityRun:
    """Run a programme's rules over the chosen parcels that are submitted or approved.

    Raises
    ------
    NotFoundError : the programme version, the division or the project is not known.
    InvalidValueError : the parcels are chosen in no way or in several.
    """
    where, bound = chosen(session, command)
    programme = programme_of(session, command)
    rows = session.execute(text(PARCELS + where), bound | {"kind": programme.kind}).all()
    if not rows:
        return _result(programme, [], {}, 0)
    table, digests = table_of(session, command, programme, rows, measure)
    answers = run_rules(table, programme.rules)
    by_parcel = [[column[k] for column in answers.values()] for k in range(len(rows))]
    new = _keep(session, command, programme, rows, list(zip(digests, by_parcel, strict=True)))
    result = _result(programme, [overall(mine) for mine in by_parcel], _reasons(by_parcel), new)
    events.record(
        session,
        command,
        kind="eligibility.run",
        subject=("programme", f"{programme.id}@{programme.version}"),
        body={
            "parcels": len(rows),
            "eligible": result.eligible,
            "not_eligible": result.not_eligible,
            "needs_documents": result.needs_documents,
            "inputs": digest([one.hex() for one in digests]),
            "layers": dict(command.layers),
        },
    )
    return result


def check(session: Session, command: RunEligibility) -> None:
    """Refuse parcels chosen in no way or in several, and places that are not known.

    Raises
    ------
    InvalidValueError, NotFoundError
    """
    chosen(session, command)
    programme_of(session, command)


def findings(
    session: Session, parcel_id: UUID, *, programme_id: str | None = None
) -> list[FindingView]:
    """Return the findings that stand for a parcel's present version, in the rules' order."""
    rows = session.execute(_FINDINGS, {"parcel": parcel_id, "programme": programme_id})
    order = list(RULES)
    found = [
        FindingView(
            rule=row.rule,
            answer=row.answer,
            code=row.code,
            params=row.params,
            evidence_area_m2=row.evidence_area_m2,
            evidence=None if row.evidence is None else bytes(row.evidence),
            programme_id=row.programme_id,
            programme_version=row.programme_version,
            parcel_version=row.version,
            effective_at=row.effective_at,
        )
        for row in rows
    ]
    return sorted(found, key=lambda f: (f.programme_id, f.programme_version, order.index(f.rule)))


def answers(
    session: Session, parcel_ids: Sequence[UUID], *, programme_id: str, programme_version: str
) -> dict[UUID, Answer]:
    """Return the standing answer of each parcel's present version; none where never asked."""
    rows = session.execute(
        _ANSWERS,
        {"ids": list(parcel_ids), "programme": programme_id, "version": programme_version},
    )
    return {row.parcel_id: Answer(row.answer) for row in rows}


def eligible_parcels(
    session: Session, *, programme_id: str, programme_version: str, division_code: str
) -> list[UUID]:
    """Return the approved parcels of a division's subtree that are eligible, by id."""
    rows = session.execute(
        _ELIGIBLE,
        {
            "programme": programme_id,
            "version": programme_version,
            "prefix": division_prefix(division_code),
        },
    )
    return [row.id for row in rows]


def summary(
    session: Session,
    *,
    programme_id: str,
    programme_version: str,
    division_code: str | None = None,
) -> EligibilitySummary:
    """Count the standing answers of active parcels and the reasons against, by code."""
    bound = {
        "programme": programme_id,
        "version": programme_version,
        "prefix": division_prefix(division_code) if division_code else "",
    }
    counted = session.execute(_COUNTS, bound).all()
    reasons = session.execute(_REASONS, bound)
    return EligibilitySummary(
        programme_id=programme_id,
        programme_version=programme_version,
        parcels=sum(row.n for row in counted),
        answers={a.value: 0 for a in Answer} | {row.answer: row.n for row in counted},
        areas_m2={a.value: 0.0 for a in Answer} | {row.answer: row.area_m2 for row in counted},
        reasons={row.code: row.n for row in reasons},
    )


def _keep(
    session: Session,
    command: RunEligibility,
    programme: ProgrammeView,
    rows: Sequence[Row[Any]],
    answered: Sequence[tuple[bytes, Sequence[RuleAnswer]]],
) -> int:
    """Append the findings that are not there yet and let the answers stand; return the new ones."""
    shared = {
        "programme": programme.id,
        "version": programme.version,
        "actor": command.actor_id,
        "at": command.at,
    }
    flat = [
        (row, one, answer)
        for row, (one, mine) in zip(rows, answered, strict=True)
        for answer in mine
    ]
    new = 0
    for start in range(0, len(flat), _AT_ONCE):
        part = flat[start : start + _AT_ONCE]
        columns = {
            "ids": [uuid4() for _ in part],
            "parcels": [row.id for row, _, _ in part],
            "versions": [row.version for row, _, _ in part],
            "rules": [a.rule for _, _, a in part],
            "answers": [a.answer.value for _, _, a in part],
            "codes": [a.code for _, _, a in part],
            "params": [json.dumps(dict(a.params), ensure_ascii=False) for _, _, a in part],
            "areas": [a.area_m2 for _, _, a in part],
            "evidence": [_wkb(a.geometry) for _, _, a in part],
            "digests": [one for _, one, _ in part],
        }
        new += len(session.execute(_INSERT_FINDINGS, shared | columns).all())
    session.execute(
        _STAND,
        {
            "programme": programme.id,
            "version": programme.version,
            "at": command.at,
            "parcels": [row.id for row in rows],
            "versions": [row.version for row in rows],
            "answers": [overall(mine).value for _, mine in answered],
            "digests": [one for one, _ in answered],
        },
    )
    return new


def _wkb(geometry: Any) -> bytes | None:  # noqa: ANN401 -- shapely is untyped
    if geometry is None or shapely.is_empty(geometry):
        return None
    made: bytes = shapely.to_wkb(shapely.force_2d(geometry))
    return made


def _reasons(by_parcel: Iterable[Iterable[RuleAnswer]]) -> dict[str, int]:
    counted = Counter(
        answer.code for mine in by_parcel for answer in mine if answer.answer is not Answer.ELIGIBLE
    )
    return dict(sorted(counted.items()))


def _result(
    programme: ProgrammeView, given: list[Answer], reasons: dict[str, int], new: int
) -> EligibilityRun:
    return EligibilityRun(
        programme_id=programme.id,
        programme_version=programme.version,
        parcels=len(given),
        eligible=given.count(Answer.ELIGIBLE),
        not_eligible=given.count(Answer.NOT_ELIGIBLE),
        needs_documents=given.count(Answer.NEEDS_DOCUMENTS),
        reasons=reasons,
        findings_new=new,
    )


_INSERT_FINDINGS = text(
    "INSERT INTO finding (id, parcel_id, version, programme_id, programme_version, rule, answer,"
    " code, params, evidence_area_m2, evidence, input_digest, actor_id, effective_at)"
    " SELECT u.id, u.parcel, u.version, :programme, :version, u.rule, u.answer, u.code,"
    " u.params::jsonb, u.area, ST_GeomFromWKB(u.evidence, 4490), u.digest, :actor, :at"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:parcels AS uuid[]), CAST(:versions AS int[]),"
    " CAST(:rules AS text[]), CAST(:answers AS text[]), CAST(:codes AS text[]),"
    " CAST(:params AS text[]), CAST(:areas AS float8[]), CAST(:evidence AS bytea[]),"
    " CAST(:digests AS bytea[]))"
    " AS u(id, parcel, version, rule, answer, code, params, area, evidence, digest)"
    " ON CONFLICT DO NOTHING RETURNING id"
)
_STAND = text(
    "INSERT INTO eligibility AS e (parcel_id, version, programme_id, programme_version, answer,"
    " input_digest, effective_at)"
    " SELECT u.parcel, u.version, :programme, :version, u.answer, u.digest, :at"
    " FROM unnest(CAST(:parcels AS uuid[]), CAST(:versions AS int[]), CAST(:answers AS text[]),"
    " CAST(:digests AS bytea[])) AS u(parcel, version, answer, digest)"
    " ON CONFLICT (parcel_id, version, programme_id, programme_version) DO UPDATE"
    " SET answer = EXCLUDED.answer, input_digest = EXCLUDED.input_digest,"
    " effective_at = EXCLUDED.effective_at"
)
_FINDINGS = text(
    "SELECT f.rule, f.answer, f.code, f.params, f.evidence_area_m2,"
    " ST_AsBinary(f.evidence) AS evidence, f.programme_id, f.programme_version, f.version,"
    " f.effective_at FROM parcel p JOIN eligibility e"
    "  ON e.parcel_id = p.id AND e.version = p.version"
    " JOIN finding f ON f.parcel_id = e.parcel_id AND f.version = e.version"
    "  AND f.programme_id = e.programme_id AND f.programme_version = e.programme_version"
    "  AND f.input_digest = e.input_digest"
    " WHERE p.id = :parcel AND (CAST(:programme AS text) IS NULL OR f.programme_id = :programme)"
)
_ANSWERS = text(
    "SELECT e.parcel_id, e.answer FROM eligibility e JOIN parcel p"
    " ON p.id = e.parcel_id AND p.version = e.version"
    " WHERE e.parcel_id = ANY(:ids) AND e.programme_id = :programme"
    " AND e.programme_version = :version"
)
_STANDING = (
    " FROM eligibility e JOIN parcel p ON p.id = e.parcel_id AND p.version = e.version"
    " WHERE e.programme_id = :programme AND e.programme_version = :version"
    " AND (:prefix = '' OR starts_with(p.division_code, :prefix))"
)
_ELIGIBLE = text(
    "SELECT p.id" + _STANDING + " AND p.status = 'approved' AND e.answer = 'eligible' ORDER BY p.id"
)
_COUNTS = text(
    "SELECT e.answer, count(*) AS n, sum(p.area_m2) AS area_m2"
    + _STANDING
    + " AND p.status IN ('submitted', 'approved') GROUP BY e.answer"
)
_REASONS = text(
    "SELECT f.code, count(*) AS n FROM finding f JOIN eligibility e"
    " ON f.parcel_id = e.parcel_id AND f.version = e.version"
    " AND f.programme_id = e.programme_id AND f.programme_version = e.programme_version"
    " AND f.input_digest = e.input_digest"
    " JOIN parcel p ON p.id = e.parcel_id AND p.version = e.version"
    " WHERE e.programme_id = :programme AND e.programme_version = :version"
    " AND p.status IN ('submitted', 'approved') AND f.answer <> 'eligible'"
    " AND (:prefix = '' OR starts_with(p.division_code, :prefix))"
    " GROUP BY f.code ORDER BY f.code"
)
