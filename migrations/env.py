"""Alembic's entry: the schema is owned by tanhui_owner, made by whoever may become it."""

from alembic import context
from geoalchemy2 import alembic_helpers
from sqlalchemy import Connection, text

import options.models  # noqa: F401 -- its foreign keys need both on one metadata
import registry.models  # noqa: F401
import web.accounts.models  # noqa: F401
from registry.db import Base

POSTGIS_TABLES = {"spatial_ref_sys"}


def include_object(thing, name, type_, reflected, compare_to) -> bool:
    """Leave PostGIS's and the queue's own tables alone; compare ours."""
    if type_ == "table" and (name in POSTGIS_TABLES or name.startswith("procrastinate_")):
        return False
    return alembic_helpers.include_object(thing, name, type_, reflected, compare_to)


def run(connection: Connection) -> None:
    """Run the migrations in one transaction, as the owner, not waiting long for any lock."""
    connection.execute(text("SET lock_timeout = '10s'"))
    connection.execute(text("SET ROLE tanhui_owner"))
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_object=include_object,
        process_revision_directives=alembic_helpers.writer,
        render_item=alembic_helpers.render_item,
        compare_server_default=False,
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
