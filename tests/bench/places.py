"""A file of parcels into the database with all checks, and the carbon of all of them."""

import hashlib
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import pyogrio.raw
import shapely
from sqlalchemy import Engine, create_engine, text

from geo.intake import examine
from geo.shape import to_multipolygons
from registry import estimation, imports, layers, parcels, programmes
from registry.copying import copy_rows
from registry.db import SYSTEM_ACTOR, perform, transaction
from registry.estimation_inputs import AssessParcels
from registry.places import ImportReport
from registry.programmes import AdoptProgramme
from tests.bench.ground import county
from tests.bench.store import APPROVER, AT, Store
from tests.bench.timing import Case, Cases, Way
from tests.registry.makers_science import all_pools_source


def take(engine: Engine, path: Path) -> ImportReport:
    """Examine and import a file, committed."""
    command = imports.ImportParcels(
        at=AT,
        actor_id=SYSTEM_ACTOR,
        key=uuid4().hex,
        file_name=path.name,
        file_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        division_code="330802",
        programme_id="county-inclusion",
    )
    return perform(engine, partial(imports.import_parcels, intake=examine(path)), command)


class Renewed:
    """An engine of a fresh clone, made anew before each run."""

    def __init__(self, make: Callable[[], Engine]) -> None:
        self.make = make
        self.engine: Engine | None = None

    def __call__(self) -> None:
        """Take the next one."""
        self.engine = self.make()


def import_case(store: Store, folder: Path, size: int) -> Case:
    """Whole import of a file with defects, against a plain load and the same checks in SQL."""
    path = county(folder, size) / "parcels_defective.geojson"
    clean = county(folder, size) / "parcels.geojson"
    room = Renewed(store.fresh)
    peers = {}
    if find_spec("geopandas"):
        peers["pyogrio + to_postgis + checks in SQL"] = Way(
            run=lambda: plain_load(store, clean), runs=3 if size < LARGE else 1
        )
    return Case(
        name="import with all checks, committed",
        size=size,
        ours=Way(run=lambda: take(room.engine, path), before=room, runs=5 if size < LARGE else 1),
        peers=peers,
        work=float(size),
        work_unit="parcels/s",
        note="ours reads the file with defects; a reader of whole files fails on it, so the peer"
        " reads the clean one, and keeps no history, no row-wise answers and no key",
    )


def plain_load(store: Store, path: Path) -> int:
    """Load with geopandas, then find invalid shapes, duplicates, areas and overlaps in SQL."""
    import geopandas

    name = "plain_load"
    engine = create_engine(store.url(store.template_of_peers))
    frame = geopandas.read_file(path, engine="pyogrio")
    frame = frame.rename(columns={"id": "file_id"})
    frame.insert(0, "id", range(len(frame)))
    with engine.begin() as connection:
        frame.to_postgis(name, connection, if_exists="replace", index=False)
        connection.execute(text(f"CREATE INDEX ON {name} USING gist (geometry)"))
        found = connection.execute(text(_CHECKS)).scalar_one()
    engine.dispose()
    return int(found)


LARGE = 50_000
"""Once is enough, and costs a minute, from here on."""
SUFFIXES = (".geojson", ".gpkg", ".shp", ".fgb")
_DRIVERS = {".gpkg": "GPKG", ".shp": "ESRI Shapefile", ".fgb": "FlatGeobuf"}


def parcels_as(folder: Path, size: int, suffix: str) -> Path:
    """Return the parcels of the demo county in a format, made once."""
    source = county(folder, size) / "parcels.geojson"
    path = source.with_suffix(suffix)
    if not path.exists():
        meta, _, blobs, columns = pyogrio.raw.read(source)
        shapes = to_multipolygons(shapely.from_wkb(blobs))
        with warnings.catch_warnings(action="ignore"):  # a shapefile's names are cut
            pyogrio.raw.write(
            path, geometry=shapely.to_wkb(shapes), field_data=columns, fields=list(meta["fields"]),
            geometry_type="MultiPolygon", crs="EPSG:4490", driver=_DRIVERS[suffix],
            layer="parcels", encoding="UTF-8",
        )  # fmt: skip
    return path


_IMPORT = """
import hashlib, sys, time
from pathlib import Path
from uuid import uuid4
from registry import import_jobs, jobs
from registry.db import SYSTEM_ACTOR, connect, perform, transaction
from tests.bench.store import AT
url, path = sys.argv[1], Path(sys.argv[2])
engine = connect(url)
import_jobs.register_tasks()
with path.open("rb") as stream:
    digest = hashlib.file_digest(stream, "sha256").hexdigest()
command = import_jobs.RequestImport(at=AT, actor_id=SYSTEM_ACTOR, key=uuid4().hex,
    file_name=path.name, file_sha256=digest, path=str(path), division_code="330802",
    programme_id="county-inclusion", accept=True)
asked = perform(engine, import_jobs.request, command)
jobs.work(engine, once=True)
with transaction(engine) as session:
    job = jobs.get(session, asked.job_id)
assert job.state == "done", job
status = Path("/proc/self/status").read_text().splitlines()
print(next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024)
"""


def import_peak_case(store: Store, folder: Path, size: int, suffix: str) -> Case:
    """Peak memory of the process that reads, compares and accepts a file by a job."""
    path = parcels_as(folder, size, suffix)
    room = Renewed(store.fresh)

    def ours() -> float:
        url = room.engine.url.render_as_string(hide_password=False)
        words = [sys.executable, "-c", _IMPORT, url, str(path)]
        told = subprocess.run(words, check=True, capture_output=True, text=True, env=os.environ)
        return float(told.stdout)

    return Case(
        name=f"import of {suffix}, peak memory",
        size=size,
        ours=Way(run=ours, before=room, runs=1),
        unit="MB",
        note=f"read, compared, accepted; the file is {path.stat().st_size / 1e6:.0f} MB; what GDAL"
        " reads is read by another process, a run of 20,000 features at a time",
    )


_CHECKS = """
WITH checked AS (SELECT id, geometry, kind, ST_IsValid(geometry) AS valid,
  ST_Area(geometry::geography) AS m2, md5(ST_AsBinary(ST_Normalize(geometry))) AS digest
  FROM plain_load),
bad AS (SELECT count(*) AS n FROM checked WHERE NOT valid OR m2 < 1),
twice AS (SELECT count(*) - count(DISTINCT digest) AS n FROM checked),
pairs AS (SELECT count(*) AS n FROM checked a JOIN checked b
  ON a.id < b.id AND a.geometry && b.geometry AND a.valid AND b.valid
  WHERE ST_Area(ST_Intersection(a.geometry, b.geometry)::geography)
    > least(1.0, 0.001 * least(a.m2, b.m2)))
SELECT bad.n + twice.n + pairs.n FROM bad, twice, pairs
"""

_COLUMNS = {
    "batch_id": "uuid",
    "row": "int4",
    "status": "text",
    "geometry": "bytea",
    "area_m2": "float8",
    "shape_digest": "bytea",
    "attributes": "jsonb",
    "findings": "jsonb",
}


def load_case(store: Store, folder: Path, size: int) -> Case:
    """Rows into the table they wait in, against a COPY of a file prepared before."""
    engine = store.fresh()
    take(engine, county(folder, size) / "parcels.geojson")
    with engine.begin() as connection:
        names = ", ".join(_COLUMNS)
        rows = connection.execute(
            text(
                "SELECT batch_id, row, status, ST_AsEWKB(geometry), area_m2, shape_digest,"
                " attributes::text, findings::text FROM import_row ORDER BY row"
            )
        ).all()
    rows = [tuple(row) for row in rows]
    admin = store.session(engine.url.database)
    admin.execute("CREATE TABLE waiting (LIKE import_row INCLUDING DEFAULTS)")
    admin.execute("ALTER TABLE waiting OWNER TO tanhui_app")
    with admin.cursor().copy(f"COPY import_row ({names}) TO STDOUT (FORMAT binary)") as copy:
        blob = b"".join(copy)

    def plain() -> None:
        with admin.cursor().copy(f"COPY waiting ({names}) FROM STDIN (FORMAT binary)") as copy:
            copy.write(blob)

    def ours() -> None:
        with transaction(engine) as session:
            copy_rows(session, "waiting", _COLUMNS, rows)

    def empty() -> None:
        admin.execute("TRUNCATE waiting")

    return Case(
        name="load stage: rows to their waiting table",
        size=len(rows),
        ours=Way(run=ours, before=empty),
        limit=("COPY of prepared bytes", Way(run=plain, before=empty)),
        work=float(len(rows)),
        work_unit="rows/s",
    )


def assess_case(store: Store, folder: Path, size: int, *, pools: bool = False) -> Case:
    """Assessment of all approved parcels for forty years, from rasters to stored series.

    With ``pools`` six pools are kept apart: trees above and below ground, dead wood, litter, soil,
    products.
    """
    made = county(folder, size)
    name = store.database(store.template)
    engine = store.app(name)
    batch = take(engine, made / "parcels.geojson").batch_id
    approve = parcels.ApproveBatch(at=AT, actor_id=APPROVER, key="approve", batch_id=batch)
    approved = perform(engine, parcels.approve_batch, approve).approved
    kept = folder / "layers"
    known = tuple(_layer(engine, made / f"{kind}.tif", kind, kept) for kind in _KINDS)
    programme_id = _adopted(engine) if pools else None
    store.leave()
    room = Renewed(lambda: store.app(store.database(name)))
    command = AssessParcels(
        programme_id=programme_id,
        at=AT,
        actor_id=SYSTEM_ACTOR,
        key="assess",
        kind="forecast",
        first_year=2025,
        last_year=2064,
        layer_ids=known,
    )
    return Case(
        name=f"assessment, 40 years, {'six pools apart, ' if pools else ''}stored",
        size=approved,
        ours=Way(run=lambda: estimation.assess(room.engine, command, layer_dir=kept), before=room),
        work=approved * 40.0,
        work_unit="parcel-years/s",
        note="from three rasters to one stored series a parcel, with its cohorts",
    )


def _adopted(engine: Engine) -> str:
    adopt = AdoptProgramme(at=AT, actor_id=SYSTEM_ACTOR, key="all-pools", source=all_pools_source())
    return perform(engine, programmes.adopt, adopt).id


_KINDS = ("species", "age", "site")


def _layer(engine: Engine, path: Path, kind: str, kept: Path):
    taken = layers.take_file(path, kind=kind, folder=kept)
    command = layers.RegisterLayer(
        at=AT,
        actor_id=SYSTEM_ACTOR,
        key=f"layer:{kind}",
        file=taken,
        kind=kind,
        year=2024,
        source="bench",
        licence="CC0-1.0",
    )
    return perform(engine, layers.register_layer, command).id


def cases(
    opened: Callable[[], Store], folder: Path, sizes: tuple[int, ...], *, full: bool
) -> Cases:
    """Yield the cases of places in the database."""
    for size in sizes:
        yield f"import {size}", lambda size=size: import_case(opened(), folder, size)
    for suffix in SUFFIXES if full else SUFFIXES[:2]:
        yield (
            f"import memory {suffix}",
            lambda suffix=suffix: import_peak_case(opened(), folder, sizes[-1], suffix),
        )
    yield "load", lambda: load_case(opened(), folder, sizes[-1])
    for size in sizes:
        yield f"assessment {size}", lambda size=size: assess_case(opened(), folder, size)
        yield (
            f"assessment pools {size}",
            lambda size=size: assess_case(opened(), folder, size, pools=True),
        )
