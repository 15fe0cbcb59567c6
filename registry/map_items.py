"""A run's map as a STAC item: what its rasters show, of which run, by which digests.

STAC 1.1 with the extensions for projection and files; the item lies beside its rasters and names
them by relative addresses, so that the three can be moved together.
"""

import json
from pathlib import Path
from typing import Any, Final

from geo.raster import Layer, footprint, open_layer
from registry.catalogue import MULTIHASH_SHA256, STAC_EXTENSIONS, STAC_VERSION
from registry.maps import MapFiles

_UNITS: Final = {"density": "t C/ha", "total": "kg CO2e"}
_TITLES: Final = {
    ("stock", "density"): "碳储量密度 Carbon stock density",
    ("stock", "total"): "碳储量 Carbon stock",
    ("net", "density"): "净吸收密度 Net removal density",
    ("net", "total"): "净吸收 Net removal",
}


def write_item(files: MapFiles, out: Path) -> Path:
    """Write the item of a map beside its rasters; return its path.

    Parameters
    ----------
    files : what `registry.maps.write_map` answered.
    out : path of the density raster.
    """
    path = out.with_suffix(".json")
    words = json.dumps(item(files, out.parent), ensure_ascii=False, indent=2)
    path.write_text(words + "\n", encoding="utf-8")
    return path


def item(files: MapFiles, folder: Path) -> dict[str, Any]:
    """Return the item of a map whose rasters lie in a folder.

    Raises
    ------
    geo.raster.RasterError : a raster there is not whole.
    """
    rasters = {role: open_layer(folder / getattr(files, role), kind=files.what) for role in _UNITS}
    grid = rasters["density"].grid
    ring = footprint(grid)
    longitudes, latitudes = zip(*ring, strict=True)
    known = grid.crs.upper().startswith("EPSG:")
    return {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": list(STAC_EXTENSIONS),
        "id": f"{files.run_id}-{files.year}-{files.what}",
        "geometry": {"type": "Polygon", "coordinates": [[list(point) for point in ring]]},
        "bbox": [min(longitudes), min(latitudes), max(longitudes), max(latitudes)],
        "properties": {
            "datetime": None,
            "start_datetime": f"{files.year:04d}-01-01T00:00:00Z",
            "end_datetime": f"{files.year:04d}-12-31T23:59:59Z",
            "title": f"{_TITLES[files.what, 'density']} {files.year}",
            "proj:code": grid.crs.upper() if known else None,
            **({} if known else {"proj:wkt2": grid.crs}),
            "proj:shape": [grid.height, grid.width],
            "proj:transform": list(grid.transform)[:6],
            "tanhui:run": str(files.run_id),
            "tanhui:run_kg": files.run_kg,
            "tanhui:map_kg": files.total_kg,
            "tanhui:cells": files.cells,
        },
        "assets": {role: _asset(files, role, layer) for role, layer in rasters.items()},
        "links": [],
    }


def _asset(files: MapFiles, role: str, layer: Layer) -> dict[str, Any]:
    return {
        "href": f"./{layer.name}",
        "type": "image/tiff; application=geotiff; profile=cloud-optimized",
        "roles": ["data"],
        "title": _TITLES[files.what, role],
        "unit": _UNITS[role],
        "nodata": layer.nodata,
        "data_type": layer.dtype,
        "file:checksum": MULTIHASH_SHA256 + layer.sha256,
        "file:size": layer.path.stat().st_size,
    }
