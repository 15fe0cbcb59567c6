"""From what a person names to one raster file: fetched, put together, and laid on other cells."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from geo.aligning import Alignment, align, usual_alignment
from geo.mosaic import mosaic
from geo.raster import Grid, RasterError, file_sha256, open_layer
from registry.layers import codes_of
from registry.raster_sources import fetch, is_address


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a raster layer is to be made of.

    Attributes
    ----------
    names : files, folders of GeoTIFFs, or addresses; several are put together.
    grid : the cells to lay it on; None leaves it on its own.
    method : how; None takes the usual one of the kind.
    """

    names: Sequence[str]
    kind: str
    nodata: float | None = None
    band: int | None = None
    grid: Grid | None = None
    method: Alignment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """One file, and what it was made from where it was made here."""

    path: Path
    nodata: float | None
    band: int | None
    made_from: Mapping[str, str] = field(default_factory=dict)


def gather(
    wanted: Wanted,
    room: Path,
    *,
    allowed: Sequence[str],
    progress: Callable[[int, int], None] | None = None,
) -> Gathered:
    """Bring what is named into one raster file.

    Parameters
    ----------
    wanted : names, kind, and the cells to lay it on.
    room : folder for copies; the result may lie in it.
    allowed, progress : as of `registry.raster_sources.fetch`.

    Raises
    ------
    geo.raster.RasterError, registry.errors.RegistryError : what is wrong with a part.
    """
    parts = [
        part
        for number, name in enumerate(wanted.names)
        for part in _parts(name, room / f"part-{number}", allowed, progress)
    ]
    made = Gathered(path=parts[0], nodata=wanted.nodata, band=wanted.band)
    if len(parts) > 1:
        made = _put_together(parts, wanted, room)
    return made if wanted.grid is None else _laid(made, wanted, wanted.grid, room)


def _parts(
    name: str,
    room: Path,
    allowed: Sequence[str],
    progress: Callable[[int, int], None] | None,
) -> list[Path]:
    if is_address(name):
        room.mkdir()
        return [fetch(name, room, allowed=allowed, progress=progress)]
    path = Path(name)
    if path.is_dir():
        found = sorted(one for one in path.iterdir() if one.suffix.lower() in {".tif", ".tiff"})
        if found:
            return found
    if not path.is_file():
        raise RasterError("RASTER_UNREADABLE", file=name, row=0)
    return [path]


def _put_together(parts: Sequence[Path], wanted: Wanted, room: Path) -> Gathered:
    out = room / f"{parts[0].stem}-and-{len(parts) - 1}-more.tif"
    mosaic(parts, out, kind=wanted.kind, nodata=wanted.nodata, band=wanted.band)
    digests = {f"part {part.name}": file_sha256(part) for part in parts}
    return Gathered(path=out, nodata=None, band=None, made_from=digests)


def _laid(made: Gathered, wanted: Wanted, grid: Grid, room: Path) -> Gathered:
    """Lay a file on other cells; one that lies there already stays as it is."""
    kind = wanted.kind
    layer = open_layer(
        made.path, kind=kind, nodata=made.nodata, band=made.band, allowed=codes_of(kind)
    )
    if layer.grid == grid:
        return made
    method = wanted.method or usual_alignment(layer)
    out = room / f"{made.path.stem}-{method.value}.tif"
    align(layer, grid, out, method=method)
    origin = made.made_from or {f"file {layer.name}": layer.sha256}
    told = {**origin, "alignment": method.value, "from_grid": layer.grid.in_words()}
    return Gathered(path=out, nodata=None, band=None, made_from=told)
