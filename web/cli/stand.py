"""``tanhui stand``: what happened to a parcel's stands, for assessments to read."""

from uuid import UUID

import typer

from registry import stand_events
from registry.db import transaction
from web import database
from web.cli.acting import As, Json, acting
from web.cli.asking import ask
from web.cli.output import show
from web.cli.telling import tell

app = typer.Typer(no_args_is_help=True, help="林分事件 Thinning, harvest, fire, planting.")
ask(app, "record", stand_events.record, stand_events.RecordStandEvent, subject="parcel_id")
ask(app, "withdraw", stand_events.withdraw, stand_events.WithdrawStandEvent, subject="event_id")


@app.command("list")
def list_(parcel: UUID, *, history: bool = False, as_: As = None, json: Json = False) -> None:
    """List what happened to a parcel's stands; with ``--history`` also what was corrected."""
    with transaction(database.app_engine(), actor_id=acting(as_)) as session:
        found = stand_events.listing(session, parcel, history=history)
    if json:
        tell(found, as_json=True)
        return
    lines = [_line(one) for one in found]
    show(None, as_json=False, lines=lines or ["没有事件 No event"])


def _line(one: stand_events.StandEventView) -> str:
    share = f"{one.touched_ppm / 1e4:g} % × {one.intensity_ppm / 1e4:g} %"
    said = [
        "（计划 planned）" if one.planned else "",
        "（已撤回 withdrawn）" if one.withdrawn else "",
    ]
    return f"{one.year}  {one.kind}  {share}  {one.source}  {one.id}{''.join(said)}"
