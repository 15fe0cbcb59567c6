"""The roles of the cluster; they are cluster-wide, so no migration of one database makes them."""

import psycopg
from psycopg import sql

from registry.cluster.names import APP, OWNER

_PLAIN = "nosuperuser nocreatedb nocreaterole noreplication nobypassrls inherit"
ROLES = {OWNER: f"nologin {_PLAIN}", APP: f"login {_PLAIN}"}


def ensure_roles(session: psycopg.Connection) -> None:
    """Create the owner and the application role, and set their attributes right."""
    for name, attributes in ROLES.items():
        known = session.execute("select 1 from pg_roles where rolname = %s", [name]).fetchone()
        verb = sql.SQL("alter role {} {}" if known else "create role {} {}")
        session.execute(verb.format(sql.Identifier(name), sql.SQL(attributes)))
