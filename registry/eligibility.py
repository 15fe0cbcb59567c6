"""Eligibility of stored parcels: rules run over many at once, findings kept with their inputs.

Findings are appended, never edited; the same inputs give the same digest and no second row.  The
answer that stands points at its findings by that digest.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from uuid import UUID, uuid4

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from geo.eligibility import (
    RULES,
    Answer,
    CanopyFacts,
    ClaimLayer,
    ParcelTable,
    RuleAnswer,
    SlopeFacts,
    overall,
    run_rules,
)
from registry import divisions, events, programmes
from registry.canonical import digest, plain
from registry.db import Command
from registry.errors import InvalidValueError
from registry.exclusions import KINDS as EXCLUSION_KINDS
from registry.programmes import ProgrammeView

Floats = NDArray[np.float64]
RULES_VERSION: Final = 1
"""Raised when a rule's answers change for the same inputs."""

_AT_ONCE: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """What layers tell of the parcels, in their order; None or empty where no layer was given."""

    slope: SlopeFacts | None = None
    canopy: CanopyFacts | None = None
    class_shares: Mapping[str, Floats] = field(default_factory=dict)


Measure: TypeAlias = Callable[[NDArray[Any], ProgrammeView], Measured]
"""Measures (n,) geometries for a programme; :mod:`registry.measures` makes one from layers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEligibility(Command):
    """Ask a programme's rules about parcels, chosen in exactly one way.

    ``crediting`` are the first and last year (inclusive); a project brings its own.  ``layers``
    holds the SHA-256 of each layer that ``measure`` reads, by kind.
    """

    programme_id: str
    programme_version: str | None = None
    parcel_ids: Sequence[UUID] | None = None
    division_code: str | None = None
    project_id: UUID | None = None
    batch_id: UUID | None = None
    crediting: tuple[int, int] | None = None
    start_year: int | None = None
    layers: Mapping[str, str] = field(default_factory=dict)


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
    where, bound = _chosen(session, command)
    programme = _programme(session, command)
    rows = session.execute(text(_PARCELS + where), bound | {"kind": programme.kind}).all()
    if not rows:
        return _result(programme, [], {}, 0)
    table, digests = _table(session, command, programme, rows, measure)
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
    _chosen(session, command)
    _programme(session, command)


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


def division_prefix(code: str) -> str:
    """Return the digits that a division's code shares with everything below it."""
    full = divisions.full_code(code)
    for digits in (2, 4, 6, 9):
        if full[digits:] == "0" * (12 - digits):
            return full[:digits]
    return full


def _chosen(session: Session, command: RunEligibility) -> tuple[str, dict[str, Any]]:
    """Return the condition that selects the parcels, and what it binds."""
    ways: dict[str, Any] = {
        "ids": None if command.parcel_ids is None else list(command.parcel_ids),
        "prefix": command.division_code,
        "project": command.project_id,
        "batch": command.batch_id,
    }
    given = {name: value for name, value in ways.items() if value is not None}
    if len(given) != 1:
        raise InvalidValueError(
            field="parcels", value=", ".join(given) or "-", why="只选一种方式 choose in one way"
        )
    if command.division_code is not None:
        divisions.require(session, command.division_code)
        given = {"prefix": division_prefix(command.division_code)}
    return _WHERE[next(iter(given))], given


def _programme(session: Session, command: RunEligibility) -> ProgrammeView:
    if command.programme_version is not None:
        return programmes.version(session, command.programme_id, command.programme_version)
    return programmes.current(session, command.programme_id, on=programmes.day_of(command.at))


def _years(session: Session, command: RunEligibility) -> tuple[tuple[int, int] | None, int | None]:
    """Return the crediting years and the start year, from the project where there is one."""
    if command.project_id is None:
        return command.crediting, command.start_year
    row = session.execute(_PROJECT_YEARS, {"project": command.project_id}).one()
    years = command.crediting or (row.first, row.last)
    return years, command.start_year or row.start


def _table(
    session: Session,
    command: RunEligibility,
    programme: ProgrammeView,
    rows: Sequence[Row[Any]],
    measure: Measure | None,
) -> tuple[ParcelTable, list[bytes]]:
    """Gather what is known of the parcels, and the digest of it for each."""
    geometries = shapely.from_wkb(np.array([bytes(row.wkb) for row in rows], dtype=object))
    box = dict(
        zip(("x0", "y0", "x1", "y1"), map(float, shapely.total_bounds(geometries)), strict=True)
    )
    years, start_year = _years(session, command)
    given: dict[str, object] = {}
    if years is not None:
        given |= {"crediting_from": years[0], "crediting_to": years[1]}
    if start_year is not None:
        given |= {"start_year": start_year}
    exclusions, exclusion_digests = _exclusions(session, programme, box, years)
    claims = _claims(session, programme, box, [row.id for row in rows])
    measured = Measured() if measure is None else measure(geometries, programme)
    table = ParcelTable(
        ids=[str(row.id) for row in rows],
        geometries=geometries,
        area_m2=np.array([row.area_m2 for row in rows]),
        attributes=[row.attributes | given for row in rows],
        class_shares=measured.class_shares,
        slope=measured.slope,
        canopy=measured.canopy,
        exclusions=exclusions,
        claims=claims,
    )
    shared = {
        "rules": RULES_VERSION,
        "programme": programme.sha256,
        "given": given,
        "exclusions": exclusion_digests,
        "layers": dict(command.layers),
    }
    near = _near(geometries, claims)
    digests = [
        digest(
            plain(
                shared
                | {
                    "shape": bytes(row.shape_digest),
                    "attributes": row.attributes,
                    "claims": near[k],
                },
                floats=True,
            )
        )
        for k, row in enumerate(rows)
    ]
    return table, digests


def _exclusions(
    session: Session,
    programme: ProgrammeView,
    box: Mapping[str, float],
    years: tuple[int, int] | None,
) -> tuple[dict[str, NDArray[Any]], dict[str, list[str]]]:
    """Return the exclusion polygons near the parcels by kind, and the digests of loaded files."""
    layers: dict[str, NDArray[Any]] = {}
    digests: dict[str, list[str]] = {}
    for kind in EXCLUSION_KINDS:
        if kind not in programme.rules:
            continue
        files = session.scalars(_EXCLUSION_FILES, {"kind": kind}).all()
        if not files:
            continue  # not loaded: the rule asks for the evidence instead of passing
        found = session.scalars(
            _EXCLUSION_GROUND,
            {
                "kind": kind,
                **box,
                "first": years and years[0],
                "end": years and years[1] + 1,
            },
        )
        layers[kind] = _shapes(found)
        digests[kind] = [bytes(one).hex() for one in files]
    return layers, digests


def _claims(
    session: Session, programme: ProgrammeView, box: Mapping[str, float], ids: list[UUID]
) -> ClaimLayer:
    """Return active claims near the parcels, but for those this programme holds on them itself."""
    rows = session.execute(_CLAIMS, {"programme": programme.id, "ids": ids, **box}).all()
    return ClaimLayer(
        ids=[str(row.external_reference or row.id) for row in rows],
        schemes=[row.scheme for row in rows],
        geometries=_shapes(row.wkb for row in rows),
        first_year=np.array([row.first for row in rows], dtype=np.int64),
        last_year=np.array([row.last for row in rows], dtype=np.int64),
    )


def _near(geometries: NDArray[Any], claims: ClaimLayer) -> list[list[list[object]]]:
    """For each parcel the claims whose box meets it: an input of its answer."""
    near: list[list[list[object]]] = [[] for _ in geometries]
    if not len(claims.ids):
        return near
    pairs = shapely.STRtree(claims.geometries).query(geometries)
    marks = [
        [claims.ids[k], digest(shapely.to_wkb(claims.geometries[k])).hex()]
        for k in range(len(claims.ids))
    ]
    for parcel, claim in pairs.T:
        k = int(claim)
        near[int(parcel)].append([*marks[k], int(claims.first_year[k]), int(claims.last_year[k])])
    return [sorted(one, key=str) for one in near]


def _shapes(wkb: Iterable[bytes]) -> NDArray[Any]:
    made: NDArray[Any] = np.array([None, *(bytes(one) for one in wkb)], dtype=object)[1:]
    shapes: NDArray[Any] = shapely.from_wkb(made)
    return shapes


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


_PARCELS = (
    "SELECT p.id, p.version, p.area_m2, p.shape_digest, ST_AsBinary(p.geometry) AS wkb,"
    " v.attributes FROM parcel p JOIN parcel_version v"
    " ON v.parcel_id = p.id AND v.version = p.version"
    " WHERE p.kind = :kind AND p.status IN ('submitted', 'approved') AND "
)
_WHERE = {
    "ids": "p.id = ANY(:ids) ORDER BY p.id",
    "prefix": "starts_with(p.division_code, :prefix) ORDER BY p.id",
    "project": "p.id IN (SELECT parcel_id FROM project_parcel WHERE project_id = :project)"
    " ORDER BY p.id",
    "batch": "v.batch_id = :batch ORDER BY p.id",
}
_PROJECT_YEARS = text(
    "SELECT extract(year FROM crediting_from)::int AS first,"
    " extract(year FROM crediting_to - 1)::int AS last,"
    " extract(year FROM started_on)::int AS start FROM project WHERE id = :project"
)
_EXCLUSION_FILES = text(
    "SELECT DISTINCT layer_sha256 FROM exclusion WHERE kind = :kind ORDER BY layer_sha256"
)
_EXCLUSION_GROUND = text(
    "SELECT ST_AsBinary(geometry) FROM exclusion WHERE kind = :kind"
    " AND geometry && ST_MakeEnvelope(:x0, :y0, :x1, :y1, 4490)"
    " AND (years IS NULL OR CAST(:first AS int4) IS NULL"
    "  OR years && int4range(CAST(:first AS int4), CAST(:end AS int4)))"
    " ORDER BY layer_sha256, id"
)
_CLAIMS = text(
    "SELECT c.id, c.scheme, c.external_reference, lower(c.years) AS first,"
    " upper(c.years) - 1 AS last, ST_AsBinary(c.geometry) AS wkb"
    " FROM claims_meeting(ST_MakeEnvelope(:x0, :y0, :x1, :y1, 4490)) c"
    " WHERE NOT (c.programme_id IS NOT DISTINCT FROM CAST(:programme AS text)"
    "  AND c.parcel_id = ANY(:ids))"
    " ORDER BY c.id"
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
