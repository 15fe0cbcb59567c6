"""The worker: every task this program knows, and the loop that does them."""

from pathlib import Path

from sqlalchemy import Engine

from registry import change_series, eligibility_jobs, estimation, import_jobs, jobs, losses


def run_worker(
    engine: Engine, *, layer_dir: Path, once: bool = False, scheduler: str | None = None
) -> None:
    """Do the jobs that wait; with ``once`` until none is left, else for ever.

    Parameters
    ----------
    engine : the database.
    layer_dir : folder in which layers are kept, the same for all workers.
    once : return when the queue is empty.
    scheduler : address of a ``dask.distributed`` scheduler for assessments; None to work here.
    """
    estimation.register_task(layer_dir, scheduler)
    eligibility_jobs.register_task(layer_dir)
    import_jobs.register_tasks()
    change_series.register_task(layer_dir)
    losses.register_task(layer_dir)
    jobs.work(engine, once=once)
