"""Where the plots of a project fall: drawn from a seed, so that anybody can draw them again."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from geo.ground import Ground, ground
from registry.errors import InvalidValueError, NotFoundError
from sinks import sampling
from sinks.issuance import largest_remainder

MOST_PLOTS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePoint:
    """One plot's middle, CGCS2000, and its stratum."""

    number: int
    lon: float
    lat: float
    stratum: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleStratum:
    """A stratum as it was drawn; ``spacing_m`` of its grid, None where points are random."""

    name: str
    area_m2: float
    parcels: int
    plots: int
    spacing_m: float | None
    epsg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The plots of a project, and all that is needed to draw them again.

    Attributes
    ----------
    method : ``random`` or ``systematic``.
    spacing_m : of the grid; None where points are random.
    parcels : how many parcels the project claims; their active versions are the ground.
    epsg : the plane in which the points were drawn.
    """

    project_id: UUID
    method: str
    seed: int
    spacing_m: float | None
    parcels: int
    area_m2: float
    epsg: int
    points: list[SamplePoint]
    strata: list[SampleStratum]


def draw(
    session: Session,
    project_id: UUID,
    *,
    plots: int,
    seed: int,
    systematic: bool = False,
    by: str = "",
    each: Mapping[str, int] = MappingProxyType({}),
) -> Sample:
    """Draw the plots of a project over the ground it claims.

    Parameters
    ----------
    plots : how many of all strata together; a grid gives about as many.
    seed : the same seed over the same ground gives the same points on every machine; the stream of
        a stratum is its own, so that another stratum moves none of its points.
    systematic : a square grid with a random start, instead of random points.
    by : attribute of the parcels that names their stratum; empty takes all ground as one.
    each : plots by stratum, in place of shares by area.

    Raises
    ------
    NotFoundError : there is no such project, or it claims nothing.
    InvalidValueError : a number of plots nobody measures, a stratum that is not there.
    sinks.errors.DomainError : the seed makes no sense, or no point falls on the ground.
    """
    total = sum(each.values()) if each else plots
    if not 0 < total <= MOST_PLOTS:
        raise InvalidValueError(field="plots", value=total, why=f"1-{MOST_PLOTS}")
    shapes: dict[str, list[bytes]] = {}
    for row in session.execute(_CLAIMED, {"project": project_id, "by": by}):
        shapes.setdefault(row.stratum, []).append(bytes(row.wkb))
    if not shapes:
        raise NotFoundError(what="claim", id=project_id)
    places = {name: ground(shapes[name]) for name in sorted(shapes)}
    wanted = _allocated({name: one.area_m2 for name, one in places.items()}, total, each)
    strata, points = [], []
    for name, place in places.items():
        drawn, spacing = _points(name, place, wanted[name], seed=seed, systematic=systematic)
        points += [(name, float(x), float(y)) for x, y in place.lon_lat(drawn)]
        strata.append(
            SampleStratum(
                name=name,
                area_m2=place.area_m2,
                parcels=len(shapes[name]),
                plots=len(drawn),
                spacing_m=spacing,
                epsg=place.epsg,
            )
        )
    return Sample(
        project_id=project_id,
        method="systematic" if systematic else "random",
        seed=seed,
        spacing_m=strata[0].spacing_m if len(strata) == 1 else None,
        parcels=sum(one.parcels for one in strata),
        area_m2=sum(one.area_m2 for one in strata),
        epsg=strata[0].epsg,
        points=[
            SamplePoint(number=i, lon=round(x, 8), lat=round(y, 8), stratum=name)
            for i, (name, x, y) in enumerate(points, start=1)
        ],
        strata=strata,
    )


def _allocated(area_m2: Mapping[str, float], total: int, each: Mapping[str, int]) -> dict[str, int]:
    """Plots of each stratum: as given, or in proportion to area, two at least."""
    if each:
        unknown = sorted(set(each) - set(area_m2))
        low = [name for name in area_m2 if not each.get(name, 0) > 0]
        if unknown or low:
            given = f"{(unknown or low)[0]}={each.get((unknown or low)[0], 0)}"
            raise InvalidValueError(field="stratum", value=given, why=", ".join(area_m2))
        return dict(each)
    if len(area_m2) == 1:
        return dict.fromkeys(area_m2, total)
    shares = largest_remainder(total, [Fraction(one) for one in area_m2.values()])
    return {name: max(n, _FEWEST) for name, n in zip(area_m2, shares, strict=True)}


_FEWEST: Final = 2
"""Plots without which a stratum has no error."""


def _points(
    name: str, place: Ground, plots: int, *, seed: int, systematic: bool
) -> tuple[NDArray[np.float64], float | None]:
    # A name's own stream: the stratum's points do not depend on which others there are.
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:7]) if name else 0
    stratum = sampling.Stratum(number=number, bounds=place.bounds, plots=1 if systematic else plots)
    if not systematic:
        return sampling.random_points(stratum, place.inside, seed=seed), None
    spacing = sampling.spacing_for(area_m2=place.area_m2, plots=plots)
    made = sampling.systematic_points(stratum, place.inside, seed=seed, spacing_m=spacing)
    return made, spacing


_CLAIMED = text(
    "SELECT ST_AsBinary(v.geometry) AS wkb, CASE WHEN CAST(:by AS text) = '' THEN ''"
    " ELSE coalesce(v.attributes ->> CAST(:by AS text), '') END AS stratum"
    " FROM (SELECT DISTINCT ON (parcel_id) parcel_id, version"
    " FROM claim WHERE project_id = :project AND status = 'active'"
    " ORDER BY parcel_id, version DESC) c"
    " JOIN parcel_version v ON v.parcel_id = c.parcel_id AND v.version = c.version"
    " ORDER BY v.parcel_id"
)
