"""``/tiles/{layer}/{z}/{x}/{y}.mvt``: vector tiles by right, revalidated by their version."""

import gzip
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final, Literal

from flask import Blueprint, Response, current_app, request

from registry.reads import tiles
from registry.reads.tiles import Tile
from web.auth import PUBLIC, public, requires
from web.context import reading
from web.tile_cache import TileCache

MVT: Final = "application/vnd.mapbox-vector-tile"
Layer = Literal["parcels", "neighbours", "public"]
LAYERS: Final[Mapping[Layer, str]] = {
    "parcels": "parcel:read",
    "neighbours": "parcel:draw",
    "public": PUBLIC,
}
"""Who may ask for a layer; which parcels stand in it is decided in the database."""


def blueprint() -> Blueprint:
    """Return the layers, each behind its permission."""
    made = Blueprint("tiles", __name__, url_prefix="/tiles")
    for layer, permission in LAYERS.items():
        mark = public if permission == PUBLIC else requires(permission)
        made.add_url_rule(
            f"/{layer}/<int:z>/<int:x>/<int:y>.mvt", endpoint=layer, view_func=mark(_view(layer))
        )
    return made


def tile_address(layer: Layer) -> str:
    """Return a layer's address as a map asks it, with ``{z}/{x}/{y}``."""
    return f"/tiles/{layer}/{{z}}/{{x}}/{{y}}.mvt"


def _view(layer: Layer) -> Callable[[int, int, int], Response]:
    def view(z: int, x: int, y: int) -> Response:
        tile = Tile(layer=layer, z=z, x=x, y=y)
        kept: TileCache = current_app.extensions["tile_cache"]
        with reading() as session:
            # The version is read first: bytes may be newer than it says, never older.
            version = tiles.version(session, tile)
            answer = Response(content_type=MVT)
            answer.set_etag(version, weak=True)  # packed or not
            answer.vary.update(("Accept-Encoding", "Cookie", "Authorization"))
            if request.if_none_match.contains_weak(version):
                answer.status_code = HTTPStatus.NOT_MODIFIED
                return answer
            body = kept.get(tile, version)
            if body is None:
                body = gzip.compress(tiles.content(session, tile), 5, mtime=0)
                kept.put(tile, version, body)
        if request.accept_encodings["gzip"]:
            answer.headers["Content-Encoding"] = "gzip"
            answer.set_data(body)
        else:
            answer.set_data(gzip.decompress(body))
        return answer

    view.__name__ = layer
    return view
