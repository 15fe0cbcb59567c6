"""What stands on each parcel: kind, species, age, crown cover and use history."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from geo.synthetic.layout import Layout
from geo.synthetic.mesh import Bools, Floats, Ints, generator
from geo.synthetic.terrain import Terrain

LAYER_YEAR: Final = 2024
"""Year that the rasters and the stand records describe (31 December)."""

NONE, CITRUS, MOSO, FIR, PINE, BROADLEAF = range(6)
SPECIES_NAMES: Final = {
    NONE: "无林木",
    CITRUS: "柑橘",
    MOSO: "毛竹",
    FIR: "杉木",
    PINE: "马尾松",
    BROADLEAF: "常绿阔叶树",
}
SPECIES_CODES: Final = {
    NONE: "none",
    CITRUS: "citrus",
    MOSO: "moso_bamboo",
    FIR: "chinese_fir",
    PINE: "masson_pine",
    BROADLEAF: "evergreen_broadleaf",
}
AGE_DISAGREES_SHARE: Final = 0.01
_SLOPE_SPECIES_UP_TO: Final = (0.34, 0.64, 0.84)
"""Upper ends of bamboo, fir and pine in the species field; broadleaf takes the rest."""
_ORCHARDS_ON_PLAIN: Final = 0.80
_TREE_PLOTS_ON_PLAIN: Final = 0.05
_YOUNG_SHARE: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Stands:
    """One value a parcel.

    Attributes
    ----------
    kind : "carbon", "orchard" or "tree".
    species : code of the species raster.
    age : years in the raster at the end of `LAYER_YEAR`.
    recorded_age : years in the stand record; differs by more than 2 where `age_disagrees`.
    canopy : 0..1.
    non_forest_years : years without forest before planting; 0 for old forest.
    slope, elevation : degrees and metres at the middle of the parcel.
    cohorts : number of age cohorts in the raster, 1 to 5.
    """

    kind: npt.NDArray[np.str_]
    species: npt.NDArray[np.uint8]
    age: Ints
    recorded_age: Ints
    age_disagrees: Bools
    canopy: Floats
    non_forest_years: Ints
    slope: Floats
    elevation: Floats
    cohorts: Ints


def make_stands(layout: Layout, low: Bools, terrain: Terrain, seed: int) -> Stands:
    """Citrus on the plain, bamboo, fir, pine and broadleaf on the slopes, in coherent blocks."""
    rng = generator(seed, 41)
    count = len(layout.geometry)
    slope = terrain.grid.sample(terrain.slope, layout.centre_m).astype(np.float64)
    elevation = terrain.grid.sample(terrain.elevation, layout.centre_m).astype(np.float64)
    blob = terrain.grid.sample(terrain.blob, layout.centre_m).astype(np.float64)
    blob = np.clip(blob + rng.normal(0, 0.06, count), 0, 0.999)
    species = np.array([MOSO, FIR, PINE, BROADLEAF], dtype=np.uint8)[
        np.searchsorted(_SLOPE_SPECIES_UP_TO, blob, side="right")
    ]
    draw = rng.random(count)
    orchard = low & (draw < _ORCHARDS_ON_PLAIN)
    tree = low & (draw >= 1 - _TREE_PLOTS_ON_PLAIN)
    species[orchard] = CITRUS
    species[tree] = BROADLEAF
    kind = np.where(orchard, "orchard", np.where(tree, "tree", "carbon"))
    young = (kind == "carbon") & (rng.random(count) < _YOUNG_SHARE)
    age = _ages(species, tree, young, rng)
    disagrees = rng.random(count) < AGE_DISAGREES_SHARE
    shift = np.where(disagrees, rng.integers(5, 10, count), rng.integers(-1, 2, count))
    non_forest = np.where(young, rng.choice([0, 1, 3, 5, 10, 20], count), 0)
    return Stands(
        kind=kind,
        species=species,
        age=age,
        recorded_age=np.maximum(age + shift, 1),
        age_disagrees=disagrees,
        canopy=_canopy(kind, young, rng),
        non_forest_years=np.where(tree | orchard, rng.integers(3, 25, count), non_forest),
        slope=slope,
        elevation=elevation,
        cohorts=rng.choice([1, 2, 3, 4, 5], p=[0.4, 0.25, 0.2, 0.1, 0.05], size=count),
    )


def _ages(species: npt.NDArray[np.uint8], tree: Bools, young: Bools, rng: Generator) -> Ints:
    """Log-normal ages about 18 years, capped for orchards and bamboo."""
    drawn = np.exp(np.log(18) + 0.5 * rng.standard_normal(species.size))
    highest = np.select([species == CITRUS, species == MOSO], [32, 12], 60)
    lowest = np.where(species == CITRUS, 9, 4)
    age: Ints = np.clip(np.round(drawn), lowest, highest).astype(np.int64)
    age[young] = rng.integers(3, 9, int(young.sum()))
    age[tree] = rng.integers(3, 8, int(tree.sum()))
    return age


def _canopy(kind: npt.NDArray[np.str_], young: Bools, rng: Generator) -> Floats:
    mean = np.where(kind == "carbon", 0.72, 0.55)
    mean = np.where(young, 0.38, mean)
    drawn: Floats = np.clip(mean + rng.normal(0, 0.1, kind.size), 0.15, 0.95)
    return np.round(drawn, 2)
