"""A job followed from the command line: done here if no worker takes it, a bar on a terminal."""

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import Engine

from registry import jobs
from registry.db import transaction
from registry.errors import RegistryError

LOOK_EVERY_S = 0.2
PHASES: Mapping[str, str] = {
    "": "等待 waiting",
    "open": "打开文件 opening",
    "read": "读取 reading",
    "compare": "互相比较 comparing",
    "accept": "写入 accepting",
}
Say = Callable[[jobs.JobView], None]


class JobFailedError(RegistryError):
    """A job came to no good end; code and parameters are those of its own reason."""

    code = "JOB_FAILED"

    def __init__(self, job: jobs.JobView) -> None:
        told = job.error or {"code": "JOB_CANCELLED", "params": {"id": str(job.id)}}
        self.code = told["code"]
        super().__init__(**told["params"])


def follow(engine: Engine, job_id: UUID) -> jobs.JobView:
    """Return a job when it is done; interrupting it cancels it.

    Raises
    ------
    JobFailedError : it failed or was cancelled.
    """
    # A worker that runs already takes the job before this one finds it, or the other way round.
    worker = threading.Thread(
        target=jobs.work,
        args=(engine,),
        kwargs={"once": True, "queues": [jobs.INTAKE]},
        daemon=True,
    )
    worker.start()
    with _bar() as say:
        try:
            job = _wait(engine, job_id, worker, say)
        except KeyboardInterrupt:
            with transaction(engine) as session:
                jobs.cancel(session, job_id)
            job = _wait(engine, job_id, worker, say)
    worker.join()
    if job.state != "done":
        raise JobFailedError(job)
    return job


def _wait(engine: Engine, job_id: UUID, worker: threading.Thread, say: Say) -> jobs.JobView:
    while True:
        with transaction(engine) as session:
            job = jobs.get(session, job_id)
        say(job)
        if job.state not in jobs.OPEN:
            return job
        worker.join(LOOK_EVERY_S)
        if not worker.is_alive():  # another worker has it
            threading.Event().wait(LOOK_EVERY_S)


@contextmanager
def _bar() -> Iterator[Say]:
    """Yield what shows a job: a bar where a person looks on, else nothing."""
    if not sys.stderr.isatty():
        yield lambda _job: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        shown = progress.add_task(PHASES[""], total=None)

        def say(job: jobs.JobView) -> None:
            progress.update(
                shown,
                description=PHASES.get(job.phase, job.phase),
                completed=job.done,
                total=job.total or None,
            )

        yield say
