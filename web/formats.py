"""Whole amounts as people read them: fen as yuan and 大写, kg as tonnes. Integers in, text out."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from sinks import units

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "万亿")
_GROUP = 10_000
_FEN_PER_YUAN = 100
_KG_PER_T = 1000
_MAX_YUAN = _GROUP ** len(_GROUPS)


def yuan(fen: int) -> str:
    """Return ``¥1,234.56``; the minus sign, where there is one, stands first."""
    whole, cents = divmod(abs(fen), _FEN_PER_YUAN)
    return f"{'-' if fen < 0 else ''}¥{whole:,}.{cents:02d}"


def tonnes(kg: int) -> str:
    """Return kg CO2e as tonnes with all three decimals, ``1,234.567``."""
    whole, rest = divmod(abs(kg), _KG_PER_T)
    return f"{'-' if kg < 0 else ''}{whole:,}.{rest:03d}"


def _group_capitals(group: int) -> str:
    """Write 1..9999; inner zeros fold into one 零, trailing zeros are silent."""
    text = ""
    zero = False
    for place in reversed(range(len(_PLACES))):
        digit = group // 10**place % 10
        if digit == 0:
            zero = bool(text)
            continue
        text += ("零" if zero else "") + _DIGITS[digit] + _PLACES[place]
        zero = False
    return text


def _yuan_capitals(whole: int) -> str:
    text = ""
    gap = False
    for index in reversed(range(len(_GROUPS))):
        group = whole // _GROUP**index % _GROUP
        if group == 0:
            gap = bool(text)
            continue
        joint = "零" if text and (gap or group < _GROUP // 10) else ""
        text += joint + _group_capitals(group) + _GROUPS[index]
        gap = False
    return text


def yuan_capitals(fen: int) -> str:
    """Return an amount in the capitals of Chinese bills, ``壹仟贰佰叁拾肆元伍角陆分``.

    Parameters
    ----------
    fen : whole fen; below zero the text begins with 负.

    Raises
    ------
    ValueError : the amount has more than sixteen digits before the decimal point.

    References
    ----------
    支付结算办法, annex 1 (正确填写票据和结算凭证的基本规定): 整 after 元 or 角, 零 for inner zeros.
    """
    whole, cents = divmod(abs(fen), _FEN_PER_YUAN)
    if whole >= _MAX_YUAN:
        raise ValueError(f"{fen} fen is too large to be written in capitals")
    jiao, rest = divmod(cents, 10)
    text = _yuan_capitals(whole) + ("元" if whole else "")
    if jiao:
        text += _DIGITS[jiao] + "角"
    elif rest and whole:
        text += "零"
    if rest:
        text += _DIGITS[rest] + "分"
    else:
        text = (text or "零元") + "整"
    return ("负" if fen < 0 else "") + text


def mu(area_m2: float) -> str:
    """Return an area in 亩 with two decimals, ``1,234.50``."""
    return f"{float(units.mu_from_m2(area_m2)):,.2f}"


def ha(area_m2: float) -> str:
    """Return an area in hectares with four decimals, to the square metre."""
    return f"{float(units.ha_from_m2(area_m2)):,.4f}"


FILTERS: Mapping[str, Callable[[Any], str]] = MappingProxyType(
    {"yuan": yuan, "yuan_capitals": yuan_capitals, "tonnes": tonnes, "mu": mu, "ha": ha}
)
