"""The parcels that a question about change is asked of, and the layers that answer it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from geo.cutout import box_of
from geo.raster import Layer as Raster
from registry.canonical import digest
from registry.divisions import subtree_prefix
from registry.errors import NotFoundError, RegistryError
from registry.layers import LayerView

Say = Callable[..., None]
"""Told the phase, how much is done, and of how much."""

METHOD: Final = 1
"""Raised whenever the same inputs give other figures."""

BLOCK: Final = 5_000
"""Parcels measured and written at a time."""


class NoGroundError(RegistryError):
    """No approved parcel is in what was asked for."""

    code = "CHANGE_NO_PARCELS"


class LayerElsewhereError(RegistryError):
    """A layer shows none of the parcels: it lies elsewhere, or says a wrong reference system."""

    code = "LAYER_ELSEWHERE"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ground:
    """Parcels in the order of their ids."""

    ids: list[UUID]
    versions: list[int]
    digests: list[bytes]
    county: list[str]
    area_m2: NDArray[np.float64]
    geometry: NDArray[Any]

    def part(self, rows: Sequence[int]) -> "Ground":
        """Return some of them."""
        return Ground(
            ids=[self.ids[i] for i in rows],
            versions=[self.versions[i] for i in rows],
            digests=[self.digests[i] for i in rows],
            county=[self.county[i] for i in rows],
            area_m2=self.area_m2[list(rows)],
            geometry=self.geometry[list(rows)],
        )

    def blocks(self) -> Iterator["Ground"]:
        """Give them a block at a time."""
        for first in range(0, len(self.ids), BLOCK):
            yield self.part(range(first, min(first + BLOCK, len(self.ids))))


def silent(_phase: str, _done: int = 0, _total: int = 0) -> None:
    """Say nothing: nobody is waiting on a job."""


def read_ground(
    session: Session, *, division_code: str | None, parcel_ids: Sequence[UUID] = ()
) -> Ground:
    """Read parcels named by id, or the approved ones of a division or all in sight.

    Raises
    ------
    NotFoundError : an id names no parcel.
    NoGroundError : there is none.
    """
    prefix = f"{subtree_prefix(division_code)}%" if division_code else "%"
    rows = session.execute(
        _GROUND, {"ids": list(parcel_ids) if parcel_ids else None, "prefix": prefix}
    ).all()
    for missing in sorted(set(parcel_ids) - {row.parcel_id for row in rows}):
        raise NotFoundError(what="parcel", id=missing)
    if not rows:
        raise NoGroundError(division=division_code or "—")
    return Ground(
        ids=[row.parcel_id for row in rows],
        versions=[row.version for row in rows],
        digests=[bytes(row.shape_digest) for row in rows],
        county=[(row.division_code or "")[:6] for row in rows],
        area_m2=np.array([row.area_m2 for row in rows], np.float64),
        geometry=shapely.from_wkb([bytes(row.wkb) for row in rows]),
    )


def input_digest(shape: bytes, view: LayerView, raster: Raster) -> bytes:
    """Return the digest of all that a parcel's figure from a layer stands on."""
    return digest(
        {
            "method": METHOD,
            "shape": shape,
            "layer": view.sha256,
            "band": raster.band,
            "nodata": repr(raster.nodata),
            "scale": repr(view.scale),
        }
    )


def lies_on(ground: Ground, raster: Raster) -> bool:
    """Say whether any of the parcels may touch the layer's grid."""
    return bool(box_of(raster.grid, ground.geometry).cells)


def known(session: Session, table: str, ground: Ground, layer_id: UUID) -> set[tuple[UUID, bytes]]:
    """Return (parcel, input digest) of what a table already holds of a layer."""
    query = text(
        f"SELECT parcel_id, input_digest FROM {table}"
        " WHERE layer_id = :layer AND parcel_id = ANY(:ids)"
    )
    rows = session.execute(query, {"layer": layer_id, "ids": ground.ids})
    return {(row.parcel_id, bytes(row.input_digest)) for row in rows}


_GROUND = text(
    "SELECT v.parcel_id, v.version, v.shape_digest, v.area_m2, p.division_code,"
    " ST_AsBinary(v.geometry) AS wkb"
    " FROM parcel p JOIN parcel_version v ON v.parcel_id = p.id AND v.version = p.version"
    " WHERE CASE WHEN CAST(:ids AS uuid[]) IS NULL THEN p.status = 'approved'"
    " AND (:prefix = '%' OR p.division_code LIKE :prefix) ELSE p.id = ANY(:ids) END"
    " ORDER BY 1"
)
