"""The private PostgreSQL/PostGIS cluster: unix socket only, no port, no password, no root.

``ensure_running`` finds or makes the cluster; the other names give databases in it and their
addresses. A real server (``TANHUI_DATABASE_URL``) needs nothing of this package.
"""

from registry.cluster.binaries import Binaries
from registry.cluster.databases import (
    create_database,
    database_exists,
    drop_database,
    prepare_database,
)
from registry.cluster.errors import ClusterError
from registry.cluster.layout import default_state_dir
from registry.cluster.names import ADMIN, APP, DATABASE, OWNER, Cluster, conninfo, database_url
from registry.cluster.server import Status, ensure_running, status, stop

__all__ = [
    "ADMIN",
    "APP",
    "DATABASE",
    "OWNER",
    "Binaries",
    "Cluster",
    "ClusterError",
    "Status",
    "conninfo",
    "create_database",
    "database_exists",
    "database_url",
    "default_state_dir",
    "drop_database",
    "ensure_running",
    "prepare_database",
    "status",
    "stop",
]
