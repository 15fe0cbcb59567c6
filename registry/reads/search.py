"""One search for places: divisions for everybody, plots and projects by right."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field
from sqlalchemy import text
from sqlalchemy.orm import Session

from registry.people import ActorView
from registry.projects import number_text
from registry.reads.projects import IN_SIGHT
from registry.reads.scope import scope_of

WORDS: Final = r"^[^\x00]*[^\s\x00][^\x00]*$"
Kind = Literal["division", "parcel", "project"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """A part of a name, a plot or project number, or a division's code."""

    q: Annotated[str, Field(min_length=1, max_length=60, pattern=WORDS)]
    limit: Annotated[int, Field(ge=1, le=50)] = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One thing that was found: its id (a division's code), name, where it lies, how it stands."""

    kind: Kind
    id: str
    name: str
    place: str
    status: str | None
    nearness: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was found, the nearest first: 0 the very name or number, 1 begins so, 2 and more."""

    items: list[Found]


def search(session: Session, who: ActorView | None, query: SearchQuery) -> Findings:
    """Return what the actor may find; nobody in particular finds divisions only."""
    bound = {"words": query.q.strip(), "most": query.limit}
    found = [
        Found(
            kind="division",
            id=row.code,
            name=row.name,
            place=row.place,
            status=None,
            nearness=row.nearness,
        )
        for row in session.execute(_DIVISIONS, bound)
    ]
    if who is not None:
        found += _parcels(session, bound) + _projects(session, who, bound)
    found.sort(key=lambda one: (one.nearness, _ORDER[one.kind]))  # stable: each list is in order
    return Findings(items=found[: query.limit])


def _parcels(session: Session, bound: dict[str, object]) -> list[Found]:
    return [
        Found(
            kind="parcel",
            id=str(row.id),
            name=row.code or str(row.id)[:8],
            place=" ".join(part for part in (row.division, row.owner) if part),
            status=row.status,
            nearness=row.nearness,
        )
        for row in session.execute(_PARCELS, bound)
    ]


def _projects(session: Session, who: ActorView, bound: dict[str, object]) -> list[Found]:
    scope = {**scope_of(who).params(), "verifier": who.has("verifier")}
    return [
        Found(
            kind="project",
            id=str(row.id),
            name=row.name,
            place=f"{row.adcode}-{number_text(row.number)}",
            status=row.status,
            nearness=row.nearness,
        )
        for row in session.execute(_PROJECTS, bound | scope)
    ]


_ORDER: Final[dict[Kind, int]] = {"parcel": 0, "project": 1, "division": 2}
_DIVISIONS = text("SELECT * FROM search_divisions(:words, :most)")
_PARCELS = text("SELECT * FROM search_parcels(:words, :most)")
_PROJECTS = text(
    f"""
    SELECT j.id, j.name, j.adcode, j.number, j.status,
           CASE WHEN lower(j.name) = lower(:words) OR lpad(j.number::text, 6, '0') = :words THEN 0
                WHEN strpos(lower(j.name), lower(:words)) = 1 THEN 1 ELSE 2 END AS nearness
      FROM project j
     WHERE {IN_SIGHT}
       AND (strpos(lower(j.name), lower(:words)) > 0
            OR strpos(j.adcode || '-' || lpad(j.number::text, 6, '0'), :words) > 0)
     ORDER BY nearness, j.adcode, j.number LIMIT :most
    """
)
