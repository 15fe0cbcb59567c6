"""DXF for the drawing office: a closed polyline a ring, in metres of the nearest 3-degree grid."""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from geo.crs import unprefixed_epsg
from geo.export.columns import Parcels
from geo.vector.dxf import APP, CRS_PROPERTY

FloatArray = NDArray[np.float64]

SHELLS: Final = "TANHUI_PARCEL"
HOLES: Final = "TANHUI_HOLE"
_ZONES: Final = (25, 45)
_XDATA_CHARACTERS: Final = 60
"""Characters a piece of extended data: 255 bytes are allowed, four a character."""

_DEGREES: Final = "EPSG:4490"


def grid_of(geometries: NDArray[np.object_]) -> str:
    """Code of the 3-degree CGCS2000 grid whose meridian is nearest; degrees outside China."""
    bounds = shapely.total_bounds(geometries) if len(geometries) else np.full(4, np.nan)
    if not np.isfinite(bounds).all():
        return _DEGREES
    zone = round((bounds[0] + bounds[2]) / 6.0)
    inside = _ZONES[0] <= zone <= _ZONES[1] and bounds[2] - bounds[0] < 6.0  # noqa: PLR2004
    return f"EPSG:{unprefixed_epsg(zone=zone)}" if inside else _DEGREES


def write_dxf(path: Path, parcels: Parcels) -> None:
    """Write a drawing; each ring carries its parcel and the attributes as extended data.

    The metres are those of the grid named in the drawing's properties; undone they give the
    degrees again to 1e-11.
    """
    from ezdxf import units  # noqa: PLC0415 -- a second that only a drawing needs
    from ezdxf.filemanagement import new as new_drawing  # noqa: PLC0415

    grid = grid_of(parcels.geometries)
    forward = pyproj.Transformer.from_crs(_DEGREES, grid, always_xy=True)
    document = new_drawing("R2010", units=units.M)
    document.header.custom_vars.append(CRS_PROPERTY, grid)
    document.appids.add(APP)
    document.layers.add(SHELLS, color=3)
    document.layers.add(HOLES, color=1)
    space = document.modelspace()
    for number, (geometry, attributes) in enumerate(
        zip(parcels.geometries, parcels.attributes, strict=True)
    ):
        kept = {name: value for name, value in attributes.items() if value is not None}
        for part, ring, count, array in _rings(geometry):
            metres = np.column_stack(forward.transform(array[:-1, 0], array[:-1, 1]))
            layer = SHELLS if ring == 0 else HOLES
            line = space.add_lwpolyline(metres.tolist(), close=True, dxfattribs={"layer": layer})
            said: dict[str, object] = {"feature": number, "part": part, "ring": ring}
            said |= {"rings": count, "attributes": kept if part == ring == 0 else {}}
            line.set_xdata(APP, [(1000, piece) for piece in _pieces(said)])
    document.saveas(path)


def _rings(geometry: Any) -> list[tuple[int, int, int, FloatArray]]:  # noqa: ANN401
    if geometry is None:
        return []
    found = [
        (part, ring, shapely.get_coordinates(line))
        for part, polygon in enumerate(shapely.get_parts(geometry))
        for ring, line in enumerate(shapely.get_rings(polygon))
    ]
    return [(part, ring, len(found), array) for part, ring, array in found]


def _pieces(said: dict[str, object]) -> list[str]:
    text = json.dumps(said, ensure_ascii=True, separators=(",", ":"))
    step = 4 * _XDATA_CHARACTERS  # pure ASCII, a byte a character
    return [text[n : n + step] for n in range(0, len(text), step)]
