"""``tanhui subscription``: a buyer's contract from reservation to payment, or back."""

from uuid import UUID

import typer

from options import payments, reads, refunds, subscriptions
from registry.db import transaction
from web import database
from web.cli.acting import Json
from web.cli.asking import ask
from web.cli.telling import tell

app = typer.Typer(no_args_is_help=True, help="认购 Subscriptions.")
_ONE = subscriptions.SubscriptionCommand

ask(app, "reserve", subscriptions.reserve, subscriptions.Reserve, subject="lot_id")
ask(app, "sign", subscriptions.sign, subscriptions.Sign, subject="subscription_id")
ask(app, "undo", subscriptions.undo, _ONE, subject="subscription_id")
ask(app, "release", subscriptions.release, _ONE, subject="subscription_id")
ask(
    app,
    "pay",
    payments.record_payment,
    payments.RecordPayment,
    subject="subscription_number",
)
ask(app, "cool-off", refunds.withdraw_in_cooling_off, _ONE, subject="subscription_id")
ask(app, "refund", refunds.refund_shortfall, refunds.RefundShortfall, subject="lot_id")
ask(app, "confirm-refund", refunds.confirm_refund, refunds.ConfirmRefund, subject="refund_id")


@app.command()
def show(subscription: UUID, *, json: Json = False) -> None:
    """Show a contract with its lines."""
    with transaction(database.app_engine()) as session:
        found = reads.subscription_page(session, subscription)
    tell(found, as_json=json)
