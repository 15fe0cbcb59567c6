"""Stock of parcels by year from what they hold, and what a reader must know of it; pure arrays.

A parcel's histogram counts dm2 by combined code: the cohort of `sinks.cohorts`, plus the scheme's
size times the class of the year in which the stand was lost (0: it was not).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from geo.raster import Source
from geo.zonal import DM2_PER_M2, ClassLayer, Histogram
from registry.cohort_tables import SCHEME, SOFT_MARKS
from sinks import review, tables
from sinks.cohorts import CohortTable, disturbed_stock_mg, parcel_stock_mg
from sinks.growth import AgeFlag
from sinks.tables.rows import GrowthRow

Ints = NDArray[np.int64]
Flag = dict[str, Any]

LOSS_BEFORE: Final = 2000
LOSS_CLASSES: Final = 101
"""Class 0 is "not lost", class k is the year 2000 + k."""

AGE_TOLERANCE_YR: Final = 2
"""Record and raster that differ by more need a look (decision 19)."""

NODATA_SHARE: Final = 0.01
"""Share of a parcel without data, above which it is said."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grown:
    """What a run found for its parcels."""

    stock_sum: Ints  # (n, years) dm2 x mg C/m2, of the years before the first to the last
    lost_dm2: dict[int, Ints]  # by event year, (n,)


def class_layers(rasters: Mapping[str, Source]) -> list[ClassLayer]:
    """Return the digits of the combined code; site and disturbance may be left out.

    Without a site layer every cell has the first site class.
    """
    n_site = len(SCHEME.sites)
    layers = [
        ClassLayer(source=rasters["age"], radix=SCHEME.n_age, stride=1),
        ClassLayer(source=rasters["species"], radix=SCHEME.n_species, stride=n_site * SCHEME.n_age),
    ]
    if "site" in rasters:
        site = np.full(SCHEME.sites[-1] + 1, -1, np.int32)
        site[list(SCHEME.sites)] = np.arange(n_site)
        layers.append(
            ClassLayer(source=rasters["site"], radix=n_site, stride=SCHEME.n_age, lookup=site)
        )
    if "disturbance" in rasters:
        year = np.full(LOSS_BEFORE + LOSS_CLASSES, -1, np.int32)
        year[0] = 0
        year[LOSS_BEFORE + 1 :] = np.arange(1, LOSS_CLASSES)
        layers.append(
            ClassLayer(
                source=rasters["disturbance"],
                radix=LOSS_CLASSES,
                stride=SCHEME.size,
                lookup=year,
            )
        )
    return layers


def loss_year(code: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the year in which each combined code was lost, 0 where it was not."""
    loss = code // np.int32(SCHEME.size)
    return np.where(loss > 0, loss + np.int32(LOSS_BEFORE), 0).astype(np.int32)


def loss_years(histogram: Histogram, table: CohortTable) -> list[int]:
    """Return the years of loss that count: after the age layer's year, up to the table's last."""
    years = np.unique(loss_year(histogram.cohort))
    return [int(y) for y in years if table.layer_year < y <= table.years[-1]]


def grow(histogram: Histogram, table: CohortTable, regrowth: Mapping[int, CohortTable]) -> Grown:
    """Sum every parcel's stock in every year of the table, in integers.

    Parameters
    ----------
    histogram : areas by combined code.
    table : stock by cohort and year.
    regrowth : for each of `loss_years`, the table of stands planted in that year.
    """
    lost_in = loss_year(histogram.cohort)
    cohort = histogram.cohort % np.int32(SCHEME.size)
    calm = ~np.isin(lost_in, list(regrowth))
    start, rows, area = _part(histogram, cohort, calm)
    total = parcel_stock_mg(start, rows, area, table)
    for year, planted in regrowth.items():
        start, rows, area = _part(histogram, cohort, lost_in == year)
        total += disturbed_stock_mg(
            start, rows, area, table=table, regrowth=planted, event_year=year
        )
    return Grown(stock_sum=total, lost_dm2=lost_areas(histogram, table))


def lost_areas(histogram: Histogram, table: CohortTable) -> dict[int, Ints]:
    """Return every parcel's area lost in each year of loss that counts, (n,) dm2."""
    lost_in = loss_year(histogram.cohort)
    return {
        year: _sums(histogram.start, np.where(lost_in == year, histogram.area_dm2, 0))
        for year in loss_years(histogram, table)
    }


def _part(
    histogram: Histogram, cohort: NDArray[np.int32], take: NDArray[np.bool_]
) -> tuple[Ints, NDArray[np.int32], Ints]:
    """Cut the rows out that are taken; every parcel keeps its place."""
    ends = np.concatenate(([0], np.cumsum(take, dtype=np.int64)))
    return ends[histogram.start], cohort[take], histogram.area_dm2[take]


def _sums(start: Ints, values: Ints) -> Ints:
    ends = np.concatenate(([0], np.cumsum(values, dtype=np.int64)))
    sums: Ints = ends[start[1:]] - ends[start[:-1]]
    return sums


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """What flags are made from, beside the histogram and the table."""

    area_m2: NDArray[np.float64]  # (n,)
    recorded_age_yr: NDArray[np.float64]  # (n,) of an approved record at the layer's year, or NaN
    net_kg: Ints  # (n, years of the run)
    lost_dm2: Mapping[int, Ints]  # by event year, (n,)
    curves: Mapping[int, GrowthRow]


def flags(histogram: Histogram, table: CohortTable, judged: Judged) -> list[list[Flag]]:
    """Return for each parcel the codes of what a reader must know, in a fixed order."""
    found: list[list[Flag]] = [[] for _ in judged.area_m2]
    for add in (_missing, _outside_curve, _soft_curves, _ages, _losses, _too_good):
        for index, flag in add(histogram, table, judged):
            found[index].append(flag)
    return found


Found = list[tuple[int, Flag]]


def _missing(histogram: Histogram, _table: CohortTable, judged: Judged) -> Found:
    found: Found = []
    for code, part in (
        ("LAYER_NODATA", histogram.nodata_dm2),
        ("LAYER_OUTSIDE", histogram.outside_dm2),
    ):
        least = NODATA_SHARE * DM2_PER_M2 * judged.area_m2
        found += [
            (int(i), {"code": code, "area_m2": int(part[i]) // DM2_PER_M2})
            for i in np.flatnonzero(part > least)
        ]
    return found


def _outside_curve(histogram: Histogram, table: CohortTable, judged: Judged) -> Found:
    """Years in which part of a parcel is younger or older than its curve was calibrated for."""
    found: Found = []
    cohort = histogram.cohort % np.int32(SCHEME.size)
    for code, flag in (("AGE_BELOW_CURVE", AgeFlag.BELOW), ("AGE_ABOVE_CURVE", AgeFlag.ABOVE)):
        marked = replace(table, mg_c_m2=((table.flags & flag) != 0).astype(np.int32))
        area = parcel_stock_mg(histogram.start, cohort, histogram.area_dm2, marked)[:, 1:]
        most = area.max(axis=1)
        touched = area > 0
        first = touched.argmax(axis=1)
        last = touched.shape[1] - 1 - touched[:, ::-1].argmax(axis=1)
        found += [
            (
                int(i),
                {
                    "code": code,
                    "first_year": table.years[1 + int(first[i])],
                    "last_year": table.years[1 + int(last[i])],
                    "area_m2": int(most[i]) // DM2_PER_M2,
                },
            )
            for i in np.flatnonzero(most > NODATA_SHARE * DM2_PER_M2 * judged.area_m2)
        ]
    return found


def _species(histogram: Histogram) -> Ints:
    return SCHEME.decode(histogram.cohort % np.int32(SCHEME.size))[0]


def _soft_curves(histogram: Histogram, _table: CohortTable, judged: Judged) -> Found:
    """Curves that were recalled or proposed, not read from a source."""
    found: Found = []
    species = _species(histogram)
    for code, row in sorted(judged.curves.items()):
        if row.mark in SOFT_MARKS:
            flag = {"code": "CURVE_PROVISIONAL", "curve": row.key, "mark": row.mark}
            found += [(int(i), flag) for i in np.unique(histogram.parcel[species == code])]
    return found


def _ages(histogram: Histogram, _table: CohortTable, judged: Judged) -> Found:
    """Approved records whose age is more than two years from the raster's mean."""
    species, _, age = SCHEME.decode(histogram.cohort % np.int32(SCHEME.size))
    stocked = np.where(species > 0, histogram.area_dm2, 0)
    whole = _sums(histogram.start, stocked)
    years = _sums(histogram.start, stocked * age)
    mean = np.divide(years, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    apart = np.abs(mean - judged.recorded_age_yr) > AGE_TOLERANCE_YR
    return [
        (
            int(i),
            {
                "code": "AGE_DISAGREES",
                "record_yr": round(float(judged.recorded_age_yr[i]), 1),
                "raster_yr": round(float(mean[i]), 1),
            },
        )
        for i in np.flatnonzero(apart)
    ]


def _losses(_histogram: Histogram, _table: CohortTable, judged: Judged) -> Found:
    return [
        (int(i), {"code": "STAND_LOST", "year": year, "area_m2": int(lost[i]) // DM2_PER_M2})
        for year, lost in sorted(judged.lost_dm2.items())
        for i in np.flatnonzero(lost)
    ]


def _too_good(histogram: Histogram, _table: CohortTable, judged: Judged) -> Found:
    """Means above anything published; only what is near the limit is worked out exactly."""
    kinds = {row.code: row.kind for row in tables.species_codes().values()}
    bamboo = np.isin(
        _species(histogram), [code for code, kind in kinds.items() if kind == "bamboo"]
    )
    mostly = 2 * _sums(histogram.start, np.where(bamboo, histogram.area_dm2, 0)) > _sums(
        histogram.start, np.where(_species(histogram) > 0, histogram.area_dm2, 0)
    )
    gain = judged.net_kg.sum(axis=1)
    order = np.argsort(-gain / judged.area_m2, kind="stable")
    found: Found = []
    for kind, members in (("bamboo", order[mostly[order]]), ("forest", order[~mostly[order]])):
        for i in members:
            answer = review.plausibility(
                judged.net_kg[i].tolist(), area_m2=float(judged.area_m2[i]), kind=kind
            )
            if not answer.review:
                break
            found.append(
                (
                    int(i),
                    {
                        "code": review.REVIEW_CODE,
                        "mean_t_mu_yr": round(answer.mean_t_mu_yr, 3),
                        "limit_t_mu_yr": answer.limit_t_mu_yr,
                        "years": answer.years,
                    },
                )
            )
    return found


def joined(parts: Sequence[Histogram]) -> Histogram:
    """Put histograms of consecutive parcels end to end."""
    offset, start = 0, [np.zeros(1, np.int64)]
    for part in parts:
        start.append(part.start[1:] + offset)
        offset += int(part.start[-1])
    return Histogram(
        start=np.concatenate(start),
        cohort=np.concatenate([part.cohort for part in parts] or [np.empty(0, np.int32)]),
        area_dm2=np.concatenate([part.area_dm2 for part in parts] or [np.empty(0, np.int64)]),
        nodata_dm2=np.concatenate([part.nodata_dm2 for part in parts] or [np.empty(0, np.int64)]),
        outside_dm2=np.concatenate([part.outside_dm2 for part in parts] or [np.empty(0, np.int64)]),
    )


def each_parcel(histogram: Histogram) -> list[Histogram]:
    """Cut a histogram into one for each parcel."""
    return [
        Histogram(
            start=np.array([0, last - first]),
            cohort=histogram.cohort[first:last],
            area_dm2=histogram.area_dm2[first:last],
            nodata_dm2=histogram.nodata_dm2[i : i + 1],
            outside_dm2=histogram.outside_dm2[i : i + 1],
        )
        for i, (first, last) in enumerate(
            zip(histogram.start[:-1], histogram.start[1:], strict=True)
        )
    ]
