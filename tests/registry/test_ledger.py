"""Balances move only by double entries: they sum to zero, never fall below it, and act once."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from registry import cluster, ledger, slots
from registry.db import SYSTEM_ACTOR, Command, attempt, transaction
from registry.errors import KeyReusedError
from registry.ledger import Leg, Take
from registry.unit_errors import (
    InsufficientBalanceError,
    LegsOfTwoAssetsError,
    SlotsUnknownError,
    SoldOutError,
)
from tests import factories

SUBJECT = ("test", "1")


def command(at, key=None) -> Command:
    return Command(at=at, actor_id=SYSTEM_ACTOR, key=key or uuid4().hex)


def post(session, at, *legs):
    return ledger.post(session, command(at), kind="moved", subject=SUBJECT, body={}, legs=legs)


def leg(source, target, amount) -> Leg:
    return Leg(source=source, target=target, amount=amount)


@pytest.fixture
def purses(engine):
    """The world and two purses of fen, committed."""
    with transaction(engine) as session:
        world = ledger.open_account(session, "fen", "world")
        one, two = (
            ledger.open_account(session, "fen", "escrow", reference=name) for name in ("a", "b")
        )
    return world, one, two


def test_one_place_is_one_account(session):
    party_id = factories.party(session, "collective")
    first = ledger.open_account(session, "kg", "holding", party_id=party_id)
    assert ledger.open_account(session, "kg", "holding", party_id=party_id) == first
    assert ledger.open_account(session, "fen", "holding", party_id=party_id) != first


def test_eight_openers_get_one_account(engine):
    def opener(_):
        with transaction(engine) as session:
            return ledger.open_account(session, "fen", "escrow", reference="lot-1")

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(opener, range(8)))) == 1


def test_a_movement_keeps_the_sum_at_zero(engine, purses, at):
    world, one, two = purses
    with transaction(engine) as session:
        post(session, at, leg(world, one, 1000), leg(one, two, 400))
        assert ledger.balance(session, one) == 600
        assert ledger.balance(session, two) == 400
        assert ledger.trial_balance(session) == {"fen": 0}
        assert ledger.drift(session) == ()


def test_nothing_falls_below_zero_and_the_answer_says_what_there_was(engine, purses, at):
    world, one, two = purses
    with transaction(engine) as session:
        post(session, at, leg(world, one, 100))
    with pytest.raises(InsufficientBalanceError) as refused, transaction(engine) as session:
        post(session, at, leg(one, two, 60), leg(one, two, 41))
    assert refused.value.params == {"account": str(one), "asked": 101, "has": 100}
    with transaction(engine) as session:
        assert ledger.balance(session, one) == 100


def test_an_asset_never_becomes_another(session, at):
    fen = ledger.open_account(session, "fen", "world")
    trees = ledger.open_account(session, "tree", "holding")
    with pytest.raises(LegsOfTwoAssetsError):
        post(session, at, leg(fen, trees, 1))


@pytest.mark.parametrize("asset", ["forecast_kg", "fen", "tree"])
@pytest.mark.parametrize("kind", ["retired", "issued", "cancelled", "buffer"])
def test_only_units_can_be_retired(session, asset, kind):
    with pytest.raises(DBAPIError, match="only_units_retire"):
        ledger.open_account(session, asset, kind)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE account SET balance = 1",
        "DELETE FROM account",
        "UPDATE entry SET amount = 1",
        "DELETE FROM entry",
        "INSERT INTO entry (amount) VALUES (1)",
        "UPDATE slot SET quantity = 9",
    ],
)
def test_the_application_cannot_write_balances_itself(session, change):
    with pytest.raises(DBAPIError, match=r"permission denied|append-only"):
        session.execute(text(change))


def test_kilograms_without_serials_are_refused_at_commit(engine, at):
    with transaction(engine) as session:
        issued = ledger.open_account(session, "kg", "issued")
        holding = ledger.open_account(session, "kg", "holding")
    with (
        pytest.raises(DBAPIError, match="balance of 5 kg and ranges of 0 kg"),
        transaction(engine) as session,
    ):
        post(session, at, leg(issued, holding, 5))


@given(moves=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 50))))
def test_any_movements_conserve(session, at, moves):
    with session.begin_nested() as nested:
        world = ledger.open_account(session, "fen", "world")
        purses = [ledger.open_account(session, "fen", "escrow", reference=str(n)) for n in range(3)]
        places = [world, *purses]
        held = dict.fromkeys(places, 0)
        legs = []
        for source, target, amount in moves:
            a, b = places[source], places[target]
            if a != b and (a == world or held[a] >= amount):
                held[a] -= amount
                held[b] += amount
                legs.append(leg(a, b, amount))
        post(session, at, *legs)
        assert {place: ledger.balance(session, place) for place in places} == held
        assert ledger.trial_balance(session)["fen"] == 0
        nested.rollback()


def test_a_whole_act_in_one_round_trip_acts_once(engine, purses, at):
    world, one, _ = purses
    asked = command(at, "pay-1")
    legs = [leg(world, one, 7)]
    first = ledger.post_once(engine, asked, kind="paid", subject=SUBJECT, body={}, legs=legs)
    again = ledger.post_once(engine, asked, kind="paid", subject=SUBJECT, body={}, legs=legs)
    assert (first.replayed, again.replayed) == (False, True)
    assert first.event_id == again.event_id
    with transaction(engine) as session:
        assert ledger.balance(session, one) == 7
    with pytest.raises(KeyReusedError):
        ledger.post_once(
            engine, asked, kind="paid", subject=SUBJECT, body={}, legs=[leg(world, one, 8)]
        )


def test_eight_repeats_at_once_act_once(engine, purses, at):
    world, one, _ = purses
    asked = command(at, "pay-2")

    def pay(_):
        return ledger.post_once(
            engine, asked, kind="paid", subject=SUBJECT, body={}, legs=[leg(world, one, 7)]
        ).event_id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(pay, range(8)))) == 1
    with transaction(engine) as session:
        assert ledger.balance(session, one) == 7


def test_an_act_survives_the_loss_of_its_connection_and_happens_once(engine, purses, at, pg):
    world, one, _ = purses

    def pay(key):
        return ledger.post_once(
            engine,
            command(at, key),
            kind="paid",
            subject=SUBJECT,
            body={},
            legs=[leg(world, one, 7)],
        )

    pay("before")
    admin = create_engine(cluster.database_url(pg, engine.url.database, cluster.ADMIN))
    with admin.connect() as connection:
        ended = connection.scalar(
            text("""
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()""")
        )
    admin.dispose()
    assert ended >= 1
    assert not pay("after").replayed
    assert pay("after").replayed
    with transaction(engine) as session:
        assert ledger.balance(session, one) == 14


def test_a_refused_act_leaves_no_key(engine, purses, at):
    world, one, two = purses
    asked = command(at, "pay-3")
    with pytest.raises(InsufficientBalanceError):
        ledger.post_once(
            engine, asked, kind="paid", subject=SUBJECT, body={}, legs=[leg(one, two, 1)]
        )
    with transaction(engine) as session:
        assert session.scalar(text("SELECT count(*) FROM idempotency")) == 0
        post(session, at, leg(world, one, 1))
    ledger.post_once(engine, asked, kind="paid", subject=SUBJECT, body={}, legs=[leg(one, two, 1)])


def test_many_payers_of_one_purse_never_overdraw_it(engine, purses, at):
    world, one, two = purses
    with transaction(engine) as session:
        post(session, at, leg(world, one, 50))

    def pay(n):
        try:
            ledger.post_once(
                engine,
                command(at, f"k{n}"),
                kind="paid",
                subject=SUBJECT,
                body={},
                legs=[leg(one, two, 3)],
            )
        except InsufficientBalanceError:
            return 0
        return 3

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(pay, range(40))) == 48
    with transaction(engine) as session:
        assert ledger.balance(session, one) == 2


def test_slots_fill_evenly_and_give_back(session):
    slots.fill(session, "lot-1", 1003)
    assert slots.left(session, "lot-1") == 1003
    assert slots.take(session, "lot-1", 1000) == 1000
    with pytest.raises(SoldOutError) as refused, session.begin_nested():
        slots.take(session, "lot-1", 4)
    assert refused.value.params == {"owner": "lot-1", "asked": 4, "has": 3}
    slots.give_back(session, "lot-1", 7)
    assert slots.take(session, "lot-1", 10) == 10
    assert slots.left(session, "lot-1") == 0
    slots.fill(session, "lot-1", 5)
    assert slots.drain(session, "lot-1") == 5
    assert slots.drain(session, "lot-1") == 0


def test_slots_that_were_never_filled(session):
    with pytest.raises(SoldOutError), session.begin_nested():
        slots.take(session, "lot-x", 1)
    with pytest.raises(SlotsUnknownError), session.begin_nested():
        slots.give_back(session, "lot-x", 1)


@given(
    filled=st.integers(1, 200),
    parts=st.integers(1, 20),
    asks=st.lists(st.integers(1, 60), max_size=12),
)
def test_sold_out_only_when_the_sum_is_short(session, filled, parts, asks):
    with session.begin_nested() as nested:
        slots.fill(session, "lot", filled, slots=parts)
        has = filled
        for asked in asks:
            try:
                with session.begin_nested():
                    slots.take(session, "lot", asked)
            except SoldOutError:
                assert asked > has
            else:
                has -= asked
            assert slots.left(session, "lot") == has
        nested.rollback()


def test_eight_takers_never_oversell_and_sell_the_last_unit_once(engine):
    filled = 1_000
    with transaction(engine) as session:
        slots.fill(session, "hot", filled)

    def asked_at(seed, n):
        return 1 if n >= 40 else 1 + (seed * 7 + n * 13) % 97

    def taker(seed):
        """Large asks, then single units until none is left; returns what it got."""
        sold, refused = 0, []
        for n in count():
            asked = asked_at(seed, n)
            try:
                sold += attempt(engine, lambda s, kg=asked: slots.take(s, "hot", kg))
            except SoldOutError as error:
                refused.append((asked, error.params["has"]))
                if n >= 40:
                    break
        assert all(asked > has for asked, has in refused)
        assert refused[-1] == (1, 0)
        return sold

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(taker, range(8))) == filled
    with transaction(engine) as session:
        assert slots.left(session, "hot") == 0


def test_an_act_that_takes_from_a_sold_out_lot_writes_nothing(engine, purses, at):
    world, one, _ = purses
    with transaction(engine) as session:
        slots.fill(session, "lot-9", 10)

    def buy(n):
        try:
            ledger.post_once(
                engine,
                command(at, f"buy{n}"),
                kind="bought",
                subject=SUBJECT,
                body={},
                legs=[leg(world, one, 300)],
                takes=[Take(owner_ref="lot-9", quantity=3)],
            )
        except SoldOutError:
            return 0
        return 3

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(buy, range(16))) == 9
    with transaction(engine) as session:
        assert slots.left(session, "lot-9") == 1
        assert ledger.balance(session, one) == 900
