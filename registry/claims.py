"""Claims: a crediting scheme's hold on ground and years; one tonne, one claim.

The database refuses two active claims of any schemes that overlap in ground and years.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

import numpy as np
import shapely
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from geo.area import area_m2
from geo.intake import Intake
from registry import events, exclusions, people, programmes, projects
from registry.db import Command
from registry.errors import InvalidValueError, NotFoundError, RegistryError, WrongStateError
from registry.places import RowFinding
from registry.programmes.schema import SCHEMES
from registry.refusals import ClaimOverlapError, refusal_of

FROM_FIELDS: Final = ("from", "from_year", "起始年")
TO_FIELDS: Final = ("to", "to_year", "终止年")


class NoSchemeError(RegistryError):
    """The programme is no crediting scheme."""

    code = "PROGRAMME_WITHOUT_SCHEME"


class ClaimYearsError(RegistryError):
    """The years lie outside the project's crediting period."""

    code = "CLAIM_YEARS_OUTSIDE"


class ClaimInUseError(RegistryError):
    """Tonnes of this claim are sold ahead or issued."""

    code = "CLAIM_IN_USE"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceClaims(Command):
    """Hold the ground of an approved project for years (inclusive); all of its period if None."""

    project_id: UUID
    first_year: int | None = None
    last_year: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsPlaced:
    """Which claims stand now by this act: one a parcel."""

    claim_ids: list[UUID]
    first_year: int
    last_year: int
    area_m2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseClaims(Command):
    """Let go of claims that carry no sale and no unit."""

    claim_ids: Sequence[UUID]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsReleased:
    """How many claims were let go."""

    released: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOutsideClaims(Command):
    """Register outside projects' claims from a file; given scheme and years fill what rows lack."""

    file_name: str
    file_sha256: str
    scheme: str = "other"
    years: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideClaims:
    """What became of a file: ``read = placed + known + refused``."""

    read: int
    placed: int
    known: int
    refused: int
    findings: list[RowFinding]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimView:
    """A claim as screens show it; years inclusive."""

    id: UUID
    scheme: str
    status: str
    project_id: UUID | None
    parcel_id: UUID | None
    version: int | None
    external_reference: str | None
    first_year: int
    last_year: int
    area_m2: float


def place(session: Session, command: PlaceClaims) -> ClaimsPlaced:
    """Hold every parcel of an approved project, each with its own copy of the ground.

    Raises
    ------
    WrongStateError : the project is not approved.
    NoSchemeError : its programme is no crediting scheme.
    ClaimYearsError : the years lie outside its crediting period.
    ClaimOverlapError : another active claim holds ground in these years (from the database).
    """
    people.require_role(session, command, "county", "company")
    project = projects.view(session, command.project_id)
    if project.status != "approved":
        raise WrongStateError(what="project", state=project.status, needs="approved")
    scheme = programmes.version(session, project.programme_id, project.programme_version).scheme
    if scheme is None:
        raise NoSchemeError(programme=project.programme_id)
    from_year, to_year = _years_of(project)
    first = from_year if command.first_year is None else command.first_year
    last = to_year if command.last_year is None else command.last_year
    if not from_year <= first <= last <= to_year:
        raise ClaimYearsError(first=first, last=last, from_year=from_year, to_year=to_year)
    rows = session.execute(
        _PLACE,
        {
            "project": command.project_id,
            "scheme": scheme,
            "first": first,
            "end": last + 1,
            "at": command.at,
        },
    ).all()
    placed = ClaimsPlaced(
        claim_ids=sorted(row.id for row in rows),
        first_year=first,
        last_year=last,
        area_m2=sum(row.area_m2 for row in rows),
    )
    events.record(
        session,
        command,
        kind="claims.placed",
        subject=("project", str(command.project_id)),
        body={"scheme": scheme, "first": first, "last": last, "claims": placed.claim_ids},
    )
    return placed


def release(session: Session, command: ReleaseClaims) -> ClaimsReleased:
    """Let go of claims; ground and years are free again.

    Raises
    ------
    NotFoundError : one does not exist.
    WrongStateError : one is released already.
    ClaimInUseError : tonnes of it are sold ahead or issued.
    InvalidValueError : no reason is given.
    """
    people.require_role(session, command, "county")
    if not command.reason.strip():
        raise InvalidValueError(field="reason", value="", why="须写明原因 say why")
    wanted = sorted(set(command.claim_ids))
    rows = {row.id: row for row in session.execute(_LOCK, {"ids": wanted})}
    for claim_id in wanted:
        row = rows.get(claim_id)
        if row is None:
            raise NotFoundError(what="claim", id=claim_id)
        if row.status != "active":
            raise WrongStateError(what="claim", state=row.status, needs="active")
        if row.committed_kg > 0 or row.issued:
            raise ClaimInUseError(claim=str(claim_id), committed_kg=row.committed_kg)
    session.execute(_RELEASE, {"ids": wanted})
    events.record(
        session,
        command,
        kind="claims.released",
        subject=("claim", str(wanted[0]) if wanted else "-"),
        body={"claims": wanted, "reason": command.reason},
    )
    return ClaimsReleased(released=len(wanted))


def import_outside(session: Session, command: ImportOutsideClaims, intake: Intake) -> OutsideClaims:
    """Register claims of outside projects; a row that clashes is refused with the overlap.

    The same file again changes nothing.

    Raises
    ------
    InvalidValueError : no such scheme.
    """
    people.require_role(session, command, "township", "county")
    if command.scheme not in SCHEMES:
        raise InvalidValueError(field="scheme", value=command.scheme, why=" / ".join(SCHEMES))
    digest = bytes.fromhex(command.file_sha256)
    known = set(session.scalars(_KNOWN, {"sha256": digest}))
    rows, found, seen = [], [], 0
    shapes = dict(exclusions.shapes(intake))
    for at, number in enumerate(int(row) for row in intake.rows):
        if number in known:
            seen += 1
            continue
        if at not in shapes:
            found.append(_refused(number, "GEOM_EMPTY"))
            continue
        years = _row_years(intake.attributes[at], command.years)
        if years is None:
            found.append(_refused(number, "CLAIM_OUTSIDE_YEARS"))
            continue
        rows.append(
            {
                "id": uuid4(),
                "scheme": _row_scheme(intake.attributes[at], command.scheme),
                "reference": _reference(intake, at, command.file_name),
                "sha256": digest,
                "row": number,
                "first": years[0],
                "end": years[1] + 1,
                "wkb": shapely.to_wkb(shapes[at]),
                "area_m2": float(area_m2(np.array([shapes[at]], dtype=object))[0]),
                "at": command.at,
            }
        )
    clashes = [clash for row in rows if (clash := _try(session, row)) is not None]
    found.extend(clashes)
    result = OutsideClaims(
        read=intake.read,
        placed=len(rows) - len(clashes),
        known=seen,
        refused=len(found),
        findings=sorted(found, key=lambda one: one.row or 0),
    )
    if result.placed:
        events.record(
            session,
            command,
            kind="claims.imported",
            subject=("layer", command.file_sha256),
            body={"file": command.file_name, "placed": result.placed, "refused": result.refused},
        )
    return result


def claims_of_project(session: Session, project_id: UUID) -> list[ClaimView]:
    """Return the claims of a project, by parcel and year."""
    return [_view(row) for row in session.execute(_OF_PROJECT, {"project": project_id})]


def claims_on(session: Session, parcel_id: UUID) -> list[ClaimView]:
    """Return every active claim, of any scheme, that shares ground with a parcel."""
    return [_view(row) for row in session.execute(_ON_PARCEL, {"parcel": parcel_id})]


def _years_of(project: projects.ProjectView) -> tuple[int, int]:
    """Return the first and last year of the crediting period."""
    last = project.crediting_to.year - (
        (project.crediting_to.month, project.crediting_to.day) == (1, 1)
    )
    return project.crediting_from.year, last


def _try(session: Session, row: Mapping[str, Any]) -> RowFinding | None:
    """Place one outside claim; return the finding where the database refuses it."""
    try:
        with session.begin_nested():
            session.execute(_OUTSIDE, row)
    except DBAPIError as error:
        refusal = refusal_of(error)
        if not isinstance(refusal, ClaimOverlapError):
            raise
        return RowFinding(
            row=row["row"],
            code="CLAIM_OUTSIDE_OVERLAP",
            severity="refused",
            params={"reference": row["reference"], **refusal.params},
        )
    return None


def _refused(row: int, code: str) -> RowFinding:
    return RowFinding(row=row, code=code, severity="refused", params={})


def _row_years(
    attributes: Mapping[str, object], fallback: tuple[int, int] | None
) -> tuple[int, int] | None:
    first, last = _year(attributes, FROM_FIELDS), _year(attributes, TO_FIELDS)
    if first is None or last is None:
        return fallback
    return (first, last) if first <= last else None


def _year(attributes: Mapping[str, object], fields: Sequence[str]) -> int | None:
    for field in fields:
        try:
            return int(str(attributes.get(field)))
        except ValueError:
            continue
    return None


def _row_scheme(attributes: Mapping[str, object], fallback: str) -> str:
    named = str(attributes.get("scheme") or "").strip().lower()
    return named if named in SCHEMES else fallback


def _reference(intake: Intake, row: int, file_name: str) -> str:
    return exclusions.shape_name(intake, row, file_name)


def _view(row: Any) -> ClaimView:  # noqa: ANN401 -- a result row
    return ClaimView(
        id=row.id,
        scheme=row.scheme,
        status=row.status,
        project_id=row.project_id,
        parcel_id=row.parcel_id,
        version=row.version,
        external_reference=row.external_reference,
        first_year=row.first,
        last_year=row.last,
        area_m2=row.area_m2,
    )


_PLACE = text(
    "INSERT INTO claim (id, scheme, status, project_id, parcel_id, version, years, geometry,"
    " area_m2, effective_at)"
    " SELECT gen_random_uuid(), :scheme, 'active', :project, v.parcel_id, v.version,"
    " int4range(CAST(:first AS int4), CAST(:end AS int4)), v.geometry, v.area_m2, :at"
    " FROM project_parcel j JOIN parcel_version v"
    " ON v.parcel_id = j.parcel_id AND v.version = j.version"
    " WHERE j.project_id = :project ORDER BY v.parcel_id RETURNING id, area_m2"
)
_LOCK = text(
    "SELECT c.id, c.status, coalesce((SELECT sum(k.committed_kg) FROM capacity k"
    "  WHERE k.claim_id = c.id), 0)::int8 AS committed_kg,"
    " EXISTS (SELECT FROM batch b WHERE b.project_id = c.project_id AND c.years @> b.vintage)"
    " AS issued"
    " FROM claim c WHERE c.id = ANY(:ids) ORDER BY c.id FOR UPDATE OF c"
)
_RELEASE = text("UPDATE claim SET status = 'released' WHERE id = ANY(:ids)")
_KNOWN = text("SELECT layer_row FROM claim WHERE layer_sha256 = :sha256")
_OUTSIDE = text(
    "INSERT INTO claim (id, scheme, status, external_reference, layer_sha256, layer_row, years,"
    " geometry, area_m2, effective_at) VALUES (:id, :scheme, 'active', :reference, :sha256, :row,"
    " int4range(CAST(:first AS int4), CAST(:end AS int4)), ST_GeomFromWKB(:wkb, 4490), :area_m2,"
    " :at)"
)
_COLUMNS = (
    "SELECT c.id, c.scheme, c.status, c.project_id, c.parcel_id, c.version, c.external_reference,"
    " lower(c.years) AS first, upper(c.years) - 1 AS last, c.area_m2 FROM claim c "
)
_OF_PROJECT = text(
    _COLUMNS + "WHERE c.project_id = :project ORDER BY c.parcel_id, lower(c.years), c.id"
)
_ON_PARCEL = text(
    _COLUMNS + "JOIN parcel p ON p.geometry && c.geometry AND ST_Area(ST_Intersection("
    "p.geometry, c.geometry, 1e-10)::geography) > overlap_tolerance_m2(p.area_m2, c.area_m2)"
    " WHERE p.id = :parcel AND c.status = 'active' ORDER BY lower(c.years), c.id"
)
