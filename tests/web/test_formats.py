"""Amounts as text: digits can be read back, capitals are those of Chinese bills."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.formats import tonnes, yuan, yuan_capitals


@given(st.integers(-(10**17), 10**17))
def test_digits_can_be_read_back(amount):
    assert int(yuan(amount).replace("¥", "").replace(",", "").replace(".", "")) == amount
    assert int(tonnes(amount).replace(",", "").replace(".", "")) == amount


@pytest.mark.parametrize(
    ("fen", "text"),
    [
        (0, "零元整"),
        (5, "伍分"),
        (50, "伍角整"),
        (100, "壹元整"),
        (105, "壹元零伍分"),
        (1000, "壹拾元整"),
        (140950, "壹仟肆佰零玖元伍角整"),
        (600714, "陆仟零柒元壹角肆分"),
        (10715_32, "壹万零柒佰壹拾伍元叁角贰分"),
        (10_7000_53, "壹拾万柒仟元伍角叁分"),
        (1000000_00, "壹佰万元整"),
        (1_0000_0001_00, "壹亿零壹元整"),
        (20_0005_0000_00, "贰拾亿零伍万元整"),
        (1_0000_0000_0000_00, "壹万亿元整"),
        (-123, "负壹元贰角叁分"),
    ],
)
def test_capitals_follow_the_rules_for_bills(fen, text):
    assert yuan_capitals(fen) == text


@given(st.integers(0, 10**17))
def test_capitals_tell_amounts_apart(fen):
    assert yuan_capitals(fen) != yuan_capitals(fen + 1)


def test_capitals_refuse_what_no_bill_holds():
    with pytest.raises(ValueError, match="too large"):
        yuan_capitals(10**18)
