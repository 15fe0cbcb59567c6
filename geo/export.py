"""Parcels written out again: GeoJSON by RFC 7946 and GeoPackage, both in EPSG:4490 degrees."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyogrio.raw
import shapely
from numpy.typing import NDArray

from geo.errors import GeometryError

_DECIMALS: Final = 9
"""Digits after the point in GeoJSON: 0.1 mm."""


def to_geojson(
    geometries: NDArray[np.object_],
    attributes: Sequence[Mapping[str, object]],
    *,
    decimals: int | None = _DECIMALS,
) -> dict[str, Any]:
    """Build a FeatureCollection: right-hand rule, no crs member, coordinates rounded.

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
    _same_length(geometries, attributes)
    turned = shapely.orient_polygons(geometries, exterior_cw=False)
    features = [
        {
            "type": "Feature",
            "properties": dict(properties),
            "geometry": _member(geometry, decimals),
        }
        for geometry, properties in zip(turned, attributes, strict=True)
    ]
    return {"type": "FeatureCollection", "features": features}


def _same_length(geometries: NDArray[np.object_], attributes: Sequence[object]) -> None:
    if len(geometries) != len(attributes):
        raise GeometryError(
            "EXPORT_LENGTHS_DIFFER", geometries=len(geometries), attributes=len(attributes)
        )


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


def write_geojson(
    path: Path,
    geometries: NDArray[np.object_],
    attributes: Sequence[Mapping[str, object]],
    *,
    decimals: int | None = _DECIMALS,
) -> None:
    """Write `to_geojson` as UTF-8."""
    text = json.dumps(to_geojson(geometries, attributes, decimals=decimals), ensure_ascii=False)
    path.write_text(text, encoding="utf-8")


def write_geopackage(
    path: Path,
    geometries: NDArray[np.object_],
    attributes: Sequence[Mapping[str, object]],
    *,
    layer: str = "parcels",
) -> None:
    """Write a GeoPackage in EPSG:4490 with one text, integer or real column for each attribute.

    Coordinates are kept to the last bit. A column of mixed kinds becomes text; a missing value
    stays missing.

    Raises
    ------
    GeometryError
        EXPORT_LENGTHS_DIFFER.
    """
    _same_length(geometries, attributes)
    names = list(dict.fromkeys(name for mapping in attributes for name in mapping))
    columns = [_column([mapping.get(name) for mapping in attributes]) for name in names]
    pyogrio.raw.write(
        path,
        geometry=shapely.to_wkb(geometries),
        field_data=[values for values, _ in columns],
        field_mask=[mask for _, mask in columns],
        fields=names,
        layer=layer,
        driver="GPKG",
        geometry_type="MultiPolygon",
        crs="EPSG:4490",
        promote_to_multi=True,
    )


def _column(values: list[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    mask = np.array([value is None for value in values], dtype=np.bool_)
    kinds = {type(value) for value in values if value is not None}
    if kinds and kinds <= {int}:
        return np.array([0 if v is None else v for v in values], dtype=np.int64), mask
    if kinds and kinds <= {int, float}:
        return np.array([np.nan if v is None else v for v in values], dtype=np.float64), mask
    texts = [None if value is None else str(value) for value in values]
    return np.array(texts, dtype=object), mask
