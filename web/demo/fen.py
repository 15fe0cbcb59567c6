"""A fen: a village's forecast is sold ahead, delivered in units, and the money goes home."""

from datetime import date
from fractions import Fraction
from uuid import UUID

from sqlalchemy import text

from options import delivery, lots, payments, reads, settlement, subscriptions
from options.mandate import Tenure
from options.terms import BuyerKind
from options.waterfall import Deduction
from registry import capacity, estimation, ledger, periods
from registry.db import attempt
from registry.estimation_inputs import AssessParcels
from web.demo.sale import (
    DOCUMENT,
    OnSale,
    Sale,
    check_identity,
    contract,
    pay,
    put_on_sale,
    refused,
    settle,
)
from web.demo.teller import Teller, Totals

FORECAST = date(2026, 2, 4)
DRAFTED = date(2026, 2, 6)
NOTICED = date(2026, 2, 10)
VOTED = date(2026, 3, 10)
LISTED = date(2026, 3, 12)
BOUGHT = date(2026, 3, 16)
PAID = date(2026, 3, 18)
MONITORED = date(2026, 5, 6)
VERIFIED = date(2026, 6, 3)
DELIVERED = date(2026, 6, 10)
SETTLED = date(2026, 6, 15)
RETURNED = date(2026, 6, 18)
VINTAGE = 2025
PRICE_FEN_PER_T = 4_340
"""43.40 yuan a tonne: Anji's collection price, 16.926 yuan a mu-year over 0.39 t (read)."""

BUYER = "BUY-001"
BUYER_NAME = "示例光伏材料有限公司"


def tell(teller: Teller) -> Totals:
    """Sell ahead, collect, deliver, settle, pay the village, publish."""
    sale = Sale(teller, teller.found["parties"], "fen")
    capped = _forecast(sale)
    lot_id, stored_kg = _on_sale(sale)
    bought = _sell(sale, lot_id, stored_kg)
    _oversold(sale, lot_id)
    period_id = _verified(sale)
    delivered = teller.do(
        delivery.deliver_period,
        delivery.DeliverPeriod(**sale.by("county2", DELIVERED), period_id=period_id),
    )
    (vintage,) = (one for one in delivered.vintages if one.vintage == VINTAGE)
    done = settle(
        sale,
        lot_id,
        VINTAGE,
        deductions=(
            Deduction(type="增值税", voucher="DEMO-T-001", amount_fen=12_345),
            Deduction(type="碳汇保险", voucher="DEMO-I-001", amount_fen=30_000),
            Deduction(type="核证费", voucher="DEMO-C-001", amount_fen=50_001),
        ),
        on=(SETTLED, RETURNED),
    )
    teller.found |= {"lot_id": lot_id, "period_id": period_id, "subscription": bought}
    _check(sale, stored_kg, vintage, done)
    return {
        "cap_kg": capped,
        "pre_stored_kg": stored_kg,
        "sold_kg": vintage.sold_kg,
        "issued_kg": vintage.issued_kg,
        "buffer_kg": vintage.buffer_kg,
        "delivered_kg": vintage.delivered_kg,
        "paid_fen": bought.amount_fen,
        "gross_fen": done.gross_fen,
        "taxes_fen": done.taxes_fen,
        "insurance_fen": done.insurance_fen,
        "costs_fen": done.costs_fen,
        "returned_fen": done.returned_fen,
    }


def _forecast(sale: Sale) -> int:
    """Forecast the project and make its forecast, less the buffer, the cap of what may be sold."""
    found = sale.teller.found
    run_id = _assessed(
        sale,
        AssessParcels(
            **sale.by("county", FORECAST),
            kind="forecast",
            first_year=VINTAGE,
            last_year=2044,
            project_id=found["project_id"],
            layer_ids=tuple(found["layers"].values()),
        ),
    )
    found["project_forecast"] = run_id
    caps = sale.teller.do(
        capacity.set_caps,
        capacity.SetCaps(
            **sale.by("county2", FORECAST),
            run_id=run_id,
            buffer_share=Fraction(1, 10),
        ),
    )
    return int(caps.cap_kg)


def _assessed(sale: Sale, command: AssessParcels) -> UUID:
    """Run the model and keep the interval of its answer, as the worker does; return the run."""
    engine = sale.teller.engine
    report = estimation.assess(engine, command, layer_dir=sale.teller.state / "layers")
    attempt(
        engine,
        lambda session: estimation.keep_interval(session, command, report.run_id),
        actor_id=command.actor_id,
    )
    return report.run_id


def _on_sale(sale: Sale) -> tuple[UUID, int]:
    """Draft, review, notice, vote, pre-store and list; return the lot and its kilograms."""
    teller, found = sale.teller, sale.teller.found
    with teller.reading() as session:
        rows = session.execute(_CAPS, {"project": found["project_id"], "year": VINTAGE}).all()
    quantity = sum(row.cap_kg for row in rows) * 9 // 10
    drafted = teller.do(
        lots.draft_lot,
        lots.DraftLot(
            **sale.by("company", DRAFTED),
            number="LOT-330802-2026-001",
            title="航埠镇一村碳汇储备（2025 年）",
            programme_id=found["programme_id"],
            programme_version=found["programme_version"],
            company_id=sale.party["COMPANY"],
            project_id=found["project_id"],
            run_id=found["project_forecast"],
            term_years=1,
            parcels=tuple(
                lots.ParcelOfLot(
                    parcel_id=row.parcel_id,
                    supplier_id=found["collective_id"],
                    tenure=Tenure.COLLECTIVE,
                    claim_id=row.claim_id,
                )
                for row in rows
            ),
            offers=(lots.Offer(vintage=VINTAGE, quantity=quantity, price_fen=PRICE_FEN_PER_T),),
        ),
    )
    lot_id = drafted.lot_id
    put_on_sale(
        sale, lot_id, on=OnSale(drafted=DRAFTED, noticed=NOTICED, voted=VOTED, listed=LISTED)
    )
    return lot_id, quantity


def _sell(sale: Sale, lot_id: UUID, stored_kg: int) -> subscriptions.SubscriptionState:
    """Reserve 60 % of the lot, sign, wait for the undo, pay exactly, let cooling-off pass."""
    teller = sale.teller
    state = contract(
        sale, lot_id, buyer=BUYER, vintage=VINTAGE, quantity=stored_kg * 6 // 10, on=BOUGHT
    )
    wrong = refused(
        teller,
        payments.record_payment,
        payments.RecordPayment(
            **sale.by("company", PAID),
            subscription_number=state.number,
            statement=sale.bank("IN-0", state.amount_fen - 1, BUYER_NAME, PAID),
        ),
    )
    teller.check("a payment one fen short is refused", holds=bool(wrong), figure=wrong)
    pay(sale, state, "IN-1", BUYER_NAME, PAID)
    return state


def _oversold(sale: Sale, lot_id: UUID) -> None:
    """Somebody asks for more than is left; nothing is taken."""
    with sale.teller.reading() as session:
        (offer,) = reads.lot_page(session, lot_id).lot.offers
    code = refused(
        sale.teller,
        subscriptions.reserve,
        subscriptions.Reserve(
            **sale.by("company", PAID),
            lot_id=lot_id,
            buyer_id=sale.party["BUY-002"],
            buyer_kind=BuyerKind.ENTERPRISE,
            lines=(subscriptions.LineAsk(vintage=VINTAGE, quantity=offer.free + 1),),
        ),
    )
    with sale.teller.reading() as session:
        (after,) = reads.lot_page(session, lot_id).lot.offers
    sale.teller.check(
        "a kilogram more than is free is not sold",
        holds=bool(code) and after.free == offer.free,
        figure=f"{code}, free {after.free} kg",
    )


def _verified(sale: Sale) -> UUID:
    """Assess what grew, submit the year, let the verifier decide; return the period."""
    teller, found = sale.teller, sale.teller.found
    run_id = _assessed(
        sale,
        AssessParcels(
            **sale.by("county", MONITORED),
            kind="monitored",
            first_year=VINTAGE,
            last_year=VINTAGE,
            project_id=found["project_id"],
            layer_ids=tuple(found["layers"].values()),
        ),
    )
    found["monitored_run"] = run_id
    period = teller.do(
        periods.submit,
        periods.SubmitPeriod(
            **sale.by("county", MONITORED),
            project_id=found["project_id"],
            starts_on=date(VINTAGE, 1, 1),
            ends_on=date(VINTAGE + 1, 1, 1),
            run_id=run_id,
            inputs=periods.PeriodInputs(
                baseline_kg=0,
                emissions_kg=0,
                leakage_kg=0,
                uncertainty=Fraction(8, 100),
                discount="artool14",
                non_permanence="buffer_pool",
                non_permanence_share=Fraction(1, 10),
            ),
        ),
    )
    teller.do(
        periods.verify,
        periods.VerifyPeriod(
            **sale.by("verifier", VERIFIED),
            period_id=period.period_id,
            verifier_id=sale.party["VERIFIER"],
            verified_kg=period.creditable_kg,
            statement_sha256=DOCUMENT.hex(),
        ),
    )
    return period.period_id


def _check(
    sale: Sale, stored_kg: int, vintage: delivery.VintageDelivered, done: settlement.SettlementState
) -> None:
    teller = sale.teller
    with teller.reading() as session:
        trial = ledger.trial_balance(session)
        statement = reads.village_statement(session, teller.found["collective_id"])
        account = reads.forest_owner_account(session, teller.found["collective_id"])
        in_units: dict[str, int] = {row.status: row.kg for row in session.execute(_UNITS)}
    with teller.reading() as session:
        sums = session.execute(_SUMS).one()
    teller.check(
        "a period's account adds up: gross less discount, baseline, emissions, leakage, deductions",
        holds=sums.periods > 0 and sums.left == sums.creditable,
        figure=sums.creditable,
    )
    teller.check(
        "every asset of the ledger sums to zero", holds=not any(trial.values()), figure=trial
    )
    teller.check(
        "sold never exceeds what was pre-stored",
        holds=vintage.sold_kg <= stored_kg,
        figure=f"{vintage.sold_kg} of {stored_kg} kg",
    )
    teller.check(
        "issued = held + retired + cancelled + buffer",
        holds=sum(in_units.values()) == vintage.issued_kg,
        figure=in_units,
    )
    check_identity(teller, done)
    teller.check(
        "every fen of the residue is in the village's own account",
        holds=statement.received_fen == done.returned_fen == account.received_fen,
        figure=f"{statement.received_fen} fen",
    )


_CAPS = text(
    "SELECT c.claim_id, c.parcel_id, c.cap_kg FROM capacity c JOIN claim k ON k.id = c.claim_id"
    " WHERE k.project_id = :project AND c.vintage = :year AND c.cap_kg > 0 ORDER BY c.parcel_id"
)
_UNITS = text(
    "SELECT status, sum(upper(serials) - lower(serials))::bigint AS kg FROM unit_range"
    " WHERE closed_by IS NULL GROUP BY status"
)
_SUMS = text(
    "SELECT count(*) AS periods, sum(creditable_kg)::bigint AS creditable, sum(gross_kg"
    " - discount_kg - baseline_kg - emissions_kg - leakage_kg - deficit_before_kg - withheld_kg"
    " + deficit_kg)::bigint AS left FROM period_account"
)
