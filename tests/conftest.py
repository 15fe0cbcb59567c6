"""Databases of the tests' own: one migrated template, cloned for each worker or test.

Tests run as the application's role; nothing of the database is replaced by a stand-in.
"""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from registry import cluster, migrate
from registry.db import SYSTEM_ACTOR, act_as, connect

ROOT = Path(__file__).resolve().parent.parent
STATE = Path(os.environ.get("TANHUI_PG_DIR", ROOT / "var" / "pg"))
os.environ.setdefault("NUMBA_CACHE_DIR", str(ROOT / "var" / "numba"))
os.environ.setdefault("NUMBA_THREADING_LAYER", "omp")

hypothesis_settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
hypothesis_settings.load_profile("ci")


@pytest.fixture(scope="session")
def at() -> datetime:
    """The moment at which tests act, unless they say otherwise."""
    return datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def pg() -> cluster.Cluster:
    """The private cluster, running."""
    return cluster.ensure_running(STATE, say=lambda _line: None)


@pytest.fixture(scope="session")
def template(pg: cluster.Cluster) -> str:
    """Name of a migrated database to clone, keyed by the migrations' content."""
    sources = sorted(
        p
        for p in (ROOT / "migrations").rglob("*")
        if p.suffix in {".py", ".sql"} and p.name != "schema.sql"
    )
    key = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:10]
    name = f"tanhui_template_{key}"
    with (ROOT / "var" / "template.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not cluster.database_exists(pg, name):
            making = f"{name}_making"
            cluster.drop_database(pg, making)
            cluster.prepare_database(pg, making)
            engine = create_engine(cluster.database_url(pg, making, "tanhui_admin"))
            migrate.upgrade(engine)
            engine.dispose()
            _rename(pg, making, name)
    return name


def _rename(pg: cluster.Cluster, old: str, new: str) -> None:
    engine = create_engine(
        cluster.database_url(pg, "postgres", cluster.ADMIN), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.execute(text(f"ALTER DATABASE {old} RENAME TO {new}"))
    engine.dispose()


@pytest.fixture(scope="session")
def clone(pg: cluster.Cluster, template: str) -> Iterator[Callable[[], str]]:
    """Make databases; each call returns a fresh clone's name.  All are dropped at the end."""
    made: list[str] = []

    def make() -> str:
        name = f"tanhui_test_{uuid4().hex[:12]}"
        cluster.create_database(pg, name, template=template)
        made.append(name)
        return name

    yield make
    for name in made:  # together at the end: each drop forces a checkpoint
        cluster.drop_database(pg, name)


@pytest.fixture
def engine(pg: cluster.Cluster, clone: Callable[[], str]) -> Iterator[Engine]:
    """A fresh database of this test's own, as the application's role; commits are real."""
    made = connect(cluster.database_url(pg, clone(), "tanhui_app"))
    yield made
    made.dispose()


@pytest.fixture(scope="session")
def shared_engine(pg: cluster.Cluster, clone: Callable[[], str]) -> Iterator[Engine]:
    """One clone a worker, for tests that roll back what they do."""
    made = connect(cluster.database_url(pg, clone(), "tanhui_app"))
    yield made
    made.dispose()


@pytest.fixture
def session(shared_engine: Engine) -> Iterator[Session]:
    """A session as the application's role; everything is rolled back after the test."""
    with Session(shared_engine, expire_on_commit=False) as made:
        act_as(made, SYSTEM_ACTOR)
        yield made
        made.rollback()
