"""Area of every parcel by cohort, from a raster of cohort codes; and what grows on it."""

from functools import partial
from pathlib import Path
from typing import Any

import numba as nb
import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.features import rasterize

from geo.area import area_m2
from geo.raster import STRIP_ROWS, open_layer
from geo.zonal import ClassLayer, cohort_histogram
from sinks.cohorts import CohortTable, parcel_stock_mg
from tests.bench.ground import NODATA, SCHEME, Ground, ground
from tests.bench.timing import Case, Cases, Way

YEARS = 40
PEERS_MAX = 100_000
"""Parcels; the peers' time grows as their number, and a hundred thousand take them half a minute."""


def zonal_case(folder: Path, parcels: int) -> Case:
    """Exact cohort areas against exactextract, against pixel centres, and against decoding."""
    land = ground(folder, parcels)
    layer = ClassLayer(
        source=open_layer(land.raster, kind="cohort", nodata=NODATA), radix=SCHEME.size, stride=1
    )
    areas = area_m2(land.geometry)
    slow = 3 if parcels <= 10_000 else 1
    peers = {}
    frame = _frame(land) if parcels <= PEERS_MAX else None
    if parcels <= PEERS_MAX:
        peers["rasterize + unique (pixel centres)"] = Way(run=lambda: by_centres(land), runs=3)
    if frame is not None:
        peers = {
            "exactextract, raster-sequential": Way(
                run=lambda: by_exactextract(land, frame, "raster-sequential"), runs=slow
            ),
            **peers,
        }
    if frame is not None and parcels <= 10_000:
        peers["exactextract, feature-sequential"] = Way(
            run=lambda: by_exactextract(land, frame, "feature-sequential"), runs=slow
        )
    return Case(
        name="zonal cohort areas, exact",
        size=len(land.plane),
        ours=Way(run=lambda: cohort_histogram(land.geometry, [layer], parcel_area_m2=areas)),
        peers=peers,
        limit=("decode the raster", Way(run=lambda: decode(land.raster))),
        work=float(land.grid.width * land.grid.height),
        work_unit="pixels/s",
        note="peers get parcels in the raster's plane; ours projects them from degrees itself; areas are stored facts",
    )


def _frame(land: Ground) -> Any:
    try:
        import geopandas
    except ImportError:
        return None
    return geopandas.GeoDataFrame(
        {"pid": np.arange(len(land.plane))}, geometry=land.plane, crs="EPSG:4549"
    )


def by_exactextract(land: Ground, frame: Any, strategy: str) -> Any:
    """Share of every cohort in every parcel, and its cells."""
    from exactextract import exact_extract

    return exact_extract(
        str(land.raster),
        frame,
        ["count", "unique", "frac"],
        strategy=strategy,
        output="pandas",
        max_cells_in_memory=60_000_000,
    )


def labels(land: Ground) -> NDArray[np.int32]:
    """Parcel number of every cell's centre, 0 for none."""
    return rasterize(
        zip(land.plane, range(1, len(land.plane) + 1), strict=True),
        (land.grid.height, land.grid.width),
        transform=land.grid.transform,
        dtype="int32",
    )


def by_centres(land: Ground) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cells of every (parcel, cohort), a cell counted wholly where its centre lies."""
    with rasterio.open(land.raster) as src:
        cells = src.read(1)
    return np.unique(labels(land).astype(np.int64) * SCHEME.size + cells, return_counts=True)


def decode(path: Path) -> None:
    """Read every cell once and do nothing with it."""
    with rasterio.open(path) as src:
        for row in range(0, src.height, STRIP_ROWS):
            src.read(1, window=((row, min(row + STRIP_ROWS, src.height)), (0, src.width)))


RNG = np.random.default_rng(7)
ASYMPTOTE = RNG.uniform(60, 160, (SCHEME.n_species, len(SCHEME.sites)))
RATE, SHAPE = RNG.uniform(0.02, 0.09, SCHEME.n_species), RNG.uniform(1.2, 3.0, SCHEME.n_species)
MG = 100_000.0  # t/ha to mg/m2


def growth_case(folder: Path, parcels: int) -> Case:
    """Forty years of stock: a table times each parcel's cohorts, against every pixel every year."""
    land = ground(folder, parcels)
    with rasterio.open(land.raster) as src:
        cohort = src.read(1).ravel().astype(np.int32)
    label = labels(land).ravel()
    inside = label > 0
    cohort, label = cohort[inside], label[inside] - 1
    start, code, area_dm2 = _histogram(cohort, label, len(land.plane))
    return Case(
        name="growth, 40 years of stock by parcel",
        size=len(land.plane),
        ours=Way(run=lambda: parcel_stock_mg(start, code, area_dm2, table())),
        peers={
            "numpy, every pixel": Way(
                run=lambda: numpy_brute(cohort, label, len(land.plane)), runs=3
            ),
            "numba, every pixel, 2 threads": Way(
                run=lambda: numba_brute(cohort, label, len(land.plane)), runs=5
            ),
        },
        work=float(len(cohort) * YEARS),
        work_unit="pixel-years/s",
        note="ours makes the cohort table in the clock; the histogram is the zonal stage's product",
    )


def _histogram(cohort: Any, label: Any, n: int) -> tuple[Any, Any, Any]:
    key, cells = np.unique(label.astype(np.int64) * SCHEME.size + cohort, return_counts=True)
    start = np.searchsorted(key, np.arange(n + 1) * SCHEME.size)
    return start, (key % SCHEME.size).astype(np.int32), cells * int(CELL_DM2)


CELL_DM2 = 10_000


def table() -> CohortTable:
    """Stock of every cohort and year by Chapman-Richards, as the peers compute it by pixel."""
    species, site, age = SCHEME.decode(np.arange(SCHEME.size))
    grown = _stock(species, site - SCHEME.sites[0], age[:, None] + np.arange(YEARS))
    return CohortTable(
        scheme=SCHEME,
        layer_year=2024,
        years=tuple(range(2024, 2024 + YEARS)),
        curves=(),
        mg_c_m2=np.rint(grown * MG).astype(np.int32),
        flags=np.zeros(grown.shape, np.uint8),
    )


def _stock(species: Any, site: Any, age: Any) -> Any:
    k, p, a = RATE[species], SHAPE[species], ASYMPTOTE[species, site]
    if age.ndim > k.ndim:
        k, p, a = k[:, None], p[:, None], a[:, None]
    return a * (1.0 - np.exp(-k * age)) ** p


def numpy_brute(cohort: Any, label: Any, n: int) -> NDArray[np.float64]:
    """Evaluate the curve of every pixel for every year; t/ha summed over pixels."""
    species, site, age = SCHEME.decode(cohort)
    site = site - SCHEME.sites[0]
    out = np.zeros((n, YEARS))
    for year in range(YEARS):
        out[:, year] = np.bincount(label, weights=_stock(species, site, age + year), minlength=n)
    return out


@nb.njit(fastmath=True)
def _some(cohort, label, lo, hi, a, k, p, sites, ages, years, out):  # noqa: PLR0917 -- a kernel
    for i in range(lo, hi):
        c = cohort[i]
        s, q, age = c // (sites * ages), c // ages % sites, c % ages
        for y in range(years):
            out[label[i], y] += a[s, q] * (1.0 - np.exp(-k[s] * (age + y))) ** p[s]


@nb.njit(fastmath=True, parallel=True)
def _all(cohort, label, n, a, k, p, sites, ages, years):  # noqa: PLR0917 -- a kernel
    threads = nb.get_num_threads()
    part = np.zeros((threads, n, years))
    for t in nb.prange(threads):
        lo, hi = t * cohort.size // threads, (t + 1) * cohort.size // threads
        _some(cohort, label, lo, hi, a, k, p, sites, ages, years, part[t])
    return part.sum(axis=0)


def numba_brute(cohort: Any, label: Any, n: int) -> NDArray[np.float64]:
    """Do the same in compiled code over all threads."""
    sites, ages = len(SCHEME.sites), SCHEME.n_age
    return _all(cohort, label, n, ASYMPTOTE, RATE, SHAPE, sites, ages, YEARS)


def cases(folder: Path, sizes: tuple[int, ...]) -> Cases:
    """Yield the cases of rasters."""
    for size in sizes:
        yield f"zonal {size}", partial(zonal_case, folder, size)
    yield "growth", partial(growth_case, folder, sizes[0])
