"""Jobs as they go, told to whoever looks on: one connection a process listens for all of them.

Readers hold a thread each, so they are few; who finds no place asks again from time to time.
"""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Final
from uuid import UUID

import psycopg
import structlog
from sqlalchemy import Engine

from registry import jobs
from registry.db import transaction
from registry.errors import RegistryError

READERS_MAX: Final = 16
LOOK_AT_LEAST_EVERY_S: Final = 15.0
"""A reader looks at its job this often though nothing was told, and so keeps the line open."""
READ_AT_MOST_S: Final = 600.0
LISTEN_FOR_S: Final = 5.0

log = structlog.get_logger()


class ReadersFullError(RegistryError):
    """All places for readers are taken; ask for the job itself instead."""

    code = "PROGRESS_READERS_FULL"


class Listener:
    """One connection that listens, and the readers it wakes."""

    def __init__(self, engine: Engine, *, readers_max: int = READERS_MAX) -> None:
        self._engine, self._readers_max = engine, readers_max
        self._lock = threading.Lock()
        self._waiting: dict[str, set[threading.Event]] = defaultdict(set)
        self._readers = 0
        self._thread: threading.Thread | None = None

    @contextmanager
    def reader(self, job_id: UUID) -> Iterator[threading.Event]:
        """Yield an event that is set each time the job changes.

        Raises
        ------
        ReadersFullError : as many read already as may.
        """
        told, name = threading.Event(), str(job_id)
        with self._lock:
            if self._readers >= self._readers_max:
                raise ReadersFullError(readers=self._readers_max)
            self._readers += 1
            self._waiting[name].add(told)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._listen, daemon=True)
                self._thread.start()
        try:
            yield told
        finally:
            with self._lock:
                self._readers -= 1
                self._waiting[name].discard(told)
                if not self._waiting[name]:
                    del self._waiting[name]

    def _listen(self) -> None:
        """Listen while anybody reads; a lost connection wakes all, who then look for themselves."""
        _, arguments = self._engine.dialect.create_connect_args(self._engine.url)
        arguments.pop("context", None)
        while self._readers:
            try:
                with psycopg.connect(**arguments, autocommit=True) as connection:
                    connection.execute(f"LISTEN {jobs.CHANNEL}")
                    self._wake(None)  # what was told before the line stood
                    while self._readers:
                        for note in connection.notifies(timeout=LISTEN_FOR_S):
                            self._wake(note.payload)
            except psycopg.OperationalError as error:
                log.warning("progress.away", why=str(error))
                self._wake(None)
                time.sleep(1)

    def _wake(self, name: str | None) -> None:
        with self._lock:
            named = self._waiting.values() if name is None else [self._waiting.get(name, set())]
            for told in [one for group in named for one in group]:
                told.set()


def follow(
    listener: Listener, engine: Engine, job_id: UUID, *, actor_id: UUID
) -> Iterator[jobs.JobView]:
    """Yield a job now and each time it has changed, until it is over or the time is up.

    It is read as ``actor_id``: the database shows one's own and those of one's staff.

    Raises
    ------
    NotFoundError : there is no such job, or it is somebody else's.
    ReadersFullError : no place is left.
    """
    until = time.monotonic() + READ_AT_MOST_S
    with listener.reader(job_id) as told:
        before: jobs.JobView | None = None
        while time.monotonic() < until:
            told.clear()
            with transaction(engine, actor_id=actor_id) as session:
                job = jobs.get(session, job_id)
            if job != before:
                yield job
            if job.state not in jobs.OPEN:
                return
            before = job
            told.wait(LOOK_AT_LEAST_EVERY_S)


def event(job: jobs.JobView) -> str:
    """Return a job as a server-sent event."""
    return f"event: job\ndata: {json.dumps(asdict(job), default=str, ensure_ascii=False)}\n\n"
