"""Arrays of whole numbers in PostgreSQL's binary form, many at once, for `copying.copy_rows`.

A column that is sent so is named ``bytea`` there: the server reads the bytes as its own type.
Form: number of dimensions, flags, element type, length, lower bound; then size and value of each
element, all big-endian (``array_recv`` and ``int8recv`` of PostgreSQL).
"""

import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

INT4_OID: Final = 23
INT8_OID: Final = 20


def int4_arrays(start: NDArray[np.int64], values: NDArray[np.int32]) -> Iterator[bytes]:
    """Yield ``integer[]`` for each of the segments values[start[i]:start[i + 1]]."""
    return _arrays(start, values, INT4_OID, 4)


def int8_arrays(start: NDArray[np.int64], values: NDArray[np.int64]) -> Iterator[bytes]:
    """Yield ``bigint[]`` for each of the segments values[start[i]:start[i + 1]]."""
    return _arrays(start, values, INT8_OID, 8)


def int8_rows(matrix: NDArray[np.int64]) -> Iterator[bytes]:
    """Yield ``bigint[]`` for each row of a matrix."""
    rows, columns = matrix.shape
    return int8_arrays(np.arange(rows + 1, dtype=np.int64) * columns, matrix.ravel())


def int8_tables(tables: NDArray[np.int64]) -> Iterator[bytes]:
    """Yield two-dimensional ``bigint[]`` for each matrix of an array of three dimensions."""
    items = np.empty(tables.shape, np.dtype([("size", ">i4"), ("value", ">i8")]))
    items["size"], items["value"] = 8, tables
    _, rows, columns = tables.shape
    head = struct.pack(">iiiiiii", 2, 0, INT8_OID, rows, 1, columns, 1)
    for one in items:
        yield head + one.tobytes()


def _arrays(
    start: NDArray[np.int64], values: NDArray[np.int32] | NDArray[np.int64], oid: int, size: int
) -> Iterator[bytes]:
    items = np.empty(len(values), np.dtype([("size", ">i4"), ("value", f">i{size}")]))
    items["size"], items["value"] = size, values
    packed, width = items.tobytes(), items.itemsize
    for first, last in pairwise(start.tolist()):
        if first == last:
            yield struct.pack(">iii", 0, 0, oid)
        else:
            head = struct.pack(">iiiii", 1, 0, oid, last - first, 1)
            yield head + packed[first * width : last * width]
