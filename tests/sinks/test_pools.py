from sinks import pools, tables


def test_every_scope_of_a_growth_row_names_its_pools():
    assert {row.scope for row in tables.growth().values()} <= set(pools.POOLS_OF_SCOPE)


def test_a_loss_comes_before_growth_and_stock_is_read_last():
    assert pools.PROCESS_ORDER == ("disturbance", "growth", "stock_at_31_december")
