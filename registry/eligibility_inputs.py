"""What the rules are asked about: which parcels, and all that is known of them, with its digest."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from uuid import UUID

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from geo.eligibility import CanopyFacts, ClaimLayer, ParcelTable, SlopeFacts
from registry import divisions, programmes
from registry.canonical import digest, plain
from registry.db import Command
from registry.errors import InvalidValueError
from registry.exclusions import KINDS as EXCLUSION_KINDS
from registry.programmes import ProgrammeView

Floats = NDArray[np.float64]
RULES_VERSION: Final = 1
"""Raised when a rule's answers change for the same inputs."""


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


def division_prefix(code: str) -> str:
    """Return the digits that a division's code shares with everything below it."""
    full = divisions.full_code(code)
    for digits in (2, 4, 6, 9):
        if full[digits:] == "0" * (12 - digits):
            return full[:digits]
    return full


def chosen(session: Session, command: RunEligibility) -> tuple[str, dict[str, Any]]:
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


def programme_of(session: Session, command: RunEligibility) -> ProgrammeView:
    """Return the version that was asked for, else the one of the command's day."""
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


def table_of(
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


PARCELS = (
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
