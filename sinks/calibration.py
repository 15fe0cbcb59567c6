"""A growth curve fitted to local plots by least squares, with all that says how far it holds."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from sinks import growth
from sinks.arrays import FloatArray, as_float, first_true, require_not_negative
from sinks.errors import DomainError, TableError
from sinks.tables.rows import GrowthRow

Parameters = tuple[tuple[str, float], ...]

IDENTIFIED_SD_MAX: Final = 1.0
"""A parameter whose standard error is its own size says nothing: the curve must stay inside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A fitted curve.

    Attributes
    ----------
    parameters : by name, as the form of `sinks.growth.FORMS` asks for them.
    covariance : (n_parameters, n_parameters) of the parameters, in their order.
    age_min_yr, age_max_yr : the calibrated range: the youngest and oldest plot.
    rmse : root of the mean squared residual, in the unit of the values.
    residuals : plot less curve, plots sorted by age and value.
    digest : SHA-256 of the form and the sorted plots.
    """

    form: str
    parameters: Parameters
    covariance: tuple[tuple[float, ...], ...]
    age_min_yr: float
    age_max_yr: float
    n: int
    rmse: float
    r2: float
    residuals: tuple[float, ...]
    digest: str

    @property
    def params(self) -> str:
        """Parameters as a growth row writes them; every digit, so nothing is rounded twice."""
        return ";".join(f"{name}={value!r}" for name, value in self.parameters)

    @property
    def unidentified(self) -> tuple[str, ...]:
        """Parameters the plots do not fix: outside the calibrated range the curve means nothing."""
        sd = np.sqrt(np.diag(np.array(self.covariance)))
        return tuple(
            name
            for (name, value), error in zip(self.parameters, sd, strict=True)
            if not error < IDENTIFIED_SD_MAX * abs(value)
        )

    def row(self, like: GrowthRow, *, key: str) -> GrowthRow:
        """Growth row of this curve; what it measures, and where, is as in ``like``."""
        values = {name: getattr(like, name) for name in _TAKEN}
        return GrowthRow(
            **values,
            key=key,
            form=self.form,
            params=self.params,
            points="",
            age_min_yr=self.age_min_yr,
            age_max_yr=self.age_max_yr,
            below_range="form" if self.form in STARTS_AT_ZERO else "origin",
            rmse=self.rmse,
            mark="computed",
            domain=f"ages {self.age_min_yr:g}-{self.age_max_yr:g} yr, {self.n} plots",
            source=PLOTS_SOURCE,
            page="",
            note=f"fitted to local plots, rmse {self.rmse:.3g}; plots {self.digest[:12]}",
        )


PLOTS_SOURCE: Final = "local_plots"
_TAKEN: Final = (
    "quantity",
    "scope",
    "stocking",
    "carbon_fraction",
    "root_ratio",
    "root_carbon_fraction",
    "unit",
    "valid_from",
    "checked_on",
    "region",
)
STARTS_AT_ZERO: Final = frozenset({"chapman_richards", "korf", "power"})

Start = Callable[[FloatArray, FloatArray], list[tuple[float, ...]]]


def _chapman_starts(age: FloatArray, value: FloatArray) -> list[tuple[float, ...]]:
    return [
        (value.max() * over, rate / age.max(), shape)
        for over in (1.1, 2.0)
        for rate in (1.0, 3.0)
        for shape in (1.0, 2.0)
    ]


def _logistic_starts(age: FloatArray, value: FloatArray) -> list[tuple[float, ...]]:
    return [
        (value.max() * over, steep, rate / age.max())
        for over in (1.1, 2.0)
        for steep in (5.0, 20.0)
        for rate in (2.0, 5.0)
    ]


def _korf_starts(age: FloatArray, value: FloatArray) -> list[tuple[float, ...]]:
    return [
        (value.max() * over, float(np.median(age)) ** c, c)
        for over in (1.2, 3.0)
        for c in (0.5, 1.0)
    ]


def _power_starts(age: FloatArray, value: FloatArray) -> list[tuple[float, ...]]:
    return [(value.max() / age.max() ** e, e) for e in (1.0, 2.0)]


FITTED: Final = MappingProxyType(
    {
        "chapman_richards": (("A", "k", "p"), _chapman_starts),
        "logistic": (("A", "b", "k"), _logistic_starts),
        "korf": (("A", "b", "c"), _korf_starts),
        "power": (("c", "e"), _power_starts),
        "linear": (("c0", "c1"), None),
    }
)
"""Forms that can be fitted, their parameters in order, and where the search begins."""


def fit(form: str, age_yr: ArrayLike, value: ArrayLike) -> Calibration:
    """Curve of a form through plots, by least squares.

    Parameters
    ----------
    form : one of `FITTED`.
    age_yr : (n,) ages of the plots, not negative (above zero for Korf and power).
    value : (n,) what was measured, not negative, one unit.

    Returns
    -------
    Calibration; the order of the plots changes nothing.

    Raises
    ------
    TableError : CURVE_FORM_UNKNOWN.
    DomainError : CALIBRATION_PLOTS with no more plots or ages than parameters, or plots that are
        all nothing; CALIBRATION_DIVERGED when no curve of the form goes through them; VALUE_*.
    """
    if form not in FITTED:
        raise TableError("CURVE_FORM_UNKNOWN", key="calibration", form=form)
    ages, values = _sorted(age_yr, value)
    names, starts = FITTED[form]
    few = len(ages) <= len(names) or len(np.unique(ages)) < len(names)
    if few or not values.max(initial=0.0) > 0:
        raise DomainError("CALIBRATION_PLOTS", plots=len(ages), parameters=len(names))
    if form == "linear":
        found, slopes = _line(ages, values)
    else:
        begins = starts(ages, values) if starts else []
        found, slopes = _search(form, names, begins, ages, values)
    curve = growth.FORMS[form][0](dict(zip(names, found, strict=True)), ages)
    return _described(form, tuple(zip(names, found, strict=True)), slopes, (ages, values, curve))


def _sorted(age_yr: ArrayLike, value: ArrayLike) -> tuple[FloatArray, FloatArray]:
    ages, values = as_float(age_yr), as_float(value)
    if ages.shape != values.shape or ages.ndim != 1:
        raise DomainError("CALIBRATION_PLOTS", plots=int(ages.size), parameters=int(values.size))
    require_not_negative("age_yr", ages)
    require_not_negative("value", values)
    order = np.lexsort((values, ages))
    return ages[order], values[order]


def _line(ages: FloatArray, values: FloatArray) -> tuple[tuple[float, ...], FloatArray]:
    slopes = np.column_stack([np.ones_like(ages), ages])
    found, *_ = np.linalg.lstsq(slopes, values, rcond=None)
    return tuple(float(one) for one in found), slopes


def _search(
    form: str,
    names: tuple[str, ...],
    begins: list[tuple[float, ...]],
    ages: FloatArray,
    values: FloatArray,
) -> tuple[tuple[float, ...], FloatArray]:
    """Best of several searches, each over the logarithms: every parameter is above zero."""
    # Imported where it is used: whoever only reads a record does not wait for scipy.
    from scipy.optimize import least_squares  # noqa: PLC0415

    def misfit(logs: FloatArray) -> FloatArray:
        p = dict(zip(names, np.exp(logs), strict=True))
        return growth.FORMS[form][0](p, ages) - values

    best = None
    for begin in begins:
        with np.errstate(all="ignore"):
            one = least_squares(
                misfit, np.log(begin), xtol=1e-14, ftol=1e-14, gtol=1e-14, max_nfev=4000
            )
        if np.isfinite(one.cost) and (best is None or one.cost < best.cost * (1 - 1e-9)):
            best = one
    if best is None or not np.isfinite(best.x).all():
        raise DomainError("CALIBRATION_DIVERGED", form=form, plots=len(ages))
    found = np.exp(best.x)
    return tuple(float(one) for one in found), np.asarray(best.jac / found)


def _described(
    form: str,
    parameters: Parameters,
    slopes: FloatArray,
    plots: tuple[FloatArray, FloatArray, FloatArray],
) -> Calibration:
    ages, values, curve = plots
    residuals = values - curve
    squares = float((residuals**2).sum())
    spread = float(((values - values.mean()) ** 2).sum())
    free = len(ages) - len(parameters)
    information = np.linalg.pinv(slopes.T @ slopes)
    covariance = information * (squares / free)
    body = form.encode() + ages.astype("<f8").tobytes() + values.astype("<f8").tobytes()
    return Calibration(
        form=form,
        parameters=parameters,
        covariance=tuple(tuple(float(x) for x in line) for line in covariance),
        age_min_yr=float(ages[0]),
        age_max_yr=float(ages[-1]),
        n=len(ages),
        rmse=(squares / len(ages)) ** 0.5,
        r2=1 - squares / spread if spread else 0.0,
        residuals=tuple(float(one) for one in residuals),
        digest=hashlib.sha256(body).hexdigest(),
    )


def outside(calibration: Calibration, age_yr: ArrayLike) -> int | None:
    """Index of the first age outside the calibrated range, if there is one."""
    ages = as_float(age_yr)
    beyond = (ages < calibration.age_min_yr) | (ages > calibration.age_max_yr)
    return first_true(beyond) if beyond.any() else None
