"""``/jobs``: long work as it goes."""

from dataclasses import dataclass
from itertools import chain
from uuid import UUID

from flask import Response
from sqlalchemy.orm import Session

from registry import jobs
from registry.errors import NotFoundError, NotPermittedError, WrongStateError
from registry.people import ActorView
from web import progress
from web.api.endpoints import Act, Noun, Raw, Read
from web.context import actor, engine, listener


@dataclass(frozen=True, slots=True, kw_only=True)
class JobById:
    """One job."""

    job_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class JobList:
    """The newest jobs."""

    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """Jobs, the newest first."""

    items: list[jobs.JobView]


def job(session: Session, _who: ActorView, query: JobById) -> jobs.JobView:
    """Return one job."""
    return jobs.get(session, query.job_id)


def listing(session: Session, _who: ActorView, query: JobList) -> Jobs:
    """Return the newest jobs."""
    return Jobs(items=jobs.listing(session, at_most=max(1, min(query.limit, 200))))


def events(job_id: UUID) -> Response:
    """Answer with the job each time it changes, as server-sent events, until it is over."""
    told = progress.follow(listener(), engine(), job_id, actor_id=actor().id)
    first = next(told)  # what is refused is refused before the stream begins
    return Response(
        map(progress.event, chain((first,), told)),
        content_type="text/event-stream; charset=utf-8",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


NOUN = Noun(
    name="jobs",
    title=("任务", "Long work as it goes"),
    endpoints=(
        Read(
            name="list_jobs",
            rule="/jobs",
            permission="job:read",
            query=JobList,
            read=listing,
            summary=("最近的任务", "The newest jobs"),
        ),
        Read(
            name="get_job",
            rule="/jobs/<uuid:job_id>",
            permission="job:read",
            query=JobById,
            read=job,
            summary=("一个任务的进度", "How far a job is"),
            raises=(NotFoundError,),
        ),
        Raw(
            name="job_events",
            rule="/jobs/<uuid:job_id>/events",
            permission="job:read",
            view=events,
            summary=("任务进度流", "A job each time it changes, as server-sent events"),
            operation={
                "responses": {
                    "200": {
                        "description": "event: job, data: the job as JSON",
                        "content": {"text/event-stream": {"schema": {"type": "string"}}},
                    }
                }
            },
            raises=(NotFoundError, progress.ReadersFullError),
        ),
        Act(
            name="cancel_job",
            rule="/jobs/<uuid:job_id>/cancellation",
            permission="job:read",
            command=jobs.CancelJob,
            verb=jobs.stop,
            summary=(
                "停止任务",
                "Stop a job that waits, or runs at its next step",
            ),
            raises=(WrongStateError, NotPermittedError, NotFoundError),
        ),
    ),
)
