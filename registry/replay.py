"""A figure computed again from its archive alone: no database, no network, the same kg."""

import hashlib
import io
import json
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.cutout import Cut
from geo.raster import Layer as Raster
from geo.zonal import Histogram, cohort_histogram
from registry import layers, stocks, strata
from registry.cohort_tables import ENGINE_VERSION
from registry.errors import RegistryError
from registry.estimation_inputs import NEEDED, USED
from registry.provenance import COHORTS, FORMAT, MANIFEST, STRATA, SUMS
from sinks import tables
from sinks.cohorts import CohortTable, cohort_table, stock_kg_co2, table_from_bytes, yearly_flux_kg
from sinks.errors import SinksError
from sinks.pools import Pool

READABLE: Final = (1, FORMAT)
"""Formats that are read; 1 knew no pools."""

MOST_BYTES: Final = 1 << 29
"""Unpacked; a parcel's archive is some hundred kB."""


class BundleUnreadableError(RegistryError):
    """The file is no archive of a figure, or of a format that this program does not know."""

    code = "BUNDLE_UNREADABLE"


class BundleChangedError(RegistryError):
    """Files of the archive are not those that it was made with."""

    code = "BUNDLE_CHANGED"


class BundleEngineError(RegistryError):
    """The figure was computed by another version of the engine."""

    code = "BUNDLE_ENGINE"


@dataclass(frozen=True, slots=True, kw_only=True)
class YearAgain:
    """A year as the archive claims it and as it came out now, kg CO2e."""

    year: int
    stock_kg: int
    net_kg: int
    stock_again_kg: int
    net_again_kg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What came of computing an archive again.

    Attributes
    ----------
    same : every year came out to the kg, and the archive's own figure is among them.
    table_again : the tables made anew from this program's growth rows have the same bits; False
        says that rows were changed since, or that a processor rounds otherwise.
    """

    run: str
    parcel: str
    version: int
    year: int
    stock_kg: int
    net_kg: int
    same: bool
    table_again: bool
    engine_version: int
    code_revision: str
    years: list[YearAgain]


def rerun(data: bytes) -> Replay:
    """Compute an archive's figures again.

    Raises
    ------
    BundleUnreadableError, BundleChangedError, BundleEngineError
    """
    files = _unpacked(data)
    try:
        head = json.loads(files[MANIFEST])
        if head["format"] not in READABLE:
            raise BundleUnreadableError(why=f"format {head['format']}")
        if head["engine_version"] != ENGINE_VERSION:
            raise BundleEngineError(made_by=head["engine_version"], here=ENGINE_VERSION)
        return _computed(head, files)
    except (KeyError, TypeError, ValueError, SinksError, shapely.errors.ShapelyError) as error:
        raise BundleUnreadableError(why=f"{type(error).__name__}: {error}") from error


def _computed(head: Mapping[str, Any], files: Mapping[str, bytes]) -> Replay:
    table = table_from_bytes(files[COHORTS], head["tables"][COHORTS])
    planted = _planted(head, files)
    if STRATA in files:
        stock_kg, again = _apart(head, files, table)
    else:
        grown = stocks.grow(_histogram(head, files), table, planted)
        stock_kg, again = stock_kg_co2(grown.stock_sum), True
    net_kg = yearly_flux_kg(stock_kg)
    claimed = {one["year"]: one for one in json.loads(files["series.json"])["years"]}
    years = [
        YearAgain(
            year=year,
            stock_kg=claimed[year]["stock_kg"],
            net_kg=claimed[year]["net_kg"],
            stock_again_kg=int(stock_kg[0, i + 1]),
            net_again_kg=int(net_kg[0, i]),
        )
        for i, year in enumerate(table.years[1:])
    ]
    mine = next(one for one in years if one.year == head["year"])
    said = (head["stock_kg"], head["net_kg"])
    same = said == (mine.stock_again_kg, mine.net_again_kg) and all(
        (one.stock_kg, one.net_kg) == (one.stock_again_kg, one.net_again_kg) for one in years
    )
    return Replay(
        run=head["run"],
        parcel=head["parcel"],
        version=head["version"],
        year=mine.year,
        stock_kg=mine.stock_again_kg,
        net_kg=mine.net_again_kg,
        same=same,
        table_again=again and all(_made_again(one) for one in (table, *planted.values())),
        engine_version=head["engine_version"],
        code_revision=head["code_revision"],
        years=years,
    )


def _apart(
    head: Mapping[str, Any], files: Mapping[str, bytes], table: CohortTable
) -> tuple[NDArray[np.int64], bool]:
    """Return stock of every year from strata, and whether this program's rows give their bits."""
    given = strata.given_of(head["given"])
    spread = strata.spread_parcels(
        _histogram(head, files),
        {} if given is None else {0: given},
        layer_year=table.layer_year,
        last_year=table.years[-1],
    )
    found = strata.from_bytes(files[STRATA])
    sums = strata.pool_sums(spread, found.of(spread.strata))
    pools = [Pool(one["pool"]) for one in head["pools"]]
    rows = tables.growth()
    curves = {code: rows[key] for code, key in table.curves if key in rows}
    made = strata.computed(found.strata, table, curves, found.temperature_c)
    return strata.pool_kg(sums, pools)[0], bool(np.array_equal(made, found.mg_c_m2))


def _planted(head: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[int, CohortTable]:
    found = {}
    for name, digest in head["tables"].items():
        if name not in {COHORTS, STRATA}:
            one = table_from_bytes(files[name], digest)
            found[one.layer_year] = one
    return found


def _made_again(table: CohortTable) -> bool:
    """Say whether this program's growth rows give the table's bits."""
    rows = tables.growth()
    if any(key not in rows for _, key in table.curves):
        return False
    again = cohort_table(
        table.scheme,
        layer_year=table.layer_year,
        years=table.years,
        curves={code: rows[key] for code, key in table.curves},
    )
    return bool(np.array_equal(again.mg_c_m2, table.mg_c_m2))


def _histogram(head: Mapping[str, Any], files: Mapping[str, bytes]) -> Histogram:
    cuts = {one["kind"]: _cut(one, files) for one in head["layers"] if one["kind"] in USED}
    for kind in NEEDED:
        if kind not in cuts:
            raise BundleUnreadableError(why=kind)
    shape = shapely.from_wkb(files["parcel.wkb"])
    return cohort_histogram(
        np.array([shape]),
        stocks.class_layers({kind: cuts[kind] for kind in USED if kind in cuts}),
        parcel_area_m2=np.array([float(head["area_m2"])]),
    )


def _cut(said: Mapping[str, Any], files: Mapping[str, bytes]) -> Cut:
    grid = layers.grid_of(said["grid"])
    cut = Cut(
        name=said["kind"],
        grid=grid,
        nodata=float(said["nodata"]),
        row0=said["row0"],
        column0=said["column0"],
        cells=np.empty((0, 0), np.uint8),
    )
    if said["cut"] is None:
        return cut
    with tempfile.TemporaryDirectory(prefix="tanhui-cut-") as room:
        path = Path(room) / "cut.tif"
        path.write_bytes(files[said["cut"]])
        raster = Raster(
            path=path,
            kind=said["kind"],
            grid=grid,
            dtype="",
            nodata=cut.nodata,
            band=1,
            sha256=said["cut_sha256"],
            year=said["year"],
        )
        with raster.reader() as read:
            return replace(cut, cells=read(0, said["rows"], 0, said["columns"]))


def _unpacked(data: bytes) -> dict[str, bytes]:
    """Read the archive and hold every file against its digest; all that differ are named."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
                raise BundleUnreadableError(why=f"> {MOST_BYTES} bytes")
            comment = archive.comment.decode("ascii", "replace")
            files = {name: _member(archive, name) for name in archive.namelist()}
    except zipfile.BadZipFile as error:
        raise BundleUnreadableError(why=str(error)) from error
    sums = files.pop(SUMS, None)
    if sums is None:
        raise BundleUnreadableError(why=SUMS)
    if _sha256(sums) != comment:
        raise BundleChangedError(files=SUMS)
    lines = (line.split("  ", 1) for line in sums.decode().splitlines())
    expected = {name: digest for digest, name in lines}
    changed = sorted(
        name
        for name in expected.keys() | files.keys()
        if name not in files or _sha256(files[name]) != expected.get(name)
    )
    if changed:
        raise BundleChangedError(files=", ".join(changed))
    return files


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return a file's bytes; none where its check sum is wrong, so that its digest names it."""
    try:
        return archive.read(name)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError):
        return b""


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
