"""``tanhui county``: begin a county without demo rows."""

from typing import Annotated

import typer

from registry import divisions, people, programmes
from registry.db import SYSTEM_ACTOR, perform
from web import database
from web.cli.acting import now
from web.demo.county import division_rows
from web.preparing import prepare

app = typer.Typer(no_args_is_help=True, help="县 A county.")


@app.command()
def init(
    *,
    adcode: Annotated[str, typer.Option(help="Six-digit code, one of Quzhou's")],
    name: Annotated[str, typer.Option(help="Name of the collection company")],
) -> None:
    """Make an empty county: divisions, company, programmes with thresholds; safe to repeat."""
    rows = list(division_rows())
    mine = [
        row
        for row in rows
        if row.code.startswith(adcode) or row.code in {"330000000000", f"{adcode[:4]}00000000"}
    ]
    if divisions.full_code(adcode) not in {row.code for row in mine}:
        raise typer.BadParameter(adcode)
    prepare(say=typer.echo)
    engine = database.app_engine()
    load = divisions.LoadDivisions(
        at=now(),
        actor_id=SYSTEM_ACTOR,
        key=f"county:{adcode}:divisions",
        valid_from_year=2023,
        source="国家统计局（china-division 2.7.0，MIT）；边界：天地图，示意",
        rows=mine,
    )
    loaded = perform(engine, divisions.load, load)
    party = people.AddParty(
        at=now(),
        actor_id=SYSTEM_ACTOR,
        key=f"county:{adcode}:company",
        kind="company",
        name=name,
        division_code=adcode,
        reference=f"COMPANY-{adcode}",
    )
    perform(engine, people.add_party, party)
    for programme, source in programmes.packaged().items():
        adopt = programmes.AdoptProgramme(
            at=now(),
            actor_id=SYSTEM_ACTOR,
            key=f"county:{adcode}:programme:{programme}",
            source=source,
        )
        perform(engine, programmes.adopt, adopt)
    typer.echo(
        f"{adcode} {name}: {loaded.new} 个区划 divisions, {len(programmes.packaged())} 个方案"
    )
    typer.echo("下一步 Next: tanhui parcel import FILE --division " + adcode)
