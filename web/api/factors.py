"""``/factors``: every parameter with value, unit, source, date and mark; open to everybody."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, cast

from pydantic import Field
from sqlalchemy.orm import Session

from registry.people import ActorView
from sinks import tables
from web.api.endpoints import Noun, Read
from web.auth import PUBLIC

Mark = Literal["read", "secondary", "recalled", "computed", "proposed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorQuery:
    """Rows that hold all the words, of a table, of a mark."""

    q: Annotated[str, Field(max_length=120)] = ""
    table: Annotated[str, Field(max_length=40)] = ""
    mark: Mark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """A row of a reference table; ``values`` by column, ``unit`` of its main value.

    ``provisional``: to be checked before anything is issued on it.
    """

    table: str
    key: str
    values: Mapping[str, str | float | int | None]
    unit: str
    source: str
    citation: str
    page: str
    valid_from: date
    checked_on: date
    mark: str
    provisional: bool
    region: str
    domain: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """Rows in the tables' order, and how many rows there are in all."""

    items: tuple[Factor, ...]
    total: int
    next: str | None = None


def factors(_session: Session | None, _who: ActorView | None, query: FactorQuery) -> Factors:
    """Return the rows that fit."""
    words = query.q.lower().split()
    rows = [Factor(**cast("dict[str, Any]", row)) for row in tables.methods()]
    found = tuple(
        row
        for row in rows
        if (not query.table or row.table == query.table)
        and (query.mark is None or row.mark == query.mark)
        and all(word in _searched(row) for word in words)
    )
    return Factors(items=found, total=len(rows))


def _searched(row: Factor) -> str:
    values = " ".join(str(value) for value in row.values.values())
    return (
        f"{row.table} {row.key} {values} {row.unit} {row.citation} {row.domain} {row.note}".lower()
    )


NOUN = Noun(
    name="factors",
    title=("参数", "Factors and equations"),
    endpoints=(
        Read(
            name="list_factors",
            rule="/factors",
            permission=PUBLIC,
            query=FactorQuery,
            read=factors,
            summary=("参数及其来源", "Every parameter with unit, source, date and mark"),
        ),
    ),
)
