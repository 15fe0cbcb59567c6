"""``/projects``: projects, their parcels, decisions and claims."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from registry import claims, projects
from registry.divisions import full_code
from registry.errors import NotFoundError, NotPermittedError, WrongStateError
from registry.people import ActorView
from registry.reads.scope import STAFF, require_division, require_parcel
from registry.refusals import ClaimOverlapError
from web.api.endpoints import Act, Noun, Read


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectById:
    """One project."""

    project_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectList:
    """Projects of a county, by its 6-digit code; all without."""

    adcode: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Projects:
    """Projects by number."""

    items: list[projects.ProjectView]


def project(session: Session, _who: ActorView, query: ProjectById) -> projects.ProjectView:
    """Return one project."""
    return projects.view(session, query.project_id)


def listing(session: Session, _who: ActorView, query: ProjectList) -> Projects:
    """Return the projects of a county."""
    return Projects(items=projects.projects(session, adcode=query.adcode))


def guard_create(_session: Session, who: ActorView, command: projects.CreateProject) -> None:
    """Refuse a project of another county, or one for another party."""
    if not STAFF.intersection(who.roles) and command.proponent_id != who.party_id:
        raise NotPermittedError(needs=str(command.proponent_id))
    if who.has("county", "company"):
        require_division(who, full_code(command.adcode))


def guard_attach(session: Session, who: ActorView, command: projects.AttachParcels) -> None:
    """Refuse to take in parcels that the actor may not see."""
    for parcel_id in command.parcel_ids:
        require_parcel(session, who, parcel_id)


def _require_project(session: Session, who: ActorView, project_id: UUID) -> None:
    found = projects.view(session, project_id)
    if found.proponent_id != who.party_id:
        require_division(who, full_code(found.adcode))


def guard_decide(session: Session, who: ActorView, command: projects.DecideProject) -> None:
    """Refuse decisions on another county's projects."""
    if not who.has("township"):
        _require_project(session, who, command.project_id)


def guard_claim(session: Session, who: ActorView, command: claims.PlaceClaims) -> None:
    """Refuse claims of another county's projects."""
    _require_project(session, who, command.project_id)


NOUN = Noun(
    name="projects",
    title=("项目", "Projects, their parcels and claims"),
    endpoints=(
        Read(
            name="list_projects",
            rule="/projects",
            permission="project:read",
            query=ProjectList,
            read=listing,
            summary=("项目列表", "Projects by number"),
        ),
        Read(
            name="get_project",
            rule="/projects/<uuid:project_id>",
            permission="project:read",
            query=ProjectById,
            read=project,
            summary=("一个项目", "One project"),
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
            raises=(WrongStateError, NotPermittedError, NotFoundError),
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
    ),
)
