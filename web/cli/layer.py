"""``tanhui layer``: take rasters in and look at them."""

import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from geo.aligning import Alignment
from geo.raster import Grid
from registry import layers
from registry.db import perform, transaction
from registry.raster_intake import Wanted, gather
from web import database
from web.cli.acting import As, Json, acting, key_of, now
from web.cli.output import show
from web.config import settings

app = typer.Typer(no_args_is_help=True, help="图层 Layers.")


@app.command()
def add(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="GeoTIFFs, folders of them, or addresses under TANHUI_RASTER_SOURCES;"
            " several are put together as one",
        ),
    ],
    *,
    kind: Annotated[str, typer.Option(help=", ".join(layers.KINDS))],
    year: Annotated[int, typer.Option(help="The year whose 31 December it shows")],
    source: Annotated[str, typer.Option(help="Where it comes from")],
    licence: Annotated[str, typer.Option(help="Under which licence it may be used")],
    nodata: Annotated[float | None, typer.Option(help="If the file does not say")] = None,
    band: Annotated[int | None, typer.Option(help="Band, counting from 1")] = None,
    align_to: Annotated[
        UUID | None, typer.Option(help="Lay it on the cells of this layer", metavar="LAYER")
    ] = None,
    method: Annotated[
        Alignment | None,
        typer.Option(help="How, with --align-to; classes take nearest only"),
    ] = None,
    observed_on: Annotated[
        datetime | None, typer.Option("--on", help="Day of the image", formats=["%Y-%m-%d"])
    ] = None,
    scale: Annotated[
        float, typer.Option(help="Value of 1 in a cell: 0.0001 for NDVI in whole numbers")
    ] = 1.0,
    as_: As = None,
    json: Json = False,
) -> None:
    """Read a raster wholly, refuse it for any fault, and keep it by its SHA-256."""
    config = settings()
    wanted = Wanted(
        names=sources, kind=kind, nodata=nodata, band=band, grid=_grid(align_to), method=method
    )
    with tempfile.TemporaryDirectory(dir=_made(config.state_dir), prefix=".layer-") as room:
        found = gather(
            wanted, Path(room), allowed=config.raster_prefixes, progress=None if json else _tell
        )
        taken = layers.take_file(
            found.path,
            kind=kind,
            folder=config.layer_dir,
            nodata=found.nodata,
            band=found.band,
            made_from=found.made_from,
            scale=scale,
            year=year,
        )
    day = observed_on.date() if observed_on else None
    command = layers.RegisterLayer(
        at=now(),
        actor_id=acting(as_),
        key=key_of("layer", taken, kind, year, day, source, licence),
        file=taken,
        kind=kind,
        year=year,
        source=source,
        licence=licence,
        observed_on=day,
    )
    view = perform(database.app_engine(), layers.register_layer, command)
    show(view, as_json=json, lines=[_line(view)])


def _grid(align_to: UUID | None) -> Grid | None:
    if align_to is None:
        return None
    with transaction(database.app_engine()) as session:
        return layers.rasters(session, [align_to], settings().layer_dir)[align_to].grid


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _tell(done: int, whole: int) -> None:
    """Say how much of an address is here, on one line."""
    end = "\n" if done == whole else ""
    print(f"\r{done / 1e6:,.0f} / {whole / 1e6:,.0f} MB", end=end, file=sys.stderr, flush=True)


@app.command("list")
def list_(
    *,
    kind: Annotated[str | None, typer.Option(help="Only this kind")] = None,
    json: Json = False,
) -> None:
    """List the layers, the newest year of each kind first."""
    with transaction(database.app_engine()) as session:
        found = layers.listing(session, kind=kind)
    show([*map(_plain, found)], as_json=json, lines=[_line(view) for view in found])


def _plain(view: layers.LayerView) -> dict[str, object]:
    return {name: getattr(view, name) for name in view.__slots__}


def _line(view: layers.LayerView) -> str:
    return (
        f"{view.id}  {view.kind:<12} {view.observed_on or view.year}  {view.width} x {view.height}"
        f" @ {view.cell_m:g} m {view.crs}  {view.sha256[:12]}  {view.name}"
    )
