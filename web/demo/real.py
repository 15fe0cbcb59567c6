"""Real files through the same verbs: what is known of them from elsewhere must come out again.

The files lie outside the repository where their licence asks for it (``TANHUI_EXTRA_DATA``).
Figures that were measured by other programs, or are stated by the publishers, stand here as checks.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Engine, create_engine, text

from geo.crs import to_cgcs2000
from geo.eligibility.facts import slope_facts
from geo.intake import Intake, examine
from geo.overlap import overlap_pairs
from geo.raster import open_layer
from geo.slope import SlopeMethod
from geo.vector import open_features
from geo.zonal import ClassLayer, Histogram, cohort_histogram
from registry import cluster, divisions, imports, migrate, parcels, people
from registry.db import SYSTEM_ACTOR, connect
from registry.places import ImportReport
from sinks.cohorts import CohortScheme, cohort_table, parcel_stock_mg, stock_kg_co2, yearly_flux_kg
from sinks.units import CENTI_MG_PER_KG
from web.config import settings
from web.demo.county import division_rows
from web.demo.teller import Check, Step, Teller, Told, Totals, at

DATABASE: Final = "tanhui_real"
SENT: Final = date(2026, 1, 12)
APPROVED: Final = date(2026, 1, 20)
LAYER_YEAR: Final = 2025
YEARS: Final = 40

VIETNAM: Final = "vietnam_smallfarms_EPSG32648.gpkg"
CATALONIA: Final = "catalonia_apricot_orchards_EPSG25831.gpkg"
FARMS: Final = "swellendam_farms_EPSG32733.gpkg"
FARMS_DEM: Final = "swellendam_srtm_EPSG32733.tif"
HANGBU: Final = "parcels_2000_EPSG4549.parquet"

FARM_FIGURES: Final = {
    "rows": 2008,
    "unsound": 16,
    "equal pairs": 69,
    "overlapping pairs": 3838,
    "slivers": 367,
}
"""Found in the plane of the file by shapely alone, unsound shapes repaired, pairs sharing > 0."""

HANGBU_DISTRICTS: Final = {"330802": 1566, "330822": 238, "330803": 196}
"""Kecheng, Changshan, Qujiang: parcels by district, from the sample's own description."""

SITE_INDEX_STEP: Final = 3
"""The sample's site index (8 to 22 m) in five classes of this many metres."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Real:
    """What came of the real files; ``skipped`` says which were not there."""

    steps: list[Step]
    checks: list[Check]
    holds: bool
    skipped: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A file that was examined and imported."""

    intake: Intake
    report: ImportReport
    totals: Totals


def make_database() -> Engine:
    """Make the database of real files anew in the private cluster, migrated; return its engine."""
    running = cluster.ensure_running(settings().cluster_dir, say=lambda _line: None)
    cluster.drop_database(running, DATABASE)
    cluster.prepare_database(running, DATABASE)
    admin = create_engine(cluster.database_url(running, DATABASE, "tanhui_admin"))
    try:
        migrate.upgrade(admin)
    finally:
        admin.dispose()
    return connect(cluster.database_url(running, DATABASE, "tanhui_app"))


def tell(teller: Teller) -> Real:
    """Run every step whose files are in ``teller.folder``; name those that are not."""
    steps: dict[str, Callable[[Teller], Totals]] = {"divisions and people 区划与人员": prepare}
    skipped = []
    for name, (files, step) in _STEPS.items():
        missing = [file for file in files if not (teller.folder / file).exists()]
        if missing:
            skipped.append(f"{name}: {', '.join(missing)}")
        else:
            steps[name] = step
    told: Told = teller.tell(steps)
    return Real(steps=told.steps, checks=told.checks, holds=told.holds, skipped=skipped)


def prepare(teller: Teller) -> Totals:
    """Load Quzhou's divisions; add one who sends plots and one who approves them."""
    loaded = teller.do(
        divisions.load,
        divisions.LoadDivisions(
            at=at(SENT),
            actor_id=SYSTEM_ACTOR,
            key="real:divisions",
            valid_from_year=2023,
            source="国家统计局（china-division 2.7.0，MIT）；边界：天地图，示意",
            rows=list(division_rows()),
        ),
    )
    # Fields from abroad lie in no division: only who acts for all may keep them.
    desks = {"county3": "system", "county": "system", "auditor": "auditor"}
    for desk, role in desks.items():
        command = people.AddActor(
            at=at(SENT),
            actor_id=SYSTEM_ACTOR,
            key=f"real:actor:{desk}",
            name=f"实测数据 {desk}",
            roles=[role],
            new_actor_id=teller.who(desk),
        )
        teller.do(people.add_actor, command)
    return {"divisions": loaded.new, "actors": len(desks)}


def bring_in(teller: Teller, path: Path, *, programme: str = "county-inclusion") -> Taken:
    """Examine and import a file and approve what was accepted; nothing may be lost on the way."""
    start = time.perf_counter()
    intake = examine(path)
    examined = time.perf_counter()
    command = imports.ImportParcels(
        **teller.by("county3", f"real:{path.name}", SENT),
        file_name=path.name,
        file_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        programme_id=programme,
    )
    report = teller.do(partial(imports.import_parcels, intake=intake), command)
    imported = time.perf_counter()
    batch: UUID | None = report.batch_id
    assert batch is not None  # noqa: S101 -- only a dry run has none
    approve = parcels.ApproveBatch(
        **teller.by("county", f"real:approve:{path.name}", APPROVED), batch_id=batch
    )
    approved = teller.do(parcels.approve_batch, approve).approved
    sums = f"{report.read} = {report.accepted} + {report.refused} + {report.questioned}"
    teller.check(
        f"{path.stem}: read = accepted + refused + questioned, and all accepted are approved",
        holds=report.read == report.accepted + report.refused + report.questioned
        and approved == report.accepted,
        figure=sums,
    )
    codes = Counter(found.code for found in report.findings)
    totals: Totals = {
        "read": report.read,
        "accepted": report.accepted,
        "refused": report.refused,
        "questioned": report.questioned,
        "accepted_m2": round(sum(parcel.area_m2 for parcel in report.parcels)),
        "examine_s": round(examined - start, 3),
        "import_s": round(imported - examined, 3),
        "approve_s": round(time.perf_counter() - imported, 3),
        **{f"findings {code}": count for code, count in sorted(codes.items())},
    }
    return Taken(intake=intake, report=report, totals=totals)


def fields(teller: Teller, path: Path | None = None) -> Totals:
    """Vietnamese smallholder fields: as small as a county's plots, and sound."""
    taken = bring_in(teller, path or teller.folder / "02_parcels" / VIETNAM)
    teller.check(
        "Vietnam: all 100 fields are taken",
        holds=taken.report.accepted == taken.report.read == 100,  # noqa: PLR2004
        figure=taken.report.accepted,
    )
    return taken.totals


def orchards(teller: Teller, path: Path | None = None) -> Totals:
    """Catalan orchards: the publisher states every field's hectares."""
    path = path or teller.folder / "02_parcels" / CATALONIA
    taken = bring_in(teller, path, programme="orchard-label")
    stated_m2 = np.array([float(str(row["ha"])) for row in taken.intake.attributes]) * 1e4
    off = float(np.abs(taken.intake.area_m2 / stated_m2 - 1).max())
    teller.check(
        "Catalonia: all 100 orchards are taken",
        holds=taken.report.accepted == taken.report.read == 100,  # noqa: PLR2004
        figure=taken.report.accepted,
    )
    teller.check(
        "Catalonia: areas agree with the published hectares (plane, 0.1 %)",
        holds=off < 1e-3,  # noqa: PLR2004
        figure=f"largest difference {off:.2e}",
    )
    return {**taken.totals, "published_m2": round(float(stated_m2.sum()))}


def farms(teller: Teller) -> Totals:
    """South African farms: a cadastre as it really is, and the slopes below it."""
    folder = teller.folder / "02_parcels"
    taken = bring_in(teller, folder / FARMS)
    intake = taken.intake
    plane = np.array([feature.geometry for feature in open_features(folder / FARMS).features])
    sound = np.array([g if shapely.is_valid(g) else None for g in intake.geometry], dtype=object)
    pairs = overlap_pairs(sound, intake.area_m2)
    unsound = {
        found.row
        for found in intake.findings
        if found.code.startswith("GEOM_") and found.severity == "refused"
    }
    found = planar_faults(plane) | {"rows": intake.read, "unsound": len(unsound)}
    for name, figure in FARM_FIGURES.items():
        holds = found[name] == figure
        teller.check(f"Swellendam: {name}", holds=holds, figure=f"{found[name]} of {figure}")
    equal = int(shapely.equals(sound[pairs.left], sound[pairs.right]).sum())
    teller.check(
        "Swellendam: the examination finds the same equal pairs among sound shapes",
        holds=equal == FARM_FIGURES["equal pairs"],
        figure=equal,
    )
    there = ~shapely.is_missing(sound)
    excess = float(shapely.area(plane[there]).sum() / intake.area_m2[there].sum() - 1)
    teller.check(
        "Swellendam: the plane of a zone far away is 0.53 % too large",
        holds=abs(excess - 0.0053) < 0.0003,  # noqa: PLR2004
        figure=f"{excess:+.2%}",
    )
    return {
        **taken.totals,
        "sound pairs sharing ground": len(pairs.left),
        "of them beyond tolerance": int(pairs.beyond.sum()),
        **_slopes(sound[there], folder / FARMS_DEM),
    }


def planar_faults(geometries: NDArray[np.object_]) -> dict[str, int]:
    """Count equal and overlapping pairs in the plane, unsound shapes repaired first."""
    mended = shapely.make_valid(geometries)
    left, right = shapely.STRtree(mended).query(mended, predicate="intersects")
    once = left < right
    left, right = mended[left[once]], mended[right[once]]
    shared_m2 = shapely.area(shapely.intersection(left, right))
    return {
        "equal pairs": int(shapely.equals(left, right).sum()),
        "overlapping pairs": int((shared_m2 > 0).sum()),
        "slivers": int(((shared_m2 > 0) & (shared_m2 <= 1)).sum()),
    }


def _slopes(geometries: NDArray[np.object_], dem: Path) -> Totals:
    """Measure slopes; the file declares no nodata: 0 is the sea and what lies outside."""
    start = time.perf_counter()
    facts = slope_facts(
        geometries,
        open_layer(dem, kind="height", nodata=0),
        method=SlopeMethod.ZEVENBERGEN_THORNE,
    )
    return {
        "slopes_s": round(time.perf_counter() - start, 3),
        "slope_deg median": round(float(np.nanmedian(facts.mean_deg)), 2),
        "slope_deg largest mean": round(float(np.nanmax(facts.mean_deg)), 2),
        "slopes known": int((facts.known_share > 0).sum()),
    }


def hangbu(
    teller: Teller,
    folder: Path | None = None,
    *,
    parquet: str = HANGBU,
    by_district: Mapping[str, int] = HANGBU_DISTRICTS,
) -> Totals:
    """Take the sample county: GeoParquet, districts looked up, carbon over forty years."""
    folder = folder or teller.folder / "08_synthetic_hangbu_sample"
    taken = bring_in(teller, folder / parquet)
    with teller.reading() as session:
        points = _points(folder / parquet) | {"batch": taken.report.batch_id}
        rows = session.execute(_DISTRICTS, points).all()
    counts = Counter(row.district for row in rows)
    agree = sum(row.district == row.stated for row in rows)
    teller.check(
        "Hangbu: districts by look-up",
        holds=dict(counts) == dict(by_district),
        figure=", ".join(f"{code} {count}" for code, count in sorted(counts.items())),
    )
    teller.check(
        "Hangbu: every parcel lies in the district it names",
        holds=agree == len(rows) == taken.report.read,
        figure=f"{agree} of {taken.report.read}",
    )
    return {**taken.totals, **_carbon(teller, taken.intake, folder)}


def _points(path: Path) -> dict[str, list[float]]:
    """Give a point inside every parcel, taken in the plane of the file as its makers did.

    A parcel on a border has points in two districts, so another choice moves one or two of them.
    """
    file = open_features(path)
    inside = shapely.point_on_surface(np.array([feature.geometry for feature in file.features]))
    lon, lat = to_cgcs2000(shapely.get_coordinates(inside), file.system).T
    return {
        "rows": [feature.row for feature in file.features],
        "lon": lon.tolist(),
        "lat": lat.tolist(),
    }


def _carbon(teller: Teller, intake: Intake, folder: Path) -> Totals:
    """Forecast the stock of every parcel; areas and years must add up exactly."""
    start = time.perf_counter()
    scheme = CohortScheme()
    histogram = cohort_histogram(
        intake.geometry, list(_layers(folder, scheme)), parcel_area_m2=intake.area_m2
    )
    years = range(LAYER_YEAR, LAYER_YEAR + YEARS + 1)
    table = cohort_table(scheme, layer_year=LAYER_YEAR, years=years)
    stock_mg = parcel_stock_mg(histogram.start, histogram.cohort, histogram.area_dm2, table)
    took = time.perf_counter() - start
    stock_kg = stock_kg_co2(stock_mg)
    flux_kg = yearly_flux_kg(stock_kg)
    short = _dm2_missing(histogram, intake)
    teller.check(
        "Hangbu: each parcel's cohorts add up to its area, to the dm2",
        holds=short == 0,
        figure=f"{short} dm2 missing",
    )
    teller.check(
        "Hangbu: forty yearly changes add up to the change of stock, to the kg",
        holds=bool((flux_kg.sum(axis=1) == stock_kg[:, -1] - stock_kg[:, 0]).all()),
        figure=f"{int(flux_kg.sum())} kg CO2",
    )
    return {
        "assess_s": round(took, 3),
        "cohorts": len(histogram.cohort),
        "unknown_dm2": int(histogram.nodata_dm2.sum()),
        "outside_dm2": int(histogram.outside_dm2.sum()),
        "stock_kg first year": int(stock_kg[:, 0].sum()),
        "stock_kg last year": int(stock_kg[:, -1].sum()),
        "carbon_kg first year": int(stock_mg[:, 0].sum()) // CENTI_MG_PER_KG,
    }


def _layers(folder: Path, scheme: CohortScheme) -> Iterator[ClassLayer]:
    """Open the sample's layers as digits of the cohort number."""
    index = np.full(256, -1, np.int32)
    index[8:23] = np.arange(15) // SITE_INDEX_STEP
    files = {"species": "species", "site": "site_index", "age": "age"}
    for digit in scheme.digits:
        name = files[digit.layer]
        yield ClassLayer(
            source=open_layer(folder / f"{name}_30m_EPSG4549.tif", kind=name, year=LAYER_YEAR),
            radix=digit.radix,
            stride=digit.stride,
            lookup=index if digit.layer == "site" else digit.lookup,
        )


def _dm2_missing(histogram: Histogram, intake: Intake) -> int:
    counted = np.bincount(
        histogram.parcel, weights=histogram.area_dm2, minlength=len(histogram.nodata_dm2)
    ).astype(np.int64)
    whole = counted + histogram.nodata_dm2 + histogram.outside_dm2
    return int(np.abs(whole - np.rint(intake.area_m2 * 100).astype(np.int64)).sum())


_STEPS: Final[Mapping[str, tuple[tuple[str, ...], Callable[[Teller], Totals]]]] = {
    "fields in Vietnam 越南田块": ((f"02_parcels/{VIETNAM}",), fields),
    "orchards in Catalonia 加泰罗尼亚果园": ((f"02_parcels/{CATALONIA}",), orchards),
    "farms in Swellendam 斯韦伦丹农场": (
        (f"02_parcels/{FARMS}", f"02_parcels/{FARMS_DEM}"),
        farms,
    ),
    "sample county at Hangbu 航埠样区": ((f"08_synthetic_hangbu_sample/{HANGBU}",), hangbu),
}

_DISTRICTS = text(
    "SELECT left(d.code, 6) AS district, v.attributes ->> 'adcode' AS stated"
    " FROM parcel_version v"
    " JOIN unnest(CAST(:rows AS int[]), CAST(:lon AS float8[]), CAST(:lat AS float8[]))"
    "  AS p (row_number, lon, lat) ON p.row_number = v.batch_row"
    " JOIN division d ON d.level = 'county'"
    "  AND ST_Contains(d.boundary, ST_SetSRID(ST_MakePoint(p.lon, p.lat), 4490))"
    " WHERE v.batch_id = :batch"
)
