"""What a split refuses."""

import pytest

from options.errors import AmountError, ShareWeightError
from options.rounding import largest_remainder, total_of


def test_a_split_without_weights_or_with_repeated_keys_is_refused():
    with pytest.raises(ShareWeightError):
        largest_remainder(1, [0, 0], ["a", "b"])
    with pytest.raises(ShareWeightError):
        largest_remainder(1, [1, 1], ["a", "a"])
    with pytest.raises(ShareWeightError):
        largest_remainder(1, [1], ["a", "b"])
    with pytest.raises(AmountError):
        largest_remainder(1, [-1, 2], ["a", "b"])


def test_total_of_checks_each_amount():
    assert total_of([1, 2, 3]) == 6
    with pytest.raises(AmountError):
        total_of([1, -2])
