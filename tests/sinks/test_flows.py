import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks import flows, tables
from sinks.errors import DomainError, TableError
from sinks.pools import ALL_POOLS, Pool

FLOWS = sorted({row.flow for row in tables.flows().values()})
stocks = st.lists(
    st.lists(st.floats(0, 1e4), min_size=len(ALL_POOLS), max_size=len(ALL_POOLS)),
    min_size=1,
    max_size=5,
)


def made(key):
    kinds = {row.kind for row in tables.flows().values() if row.flow == key}
    return flows.event(key) if kinds == {"event"} else flows.yearly(key, temperature_c=17)


@pytest.mark.parametrize("key", FLOWS)
@given(stock=stocks, intensity=st.floats(0, 1))
def test_a_flow_moves_and_neither_makes_nor_loses(key, stock, intensity):
    stock = np.array(stock)
    moved = made(key).moved(stock, intensity)
    assert np.abs(moved.sum(axis=1)).max() <= 1e-12 * stock.sum()
    assert (stock + moved >= -1e-9).all()
    scaled = made(key).scaled(intensity).moved(stock)
    assert scaled == pytest.approx(moved, abs=1e-9)


@pytest.mark.parametrize("key", FLOWS)
def test_the_shares_of_each_source_add_up_in_the_table_and_units_are_shares(key):
    total = {}
    for row in tables.flows().values():
        if row.flow == key:
            total[row.source_pool] = total.get(row.source_pool, 0.0) + row.share
            assert (row.kind == "event") == (row.rate_per_yr is None)
            assert ("rate 1/yr" in row.unit) == (row.kind != "event")
            assert {row.source_pool, row.sink_pool} <= set(ALL_POOLS)
    assert total == pytest.approx(dict.fromkeys(total, 1.0), abs=1e-12)


def test_a_matrix_whose_rows_do_not_add_up_cannot_be_made():
    two = (Pool.ABOVEGROUND, Pool.ATMOSPHERE)
    for shares in ([[0.5, 0.4], [0, 1]], [[1.5, -0.5], [0, 1]], [[np.nan, 1], [0, 1]], [[1.0]]):
        with pytest.raises(DomainError, match="FLOW_SHARES"):
            flows.Flow(key="x", pools=two, shares=np.array(shares))
    with pytest.raises(DomainError, match="FLOW_SHARES"):
        flows.flow("x", {("AGB", "ATM"): 0.4})
    with pytest.raises(DomainError, match="FLOW_POOL"):
        flows.flow("x", {("ATM", "AGB"): 1.0})
    with pytest.raises(DomainError, match="FLOW_POOL"):
        flows.flow("x", {("AGB", "SEA"): 1.0})
    with pytest.raises(TableError, match="TABLE_NO_ROW"):
        flows.event("meteor")
    with pytest.raises(DomainError, match="SHARE_RANGE"):
        flows.event("fire").scaled(1.1)
    with pytest.raises(ValueError, match="read-only"):
        flows.event("fire").shares[0, 0] = 1


def test_warmth_speeds_decay_by_q10_and_never_beyond_all_of_it():
    def kept(celsius):
        return flows.yearly("decay", temperature_c=celsius).shares[3, 3]

    litter = ALL_POOLS.index(Pool.LITTER)
    assert flows.yearly("decay").shares[litter, litter] == pytest.approx(1 - 0.355)
    warm = flows.yearly("decay", temperature_c=15).shares[litter, litter]
    assert warm == pytest.approx(1 - 0.355 * 2.65**0.5)
    assert flows.yearly("decay", temperature_c=60).shares[litter, litter] == 0
    assert kept(20) < kept(10)
    with pytest.raises(DomainError, match="VALUE_NOT_FINITE"):
        flows.yearly("decay", temperature_c=float("nan"))


def test_what_is_to_be_checked_is_said():
    marks = flows.marks(["clear_to_air", "fire", "snow"])
    assert marks == {"clear_to_air": "read", "fire": "proposed", "snow": "proposed"}
    assert "harvest_fir" in flows.keys("event")
