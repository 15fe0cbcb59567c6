"""Layers as a catalogue tells of them: where each lies, of which year, from whom."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from geo.raster import Grid, footprint
from registry import layers
from registry.errors import NotFoundError
from registry.layers import LayerView

STAC_VERSION: Final = "1.1.0"
STAC_EXTENSIONS: Final = (
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "https://stac-extensions.github.io/file/v2.1.0/schema.json",
)
MULTIHASH_SHA256: Final = "1220"
"""Prefix of the multihash format: SHA-256, 32 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CataloguedLayer:
    """A layer with its grid and its outline in longitude and latitude."""

    view: LayerView
    grid: Grid
    ring: tuple[tuple[float, float], ...]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees."""
        lon, lat = zip(*self.ring, strict=True)
        return min(lon), min(lat), max(lon), max(lat)


def catalogued(session: Session, *, kind: str | None = None) -> list[CataloguedLayer]:
    """Return all layers, or those of one kind, the newest year of each first."""
    grids = {row.id: layers.grid_of(row.grid) for row in session.execute(_GRIDS)}
    return [_with_outline(view, grids[view.id]) for view in layers.listing(session, kind=kind)]


def by_digest(session: Session, sha256: str, *, kind: str | None = None) -> CataloguedLayer:
    """Return the layer that holds these bytes.

    Raises
    ------
    NotFoundError : there is none.
    """
    found = [one for one in catalogued(session, kind=kind) if one.view.sha256 == sha256]
    if not found:
        raise NotFoundError(what="layer", id=sha256)
    return found[0]


def _with_outline(view: LayerView, grid: Grid) -> CataloguedLayer:
    return CataloguedLayer(view=view, grid=grid, ring=footprint(grid))


_GRIDS = text("SELECT id, grid FROM layer")
