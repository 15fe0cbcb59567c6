"""What the error of the parameters does to a result: seeded draws, one matrix product a curve.

The state of the ground is area by cohort, the same for every draw; a draw is another set of
curves. So a thousand draws over a county are, for each species, stock by draw and age times area
by age and year. The draws come from Philox by seed and curve key: adding a curve, or asking for
more draws, moves no draw there was.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import ArrayLike

from sinks import growth
from sinks.arrays import FloatArray, IntArray, as_float, require_not_negative
from sinks.errors import DomainError
from sinks.tables.rows import GrowthRow

if TYPE_CHECKING:  # compiled code comes with it, and nothing here needs that
    from sinks.cohorts import CohortScheme

DRAWS: Final = 1000
TAIL: Final = 0.05
"""Left out at either end: the interval is the 90 % of AR-TOOL14."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveError:
    """How wrong a curve may be: a relative error common to all its ages.

    Attributes
    ----------
    relative_sd : standard deviation of the factor the whole curve is multiplied by.
    source : where it is from; `from_rmse` says how it is made of a fit.
    """

    relative_sd: float
    source: str

    def __post_init__(self) -> None:
        if not 0 <= self.relative_sd < 1 or not self.source:
            raise DomainError("CURVE_ERROR", relative_sd=self.relative_sd, source=self.source)


def from_rmse(row: GrowthRow) -> CurveError | None:
    """Error of a fitted curve: its rmse against the mean of the curve over the calibrated ages.

    None where the row tells no rmse: its error is not known, which is not the same as none.
    """
    if row.rmse is None:
        return None
    ages = np.linspace(row.age_min_yr, row.age_max_yr, 101)
    values, _ = growth.evaluate(row, ages)
    return CurveError(
        relative_sd=min(row.rmse / float(values.mean()), 0.99),
        source=f"rmse {row.rmse:g} of {row.key} against its mean over {row.age_min_yr:g}-"
        f"{row.age_max_yr:g} yr",
    )


def factors(
    errors: Mapping[str, CurveError], *, seed: int, draws: int = DRAWS
) -> dict[str, FloatArray]:
    """Multipliers of each curve, (draws,), never below zero, by its key.

    Raises
    ------
    DomainError : SEED_RANGE, DRAWS_FEW.
    """
    return {
        key: np.maximum(1 + error.relative_sd * _normal(key, seed=seed, draws=draws), 0.0)
        for key, error in sorted(errors.items())
    }


def _normal(key: str, *, seed: int, draws: int) -> FloatArray:
    """Standard normal draws of a name: the stream is the seed's and the name's own."""
    if not 0 <= seed < 1 << 64:
        raise DomainError("SEED_RANGE", seed=seed)
    if draws < 1:
        raise DomainError("DRAWS_FEW", draws=draws)
    name = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little")
    stream = np.random.Generator(np.random.Philox(key=np.array([seed, name], np.uint64)))
    return stream.standard_normal(draws)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draws:
    """Totals under each draw.

    Attributes
    ----------
    years : the years of the columns.
    total_t_c : (draws, n_years) t C.
    unknown : curves on the ground whose error is not known; they are held at their value.
    seed : of the draws.
    """

    years: tuple[int, ...]
    total_t_c: FloatArray
    unknown: tuple[str, ...]
    seed: int

    def interval(self, values: ArrayLike | None = None) -> tuple[FloatArray, FloatArray]:
        """Low and high end of the middle 90 %, by column.

        Parameters
        ----------
        values : (draws, n) made of the draws, e.g. differences of years; by default the totals.
        """
        drawn = self.total_t_c if values is None else np.asarray(values, np.float64)
        low, high = np.quantile(drawn, [TAIL, 1 - TAIL], axis=0)
        return low, high

    def change(self, first: int, last: int) -> FloatArray:
        """Change of stock from one year's end to another's, (draws, 1) t C.

        Raises
        ------
        DomainError : YEAR_UNKNOWN.
        """
        for year in (first, last):
            if year not in self.years:
                raise DomainError("YEAR_UNKNOWN", year=year, years=[self.years[0], self.years[-1]])
        i, j = self.years.index(first), self.years.index(last)
        return np.asarray(self.total_t_c[:, [j]] - self.total_t_c[:, [i]])


def area_by_cohort(scheme: "CohortScheme", cohort: ArrayLike, area_dm2: ArrayLike) -> FloatArray:
    """Area in ha of every cohort, (n_species, n_site, n_age), of any number of parcels together.

    Raises
    ------
    DomainError : COHORT_UNKNOWN, VALUE_NEGATIVE.
    """
    codes, areas = np.asarray(cohort, np.int64), as_float(area_dm2)
    require_not_negative("area_dm2", areas)
    if codes.size and not (codes.min() >= 0 and codes.max() < scheme.size):
        bad = int(np.argmax((codes < 0) | (codes >= scheme.size)))
        raise DomainError("COHORT_UNKNOWN", index=bad, value=int(codes[bad]))
    ha = np.bincount(codes, weights=areas, minlength=scheme.size) / _DM2_PER_HA
    return np.asarray(ha.reshape(scheme.n_species, len(scheme.sites), scheme.n_age))


_DM2_PER_HA: Final = 1_000_000


def draw_totals(
    area_ha: FloatArray,
    curves: Mapping[int, GrowthRow],
    errors: Mapping[str, CurveError],
    *,
    layer_year: int,
    years: Sequence[int],
    seed: int,
    draws: int = DRAWS,
    sets: Mapping[str, "ParameterSet"] = MappingProxyType({}),
    site_multiplier: ArrayLike = 1.0,
) -> Draws:
    """Stock of all the ground in every year under every draw.

    Parameters
    ----------
    area_ha : (n_species, n_site, n_age) at the layer's year, of `area_by_cohort`.
    curves : carbon or biomass curve of each species code.
    errors : of the curves that have one, by the curve's key.
    sets : drawn parameters of calibrated curves, by key, as many as ``draws``; they go before an
        error of the whole curve.
    site_multiplier : (n_site,) or one for all.

    Raises
    ------
    DomainError : YEARS_NOT_CONSECUTIVE, SEED_RANGE, DRAWS_FEW.
    """
    span = np.asarray(years, np.int64)
    if not span.size or (np.diff(span) != 1).any():
        raise DomainError("YEARS_NOT_CONSECUTIVE", years=[int(y) for y in years])
    multiplier = np.broadcast_to(as_float(site_multiplier), area_ha.shape[1:2])
    total = np.zeros((draws, span.size))
    unknown: list[str] = []
    for code, row in sorted(curves.items()):
        area = _area_by_age((area_ha[code] * multiplier[:, None]).sum(axis=0), span - layer_year)
        if not area.any():
            continue
        ages = np.arange(len(area))
        if row.key in sets:
            stock = curve_draws(row, sets[row.key], ages) * growth.carbon_factor(row)
        else:
            carbon, _ = growth.carbon_t_ha(row, ages)
            error = errors.get(row.key)
            factor = np.ones(draws)
            if error is None:
                unknown.append(row.key)
            else:
                factor = factors({row.key: error}, seed=seed, draws=draws)[row.key]
            stock = np.outer(factor, carbon)
        total += stock @ area
    return Draws(
        years=tuple(int(y) for y in span), total_t_c=total, unknown=tuple(unknown), seed=seed
    )


def _area_by_age(area: FloatArray, shift: IntArray) -> FloatArray:
    """Area of each age in each year, (ages, years); what is not planted yet has no age."""
    made = np.zeros((max(area.size + int(shift.max()), 1), shift.size))
    for column, years_on in enumerate(shift):
        first = max(0, -int(years_on))
        ages = np.arange(first, area.size) + int(years_on)
        made[ages, column] = area[first:]
    return made


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ParameterSet:
    """Correlated draws of a fitted curve's parameters, from its covariance.

    Attributes
    ----------
    values : (draws, n_parameters).
    """

    names: tuple[str, ...]
    values: FloatArray


def parameter_draws(
    names: Sequence[str],
    mean: ArrayLike,
    covariance: ArrayLike,
    *,
    key: str,
    seed: int,
    draws: int = DRAWS,
) -> ParameterSet:
    """Draw a fitted curve's parameters together, as their covariance has them.

    Parameters are kept above zero by drawing their logarithms (delta method): a negative rate is
    no curve.

    Raises
    ------
    DomainError : PARAMETER_DRAWS when mean and covariance do not fit or a mean is not above zero.
    """
    centre, spread = as_float(mean), np.atleast_2d(np.asarray(covariance, np.float64))
    n = len(names)
    good = centre.shape == (n,) and spread.shape == (n, n) and bool((centre > 0).all())
    if not good or not np.isfinite(spread).all():
        raise DomainError("PARAMETER_DRAWS", names=list(names))
    logs = spread / np.outer(centre, centre)
    values, vectors = np.linalg.eigh((logs + logs.T) / 2)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    normal = np.stack([_normal(f"{key}/{i}", seed=seed, draws=draws) for i in range(n)], axis=1)
    return ParameterSet(names=tuple(names), values=centre * np.exp(normal @ root.T))


def curve_draws(row: GrowthRow, parameters: ParameterSet, age_yr: ArrayLike) -> FloatArray:
    """A curve under every draw of its parameters, (draws, n_ages), held to its calibrated range."""
    ages = as_float(age_yr)
    form = growth.FORMS[row.form][0]
    held = np.clip(ages, row.age_min_yr if row.below_range != "form" else 0.0, row.age_max_yr)
    made = [
        form(MappingProxyType(dict(zip(parameters.names, map(float, one), strict=True))), held)
        for one in parameters.values
    ]
    below = np.where(ages < row.age_min_yr, ages / row.age_min_yr, 1.0) if row.age_min_yr else 1.0
    scale = below if row.below_range != "form" else 1.0
    return np.asarray(np.maximum(np.array(made), 0.0) * scale)
