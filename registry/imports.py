"""Import: every row of a file is kept; accepted ones become submitted parcels in one transaction.

A small file is examined before (``geo.intake``) and taken in one transaction; a large one is read
by a job in runs, previewed, and accepted by another (``registry.import_jobs``). Both stage their
rows and accept them by the same statements (``registry.import_store``).
"""

from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from geo.intake import Intake
from registry import events, import_store
from registry.canonical import digest
from registry.db import Command
from registry.errors import NotFoundError, RegistryError, WrongStateError
from registry.import_rows import row_finding, stage
from registry.import_store import Counts
from registry.places import ImportReport


class NothingAcceptedError(RegistryError):
    """A strict import had a row that was not accepted."""

    code = "IMPORT_NOT_ALL_ACCEPTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportParcels(Command):
    """Take a file in: what it is, where it belongs and what it is for."""

    file_name: str
    file_sha256: str
    division_code: str | None = None
    programme_id: str | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptImport(Command):
    """Accept what the preview of a batch showed as acceptable."""

    batch_id: UUID
    strict: bool = False


def preview(session: Session, command: ImportParcels, intake: Intake) -> ImportReport:
    """Return what :func:`import_parcels` would answer now, writing nothing (a dry run)."""
    with session.begin_nested() as savepoint:
        report = import_parcels(session, replace(command, strict=False), intake)
        savepoint.rollback()
    return replace(report, batch_id=None)


def import_parcels(session: Session, command: ImportParcels, intake: Intake) -> ImportReport:
    """Store every row of an examined file; accepted rows become submitted parcels.

    Raises
    ------
    NotFoundError : the division or programme is not known.
    NothingAcceptedError : ``strict`` and some row was not accepted; nothing is stored.
    """
    target = import_store.begin(
        session,
        import_store.Facts(
            file_name=command.file_name,
            file_sha256=command.file_sha256,
            format=intake.format,
            crs_label=intake.crs_label,
            encoding=intake.encoding,
            division_code=command.division_code,
            programme_id=command.programme_id,
        ),
        batch_id=uuid4(),
        actor_id=command.actor_id,
        at=command.at,
        findings=[row_finding(found) for found in intake.findings_of(None)],
    )
    stage(session, target, intake)
    accept_staged(session, command, target.batch_id, strict=command.strict)
    return import_store.report(session, target.batch_id)


def accept(session: Session, command: AcceptImport) -> Counts:
    """Turn the acceptable rows of a previewed batch into parcels; a repeat changes nothing.

    Raises
    ------
    NotFoundError : there is no such batch.
    WrongStateError : its file is still being read.
    NothingAcceptedError : ``strict`` and some row was not accepted; nothing is stored.
    """
    batch = import_store.lock(session, command.batch_id)
    if batch is None:
        raise NotFoundError(what="import", id=command.batch_id)
    if batch.state == "accepted":
        return Counts(
            batch_id=batch.id,
            read=batch.read_rows,
            accepted=batch.accepted,
            refused=batch.refused,
            questioned=batch.questioned,
        )
    if batch.state != "previewed":
        raise WrongStateError(what="batch", state=batch.state, needs="previewed")
    return accept_staged(session, command, command.batch_id, strict=command.strict)


def accept_staged(session: Session, command: Command, batch_id: UUID, *, strict: bool) -> Counts:
    """Accept what is ready, against what is stored now, in the caller's one transaction."""
    import_store.refuse_stored(session, batch_id)
    import_store.make_parcels(session, batch_id, actor_id=command.actor_id, at=command.at)
    counts = import_store.settle(session, batch_id, "accepted")
    if strict and counts.accepted < counts.read:
        raise NothingAcceptedError(
            read=counts.read, refused=counts.refused, questioned=counts.questioned
        )
    _record(session, command, counts)
    return counts


def _record(session: Session, command: Command, counts: Counts) -> None:
    batch = import_store.lock(session, counts.batch_id)
    assert batch is not None  # noqa: S101 -- it was settled just now
    parcels = [
        [one.row, one.parcel_id, one.shape_digest.hex()]
        for one in import_store.accepted_rows(session, counts.batch_id)
    ]
    events.record(
        session,
        command,
        kind="parcels.imported",
        subject=("import_batch", str(counts.batch_id)),
        body={
            "file": batch.file_name,
            "file_sha256": bytes(batch.file_sha256).hex(),
            "read": counts.read,
            "accepted": counts.accepted,
            "refused": counts.refused,
            "questioned": counts.questioned,
            "parcels_digest": digest(parcels),
        },
    )
