"""The ``[sale]`` and ``[waterfall]`` sections of a programme file, checked and frozen.

Every key is known, every value of the right kind; a wrong section is refused as a whole, so that
no sale ever runs on a setting that somebody misspelt. Ratios are strings ("0.80"): exact.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Final

from options.calendar import NOTICE_DAYS_MIN
from options.errors import TermsError
from options.terms import CarbonRightHolder, ReturnTrigger, Timers, UnitKind
from options.waterfall import WaterfallTerms, published_types

_TIMER_KEYS: Final = frozenset(f.name for f in fields(Timers))
_SALE_KEYS: Final = frozenset(
    {
        "unit",
        "carbon_right_holder",
        "return_trigger",
        "notice_days",
        "exchange_threshold_fen",
        "timers",
    }
)
_WATERFALL_KEYS: Final = frozenset({"ratio", "remainder_payee", "taxes", "insurance", "costs"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleTerms:
    """What a programme fixes for every lot sold under it."""

    unit: UnitKind
    carbon_right_holder: CarbonRightHolder
    return_trigger: ReturnTrigger
    notice_days: int
    exchange_threshold_fen: int
    timers: Timers


def sale_terms(section: Mapping[str, object]) -> SaleTerms:
    """Freeze a ``[sale]`` section.

    Parameters
    ----------
    section : Mapping[str, object]
        ``unit``, ``carbon_right_holder``, ``return_trigger`` and ``exchange_threshold_fen`` are
        needed; ``notice_days`` (15) and ``timers`` (decision 9) may be left out.

    Raises
    ------
    TermsError
        An unknown key, a missing key or a wrong value; names it.
    """
    _require_keys("sale", section, _SALE_KEYS)
    timers = section.get("timers", {})
    if not isinstance(timers, Mapping):
        raise TermsError(field="sale.timers", reason="not a table")
    _require_keys("sale.timers", timers, _TIMER_KEYS)
    notice_days = _whole("sale.notice_days", section.get("notice_days", NOTICE_DAYS_MIN))
    if notice_days < NOTICE_DAYS_MIN:
        raise TermsError(field="sale.notice_days", reason=str(notice_days))
    return SaleTerms(
        unit=UnitKind(_choice("unit", section, [k.value for k in UnitKind])),
        carbon_right_holder=CarbonRightHolder(
            _choice("carbon_right_holder", section, [k.value for k in CarbonRightHolder])
        ),
        return_trigger=ReturnTrigger(
            _choice("return_trigger", section, [k.value for k in ReturnTrigger])
        ),
        notice_days=notice_days,
        exchange_threshold_fen=_whole(
            "sale.exchange_threshold_fen", section.get("exchange_threshold_fen")
        ),
        timers=Timers(**{k: _whole(f"sale.timers.{k}", v) for k, v in timers.items()}),
    )


def waterfall_terms(section: Mapping[str, object]) -> WaterfallTerms:
    """Freeze a ``[waterfall]`` section.

    Parameters
    ----------
    section : Mapping[str, object]
        ``ratio`` is a string such as "1.00"; ``taxes``, ``insurance`` and ``costs`` list the
        published deduction types; ``remainder_payee`` is needed when the ratio is under 1.

    Raises
    ------
    TermsError, RatioError, RemainderPayeeMissingError
        Names the key.
    """
    _require_keys("waterfall", section, _WATERFALL_KEYS)
    payee = section.get("remainder_payee")
    if payee is not None and not isinstance(payee, str):
        raise TermsError(field="waterfall.remainder_payee", reason="not a text")
    return WaterfallTerms(
        published=published_types(
            taxes=_texts("taxes", section),
            insurance=_texts("insurance", section),
            costs=_texts("costs", section),
        ),
        ratio=_ratio(section.get("ratio")),
        remainder_payee=payee,
    )


def _require_keys(name: str, section: Mapping[str, object], known: frozenset[str]) -> None:
    for key in sorted(set(section) - known):
        raise TermsError(field=f"{name}.{key}", reason="unknown")


def _choice(key: str, section: Mapping[str, object], choices: Sequence[str]) -> str:
    value = section.get(key)
    if not isinstance(value, str) or value not in choices:
        raise TermsError(field=f"sale.{key}", reason=f"{value!r}, not one of {', '.join(choices)}")
    return value


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TermsError(field=name, reason=f"{value!r}, not a whole number")
    return value


def _texts(key: str, section: Mapping[str, object]) -> list[str]:
    value = section.get(key, [])
    if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
        raise TermsError(field=f"waterfall.{key}", reason="not a list of texts")
    return value


def _ratio(value: object) -> Fraction:
    if not isinstance(value, str):
        raise TermsError(field="waterfall.ratio", reason=f"{value!r}, not a text such as '1.00'")
    try:
        return Fraction(value)
    except (ValueError, ZeroDivisionError) as error:
        raise TermsError(field="waterfall.ratio", reason=value) from error
