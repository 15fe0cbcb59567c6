"""What layers by date show of each parcel: measured once for the same boundary and the same bytes.

NDVI and canopy cover of a parcel are means over the exact share of every cell that it covers;
ground without data is left out and said as the share that is known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from geo.raster import Layer as Raster
from geo.zonal import zonal_mean
from registry import jobs, layers
from registry.change_ground import (
    Ground,
    LayerElsewhereError,
    Say,
    input_digest,
    known,
    lies_on,
    read_ground,
    silent,
)
from registry.copying import copy_rows
from registry.db import Command, attempt, transaction
from registry.errors import InvalidValueError, RegistryError
from registry.layers import LayerView

TASK: Final = "change_series"
KINDS: Final = ("ndvi", "canopy")
"""Layers that make a series."""


class DateTwiceError(RegistryError):
    """Two of the layers that were named show the same thing of the same day."""

    code = "SERIES_DATE_TWICE"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureSeries(Command):
    """Measure parcels named by id, or a division's approved ones, or all in sight.

    Without ``layer_ids`` every day's newest layer of each kind is measured.
    """

    division_code: str | None = None
    parcel_ids: tuple[UUID, ...] = ()
    layer_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesReport:
    """What was measured now, and what was known; ``elsewhere`` layers show none of the parcels."""

    parcels: int
    layers: int
    measured: int
    known: int
    elsewhere: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesPoint:
    """A parcel on one day; no mean where nothing of it is known."""

    layer_id: UUID
    kind: str
    shows: date
    name: str
    mean: float | None
    minimum: float | None
    maximum: float | None
    known_share: float


def request(session: Session, command: MeasureSeries) -> UUID:
    """Ask for the measuring as a job; return the job's id.

    Raises
    ------
    InvalidValueError : more than one scope.
    """
    check(command)
    return jobs.enqueue(session, command, TASK, _COMMAND.dump_python(command, mode="json"))


def check(command: MeasureSeries) -> None:
    """Refuse more than one scope."""
    if command.parcel_ids and command.division_code:
        raise InvalidValueError(field="scope", value="2", why="parcels | division")


def register_task(layer_dir: Path) -> None:
    """Let workers of this process measure, with the layers in ``layer_dir``."""
    jobs.task(TASK)(partial(_work, layer_dir))


def _work(layer_dir: Path, running: jobs.Running) -> Mapping[str, object]:
    command = _COMMAND.validate_python(running.arguments)
    done = measure(running.engine, command, layer_dir=layer_dir, say=running.progress)
    result: dict[str, object] = _REPORT.dump_python(done, mode="json")
    return result


def measure(
    engine: Engine, command: MeasureSeries, *, layer_dir: Path, say: Say = silent
) -> SeriesReport:
    """Measure what is not known yet; what is known costs a look.

    Raises
    ------
    NoGroundError, NotFoundError, InvalidValueError, DateTwiceError : of what was asked.
    LayerElsewhereError : a layer that was named shows none of the parcels.
    LayerChangedError, geo.raster.RasterError, geo.errors.GeoError : of the layers.
    """
    check(command)
    say("reading")
    with transaction(engine, actor_id=command.actor_id) as session:
        ground = read_ground(
            session, division_code=command.division_code, parcel_ids=command.parcel_ids
        )
        views = chosen(session, command.layer_ids)
        rasters = layers.rasters(session, [one.id for one in views], layer_dir)
    total, made, elsewhere = len(ground.ids) * len(views), 0, 0
    for i, view in enumerate(views):
        if not lies_on(ground, rasters[view.id]):
            if command.layer_ids:
                raise LayerElsewhereError(layer=view.name, crs=view.crs)
            elsewhere += 1
            continue
        for part in ground.blocks():
            say("measuring", i * len(ground.ids), total)
            made += _measure(engine, command.actor_id, part, view, rasters[view.id])
    return SeriesReport(
        parcels=len(ground.ids),
        layers=len(views),
        measured=made,
        known=total - elsewhere * len(ground.ids) - made,
        elsewhere=elsewhere,
    )


def chosen(session: Session, layer_ids: Sequence[UUID]) -> list[LayerView]:
    """Return the layers of a series by kind and day: those named, or each day's newest.

    Raises
    ------
    NotFoundError, InvalidValueError : no such layer, or not of a kind that makes a series.
    DateTwiceError : two that were named show the same day.
    """
    if not layer_ids:
        newest: dict[tuple[str, date], LayerView] = {}
        for kind in KINDS:
            for view in layers.listing(session, kind=kind):  # the newest of a day comes first
                newest.setdefault((kind, view.shows), view)
        return [newest[key] for key in sorted(newest)]
    named: dict[tuple[str, date], LayerView] = {}
    for layer_id in dict.fromkeys(layer_ids):
        view = layers.get(session, layer_id)
        if view.kind not in KINDS:
            raise InvalidValueError(field="layer_ids", value=view.kind, why=" | ".join(KINDS))
        if (view.kind, view.shows) in named:
            raise DateTwiceError(kind=view.kind, date=view.shows)
        named[view.kind, view.shows] = view
    return [named[key] for key in sorted(named)]


def of_parcel(session: Session, parcel_id: UUID) -> list[SeriesPoint]:
    """Return a parcel's points by kind and day, of its present boundary; a day's newest layer."""
    rows = session.execute(_SERIES, {"parcel": parcel_id})
    return [SeriesPoint(**row) for row in rows.mappings()]


def _measure(engine: Engine, actor_id: UUID, part: Ground, view: LayerView, raster: Raster) -> int:
    with transaction(engine, actor_id=actor_id) as session:
        held = known(session, "parcel_value", part, view.id)
    digests = [input_digest(shape, view, raster) for shape in part.digests]
    missing = [i for i, key in enumerate(zip(part.ids, digests, strict=True)) if key not in held]
    if not missing:
        return 0
    layers.require_unchanged(raster)
    found = zonal_mean(part.geometry[missing], raster)
    rows = [
        (
            part.ids[i],
            part.versions[i],
            view.id,
            digests[i],
            *(
                float(value[at]) * view.scale if found.known_share[at] > 0 else None
                for value in (found.mean, found.minimum, found.maximum)
            ),
            float(found.known_share[at]),
        )
        for at, i in enumerate(missing)
    ]

    def keep(session: Session) -> None:
        session.execute(_LOCK, {"layer": str(view.id)})
        meanwhile = known(session, "parcel_value", part, view.id)
        copy_rows(
            session,
            "parcel_value",
            _COLUMNS,
            [row for row in rows if (row[0], row[3]) not in meanwhile],
        )

    attempt(engine, keep, actor_id=actor_id)
    return len(missing)


_COMMAND: TypeAdapter[MeasureSeries] = TypeAdapter(MeasureSeries)
_REPORT: TypeAdapter[SeriesReport] = TypeAdapter(SeriesReport)
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('parcel_value ' || :layer, 0))")
_COLUMNS = {
    "parcel_id": "uuid",
    "version": "int4",
    "layer_id": "uuid",
    "input_digest": "bytea",
    "mean": "float8",
    "minimum": "float8",
    "maximum": "float8",
    "known_share": "float8",
}
_SERIES = text(
    "SELECT DISTINCT ON (l.kind, coalesce(l.observed_on, make_date(l.year, 12, 31)))"
    " l.id AS layer_id, l.kind, coalesce(l.observed_on, make_date(l.year, 12, 31)) AS shows,"
    " l.name, s.mean, s.minimum, s.maximum, s.known_share"
    " FROM parcel p JOIN parcel_value s ON s.parcel_id = p.id AND s.version = p.version"
    " JOIN layer l ON l.id = s.layer_id WHERE p.id = :parcel"
    " ORDER BY l.kind, 3, l.recorded_at DESC, s.recorded_at DESC"
)
