"""Layers: rasters taken in once, kept by the SHA-256 of their bytes, never changed."""

import math
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from geo.patches import loss_values
from geo.raster import Grid, file_sha256, open_layer
from geo.raster import Layer as Raster
from registry import events
from registry.db import Command
from registry.errors import InvalidValueError, NotFoundError, RegistryError
from registry.models import Layer
from sinks import tables

KINDS: Final = (
    "species",
    "age",
    "site",
    "disturbance",
    "dem",
    "land_class",
    "canopy",
    "ndvi",
    "loss",
)
OBSERVED: Final = ("ndvi", "canopy", "loss")
"""Kinds that show what was seen on a day: never one to come."""
LIMITS: Final[Mapping[str, tuple[float, float]]] = {"ndvi": (-1.0, 1.0), "canopy": (0.0, 1.0)}
"""Least and most of a kind's values, after the layer's scale."""
MAX_AGE_YR: Final = 255
LAST_LOSS: Final = 2100
METRES_PER_DEGREE: Final = 111_320.0
"""Of latitude, roughly; only to say a cell's size to a person."""


class LayerChangedError(RegistryError):
    """The file of a layer is gone, or holds other bytes than those it is known by."""

    code = "LAYER_FILE_CHANGED"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenFile:
    """A raster that was read wholly and copied; numbers as their shortest decimal text."""

    name: str
    sha256: str
    dtype: str
    band: int
    nodata: str  # "nan" where that is the value
    grid: Mapping[str, str | int]
    made_from: Mapping[str, str] = field(default_factory=dict)
    """Where the bytes were made here: digests of what they were made from, and the method."""
    scale: str = "1.0"
    """A cell's number times this is the value: 0.0001 for NDVI kept as whole numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterLayer(Command):
    """Enter a raster that `take_file` has read: what it shows, of which year, from whom.

    ``observed_on`` is the day of the image, where it is of one day.
    """

    file: TakenFile
    kind: str
    year: int
    source: str
    licence: str
    observed_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerView:
    """A layer as others see it."""

    id: UUID
    kind: str
    name: str
    sha256: str
    year: int
    crs: str
    width: int
    height: int
    cell_m: float
    nodata: float
    source: str
    licence: str
    observed_on: date | None
    scale: float

    @property
    def shows(self) -> date:
        """The day it shows: that of the image, else the last of its year."""
        return self.observed_on or date(self.year, 12, 31)


def take_file(
    path: Path,
    *,
    kind: str,
    folder: Path,
    nodata: float | None = None,
    band: int | None = None,
    made_from: Mapping[str, str] | None = None,
    scale: float = 1.0,
    year: int | None = None,
) -> TakenFile:
    """Read a raster wholly, refuse it for any fault, and copy it to ``folder`` by its digest.

    Parameters
    ----------
    path : a GeoTIFF.
    kind : one of `KINDS`; species, age and site are held against the growth tables' codes.
    folder : where layers are kept; the copy appears there in one step.
    nodata : value that means "not known", where the file does not say.
    band : number from 1, for a file of several bands.
    made_from : what `registry.raster_intake.gather` tells of a file that was made here.
    scale : a cell's number times this is the value, for NDVI and canopy cover.
    year : the year that a loss raster shows the end of; it holds no later loss.

    Raises
    ------
    geo.raster.RasterError : what is wrong with the file.
    InvalidValueError : an unknown kind; a scale that is none.
    """
    if kind not in KINDS:
        raise InvalidValueError(field="kind", value=kind, why=", ".join(KINDS))
    read = open_layer(
        path,
        kind=kind,
        nodata=nodata,
        band=band,
        allowed=codes_of(kind, year),
        limits=_limits(kind, scale),
    )
    folder.mkdir(parents=True, exist_ok=True)
    kept = layer_path(folder, read.sha256)
    if not kept.exists():
        _copy(path, kept)
    return TakenFile(
        name=path.name,
        sha256=read.sha256,
        dtype=read.dtype,
        band=read.band,
        nodata=repr(read.nodata),
        grid=grid_text(read.grid),
        made_from=made_from or {},
        scale=repr(scale),
    )


def layer_path(folder: Path, sha256: str) -> Path:
    """Return where the layer with this digest is kept."""
    return folder / f"{sha256}.tif"


def register_layer(session: Session, command: RegisterLayer) -> LayerView:
    """Enter the layer; the same bytes of the same kind are the layer that is already there.

    Raises
    ------
    InvalidValueError : a day that is not in the year, or an image of a day to come.
    """
    _check_day(command)
    file = command.file
    digest = bytes.fromhex(file.sha256)
    session.execute(_LOCK, {"sha256": file.sha256})
    known = session.execute(
        text(f"{_SELECT} WHERE sha256 = :sha256 AND kind = :kind"),
        {"sha256": digest, "kind": command.kind},
    ).mappings()
    for row in known:
        return _view(row)
    grid = grid_of(file.grid)
    made = Layer(
        id=uuid4(),
        kind=command.kind,
        name=file.name,
        path=layer_path(Path(), file.sha256).name,
        sha256=digest,
        year=command.year,
        crs=grid.crs,
        width=grid.width,
        height=grid.height,
        cell_m=grid.cell_y * (METRES_PER_DEGREE if grid.is_geographic else 1.0),
        nodata=float(file.nodata),
        dtype=file.dtype,
        band=file.band,
        grid=dict(file.grid),
        source=command.source,
        licence=command.licence,
        observed_on=command.observed_on,
        scale=float(file.scale),
        effective_at=command.at,
    )
    session.add(made)
    session.flush()
    events.record(
        session,
        command,
        kind="layer.registered",
        subject=("layer", str(made.id)),
        body={
            "kind": command.kind,
            "sha256": file.sha256,
            "year": command.year,
            "source": command.source,
            "licence": command.licence,
            **({"made_from": dict(file.made_from)} if file.made_from else {}),
            **({"observed_on": command.observed_on} if command.observed_on else {}),
            **({"scale": file.scale} if float(file.scale) != 1 else {}),
        },
    )
    return get(session, made.id)


def listing(session: Session, *, kind: str | None = None) -> list[LayerView]:
    """Return all layers, or those of one kind, the newest year first."""
    found = session.execute(
        text(
            f"{_SELECT} WHERE CAST(:kind AS text) IS NULL OR kind = :kind"
            " ORDER BY kind, year DESC, observed_on DESC NULLS FIRST, recorded_at DESC, id"
        ),
        {"kind": kind},
    )
    return [_view(row) for row in found.mappings()]


def get(session: Session, layer_id: UUID) -> LayerView:
    """Return one layer.

    Raises
    ------
    NotFoundError : there is none.
    """
    row = session.execute(text(f"{_SELECT} WHERE id = :id"), {"id": layer_id}).mappings().first()
    if row is None:
        raise NotFoundError(what="layer", id=str(layer_id))
    return _view(row)


def rasters(session: Session, layer_ids: Sequence[UUID], folder: Path) -> dict[UUID, Raster]:
    """Return layers as `geo.zonal` reads them, without opening a file.

    Raises
    ------
    NotFoundError : an id names no layer.
    """
    rows = session.execute(
        text("SELECT * FROM layer WHERE id = ANY (:ids)"), {"ids": list(layer_ids)}
    ).mappings()
    found = {row["id"]: _raster(row, folder) for row in rows}
    for layer_id in layer_ids:
        if layer_id not in found:
            raise NotFoundError(what="layer", id=str(layer_id))
    return found


def require_unchanged(raster: Raster) -> None:
    """Check that a layer's file still holds the bytes it is known by.

    Raises
    ------
    LayerChangedError : the file is gone or differs.
    """
    found = _digest_now(raster.path)
    if found != raster.sha256:
        raise LayerChangedError(kind=raster.kind, sha256=raster.sha256, found=found)


def _digest_now(path: Path) -> str:
    """Return a file's digest, read again only where its size or time of change differs."""
    if not path.is_file():
        return ""
    about = path.stat()
    return _digest_of(path, about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=256)
def _digest_of(path: Path, _size: int, _changed_ns: int) -> str:
    return file_sha256(path)


def grid_of(stored: Mapping[str, str | int]) -> Grid:
    """Return the grid that was stored as text."""
    return Grid(
        crs=str(stored["crs"]),
        origin_x=float(stored["origin_x"]),
        origin_y=float(stored["origin_y"]),
        cell_x=float(stored["cell_x"]),
        cell_y=float(stored["cell_y"]),
        width=int(stored["width"]),
        height=int(stored["height"]),
    )


def grid_text(grid: Grid) -> dict[str, str | int]:
    """Return a grid as `grid_of` reads it: numbers as their shortest decimal text."""
    return {
        "crs": grid.crs,
        "origin_x": repr(grid.origin_x),
        "origin_y": repr(grid.origin_y),
        "cell_x": repr(grid.cell_x),
        "cell_y": repr(grid.cell_y),
        "width": grid.width,
        "height": grid.height,
    }


def _raster(row: RowMapping, folder: Path) -> Raster:
    sha256 = bytes(row["sha256"]).hex()
    return Raster(
        path=layer_path(folder, sha256),
        kind=row["kind"],
        grid=grid_of(row["grid"]),
        dtype=row["dtype"],
        nodata=row["nodata"],
        band=row["band"],
        sha256=sha256,
        year=row["year"],
    )


def codes_of(kind: str, year: int | None = None) -> set[int] | range | None:
    """Return the codes a class layer may hold, where known; of losses up to a year."""
    if kind == "loss":
        return loss_values(LAST_LOSS if year is None else year)
    if kind == "species":
        return {row.code for row in tables.species_codes().values()}
    if kind == "site":
        return {row.site for row in tables.site_classes().values()}
    return range(MAX_AGE_YR + 1) if kind == "age" else None


def _limits(kind: str, scale: float) -> tuple[float, float] | None:
    """Return the least and most number of a cell, where the kind has such."""
    if not (math.isfinite(scale) and scale > 0):
        raise InvalidValueError(field="scale", value=scale, why="> 0")
    if kind not in LIMITS:
        return None
    low, high = LIMITS[kind]
    return low / scale, high / scale


def _check_day(command: RegisterLayer) -> None:
    day = command.observed_on
    if day is not None and day.year != command.year:
        raise InvalidValueError(field="observed_on", value=day, why=str(command.year))
    if command.kind in OBSERVED and (day or date(command.year, 1, 1)) > command.at.date():
        raise InvalidValueError(
            field="year" if day is None else "observed_on",
            value=day or command.year,
            why=f"<= {command.at.date()}",
        )


def _copy(path: Path, kept: Path) -> None:
    """Copy a file so that it is either wholly there or not at all."""
    with tempfile.NamedTemporaryFile(dir=kept.parent, prefix=".taking-", delete=False) as room:
        with path.open("rb") as stream:
            shutil.copyfileobj(stream, room, 1 << 20)
        room.flush()
        os.fsync(room.fileno())
    Path(room.name).chmod(0o644)
    Path(room.name).replace(kept)


def _view(row: RowMapping) -> LayerView:
    return LayerView(**(dict(row) | {"sha256": bytes(row["sha256"]).hex()}))


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('layer ' || :sha256, 0))")
_SELECT = (
    "SELECT id, kind, name, sha256, year, crs, width, height, cell_m, nodata, source, licence,"
    " observed_on, scale"
    " FROM layer"
)
