"""``tanhui period``: monitoring periods, submitted, verified by another, shown with their plan."""

from uuid import UUID

import typer

from registry import periods
from registry.db import transaction
from registry.reads import books
from web import database
from web.cli import period_plots
from web.cli.acting import Json
from web.cli.asking import ask
from web.cli.telling import tell

app = typer.Typer(no_args_is_help=True, help="监测期 Monitoring periods.")
app.add_typer(period_plots.app, name="plots")
ask(app, "submit", periods.submit, periods.SubmitPeriod)
ask(app, "verify", periods.verify, periods.VerifyPeriod, subject="period_id")
ask(app, "refuse", periods.refuse, periods.RefusePeriod, subject="period_id")


@app.command()
def show(period: UUID, *, json: Json = False) -> None:
    """Show a period with the steps of its plan and its batches."""
    with transaction(database.app_engine()) as session:
        found = books.period(session, period)
    tell(found, as_json=json)
