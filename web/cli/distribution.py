"""``tanhui distribution``: a collective's year, to its share register, to the fen."""

from uuid import UUID

import typer

from options import distribution, money_reads
from registry.db import transaction
from web import database
from web.cli.acting import Json
from web.cli.asking import ask
from web.cli.telling import tell

app = typer.Typer(no_args_is_help=True, help="集体收益分配 Distributions.")
ask(app, "run", distribution.distribute, distribution.Distribute)


@app.command()
def show(distribution: UUID, *, json: Json = False) -> None:
    """Show a distribution; names are masked."""
    with transaction(database.app_engine()) as session:
        found = money_reads.distribution(session, distribution)
    tell(found, as_json=json)
