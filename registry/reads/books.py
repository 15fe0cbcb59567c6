"""A monitoring period with its plan and batches, and the serials a party holds."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from registry.errors import NotFoundError


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodBatch:
    """A batch that was issued of a period."""

    prefix: str
    vintage: int
    size_kg: int
    buffer_kg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodView:
    """A period as it stands; ``ends_on`` is the first day after it."""

    period_id: UUID
    project_id: UUID
    project: str
    starts_on: date
    ends_on: date
    status: str
    run_id: UUID
    creditable_kg: int
    verifier_id: UUID | None
    verified_kg: int | None
    plan: dict[str, Any]
    batches: tuple[PeriodBatch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRange:
    """An open range of serials in one of a party's accounts."""

    account: str
    serial: str
    vintage: int
    kg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """The units of a party; the ranges add up to ``kg``."""

    party_id: UUID
    name: str
    kg: int
    ranges: tuple[HeldRange, ...]


def period(session: Session, period_id: UUID) -> PeriodView:
    """Return a period.

    Raises
    ------
    NotFoundError : there is none.
    """
    row = session.execute(_PERIOD, {"id": period_id}).mappings().first()
    if row is None:
        raise NotFoundError(what="period", id=period_id)
    batches = tuple(
        PeriodBatch(**one) for one in session.execute(_BATCHES, {"id": period_id}).mappings()
    )
    return PeriodView(batches=batches, **row)


def holdings(session: Session, party_id: UUID) -> Holdings:
    """Return what units a party holds, in serial order.

    Raises
    ------
    NotFoundError : there is no such party.
    """
    name = session.scalar(_PARTY, {"id": party_id})
    if name is None:
        raise NotFoundError(what="party", id=party_id)
    ranges = tuple(HeldRange(**one) for one in session.execute(_HELD, {"id": party_id}).mappings())
    return Holdings(party_id=party_id, name=name, kg=sum(one.kg for one in ranges), ranges=ranges)


_PERIOD = text(
    "SELECT p.id AS period_id, p.project_id, j.adcode || '-' || j.number AS project, p.starts_on,"
    " p.ends_on, p.status, p.run_id, p.creditable_kg, p.verifier_id, p.verified_kg, p.plan"
    " FROM period p JOIN project j ON j.id = p.project_id WHERE p.id = :id"
)
_BATCHES = text(
    "SELECT prefix, vintage, size_kg, buffer_kg FROM batch WHERE period_id = :id ORDER BY vintage"
)
_PARTY = text("SELECT name FROM party WHERE id = :id")
_HELD = text(
    "SELECT a.kind AS account, b.prefix || '-' || lower(r.serials) || '-' || upper(r.serials) - 1"
    "   AS serial, b.vintage, (upper(r.serials) - lower(r.serials))::bigint AS kg"
    " FROM unit_range r JOIN account a ON a.id = r.account_id JOIN batch b ON b.id = r.batch_id"
    " WHERE a.party_id = :id AND r.closed_by IS NULL AND r.status IN ('held', 'buffer')"
    " ORDER BY b.prefix, lower(r.serials)"
)
