"""Administrative divisions: look-up, boundaries, loading."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from geoalchemy2 import WKBElement
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from registry import events
from registry.db import Command
from registry.errors import NotFoundError, RegistryError
from registry.models import Division
from registry.models.columns import CGCS2000

LEVELS: Mapping[int, str] = {2: "province", 4: "city", 6: "county", 9: "township", 12: "village"}
"""Level of a division by the digits of its short code."""


class DivisionExpiredError(RegistryError):
    """A division was given up before the year of a record: merged, or given another code."""

    code = "DIVISION_EXPIRED"


@dataclass(frozen=True, slots=True, kw_only=True)
class DivisionRow:
    """A division to load; ``boundary`` is the WKB of a MultiPolygon in EPSG:4490, or None.

    Its own years count before those of the table; ``valid_to_year`` is the last year of its code.
    """

    code: str
    name: str
    level: str
    parent_code: str | None
    boundary: bytes | None = None
    valid_from_year: int | None = None
    valid_to_year: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadDivisions(Command):
    """Load a table of divisions valid from a year."""

    valid_from_year: int
    source: str
    rows: Sequence[DivisionRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """How many rows are new; of known ones, how many got another boundary, how many an end."""

    new: int
    outlined: int = 0
    ended: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """The nearest boundary that is known for a division: its own or an ancestor's."""

    code: str
    name: str
    geometry: Any


def full_code(code: str) -> str:
    """Return the 12-digit form of a division code given short (330802 -> 330802000000)."""
    return code.ljust(12, "0")


def subtree_prefix(code: str) -> str:
    """Return the digits that the codes of a division and of all below it begin with.

    Groups are cut whole (village 3, township 3, county 2, city 2): 330802100000 is a street whose
    own last digits are zeros, and its prefix is 330802100, not 3308021.
    """
    full = full_code(code)
    for group in (3, 3, 2, 2):
        if full[-group:] != "0" * group:
            break
        full = full[:-group]
    return full


def require(session: Session, code: str, *, year: int | None = None) -> None:
    """Raise unless the division is known, and still stands in ``year`` where that is given.

    Raises
    ------
    NotFoundError : there is no such code.
    DivisionExpiredError : its code ended before.
    """
    known = session.get(Division, full_code(code))
    if known is None:
        raise NotFoundError(what="division", id=code)
    if year is not None and known.valid_to_year is not None and known.valid_to_year < year:
        raise DivisionExpiredError(
            division=known.name, division_code=known.code, valid_to_year=known.valid_to_year
        )


def boundary(session: Session, code: str) -> Boundary | None:
    """Return the boundary of a division, or of its nearest ancestor that has one."""
    row = session.execute(_NEAREST, {"code": full_code(code)}).first()
    if row is None:
        return None
    return Boundary(code=row.code, name=row.name, geometry=shapely.from_wkb(bytes(row.wkb)))


def ground(session: Session, code: str | None) -> Any:  # noqa: ANN401 -- a shapely geometry
    """Return the shape of :func:`boundary`, or None without a code or a boundary."""
    found = boundary(session, code) if code else None
    return None if found is None else found.geometry


def outlines_below(session: Session, code: str) -> Mapping[str, Boundary]:
    """Return every known boundary below a division, by code."""
    rows = session.execute(_BELOW, {"code": full_code(code), "below": f"{subtree_prefix(code)}%"})
    return {
        row.code: Boundary(code=row.code, name=row.name, geometry=shapely.from_wkb(bytes(row.wkb)))
        for row in rows
    }


def load(session: Session, command: LoadDivisions) -> Loaded:
    """Add the divisions that are not there yet, parents first.

    A known one keeps its name; it takes the boundary and the last year it is given where those are
    others, so that a code that was given up stays with its years.
    """
    known = set(session.scalars(select(Division.code)))
    new = [row for row in command.rows if row.code not in known]
    for row in sorted(new, key=lambda row: row.code.rstrip("0")):
        session.add(
            Division(
                code=row.code,
                name=row.name,
                level=row.level,
                parent_code=row.parent_code,
                valid_from_year=row.valid_from_year or command.valid_from_year,
                valid_to_year=row.valid_to_year,
                source=command.source,
                boundary=_element(row.boundary),
            )
        )
    session.flush()
    given = [row for row in command.rows if row.code in known and row.boundary is not None]
    outlined = [
        row.code
        for row in given
        if session.execute(_OUTLINE, {"code": row.code, "wkb": row.boundary}).first()
    ]
    ended = [
        row.code
        for row in command.rows
        if row.code in known
        and row.valid_to_year is not None
        and session.execute(_END, {"code": row.code, "year": row.valid_to_year}).first()
    ]
    events.record(
        session,
        command,
        kind="divisions.loaded",
        subject=("division", "table"),
        body={
            "new": len(new),
            "outlined": outlined,
            "ended": ended,
            "year": command.valid_from_year,
            "source": command.source,
        },
    )
    return Loaded(new=len(new), outlined=len(outlined), ended=len(ended))


def missing(session: Session, codes: Collection[str]) -> Collection[str]:
    """Return those of ``codes`` that are not loaded yet."""
    known = set(session.scalars(select(Division.code).where(Division.code.in_(codes))))
    return [code for code in codes if code not in known]


def children(session: Session, code: str) -> Iterable[tuple[str, str]]:
    """Yield (code, name) of the divisions directly below ``code``."""
    query = select(Division.code, Division.name).where(Division.parent_code == full_code(code))
    for row in session.execute(query.order_by(Division.code)):
        yield row.code, row.name


def _element(wkb: bytes | None) -> WKBElement | None:
    return None if wkb is None else WKBElement(wkb, srid=CGCS2000)


_OUTLINE = text(
    "UPDATE division SET boundary = ST_GeomFromWKB(:wkb, 4490) WHERE code = :code AND (boundary"
    " IS NULL OR NOT ST_OrderingEquals(boundary, ST_GeomFromWKB(:wkb, 4490))) RETURNING code"
)
_END = text(
    "UPDATE division SET valid_to_year = :year WHERE code = :code"
    " AND valid_to_year IS DISTINCT FROM :year RETURNING code"
)
_BELOW = text(
    "SELECT code, name, ST_AsBinary(boundary) AS wkb FROM division"
    " WHERE code LIKE :below AND code <> :code AND boundary IS NOT NULL ORDER BY code"
)
_NEAREST = text(
    "WITH RECURSIVE up AS ("
    " SELECT code, name, parent_code, boundary, 0 AS step FROM division WHERE code = :code"
    " UNION ALL SELECT d.code, d.name, d.parent_code, d.boundary, up.step + 1"
    " FROM division d JOIN up ON d.code = up.parent_code)"
    " SELECT code, name, ST_AsBinary(boundary) AS wkb FROM up"
    " WHERE boundary IS NOT NULL ORDER BY step LIMIT 1"
)
