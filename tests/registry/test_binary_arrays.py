"""Arrays packed here are the arrays the server reads."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from registry.binary_arrays import int4_arrays, int8_arrays, int8_rows
from registry.copying import copy_rows

SEGMENTS = st.lists(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5), max_size=6)


def bounds(segments):
    return np.concatenate(([0], np.cumsum([len(s) for s in segments], dtype=np.int64)))


@given(segments=SEGMENTS)
def test_the_server_reads_what_was_packed(session, segments):
    session.execute(text("CREATE TEMP TABLE IF NOT EXISTS read (i int, a int4[], b int8[])"))
    session.execute(text("DELETE FROM read"))
    wide = np.array([v for s in segments for v in s], np.int64)
    narrow = (wide >> 33).astype(np.int32)
    start = bounds(segments)
    rows = zip(
        range(len(segments)), int4_arrays(start, narrow), int8_arrays(start, wide), strict=True
    )
    copy_rows(session, "read", {"i": "int4", "a": "bytea", "b": "bytea"}, rows)
    found = session.execute(text("SELECT a, b FROM read ORDER BY i")).all()
    assert [row.b for row in found] == segments
    assert [row.a for row in found] == [[v >> 33 for v in s] for s in segments]


def test_a_matrix_is_an_array_a_row(session):
    session.execute(text("CREATE TEMP TABLE rows_read (i int, b int8[])"))
    matrix = np.arange(12, dtype=np.int64).reshape(3, 4) - 5
    columns = {"i": "int4", "b": "bytea"}
    copy_rows(session, "rows_read", columns, enumerate(int8_rows(matrix)))
    found = session.execute(text("SELECT b FROM rows_read ORDER BY i")).scalars().all()
    assert found == matrix.tolist()
