"""``tanhui tree``: numbered trees of village ground, and the packs they stand in."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from options import groves, tree_reads
from options.refusals import PackNotFoundError
from registry.db import transaction
from registry.people import actor as actor_of
from web import database
from web.cli.acting import As, Json, acting, key_of, now
from web.cli.asking import DryRun, act, ask
from web.cli.output import show as say
from web.cli.telling import tell
from web.tree_table import read_table

app = typer.Typer(no_args_is_help=True, help="编号树木 Numbered trees.")


@app.command("groves")
def groves_(
    *,
    village: Annotated[str, typer.Option(help="区划代码或前几位 division code or its start")] = "",
    as_: As = None,
    json: Json = False,
) -> None:
    """List parcels of kind tree with what stands on them."""
    with transaction(database.app_engine()) as session:
        who = actor_of(session, acting(as_))
        found = tree_reads.groves(session, who, tree_reads.GroveQuery(village=village))
    tell(found, as_json=json)


@app.command("list")
def list_(
    parcel: UUID,
    *,
    after: Annotated[int, typer.Option(help="从此树号之后 after this number")] = 0,
    as_: As = None,
    json: Json = False,
) -> None:
    """List the trees of a parcel by number."""
    with transaction(database.app_engine()) as session:
        who = actor_of(session, acting(as_))
        query = tree_reads.TreeQuery(parcel_id=parcel, after=after, limit=500)
        found = tree_reads.trees(session, who, query)
    words = [
        f"{t.number:>5}  {t.status:<5}  {t.species}  {t.planted_on or t.planted_year}"
        f"  {t.lon:.7f} {t.lat:.7f}  {t.pack_code or '—'}"
        for t in found.items
    ]
    if json:
        tell(found, as_json=True)
        return
    say(None, as_json=False, lines=words or ["没有树木 No tree"])


@app.command()
def pack(code: str, *, json: Json = False) -> None:
    """Show a pack with its contract and every tree."""
    with transaction(database.app_engine()) as session:
        pack_id = tree_reads.pack_by_code(session, code)
        if pack_id is None:
            raise PackNotFoundError(pack=code)
        found = tree_reads.record(session, pack_id)
    tell(found, as_json=json)


@app.command("import")
def import_(
    parcel: UUID,
    file: Annotated[Path, typer.Argument(help="CSV: 树号,树种,经度,纬度,种植日期")],
    *,
    owner: Annotated[UUID | None, typer.Option(help="权利人 whose; the parcel's owner")] = None,
    as_: As = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Register every tree of a table, or say everything that is wrong with it."""
    data = file.read_bytes()
    command = groves.RegisterTrees(
        at=now(),
        actor_id=acting(as_),
        key=key_of("trees", parcel, owner, data.hex()),
        parcel_id=parcel,
        trees=read_table(data),
        owner_id=owner,
    )
    tell(act(groves.register_trees, command, dry_run=dry_run), as_json=json, rehearsed=dry_run)


for _name, _verb, _kind in (
    ("register", groves.register_trees, groves.RegisterTrees),
    ("report", groves.report_trees, groves.ReportTrees),
    ("replace", groves.replace_trees, groves.ReplaceTrees),
    ("photo", groves.show_tree, groves.ShowTree),
):
    ask(app, _name, _verb, _kind, subject="parcel_id")
