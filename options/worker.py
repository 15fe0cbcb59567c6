"""The worker with every task of this program: registry's, and those that contracts rest on."""

from pathlib import Path

from sqlalchemy import Engine

from options import ground
from registry import worker


def run_worker(
    engine: Engine, *, layer_dir: Path, once: bool = False, scheduler: str | None = None
) -> None:
    """Do the jobs that wait; see `registry.worker.run_worker`."""
    ground.register_task(layer_dir)
    worker.run_worker(engine, layer_dir=layer_dir, once=once, scheduler=scheduler)
