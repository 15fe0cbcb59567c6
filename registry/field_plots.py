"""Field plots of a project: entered by survey, corrected by a new version, never changed.

The project's own plots and a verifier's are kept apart; each is estimated by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from registry import events, plot_ground
from registry.canonical import digest, plain
from registry.db import Command
from registry.errors import InvalidValueError, NotFoundError, RegistryError
from registry.models import FieldPlot
from registry.plot_ground import PlotPlace
from sinks import plots as science

Origin = Literal["project", "verifier"]
Shape = Literal["circle", "square"]

MOST_PLOTS: Final = 2000
MOST_STEMS: Final = 2000
"""Trees, or classes of culms, of one plot."""


class PlotOutsideError(RegistryError):
    """Plots do not lie on ground that the project claims."""

    code = "PLOT_OUTSIDE"


class PlotReasonError(RegistryError):
    """A plot that is there already is entered otherwise, and nobody says why."""

    code = "PLOT_REASON"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A tree: diameter at breast height in cm, height and length of the crown in m."""

    species: str
    d_cm: float
    h_m: float
    crown_length_m: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Culms:
    """Culms of one age class (du): how many, and their mean diameter in cm."""

    du: int
    count: int
    d_cm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A plot as measured; ``size_m`` is the radius or the side, ``slope`` rise over run."""

    number: str
    lon: float
    lat: float
    shape: Shape
    size_m: float
    slope: float
    measured_on: date
    measured_by: str
    stratum: str = ""
    trees: tuple[Tree, ...] = ()
    culms: tuple[Culms, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterPlots(Command):
    """Plots of a survey, all or none; ``reason`` where some are there already and differ."""

    project_id: UUID
    origin: Origin
    survey_year: int
    plots: tuple[Plot, ...]
    reason: str = ""
    source_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawPlot(Command):
    """Leave a plot out of its survey, for a reason; what was measured stays in the record."""

    project_id: UUID
    origin: Origin
    survey_year: int
    number: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotsEntered:
    """How many plots are new, how many were corrected, how many are as they were."""

    project_id: UUID
    survey_year: int
    new: int
    corrected: int
    same: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotView:
    """A plot's present version with its carbon by every equation that knows it.

    Attributes
    ----------
    area_m2 : on the map.
    models : t C/ha by source of equations, culms included; only sources that know every tree.
    low_t_ha, high_t_ha : of `models`; None where no source knows all trees.
    with_roots : the sources whose figure holds the roots; culms are above ground only.
    parcel_id, parcel_code : of the claimed parcel that holds its middle now.
    """

    id: UUID
    version: int
    plot: Plot
    actor: str
    area_m2: float
    models: Mapping[str, float]
    with_roots: tuple[str, ...]
    low_t_ha: float | None
    high_t_ha: float | None
    parcel_id: UUID | None = None
    parcel_code: str | None = None


CULMS_ONLY: Final = "culms"
"""Model of a plot with bamboo alone: one equation is known, above the ground."""


def enter(session: Session, command: EnterPlots) -> PlotsEntered:
    """Enter the plots of a survey, or correct those that are there.

    Raises
    ------
    NotFoundError : there is no such project.
    InvalidValueError : no plots or too many, a number twice, a survey before its measurements.
    PlotOutsideError, PlotReasonError : of some plots, by number.
    sinks.errors.DomainError : sizes that are slips of the unit.
    """
    _check(command)
    if session.execute(_PROJECT, {"id": command.project_id}).first() is None:
        raise NotFoundError(what="project", id=command.project_id)
    outside = [row.number for row in session.execute(_OUTSIDE, _points(command))]
    if outside:
        raise PlotOutsideError(numbers=", ".join(outside[:10]), count=len(outside))
    known = _present(session, command.project_id, command.origin, command.survey_year)
    new = [one for one in command.plots if one.number not in known]
    changed = [
        one for one in command.plots if one.number in known and _plot(known[one.number]) != one
    ]
    if changed and not command.reason.strip():
        raise PlotReasonError(numbers=", ".join(one.number for one in changed[:10]))
    for one in (*new, *changed):
        before = known.get(one.number)
        _add(session, command, one, version=1 if before is None else before.version + 1)
    session.flush()
    if new or changed:
        _record(session, command, (*new, *changed))
    return PlotsEntered(
        project_id=command.project_id,
        survey_year=command.survey_year,
        new=len(new),
        corrected=len(changed),
        same=len(command.plots) - len(new) - len(changed),
    )


def withdraw(session: Session, command: WithdrawPlot) -> PlotsEntered:
    """Leave a plot out of its survey.

    Raises
    ------
    NotFoundError : the survey has no such plot.
    InvalidValueError : no reason.
    """
    if not command.reason.strip():
        raise InvalidValueError(field="reason", value="", why="1-")
    known = _present(session, command.project_id, command.origin, command.survey_year)
    found = known.get(command.number)
    if found is None or found.withdrawn:
        raise NotFoundError(what="plot", id=command.number)
    _add(session, command, _plot(found), version=found.version + 1)
    session.flush()
    _record(session, command, (_plot(found),))
    return PlotsEntered(
        project_id=command.project_id,
        survey_year=command.survey_year,
        new=0,
        corrected=1,
        same=0,
    )


def surveys(session: Session, project_id: UUID) -> list[tuple[Origin, int, int]]:
    """Return whose plots there are of which year, and how many, the newest first."""
    rows = session.execute(_SURVEYS, {"project": project_id})
    return [(row.origin, row.survey_year, row.plots) for row in rows]


def listing(
    session: Session, project_id: UUID, *, origin: Origin, survey_year: int
) -> list[PlotView]:
    """Return the plots of a survey as they stand, by number, with their carbon."""
    rows = _present(session, project_id, origin, survey_year).values()
    held = {one.plot_id: one for one in plot_ground.places(session, [row.id for row in rows])}
    return [_view(row, held[row.id]) for row in rows if not row.withdrawn]


def carbon(plot: Plot) -> tuple[float, dict[str, float], tuple[str, ...]]:
    """Return a plot's map area, its t C/ha by model, and the models that hold the roots.

    Raises
    ------
    sinks.errors.DomainError : sizes, slopes and densities that are slips.
    """
    round_plot = plot.shape == "circle"
    area_m2 = science.horizontal_area_m2(
        radius_m=plot.size_m if round_plot else None,
        side_m=None if round_plot else plot.size_m,
        slope=plot.slope,
    )
    bamboo = _culm_carbon(plot, area_m2)
    if not plot.trees:
        return area_m2, {CULMS_ONLY: bamboo}, ()
    crowns = tuple(one.crown_length_m for one in plot.trees)
    whole = all(length is not None for length in crowns)
    band = science.tree_band(
        science.TreeList(
            species_cn=tuple(one.species for one in plot.trees),
            d_cm=tuple(one.d_cm for one in plot.trees),
            h_m=tuple(one.h_m for one in plot.trees),
            crown_length_m=tuple(float(length or 0) for length in crowns) if whole else None,
        ),
        area_m2=area_m2,
    )
    known = [one for one in band.estimates if not one.uncounted]
    return (
        area_m2,
        {one.model: one.carbon_t_ha + bamboo for one in known},
        tuple(one.model for one in known if one.with_roots),
    )


def _culm_carbon(plot: Plot, area_m2: float) -> float:
    if not plot.culms:
        return 0.0
    counts = science.CulmCounts(
        du=tuple(one.du for one in plot.culms),
        count=tuple(one.count for one in plot.culms),
        d_cm=tuple(one.d_cm for one in plot.culms),
    )
    return science.culm_t_c_ha(counts, area_m2=area_m2)


def _check(command: EnterPlots) -> None:
    if not 0 < len(command.plots) <= MOST_PLOTS:
        raise InvalidValueError(field="plots", value=len(command.plots), why=f"1-{MOST_PLOTS}")
    numbers = [one.number for one in command.plots]
    for one in command.plots:
        if not one.number.strip() or numbers.count(one.number) > 1:
            raise InvalidValueError(field="number", value=one.number, why="1 ×")
        if not one.measured_by.strip():
            raise InvalidValueError(field="measured_by", value="", why=one.number)
        if len(one.trees) + len(one.culms) > MOST_STEMS:
            raise InvalidValueError(field="trees", value=len(one.trees), why=f"<= {MOST_STEMS}")
        near = abs(one.measured_on.year - command.survey_year) <= 1
        if not near or one.measured_on > command.at.date():
            value = f"{one.number}: {one.measured_on}"
            raise InvalidValueError(field="measured_on", value=value, why=command.survey_year)
        carbon(one)


def _points(command: EnterPlots) -> dict[str, Any]:
    return {
        "project": command.project_id,
        "numbers": [one.number for one in command.plots],
        "lon": [one.lon for one in command.plots],
        "lat": [one.lat for one in command.plots],
    }


def _add(session: Session, command: EnterPlots | WithdrawPlot, plot: Plot, *, version: int) -> None:
    source = command.source_sha256 if isinstance(command, EnterPlots) else None
    session.add(
        FieldPlot(
            id=uuid4(),
            project_id=command.project_id,
            origin=command.origin,
            survey_year=command.survey_year,
            number=plot.number,
            version=version,
            withdrawn=isinstance(command, WithdrawPlot),
            lon=plot.lon,
            lat=plot.lat,
            shape=plot.shape,
            size_m=plot.size_m,
            slope=plot.slope,
            measured_on=plot.measured_on,
            measured_by=plot.measured_by,
            stratum=plot.stratum,
            trees=[[t.species, t.d_cm, t.h_m, t.crown_length_m] for t in plot.trees],
            culms=[[c.du, c.count, c.d_cm] for c in plot.culms],
            reason=command.reason,
            source_sha256=None if source is None else bytes.fromhex(source),
            actor_id=command.actor_id,
            effective_at=command.at,
        )
    )


def _record(session: Session, command: EnterPlots | WithdrawPlot, plots: Sequence[Plot]) -> None:
    gone = isinstance(command, WithdrawPlot)
    events.record(
        session,
        command,
        kind="plots.withdrawn" if gone else "plots.entered",
        subject=("project", str(command.project_id)),
        body={
            "origin": command.origin,
            "survey_year": command.survey_year,
            "reason": command.reason,
            "plots": {one.number: digest(plain(one, floats=True)) for one in plots},
        },
    )


def _present(session: Session, project_id: UUID, origin: str, survey_year: int) -> dict[str, Any]:
    rows = session.execute(_PLOTS, {"project": project_id, "origin": origin, "year": survey_year})
    return {row.number: row for row in rows}


def _plot(row: Any) -> Plot:  # noqa: ANN401 -- a result row
    return Plot(
        number=row.number,
        lon=row.lon,
        lat=row.lat,
        shape=row.shape,
        size_m=row.size_m,
        slope=row.slope,
        measured_on=row.measured_on,
        measured_by=row.measured_by,
        stratum=row.stratum,
        trees=tuple(
            Tree(species=species, d_cm=d, h_m=h, crown_length_m=crown)
            for species, d, h, crown in row.trees
        ),
        culms=tuple(Culms(du=du, count=count, d_cm=d) for du, count, d in row.culms),
    )


def _view(row: Any, place: PlotPlace) -> PlotView:  # noqa: ANN401 -- a result row
    plot = _plot(row)
    area_m2, models, rooted = carbon(plot)
    return PlotView(
        id=row.id,
        version=row.version,
        plot=plot,
        actor=row.actor,
        area_m2=area_m2,
        models=models,
        with_roots=rooted,
        low_t_ha=min(models.values(), default=None),
        high_t_ha=max(models.values(), default=None),
        parcel_id=place.parcel_id,
        parcel_code=place.parcel_code,
    )


_PROJECT = text("SELECT id FROM project WHERE id = :id")
_OUTSIDE = text(
    "SELECT w.number FROM unnest(CAST(:numbers AS text[]), CAST(:lon AS float8[]),"
    " CAST(:lat AS float8[])) AS w(number, lon, lat) WHERE NOT EXISTS ("
    " SELECT FROM claim c JOIN parcel_version v ON v.parcel_id = c.parcel_id"
    " AND v.version = c.version WHERE c.project_id = :project AND c.status = 'active'"
    " AND ST_DWithin(v.geometry, ST_SetSRID(ST_MakePoint(w.lon, w.lat), 4490), 1e-9))"
)
_PLOTS = text(
    "SELECT DISTINCT ON (f.number) f.*, a.name AS actor FROM field_plot f"
    " JOIN actor a ON a.id = f.actor_id WHERE f.project_id = :project AND f.origin = :origin"
    " AND f.survey_year = :year ORDER BY f.number, f.version DESC"
)
_SURVEYS = text(
    "SELECT origin, survey_year, count(*) AS plots FROM ("
    " SELECT DISTINCT ON (origin, survey_year, number) origin, survey_year, withdrawn"
    " FROM field_plot WHERE project_id = :project"
    " ORDER BY origin, survey_year, number, version DESC) f WHERE NOT withdrawn"
    " GROUP BY 1, 2 ORDER BY 2 DESC, 1"
)
