"""Names and addresses: roles, databases and how to reach them."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from psycopg.conninfo import make_conninfo

from registry.cluster.errors import ClusterError

ADMIN = "tanhui_admin"  # superuser of the cluster; only set-up and the migration runner use it
OWNER = "tanhui_owner"  # owns every object, cannot log in
APP = "tanhui_app"  # web, worker and all tests; row-level security holds for it
DATABASE = "tanhui"
MAINTENANCE_DATABASE = "postgres"

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A running private cluster."""

    state_dir: Path
    data_dir: Path
    socket_dir: Path
    log_path: Path

    @property
    def admin_url(self) -> str:
        """Return the superuser's address of the maintenance database."""
        return database_url(self, MAINTENANCE_DATABASE, ADMIN)

    @property
    def owner_url(self) -> str:
        """Return the address where migrations of the product's database run."""
        return database_url(self, DATABASE, OWNER)

    @property
    def app_url(self) -> str:
        """Return the application's address of the product's database."""
        return database_url(self, DATABASE, APP)


def checked_name(name: str) -> str:
    """Return a database name that needs no quoting anywhere.

    Raises
    ------
    ClusterError : CLUSTER_BAD_NAME.
    """
    if _NAME.fullmatch(name) is None:
        raise ClusterError("CLUSTER_BAD_NAME", {"name": name})
    return name


def _login(role: str) -> tuple[str, dict[str, str]]:
    """Return who logs in for a role: the owner has no login, the superuser steps down to it."""
    if role == OWNER:
        return ADMIN, {"options": f"-c role={OWNER}"}
    if role not in (ADMIN, APP):
        raise ClusterError("CLUSTER_BAD_NAME", {"name": role})
    return role, {}


def database_url(cluster: Cluster, name: str, role: str = APP) -> str:
    """Return the SQLAlchemy address of a database for one of the three roles."""
    user, extra = _login(role)
    query = urlencode({"host": str(cluster.socket_dir), **extra}, quote_via=quote, safe="/")
    return f"postgresql+psycopg://{user}@/{checked_name(name)}?{query}"


def conninfo(cluster: Cluster, name: str, role: str = APP) -> str:
    """Return the libpq connection string of a database for one of the three roles."""
    user, extra = _login(role)
    return make_conninfo(
        host=str(cluster.socket_dir), port=5432, user=user, dbname=checked_name(name), **extra
    )
