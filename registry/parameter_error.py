"""How sure a run is of its curves: seeded draws over the areas it counted, no raster touched.

The run's histograms are summed by cohort in the database, so a county costs what a parcel does.
Only the curves' error is in it; what plots add is put beside it by who knows their half-width.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from geo.zonal import Histogram
from registry import strata
from registry.assessments import RunView, run
from registry.cohort_tables import SCHEME
from registry.errors import InvalidValueError, NotFoundError
from registry.stocks import loss_year
from sinks import monte_carlo, tables, units
from sinks.estimators import combined_half_width
from sinks.monte_carlo import CurveError, Draws
from sinks.pools import Pool
from sinks.strata import CULMS, Stratum
from sinks.strata_tables import POOLS
from sinks.tables.rows import GrowthRow

MOST_DRAWS: Final = 10_000
Floats = NDArray[np.float64]


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
    parcel_id: UUID | None = None,
) -> RunInterval:
    """Draw a run's curves and say how its figures spread.

    Parameters
    ----------
    run_id : the run.
    parcel_id : one of its parcels, drawn with the same curves as the run itself.
    seed : the same one gives the same answer on every machine.
    draws : at most `MOST_DRAWS`.
    sampling_half_width : relative half-width at 90 % of the field plots, if there are any.

    Raises
    ------
    NotFoundError : there is no such run.
    InvalidValueError : a number of draws nobody waits for.
    sinks.errors.DomainError : the seed or the half-width makes no sense.
    """
    if not 0 < draws <= MOST_DRAWS:
        raise InvalidValueError(field="draws", value=draws, why=f"1-{MOST_DRAWS}")
    parcels = None if parcel_id is None else [parcel_id]
    view, drawn, errors = _of_run(session, run_id, seed=seed, draws=draws, parcels=parcels)
    return _told(
        session, view, drawn, errors, sampling_half_width=sampling_half_width, parcels=parcels
    )


def many_years(
    session: Session,
    runs: Mapping[UUID, Sequence[UUID]],
    *,
    seed: int,
    draws: int = monte_carlo.DRAWS,
) -> dict[int, tuple[tuple[int, int], tuple[int, int]]]:
    """Return the ends of stock and net by year of parcels that are in several runs, kg CO2e.

    One seed draws them all: a curve errs in every run alike.

    Parameters
    ----------
    runs : the parcels that count of each run.
    """
    total: dict[int, Floats] = {}
    for run_id, parcels in runs.items():
        view, drawn, _ = _of_run(session, run_id, seed=seed, draws=draws, parcels=list(parcels))
        for i, year in enumerate(drawn.years):
            if year >= view.first_year - 1:
                total[year] = total.get(year, 0.0) + drawn.total_t_c[:, i]
    scale = units.co2_from_c(1.0) * units.KG_PER_T
    found = {}
    for year in sorted(total):
        if year - 1 in total:
            stock = _ends(total[year] * scale)
            net = _ends((total[year] - total[year - 1]) * scale)
            found[year] = (
                (int(stock[0]), int(stock[1])),
                (int(net[0]), int(net[1])),
            )
    return found


def _of_run(
    session: Session, run_id: UUID, *, seed: int, draws: int, parcels: list[UUID] | None
) -> tuple[RunView, Draws, dict[str, CurveError]]:
    view = run(session, run_id)
    if view is None:
        raise NotFoundError(what="assessment_run", id=run_id)
    rows, layer_year = _table(session, run_id)
    curves = {
        int(row["species"]): tables.lookup(tables.growth(), row["curve"])
        for row in rows
        if "species" in row
    }
    found = {row.key: monte_carlo.from_rmse(row) for row in curves.values()}
    errors = {key: error for key, error in found.items() if error is not None}
    scope = {"run": run_id, "parcels": parcels}
    if view.strata_digest is None:
        drawn = _drawn(
            _areas(session, _AREAS, scope),
            curves,
            errors,
            layer_year=layer_year,
            years=range(view.first_year - 1, view.last_year + 1),
            site_multiplier=_multipliers(rows),
            seed=seed,
            draws=draws,
        )
    else:
        stock, held = _stock_by_curve(session, view, curves, layer_year, scope)
        drawn = _scaled(stock, held, errors, view=view, seed=seed, draws=draws)
    return view, drawn, errors


def _table(session: Session, run_id: UUID) -> tuple[list[dict[str, Any]], int]:
    row = session.execute(_TABLE, {"run": run_id}).one()
    return list(row.rows), int(row.scheme["layer_year"])


def _multipliers(rows: Sequence[Mapping[str, Any]]) -> list[float]:
    by_site = {int(row["site"]): float(row["multiplier"]) for row in rows if "site" in row}
    return [by_site.get(site, 1.0) for site in SCHEME.sites]


def _areas(
    session: Session, query: TextClause, scope: Mapping[str, object]
) -> list[tuple[int, int]]:
    """Area in dm2 of every combined code of the run's parcels together."""
    return [(row.code, int(row.area)) for row in session.execute(query, scope)]


def _stock_by_curve(
    session: Session,
    view: RunView,
    curves: Mapping[int, GrowthRow],
    layer_year: int,
    scope: Mapping[str, object],
) -> tuple[dict[str, Floats], set[str]]:
    """T C by year that stands on each curve, and what is held for want of a known error.

    Every pool is in proportion to the growth that fed it, so a curve's error is a factor of all.
    """
    table = strata.stored(session, bytes.fromhex(view.strata_digest or ""))
    pools = [POOLS.index(Pool(one["pool"])) for one in view.pools or []]
    mg = table.mg_c_m2[:, pools].sum(axis=1, dtype=np.int64)
    place = {stratum: i for i, stratum in enumerate(table.strata)}
    found: dict[str, Floats] = {}
    held: set[str] = set()
    for stratum, area in _strata_areas(session, scope, layer_year, table.years[-1]):
        key = CULMS if stratum.culms is not None else curves[stratum.species].key
        if stratum.culms is not None:
            held.add(key)
        t_c = mg[place[stratum]] * (area / units.CENTI_MG_PER_KG / units.KG_PER_T)
        found[key] = found.get(key, 0.0) + t_c
    return found, held


def _strata_areas(
    session: Session, scope: Mapping[str, object], layer_year: int, last_year: int
) -> Iterator[tuple[Stratum, int]]:
    """Yield strata with dm2: ground of which nothing is told together, other parcels by turns."""
    calm = _areas(session, _CALM, scope)
    told = session.execute(_GIVEN, scope).all()
    held = [(list(zip(row.cohort, row.area_dm2, strict=True)), row.given) for row in told]
    for codes, given in [(calm, None), *held]:
        histogram = Histogram(
            start=np.array([0, len(codes)], np.int64),
            cohort=np.array([one for one, _ in codes], np.int32),
            area_dm2=np.array([one for _, one in codes], np.int64),
            nodata_dm2=np.zeros(1, np.int64),
            outside_dm2=np.zeros(1, np.int64),
        )
        one = strata.given_of(given)
        spread = strata.spread_parcels(
            histogram,
            {} if one is None else {0: one},
            layer_year=layer_year,
            last_year=last_year,
        )
        for row, area in zip(spread.row.tolist(), spread.area_dm2.tolist(), strict=True):
            yield spread.strata[row], area


def _scaled(
    stock: Mapping[str, Floats],
    held: set[str],
    errors: Mapping[str, CurveError],
    *,
    view: RunView,
    seed: int,
    draws: int,
) -> Draws:
    """Multiply what stands on each curve by its drawn factor."""
    factors = monte_carlo.factors(errors, seed=seed, draws=draws)
    years = tuple(range(view.first_year - 1, view.last_year + 1))
    total = np.zeros((draws, len(years)))
    for key, t_c in sorted(stock.items()):
        total += np.outer(factors.get(key, np.ones(draws)), t_c)
    unknown = {key for key in stock if key not in errors} | held
    return Draws(years=years, total_t_c=total, unknown=tuple(sorted(unknown)), seed=seed)


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
    *,
    sampling_half_width: float,
    parcels: list[UUID] | None,
) -> RunInterval:
    kg = drawn.total_t_c * units.co2_from_c(1.0) * units.KG_PER_T
    rows = session.execute(_SUMS, {"run": view.id, "parcels": parcels})
    sums = {row.year: row for row in rows}
    stock, net = _ends(kg[:, 1:]), _ends(np.diff(kg, axis=1))
    low, high = _ends(kg[:, [-1]] - kg[:, [0]])
    net_kg = int(sum(row.net_kg for row in sums.values()))
    total = Interval(kg=net_kg, low_kg=int(low[0]), high_kg=int(high[0]))
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
_SCOPE = "r.id = :run AND (CAST(:parcels AS uuid[]) IS NULL OR s.parcel_id = ANY(:parcels))"
_AREAS = text(
    "SELECT c.code, sum(c.area) AS area FROM assessment_run r"
    " JOIN assessment_series s ON s.run_id = r.id"
    " JOIN histogram h ON h.parcel_id = s.parcel_id AND h.version = s.version"
    " AND h.layer_set = r.layer_set"
    " CROSS JOIN LATERAL unnest(h.cohort, h.area_dm2) AS c(code, area)"
    f" WHERE {_SCOPE} GROUP BY 1 ORDER BY 1"
)
_CALM = text(str(_AREAS).replace("WHERE", "WHERE s.given IS NULL AND"))
_GIVEN = text(
    "SELECT h.cohort, h.area_dm2, s.given FROM assessment_run r"
    " JOIN assessment_series s ON s.run_id = r.id"
    " JOIN histogram h ON h.parcel_id = s.parcel_id AND h.version = s.version"
    f" AND h.layer_set = r.layer_set WHERE s.given IS NOT NULL AND {_SCOPE} ORDER BY s.parcel_id"
)
_SUMS = text(
    "SELECT year, sum(stock_kg) AS stock_kg, sum(net_kg) AS net_kg FROM assessment"
    " WHERE run_id = :run AND (CAST(:parcels AS uuid[]) IS NULL OR parcel_id = ANY(:parcels))"
    " GROUP BY year"
)
