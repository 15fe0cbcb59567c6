"""Serial ranges stay disjoint and complete whatever is done with them, and whoever writes."""

from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from registry import ledger, retirement, serials, transfers
from registry.db import transaction
from registry.errors import InvalidValueError
from registry.ranges import Piece, Pool, Selection
from registry.unit_errors import (
    InsufficientBalanceError,
    SerialInvalidError,
    UnitNotHeldError,
)
from tests import factories
from tests.registry.unit_makers import World

PREFIX = "CN-330802-FCS-000001-001-2024"


def pool_of(*spans):
    batch = uuid4()
    return Pool(
        uuid4(),
        [
            Piece(range_id=uuid4(), batch_id=batch, prefix=PREFIX, first=first, last=last)
            for first, last in spans
        ],
    )


def spans(pieces):
    return [(piece.first, piece.last) for piece in pieces]


def test_the_owner_keeps_the_first_serials_and_the_receiver_gets_the_last():
    pool = pool_of((1, 10), (21, 40))
    assert spans(pool.take(Selection(kg=15))) == [(1, 10), (36, 40)]
    assert spans(pool.kept()) == [(21, 35)]


def test_serials_leave_from_the_middle_of_a_range():
    pool = pool_of((1, 100))
    assert spans(pool.take(Selection(serials=(f"{PREFIX}-40-60",)))) == [(40, 60)]
    assert spans(pool.kept()) == [(1, 39), (61, 100)]
    with pytest.raises(UnitNotHeldError):
        pool.take(Selection(serials=(f"{PREFIX}-60-61",)))


@pytest.mark.parametrize(
    "wanted", [Selection(), Selection(kg=1, serials=("x",)), Selection(kg=0), Selection(kg=-3)]
)
def test_a_selection_is_one_thing_and_above_zero(wanted):
    with pytest.raises(InvalidValueError):
        pool_of((1, 10)).take(wanted)


@given(
    sizes=st.lists(st.integers(1, 50), min_size=1, max_size=6),
    asks=st.lists(st.integers(1, 40), max_size=8),
)
def test_taking_conserves_every_serial(sizes, asks):
    first, parts = 1, []
    for size in sizes:
        parts.append((first, first + size - 1))
        first += size + 1  # a gap: serials someone else holds
    pool, taken = pool_of(*parts), []
    for kg in asks:
        has = sum(piece.kg for piece in pool.left)
        if kg > has:
            with pytest.raises(InsufficientBalanceError):
                pool.take(Selection(kg=kg))
        else:
            taken += pool.take(Selection(kg=kg))
    found = [n for a, b in spans([*pool.left, *taken]) for n in range(a, b + 1)]
    assert sorted(found) == [n for a, b in parts for n in range(a, b + 1)]


@given(
    adcode=st.from_regex(r"[0-9]{6}", fullmatch=True),
    project=st.integers(1, 999_999),
    batch=st.integers(1, 999),
    vintage=st.integers(1000, 9999),
    first=st.integers(1, 10**12),
    kg=st.integers(1, 10**6),
)
def test_a_serial_reads_back_as_it_was_written(first, kg, **named):
    prefix = serials.prefix(**named)
    made = serials.SerialRange(prefix=prefix, first=first, last=first + kg - 1)
    assert serials.parse(str(made)) == made
    assert made.kg == kg
    assert serials.batch_name(prefix) == serials.BatchName(**named)


@pytest.mark.parametrize(
    "words",
    [
        "",
        PREFIX,
        f"{PREFIX}-1",
        f"{PREFIX}-0-5",
        f"{PREFIX}-05-9",
        f"{PREFIX}-9-5",
        f"{PREFIX}-1-5-9",
        f"{PREFIX}-1-٥",
        f"cn{PREFIX[2:]}-1-5",
        f"{PREFIX}-1 - 5",
    ],
)
def test_what_is_no_serial_is_refused(words):
    with pytest.raises(SerialInvalidError):
        serials.parse(words)


STATUS = text(
    "SELECT b.prefix, r.status, lower(r.serials) AS first, upper(r.serials) AS past"
    " FROM unit_range r JOIN batch b ON b.id = r.batch_id WHERE r.closed_by IS NULL"
    " ORDER BY b.prefix, lower(r.serials)"
)


class Market:
    """Three holders who move and retire in one transaction that is never kept."""

    def __init__(self, session, world):
        self.session, self.world = session, world
        self.holders = [world.village, world.buyer, world.third]

    def act(self, kind, one, other, kg):
        by = self.world.by()
        holder, units = self.holders[one], Selection(kg=kg)
        if kind == "transfer":
            command = transfers.TransferUnits(
                **by, holder_id=holder, receiver_id=self.holders[other], units=units
            )
            transfers.transfer(self.session, command)
        elif kind == "retire":
            command = retirement.RetireUnits(
                **by,
                holder_id=holder,
                units=units,
                beneficiary="示例",
                beneficiary_kind="other",
                beneficiary_location="",
                purpose="other",
                reporting_period="2025",
            )
            retirement.retire(self.session, command)
        else:
            command = retirement.CancelBuffer(
                **by, project_id=self.world.project, kg=kg, reason="火灾"
            )
            retirement.cancel_buffer(self.session, command)

    def ended(self):
        rows = self.session.execute(STATUS)
        return {
            (row.prefix, serial)
            for row in rows
            if row.status in ("retired", "cancelled")
            for serial in (row.first, row.past - 1)
        }


@pytest.fixture
def market_world(engine, at):
    world = World(engine, at)
    with transaction(engine) as session:
        world.third = factories.party(session, "company")
    world.sizes = {batch.prefix: batch.size_kg for batch in world.issued().batches}
    return world


ACTS = st.tuples(
    st.sampled_from(["transfer", "transfer", "retire", "cancel"]),
    st.integers(0, 2),
    st.integers(0, 2),
    st.integers(1, 60_000),
)


@settings(max_examples=25)
@given(acts=st.lists(ACTS, max_size=10))
def test_after_any_acts_each_batch_is_whole_and_each_balance_its_ranges(market_world, acts):
    with transaction(market_world.engine) as session:
        market, ended = Market(session, market_world), set()
        for act in acts:
            try:
                with session.begin_nested():
                    market.act(*act)
                    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
                    session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
            except (InsufficientBalanceError, InvalidValueError):
                continue
            past = dict.fromkeys(market_world.sizes, 1)
            for row in session.execute(STATUS):
                assert row.first == past[row.prefix]
                past[row.prefix] = row.past
            assert past == {prefix: kg + 1 for prefix, kg in market_world.sizes.items()}
            assert ended <= market.ended() | ended
            ended = market.ended()
            assert ledger.trial_balance(session)["kg"] == 0
            assert ledger.drift(session) == ()
        session.rollback()


def write(world, statements):
    with transaction(world.engine) as session:
        for words in statements:
            session.execute(text(words))


TOO_MUCH = (
    "INSERT INTO batch (id, project_id, period_id, number, vintage, prefix, size_kg, buffer_kg,"
    " event_id) SELECT gen_random_uuid(), project_id, period_id, 9, 2019, 'x', 1, 0, event_id"
    " FROM batch LIMIT 1"
)
CLOSE = "UPDATE unit_range SET closed_by = opened_by WHERE status = 'held'"
REOPEN = (
    "INSERT INTO unit_range (id, batch_id, serials, account_id, status, parent_id, opened_by)"
    " SELECT gen_random_uuid(), batch_id, {serials}, {account}, '{status}', id, opened_by"
    " FROM unit_range WHERE closed_by = opened_by"
)


@pytest.mark.parametrize(
    ("match", "statements"),
    [
        ("open ranges of", (CLOSE,)),
        (
            "open ranges of",
            (
                CLOSE,
                REOPEN.format(
                    serials="int8range(lower(serials), upper(serials) - 1)",
                    account="account_id",
                    status="held",
                ),
            ),
        ),
        (
            "ex_unit_range_disjoint",
            (
                CLOSE,
                REOPEN.format(
                    serials="int8range(lower(serials) + 1, upper(serials) + 1)",
                    account="account_id",
                    status="held",
                ),
            ),
        ),
        (
            "cannot lie in an account",
            (CLOSE, REOPEN.format(serials="serials", account="account_id", status="retired")),
        ),
        (
            "is final",
            (
                CLOSE,
                REOPEN.format(serials="serials", account="account_id", status="held"),
                CLOSE,
                "UPDATE unit_range SET closed_by = opened_by WHERE closed_by IS NOT NULL",
            ),
        ),
        ("permission denied", ("UPDATE unit_range SET status = 'held'",)),
        ("permission denied", ("DELETE FROM unit_range",)),
        (
            "verified 100001 kg, issued",
            (TOO_MUCH,),
        ),
        ("cannot go from issued", ("UPDATE period SET status = 'verified'",)),
        ("cannot go from issued", ("UPDATE period SET verified_kg = 7",)),
    ],
)
def test_the_database_refuses_whoever_writes(market_world, match, statements):
    with pytest.raises(DBAPIError, match=match):
        write(market_world, statements)
    assert sum(market_world.totals().values()) == 100_001
