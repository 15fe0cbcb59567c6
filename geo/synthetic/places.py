"""Districts, townships and villages of Quzhou, and which of them a window lies in."""

import csv
import json
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import Final

import numpy as np
import shapely
from shapely.geometry import shape

from geo.synthetic.mesh import Floats, Ints, to_degrees

HOME_DISTRICT: Final = "330802"
HOME_TOWNS: Final = ("330802101", "330802211")
"""Hangbu (航埠镇) and its neighbour Gouxi (沟溪乡)."""
_COMMITTEE: Final = "村委会"


@dataclass(frozen=True, slots=True, kw_only=True)
class Village:
    """A village with the codes and names of the levels above it; the code has 12 digits."""

    code: str
    name: str
    town_code: str
    town_name: str
    county_code: str
    county_name: str

    @property
    def collective(self) -> str:
        """Name of the village's economic collective, the usual holder of its forest."""
        return f"{self.county_name}{self.town_name}{self.name}股份经济合作社"


@dataclass(frozen=True, slots=True, kw_only=True)
class Divisions:
    """Division codes and district outlines (degrees, EPSG:4490) by county code."""

    villages: dict[str, list[Village]]
    outlines: dict[str, shapely.Geometry]
    names: dict[str, str]


def read_divisions(data_dir: Path) -> Divisions:
    """Read the two files that `web/demo/data/README.md` describes."""
    with (data_dir / "quzhou_division_codes.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = {row["code"]: row["name"] for row in rows}
    villages: dict[str, list[Village]] = {}
    for row in rows:
        if row["level"] != "village" or not row["name"].endswith(_COMMITTEE):
            continue
        town = row["parent"]
        county = town[:6]
        villages.setdefault(county, []).append(
            Village(
                code=row["code"],
                name=_short_name(row["name"]),
                town_code=town,
                town_name=names[town],
                county_code=county,
                county_name=names[county],
            )
        )
    text = (data_dir / "quzhou_districts_cgcs2000.geojson").read_text(encoding="utf-8")
    features = json.loads(text)["features"]
    outlines = {f["properties"]["adcode"]: shape(f["geometry"]) for f in features}
    return Divisions(villages=villages, outlines=outlines, names=names)


def _short_name(committee: str) -> str:
    """Turn 莫家村委会 into 莫家村."""
    return committee.removesuffix("委会")


def _handing_out(divisions: Divisions, county: str) -> list[Village]:
    """Order in which a county's villages are used: the home towns two to one, then the rest."""
    every = sorted(divisions.villages[county], key=lambda v: v.code)
    if county != HOME_DISTRICT:
        return every
    first, second = ([v for v in every if v.town_code == town] for town in HOME_TOWNS)
    pairs = zip_longest(first[::2], first[1::2], second)
    mixed = [village for village in chain.from_iterable(pairs) if village is not None]
    return mixed + [v for v in every if v.town_code not in HOME_TOWNS]


def assign_villages(
    divisions: Divisions, centres_m: Floats, cells_m: Floats
) -> tuple[list[Village], Ints]:
    """Give each village centre a real village of its district and each cell its nearest centre.

    Centres of one district take codes in ascending order from west to east, so that each
    township is one stretch of land.
    """
    degrees = to_degrees(centres_m)
    county_of = [HOME_DISTRICT] * len(centres_m)
    for county, outline in sorted(divisions.outlines.items()):
        shapely.prepare(outline)
        for i in np.nonzero(shapely.contains_xy(outline, *degrees.T))[0].tolist():
            county_of[i] = county
    chosen: dict[int, Village] = {}
    for county in sorted(set(county_of)):
        members = [i for i, c in enumerate(county_of) if c == county]
        members.sort(key=lambda i: (centres_m[i, 0], centres_m[i, 1]))
        order = _handing_out(divisions, county)
        taken = sorted((order[k % len(order)] for k in range(len(members))), key=lambda v: v.code)
        chosen.update(zip(members, taken, strict=True))
    tree = shapely.STRtree(shapely.points(centres_m))
    nearest = tree.nearest(shapely.points(cells_m)).astype(np.int64)
    return [chosen[i] for i in range(len(centres_m))], nearest
