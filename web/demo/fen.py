"""A fen: a village's forecast is sold ahead, delivered in units, and the money goes home."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import text

from options import delivery, lots, payments, pre_store, reads, settlement, subscriptions, timers
from options.books import Statement
from options.errors import OptionsError
from options.mandate import Tenure, Vote
from options.terms import BuyerKind
from options.waterfall import Deduction
from registry import capacity, estimation, ledger, periods
from registry.db import SYSTEM_ACTOR
from registry.errors import RegistryError
from registry.estimation_inputs import AssessParcels
from web.demo.teller import Teller, Totals, at

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
DOCUMENT = sha256("演示文件 demonstration document".encode()).digest()


@dataclass(slots=True)
class Sale:
    """The sale as it goes on."""

    teller: Teller
    party: dict[str, UUID]
    keys: int = 0

    def by(self, role: str, on: date | datetime) -> dict[str, Any]:
        """Return what the next command carries."""
        self.keys += 1
        made = self.teller.by(role, f"fen:{self.keys}", on)
        return made | ({"at": on} if isinstance(on, datetime) else {})

    def lot(self, verb: Any, lot_id: UUID, on: date, role: str = "company") -> Any:  # noqa: ANN401
        """Let a verb that needs no more than the lot act."""
        return self.teller.do(verb, lots.LotCommand(**self.by(role, on), lot_id=lot_id))

    def bank(self, reference: str, fen: int, counterparty: str, on: date) -> Statement:
        """Return a line of the supervised account's statement."""
        return Statement(
            bank_reference=f"DEMO-{reference}",
            amount_fen=fen,
            counterparty=counterparty,
            booked_on=on,
        )


def tell(teller: Teller) -> Totals:
    """Sell ahead, collect, deliver, settle, pay the village, publish."""
    sale = Sale(teller, teller.found["parties"])
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
    done = _settle(sale, lot_id)
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
    report = estimation.assess(
        sale.teller.engine,
        AssessParcels(
            **sale.by("county", FORECAST),
            kind="forecast",
            first_year=VINTAGE,
            last_year=2044,
            project_id=found["project_id"],
            layer_ids=tuple(found["layers"].values()),
        ),
        layer_dir=sale.teller.state / "layers",
    )
    found["project_forecast"] = report.run_id
    caps = sale.teller.do(
        capacity.set_caps,
        capacity.SetCaps(
            **sale.by("county2", FORECAST),
            run_id=report.run_id,
            buffer_share=Fraction(1, 10),
        ),
    )
    return int(caps.cap_kg)


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
    sale.lot(lots.submit, lot_id, DRAFTED)
    teller.do(lots.review, lots.ReviewLot(**sale.by("county", NOTICED), lot_id=lot_id, passed=True))
    teller.do(
        lots.publish_notice,
        lots.PublishNotice(**sale.by("company", NOTICED), lot_id=lot_id, document_sha256=DOCUMENT),
    )
    vote = Vote(on=VOTED, yes=320, entitled=478)
    teller.do(
        lots.record_mandate,
        lots.RecordMandate(**sale.by("company", VOTED), lot_id=lot_id, vote=vote),
    )
    teller.do(
        pre_store.pre_store,
        pre_store.PreStore(
            **sale.by("company", LISTED), lot_id=lot_id, exempt_reason="低于县评估限额（演示）"
        ),
    )
    sale.lot(lots.list_lot, lot_id, LISTED)
    return lot_id, quantity


def _sell(sale: Sale, lot_id: UUID, stored_kg: int) -> subscriptions.SubscriptionState:
    """Reserve 60 % of the lot, sign, wait for the undo, pay exactly, let cooling-off pass."""
    teller = sale.teller
    state = teller.do(
        subscriptions.reserve,
        subscriptions.Reserve(
            **sale.by("company", BOUGHT),
            lot_id=lot_id,
            buyer_id=sale.party[BUYER],
            buyer_kind=BuyerKind.ENTERPRISE,
            lines=(subscriptions.LineAsk(vintage=VINTAGE, quantity=stored_kg * 6 // 10),),
        ),
    )
    teller.do(
        subscriptions.sign,
        subscriptions.Sign(
            **sale.by("company", BOUGHT),
            subscription_id=state.subscription_id,
            contract_sha256=DOCUMENT,
            identity_checked=True,
            risk_accepted=True,
        ),
    )
    _timers(sale, at(BOUGHT) + timedelta(minutes=11))
    wrong = _refused(
        teller,
        payments.record_payment,
        payments.RecordPayment(
            **sale.by("company", PAID),
            subscription_number=state.number,
            statement=sale.bank("IN-0", state.amount_fen - 1, BUYER_NAME, PAID),
        ),
    )
    teller.check("a payment one fen short is refused", holds=bool(wrong), figure=wrong)
    teller.do(
        payments.record_payment,
        payments.RecordPayment(
            **sale.by("company", PAID),
            subscription_number=state.number,
            statement=sale.bank("IN-1", state.amount_fen, BUYER_NAME, PAID),
        ),
    )
    _timers(sale, at(PAID) + timedelta(days=15))
    return state


def _oversold(sale: Sale, lot_id: UUID) -> None:
    """Somebody asks for more than is left; nothing is taken."""
    with sale.teller.reading() as session:
        (offer,) = reads.lot_page(session, lot_id).lot.offers
    code = _refused(
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
    report = estimation.assess(
        teller.engine,
        AssessParcels(
            **sale.by("county", MONITORED),
            kind="monitored",
            first_year=VINTAGE,
            last_year=VINTAGE,
            project_id=found["project_id"],
            layer_ids=tuple(found["layers"].values()),
        ),
        layer_dir=teller.state / "layers",
    )
    found["monitored_run"] = report.run_id
    period = teller.do(
        periods.submit,
        periods.SubmitPeriod(
            **sale.by("county", MONITORED),
            project_id=found["project_id"],
            starts_on=date(VINTAGE, 1, 1),
            ends_on=date(VINTAGE + 1, 1, 1),
            run_id=report.run_id,
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


def _settle(sale: Sale, lot_id: UUID) -> settlement.SettlementState:
    """Draft, check, approve by two, pay each line, publish."""
    teller = sale.teller
    state = teller.do(
        settlement.draft,
        settlement.DraftSettlement(
            **sale.by("company", SETTLED),
            lot_id=lot_id,
            vintage=VINTAGE,
            deductions=(
                Deduction(type="增值税", voucher="DEMO-T-001", amount_fen=12_345),
                Deduction(type="碳汇保险", voucher="DEMO-I-001", amount_fen=30_000),
                Deduction(type="核证费", voucher="DEMO-C-001", amount_fen=50_001),
            ),
        ),
    )
    for verb, role in (
        (settlement.check, "company2"),
        (settlement.approve, "company3"),
        (settlement.approve, "company2"),
        (settlement.start_payment, "company"),
    ):
        command = settlement.SettlementCommand(
            **sale.by(role, SETTLED), settlement_id=state.settlement_id
        )
        state = teller.do(verb, command)
    for line in state.lines:
        if line.kind != "reserve" and line.amount_fen:
            state = teller.do(
                settlement.confirm_payment,
                settlement.ConfirmSettlementPayment(
                    **sale.by("company", RETURNED),
                    settlement_id=state.settlement_id,
                    lines=(line.n,),
                    statement=sale.bank(
                        f"OUT-{line.n}", line.amount_fen, line.payee_name, RETURNED
                    ),
                ),
            )
    return teller.do(
        settlement.publish,
        settlement.PublishSettlement(
            **sale.by("company", RETURNED),
            settlement_id=state.settlement_id,
            document_sha256=DOCUMENT,
        ),
    )


def _check(
    sale: Sale, stored_kg: int, vintage: delivery.VintageDelivered, done: settlement.SettlementState
) -> None:
    teller = sale.teller
    with teller.reading() as session:
        trial = ledger.trial_balance(session)
        statement = reads.village_statement(session, teller.found["collective_id"])
        account = reads.forest_owner_account(session, teller.found["collective_id"])
        in_units: dict[str, int] = {row.status: row.kg for row in session.execute(_UNITS)}
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
    teller.check(
        "escrow in = refunds + taxes + insurance + costs + reserves + returned + rest + balance",
        holds=done.escrow_in_fen
        == done.refunds_fen
        + done.taxes_fen
        + done.insurance_fen
        + done.costs_fen
        + done.reserves_held_fen
        + done.advance_recouped_fen
        + done.returned_fen
        + done.remainder_fen
        + done.escrow_balance_fen,
        figure=f"{done.escrow_in_fen} fen",
    )
    teller.check(
        "every fen of the residue is in the village's own account",
        holds=statement.received_fen == done.returned_fen == account.received_fen,
        figure=f"{statement.received_fen} fen",
    )


def _timers(sale: Sale, moment: datetime) -> None:
    sale.keys += 1
    sale.teller.do(
        timers.run_timers,
        timers.RunTimers(at=moment, actor_id=SYSTEM_ACTOR, key=f"story:timers:{sale.keys}"),
    )


def _refused(teller: Teller, verb: Any, command: Any) -> str:  # noqa: ANN401
    """Return the code with which a command is refused, empty if it was not."""
    try:
        teller.do(verb, command)
    except (OptionsError, RegistryError) as refusal:
        return refusal.code
    return ""


_CAPS = text(
    "SELECT c.claim_id, c.parcel_id, c.cap_kg FROM capacity c JOIN claim k ON k.id = c.claim_id"
    " WHERE k.project_id = :project AND c.vintage = :year AND c.cap_kg > 0 ORDER BY c.parcel_id"
)
_UNITS = text(
    "SELECT status, sum(upper(serials) - lower(serials))::bigint AS kg FROM unit_range"
    " WHERE closed_by IS NULL GROUP BY status"
)
