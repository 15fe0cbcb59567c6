"""``/periods``: what grew in some years, a verifier's answer, and the units issued of it."""

from uuid import UUID

from sqlalchemy.orm import Session

from options import delivery
from options.refusals import SoldAheadError
from registry import issuance, periods
from registry.errors import NotFoundError, NotPermittedError, WrongStateError
from registry.people import ActorView
from registry.reads import periods as reads
from registry.reads.projects import require_writer
from registry.unit_errors import (
    HolderNotAllowedError,
    IssuerExternalError,
    PeriodNotWholeYearsError,
    PeriodOutsideCreditingError,
    PeriodOverlapsError,
    RunNotUsableError,
    SamePersonError,
    VerifiedTooMuchError,
    VerifierNotIndependentError,
)
from web.api.endpoints import Act, Noun, Read

_DECIDES = (
    SamePersonError,
    VerifierNotIndependentError,
    WrongStateError,
    NotPermittedError,
    NotFoundError,
)


def guard_submit(session: Session, who: ActorView, command: periods.SubmitPeriod) -> None:
    """Refuse periods of another county's project."""
    require_writer(session, who, command.project_id)


def guard_verifier(
    session: Session, who: ActorView, command: periods.VerifyPeriod | periods.RefusePeriod
) -> None:
    """Refuse to answer for another verifier, or on a period out of sight."""
    _project(session, who, command.period_id)
    if command.verifier_id != who.party_id:
        raise NotPermittedError(needs=str(command.verifier_id))


def guard_issue(session: Session, who: ActorView, command: issuance.IssuePeriod) -> None:
    """Refuse to issue another county's period."""
    require_writer(session, who, _project(session, who, command.period_id))


def _project(session: Session, who: ActorView, period_id: UUID) -> UUID:
    return reads.period(session, who, reads.PeriodById(period_id=period_id)).project.id


NOUN = Noun(
    name="periods",
    title=("监测期", "Monitoring periods and issuance"),
    endpoints=(
        Read(
            name="list_periods",
            rule="/periods",
            permission="period:read",
            query=reads.PeriodQuery,
            read=reads.periods,
            summary=("监测期列表", "Periods, those that wait for a verifier first"),
        ),
        Read(
            name="get_period",
            rule="/periods/<uuid:period_id>",
            permission="period:read",
            query=reads.PeriodById,
            read=reads.period,
            summary=("一个监测期", "A period with the steps of its plan and its batches"),
            raises=(NotFoundError,),
        ),
        Read(
            name="get_sample",
            rule="/periods/<uuid:period_id>/sample",
            permission="period:read",
            query=reads.SampleQuery,
            read=reads.sample,
            summary=("核证抽样", "The parcels a verifier looks at; anybody draws the same"),
            raises=(NotFoundError,),
        ),
        Act(
            name="submit_period",
            rule="/projects/<uuid:project_id>/periods",
            permission="period:open",
            command=periods.SubmitPeriod,
            verb=periods.submit,
            summary=("提交监测期", "Plan and submit a period of whole years"),
            raises=(
                PeriodNotWholeYearsError,
                PeriodOutsideCreditingError,
                PeriodOverlapsError,
                RunNotUsableError,
                NotPermittedError,
                NotFoundError,
            ),
            status=201,
            guard=guard_submit,
        ),
        Act(
            name="verify_period",
            rule="/periods/<uuid:period_id>/verification",
            permission="period:verify",
            command=periods.VerifyPeriod,
            verb=periods.verify,
            summary=("核证通过", "A verifier's yes, with the kg they stand for"),
            raises=(VerifiedTooMuchError, *_DECIDES),
            guard=guard_verifier,
        ),
        Act(
            name="refuse_period",
            rule="/periods/<uuid:period_id>/refusal",
            permission="period:verify",
            command=periods.RefusePeriod,
            verb=periods.refuse,
            summary=("核证不通过", "A verifier's no, with the reason"),
            raises=_DECIDES,
            guard=guard_verifier,
        ),
        Act(
            name="issue_period",
            rule="/periods/<uuid:period_id>/issuance",
            permission="unit:issue",
            command=issuance.IssuePeriod,
            verb=delivery.issue_period,
            summary=("签发", "Issue a verified period of which nothing is sold ahead"),
            raises=(
                SoldAheadError,
                IssuerExternalError,
                HolderNotAllowedError,
                WrongStateError,
                NotPermittedError,
                NotFoundError,
            ),
            status=201,
            guard=guard_issue,
        ),
    ),
)
