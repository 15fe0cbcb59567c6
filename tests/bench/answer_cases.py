"""What a register with very many parcels answers: tiles, the check of a new parcel, a search."""

import json
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from sqlalchemy import Engine

from registry.db import transaction
from registry.people import ActorView
from registry.reads import search, tiles
from registry.reads.tiles import EXACT_FROM_Z, Tile
from tests.bench.standing import COUNTY, DESK, extent, standing
from tests.bench.store import Store
from tests.bench.timing import Case, Cases, Way

ZOOMS = (8, 10, 11, 12, 13, 14, 15, 16)
TILES = 40
CLAIMS = 200
SEARCHES = 60
Times = Callable[[], Sequence[float]]

_BARE = """
SELECT ST_AsMVT(f, 'parcels', 4096, 'geom') FROM (
  SELECT p.id::text AS id, p.code::text AS name, p.kind, p.status,
         ST_AsMVTGeom(p.geometry, b.box, 4096, 64, true) AS geom
    FROM (SELECT tile_box(%s, %s, %s) AS box) b, parcel p
   WHERE p.geometry && ST_Expand(b.box, (ST_XMax(b.box) - ST_XMin(b.box)) / 64)) f
"""
_BARE_FOUND = """
SELECT p.id, p.code FROM parcel p
 WHERE reverse(lower(p.code::text)) LIKE reverse(lower(%s)) || '%%' LIMIT 20
"""


def share_ms(times: Times, percent: float) -> Way:
    """Give a way whose figure is a percentile of the times of many small acts, ms."""
    return Way(run=lambda: float(np.percentile(times(), percent)))


def _taken(acts: Sequence[Callable[[], object]]) -> list[float]:
    found = []
    for act in acts:
        began = time.perf_counter()
        act()
        found.append(1e3 * (time.perf_counter() - began))
    return found


def tile_places(box: tuple[float, float, float, float], z: int, count: int) -> list[Tile]:
    """Return tiles of a zoom somewhere over the ground, the same every time."""
    rng, west, south, east, north = random.Random(z), *box
    made = []
    for _ in range(count):
        lon = west + (0.1 + 0.8 * rng.random()) * (east - west)
        lat = np.radians(south + (0.1 + 0.8 * rng.random()) * (north - south))
        x = int((lon + 180) / 360 * 2**z)
        y = int((1 - np.arcsinh(np.tan(lat)) / np.pi) / 2 * 2**z)
        made.append(Tile(layer="parcels", z=z, x=x, y=y))
    return made


def _whole(engine: Engine, tile: Tile) -> bytes:
    """What a tile that nobody has kept costs: its version and its bytes in one transaction."""
    with transaction(engine, actor_id=DESK) as session:
        tiles.version(session, tile)
        return tiles.content(session, tile)


def _unchanged(engine: Engine, tile: Tile) -> str:
    with transaction(engine, actor_id=DESK) as session:
        return tiles.version(session, tile)


def _bare(session: psycopg.Connection, tile: Tile) -> bytes:
    with session.transaction():
        return session.execute(_BARE, (tile.z, tile.x, tile.y)).fetchone()[0] or b""


def tile_case(store: Store, folder: Path, size: int, z: int, percent: float) -> Case:
    """Time tiles as the county's desk is given them, beside the bare SQL where plots are shown."""
    name = standing(store, folder, size)
    engine, session = store.app(name), store.session(name)
    places = tile_places(extent(session), z, TILES)
    largest = max(len(_whole(engine, tile)) for tile in places)
    cut = lambda: _taken([partial(_bare, session, tile) for tile in places])  # noqa: E731
    return Case(
        name=f"tile z{z}, p{percent:.0f}",
        size=size,
        ours=share_ms(lambda: _taken([partial(_whole, engine, tile) for tile in places]), percent),
        peers={"ST_AsMVT alone": share_ms(cut, percent)} if z >= EXACT_FROM_Z else {},
        unit="ms",
        note=f"with version, reach and transaction, nothing kept; largest {largest / 1e3:.0f} kB",
    )


def unchanged_case(store: Store, folder: Path, size: int, z: int) -> Case:
    """Time what a tile costs that the browser has already: its version."""
    name = standing(store, folder, size)
    engine, session = store.app(name), store.session(name)
    places = tile_places(extent(session), z, TILES)
    return Case(
        name=f"tile z{z} unchanged, p95",
        size=size,
        ours=share_ms(lambda: _taken([partial(_unchanged, engine, tile) for tile in places]), 95),
        unit="ms",
    )


def claim_case(store: Store, folder: Path, size: int, percent: float) -> Case:
    """Time the check of one new parcel amid its neighbours in the server, beside the bare query."""
    session = store.session(standing(store, folder, size))
    ids = session.execute("SELECT id FROM parcel ORDER BY md5(id::text) LIMIT %s", (CLAIMS,))
    chosen = [row[0] for row in ids.fetchall()]
    return Case(
        name=f"check of a new parcel, p{percent:.0f}",
        size=size,
        ours=share_ms(lambda: _checked(session, chosen), percent),
        peers={
            "one join by index": share_ms(lambda: [_joined(session, i) for i in chosen], percent)
        },
        unit="ms",
        note="time in the trigger that every write passes: valid, its own area, the ground locked,"
        " no overlap; parcels are taken out and each is put back where it was",
    )


_COLUMNS = (
    "id, code, kind, status, version, division_code, geometry, area_m2, shape_digest, submitted_by"
)


def _checked(session: psycopg.Connection, chosen: Sequence[object]) -> list[float]:
    """Take parcels out, and put each back alone: all is undone."""
    found = []
    with session.transaction(force_rollback=True):
        session.execute(
            "CREATE TEMP TABLE new ON COMMIT DROP AS SELECT * FROM parcel WHERE id = ANY(%s)",
            (list(chosen),),
        )
        session.execute("UPDATE new SET status = 'submitted'")
        session.execute("SET LOCAL session_replication_role = replica")
        session.execute("DELETE FROM parcel WHERE id = ANY(%s)", (list(chosen),))
        session.execute("SET LOCAL session_replication_role = origin")
        for one in chosen:
            with session.transaction(force_rollback=True):
                plan = _explained(
                    session,
                    f"INSERT INTO parcel ({_COLUMNS}) SELECT {_COLUMNS} FROM new WHERE id = '{one}'",
                )
            found += [
                float(trigger["Time"])
                for trigger in plan["Triggers"]
                if trigger["Trigger Name"] == "parcel_ground_insert"
            ]
    return found


def _joined(session: psycopg.Connection, one: object) -> float:
    plan = _explained(
        session,
        "SELECT p.id, ST_Area(ST_Intersection(n.geometry, p.geometry)::geography) FROM parcel n"
        " JOIN parcel p ON p.geometry && n.geometry AND p.id <> n.id"
        f" AND ST_Relate(n.geometry, p.geometry, 'T********') WHERE n.id = '{one}'",
    )
    return float(plan["Execution Time"])


def _explained(session: psycopg.Connection, statement: str) -> dict[str, Any]:
    found = session.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}").fetchone()[0]
    return (json.loads(found) if isinstance(found, str) else found)[0]


def search_case(store: Store, folder: Path, size: int) -> Case:
    """Time searches for the end of a parcel's number, as the county's desk."""
    name = standing(store, folder, size)
    engine, session = store.app(name), store.session(name)
    rng = random.Random(4)
    words = [f"{rng.randrange(size):07d}"[-rng.randint(4, 7) :] for _ in range(SEARCHES)]
    who = ActorView(id=DESK, name="bench", roles=("county",), division_code=COUNTY, party_id=None)

    def ask(word: str) -> search.Findings:
        with transaction(engine, actor_id=DESK) as opened:
            return search.search(opened, who, search.SearchQuery(q=word))

    alone = [partial(session.execute, _BARE_FOUND, (word,)) for word in words]
    return Case(
        name="search, p95",
        size=size,
        ours=share_ms(lambda: _taken([partial(ask, word) for word in words]), 95),
        peers={"plots by the end of their number alone": share_ms(lambda: _taken(alone), 95)},
        unit="ms",
        note="divisions, plots and projects by right, in one transaction",
    )


def cases(opened: Callable[[], Store], folder: Path, sizes: tuple[int, ...]) -> Cases:
    """Yield the cases of a register's answers."""
    for size in sizes:
        for z in ZOOMS:
            for percent in (50, 95):
                yield (
                    f"tile z{z} p{percent} {size}",
                    lambda size=size, z=z, percent=percent: tile_case(
                        opened(), folder, size, z, percent
                    ),
                )
            yield (
                f"tile unchanged z{z} {size}",
                lambda size=size, z=z: unchanged_case(opened(), folder, size, z),
            )
        for percent in (50, 99):
            yield (
                f"claim p{percent} {size}",
                lambda size=size, percent=percent: claim_case(opened(), folder, size, percent),
            )
        yield f"search {size}", lambda size=size: search_case(opened(), folder, size)
