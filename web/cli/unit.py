"""``tanhui unit``: one serial a kilogram, from issuance to retirement and its certificate."""

from functools import partial
from uuid import UUID

import typer

from options import delivery
from registry import certificates, issuance, keys, retirement, transfers
from registry.db import transaction
from registry.reads import books
from web import database
from web.cli.acting import Json
from web.cli.asking import ask
from web.cli.telling import tell
from web.config import settings

app = typer.Typer(no_args_is_help=True, help="碳汇单位 Units.")


def _certify() -> partial[certificates.Certified]:
    key = keys.signing_key(settings().state_dir / "keys" / "registry.pem")
    return partial(certificates.certify_retirement, key=key)


ask(app, "issue", delivery.issue_period, issuance.IssuePeriod, subject="period_id")
ask(app, "deliver", delivery.deliver_period, delivery.DeliverPeriod, subject="period_id")
ask(app, "transfer", transfers.transfer, transfers.TransferUnits)
ask(app, "retire", retirement.retire, retirement.RetireUnits)
ask(app, "cancel-buffer", retirement.cancel_buffer, retirement.CancelBuffer)
ask(
    app,
    "certify",
    certificates.certify_retirement,
    certificates.CertifyRetirement,
    subject="retirement_id",
    prepared=_certify,
)
ask(app, "revoke", certificates.revoke, certificates.RevokeCertificate, subject="number")


@app.command()
def show(serial: str, *, json: Json = False) -> None:
    """Show what became of a serial or a range of them."""
    with transaction(database.app_engine()) as session:
        found = certificates.serial_state(session, serial)
    tell(found, as_json=json)


@app.command()
def holdings(party: UUID, *, json: Json = False) -> None:
    """Show the units a party holds, range by range."""
    with transaction(database.app_engine()) as session:
        found = books.holdings(session, party)
    tell(found, as_json=json)


@app.command()
def certificate(number: str, *, json: Json = False) -> None:
    """Show a certificate by its number, with its state now."""
    with transaction(database.app_engine()) as session:
        found = certificates.look_up(session, number)
    tell(found, as_json=json)
