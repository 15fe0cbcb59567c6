"""Certificates: signed statements about sealed events, whose live state anyone can look up."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from registry import events, keys, serials
from registry.canonical import canonical
from registry.db import Command
from registry.errors import NotFoundError
from registry.unit_errors import EventNotSealedError


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifyRetirement(Command):
    """Certify a retirement; the statement stands on its sealed event."""

    retirement_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeCertificate(Command):
    """Say that a certificate no longer counts, and why."""

    number: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Certified:
    """A certificate: its number and the SHA-256 printed on it."""

    number: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateView:
    """What anyone sees of a certificate: its words, its seal, and its state now."""

    number: str
    kind: str
    state: str
    reason: str
    body: dict[str, Any]
    sha256: str
    signature: str
    public_key: str
    signature_holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialView:
    """What anyone sees of serials: where they are from and what became of them, by range."""

    serial: str
    project: str
    programme: str
    vintage: int
    parts: list[dict[str, str | int]]


def certify_retirement(
    session: Session, command: CertifyRetirement, key: Ed25519PrivateKey
) -> Certified:
    """Sign a statement about a retirement; one a retirement, repeated calls return it.

    Raises
    ------
    NotFoundError : there is no such retirement.
    EventNotSealedError : its event is not in the chain yet.
    """
    row = session.execute(_RETIREMENT, {"id": command.retirement_id}).first()
    if row is None:
        raise NotFoundError(what="certificate", id=command.retirement_id)
    subject = ("retirement", str(command.retirement_id))
    known = session.execute(_OF_SUBJECT, {"kind": subject[0], "id": subject[1]}).first()
    if known is not None:
        return Certified(number=known.number, sha256=bytes(known.sha256).hex())
    if row.pos is None:
        raise EventNotSealedError(event=str(row.event_id))
    number = row.number.replace("RET-", "CERT-", 1)
    words = canonical(_statement(session, row, number))
    event_id = events.record(
        session, command, kind="certificate.made", subject=subject, body={"number": number}
    )
    session.execute(
        _INSERT,
        {
            "id": uuid4(),
            "number": number,
            "subject_kind": subject[0],
            "subject_id": subject[1],
            "body": words,
            "signature": key.sign(words.encode()),
            "public_key": keys.public_bytes(key),
            "event": event_id,
            "at": command.at,
        },
    )
    made = session.execute(_BY_NUMBER, {"number": number}).one()
    return Certified(number=number, sha256=bytes(made.sha256).hex())


def revoke(session: Session, command: RevokeCertificate) -> Certified:
    """Revoke a certificate; the statement stays, its state changes.

    Raises
    ------
    NotFoundError : there is no such number.
    """
    row = session.execute(_BY_NUMBER, {"number": command.number}).first()
    if row is None:
        raise NotFoundError(what="certificate", id=command.number)
    event_id = events.record(
        session,
        command,
        kind="certificate.revoked",
        subject=("certificate", command.number),
        body={"reason": command.reason},
    )
    session.execute(
        _REVOKE,
        {"id": row.id, "reason": command.reason, "event": event_id, "at": command.at},
    )
    return Certified(number=command.number, sha256=bytes(row.sha256).hex())


def look_up(session: Session, number: str) -> CertificateView:
    """Return a certificate by its number or its retirement's number, with its state now.

    Raises
    ------
    NotFoundError : there is no such number.
    """
    wanted = number.strip().upper().replace("RET-", "CERT-", 1)
    row = session.execute(_BY_NUMBER, {"number": wanted}).first()
    if row is None:
        raise NotFoundError(what="certificate", id=number)
    return CertificateView(
        number=row.number,
        kind=row.kind,
        state="revoked" if row.reason is not None else "valid",
        reason=row.reason or "",
        body=json.loads(row.body),
        sha256=bytes(row.sha256).hex(),
        signature=bytes(row.signature).hex(),
        public_key=bytes(row.public_key).hex(),
        signature_holds=_holds(row),
    )


def serial_state(session: Session, words: str) -> SerialView:
    """Return what became of serials; holders are not named.

    Raises
    ------
    SerialInvalidError : no serial of ours.
    NotFoundError : there is no such batch, or it has no such serials.
    """
    wanted = serials.parse(words)
    bound = {"prefix": wanted.prefix, "first": wanted.first, "past": wanted.last + 1}
    batch = session.execute(_BATCH, bound).first()
    if batch is None or wanted.last > batch.size_kg:
        raise NotFoundError(what="batch", id=words)
    parts: list[dict[str, str | int]] = [
        {"first": row.first, "last": row.last, "status": row.status}
        for row in session.execute(_PARTS, bound)
    ]
    return SerialView(
        serial=str(wanted),
        project=batch.project,
        programme=f"{batch.programme_id} {batch.programme_version}",
        vintage=batch.vintage,
        parts=parts,
    )


def _statement(session: Session, row: Row[Any], number: str) -> dict[str, object]:
    first = serials.parse(row.serials[0])
    batch = session.execute(
        _BATCH, {"prefix": first.prefix, "first": first.first, "past": first.last + 1}
    ).one()
    return {
        "format": 1,
        "kind": "retirement",
        "number": number,
        "retirement": row.number,
        "retired_at": row.effective_at,
        "holder": row.holder,
        "beneficiary": row.beneficiary,
        "purpose": row.purpose,
        "reporting_period": row.reporting_period,
        "kg": row.kg,
        "serials": row.serials,
        "vintages": sorted(
            {serials.batch_name(serials.parse(s).prefix).vintage for s in row.serials}
        ),
        "project": batch.project,
        "programme": batch.programme_id,
        "programme_version": batch.programme_version,
        "event": row.event_id,
        "seal_pos": row.pos,
        "seal_hash": bytes(row.hash),
    }


def _holds(row: Row[Any]) -> bool:
    try:
        keys.public_key(bytes(row.public_key)).verify(bytes(row.signature), row.body.encode())
    except InvalidSignature:
        return False
    return True


_RETIREMENT = text(
    "SELECT r.*, s.pos, s.hash,"
    " CASE WHEN p.kind IN ('person', 'household') THEN '个人 person' ELSE p.name END AS holder"
    " FROM retirement r JOIN party p ON p.id = r.holder_id"
    " LEFT JOIN event_seal s ON s.event_id = r.event_id WHERE r.id = :id"
)
_OF_SUBJECT = text(
    "SELECT number, sha256 FROM certificate WHERE subject_kind = :kind AND subject_id = :id"
)
_BY_NUMBER = text(
    "SELECT c.*, v.reason FROM certificate c"
    " LEFT JOIN certificate_revocation v ON v.certificate_id = c.id WHERE c.number = :number"
)
_INSERT = text(
    "INSERT INTO certificate (id, number, kind, subject_kind, subject_id, body, sha256, signature,"
    " public_key, event_id, effective_at) VALUES (:id, :number, 'retirement', :subject_kind,"
    " :subject_id, :body, sha256(convert_to(:body, 'UTF8')), :signature, :public_key, :event, :at)"
)
_REVOKE = text(
    "INSERT INTO certificate_revocation (certificate_id, reason, event_id, effective_at)"
    " VALUES (:id, :reason, :event, :at)"
)
_BATCH = text("SELECT * FROM serial_batch(:prefix)")
_PARTS = text(
    "SELECT first, last, status FROM serial_parts(:prefix, int8range(:first, :past), NULL)"
    " ORDER BY first"
)
