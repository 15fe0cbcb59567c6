"""The third step: programmes, exclusions, eligibility with evidence, a project, its claims."""

import hashlib
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from geo.intake import Intake, IntakeOptions, examine
from registry import claims, eligibility, exclusions, measures, programmes, projects
from registry.db import transaction
from registry.eligibility_inputs import RunEligibility
from registry.refusals import ClaimOverlapError, refusal_of
from web.demo.county import ADCODE
from web.demo.teller import Teller, Totals

PROGRAMME = "county-inclusion"
ADOPTED = date(2026, 1, 6)
ASKED = date(2026, 1, 22)
CREATED = date(2026, 1, 26)
APPROVED = date(2026, 2, 2)
FIRST_YEAR, LAST_YEAR = 2025, 2044
VILLAGE_PARCELS_MIN = 20


def tell(teller: Teller) -> Totals:
    """Adopt, exclude, ask, choose a village, approve its project, hold its ground and years."""
    for name, source in programmes.packaged().items():
        teller.do(
            programmes.adopt,
            programmes.AdoptProgramme(
                **teller.by("county", f"adopt:{name}", ADOPTED), source=source
            ),
        )
    excluded = sum(_exclude(teller, kind) for kind in ("wetland", "basic_farmland"))
    outside = _outside(teller)
    run = _ask(teller)
    village = _choose(teller, run.programme_version)
    project_id, parcel_ids = _project(teller, village)
    placed = teller.do(
        claims.place,
        claims.PlaceClaims(**teller.by("county2", "claims", APPROVED), project_id=project_id),
    )
    teller.found |= {
        "programme_id": PROGRAMME,
        "programme_version": run.programme_version,
        "project_id": project_id,
        "village": village.code,
        "collective_id": village.owner_id,
        "project_parcels": parcel_ids,
        "claim_ids": placed.claim_ids,
    }
    _check_answers(teller, run)
    _check_claims(teller, project_id, placed)
    return {
        "parcels": run.parcels,
        "eligible": run.eligible,
        "not_eligible": run.not_eligible,
        "needs_documents": run.needs_documents,
        **run.reasons,
        "exclusions": excluded,
        "outside_claims": outside,
        "project_parcels": len(parcel_ids),
        "claimed_m2": round(placed.area_m2),
        "village": village.name,
    }


def _examined(teller: Teller, name: str) -> tuple[Intake, dict[str, Any]]:
    path: Path = teller.folder / name
    intake = examine(path, options=IntakeOptions(check_overlap=False))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return intake, {"file_name": name, "file_sha256": sha256}


def _exclude(teller: Teller, kind: exclusions.ExclusionKind) -> int:
    intake, file = _examined(teller, f"{kind}.geojson")
    command = exclusions.LoadExclusion(
        **teller.by("county", f"exclude:{kind}", ADOPTED), kind=kind, **file
    )
    return teller.do(partial(exclusions.load, intake=intake), command).loaded


def _outside(teller: Teller) -> int:
    intake, file = _examined(teller, "other_programme.geojson")
    command = claims.ImportOutsideClaims(**teller.by("county", "outside", ADOPTED), **file)
    return teller.do(partial(claims.import_outside, intake=intake), command).placed


def _ask(teller: Teller) -> eligibility.EligibilityRun:
    layers = measures.open_layers(
        dem=teller.folder / "dem.tif", species=teller.folder / "species.tif"
    )
    command = RunEligibility(
        **teller.by("county3", "eligibility", ASKED),
        programme_id=PROGRAMME,
        division_code=ADCODE,
        crediting=(FIRST_YEAR, LAST_YEAR),
        start_year=FIRST_YEAR,
        layers=layers.digests,
    )
    return teller.do(partial(eligibility.run_eligibility, measure=layers.measure), command)


def _choose(teller: Teller, version: str) -> Any:  # noqa: ANN401 -- a result row
    """Return the village whose collective itself owns most eligible parcels."""
    with teller.reading() as session:
        return session.execute(
            _VILLAGE,
            {"programme": PROGRAMME, "version": version, "least": VILLAGE_PARCELS_MIN},
        ).one()


def _project(teller: Teller, village: Any) -> tuple[UUID, list[UUID]]:  # noqa: ANN401
    state = teller.do(
        projects.create,
        projects.CreateProject(
            **teller.by("company", "project", CREATED),
            adcode=ADCODE,
            name=f"{village.name}林业碳普惠项目",
            proponent_id=village.owner_id,
            programme_id=PROGRAMME,
            started_on=date(FIRST_YEAR, 1, 1),
            crediting_from=date(FIRST_YEAR, 1, 1),
            crediting_to=date(LAST_YEAR + 1, 1, 1),
            document_sha256=hashlib.sha256(b"demo project document").hexdigest(),
        ),
    )
    parcel_ids = sorted(village.parcels)
    teller.do(
        projects.attach,
        projects.AttachParcels(
            **teller.by("company", "project:parcels", CREATED),
            project_id=state.project_id,
            parcel_ids=parcel_ids,
        ),
    )
    turns: tuple[tuple[str, projects.Decision, date], ...] = (
        ("company", "submit", CREATED),
        ("county", "approve", APPROVED),
    )
    for who, decision, on in turns:
        command = projects.DecideProject(
            **teller.by(who, f"project:{decision}", on),
            project_id=state.project_id,
            decision=decision,
        )
        teller.do(projects.decide, command)
    return state.project_id, parcel_ids


def _check_answers(teller: Teller, run: eligibility.EligibilityRun) -> None:
    with teller.reading() as session:
        unproved = session.scalar(_UNPROVED)
        approved = session.scalar(_APPROVED_CARBON)
    total = run.eligible + run.not_eligible + run.needs_documents
    teller.check(
        "every approved carbon parcel has one answer",
        holds=total == run.parcels == approved,
        figure=f"{run.eligible} + {run.not_eligible} + {run.needs_documents} = {approved}",
    )
    teller.check("every no has evidence or a measured value", holds=unproved == 0, figure=unproved)


def _check_claims(teller: Teller, project_id: UUID, placed: claims.ClaimsPlaced) -> None:
    with teller.reading() as session:
        overlaps = session.scalar(_OVERLAPS)
        project = projects.view(session, project_id)
        approver = session.scalar(_APPROVER, {"project": project_id})
    teller.check(
        "no two active claims share ground and years", holds=overlaps == 0, figure=overlaps
    )
    refused = _second_scheme(teller, placed.claim_ids[0])
    teller.check(
        "a second scheme's claim on the same ground is refused",
        holds=refused == ClaimOverlapError.code,
        figure=refused,
    )
    teller.check(
        "the project was approved by another person",
        holds=project.status == "approved" and approver not in {None, project.submitted_by},
        figure=project.status,
    )
    teller.check(
        "every parcel of the project is claimed once",
        holds=project.parcels == len(placed.claim_ids),
        figure=f"{project.parcels} = {len(placed.claim_ids)}",
    )


def _second_scheme(teller: Teller, claim_id: UUID) -> str:
    """Try to claim the same ground for another scheme; return the refusal's code, leave nothing."""
    try:
        with transaction(teller.engine, actor_id=teller.who("county")) as session:
            session.execute(_SECOND, {"claim": claim_id})
            session.rollback()
    except DBAPIError as error:
        refusal = refusal_of(error)
        return "-" if refusal is None else refusal.code
    return "placed"


_SECOND = text(
    "INSERT INTO claim (id, scheme, status, external_reference, years, geometry, area_m2,"
    " effective_at) SELECT gen_random_uuid(), 'vcs', 'active', 'second scheme', years, geometry,"
    " area_m2, effective_at FROM claim WHERE id = :claim"
)
_VILLAGE = text(
    "SELECT d.code, d.name, p.owner_id, array_agg(p.id ORDER BY p.id) AS parcels"
    " FROM parcel p JOIN party o ON o.id = p.owner_id AND o.kind = 'collective'"
    " JOIN division d ON d.code = p.division_code AND d.code = o.division_code"
    " JOIN eligibility e ON e.parcel_id = p.id AND e.version = p.version"
    "  AND e.programme_id = :programme AND e.programme_version = :version"
    "  AND e.answer = 'eligible'"
    " WHERE p.kind = 'carbon' AND p.status = 'approved'"
    " GROUP BY d.code, d.name, p.owner_id HAVING count(*) >= :least"
    " ORDER BY count(*) DESC, d.code LIMIT 1"
)
_UNPROVED = text(
    "SELECT count(*) FROM finding WHERE answer = 'not_eligible' AND evidence IS NULL"
    " AND NOT params ? 'measured'"
)
_APPROVED_CARBON = text("SELECT count(*) FROM parcel WHERE kind = 'carbon' AND status = 'approved'")
_OVERLAPS = text(
    "SELECT count(*) FROM claim a JOIN claim b ON a.id < b.id AND a.years && b.years"
    " AND a.geometry && b.geometry AND a.status = 'active' AND b.status = 'active'"
    " WHERE ST_Area(ST_Intersection(a.geometry, b.geometry, 1e-10)::geography)"
    "  > overlap_tolerance_m2(a.area_m2, b.area_m2)"
)
_APPROVER = text(
    "SELECT actor_id FROM project_decision WHERE project_id = :project AND decision = 'approve'"
)
