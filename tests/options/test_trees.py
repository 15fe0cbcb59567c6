"""Numbered trees and packs: one pack a tree, a hundred in each, fifty at maturity, rights exact."""

from datetime import UTC, datetime

import pytest

from options import lots, pre_store, reads, refunds, trees
from options.errors import OversoldError, TreePackError
from options.refusals import TreeNumberError, TreeTakenError
from registry.db import transaction
from tests import factories


@pytest.fixture
def grove(walk):
    """A tree parcel of 250 numbered trees and a draft of two packs."""
    with transaction(walk.engine) as session:
        walk.program = walk.programme(session, unit="tree")
        walk.parcels["石梁村"] = factories.parcel(session, walk.parties["石梁村"], kind="tree")
    walk.claims["石梁村"] = None
    walk.project = None
    planted = tuple(
        trees.NewTree(number=n, species="cunninghamia", lon=118.8, lat=28.9, planted_year=2020)
        for n in range(1, 251)
    )
    walk.run(
        trees.register_trees,
        trees.RegisterTrees,
        parcel_id=walk.parcels["石梁村"],
        owner_id=walk.parties["石梁村"],
        trees=planted,
    )
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
    grove.run(
        trees.report_trees,
        trees.ReportTrees,
        parcel_id=grove.parcels["石梁村"],
        numbers=(7,),
        live=False,
        reason="枯死",
    )
    with pytest.raises(TreeTakenError):
        pack(grove, range(1, 101))


def test_a_number_is_given_once_in_a_parcel(grove):
    again = trees.NewTree(number=1, species="x", lon=118.8, lat=28.9, planted_year=2020)
    with pytest.raises(TreeNumberError):
        grove.run(
            trees.register_trees,
            trees.RegisterTrees,
            parcel_id=grove.parcels["石梁村"],
            owner_id=grove.parties["石梁村"],
            trees=(again,),
        )


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
    grove.run(
        trees.report_trees,
        trees.ReportTrees,
        parcel_id=grove.parcels["石梁村"],
        numbers=tuple(range(1, 71)),
        live=False,
        reason="冻害",
    )
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
