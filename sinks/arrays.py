"""Array types and the guards that name the first bad element."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sinks.errors import DomainError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Int32Array = NDArray[np.int32]
FlagArray = NDArray[np.uint8]


def as_float(values: ArrayLike) -> FloatArray:
    """Float64 view or copy of the values, at least one-dimensional."""
    return np.atleast_1d(np.asarray(values, dtype=np.float64))


def first_true(mask: NDArray[np.bool_]) -> int:
    """Flat index of the first true element; call only when there is one."""
    return int(np.argmax(mask.ravel()))


def require_not_negative(name: str, values: FloatArray) -> None:
    """Refuse values that are negative, NaN or infinite.

    Raises
    ------
    DomainError : VALUE_NOT_FINITE or VALUE_NEGATIVE, with the name, the first index and its value.
    """
    for code, bad in (("VALUE_NOT_FINITE", ~np.isfinite(values)), ("VALUE_NEGATIVE", values < 0)):
        if bad.any():
            index = first_true(bad)
            raise DomainError(code, name=name, index=index, value=float(values.ravel()[index]))


def require_positive(name: str, values: FloatArray) -> None:
    """Refuse values that are not finite and above zero.

    Raises
    ------
    DomainError : VALUE_NOT_FINITE, VALUE_NEGATIVE or VALUE_ZERO, with the first index.
    """
    require_not_negative(name, values)
    bad = values == 0
    if bad.any():
        raise DomainError("VALUE_ZERO", name=name, index=first_true(bad))


def split_area(
    area_dm2: ArrayLike, numerator: ArrayLike, denominator: int
) -> tuple[IntArray, IntArray]:
    """Area kept and area lost when this share of it is felled or burnt; they add up exactly.

    Raises
    ------
    DomainError : SHARE_OUTSIDE when the share is not within 0 and 1.
    """
    area = np.asarray(area_dm2, dtype=np.int64)
    share = np.asarray(numerator, dtype=np.int64)
    if denominator <= 0 or np.any((share < 0) | (share > denominator)):
        raise DomainError("SHARE_OUTSIDE", denominator=denominator)
    lost = area // denominator * share + area % denominator * share // denominator
    return area - lost, np.asarray(lost, dtype=np.int64)
