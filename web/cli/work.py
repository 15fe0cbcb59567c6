"""``tanhui work``: the worker: waiting jobs, the audit trail's seals, what falls due."""

import threading
from datetime import UTC, datetime

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from options import timers
from options.worker import run_worker
from registry.db import SYSTEM_ACTOR, perform
from web import database
from web.cli.log import seal_all
from web.config import settings

SEAL_EVERY_S = 5.0
TIMERS_EVERY = 12
"""Timers run at every twelfth sealing: once a minute."""

log = structlog.get_logger()


def work() -> None:
    """Do jobs until stopped; beside it seal what was recorded and end what is over."""
    engine = database.app_engine()
    stop = threading.Event()
    tender = threading.Thread(target=_tend, args=(engine, stop), daemon=True)
    tender.start()
    try:
        run_worker(engine, layer_dir=settings().layer_dir, scheduler=settings().scheduler)
    finally:
        stop.set()
        tender.join(timeout=SEAL_EVERY_S)


def _tend(engine: Engine, stop: threading.Event) -> None:
    rounds = 0
    while not stop.wait(SEAL_EVERY_S):
        try:
            seal_all(engine)
            if rounds % TIMERS_EVERY == 0:
                run_timers(engine)
        except OperationalError as error:  # the database may restart; the next round tries again
            log.warning("database.away", why=str(error.orig))
        rounds += 1


def run_timers(engine: Engine) -> timers.TimersRun:
    """Run every timer that is due now, as the system."""
    now = datetime.now(UTC)
    command = timers.RunTimers(
        at=now, actor_id=SYSTEM_ACTOR, key=f"timers:{now.isoformat(timespec='seconds')}"
    )
    return perform(engine, timers.run_timers, command)
