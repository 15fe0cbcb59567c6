"""``/labels`` and ``/benchmarks``: four-colour labels over HTTP; a label itself is public."""

from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from pydantic import Field
from sqlalchemy.orm import Session

from registry.errors import InvalidValueError, NotFoundError
from registry.orchards import errors, label_settings, labels
from registry.people import ActorView
from registry.reads import orchards as reads
from registry.reads.scope import require_division
from web.api.endpoints import Act, Noun, Read
from web.api.orchards import guard_county
from web.auth import PUBLIC

_READS: Final = "label:read"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRunById:
    """One run."""

    run_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelQuery:
    """A county's standing labels of a year."""

    adcode: Annotated[str, Field(pattern="^[0-9]{6}$")]
    year: reads.YearNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingLabels:
    """The newest verdict of each account of a county for a year."""

    items: tuple[labels.LabelView, ...]
    next: str | None = None


def guard_appeal(session: Session, who: ActorView, command: labels.AppealLabel) -> None:
    """Refuse an objection to the label of an account out of sight."""
    reads.require_orchard(session, who, reads.label_orchard(session, command.number))


def get_run(session: Session, who: ActorView, query: LabelRunById) -> labels.LabelRunView:
    """Return a run with its verdicts, counts and benchmarks."""
    found = labels.run_view(session, query.run_id)
    require_division(who, found.adcode)
    return found


def standing(session: Session, who: ActorView, query: LabelQuery) -> StandingLabels:
    """Return the newest verdict of each account the actor may see."""
    require_division(who, query.adcode)
    return StandingLabels(items=labels.current_labels(session, query.adcode, query.year))


NOUN = Noun(
    name="labels",
    title=("四色贴标", "Four-colour labels"),
    endpoints=(
        Read(
            name="list_labels",
            rule="/labels",
            permission=_READS,
            query=LabelQuery,
            read=standing,
            summary=("一县一年的现行标识", "The standing labels of a county-year"),
        ),
        Read(
            name="get_label",
            rule="/labels/<number>",
            permission=PUBLIC,
            query=reads.LabelByNumber,
            read=reads.label_page,
            summary=("一枚标识及其依据", "A label and what it stands on"),
            raises=(NotFoundError,),
        ),
        Act(
            name="appeal_label",
            rule="/labels/<number>/appeals",
            permission="label:object",
            command=labels.AppealLabel,
            verb=labels.appeal_label,
            summary=("对标识提出异议", "Ask for a verdict again, with a reason"),
            raises=(errors.AppealTooLateError, InvalidValueError, NotFoundError),
            status=201,
            guard=guard_appeal,
        ),
        Act(
            name="run_labels",
            rule="/label-runs",
            permission="label:decide",
            command=labels.RunLabels,
            verb=labels.run_labels,
            summary=("评定一县一年的标识", "Decide the labels of a county-year"),
            raises=(InvalidValueError,),
            status=201,
            guard=guard_county,
        ),
        Read(
            name="get_label_run",
            rule="/label-runs/<uuid:run_id>",
            permission=_READS,
            query=LabelRunById,
            read=get_run,
            summary=("一次评定", "A run: verdicts, counts, benchmarks"),
            raises=(NotFoundError,),
        ),
        Act(
            name="set_benchmark",
            rule="/benchmarks",
            permission="label:decide",
            command=label_settings.SetBenchmark,
            verb=label_settings.set_benchmark,
            summary=("登记县定基准值", "Enter the bureau's value for a small group"),
            raises=(errors.BenchmarkSourceError, InvalidValueError),
            status=201,
            guard=guard_county,
        ),
    ),
)
