"""Jobs: long work asked for in a transaction, done by a worker, seen by people as it goes.

The queue is procrastinate's, in the same database: a job is asked for and its row written in one
transaction, and the row is closed in the transaction that writes the result.  Only this module
imports procrastinate.  The ``job`` row decides: a worker that comes second finds it closed.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

import procrastinate
from pydantic_core import to_jsonable_python
from sqlalchemy import Engine, RowMapping, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from registry import events, people
from registry.db import Command, transaction
from registry.errors import NotFoundError, RegistryError, WrongStateError
from registry.models import Job

STALLED_AFTER_S: Final = 30.0
HEARTBEAT_S: Final = 5.0
RETRY_S: Final = 5
SAY_EVERY_S: Final = 0.25
"""Progress is written at most this often."""

QUEUE: Final = "science"
INTAKE: Final = "intake"
"""Queue of files to read: whoever hands one in may do that work, with no science at hand."""
QUEUES: Final = (QUEUE, INTAKE)
CHANNEL: Final = "tanhui_job"
"""Where the database tells the id of each job that changed."""
RUN: Final = "tanhui.run_job"
OPEN: Final = ("queued", "running")


class JobCancelledError(RegistryError):
    """Somebody asked this job to stop, or another worker has closed it."""

    code = "JOB_CANCELLED"


class TaskUnknownError(RegistryError):
    """No task of this name is registered in this program."""

    code = "JOB_TASK_UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """A job as people see it."""

    id: UUID
    task: str
    state: str
    phase: str
    done: int
    total: int
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    actor_id: UUID
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelJob(Command):
    """Ask a job to stop; only who asked for it may, or a county administrator."""

    job_id: UUID


@dataclass(slots=True, kw_only=True)
class Running:
    """A job in a worker's hands: what was asked, and how to say how far it is."""

    engine: Engine
    id: UUID
    arguments: Mapping[str, Any]
    actor_id: UUID
    closed: bool = False
    _said: tuple[float, str] = field(default=(0.0, ""))

    def progress(self, phase: str, done: int = 0, total: int = 0) -> None:
        """Write how far the work is, for others to see at once.

        Raises
        ------
        JobCancelledError : the job is to stop; nothing of it is kept.
        """
        now = time.monotonic()
        if phase == self._said[1] and now - self._said[0] < SAY_EVERY_S:
            return
        self._said = (now, phase)
        with transaction(self.engine, actor_id=self.actor_id) as session:
            going = session.execute(
                _SAY, {"id": self.id, "phase": phase, "done": done, "total": total}
            ).first()
        if going is None:
            raise JobCancelledError(id=str(self.id))

    def close(self, session: Session, result: Mapping[str, object]) -> None:
        """Close the job in the transaction that writes its result.

        Raises
        ------
        JobCancelledError : it was cancelled or closed meanwhile; the caller's transaction must end.
        """
        found = session.execute(_DONE, {"id": self.id, "result": _json(result)}).first()
        if found is None:
            raise JobCancelledError(id=str(self.id))
        self.closed = True


Task = Callable[[Running], Mapping[str, object]]
_TASKS: dict[str, Task] = {}


def task(name: str) -> Callable[[Task], Task]:
    """Register a function as the work of jobs called ``name``."""

    def register(work: Task) -> Task:
        _TASKS[name] = work
        return work

    return register


def enqueue(
    session: Session,
    command: Command,
    name: str,
    arguments: Mapping[str, object],
    *,
    queue: str = QUEUE,
) -> UUID:
    """Ask for a job in the caller's transaction; it exists if and only if that commits."""
    job_id = uuid4()
    session.add(
        Job(
            id=job_id,
            task=name,
            arguments=_json(arguments),
            state="queued",
            actor_id=command.actor_id,
            effective_at=command.at,
        )
    )
    session.flush()
    raw = session.connection().connection.driver_connection
    asked = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())
    asked.configure_task(RUN, queue=queue, connection=raw).defer(job_id=str(job_id))
    return job_id


def cancel(session: Session, job_id: UUID) -> JobView:
    """Stop a job: at once when it waits, at its next step when it runs.

    Raises
    ------
    WrongStateError : it is already over.
    """
    found = session.execute(_CANCEL, {"id": job_id}).first()
    view = get(session, job_id)
    if found is None:
        raise WrongStateError(what="job", state=view.state, needs=" / ".join(OPEN))
    return view


def stop(session: Session, command: CancelJob) -> JobView:
    """Stop a job that the actor asked for; a county administrator stops any.

    Raises
    ------
    NotFoundError : there is none.
    NotPermittedError : somebody else asked for it.
    WrongStateError : it is already over.
    """
    if get(session, command.job_id).actor_id != command.actor_id:
        people.require_role(session, command, "county")
    view = cancel(session, command.job_id)
    events.record(session, command, kind="job.cancelled", subject=("job", str(view.id)), body={})
    return view


def get(session: Session, job_id: UUID) -> JobView:
    """Return one job.

    Raises
    ------
    NotFoundError : there is none.
    """
    row = session.execute(text(f"{_SELECT} WHERE id = :id"), {"id": job_id}).mappings().first()
    if row is None:
        raise NotFoundError(what="job", id=str(job_id))
    return _view(row)


def listing(session: Session, *, at_most: int = 100) -> list[JobView]:
    """Return the newest jobs."""
    rows = session.execute(
        text(f"{_SELECT} ORDER BY recorded_at DESC, id LIMIT :at_most"), {"at_most": at_most}
    )
    return [_view(row) for row in rows.mappings()]


def work(
    engine: Engine,
    *,
    once: bool = False,
    stalled_after_s: float = STALLED_AFTER_S,
    queues: Sequence[str] = QUEUES,
) -> None:
    """Do the jobs that wait, one after another; for ever, or until none is left.

    Parameters
    ----------
    engine : the database; the worker opens two connections of its own beside it.
    once : return when the queue is empty.
    stalled_after_s : a job whose worker gave no sign for so long is taken up again.
    queues : what kinds of work.
    """
    asyncio.run(_work(engine, once=once, stalled_after_s=stalled_after_s, queues=queues))


async def _work(
    engine: Engine, *, once: bool, stalled_after_s: float, queues: Sequence[str]
) -> None:
    app = _app(engine)
    async with app.open_async():
        await _retry_stalled(app, stalled_after_s, queues)
        watch = None if once else asyncio.create_task(_watch(app, stalled_after_s, queues))
        try:
            await app.run_worker_async(
                queues=list(queues),
                wait=not once,
                listen_notify=not once,
                install_signal_handlers=not once,
                update_heartbeat_interval=HEARTBEAT_S,
                stalled_worker_timeout=STALLED_AFTER_S,
                delete_jobs="successful",
            )
        finally:
            if watch is not None:
                watch.cancel()


async def _watch(app: procrastinate.App, stalled_after_s: float, queues: Sequence[str]) -> None:
    while True:
        await asyncio.sleep(stalled_after_s)
        await _retry_stalled(app, stalled_after_s, queues)


async def _retry_stalled(
    app: procrastinate.App, stalled_after_s: float, queues: Sequence[str]
) -> None:
    """Put back jobs whose worker is gone; kill -9 leaves them 'doing' for ever."""
    for queue in queues:
        stalled = await app.job_manager.get_stalled_jobs(
            queue=queue, seconds_since_heartbeat=stalled_after_s
        )
        for job in stalled:
            await app.job_manager.retry_job(job)


def _app(engine: Engine) -> procrastinate.App:
    _, arguments = engine.dialect.create_connect_args(engine.url)
    arguments.pop("context", None)
    app = procrastinate.App(
        connector=procrastinate.PsycopgConnector(kwargs=arguments, min_size=1, max_size=3)
    )
    # A database that went away is no fault of the job: it is tried until it is back.
    again = procrastinate.RetryStrategy(wait=RETRY_S, retry_exceptions=[OperationalError])

    @app.task(name=RUN, queue=QUEUE, retry=again)
    def run(job_id: str) -> None:
        _run(engine, UUID(job_id))

    return app


def _run(engine: Engine, job_id: UUID) -> None:
    """Do one job, and keep the reason when it fails."""
    with transaction(engine) as session:
        row = session.execute(_CLAIM, {"id": job_id}).mappings().first()
    if row is None:
        return
    running = Running(
        engine=engine, id=job_id, arguments=row["arguments"], actor_id=row["actor_id"]
    )
    try:
        _do(running, row["task"])
    except JobCancelledError:
        _end(running, "cancelled", None)
    except OperationalError:
        raise
    except Exception as error:
        code, params = getattr(error, "code", None), getattr(error, "params", None)
        if isinstance(code, str) and isinstance(params, Mapping):
            _end(running, "failed", {"code": code, "params": dict(params)})
            return
        _end(
            running,
            "failed",
            {"code": "JOB_CRASHED", "params": {"error": f"{type(error).__name__}: {error}"}},
        )
        raise


def _do(running: Running, name: str) -> None:
    if name not in _TASKS:
        raise TaskUnknownError(task=name)
    result = _TASKS[name](running)
    if not running.closed:
        with transaction(running.engine, actor_id=running.actor_id) as session:
            running.close(session, result)


def _end(running: Running, state: str, error: Mapping[str, object] | None) -> None:
    with transaction(running.engine, actor_id=running.actor_id) as session:
        session.execute(_END, {"id": running.id, "state": state, "error": _json(error)})


def _json(value: Mapping[str, object] | None) -> Any:  # noqa: ANN401 -- JSON
    return None if value is None else to_jsonable_python(dict(value), fallback=str)


def _view(row: RowMapping) -> JobView:
    return JobView(**row)


_SELECT = (
    "SELECT id, task, state, phase, done, total, result, error, actor_id, recorded_at FROM job"
)
_SAY = text(
    "UPDATE job SET phase = :phase, done = :done, total = :total"
    " WHERE id = :id AND state = 'running' AND NOT cancel_requested RETURNING id"
)
_DONE = text(
    "UPDATE job SET state = 'done', result = :result, done = total"
    " WHERE id = :id AND state = 'running' AND NOT cancel_requested RETURNING id"
).bindparams(bindparam("result", type_=JSONB))
_END = text(
    "UPDATE job SET state = :state, error = :error WHERE id = :id AND state = 'running'"
).bindparams(bindparam("error", type_=JSONB(none_as_null=True)))
_CLAIM = text(
    "UPDATE job SET state = 'running' WHERE id = :id AND state IN ('queued', 'running')"
    " RETURNING task, arguments, actor_id"
)
_CANCEL = text(
    "UPDATE job SET cancel_requested = true,"
    " state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END"
    " WHERE id = :id AND state IN ('queued', 'running') RETURNING id"
)
