"""``tanhui layer``: take rasters in and look at them."""

from pathlib import Path
from typing import Annotated

import typer

from registry import layers
from registry.db import perform, transaction
from web import database
from web.cli.acting import As, Json, acting, key_of, now
from web.cli.output import show
from web.config import settings

app = typer.Typer(no_args_is_help=True, help="图层 Layers.")


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="A GeoTIFF of one kind of value")],
    *,
    kind: Annotated[str, typer.Option(help=", ".join(layers.KINDS))],
    year: Annotated[int, typer.Option(help="The year whose 31 December it shows")],
    source: Annotated[str, typer.Option(help="Where it comes from")],
    licence: Annotated[str, typer.Option(help="Under which licence it may be used")],
    nodata: Annotated[float | None, typer.Option(help="If the file does not say")] = None,
    band: Annotated[int | None, typer.Option(help="Band, counting from 1")] = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Read a raster wholly, refuse it for any fault, and keep it by its SHA-256."""
    taken = layers.take_file(file, kind=kind, folder=settings().layer_dir, nodata=nodata, band=band)
    command = layers.RegisterLayer(
        at=now(),
        actor_id=acting(as_),
        key=key_of("layer", taken, kind, year, source, licence),
        file=taken,
        kind=kind,
        year=year,
        source=source,
        licence=licence,
    )
    view = perform(database.app_engine(), layers.register_layer, command)
    show(view, as_json=json, lines=[_line(view)])


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
        f"{view.id}  {view.kind:<12} {view.year}  {view.width} x {view.height}"
        f" @ {view.cell_m:g} m {view.crs}  {view.sha256[:12]}  {view.name}"
    )
