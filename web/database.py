"""Where the database is: a server by address, or the private cluster, started if need be."""

from collections.abc import Callable
from functools import cache

from sqlalchemy import Engine, create_engine

from registry import cluster, migrate
from registry.db import connect
from web.config import settings


@cache
def app_engine() -> Engine:
    """Return the application's engine (role ``tanhui_app``), with the cluster running."""
    return connect(app_url())


def app_url() -> str:
    """Return the application's database address."""
    config = settings()
    if config.database_url:
        return config.database_url
    return cluster.database_url(_cluster(), config.database, "tanhui_app")


def admin_engine() -> Engine:
    """Return an engine whose user may migrate; used by ``tanhui db migrate`` only."""
    config = settings()
    if config.database_url:
        return create_engine(config.admin_database_url or config.database_url)
    return create_engine(cluster.database_url(_cluster(), config.database, "tanhui_admin"))


def prepare(say: Callable[[str], None]) -> None:
    """Start the cluster if it is ours, make the database if it is missing, and migrate it."""
    config = settings()
    if not config.database_url:
        running = cluster.ensure_running(config.cluster_dir, say=say)
        cluster.prepare_database(running, config.database)
    engine = admin_engine()
    try:
        migrate.upgrade(engine)
    finally:
        engine.dispose()


def _cluster() -> cluster.Cluster:
    return cluster.ensure_running(settings().cluster_dir, say=lambda _line: None)
