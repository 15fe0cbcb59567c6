"""Marks a programme will not issue on: a value that nobody has checked stops an issuance."""

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from registry.unit_errors import MarkForbiddenError
from sinks import tables

SETTING = "marks_forbidden"
"""In a programme's ``[issuance]``: marks of rows on which nothing may be issued."""


def forbidden_marks(programme_source: str) -> frozenset[str]:
    """Return the marks a programme's text forbids for issuance; none unless it says so."""
    figure = tomllib.loads(programme_source).get("issuance", {}).get(SETTING, {})
    return frozenset(figure.get("value", ()))


def refused_rows(
    rows: Iterable[Mapping[str, Any]], *, species: frozenset[int], marks: frozenset[str]
) -> list[str]:
    """Return the curves and site classes of a run that have a forbidden mark; pure.

    A curve counts when its species stands on the ground; a site class when it changes a stock.
    """
    return [
        f"{row.get('curve') or 'site_' + str(row['site'])} ({row['mark']})"
        for row in rows
        if row["mark"] in marks
        and (row["species"] in species if "species" in row else float(row["multiplier"]) != 1)
    ]


def require_checked(session: Session, *, period_id: UUID, discount: str | None) -> None:
    """Refuse a period whose figures stand on a row the programme will not issue on.

    Raises
    ------
    MarkForbiddenError : with the rows.
    """
    row = session.execute(_RUN, {"period": period_id}).one()
    marks = forbidden_marks(row.source)
    if not marks:
        return
    # Compiled code comes with it; whoever forbids no mark need not wait for that.
    from registry.cohort_tables import SCHEME  # noqa: PLC0415

    cohorts = [set(one) for one in session.scalars(_COHORTS, {"period": period_id})]
    codes = np.array(sorted(set().union(*cohorts)), np.int64) % SCHEME.size
    species = frozenset(SCHEME.decode(codes)[0].tolist()) if cohorts else frozenset(range(1, 256))
    refused = refused_rows(row.rows, species=species, marks=marks)
    refused += [
        f"{one.key} ({one.mark})"
        for one in tables.discounts().values()
        if one.table == discount and one.mark in marks
    ]
    flags = session.scalars(_FLOWS, {"period": period_id})
    refused += [f"{one['flow']} ({one['mark']})" for one in flags if one["mark"] in marks]
    if refused:
        raise MarkForbiddenError(rows=refused, marks=sorted(marks))


_RUN = text(
    "SELECT g.source, t.rows FROM period p JOIN project j ON j.id = p.project_id"
    " JOIN programme g ON g.id = j.programme_id AND g.version = j.programme_version"
    " JOIN assessment_run r ON r.id = p.run_id JOIN cohort_table t ON t.digest = r.table_digest"
    " WHERE p.id = :period"
)
_FLOWS = text(
    "SELECT DISTINCT f FROM period p JOIN assessment_series s ON s.run_id = p.run_id"
    " CROSS JOIN LATERAL jsonb_array_elements(s.flags) AS f"
    " WHERE p.id = :period AND f ->> 'code' = 'FLOW_PROVISIONAL' ORDER BY 1"
)
_COHORTS = text(
    "SELECT h.cohort FROM period p JOIN assessment_run r ON r.id = p.run_id"
    " JOIN claim c ON c.project_id = p.project_id AND c.status = 'active'"
    " JOIN histogram h ON h.parcel_id = c.parcel_id AND h.version = c.version"
    " AND h.layer_set = r.layer_set WHERE p.id = :period"
)
