"""Which divisions a point or a shape lies in: from boundaries, as valid in a year.

What a level's boundaries do not tell is said to be unknown, never guessed; a level above a known
division follows from its parent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import shapely
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from geo.area import area_m2
from geo.overlap import tolerance_m2
from registry.divisions import LEVELS, full_code, subtree_prefix
from registry.errors import InvalidValueError, NotFoundError

Known = Literal["boundary", "parent", "outside", "no_boundary"]

ORDER: Final = tuple(LEVELS.values())
"""Levels from the widest to the narrowest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelAt:
    """What is known at one level.

    Attributes
    ----------
    known : by the division's own ``boundary``; as ``parent`` of one below; ``outside`` of every
        boundary of this level there is; ``no_boundary`` of this level is loaded here.
    """

    level: str
    known: Known
    code: str | None = None
    name: str | None = None
    valid_from_year: int | None = None
    valid_to_year: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PointDivisions:
    """The chain of divisions at a point, one entry a level from the province down."""

    lon: float
    lat: float
    year: int
    levels: list[LevelAt]
    code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How much of a shape lies in one division."""

    level: str
    code: str
    name: str
    area_m2: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeDivisions:
    """The divisions of a shape.

    Attributes
    ----------
    levels : the chain at a point inside the shape.
    code : the narrowest division that holds it all, to be proposed; None where none does.
    shares : where a level cuts it: each division's part, the largest first.
    """

    year: int
    area_m2: float
    levels: list[LevelAt]
    code: str | None
    shares: list[Share]


@dataclass(frozen=True, slots=True, kw_only=True)
class DivisionView:
    """A division with its years and what lies above it."""

    code: str
    name: str
    level: str
    valid_from_year: int
    valid_to_year: int | None
    source: str
    has_boundary: bool
    above: list[str]


def at_point(session: Session, *, lon: float, lat: float, year: int) -> PointDivisions:
    """Return the chain of divisions at a point in CGCS2000 degrees, as valid in ``year``.

    Raises
    ------
    InvalidValueError : there is no such place on earth.
    """
    if not (abs(lon) <= 180 and abs(lat) <= 90):  # noqa: PLR2004 -- degrees
        raise InvalidValueError(field="lon, lat", value=f"{lon}, {lat}", why="±180, ±90")
    levels = _levels(session, lon, lat, year)
    return PointDivisions(lon=lon, lat=lat, year=year, levels=levels, code=_narrowest(levels))


def of_shape(session: Session, shape: Any, *, year: int) -> ShapeDivisions:  # noqa: ANN401 -- shapely
    """Return the divisions of a valid polygon in CGCS2000 degrees, as valid in ``year``."""
    whole = _area(shape)
    inner = shapely.point_on_surface(shape)
    levels = _levels(session, inner.x, inner.y, year)
    wkb = shapely.to_wkb(shape)
    parts: dict[str, list[Share]] = {}
    for row in session.execute(_PARTS, {"wkb": wkb, "year": year}):
        part = whole if row.whole else _area(shapely.from_wkb(bytes(row.part)))
        share = Share(
            level=row.level, code=row.code, name=row.name, area_m2=part, share=part / whole
        )
        parts.setdefault(row.level, []).append(share)
    spare = float(tolerance_m2(np.array([whole]), np.array([whole]))[0])
    code, cut = None, []
    for one in levels:
        if one.known == "boundary" and one.code is not None:
            held = next((p.area_m2 for p in parts.get(one.level, []) if p.code == one.code), 0.0)
            if whole - held <= spare:
                code = one.code
            else:
                cut += [part for part in parts.get(one.level, []) if part.area_m2 > spare]
        elif one.known == "outside":
            cut += [part for part in parts.get(one.level, []) if part.area_m2 > spare]
    order = {level: at for at, level in enumerate(ORDER)}
    cut.sort(key=lambda part: (order[part.level], -part.area_m2, part.code))
    return ShapeDivisions(year=year, area_m2=whole, levels=levels, code=code, shares=cut)


def view(session: Session, code: str) -> DivisionView:
    """Return a division with its years and the names above it.

    Raises
    ------
    NotFoundError : there is no such code.
    """
    rows = session.execute(_CHAIN, {"code": full_code(code)}).all()
    if not rows:
        raise NotFoundError(what="division", id=code)
    first, *above = rows
    return DivisionView(
        code=first.code,
        name=first.name,
        level=first.level,
        valid_from_year=first.valid_from_year,
        valid_to_year=first.valid_to_year,
        source=first.source,
        has_boundary=first.has_boundary,
        above=[f"{row.code} {row.name}" for row in reversed(above)],
    )


def _levels(session: Session, lon: float, lat: float, year: int) -> list[LevelAt]:
    bound = {"lon": lon, "lat": lat, "year": year}
    covering = {row.level: row for row in session.execute(_COVERING, bound)}
    deepest = next((covering[level] for level in reversed(ORDER) if level in covering), None)
    chain: dict[str, Row[Any]] = {}
    if deepest is not None:
        chain = {row.level: row for row in session.execute(_CHAIN, {"code": deepest.code})}
    below = subtree_prefix(deepest.code) if deepest is not None else ""
    outlined = set(session.scalars(_OUTLINED, {"below": f"{below}%", "year": year}))
    return [_level(level, chain, covering, outlined) for level in ORDER]


def _level(
    level: str,
    chain: Mapping[str, Row[Any]],
    covering: Mapping[str, Row[Any]],
    outlined: set[str],
) -> LevelAt:
    row = chain.get(level)
    if row is None:
        return LevelAt(level=level, known="outside" if level in outlined else "no_boundary")
    own = level in covering and covering[level].code == row.code
    return LevelAt(
        level=level,
        known="boundary" if own else "parent",
        code=row.code,
        name=row.name,
        valid_from_year=row.valid_from_year,
        valid_to_year=row.valid_to_year,
    )


def _narrowest(levels: Sequence[LevelAt]) -> str | None:
    return next((one.code for one in reversed(levels) if one.code is not None), None)


def _area(shape: Any) -> float:  # noqa: ANN401 -- shapely
    return float(area_m2(np.array([shape], dtype=object))[0])


_OF_YEAR = " d.valid_from_year <= :year AND (d.valid_to_year IS NULL OR d.valid_to_year >= :year)"
_COVERING = text(
    # On a shared line both cover the point: the smaller, then the lower code, is always the answer.
    "SELECT DISTINCT ON (d.level) d.level, d.code FROM division d"
    " WHERE d.boundary && ST_SetSRID(ST_MakePoint(:lon, :lat), 4490)"
    " AND ST_Covers(d.boundary, ST_SetSRID(ST_MakePoint(:lon, :lat), 4490)) AND"
    + _OF_YEAR
    + " ORDER BY d.level, ST_Area(d.boundary), d.code"
)
_PARTS = text(
    "SELECT d.level, d.code, d.name, ST_Covers(d.boundary, s.shape) AS whole,"
    " ST_AsBinary(ST_CollectionExtract(ST_Intersection(d.boundary, s.shape, 1e-10), 3)) AS part"
    " FROM division d, (SELECT ST_GeomFromWKB(:wkb, 4490) AS shape) s"
    " WHERE d.boundary && s.shape AND ST_Intersects(d.boundary, s.shape) AND"
    + _OF_YEAR
    + " ORDER BY d.code"
)
_CHAIN = text(
    "WITH RECURSIVE up AS ("
    " SELECT d.*, 0 AS step FROM division d WHERE d.code = :code"
    " UNION ALL SELECT d.*, up.step + 1 FROM division d JOIN up ON d.code = up.parent_code)"
    " SELECT code, name, level, valid_from_year, valid_to_year, source,"
    " boundary IS NOT NULL AS has_boundary FROM up ORDER BY step"
)
_OUTLINED = text(
    "SELECT DISTINCT d.level FROM division d WHERE d.boundary IS NOT NULL AND d.code LIKE :below"
    " AND" + _OF_YEAR
)
