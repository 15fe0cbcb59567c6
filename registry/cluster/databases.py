"""Databases of the cluster: made by the superuser, owned by the owner role."""

import psycopg
from psycopg import sql

from registry.cluster.errors import ClusterError
from registry.cluster.names import (
    ADMIN,
    APP,
    MAINTENANCE_DATABASE,
    OWNER,
    Cluster,
    checked_name,
    conninfo,
)

EXTENSIONS = ("postgis", "btree_gist")


def _admin(cluster: Cluster, name: str = MAINTENANCE_DATABASE) -> psycopg.Connection:
    return psycopg.connect(conninfo(cluster, name, ADMIN), autocommit=True)


def _exists(session: psycopg.Connection, name: str) -> bool:
    found = session.execute("select 1 from pg_database where datname = %s", [name])
    return found.fetchone() is not None


def _create(session: psycopg.Connection, name: str, template: str | None) -> None:
    statement = sql.SQL("create database {} owner {} template {}").format(
        sql.Identifier(name), sql.Identifier(OWNER), sql.Identifier(template or "template1")
    )
    session.execute(statement)
    # Grants on a database are not copied from its template.
    session.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(name)))
    session.execute(
        sql.SQL("grant connect, temporary on database {} to {}").format(
            sql.Identifier(name), sql.Identifier(APP)
        )
    )


def create_database(cluster: Cluster, name: str, template: str | None = None) -> None:
    """Create a database owned by ``tanhui_owner``, empty or as a copy of a template.

    Raises
    ------
    ClusterError : CLUSTER_DATABASE_EXISTS, CLUSTER_BAD_NAME.
    """
    checked_name(name)
    with _admin(cluster) as session:
        if _exists(session, name):
            raise ClusterError("CLUSTER_DATABASE_EXISTS", {"name": name})
        _create(session, name, None if template is None else checked_name(template))


def drop_database(cluster: Cluster, name: str) -> None:
    """Drop a database with its open sessions; nothing happens where there is none."""
    statement = sql.SQL("drop database if exists {} with (force)")
    with _admin(cluster) as session:
        session.execute(statement.format(sql.Identifier(checked_name(name))))


def database_exists(cluster: Cluster, name: str) -> bool:
    """Say whether a database is there."""
    with _admin(cluster) as session:
        return _exists(session, name)


def prepare_database(cluster: Cluster, name: str) -> None:
    """Make a database ready for migrations: extensions there and current, ``public`` closed.

    Calling it twice, or from two processes at once, equals calling it once.
    """
    checked_name(name)
    with _admin(cluster) as session:
        session.execute("select pg_advisory_lock(hashtextextended(%s, 0))", [name])
        if not _exists(session, name):
            _create(session, name, None)
        with _admin(cluster, name) as inside:
            for extension in EXTENSIONS:
                _ensure_extension(inside, extension)
            inside.execute("revoke create on schema public from public")


def _ensure_extension(session: psycopg.Connection, extension: str) -> None:
    row = session.execute(
        "select installed_version, default_version from pg_available_extensions where name = %s",
        [extension],
    ).fetchone()
    if row is None:
        raise ClusterError("CLUSTER_NO_EXTENSION", {"extension": extension})
    installed, default = row
    verb = None
    if installed is None:
        verb = sql.SQL("create extension if not exists {}")
    elif installed != default:  # the package was upgraded under the database
        verb = sql.SQL("alter extension {} update")
    if verb is not None:
        session.execute(verb.format(sql.Identifier(extension)))
