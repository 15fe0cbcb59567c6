"""How sure a run is of its curves: seeded draws over the areas it counted, no raster touched.

The run's histograms are summed by cohort in the database, so a county costs what a parcel does.
Only the curves' error is in it; what plots add is put beside it by who knows their half-width.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from registry.assessments import RunView, run
from registry.cohort_tables import SCHEME
from registry.errors import InvalidValueError, NotFoundError
from registry.stocks import loss_year
from sinks import monte_carlo, tables, units
from sinks.estimators import combined_half_width
from sinks.monte_carlo import CurveError, Draws
from sinks.tables.rows import GrowthRow

MOST_DRAWS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A figure and the middle 90 % of its draws, kg CO2e."""

    kg: int
    low_kg: int
    high_kg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class YearInterval:
    """Stock at 31 December and net of one year."""

    year: int
    stock: Interval
    net: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveErrorView:
    """The error a curve was drawn with, and why."""

    curve: str
    relative_sd: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInterval:
    """A run's figures with the interval that the error of its curves gives.

    Attributes
    ----------
    half_width : of the net of all years, as a share of it, by the curves alone; None at a net
        of zero.
    combined : the same with the sampling error that was named put to it.
    unknown : curves whose error nobody knows; they are held at their value, so the interval is
        too narrow by what they err.
    """

    run_id: UUID
    seed: int
    draws: int
    years: list[YearInterval]
    net: Interval
    half_width: float | None
    sampling_half_width: float
    combined: float | None
    errors: list[CurveErrorView]
    unknown: list[str]


def interval(
    session: Session,
    run_id: UUID,
    *,
    seed: int,
    draws: int = monte_carlo.DRAWS,
    sampling_half_width: float = 0.0,
) -> RunInterval:
    """Draw a run's curves and say how its figures spread.

    Parameters
    ----------
    run_id : the run.
    seed : the same one gives the same answer on every machine.
    draws : at most `MOST_DRAWS`.
    sampling_half_width : relative half-width at 90 % of the field plots, if there are any.

    Raises
    ------
    NotFoundError : there is no such run.
    InvalidValueError : a number of draws nobody waits for.
    sinks.errors.DomainError : the seed or the half-width makes no sense.
    """
    view = run(session, run_id)
    if view is None:
        raise NotFoundError(what="assessment_run", id=run_id)
    if not 0 < draws <= MOST_DRAWS:
        raise InvalidValueError(field="draws", value=draws, why=f"1-{MOST_DRAWS}")
    rows, layer_year = _table(session, run_id)
    curves = {
        int(row["species"]): tables.lookup(tables.growth(), row["curve"])
        for row in rows
        if "species" in row
    }
    found = {row.key: monte_carlo.from_rmse(row) for row in curves.values()}
    errors = {key: error for key, error in found.items() if error is not None}
    drawn = _drawn(
        _areas(session, run_id),
        curves,
        errors,
        layer_year=layer_year,
        years=range(view.first_year - 1, view.last_year + 1),
        site_multiplier=_multipliers(rows),
        seed=seed,
        draws=draws,
    )
    return _told(session, view, drawn, errors, sampling_half_width)


def _table(session: Session, run_id: UUID) -> tuple[list[dict[str, Any]], int]:
    row = session.execute(_TABLE, {"run": run_id}).one()
    return list(row.rows), int(row.scheme["layer_year"])


def _multipliers(rows: Sequence[Mapping[str, Any]]) -> list[float]:
    by_site = {int(row["site"]): float(row["multiplier"]) for row in rows if "site" in row}
    return [by_site.get(site, 1.0) for site in SCHEME.sites]


def _areas(session: Session, run_id: UUID) -> list[tuple[int, int]]:
    """Area in dm2 of every combined code of all the run's parcels together."""
    return [(row.code, int(row.area)) for row in session.execute(_AREAS, {"run": run_id})]


def _drawn(
    areas: Sequence[tuple[int, int]],
    curves: Mapping[int, GrowthRow],
    errors: Mapping[str, CurveError],
    *,
    layer_year: int,
    years: Sequence[int],
    **more: Any,  # noqa: ANN401 -- seed, draws and multipliers go on as they are
) -> Draws:
    """Draw the calm ground, and each lost part before its event and from age 0 after it."""
    code = np.array([one for one, _ in areas], np.int32)
    area = np.array([one for _, one in areas], np.int64)
    lost = loss_year(code)
    cohort = code % np.int32(SCHEME.size)
    events = [int(y) for y in np.unique(lost) if layer_year < y <= years[-1]]

    def part(take: NDArray[np.bool_], codes: NDArray[np.int32], begin: int) -> Draws:
        ground = monte_carlo.area_by_cohort(SCHEME, codes[take], area[take])
        return monte_carlo.draw_totals(
            ground, curves, errors, layer_year=begin, years=years, **more
        )

    whole = part(~np.isin(lost, events), cohort, layer_year)
    total, unknown = whole.total_t_c, set(whole.unknown)
    for year in events:
        before = part(lost == year, cohort, layer_year)
        after = part(lost == year, SCHEME.at_age_zero(cohort), year)
        total = total + np.where(np.array(years) < year, before.total_t_c, after.total_t_c)
        unknown |= set(before.unknown)
    return Draws(
        years=whole.years, total_t_c=total, unknown=tuple(sorted(unknown)), seed=whole.seed
    )


def _told(
    session: Session,
    view: RunView,
    drawn: Draws,
    errors: Mapping[str, CurveError],
    sampling_half_width: float,
) -> RunInterval:
    kg = drawn.total_t_c * units.co2_from_c(1.0) * units.KG_PER_T
    sums = {row.year: row for row in session.execute(_SUMS, {"run": view.id})}
    stock, net = _ends(kg[:, 1:]), _ends(np.diff(kg, axis=1))
    low, high = _ends(kg[:, [-1]] - kg[:, [0]])
    total = Interval(kg=view.net_kg, low_kg=int(low[0]), high_kg=int(high[0]))
    half = (total.high_kg - total.low_kg) / 2 / abs(total.kg) if total.kg else None
    return RunInterval(
        run_id=view.id,
        seed=drawn.seed,
        draws=len(drawn.total_t_c),
        years=[
            YearInterval(
                year=year,
                stock=_interval(int(sums[year].stock_kg), stock, i),
                net=_interval(int(sums[year].net_kg), net, i),
            )
            for i, year in enumerate(drawn.years[1:])
        ],
        net=total,
        half_width=half,
        sampling_half_width=sampling_half_width,
        combined=None if half is None else combined_half_width(half, sampling_half_width),
        errors=[
            CurveErrorView(curve=key, relative_sd=error.relative_sd, source=error.source)
            for key, error in sorted(errors.items())
        ],
        unknown=list(drawn.unknown),
    )


Ends = tuple[NDArray[np.float64], NDArray[np.float64]]


def _ends(values: NDArray[np.float64]) -> Ends:
    low, high = np.quantile(values, [monte_carlo.TAIL, 1 - monte_carlo.TAIL], axis=0)
    return np.floor(low), np.ceil(high)


def _interval(kg: int, ends: Ends, i: int) -> Interval:
    return Interval(kg=kg, low_kg=int(ends[0][i]), high_kg=int(ends[1][i]))


_TABLE = text(
    "SELECT t.rows, t.scheme FROM assessment_run r"
    " JOIN cohort_table t ON t.digest = r.table_digest WHERE r.id = :run"
)
_AREAS = text(
    "SELECT c.code, sum(c.area) AS area FROM assessment_run r"
    " JOIN assessment_series s ON s.run_id = r.id"
    " JOIN histogram h ON h.parcel_id = s.parcel_id AND h.version = s.version"
    " AND h.layer_set = r.layer_set"
    " CROSS JOIN LATERAL unnest(h.cohort, h.area_dm2) AS c(code, area)"
    " WHERE r.id = :run GROUP BY 1 ORDER BY 1"
)
_SUMS = text(
    "SELECT year, sum(stock_kg) AS stock_kg, sum(net_kg) AS net_kg FROM assessment"
    " WHERE run_id = :run GROUP BY year"
)
