"""Tree packs: 100 numbered, 50 promised, the selection decided by the live trees alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from options.errors import TreePackError, TreesShortError
from options.tree_packs import TreePack, plan_pack_delivery, require_deliverable, select_trees

PACK = TreePack(code="P-1", numbers=tuple(range(1, 101)))


def test_all_alive_takes_every_second_tree():
    assert select_trees(PACK, PACK.numbers) == tuple(range(1, 100, 2))


def test_gaps_are_filled_in_number_order():
    live = range(1, 61)
    assert select_trees(PACK, live) == tuple(sorted([*range(1, 60, 2), *range(2, 41, 2)]))


@given(st.sets(st.integers(1, 100)), st.randoms())
def test_selection_is_live_exact_and_blind_to_order(live, random):
    shuffled = list(live)
    random.shuffle(shuffled)
    plan = plan_pack_delivery(PACK, shuffled)
    assert plan == plan_pack_delivery(PACK, sorted(live))
    assert set(plan.delivered) | set(plan.staying) == live
    assert not set(plan.delivered) & set(plan.staying)
    assert len(plan.delivered) + plan.missing == 50
    assert plan.missing == max(0, 50 - len(live))


def test_49_live_trees_are_not_deliverable():
    require_deliverable(PACK, range(1, 51))
    with pytest.raises(TreesShortError) as refused:
        require_deliverable(PACK, range(1, 50))
    assert refused.value.params == {"pack": "P-1", "live": 49, "promised": 50}


def test_wrong_packs_are_refused():
    for numbers, promised in (
        ((1,) * 100, 50),
        (tuple(range(99)), 50),
        (tuple(range(100)), 101),
        (tuple(range(100)), 0),
    ):
        with pytest.raises(TreePackError):
            TreePack(code="P", numbers=numbers, promised=promised)
    with pytest.raises(TreePackError):
        select_trees(PACK, [101])
