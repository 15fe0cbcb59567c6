"""``tanhui db``: prepare, migrate and look at the database."""

from typing import Annotated

import typer

from registry import migrate
from web import database
from web.cli.output import show
from web.preparing import prepare

app = typer.Typer(no_args_is_help=True, help="数据库 The database.")
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output")]


@app.command("migrate")
def migrate_() -> None:
    """Start the private cluster if it is ours, and bring the database to this version."""
    prepare(say=typer.echo)
    typer.echo(f"数据库已就绪 database at {migrate.head()}")


@app.command()
def check(*, json: Json = False) -> None:
    """Refuse unless the database is at this program's version."""
    migrate.require_current(database.app_engine())
    show({"schema": migrate.head()}, as_json=json, lines=[f"schema {migrate.head()}"])
