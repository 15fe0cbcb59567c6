"""What a changed programme would answer, before it is adopted: nothing is written."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from geo.eligibility import Answer, RuleAnswer, overall, run_rules
from registry import programmes
from registry.eligibility_inputs import PARCELS, Measure, RunEligibility, chosen, table_of
from registry.programmes import ProgrammeView

LISTED_MAX = 1_000
"""Parcels listed by name; all are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A parcel whose answer would be another, and the first rule that makes it so."""

    parcel_id: UUID
    plot_code: str | None
    before: str | None
    after: str
    rule: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureChange:
    """A figure of the programme that differs; None where one version has none."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What would change: figures of the text, counts of turns (before > after), parcels."""

    programme_id: str
    version_before: str | None
    version_after: str
    parcels: int
    figures: list[FigureChange]
    turns: dict[str, int]
    unchanged: int
    listed: list[Turn]


def trial(
    session: Session, source: str, command: RunEligibility, measure: Measure | None = None
) -> Trial:
    """Ask a programme's text about stored parcels and compare with the answers that stand.

    Parameters
    ----------
    source : the TOML text to try; its version need not be adopted.
    command : chooses the parcels, years and layers; its programme and version are the text's.

    Raises
    ------
    ProgrammeRefusedError : the text has faults.
    NotFoundError, InvalidValueError : the parcels are chosen in no way or in several.
    """
    view = programmes.read(source)
    command = replace(command, programme_id=view.id, programme_version=None)
    before = next((one for one in programmes.adopted(session) if one.id == view.id), None)
    where, bound = chosen(session, command)
    rows = session.execute(text(PARCELS + where), bound | {"kind": view.kind}).all()
    after = _answers(session, command, view, rows, measure)
    standing = _standing(session, view.id, [row.id for row in rows])
    codes = _codes(session, [row.id for row in rows])
    turned = [
        _turn(row.id, codes.get(row.id), standing.get(row.id), mine)
        for row, mine in zip(rows, after, strict=True)
        if standing.get(row.id) != overall(mine).value
    ]
    counts: dict[str, int] = {}
    for turn in turned:
        name = f"{turn.before or '-'} > {turn.after}"
        counts[name] = counts.get(name, 0) + 1
    return Trial(
        programme_id=view.id,
        version_before=None if before is None else before.version,
        version_after=view.version,
        parcels=len(rows),
        figures=_figure_changes(before, view),
        turns=dict(sorted(counts.items())),
        unchanged=len(rows) - len(turned),
        listed=turned[:LISTED_MAX],
    )


def _answers(
    session: Session,
    command: RunEligibility,
    view: ProgrammeView,
    rows: Sequence[Any],
    measure: Measure | None,
) -> list[list[RuleAnswer]]:
    if not rows:
        return []
    table, _ = table_of(session, command, view, rows, measure)
    answers = run_rules(table, view.rules)
    return [[column[k] for column in answers.values()] for k in range(len(rows))]


def _turn(parcel_id: UUID, code: str | None, before: str | None, mine: list[RuleAnswer]) -> Turn:
    after = overall(mine)
    said = next(one for one in mine if one.answer is after)
    return Turn(
        parcel_id=parcel_id,
        plot_code=code,
        before=before,
        after=after.value,
        rule=said.rule if after is not Answer.ELIGIBLE else "",
        code=said.code if after is not Answer.ELIGIBLE else "",
    )


def _standing(session: Session, programme_id: str, ids: list[UUID]) -> dict[UUID, str]:
    """Return each parcel's newest answer under any version of the programme."""
    rows = session.execute(_STANDING, {"ids": ids, "programme": programme_id})
    return {row.parcel_id: row.answer for row in rows}


def _codes(session: Session, ids: list[UUID]) -> dict[UUID, str | None]:
    return {row.id: row.code for row in session.execute(_CODES, {"ids": ids})}


def _figure_changes(before: ProgrammeView | None, after: ProgrammeView) -> list[FigureChange]:
    old = {} if before is None else {k: f"{v.value} {v.unit}" for k, v in before.figures.items()}
    new = {k: f"{v.value} {v.unit}" for k, v in after.figures.items()}
    return [
        FigureChange(path=path, before=old.get(path), after=new.get(path))
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    ]


_STANDING = text(
    "SELECT DISTINCT ON (e.parcel_id) e.parcel_id, e.answer FROM eligibility e"
    " JOIN parcel p ON p.id = e.parcel_id AND p.version = e.version"
    " WHERE e.parcel_id = ANY(:ids) AND e.programme_id = :programme"
    " ORDER BY e.parcel_id, e.effective_at DESC, e.programme_version DESC"
)
_CODES = text("SELECT id, code FROM parcel WHERE id = ANY(:ids)")
