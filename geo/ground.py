"""Ground to be sampled: parcels as one piece in metres, and which points lie inside it.

Points are drawn in the Gauss-Kruger zone of three degrees in whose middle the ground lies, so that
no place is likelier than another: within a zone areas differ by less than one part in a thousand.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from geo.crs import unprefixed_epsg
from geo.errors import GeometryError

Floats = NDArray[np.float64]
ZONE_DEG = 3
FIRST_ZONE, LAST_ZONE = 25, 45


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ground:
    """Parcels as one geometry in metres.

    Attributes
    ----------
    epsg : the plane in which points are drawn.
    """

    epsg: int
    geometry: shapely.Geometry

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Box of the ground, metres."""
        west, south, east, north = (float(one) for one in self.geometry.bounds)
        return west, south, east, north

    @property
    def area_m2(self) -> float:
        """Area in the plane."""
        return float(self.geometry.area)

    def inside(self, points: Floats) -> NDArray[np.bool_]:
        """Which of (n, 2) points in metres lie inside."""
        found: NDArray[np.bool_] = shapely.contains_xy(self.geometry, points[:, 0], points[:, 1])
        return found

    def lon_lat(self, points: Floats) -> Floats:
        """(n, 2) longitudes and latitudes (CGCS2000) of points in metres."""
        back = pyproj.Transformer.from_crs(self.epsg, 4490, always_xy=True)
        return np.column_stack(back.transform(points[:, 0], points[:, 1]))


def ground(shapes: Sequence[bytes]) -> Ground:
    """Ground of parcels given as WKB in longitude and latitude (CGCS2000).

    Raises
    ------
    GeometryError : SAMPLE_GROUND when there is none, or it lies outside the zones of the country.
    """
    whole = shapely.union_all(shapely.from_wkb(list(shapes)))
    if whole.is_empty:
        raise GeometryError("SAMPLE_GROUND", parcels=len(shapes))
    zone = round(whole.centroid.x / ZONE_DEG)
    epsg = unprefixed_epsg(zone=zone)
    if epsg is None or not FIRST_ZONE <= zone <= LAST_ZONE:
        raise GeometryError("SAMPLE_GROUND", parcels=len(shapes))
    forth = pyproj.Transformer.from_crs(4490, epsg, always_xy=True)
    plane = shapely.transform(whole, forth.transform, interleaved=False)
    shapely.prepare(plane)
    return Ground(epsg=epsg, geometry=plane)
