"""Labels of a county's orchards for a year: decided by the rule, stored with all they stood on.

A label is run again, never edited; an appeal makes a new run for its orchard.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import Row, func, select, text
from sqlalchemy.orm import Session

from registry import events, people
from registry.canonical import digest
from registry.db import Command, beyond_reach
from registry.errors import InvalidValueError, NotFoundError
from registry.models import (
    LabelRun,
    Orchard,
    OrchardLabel,
)
from registry.orchards import accounts, label_inputs, rules
from registry.orchards.errors import (
    AppealTooLateError,
)
from registry.orchards.label_inputs import GroupView
from sinks import labels
from sinks.labels import LabelRule

BEIJING = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLabels(Command):
    """Label a county's orchards for a year; ``overrides`` are the county's own rule values."""

    adcode: str
    year: int
    label_set: str | None = None
    overrides: Mapping[str, rules.Override] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealLabel(Command):
    """Ask for a verdict again, with a reason."""

    number: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelView:
    """A verdict; ``x`` is the exact measure; ``replaced_by`` the newest later verdict, if any."""

    number: str
    run_id: UUID
    orchard_id: UUID
    orchard_name: str
    adcode: str
    year: int
    state: str
    grade: str
    x: str | None
    points: int
    reasons: tuple[str, ...]
    rule_key: str
    rule_version: str
    digest: str
    valid_from: date
    valid_to: date
    appeal_of: str | None
    replaced_by: str | None
    inputs: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRunView:
    """A run: its verdicts, how many of each, and the benchmarks used."""

    run_id: UUID
    adcode: str
    year: int
    rule_key: str
    rule_version: str
    groups: tuple[GroupView, ...]
    counts: Mapping[str, int]
    labels: tuple[LabelView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicLabel:
    """What anyone may see of a label: no person's name, no place below the township."""

    number: str
    year: int
    crop: str
    place: str
    operator: str | None
    state: str
    grade: str
    reasons: tuple[str, ...]
    rule_key: str
    rule_version: str
    valid_from: date
    valid_to: date
    replaced_by: str | None


def run_labels(session: Session, command: RunLabels) -> LabelRunView:
    """Decide the label of every account of a county for a year; earlier runs stay as they are."""
    people.require_role(session, command, "county")
    rule = rules.rule_of(command.label_set or rules.programme().label_set, command.overrides)
    return _run(session, command, county=(command.adcode, command.year), rule=rule)


def appeal_label(session: Session, command: AppealLabel) -> LabelRunView:
    """Decide one orchard's label again on what stands approved now.

    Raises
    ------
    NotFoundError : no such number.  AppealTooLateError : it was replaced.
    """
    row = session.get(OrchardLabel, command.number)
    if row is None:
        raise NotFoundError(what="label", id=command.number)
    accounts.require_keeper(session, command, accounts.locked(session, row.orchard_id))
    if not command.reason:
        raise InvalidValueError(field="reason", value="", why="异议须说明理由 say why")
    newest = _newest(session, row.orchard_id, row.year)
    if newest != row.number:
        raise AppealTooLateError(number=row.number, newest=newest)
    before = session.get_one(LabelRun, row.run_id)
    overrides = before.rule["overrides"]
    rule = rules.rule_of(row.rule_key, overrides)
    # A benchmark stands on the whole county's accounts, whoever asks for one verdict again.
    with beyond_reach(session, command.actor_id):
        return _run(session, command, county=(row.adcode, row.year), rule=rule, appeal=row)


def _run(
    session: Session,
    command: RunLabels | AppealLabel,
    *,
    county: tuple[str, int],
    rule: LabelRule,
    appeal: OrchardLabel | None = None,
) -> LabelRunView:
    """Decide, number and write the verdicts of a run."""
    adcode, year = county
    # One run of a county-year at a time: numbers follow each other without a gap.
    session.execute(_ONE_AT_A_TIME, {"key": f"labels:{adcode}:{year}"})
    members = label_inputs.account_years(session, adcode, year)
    basis = label_inputs.bases(members)
    values = label_inputs.county_values(session, adcode, year)
    groups = label_inputs.benchmarks(members, basis, rule, values)
    decided = []
    for member in members:
        held = member.orchard
        if appeal is not None and held.id != appeal.orchard_id:
            continue
        base = groups.get((*member.group, basis[held.id]))
        reasons = label_inputs.vetoes(session, held, year)
        given = label_inputs.case(member, basis[held.id], base, reasons)
        inputs = label_inputs.plain_case(member, basis[held.id], given)
        decided.append((member, inputs, labels.decide(given, rule)))
    run = _write_run(session, command, county, rule, (groups, [x[1] for x in decided]))
    seq = session.scalar(_LAST, {"adcode": adcode, "year": year}) or 0
    for member, inputs, verdict in decided:
        seq += 1
        row = _row(member, inputs, verdict)
        row.run_id, row.seq = run.id, seq
        row.appeal_of = appeal.number if appeal else None
        row.number = f"LBL-{adcode}-{year}-{seq:06d}"
        row.adcode, row.year = county
        row.valid_from = command.at.astimezone(BEIJING).date()
        row.valid_to = max(date(year + 1, 12, 31), row.valid_from)
        session.add(row)
    session.flush()
    made = run_view(session, run.id)
    events.record(
        session,
        command,
        kind="labels.run",
        subject=("county", adcode),
        body={"run": run.id, "year": year, "counts": made.counts, "digest": run.input_digest},
    )
    return made


def _write_run(
    session: Session,
    command: RunLabels | AppealLabel,
    county: tuple[str, int],
    rule: LabelRule,
    used: tuple[label_inputs.Groups, list[dict[str, Any]]],
) -> LabelRun:
    programme = rules.programme()
    overrides = dict(command.overrides) if isinstance(command, RunLabels) else {}
    if isinstance(command, AppealLabel):
        before = session.get_one(OrchardLabel, command.number)
        overrides = dict(session.get_one(LabelRun, before.run_id).rule["overrides"])
    stored = rules.plain_rule(rule) | {"overrides": overrides}
    groups = [asdict(group) for group in label_inputs.group_views(used[0])]
    run = LabelRun(
        id=uuid4(),
        adcode=county[0],
        year=county[1],
        reason=command.reason,
        programme_id=programme.id,
        programme_version=programme.version,
        programme_sha256=programme.sha256,
        rule=stored,
        groups=groups,
        input_digest=digest({"rule": stored, "groups": groups, "cases": used[1]}),
        actor_id=command.actor_id,
        effective_at=command.at,
    )
    session.add(run)
    session.flush()
    return run


def _row(
    member: label_inputs.AccountYears, inputs: dict[str, Any], verdict: labels.Label
) -> OrchardLabel:
    return OrchardLabel(
        orchard_id=member.orchard.id,
        balance_id=member.now.id if member.now else None,
        state=verdict.state,
        grade=verdict.grade,
        x=None if verdict.x is None else str(verdict.x),
        points=verdict.points,
        reasons=list(verdict.reasons),
        rule_key=verdict.rule_key,
        rule_version=verdict.rule_version,
        inputs=inputs,
        digest=bytes.fromhex(verdict.digest),
    )


def run_view(session: Session, run_id: UUID) -> LabelRunView:
    """Return a run with its verdicts, by number.

    Raises
    ------
    NotFoundError : there is none.
    """
    run = session.get(LabelRun, run_id)
    if run is None:
        raise NotFoundError(what="label run", id=run_id)
    query = select(OrchardLabel).where(OrchardLabel.run_id == run_id).order_by(OrchardLabel.seq)
    made = tuple(_view(session, row) for row in session.scalars(query).all())
    return LabelRunView(
        run_id=run.id,
        adcode=run.adcode,
        year=run.year,
        rule_key=run.rule["key"],
        rule_version=run.rule["version"],
        groups=tuple(GroupView(**group) for group in run.groups),
        counts=dict(sorted(Counter(label.grade or label.state for label in made).items())),
        labels=made,
    )


def label(session: Session, number: str) -> LabelView:
    """Return a verdict by its number.

    Raises
    ------
    NotFoundError : there is none.
    """
    row = session.get(OrchardLabel, number)
    if row is None:
        raise NotFoundError(what="label", id=number)
    return _view(session, row)


def labels_of(session: Session, orchard_id: UUID) -> tuple[LabelView, ...]:
    """Return an orchard's verdicts, newest first: its history."""
    query = select(OrchardLabel).where(OrchardLabel.orchard_id == orchard_id)
    rows = session.scalars(query.order_by(OrchardLabel.year.desc(), OrchardLabel.seq.desc()))
    return tuple(_view(session, row) for row in rows.all())


def current_labels(session: Session, adcode: str, year: int) -> tuple[LabelView, ...]:
    """Return the newest verdict of each account of a county for a year."""
    query = select(OrchardLabel).where(OrchardLabel.adcode == adcode, OrchardLabel.year == year)
    newest = {row.orchard_id: row for row in session.scalars(query.order_by(OrchardLabel.seq))}
    return tuple(_view(session, row) for row in sorted(newest.values(), key=lambda row: row.seq))


def public_label(session: Session, number: str) -> PublicLabel:
    """Return what anyone may see of a label.

    Raises
    ------
    NotFoundError : there is no such number.
    """
    found = public_rows(session, number=number)
    if not found:
        raise NotFoundError(what="label", id=number)
    fields = {name: getattr(found[0], name) for name in PublicLabel.__dataclass_fields__}
    return PublicLabel(**fields | {"reasons": tuple(found[0].reasons)})


def public_rows(
    session: Session, *, number: str | None = None, orchard_id: UUID | None = None
) -> Sequence[Row[Any]]:
    """Return what anyone may see of a label, or of all of an account, newest first."""
    return session.execute(_PUBLIC, {"number": number, "orchard": orchard_id}).all()


def _newest(session: Session, orchard_id: UUID, year: int) -> str | None:
    query = select(OrchardLabel.number).where(
        OrchardLabel.orchard_id == orchard_id, OrchardLabel.year == year
    )
    return session.scalar(query.order_by(OrchardLabel.seq.desc()).limit(1))


def _view(session: Session, row: OrchardLabel) -> LabelView:
    newest = _newest(session, row.orchard_id, row.year)
    return LabelView(
        number=row.number,
        run_id=row.run_id,
        orchard_id=row.orchard_id,
        orchard_name=session.get_one(Orchard, row.orchard_id).name,
        adcode=row.adcode,
        year=row.year,
        state=row.state,
        grade=row.grade,
        x=row.x,
        points=row.points,
        reasons=tuple(row.reasons),
        rule_key=row.rule_key,
        rule_version=row.rule_version,
        digest=bytes(row.digest).hex(),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        appeal_of=row.appeal_of,
        replaced_by=None if newest == row.number else newest,
        inputs=row.inputs,
    )


_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
_LAST = select(func.max(OrchardLabel.seq)).where(
    OrchardLabel.adcode == text(":adcode"), OrchardLabel.year == text(":year")
)
_PUBLIC = text("SELECT * FROM public_labels(cast(:number AS text), cast(:orchard AS uuid))")
