"""A register in which parcels stand already, so many that what it answers can be timed."""

import hashlib
from pathlib import Path
from uuid import UUID

import numpy as np
import psycopg
import shapely
from sqlalchemy import Engine

from geo.area import area_m2
from geo.shape import to_multipolygons
from registry import people
from registry.db import SYSTEM_ACTOR, perform
from tests.bench.ground import cadastre, in_degrees
from tests.bench.store import AT, Store
from web.accounts import logins
from web.accounts.passwords import hashed

COUNTY = "330802000000"
DESK = UUID(int=330802)
"""A person at the county's desk: whom the register answers."""
PASSWORD = "cedar and bamboo"
BLOCK = 50_000
_TYPES = ("uuid", "text", "text", "text", "int4", "text", "bytea", "float8", "bytea")
_COPY = (
    "COPY parcel (id, code, kind, status, version, division_code, geometry, area_m2, shape_digest)"
    " FROM STDIN (FORMAT binary)"
)
# What a register holds when 1 M parcels were let in one by one: only the counting runs here, for
# a case that times the checks runs them itself.
_BEFORE = """
ALTER TABLE parcel DISABLE TRIGGER ALL;
ALTER TABLE parcel ENABLE TRIGGER parcel_cells_insert;
ALTER TABLE parcel_version DISABLE TRIGGER ALL;
DROP INDEX ix_parcel_geometry;
"""
_AFTER = """
CREATE INDEX ix_parcel_geometry ON parcel USING gist (geometry);
INSERT INTO parcel_version (parcel_id, version, geometry, area_m2, shape_digest, attributes,
    source_crs, captured_with, reason, actor_id, effective_at)
  SELECT id, 1, geometry, area_m2, shape_digest, '{}', 'EPSG:4490', 'import', 'bench',
         (SELECT id FROM actor ORDER BY id LIMIT 1), recorded_at FROM parcel;
ALTER TABLE parcel ENABLE TRIGGER ALL;
ALTER TABLE parcel_version ENABLE TRIGGER ALL;
"""


def standing(store: Store, folder: Path, parcels: int) -> str:
    """Return the name of a database in which the parcels of a cadastre stand, made once."""
    if parcels not in store.standing:
        store.standing[parcels] = _filled(store, folder, parcels)
    return store.standing[parcels]


def _filled(store: Store, folder: Path, parcels: int) -> str:
    name = store.database(store.template)
    session = store.session(name)
    session.execute(_BEFORE)
    plane, townships = cadastre(folder, parcels), _townships(session)
    for start in range(0, len(plane), BLOCK):
        shapes = to_multipolygons(in_degrees(plane[start : start + BLOCK]))
        with session.cursor().copy(_COPY) as copy:
            copy.set_types(_TYPES)
            for row in _rows(shapes, start, townships):
                copy.write_row(row)
    session.execute(_AFTER)
    session.execute("VACUUM ANALYZE")
    _person(store.app(name))
    return name


def _person(engine: Engine) -> None:
    perform(
        engine,
        people.add_actor,
        people.AddActor(
            at=AT,
            actor_id=SYSTEM_ACTOR,
            key="desk",
            name="bench",
            roles=["county"],
            division_code=COUNTY,
            new_actor_id=DESK,
        ),
    )
    login = logins.AddLogin(
        at=AT,
        actor_id=SYSTEM_ACTOR,
        key="login",
        username="desk",
        password_hash=hashed(PASSWORD),
        for_actor_id=DESK,
    )
    perform(engine, logins.add_login, login)


def extent(session: psycopg.Connection) -> tuple[float, float, float, float]:
    """Return west, south, east and north of all parcels."""
    found = session.execute(
        "SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e)"
        " FROM (SELECT ST_Extent(geometry) AS e FROM parcel) t"
    ).fetchone()
    assert found is not None
    return found


def _townships(session: psycopg.Connection) -> list[str]:
    found = session.execute(
        "SELECT code FROM division WHERE level = 'township' AND code LIKE %s ORDER BY code LIMIT 5",
        (f"{COUNTY[:6]}%",),
    )
    return [row[0] for row in found]


def _rows(shapes: np.ndarray, start: int, townships: list[str]):
    blobs = shapely.to_wkb(shapely.set_srid(shapes, 4490), include_srid=True)
    # Townships are stripes of the ground, as real ones are whole.
    west = shapely.bounds(shapes)[:, 0]
    stripe = np.floor(west / 0.02).astype(int) % len(townships)
    areas = area_m2(shapes)
    for n, blob in enumerate(blobs):
        township = townships[stripe[n]]
        number = start + n
        yield (
            UUID(int=number + 1), f"{township}-{number:07d}", "carbon", "approved", 1, township,
            blob, float(areas[n]), hashlib.sha256(blob).digest(),
        )  # fmt: skip
