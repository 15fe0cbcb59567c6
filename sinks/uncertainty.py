"""Sampling error of measured stocks, its discount, and how many plots a survey needs.

CDM AR-TOOL14 v04.2 equations 1, 2, 15 and 17; CDM AR-TOOL03 v2.1.0. Only the error of sampling
is discounted here. Discounts are exact fractions: they decide what is issued.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil, sqrt
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from sinks import tables
from sinks.arrays import FloatArray, as_float
from sinks.errors import DomainError, TableError

CONFIDENCE: Final = Fraction(9, 10)
"""Two-sided confidence of AR-TOOL14 and AR-TOOL03."""

PLOTS_FOR_NORMAL: Final = 30
"""At this many plots and above AR-TOOL03 keeps the normal quantile."""

SMALL_SAMPLE_SHARE: Final = 0.05
"""Below this sampled share of the area the short plot formula is allowed."""

WEIGHT_TOLERANCE: Final = 1e-9
"""How far area shares may be from adding up to one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """Measurements of one stratum.

    Attributes
    ----------
    weight : share of the area, all strata adding up to 1.
    values : (n,) one value a plot, in one unit for all strata.
    """

    weight: float
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean with its half-width at two-sided 90 %."""

    mean: float
    half_width: float
    t_value: float
    n: int

    @property
    def u(self) -> Fraction:
        """U as the exact decimal that decides a discount: nine places, so that 10 % is 10 %.

        Raises
        ------
        DomainError : MEAN_ZERO when there is no mean to be relative to.
        """
        if not self.mean:
            raise DomainError("MEAN_ZERO", n=self.n)
        return Fraction(f"{self.relative:.9f}")

    @property
    def relative(self) -> float:
        """U, the half-width as a share of the mean's size; infinite at a mean of zero."""
        return self.half_width / abs(self.mean) if self.mean else float("inf")


def t_quantile(df: float) -> float:
    """Two-sided 90 % quantile of Student's t; the normal one at infinite df."""
    # Imported where it is used: whoever only reads a record does not wait for scipy.
    from scipy.special import ndtri, stdtrit  # noqa: PLC0415

    tail = float((1 + CONFIDENCE) / 2)
    return float(ndtri(tail) if np.isinf(df) else stdtrit(df, tail))


def variance(values: ArrayLike) -> float:
    """s^2 of a stratum (equation 17), computed about the mean.

    Raises
    ------
    DomainError : PLOTS_TOO_FEW with fewer than two plots; VALUE_NOT_FINITE.
    """
    x = as_float(values)
    if x.size <= 1:
        raise DomainError("PLOTS_TOO_FEW", plots=int(x.size), strata=1)
    if not np.isfinite(x).all():
        raise DomainError(
            "VALUE_NOT_FINITE", name="values", index=int(np.argmin(np.isfinite(x))), value="NaN"
        )
    return float(np.var(x, ddof=1))


def estimate(strata: Sequence[Stratum]) -> Estimate:
    """Stratified mean and half-width t sqrt(sum w^2 s^2 / n) (equation 15), df = n - strata.

    The paired difference of re-measured plots is the same estimate made of the differences.

    Raises
    ------
    DomainError : PLOTS_TOO_FEW; WEIGHTS_NOT_ONE.
    """
    n = sum(len(stratum.values) for stratum in strata)
    if not strata or n <= len(strata):
        raise DomainError("PLOTS_TOO_FEW", plots=n, strata=len(strata))
    total = float(sum(Fraction(stratum.weight) for stratum in strata))
    if any(s.weight < 0 for s in strata) or abs(total - 1) > WEIGHT_TOLERANCE:
        raise DomainError("WEIGHTS_NOT_ONE", total=total)
    mean = sum(s.weight * float(np.mean(s.values)) for s in strata)
    spread = sum(s.weight**2 * variance(s.values) / len(s.values) for s in strata)
    return _estimate(mean, sqrt(spread), n, n - len(strata))


def summary_estimate(*, mean: float, sd: float, n: int) -> Estimate:
    """Estimate of one stratum from its published mean, standard deviation and plot number."""
    if n <= 1:
        raise DomainError("PLOTS_TOO_FEW", plots=n, strata=1)
    return _estimate(mean, sd / sqrt(n), n, n - 1)


def _estimate(mean: float, sem: float, n: int, df: int) -> Estimate:
    value = t_quantile(df)
    return Estimate(mean=mean, half_width=value * sem, t_value=value, n=n)


def paired_difference(before: Sequence[Stratum], after: Sequence[Stratum]) -> Estimate:
    """Change of re-measured plots from their differences, plot by plot.

    Raises
    ------
    DomainError : PLOTS_NOT_PAIRED when a stratum's plots or weights differ.
    """
    if len(before) != len(after):
        raise DomainError("PLOTS_NOT_PAIRED", stratum=min(len(before), len(after)))
    changes = []
    for i, (a, b) in enumerate(zip(before, after, strict=True)):
        if len(a.values) != len(b.values) or a.weight != b.weight:
            raise DomainError("PLOTS_NOT_PAIRED", stratum=i)
        difference = tuple(y - x for x, y in zip(a.values, b.values, strict=True))
        changes.append(Stratum(weight=a.weight, values=difference))
    return estimate(changes)


def independent_change(first: Estimate, second: Estimate) -> tuple[float, float]:
    """Change and half-width of two unpaired estimates (equations 1 and 2)."""
    return second.mean - first.mean, sqrt(first.half_width**2 + second.half_width**2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Errors up to and including ``u_max`` (None: all others) are discounted by ``share``.

    ``share`` None means more plots have to be measured.
    """

    u_max: Fraction | None
    share: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscountTable:
    """Bands of rising error; the share is of the half-width or of the value."""

    key: str
    basis: str  # half_width | value
    bands: tuple[Band, ...]

    def __post_init__(self) -> None:
        ends = [band.u_max for band in self.bands[:-1]]
        known = [end for end in ends if end is not None]
        rising = len(known) == len(ends) and all(a < b for a, b in pairwise(known))
        last = self.bands[-1].u_max if self.bands else Fraction(0)
        if not rising or last is not None or self.basis not in {"half_width", "value"}:
            raise TableError("DISCOUNT_TABLE", key=self.key)


def _decimal(value: float | None) -> Fraction | None:
    """The decimal a table holds, not its nearest binary number."""
    return None if value is None else Fraction(repr(value))


def discount_table(key: str) -> DiscountTable:
    """Built-in table by key: ``artool14`` or ``arcm``.

    Raises
    ------
    TableError : TABLE_NO_ROW.
    """
    rows = [row for row in tables.discounts().values() if row.table == key]
    if not rows:
        raise TableError("TABLE_NO_ROW", key=key)
    rows.sort(key=lambda row: float("inf") if row.u_max is None else row.u_max)
    bands = tuple(Band(u_max=_decimal(row.u_max), share=_decimal(row.share)) for row in rows)
    return DiscountTable(key=key, basis=rows[0].basis, bands=bands)


def discount_share(table: DiscountTable, u: Fraction) -> Fraction:
    """Share for a relative half-width u; bands are closed above.

    Raises
    ------
    DomainError : UNCERTAINTY_NEGATIVE; DISCOUNT_MORE_PLOTS when the band asks for more plots.
    """
    if u < 0:
        raise DomainError("UNCERTAINTY_NEGATIVE", u=float(u))
    band = next(band for band in table.bands if band.u_max is None or u <= band.u_max)
    if band.share is None:
        raise DomainError("DISCOUNT_MORE_PLOTS", u_percent=float(u * 100), table=table.key)
    return band.share


def discount_amount(table: DiscountTable, *, value: Fraction, u: Fraction) -> Fraction:
    """What is taken off a value, never negative: a gain shrinks, a loss grows.

    ``half_width``: share x u x |value|. ``value``: share x |value|. Add it to a baseline.
    """
    share = discount_share(table, u)
    return share * abs(value) * (u if table.basis == "half_width" else 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotPlan:
    """Plots of a survey."""

    n: float
    n_first: float
    t_value: float
    n_short: float
    per_stratum: tuple[float, ...]
    plots: tuple[int, ...]


def plan_plots(
    *, area_ha: float, plot_ha: float, weights: ArrayLike, sds: ArrayLike, half_width: float
) -> PlotPlan:
    """Plots a stratified survey needs, and how they fall on the strata (AR-TOOL03 v2.1.0).

    Parameters
    ----------
    area_ha, plot_ha : area surveyed and area of a plot.
    weights, sds : (n_strata,) share of the area and standard deviation.
    half_width : acceptable half-width at 90 %, in the unit of ``sds``.

    Returns
    -------
    PlotPlan; ``plots`` rounds each stratum up.

    Raises
    ------
    DomainError : PLOT_DESIGN when a size is not above zero; WEIGHTS_NOT_ONE.
    """
    w, s = as_float(weights), as_float(sds)
    sizes = (area_ha, plot_ha, half_width)
    if not all(np.isfinite(x) and x > 0 for x in sizes) or w.shape != s.shape or (s < 0).any():
        raise DomainError("PLOT_DESIGN", area_ha=area_ha, plot_ha=plot_ha, half_width=half_width)
    if abs(w.sum() - 1) > WEIGHT_TOLERANCE or (w < 0).any():
        raise DomainError("WEIGHTS_NOT_ONE", total=float(w.sum()))
    possible = area_ha / plot_ha
    value = t_quantile(np.inf)
    first = n = _plots(possible, value, w, s, half_width)
    if n < PLOTS_FOR_NORMAL:
        # One repetition only, with the first answer rounded up, as the tool's own example.
        value = t_quantile(max(ceil(n) - 1, 1))
        n = _plots(possible, value, w, s, half_width)
    spread = w * s
    share = spread / spread.sum() if spread.sum() > 0 else w
    per = n * share
    return PlotPlan(
        n=n,
        n_first=first,
        t_value=value,
        n_short=float((t_quantile(np.inf) / half_width) ** 2 * spread.sum() ** 2),
        per_stratum=tuple(float(x) for x in per),
        plots=tuple(ceil(x) for x in per),
    )


def _plots(possible: float, value: float, w: FloatArray, s: FloatArray, half_width: float) -> float:
    top = possible * value**2 * float((w * s).sum()) ** 2
    return top / (possible * half_width**2 + value**2 * float((w * s**2).sum()))


def finite_plots(n: float, possible: float) -> float:
    """Plots when more than a twentieth of the area is sampled: n / (1 + n/N)."""
    return n / (1 + n / possible) if n / possible > SMALL_SAMPLE_SHARE else n
