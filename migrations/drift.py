"""Hold three things against each other: the models, the migrations, and ``schema.sql``.

``alembic check`` sees tables and columns; the dump sees checks, exclusions, functions, triggers,
policies and grants.  ``python -m migrations.drift check|write``.
"""

import difflib
import re
import subprocess
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from registry import cluster, migrate
from registry.cluster import binaries as programs
from registry.cluster.server import data_major
from web.config import settings

SCHEMA = Path(__file__).resolve().parent / "schema.sql"
NAME = "tanhui_drift"


def main(act: str) -> int:
    """Migrate an empty database; compare it, or write its dump."""
    running = cluster.ensure_running(settings().cluster_dir, say=print)
    cluster.drop_database(running, NAME)
    cluster.prepare_database(running, NAME)
    try:
        engine = create_engine(cluster.database_url(running, NAME, "tanhui_admin"))
        migrate.upgrade(engine)
        with engine.begin() as connection:
            config = Config(migrate.FOLDER / "alembic.ini")
            config.attributes["connection"] = connection
            command.check(config)
        engine.dispose()
        found = dump(running)
    finally:
        cluster.drop_database(running, NAME)
    if act == "write":
        SCHEMA.write_text(found, encoding="utf-8")
        return 0
    kept = SCHEMA.read_text(encoding="utf-8") if SCHEMA.exists() else ""
    changes = list(difflib.unified_diff(kept.splitlines(), found.splitlines(), lineterm="", n=1))
    for line in changes[:60]:
        print(line)
    if changes:
        print("migrations/schema.sql is not what the migrations make: run `make schema`")
    return 1 if changes else 0


def dump(running: cluster.Cluster) -> str:
    """Return the schema as SQL, without what differs between machines or extension versions."""
    dumped = subprocess.run(
        [
            str(programs.find(data_major(running.data_dir)).bindir / "pg_dump"),
            "--schema-only",
            "--no-comments",
            "--schema=public",
            f"--dbname={cluster.conninfo(running, NAME, 'tanhui_admin')}",
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    lines = [
        line
        for line in dumped.splitlines()
        if line and not re.match(r"--|SET |SELECT pg_catalog|\\(un)?restrict", line)
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
