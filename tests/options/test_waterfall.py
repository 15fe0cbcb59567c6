"""The waterfall: exact to the fen over any run and any chain of runs; the company keeps nothing."""

import dataclasses
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from options import waterfall as w
from options.errors import (
    AmountError,
    DeductionTypeError,
    EscrowShortError,
    RatioError,
    RemainderPayeeMissingError,
    ResidueNegativeError,
    SupplierSharesError,
    TermsError,
    VoucherMissingError,
    VoucherRepeatedError,
)

PUBLISHED = w.published_types(taxes=["增值税"], insurance=["碳汇保险"], costs=["核证费", "测绘费"])
FULL = w.WaterfallTerms(published=PUBLISHED, ratio=Fraction(1))
ANJI = w.WaterfallTerms(published=PUBLISHED, ratio=Fraction(80, 100), remainder_payee="收储公司")
VILLAGE = w.SupplierShare(division_code="330802001201", units=2_000_000)


def run(gross, **changes):
    values = {"escrow_in_fen": gross, "gross_fen": gross, "suppliers": (VILLAGE,)} | changes
    return w.SettlementInput(**values)


def test_anji_2000_t_at_80_percent():
    plan = w.plan_settlement(ANJI, run(14_682_000))
    assert (plan.returned_fen, plan.remainder_fen) == (11_745_600, 2_936_400)
    assert plan.remainder_payee == "收储公司"
    assert plan.company_fen == 0


def test_full_return_has_no_remainder():
    plan = w.plan_settlement(FULL, run(14_682_000))
    assert (plan.returned_fen, plan.remainder_fen, plan.remainder_payee) == (14_682_000, 0, None)
    assert plan.villages[0].collective_fen == 14_682_000


def test_deductions_reserves_and_what_was_not_spent():
    first = w.plan_settlement(
        FULL,
        run(
            100_000,
            escrow_in_fen=130_000,
            refunds_fen=10_000,
            deductions=(w.Deduction(type="增值税", voucher="T1", amount_fen=3_000),),
            reserves=(w.Reserve(type="核证费", set_aside_fen=20_000),),
        ),
    )
    assert first.residue_fen == first.returned_fen == 77_000
    assert (first.reserves_held_fen, first.escrow_balance_fen) == (20_000, 20_000)
    second = w.plan_settlement(
        FULL,
        run(
            20_000,
            deductions=(w.Deduction(type="核证费", voucher="C1", amount_fen=12_000),),
            reserves=(w.Reserve(type="核证费", brought_forward_fen=20_000),),
        ),
    )
    assert second.reserves == (
        w.ReserveMovement(
            type="核证费",
            brought_forward_fen=20_000,
            spent_fen=12_000,
            released_fen=8_000,
            set_aside_fen=0,
        ),
    )
    assert second.returned_fen == 28_000
    total_in = 130_000
    assert total_in == 10_000 + 3_000 + 12_000 + first.returned_fen + second.returned_fen


def test_an_advance_is_recouped_before_the_ratio():
    plan = w.plan_settlement(ANJI, run(10_000, advance_outstanding_fen=4_000))
    assert (plan.advance_recouped_fen, plan.returned_fen, plan.remainder_fen) == (
        4_000,
        4_800,
        1_200,
    )
    plan = w.plan_settlement(ANJI, run(10_000, advance_outstanding_fen=14_000))
    assert (plan.advance_recouped_fen, plan.advance_outstanding_fen) == (10_000, 4_000)
    assert plan.returned_fen == plan.remainder_fen == 0


def test_households_pass_through_by_kg():
    suppliers = (
        w.SupplierShare(
            division_code="B",
            units=60,
            households=(
                w.HouseholdShare(household_code="h2", units=15),
                w.HouseholdShare(household_code="h1", units=15),
            ),
        ),
        w.SupplierShare(division_code="A", units=40),
    )
    villages = w.plan_settlement(FULL, run(1_001, suppliers=suppliers)).villages
    assert [(v.division_code, v.amount_fen, v.collective_fen) for v in villages] == [
        ("A", 400, 400),
        ("B", 601, 301),
    ]
    assert [(p.household_code, p.amount_fen) for p in villages[1].pass_through] == [
        ("h1", 150),
        ("h2", 150),
    ]


def test_every_reason_is_listed_at_once_and_the_first_is_raised():
    bad = run(
        100,
        escrow_in_fen=90,
        suppliers=(VILLAGE, VILLAGE),
        deductions=(
            w.Deduction(type="招待费", voucher="X1", amount_fen=1),
            w.Deduction(type="核证费", voucher=" ", amount_fen=1),
            w.Deduction(type="核证费", voucher="C1", amount_fen=50),
            w.Deduction(type="核证费", voucher="C1 ", amount_fen=50),
        ),
        reserves=(w.Reserve(type="公关费", set_aside_fen=1),),
    )
    findings = w.check_settlement(FULL, bad)
    assert [type(f) for f in findings] == [
        DeductionTypeError,
        VoucherMissingError,
        VoucherRepeatedError,
        DeductionTypeError,
        SupplierSharesError,
        EscrowShortError,
        ResidueNegativeError,
    ]
    assert findings[-1].params == {"available_fen": 100, "deducted_fen": 103}
    with pytest.raises(DeductionTypeError):
        w.plan_settlement(FULL, bad)


def test_a_negative_residue_stops_even_by_one_fen():
    line = w.Deduction(type="测绘费", voucher="S1", amount_fen=100)
    assert w.plan_settlement(FULL, run(100, deductions=(line,))).returned_fen == 0
    with pytest.raises(ResidueNegativeError):
        w.plan_settlement(FULL, run(99, deductions=(line,)))


def test_terms_and_rows_that_make_no_sense_cannot_be_made():
    with pytest.raises(RemainderPayeeMissingError):
        w.WaterfallTerms(published=PUBLISHED, ratio=Fraction(99, 100), remainder_payee=" ")
    for ratio in (Fraction(-1, 100), Fraction(101, 100)):
        with pytest.raises(RatioError):
            w.WaterfallTerms(published=PUBLISHED, ratio=ratio)
    with pytest.raises(TermsError):
        w.published_types(taxes=["a"], costs=["a"])
    with pytest.raises(AmountError):
        w.Deduction(type="增值税", voucher="T", amount_fen=-1)
    household = w.HouseholdShare(household_code="h", units=6)
    with pytest.raises(SupplierSharesError):
        w.SupplierShare(division_code="A", units=20, households=(household, household))
    with pytest.raises(SupplierSharesError):
        w.SupplierShare(division_code="A", units=5, households=(household,))
    with pytest.raises(SupplierSharesError):
        w.plan_settlement(FULL, run(1, suppliers=()))
    plan = w.plan_settlement(FULL, run(10))
    with pytest.raises(ValueError):
        dataclasses.replace(plan, returned_fen=9)
    with pytest.raises(ValueError):
        dataclasses.replace(plan, returned_fen=9, remainder_fen=1)


MONEY = st.integers(0, 10**8)
TYPES = st.sampled_from(sorted(PUBLISHED))
CODES = st.text("0123456789", min_size=3, max_size=3)


@st.composite
def suppliers(draw):
    shares = []
    for code in draw(st.sets(CODES, min_size=1, max_size=6)):
        households = draw(st.dictionaries(CODES, st.integers(0, 10**6), max_size=4))
        own = draw(st.integers(1, 10**7))
        shares.append(
            w.SupplierShare(
                division_code=code,
                units=own + sum(households.values()),
                households=tuple(
                    w.HouseholdShare(household_code=c, units=u) for c, u in households.items()
                ),
            )
        )
    return tuple(shares)


@st.composite
def terms(draw):
    ratio = draw(st.fractions(0, 1, max_denominator=1000))
    return w.WaterfallTerms(published=PUBLISHED, ratio=ratio, remainder_payee="县林业发展基金")


@st.composite
def runs(draw, balance=0, reserves_bf=(), advance=0):
    escrow = balance + draw(MONEY)
    refunds = draw(st.integers(0, escrow))
    gross = draw(st.integers(0, escrow - refunds))
    pot = gross + sum(amount for _, amount in reserves_bf)
    deductions = []
    for i in range(draw(st.integers(0, 4))):
        amount = draw(st.integers(0, pot))
        pot -= amount
        deductions.append(w.Deduction(type=draw(TYPES), voucher=f"V{i}", amount_fen=amount))
    reserves = [w.Reserve(type=t, brought_forward_fen=a) for t, a in reserves_bf]
    reserves.append(w.Reserve(type=draw(TYPES), set_aside_fen=draw(st.integers(0, pot))))
    return w.SettlementInput(
        escrow_in_fen=escrow,
        gross_fen=gross,
        refunds_fen=refunds,
        suppliers=draw(suppliers()),
        deductions=tuple(deductions),
        reserves=tuple(reserves),
        advance_outstanding_fen=advance,
    )


@given(terms(), runs(advance=12_345), st.randoms())
def test_exact_and_blind_to_the_order_of_rows(terms_, run_, random):
    plan = w.plan_settlement(terms_, run_)
    assert plan.company_fen == 0
    assert plan.returned_fen <= (plan.residue_fen - plan.advance_recouped_fen) * terms_.ratio
    for village in plan.villages:
        passed = sum(p.amount_fen for p in village.pass_through)
        assert village.collective_fen + passed == village.amount_fen
    assert sum(v.amount_fen for v in plan.villages) == plan.returned_fen

    def shuffled(rows):
        rows = list(rows)
        random.shuffle(rows)
        return tuple(rows)

    again = dataclasses.replace(
        run_,
        deductions=shuffled(run_.deductions),
        reserves=shuffled(run_.reserves),
        suppliers=shuffled(
            dataclasses.replace(s, households=shuffled(s.households)) for s in run_.suppliers
        ),
    )
    assert w.plan_settlement(terms_, again) == plan


@given(terms(), st.integers(0, 10**7), st.data())
def test_a_chain_of_runs_accounts_for_every_fen(terms_, advance, data):
    money_in = used = 0
    balance, held, left = 0, (), advance
    for _ in range(3):
        run_ = data.draw(runs(balance=balance, reserves_bf=held, advance=left))
        money_in += run_.escrow_in_fen - balance
        plan = w.plan_settlement(terms_, run_)
        used += plan.refunds_fen + plan.taxes_fen + plan.insurance_fen + plan.costs_fen
        used += plan.returned_fen + plan.remainder_fen + plan.advance_recouped_fen
        balance, left = plan.escrow_balance_fen, plan.advance_outstanding_fen
        held = tuple((m.type, m.set_aside_fen) for m in plan.reserves)
        assert money_in == used + plan.reserves_held_fen + balance
        assert plan.reserves_released_fen <= plan.reserves_brought_forward_fen
