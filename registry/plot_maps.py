"""What a run says where plots lie, and its mean over each stratum: the map of assisted estimates.

The map's cells are parcels: a plot has the live carbon a hectare of the claimed parcel it lies in,
a stratum the mean of its parcels by area. Strata are told by an attribute of the parcels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from registry.errors import RegistryError
from registry.field_plots import PlotView
from registry.unit_errors import RunNotUsableError
from sinks import units


class PlotMapMissingError(RegistryError):
    """The run says nothing of some plots or strata."""

    code = "PLOT_MAP_MISSING"


@dataclass(frozen=True, slots=True, kw_only=True)
class MapOfPlots:
    """The map at each plot by its number, and its mean by stratum, t C/ha; changes of a change."""

    run_id: UUID
    mapped: Mapping[str, float]
    mean: Mapping[str, float]


def newest_run(session: Session, project_id: UUID, years: Sequence[int]) -> UUID:
    """Return the newest run of a project that covers some years, monitored before forecast.

    Raises
    ------
    RunNotUsableError : there is none.
    """
    found: UUID | None = session.scalar(
        _NEWEST, {"project": project_id, "low": min(years), "high": max(years)}
    )
    if found is None:
        raise RunNotUsableError(run_id="—", why="years_missing")
    return found


def of_plots(
    session: Session,
    project_id: UUID,
    run_id: UUID,
    plots: Sequence[PlotView],
    *,
    years: Sequence[int],
    by: str,
) -> MapOfPlots:
    """Return the map at plots and its means.

    Parameters
    ----------
    years : one, or the earlier and the later of a change.
    by : attribute of the parcels that names their stratum; empty takes all ground as one.

    Raises
    ------
    RunNotUsableError : the run is of another project or does not cover the years.
    PlotMapMissingError : plots outside the run's parcels, strata without any.
    """
    _require(session, project_id, run_id, years)
    at = [_at_plots(session, project_id, run_id, plots, year) for year in years]
    means = [_means(session, project_id, run_id, year, by) for year in years]
    missing = sorted({one.plot.number for one in plots} - set(at[-1]))
    names = {one.plot.stratum if by else "" for one in plots}
    strata = sorted(names - set(means[-1]))
    if missing or strata:
        raise PlotMapMissingError(
            plots=", ".join(missing[:10]) or "—", strata=", ".join(strata) or "—"
        )
    mean = _change(means)
    if not by:
        mean = {one.plot.stratum: mean[""] for one in plots}
    return MapOfPlots(run_id=run_id, mapped=_change(at), mean=mean)


def _change(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    if len(found) == 1:
        return dict(found[0])
    before, after = found
    return {name: value - before.get(name, 0.0) for name, value in after.items()}


def _require(session: Session, project_id: UUID, run_id: UUID, years: Sequence[int]) -> None:
    run = session.execute(_RUN, {"run": run_id}).first()
    why = ""
    if run is None:
        why = "not_found"
    elif run.project_id != project_id:
        why = "other_project"
    elif min(years) < run.years.lower or max(years) >= run.years.upper:
        why = "years_missing"
    if why:
        raise RunNotUsableError(run_id=run_id, why=why)


def _at_plots(
    session: Session, project_id: UUID, run_id: UUID, plots: Sequence[PlotView], year: int
) -> dict[str, float]:
    asked = {
        "project": project_id,
        "run": run_id,
        "year": year,
        "numbers": [one.plot.number for one in plots],
        "lon": [one.plot.lon for one in plots],
        "lat": [one.plot.lat for one in plots],
    }
    return {row.number: _t_c_ha(row) for row in session.execute(_AT, asked)}


def _means(
    session: Session, project_id: UUID, run_id: UUID, year: int, by: str
) -> dict[str, float]:
    asked = {"project": project_id, "run": run_id, "year": year, "by": by}
    return {row.stratum: _t_c_ha(row) for row in session.execute(_MEANS, asked)}


def _t_c_ha(row: object) -> float:
    kg, area_m2 = float(row.stock_kg), float(row.area_m2)  # type: ignore[attr-defined]
    return kg / float(units.CO2_PER_C) / units.KG_PER_T / units.ha_from_m2(area_m2)


_NEWEST = text(
    "SELECT id FROM assessment_run WHERE project_id = :project AND years @> CAST(:low AS int)"
    " AND years @> CAST(:high AS int) ORDER BY kind DESC, recorded_at DESC LIMIT 1"
)
_RUN = text("SELECT project_id, years FROM assessment_run WHERE id = :run")
# Live carbon of each claimed parcel of the run in a year, whichever way the run kept its pools.
_LIVE = (
    "SELECT s.parcel_id, v.geometry, v.area_m2, v.attributes,"
    " CASE WHEN r.pools IS NULL THEN s.stock_kg[CAST(:year AS int) - s.first_year + 1]"
    " ELSE (SELECT sum(p.stock_kg)::int8 FROM assessment_pool p WHERE p.run_id = r.id"
    "   AND p.parcel_id = s.parcel_id AND p.year = :year AND p.pool IN ('AGB', 'BGB')) END"
    "   AS stock_kg"
    " FROM assessment_run r JOIN assessment_series s ON s.run_id = r.id"
    " JOIN parcel_version v ON v.parcel_id = s.parcel_id AND v.version = s.version"
    " WHERE r.id = :run AND EXISTS (SELECT FROM claim c WHERE c.project_id = :project"
    "   AND c.parcel_id = s.parcel_id AND c.status = 'active')"
)
_AT = text(
    f"WITH live AS ({_LIVE}) SELECT DISTINCT ON (w.number) w.number, l.stock_kg, l.area_m2"
    " FROM unnest(CAST(:numbers AS text[]), CAST(:lon AS float8[]), CAST(:lat AS float8[]))"
    "   AS w(number, lon, lat) JOIN live l"
    " ON ST_Covers(l.geometry, ST_SetSRID(ST_MakePoint(w.lon, w.lat), 4490))"
    " ORDER BY w.number, l.parcel_id"
)
_MEANS = text(
    f"WITH live AS ({_LIVE}) SELECT CASE WHEN CAST(:by AS text) = '' THEN ''"
    " ELSE coalesce(attributes ->> CAST(:by AS text), '') END AS stratum,"
    " sum(stock_kg) AS stock_kg, sum(area_m2) AS area_m2 FROM live GROUP BY 1"
)
