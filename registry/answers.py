"""Questions of an import answered by a person: rows that waited become parcels as they were read.

A question about the whole file (its datum) is answered by importing it again with its reference
system; what a row is refused for is no question.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from registry import events, import_store, people
from registry.db import Command
from registry.errors import InvalidValueError, NotFoundError, WrongStateError
from registry.import_rows import as_objects
from registry.places import RowFinding


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerQuestions(Command):
    """Take questioned rows of an accepted import as they stand, for a reason that is kept."""

    batch_id: UUID
    rows: tuple[int, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionsAnswered:
    """Which rows are parcels now, and which were refused after all: their ground is taken."""

    batch_id: UUID
    accepted: list[int]
    refused: list[int]


def answer(session: Session, command: AnswerQuestions) -> QuestionsAnswered:
    """Make parcels of rows whose questions a person answers; they wait for approval as any.

    Raises
    ------
    NotFoundError : there is no such import.
    NotPermittedError : somebody else sent it, and the actor is no county administrator.
    WrongStateError : it is not accepted yet, or taken back.
    InvalidValueError : no reason, or a row that asks nothing of its own.
    ParcelOverlapError : two of the rows overlap each other (from the database).
    """
    batch = import_store.lock(session, command.batch_id)
    if batch is None:
        raise NotFoundError(what="import", id=command.batch_id)
    if batch.actor_id != command.actor_id:
        people.require_role(session, command, "county")
    if batch.state != "accepted":
        raise WrongStateError(what="batch", state=batch.state, needs="accepted")
    reason = command.reason.strip()
    if not reason:
        raise InvalidValueError(field="reason", value="", why="1-")
    wanted = sorted(set(command.rows))
    opened = _open(session, command.batch_id, wanted, reason)
    if not wanted or opened != wanted:
        missing = [row for row in wanted if row not in opened]
        value = "、".join(map(str, missing)) or "—"
        raise InvalidValueError(field="rows", value=value, why="待定的行 questioned rows")
    import_store.refuse_stored(session, command.batch_id)
    import_store.make_parcels(session, command.batch_id, actor_id=command.actor_id, at=command.at)
    import_store.settle(session, command.batch_id, "accepted")
    taken = list(session.scalars(_TAKEN, {"batch": command.batch_id, "rows": wanted}))
    events.record(
        session,
        command,
        kind="parcels.questions_answered",
        subject=("import_batch", str(command.batch_id)),
        body={"rows": wanted, "accepted": taken, "reason": reason},
    )
    return QuestionsAnswered(
        batch_id=command.batch_id,
        accepted=taken,
        refused=[row for row in wanted if row not in taken],
    )


def _open(session: Session, batch_id: UUID, rows: Sequence[int], reason: str) -> list[int]:
    """Let rows that ask something of their own be taken; return those that do."""
    note = RowFinding(
        row=None, code="QUESTION_ANSWERED", severity="warning", params={"reason": reason}
    )
    bound = {"batch": batch_id, "rows": list(rows), "note": json.dumps(as_objects([note])[0])}
    return sorted(session.scalars(_OPEN, bound))


_OPEN = text(
    """
    UPDATE import_row SET status = 'ready', findings = findings || jsonb_build_array(
             CAST(:note AS jsonb) || jsonb_build_object('row', row))
     WHERE batch_id = :batch AND row = ANY(CAST(:rows AS int[])) AND status = 'questioned'
       AND geometry IS NOT NULL AND area_m2 IS NOT NULL
       AND findings @> '[{"severity": "questioned"}]' RETURNING row
    """
)
_TAKEN = text(
    "SELECT row FROM import_row WHERE batch_id = :batch AND row = ANY(CAST(:rows AS int[]))"
    " AND status = 'accepted' ORDER BY row"
)
