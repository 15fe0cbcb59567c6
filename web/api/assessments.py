"""``/assessments``: runs asked for as jobs, their years and parcels, how a figure came about."""

from sqlalchemy.orm import Session

from registry import estimation, jobs
from registry.assessments import NoAssessmentError
from registry.errors import InvalidValueError, NotFoundError, NotPermittedError
from registry.people import ActorView
from registry.reads import assessments as reads
from registry.reads.projects import require_writer
from registry.reads.scope import require_division, require_parcel, scope_of
from web.api.endpoints import Act, Noun, Read


def ask(session: Session, command: estimation.AssessParcels) -> jobs.JobView:
    """Ask for a run, which a worker does."""
    return jobs.get(session, estimation.request(session, command))


def guard_ask(session: Session, who: ActorView, command: estimation.AssessParcels) -> None:
    """Refuse to assess ground that is not the actor's."""
    if command.project_id is not None:
        require_writer(session, who, command.project_id)
    for parcel_id in command.parcel_ids:
        require_parcel(session, who, parcel_id)
    unnamed = not command.parcel_ids and command.project_id is None
    if unnamed and not scope_of(who).everything:
        require_division(who, command.division_code)


NOUN = Noun(
    name="assessments",
    title=("测算", "Assessments"),
    endpoints=(
        Act(
            name="request_assessment",
            rule="/assessments",
            permission="assessment:run",
            command=estimation.AssessParcels,
            verb=ask,
            summary=("测算（任务）", "Run the model over parcels, as a job"),
            raises=(InvalidValueError, NotPermittedError, NotFoundError),
            status=202,
            guard=guard_ask,
        ),
        Read(
            name="list_assessments",
            rule="/assessments",
            permission="assessment:read",
            query=reads.RunQuery,
            read=reads.runs,
            summary=("测算列表", "Runs, the newest first"),
        ),
        Read(
            name="get_assessment",
            rule="/assessments/<uuid:run_id>",
            permission="assessment:read",
            query=reads.RunById,
            read=reads.run,
            summary=("一次测算", "One run: digests of its inputs, sums of its years"),
            raises=(NotFoundError,),
        ),
        Read(
            name="list_assessed_parcels",
            rule="/assessments/<uuid:run_id>/parcels",
            permission="assessment:read",
            query=reads.ParcelsQuery,
            read=reads.run_parcels,
            summary=("测算的地块", "The parcels of a run"),
            raises=(NotFoundError,),
        ),
        Read(
            name="get_assessed_parcel",
            rule="/assessments/<uuid:run_id>/parcels/<uuid:parcel_id>",
            permission="assessment:read",
            query=reads.ParcelQuery,
            read=reads.parcel_years,
            summary=("一个地块的逐年结果", "A parcel's years in a run"),
            raises=(NotFoundError,),
        ),
        Read(
            name="explain_assessment",
            rule="/assessments/<uuid:run_id>/parcels/<uuid:parcel_id>/years/<int:year>",
            permission="assessment:read",
            query=reads.ExplanationQuery,
            read=reads.explanation,
            summary=("怎么算的", "How one figure came about: cohorts, growth rows, layers"),
            raises=(NotFoundError, NoAssessmentError),
        ),
    ),
)
