"""A small county with people at their desks, behind the real application and database."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from registry import divisions, people
from registry.db import SYSTEM_ACTOR, perform
from web.accounts import logins
from web.accounts.passwords import hashed
from web.app import create_app
from web.config import Settings

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "cedar and bamboo"
HASH = hashed(PASSWORD)
DESKS = {
    "township": ("township", "330802101000"),
    "other": ("township", "330802102000"),
    "county": ("county", "330802000000"),
    "buyer": ("buyer", None),
    "company": ("company", "330802000000"),
}
PLACES = (
    ("330000000000", "浙江省", "province", None),
    ("330800000000", "衢州市", "city", "330000000000"),
    ("330802000000", "柯城区", "county", "330800000000"),
    ("330802101000", "航埠镇", "township", "330802000000"),
    ("330802102000", "石梁镇", "township", "330802000000"),
    ("330802101001", "一村", "village", "330802101000"),
)


def settle(engine: Engine) -> dict[str, str]:
    """Enter divisions, people and their logins; returns actor ids by desk."""
    base = {"at": AT, "actor_id": SYSTEM_ACTOR}
    rows = [
        divisions.DivisionRow(code=code, name=name, level=level, parent_code=parent)
        for code, name, level, parent in PLACES
    ]
    perform(
        engine,
        divisions.load,
        divisions.LoadDivisions(
            **base, key="divisions", valid_from_year=2023, source="test", rows=rows
        ),
    )
    company = perform(
        engine,
        people.add_party,
        people.AddParty(
            **base, key="company", kind="company", name="收储公司", division_code="330802000000"
        ),
    )
    made = {}
    for desk, (role, code) in DESKS.items():
        actor = people.AddActor(
            **base,
            key=f"actor:{desk}",
            name=f"{desk} 人",
            roles=[role],
            division_code=code,
            party_id=company.party_id if desk == "company" else None,
        )
        made[desk] = perform(engine, people.add_actor, actor).actor_id
        login = logins.AddLogin(
            **base,
            key=f"login:{desk}",
            username=desk,
            password_hash=HASH,
            for_actor_id=made[desk],
        )
        perform(engine, logins.add_login, login)
    return made


@pytest.fixture(scope="module")
def town(pg, clone, tmp_path_factory):
    """The application over a database of this module's own, and the actors at its desks."""
    from registry import cluster
    from registry.db import connect

    engine = connect(cluster.database_url(pg, clone(), "tanhui_app"))
    actors = settle(engine)
    config = Settings(state_dir=tmp_path_factory.mktemp("state"))
    app = create_app(config=config, engine=engine)
    yield SimpleNamespace(app=app, engine=engine, actors=actors)
    engine.dispose()


@pytest.fixture
def client(town):
    """A browser that nobody has signed in with."""
    return town.app.test_client()


class Machine:
    """A caller of the API as one desk, by Basic authentication."""

    def __init__(self, app, desk):
        self._client = app.test_client()
        self._auth = (desk, PASSWORD)

    def get(self, path, **more):
        return self._client.get(f"/api/v1{path}", auth=self._auth, **more)

    def send(self, path, body=None, *, key=None, method="POST", headers=None, **more):
        given = {"Idempotency-Key": key or uuid4().hex, **(headers or {})}
        if body is not None:
            more |= {"data": json.dumps(body), "content_type": "application/json"}
        return self._client.open(
            f"/api/v1{path}", method=method, auth=self._auth, headers=given, **more
        )


@pytest.fixture
def machine(town):
    """Callers of the API by desk."""
    return lambda desk: Machine(town.app, desk)


def square(west=118.80, south=28.95, size=0.002):
    east, north = west + size, south + size
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def drawing(west=118.80, south=28.95, **more):
    body = {
        "geojson": square(west, south),
        "kind": "carbon",
        "division_code": "330802101001",
        "plot_code": "P1",
        "owner_id": None,
        "captured_with": "drawing",
        "attributes": {},
    }
    return body | more
