"""Stands stepped year by year beside libcbm; what the machine's memory allows; memory of a run."""

import json
import os
import subprocess
import sys
import time
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numba as nb
import numpy as np

from sinks import flows, stands, tables
from sinks.cohorts import parcel_stock_mg
from tests.bench.ground import NODATA, SCHEME, ground
from tests.bench.raster_cases import YEARS, table
from tests.bench.timing import Case, Cases, Way

CURVE = "zhejiang_natural_fir"
BYTES_A_PIXEL_YEAR = 4  # a float32 read once: the least any walk over pixels and years must move


def stepping_case(count: int) -> Case:
    """Five pools of every stand, year by year, against libcbm's twenty-odd on as many stands."""
    model, begin = _model(), np.random.default_rng(1).integers(5, 60, count)
    start = stands.settled(model, stands.planted(1, age_yr=begin))

    def ours() -> float:
        began = time.perf_counter()
        stands.run(model, start, first_year=2025, last_year=2024 + YEARS)
        return count * YEARS / (time.perf_counter() - began)

    return Case(
        name="stands, 40 years, five pools, year by year",
        size=count,
        ours=Way(run=ours),
        peers=_libcbm(),
        unit="stand-years/s",
        note="ours has five pools, libcbm 27; its spin-up is left out;"
        " ours keeps every year and proves the mass balance of each",
    )


def _libcbm() -> dict[str, Way]:
    if find_spec("libcbm") is None:
        return {}
    return {"libcbm, stepping only": Way(run=lambda: by_libcbm(4_000), runs=2)}


def _model() -> stands.Model:
    curve = stands.Curve(row=tables.growth()[CURVE], root_ratio=0.25)
    return stands.Model(
        curves=(curve,), turnover=flows.yearly("turnover"), decay=flows.yearly("decay")
    )


def by_libcbm(count: int) -> float:
    """Stand-years a second of libcbm on its second tutorial, its stands drawn again."""
    from libcbm import resources
    from libcbm.input.sit import sit_cbm_factory
    from libcbm.model.cbm import cbm_simulator
    from libcbm.storage import dataframe

    folder = Path(resources.get_test_resources_dir()) / "cbm3_tutorial2"
    sit = sit_cbm_factory.load_sit(str(folder / "sit_config.json"))
    classes, inventory = sit_cbm_factory.initialize_inventory(sit)
    rng = np.random.default_rng(1)
    drawn = rng.integers(0, inventory.n_rows, count)

    def many(frame: Any) -> Any:
        rows = frame.to_pandas().iloc[drawn].reset_index(drop=True)
        if "age" in rows.columns:
            rows["age"] = rng.integers(5, 60, count)
        return dataframe.from_pandas(rows)

    marks: list[float] = []
    with sit_cbm_factory.initialize_cbm(sit) as cbm:
        cbm_simulator.simulate(
            cbm,
            n_steps=YEARS,
            classifiers=many(classes),
            inventory=many(inventory),
            reporting_func=lambda _year, _state: marks.append(time.perf_counter()),
        )
    return count * YEARS / (marks[-1] - marks[0])


@nb.njit(parallel=True, fastmath=True)
def _triad(a, b, c, factor):
    for i in nb.prange(a.size):
        a[i] = b[i] + factor * c[i]


def triad_bytes_s(size: int = 40_000_000) -> float:
    """Bytes a second that both cores move through memory, by the triad of STREAM."""
    a, b, c = (np.full(size, float(n), np.float32) for n in range(3))
    _triad(a, b, c, 2.0)
    began = time.perf_counter()
    _triad(a, b, c, 3.0)
    return 3 * a.nbytes / (time.perf_counter() - began)


def bandwidth_case(folder: Path, parcels: int) -> Case:
    """Pixel-years a second of the growth stage, beside what memory allows a walk over pixels."""
    land = ground(folder, parcels)
    pixels = land.grid.width * land.grid.height
    start, code, area = _areas(folder, parcels)

    def ours() -> float:
        began = time.perf_counter()
        parcel_stock_mg(start, code, area, table())
        return pixels * YEARS / (time.perf_counter() - began)

    return Case(
        name="growth beside memory",
        size=parcels,
        ours=Way(run=ours),
        peers=_libcbm(),
        limit=(
            "a walk over all pixels and years at the triad's speed",
            Way(run=lambda: triad_bytes_s() / BYTES_A_PIXEL_YEAR),
        ),
        unit="pixel-years/s",
        note="libcbm steps 27 pools of a stand where ours reads one stock of a pixel; over 100 %: areas by cohort stand for pixels, so that fewer bytes move than a walk",
    )


def _areas(folder: Path, parcels: int) -> tuple[Any, Any, Any]:
    from geo.raster import open_layer
    from geo.zonal import ClassLayer, cohort_histogram

    land = ground(folder, parcels)
    layer = ClassLayer(
        source=open_layer(land.raster, kind="cohort", nodata=NODATA), radix=SCHEME.size, stride=1
    )
    found = cohort_histogram(land.geometry, [layer])
    return found.start, found.cohort, found.area_dm2


_PEAK = """
import gc, json, sys
from pathlib import Path
from geo.raster import open_layer
from geo.zonal import ClassLayer, cohort_histogram
from tests.bench.ground import NODATA, SCHEME, ground
folder, parcels = Path(sys.argv[1]), int(sys.argv[2])
land = ground(folder, parcels)
layer = ClassLayer(source=open_layer(land.raster, kind="cohort", nodata=NODATA), radix=SCHEME.size, stride=1)
def mb(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024
cohort_histogram(land.geometry[:100], [layer])  # compiled code is not the data's
gc.collect()
Path("/proc/self/clear_refs").write_text("5")  # the high-water mark begins again
before = mb("VmRSS")
cohort_histogram(land.geometry, [layer])
raster = land.grid.width * land.grid.height * 2 / 1e6
print(json.dumps({"mb": mb("VmHWM") - before, "raster_mb": raster}))
"""


def peak_case(folder: Path, parcels: int) -> Case:
    """Memory that the zonal stage takes beyond its parcels, beside the raster it walks over."""
    ground(folder, parcels)
    raster: list[float] = []

    def ours() -> float:
        told = subprocess.run(
            [sys.executable, "-c", _PEAK, str(folder), str(parcels)],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ,
        )
        found = json.loads(told.stdout)
        raster.append(found["raster_mb"])
        return float(found["mb"])

    return Case(
        name="zonal, peak memory beyond the parcels",
        size=parcels,
        ours=Way(run=ours, runs=3),
        peers={"the raster decoded": Way(run=lambda: raster[-1], runs=3)},
        unit="MB",
    )


def cases(folder: Path, sizes: tuple[int, ...]) -> Cases:
    """Yield the cases of sinks."""
    yield "stands libcbm", partial(stepping_case, 20_000)
    yield "growth memory bandwidth", partial(bandwidth_case, folder, sizes[0])
    for size in sizes:
        yield f"zonal peak {size}", partial(peak_case, folder, size)
