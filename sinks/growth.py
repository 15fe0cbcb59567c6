"""Stand growth: age to volume, biomass or carbon a hectare. Arrays in, arrays out.

Every curve is held inside the ages it was calibrated on and says where it was not:
above the last age it stays level (no growth is credited there), below the first age it follows
its form when the form starts at zero, else a straight line from nothing at age 0.
"""

from collections.abc import Callable, Mapping
from enum import IntFlag
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from sinks import units
from sinks.arrays import FlagArray, FloatArray, as_float, require_not_negative
from sinks.errors import ConversionError, TableError
from sinks.tables.rows import GrowthRow, SpeciesRow

Parameters = Mapping[str, float]


class AgeFlag(IntFlag):
    """Where an age lies against the calibrated range of its curve."""

    INSIDE = 0
    BELOW = 1
    ABOVE = 2


def chapman_richards(p: Parameters, age_yr: FloatArray) -> FloatArray:
    """A (1 - exp(-k t))^p, Richards (1959), doi:10.1093/jxb/10.2.290; the unit of A."""
    return np.asarray(p["A"] * (-np.expm1(-p["k"] * age_yr)) ** p["p"])


def logistic(p: Parameters, age_yr: FloatArray) -> FloatArray:
    """A / (1 + b exp(-k t)); above zero at age 0."""
    return np.asarray(p["A"] / (1 + p["b"] * np.exp(-p["k"] * age_yr)))


def korf(p: Parameters, age_yr: FloatArray) -> FloatArray:
    """A exp(-b t^-c), 0 at age 0; Korf (1939)."""
    safe = np.where(age_yr > 0, age_yr, 1.0)
    return np.asarray(np.where(age_yr > 0, p["A"] * np.exp(-p["b"] * safe ** -p["c"]), 0.0))


def hebei(p: Parameters, age_yr: FloatArray) -> FloatArray:
    """A (1 - B exp(-K t))^(1/(1-m)), and 0 before t = ln(B)/K where the base is negative."""
    base = np.maximum(1 - p["B"] * np.exp(-p["K"] * age_yr), 0.0)
    return np.asarray(p["A"] * base ** (1 / (1 - p["m"])))


def linear(p: Parameters, age_yr: FloatArray) -> FloatArray:
    """c0 + c1 t."""
    return np.asarray(p["c0"] + p["c1"] * age_yr)


def linear_cap(p: Parameters, age_yr: FloatArray) -> FloatArray:
    """The lesser of c1 t and the cap: a yearly gain until maturity, then none."""
    return np.asarray(np.minimum(p["c1"] * age_yr, p["cap"]))


def power(p: Parameters, age_yr: FloatArray) -> FloatArray:
    """Power law c t^e."""
    return np.asarray(p["c"] * age_yr ** p["e"])


def orange(p: Parameters, age_yr: FloatArray) -> FloatArray:
    """California oranges: (t0 + t1 ln age) trees an acre x w0 age^w1 lb a tree, in t/ha.

    The tree count is kept at that of year one in the first year, where its logarithm diverges.
    """
    trees = p["t0"] + p["t1"] * np.log(np.maximum(age_yr, 1.0))
    return np.asarray(trees * p["w0"] * age_yr ** p["w1"] * units.t_ha_from_lb_acre(1.0))


Form = Callable[[Parameters, FloatArray], FloatArray]
FORMS: Final[Mapping[str, tuple[Form, frozenset[str]]]] = MappingProxyType(
    {
        "chapman_richards": (chapman_richards, frozenset("Akp")),
        "logistic": (logistic, frozenset("Abk")),
        "korf": (korf, frozenset("Abc")),
        "hebei": (hebei, frozenset("ABKm")),
        "linear": (linear, frozenset({"c0", "c1"})),
        "linear_cap": (linear_cap, frozenset({"c1", "cap"})),
        "power": (power, frozenset("ce")),
        "orange": (orange, frozenset({"t0", "t1", "w0", "w1"})),
    }
)


def _pairs(row: GrowthRow, text: str, split: str, equals: str) -> list[tuple[str, float]]:
    try:
        return [
            (left, float(right))
            for left, right in (item.split(equals) for item in text.split(split) if item)
        ]
    except ValueError:
        raise TableError("CURVE_PARAMETERS", key=row.key, text=text) from None


def parameters(row: GrowthRow) -> Parameters:
    """Parameters of a curve row.

    Raises
    ------
    TableError : CURVE_FORM_UNKNOWN; CURVE_PARAMETERS when they are not those of the form.
    """
    if row.form not in FORMS:
        raise TableError("CURVE_FORM_UNKNOWN", key=row.key, form=row.form)
    found = dict(_pairs(row, row.params, ";", "="))
    if set(found) != FORMS[row.form][1] or not all(np.isfinite(v) for v in found.values()):
        raise TableError("CURVE_PARAMETERS", key=row.key, text=row.params)
    return found


def _tabulated(row: GrowthRow, age_yr: FloatArray) -> FloatArray:
    """Straight lines between the class means; at least two classes, ages rising."""
    points = _pairs(row, row.points, "|", ":")
    ages, values = np.array([float(a) for a, _ in points]), np.array([v for _, v in points])
    if len(points) <= 1 or np.any(np.diff(ages) <= 0):
        raise TableError("CURVE_PARAMETERS", key=row.key, text=row.points)
    return np.asarray(np.interp(age_yr, ages, values))


def _form(row: GrowthRow, age_yr: FloatArray) -> FloatArray:
    if row.form == "tabulated":
        return _tabulated(row, age_yr)
    known = parameters(row)
    return FORMS[row.form][0](known, age_yr)


def evaluate(row: GrowthRow, age_yr: ArrayLike) -> tuple[FloatArray, FlagArray]:
    """Value of a growth curve at each age, and where the age left the calibrated range.

    Parameters
    ----------
    row : the curve; its ``unit`` is the unit of the answer.
    age_yr : (n,) years since establishment, finite and not negative.

    Returns
    -------
    values : (n,) in ``row.unit``, never negative, level above ``row.age_max_yr``.
    flags : (n,) `AgeFlag`.

    Raises
    ------
    DomainError : an age is negative or not finite; the parameters name the first such index.
    TableError : the row's form or parameters make no sense.
    """
    ages = as_float(age_yr)
    require_not_negative("age_yr", ages)
    below, above = ages < row.age_min_yr, ages > row.age_max_yr
    flags = np.zeros(ages.shape, np.uint8)
    flags[below], flags[above] = AgeFlag.BELOW, AgeFlag.ABOVE
    held = np.minimum(ages, row.age_max_yr)
    if row.below_range == "form":
        return np.maximum(_form(row, held), 0.0), flags
    values = np.maximum(_form(row, np.maximum(held, row.age_min_yr)), 0.0)
    return np.where(
        below, values * (ages / row.age_min_yr if row.age_min_yr else 1.0), values
    ), flags


def carbon_t_ha(
    row: GrowthRow,
    age_yr: ArrayLike,
    *,
    species: SpeciesRow | None = None,
    with_roots: bool = False,
) -> tuple[FloatArray, FlagArray]:
    """Carbon a hectare from any curve, each conversion made once.

    Parameters
    ----------
    row : the curve. ``carbon`` is taken as it stands; ``biomass`` needs the row's own carbon
        fraction; ``volume`` needs a species row (V x D x BEF x (1 + R) x CF).
    age_yr : (n,) years, as in `evaluate`.
    species : parameters for a volume curve; refused for any other.
    with_roots : add roots to an AGB curve by the row's own ratio; refused when already inside.

    Returns
    -------
    (n,) t C/ha and (n,) `AgeFlag`.

    Raises
    ------
    ConversionError : CONVERSION_TWICE or CONVERSION_MISSING.
    """
    values, flags = evaluate(row, age_yr)
    if row.quantity == "volume":
        if species is None:
            raise ConversionError("CONVERSION_MISSING", key=row.key, needed="species")
        roots = 1 + species.root_ratio if with_roots else 1.0
        factor = species.density_t_m3 * species.bef * roots * species.carbon_fraction
        return values * factor, flags
    if species is not None:
        raise ConversionError("CONVERSION_TWICE", key=row.key, quantity=row.quantity)
    return values * carbon_factor(row, with_roots=with_roots), flags


def carbon_factor(row: GrowthRow, *, with_roots: bool = False) -> float:
    """T C per unit of a biomass or carbon curve.

    Raises
    ------
    ConversionError : CONVERSION_TWICE or CONVERSION_MISSING.
    """
    if with_roots and row.scope == "AGB+BGB":
        raise ConversionError("CONVERSION_TWICE", key=row.key, quantity=row.scope)
    above = 1.0 if row.quantity == "carbon" else row.carbon_fraction
    if above is None:
        raise ConversionError("CONVERSION_MISSING", key=row.key, needed="carbon_fraction")
    if not with_roots:
        return above
    if row.root_ratio is None:
        raise ConversionError("CONVERSION_MISSING", key=row.key, needed="root_ratio")
    below = above if row.root_carbon_fraction is None else row.root_carbon_fraction
    return above + row.root_ratio * below
