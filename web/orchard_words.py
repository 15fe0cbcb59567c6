"""Words of an orchard's book on pages: kinds, products, terms, crops, stages; and plain amounts."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from flask_babel import gettext

from registry.orchards.balances import TermView
from web import messages
from web.i18n import english


@dataclass(frozen=True, slots=True, kw_only=True)
class TermSum:
    """One kind of emission in words: kg CO2e, and its part of the largest."""

    word: str
    kg: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NotCounted:
    """What is not counted, why, and what would mend it."""

    word: str
    why: str
    remedy: str


def kinds() -> dict[str, str]:
    """Return the word of each kind of line."""
    return {
        "fertiliser": gettext("化肥"),
        "organic": gettext("有机肥"),
        "pesticide": gettext("农药"),
        "film": gettext("农膜"),
        "diesel": gettext("柴油"),
        "gasoline": gettext("汽油"),
        "electricity": gettext("用电"),
        "limestone": gettext("石灰石"),
        "dolomite": gettext("白云石"),
        "residue_n": gettext("秸秆还田氮"),
        "practice_grass": gettext("生草栽培"),
        "practice_straw": gettext("秸秆覆盖"),
        "practice_organic": gettext("有机肥替代"),
        "harvest": gettext("采收"),
    }


def products() -> dict[str, str]:
    """Return the word of each fertiliser with a factor of its own, and of the common ones."""
    return {
        "compound": gettext("复合肥"),
        "urea": gettext("尿素"),
        "ammonium_bicarbonate": gettext("碳酸氢铵"),
        "ammonium_nitrate": gettext("硝酸铵"),
        "ammonium_chloride": gettext("氯化铵"),
        "dap": gettext("磷酸二铵"),
        "map": gettext("磷酸一铵"),
        "ssp": gettext("过磷酸钙"),
        "fmp": gettext("钙镁磷肥"),
        "kcl": gettext("氯化钾"),
        "k2so4": gettext("硫酸钾"),
        "commercial_organic": gettext("商品有机肥"),
        "rapeseed_cake": gettext("菜籽饼"),
        "manure": gettext("粪肥"),
        "plastic_film": gettext("地膜"),
    }


def terms() -> dict[str, str]:
    """Return the word of each term of the balance."""
    return {
        "E_fertprod": gettext("化肥生产"),
        "E_orgprod": gettext("有机肥生产"),
        "N2O_dir": gettext("土壤氧化亚氮（直接）"),
        "N2O_ind": gettext("氧化亚氮（间接）"),
        "CO2_urea": gettext("尿素分解"),
        "CO2_lime": gettext("石灰"),
        "E_pest": gettext("农药"),
        "E_film": gettext("农膜"),
        "E_diesel": gettext("柴油"),
        "E_gasoline": gettext("汽油"),
        "E_power": gettext("用电"),
        "S_biomass": gettext("树体固碳"),
    }


def crop(code: str) -> str:
    """Return a crop's name."""
    known: dict[str, str] = {
        "huyou": gettext("胡柚"),
        "citrus": gettext("柑橘"),
        "orange": gettext("甜橙"),
    }
    return known.get(code, code)


def stage(code: str) -> str:
    """Return a tree stage's name."""
    known: dict[str, str] = {
        "young": gettext("幼树"),
        "mature": gettext("盛果期"),
        "old": gettext("老树"),
    }
    return known.get(code, code)


def product(code: str) -> str:
    """Return a product's name; what somebody typed stays as it is."""
    return products().get(code, code)


def said(code: str, params: dict[str, object] | None = None) -> tuple[str, str]:
    """Return a code's words and remedy in the reader's language."""
    words = messages.say(code, params or {})
    return (words.en, words.remedy_en) if english() else (words.zh, words.remedy_zh)


def sums(found: Iterable[TermView]) -> tuple[TermSum, ...]:
    """Return emission by term, the largest first; rounded down, the total stands beside."""
    by_term: dict[str, Fraction] = defaultdict(Fraction)
    for term in found:
        if term.kg_exact is not None:
            by_term[term.term] += Fraction(term.kg_exact)
    largest = max(by_term.values(), default=Fraction(0)) or Fraction(1)
    words = terms()
    rows = sorted(by_term.items(), key=lambda pair: -pair[1])
    return tuple(
        TermSum(
            word=words.get(name, name), kg=floor(kg + Fraction(1, 2)), share=float(kg / largest)
        )
        for name, kg in rows
        if kg
    )


def not_counted(found: Iterable[TermView]) -> tuple[NotCounted, ...]:
    """Return what has no factor, each term and reason once."""
    words = terms()
    seen = {(term.term, term.reason or "FACTOR_MISSING"): None for term in found}
    rows = []
    for name, code in seen:
        why, remedy = said(code)
        rows.append(NotCounted(word=words.get(name, name), why=why, remedy=remedy))
    return tuple(rows)


def decimal(exact: str | None, places: int = 3) -> str:
    """Return an exact fraction's text as a decimal, half away from zero."""
    if exact is None:
        return "—"
    value = Fraction(exact)
    step = 10**places
    whole = floor(abs(value) * step + Fraction(1, 2))
    body = f"{whole // step:,}" + (f".{whole % step:0{places}d}" if places else "")
    return f"-{body}" if value < 0 and whole else body


def percent(exact: str | None) -> str:
    """Return an exact share as a percentage with one decimal."""
    return "—" if exact is None else f"{decimal(str(Fraction(exact) * 100), 1)}%"


def kilograms(kg: int) -> str:
    """Return whole kilograms with thousands marked."""
    return f"{kg:,}"


def label_word(code: str) -> str:
    """Return the word of a label's colour or state, for charts."""
    known: dict[str, str] = {
        "dark_green": gettext("深绿"),
        "medium_green": gettext("中绿"),
        "light_green": gettext("浅绿"),
        "yellow": gettext("黄"),
        "red": gettext("红"),
        "unlabelled": gettext("未贴标"),
        "withheld": gettext("暂缓"),
    }
    return known.get(code, code)
