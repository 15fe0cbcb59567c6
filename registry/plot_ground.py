"""On which parcel each field plot lies: the one that holds its point, as the ground is now.

Plots are kept by project and point, so an edit of boundaries re-attaches them by itself; a point
on a common line belongs to one parcel all the same, always the same one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotPlace:
    """A field plot and the claimed parcel that holds its point; None where none does any more."""

    plot_id: UUID
    project_id: UUID
    number: str
    survey_year: int
    parcel_id: UUID | None
    parcel_code: str | None


def places(session: Session, plot_ids: Sequence[UUID]) -> list[PlotPlace]:
    """Return where plots lie, by project, survey and number."""
    rows = session.execute(_PLACES, {"ids": list(plot_ids)})
    return [PlotPlace(**row._asdict()) for row in rows]


def on_parcels(session: Session, parcel_ids: Sequence[UUID]) -> list[UUID]:
    """Return the plots, as they stand, whose points these parcels hold under their claims."""
    return list(session.scalars(_ON, {"parcels": list(parcel_ids)}))


_POINT = "ST_SetSRID(ST_MakePoint(f.lon, f.lat), 4490)"
_NEAR = f"p.geometry && ST_Expand({_POINT}, 1e-9) AND ST_DWithin(p.geometry, {_POINT}, 1e-9)"
"""Within 0.1 mm: a line cut through a point leaves it on neither side by rounding alone."""
_PLACES = text(
    "SELECT f.id AS plot_id, f.project_id, f.number, f.survey_year, x.id AS parcel_id,"
    " x.code AS parcel_code FROM field_plot f LEFT JOIN LATERAL ("
    " SELECT p.id, p.code FROM claim c JOIN parcel p ON p.id = c.parcel_id"
    f"  WHERE c.project_id = f.project_id AND c.status = 'active' AND {_NEAR}"
    f"  ORDER BY ST_Distance(p.geometry, {_POINT}), p.id LIMIT 1) x ON true"
    " WHERE f.id = ANY(:ids) ORDER BY f.project_id, f.survey_year, f.origin, f.number"
)
_ON = text(
    "SELECT f.id FROM (SELECT DISTINCT ON (project_id, origin, survey_year, number) *"
    "  FROM field_plot WHERE project_id IN (SELECT project_id FROM claim"
    "   WHERE parcel_id = ANY(:parcels) AND status = 'active')"
    "  ORDER BY project_id, origin, survey_year, number, version DESC) f"
    " WHERE NOT f.withdrawn AND EXISTS (SELECT FROM claim c JOIN parcel p ON p.id = c.parcel_id"
    "  WHERE c.project_id = f.project_id AND c.status = 'active' AND p.id = ANY(:parcels)"
    f"  AND {_NEAR}) ORDER BY f.id"
)
