"""What pages show of options: lots, contracts, a village's money, a forest owner's account."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from options import outside
from options.lot_store import left, load, offers
from options.models import Lot
from options.refusals import SubscriptionNotFoundError


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferView:
    """A vintage of a lot: offered = free + held + sold + delivered + released + short."""

    vintage: int
    quantity: int
    price_fen: int
    free: int
    held: int
    sold: int
    delivered: int
    shortfall: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """A step of a lot, oldest first."""

    machine: str
    event: str
    from_state: str
    to_state: str
    inputs: Mapping[str, Any]
    actor_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelView:
    """A parcel of a lot and what it pre-stored over all vintages."""

    parcel_id: UUID
    code: str | None
    area_m2: float
    supplier_id: UUID
    supplier_name: str
    household_name: str | None
    tenure: str
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LotView:
    """A lot in a list."""

    lot_id: UUID
    number: str
    title: str
    unit: str
    sale_state: str
    physical_state: str
    company_id: UUID
    programme_id: str
    carbon_right_holder: str
    return_trigger: str
    term_years: int
    noticed_on: date | None
    closes_on: date | None
    offers: tuple[OfferView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LotPage:
    """A lot with its parcels and its story."""

    lot: LotView
    company_name: str
    sale: Mapping[str, Any]
    waterfall: Mapping[str, Any]
    parcels: tuple[ParcelView, ...]
    steps: tuple[StepView, ...]
    open_objections: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionLineView:
    """A line of a contract."""

    line_id: UUID
    vintage: int
    quantity: int
    price_fen: int
    amount_fen: int
    state: str
    delivered: int
    shortfall: int
    refund_due_fen: int
    refunded_fen: int
    pack_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionPage:
    """A contract; ``payment_open`` says whether payment details may be shown now."""

    subscription_id: UUID
    number: str
    lot_id: UUID
    lot_number: str
    unit: str
    buyer_id: UUID
    buyer_name: str
    amount_fen: int
    due_at: datetime | None
    calendar_unverified: bool
    signed_at: datetime | None
    paid_at: datetime | None
    payment_open: bool
    lines: tuple[SubscriptionLineView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """One line of a run that names the party: due when approved, received when confirmed."""

    settlement_id: UUID
    lot_number: str
    vintage: int
    run: int
    state: str
    kind: str
    units: int
    due_fen: int
    received_fen: int
    bank_reference: str | None
    received_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VillageStatement:
    """Every fen due to a party and received by it; due = received + outstanding."""

    party_id: UUID
    name: str
    due_fen: int
    received_fen: int
    passed_through_fen: int
    lines: tuple[StatementLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstLevelRow:
    """What a company holds pre-stored of a lot's vintage, and not yet paid for."""

    lot_id: UUID
    lot_number: str
    asset: str
    vintage: int
    pre_stored: int
    on_shelf: int
    bought: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstLevelAccount:
    """A company's first-level account: forecast and units apart, never added."""

    company_id: UUID
    name: str
    rows: tuple[FirstLevelRow, ...]
    forecast_kg: int
    units_kg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class YearView:
    """A forest owner's year: net of the latest run of each kind, kg."""

    year: int
    forecast_kg: int | None
    monitored_kg: int | None
    stock_kg: int | None
    pre_stored: int
    sold: int
    delivered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestOwnerAccount:
    """林业碳账户: what a village, cooperative, household or state farm has, sold and received."""

    party_id: UUID
    name: str
    kind: str
    parcels: int
    area_m2: float
    years: tuple[YearView, ...]
    pre_stored: int
    sold: int
    issued_kg: int
    due_fen: int
    received_fen: int


def lot_list(session: Session) -> tuple[LotView, ...]:
    """Return all lots, newest first."""
    rows = session.query(Lot).order_by(Lot.effective_at.desc(), Lot.number).all()
    return tuple(_lot_view(session, lot) for lot in rows)


def lot_page(session: Session, lot_id: UUID) -> LotPage:
    """Return a lot's page.

    Raises
    ------
    LotNotFoundError
    """
    lot = load(session, lot_id, lock=False)
    row = {"lot": lot_id}
    return LotPage(
        lot=_lot_view(session, lot),
        company_name=outside.party(session, lot.company_id).name,
        sale=lot.sale,
        waterfall=lot.waterfall,
        parcels=tuple(ParcelView(**r._asdict()) for r in session.execute(_PARCELS, row)),
        steps=tuple(StepView(**r._asdict()) for r in session.execute(_STEPS, row)),
        open_objections=int(session.scalar(_OBJECTIONS, row) or 0),
    )


def subscription_page(session: Session, subscription_id: UUID) -> SubscriptionPage:
    """Return a contract's page.

    Raises
    ------
    SubscriptionNotFoundError
    """
    row = session.execute(_SUBSCRIPTION, {"id": subscription_id}).first()
    if row is None:
        raise SubscriptionNotFoundError(subscription=subscription_id)
    lines = tuple(
        SubscriptionLineView(**{**r._asdict(), "pack_codes": tuple(r.pack_codes)})
        for r in session.execute(_LINES, {"id": subscription_id})
    )
    return SubscriptionPage(
        **row._asdict(),
        payment_open=any(line.state == "AWAITING_PAYMENT" for line in lines),
        lines=lines,
    )


def subscriptions_of(session: Session, buyer_id: UUID) -> tuple[SubscriptionPage, ...]:
    """Return a buyer's contracts, newest first."""
    ids = session.scalars(_OF_BUYER, {"buyer": buyer_id}).all()
    return tuple(subscription_page(session, one) for one in ids)


def village_statement(session: Session, party_id: UUID) -> VillageStatement:
    """Return every fen due to a party and received, line by line.

    Raises
    ------
    PartyNotFoundError
    """
    card = outside.party(session, party_id)
    rows = session.execute(_STATEMENT, {"party": party_id}).all()
    lines = tuple(StatementLine(**row._asdict()) for row in rows)
    return VillageStatement(
        party_id=party_id,
        name=card.name,
        due_fen=sum(line.due_fen for line in lines),
        received_fen=sum(line.received_fen for line in lines),
        passed_through_fen=int(session.scalar(_PASSED, {"party": party_id}) or 0),
        lines=lines,
    )


def first_level_account(session: Session, company_id: UUID) -> FirstLevelAccount:
    """Return a company's first-level account.

    Raises
    ------
    PartyNotFoundError
    """
    card = outside.party(session, company_id)
    rows = tuple(
        FirstLevelRow(**row._asdict())
        for row in session.execute(_FIRST_LEVEL, {"company": company_id})
    )
    return FirstLevelAccount(
        company_id=company_id,
        name=card.name,
        rows=rows,
        forecast_kg=sum(row.on_shelf for row in rows if row.asset == "forecast_kg"),
        units_kg=int(session.scalar(_UNITS, {"company": company_id}) or 0),
    )


def forest_owner_account(session: Session, party_id: UUID) -> ForestOwnerAccount:
    """Return a forest owner's account.

    Raises
    ------
    PartyNotFoundError
    """
    card = outside.party(session, party_id)
    row = {"party": party_id}
    land = session.execute(_LAND, row).one()
    years = tuple(YearView(**r._asdict()) for r in session.execute(_YEARS, row))
    money = village_statement(session, party_id)
    return ForestOwnerAccount(
        party_id=party_id,
        name=card.name,
        kind=card.kind,
        parcels=land.parcels,
        area_m2=land.area_m2,
        years=years,
        pre_stored=sum(year.pre_stored for year in years),
        sold=sum(year.sold for year in years),
        issued_kg=sum(year.delivered for year in years),
        due_fen=money.due_fen,
        received_fen=money.received_fen,
    )


def account_parcels(session: Session, party_id: UUID) -> list[UUID]:
    """Return the parcels of a forest owner's account."""
    return list(session.scalars(_PARCELS_OF, {"party": party_id}))


def _lot_view(session: Session, lot: Lot) -> LotView:
    free = left(session, lot.id)
    sums = {row.vintage: row for row in session.execute(_SUMS, {"lot": lot.id})}

    def view(vintage: int, quantity: int, price_fen: int) -> OfferView:
        row = sums.get(vintage)
        return OfferView(
            vintage=vintage,
            quantity=quantity,
            price_fen=price_fen,
            free=free.get(vintage, 0),
            held=int(row.held) if row else 0,
            sold=int(row.sold) if row else 0,
            delivered=int(row.delivered) if row else 0,
            shortfall=int(row.shortfall) if row else 0,
        )

    return LotView(
        lot_id=lot.id,
        number=lot.number,
        title=lot.title,
        unit=lot.unit,
        sale_state=lot.sale_state,
        physical_state=lot.physical_state,
        company_id=lot.company_id,
        programme_id=lot.programme_id,
        carbon_right_holder=lot.carbon_right_holder,
        return_trigger=lot.return_trigger,
        term_years=lot.term_years,
        noticed_on=lot.noticed_on,
        closes_on=lot.closes_on,
        offers=tuple(view(o.vintage, o.quantity, o.price_fen) for o in offers(session, lot.id)),
    )


_SOLD = "('PAID', 'COOLING_OFF', 'VESTING', 'DELIVERABLE')"
_SUMS = text("SELECT * FROM lot_sums(:lot)")
_PARCELS = text(
    "SELECT l.parcel_id, p.code, p.area_m2, l.supplier_id, s.name AS supplier_name,"
    " h.name AS household_name, l.tenure,"
    " coalesce((SELECT sum(units) FROM lot_supply u WHERE u.lot_id = l.lot_id"
    "   AND u.parcel_id = l.parcel_id), 0)::bigint AS units"
    " FROM lot_parcel l JOIN parcel p ON p.id = l.parcel_id JOIN party s ON s.id = l.supplier_id"
    " LEFT JOIN party h ON h.id = l.household_id WHERE l.lot_id = :lot"
    " ORDER BY s.division_code, p.code, l.parcel_id"
)
_STEPS = text(
    "SELECT machine, event, from_state, to_state, inputs, actor_id, effective_at AS at"
    " FROM lot_step WHERE lot_id = :lot ORDER BY recorded_at"
)
_OBJECTIONS = text("SELECT count(*) FROM lot_objection WHERE lot_id = :lot AND state = 'open'")
_SUBSCRIPTION = text(
    "SELECT s.id AS subscription_id, s.number, s.lot_id, l.number AS lot_number, l.unit,"
    " s.buyer_id, b.name AS buyer_name, s.amount_fen, s.due_at, s.calendar_unverified,"
    " s.signed_at, s.paid_at"
    " FROM subscription s JOIN lot l ON l.id = s.lot_id JOIN party b ON b.id = s.buyer_id"
    " WHERE s.id = :id"
)
_LINES = text(
    "SELECT id AS line_id, vintage, quantity, price_fen, amount_fen, state, delivered, shortfall,"
    " refund_due_fen, refunded_fen,"
    " ARRAY(SELECT code FROM tree_pack p WHERE p.line_id = n.id ORDER BY code) AS pack_codes"
    " FROM subscription_line n WHERE subscription_id = :id ORDER BY vintage"
)
_OF_BUYER = text(
    "SELECT id FROM subscription WHERE buyer_id = :buyer ORDER BY effective_at DESC, number"
)
_STATEMENT = text(
    "SELECT s.id AS settlement_id, l.number AS lot_number, s.vintage, s.run, s.state, n.kind,"
    " n.units, n.amount_fen AS due_fen, coalesce(p.amount_fen, 0) AS received_fen,"
    " p.bank_reference, p.effective_at AS received_at"
    " FROM settlement_line n JOIN settlement s ON s.id = n.settlement_id"
    "   AND s.revision = n.revision JOIN lot l ON l.id = s.lot_id"
    " LEFT JOIN settlement_payment p ON (p.settlement_id, p.revision, p.n)"
    "   = (n.settlement_id, n.revision, n.n)"
    " WHERE n.payee_id = :party AND s.state NOT IN ('DRAFT', 'CHECKED')"
    "   AND n.kind IN ('village', 'household')"
    " ORDER BY s.effective_at, l.number, s.vintage, s.run, n.n"
)
_PASSED = text(
    "SELECT sum(p.amount_fen) FROM settlement_line n JOIN settlement_payment p"
    " ON (p.settlement_id, p.revision, p.n) = (n.settlement_id, n.revision, n.n)"
    " WHERE n.through_id = :party"
)
_FIRST_LEVEL = text(
    "SELECT l.id AS lot_id, l.number AS lot_number, a.asset, o.vintage,"
    " coalesce((SELECT sum(units) FROM lot_supply u WHERE u.lot_id = o.lot_id"
    "   AND u.vintage = o.vintage), 0)::bigint AS pre_stored,"
    " a.balance AS on_shelf,"
    " coalesce((SELECT sum(promised) FROM subscription_line n WHERE n.lot_id = o.lot_id"
    f"   AND n.vintage = o.vintage AND n.state IN {_SOLD}), 0)::bigint AS bought"
    " FROM lot l JOIN lot_offer o ON o.lot_id = l.id JOIN account a ON a.kind = 'first_level'"
    "   AND a.party_id = l.company_id AND a.reference = 'lot:' || o.lot_id || ':' || o.vintage"
    " WHERE l.company_id = :company ORDER BY l.number, o.vintage"
)
_UNITS = text(
    "SELECT balance FROM account WHERE asset = 'kg' AND kind = 'holding' AND party_id = :company"
    " AND reference IS NULL"
)
_MINE = (
    "SELECT p.id, p.area_m2 FROM parcel p WHERE p.status = 'approved' AND (p.owner_id = :party"
    " OR EXISTS (SELECT FROM lot_parcel l WHERE l.parcel_id = p.id"
    "   AND (l.supplier_id = :party OR l.household_id = :party)))"
)
_LAND = text(f"SELECT count(*) AS parcels, coalesce(sum(area_m2), 0) AS area_m2 FROM ({_MINE}) m")
# The latest run of each kind speaks for a parcel and year; sales are the parcels' by weight.
_PARCELS_OF = text(f"WITH mine AS ({_MINE}) SELECT DISTINCT id FROM mine ORDER BY 1")
_YEARS = text(
    f"WITH mine AS ({_MINE}),"
    " told AS (SELECT DISTINCT ON (a.parcel_id, a.year, r.kind) a.parcel_id, a.year, r.kind,"
    "   a.net_kg, a.stock_kg FROM assessment a JOIN assessment_run r ON r.id = a.run_id"
    "   WHERE a.parcel_id IN (SELECT id FROM mine)"
    "   ORDER BY a.parcel_id, a.year, r.kind, r.effective_at DESC, r.recorded_at DESC),"
    " net AS (SELECT year, sum(net_kg) FILTER (WHERE kind = 'forecast')::bigint AS forecast_kg,"
    "   sum(net_kg) FILTER (WHERE kind = 'monitored')::bigint AS monitored_kg,"
    "   sum(stock_kg) FILTER (WHERE kind = 'monitored')::bigint AS stock_kg"
    "   FROM told GROUP BY year),"
    " given AS (SELECT u.lot_id, u.vintage, sum(u.units) AS units FROM lot_supply u"
    "   JOIN lot_parcel l ON (l.lot_id, l.parcel_id) = (u.lot_id, u.parcel_id)"
    "   WHERE l.supplier_id = :party OR l.household_id = :party GROUP BY u.lot_id, u.vintage),"
    " shelf AS (SELECT g.vintage AS year, g.units,"
    "   (SELECT sum(units) FROM lot_supply a WHERE (a.lot_id, a.vintage) = (g.lot_id, g.vintage))"
    "     AS all_units,"
    "   (SELECT coalesce(sum(promised), 0) FROM subscription_line n"
    "     WHERE (n.lot_id, n.vintage) = (g.lot_id, g.vintage)"
    "     AND n.state NOT IN ('RESERVED', 'SIGNED', 'AWAITING_PAYMENT', 'LAPSED', 'CANCELLED',"
    "       'REFUNDED')) AS sold,"
    "   (SELECT coalesce(sum(delivered), 0) FROM subscription_line n"
    "     WHERE (n.lot_id, n.vintage) = (g.lot_id, g.vintage)) AS delivered FROM given g),"
    " sales AS (SELECT year, sum(units)::bigint AS pre_stored,"
    "   sum(div(sold * units, all_units))::bigint AS sold,"
    "   sum(div(delivered * units, all_units))::bigint AS delivered FROM shelf GROUP BY year)"
    " SELECT year, forecast_kg, monitored_kg, stock_kg, coalesce(pre_stored, 0) AS pre_stored,"
    " coalesce(sold, 0) AS sold, coalesce(delivered, 0) AS delivered"
    " FROM net FULL JOIN sales USING (year) ORDER BY year"
)
