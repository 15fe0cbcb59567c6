"""Where the plots of a project fall: drawn from a seed, so that anybody can draw them again."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from geo.ground import ground
from registry.errors import InvalidValueError, NotFoundError
from sinks import sampling

MOST_PLOTS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePoint:
    """One plot's middle, CGCS2000."""

    number: int
    lon: float
    lat: float


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


def draw(
    session: Session, project_id: UUID, *, plots: int, seed: int, systematic: bool = False
) -> Sample:
    """Draw the plots of a project over the ground it claims.

    Parameters
    ----------
    plots : how many; a grid gives about as many.
    seed : the same seed over the same ground gives the same points on every machine.
    systematic : a square grid with a random start, instead of random points.

    Raises
    ------
    NotFoundError : there is no such project, or it claims nothing.
    InvalidValueError : a number of plots nobody measures.
    sinks.errors.DomainError : the seed makes no sense, or no point falls on the ground.
    """
    if not 0 < plots <= MOST_PLOTS:
        raise InvalidValueError(field="plots", value=plots, why=f"1-{MOST_PLOTS}")
    shapes = [bytes(row.wkb) for row in session.execute(_CLAIMED, {"project": project_id})]
    if not shapes:
        raise NotFoundError(what="claim", id=project_id)
    place = ground(shapes)
    stratum = sampling.Stratum(number=0, bounds=place.bounds, plots=1 if systematic else plots)
    spacing = None
    if systematic:
        spacing = sampling.spacing_for(area_m2=place.area_m2, plots=plots)
        points = sampling.systematic_points(stratum, place.inside, seed=seed, spacing_m=spacing)
    else:
        points = sampling.random_points(stratum, place.inside, seed=seed)
    return Sample(
        project_id=project_id,
        method="systematic" if systematic else "random",
        seed=seed,
        spacing_m=spacing,
        parcels=len(shapes),
        area_m2=place.area_m2,
        epsg=place.epsg,
        points=[
            SamplePoint(number=i, lon=round(float(x), 8), lat=round(float(y), 8))
            for i, (x, y) in enumerate(place.lon_lat(points), start=1)
        ],
    )


_CLAIMED = text(
    "SELECT ST_AsBinary(v.geometry) AS wkb FROM (SELECT DISTINCT ON (parcel_id) parcel_id, version"
    " FROM claim WHERE project_id = :project AND status = 'active'"
    " ORDER BY parcel_id, version DESC) c"
    " JOIN parcel_version v ON v.parcel_id = c.parcel_id AND v.version = c.version"
    " ORDER BY v.parcel_id"
)
