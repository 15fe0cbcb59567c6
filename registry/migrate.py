"""Bring a database to the schema this program needs, and say whether it is there."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from registry.errors import SchemaOutdatedError

FOLDER = Path(__file__).resolve().parent.parent / "migrations"


def upgrade(admin: Engine, *, to: str = "head") -> None:
    """Migrate the database of ``admin``, whose user may become ``tanhui_owner``."""
    with admin.begin() as connection:
        connection.execute(text(_ROLES))
        config = Config(FOLDER / "alembic.ini")
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def downgrade(admin: Engine, *, to: str) -> None:
    """Undo migrations down to revision ``to``; used by the round-trip test."""
    with admin.begin() as connection:
        config = Config(FOLDER / "alembic.ini")
        config.attributes["connection"] = connection
        command.downgrade(config, to)


@cache
def head() -> str:
    """Return the revision this program needs."""
    revision = ScriptDirectory(str(FOLDER)).get_current_head()
    assert revision is not None  # noqa: S101 -- the repository holds migrations
    return revision


def require_current(engine: Engine) -> None:
    """Raise unless the database is at this program's revision.

    Raises
    ------
    SchemaOutdatedError : names the revision found and the one needed.
    """
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found != head():
        raise SchemaOutdatedError(found=found or "-", needed=head())


_ROLES = """
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tanhui_owner') THEN
    CREATE ROLE tanhui_owner NOLOGIN;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tanhui_app') THEN
    CREATE ROLE tanhui_app LOGIN NOBYPASSRLS;
  END IF;
END $$
"""
