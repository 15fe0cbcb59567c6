"""What the interface says of itself: conformance, collections, queryables, its OpenAPI document."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from registry.reads.features import SOURCES
from web.ogc.asking import CRS84, LIMIT, LIMIT_MAX, SYSTEMS

CONFORMS: Final = tuple(
    f"http://www.opengis.net/spec/{name}"
    for name in (
        "ogcapi-features-1/1.0/conf/core",
        "ogcapi-features-1/1.0/conf/geojson",
        "ogcapi-features-1/1.0/conf/html",
        "ogcapi-features-1/1.0/conf/oas30",
        "ogcapi-features-2/1.0/conf/crs",
        "ogcapi-features-3/1.0/conf/queryables",
        "ogcapi-features-3/1.0/conf/filter",
        "ogcapi-features-3/1.0/conf/features-filter",
        "cql2/1.0/conf/cql2-text",
        "cql2/1.0/conf/basic-cql2",
        "cql2/1.0/conf/advanced-comparison-operators",
        "cql2/1.0/conf/basic-spatial-functions",
    )
)
OPENAPI: Final = "application/vnd.oai.openapi+json;version=3.0"
GEOJSON: Final = "application/geo+json"
QUERYABLES: Final = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
TITLES: Final[Mapping[str, tuple[str, str]]] = {
    "divisions": (
        "行政区划（示意） Divisions",
        "有界线的行政区划，仅供示意。Divisions whose boundary is known, for orientation only.",
    ),
    "cells": (
        "已批准地块分布 Approved plots by cell",
        "约一公里的格，每格至少三个已批准地块。Cells of a kilometre with three plots or more.",
    ),
    "parcels": ("地块 Plots", "登录者有权看的地块。The exact plots the caller may see."),
}


def collection(name: str, base: str, extent: Sequence[float] | None) -> dict[str, Any]:
    """Return what is said of one collection."""
    title, description = TITLES[name]
    here = f"{base}/collections/{name}"
    made: dict[str, Any] = {
        "id": name,
        "title": title,
        "description": description,
        "itemType": "feature",
        "crs": list(SYSTEMS),
        "storageCrs": "http://www.opengis.net/def/crs/EPSG/0/4490",
        "links": [
            link(here, "self", "application/json"),
            link(f"{here}?f=html", "alternate", "text/html", "HTML"),
            link(f"{here}/items", "items", GEOJSON, "GeoJSON"),
            link(f"{here}/items?f=html", "items", "text/html", "列表 List"),
            link(f"{here}/queryables", QUERYABLES, "application/schema+json", "Queryables"),
        ],
    }
    if extent is not None:
        made["extent"] = {"spatial": {"bbox": [list(extent)], "crs": CRS84}}
    return made


def link(href: str, rel: str, kind: str, title: str = "") -> dict[str, str]:
    """Return a link as every document holds it."""
    made = {"href": href, "rel": rel, "type": kind}
    return made | ({"title": title} if title else {})


def queryables(name: str, base: str) -> dict[str, Any]:
    """Return the JSON schema of what a collection can be filtered by."""
    properties: dict[str, Any] = {
        field: {"title": field, "type": kind} for field, kind in SOURCES[name].kinds.items()
    }
    properties["geometry"] = {"format": "geometry-any", "x-ogc-role": "primary-geometry"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{base}/collections/{name}/queryables",
        "type": "object",
        "title": TITLES[name][0],
        "properties": properties,
        "additionalProperties": False,
    }


def openapi(base: str, names: Sequence[str]) -> dict[str, Any]:
    """Return the OpenAPI 3.0 document of the collections a caller may see."""
    paths = {
        "/": _get("landing", "Landing page", ["f"]),
        "/conformance": _get("conformance", "Conformance classes", ["f"]),
        "/collections": _get("collections", "Collections", ["f"]),
    }
    for name in names:
        here = f"/collections/{name}"
        paths[here] = _get(f"{name}_collection", TITLES[name][0], ["f"])
        paths[f"{here}/queryables"] = _get(f"{name}_queryables", "Queryables", [])
        paths[f"{here}/items"] = _get(f"{name}_items", "Features", list(_PARAMETERS))
        one = _get(f"{name}_item", "One feature", ["f", "crs"])
        one["get"]["parameters"].append(
            {"name": "featureId", "in": "path", "required": True, "schema": {"type": "string"}}
        )
        paths[f"{here}/items/{{featureId}}"] = one
    schemes = {name: {"type": "http", "scheme": name} for name in ("bearer", "basic")}
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "碳汇 Tanhui: OGC API Features",
            "version": "1",
            "license": {"name": "Apache-2.0"},
        },
        "servers": [{"url": base}],
        "paths": paths,
        "components": {"parameters": dict(_PARAMETERS), "securitySchemes": schemes},
    }


def _get(name: str, summary: str, parameters: Sequence[str]) -> dict[str, Any]:
    answer = {"description": "OK", "content": {"application/json": {"schema": {"type": "object"}}}}
    refused = {"description": "A parameter is not known or can not be read"}
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "parameters": [{"$ref": f"#/components/parameters/{one}"} for one in parameters],
            "responses": {"200": answer, "400": refused},
        }
    }


def _query(name: str, schema: Mapping[str, Any], words: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": words,
        "schema": dict(schema),
        "style": "form",
        "explode": False,
    }


_TEXT: Final = {"type": "string"}
_URI: Final = {"type": "string", "format": "uri", "enum": list(SYSTEMS), "default": CRS84}
_NUMBERS: Final = {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}}
_COUNT: Final = {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT}
_PARAMETERS: Final = {
    one["name"]: one
    for one in (
        _query("f", {"type": "string", "enum": ["json", "html"]}, "Format"),
        _query("crs", _URI, "Reference system of the answer, in its own order of axes"),
        _query("limit", _COUNT, "Most features of a page"),
        _query("after", _TEXT, "The page after this id; from the link `next`"),
        _query("bbox", _NUMBERS, "Features that meet this box"),
        _query("bbox-crs", _URI, "Reference system of bbox"),
        _query("datetime", _TEXT, "A moment, or an interval a/b, ../b, a/.."),
        _query("filter", _TEXT, "CQL2 text over the queryables"),
        _query("filter-lang", {"type": "string", "enum": ["cql2-text"]}, "Language of filter"),
        _query("filter-crs", {"type": "string", "enum": [CRS84]}, "Reference system in filter"),
    )
}
