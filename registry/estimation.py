"""The batch: parcels x layers x growth tables -> stock and net sequestration by year, in kg CO2.

Three trips: one read of the parcels and of what is known of them already; the science with no
connection held; one write of everything, which also closes the job.  The same inputs are never
computed twice, and give the same bits wherever they are.
"""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import numpy as np
import shapely
from numpy.typing import NDArray
from psycopg.types.json import Jsonb
from pydantic import TypeAdapter
from sqlalchemy import Engine, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from geo.zonal import Histogram, cohort_histogram
from registry import cohort_tables, events, jobs, layers, stocks
from registry.binary_arrays import int4_arrays, int8_arrays, int8_rows
from registry.cohort_tables import ENGINE_VERSION, UsedTable
from registry.copying import copy_rows
from registry.db import attempt, transaction
from registry.estimation_inputs import (
    AssessParcels,
    AssessReport,
    Inputs,
    LayerMissingError,
    NothingToAssessError,
    check,
    known_histograms,
    read,
    recorded_age,
    run_of,
)
from registry.models import AssessmentRun
from sinks.cohorts import stock_kg_co2, yearly_flux_kg

__all__ = [
    "AssessParcels",
    "AssessReport",
    "LayerMissingError",
    "NothingToAssessError",
    "assess",
    "recorded_age",
    "register_task",
    "request",
]

TASK: Final = "assess"
CHUNK: Final = 20_000
"""Parcels between two looks at whether the job is to stop."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """All that the last trip writes."""

    made: dict[tuple[UUID, int], Histogram]
    regrowth: list[UsedTable]
    stock_kg: NDArray[np.int64]
    net_kg: NDArray[np.int64]
    flags: list[list[stocks.Flag]]


def request(session: Session, command: AssessParcels) -> UUID:
    """Ask for a run as a job; return the job's id.

    Raises
    ------
    InvalidValueError : years that make no run; more than one scope.
    """
    check(command)
    return jobs.enqueue(session, command, TASK, _ASSESS.dump_python(command, mode="json"))


def register_task(layer_dir: Path) -> None:
    """Let workers of this process do assessments with the layers in ``layer_dir``."""
    jobs.task(TASK)(partial(_work, layer_dir))


def _work(layer_dir: Path, running: jobs.Running) -> Mapping[str, object]:
    command = _ASSESS.validate_python(running.arguments)
    report = assess(running.engine, command, layer_dir=layer_dir, running=running)
    return _REPORT.dump_python(report, mode="json")  # type: ignore[no-any-return]


def assess(
    engine: Engine,
    command: AssessParcels,
    *,
    layer_dir: Path,
    running: jobs.Running | None = None,
) -> AssessReport:
    """Run the model over the parcels, once for the same inputs.

    Parameters
    ----------
    engine : the database.
    command : which parcels, years, layers and curves.
    layer_dir : folder in which layers are kept.
    running : the job that this is the work of; closed with the result.

    Raises
    ------
    NothingToAssessError, LayerMissingError, InvalidValueError, NotFoundError, CurveChoiceError :
        of what was asked.
    LayerChangedError, geo.raster.RasterError : of the layers.
    JobCancelledError : nothing is written.
    """
    check(command)
    say = running.progress if running else _silent
    say("reading")
    with transaction(engine, actor_id=command.actor_id) as session:
        inputs = read(session, command, layer_dir)
    if inputs.found is None:
        answers = _compute(engine, inputs, say)
        say("writing", len(inputs.parcels.ids), len(inputs.parcels.ids))
    else:
        answers = None
    return attempt(
        engine,
        lambda session: _finish(session, command, inputs, answers, running),
        actor_id=command.actor_id,
    )


def _finish(
    session: Session,
    command: AssessParcels,
    inputs: Inputs,
    answers: Answers | None,
    running: jobs.Running | None,
) -> AssessReport:
    if answers is None:
        assert inputs.found is not None  # noqa: S101 -- no answers only when there is a run
        report = inputs.found
    else:
        report = _write(session, command, inputs, answers)
    if running is not None:
        running.close(session, _REPORT.dump_python(report, mode="json"))
    return report


def _silent(_phase: str, _done: int = 0, _total: int = 0) -> None:
    """Say nothing: nobody is waiting on a job."""


# -- second trip: no connection held -------------------------------------------------------------


def _compute(engine: Engine, inputs: Inputs, say: Any) -> Answers:  # noqa: ANN401 -- progress
    made = _cover(inputs, say)
    parcels = inputs.parcels
    say("growing", 0, len(parcels.ids))
    both = inputs.known | made
    keys = zip(parcels.ids, parcels.versions, strict=True)
    histogram = stocks.joined([both[key] for key in keys])
    table = inputs.used.table
    regrowth = _regrowth(engine, inputs, stocks.loss_years(histogram, table))
    grown = stocks.grow(histogram, table, {year: one.table for year, one in regrowth.items()})
    stock_kg = stock_kg_co2(grown.stock_sum)
    net_kg = yearly_flux_kg(stock_kg)
    judged = stocks.Judged(
        area_m2=parcels.area_m2,
        recorded_age_yr=parcels.recorded_age_yr,
        net_kg=net_kg,
        grown=grown,
        curves=inputs.curves,
    )
    return Answers(
        made=made,
        regrowth=list(regrowth.values()),
        stock_kg=stock_kg[:, 1:],
        net_kg=net_kg,
        flags=stocks.flags(histogram, table, judged),
    )


def _cover(inputs: Inputs, say: Any) -> dict[tuple[UUID, int], Histogram]:  # noqa: ANN401
    """Measure the parcels that have no stored histogram against the layers."""
    parcels = inputs.parcels
    keys = list(zip(parcels.ids, parcels.versions, strict=True))
    missing = [i for i, key in enumerate(keys) if key not in inputs.known]
    if not missing:
        return {}
    for raster in inputs.rasters.values():
        layers.require_unchanged(raster)
    class_layers = stocks.class_layers(inputs.rasters)
    made: dict[tuple[UUID, int], Histogram] = {}
    for first in range(0, len(missing), CHUNK):
        say("covering", first, len(missing))
        part = missing[first : first + CHUNK]
        counted = cohort_histogram(
            shapely.from_wkb([parcels.wkb[i] for i in part]),
            class_layers,
            parcel_area_m2=parcels.area_m2[part],
        )
        made |= zip((keys[i] for i in part), stocks.each_parcel(counted), strict=True)
    return made


def _regrowth(engine: Engine, inputs: Inputs, years: Sequence[int]) -> dict[int, UsedTable]:
    """Return tables of stands planted in years of loss; a short read only where there are such."""
    if not years:
        return {}
    span = inputs.used.table.years
    with transaction(engine) as session:
        return {
            year: cohort_tables.load(session, curves=inputs.curves, layer_year=year, years=span)
            for year in years
        }


# -- third trip ----------------------------------------------------------------------------------


def _write(
    session: Session, command: AssessParcels, inputs: Inputs, answers: Answers
) -> AssessReport:
    # Two runs over one set of layers write one after the other; the second sees the first's rows.
    session.execute(_LOCK, {"set": inputs.layer_set.hex()})
    found = run_of(session, inputs.input_digest)
    if found is not None:
        return found
    if answers.made:
        known = known_histograms(session, inputs.parcels, inputs.layer_set)
        _copy_histograms(session, inputs.layer_set, answers.made, set(known))
    for used in (inputs.used, *answers.regrowth):
        cohort_tables.keep(session, used)
    run = _add_run(session, command, inputs, answers)
    copy_rows(session, "assessment_series", _SERIES, _series(run.id, command, inputs, answers))
    _record(session, command, run)
    flagged: dict[str, int] = {}
    for flags in answers.flags:
        for code in {flag["code"] for flag in flags}:
            flagged[code] = flagged.get(code, 0) + 1
    return AssessReport(
        run_id=run.id,
        reused=False,
        parcels=run.parcels,
        first_year=command.first_year,
        last_year=command.last_year,
        net_kg=run.net_kg,
        histograms_made=len(answers.made),
        flagged=dict(sorted(flagged.items())),
    )


def _copy_histograms(
    session: Session,
    layer_set: bytes,
    made: Mapping[tuple[UUID, int], Histogram],
    known: set[tuple[UUID, int]],
) -> None:
    new = [key for key in made if key not in known]
    whole = stocks.joined([made[key] for key in new])
    arrays = zip(
        int4_arrays(whole.start, whole.cohort),
        int8_arrays(whole.start, whole.area_dm2),
        strict=True,
    )
    rows = (
        (
            parcel_id,
            version,
            layer_set,
            *pair,
            int(whole.nodata_dm2[i]),
            int(whole.outside_dm2[i]),
        )
        for i, ((parcel_id, version), pair) in enumerate(zip(new, arrays, strict=True))
    )
    copy_rows(session, "histogram", _HISTOGRAM, rows)


def _add_run(
    session: Session, command: AssessParcels, inputs: Inputs, answers: Answers
) -> AssessmentRun:
    run = AssessmentRun(
        id=uuid4(),
        kind=command.kind,
        project_id=command.project_id,
        years=Range(command.first_year, command.last_year + 1),
        layer_set=inputs.layer_set,
        layers=[
            {"kind": kind, "id": str(inputs.layer_ids[kind]), "sha256": one.sha256}
            for kind, one in inputs.rasters.items()
        ],
        table_digest=inputs.used.digest,
        engine_version=ENGINE_VERSION,
        input_digest=inputs.input_digest,
        code_revision=code_revision(),
        parcels=len(inputs.parcels.ids),
        net_kg=int(answers.net_kg.sum()),
        actor_id=command.actor_id,
        effective_at=command.at,
    )
    session.add(run)
    session.flush()
    return run


def _series(
    run_id: UUID, command: AssessParcels, inputs: Inputs, answers: Answers
) -> Iterator[tuple[object, ...]]:
    parcels = inputs.parcels
    years = zip(int8_rows(answers.stock_kg), int8_rows(answers.net_kg), strict=True)
    for i, (parcel_id, (stock, net)) in enumerate(zip(parcels.ids, years, strict=True)):
        yield (
            run_id,
            parcel_id,
            parcels.versions[i],
            command.first_year,
            stock,
            net,
            Jsonb(answers.flags[i]),
        )


def _record(session: Session, command: AssessParcels, run: AssessmentRun) -> None:
    events.record(
        session,
        command,
        kind="assessment.run",
        subject=("assessment_run", str(run.id)),
        body={
            "kind": run.kind,
            "project": run.project_id,
            "years": [command.first_year, command.last_year],
            "layers": run.layers,
            "table": run.table_digest,
            "engine_version": run.engine_version,
            "input_digest": run.input_digest,
            "code_revision": run.code_revision,
            "parcels": run.parcels,
            "net_kg": run.net_kg,
        },
    )


@cache
def code_revision() -> str:
    """Return the commit this program runs from, or "unknown" where there is no repository."""
    answer = subprocess.run(
        ["git", "rev-parse", "HEAD"],  # noqa: S607 -- only named in the record
        cwd=Path(__file__).resolve().parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.strip() or "unknown"


_ASSESS: TypeAdapter[AssessParcels] = TypeAdapter(AssessParcels)
_REPORT: TypeAdapter[AssessReport] = TypeAdapter(AssessReport)
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('histogram ' || :set, 0))")
_HISTOGRAM = {
    "parcel_id": "uuid",
    "version": "int4",
    "layer_set": "bytea",
    "cohort": "bytea",
    "area_dm2": "bytea",
    "nodata_dm2": "int8",
    "outside_dm2": "int8",
}
_SERIES = {
    "run_id": "uuid",
    "parcel_id": "uuid",
    "version": "int4",
    "first_year": "int4",
    "stock_kg": "bytea",
    "net_kg": "bytea",
    "flags": "jsonb",
}
