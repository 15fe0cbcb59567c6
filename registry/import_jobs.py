"""Large files: read by a job in runs that are kept, compared and previewed; accepted by another.

A worker that dies goes on after the last run that was kept.  A job that is cancelled or fails
leaves no row behind.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final
from uuid import UUID

import numpy as np
from pydantic import TypeAdapter
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from geo.doubt import LOOKED_AT_MAX, Verdict, judge
from geo.fields import field_findings
from geo.findings import Finding, warning
from geo.helmert import parse_helmert
from geo.intake import examine_alone, file_notes
from geo.vector import FeatureFile, RawFeature, open_features
from registry import divisions, import_store, imports, jobs
from registry.db import Command, transaction
from registry.errors import NotFoundError, RegistryError, WrongStateError
from registry.import_rows import Target, row_finding, stage

READ: Final = "parcels.read"
ACCEPT: Final = "parcels.accept"
RUN_ROWS: Final = 2_000
"""Rows kept in one transaction: what a broken-off reading loses at most."""


class FileChangedError(RegistryError):
    """The file is no longer the one that was handed in."""

    code = "IMPORT_FILE_CHANGED"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestImport(imports.ImportParcels):
    """Have a file read in the background: where it lies and how to read it."""

    path: str
    crs: str | None = None
    crs_parameters: str | None = None
    encoding: str | None = None
    accept: bool = False
    """Accept what is acceptable as soon as it is read, without a person's look at the preview."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscardImport(Command):
    """Forget a previewed file."""

    batch_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Discarded:
    """The batch that is no more."""

    batch_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class JobAsked:
    """The job; the batch has the reading job's id."""

    job_id: UUID
    batch_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class _Acceptance:
    batch_id: UUID
    strict: bool
    at: datetime


def request(session: Session, command: RequestImport) -> JobAsked:
    """Ask for a file to be read and previewed."""
    job_id = jobs.enqueue(session, command, READ, asdict(command), queue=jobs.INTAKE)
    return JobAsked(job_id=job_id, batch_id=job_id)


def request_acceptance(session: Session, command: imports.AcceptImport) -> JobAsked:
    """Ask for a previewed batch to be accepted.

    Raises
    ------
    NotFoundError : there is no such batch.
    """
    if import_store.lock(session, command.batch_id) is None:
        raise NotFoundError(what="import", id=command.batch_id)
    asked = {"batch_id": command.batch_id, "strict": command.strict, "at": command.at}
    job_id = jobs.enqueue(session, command, ACCEPT, asked, queue=jobs.INTAKE)
    return JobAsked(job_id=job_id, batch_id=command.batch_id)


def discard(session: Session, command: DiscardImport) -> Discarded:
    """Forget a file that was read and not accepted; only who sent it may.

    Raises
    ------
    NotFoundError : there is no such batch, or it is another's.
    WrongStateError : it was accepted.
    """
    batch = import_store.lock(session, command.batch_id)
    if batch is None or batch.actor_id != command.actor_id:
        raise NotFoundError(what="import", id=command.batch_id)
    if batch.state != "previewed":
        raise WrongStateError(what="batch", state=batch.state, needs="previewed")
    import_store.discard(session, command.batch_id)
    return Discarded(batch_id=command.batch_id)


def register_tasks() -> None:
    """Let workers of this process read and accept files."""
    jobs.task(READ)(read_file)
    jobs.task(ACCEPT)(accept_batch)


def read_file(running: jobs.Running) -> Mapping[str, object]:
    """Read, compare and preview a file; what was read stays only if the job comes to its end.

    Raises
    ------
    FileChangedError : the file is another by now.
    geo.errors.FileError, geo.errors.CrsError : the file as a whole cannot be read.
    """
    asked = TypeAdapter(RequestImport).validate_python(dict(running.arguments))
    try:
        return _read(running, asked)
    except OperationalError:
        raise  # the database went away: the next attempt goes on from here
    except Exception:
        with transaction(running.engine, actor_id=running.actor_id) as session:
            import_store.discard(session, running.id)
        raise


def accept_batch(running: jobs.Running) -> Mapping[str, object]:
    """Accept a previewed batch and close the job in the same transaction."""
    asked = TypeAdapter(_Acceptance).validate_python(dict(running.arguments))
    running.progress("accept")
    command = imports.AcceptImport(
        at=asked.at,
        actor_id=running.actor_id,
        key=str(running.id),
        batch_id=asked.batch_id,
        strict=asked.strict,
    )
    with transaction(running.engine, actor_id=running.actor_id) as session:
        counts = asdict(imports.accept(session, command))
        running.close(session, counts)
    return counts


def _read(running: jobs.Running, asked: RequestImport) -> Mapping[str, object]:
    running.progress("open")
    _check_same(asked)
    parameters = parse_helmert(asked.crs_parameters) if asked.crs_parameters else None
    file = open_features(asked.path, crs=asked.crs, encoding=asked.encoding, parameters=parameters)
    with transaction(running.engine, actor_id=running.actor_id) as session:
        ground = divisions.ground(session, asked.division_code)
    verdict = judge(file.features, file.system, named=asked.crs is not None, division=ground)
    verdict = replace(verdict, findings=(*verdict.findings, *_fields(file)))
    target, done = _begin(running, asked, file, verdict)
    deep, odd = _stage(running, file, verdict, target, done, ground=ground)
    running.progress("compare", file.n_features, file.n_features)
    return _compare(running, asked, verdict, deep, odd)


def _fields(file: FeatureFile) -> tuple[Finding, ...]:
    """How the fields were understood, by the first of the features."""
    features = list(islice(file.features, LOOKED_AT_MAX))
    rows = np.array([one.row for one in features], dtype=np.int64)
    unknown = np.full(len(features), np.nan)
    return tuple(field_findings(rows, [one.attributes for one in features], unknown))


def _check_same(asked: RequestImport) -> None:
    path = Path(asked.path)
    if not path.is_file():
        raise FileChangedError(name=asked.file_name)
    with path.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != asked.file_sha256:
            raise FileChangedError(name=asked.file_name)


def _begin(
    running: jobs.Running, asked: RequestImport, file: FeatureFile, verdict: Verdict
) -> tuple[Target, int]:
    facts = import_store.Facts(
        file_name=asked.file_name,
        file_sha256=asked.file_sha256,
        format=file.format,
        crs_label=verdict.system.label,
        encoding=file.encoding,
        division_code=asked.division_code,
        programme_id=asked.programme_id,
    )
    with transaction(running.engine, actor_id=running.actor_id) as session:
        target = import_store.begin(
            session,
            facts,
            batch_id=running.id,
            actor_id=running.actor_id,
            at=asked.at,
            findings=[row_finding(found) for found in (*file.findings, *verdict.findings)],
        )
        return target, import_store.last_row(session, running.id)


def _stage(
    running: jobs.Running,
    file: FeatureFile,
    verdict: Verdict,
    target: Target,
    done: int,
    *,
    ground: object,
) -> tuple[list[int], list[Finding]]:
    """Keep run after run; return the rows whose heights were dropped, and what later runs say."""
    deep: list[int] = []
    odd: list[Finding] = []
    for run in file.chunks(RUN_ROWS):
        deep += [feature.row for feature in run if feature.dropped_dimension]
        odd += _elsewhere(run, verdict, ground)
        fresh = [feature for feature in run if feature.row > done]
        if fresh:
            intake = examine_alone(fresh, verdict.system, asked=verdict.asked)
            with transaction(running.engine, actor_id=running.actor_id) as session:
                stage(session, target, intake)
        running.progress("read", run[-1].row, file.n_features)
    return deep, odd


def _elsewhere(run: Sequence[RawFeature], verdict: Verdict, ground: object) -> Iterator[Finding]:
    """Warn of a run, after those that the file was judged by, whose ground is elsewhere."""
    if ground is None or verdict.asked or run[0].row <= LOOKED_AT_MAX:
        return
    for one in judge(run, verdict.system, named=True, division=ground).findings:
        other = one.params.get("reading") or one.params.get("other")
        yield warning(
            None,
            "DATUM_CHANGES",
            first_row=run[0].row,
            last_row=run[-1].row,
            crs=verdict.system.label,
            other=other,
        )


def _compare(
    running: jobs.Running,
    asked: RequestImport,
    verdict: Verdict,
    deep: list[int],
    odd: list[Finding],
) -> Mapping[str, object]:
    batch_id = running.id
    with transaction(running.engine, actor_id=running.actor_id) as session:
        import_store.compare(session, batch_id)
        notes = file_notes(verdict.system, import_store.open_shapes(session, batch_id), deep=deep)
        import_store.note(session, batch_id, [row_finding(one) for one in (*odd, *notes)])
        import_store.refuse_stored(session, batch_id)
        result = asdict(import_store.settle(session, batch_id, "previewed"))
        if asked.accept:
            then = imports.AcceptImport(
                at=asked.at,
                actor_id=running.actor_id,
                key=f"{asked.key}:accept",
                batch_id=batch_id,
                strict=asked.strict,
            )
            result["acceptance_job"] = request_acceptance(session, then).job_id
        running.close(session, result)
    return result
