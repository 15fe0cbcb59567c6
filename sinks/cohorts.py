"""Stock of every cohort and year as integers, and the product with the parcels' histograms.

A cohort is species x site class x age at the layer's year. Its stock is rounded once, to whole
mg C/m2; areas are whole dm2. What follows is integer arithmetic, so the same bits come out in any
order and with any number of threads. One unit of a sum is dm2 x mg C/m2, a hundredth of a mg C.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numba
import numpy as np
from numba import njit, prange
from numpy.typing import ArrayLike, NDArray

from sinks import growth, tables, units
from sinks.arrays import FlagArray, Int32Array, IntArray, first_true
from sinks.errors import DomainError, SinksError
from sinks.tables.rows import GrowthRow

# Two Python threads on the workqueue layer abort the process; OpenMP takes them in turn.
numba.config.THREADING_LAYER = "omp"  # type: ignore[attr-defined]

INT64_MAX = np.iinfo(np.int64).max
AnyInt = TypeVar("AnyInt", np.int32, np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Digit:
    """How one raster layer enters the cohort code: class x stride.

    Attributes
    ----------
    lookup : class of each raw value, -1 for not known; None when the value is the class. A raw
        value beyond it is an unknown code and refused, not taken for missing data.
    """

    layer: str
    radix: int
    stride: int
    lookup: Int32Array | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortScheme:
    """How species code, site class and age make one cohort code.

    code = (species * n_site + site_index) * n_age + age, where site_index counts from the first
    site class. Species 0 is ground without stock.
    """

    n_species: int = 6
    sites: tuple[int, ...] = (1, 2, 3, 4, 5)
    n_age: int = 256

    @property
    def size(self) -> int:
        """Number of cohorts."""
        return self.n_species * len(self.sites) * self.n_age

    @property
    def digits(self) -> tuple[Digit, Digit, Digit]:
        """Digits of the species, site and age layers, for whoever counts cells by code."""
        sites = np.full(max(self.sites) + 1, -1, np.int32)
        sites[list(self.sites)] = np.arange(len(self.sites))
        return (
            Digit(layer="species", radix=self.n_species, stride=len(self.sites) * self.n_age),
            Digit(layer="site", radix=len(self.sites), stride=self.n_age, lookup=sites),
            Digit(layer="age", radix=self.n_age, stride=1),
        )

    def encode(self, species: ArrayLike, site: ArrayLike, age_yr: ArrayLike) -> Int32Array:
        """Cohort codes of cells; site and age of species 0 do not matter.

        Raises
        ------
        DomainError : SPECIES_UNKNOWN, SITE_UNKNOWN or AGE_OUTSIDE, with the first index.
        """
        s, q, a = np.broadcast_arrays(
            *(np.atleast_1d(np.asarray(x)) for x in (species, site, age_yr))
        )
        q = q.astype(np.int64) - self.sites[0]
        stock = s != 0
        self._refuse("SPECIES_UNKNOWN", (s < 0) | (s >= self.n_species), s)
        self._refuse("SITE_UNKNOWN", stock & ((q < 0) | (q >= len(self.sites))), q + self.sites[0])
        # NaN fails every comparison, so a bad age is one that is not inside.
        self._refuse("AGE_OUTSIDE", stock & ~((a >= 0) & (a < self.n_age)), a)
        age = np.where(stock, a, 0).astype(np.int64)
        code = (s.astype(np.int64) * len(self.sites) + np.where(stock, q, 0)) * self.n_age + age
        return code.astype(np.int32)

    @staticmethod
    def _refuse(code: str, bad: NDArray[np.bool_], values: NDArray[np.generic]) -> None:
        if bad.any():
            index = first_true(bad)
            raise DomainError(code, index=index, value=values.ravel()[index].item())

    def decode(self, cohort: ArrayLike) -> tuple[IntArray, IntArray, IntArray]:
        """Species code, site class and age of cohort codes."""
        c = np.atleast_1d(np.asarray(cohort, dtype=np.int64))
        return (
            c // (len(self.sites) * self.n_age),
            c // self.n_age % len(self.sites) + self.sites[0],
            c % self.n_age,
        )

    def at_age_zero(self, cohort: ArrayLike) -> Int32Array:
        """Codes of the same species and site, newly planted."""
        c = np.asarray(cohort, dtype=np.int32)
        return np.asarray(c - c % np.int32(self.n_age), dtype=np.int32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CohortTable:
    """Stock at 31 December of every cohort and year.

    Attributes
    ----------
    mg_c_m2 : (n_cohorts, n_years) int32, read-only.
    flags : (n_cohorts, n_years) `sinks.growth.AgeFlag`, read-only; not part of the digest.
    """

    scheme: CohortScheme
    layer_year: int
    years: tuple[int, ...]
    curves: tuple[tuple[int, str], ...]
    mg_c_m2: Int32Array
    flags: FlagArray

    def header(self) -> bytes:
        """What the numbers are, in one line of JSON."""
        return json.dumps(
            {
                "sites": self.scheme.sites,
                "n_species": self.scheme.n_species,
                "n_age": self.scheme.n_age,
                "layer_year": self.layer_year,
                "years": self.years,
                "curves": self.curves,
            },
            sort_keys=True,
        ).encode()

    def to_bytes(self) -> bytes:
        """Header line, then int32 little-endian by row; what is stored and re-used."""
        return self.header() + b"\n" + self.mg_c_m2.astype("<i4").tobytes()

    @property
    def digest(self) -> str:
        """SHA-256 of `to_bytes`, hex."""
        return hashlib.sha256(self.to_bytes()).hexdigest()


def table_from_bytes(data: bytes, digest: str) -> CohortTable:
    """Stored table, refused when its digest differs; its flags are not kept and read zero.

    Raises
    ------
    SinksError : COHORT_TABLE_DIGEST.
    """
    found = hashlib.sha256(data).hexdigest()
    if found != digest:
        raise SinksError("COHORT_TABLE_DIGEST", expected=digest, found=found)
    line, _, body = data.partition(b"\n")
    head = json.loads(line)
    scheme = CohortScheme(
        n_species=head["n_species"], sites=tuple(head["sites"]), n_age=head["n_age"]
    )
    stock = np.frombuffer(body, "<i4").astype(np.int32).reshape(scheme.size, len(head["years"]))
    return CohortTable(
        scheme=scheme,
        layer_year=head["layer_year"],
        years=tuple(head["years"]),
        curves=tuple((code, key) for code, key in head["curves"]),
        mg_c_m2=_frozen(stock),
        flags=_frozen(np.zeros(stock.shape, np.uint8)),
    )


def _frozen(array: NDArray[AnyInt]) -> NDArray[AnyInt]:
    array.setflags(write=False)
    return array


def default_curves() -> dict[int, GrowthRow]:
    """Curve of each raster species code that has one, from ``tables/species_codes.csv``."""
    rows = tables.growth()
    return {
        row.code: tables.lookup(rows, row.curve)
        for row in tables.species_codes().values()
        if row.curve
    }


def cohort_table(
    scheme: CohortScheme,
    *,
    layer_year: int,
    years: Sequence[int],
    curves: Mapping[int, GrowthRow] | None = None,
    site_multiplier: Mapping[int, float] | None = None,
) -> CohortTable:
    """Stock of every cohort at 31 December of every year, age(y) = layer age + (y - layer year).

    Parameters
    ----------
    scheme : how codes are made.
    layer_year : the year whose 31 December the age layer describes.
    years : calendar years, rising by one; years before the layer's are allowed. A stand
        that was not yet planted then has no stock.
    curves : curve by species code; a code without a curve has no stock. By default
        ``tables/species_codes.csv``.
    site_multiplier : by site class; by default ``tables/site_classes.csv``.

    Returns
    -------
    CohortTable with (scheme.size, len(years)) int32 mg C/m2.

    Raises
    ------
    DomainError : YEARS_NOT_CONSECUTIVE.
    SinksError : the stock of a curve does not fit 32 bits (STOCK_TOO_LARGE).
    """
    span = tuple(int(year) for year in years)
    if not span or any(b - a != 1 for a, b in pairwise(span)):
        raise DomainError("YEARS_NOT_CONSECUTIVE", years=list(span))
    chosen = default_curves() if curves is None else dict(curves)
    multiplier = site_multiplier or {
        row.site: row.multiplier for row in tables.site_classes().values()
    }
    shape = (scheme.n_species, len(scheme.sites), scheme.n_age, len(span))
    stock, flags = np.zeros(shape, np.int32), np.zeros(shape, np.uint8)
    age = np.arange(scheme.n_age)[:, None] + (np.array(span) - layer_year)[None, :]
    for code, row in sorted(chosen.items()):
        if not 0 < code < scheme.n_species:
            raise DomainError("SPECIES_UNKNOWN", index=0, value=code)
        carbon, flag = growth.carbon_t_ha(row, np.maximum(age, 0))
        carbon = np.where(age < 0, 0.0, carbon)
        for i, site in enumerate(scheme.sites):
            mg = np.rint(carbon * multiplier[site] * units.MG_M2_PER_T_HA)
            if mg.max() > np.iinfo(np.int32).max:
                raise SinksError("STOCK_TOO_LARGE", key=row.key, value=float(mg.max()))
            stock[code, i], flags[code, i] = mg.astype(np.int32), flag
    keys = tuple((code, row.key) for code, row in sorted(chosen.items()))
    flat = (scheme.size, len(span))
    return CohortTable(
        scheme=scheme,
        layer_year=layer_year,
        years=span,
        curves=keys,
        mg_c_m2=_frozen(stock.reshape(flat)),
        flags=_frozen(flags.reshape(flat)),
    )


@njit(parallel=True, cache=True)  # type: ignore[misc, unused-ignore]
def _product(
    start: IntArray, cohort: Int32Array, area_dm2: IntArray, table: Int32Array, out: IntArray
) -> None:
    """Each parcel's rows are summed by one thread, in integers."""
    for parcel in prange(start.size - 1):
        for i in range(start[parcel], start[parcel + 1]):
            code, area = cohort[i], area_dm2[i]
            for year in range(table.shape[1]):
                out[parcel, year] += area * np.int64(table[code, year])


def _product_numpy(
    start: IntArray, cohort: Int32Array, area_dm2: IntArray, table: Int32Array, out: IntArray
) -> None:
    """The same sums without compiled code, block by block."""
    parcel = np.repeat(np.arange(start.size - 1), np.diff(start))
    block = 1 << 16
    for lo in range(0, cohort.size, block):
        part = slice(lo, lo + block)
        np.add.at(out, parcel[part], area_dm2[part, None] * table[cohort[part]].astype(np.int64))


def _check_histogram(
    start: IntArray, cohort: Int32Array, area_dm2: IntArray, cells: Int32Array
) -> None:
    """Refuse codes outside the table, negative areas, and sums that could leave 64 bits."""
    if start.size == 0 or start[0] != 0 or start[-1] != cohort.size or cohort.size != area_dm2.size:
        raise DomainError("HISTOGRAM_SHAPE", starts=int(start.size), cohorts=int(cohort.size))
    if np.any(np.diff(start) < 0):
        raise DomainError("HISTOGRAM_SHAPE", starts=int(start.size), cohorts=int(cohort.size))
    bad = (cohort < 0) | (cohort >= len(cells))
    if bad.any():
        index = first_true(bad)
        raise DomainError("COHORT_UNKNOWN", index=index, value=int(cohort[index]))
    if (area_dm2 < 0).any():
        index = first_true(area_dm2 < 0)
        raise DomainError(
            "VALUE_NEGATIVE", name="area_dm2", index=index, value=int(area_dm2[index])
        )
    parcel = np.repeat(np.arange(start.size - 1), np.diff(start))
    total = np.bincount(parcel, weights=area_dm2, minlength=start.size - 1)
    # The float sum may err by far less than one part in a thousand million.
    over = total * float(cells.max(initial=0)) * (1 + 1e-9) >= INT64_MAX
    if over.any():
        index = first_true(over)
        raise DomainError("AREA_TOO_LARGE", index=index, value=float(total[index]))


def parcel_stock_mg(
    start: ArrayLike,
    cohort: ArrayLike,
    area_dm2: ArrayLike,
    table: CohortTable,
    *,
    compiled: bool = True,
) -> IntArray:
    """Stock of every parcel and year, in dm2 x mg C/m2.

    Parameters
    ----------
    start : (n_parcels + 1,) int64; rows start[p] to start[p + 1] belong to parcel p.
    cohort : (n_rows,) int32 cohort codes; a code may occur in several rows of a parcel.
    area_dm2 : (n_rows,) int64, not negative.
    table : stock by cohort and year.
    compiled : False computes the same integers with numpy alone.

    Returns
    -------
    (n_parcels, n_years) int64; `stock_kg_co2` makes kg of it, once.

    Raises
    ------
    DomainError : HISTOGRAM_SHAPE, COHORT_UNKNOWN, VALUE_NEGATIVE, AREA_TOO_LARGE.
    """
    return rows_stock_mg(start, cohort, area_dm2, table.mg_c_m2, compiled=compiled)


def rows_stock_mg(
    start: ArrayLike,
    row: ArrayLike,
    area_dm2: ArrayLike,
    cells: Int32Array,
    *,
    compiled: bool = True,
) -> IntArray:
    """Sum area x stock of every parcel over the rows of any table, as `parcel_stock_mg` does.

    Parameters
    ----------
    row : (n_rows,) int32, indices into ``cells``.
    cells : (n, columns) int32 mg C/m2, not negative.

    Returns
    -------
    (n_parcels, columns) int64 dm2 x mg C/m2.

    Raises
    ------
    DomainError : HISTOGRAM_SHAPE, COHORT_UNKNOWN, VALUE_NEGATIVE, AREA_TOO_LARGE.
    """
    starts = np.ascontiguousarray(start, dtype=np.int64)
    codes = np.ascontiguousarray(row, dtype=np.int32)
    areas = np.ascontiguousarray(area_dm2, dtype=np.int64)
    _check_histogram(starts, codes, areas, cells)
    out = np.zeros((starts.size - 1, cells.shape[1]), np.int64)
    (_product if compiled else _product_numpy)(starts, codes, areas, cells, out)
    return out


def parcel_flag_dm2(
    start: ArrayLike,
    cohort: ArrayLike,
    area_dm2: ArrayLike,
    table: CohortTable,
    flag: growth.AgeFlag,
) -> IntArray:
    """Area of every parcel and year whose age left its curve's calibrated range this way, dm2.

    Parameters as in `parcel_stock_mg`; the table must be a computed one, for a stored one has no
    flags.
    """
    starts = np.ascontiguousarray(start, dtype=np.int64)
    codes = np.ascontiguousarray(cohort, dtype=np.int32)
    areas = np.ascontiguousarray(area_dm2, dtype=np.int64)
    _check_histogram(starts, codes, areas, table.mg_c_m2)
    out = np.zeros((starts.size - 1, len(table.years)), np.int64)
    _product(starts, codes, areas, (table.flags == flag).astype(np.int32), out)
    return out


def stock_kg_co2(stock_sum: ArrayLike) -> IntArray:
    """Whole kg CO2 of sums in dm2 x mg C/m2, rounded down, exactly.

    The product with 44/12 could leave 64 bits, so quotient and remainder are taken apart first.
    """
    sums = np.asarray(stock_sum, dtype=np.int64)
    up = units.CO2_PER_C.numerator
    down = units.CO2_PER_C.denominator * units.CENTI_MG_PER_KG
    return np.asarray(sums // down * up + sums % down * up // down, dtype=np.int64)


def yearly_flux_kg(stock_kg: ArrayLike) -> IntArray:
    """Change of stock from each 31 December to the next; one year fewer, sums telescope exactly."""
    stock = np.asarray(stock_kg, dtype=np.int64)
    return stock[..., 1:] - stock[..., :-1]


def disturbed_stock_mg(
    start: ArrayLike,
    cohort: ArrayLike,
    lost_dm2: ArrayLike,
    *,
    table: CohortTable,
    regrowth: CohortTable,
    event_year: int,
) -> IntArray:
    """Stock of the lost area: as it grew until the event, then from age 0 in the event's year.

    ``regrowth`` is a table of the same years whose layer year is ``event_year``. Add the stock of
    the kept area to get the parcel's.

    Raises
    ------
    DomainError : REGROWTH_YEARS when the regrowth table is of another event or other years.
    """
    if regrowth.layer_year != event_year or regrowth.years != table.years:
        raise DomainError("REGROWTH_YEARS", event_year=event_year, layer_year=regrowth.layer_year)
    before = parcel_stock_mg(start, cohort, lost_dm2, table)
    after = parcel_stock_mg(start, table.scheme.at_age_zero(cohort), lost_dm2, regrowth)
    return np.where(np.array(table.years) < event_year, before, after)


def warm_up() -> None:
    """Compile the kernel outside a request."""
    table = cohort_table(CohortScheme(), layer_year=2020, years=[2020])
    parcel_stock_mg([0, 1], [0], [1], table)
