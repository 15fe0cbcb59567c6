"""``/stac``: the layers as a SpatioTemporal Asset Catalog; a raster itself only by right."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from flask import Blueprint, Response, send_file, url_for

from registry import layers
from registry.catalogue import (
    MULTIHASH_SHA256,
    STAC_EXTENSIONS,
    STAC_VERSION,
    CataloguedLayer,
    by_digest,
    catalogued,
)
from registry.errors import NotFoundError
from web.auth import public, requires
from web.context import config, reading

blueprint = Blueprint("stac", __name__, url_prefix="/stac")
GEOTIFF: Final = "image/tiff; application=geotiff"
KINDS: Final[Mapping[str, str]] = {
    "species": "树种 Species",
    "age": "林龄 Stand age",
    "site": "立地 Site class",
    "disturbance": "扰动 Disturbance",
    "dem": "高程 Elevation",
    "land_class": "地类 Land class",
    "canopy": "郁闭度 Canopy cover",
    "ndvi": "植被指数 NDVI",
    "loss": "损失年份 Year of loss",
}
_SPDX: Final = re.compile(r"[\w.+-]+")


@blueprint.get("/")
@public
def catalogue() -> Response:
    """Name the kinds of layers there are."""
    with reading() as session:
        kinds = sorted({one.view.kind for one in catalogued(session)})
    children = [_link(_collection_url(kind), "child", title=KINDS[kind]) for kind in kinds]
    return _json(
        {
            "type": "Catalog",
            "stac_version": STAC_VERSION,
            "id": "tanhui",
            "title": "碳汇 Tanhui: layers",
            "description": "计算和核查所用的栅格图层。Rasters behind assessments and checks.",
            "links": [*_around(_root(), None), *children],
        }
    )


@blueprint.get("/collections")
@public
def collections() -> Response:
    """List the collections, one for each kind of layer."""
    with reading() as session:
        found = catalogued(session)
    kinds = sorted({one.view.kind for one in found})
    told = [_collection(kind, [one for one in found if one.view.kind == kind]) for kind in kinds]
    here = url_for("stac.collections", _external=True)
    return _json({"collections": told, "links": _around(here, _root())})


@blueprint.get("/collections/<kind>")
@public
def collection(kind: str) -> Response:
    """Describe the layers of one kind."""
    return _json(_collection(kind, _of_kind(kind)))


@blueprint.get("/collections/<kind>/items")
@public
def items(kind: str) -> Response:
    """List the layers of one kind, the newest year first."""
    found = _of_kind(kind)
    here = url_for("stac.items", kind=kind, _external=True)
    body = {
        "type": "FeatureCollection",
        "features": [_item(one) for one in found],
        "links": _around(here, _collection_url(kind)),
    }
    return _json(body, "application/geo+json")


@blueprint.get("/collections/<kind>/items/<sha256>")
@public
def item(kind: str, sha256: str) -> Response:
    """Describe one layer."""
    with reading() as session:
        found = by_digest(session, sha256, kind=_known(kind))
    return _json(_item(found), "application/geo+json")


@blueprint.get("/assets/<sha256>.tif")
@requires("assessment:read")
def asset(sha256: str) -> Response:
    """Answer with the raster itself, whole or in ranges."""
    with reading() as session:
        found = by_digest(session, sha256)
    path = layers.layer_path(config().layer_dir, found.view.sha256)
    if not path.is_file():
        raise NotFoundError(what="layer", id=sha256)
    return send_file(
        path.resolve(),
        mimetype="image/tiff",
        as_attachment=True,
        download_name=found.view.name,
        etag=sha256,
        conditional=True,
    )


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise NotFoundError(what="collection", id=kind)
    return kind


def _of_kind(kind: str) -> list[CataloguedLayer]:
    with reading() as session:
        found = catalogued(session, kind=_known(kind))
    if not found:
        raise NotFoundError(what="collection", id=kind)
    return found


def _collection(kind: str, found: Sequence[CataloguedLayer]) -> dict[str, Any]:
    boxes = [one.box for one in found]
    whole = [
        *(min(box[side] for box in boxes) for side in (0, 1)),
        *(max(box[side] for box in boxes) for side in (2, 3)),
    ]
    years = [one.view.year for one in found]
    licences = {one.view.licence for one in found}
    here = _collection_url(kind)
    inside = [_link(_item_url(one), "item", "application/geo+json") for one in found]
    return {
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "id": kind,
        "title": KINDS[kind],
        "description": KINDS[kind],
        "license": _licence(licences.pop()) if len(licences) == 1 else "other",
        "extent": {
            "spatial": {"bbox": [whole]},
            "temporal": {"interval": [[_first(min(years)), _last(max(years))]]},
        },
        "links": [
            *_around(here, _root()),
            _link(f"{here}/items", "items", "application/geo+json"),
            *inside,
        ],
    }


def _item(one: CataloguedLayer) -> dict[str, Any]:
    view, grid, day = one.view, one.grid, one.view.observed_on
    transform = list(grid.transform)[:6]
    known = view.crs.upper().startswith("EPSG:")
    properties: dict[str, Any] = {
        "datetime": None,
        "start_datetime": f"{day}T00:00:00Z" if day else _first(view.year),
        "end_datetime": f"{day}T23:59:59Z" if day else _last(view.year),
        "title": view.name,
        "gsd": view.cell_m,
        "license": _licence(view.licence),
        "providers": [{"name": view.source, "roles": ["producer"]}],
        "proj:code": view.crs.upper() if known else None,
        "proj:shape": [view.height, view.width],
        "proj:transform": transform,
    }
    if not known:
        properties["proj:wkt2"] = view.crs
    data: dict[str, Any] = {
        "href": url_for("stac.asset", sha256=view.sha256, _external=True),
        "type": GEOTIFF,
        "roles": ["data"],
        "title": view.name,
        "file:checksum": MULTIHASH_SHA256 + view.sha256,
    }
    path = layers.layer_path(config().layer_dir, view.sha256)
    if path.is_file():
        data["file:size"] = path.stat().st_size
    return {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": list(STAC_EXTENSIONS),
        "id": view.sha256,
        "collection": view.kind,
        "geometry": {"type": "Polygon", "coordinates": [[list(point) for point in one.ring]]},
        "bbox": list(one.box),
        "properties": properties,
        "assets": {"data": data},
        "links": [
            *_around(_item_url(one), _collection_url(view.kind), kind="application/geo+json"),
            _link(_collection_url(view.kind), "collection"),
        ],
    }


def _licence(words: str) -> str:
    """Return an SPDX name as it is; other terms stand with the layer's source."""
    return words if _SPDX.fullmatch(words) else "other"


def _first(year: int) -> str:
    return f"{year:04d}-01-01T00:00:00Z"


def _last(year: int) -> str:
    return f"{year:04d}-12-31T23:59:59Z"


def _root() -> str:
    return url_for("stac.catalogue", _external=True)


def _collection_url(kind: str) -> str:
    return url_for("stac.collection", kind=kind, _external=True)


def _item_url(one: CataloguedLayer) -> str:
    return url_for("stac.item", kind=one.view.kind, sha256=one.view.sha256, _external=True)


def _around(
    here: str, parent: str | None, *, kind: str = "application/json"
) -> list[dict[str, str]]:
    links = [_link(here, "self", kind), _link(_root(), "root")]
    return [*links, _link(parent, "parent")] if parent else links


def _link(href: str, rel: str, kind: str = "application/json", title: str = "") -> dict[str, str]:
    made = {"href": href, "rel": rel, "type": kind}
    return made | ({"title": title} if title else {})


def _json(body: Mapping[str, Any], kind: str = "application/json") -> Response:
    return Response(json.dumps(body, ensure_ascii=False), content_type=kind)
