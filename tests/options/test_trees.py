"""Numbered trees and packs: one pack a tree, a hundred in each, fifty at maturity, rights exact."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from threading import Barrier

import pytest
from sqlalchemy.exc import IntegrityError

from options import groves, lots, pre_store, reads, refunds, trees
from options.errors import OversoldError, TreePackError
from options.refusals import (
    TreeFactsError,
    TreeGroundError,
    TreeNotDeadError,
    TreeNumberError,
    TreeOutsideError,
    TreeReplacementError,
    TreeTakenError,
)
from registry.db import transaction
from tests import factories


def planted(walk, numbers, *, village="石梁村", **changes):
    """Trees in the middle of a village's parcel."""
    (row,) = walk.sql(
        "SELECT ST_X(c) AS lon, ST_Y(c) AS lat FROM (SELECT ST_PointOnSurface(geometry) AS c"
        " FROM parcel WHERE id = :id) p",
        id=walk.parcels[village],
    )
    facts = {"species": "闽楠", "lon": row.lon, "lat": row.lat, "planted_year": 2020} | changes
    return tuple(groves.NewTree(number=n, **facts) for n in numbers)


def register(walk, numbers, *, owner=None, village="石梁村", **changes):
    return walk.run(
        groves.register_trees,
        groves.RegisterTrees,
        parcel_id=walk.parcels[village],
        owner_id=owner,
        trees=planted(walk, numbers, village=village, **changes),
    )


def died(walk, *numbers, live=False):
    return walk.run(
        groves.report_trees,
        groves.ReportTrees,
        parcel_id=walk.parcels["石梁村"],
        numbers=numbers,
        live=live,
        reason="枯死",
    )


def replaced(walk, *pairs):
    return walk.run(
        groves.replace_trees,
        groves.ReplaceTrees,
        parcel_id=walk.parcels["石梁村"],
        replacements=tuple(groves.Replacement(number=n, by=by) for n, by in pairs),
        reason="补植",
    )


@pytest.fixture
def grove(walk):
    """A tree parcel of 250 numbered trees and a draft of two packs."""
    with transaction(walk.engine) as session:
        walk.program = walk.programme(session, unit="tree")
        walk.parcels["石梁村"] = factories.parcel(session, walk.parties["石梁村"], kind="tree")
    walk.claims["石梁村"] = None
    walk.project = None
    register(walk, range(1, 251))
    walk.lot = walk.draft(offers=((2027, 2, 30_001),), run_id=None, title="一村万树").lot_id
    return walk


def pack(walk, *packs, lot_id=None):
    return walk.run(
        trees.make_packs,
        trees.MakePacks,
        lot_id=lot_id or walk.lot,
        parcel_id=walk.parcels["石梁村"],
        packs=tuple(tuple(numbers) for numbers in packs),
    )


def listed(walk):
    pack(walk, range(1, 101), range(101, 201))
    walk.resolve(walk.lot)
    walk.run(pre_store.pre_store, pre_store.PreStore, lot_id=walk.lot, exempt_reason="小额")
    walk.run(lots.list_lot, lots.LotCommand, lot_id=walk.lot)
    return walk.lot


def test_a_tree_stands_in_one_pack_only(grove):
    pack(grove, range(1, 101))
    with pytest.raises(TreeTakenError) as refused:
        pack(grove, range(100, 200))
    assert refused.value.params["number"] == 100
    assert grove.one("SELECT count(*) FROM tree_pack_member") == 100


def test_a_pack_of_ninety_nine_and_a_dead_tree_are_refused(grove):
    with pytest.raises(TreePackError):
        pack(grove, range(1, 100))
    died(grove, 7)
    with pytest.raises(TreeTakenError):
        pack(grove, range(1, 101))


def test_a_number_is_given_once_in_a_parcel(grove):
    with pytest.raises(TreeNumberError):
        register(grove, [250, 251])
    assert grove.one("SELECT count(*) FROM tree") == 250


def test_a_tree_stands_on_approved_tree_ground_within_its_border(grove):
    with pytest.raises(TreeOutsideError) as refused:
        register(grove, [300], lon=118.4)
    assert refused.value.params["distance_m"] > 1_000
    with transaction(grove.engine) as session:
        grove.parcels["林地"] = factories.parcel(session, grove.parties["石梁村"])
    with pytest.raises(TreeGroundError):
        register(grove, [300], village="林地")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", 0),
        ("species", " "),
        ("planted_year", 2099),
        ("planted_on", date(2019, 3, 12)),
        ("lat", 91.0),
    ],
)
def test_what_no_tree_can_be_is_refused(grove, field, value):
    number = value if field == "number" else 300
    with pytest.raises(TreeFactsError) as refused:
        register(grove, [number], **({} if field == "number" else {field: value}))
    assert refused.value.params["field"] == field


def test_every_reason_is_listed_at_once(grove):
    with transaction(grove.engine) as session:
        command = groves.RegisterTrees(
            **grove.common(),
            parcel_id=grove.parcels["石梁村"],
            trees=(
                *planted(grove, [1]),
                *planted(grove, [300], species=""),
                *planted(grove, [301], lon=118.4),
            ),
        )
        found = groves.tree_findings(session, command)
    assert [one.code for one in found] == [
        "TREE_FACTS_INVALID",
        "TREE_NUMBER_TAKEN",
        "TREE_OUTSIDE_PARCEL",
    ]


def test_two_writers_pack_one_tree_and_one_of_them_is_refused(grove):
    others = grove.draft(offers=((2028, 1, 30_000),), run_id=None).lot_id
    asks = [
        trees.MakePacks(
            **grove.common(), lot_id=lot, parcel_id=grove.parcels["石梁村"], packs=(numbers,)
        )
        for lot, numbers in (
            (grove.lot, tuple(range(1, 101))),
            (others, tuple(range(100, 200))),
        )
    ]
    start = Barrier(2)

    def attempt(command):
        start.wait()
        try:
            return grove.do(trees.make_packs, command).codes
        except TreeTakenError as error:
            return error.params["number"]

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(attempt, asks))
    assert sorted(type(one) is int for one in answers) == [False, True]
    assert 100 in answers
    assert grove.one("SELECT count(*) FROM tree_pack_member") == 100


def test_the_database_itself_refuses_a_pack_of_ninety_nine_and_a_dead_member(grove):
    pack(grove, range(1, 101))
    with pytest.raises(IntegrityError, match="holds 99 trees"):
        grove.change("DELETE FROM tree_pack_member WHERE tree_id ="
                     " (SELECT id FROM tree WHERE number = 5)")  # fmt: skip
    died(grove, 200)
    with pytest.raises(IntegrityError, match="is no live tree"):
        grove.change("INSERT INTO tree_pack_member (tree_id, pack_id)"
                     " SELECT t.id, p.id FROM tree t, tree_pack p WHERE t.number = 200")  # fmt: skip


def test_a_live_tree_takes_a_dead_ones_place_in_its_pack(grove):
    pack(grove, range(1, 101))
    died(grove, 7, 8)
    replaced(grove, (7, 201), (8, 202))
    numbers = [
        row.number
        for row in grove.sql(
            "SELECT number FROM tree t JOIN tree_pack_member m ON m.tree_id = t.id ORDER BY number"
        )
    ]
    assert numbers == [n for n in range(1, 101) if n not in {7, 8}] + [201, 202]
    with pytest.raises(TreeNotDeadError):
        replaced(grove, (7, 203))
    with pytest.raises(TreeNotDeadError):
        replaced(grove, (9, 203))
    died(grove, 9)
    with pytest.raises(TreeTakenError):
        replaced(grove, (9, 10))
    register(grove, [400], species="银杏")
    with pytest.raises(TreeReplacementError):
        replaced(grove, (9, 400))
    with pytest.raises(TreeFactsError):
        replaced(grove, (9, 9))


def test_a_lot_without_all_its_packs_cannot_be_pre_stored(grove):
    pack(grove, range(1, 101))
    grove.resolve(grove.lot)
    with pytest.raises(TreePackError):
        grove.run(pre_store.pre_store, pre_store.PreStore, lot_id=grove.lot, exempt_reason="小额")


def test_packs_from_sale_to_the_village(grove):
    lot_id = listed(grove)
    bought = grove.buy(lot_id, (2027, 1))
    assert bought.amount_fen == 30_001
    with pytest.raises(OversoldError):
        grove.reserve(lot_id, (2027, 2))
    grove.whole()
    # tree rights return after cooling-off: the village is paid before maturity
    first = grove.settled(lot_id, 2027)
    assert (first.returned_fen, first.state) == (30_001, "RETURNED")
    grove.now = datetime(2027, 11, 1, 2, 0, tzinfo=UTC)
    done = grove.run(trees.deliver_trees, trees.DeliverTrees, lot_id=lot_id, vintage=2027)
    assert (done.delivered, done.missing, done.unsold) == (50, 0, 1)
    assert (
        grove.one("SELECT count(*) FROM tree WHERE owner_id = :b", b=grove.parties["buyer"]) == 50
    )
    grove.whole()
    with transaction(grove.engine) as session:
        page = reads.subscription_page(session, bought.subscription_id)
        owner = reads.forest_owner_account(session, grove.parties["石梁村"])
    assert (page.lines[0].state, len(page.lines[0].pack_codes)) == ("DELIVERED", 1)
    assert (owner.due_fen, owner.received_fen) == (30_001, 30_001)


def test_missing_trees_are_refunded_from_the_lots_money_then_claimed_from_the_seller(grove):
    lot_id = listed(grove)
    grove.buy(lot_id, (2027, 1))
    grove.settled(lot_id, 2027)
    died(grove, *range(1, 71))
    grove.now = datetime(2027, 11, 1, 2, 0, tzinfo=UTC)
    done = grove.run(trees.deliver_trees, trees.DeliverTrees, lot_id=lot_id, vintage=2027)
    assert (done.delivered, done.missing) == (30, 20)
    from options import payments

    grove.run(
        payments.record_insurance,
        payments.RecordInsurance,
        lot_id=lot_id,
        statement=grove.statement(5_000, "保险公司"),
    )
    back = grove.run(refunds.refund_shortfall, refunds.RefundShortfall, lot_id=lot_id, vintage=2027)
    (one,) = back.refunds
    # 30,001 - half up(30 x 30,001 / 50) = 12,000: 5,000 of it insured, the money is in the village
    assert (one.paid_fen, one.seller_claim_fen) == (5_000, 7_000)
    grove.whole()


def test_trees_of_a_withdrawn_lot_are_free_for_another(grove):
    pack(grove, range(1, 101), range(101, 201))
    grove.run(lots.withdraw, lots.EndSale, lot_id=grove.lot, reason="重新编包")
    other = grove.draft(offers=((2028, 1, 30_000),), run_id=None).lot_id
    assert len(pack(grove, range(51, 151), lot_id=other).codes) == 1
