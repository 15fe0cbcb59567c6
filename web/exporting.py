"""A file of parcels to take away, in the format that is asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import shapely
from sqlalchemy.orm import Session

from geo.export import Field, FormatName, Parcels, write_parcels
from geo.fields import meaning_of
from registry.people import ActorView
from registry.reads.exports import ROWS_MAX, ExportQuery, parcel_rows

_DRAWS: Final = ("township", "county", "system")
"""Who draws parcels sees the shapes beside them."""

OWN_FIELDS: Final = {
    "parcel_id": Field(alias="地块标识"),
    "parcel_code": Field(alias="地块编号"),
    "parcel_kind": Field(alias="种类"),
    "parcel_status": Field(alias="状态"),
    "parcel_version": Field(alias="版本"),
    "division_code": Field(alias="行政区划代码"),
    "division": Field(alias="所在"),
    "owner": Field(alias="权利人"),
    "area_m2": Field(alias="登记面积（平方米）", unit="平方米 m2"),
    "area_mu": Field(alias="登记面积（亩）", unit="亩 mu"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """What is asked for: the format and which parcels."""

    format: FormatName = "gpkg"
    status: str | None = None
    kind: str | None = None
    division: str | None = None

    def query(self) -> ExportQuery:
        """Return which parcels."""
        return ExportQuery(status=self.status, kind=self.kind, division=self.division)


def write_export(
    session: Session,
    who: ActorView,
    asked: ExportRequest,
    *,
    path: Path,
    most: int = ROWS_MAX,
) -> int:
    """Write the parcels that an actor may see; return how many.

    Raises
    ------
    geo.errors.GeometryError : the format is not known, or cannot hold an attribute.
    TooManyParcelsError : more than one file should hold.
    """
    beside = asked.format == "gpkg" and who.has(*_DRAWS)
    rows = parcel_rows(session, who, asked.query(), neighbours=beside, most=most)
    names = dict.fromkeys(name for mapping in rows.attributes for name in mapping)
    parcels = Parcels(
        geometries=_shapes(rows.shapes),
        attributes=rows.attributes,
        fields={name: _field(name) for name in names},
    )
    neighbours = _shapes(rows.neighbours) if beside else None
    write_parcels(path, parcels, format=asked.format, neighbours=neighbours)
    return len(rows.shapes)


def _shapes(blobs: tuple[bytes, ...]) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    shapes = np.empty(len(blobs), dtype=object)
    shapes[:] = shapely.from_wkb(np.array([*blobs, None], dtype=object))[:-1]
    return shapes


def _field(name: str) -> Field:
    if name in OWN_FIELDS:
        return OWN_FIELDS[name]
    about = meaning_of(name)
    return Field(alias=about.alias, unit=about.unit) if about else Field()
