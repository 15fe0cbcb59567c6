"""What options asks of registry's rows: parties, programmes, claims; read only, frozen values."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from options.refusals import PartyNotFoundError, ProgrammeNotFoundError
from registry.errors import NotFoundError


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyCard:
    """What a contract needs to know of a party."""

    id: UUID
    kind: str
    name: str
    division_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountCard:
    """Where money for a party goes."""

    party_id: UUID
    number: str
    kind: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimCard:
    """A claim on a parcel's years: ``years_to`` is the first year after it."""

    parcel_id: UUID
    claim_id: UUID
    project_id: UUID | None
    active: bool
    years_from: int
    years_to: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundCard:
    """What may stand on a parcel, and whose it is."""

    kind: str
    status: str
    division_code: str | None
    owner_id: UUID | None


def ground(session: Session, parcel_id: UUID) -> GroundCard | None:
    """Return what may stand on a parcel, or None where there is none."""
    row = session.execute(_GROUND, {"id": parcel_id}).first()
    return GroundCard(**row._asdict()) if row is not None else None


def party(session: Session, party_id: UUID) -> PartyCard:
    """Return a party's card.

    Raises
    ------
    PartyNotFoundError
    """
    row = session.execute(_PARTY, {"ids": [party_id]}).first()
    if row is None:
        raise PartyNotFoundError(party=party_id)
    return PartyCard(**row._asdict())


def parties(session: Session, ids: list[UUID]) -> dict[UUID, PartyCard]:
    """Return the cards of several parties by id; unknown ids are left out."""
    rows = session.execute(_PARTY, {"ids": ids})
    return {row.id: PartyCard(**row._asdict()) for row in rows}


def accounts(session: Session, ids: list[UUID]) -> dict[UUID, AccountCard]:
    """Return the accounts of parties by their id: the actor's own, and of those the actor pays."""
    rows = session.execute(_ACCOUNTS, {"ids": ids})
    return {row.party_id: AccountCard(**row._asdict()) for row in rows}


def programme(session: Session, programme_id: str, version: str) -> Mapping[str, Any]:
    """Return the programme's values as adopted, without their sources and marks.

    Raises
    ------
    ProgrammeNotFoundError
    """
    source = session.scalar(_PROGRAMME, {"id": programme_id, "version": version})
    if source is None:
        raise ProgrammeNotFoundError(programme=programme_id, version=version)
    values: dict[str, Any] = bare(tomllib.loads(source))
    return values


def bare(node: Any) -> Any:  # noqa: ANN401 -- TOML is any of its types
    """Return a programme's node with each ``{value, unit, source, mark, ...}`` as its value."""
    if isinstance(node, dict):
        return node["value"] if "value" in node else {k: bare(v) for k, v in node.items()}
    return [bare(item) for item in node] if isinstance(node, list) else node


def claims(session: Session, claim_ids: list[UUID]) -> dict[UUID, ClaimCard]:
    """Return claims by id; unknown ids are left out."""
    rows = session.execute(_CLAIMS, {"ids": claim_ids})
    return {row.claim_id: ClaimCard(**row._asdict()) for row in rows}


def approved_parcels(session: Session, parcel_ids: list[UUID]) -> frozenset[UUID]:
    """Return which of these parcels are approved."""
    return frozenset(session.scalars(_APPROVED, {"ids": parcel_ids}))


def project_of_period(session: Session, period_id: UUID) -> UUID:
    """Return the project of a monitoring period.

    Raises
    ------
    NotFoundError
    """
    found = session.scalar(_PERIOD, {"id": period_id})
    if not isinstance(found, UUID):
        raise NotFoundError(what="period", id=period_id)
    return found


_PERIOD = text("SELECT project_id FROM period WHERE id = :id")
_PARTY = text("SELECT id, kind, name, division_code FROM party WHERE id = ANY(:ids)")
_ACCOUNTS = text("SELECT party_id, number, kind FROM party_account WHERE party_id = ANY(:ids)")
_PROGRAMME = text("SELECT source FROM programme WHERE id = :id AND version = :version")
_CLAIMS = text(
    "SELECT parcel_id, id AS claim_id, project_id, status = 'active' AS active,"
    " lower(years) AS years_from, upper(years) AS years_to FROM claim WHERE id = ANY(:ids)"
)
_GROUND = text("SELECT kind, status, division_code, owner_id FROM parcel WHERE id = :id")
_APPROVED = text("SELECT id FROM parcel WHERE id = ANY(:ids) AND status = 'approved'")
