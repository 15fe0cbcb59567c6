"""Orchards in a browser: a line renews the draft without leaving the page, on a phone's width."""

import pytest
from sqlalchemy import text

from geo.synthetic import make_county
from registry.db import SYSTEM_ACTOR, perform, transaction
from registry.people import AddActor, add_actor
from tests.web.conftest import AT, HASH
from web.accounts import logins
from web.demo import county, orchards, plots
from web.demo.teller import Teller

PHONE = {"viewport": {"width": 360, "height": 740}}
STEPS = {"county": county.tell, "plots": plots.tell, "orchards": orchards.tell}
LABEL = "/labels/LBL-330802-2025-000001"


@pytest.fixture(scope="module")
def town(pg, clone, tmp_path_factory):
    """The tiny demo county with its orchards' story told, and a farmer of the first account."""
    from types import SimpleNamespace

    from registry import cluster
    from registry.db import connect
    from web.app import create_app
    from web.config import Settings

    engine = connect(cluster.database_url(pg, clone(), "tanhui_app"))
    folder = tmp_path_factory.mktemp("county")
    make_county("tiny", out_dir=folder)
    state = tmp_path_factory.mktemp("state")
    teller = Teller(engine=engine, folder=folder, state=state)
    teller.tell(STEPS)
    orchard = teller.found["orchards"]["ORC-001"]
    with transaction(engine) as session:
        party = session.scalar(
            text("SELECT operator_id FROM orchard WHERE id = :id"), {"id": orchard}
        )
    for desk, role, more in (
        ("farmer", "farmer", {"party_id": party}),
        ("county", "county", {"division_code": "330802000000"}),
    ):
        base = {"at": AT, "actor_id": SYSTEM_ACTOR}
        made = perform(
            engine,
            add_actor,
            AddActor(**base, key=f"browser:{desk}", name=f"{desk} 人", roles=[role], **more),
        )
        login = logins.AddLogin(
            **base,
            key=f"browser:login:{desk}",
            username=desk,
            password_hash=HASH,
            for_actor_id=made.actor_id,
        )
        perform(engine, logins.add_login, login)
    app = create_app(config=Settings(state_dir=state), engine=engine)
    yield SimpleNamespace(app=app, engine=engine, orchard=orchard)
    engine.dispose()


def fits(page):
    """Nothing is wider than the screen."""
    return page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )


def test_a_farmer_keeps_the_book_on_a_phone(desk, look, town):
    with desk("farmer", **PHONE) as page:
        page.goto(f"/orchards/{town.orchard}?year=2025")
        look(page, "orchard-approved-360")
        assert fits(page)
        page.goto(f"/orchards/{town.orchard}?year=2026")
        page.get_by_text("投入：肥、药、膜、油、电").click()
        page.locator("#f-quantity").fill("六百")
        page.locator("#f-n_percent").fill("15")
        here = page.url
        page.get_by_role("button", name="记入台账").first.click()
        page.wait_for_selector("#book .field-error")
        look(page, "orchard-fault-360")
        page.locator("#f-quantity").fill("600")
        page.locator("#f-evidence").fill("票据 12")
        page.get_by_role("button", name="记入台账").first.click()
        page.wait_for_selector("#book .alert.tone-good")
        assert page.url == here
        assert "化肥 · 复合肥" in page.locator("#book").inner_text()
        look(page, "orchard-draft-360")
        assert fits(page)


def test_a_label_and_the_methods_are_read_without_an_account(desk, look):
    for width in (360, 1280):
        with desk(None, viewport={"width": width, "height": 900}) as page:
            page.goto(LABEL)
            assert page.locator(".qr svg").count() == 1
            look(page, f"label-{width}")
            assert fits(page)
            page.goto("/methods?q=N2O")
            look(page, f"methods-{width}")
            assert fits(page)
            page.goto("/methods/programmes/orchard-label")
            look(page, f"programme-{width}")
            assert fits(page)


def test_the_county_sees_its_orchards_against_the_year_before(desk, look, town):
    for width in (360, 1280):
        with desk("county", viewport={"width": width, "height": 900}) as page:
            page.goto("/county?year=2025&base=2024")
            assert page.locator("svg.chart").count() >= 5
            look(page, f"county-{width}")
            assert fits(page)
            page.goto("/orchards?year=2025")
            look(page, f"orchards-{width}")
            assert fits(page)
            page.goto("/labels?year=2025")
            look(page, f"labels-{width}")
            assert fits(page)
            page.goto(f"/orchards/{town.orchard}?year=2025")
            look(page, f"orchard-county-{width}")
