"""Disturbances that a loss raster proposes: a patch of one year on the parcels of one county.

The same raster proposes the same ground once.  Ground that was proposed for a year before, whatever
became of it, is not proposed for that year again: a later raster adds only what is new.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import numpy as np
import shapely
from numpy.typing import NDArray
from pydantic import TypeAdapter
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from geo.area import area_m2
from geo.patches import Patches, find_patches, ground, lost_areas, parts_of
from geo.raster import Grid
from geo.raster import Layer as Raster
from geo.zonal import cell_area_m2
from registry import events, jobs, layers
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
from registry.errors import InvalidValueError
from registry.layers import LayerView
from registry.models import Disturbance, DisturbanceParcel
from sinks import tables

TASK: Final = "change_detect"
UNIT: Final = "change_mapping_unit"
"""Row of ``sinks/tables/defaults.csv``: the mapping unit where none is given."""
MOST_UNIT_M2: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectLosses(Command):
    """Look for disturbances on a division's approved parcels, or on all in sight.

    ``unit_m2`` is the minimum mapping unit; the default is a row of the tables, with its mark.
    """

    layer_id: UUID
    division_code: str | None = None
    unit_m2: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionReport:
    """What a raster showed: patches on parcels, and which of them are new."""

    layer_id: UUID
    parcels: int
    measured: int
    unit_m2: int
    patches: int
    new: int
    new_m2: float
    disturbance_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Found:
    """A patch on the parcels of one county."""

    year: int
    patch_m2: float
    rows: list[int]  # of the ground
    parts: list[Any]  # what each row has of it


def request(session: Session, command: DetectLosses) -> UUID:
    """Ask for the search as a job; return the job's id.

    Raises
    ------
    NotFoundError, InvalidValueError : no such layer, not of losses; a unit out of bounds.
    """
    _check(session, command)
    return jobs.enqueue(session, command, TASK, _COMMAND.dump_python(command, mode="json"))


def register_task(layer_dir: Path) -> None:
    """Let workers of this process search, with the layers in ``layer_dir``."""
    jobs.task(TASK)(partial(_work, layer_dir))


def _work(layer_dir: Path, running: jobs.Running) -> Mapping[str, object]:
    command = _COMMAND.validate_python(running.arguments)
    done = detect(running.engine, command, layer_dir=layer_dir, running=running)
    result: dict[str, object] = _REPORT.dump_python(done, mode="json")
    return result


def unit_m2(command: DetectLosses) -> int:
    """Return the minimum mapping unit of a search."""
    return int(tables.default(UNIT)) if command.unit_m2 is None else command.unit_m2


def detect(
    engine: Engine,
    command: DetectLosses,
    *,
    layer_dir: Path,
    running: jobs.Running | None = None,
) -> DetectionReport:
    """Propose what a loss raster shows on parcels and nobody proposed before.

    Raises
    ------
    NotFoundError, NoGroundError, InvalidValueError : of what was asked.
    LayerElsewhereError : the raster shows none of the parcels.
    LayerChangedError, geo.raster.RasterError, geo.errors.GeoError : of the raster.
    """
    say: Say = running.progress if running else silent
    say("reading")
    with transaction(engine, actor_id=command.actor_id) as session:
        view = _check(session, command)
        whole = read_ground(session, division_code=command.division_code)
        raster = layers.rasters(session, [view.id], layer_dir)[view.id]
    if not lies_on(whole, raster):
        raise LayerElsewhereError(layer=view.name, crs=view.crs)
    layers.require_unchanged(raster)
    measured = 0
    for part in whole.blocks():
        say("measuring", measured, len(whole.ids))
        measured += _measure(engine, command.actor_id, part, view, raster)
    say("searching", len(whole.ids), len(whole.ids))
    latest = min(view.year, command.at.year)
    patches = find_patches(raster, whole.geometry, unit_m2=unit_m2(command), latest=latest)
    found = list(_by_county(patches, whole, least_m2=_cell_m2(raster.grid)))

    def keep(session: Session) -> DetectionReport:
        made = _propose(session, command, view, whole, found)
        report = DetectionReport(
            layer_id=view.id,
            parcels=len(whole.ids),
            measured=measured,
            unit_m2=unit_m2(command),
            patches=len(found),
            new=len(made),
            new_m2=round(sum(one.area_m2 for one in made), 2),
            disturbance_ids=tuple(one.id for one in made),
        )
        if running is not None:
            running.close(session, _REPORT.dump_python(report, mode="json"))
        return report

    return attempt(engine, keep, actor_id=command.actor_id)


def _check(session: Session, command: DetectLosses) -> LayerView:
    if command.unit_m2 is not None and not 0 <= command.unit_m2 <= MOST_UNIT_M2:
        raise InvalidValueError(field="unit_m2", value=command.unit_m2, why=f"0-{MOST_UNIT_M2}")
    view = layers.get(session, command.layer_id)
    if view.kind != "loss":
        raise InvalidValueError(field="layer_id", value=view.kind, why="loss")
    return view


def _measure(engine: Engine, actor_id: UUID, part: Ground, view: LayerView, raster: Raster) -> int:
    """Keep each parcel's lost ground by year, where it is not known yet."""
    with transaction(engine, actor_id=actor_id) as session:
        held = known(session, "parcel_loss", part, view.id)
    digests = [input_digest(shape, view, raster) for shape in part.digests]
    missing = [i for i, key in enumerate(zip(part.ids, digests, strict=True)) if key not in held]
    if not missing:
        return 0
    lost = lost_areas(part.geometry[missing], raster, parcel_area_m2=part.area_m2[missing])
    rows = [
        (
            part.ids[i],
            part.versions[i],
            view.id,
            digests[i],
            list(lost.years[at]),
            list(lost.area_dm2[at]),
            int(lost.nodata_dm2[at]),
            int(lost.outside_dm2[at]),
        )
        for at, i in enumerate(missing)
    ]

    def keep(session: Session) -> None:
        session.execute(_LOCK, {"name": f"parcel_loss {view.id}"})
        meanwhile = known(session, "parcel_loss", part, view.id)
        new = [row for row in rows if (row[0], row[3]) not in meanwhile]
        copy_rows(session, "parcel_loss", _COLUMNS, new)

    attempt(engine, keep, actor_id=actor_id)
    return len(missing)


def _cell_m2(grid: Grid) -> float:
    return float(cell_area_m2(grid).max())


def _by_county(patches: Patches, whole: Ground, *, least_m2: float) -> Iterator[_Found]:
    """Put the parts of each patch together by county; less than a cell of a parcel is its edge."""
    parts = parts_of(patches, whole.geometry)
    told = [k for k in range(len(parts.patch)) if parts.area_m2[k] >= least_m2]
    groups: dict[tuple[int, str], list[int]] = {}
    for k in told:
        key = int(parts.patch[k]), whole.county[int(parts.parcel[k])]
        groups.setdefault(key, []).append(k)
    for (patch, _), members in sorted(groups.items()):
        yield _Found(
            year=int(patches.year[patch]),
            patch_m2=float(patches.area_m2[patch]),
            rows=[int(parts.parcel[k]) for k in members],
            parts=[parts.geometry[k] for k in members],
        )


def _propose(
    session: Session,
    command: DetectLosses,
    view: LayerView,
    whole: Ground,
    found: Sequence[_Found],
) -> list[Disturbance]:
    """Write what is new, one searcher at a time, and say so in one event."""
    session.execute(_LOCK, {"name": "disturbance"})
    before = _proposed(session, {one.year for one in found}, whole)
    least_m2 = unit_m2(command)
    made = []
    for one in found:
        rest = _new_ground(one, before.get(one.year), least_m2=least_m2)
        if rest:
            made.append(_add(session, command, whole, one, rest))
    if made:
        events.record(
            session,
            command,
            kind="disturbance.proposed",
            subject=("layer", str(view.id)),
            body={
                "layer": view.sha256,
                "unit_m2": least_m2,
                "proposed": [
                    {"id": one.id, "year": one.year, "ground": one.ground_digest} for one in made
                ],
            },
        )
    return made


def _new_ground(one: _Found, before: NDArray[Any] | None, *, least_m2: float) -> dict[int, Any]:
    """Return what is new of each row: all of it, or what earlier proposals leave of some size."""
    if before is None:
        return dict(zip(one.rows, one.parts, strict=True))
    tree = shapely.STRtree(before)
    whole, left = {}, {}
    for row, part in zip(one.rows, one.parts, strict=True):
        near = before[tree.query(part, predicate="intersects")]
        if len(near):
            left[row] = ground(np.array([shapely.difference(part, shapely.union_all(near))]))[0]
        else:
            whole[row] = part
    left = {row: shape for row, shape in left.items() if not shape.is_empty}
    # what is left around an earlier proposal is a new one where it could be one by itself
    some = bool(left) and area_m2(np.array(list(left.values()))).sum() >= max(least_m2, 1.0)
    return whole | left if some else whole


def _add(
    session: Session,
    command: DetectLosses,
    whole: Ground,
    one: _Found,
    rest: Mapping[int, Any],
) -> Disturbance:
    shape = ground(np.array([shapely.union_all(list(rest.values()))]))
    wkb = shapely.to_wkb(shape[0], output_dimension=2, byte_order=1)
    made = Disturbance(
        id=uuid4(),
        layer_id=command.layer_id,
        year=one.year,
        status="candidate",
        geometry=f"SRID=4490;{shapely.to_wkt(shape[0], rounding_precision=-1)}",
        area_m2=float(area_m2(shape)[0]),
        patch_m2=one.patch_m2,
        unit_m2=float(unit_m2(command)),
        ground_digest=hashlib.sha256(wkb).digest(),
        effective_at=command.at,
    )
    session.add(made)
    session.flush()
    areas = area_m2(np.array(list(rest.values())))
    session.add_all(
        DisturbanceParcel(
            disturbance_id=made.id,
            parcel_id=whole.ids[row],
            version=whole.versions[row],
            area_m2=float(areas[k]),
        )
        for k, row in enumerate(rest)
    )
    session.flush()
    return made


def _proposed(session: Session, years: set[int], whole: Ground) -> dict[int, NDArray[Any]]:
    """Return the ground that was proposed before on any of these parcels, by year."""
    rows = session.execute(_BEFORE, {"years": sorted(years), "ids": whole.ids})
    shapes: dict[int, list[bytes]] = {}
    for row in rows:
        shapes.setdefault(row.year, []).append(bytes(row.wkb))
    return {year: np.array(shapely.from_wkb(found), object) for year, found in shapes.items()}


_COMMAND: TypeAdapter[DetectLosses] = TypeAdapter(DetectLosses)
_REPORT: TypeAdapter[DetectionReport] = TypeAdapter(DetectionReport)
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_COLUMNS = {
    "parcel_id": "uuid",
    "version": "int4",
    "layer_id": "uuid",
    "input_digest": "bytea",
    "years": "int4[]",
    "area_dm2": "int8[]",
    "nodata_dm2": "int8",
    "outside_dm2": "int8",
}
_BEFORE = text(
    "SELECT d.year, ST_AsBinary(d.geometry) AS wkb FROM disturbance d WHERE d.year = ANY(:years)"
    " AND EXISTS (SELECT FROM disturbance_parcel x WHERE x.disturbance_id = d.id"
    " AND x.parcel_id = ANY(:ids))"
)
