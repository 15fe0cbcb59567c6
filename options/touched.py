"""What a disturbance reaches: periods, issued units, lots, contracts and money on its parcels.

A list to act on, not an act.  It names what rests on the ground, and the rule that says what must
follow; no amount is made up that no rule gives (units are issued to a project, not to a parcel).
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from registry.people import ActorView
from registry.reads import change, units
from registry.reads.change import DisturbanceById, DisturbancePage

ENDED: Final = ("LAPSED", "REFUNDED", "EXPIRED", "DELIVERED", "SUBSTITUTED")
"""States of a line in which nothing more is owed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchedProject:
    """A project that claims touched parcels."""

    project_id: UUID
    name: str
    parcels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchedPeriod:
    """A period whose run covers touched parcels; ``part_kg`` is their net in its years by it."""

    period_id: UUID
    project_id: UUID
    project: str
    starts_on: date
    ends_on: date
    status: str
    creditable_kg: int
    verified_kg: int | None
    parcels: int
    part_kg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRange:
    """Serials that one account holds; ``holder`` only where the actor may know the account."""

    serials: str
    kg: int
    status: str
    holder: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchedBatch:
    """Units issued for such a period: kg by state, ranges in sight, kg of ranges out of sight."""

    prefix: str
    vintage: int
    size_kg: int
    buffer_kg: int
    states: dict[str, int]
    ranges: list[HeldRange]
    unseen_kg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchedLot:
    """A lot with touched parcels: what their forecast may carry, what is promised and short.

    ``old`` counts the parcels and years whose forecast was made before the decision.
    """

    lot_id: UUID
    number: str
    title: str
    sale_state: str
    physical_state: str
    parcels: int
    cap_kg: int
    committed_kg: int
    short_kg: int
    old: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchedContract:
    """A line of a contract on such a lot."""

    subscription_id: UUID
    number: str
    lot_number: str
    buyer: str | None
    vintage: int
    state: str
    quantity: int
    delivered: int
    amount_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchedPayment:
    """Money that was booked for such a lot: a payment of a buyer, a refund, a settlement's."""

    reference: str
    direction: str
    amount_fen: int
    counterparty: str
    booked_on: date
    for_what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """What must follow: a code that the pages have words for, and whether it is seen to."""

    code: str
    done: bool
    params: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """All that rests on a disturbance's parcels, as far as the actor may see it."""

    page: DisturbancePage
    projects: list[TouchedProject]
    periods: list[TouchedPeriod]
    batches: list[TouchedBatch]
    lots: list[TouchedLot]
    contracts: list[TouchedContract]
    payments: list[TouchedPayment]
    next_steps: list[NextStep]


def touched(session: Session, who: ActorView, query: DisturbanceById) -> Touched:
    """Return what a disturbance reaches.

    Raises
    ------
    NotFoundError : there is no such disturbance in sight.
    """
    page = change.disturbance(session, who, query)
    given = {"parcels": [one.id for one in page.parcels]}
    projects = [TouchedProject(**row) for row in session.execute(_PROJECTS, given).mappings()]
    periods = [TouchedPeriod(**row) for row in session.execute(_PERIODS, given).mappings()]
    ids = {"periods": [one.period_id for one in periods]}
    batches = [_batch(session, row) for row in session.execute(_BATCHES, ids)]
    of_ground = given | {"id": page.line.id, "year": page.line.year}
    lots = [TouchedLot(**row) for row in session.execute(_LOTS, of_ground).mappings()]
    of_lots = {"lots": [one.lot_id for one in lots]}
    contracts = [TouchedContract(**row) for row in session.execute(_CONTRACTS, of_lots).mappings()]
    return Touched(
        page=page,
        projects=projects,
        periods=periods,
        batches=batches,
        lots=lots,
        contracts=contracts,
        payments=[TouchedPayment(**row) for row in session.execute(_PAYMENTS, of_lots).mappings()],
        next_steps=plan_next(page, projects, batches, lots, contracts),
    )


def plan_next(
    page: DisturbancePage,
    projects: list[TouchedProject],
    batches: list[TouchedBatch],
    lots: list[TouchedLot],
    contracts: list[TouchedContract],
) -> list[NextStep]:
    """Return what must follow a confirmed disturbance, in the order of doing; pure."""
    if page.line.status != "confirmed":
        return []
    waiting = sum(one.state != "done" for one in page.jobs)
    steps = [
        NextStep(
            code="NEXT_REASSESS", done=not waiting, params={"runs": len(page.jobs), "left": waiting}
        )
    ]
    selling = [one for one in lots if one.physical_state == "GROWING"]
    if lots:
        steps.append(
            NextStep(
                code="NEXT_LOT_DAMAGED",
                done=not selling,
                params={"lots": len(lots), "left": len(selling)},
            )
        )
        short, old = sum(one.short_kg for one in lots), sum(one.old for one in lots)
        params = {"short_kg": short, "old": old}
        steps.append(NextStep(code="NEXT_CAPACITY", done=not old, params=params))
    owed = [one for one in contracts if one.state not in ENDED and one.delivered < one.quantity]
    if owed:
        left = sum(one.quantity - one.delivered for one in owed)
        steps.append(
            NextStep(code="NEXT_CONTRACTS", done=False, params={"lines": len(owed), "kg": left})
        )
    if projects:
        steps.append(NextStep(code="NEXT_PERIOD", done=False, params={"projects": len(projects)}))
    if batches:
        params = {
            "issued_kg": sum(one.size_kg for one in batches),
            "buffer_kg": sum(one.states.get("buffer", 0) for one in batches),
            "cancelled_kg": sum(one.states.get("cancelled", 0) for one in batches),
        }
        steps.append(NextStep(code="NEXT_REVERSAL", done=False, params=params))
    return steps


def _batch(session: Session, row: Any) -> TouchedBatch:  # noqa: ANN401 -- a result row
    about = units.batch(session, None, units.BatchQuery(prefix=row.prefix))
    ranges = [
        HeldRange(
            serials=f"{row.prefix}-{one.first}-{one.last}",
            kg=one.last - one.first + 1,
            status=one.status,
            holder=one.holder,
        )
        for one in session.execute(_RANGES, {"batch": row.id})
    ]
    return TouchedBatch(
        prefix=row.prefix,
        vintage=row.vintage,
        size_kg=row.size_kg,
        buffer_kg=row.buffer_kg,
        states=about.states,
        ranges=ranges,
        unseen_kg=row.size_kg - sum(one.kg for one in ranges),
    )


_PERIODS = text(
    "SELECT e.id AS period_id, e.project_id, j.name AS project, e.starts_on, e.ends_on, e.status,"
    " e.creditable_kg, e.verified_kg, count(DISTINCT s.parcel_id) AS parcels,"
    " sum((SELECT coalesce(sum(n), 0) FROM unnest(s.net_kg) WITH ORDINALITY u(n, i)"
    "  WHERE s.first_year + i - 1 >= extract(year FROM e.starts_on)"
    "  AND s.first_year + i - 1 < extract(year FROM e.ends_on)))::bigint AS part_kg"
    " FROM period e JOIN project j ON j.id = e.project_id JOIN ("
    " SELECT run_id, parcel_id, first_year, net_kg FROM assessment_series"
    "  WHERE parcel_id = ANY(:parcels)"
    " UNION ALL SELECT run_id, parcel_id, first_year, net_kg FROM assessment_share"
    "  WHERE parcel_id = ANY(:parcels)) s ON s.run_id = e.run_id"
    " GROUP BY e.id, j.name ORDER BY e.starts_on, e.id"
)
_PROJECTS = text(
    "SELECT j.id AS project_id, j.name, count(DISTINCT c.parcel_id) AS parcels FROM claim c"
    " JOIN project j ON j.id = c.project_id WHERE c.parcel_id = ANY(:parcels)"
    " AND c.status = 'active' GROUP BY j.id ORDER BY j.name, j.id"
)
_BATCHES = text(
    "SELECT id, prefix, vintage, size_kg, buffer_kg FROM batch WHERE period_id = ANY(:periods)"
    " ORDER BY vintage, prefix"
)
_RANGES = text(
    "SELECT lower(r.serials) AS first, upper(r.serials) - 1 AS last, r.status, y.name AS holder"
    " FROM unit_range r JOIN account a ON a.id = r.account_id"
    " LEFT JOIN party y ON y.id = a.party_id"
    " WHERE r.batch_id = :batch AND r.closed_by IS NULL ORDER BY 1"
)
_LOTS = text(
    "SELECT l.id AS lot_id, l.number, l.title, l.sale_state, l.physical_state,"
    " count(DISTINCT x.parcel_id) AS parcels, coalesce(sum(c.cap_kg), 0)::bigint AS cap_kg,"
    " coalesce(sum(c.committed_kg), 0)::bigint AS committed_kg,"
    " coalesce(sum(c.short_kg), 0)::bigint AS short_kg,"
    " count(*) FILTER (WHERE c.vintage >= :year AND r.recorded_at < (SELECT e.recorded_at"
    "  FROM disturbance_decision e WHERE e.disturbance_id = :id)) AS old"
    " FROM lot_parcel x JOIN lot l ON l.id = x.lot_id"
    " LEFT JOIN capacity c ON c.claim_id = x.claim_id AND c.parcel_id = x.parcel_id"
    " AND EXISTS (SELECT FROM lot_offer o WHERE o.lot_id = l.id AND o.vintage = c.vintage)"
    " LEFT JOIN assessment_run r ON r.id = c.run_id"
    " WHERE x.parcel_id = ANY(:parcels) GROUP BY l.id ORDER BY l.number"
)
_CONTRACTS = text(
    "SELECT s.id AS subscription_id, s.number, l.number AS lot_number, y.name AS buyer, n.vintage,"
    " n.state, n.quantity, n.delivered, n.amount_fen FROM subscription_line n"
    " JOIN subscription s ON s.id = n.subscription_id JOIN lot l ON l.id = n.lot_id"
    " LEFT JOIN party y ON y.id = s.buyer_id WHERE n.lot_id = ANY(:lots)"
    " ORDER BY s.number, n.vintage"
)
_PAYMENTS = text(
    "SELECT b.bank_reference AS reference, b.direction, b.amount_fen, b.counterparty, b.booked_on,"
    " b.subject_kind AS for_what FROM bank_line b WHERE"
    " b.subject_id IN (SELECT id FROM subscription WHERE lot_id = ANY(:lots))"
    " OR b.subject_id IN (SELECT n.id FROM subscription_line n WHERE n.lot_id = ANY(:lots))"
    " OR b.subject_id IN (SELECT f.id FROM refund f JOIN subscription_line n ON n.id = f.line_id"
    "  WHERE n.lot_id = ANY(:lots))"
    " OR b.subject_id IN (SELECT id FROM settlement WHERE lot_id = ANY(:lots))"
    " OR b.subject_id = ANY(:lots) ORDER BY b.booked_on, b.bank_reference"
)
