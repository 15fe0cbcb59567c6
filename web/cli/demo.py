"""``tanhui demo``: make the demo county, tell its story."""

import json as plain_json
from pathlib import Path
from typing import Annotated

import typer

from geo.synthetic import GENERATOR_VERSION, SIZES, make_county
from web import database
from web.cli.acting import Json
from web.cli.output import show
from web.config import settings
from web.demo import real as real_files
from web.demo.story import tell
from web.demo.teller import Teller
from web.preparing import prepare

app = typer.Typer(no_args_is_help=True, help="演示县 The demo county.")
Size = Annotated[str, typer.Option(help=f"One of {', '.join(SIZES)}")]


@app.command()
def make(
    *,
    size: Size = "small",
    seed: Annotated[int, typer.Option(help="Another seed, another county")] = 330800,
    out: Annotated[Path | None, typer.Option(help="Folder; var/demo/SIZE if not given")] = None,
    json: Json = False,
) -> None:
    """Make the county's files: parcels, defects with their truth, layers, people, orchards."""
    if size not in SIZES:
        raise typer.BadParameter(size)
    county = make_county(size=size, seed=seed, out_dir=out or folder(size))
    show(
        {
            "folder": str(county.root),
            "parcels": county.parcels,
            "defects": len(county.truth),
            "sha256": county.sha256,
        },
        as_json=json,
        lines=[f"{county.root}: {county.parcels} parcels, {len(county.truth)} defects"],
    )


@app.command()
def story(*, size: Size = "small", json: Json = False) -> None:
    """Tell the county's story on the database: every verb once, every balance as a check."""
    prepare(say=lambda _line: None)
    teller = Teller(
        engine=database.app_engine(),
        folder=made(size),
        state=settings().state_dir,
        say=(lambda _line: None) if json else typer.echo,
    )
    told = tell(teller)
    lines = [
        f"  {'✓' if check.holds else '✗'} {check.name}  [{check.figure}]" for check in told.checks
    ]
    show(told, as_json=json, lines=[*lines, "holds" if told.holds else "DOES NOT HOLD"])
    if not told.holds:
        raise typer.Exit(1)


@app.command()
def real(*, json: Json = False) -> None:
    """Run the same verbs over real files in TANHUI_EXTRA_DATA, in a database made anew."""
    data = settings().extra_data
    if data is None or not data.is_dir():
        reason = f"TANHUI_EXTRA_DATA 未指向文件夹，跳过 / names no folder: skipped ({data})"
        show({"skipped": [reason]}, as_json=json, lines=[reason])
        return
    teller = Teller(
        engine=real_files.make_database(),
        folder=data,
        state=settings().state_dir,
        say=(lambda _line: None) if json else typer.echo,
    )
    told = real_files.tell(teller)
    lines = [f"  {'✓' if c.holds else '✗'} {c.name}  [{c.figure}]" for c in told.checks]
    lines += [f"  跳过 skipped {name}" for name in told.skipped]
    show(told, as_json=json, lines=[*lines, "holds" if told.holds else "DOES NOT HOLD"])
    if not told.holds:
        raise typer.Exit(1)


def made(size: str) -> Path:
    """Return the folder of a demo county, made now if it is missing or of an older generator."""
    found = folder(size)
    manifest = found / "manifest.json"
    known = plain_json.loads(manifest.read_text(encoding="utf-8")) if manifest.exists() else {}
    if known.get("generator_version") != GENERATOR_VERSION:
        make_county(size=size, out_dir=found)
    return found


def folder(size: str) -> Path:
    """Return where a demo county of a size lies."""
    return settings().state_dir / "demo" / size
