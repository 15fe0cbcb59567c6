"""A project with units of its own, who acts on them, and the log of what they did."""

import importlib.util
import json
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from uuid import uuid4

from sqlalchemy import text

from registry import events, issuance, periods, retirement, transfers
from registry.db import SYSTEM_ACTOR, perform, transaction
from registry.issuance import IssuePeriod
from registry.ranges import Selection
from tests import factories

ROOT = Path(__file__).resolve().parent.parent.parent
_spec = importlib.util.spec_from_file_location("verify_log", ROOT / "deploy" / "verify_log.py")
verify_log = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(verify_log)

INPUTS = periods.PeriodInputs(
    baseline_kg=0,
    emissions_kg=0,
    leakage_kg=0,
    uncertainty=Fraction(5, 100),
    discount=None,
    non_permanence="buffer_pool",
    non_permanence_share=Fraction(1, 10),
)


class World:
    """A project with a monitored run, its verifier, and who acts."""

    def __init__(self, engine, at, *, authority="local", programme_more="", rows=()):
        self.engine, self.at = engine, at
        with transaction(engine) as session:
            self.village = factories.party(session, "collective")
            self.buyer = factories.party(session, "enterprise")
            self.verifier = factories.party(session, "verifier")
            self.verifying = factories.actor(session, "verifier", party_id=self.verifier)
            factories.programme(session, authority=authority, more=programme_more)
            self.project = factories.project(session, self.village)
            parcel = factories.parcel(session, self.village)
            factories.claim(session, self.project, parcel, (2021, 2041))
            net_kg = {parcel: {2024: 40_000, 2025: 60_001}}
            self.run = factories.run(session, self.project, net_kg, rows=rows)

    def by(self, key=None, actor=SYSTEM_ACTOR):
        return {"at": self.at, "actor_id": actor, "key": key or uuid4().hex}

    def do(self, verb, command):
        return perform(self.engine, verb, command)

    def submitted(self):
        return self.do(
            periods.submit,
            periods.SubmitPeriod(
                **self.by(),
                project_id=self.project,
                starts_on=date(2024, 1, 1),
                ends_on=date(2026, 1, 1),
                run_id=self.run,
                inputs=INPUTS,
            ),
        )

    def verify(self, period, **changed):
        command = periods.VerifyPeriod(
            **self.by(actor=self.verifying),
            period_id=period.period_id,
            verifier_id=self.verifier,
            verified_kg=period.creditable_kg,
            statement_sha256="00" * 32,
        )
        return self.do(periods.verify, replace(command, **changed))

    def issued(self):
        period = self.submitted()
        self.verify(period)
        return self.do(issuance.issue, IssuePeriod(**self.by(), period_id=period.period_id))

    def retire(self, kg=None, *, words=(), key=None, **changed):
        command = retirement.RetireUnits(
            **self.by(key),
            holder_id=self.village,
            units=Selection(kg=kg, serials=words),
            beneficiary="示例会议",
            beneficiary_kind="event",
            beneficiary_location="衢州",
            purpose="public_environmental_claims",
            reporting_period="2025",
        )
        return self.do(retirement.retire, replace(command, **changed))

    def transfer(self, units, *, to=None):
        command = transfers.TransferUnits(
            **self.by(), holder_id=self.village, receiver_id=to or self.buyer, units=units
        )
        return self.do(transfers.transfer, command)

    def totals(self):
        with transaction(self.engine) as session:
            rows = session.execute(
                text(
                    "SELECT status, sum(upper(serials) - lower(serials))::bigint AS sum FROM unit_range"
                    " WHERE closed_by IS NULL GROUP BY status"
                )
            )
            return {row.status: row.sum for row in rows}


def seal_everything(engine):
    with transaction(engine) as session:
        wanted = session.scalar(text("SELECT count(*) FROM event"))
    for _ in range(10_000):
        with transaction(engine) as session:
            events.seal(session)
            if session.scalar(text("SELECT count(*) FROM event_seal")) == wanted:
                return
    raise AssertionError("a transaction of the server stays open")


def sealed_lines(engine):
    """The log as it is exported now, a line an event."""
    with transaction(engine) as session:
        return [
            json.dumps({name: getattr(link, name) for name in link.__slots__}, ensure_ascii=False)
            for link in events.sealed_log(session)
        ]


def exported(engine):
    """The log with every event sealed."""
    seal_everything(engine)
    return sealed_lines(engine)
