"""``tanhui exclusion``: load basic farmland, red lines and wetland, and list what is loaded."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, cast

import typer

from geo.intake import examine
from registry import exclusions
from registry.db import perform, transaction
from web import database
from web.cli.acting import As, Json, acting, file_sha256, key_of, now
from web.cli.output import show

app = typer.Typer(no_args_is_help=True, help="排除图层 Exclusion layers.")


@app.command()
def load(
    file: Annotated[Path, typer.Argument(help="GeoJSON, GeoPackage, Shapefile or KML")],
    *,
    kind: Annotated[str, typer.Option(help=" / ".join(exclusions.KINDS))],
    first: Annotated[int | None, typer.Option(help="First year it counts; always if none")] = None,
    last: Annotated[int | None, typer.Option(help="Last year it counts")] = None,
    crs: Annotated[str | None, typer.Option(help="Reference system if the file has none")] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of the names")] = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Load every shape that has ground; the same file again changes nothing."""
    if (first is None) != (last is None):
        raise typer.BadParameter("--first 与 --last 须同时给出 give both or neither")
    intake = examine(file, crs=crs, encoding=encoding)
    sha256 = file_sha256(file)
    command = exclusions.LoadExclusion(
        at=now(),
        actor_id=acting(as_),
        key=key_of("exclusion", kind, sha256, first, last),
        kind=cast("exclusions.ExclusionKind", kind),
        file_name=file.name,
        file_sha256=sha256,
        years=None if first is None or last is None else (first, last),
    )
    done = perform(
        database.app_engine(),
        partial(exclusions.load, intake=intake),
        command,
    )
    word = "已载入 loaded" if done.new else "早已载入 loaded before"
    lines = [f"{kind}: {done.read} 读 read, {done.loaded} {word}, {done.skipped} 跳过 skipped"]
    show(done, as_json=json, lines=lines)


@app.command("list")
def list_(*, as_: As = None, json: Json = False) -> None:
    """List the loaded files by kind: shapes, years, digest."""
    with transaction(database.app_engine(), actor_id=acting(as_)) as session:
        found = exclusions.listing(session)
    lines = [
        f"{one.kind:<16} {one.shapes:>7}  {one.years or '—'}  {one.name}  {one.sha256[:12]}"
        for one in found
    ]
    show(
        [asdict(one) for one in found],
        as_json=json,
        lines=lines or ["没有排除图层 No exclusion layer"],
    )
