"""The two ways an amount becomes whole: half up and largest remainder; neither loses any."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any, Protocol, TypeVar

from options.errors import AmountError, ShareWeightError


class SortKey(Protocol):
    """A value that sorts among its own kind: a code, a date, a tuple of them."""

    def __lt__(self, other: Any, /) -> bool:  # noqa: ANN401
        """Order among the keys of one split."""


K = TypeVar("K", bound=SortKey)


def half_up(value: Fraction) -> int:
    """Nearest whole number of a value not below zero; exactly half goes up.

    Parameters
    ----------
    value : Fraction
        At least 0.

    Returns
    -------
    int

    Raises
    ------
    AmountError
        Below zero, where "up" would be ambiguous.
    """
    if value < 0:
        raise AmountError(name="value", value=str(value))
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def require_amounts(**amounts: int) -> None:
    """Refuse amounts that are not whole numbers of at least zero.

    Raises
    ------
    AmountError
        Names the first wrong amount. A bool or a float is wrong even when it equals an integer.
    """
    for name, value in amounts.items():
        if type(value) is not int or value < 0:
            raise AmountError(name=name, value=str(value))


def largest_remainder(total: int, weights: Sequence[int], keys: Sequence[K]) -> tuple[int, ...]:
    """Split a whole amount by weights so that the parts sum exactly to it.

    Every part first gets ``floor(total * weight / sum(weights))``; what is left goes, one each, to
    the largest remainders. Equal remainders are served in the order of the keys, so the order of
    the rows never matters.

    Parameters
    ----------
    total : int
        Amount to split (fen, kg, trees), at least 0.
    weights : Sequence[int]
        At least 0 each; a weight of 0 receives 0.
    keys : Sequence
        As long as ``weights``; distinct and sortable among themselves. Ties go to the smaller key:
        division codes, household codes, or (signing time, id).

    Returns
    -------
    tuple[int, ...]
        Parts in the order of ``weights``; each is within one of its exact share.

    Raises
    ------
    AmountError
        A negative or fractional number.
    ShareWeightError
        Repeated keys, or an amount above 0 with no weight above 0.
    """
    require_amounts(total=total)
    for weight in weights:
        require_amounts(weight=weight)
    if len(set(keys)) != len(weights) or len(keys) != len(weights):
        raise ShareWeightError(total=total, reason="keys")
    whole = sum(weights)
    if whole == 0:
        if total:
            raise ShareWeightError(total=total, reason="weights")
        return (0,) * len(weights)
    parts = [total * weight // whole for weight in weights]
    left = total - sum(parts)
    # sort by key first: the second sort is stable, so equal remainders keep the keys' order
    by_key = sorted(range(len(weights)), key=lambda i: keys[i])
    by_remainder = sorted(by_key, key=lambda i: -(total * weights[i] % whole))
    for i in by_remainder[:left]:
        parts[i] += 1
    return tuple(parts)


def total_of(amounts: Iterable[int]) -> int:
    """Sum of amounts, each checked to be a whole number of at least zero."""
    result = 0
    for amount in amounts:
        require_amounts(amount=amount)
        result += amount
    return result
