"""Capital amounts of bills and contracts: 人民币壹佰元整.

Rules of the notes on filling in bills (正确填写票据和结算凭证的基本规定): the prefix stands
without a gap; an amount that ends at 元 takes 整, at 角 may take it (here: does not), at 分 takes
none; several zeros inside become one 零; no 角 but a 分 takes 零 after 元.
"""

from datetime import date
from typing import Final

from options.rounding import require_amounts
from sinks.units import FEN_PER_YUAN

DIGITS: Final = "零壹贰叁肆伍陆柒捌玖"
_PLACES: Final = ("", "拾", "佰", "仟")
_GROUPS: Final = ("", "万", "亿", "万")  # the fourth counts 亿 in 万
_GROUP: Final = 10**4
_MAX_FEN: Final = 10**18  # sixteen digits of yuan: four groups

_TEN: Final = 10


def _group_words(value: int) -> str:
    """Write 1 to 9999 in capitals, inner zeros as one 零, no leading or trailing 零."""
    words = ""
    zero = False
    for place in (3, 2, 1, 0):
        digit = value // 10**place % _TEN
        if digit == 0:
            zero = bool(words)
            continue
        words += ("零" if zero else "") + DIGITS[digit] + _PLACES[place]
        zero = False
    return words


def _integer_words(yuan: int) -> str:
    groups = [yuan // _GROUP**i % _GROUP for i in range(len(_GROUPS))]
    words = ""
    zero = False
    for i in range(len(_GROUPS) - 1, -1, -1):
        value = groups[i]
        if value == 0:
            zero = bool(words)
            # 亿 names the whole upper eight digits: it stands even if its own four are zero
            if i == 2 and groups[3]:  # noqa: PLR2004
                words += "亿"
            continue
        lead = words and (zero or value < _GROUP // _TEN)
        words += ("零" if lead else "") + _group_words(value) + _GROUPS[i]
        zero = False
    return words


def capital_rmb(amount_fen: int) -> str:
    """Amount in capital characters, with the prefix 人民币.

    Where the rules leave a 零 free (万 digit 0 before a 仟, 元 digit 0 before a 角) it is left
    out in the first case and written in the second, as the rules' own example does.

    Parameters
    ----------
    amount_fen : int
        fen, from 0 up to below 10**18.

    Returns
    -------
    str

    Raises
    ------
    AmountError
        Below zero, not whole, or too large.
    """
    require_amounts(amount_fen=amount_fen, room_fen=_MAX_FEN - 1 - amount_fen)
    yuan, fen_part = divmod(amount_fen, FEN_PER_YUAN)
    jiao, fen = divmod(fen_part, _TEN)
    words = f"{_integer_words(yuan)}元" if yuan else ""
    if fen_part == 0:
        return f"人民币{words or '零元'}整"
    if words and (jiao == 0 or yuan % _TEN == 0):
        words += "零"
    if jiao:
        words += f"{DIGITS[jiao]}角"
    if fen:
        words += f"{DIGITS[fen]}分"
    return f"人民币{words}"


def digits_rmb(amount_fen: int) -> str:
    """Amount in digits as bills write it: ¥1,409.50."""
    require_amounts(amount_fen=amount_fen)
    yuan, fen = divmod(amount_fen, FEN_PER_YUAN)
    return f"¥{yuan:,}.{fen:02d}"


def _date_part(value: int, *, pad: bool) -> str:
    tens, ones = divmod(value, _TEN)
    words = (DIGITS[tens] + "拾" if tens else "") + (DIGITS[ones] if ones else "")
    return f"零{words}" if pad else words


def capital_date(day: date) -> str:
    """Date in capitals as bills write it: 15 January is 零壹月壹拾伍日.

    Months 1, 2 and 10 and days 1 to 9, 10, 20 and 30 take a 零 before, against alteration; the
    year's digits are written one by one.
    """
    year = "".join(DIGITS[int(digit)] for digit in f"{day.year:04d}")
    month = _date_part(day.month, pad=day.month in {1, 2, _TEN})
    padded = day.day < _TEN or day.day % _TEN == 0
    return f"{year}年{month}月{_date_part(day.day, pad=padded)}日"
