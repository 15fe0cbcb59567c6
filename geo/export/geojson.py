"""GeoJSON by RFC 7946: right-hand rule, longitude and latitude, the datum in our own member."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.export.columns import Parcels
from geo.vector.geojson import CRS_MEMBER

_DECIMALS: Final = 9
"""Digits after the point in GeoJSON: 0.1 mm."""


def to_geojson(
    geometries: NDArray[np.object_],
    attributes: Sequence[Mapping[str, object]],
    *,
    decimals: int | None = _DECIMALS,
) -> dict[str, Any]:
    """Build a FeatureCollection: right-hand rule, coordinates rounded.

    RFC 7946 has no crs member; the datum stands in a member of our own, for WGS84 and CGCS2000
    degrees agree to centimetres but shifted ones do not.

    Parameters
    ----------
    geometries
        (n,) polygons in longitude and latitude; None becomes a null geometry.
    attributes
        Properties of each feature, JSON-able.
    decimals
        Digits kept, None for all of them.

    Raises
    ------
    GeometryError
        EXPORT_LENGTHS_DIFFER when there is not one mapping a geometry.
    """
    parcels = Parcels(geometries=geometries, attributes=attributes)
    turned = shapely.orient_polygons(parcels.geometries, exterior_cw=False)
    features = [
        {
            "type": "Feature",
            "properties": dict(properties),
            "geometry": _member(geometry, decimals),
        }
        for geometry, properties in zip(turned, attributes, strict=True)
    ]
    return {"type": "FeatureCollection", CRS_MEMBER: "EPSG:4490", "features": features}


def _member(geometry: Any, decimals: int | None) -> dict[str, Any] | None:  # noqa: ANN401
    if geometry is None:
        return None
    value: dict[str, Any] = json.loads(shapely.to_geojson(geometry))
    if decimals is not None:
        value["coordinates"] = _rounded(value["coordinates"], decimals)
    return value


def _rounded(value: Any, decimals: int) -> Any:  # noqa: ANN401 - nested lists of numbers
    if isinstance(value, list):
        return [_rounded(item, decimals) for item in value]
    return round(value, decimals)


def write_geojson(path: Path, parcels: Parcels) -> None:
    """Write `to_geojson` as UTF-8, every digit kept, one feature a line."""
    document = to_geojson(parcels.geometries, parcels.attributes, decimals=None)
    features = document.pop("features")
    head = json.dumps(document, ensure_ascii=False)[:-1]
    lines = ",\n".join(json.dumps(one, ensure_ascii=False) for one in features)
    path.write_text(f'{head}, "features": [\n{lines}\n]}}\n', encoding="utf-8")
