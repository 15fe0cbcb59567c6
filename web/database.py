"""Where the database is: a server by address, or the private cluster, started if need be."""

from functools import cache

from sqlalchemy import Engine, create_engine

from registry import cluster
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


def _cluster() -> cluster.Cluster:
    return cluster.ensure_running(settings().cluster_dir, say=lambda _line: None)
