"""``tanhui settlement``: a vintage's money, drafted, checked, approved by two, paid, published."""

from uuid import UUID

import typer

from options import sale_reads, settlement
from registry.db import transaction
from web import database
from web.cli.acting import Json
from web.cli.asking import ask
from web.cli.telling import tell

app = typer.Typer(no_args_is_help=True, help="结算 Settlements.")
_ONE = settlement.SettlementCommand

ask(app, "draft", settlement.draft, settlement.DraftSettlement, subject="lot_id")
ask(app, "check", settlement.check, _ONE, subject="settlement_id")
ask(app, "reopen", settlement.reopen, _ONE, subject="settlement_id")
ask(app, "approve", settlement.approve, _ONE, subject="settlement_id")
ask(app, "start-payment", settlement.start_payment, _ONE, subject="settlement_id")
ask(
    app,
    "pay",
    settlement.confirm_payment,
    settlement.ConfirmSettlementPayment,
    subject="settlement_id",
)
ask(app, "publish", settlement.publish, settlement.PublishSettlement, subject="settlement_id")


@app.command()
def show(settlement: UUID, *, json: Json = False) -> None:
    """Show a settlement with its lines and what was paid of each."""
    with transaction(database.app_engine()) as session:
        found = sale_reads.settlement(session, settlement)
    tell(found, as_json=json)
