"""Exact numbers from decimals, so that sums do not depend on order and cuts are met exactly."""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from math import isfinite

from sinks.errors import DomainError

Number = int | float | str | Decimal | Fraction


def exact(value: Number, *, name: str = "value") -> Fraction:
    """Fraction a person means by a number: a float by its shortest decimal, not its binary value.

    Raises
    ------
    DomainError : NUMBER_INVALID for what is no finite number.
    """
    try:
        if isinstance(value, float):
            if not isfinite(value):
                raise DomainError("NUMBER_INVALID", name=name, value=str(value))
            return Fraction(repr(float(value)))
        return Fraction(value)
    except (ValueError, OverflowError, ZeroDivisionError):
        raise DomainError("NUMBER_INVALID", name=name, value=str(value)) from None


def amount(value: Number, *, name: str) -> Fraction:
    """Exact number that is not negative.

    Raises
    ------
    DomainError : NUMBER_INVALID; NUMBER_NEGATIVE.
    """
    number = exact(value, name=name)
    if number < 0:
        raise DomainError("NUMBER_NEGATIVE", name=name, value=str(value))
    return number


def total(values: Iterable[Fraction]) -> Fraction:
    """Exact sum; zero for nothing."""
    return sum(values, Fraction(0))
