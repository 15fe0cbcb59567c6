"""The addresses of the OGC interface; JSON for programs, a page for people."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, request, url_for
from sqlalchemy.orm import Session

from registry.errors import NotFoundError
from registry.reads import features
from web.auth import may, public
from web.context import reading, viewer
from web.ogc import asking, document
from web.ogc.document import GEOJSON, OPENAPI, link
from web.pages.frame import show

blueprint = Blueprint("ogc", __name__, url_prefix="/ogc")
OPEN: Final = ("divisions", "cells")


@dataclass(frozen=True, slots=True, kw_only=True)
class OgcPage:
    """Context of ``ogc/page.html``: a title, links, and features with their properties."""

    title: str
    lead: str
    links: tuple[tuple[str, str], ...]
    fields: tuple[str, ...] = ()
    rows: tuple[tuple[str, str, tuple[Any, ...]], ...] = ()
    shapes: str | None = None
    head: str = "id"
    """Of the column that leads on."""

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Return the properties as the map's popup names them."""
        return [(name, name) for name in self.fields]


def _base() -> str:
    return url_for("ogc.landing", _external=True).rstrip("/")


def _names() -> tuple[str, ...]:
    """Return the collections the caller may see: plots only to who may read plots."""
    return (*OPEN, "parcels") if may(viewer(), "parcel:read") else OPEN


def _known(name: str) -> str:
    if name not in _names():
        raise NotFoundError(what="collection", id=name)
    return name


def _json(body: Mapping[str, Any], kind: str = "application/json") -> Response:
    answer = Response(json.dumps(body, ensure_ascii=False), content_type=kind)
    answer.vary.update(("Accept", "Cookie", "Authorization"))
    return answer


def _page(title: str, lead: str, links: list[dict[str, str]], **more: Any) -> str:  # noqa: ANN401
    shown = tuple(
        (one.get("title", one["rel"]), one["href"]) for one in links if one["rel"] != "self"
    )
    return show("ogc/page.html", OgcPage(title=title, lead=lead, links=shown, **more))


@blueprint.get("/")
@public
def landing() -> Response | str:
    """Say what is here."""
    asking.known("f")
    base = _base()
    links = [
        link(f"{base}/", "self", "application/json"),
        link(f"{base}/?f=html", "alternate", "text/html", "HTML"),
        link(f"{base}/api", "service-desc", OPENAPI, "OpenAPI 3.0"),
        link(f"{base}/conformance", "conformance", "application/json", "Conformance"),
        link(f"{base}/collections", "data", "application/json", "数据 Collections"),
    ]
    title = "碳汇 Tanhui: OGC API Features"
    lead = "公开的区划和地块分布；登录后按权限看地块。Public places; signed in, plots by right."
    if asking.wants_html():
        return _page(title, lead, links)
    return _json({"title": title, "description": lead, "links": links})


@blueprint.get("/api")
@public
def api() -> Response:
    """Answer with the OpenAPI document."""
    return _json(document.openapi(_base(), _names()), OPENAPI)


@blueprint.get("/conformance")
@public
def conformance() -> Response | str:
    """Name the conformance classes."""
    asking.known("f")
    if asking.wants_html():
        return _page("Conformance", "", [{"href": one, "rel": one} for one in document.CONFORMS])
    return _json({"conformsTo": list(document.CONFORMS)})


@blueprint.get("/collections")
@public
def collections() -> Response | str:
    """List the collections the caller may see."""
    asking.known("f")
    here = f"{_base()}/collections"
    with reading() as session:
        found = [_collection(session, name) for name in _names()]
    if asking.wants_html():
        rows = [
            (one["title"], f"{here}/{one['id']}/items?f=html", [one["description"], one["id"]])
            for one in found
        ]
        lead = "点名称看内容；同一地址给机器是 GeoJSON。Choose a name to see what it holds."
        other = [link(f"{here}?f=json", "alternate", "application/json", "JSON")]
        return _page(
            "数据 Collections",
            lead,
            other,
            head="名称 Title",
            fields=("说明 Description", "id"),
            rows=tuple(rows),
        )
    links = [
        link(here, "self", "application/json"),
        link(f"{here}?f=html", "alternate", "text/html"),
    ]
    return _json({"links": links, "collections": found})


def _collection(session: Session, name: str) -> dict[str, Any]:
    extent = features.extent(session, name) if name in OPEN else None
    return document.collection(name, _base(), extent)


@blueprint.get("/collections/<name>")
@public
def collection(name: str) -> Response | str:
    """Describe one collection."""
    asking.known("f")
    with reading() as session:
        found = _collection(session, _known(name))
    if asking.wants_html():
        return _page(found["title"], found["description"], found["links"])
    return _json(found)


@blueprint.get("/collections/<name>/queryables")
@public
def queryables(name: str) -> Response:
    """Say by what a collection can be filtered."""
    asking.known("f")
    return _json(document.queryables(_known(name), _base()), "application/schema+json")


@blueprint.get("/collections/<name>/items")
@public
def items(name: str) -> Response | str:
    """Answer with a part of a collection."""
    query = asking.feature_query(_known(name))
    with reading() as session:
        found = features.page(session, name, query)
    links = _list_links(name, found.next)
    if asking.wants_html():
        return _listed(name, found, links)
    body = {
        "type": "FeatureCollection",
        "timeStamp": datetime.now(UTC).isoformat(),
        "numberMatched": found.matched,
        "numberReturned": len(found.features),
        "links": links,
        "features": found.features,
    }
    return _told(body)


@blueprint.get("/collections/<name>/items/<key>")
@public
def item(name: str, key: str) -> Response | str:
    """Answer with one feature."""
    asking.known(*asking.ITEM_PARAMETERS)
    with reading() as session:
        found = features.feature(session, _known(name), key, asking.axes())
    here = f"{_base()}/collections/{name}/items/{key}"
    links = [
        link(here, "self", GEOJSON),
        link(f"{here}?f=html", "alternate", "text/html", "HTML"),
        link(f"{_base()}/collections/{name}", "collection", "application/json", "Collection"),
    ]
    if not asking.wants_html():
        return _told(found | {"links": links})
    values = found["properties"]
    row = (key, f"{here}?f=html", tuple(values.values()))
    title = str(values.get("name") or values.get("code") or key)
    more = {"fields": tuple(values), "rows": (row,), "shapes": f"{here}?f=json"}
    return _page(title, document.TITLES[name][0], links, **more)


def _told(body: Mapping[str, Any]) -> Response:
    answer = _json(body, GEOJSON)
    answer.headers["Content-Crs"] = f"<{request.args.get('crs', asking.CRS84)}>"
    return answer


def _list_links(name: str, after: str | None) -> list[dict[str, str]]:
    here = f"{_base()}/collections/{name}/items"
    asked = request.args.to_dict()
    links = [
        link(_address(here, asked), "self", GEOJSON),
        link(_address(here, asked | {"f": "html"}), "alternate", "text/html", "HTML"),
        link(f"{_base()}/collections/{name}", "collection", "application/json", "Collection"),
    ]
    if after is not None:
        links.append(link(_address(here, asked | {"after": after}), "next", GEOJSON, "下一页 Next"))
    return links


def _address(here: str, asked: Mapping[str, str]) -> str:
    return f"{here}?{urlencode(asked)}" if asked else here


def _listed(name: str, found: features.FeaturePage, links: list[dict[str, str]]) -> str:
    title, lead = document.TITLES[name]
    fields = tuple(features.SOURCES[name].fields)
    here = f"{_base()}/collections/{name}/items"
    rows = tuple(
        (one["id"], f"{here}/{one['id']}?f=html", tuple(one["properties"][f] for f in fields))
        for one in found.features
    )
    asked = {key: value for key, value in request.args.items() if key != "crs"}
    shapes = _address(here, asked | {"f": "json"})
    return _page(title, lead, links, fields=fields, rows=rows, shapes=shapes)
