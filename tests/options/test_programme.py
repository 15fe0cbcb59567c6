"""Programme sections: what is needed, what is refused."""

import tomllib
from fractions import Fraction

import pytest

from options.errors import OptionsError, RemainderPayeeMissingError, TermsError
from options.programme import sale_terms, waterfall_terms
from options.terms import CarbonRightHolder, ReturnTrigger, Timers, UnitKind
from options.waterfall import DeductionKind

TEXT = """
[sale]
unit = "kg"
carbon_right_holder = "buyer"
return_trigger = "after_issuance"
exchange_threshold_fen = 50_000_000
[sale.timers]
undo_minutes = 20
[waterfall]
ratio = "0.80"
remainder_payee = "某某林业发展基金"
taxes = ["增值税"]
costs = ["核证费"]
"""


def sections():
    return tomllib.loads(TEXT)


def test_sections_are_read():
    sale = sale_terms(sections()["sale"])
    assert (sale.unit, sale.carbon_right_holder) == (UnitKind.KG, CarbonRightHolder.BUYER)
    assert sale.return_trigger is ReturnTrigger.ISSUANCE
    assert (sale.notice_days, sale.exchange_threshold_fen) == (15, 50_000_000)
    assert sale.timers == Timers(undo_minutes=20)
    terms = waterfall_terms(sections()["waterfall"])
    assert terms.ratio == Fraction(4, 5)
    assert dict(terms.published) == {"增值税": DeductionKind.TAX, "核证费": DeductionKind.COST}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("unit", "acre"),
        ("unit", None),
        ("notice_days", 14),
        ("notice_days", True),
        ("exchange_threshold_fen", -1),
        ("timers", {"undo_hours": 1}),
        ("timers", {"undo_minutes": 0}),
        ("timers", 3),
        ("guaranteed_yield", "5%"),
    ],
)
def test_wrong_sale_settings_are_refused(key, value):
    with pytest.raises(TermsError):
        sale_terms(sections()["sale"] | {key: value})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ratio", 0.8),
        ("ratio", "1.2"),
        ("ratio", "x"),
        ("ratio", "1/0"),
        ("taxes", "增值税"),
        ("costs", ["增值税"]),
        ("costs", [" "]),
        ("remainder_payee", 5),
        ("company_fee", "0.1"),
    ],
)
def test_wrong_waterfall_settings_are_refused(key, value):
    with pytest.raises(OptionsError):
        waterfall_terms(sections()["waterfall"] | {key: value})


def test_a_ratio_under_one_needs_a_payee():
    with pytest.raises(RemainderPayeeMissingError):
        waterfall_terms({"ratio": "0.80"})
    assert waterfall_terms({"ratio": "1.00"}).remainder_payee is None
