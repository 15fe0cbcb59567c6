"""A unit: the buyer retires what was delivered and gets a certificate; the log verifies offline."""

import subprocess
import sys
from datetime import date
from functools import partial

from sqlalchemy import text

from registry import certificates, keys, retirement, transfers
from registry.ranges import Selection
from registry.unit_errors import UnitNotHeldError
from web.cli.log import export_log, seal_all, seal_event
from web.config import ROOT
from web.demo.fen import BUYER
from web.demo.teller import Teller, Totals

RETIRED = date(2026, 7, 1)
KEPT_KG = 100_000


def tell(teller: Teller) -> Totals:
    """Retire part of what the buyer holds, certify it, look it up, verify the chain offline."""
    holder = teller.found["parties"][BUYER]
    command = retirement.RetireUnits(
        **teller.by("buyer", "retire", RETIRED),
        holder_id=holder,
        units=Selection(kg=KEPT_KG),
        beneficiary="示例光伏材料有限公司 2025 年度会议",
        beneficiary_kind="event",
        beneficiary_location="浙江衢州",
        purpose="public_environmental_claims",
        reporting_period="2025",
    )
    retired = teller.do(retirement.retire, command)
    again = teller.do(retirement.retire, command)
    teller.check("a repeated retirement acts once", holds=again == retired, figure=retired.number)
    _refuses_transfer(teller, retired)
    seal_event(teller.engine, retired.event_id)
    key = keys.signing_key(teller.state / "keys" / "registry.pem")
    made = teller.do(
        partial(certificates.certify_retirement, key=key),
        certificates.CertifyRetirement(
            **teller.by("buyer", "certify", RETIRED), retirement_id=retired.retirement_id
        ),
    )
    with teller.reading() as session:
        seen = certificates.look_up(session, made.number)
        lost = session.scalar(_LOST)
    teller.check(
        "the certificate is valid and its seal holds",
        holds=seen.state == "valid" and seen.signature_holds,
        figure=f"{made.number} {made.sha256[:12]}",
    )
    teller.check("ranges of every batch are complete", holds=lost == 0, figure=lost)
    seal_all(teller.engine)
    _verify_offline(teller)
    teller.found["certificate"] = made.number
    return {"retired_kg": retired.kg, "certificate": made.number}


def _refuses_transfer(teller: Teller, retired: retirement.Retired) -> None:
    state = ""
    try:
        teller.do(
            transfers.transfer,
            transfers.TransferUnits(
                **teller.by("buyer", "transfer-retired", RETIRED),
                holder_id=teller.found["parties"][BUYER],
                receiver_id=teller.found["parties"]["BUY-002"],
                units=Selection(serials=tuple(retired.serials)),
            ),
        )
    except UnitNotHeldError as refusal:
        state = str(refusal.params["state"])
    teller.check("a retired unit is not transferred", holds=state == "retired", figure=state)


def _verify_offline(teller: Teller) -> None:
    """Run the stand-alone script on the exported log, as an auditor would."""
    log = teller.state / "log.jsonl"
    count = export_log(teller.engine, log)
    done = subprocess.run(  # noqa: S603 -- our own script on our own file
        [sys.executable, "-I", str(ROOT / "deploy" / "verify_log.py"), str(log)],
        capture_output=True,
        text=True,
        check=False,
    )
    teller.check(
        "the exported log verifies offline with the standard library alone",
        holds=done.returncode == 0 and count > 0,
        figure=done.stdout.strip() or done.stderr.strip(),
    )


_LOST = text(
    "SELECT count(*) FROM batch b WHERE b.size_kg <> (SELECT coalesce(sum(upper(r.serials)"
    " - lower(r.serials)), 0) FROM unit_range r WHERE r.batch_id = b.id AND r.closed_by IS NULL)"
)
