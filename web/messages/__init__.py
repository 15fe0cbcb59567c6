"""The words of every code, Chinese and English, with a remedy.

Lower packages raise or return a code and parameters; here they become sentences.  A file an area,
``[CODE] zh = ... en = ... remedy_zh = ... remedy_en = ...`` with ``str.format`` fields.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

THINGS: Mapping[str, str] = {
    "actor": "人员",
    "account": "账户",
    "assessment_run": "测算",
    "batch": "批次",
    "certificate": "证书",
    "claim": "碳汇主张",
    "division": "行政区划",
    "job": "任务",
    "label": "标签",
    "layer": "图层",
    "lot": "资产包",
    "orchard": "果园账户",
    "parcel": "地块",
    "party": "主体",
    "period": "监测期",
    "programme": "方法学",
    "project": "项目",
    "settlement": "结算",
    "subscription": "认购",
    "voucher": "兑换券",
}
"""Names of things, as the parameter ``what`` of a code gives them, in Chinese."""

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One code in words."""

    zh: str
    en: str
    remedy_zh: str
    remedy_en: str


@cache
def entries() -> dict[str, dict[str, str]]:
    """Return every entry by code; a code stands in one file only.

    Raises
    ------
    ValueError : two files have an entry for one code.
    """
    found: dict[str, dict[str, str]] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        for code, words in tomllib.loads(path.read_text(encoding="utf-8")).items():
            if code in found:
                raise ValueError(f"{path.name}: {code} has an entry in another file")
            found[code] = words
    return found


def say(code: str, params: Mapping[str, object]) -> Said:
    """Return the words of ``code``; an unknown code says so and shows its parameters."""
    words = entries().get(code)
    if words is None:
        shown = ", ".join(f"{name}={value}" for name, value in params.items())
        return Said(zh=f"{code}（{shown}）", en=f"{code} ({shown})", remedy_zh="", remedy_en="")
    chinese = _listed(params, "、", "无")
    chinese["what"] = THINGS.get(str(params.get("what")), params.get("what"))
    english = _listed(params, ", ", "none")
    return Said(
        zh=_fill(words["zh"], chinese),
        en=_fill(words["en"], english),
        remedy_zh=_fill(words["remedy_zh"], chinese),
        remedy_en=_fill(words["remedy_en"], english),
    )


def _listed(params: Mapping[str, object], mark: str, none: str) -> dict[str, object]:
    """Return the parameters as people write them: lists in a row, positions counted from one."""
    shown = {
        name: (mark.join(map(str, value)) or none) if isinstance(value, list | tuple) else value
        for name, value in params.items()
    }
    if isinstance(at := shown.get("index"), int):
        shown["index"] = at + 1
    return shown


def _fill(words: str, params: Mapping[str, object]) -> str:
    return words.format_map(_Shown(params))


class _Shown(dict[str, object]):
    """Parameters for ``format_map``: a missing one is shown as a dash, never an error."""

    def __missing__(self, name: str) -> str:
        return _Dash("—")


class _Dash(str):
    """Text that takes any format: ``{area_m2:.2f}`` of a parameter that is not there."""

    __slots__ = ()

    def __format__(self, _spec: str) -> str:
        return str(self)
