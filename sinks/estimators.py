"""Mean stock of an area from plots and a map of all of it: difference, ratio and regression.

The map is known everywhere, the plots where they are; the map's mean is corrected by what the
plots show it to be wrong by (model-assisted estimation; Särndal, Swensson, Wretman 1992, ch. 6).
A good map narrows the interval, a bad one does no harm beyond what the plots allow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from sinks.arrays import FloatArray, as_float, require_not_negative
from sinks.errors import DomainError
from sinks.uncertainty import WEIGHT_TOLERANCE, Estimate, t_quantile

METHODS: Final = ("expansion", "difference", "ratio", "regression")
"""``expansion`` takes no map: the plots' mean alone."""

FREED: Final = {"expansion": 0, "difference": 0, "ratio": 0, "regression": 1}
"""Degrees of freedom the map's coefficients cost in a stratum beside its mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedStratum:
    """Plots of a stratum, what the map says at them, and its mean over the whole stratum.

    Attributes
    ----------
    weight : share of the area, all strata adding up to 1.
    measured : (n,) at the plots.
    mapped : (n,) the map's value at the same plots, in the same unit.
    map_mean : mean of the map over all of the stratum.
    """

    weight: float
    measured: tuple[float, ...]
    mapped: tuple[float, ...]
    map_mean: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Assisted:
    """An estimate with how much the map helped.

    Attributes
    ----------
    estimate : mean and half-width at 90 %.
    relative_efficiency : variance of the plots alone over that with the map; above 1 it helped.
    coefficients : (intercept, slope) of the correction in each stratum.
    """

    method: str
    estimate: Estimate
    relative_efficiency: float
    coefficients: tuple[tuple[float, float], ...]


def estimate(strata: Sequence[MappedStratum], *, method: str = "regression") -> Assisted:
    """Stratified mean by one of `METHODS`, with its half-width at two-sided 90 %.

    Parameters
    ----------
    strata : plots and map of each stratum; at least two plots each, three for a regression.
    method : ``difference`` adds the mean error of the map, ``ratio`` scales the map,
        ``regression`` fits a line.

    Raises
    ------
    DomainError : PLOTS_TOO_FEW, WEIGHTS_NOT_ONE, ESTIMATOR_UNKNOWN; MAP_FLAT when the map says one
        value at all plots of a regression, or nothing at those of a ratio; VALUE_NOT_FINITE.
    """
    if method not in METHODS:
        raise DomainError("ESTIMATOR_UNKNOWN", method=method, known=list(METHODS))
    total = float(sum(stratum.weight for stratum in strata))
    if any(s.weight < 0 for s in strata) or not abs(total - 1) <= WEIGHT_TOLERANCE:
        raise DomainError("WEIGHTS_NOT_ONE", total=total)
    mean = spread = plain = 0.0
    n = df = 0
    coefficients = []
    for number, stratum in enumerate(strata):
        y, x = _plots(stratum, number, least=2 + FREED[method])
        line = _line(method, y, x, number)
        residual = y - line[0] - line[1] * x
        free = y.size - 1 - FREED[method]
        mean += stratum.weight * (line[0] + line[1] * stratum.map_mean + residual.mean())
        centred = residual - residual.mean()
        spread += stratum.weight**2 * float((centred**2).sum()) / free / y.size
        plain += stratum.weight**2 * float(np.var(y, ddof=1)) / y.size
        n, df = n + y.size, df + free
        coefficients.append(line)
    value = t_quantile(df)
    return Assisted(
        method=method,
        estimate=Estimate(mean=mean, half_width=value * sqrt(spread), t_value=value, n=n),
        relative_efficiency=plain / spread if spread > 0 else float("inf"),
        coefficients=tuple(coefficients),
    )


def _plots(stratum: MappedStratum, number: int, *, least: int) -> tuple[FloatArray, FloatArray]:
    y, x = as_float(stratum.measured), as_float(stratum.mapped)
    if y.shape != x.shape:
        raise DomainError("PLOTS_NOT_PAIRED", stratum=number)
    if y.size < least:
        raise DomainError("PLOTS_TOO_FEW", plots=int(y.size), strata=number + 1)
    order = np.lexsort((x, y))  # sums in one order, whoever listed the plots
    for name, values in (("measured", y), ("mapped", x), ("map_mean", as_float(stratum.map_mean))):
        if not np.isfinite(values).all():
            raise DomainError("VALUE_NOT_FINITE", name=name, index=number, value="NaN")
    return y[order], x[order]


def _line(method: str, y: FloatArray, x: FloatArray, number: int) -> tuple[float, float]:
    """Intercept and slope of the correction of the map."""
    if method == "expansion":
        return 0.0, 0.0
    if method == "difference":
        return 0.0, 1.0
    if method == "ratio":
        if not x.mean() > 0:
            raise DomainError("MAP_FLAT", stratum=number, method=method)
        return 0.0, float(y.mean() / x.mean())
    apart = x - x.mean()
    squares = float((apart**2).sum())
    if not squares > 0:
        raise DomainError("MAP_FLAT", stratum=number, method=method)
    slope = float((apart * y).sum() / squares)
    return float(y.mean() - slope * x.mean()), slope


def calibrated(
    values: ArrayLike, stratum: ArrayLike, coefficients: Sequence[tuple[float, float]]
) -> tuple[FloatArray, FloatArray]:
    """A map corrected to the plots: intercept + slope x value, by stratum.

    Parameters
    ----------
    values : (n,) the map, not negative.
    stratum : (n,) index into ``coefficients``.
    coefficients : of `Assisted`; a difference estimate's mean error is not in them.

    Returns
    -------
    (n,) corrected values, never negative, and (n,) 1.0 where zero was put for less than nothing.
    """
    x = as_float(values)
    require_not_negative("values", x)
    index = np.asarray(stratum, np.int64)
    if index.size and not (index.min() >= 0 and index.max() < len(coefficients)):
        raise DomainError("ESTIMATOR_STRATUM", strata=len(coefficients), given=int(index.max()))
    table = np.array(coefficients, np.float64).reshape(-1, 2)
    made = table[index, 0] + table[index, 1] * x
    return np.maximum(made, 0.0), (made < 0).astype(np.float64)


def combined_half_width(*half_widths: float) -> float:
    """Half-width of a sum of independent errors: sampling, parameters.

    Raises
    ------
    DomainError : UNCERTAINTY_NEGATIVE.
    """
    for one in half_widths:
        if not one >= 0:
            raise DomainError("UNCERTAINTY_NEGATIVE", u=one)
    return sqrt(sum(one**2 for one in half_widths))
