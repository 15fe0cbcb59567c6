"""What plots say of a project: mean, half-width at 90 %, and the U of a period's discount."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any, Final, Literal, get_args
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from registry import events, field_plots, plot_maps
from registry.canonical import plain
from registry.db import Command
from registry.errors import InvalidValueError, NotFoundError, RegistryError
from registry.field_plots import Origin, PlotView
from registry.models import PlotEstimate
from registry.plot_maps import MapOfPlots
from sinks import estimators, uncertainty
from sinks.estimators import Assisted, MappedStratum
from sinks.uncertainty import Estimate, Stratum

Estimator = Literal["expansion", "difference", "ratio", "regression"]


class PlotModelError(RegistryError):
    """No source of equations, or not the one that was asked for, knows every tree of the plots."""

    code = "PLOT_MODEL_NONE"


class StratumAreasError(RegistryError):
    """Several strata need their areas; one of a stratum is missing or too many."""

    code = "PLOT_STRATUM_AREAS"


class PlotsNotPairedError(RegistryError):
    """Fewer than two plots were measured in both surveys."""

    code = "PLOTS_NO_PAIRS"


class EstimateNotUsableError(RegistryError):
    """A period names an estimate of another project, or another U than the estimate's."""

    code = "PLOT_ESTIMATE_UNUSABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatePlots(Command):
    """Estimate a survey, or with ``before_year`` the change since an earlier one, plot by plot.

    Attributes
    ----------
    model : source of equations; the first that knows every tree and the roots, if not given.
    stratum_ha : area of each stratum; not needed for one.
    estimator : ``expansion`` of the plots alone, or with a run as map: ``difference``, ``ratio``,
        ``regression`` (`sinks.estimators`).
    run_id : the map; the project's newest over the years, if not given.
    by : attribute of the parcels that names the plots' strata, for the map's means; empty takes
        the mean of all claimed ground.
    """

    project_id: UUID
    origin: Origin
    survey_year: int
    before_year: int | None = None
    model: str | None = None
    stratum_ha: Mapping[str, float] = field(default_factory=dict)
    estimator: Estimator = "expansion"
    run_id: UUID | None = None
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByModel:
    """The same plots by one source of equations, t C/ha."""

    model: str
    mean_t_c_ha: float
    half_width_t_c_ha: float
    u: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateView:
    """An estimate as it is kept; ``u`` is the exact relative half-width."""

    id: UUID
    project_id: UUID
    origin: str
    survey_year: int
    before_year: int | None
    model: str
    mean_t_c_ha: float
    half_width_t_c_ha: float
    u: str
    n: int
    strata: list[dict[str, Any]]
    plots: list[list[str]]
    models: list[dict[str, Any]]
    estimator: str
    run_id: UUID | None
    assisted: dict[str, Any] | None
    actor: str
    effective_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatePlan:
    """An estimate by one model with the same by all others."""

    model: str
    estimate: Estimate
    strata: list[dict[str, Any]]
    plots: list[list[str]]
    models: list[ByModel]
    assisted: dict[str, Any] | None


def estimate(session: Session, command: EstimatePlots) -> EstimateView:
    """Estimate the plots of a survey and keep what came out, with all it was made from.

    Raises
    ------
    NotFoundError : the survey has no plots.
    PlotModelError, StratumAreasError, PlotsNotPairedError
    RunNotUsableError, PlotMapMissingError : of the map.
    sinks.errors.DomainError : too few plots; a mean of nothing.
    """
    now = _views(session, command, command.survey_year)
    before = None
    if command.before_year is not None:
        before = _views(session, command, command.before_year)
    mapped = _mapped(session, command, now)
    plan = plan_estimate(
        now,
        before=before,
        model=command.model,
        stratum_ha=command.stratum_ha,
        estimator=command.estimator,
        mapped=mapped,
    )
    made = PlotEstimate(
        id=uuid4(),
        project_id=command.project_id,
        origin=command.origin,
        survey_year=command.survey_year,
        before_year=command.before_year,
        model=plan.model,
        mean_t_c_ha=plan.estimate.mean,
        half_width_t_c_ha=plan.estimate.half_width,
        u=str(plan.estimate.u),
        n=plan.estimate.n,
        strata=plan.strata,
        plots=plan.plots,
        models=[asdict(one) for one in plan.models],
        estimator=command.estimator,
        run_id=None if mapped is None else mapped.run_id,
        assisted=plan.assisted,
        actor_id=command.actor_id,
        effective_at=command.at,
    )
    session.add(made)
    session.flush()
    events.record(
        session,
        command,
        kind="plots.estimated",
        subject=("project", str(command.project_id)),
        body={
            "estimate": made.id,
            "origin": command.origin,
            "survey_year": command.survey_year,
            "before_year": command.before_year,
            "model": plan.model,
            "u": made.u,
            "n": made.n,
            "estimator": made.estimator,
            "run": made.run_id,
            "mean_t_c_ha": repr(made.mean_t_c_ha),
            "half_width_t_c_ha": repr(made.half_width_t_c_ha),
            "plots": plan.plots,
            "strata": plain(plan.strata, floats=True),
        },
    )
    return get(session, made.id)


def get(session: Session, estimate_id: UUID) -> EstimateView:
    """Return an estimate.

    Raises
    ------
    NotFoundError : there is none.
    """
    row = session.execute(text(f"{_SELECT} WHERE e.id = :id"), {"id": estimate_id}).first()
    if row is None:
        raise NotFoundError(what="estimate", id=estimate_id)
    return _view(row)


def listing(session: Session, project_id: UUID) -> list[EstimateView]:
    """Return a project's estimates, the newest first."""
    query = text(f"{_SELECT} WHERE e.project_id = :project ORDER BY e.recorded_at DESC, e.id")
    return [_view(row) for row in session.execute(query, {"project": project_id})]


def evidence(
    session: Session, estimate_id: UUID, *, project_id: UUID, u: Fraction
) -> dict[str, Any]:
    """Return what a period keeps of the estimate its U comes from.

    Raises
    ------
    NotFoundError : there is no such estimate.
    EstimateNotUsableError : it is another project's, or its U is another.
    """
    found = get(session, estimate_id)
    if found.project_id != project_id or Fraction(found.u) != u:
        raise EstimateNotUsableError(u=str(float(u)), estimate_u=str(float(Fraction(found.u))))
    return {
        "estimate": str(found.id),
        "origin": found.origin,
        "survey_year": found.survey_year,
        "before_year": found.before_year,
        "model": found.model,
        "n": found.n,
        "u": found.u,
        "mean_t_c_ha": repr(found.mean_t_c_ha),
        "half_width_t_c_ha": repr(found.half_width_t_c_ha),
        "estimator": found.estimator,
        "run": None if found.run_id is None else str(found.run_id),
        "efficiency": str((found.assisted or {}).get("relative_efficiency") or ""),
    }


def plan_estimate(
    now: Sequence[PlotView],
    *,
    before: Sequence[PlotView] | None,
    model: str | None,
    stratum_ha: Mapping[str, float],
    estimator: Estimator = "expansion",
    mapped: MapOfPlots | None = None,
) -> EstimatePlan:
    """Estimate plots by one model and by all others that know them; pure.

    Raises
    ------
    PlotModelError, StratumAreasError, PlotsNotPairedError, sinks.errors.DomainError
    """
    pairs: list[tuple[PlotView | None, PlotView]] = [(None, one) for one in now]
    if before is not None:
        earlier = {one.plot.number: one for one in before}
        pairs = [(earlier[p.plot.number], p) for p in now if p.plot.number in earlier]
        if len(pairs) <= 1:
            raise PlotsNotPairedError(pairs=len(pairs))
    weights = _weights([one.plot.stratum for _, one in pairs], stratum_ha)
    used = [one for pair in pairs for one in pair if one is not None]
    models = _models(used)
    chosen = model or next(iter(models), None)
    if chosen is None or chosen not in models:
        known = {one.plot.number for one in used if one.models}
        rest = [one.plot.number for one in used if one.plot.number not in known]
        raise PlotModelError(
            model=model or "—", known=", ".join(models), plots=", ".join(rest[:10])
        )
    if mapped is None:
        found = {key: _by(pairs, key, weights) for key in models}
        assisted = None
    else:
        helped = {key: _assisted(pairs, key, weights, estimator, mapped) for key in models}
        found = {key: one.estimate for key, one in helped.items()}
        assisted = _told(helped[chosen], pairs, mapped, list(weights))
    return EstimatePlan(
        model=chosen,
        assisted=assisted,
        estimate=found[chosen],
        strata=[
            {
                "stratum": name,
                "weight": weight,
                "plots": sum(one.plot.stratum == name for _, one in pairs),
            }
            for name, weight in weights.items()
        ],
        plots=[[one.plot.number, str(one.id)] for one in used],
        models=[
            ByModel(
                model=key,
                mean_t_c_ha=one.mean,
                half_width_t_c_ha=one.half_width,
                u=str(one.u) if one.mean else "",
            )
            for key, one in found.items()
        ],
    )


def _models(used: Sequence[PlotView]) -> list[str]:
    """Return the models that know every plot with trees: those with roots first, then by name."""
    wooded = [one for one in used if field_plots.CULMS_ONLY not in one.models]
    if not wooded:
        return [field_plots.CULMS_ONLY] if used else []
    counts = Counter(model for one in wooded for model in one.models)
    rooted = Counter(model for one in wooded for model in one.with_roots)
    every = [model for model, n in counts.items() if n == len(wooded)]
    return sorted(every, key=lambda model: (rooted[model] < len(wooded), model))


def _value(one: PlotView, model: str) -> float:
    """T C/ha of a plot; one without trees has its culms, by whatever model the others go."""
    return one.models[model if model in one.models else field_plots.CULMS_ONLY]


def _by(
    pairs: Sequence[tuple[PlotView | None, PlotView]], model: str, weights: Mapping[str, float]
) -> Estimate:
    def strata(side: int) -> list[Stratum]:
        return [
            Stratum(
                weight=weight,
                values=tuple(
                    _value(one, model)
                    for pair in pairs
                    if pair[1].plot.stratum == name and (one := pair[side]) is not None
                ),
            )
            for name, weight in weights.items()
        ]

    if pairs[0][0] is None:
        return uncertainty.estimate(strata(_AFTER))
    return uncertainty.paired_difference(strata(_BEFORE), strata(_AFTER))


def _assisted(
    pairs: Sequence[tuple[PlotView | None, PlotView]],
    model: str,
    weights: Mapping[str, float],
    estimator: Estimator,
    mapped: MapOfPlots,
) -> Assisted:
    """Estimate with the map: the plots' values, or their changes, against the map's."""

    def measured(before: PlotView | None, now: PlotView) -> float:
        return _value(now, model) - (0.0 if before is None else _value(before, model))

    strata = []
    for name, weight in weights.items():
        mine = [pair for pair in pairs if pair[1].plot.stratum == name]
        strata.append(
            MappedStratum(
                weight=weight,
                measured=tuple(measured(*pair) for pair in mine),
                mapped=tuple(mapped.mapped[now.plot.number] for _, now in mine),
                map_mean=mapped.mean[name],
            )
        )
    return estimators.estimate(strata, method=estimator)


def _told(
    helped: Assisted,
    pairs: Sequence[tuple[PlotView | None, PlotView]],
    mapped: MapOfPlots,
    strata: Sequence[str],
) -> dict[str, Any]:
    """Return what is kept of the map's part."""
    finite = helped.relative_efficiency < float("inf")
    return {
        "relative_efficiency": round(helped.relative_efficiency, 4) if finite else None,
        "strata": [
            {
                "stratum": name,
                "map_mean_t_c_ha": mapped.mean[name],
                "intercept": line[0],
                "slope": line[1],
            }
            for name, line in zip(strata, helped.coefficients, strict=True)
        ],
        "mapped": {now.plot.number: mapped.mapped[now.plot.number] for _, now in pairs},
    }


def _mapped(session: Session, command: EstimatePlots, now: Sequence[PlotView]) -> MapOfPlots | None:
    if command.estimator not in get_args(Estimator):
        raise InvalidValueError(
            field="estimator", value=command.estimator, why=" | ".join(get_args(Estimator))
        )
    if command.estimator == "expansion":
        return None
    years = [year for year in (command.before_year, command.survey_year) if year is not None]
    run_id = command.run_id or plot_maps.newest_run(session, command.project_id, years)
    return plot_maps.of_plots(session, command.project_id, run_id, now, years=years, by=command.by)


_BEFORE: Final = 0
_AFTER: Final = 1


def _weights(names: Sequence[str], stratum_ha: Mapping[str, float]) -> dict[str, float]:
    """Return each stratum's share of the area, by name."""
    strata = sorted(set(names))
    if len(strata) == 1 and not stratum_ha:
        return {strata[0]: 1.0}
    total = sum(stratum_ha.values())
    if set(strata) != set(stratum_ha) or not all(area > 0 for area in stratum_ha.values()):
        given = ", ".join(sorted(stratum_ha)) or "—"
        raise StratumAreasError(strata=", ".join(one or "—" for one in strata), given=given)
    return {name: stratum_ha[name] / total for name in strata}


def _views(session: Session, command: EstimatePlots, year: int) -> list[PlotView]:
    found = field_plots.listing(
        session, command.project_id, origin=command.origin, survey_year=year
    )
    if not found:
        raise NotFoundError(what="plot", id=year)
    if command.before_year is not None and command.before_year >= command.survey_year:
        raise InvalidValueError(
            field="before_year", value=command.before_year, why=f"< {command.survey_year}"
        )
    return found


def _view(row: Any) -> EstimateView:  # noqa: ANN401 -- a result row
    return EstimateView(**{name: getattr(row, name) for name in EstimateView.__dataclass_fields__})


_SELECT = "SELECT e.*, a.name AS actor FROM plot_estimate e JOIN actor a ON a.id = e.actor_id"
