"""Databases of the benchmarks' own: a migrated one as template, cloned for each run."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
from sqlalchemy import Engine, create_engine

from registry import cluster, divisions, migrate, people
from registry.cluster import binaries
from registry.cluster.server import data_major
from registry.db import SYSTEM_ACTOR, connect, perform
from web.demo.county import division_rows

AT = datetime(2026, 1, 12, 1, tzinfo=UTC)
APPROVER = uuid4()


@dataclass(slots=True)
class Store:
    """The cluster, and what was made in it; ``close`` drops that."""

    running: cluster.Cluster
    template: str = ""
    plain: str = ""
    standing: dict[int, str] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    engines: list[Engine] = field(default_factory=list)
    sessions: list[psycopg.Connection] = field(default_factory=list)

    def database(self, template: str | None = None) -> str:
        """Return the name of a new database."""
        name = f"tanhui_bench_{uuid4().hex[:10]}"
        if template is None:
            cluster.prepare_database(self.running, name)
        else:
            cluster.create_database(self.running, name, template=template)
        self.made.append(name)
        return name

    def app(self, name: str) -> Engine:
        """Return an engine as the application's role."""
        self.engines.append(connect(self.url(name, "tanhui_app")))
        return self.engines[-1]

    def url(self, name: str, role: str = "tanhui_admin") -> str:
        """Return a database's address."""
        return cluster.database_url(self.running, name, role)

    def conninfo(self, name: str) -> str:
        """Return a database's address for libpq, as its administrator."""
        return cluster.conninfo(self.running, name, "tanhui_admin")

    def session(self, name: str) -> psycopg.Connection:
        """Return a bare connection as the administrator."""
        self.sessions.append(psycopg.connect(self.conninfo(name), autocommit=True))
        return self.sessions[-1]

    def fresh(self) -> Engine:
        """Return an engine of a fresh clone of the template."""
        return self.app(self.database(self.template))

    def leave(self) -> None:
        """Close all connections, so that databases can be cloned or dropped."""
        for engine in self.engines:
            engine.dispose()
        self.engines.clear()
        for session in self.sessions:
            session.close()
        self.sessions.clear()

    def close(self) -> None:
        """Drop everything that was made."""
        self.leave()
        for name in self.made:
            cluster.drop_database(self.running, name)
        self.made.clear()

    @property
    def template_of_peers(self) -> str:
        """Name of a database with PostGIS and nothing else, for plain loads."""
        self.plain = self.plain or self.database()
        return self.plain

    @property
    def pgbench(self) -> str:
        """Path of pgbench, which comes with the server."""
        return str(binaries.find(data_major(self.running.data_dir)).bindir / "pgbench")


def open_store(running: cluster.Cluster) -> Store:
    """Make the template: migrated, with divisions and an approver."""
    store = Store(running=running)
    name = store.database()
    admin = create_engine(store.url(name))
    migrate.upgrade(admin)
    admin.dispose()
    engine = store.app(name)
    load = divisions.LoadDivisions(
        at=AT,
        actor_id=SYSTEM_ACTOR,
        key="divisions",
        valid_from_year=2023,
        source="bench",
        rows=list(division_rows()),
    )
    perform(engine, divisions.load, load)
    approver = people.AddActor(
        at=AT,
        actor_id=SYSTEM_ACTOR,
        key="approver",
        name="bench",
        roles=["system"],  # the plots lie in no division
        new_actor_id=APPROVER,
    )
    perform(engine, people.add_actor, approver)
    store.leave()
    store.template = name
    return store
