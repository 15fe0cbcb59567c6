"""What a sale's desks need beside a lot's page: who may look, what may be sold, settlements."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from options.refusals import LotNotFoundError, SettlementNotFoundError


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionView:
    """An objection to a lot's notice."""

    objection_id: UUID
    by_name: str
    words: str
    state: str
    answer: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SellableParcel:
    """A claimed parcel that may go into a lot, and how its owner holds it."""

    parcel_id: UUID
    claim_id: UUID
    code: str | None
    area_m2: float
    tenure: str
    supplier_id: UUID
    supplier_name: str
    household_id: UUID | None
    household_name: str | None
    years_from: int
    years_to: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeYear:
    """What a project's claimed parcels have free of one vintage, kg of the forecast."""

    vintage: int
    free_kg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractLine:
    """A contract in a list."""

    subscription_id: UUID
    number: str
    lot_number: str
    buyer_name: str
    amount_fen: int
    state: str
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementLineView:
    """A payee of a run; received when the bank confirmed."""

    n: int
    kind: str
    type: str
    voucher: str
    payee_id: UUID | None
    payee_name: str
    units: int
    amount_fen: int
    paid_fen: int
    bank_reference: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LotBasis:
    """The forecast run and the programme version that a lot's quantities come from."""

    run_id: UUID | None
    programme_id: str
    programme_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementPage:
    """A run: the identity's sums, who prepared, checked and approved, and its lines."""

    settlement_id: UUID
    lot_id: UUID
    lot_number: str
    company_id: UUID
    unit: str
    vintage: int
    run: int
    revision: int
    state: str
    ratio: str
    escrow_in_fen: int
    refunds_fen: int
    gross_fen: int
    taxes_fen: int
    insurance_fen: int
    costs_fen: int
    reserves_brought_fen: int
    reserves_held_fen: int
    advance_recouped_fen: int
    returned_fen: int
    remainder_fen: int
    escrow_balance_fen: int
    prepared_by: UUID
    checked_by: UUID | None
    approved_by: tuple[UUID, ...]
    returned_at: datetime | None
    publish_by: date | None
    published_at: datetime | None
    input_digest: str
    lines: tuple[SettlementLineView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementRow:
    """A run in a list."""

    settlement_id: UUID
    lot_number: str
    vintage: int
    run: int
    state: str
    gross_fen: int
    returned_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerRow:
    """A forest owner in a list."""

    party_id: UUID
    name: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundView:
    """A refund of a line: where the money comes from and whether it has left."""

    refund_id: UUID
    reason: str
    due_fen: int
    escrow_fen: int
    insurance_fen: int
    hold_back_fen: int
    pool_fen: int
    seller_claim_fen: int
    open_fen: int


def concerns(
    session: Session, lot_id: UUID, *, party_id: UUID | None, division: str | None
) -> bool:
    """Say whether a lot is a party's (company, supplier, household) or lies in a division."""
    row = {"lot": lot_id, "party": party_id, "division": division and f"{division}%"}
    return bool(session.scalar(_CONCERNS, row))


def lots_concerning(
    session: Session, *, party_id: UUID | None, division: str | None
) -> frozenset[UUID]:
    """Return the lots of a party (company, supplier, household) or of a division."""
    row = {"lot": None, "party": party_id, "division": division and f"{division}%"}
    return frozenset(session.scalars(_CONCERNING, row))


def supplies(session: Session, *, company_id: UUID, party_id: UUID) -> bool:
    """Say whether a party supplies any lot of a company."""
    return bool(session.scalar(_SUPPLIES, {"company": company_id, "party": party_id}))


def villages(session: Session, lot_id: UUID) -> tuple[str, ...]:
    """Return the names of a lot's suppliers, by division; households are not named."""
    return tuple(session.scalars(_VILLAGES, {"lot": lot_id}))


def ground_m2(session: Session, lot_id: UUID) -> float:
    """Return the area of a lot's parcels together."""
    return float(session.scalar(_GROUND, {"lot": lot_id}) or 0)


def villages_of(session: Session, lot_ids: list[UUID]) -> dict[UUID, str]:
    """Return the suppliers' names of several lots, joined."""
    rows = session.execute(_VILLAGES_OF, {"lots": lot_ids})
    return {row.lot_id: row.names for row in rows}


def objections(session: Session, lot_id: UUID) -> tuple[ObjectionView, ...]:
    """Return the objections to a lot's notice, oldest first."""
    rows = session.execute(_OBJECTIONS, {"lot": lot_id})
    return tuple(ObjectionView(**row._asdict()) for row in rows)


def lot_of_objection(session: Session, objection_id: UUID) -> UUID | None:
    """Return the lot whose notice an objection is about."""
    found = session.scalar(_LOT_OF, {"id": objection_id})
    return found if isinstance(found, UUID) else None


def lot_of_contract(session: Session, number: str) -> UUID | None:
    """Return the lot of a contract's number."""
    found = session.scalar(_LOT_OF_CONTRACT, {"number": number})
    return found if isinstance(found, UUID) else None


def lot_of_refund(session: Session, refund_id: UUID) -> UUID | None:
    """Return the lot whose line a refund is for."""
    found = session.scalar(_LOT_OF_REFUND, {"id": refund_id})
    return found if isinstance(found, UUID) else None


def lots_of_project(session: Session, project_id: UUID) -> tuple[UUID, ...]:
    """Return the lots that sell a project's carbon."""
    return tuple(session.scalars(_LOTS_OF_PROJECT, {"project": project_id}))


def sold_ahead(session: Session, project_id: UUID) -> bool:
    """Say whether a lot of carbon of the project is past its review: its periods are delivered."""
    return bool(session.scalar(_SOLD_AHEAD, {"project": project_id}))


def basis(session: Session, lot_id: UUID) -> LotBasis:
    """Return what a lot's quantities stand on.

    Raises
    ------
    LotNotFoundError
    """
    row = session.execute(_BASIS, {"lot": lot_id}).first()
    if row is None:
        raise LotNotFoundError(lot=lot_id)
    return LotBasis(**row._asdict())


def sellable(session: Session, project_id: UUID) -> tuple[SellableParcel, ...]:
    """Return a project's actively claimed, approved parcels.

    A household's parcel is supplied through the collective of its division.
    """
    rows = session.execute(_SELLABLE, {"project": project_id})
    return tuple(SellableParcel(**row._asdict()) for row in rows)


def free_years(session: Session, project_id: UUID) -> tuple[FreeYear, ...]:
    """Return what a project has free of each vintage."""
    rows = session.execute(_FREE, {"project": project_id})
    return tuple(FreeYear(**row._asdict()) for row in rows)


def latest_forecast(session: Session, project_id: UUID) -> UUID | None:
    """Return the newest forecast of a project."""
    found = session.scalar(_FORECAST, {"project": project_id})
    return found if isinstance(found, UUID) else None


def contracts(
    session: Session, *, company_id: UUID | None, everything: bool
) -> tuple[ContractLine, ...]:
    """Return the contracts on a company's lots (or all), those to act on first."""
    row = {"company": company_id, "everything": everything}
    return tuple(ContractLine(**r._asdict()) for r in session.execute(_CONTRACTS, row))


def settlements(session: Session, lot_ids: list[UUID]) -> tuple[SettlementRow, ...]:
    """Return the runs of some lots, newest first."""
    rows = session.execute(_SETTLEMENTS, {"lots": lot_ids})
    return tuple(SettlementRow(**row._asdict()) for row in rows)


def settlement(session: Session, settlement_id: UUID) -> SettlementPage:
    """Return a run with its lines.

    Raises
    ------
    SettlementNotFoundError
    """
    row = session.execute(_SETTLEMENT, {"id": settlement_id}).first()
    if row is None:
        raise SettlementNotFoundError(settlement=settlement_id)
    lines = session.execute(_LINES, {"id": settlement_id})
    return SettlementPage(
        **_plain(row), lines=tuple(SettlementLineView(**line._asdict()) for line in lines)
    )


def owners(session: Session, *, division: str) -> tuple[OwnerRow, ...]:
    """Return the villages, cooperatives and state farms of a division (a prefix of its code)."""
    rows = session.execute(_OWNERS, {"division": f"{division}%"})
    return tuple(OwnerRow(**row._asdict()) for row in rows)


def refunds(session: Session, subscription_id: UUID) -> tuple[RefundView, ...]:
    """Return a contract's refunds; ``open_fen`` has not left the supervised account yet."""
    rows = session.execute(_REFUNDS, {"id": subscription_id})
    return tuple(RefundView(**row._asdict()) for row in rows)


def _plain(row: Row[Any]) -> dict[str, Any]:
    found = row._asdict()
    found["approved_by"] = tuple(UUID(one) for one in found["approved_by"])
    found["input_digest"] = bytes(found["input_digest"]).hex()
    return found


_OF = (
    "(l.company_id = cast(:party AS uuid) OR EXISTS (SELECT FROM lot_parcel x"
    " JOIN parcel p ON p.id = x.parcel_id WHERE x.lot_id = l.id AND"
    " (x.supplier_id = cast(:party AS uuid) OR x.household_id = cast(:party AS uuid)"
    "  OR p.division_code LIKE cast(:division AS text))))"
)
_CONCERNS = text(f"SELECT 1 FROM lot l WHERE l.id = :lot AND {_OF}")
_CONCERNING = text(f"SELECT l.id FROM lot l WHERE cast(:lot AS uuid) IS NULL AND {_OF}")
_SUPPLIES = text(
    "SELECT 1 FROM lot l JOIN lot_parcel x ON x.lot_id = l.id WHERE l.company_id = :company"
    " AND (x.supplier_id = :party OR x.household_id = :party) LIMIT 1"
)
_VILLAGES = text(
    "SELECT name FROM lot_villages(ARRAY[cast(:lot AS uuid)]) ORDER BY division_code, name"
)
_GROUND = text("SELECT lot_ground_m2(:lot)")
_VILLAGES_OF = text(
    "SELECT lot_id, string_agg(DISTINCT name, '、' ORDER BY name) AS names"
    " FROM lot_villages(cast(:lots AS uuid[])) GROUP BY lot_id"
)
_OBJECTIONS = text(
    "SELECT id AS objection_id, by_name, words, state, answer, effective_at AS at"
    " FROM lot_objection WHERE lot_id = :lot ORDER BY recorded_at"
)
_LOT_OF = text("SELECT lot_id FROM lot_objection WHERE id = :id")
_LOT_OF_CONTRACT = text("SELECT lot_id FROM subscription WHERE number = :number")
_LOT_OF_REFUND = text(
    "SELECT n.lot_id FROM refund r JOIN subscription_line n ON n.id = r.line_id WHERE r.id = :id"
)
_BASIS = text("SELECT run_id, programme_id, programme_version FROM lot WHERE id = :lot")
_LOTS_OF_PROJECT = text("SELECT id FROM lot WHERE project_id = :project ORDER BY number")
_SOLD_AHEAD = text(
    "SELECT 1 FROM lot WHERE project_id = :project AND unit = 'kg'"
    " AND sale_state NOT IN ('DRAFT', 'REVIEW', 'REJECTED', 'WITHDRAWN') LIMIT 1"
)
HELD_BY: Final = (
    "CASE o.kind WHEN 'household' THEN 'household' WHEN 'person' THEN 'household'"
    "  WHEN 'cooperative' THEN 'cooperative' WHEN 'state_farm' THEN 'state'"
    "  ELSE 'collective' END AS tenure,"
    " coalesce(v.id, o.id) AS supplier_id, coalesce(v.name, o.name) AS supplier_name,"
    " CASE WHEN v.id IS NOT NULL THEN o.id END AS household_id,"
    " CASE WHEN v.id IS NOT NULL THEN o.name END AS household_name"
)
"""Columns of a parcel ``p`` of an owner ``o``: how it is held, and who supplies it."""
THROUGH_VILLAGE: Final = (
    "LEFT JOIN LATERAL (SELECT id, name FROM party WHERE kind = 'collective'"
    "   AND division_code = p.division_code AND o.kind IN ('household', 'person')"
    "   ORDER BY id LIMIT 1) v ON true"
)
"""The collective ``v`` through which a household supplies."""
SUPPLIED: Final = "(o.kind NOT IN ('household', 'person') OR v.id IS NOT NULL)"
"""Somebody supplies the parcel: its owner, or a household's village."""
_SELLABLE = text(
    "SELECT p.id AS parcel_id, c.id AS claim_id, p.code, p.area_m2,"
    f" {HELD_BY},"
    " lower(c.years) AS years_from, upper(c.years) AS years_to"
    " FROM claim c JOIN parcel p ON p.id = c.parcel_id JOIN party o ON o.id = p.owner_id"
    f" {THROUGH_VILLAGE}"
    " WHERE c.project_id = :project AND c.status = 'active' AND p.status = 'approved'"
    f"   AND {SUPPLIED}"
    " ORDER BY supplier_name, p.code, p.id"
)
_FREE = text(
    "SELECT k.vintage, sum(k.cap_kg - k.committed_kg)::bigint AS free_kg FROM capacity k"
    " JOIN claim c ON c.id = k.claim_id WHERE c.project_id = :project AND c.status = 'active'"
    " GROUP BY k.vintage ORDER BY k.vintage"
)
_FORECAST = text(
    "SELECT id FROM assessment_run WHERE project_id = :project AND kind = 'forecast'"
    " ORDER BY effective_at DESC, recorded_at DESC LIMIT 1"
)
_CONTRACTS = text(
    "SELECT s.id AS subscription_id, s.number, l.number AS lot_number, b.name AS buyer_name,"
    " s.amount_fen, s.due_at,"
    " (SELECT state FROM subscription_line n WHERE n.subscription_id = s.id"
    "   ORDER BY vintage LIMIT 1) AS state"
    " FROM subscription s JOIN lot l ON l.id = s.lot_id JOIN party b ON b.id = s.buyer_id"
    " WHERE l.company_id = cast(:company AS uuid) OR :everything"
    " ORDER BY (s.due_at IS NULL), s.effective_at DESC LIMIT 200"
)
_SETTLEMENTS = text(
    "SELECT s.id AS settlement_id, l.number AS lot_number, s.vintage, s.run, s.state, s.gross_fen,"
    " s.returned_fen FROM settlement s JOIN lot l ON l.id = s.lot_id WHERE s.lot_id = ANY(:lots)"
    " ORDER BY s.effective_at DESC, l.number, s.vintage, s.run LIMIT 200"
)
_SUMS = (
    "escrow_in_fen, refunds_fen, gross_fen, taxes_fen, insurance_fen, costs_fen,"
    " reserves_brought_fen, reserves_held_fen, advance_recouped_fen, returned_fen, remainder_fen,"
    " escrow_balance_fen, prepared_by, checked_by, approved_by, returned_at, publish_by,"
    " published_at, input_digest"
)
_SETTLEMENT = text(
    "SELECT s.id AS settlement_id, s.lot_id, l.number AS lot_number, l.company_id, l.unit,"
    f" s.vintage, s.run, s.revision, s.state, s.ratio, {_SUMS}"
    " FROM settlement s JOIN lot l ON l.id = s.lot_id WHERE s.id = :id"
)
_LINES = text(
    "SELECT n.n, n.kind, n.type, n.voucher, n.payee_id, n.payee_name, n.units, n.amount_fen,"
    " coalesce(p.amount_fen, 0) AS paid_fen, p.bank_reference"
    " FROM settlement_line n JOIN settlement s ON s.id = n.settlement_id"
    "   AND s.revision = n.revision"
    " LEFT JOIN settlement_payment p ON (p.settlement_id, p.revision, p.n)"
    "   = (n.settlement_id, n.revision, n.n)"
    " WHERE s.id = :id ORDER BY n.n"
)
_OWNERS = text(
    "SELECT id AS party_id, name, kind FROM party"
    " WHERE kind IN ('collective', 'cooperative', 'state_farm') AND division_code LIKE :division"
    " ORDER BY division_code, name LIMIT 500"
)
_REFUNDS = text(
    "SELECT r.id AS refund_id, r.reason, r.due_fen, r.escrow_fen, r.insurance_fen,"
    " r.hold_back_fen, r.pool_fen, r.seller_claim_fen,"
    " coalesce((SELECT balance FROM account WHERE asset = 'fen' AND kind = 'payable'"
    "   AND reference = 'refund:' || r.id), 0)::bigint AS open_fen"
    " FROM refund r JOIN subscription_line n ON n.id = r.line_id"
    " WHERE n.subscription_id = :id ORDER BY r.recorded_at"
)
