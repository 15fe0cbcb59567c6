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


CGCS2000 = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}


def collection(*features, crs=CGCS2000, **members):
    """A collection that names its reference system; one with `crs=None` leaves the datum open."""
    named = {} if crs is None else {"crs": crs}
    return {"type": "FeatureCollection", "features": list(features), **named, **members}


def good(n, start=0):
    """Neighbouring squares, each touching the next along an edge."""
    return [
        feature([ring(lon=118.5 + 0.001 * k)], name=f"地块{k}") for k in range(start, start + n)
    ]


def write(path: Path, value, encoding="utf-8") -> Path:
    path.write_bytes(json.dumps(value, ensure_ascii=False).encode(encoding))
    return path


def shapefile(folder: Path, n=3, *, crs="EPSG:4549", encoding="gbk", name="plots") -> Path:
    """A real shapefile of squares with Chinese names, written by GDAL."""
    import numpy as np
    import pyogrio.raw
    import shapely

    x, y = 389_858.0, 3_206_470.0
    shapes = [shapely.box(x + 40 * k, y, x + 40 * k + 30, y + 30) for k in range(n)]
    path = folder / f"{name}.shp"
    pyogrio.raw.write(
        path,
        geometry=shapely.to_wkb(shapes),
        field_data=[np.array([f"常山县地块{k}" for k in range(n)], dtype=object)],
        fields=["name"],
        geometry_type="Polygon",
        crs=crs,
        driver="ESRI Shapefile",
        encoding=encoding,
    )
    return path


def zipped(path: Path, members) -> Path:
    """A zip of names and bytes."""
    import zipfile

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path
