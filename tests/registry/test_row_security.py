"""What each kind of user meets by raw SQL, as the application's role: their rows and no others.

Three places (two towns of one county, one of another) hold the same kinds of rows; whoever asks,
the rows of the other places are the noise that must not come back.
"""

import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from geoalchemy2 import WKTElement
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from registry import divisions, ledger
from registry.canonical import digest
from registry.db import PUBLIC_ACTOR, SYSTEM_ACTOR, Command, act_as
from registry.errors import NotPermittedError
from registry.models import Parcel
from registry.refusals import refusal_of
from tests import factories

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TOWNS = {"A": "330802001000", "B": "330802002000", "C": "330803001000"}
DOCUMENT = digest("document")


def put(session, table, **row):
    """Write a row as it is given; JSON where a value is a dict or list."""
    row = {
        name: json.dumps(value) if isinstance(value, dict | list) else value
        for name, value in row.items()
    }
    names = ", ".join(row)
    session.execute(
        text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(':' + n for n in row)})"), row
    )
    return row.get("id")


@dataclass
class World:
    """Rows by label ("A.draft"), and actors by desk."""

    session: object
    rows: dict[str, dict[UUID, str]] = field(default_factory=dict)
    who: dict[str, UUID] = field(default_factory=dict)
    party: dict[str, UUID] = field(default_factory=dict)

    def note(self, table, label, value):
        self.rows.setdefault(table, {})[value] = label
        return value

    def named(self, table, label):
        return next(key for key, found in self.rows[table].items() if found == label)

    def seen(self, desk, table, column="id"):
        """Labels of the rows of a table that a desk meets."""
        act_as(self.session, self.who[desk])
        found = self.session.scalars(text(f"SELECT DISTINCT {column} FROM {table}")).all()
        act_as(self.session, SYSTEM_ACTOR)
        labels = self.rows[table]
        return {labels[one] for one in found if one in labels}


def draft(session, w, place):
    approved = session.get(Parcel, w.named("parcel", f"{place}.carbon"))
    session.refresh(approved)
    made = put_parcel(session, approved, TOWNS[place], w.party[place], w.who[f"township {place}"])
    return w.note("parcel", f"{place}.draft", made)


def put_parcel(session, like, code, owner, by):
    parcel_id = uuid4()
    session.execute(
        text(
            "INSERT INTO parcel (id, kind, status, version, division_code, owner_id, geometry,"
            " area_m2, shape_digest, submitted_by) SELECT :id, kind, 'draft', 1, :code, :owner,"
            " geometry, area_m2, shape_digest, :by FROM parcel WHERE id = :like"
        ),
        {"id": parcel_id, "code": code, "owner": owner, "by": by, "like": like.id},
    )
    return parcel_id


def settle(session, w, place, n):
    """The same kinds of rows in one town."""
    code = TOWNS[place]
    factories.division(session, code, name=place, level="township")
    staff = factories.actor(session, "township", division_code=code)
    w.who[f"township {place}"] = staff
    w.party[place] = factories.party(session, "collective", code=code)
    home = w.party[f"{place} home"] = w.note(
        "party", f"{place}.home", factories.party(session, "household", code=code)
    )
    plot = factories.parcel(session, w.party[place], division_code=code)
    trees = factories.parcel(session, home, kind="orchard", division_code=code)
    w.note("parcel", f"{place}.carbon", plot)
    w.note("parcel", f"{place}.orchard", trees)
    draft(session, w, place)
    project = w.note(
        "project",
        place,
        factories.project(session, w.party[place], number=n, adcode=code[:6]),
    )
    put(session, "project_parcel", project_id=project, parcel_id=plot, version=1, actor_id=staff,
        effective_at=AT)  # fmt: skip
    w.note("claim", place, factories.claim(session, project, plot, (2024, 2030)))
    run = w.note("assessment_run", place, factories.run(session, project, {plot: {2024: 9_000}}))
    w.note("assessment_series", f"{place}.carbon", plot)
    w.note("parcel_version", f"{place}.carbon", plot)
    status = {"A": "submitted", "B": "verified", "C": "verified"}[place]
    period = put(session, "period", id=uuid4(), project_id=project, starts_on="2024-01-01",
        ends_on="2025-01-01", status=status, run_id=run, inputs={}, creditable_kg=9000, plan={},
        verified_kg=None if status == "submitted" else 9000, submitted_by=staff,
        effective_at=AT)  # fmt: skip
    w.note("period", place, period)
    batch = put(session, "import_batch", id=uuid4(), actor_id=staff, file_name="一.geojson",
        file_sha256=DOCUMENT, file_format="geojson", source_crs="EPSG:4490", division_code=code,
        read_rows=0, accepted=0, refused=0, questioned=0, findings=[], effective_at=AT)  # fmt: skip
    w.note("import_batch", place, batch)
    orchard = put(session, "orchard", id=uuid4(), adcode=code[:6], operator_id=home, name=place,
        crop="huyou", boundary_version=1, actor_id=SYSTEM_ACTOR, effective_at=AT)  # fmt: skip
    w.note("orchard", place, orchard)
    put(session, "orchard_boundary", orchard_id=orchard, version=1, valid_from="2024-01-01",
        planted_area_m2=1000, reason="", actor_id=SYSTEM_ACTOR, effective_at=AT)  # fmt: skip
    put(session, "orchard_plot", orchard_id=orchard, version=1, parcel_id=trees,
        planted_area_m2=1000, parcel_area_m2=40000, planting_year=2015, stage="mature")  # fmt: skip
    put(session, "orchard_book", orchard_id=orchard, year=2025)
    w.note("orchard_book", place, orchard)
    sell(session, w, place, project, plot)
    for table, extra in (
        ("idempotency", {"key": place, "request_hash": DOCUMENT}),
        ("job", {"id": uuid4(), "task": "x", "arguments": {}, "state": "done", "effective_at": AT}),
    ):
        put(session, table, actor_id=staff, **extra)
        w.note(table, place, staff)
    return code


def sell(session, w, place, project, plot):
    """A lot on sale with a contract of its own buyer, a draft, a settlement, and accounts."""
    buyer = w.party[f"{place} buyer"] = factories.party(session, "enterprise")
    w.who[f"buyer {place}"] = factories.actor(session, "buyer", party_id=buyer)
    for state in ("LISTED", "DRAFT"):
        lot = put(session, "lot", id=uuid4(), number=f"{place}{state}", title=place, unit="kg",
            programme_id="county-inclusion", programme_version="1", project_id=project,
            company_id=w.party["company"], carbon_right_holder="buyer", return_trigger="payment",
            term_years=5, sale={}, waterfall={}, advance_fen=0, sale_state=state,
            physical_state="GROWING", created_by=SYSTEM_ACTOR, effective_at=AT)  # fmt: skip
        w.note("lot", f"{place}.{state}", lot)
        put(session, "lot_offer", lot_id=lot, vintage=2024, quantity=9, price_fen=100)
        put(session, "lot_parcel", lot_id=lot, parcel_id=plot, supplier_id=w.party[place],
            claim_id=w.named("claim", place), tenure="collective")  # fmt: skip
        w.note("lot_parcel", f"{place}.{state}", lot)
    lot = w.named("lot", f"{place}.LISTED")
    contract = put(session, "subscription", id=uuid4(), number=f"RG-{place}", lot_id=lot,
        buyer_id=buyer, buyer_kind="enterprise", amount_fen=100, created_by=SYSTEM_ACTOR,
        effective_at=AT)  # fmt: skip
    w.note("subscription", place, contract)
    line = put(session, "subscription_line", id=uuid4(), subscription_id=contract, lot_id=lot,
        vintage=2024, quantity=1, promised=1, price_fen=100, amount_fen=100,
        state="RESERVED")  # fmt: skip
    w.note("subscription_line", place, line)
    nought = dict.fromkeys(
        ("escrow_in_fen", "refunds_fen", "gross_fen", "taxes_fen", "insurance_fen", "costs_fen",
         "reserves_brought_fen", "reserves_held_fen", "advance_recouped_fen", "returned_fen",
         "remainder_fen", "escrow_balance_fen"), 0)  # fmt: skip
    settlement = put(session, "settlement", id=uuid4(), lot_id=lot, vintage=2024, run=1, revision=1,
        state="DRAFT", inputs={}, input_digest=DOCUMENT, ratio="1", prepared_by=SYSTEM_ACTOR,
        effective_at=AT, **nought)  # fmt: skip
    w.note("settlement", place, settlement)
    for label, owner, reference in (
        (f"{place}.village", w.party[place], None),
        (f"{place}.buyer", buyer, None),
        (f"{place}.pool", None, f"lot:{lot}:2024"),
        (f"{place}.line", buyer, f"line:{line}"),
    ):
        kind = "pool" if owner is None else "holding"
        account = ledger.open_account(session, "fen", kind, party_id=owner, reference=reference)
        w.note("account", label, account)


@pytest.fixture
def world(session):
    w = World(session)
    for code, level in (("330800000000", "city"), ("330802000000", "county"),
                        ("330803000000", "county")):  # fmt: skip
        factories.division(session, code, name=code, level=level)
    w.party["company"] = factories.party(session, "company")
    for n, place in enumerate(TOWNS, start=1):
        settle(session, w, place, n)
    w.who |= {
        "county": factories.actor(session, "county", division_code="330802000000"),
        "other county": factories.actor(session, "county", division_code="330803000000"),
        "city": factories.actor(session, "county", division_code="330800000000"),
        "company": factories.actor(
            session, "company", party_id=w.party["company"], division_code="330802000000"
        ),
        "collective": factories.actor(session, "collective", party_id=w.party["A"]),
        "farmer": factories.actor(session, "farmer", party_id=w.party["A home"]),
        "buyer": w.who["buyer A"],
        "township": w.who["township A"],
        "verifier": factories.actor(
            session, "verifier", party_id=factories.party(session, "verifier")
        ),
        "bank": factories.actor(session, "bank", party_id=factories.party(session, "bank")),
        "auditor": factories.actor(session, "auditor"),
        "public": PUBLIC_ACTOR,
        "nobody": uuid4(),
    }
    session.flush()
    return w


ALL = "ABC"
ON_SALE = {f"{one}.LISTED" for one in ALL}


def both(kinds, places=ALL):
    return {f"{place}.{kind}" for place in places for kind in kinds.split()}


# desk: {table: what it sees}; what is not named it does not see, but lots on sale.
SIGHT = {
    "township": {
        "parcel": both("carbon orchard draft", "A"),
        "parcel_version": {"A.carbon"},
        "assessment_series": {"A.carbon"},
        "import_batch": {"A"},
        "orchard": {"A"},
        "orchard_book": {"A"},
        **{table: {"A", "B"} for table in ("project", "period", "assessment_run")},  # the county's
        "claim": {"A"},
        "lot": ON_SALE | {"A.DRAFT"},
        "lot_parcel": both("LISTED DRAFT", "A"),
        "subscription": {"A"},
        "subscription_line": {"A"},
        "settlement": {"A"},
        "account": both("village pool line", "A"),
        "party": {"A.home"},
        "idempotency": {"A"},
        "job": {"A"},
    },
    "collective": {
        "parcel": both("carbon draft", "A"),
        "parcel_version": {"A.carbon"},
        "assessment_series": {"A.carbon"},
        "assessment_run": {"A"},
        "project": {"A"},
        "claim": {"A"},
        "period": {"A"},
        "lot": ON_SALE | {"A.DRAFT"},
        "lot_parcel": both("LISTED DRAFT", "A"),
        "subscription": {"A"},
        "subscription_line": {"A"},
        "account": {"A.village"},
    },
    "farmer": {
        "parcel": {"A.orchard"},
        "orchard": {"A"},
        "orchard_book": {"A"},
        "party": {"A.home"},
        "lot": ON_SALE,
    },
    "buyer": {
        "subscription": {"A"},
        "subscription_line": {"A"},
        "account": both("buyer line", "A"),
        "lot": ON_SALE,
    },
    "verifier": {
        "project": {"A"},
        "period": {"A"},
        "parcel": {"A.carbon"},
        "parcel_version": {"A.carbon"},
        "assessment_series": {"A.carbon"},
        "assessment_run": {"A"},
        "claim": {"A"},
        "lot": ON_SALE,
    },
    "bank": {"lot": ON_SALE},
    "public": {"lot": ON_SALE},
    "nobody": {},
}
COUNTY = {
    "parcel": both("carbon orchard draft", "AB"),
    "parcel_version": both("carbon", "AB"),
    "assessment_series": both("carbon", "AB"),
    **{
        table: {"A", "B"}
        for table in [
            "import_batch",
            "orchard",
            "orchard_book",
            "project",
            "claim",
            "period",
            "assessment_run",
            "subscription",
            "subscription_line",
            "settlement",
            "job",
        ]
    },
    "lot": ON_SALE | both("DRAFT", "AB"),
    "lot_parcel": both("LISTED DRAFT", "AB"),
    "account": both("village pool line", "AB"),
    "party": both("home", "AB"),
}
SIGHT["county"] = COUNTY
SIGHT["other county"] = {
    table: {label.replace("A", "C", 1) for label in labels if label.startswith("A")}
    | (ON_SALE if table == "lot" else set())
    for table, labels in COUNTY.items()
}
SIGHT["city"] = {table: labels | SIGHT["other county"][table] for table, labels in COUNTY.items()}
KEYS = {
    "parcel_version": "parcel_id",
    "assessment_series": "parcel_id",
    "orchard_book": "orchard_id",
    "lot_parcel": "lot_id",
    "idempotency": "actor_id",
    "job": "actor_id",
}


@pytest.mark.parametrize("desk", SIGHT)
def test_each_desk_meets_its_own_rows_and_no_others(world, desk):
    for table in world.rows:
        found = world.seen(desk, table, KEYS.get(table, "id"))
        assert found == SIGHT[desk].get(table, set()), (desk, table)


def test_the_auditor_sees_all_and_changes_nothing(world, session):
    for table, labels in world.rows.items():
        if table != "idempotency":  # answers given to one person
            assert world.seen("auditor", table, KEYS.get(table, "id")) == set(labels.values())
    act_as(session, world.who["auditor"])
    assert session.execute(text("UPDATE parcel SET code = 'x'")).rowcount == 0
    with pytest.raises(DBAPIError, match="row-level security"):
        put(session, "event", id=uuid4(), kind="x", actor_id=world.who["auditor"], subject_kind="x",
            subject_id="x", envelope="{}", digest=DOCUMENT, effective_at=AT)  # fmt: skip


def test_the_company_sees_its_lots_wherever_they_lie(world):
    assert world.seen("company", "lot") == ON_SALE | both("DRAFT")
    assert world.seen("company", "subscription") == set(ALL)
    assert world.seen("company", "parcel") == both("carbon") | both("orchard draft", "AB")


TRADE = both("village buyer", "AB")
PAYS = {
    "county": TRADE,
    "other county": both("village buyer", "C"),
    "city": both("village buyer"),
    "company": both("village buyer") | {"company"},
    "collective": {"A.village"},
    "farmer": {"A.home"},
    "buyer": {"A.buyer", "company"},  # where to pay to
    **{key: set() for key in ("township", "verifier", "bank", "auditor", "public", "nobody")},
}


@pytest.fixture
def accounts(world, session):
    """An account number of every party."""
    held = {"company": world.party["company"]}
    for place in ALL:
        held |= {f"{place}.village": world.party[place], f"{place}.home": world.party[f"{place} home"],
                 f"{place}.buyer": world.party[f"{place} buyer"]}  # fmt: skip
    for label, party in held.items():
        put(session, "party_account", party_id=party, number=f"622202{label}", kind="basic")
        world.note("party_account", label, party)
    return held


@pytest.mark.parametrize("desk", PAYS)
def test_an_account_is_shown_to_its_party_and_to_who_pays_it(world, accounts, desk):
    assert world.seen(desk, "party_account", "party_id") == PAYS[desk]


@pytest.mark.parametrize("desk", PAYS)
def test_an_identity_is_shown_to_the_person_and_to_their_county(world, session, accounts, desk):
    for place in ALL:
        put(session, "party_identity", party_id=accounts[f"{place}.home"], shown="3308**0012",
            number_hash=place.encode(), number_cipher=b"sealed")  # fmt: skip
        world.note("party_identity", place, accounts[f"{place}.home"])
    shown = {"county": "AB", "other county": "C", "city": "ABC", "farmer": "A"}.get(desk, "")
    assert world.seen(desk, "party_identity", "party_id") == set(shown)


def test_money_is_led_elsewhere_by_the_party_and_its_county_only(world, session, accounts):
    words = text("UPDATE party_account SET number = '1' WHERE party_id = :id")
    village = {"id": accounts["B.village"]}
    for desk in set(PAYS) - {"county", "city"}:
        act_as(session, world.who[desk])
        assert session.execute(words, village).rowcount == 0, desk
    act_as(session, world.who["county"])
    assert session.execute(words, village).rowcount == 1


def test_without_an_actor_nothing_is_there(world, session):
    tables = session.scalars(
        text("SELECT relname FROM pg_class WHERE relrowsecurity AND relkind = 'r'")
    ).all()
    assert len(tables) > 50
    session.execute(text("SELECT set_config('tanhui.actor', '', true)"))
    for table in tables:
        assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 0, table


def test_an_actor_who_may_no_longer_act_sees_nothing(world, session):
    session.execute(
        text("UPDATE actor SET active = false WHERE id = :id"), {"id": world.who["county"]}
    )
    assert world.seen("county", "parcel") == set()


def refused(session, statement, **row):
    """Run a statement that the database must refuse, and return our reason."""
    with pytest.raises(DBAPIError) as caught, session.begin_nested():
        session.execute(text(statement), row)
    return refusal_of(caught.value)


@pytest.mark.parametrize("desk", ["township", "collective", "farmer", "buyer", "verifier", "bank",
                                  "other county", "public"])  # fmt: skip
def test_a_draft_of_another_place_is_neither_changed_nor_locked(world, session, desk):
    row = {"id": world.named("parcel", "B.draft")}
    act_as(session, world.who[desk])
    for words in (
        "UPDATE parcel SET code = 'mine' WHERE id = :id RETURNING id",
        "SELECT id FROM parcel WHERE id = :id FOR UPDATE",
        "UPDATE parcel SET status = 'withdrawn' WHERE code IS NULL AND id = :id RETURNING id",
    ):
        assert session.execute(text(words), row).all() == []


def test_a_township_writes_on_its_own_ground_only(world, session):
    mine, other = world.named("parcel", "A.draft"), world.named("parcel", "B.draft")
    like = session.get(Parcel, mine)
    act_as(session, world.who["township"])
    by = world.who["township"]
    assert put_parcel(session, like, TOWNS["A"], None, by)
    for code in (TOWNS["B"], TOWNS["C"], "330802000000", None):
        with pytest.raises(DBAPIError, match="row-level security"), session.begin_nested():
            put_parcel(session, like, code, None, by)
    # nor may its own be moved away, or a history be written for another's
    move = "UPDATE parcel SET division_code = :code WHERE id = :id"
    assert isinstance(refused(session, move, code=TOWNS["B"], id=mine), NotPermittedError)
    decision = (
        "INSERT INTO parcel_decision (id, parcel_id, version, decision, reason, submitted_by,"
        " actor_id, effective_at) VALUES (gen_random_uuid(), :id, 1, 'approve', '', :by, :by, :at)"
    )
    assert isinstance(refused(session, decision, id=other, by=by, at=AT), NotPermittedError)
    batch = (
        "INSERT INTO import_batch (id, actor_id, file_name, file_sha256, file_format, source_crs,"
        " division_code, read_rows, accepted, refused, questioned, findings, effective_at)"
        " VALUES (gen_random_uuid(), :by, 'x', :sha, 'geojson', 'x', :code, 0, 0, 0, 0, '[]', :at)"
    )
    wrong = {"by": by, "sha": DOCUMENT, "code": TOWNS["B"], "at": AT}
    assert isinstance(refused(session, batch, **wrong), NotPermittedError)


def test_nobody_acts_in_anothers_name(world, session):
    act_as(session, world.who["buyer"])
    words = (
        "INSERT INTO event (id, kind, actor_id, subject_kind, subject_id, envelope, digest,"
        " effective_at) VALUES (gen_random_uuid(), 'x', :who, 'x', 'x', '{}',"
        " sha256(convert_to('{}', 'UTF8')), :at)"
    )
    assert isinstance(refused(session, words, who=SYSTEM_ACTOR, at=AT), NotPermittedError)
    session.execute(text(words), {"who": world.who["buyer"], "at": AT})
    key = "INSERT INTO idempotency (actor_id, key, request_hash) VALUES (:who, 'k', :hash)"
    taken = {"who": world.who["county"], "hash": DOCUMENT}
    assert isinstance(refused(session, key, **taken), NotPermittedError)


WHOLE_ACT = (
    "SELECT replayed FROM post(:who, :key, :hash, gen_random_uuid(), 'x', 'x', 'x', '{}', :at,"
    " jsonb_build_array(jsonb_build_object('source', cast(:source AS text),"
    "   'target', cast(:target AS text), 'amount', 5)), '[]', '{}')"
)


def test_a_whole_act_is_done_by_who_may_write_and_out_of_their_own_accounts(world, session):
    """The definer that writes an act whole asks what the policies ask."""
    mine, other = (world.named("account", f"{place}.buyer") for place in "AB")
    purse = ledger.open_account(session, "fen", "world")
    funds = [ledger.Leg(source=purse, target=one, amount=100) for one in (mine, other)]
    command = Command(at=AT, actor_id=SYSTEM_ACTOR, key="funds")
    ledger.post(session, command, kind="x", subject=("x", "x"), body={}, legs=funds)
    row = {"hash": DOCUMENT, "at": AT, "target": str(purse)}
    buyer = world.who["buyer"]
    for desk in ("auditor", "bank", "public", "nobody"):
        act = row | {"who": world.who[desk], "key": desk, "source": str(mine)}
        assert isinstance(refused(session, WHOLE_ACT, **act), NotPermittedError), desk
    act = row | {"who": buyer, "key": "k", "source": str(other)}
    assert isinstance(refused(session, WHOLE_ACT, **act), NotPermittedError)
    assert session.execute(text(WHOLE_ACT), act | {"source": str(mine)}).scalar() is False
    assert session.execute(text(WHOLE_ACT), act | {"source": str(mine)}).scalar() is True
    act_as(session, SYSTEM_ACTOR)
    written = session.execute(text("SELECT actor_id, key FROM idempotency WHERE key = 'k'")).all()
    assert written == [(buyer, "k")]
    assert (ledger.balance(session, mine), ledger.balance(session, other)) == (95, 100)


def test_roles_are_given_by_who_manages_users_and_never_to_oneself(world, session):
    rise = text("UPDATE actor SET roles = ARRAY['system'] WHERE id = :id RETURNING id")
    for desk in ("township", "buyer", "collective", "verifier"):
        act_as(session, world.who[desk])
        assert session.execute(rise, {"id": world.who[desk]}).all() == []
    act_as(session, world.who["county"])
    words = "UPDATE actor SET roles = ARRAY['system'] WHERE id = :id"
    assert isinstance(refused(session, words, id=world.who["county"]), NotPermittedError)


def test_money_leaves_an_account_by_its_own_party_or_its_staff_only(world, session):
    source, target = world.named("account", "B.village"), world.named("account", "A.buyer")
    world_account = ledger.open_account(session, "fen", "world", reference="x")
    event = session.scalar(text("SELECT gen_random_uuid()"))
    put(session, "event", id=event, kind="x", actor_id=SYSTEM_ACTOR, subject_kind="x",
        subject_id="x", envelope="{}", digest=sha("{}"), effective_at=AT)  # fmt: skip
    ledger.post_legs(session, event, [ledger.Leg(source=world_account, target=source, amount=5)])
    legs = json.dumps([{"source": str(source), "target": str(target), "amount": 5}])
    for desk in ("buyer", "collective", "township", "other county", "verifier", "public"):
        act_as(session, world.who[desk])
        words = "SELECT post_legs(:event, cast(:legs AS jsonb))"
        assert isinstance(refused(session, words, event=event, legs=legs), NotPermittedError), desk
    act_as(session, world.who["county"])
    session.execute(text("SELECT post_legs(:event, cast(:legs AS jsonb))"),
                    {"event": event, "legs": legs})  # fmt: skip


def sha(words):
    import hashlib

    return hashlib.sha256(words.encode()).digest()


def test_a_buyer_changes_their_own_contract_only(world, session):
    act_as(session, world.who["buyer"])
    change = text("UPDATE subscription SET due_at = :at WHERE number = :n RETURNING id")
    assert session.execute(change, {"at": AT, "n": "RG-B"}).all() == []
    assert len(session.execute(change, {"at": AT, "n": "RG-A"}).all()) == 1
    price = text("UPDATE lot SET sale_state = 'SOLD_OUT' WHERE number = :n RETURNING id")
    assert session.execute(price, {"n": "BLISTED"}).all() == []


def test_the_looks_beyond_give_no_private_columns(world, session):
    """Shapes, sums and public names; no owner, buyer, bank account, number or person."""
    plot = world.named("parcel", "B.carbon")
    box = session.scalar(text("SELECT ST_Envelope(geometry) FROM parcel WHERE id = :id"),
                         {"id": plot})  # fmt: skip
    lot = world.named("lot", "B.LISTED")
    act_as(session, PUBLIC_ACTOR)
    asked = {
        "neighbours(:box, 9)": {"id", "geometry", "kind", "status"},
        "claims_meeting(:box)": {
            "id", "scheme", "project_id", "programme_id", "parcel_id", "external_reference",
            "years", "geometry",
        },
        "lot_sums(:lot)": {"vintage", "held", "sold", "delivered", "shortfall"},
        "lot_villages(ARRAY[cast(:lot AS uuid)])": {"lot_id", "name", "division_code"},
        "public_orchard(:orchard)": {
            "id", "adcode", "crop", "place", "operator", "planted_area_m2",
        },
        "public_orchard_years(:orchard)": {"year", "e_kg", "s_kg", "net_kg"},
        "serial_batch('x')": {
            "size_kg", "vintage", "project", "programme_id", "programme_version",
        },
        "serial_parts('x', int8range(1, 2), NULL)": {"first", "last", "status", "here"},
        "public_figures()": {
            "parcels", "area_m2", "orchards", "villages", "projects", "issued_kg", "retired_kg",
        },
    }  # fmt: skip
    bound = {
        "box": WKTElement(session.scalar(text("SELECT ST_AsText(:box)"), {"box": box}), srid=4490),
        "lot": lot,
        "orchard": world.named("orchard", "B"),
    }
    for call, columns in asked.items():
        words = call.replace(":box", f"ST_GeomFromText('{bound['box'].data}', 4490)")
        row = {name: value for name, value in bound.items() if f":{name}" in words}
        found = session.execute(text(f"SELECT * FROM {words}"), row)
        assert set(found.keys()) == columns, call
    assert session.execute(text("SELECT operator FROM public_orchard(:o)"),
                           {"o": bound["orchard"]}).scalar() is None  # fmt: skip


def test_the_subtree_is_cut_alike_in_python_and_in_the_database(session):
    codes = ("330000000000", "330800000000", "330802000000", "330802100000", "330802001001",
             "330802101000", "331000000000", "330803010010")  # fmt: skip
    for code in codes:
        factories.division(session, code, name=code, level="x")
        act_as(session, factories.actor(session, "county", division_code=code))
        found = session.scalar(text("SELECT acts_under()"))
        act_as(session, SYSTEM_ACTOR)
        assert found == f"{divisions.subtree_prefix(code)}%"


def test_the_area_of_a_hidden_lot_is_known_and_nothing_else_of_it(world, session):
    act_as(session, PUBLIC_ACTOR)
    lot = {"lot": world.named("lot", "B.LISTED")}
    assert math.isclose(
        session.scalar(text("SELECT lot_ground_m2(:lot)"), lot), 43_400, rel_tol=0.1
    )
    assert session.execute(text("SELECT FROM lot_parcel WHERE lot_id = :lot"), lot).all() == []
