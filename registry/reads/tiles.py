"""Map tiles: what stands in one, cut in the database by the actor's reach; and its version."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

from registry.errors import NotFoundError

FORMAT: Final = 1
"""Raised when a tile of the same parcels gets other bytes."""
EXACT_FROM_Z: Final = 13
"""From here on a tile holds the plots themselves, farther off the cells they are counted in."""
ZOOMS: Final = {"parcels": range(17), "neighbours": range(EXACT_FROM_Z, 17), "public": range(16)}
"""The zooms at which a layer has tiles; at the nearest a unit is 15 cm (public: a cell a tile)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One tile of the web map's grid."""

    layer: Literal["parcels", "neighbours", "public"]
    z: int
    x: int
    y: int

    def __post_init__(self) -> None:
        if self.z not in ZOOMS[self.layer] or not (self.x < 2**self.z and self.y < 2**self.z):
            raise NotFoundError(what="tile", id=f"{self.layer}/{self.z}/{self.x}/{self.y}")


def version(session: Session, tile: Tile) -> str:
    """Return a text that is another after every change of what the actor's tile shows.

    It names the actor's reach as well: two actors who see the same get the same.
    """
    found = session.scalar(_VERSIONS[tile.layer], _place(tile))
    words = f"{FORMAT}|{tile.layer}|{tile.z}/{tile.x}/{tile.y}|{found}"
    return sha256(words.encode()).hexdigest()[:32]


def content(session: Session, tile: Tile) -> bytes:
    """Return the tile as a Mapbox vector tile, at most about 450 kB; empty where nothing is.

    Layers in it: ``parcels`` (id, name, kind, status; of neighbours kind and status only),
    ``cells`` (parcels, area_m2 and, within reach, parcels by status), ``left_out`` (how many
    parcels no longer fitted).
    """
    name = "cells" if tile.layer == "parcels" and tile.z < EXACT_FROM_Z else tile.layer
    return bytes(session.scalar(_TILES[name], _place(tile)) or b"")


def _place(tile: Tile) -> dict[str, int]:
    return {"z": tile.z, "x": tile.x, "y": tile.y}


_VERSIONS: Final = {
    "parcels": text("SELECT parcel_tile_version(:z, :x, :y)"),
    "neighbours": text("SELECT neighbour_tile_version(:z, :x, :y)"),
    "public": text("SELECT public_tile_version(:z, :x, :y)"),
}
_TILES: Final = {
    "cells": text("SELECT cell_tile(:z, :x, :y)"),
    "parcels": text("SELECT parcel_tile(:z, :x, :y)"),
    "neighbours": text("SELECT neighbour_tile(:z, :x, :y)"),
    "public": text("SELECT public_tile(:z, :x, :y)"),
}
