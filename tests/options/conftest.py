"""A village, a company and a buyer, and the steps of a sale between them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from hashlib import sha256
from itertools import count
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from options import lots, payments, pre_store, settlement, subscriptions, timers
from options.books import Statement
from options.mandate import Tenure, Vote
from options.subscriptions import LineAsk
from options.terms import BuyerKind
from registry.db import SYSTEM_ACTOR, perform, transaction
from registry.models import Capacity, PartyAccount, Programme
from tests import factories

SALE = """
[sale]
unit = "{unit}"
carbon_right_holder = "{holder}"
return_trigger = "{trigger}"
exchange_threshold_fen = 100000000
[waterfall]
ratio = "{ratio}"
{payee}
taxes = ["增值税"]
insurance = ["碳汇保险"]
costs = ["核证费", "监测费"]
"""
START = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
DOCUMENT = sha256(b"document").digest()
HOLD = {"kg": ("buyer", "after_issuance"), "tree": ("seller", "after_cooling_off")}


@dataclass
class Walk:
    """The story so far: everyone in it, and a clock that only goes forward."""

    engine: Engine
    now: datetime = START
    keys: count = field(default_factory=count)
    people: dict[str, UUID] = field(default_factory=dict)
    parties: dict[str, UUID] = field(default_factory=dict)
    parcels: dict[str, UUID] = field(default_factory=dict)
    claims: dict[str, UUID] = field(default_factory=dict)
    project: UUID | None = None
    forecast: UUID | None = None

    def common(self, who: str = "clerk") -> dict[str, object]:
        return {"at": self.now, "actor_id": self.people[who], "key": f"k{next(self.keys)}"}

    def do(self, verb, command):
        return perform(self.engine, verb, command)

    def run(self, verb, kind, who="clerk", **fields):
        return self.do(verb, kind(**self.common(who), **fields))

    def later(self, **span) -> None:
        self.now += timedelta(**span)

    def sql(self, words: str, **row):
        with transaction(self.engine) as session:
            return session.execute(text(words), row).all()

    def change(self, words: str) -> None:
        with transaction(self.engine) as session:
            session.execute(text(words))

    def one(self, words: str, **row):
        return self.sql(words, **row)[0][0]

    # -- the sale --------------------------------------------------------------------------

    def programme(self, session: Session, unit="kg", ratio="1.00", **changes) -> str:
        holder, trigger = HOLD[unit]
        payee = "" if ratio == "1.00" else 'remainder_payee = "县林业基金"'
        values = {"holder": holder, "trigger": trigger, "payee": payee} | changes
        source = SALE.format(unit=unit, ratio=ratio, **values)
        key = f"p-{uuid4().hex[:6]}"
        session.add(
            Programme(
                id=key,
                version="1",
                scheme="inclusion",
                name_zh="碳普惠",
                name_en="inclusion",
                issuing_authority="local",
                source=source,
                sha256=sha256(source.encode()).digest(),
                effective_at=START,
            )
        )
        session.flush()
        return key

    def village(self, session: Session, name: str, code: str, **kinds):
        """A village with an account of its own and one parcel under a claim."""
        factories.division(session, code, name=name, level="village")
        party = factories.party(session, "collective", name, code=code)
        kind = kinds.get("bank", "basic")
        session.add(PartyAccount(party_id=party, number=f"6222-{code}", kind=kind))
        session.flush()
        self.parties[name] = party
        self.parcels[name] = factories.parcel(session, party)
        self.claims[name] = factories.claim(session, self.project, self.parcels[name], (2024, 2040))
        return party

    def capacity(self, session: Session, caps: Mapping[str, Mapping[int, int]]):
        self.forecast = factories.run(
            session,
            self.project,
            {self.parcels[name]: dict(by_year) for name, by_year in caps.items()},
            kind="forecast",
        )
        for name, by_year in caps.items():
            for year, kg in by_year.items():
                session.add(
                    Capacity(
                        claim_id=self.claims[name],
                        parcel_id=self.parcels[name],
                        vintage=year,
                        version=1,
                        run_id=self.forecast,
                        cap_kg=kg,
                    )
                )
        session.flush()

    def draft(self, *, villages=("石梁村",), offers=((2025, 10_000, 6_000),), **changes):
        fields = {
            "number": f"L-{next(self.keys)}",
            "title": "石梁村毛竹林",
            "programme_id": self.program,
            "programme_version": "1",
            "company_id": self.parties["company"],
            "project_id": self.project,
            "run_id": self.forecast,
            "term_years": 1,
            "parcels": tuple(
                lots.ParcelOfLot(
                    parcel_id=self.parcels[v],
                    supplier_id=self.parties[v],
                    tenure=Tenure.COLLECTIVE,
                    claim_id=self.claims[v],
                )
                for v in villages
            ),
            "offers": tuple(lots.Offer(vintage=y, quantity=q, price_fen=p) for y, q, p in offers),
        }
        return self.run(lots.draft_lot, lots.DraftLot, **(fields | changes))

    def resolve(self, lot_id: UUID) -> None:
        self.run(lots.submit, lots.LotCommand, lot_id=lot_id)
        self.run(lots.review, lots.ReviewLot, "reviewer", lot_id=lot_id, passed=True)
        self.run(lots.publish_notice, lots.PublishNotice, lot_id=lot_id, document_sha256=DOCUMENT)
        self.later(days=25)
        vote = Vote(on=self.now.date(), yes=40, entitled=60)
        self.run(lots.record_mandate, lots.RecordMandate, lot_id=lot_id, vote=vote)

    def on_sale(self, **changes) -> UUID:
        lot_id = self.draft(**changes).lot_id
        self.resolve(lot_id)
        self.run(pre_store.pre_store, pre_store.PreStore, lot_id=lot_id, exempt_reason="小额")
        self.run(lots.list_lot, lots.LotCommand, lot_id=lot_id)
        return lot_id

    def reserve(self, lot_id: UUID, *asks, buyer="buyer", kind=BuyerKind.ENTERPRISE):
        return self.run(
            subscriptions.reserve,
            subscriptions.Reserve,
            lot_id=lot_id,
            buyer_id=self.parties[buyer],
            buyer_kind=kind,
            lines=tuple(LineAsk(vintage=y, quantity=q) for y, q in asks),
        )

    def sign(self, subscription_id: UUID):
        return self.run(
            subscriptions.sign,
            subscriptions.Sign,
            subscription_id=subscription_id,
            contract_sha256=DOCUMENT,
            identity_checked=True,
            risk_accepted=True,
        )

    def statement(self, fen: int, counterparty="绿源公司", reference=None) -> Statement:
        return Statement(
            bank_reference=reference or f"B{uuid4().hex[:10]}",
            amount_fen=fen,
            counterparty=counterparty,
            booked_on=self.now.date(),
        )

    def pay(self, done, *, counterparty="绿源公司", fen=None, reference=None):
        return self.run(
            payments.record_payment,
            payments.RecordPayment,
            subscription_number=done.number,
            statement=self.statement(
                done.amount_fen if fen is None else fen, counterparty, reference
            ),
        )

    def tick(self, **span):
        self.later(**span)
        return self.do(
            timers.run_timers,
            timers.RunTimers(at=self.now, actor_id=SYSTEM_ACTOR, key=f"t{next(self.keys)}"),
        )

    def buy(self, lot_id: UUID, *asks, buyer="buyer", name="绿源公司"):
        """Reserve, sign, wait, pay, and let cooling-off pass."""
        done = self.reserve(lot_id, *asks, buyer=buyer)
        self.sign(done.subscription_id)
        self.tick(minutes=11)
        self.pay(done, counterparty=name)
        self.tick(days=20)
        return done

    # -- issuance and money back -----------------------------------------------------------

    def verified(self, changes: Mapping[str, Mapping[int, int]], *, buffer="1/10"):
        """A verified period over the years of ``changes`` (village: year: kg)."""
        from registry import periods

        with transaction(self.engine) as session:
            run = factories.run(
                session, self.project, {self.parcels[n]: dict(c) for n, c in changes.items()}
            )
        years = sorted({year for by_year in changes.values() for year in by_year})
        period = self.run(
            periods.submit,
            periods.SubmitPeriod,
            project_id=self.project,
            starts_on=date(years[0], 1, 1),
            ends_on=date(years[-1] + 1, 1, 1),
            run_id=run,
            inputs=periods.PeriodInputs(
                baseline_kg=0,
                emissions_kg=0,
                leakage_kg=0,
                uncertainty=Fraction(0),
                discount=None,
                non_permanence="buffer_pool",
                non_permanence_share=Fraction(buffer),
            ),
        )
        self.run(
            periods.verify,
            periods.VerifyPeriod,
            "verifier",
            period_id=period.period_id,
            verifier_id=self.parties["verifier"],
            verified_kg=period.creditable_kg,
            statement_sha256=DOCUMENT.hex(),
        )
        return period.period_id

    def deliver(self, period_id: UUID):
        from options import delivery

        return self.run(delivery.deliver_period, delivery.DeliverPeriod, period_id=period_id)

    def approved(self, lot_id: UUID, vintage: int, **fields):
        """A settlement drafted, checked and approved by two."""
        drafted = self.run(
            settlement.draft, settlement.DraftSettlement, lot_id=lot_id, vintage=vintage, **fields
        )
        for verb, who in (
            (settlement.check, "reviewer"),
            (settlement.approve, "reviewer"),
            (settlement.approve, "director"),
        ):
            done = self.run(
                verb, settlement.SettlementCommand, who, settlement_id=drafted.settlement_id
            )
        return done

    def settled(self, lot_id: UUID, vintage: int, **fields):
        """A settlement paid out whole."""
        done = self.approved(lot_id, vintage, **fields)
        done = self.run(
            settlement.start_payment,
            settlement.SettlementCommand,
            settlement_id=done.settlement_id,
        )
        for line in done.lines:
            if line.kind != "reserve" and line.amount_fen:
                done = self.confirm(done, line)
        return done

    def confirm(self, done, line, **changes):
        fields = {
            "settlement_id": done.settlement_id,
            "lines": (line.n,),
            "statement": self.statement(line.amount_fen, line.payee_name),
        }
        return self.run(
            settlement.confirm_payment,
            settlement.ConfirmSettlementPayment,
            **(fields | changes),
        )

    # -- what must always hold -------------------------------------------------------------

    def whole(self) -> None:
        """Books balance, nothing is negative, and every quantity is somewhere."""
        assert self.sql("SELECT asset FROM account GROUP BY asset HAVING sum(balance) <> 0") == []
        assert self.sql("SELECT id FROM account WHERE balance < 0 AND NOT overdraft") == []
        wrong = self.sql(
            "SELECT o.lot_id, o.vintage FROM lot_offer o WHERE pre_stored_at IS NOT NULL"
            " AND delivered_at IS NULL AND o.quantity <>"
            "  (SELECT coalesce(sum(quantity), 0) FROM slot"
            "    WHERE owner_ref = 'lot:' || o.lot_id || ':' || o.vintage)"
            "  + (SELECT coalesce(sum(quantity), 0) FROM subscription_line l"
            "    WHERE l.lot_id = o.lot_id AND l.vintage = o.vintage"
            "    AND l.state NOT IN ('LAPSED', 'CANCELLED', 'REFUNDED'))"
            " AND EXISTS (SELECT FROM lot WHERE id = o.lot_id"
            "    AND sale_state IN ('PRE_STORED', 'LISTED', 'SOLD_OUT'))"
        )
        assert wrong == []
        # the supervised account: all that came in less all that went out
        bank = self.one(
            "SELECT coalesce(sum(CASE direction WHEN 'in' THEN amount_fen ELSE -amount_fen END), 0)"
            " FROM bank_line"
        )
        held = self.one(
            "SELECT coalesce(sum(balance), 0) FROM account WHERE asset = 'fen' AND kind <> 'world'"
        )
        assert bank == held


@pytest.fixture
def empty_walk(engine) -> Walk:
    """Everyone but the villages."""
    walk = Walk(engine)
    with transaction(engine) as session:
        walk.parties["company"] = factories.party(session, "company", "收储公司")
        walk.parties["buyer"] = factories.party(session, "enterprise", "绿源公司")
        walk.parties["second"] = factories.party(session, "enterprise", "第二公司")
        walk.parties["verifier"] = factories.party(session, "verifier", "核证机构")
        for name in ("clerk", "reviewer", "director"):
            walk.people[name] = factories.actor(
                session, "company", party_id=walk.parties["company"]
            )
        walk.people["buyer"] = factories.actor(session, "buyer", party_id=walk.parties["buyer"])
        walk.people["verifier"] = factories.actor(
            session, "verifier", party_id=walk.parties["verifier"]
        )
        walk.program = walk.programme(session)
        walk.project = factories.project(
            session, walk.parties["company"], programme_id=walk.program
        )
    return walk


@pytest.fixture
def walk(empty_walk) -> Walk:
    """One village of 10 t a year, ready to sell."""
    walk = empty_walk
    caps = {"石梁村": {2024: 10_000, 2025: 10_000}}
    with transaction(walk.engine) as session:
        walk.village(session, "石梁村", "330802001001")
        walk.capacity(session, caps)
    return walk


__all__ = ["DOCUMENT", "START", "Walk", "replace"]
