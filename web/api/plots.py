"""``/projects/…/plots``: field plots entered as JSON, listed with their carbon, estimated."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from registry import field_plots, periods, plot_estimates
from registry.errors import InvalidValueError, NotFoundError, NotPermittedError
from registry.field_plots import Origin, PlotOutsideError, PlotReasonError, PlotView
from registry.people import ActorView
from registry.plot_estimates import (
    EstimateView,
    PlotModelError,
    PlotsNotPairedError,
    StratumAreasError,
)
from registry.plot_maps import PlotMapMissingError
from registry.reads import projects as reads
from registry.unit_errors import RunNotUsableError, VerifierNotIndependentError
from web.api.endpoints import Act, Noun, Read


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotsQuery:
    """Plots of a survey."""

    project_id: UUID
    survey_year: int
    origin: Origin = "project"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plots:
    """Plots by number, each with its carbon by every equation that knows it."""

    items: list[PlotView]


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatesQuery:
    """Estimates of a project."""

    project_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """Estimates, the newest first."""

    items: list[EstimateView]


def listed(session: Session, who: ActorView, query: PlotsQuery) -> Plots:
    """Return the plots of a survey of a project in sight."""
    reads.project(session, who, reads.ProjectById(project_id=query.project_id))
    found = field_plots.listing(
        session, query.project_id, origin=query.origin, survey_year=query.survey_year
    )
    return Plots(items=found)


def estimates(session: Session, who: ActorView, query: EstimatesQuery) -> Estimates:
    """Return the estimates of a project in sight."""
    reads.project(session, who, reads.ProjectById(project_id=query.project_id))
    return Estimates(items=plot_estimates.listing(session, query.project_id))


def guard(
    session: Session,
    who: ActorView,
    command: field_plots.EnterPlots | field_plots.WithdrawPlot | plot_estimates.EstimatePlots,
) -> None:
    """Refuse another's plots: a verifier's are the verifier's, the project's its own people's."""
    if (command.origin == "verifier") != who.has("verifier"):
        raise NotPermittedError(needs=command.origin)
    if command.origin == "project":
        reads.require_writer(session, who, command.project_id)
        return
    reads.project(session, who, reads.ProjectById(project_id=command.project_id))
    if who.party_id is None:
        raise VerifierNotIndependentError(relation="no_verifier")
    bound = periods.relation(session, verifier_id=who.party_id, project_id=command.project_id)
    if bound is not None:
        raise VerifierNotIndependentError(relation=bound)


_WRITES = (InvalidValueError, NotFoundError, NotPermittedError, VerifierNotIndependentError)

NOUN = Noun(
    name="plots",
    title=("样地", "Field plots"),
    endpoints=(
        Act(
            name="enter_plots",
            rule="/projects/<uuid:project_id>/plots",
            permission="plot:write",
            command=field_plots.EnterPlots,
            verb=field_plots.enter,
            summary=("录入样地", "Enter the plots of a survey, all or none"),
            raises=(*_WRITES, PlotOutsideError, PlotReasonError),
            status=201,
            guard=guard,
        ),
        Act(
            name="withdraw_plot",
            rule="/projects/<uuid:project_id>/plots/withdrawals",
            permission="plot:write",
            command=field_plots.WithdrawPlot,
            verb=field_plots.withdraw,
            summary=("去掉一个样地", "Leave a plot out of its survey; the record keeps it"),
            raises=_WRITES,
            guard=guard,
        ),
        Read(
            name="list_plots",
            rule="/projects/<uuid:project_id>/plots",
            permission="period:read",
            query=PlotsQuery,
            read=listed,
            summary=("样地列表", "Plots of a survey with their carbon by every equation"),
            raises=(NotFoundError,),
        ),
        Act(
            name="estimate_plots",
            rule="/projects/<uuid:project_id>/plots/estimates",
            permission="plot:write",
            command=plot_estimates.EstimatePlots,
            verb=plot_estimates.estimate,
            summary=("推算", "Estimate a survey, with a run as map if asked, and keep it"),
            raises=(
                *_WRITES,
                PlotModelError,
                StratumAreasError,
                PlotsNotPairedError,
                PlotMapMissingError,
                RunNotUsableError,
            ),
            status=201,
            guard=guard,
        ),
        Read(
            name="list_plot_estimates",
            rule="/projects/<uuid:project_id>/plots/estimates",
            permission="period:read",
            query=EstimatesQuery,
            read=estimates,
            summary=("估计列表", "A project's estimates, the newest first"),
            raises=(NotFoundError,),
        ),
    ),
)
