"""Makers of small files, sound and broken, for the tests of `geo`."""

import json
from pathlib import Path


def ring(lon=118.87, lat=28.97, size=0.001):
    return [
        [lon, lat],
        [lon + size, lat],
        [lon + size, lat + size],
        [lon, lat + size],
        [lon, lat],
    ]


def feature(rings=None, geometry="-", **properties):
    if geometry == "-":
        geometry = {"type": "Polygon", "coordinates": [ring()] if rings is None else rings}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def collection(*features, **members):
    return {"type": "FeatureCollection", "features": list(features), **members}


def good(n, start=0):
    """Neighbouring squares, each touching the next along an edge."""
    return [
        feature([ring(lon=118.5 + 0.001 * k)], name=f"地块{k}") for k in range(start, start + n)
    ]


def write(path: Path, value, encoding="utf-8") -> Path:
    path.write_bytes(json.dumps(value, ensure_ascii=False).encode(encoding))
    return path
