"""The sale over HTTP: what each desk sees of a lot, and what it is refused."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest

from registry.db import SYSTEM_ACTOR, perform
from registry.people import AddActor, add_actor
from tests.options.conftest import Walk, empty_walk, walk  # noqa: F401
from tests.web.conftest import AT, HASH, PASSWORD
from web.accounts import logins
from web.app import create_app
from web.config import Settings


@pytest.fixture
def sale(walk, tmp_path):  # noqa: F811
    """A lot on sale, and logins for everyone in it."""
    app = create_app(config=Settings(state_dir=tmp_path), engine=walk.engine)
    parties = {"buyer": "buyer", "company": "company", "collective": "石梁村"}
    for role, party in [*parties.items(), ("auditor", None), ("verifier", "verifier")]:
        base = {"at": AT, "actor_id": SYSTEM_ACTOR}
        made = perform(
            walk.engine,
            add_actor,
            AddActor(
                **base,
                key=f"a{role}",
                name=role,
                roles=[role],
                party_id=walk.parties[party] if party else None,
            ),
        )
        walk.people[role] = made.actor_id
        login = logins.AddLogin(
            **base, key=f"l{role}", username=role, password_hash=HASH, for_actor_id=made.actor_id
        )
        perform(walk.engine, logins.add_login, login)
    walk.now = datetime.now(UTC) - timedelta(days=60)
    lot_id = walk.on_sale()

    def get(path, who=None):
        return app.test_client().get(path, auth=(who, PASSWORD) if who else None)

    def post(path, who, **form):
        key = {"Idempotency-Key": uuid4().hex}
        return app.test_client().post(path, auth=(who, PASSWORD), data=form, headers=key)

    return SimpleNamespace(walk=walk, app=app, lot=lot_id, get=get, post=post)


def test_a_lots_numbers_lead_to_what_they_stand_on(sale):
    run = f"/assessments/{sale.walk.forecast}"
    for who in ("company", "auditor"):
        assert run in sale.get(f"/lots/{sale.lot}", who).text
    programme = f"/methods/programmes/{sale.walk.program}?version=1"
    for who in (None, "buyer"):
        page = sale.get(f"/lots/{sale.lot}", who).text
        assert run not in page
        assert programme in page


def test_everybody_sees_a_lot_on_sale_and_only_the_concerned_its_papers(sale):
    assert "石梁村毛竹林" in sale.get("/lots").text
    page = sale.get(f"/lots/{sale.lot}")
    assert page.status_code == 200
    assert "经过" not in page.text
    for who in ("company", "collective", "auditor"):
        assert "经过" in sale.get(f"/lots/{sale.lot}", who).text
    assert sale.get("/lots/new", "buyer").status_code == 403
    assert sale.get("/lots/new", "company").status_code == 200


def test_a_buyer_reserves_signs_pays_exactly_and_the_village_sees_every_fen(sale):
    made = sale.post(f"/lots/{sale.lot}/reserve", "buyer", **{"quantity-2025": "4.000"})
    assert made.status_code == 303, made.text
    contract = made.headers["Location"]
    assert "认购协议" in sale.get(contract, "buyer").text
    assert sale.get(contract, "collective").status_code == 403
    page = sale.post(f"{contract}/sign", "buyer", identity_checked="1", risk_accepted="1")
    assert page.status_code == 303
    assert "撤销签约" in sale.get(contract, "buyer").text
    walk = sale.walk  # noqa: F811
    # ten minutes later, at a clock that the test holds
    walk.now = datetime.now(UTC)
    walk.tick(minutes=11)
    page = sale.get(contract, "company")
    assert "登记到账" in page.text
    number = walk.one("SELECT number FROM subscription")
    row = {
        "subscription_number": number,
        "bank_reference": "B1",
        "counterparty": "绿源公司",
        "booked_on": date.today().isoformat(),  # noqa: DTZ011
    }
    sale.post(f"{contract}/payments", "company", amount="239.99", **row)
    assert walk.one("SELECT count(*) FROM bank_line") == 0
    sale.post(f"{contract}/payments", "company", amount="240.00", **row)
    assert walk.one("SELECT sum(amount_fen) FROM bank_line") == 24_000
    assert "冷静期" in sale.get(contract, "buyer").text
    walk.tick(days=20)
    walk.deliver(walk.verified({"石梁村": {2025: 10_000}}))
    done = walk.settled(sale.lot, 2025)
    page = sale.get(f"/settlements/{done.settlement_id}", "company")
    assert page.status_code == 200
    assert "贰佰肆拾元整" in page.text
    party = walk.parties["石梁村"]
    for path in ("statement", "account"):
        assert "¥240.00" in sale.get(f"/parties/{party}/{path}", "collective").text
        assert (
            sale.get(f"/parties/{walk.parties['company']}/{path}", "collective").status_code == 404
        )
    for path, who in (
        ("/settlements", "company"),
        ("/subscriptions", "buyer"),
        ("/account", "auditor"),
    ):
        assert sale.get(path, who).status_code == 200
    assert sale.get(f"/lots/{sale.lot}/settlements/new", "company").status_code == 200
