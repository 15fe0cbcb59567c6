"""``/divisions``: administrative divisions, open to everybody."""

from flask import Response

from registry.reads import places
from web.api.endpoints import Noun, Raw, Read
from web.auth import PUBLIC
from web.context import reading

GEOJSON = "application/geo+json"
FEATURES = {"200": {"description": "OK", "content": {GEOJSON: {"schema": {"type": "object"}}}}}


def outline(division_code: str) -> Response:
    """Answer with a division's boundary, or its nearest ancestor's that is known."""
    with reading() as session:
        return Response(places.outline(session, division_code), content_type=GEOJSON)


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
