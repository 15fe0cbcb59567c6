"""The command line: ``tanhui <noun> <verb>``; one file a noun.

Exit codes: 0 done, 1 refused (with findings), 2 usage.
"""

import sys

import typer

from web.cli import db, demo, factor, parcel, run, serve
from web.cli.output import refuse

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="碳汇 Tanhui: a county's carbon sink registry.",
)
app.add_typer(db.app, name="db")
app.add_typer(parcel.app, name="parcel")
app.add_typer(demo.app, name="demo")
app.add_typer(factor.app, name="factor")
app.command("run")(run.run)
app.command("serve")(serve.serve)


def main() -> None:
    """Run the command line; a refusal becomes one clear answer and exit code 1."""
    try:
        app()
    except Exception as error:  # noqa: BLE001 -- the edge: every refusal gets words here
        sys.exit(refuse(error))
