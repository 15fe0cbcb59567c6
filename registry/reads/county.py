"""A county in figures: parcels by status, projects' tonnes.  Orchards: ``registry.orchards``."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelCount:
    """Parcels of a kind in a state."""

    kind: str
    status: str
    parcels: int
    area_m2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectTonnes:
    """A project with what was verified and issued, kg CO2e; retired of what was issued."""

    number: str
    name: str
    programme: str
    status: str
    parcels: int
    verified_kg: int
    issued_kg: int
    buffer_kg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CountyFigures:
    """What the county's page shows beside its orchards."""

    adcode: str
    name: str
    parcels: tuple[ParcelCount, ...]
    projects: tuple[ProjectTonnes, ...]


def county_figures(session: Session, adcode: str) -> CountyFigures:
    """Return a county's parcels by kind and status, and its projects.

    Parameters
    ----------
    adcode : county, 6 digits.
    """
    bound = {"adcode": adcode}
    name = session.scalar(_NAME, {"code": adcode.ljust(12, "0")})
    counts = session.execute(_PARCELS, {"prefix": f"{adcode}%"})
    return CountyFigures(
        adcode=adcode,
        name=name or adcode,
        parcels=tuple(ParcelCount(**row._asdict()) for row in counts),
        projects=tuple(ProjectTonnes(**row._asdict()) for row in session.execute(_PROJECTS, bound)),
    )


_NAME = text("SELECT name FROM division WHERE code = :code")
_PARCELS = text(
    "SELECT kind, status, count(*) AS parcels, coalesce(sum(area_m2), 0)::float8 AS area_m2"
    " FROM parcel WHERE division_code LIKE :prefix GROUP BY kind, status ORDER BY kind, status"
)
_PROJECTS = text(
    "SELECT j.adcode || '-' || lpad(j.number::text, 6, '0') AS number, j.name,"
    " j.programme_id AS programme, j.status,"
    " (SELECT count(*) FROM project_parcel k WHERE k.project_id = j.id) AS parcels,"
    " coalesce((SELECT sum(d.verified_kg) FROM period d WHERE d.project_id = j.id"
    "  AND d.status IN ('verified', 'issued')), 0)::bigint AS verified_kg,"
    " coalesce((SELECT sum(b.size_kg) FROM batch b WHERE b.project_id = j.id), 0)::bigint"
    "  AS issued_kg,"
    " coalesce((SELECT sum(b.buffer_kg) FROM batch b WHERE b.project_id = j.id), 0)::bigint"
    "  AS buffer_kg"
    " FROM project j WHERE j.adcode = :adcode ORDER BY j.number"
)
