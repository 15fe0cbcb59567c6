r"""The audit trail: a verb records what it did; a sealer chains it; anyone can verify it.

Format 1 of the chain: ``hash = sha256("tanhui-seal-1\n" pos "\n" prev "\n" digest "\n")`` with
``pos`` in decimal, ``prev`` and ``digest`` in lower-case hexadecimal; the first ``prev`` is 64
zeros.  ``digest`` is the SHA-256 of the event's envelope, canonical JSON in UTF-8.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from registry.canonical import canonical, plain
from registry.db import Command

FORMAT: Final = 1
GENESIS: Final = bytes(32)
SEAL_LOCK: Final = 0x5EA1
"""Advisory lock key: one sealer at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """An event as it will be written: its id, the canonical text and the text's SHA-256."""

    id: UUID
    kind: str
    subject_kind: str
    subject_id: str
    text: str
    digest: bytes


def envelope(
    command: Command, *, kind: str, subject: tuple[str, str], body: Mapping[str, object]
) -> Envelope:
    """Return the envelope of one act; ``subject`` is (kind of thing, its id)."""
    event_id = uuid4()
    words = canonical(
        {
            "format": FORMAT,
            "id": event_id,
            "kind": kind,
            "at": command.at,
            "actor": command.actor_id,
            "key": command.key,
            "subject": {"kind": subject[0], "id": subject[1]},
            "body": plain(body),
        }
    )
    return Envelope(
        id=event_id,
        kind=kind,
        subject_kind=subject[0],
        subject_id=subject[1],
        text=words,
        digest=hashlib.sha256(words.encode()).digest(),
    )


def record(
    session: Session,
    command: Command,
    *,
    kind: str,
    subject: tuple[str, str],
    body: Mapping[str, object],
) -> UUID:
    """Write one event in the caller's transaction and return its id."""
    made = envelope(command, kind=kind, subject=subject, body=body)
    session.execute(
        _INSERT,
        {
            "id": made.id,
            "kind": kind,
            "actor": command.actor_id,
            "subject_kind": made.subject_kind,
            "subject_id": made.subject_id,
            "envelope": made.text,
            "digest": made.digest,
            "at": command.at,
        },
    )
    return made.id


def seal_hash(*, pos: int, prev: bytes, digest: bytes) -> bytes:
    """Return the hash of one link of the chain, format 1."""
    words = f"tanhui-seal-1\n{pos}\n{prev.hex()}\n{digest.hex()}\n"
    return hashlib.sha256(words.encode()).digest()


def seal(session: Session, *, at_most: int = 10_000) -> int:
    """Append seals for all events no running transaction can still precede; return how many.

    Order is the events' own number, drawn when each was written: an act that stands on another's
    committed rows wrote its event later, so cause comes before effect.  (The transaction's number
    would not do: it is drawn at the first write, which can be before a wait for the other.)  Only
    events older than every transaction that still runs here are taken, and none after one that
    must still wait.

    The snapshot names the running transactions of the whole server.  One is passed over only where
    the server shows it at work in another database, after the snapshot was taken: it can write
    nothing here.  What cannot be told (another role's without ``pg_read_all_stats``) is waited for.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": SEAL_LOCK})
    last = session.execute(
        text("SELECT pos, hash FROM event_seal ORDER BY pos DESC LIMIT 1")
    ).first()
    pos, prev = (last.pos, bytes(last.hash)) if last else (0, GENESIS)
    rows = []
    for event in session.execute(_UNSEALED, {"at_most": at_most}):
        pos += 1
        link = seal_hash(pos=pos, prev=prev, digest=bytes(event.digest))
        rows.append(
            {"pos": pos, "event_id": event.id, "prev": prev, "hash": link, "format": FORMAT}
        )
        prev = link
    if rows:
        session.execute(_SEAL, rows)
    return len(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedEvent:
    """One line of the exported log."""

    pos: int
    prev: str
    hash: str
    format: int
    envelope: str


def sealed_log(session: Session) -> Iterator[SealedEvent]:
    """Yield the sealed events in chain order."""
    for row in session.execute(_LOG.execution_options(yield_per=1000)):
        yield SealedEvent(
            pos=row.pos,
            prev=bytes(row.prev).hex(),
            hash=bytes(row.hash).hex(),
            format=row.format,
            envelope=row.envelope,
        )


def is_sealed(session: Session, event_id: UUID) -> bool:
    """Say whether an event is in the chain."""
    return session.execute(_IS_SEALED, {"event": event_id}).first() is not None


def last_seal(session: Session) -> dict[str, str | int]:
    """Return position and hash of the last link; position 0 and zeros for an empty chain."""
    last = session.execute(_LAST).first()
    return {"pos": last.pos if last else 0, "hash": bytes(last.hash if last else GENESIS).hex()}


_INSERT = text(
    "INSERT INTO event (id, kind, actor_id, subject_kind, subject_id, envelope, digest,"
    " effective_at)"
    " VALUES (:id, :kind, :actor, :subject_kind, :subject_id, :envelope, :digest, :at)"
)
# The waiting events are found by their transaction's number first: looked for by the least number,
# the whole table could be read to find none.
_UNSEALED = text(
    "WITH running AS (SELECT x FROM pg_snapshot_xip(pg_current_snapshot()) x"
    "   WHERE NOT EXISTS (SELECT FROM pg_stat_activity a"
    "     WHERE a.datname <> current_database() AND a.backend_xid = x::xid)"
    "   AND NOT EXISTS (SELECT FROM pg_prepared_xacts t"
    "     WHERE t.database <> current_database() AND t.transaction = x::xid)"
    "   UNION ALL SELECT pg_current_xact_id_if_assigned()"
    "   UNION ALL SELECT pg_snapshot_xmax(pg_current_snapshot())),"
    " horizon AS MATERIALIZED (SELECT x FROM running WHERE x IS NOT NULL ORDER BY x LIMIT 1),"
    " waiting AS MATERIALIZED (SELECT w.number FROM event w"
    "   WHERE w.xid >= (SELECT x FROM horizon))"
    " SELECT e.id, e.digest FROM event e LEFT JOIN event_seal s ON s.event_id = e.id"
    " WHERE s.event_id IS NULL AND e.xid < (SELECT x FROM horizon)"
    " AND e.number < coalesce((SELECT min(number) FROM waiting), 9223372036854775807)"
    " ORDER BY e.number LIMIT :at_most"
)
_IS_SEALED = text("SELECT FROM event_seal WHERE event_id = :event")
_LAST = text("SELECT pos, hash FROM event_seal ORDER BY pos DESC LIMIT 1")
_SEAL = text(
    "INSERT INTO event_seal (pos, event_id, prev, hash, format)"
    " VALUES (:pos, :event_id, :prev, :hash, :format)"
)
_LOG = text(
    "SELECT s.pos, s.prev, s.hash, s.format, e.envelope"
    " FROM event_seal s JOIN event e ON e.id = s.event_id ORDER BY s.pos"
)
