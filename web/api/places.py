"""``/divisions``: administrative divisions, open to everybody."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Final

from flask import Response, request
from pydantic import Field, TypeAdapter

from registry.division_lookup import ShapeDivisions
from registry.errors import InvalidValueError, NotFoundError
from registry.parcel_store import PlaceRefusedError
from registry.reads import places
from web.api.endpoints import JSON, Noun, Raw, Read
from web.auth import PUBLIC
from web.context import reading
from web.parsing import parse

GEOJSON = "application/geo+json"
FEATURES = {"200": {"description": "OK", "content": {GEOJSON: {"schema": {"type": "object"}}}}}


def outline(division_code: str) -> Response:
    """Answer with a division's boundary, or its nearest ancestor's that is known."""
    with reading() as session:
        return Response(places.outline(session, division_code), content_type=GEOJSON)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeAsked:
    """A drawn shape and the year it is asked for; this one if none."""

    geojson: dict[str, Any]
    year: Annotated[int, Field(ge=1900, le=2200)] | None = None


_SHAPE: Final = TypeAdapter(ShapeDivisions)


def of_shape() -> Response:
    """Answer with the divisions of a drawn shape; nothing is kept."""
    asked = parse(ShapeAsked, request.get_data(), {})
    with reading() as session:
        found = places.divisions_of(session, asked.geojson, asked.year)
    return Response(_SHAPE.dump_json(found), content_type=JSON)


def _shape_operation() -> dict[str, Any]:
    answer = _SHAPE.json_schema(mode="serialization")
    shared = answer.pop("$defs", {})
    for name, schema in shared.items():
        ref, inner = json.dumps({"$ref": f"#/$defs/{name}"}), json.dumps(schema)
        answer = json.loads(json.dumps(answer).replace(ref, inner))
    sent = {"geojson": {"type": "object"}, "year": {"type": "integer"}}
    body = {"type": "object", "required": ["geojson"], "properties": sent}
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": {"description": "OK", "content": {"application/json": {"schema": answer}}}
        },
    }


NOUN = Noun(
    name="divisions",
    title=("行政区划", "Administrative divisions"),
    endpoints=(
        Read(
            name="list_divisions",
            rule="/divisions",
            permission=PUBLIC,
            query=places.DivisionQuery,
            read=places.divisions,
            summary=("下级行政区划", "The divisions directly below one"),
        ),
        Read(
            name="divisions_at_point",
            rule="/divisions/at",
            permission=PUBLIC,
            query=places.PointQuery,
            read=places.divisions_at,
            summary=("某点所在的各级区划", "The chain of divisions at a point, in a year"),
            raises=(InvalidValueError,),
        ),
        Raw(
            name="divisions_of_shape",
            rule="/divisions/of-shape",
            method="POST",
            permission="parcel:draw",
            view=of_shape,
            summary=("图形所在的区划", "The divisions of a drawn shape; nothing is kept"),
            operation=_shape_operation(),
            raises=(PlaceRefusedError,),
        ),
        Read(
            name="get_division",
            rule="/divisions/<division_code>",
            permission=PUBLIC,
            query=places.DivisionByCode,
            read=places.division,
            summary=("一个行政区划", "One division: its years, its source, what lies above it"),
            raises=(NotFoundError,),
        ),
        Raw(
            name="division_outline",
            rule="/divisions/<division_code>/outline.geojson",
            permission=PUBLIC,
            view=outline,
            summary=("行政区界（示意）", "A division's boundary, for orientation"),
            operation={"responses": FEATURES},
        ),
    ),
)
