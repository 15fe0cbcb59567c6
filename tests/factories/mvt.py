"""Reading vector tiles back with GDAL, which shares no code with what cut them."""

import json
import math

import pyogrio.raw
import shapely


def layers(body, tmp_path):
    """Return {layer: [(properties, shape in units of 4096, y upwards)]} of a tile's bytes."""
    if not body:
        return {}
    path = tmp_path / "0.mvt"
    path.write_bytes(body)
    found = {}
    for name in pyogrio.list_layers(path)[:, 0]:
        meta, _, shapes, columns = pyogrio.raw.read(path, layer=name)
        rows = [
            {
                key: plain(value)
                for key, value in zip(meta["fields"], row, strict=True)
                if key != "mvt_id"
            }
            for row in zip(*columns, strict=True)
        ]
        found[str(name)] = list(zip(rows, shapely.from_wkb(shapes), strict=True))
    return found


def is_nan(value):
    """Say whether GDAL left a number out."""
    return isinstance(value, float) and math.isnan(value)


def plain(value):
    """Return a number or text as Python knows it; None for what is not there."""
    return (
        json.loads(json.dumps(value, default=lambda one: one.item())) if not is_nan(value) else None
    )
