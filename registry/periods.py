"""Monitoring periods: what was submitted, and the verifier's decision.

A period takes the yearly net of one monitored run over the ground the project has claimed, and
plans what of it may be issued (``sinks.issuance``).  The verifier is another person of a verifier
who has no part in the project.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlalchemy import Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from registry import events, plot_estimates, project_accounts
from registry.canonical import plain
from registry.db import Command
from registry.errors import NotFoundError, NotPermittedError, WrongStateError
from registry.models import PeriodAccount
from registry.project_accounts import PARTS, AmountGivenError, Line
from registry.unit_errors import (
    PeriodNotWholeYearsError,
    PeriodOutsideCreditingError,
    PeriodOverlapsError,
    SamePersonError,
    VerifiedTooMuchError,
    VerifierNotIndependentError,
    refusals,
)
from sinks.issuance import BufferPool, CreditablePlan, Deduction, plan_creditable
from sinks.project import account
from sinks.uncertainty import discount_table


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodInputs:
    """What the plan needs beside the run: whole-period kg, relative half-width, the programme.

    An amount that is not given comes from the project's rows (`registry.project_items`); one that
    is given needs that there are none.
    ``non_permanence_share`` goes to the buffer of each batch (``buffer_pool``) or never becomes
    a unit (``deduction``).
    """

    baseline_kg: int | None = None
    emissions_kg: int | None = None
    leakage_kg: int | None = None
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
    PeriodOverlapsError, EstimateNotUsableError, AmountGivenError;
    ``sinks.errors.DomainError`` for inputs outside their domain.
    """
    project = session.execute(_PROJECT, {"id": command.project_id}).first()
    if project is None:
        raise NotFoundError(what="project", id=command.project_id)
    years = _years(command, project)
    project_accounts.require_run(session, project, command.run_id, kind="monitored", years=years)
    deficit_kg = int(session.scalar(_DEFICIT, _span(command)) or 0)
    lines, inputs = _counted(session, command, years)
    change_kg = project_accounts.changes(session, command.project_id, command.run_id, years)
    made = account(
        project_accounts.series(change_kg, lines),
        project_accounts.rules(project, discount=inputs.discount, non_permanence=_lasting(inputs)),
        kind="monitored",
        years=years,
        uncertainty=inputs.uncertainty,
        deficit_kg=deficit_kg,
    )
    plan, sums = made.plan, project_accounts.sums_of(made, deficit_before_kg=deficit_kg)
    period_id = uuid4()
    written: dict[str, Any] = {
        "changes": [[year, one["change_kg"]] for year, one in sorted(made.by_year.items())],
        "deficit_before_kg": deficit_kg,
        "steps": plain(plan),
        "sums": plain(sums),
        "by_year": [{"year": year, **one} for year, one in sorted(made.by_year.items())],
        "pools": project_accounts.pool_totals(change_kg, made),
        "lines": plain(lines),
    }
    if command.estimate_id is not None:
        written["plots"] = plot_estimates.evidence(
            session,
            command.estimate_id,
            project_id=command.project_id,
            u=inputs.uncertainty,
        )
    with refusals({"ex_period_one_at_a_time": PeriodOverlapsError}):
        session.execute(
            _INSERT,
            _span(command)
            | {
                "id": period_id,
                "run": command.run_id,
                "inputs": plain(inputs),
                "creditable": plan.creditable_kg,
                "plan": written,
                "actor": command.actor_id,
                "at": command.at,
            },
        )
    session.add(PeriodAccount(period_id=period_id, **asdict(sums)))
    session.flush()
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
            "inputs": plain(inputs),
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
    years = sorted(changes)
    return plan_creditable(
        years,
        [changes[year] for year in years],
        baseline_kg=inputs.baseline_kg or 0,
        emissions_kg=inputs.emissions_kg or 0,
        leakage_kg=inputs.leakage_kg or 0,
        uncertainty=inputs.uncertainty,
        discount=discount_table(inputs.discount) if inputs.discount else None,
        non_permanence=_lasting(inputs),
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


def _counted(
    session: Session, command: SubmitPeriod, years: list[int]
) -> tuple[list[Line], PeriodInputs]:
    """Return what counts against the project in the period, and the inputs with its sums.

    Raises
    ------
    AmountGivenError : a sum is given where rows say it.
    """
    lines = project_accounts.lines_of(session, command.project_id, years, planned=False)
    sums: dict[str, int] = {}
    for part in PARTS:
        given = getattr(command.inputs, f"{part}_kg")
        found = sum(one.kg for one in lines if one.part == part)
        if given is not None and any(one.part == part for one in lines):
            raise AmountGivenError(part=part, given_kg=given, rows_kg=found)
        if given:
            lines.append(project_accounts.by_hand(part, years[0], given))
        sums[part] = found if given is None else given
    inputs = replace(
        command.inputs,
        baseline_kg=sums["baseline"],
        emissions_kg=sums["emissions"],
        leakage_kg=sums["leakage"],
    )
    return lines, inputs


def _lasting(inputs: PeriodInputs) -> Deduction | BufferPool:
    share = inputs.non_permanence_share
    if inputs.non_permanence == "buffer_pool":
        return BufferPool(share=share)
    return Deduction(share=share)


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


_PROJECT = text(
    "SELECT j.id, j.crediting_from, j.crediting_to, g.source FROM project j"
    " JOIN programme g ON g.id = j.programme_id AND g.version = j.programme_version"
    " WHERE j.id = :id FOR UPDATE OF j"
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
