from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks import issuance
from sinks.errors import DomainError
from sinks.review import plausibility
from sinks.uncertainty import discount_table

TOOL14 = discount_table("artool14")
kg = st.integers(-(10**10), 10**10)
shares = st.fractions(0, Fraction(99, 100), max_denominator=10**6)


def plan(change=(100_000, 200_000), *, years=None, rule=None, **changes):
    values = {
        "baseline_kg": 0,
        "emissions_kg": 0,
        "leakage_kg": 0,
        "uncertainty": Fraction(0),
        "discount": TOOL14,
        "non_permanence": rule or issuance.BufferPool(share=Fraction(1, 10)),
    } | changes
    return issuance.plan_creditable(years or range(2024, 2024 + len(change)), change, **values)


def test_the_order_discount_baseline_deduction_by_hand():
    got = plan(
        (60_000, 0),
        uncertainty=Fraction(15, 100),
        baseline_kg=7_000,
        emissions_kg=500,
        leakage_kg=250,
        rule=issuance.Deduction(share=Fraction(1, 10)),
    )
    assert got.discount_kg == 2_250
    assert got.net_kg == 50_000
    assert got.deducted_kg == 5_000
    assert got.issued_kg == got.creditable_kg == 45_000
    assert got.buffer_kg == 0


def test_buffer_rounds_up_and_vintages_follow_the_modelled_shares():
    got = plan((1, 2), rule=issuance.BufferPool(share=Fraction(1, 3)))
    assert [(b.year, b.total_kg, b.holder_kg, b.buffer_kg) for b in got.batches] == [
        (2024, 1, 0, 1),
        (2025, 2, 1, 1),
    ]


def test_the_verified_ceiling_binds():
    got = plan(verified_kg=150_001)
    assert got.creditable_kg == 300_000
    assert [b.total_kg for b in got.batches] == [50_000, 100_001]
    assert plan(verified_kg=0).batches == ()


def test_a_loss_issues_nothing_and_is_repaid_first():
    lost = plan((-1_000, 400), emissions_kg=1, uncertainty=Fraction("0.15"))
    assert (lost.issued_kg, lost.batches) == (0, ())
    assert lost.discount_kg == Fraction("22.5")
    assert lost.deficit_kg == 624
    after = plan((1_000,), deficit_kg=lost.deficit_kg)
    assert after.issued_kg == 376
    assert after.deficit_kg == 0


def test_a_falling_baseline_credits_standing_trees_in_equal_years():
    assert [b.total_kg for b in plan((0, 0), baseline_kg=-5).batches] == [3, 2]


terms = st.tuples(
    st.lists(kg, min_size=1, max_size=30),
    kg,
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.fractions(0, 1, max_denominator=10**4),
    shares,
    st.booleans(),
    st.none() | st.integers(0, 10**10),
)


@given(terms)
def test_mass_is_conserved_and_rounded_against_the_holder(drawn):
    change, baseline, emissions, deficit, u, share, pool, verified = drawn
    rule = issuance.BufferPool(share=share) if pool else issuance.Deduction(share=share)
    got = plan(
        change,
        baseline_kg=baseline,
        emissions_kg=emissions,
        deficit_kg=deficit,
        uncertainty=u,
        rule=rule,
        verified_kg=verified,
    )
    net = sum(change) - got.discount_kg - baseline - emissions - deficit
    assert got.net_kg == net
    assert sum(b.total_kg for b in got.batches) == got.issued_kg
    assert all(b.holder_kg + b.buffer_kg == b.total_kg for b in got.batches)
    assert all(b.holder_kg >= 0 for b in got.batches)
    assert got.issued_kg <= max(net, 0) - got.deducted_kg
    assert verified is None or got.issued_kg <= verified
    assert got.issued_kg == 0 or got.deficit_kg == 0
    assert got.deficit_kg >= -net
    if pool:
        assert all(b.buffer_kg >= b.total_kg * share for b in got.batches)
        assert got.deducted_kg == 0
    else:
        assert got.buffer_kg == 0


@given(st.integers(0, 10**12), st.lists(st.fractions(0, 100), min_size=1, max_size=20))
def test_largest_remainder_adds_up_and_stays_within_one(total, weights):
    parts = issuance.largest_remainder(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    if whole:
        assert all(abs(p - total * w / whole) < 1 for p, w in zip(parts, weights, strict=True))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"change": ()}, "PERIOD_YEARS"),
        ({"years": [2024, 2024]}, "PERIOD_YEARS"),
        ({"years": [2024]}, "PERIOD_YEARS"),
        ({"emissions_kg": -1}, "AMOUNT_NEGATIVE"),
        ({"leakage_kg": -1}, "AMOUNT_NEGATIVE"),
        ({"deficit_kg": -1}, "AMOUNT_NEGATIVE"),
        ({"verified_kg": -1}, "AMOUNT_NEGATIVE"),
        ({"rule": issuance.BufferPool(share=Fraction(1))}, "SHARE_RANGE"),
        ({"rule": issuance.Deduction(share=Fraction(-1, 9))}, "SHARE_RANGE"),
    ],
)
def test_senseless_terms_are_refused(changes, code):
    with pytest.raises(DomainError, match=code):
        plan(**changes)


def test_a_split_of_nothing_among_nobody_is_refused():
    with pytest.raises(DomainError, match="SPLIT_INPUT"):
        issuance.largest_remainder(1, [])
    with pytest.raises(DomainError, match="SPLIT_INPUT"):
        issuance.largest_remainder(-1, [1])


def test_reversal():
    assert issuance.reversal_kg(issued_kg=10, creditable_after_kg=4) == 6
    assert issuance.reversal_kg(issued_kg=10, creditable_after_kg=14) == 0


MU = 2000 / 3


def test_o12_changlong_is_at_the_limit_and_more_is_looked_at():
    yearly = [347_000_000 // 20] * 20
    got = plausibility(yearly, area_m2=13_000 * MU, kind="forest")
    assert round(got.mean_t_mu_yr, 2) == 1.33
    assert got.mean_t_mu_yr * 15 == pytest.approx(20.0, abs=0.05)
    high = plausibility([kg * 2 for kg in yearly], area_m2=13_000 * MU, kind="forest")
    assert high.review is True


def test_o12_zhejiang_moso():
    five_years = 2.95 * 44 / 12 * 1000
    got = plausibility([round(five_years / 5)] * 5, area_m2=10_000, kind="bamboo")
    assert round(got.mean_t_mu_yr, 3) == 0.144
    assert got.review is False
    assert round(0.42 / 0.78, 3) == 0.538
    assert round(0.42 * 44 / 12, 2) == 1.54


def test_four_years_are_too_few_to_judge():
    assert plausibility([10**9] * 4, area_m2=1, kind="bamboo").review is None
    assert plausibility([], area_m2=1, kind="bamboo").review is None
    assert plausibility([10**9] * 5, area_m2=1, kind="bamboo").review is True
    with pytest.raises(DomainError, match="AREA_NOT_POSITIVE"):
        plausibility([1], area_m2=0, kind="forest")


def test_a_programme_without_a_discount_takes_none():
    assert plan((100,), discount=None, uncertainty=Fraction(1)).discount_kg == 0
