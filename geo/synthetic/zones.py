"""Ground that other rules claim: wetland, basic farmland, another scheme's project, a fire."""

from dataclasses import dataclass

import numpy as np
import shapely

from geo.synthetic.layers import FIRE_YEAR
from geo.synthetic.layout import Layout
from geo.synthetic.mesh import generator, to_degrees
from geo.synthetic.orchards import Operator
from geo.synthetic.stands import Stands

Zone = tuple[shapely.Geometry, dict[str, object]]
"""A polygon in EPSG:4549 metres and its properties."""

FIRE_RADIUS_M = 260.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Zones:
    """Exclusion vectors by file, in EPSG:4549 metres."""

    wetland: list[Zone]
    basic_farmland: list[Zone]
    other_programme: list[Zone]
    fire: list[Zone]


def make_zones(
    layout: Layout, stands: Stands, operators: list[Operator], seed: int, *, fire_at: np.ndarray
) -> Zones:
    """A few polygons of each sort; the withheld orchard lies partly on basic farmland.

    ``fire_at`` is the middle of the fire, EPSG:4549 metres.
    """
    rng = generator(seed, 51)
    carbon = np.nonzero(stands.kind == "carbon")[0]
    bottom = carbon[np.argsort(stands.elevation[carbon], kind="stable")]
    held = [op for op in operators if op.profile.outcome == "withheld"]
    planted = {parcel for op in operators for parcel in op.parcels}
    free = [i for i in np.nonzero(stands.kind == "orchard")[0].tolist() if i not in planted]
    on_farmland = [op.parcels[0] for op in held] + free[: max(2, len(free) // 200)]
    claimed = [int(i) for i in rng.choice(carbon, size=max(3, carbon.size // 250), replace=False)]
    return Zones(
        wetland=[
            (_blob(layout.centre_m[i], 55.0, seed + k), {"name": f"示意湿地{k + 1}"})
            for k, i in enumerate(bottom[: max(2, carbon.size // 400)].tolist())
        ],
        basic_farmland=[
            (shapely.buffer(layout.geometry_m[i], -4.0), {"name": f"示意永久基本农田{k + 1}"})
            for k, i in enumerate(on_farmland)
        ],
        other_programme=[
            (
                layout.geometry_m[i],
                {"scheme": "CCER", "project": f"示意外部项目{k + 1}", "from": 2020, "to": 2039},
            )
            for k, i in enumerate(sorted(claimed))
        ],
        fire=[
            (
                _blob(fire_at, FIRE_RADIUS_M, seed + 99),
                {"kind": "fire", "year": FIRE_YEAR, "date": f"{FIRE_YEAR}-03-18", "loss": 0.8},
            )
        ],
    )


def _blob(centre: np.ndarray, radius_m: float, seed: int) -> shapely.Polygon:
    """A round outline with uneven radius, on 1 cm."""
    rng = generator(seed, 52)
    turn = np.linspace(0, 2 * np.pi, 37)[:-1]
    uneven = np.ones_like(turn)
    for waves in (1, 2, 3):
        height, phase = rng.uniform(-0.12, 0.12), rng.uniform(0, 2 * np.pi)
        uneven += height * np.cos(waves * turn + phase)
    ring = centre + (radius_m * uneven)[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])
    return shapely.Polygon(np.round(ring, 2))


def zone_features(zones: list[Zone]) -> list[dict[str, object]]:
    """GeoJSON features in degrees."""
    features: list[dict[str, object]] = []
    for shape, properties in zones:
        degrees = shapely.transform(shape, to_degrees)
        features.append(
            {
                "type": "Feature",
                "properties": properties,
                "geometry": shapely.geometry.mapping(degrees),
            }
        )
    return features


def touched(zones: list[Zone], layout: Layout) -> list[int]:
    """Positions of parcels that share area with any of the zones."""
    if not zones:
        return []
    shapes = np.array([shape for shape, _ in zones], dtype=np.object_)
    tree = shapely.STRtree(layout.geometry_m)
    zone, parcel = tree.query(shapes, predicate="intersects")
    shared = shapely.area(shapely.intersection(shapes[zone], layout.geometry_m[parcel]))
    return sorted({int(i) for i in parcel[shared > 1.0]})
