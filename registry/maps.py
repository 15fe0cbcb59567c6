"""A run's carbon as rasters: density of every cell, and apart from it the kg of the run in it.

A cell's density is the cohort table's, whoever owns the ground, or that of the run's pools, events
of the parcel counted; its total is what the run's parcels
hold of it, so that the totals add up to the run's own kg.  A parcel's whole kg are shared out over
its cells by covered area times density.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from geo import cutout
from geo.raster import write_cog
from geo.zonal import ClassLayer, cohort_histogram, combined_classes
from registry import assessments, cohort_tables, layers, stocks, strata
from registry.assessments import NoAssessmentError, RunView
from registry.errors import InvalidValueError, NotFoundError
from registry.people import ActorView
from registry.pool_inputs import Given
from registry.provenance import GeometryWithheldError, may_have_geometry
from registry.reads.scope import scope_of
from sinks import tables, units
from sinks.pools import Pool
from sinks.strata import PPM, spread
from sinks.strata_tables import POOLS

What = Literal["stock", "net"]
Floats = NDArray[np.float64]

NODATA: Final = -9999.0
MOST_CELLS: Final = 100_000_000
"""Of the box around all parcels: 1.2 GB of memory while it is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapFiles:
    """The two rasters that were written, with their digests and sums."""

    run_id: UUID
    year: int
    what: str
    density: str
    density_sha256: str
    total: str
    total_sha256: str
    cells: int
    total_kg: int
    run_kg: int


def write_map(
    session: Session,
    who: ActorView,
    run_id: UUID,
    year: int,
    *,
    out: Path,
    layer_dir: Path,
    what: What = "stock",
) -> MapFiles:
    """Write a run's map of a year: ``out`` in t C/ha, and beside it ``.total.tif`` in kg CO2e.

    Parameters
    ----------
    what : ``stock`` at 31 December, or ``net``, its change within the year.

    Raises
    ------
    NotFoundError, NoAssessmentError : there is no such run, or it has no such year.
    GeometryWithheldError : a parcel's boundary is not the actor's to have.
    InvalidValueError : parcels so far apart that their box has too many cells.
    LayerChangedError : a layer's file is not the one of the run.
    """
    run = assessments.run(session, run_id)
    if run is None:
        raise NotFoundError(what="assessment_run", id=run_id)
    if not run.first_year <= year <= run.last_year:
        raise NoAssessmentError(parcel="—", year=year)
    rows = session.execute(_PARCELS, {"run": run_id, "at": year - run.first_year + 1}).all()
    _require_right(session, who, rows)
    rasters = layers.rasters(session, [UUID(one["id"]) for one in run.layers], layer_dir)
    by_kind = {one.kind: one for one in rasters.values()}
    for raster in by_kind.values():
        layers.require_unchanged(raster)
    shapes = shapely.from_wkb([bytes(row.wkb) for row in rows])
    box = cutout.box_of(by_kind["age"].grid, shapes)
    if box.grid.width * box.grid.height > MOST_CELLS:
        cells = box.grid.width * box.grid.height
        raise InvalidValueError(field="cells", value=cells, why=f"<= {MOST_CELLS}")
    codes = combined_classes(stocks.class_layers(by_kind), *box.rows, *box.columns)
    if run.strata_digest is None:
        end = _mg(session, run, codes, year)
        begin = _mg(session, run, codes, year - 1) if what == "net" else np.zeros_like(end)
    else:
        pools = _Cells(session, run, rows, shapes, box, codes)
        end = pools.mg(year)
        begin = pools.mg(year - 1) if what == "net" else np.zeros_like(end)
    touched, total = _shared(rows, shapes, box, end, begin, what=what)
    density = np.where(touched & (codes >= 0), (end - begin) / units.MG_M2_PER_T_HA, NODATA)
    sums = np.where(touched, total, NODATA)
    tags = _tags(run, year, what)
    apart = out.with_suffix(".total.tif")
    return MapFiles(
        run_id=run_id,
        year=year,
        what=what,
        density=out.name,
        density_sha256=_write(
            out, density.astype(np.float32), box, tags, unit="t C/ha", average=True
        ),
        total=apart.name,
        total_sha256=_write(apart, sums, box, tags, unit="kg CO2e"),
        cells=int(np.count_nonzero(touched)),
        total_kg=round(float(total.sum())),
        run_kg=sum(row.stock_kg if what == "stock" else row.net_kg for row in rows),
    )


def _write(
    path: Path,
    cells: NDArray[Any],
    box: cutout.Box,
    tags: dict[str, str],
    *,
    unit: str,
    average: bool = False,
) -> str:
    """Write one raster of a map with what it stands on; return its SHA-256."""
    return write_cog(
        path, cells, grid=box.grid, nodata=NODATA, tags=tags | {"unit": unit}, average=average
    )


def _require_right(session: Session, who: ActorView, rows: Sequence[Row[Any]]) -> None:
    if scope_of(who).everything:
        return
    for row in rows:
        if not may_have_geometry(session, who, row.parcel_id):
            raise GeometryWithheldError(parcel=str(row.parcel_id))


def _shared(
    rows: Sequence[Row[Any]],
    shapes: NDArray[Any],
    box: cutout.Box,
    end: Floats,
    begin: Floats,
    *,
    what: What,
) -> tuple[NDArray[np.bool_], Floats]:
    """Share each parcel's kg over its cells; return which cells are touched, and kg of each."""
    touched = np.zeros(end.shape, np.bool_)
    total = np.zeros(end.shape)
    for row, shape in zip(rows, shapes, strict=True):
        where, area = _cover(shape, row.area_m2, box)
        touched.flat[where] = True
        before_kg = row.stock_kg - row.net_kg
        total.flat[where] += _share(row.stock_kg, area * end.flat[where])
        if what == "net":
            total.flat[where] -= _share(before_kg, area * begin.flat[where])
    return touched, total


def _share(kg: int, weight: Floats) -> Floats:
    whole = weight.sum()
    return weight * (kg / whole) if whole > 0 else np.zeros_like(weight)


def _cover(shape: Any, area_m2: float, box: cutout.Box) -> tuple[NDArray[np.int64], Floats]:  # noqa: ANN401
    """Return the box's cells that a parcel touches, and how much of it lies in each, dm2."""
    mine = cutout.box_of(box.whole, np.array([shape]))
    if not mine.cells:
        return np.empty(0, np.int64), np.empty(0)
    (top, bottom), (left, right) = mine.rows, mine.columns
    numbers = np.arange(mine.cells, dtype=np.int32).reshape(bottom - top, right - left)
    counted = cohort_histogram(
        np.array([shape]),
        [
            ClassLayer(
                source=cutout.Cut(
                    name="cells",
                    grid=box.whole,
                    nodata=-1.0,
                    row0=top,
                    column0=left,
                    cells=numbers,
                ),
                radix=mine.cells,
                stride=1,
            )
        ],
        parcel_area_m2=np.array([area_m2]),
    )
    row, column = np.divmod(counted.cohort.astype(np.int64), right - left)
    where = (row + top - box.rows[0]) * box.grid.width + column + left - box.columns[0]
    return where, counted.area_dm2.astype(np.float64)


def _mg(session: Session, run: RunView, codes: NDArray[np.int32], year: int) -> Floats:
    """Mg C/m2 of every cell at a year's end; nothing where a layer knows nothing."""
    table = cohort_tables.stored(session, bytes.fromhex(run.table_digest))
    column = table.years.index(year)
    known, back = np.unique(np.maximum(codes, 0), return_inverse=True)
    lost_in = stocks.loss_year(known.astype(np.int32))
    cohort = known.astype(np.int32) % np.int32(table.scheme.size)
    mg = table.mg_c_m2[cohort, column].astype(np.float64)
    curves = {code: tables.lookup(tables.growth(), key) for code, key in table.curves}
    for event in np.unique(lost_in[(lost_in > table.layer_year) & (lost_in <= year)]):
        again = cohort_tables.load(
            session, curves=curves, layer_year=int(event), years=table.years
        ).table
        part = lost_in == event
        mg[part] = again.mg_c_m2[table.scheme.at_age_zero(cohort[part]), column]
    return np.where(codes >= 0, mg[back].reshape(codes.shape), 0.0)


class _Cells:
    """Cells of a run that kept pools apart: what stands on each code, and what events changed."""

    def __init__(  # noqa: PLR0917 -- what a map is made of
        self,
        session: Session,
        run: RunView,
        rows: Sequence[Row[Any]],
        shapes: NDArray[Any],
        box: cutout.Box,
        codes: NDArray[np.int32],
    ) -> None:
        self.table = strata.stored(session, bytes.fromhex(run.strata_digest or ""))
        cohort = cohort_tables.stored(session, bytes.fromhex(run.table_digest))
        self.span = {"layer_year": cohort.layer_year, "last_year": cohort.years[-1]}
        self.pools = [POOLS.index(Pool(one["pool"])) for one in run.pools or []]
        self.place = {stratum: i for i, stratum in enumerate(self.table.strata)}
        self.codes = codes
        self.changed = [
            (_cover(shape, row.area_m2, box)[0], given)
            for row, shape in zip(rows, shapes, strict=True)
            if (given := strata.given_of(row.given)) is not None
        ]

    def mg(self, year: int) -> Floats:
        """Mg C/m2 of the counted pools at a year's end."""
        column = self.table.mg_c_m2[:, self.pools, self.table.years.index(year)].sum(axis=1)
        out = self._of(self.codes.ravel(), None, column).reshape(self.codes.shape)
        for where, given in self.changed:
            out.flat[where] = self._of(self.codes.flat[where], given, column)
        return out

    def _of(
        self, codes: NDArray[np.int32], given: Given | None, column: NDArray[np.int64]
    ) -> Floats:
        known, back = np.unique(np.maximum(codes, 0), return_inverse=True)
        each = []
        for ground in strata.ground_of(known.astype(np.int32), np.full(known.size, PPM)):
            told = spread(
                [ground],
                () if given is None else given.happenings,
                culms=None if given is None else given.culms,
                **self.span,
            )
            # A code that is nobody's ground is not in the run's strata and holds nothing here.
            held = [(self.place.get(one), area) for one, area in told.parts]
            each.append(sum(int(column[i]) * area for i, area in held if i is not None) / PPM)
        return np.where(codes >= 0, np.array(each)[back], 0.0)


def _tags(run: RunView, year: int, what: str) -> dict[str, str]:
    return {
        "run": str(run.id),
        "year": str(year),
        "what": what,
        "kind": run.kind,
        "table_digest": run.table_digest,
        "input_digest": run.input_digest,
        "engine_version": str(run.engine_version),
        **{f"layer_{one['kind']}": one["sha256"] for one in run.layers},
    }


_PARCELS = text(
    "SELECT s.parcel_id, ST_AsBinary(v.geometry) AS wkb, v.area_m2,"
    " s.stock_kg[CAST(:at AS int)] AS stock_kg, s.net_kg[CAST(:at AS int)] AS net_kg,"
    " s.given"
    " FROM assessment_series s JOIN parcel_version v"
    " ON v.parcel_id = s.parcel_id AND v.version = s.version WHERE s.run_id = :run ORDER BY 1"
)
