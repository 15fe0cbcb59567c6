"""The batch: parcels x layers x growth tables -> stock and net sequestration by year, in kg CO2.

Three trips: one read of the parcels and of what is known of them already; the science with no
connection held, block by block (:mod:`registry.covering`); one write of everything else, which
also closes the job.  The same inputs are never
computed twice, and give the same bits wherever they are.
"""

import subprocess
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, partial
from itertools import repeat
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb
from pydantic import TypeAdapter
from sqlalchemy import Engine, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from registry import cohort_tables, covering, events, growing, intervals, jobs, strata
from registry.binary_arrays import int8_rows, int8_tables
from registry.cohort_tables import ENGINE_VERSION
from registry.copying import copy_rows
from registry.db import attempt, transaction
from registry.estimation_inputs import (
    AssessParcels,
    AssessReport,
    Inputs,
    LayerMissingError,
    NothingToAssessError,
    check,
    read,
    recorded_age,
    run_of,
)
from registry.growing import Answers
from registry.models import AssessmentRun

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


def request(session: Session, command: AssessParcels) -> UUID:
    """Ask for a run as a job; return the job's id.

    Raises
    ------
    InvalidValueError : years that make no run; more than one scope.
    """
    check(command)
    return jobs.enqueue(session, command, TASK, _ASSESS.dump_python(command, mode="json"))


def register_task(layer_dir: Path, scheduler: str | None = None) -> None:
    """Let workers of this process do assessments with the layers in ``layer_dir``."""
    jobs.task(TASK)(partial(_work, layer_dir, scheduler))


def _work(layer_dir: Path, scheduler: str | None, running: jobs.Running) -> Mapping[str, object]:
    """Make the run and, from its stored areas, its interval; the second closes the job."""
    command = _ASSESS.validate_python(running.arguments)
    report = assess(
        running.engine, command, layer_dir=layer_dir, running=running, scheduler=scheduler
    )
    running.progress("drawing", report.parcels, report.parcels)
    result: Mapping[str, object] = _REPORT.dump_python(report, mode="json")
    attempt(
        running.engine,
        lambda session: _draw(session, command, report, running, result),
        actor_id=command.actor_id,
    )
    return result


def _draw(
    session: Session,
    command: AssessParcels,
    report: AssessReport,
    running: jobs.Running,
    result: Mapping[str, object],
) -> None:
    keep_interval(session, command, report.run_id)
    running.close(session, result)


def keep_interval(session: Session, command: AssessParcels, run_id: UUID) -> None:
    """Draw a run's interval by the seed that its inputs name, and keep it; once."""
    digest = session.execute(_DIGEST, {"run": run_id}).scalar_one()
    seed = intervals.seed_of(bytes(digest).hex())
    intervals.keep(session, run_id, seed=seed, actor_id=command.actor_id)


def assess(
    engine: Engine,
    command: AssessParcels,
    *,
    layer_dir: Path,
    running: jobs.Running | None = None,
    scheduler: str | None = None,
) -> AssessReport:
    """Run the model over the parcels, once for the same inputs.

    Parameters
    ----------
    engine : the database.
    command : which parcels, years, layers and curves.
    layer_dir : folder in which layers are kept.
    running : the job that this is the work of; told how far it is.
    scheduler : address of a ``dask.distributed`` scheduler that the blocks are sent to.

    Raises
    ------
    NothingToAssessError, LayerMissingError, InvalidValueError, NotFoundError, CurveChoiceError :
        of what was asked.
    LayerChangedError, geo.raster.RasterError : of the layers.
    SchedulerUnreachableError : the scheduler does not answer.
    JobCancelledError : no run is written; what was measured already stays, for the next.
    """
    check(command)
    say = running.progress if running else _silent
    say("reading")
    with transaction(engine, actor_id=command.actor_id) as session:
        inputs = read(session, command, layer_dir)
    if inputs.found is None:
        made = covering.cover(
            engine, inputs, actor_id=command.actor_id, scheduler=scheduler, say=say
        )
        answers = growing.grow(engine, inputs, made, say)
        say("writing", len(inputs.parcels.ids), len(inputs.parcels.ids))
    else:
        answers = None
    return attempt(
        engine,
        lambda session: _finish(session, command, inputs, answers),
        actor_id=command.actor_id,
    )


def _finish(
    session: Session, command: AssessParcels, inputs: Inputs, answers: Answers | None
) -> AssessReport:
    if answers is None:
        assert inputs.found is not None  # noqa: S101 -- no answers only when there is a run
        return inputs.found
    return _write(session, command, inputs, answers)


def _silent(_phase: str, _done: int = 0, _total: int = 0) -> None:
    """Say nothing: nobody is waiting on a job."""


# -- third trip ----------------------------------------------------------------------------------


def _write(
    session: Session, command: AssessParcels, inputs: Inputs, answers: Answers
) -> AssessReport:
    # Two runs over one set of layers write one after the other; the second sees the first's rows.
    session.execute(_LOCK, {"set": inputs.layer_set.hex()})
    found = run_of(session, inputs.input_digest)
    if found is not None:
        return found
    for used in (inputs.used, *answers.regrowth):
        cohort_tables.keep(session, used)
    if answers.strata is not None:
        strata.keep(session, answers.strata)
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
        strata_digest=None if answers.strata is None else answers.strata.digest,
        pools=None if inputs.pooling is None else inputs.pooling.rows,
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
    parcels, pooling = inputs.parcels, inputs.pooling
    years = zip(int8_rows(answers.stock_kg), int8_rows(answers.net_kg), strict=True)
    pools: Iterable[bytes | None] = (
        repeat(None) if answers.pool_kg is None else int8_tables(answers.pool_kg)
    )
    given = {} if pooling is None else pooling.given
    for i, (parcel_id, (stock, net), apart) in enumerate(zip(parcels.ids, years, pools)):  # noqa: B905 -- None has no end
        told = given.get(parcel_id)
        yield (
            run_id,
            parcel_id,
            parcels.versions[i],
            command.first_year,
            stock,
            net,
            Jsonb(answers.flags[i]),
            apart,
            None if told is None else Jsonb(told.told),
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
            "strata": run.strata_digest,
            "pools": None if run.pools is None else [one["pool"] for one in run.pools],
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
_DIGEST = text("SELECT input_digest FROM assessment_run WHERE id = :run")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('histogram ' || :set, 0))")
_SERIES = {
    "run_id": "uuid",
    "parcel_id": "uuid",
    "version": "int4",
    "first_year": "int4",
    "stock_kg": "bytea",
    "net_kg": "bytea",
    "flags": "jsonb",
    "pool_kg": "bytea",
    "given": "jsonb",
}
