"""``tanhui lot``: forest assembled, examined, put on notice, resolved, pre-stored and sold."""

from uuid import UUID

import typer

from options import lots, pre_store, reads, trees
from registry.db import transaction
from web import database
from web.cli.acting import Json
from web.cli.asking import ask
from web.cli.output import show as say
from web.cli.telling import tell

app = typer.Typer(no_args_is_help=True, help="资产包 Lots on sale.")


@app.command("list")
def list_(*, json: Json = False) -> None:
    """List the lots."""
    with transaction(database.app_engine()) as session:
        found = reads.lot_list(session)
    if json:
        tell([_plain(view) for view in found], as_json=True)
        return
    words = [f"{v.lot_id}  {v.number}  {v.sale_state}  {v.unit}  {v.title}" for v in found]
    say(None, as_json=False, lines=words or ["没有资产包 No lot"])


@app.command()
def show(lot: UUID, *, json: Json = False) -> None:
    """Show a lot with its offers, parcels and steps."""
    with transaction(database.app_engine()) as session:
        found = reads.lot_page(session, lot)
    tell(found, as_json=json)


for _name, _verb, _kind in (
    ("submit", lots.submit, lots.LotCommand),
    ("review", lots.review, lots.ReviewLot),
    ("notice", lots.publish_notice, lots.PublishNotice),
    ("object", lots.file_objection, lots.FileObjection),
    ("resolve", lots.record_mandate, lots.RecordMandate),
    ("pre-store", pre_store.pre_store, pre_store.PreStore),
    ("list-for-sale", lots.list_lot, lots.LotCommand),
    ("close", lots.close_sale, lots.EndSale),
    ("withdraw", lots.withdraw, lots.EndSale),
    ("report-forest", lots.report_forest, lots.ReportForest),
    ("make-packs", trees.make_packs, trees.MakePacks),
    ("deliver-trees", trees.deliver_trees, trees.DeliverTrees),
):
    ask(app, _name, _verb, _kind, subject="lot_id")
ask(app, "create", lots.draft_lot, lots.DraftLot)
ask(app, "answer", lots.answer_objection, lots.AnswerObjection, subject="objection_id")


def _plain(view: reads.LotView) -> dict[str, object]:
    return {name: getattr(view, name) for name in view.__slots__}
