"""What a request of the OGC interface asks for; whatever it does not know is refused with 400."""

import re
from datetime import UTC, datetime
from typing import Final

from flask import request

from registry.errors import RegistryError
from registry.reads import cql
from registry.reads.features import SOURCES, Axes, FeatureQuery

CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_EPSG: Final = "http://www.opengis.net/def/crs/EPSG/0/"
SYSTEMS: Final = {
    CRS84: Axes(srid=4326),
    f"{_EPSG}4490": Axes(srid=4490, north_first=True),
    f"{_EPSG}4326": Axes(srid=4326, north_first=True),
    f"{_EPSG}4549": Axes(srid=4549, north_first=True),
    f"{_EPSG}3857": Axes(srid=3857),
}
"""Reference systems by URI, each with its own order of axes."""
LIMIT_MAX: Final = 1_000
LIMIT: Final = 100
ITEM_PARAMETERS: Final = ("f", "crs")
LIST_PARAMETERS: Final = (
    *ITEM_PARAMETERS,
    *("limit", "after", "bbox", "bbox-crs", "datetime", "filter", "filter-lang", "filter-crs"),
)
_INTEGER: Final = re.compile(r"\d{1,9}")


class ParameterInvalidError(RegistryError):
    """A parameter of an address that is not known, or whose value can not be read."""

    code = "PARAMETER_INVALID"


def known(*names: str) -> None:
    """Refuse a request with a parameter that is none of ``names``.

    Raises
    ------
    ParameterInvalidError : it has one.
    """
    for name in request.args:
        if name.lower() not in names:
            raise ParameterInvalidError(name=name[:60], value="", known=", ".join(names))


def wants_html() -> bool:
    """Say whether a person asks: by ``f=html``, or by a browser's ``Accept``."""
    asked = request.args.get("f")
    if asked not in {None, "json", "html"}:
        raise ParameterInvalidError(name="f", value=str(asked)[:60], known="json, html")
    if asked is not None:
        return asked == "html"
    accepts = request.accept_mimetypes
    return accepts["text/html"] > max(accepts["application/json"], accepts["application/geo+json"])


def axes(name: str = "crs") -> Axes:
    """Return the reference system a parameter names; CRS84 without."""
    asked = request.args.get(name, CRS84)
    if asked not in SYSTEMS:
        raise ParameterInvalidError(name=name, value=asked[:120], known=", ".join(SYSTEMS))
    return SYSTEMS[asked]


def feature_query(collection: str) -> FeatureQuery:
    """Return the query in the request's address.

    Raises
    ------
    ParameterInvalidError, FilterInvalidError : a parameter can not be read.
    """
    known(*LIST_PARAMETERS)
    since, until = _interval(request.args.get("datetime"))
    return FeatureQuery(
        limit=_limit(request.args.get("limit")),
        after=request.args.get("after"),
        box=_box(request.args.get("bbox")),
        box_axes=axes("bbox-crs"),
        since=since,
        until=until,
        clause=_clause(collection, request.args.get("filter")),
        axes=axes(),
    )


def _limit(words: str | None) -> int:
    if words is None:
        return LIMIT
    if not _INTEGER.fullmatch(words) or int(words) < 1:
        raise ParameterInvalidError(name="limit", value=words[:60], known=f"1 … {LIMIT_MAX}")
    return min(int(words), LIMIT_MAX)


def _box(words: str | None) -> tuple[float, float, float, float] | None:
    if words is None:
        return None
    try:
        sides = [float(part) for part in words.split(",")]
    except ValueError:
        sides = []
    if len(sides) == 6:  # noqa: PLR2004 -- heights are given too, and not kept here
        sides = [*sides[:2], *sides[3:5]]
    ordered = len(sides) == 4 and sides[0] <= sides[2] and sides[1] <= sides[3]  # noqa: PLR2004
    if not ordered or not all(abs(side) < 1e9 for side in sides):  # noqa: PLR2004
        raise ParameterInvalidError(name="bbox", value=words[:120], known="x1,y1,x2,y2")
    return sides[0], sides[1], sides[2], sides[3]


def _interval(words: str | None) -> tuple[datetime | None, datetime | None]:
    if words is None:
        return None, None
    parts = words.split("/")
    if len(parts) == 1:
        moment = _moment(parts[0], words)
        return moment, moment
    if len(parts) != 2:  # noqa: PLR2004
        raise ParameterInvalidError(name="datetime", value=words[:120], known="RFC 3339, a/b")
    since, until = (None if part in {"", ".."} else _moment(part, words) for part in parts)
    return since, until


def _moment(part: str, words: str) -> datetime:
    try:
        moment = datetime.fromisoformat(part)
    except ValueError:
        raise ParameterInvalidError(
            name="datetime", value=words[:120], known="RFC 3339, a/b, ../b, a/.."
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _clause(collection: str, words: str | None) -> cql.Clause | None:
    for name, only in (("filter-lang", "cql2-text"), ("filter-crs", CRS84)):
        asked = request.args.get(name, only)
        if asked != only:
            raise ParameterInvalidError(name=name, value=asked[:120], known=only)
    if words is None:
        return None
    source = SOURCES[collection]
    return cql.parse(words, source.fields, source.geometry)
