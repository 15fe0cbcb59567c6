"""``/projects``: projects, their parcels, decisions and claims."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from registry import claims, projects
from registry.divisions import full_code
from registry.errors import InvalidValueError, NotFoundError, NotPermittedError, WrongStateError
from registry.people import ActorView
from registry.reads import projects as reads
from registry.reads.scope import STAFF, require_division, require_parcel, scope_of
from registry.refusals import ClaimOverlapError, NotApprovedByAnotherError
from web.api.endpoints import Act, Noun, Read


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseProjectClaims(claims.ReleaseClaims):
    """Let go of claims of one project."""

    project_id: UUID


def guard_create(_session: Session, who: ActorView, command: projects.CreateProject) -> None:
    """Refuse a project of another county, or one for another party."""
    code = full_code(command.adcode)
    if not STAFF.intersection(who.roles):
        if command.proponent_id != who.party_id:
            raise NotPermittedError(needs=str(command.proponent_id))
    elif not (scope_of(who).prefix or "").startswith(command.adcode):
        require_division(who, code)


def guard_attach(session: Session, who: ActorView, command: projects.AttachParcels) -> None:
    """Refuse to take in parcels that the actor may not see, or into another's project."""
    reads.require_writer(session, who, command.project_id)
    for parcel_id in command.parcel_ids:
        require_parcel(session, who, parcel_id)


def guard_decide(session: Session, who: ActorView, command: projects.DecideProject) -> None:
    """Refuse decisions on another county's projects, and on those of another proponent."""
    reads.require_writer(session, who, command.project_id)


def guard_claim(session: Session, who: ActorView, command: claims.PlaceClaims) -> None:
    """Refuse claims of another county's projects."""
    reads.require_writer(session, who, command.project_id)


def guard_release(session: Session, who: ActorView, command: ReleaseProjectClaims) -> None:
    """Refuse to let go of what another project holds."""
    reads.require_writer(session, who, command.project_id)
    held = {one.id for one in claims.claims_of_project(session, command.project_id)}
    for claim_id in command.claim_ids:
        if claim_id not in held:
            raise NotFoundError(what="claim", id=claim_id)


NOUN = Noun(
    name="projects",
    title=("项目", "Projects, their parcels and claims"),
    endpoints=(
        Read(
            name="list_projects",
            rule="/projects",
            permission="project:read",
            query=reads.ProjectQuery,
            read=reads.projects,
            summary=("项目列表", "Projects by number"),
        ),
        Read(
            name="get_project",
            rule="/projects/<uuid:project_id>",
            permission="project:read",
            query=reads.ProjectById,
            read=reads.project,
            summary=("一个项目", "One project"),
            raises=(NotFoundError,),
        ),
        Read(
            name="get_project_record",
            rule="/projects/<uuid:project_id>/record",
            permission="project:read",
            query=reads.ProjectById,
            read=reads.project_page,
            summary=("项目全貌", "A project's ground, answers, acts, claims, runs and periods"),
            raises=(NotFoundError,),
        ),
        Read(
            name="list_project_candidates",
            rule="/projects/<uuid:project_id>/candidates",
            permission="project:write",
            query=reads.CandidateQuery,
            read=reads.candidates,
            summary=("可列入的地块", "Approved parcels that may join, with what stands in the way"),
            raises=(NotFoundError,),
        ),
        Act(
            name="create_project",
            rule="/projects",
            permission="project:write",
            command=projects.CreateProject,
            verb=projects.create,
            summary=("新建项目", "Begin a project as a draft"),
            raises=(
                projects.CreditingPeriodError,
                projects.StartDateError,
                NotFoundError,
                NotPermittedError,
            ),
            status=201,
            guard=guard_create,
        ),
        Act(
            name="attach_parcels",
            rule="/projects/<uuid:project_id>/parcels",
            permission="project:write",
            command=projects.AttachParcels,
            verb=projects.attach,
            summary=("把地块列入项目", "Take parcels into a project"),
            raises=(projects.ParcelsRefusedError, WrongStateError, NotFoundError),
            guard=guard_attach,
        ),
        Act(
            name="decide_project",
            rule="/projects/<uuid:project_id>/decisions",
            permission="project:write",
            command=projects.DecideProject,
            verb=projects.decide,
            summary=("提交、批准、退回或撤回项目", "Submit, approve, return or withdraw a project"),
            raises=(
                WrongStateError,
                projects.ParcelsRefusedError,
                NotApprovedByAnotherError,
                NotPermittedError,
                NotFoundError,
            ),
            guard=guard_decide,
        ),
        Act(
            name="place_claims",
            rule="/projects/<uuid:project_id>/claims",
            permission="project:write",
            command=claims.PlaceClaims,
            verb=claims.place,
            summary=("提出碳汇主张", "Hold the ground of an approved project for years"),
            raises=(
                claims.NoSchemeError,
                claims.ClaimYearsError,
                ClaimOverlapError,
                WrongStateError,
                NotFoundError,
            ),
            status=201,
            guard=guard_claim,
        ),
        Act(
            name="release_claims",
            rule="/projects/<uuid:project_id>/claims/releases",
            permission="parcel:decide",
            command=ReleaseProjectClaims,
            verb=claims.release,
            summary=("放弃主张", "Let go of claims that carry no sale and no unit"),
            raises=(claims.ClaimInUseError, WrongStateError, InvalidValueError, NotFoundError),
            guard=guard_release,
        ),
    ),
)
