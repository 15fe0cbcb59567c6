"""``tanhui job``: long work: see it, stop it, do it."""

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer

from registry import jobs
from registry.db import transaction
from web import database, messages
from web.cli.acting import As, Json, acting
from web.cli.output import show
from web.config import settings

app = typer.Typer(no_args_is_help=True, help="任务 Jobs.")


@app.command("list")
def list_(*, json: Json = False) -> None:
    """List the newest jobs."""
    with transaction(database.app_engine()) as session:
        found = jobs.listing(session)
    show([asdict(job) for job in found], as_json=json, lines=[_line(job) for job in found])


@app.command("show")
def show_(job_id: UUID, *, json: Json = False) -> None:
    """Show one job."""
    with transaction(database.app_engine()) as session:
        job = jobs.get(session, job_id)
    lines = [_line(job)]
    if job.error is not None:
        said = messages.say(job.error["code"], job.error["params"])
        lines += [f"  [{job.error['code']}] {said.zh}", f"  {said.en}"]
    show(job, as_json=json, lines=lines)


@app.command()
def cancel(job_id: UUID, *, as_: As = None, json: Json = False) -> None:
    """Stop a job: at once when it waits, at its next step when it runs."""
    with transaction(database.app_engine(), actor_id=acting(as_)) as session:
        job = jobs.cancel(session, job_id)
    show(job, as_json=json, lines=[_line(job)])


@app.command()
def work(*, once: Annotated[bool, typer.Option(help="Return when none is left")] = False) -> None:
    """Do the jobs that wait, until stopped."""
    from options.worker import run_worker  # with every science library; only the worker needs it

    run_worker(
        database.app_engine(),
        layer_dir=settings().layer_dir,
        once=once,
        scheduler=settings().scheduler,
    )


def _line(job: jobs.JobView) -> str:
    return f"{job.id}  {job.task}  {job.state}  {job.phase} {job.done}/{job.total}"
