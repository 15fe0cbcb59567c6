"""The year's distribution: reserve up, payouts exact, order of the register without effect."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from options.distribution_plan import DistributionPlan, Payout, Shareholding, plan_distribution
from options.errors import NetIncomeError, ReserveRatioError, ShareRegisterError

REGISTERS = st.dictionaries(
    st.text("0123456789", min_size=4, max_size=4), st.integers(1, 500), min_size=1, max_size=15
)


def rows(register):
    return [Shareholding(household_code=c, shares=s) for c, s in register.items()]


def test_a_small_village():
    plan = plan_distribution(
        year=2026, net_income_fen=1001, register=rows({"0003": 1, "0001": 1, "0002": 1})
    )
    assert plan.reserve_fen == 301  # 300.3 up
    assert [(p.household_code, p.amount_fen) for p in plan.payouts] == [
        ("0001", 234),
        ("0002", 233),
        ("0003", 233),
    ]


@given(
    st.integers(0, 10**12),
    REGISTERS,
    st.fractions(Fraction(3, 10), 1, max_denominator=100),
    st.randoms(),
)
def test_sums_shares_and_order(income, register, ratio, random):
    plan = plan_distribution(
        year=2026, net_income_fen=income, register=rows(register), reserve_ratio=ratio
    )
    assert plan.reserve_fen + sum(p.amount_fen for p in plan.payouts) == income
    assert 0 <= plan.reserve_fen - income * ratio < 1
    whole = sum(register.values())
    for payout in plan.payouts:
        assert abs(payout.amount_fen - Fraction(plan.distributed_fen * payout.shares, whole)) < 1
    shuffled = rows(register)
    random.shuffle(shuffled)
    assert plan == plan_distribution(
        year=2026, net_income_fen=income, register=shuffled, reserve_ratio=ratio
    )


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"net_income_fen": -1}, NetIncomeError),
        ({"reserve_ratio": Fraction(29, 100)}, ReserveRatioError),
        ({"reserve_ratio": Fraction(101, 100)}, ReserveRatioError),
        ({"register": []}, ShareRegisterError),
        ({"register": rows({"1": 0})}, ShareRegisterError),
        ({"register": [*rows({"1": 1}), *rows({"1": 2})]}, ShareRegisterError),
    ],
)
def test_refusals(change, error):
    given_ = {"year": 2026, "net_income_fen": 100, "register": rows({"1": 1})} | change
    with pytest.raises(error):
        plan_distribution(**given_)


def test_a_plan_that_loses_a_fen_cannot_be_made():
    good = {
        "year": 2026,
        "net_income_fen": 10,
        "reserve_ratio": Fraction(3, 10),
        "total_shares": 1,
        "payouts": (Payout(household_code="1", shares=1, amount_fen=7),),
    }
    DistributionPlan(**good, reserve_fen=3, distributed_fen=7)
    with pytest.raises(ValueError):
        DistributionPlan(**good, reserve_fen=3, distributed_fen=6)
    with pytest.raises(ValueError):
        DistributionPlan(**good, reserve_fen=2, distributed_fen=7)
