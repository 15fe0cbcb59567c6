"""The verifier's sample: the same for everybody, nobody's choice, and it only grows."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from registry.sampling import plan_sample, sample_size

parcels = st.lists(st.uuids(), unique=True, max_size=60)


@given(ids=parcels, size=st.integers(0, 80), seed=st.uuids(), data=st.data())
def test_a_sample_does_not_depend_on_the_order_of_parcels(ids, size, seed, data):
    drawn = plan_sample(str(seed), ids, size=size)
    assert plan_sample(str(seed), data.draw(st.permutations(ids)), size=size) == drawn
    assert len(drawn) == min(size, len(ids))
    assert set(drawn) <= set(ids)


@given(ids=parcels, size=st.integers(0, 60), seed=st.uuids())
def test_a_larger_sample_holds_the_smaller_one(ids, size, seed):
    assert plan_sample(str(seed), ids, size=size + 1)[:size] == plan_sample(
        str(seed), ids, size=size
    )


def test_another_period_draws_others():
    ids = [UUID(int=n) for n in range(100)]
    assert plan_sample("a", ids, size=10) != plan_sample("b", ids, size=10)


@given(n=st.integers(1, 10**6))
def test_the_proposed_size_is_the_square_root_rounded_up(n):
    size = sample_size(n)
    assert (size - 1) ** 2 < n <= size**2
    assert sample_size(0) == 0
