"""Monitoring periods: what was submitted, and the verifier's decision.

A period takes the yearly net of one monitored run over the ground the project has claimed, and
plans what of it may be issued (``sinks.issuance``).  The verifier is another person of a verifier
who has no part in the project.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlalchemy import Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from registry import events, plot_estimates
from registry.canonical import plain
from registry.db import Command
from registry.errors import NotFoundError, NotPermittedError, WrongStateError
from registry.unit_errors import (
    PeriodNotWholeYearsError,
    PeriodOutsideCreditingError,
    PeriodOverlapsError,
    RunNotUsableError,
    SamePersonError,
    VerifiedTooMuchError,
    VerifierNotIndependentError,
    refusals,
)
from sinks.issuance import BufferPool, CreditablePlan, Deduction, plan_creditable
from sinks.uncertainty import discount_table


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodInputs:
    """What the plan needs beside the run: whole-period kg, relative half-width, the programme.

    ``non_permanence_share`` goes to the buffer of each batch (``buffer_pool``) or never becomes
    a unit (``deduction``).
    """

    baseline_kg: int
    emissions_kg: int
    leakage_kg: int
    uncertainty: Fraction
    discount: str | None
    non_permanence: Literal["buffer_pool", "deduction"]
    non_permanence_share: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitPeriod(Command):
    """Submit a period; ``ends_on`` is the first day after it.

    ``estimate_id`` names the estimate of field plots (`registry.plot_estimates`) that U comes from.
    """

    project_id: UUID
    starts_on: date
    ends_on: date
    run_id: UUID
    inputs: PeriodInputs
    estimate_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyPeriod(Command):
    """A verifier's yes, with the kg they stand for and their statement's digest."""

    period_id: UUID
    verifier_id: UUID
    verified_kg: int
    statement_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusePeriod(Command):
    """A verifier's no, with the reason."""

    period_id: UUID
    verifier_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodAnswer:
    """A period as it stands after an act."""

    period_id: UUID
    event_id: UUID
    status: str
    creditable_kg: int
    verified_kg: int | None
    deficit_kg: int


def submit(session: Session, command: SubmitPeriod) -> PeriodAnswer:
    """Plan and submit a monitoring period.

    Raises
    ------
    NotFoundError, PeriodNotWholeYearsError, PeriodOutsideCreditingError, RunNotUsableError,
    PeriodOverlapsError, EstimateNotUsableError; ``sinks.errors.DomainError`` for inputs outside
    their domain.
    """
    project = session.execute(_PROJECT, {"id": command.project_id}).first()
    if project is None:
        raise NotFoundError(what="project", id=command.project_id)
    years = _years(command, project)
    changes = _changes(session, command, years)
    deficit_kg = int(session.scalar(_DEFICIT, _span(command)) or 0)
    plan = plan_period(changes, command.inputs, deficit_kg=deficit_kg, verified_kg=None)
    period_id = uuid4()
    written: dict[str, Any] = {
        "changes": [[year, kg] for year, kg in sorted(changes.items())],
        "deficit_before_kg": deficit_kg,
        "steps": plain(plan),
    }
    if command.estimate_id is not None:
        written["plots"] = plot_estimates.evidence(
            session,
            command.estimate_id,
            project_id=command.project_id,
            u=command.inputs.uncertainty,
        )
    with refusals({"ex_period_one_at_a_time": PeriodOverlapsError}):
        session.execute(
            _INSERT,
            _span(command)
            | {
                "id": period_id,
                "run": command.run_id,
                "inputs": plain(command.inputs),
                "creditable": plan.creditable_kg,
                "plan": written,
                "actor": command.actor_id,
                "at": command.at,
            },
        )
    event_id = events.record(
        session,
        command,
        kind="period.submitted",
        subject=("period", str(period_id)),
        body={
            "project": command.project_id,
            "starts_on": command.starts_on,
            "ends_on": command.ends_on,
            "run": command.run_id,
            "inputs": plain(command.inputs),
            "plan": written,
        },
    )
    return PeriodAnswer(
        period_id=period_id,
        event_id=event_id,
        status="submitted",
        creditable_kg=plan.creditable_kg,
        verified_kg=None,
        deficit_kg=plan.deficit_kg,
    )


def verify(session: Session, command: VerifyPeriod) -> PeriodAnswer:
    """Record a verifier's yes.

    Raises
    ------
    NotFoundError, WrongStateError, SamePersonError, NotPermittedError,
    VerifierNotIndependentError, VerifiedTooMuchError.
    """
    period = _decide(session, command)
    if not 0 <= command.verified_kg <= period.creditable_kg:
        raise VerifiedTooMuchError(
            verified_kg=command.verified_kg, creditable_kg=period.creditable_kg
        )
    session.execute(
        _VERIFY,
        {
            "id": command.period_id,
            "verifier": command.verifier_id,
            "kg": command.verified_kg,
            "statement": bytes.fromhex(command.statement_sha256),
        },
    )
    event_id = events.record(
        session,
        command,
        kind="period.verified",
        subject=("period", str(command.period_id)),
        body={
            "verifier": command.verifier_id,
            "verified_kg": command.verified_kg,
            "creditable_kg": period.creditable_kg,
            "statement_sha256": command.statement_sha256,
        },
    )
    return _answer(period, event_id, "verified", command.verified_kg)


def refuse(session: Session, command: RefusePeriod) -> PeriodAnswer:
    """Record a verifier's no; the days are free for another submission.

    Raises
    ------
    NotFoundError, WrongStateError, SamePersonError, NotPermittedError,
    VerifierNotIndependentError.
    """
    period = _decide(session, command)
    session.execute(_REFUSE, {"id": command.period_id, "verifier": command.verifier_id})
    event_id = events.record(
        session,
        command,
        kind="period.refused",
        subject=("period", str(command.period_id)),
        body={"verifier": command.verifier_id, "reason": command.reason},
    )
    return _answer(period, event_id, "refused", None)


def relation(session: Session, *, verifier_id: UUID, project_id: UUID) -> str | None:
    """Return what binds a verifier to a project, or None: no_verifier, proponent, owner, holder."""
    found: str | None = session.scalar(_RELATION, {"verifier": verifier_id, "project": project_id})
    return found


def plan_period(
    changes: Mapping[int, int],
    inputs: PeriodInputs,
    *,
    deficit_kg: int,
    verified_kg: int | None,
) -> CreditablePlan:
    """Plan a period from the project's change of each year, kg; pure."""
    share = inputs.non_permanence_share
    years = sorted(changes)
    return plan_creditable(
        years,
        [changes[year] for year in years],
        baseline_kg=inputs.baseline_kg,
        emissions_kg=inputs.emissions_kg,
        leakage_kg=inputs.leakage_kg,
        uncertainty=inputs.uncertainty,
        discount=discount_table(inputs.discount) if inputs.discount else None,
        non_permanence=(
            BufferPool(share=share)
            if inputs.non_permanence == "buffer_pool"
            else Deduction(share=share)
        ),
        verified_kg=verified_kg,
        deficit_kg=deficit_kg,
    )


def read_inputs(stored: Mapping[str, Any]) -> PeriodInputs:
    """Read inputs back from the form they are stored in."""
    return PeriodInputs(
        **dict(stored)
        | {name: Fraction(stored[name]) for name in ("uncertainty", "non_permanence_share")}
    )


def _years(command: SubmitPeriod, project: Row[Any]) -> list[int]:
    first, past = command.starts_on, command.ends_on
    whole = (first.month, first.day, past.month, past.day) == (1, 1, 1, 1)
    if not whole or past <= first:
        raise PeriodNotWholeYearsError(starts_on=first, ends_on=past)
    if first < project.crediting_from or past > project.crediting_to:
        raise PeriodOutsideCreditingError(
            crediting_from=project.crediting_from, crediting_to=project.crediting_to
        )
    return list(range(first.year, past.year))


def _changes(session: Session, command: SubmitPeriod, years: list[int]) -> dict[int, int]:
    run = session.execute(_RUN, {"run": command.run_id}).first()
    why = ""
    if run is None:
        why = "not_found"
    elif run.kind != "monitored":
        why = "not_monitored"
    elif run.project_id != command.project_id:
        why = "other_project"
    elif not (run.years.lower <= years[0] and years[-1] < run.years.upper):
        why = "years_missing"
    if why:
        raise RunNotUsableError(run_id=command.run_id, why=why)
    rows = session.execute(
        _CHANGES, {"run": command.run_id, "project": command.project_id, "years": years}
    )
    return dict.fromkeys(years, 0) | {row.year: int(row.kg) for row in rows}


def _decide(session: Session, command: VerifyPeriod | RefusePeriod) -> Row[Any]:
    period = session.execute(_LOCK, {"id": command.period_id}).first()
    if period is None:
        raise NotFoundError(what="period", id=command.period_id)
    if period.status != "submitted":
        raise WrongStateError(what="period", state=period.status, needs="submitted")
    if period.submitted_by == command.actor_id:
        raise SamePersonError
    acting = session.scalar(
        text("SELECT party_id FROM actor WHERE id = :id"), {"id": command.actor_id}
    )
    if acting != command.verifier_id:
        raise NotPermittedError(needs="verifier")
    bound = relation(session, verifier_id=command.verifier_id, project_id=period.project_id)
    if bound is not None:
        raise VerifierNotIndependentError(relation=bound)
    return period


def _answer(period: Row[Any], event_id: UUID, status: str, verified_kg: int | None) -> PeriodAnswer:
    return PeriodAnswer(
        period_id=period.id,
        event_id=event_id,
        status=status,
        creditable_kg=period.creditable_kg,
        verified_kg=verified_kg,
        deficit_kg=int(period.plan["steps"]["deficit_kg"]),
    )


def _span(command: SubmitPeriod) -> dict[str, Any]:
    return {
        "project": command.project_id,
        "starts_on": command.starts_on,
        "ends_on": command.ends_on,
    }


_PROJECT = text("SELECT id, crediting_from, crediting_to FROM project WHERE id = :id FOR UPDATE")
_RUN = text("SELECT kind, project_id, years FROM assessment_run WHERE id = :run")
_CHANGES = text(
    "SELECT a.year, sum(a.net_kg) AS kg FROM assessment a"
    " WHERE a.run_id = :run AND a.year = ANY (:years) AND EXISTS ("
    "   SELECT FROM claim c WHERE c.project_id = :project AND c.parcel_id = a.parcel_id"
    "   AND c.status = 'active' AND a.year <@ c.years)"
    " GROUP BY a.year"
)
_DEFICIT = text(
    "SELECT plan -> 'steps' ->> 'deficit_kg' FROM period"
    " WHERE project_id = :project AND status <> 'refused' AND ends_on <= :starts_on"
    " ORDER BY ends_on DESC LIMIT 1"
)
_INSERT = text(
    "INSERT INTO period (id, project_id, starts_on, ends_on, status, run_id, inputs,"
    " creditable_kg, plan, submitted_by, effective_at)"
    " VALUES (:id, :project, :starts_on, :ends_on, 'submitted', :run, :inputs, :creditable,"
    " :plan, :actor, :at)"
).bindparams(bindparam("inputs", type_=JSONB), bindparam("plan", type_=JSONB))
_LOCK = text(
    "SELECT id, project_id, status, submitted_by, creditable_kg, plan FROM period"
    " WHERE id = :id FOR UPDATE"
)
_VERIFY = text(
    "UPDATE period SET status = 'verified', verifier_id = :verifier, verified_kg = :kg,"
    " statement_sha256 = :statement WHERE id = :id"
)
_REFUSE = text("UPDATE period SET status = 'refused', verifier_id = :verifier WHERE id = :id")
_RELATION = text("SELECT verifier_relation(cast(:verifier AS uuid), cast(:project AS uuid))")
