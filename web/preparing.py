"""Make the database ready: the private cluster runs, the database is there and up to date."""

from collections.abc import Callable

from registry import cluster, migrate
from web.config import settings
from web.database import admin_engine


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
