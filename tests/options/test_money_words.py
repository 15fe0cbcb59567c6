"""Capital amounts against the examples of the bill rules, and back again."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from options.errors import AmountError
from options.money_words import DIGITS, capital_date, capital_rmb, digits_rmb

EXAMPLES = {
    1640902: "人民币壹万陆仟肆佰零玖元零贰分",
    32504: "人民币叁佰贰拾伍元零肆分",
    140950: "人民币壹仟肆佰零玖元伍角",
    600714: "人民币陆仟零柒元壹角肆分",
    10700053: "人民币壹拾万柒仟元零伍角叁分",
    0: "人民币零元整",
    5: "人民币伍分",
    50: "人民币伍角",
    105: "人民币壹元零伍分",
    14682000: "人民币壹拾肆万陆仟捌佰贰拾元整",
    10**10: "人民币壹亿元整",
    10**10 + 500: "人民币壹亿零伍元整",
    10**14: "人民币壹万亿元整",
    10**14 + 10**10: "人民币壹万零壹亿元整",
    10**14 + 100: "人民币壹万亿零壹元整",
    1000100: "人民币壹万零壹元整",
    100001000: "人民币壹佰万零壹拾元整",
}


@pytest.mark.parametrize(("fen", "words"), EXAMPLES.items())
def test_examples(fen, words):
    assert capital_rmb(fen) == words


def parse(words: str) -> int:
    """Read capitals back, by another way than they were written."""
    body = words.removeprefix("人民币").removesuffix("整")
    yuan_words, has_yuan, rest = body.rpartition("元")
    fen = 0
    total = group = digit = 0
    for char in yuan_words if has_yuan else "":
        if char in DIGITS:
            digit = DIGITS.index(char)
        elif char in "拾佰仟":
            group += digit * {"拾": 10, "佰": 100, "仟": 1000}[char]
            digit = 0
        elif char == "万":
            total, group, digit = total + (group + digit) * 10**4, 0, 0
        elif char == "亿":
            total, group, digit = (total + group + digit) * 10**8, 0, 0
    fen += (total + group + digit) * 100
    digit = 0
    for char in rest if has_yuan else body:
        if char in DIGITS:
            digit = DIGITS.index(char)
        else:
            fen += digit * {"角": 10, "分": 1}[char]
    return fen


@given(st.integers(0, 10**18 - 1))
def test_words_read_back(fen):
    assert parse(capital_rmb(fen)) == fen


@given(st.integers(0, 10**18 - 1))
def test_zeros_are_never_doubled_and_the_ending_tells(fen):
    words = capital_rmb(fen)
    assert "零零" not in words
    assert words.endswith("整") == (fen % 100 == 0)
    assert words.endswith("分") == (fen % 10 != 0)


@pytest.mark.parametrize("fen", [-1, 10**18, 1.0, True])
def test_wrong_amounts_are_refused(fen):
    with pytest.raises(AmountError):
        capital_rmb(fen)


def test_digits():
    assert digits_rmb(14682000) == "¥146,820.00"
    assert digits_rmb(7) == "¥0.07"


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 1, 15), "贰零贰陆年零壹月壹拾伍日"),
        (date(2025, 10, 20), "贰零贰伍年零壹拾月零贰拾日"),
        (date(2026, 11, 9), "贰零贰陆年壹拾壹月零玖日"),
        (date(2026, 2, 10), "贰零贰陆年零贰月零壹拾日"),
        (date(2026, 12, 31), "贰零贰陆年壹拾贰月叁拾壹日"),
    ],
)
def test_dates(day, words):
    assert capital_date(day) == words
