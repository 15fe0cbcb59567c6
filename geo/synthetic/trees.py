"""Numbered trees of two invented groves: a collective's tree parcel and a household's courtyard.

The courtyard lies within an orchard of the same household; trees stand in rows inside each grove.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import shapely

from geo.synthetic.layout import Layout
from geo.synthetic.mesh import generator, to_degrees

SPECIES: Final = ("闽楠", "浙江楠", "银杏", "榉树", "枫香")
"""Precious and coloured trees; which stands where is invented."""
TREES: Final = {"collective": 230, "household": 110}
COLUMNS: Final = 13
ROW_M: Final = 2.5
COURTYARD_MARGIN_M: Final = 3.0
PLANTED: Final = ("2021-03-12", "2021-03-13", "2021-11-25")
DEAD_AT_COUNT: Final = 3
_STREAM: Final = 81

Record = dict[str, Any]


def make_groves(
    layout: Layout, records: list[Record], barred: frozenset[int], seed: int
) -> list[Record]:
    """Return the groves of the first village that has both kinds of ground; none if no village has.

    Parameters
    ----------
    layout, records : the parcels and their records, by position.
    barred : positions of the operators' orchards.
    seed : of the county.

    Returns
    -------
    Records with id, village, owner, land, GeoJSON geometry, parcel number (None for the courtyard),
    trees (number, species, lon, lat, planted_on) and the numbers that die before maturity.
    """
    for village in sorted({str(record["ZLDWDM"]) for record in records}):
        ground = {
            kind: _first(layout, records, barred, village=village, kind=kind, owner=owner)
            for kind, owner in (("tree", "collective"), ("orchard", "household"))
        }
        if ground["tree"] is not None and ground["orchard"] is not None:
            rng = generator(seed, _STREAM)
            pair = (("collective", ground["tree"]), ("household", ground["orchard"]))
            return [_grove(layout, records[at], at, owner, rng) for owner, at in pair]
    return []


def _first(
    layout: Layout,
    records: list[Record],
    barred: frozenset[int],
    *,
    village: str,
    kind: str,
    owner: str,
) -> int | None:
    """Return the first parcel of a kind and owner in which the rows of trees have room."""
    for at, record in enumerate(records):
        named = (record["ZLDWDM"], record["kind"], record["owner_kind"])
        if named != (village, kind, owner) or at in barred:
            continue
        box = _box(layout, at, TREES[owner])
        if shapely.contains_properly(layout.geometry_m[at], box):
            return at
    return None


def _box(layout: Layout, at: int, trees: int) -> shapely.Geometry:
    """Return the rectangle of the rows with its margin, about the parcel's inner point; metres."""
    east, north = layout.centre_m[at]
    half_e = (COLUMNS - 1) * ROW_M / 2 + COURTYARD_MARGIN_M
    half_n = (-(-trees // COLUMNS) - 1) * ROW_M / 2 + COURTYARD_MARGIN_M
    return shapely.box(east - half_e, north - half_n, east + half_e, north + half_n)


def _grove(layout: Layout, record: Record, at: int, owner: str, rng: np.random.Generator) -> Record:
    geometry = layout.geometry[at]
    if owner == "household":
        ring = np.asarray(shapely.get_exterior_ring(_box(layout, at, TREES[owner])).coords)
        geometry = shapely.MultiPolygon([shapely.Polygon(to_degrees(ring))])
    village = str(record["ZLDWDM"])
    trees = list(_trees(layout, at, TREES[owner], rng))
    dead = rng.choice(np.arange(1, 101), size=DEAD_AT_COUNT, replace=False)
    return {
        "id": f"GROVE-{village}-{owner}",
        "village_code": village,
        "owner_id": record["owner_id"],
        "land": "barren_hill" if owner == "collective" else "courtyard",
        "parcel_no": record["parcel_no"] if owner == "collective" else None,
        "geometry": shapely.geometry.mapping(geometry),
        "trees": trees,
        "die": sorted(dead.tolist()),
    }


def _trees(layout: Layout, at: int, count: int, rng: np.random.Generator) -> Iterator[Record]:
    """Yield trees in rows; species in stretches of ten, as they are planted."""
    rows = -(-count // COLUMNS)
    index = np.arange(count)
    offset = np.column_stack(
        [index % COLUMNS - (COLUMNS - 1) / 2, index // COLUMNS - (rows - 1) / 2]
    )
    jitter = rng.uniform(-0.3, 0.3, size=(count, 2))
    points = to_degrees(layout.centre_m[at] + offset * ROW_M + jitter)
    kinds = rng.integers(0, len(SPECIES), size=-(-count // 10))
    days = rng.integers(0, len(PLANTED), size=-(-count // 10))
    for i, (lon, lat) in enumerate(points.tolist()):
        yield {
            "number": i + 1,
            "species": SPECIES[int(kinds[i // 10])],
            "lon": round(lon, 7),
            "lat": round(lat, 7),
            "planted_on": PLANTED[int(days[i // 10])],
        }
