"""The database: engine, transactions, and commands that act once.

Every change goes through :func:`perform`: one transaction, one verb, its idempotency row beside it.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any, Protocol, TypeVar, get_type_hints
from uuid import UUID
from weakref import WeakKeyDictionary

from psycopg import errors as pg
from pydantic import TypeAdapter
from sqlalchemy import MetaData, create_engine, event, text
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session

from registry.canonical import digest, plain
from registry.errors import KeyReusedError
from registry.refusals import refusal_of

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
RETRIES = 6
SYSTEM_ACTOR = UUID(int=1)
"""The actor of timers, sealer and set-up; made by migration 0001."""
PUBLIC_ACTOR = UUID(int=2)
"""Who asks without having signed in; made by migration 0014, with no role and no party."""


class Base(DeclarativeBase):
    """All tables of registry and options stand on this one metadata."""

    metadata = MetaData(naming_convention=NAMING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What every command carries: when it counts, who acts, and the key that makes it act once."""

    at: datetime
    actor_id: UUID
    key: str


CommandT = TypeVar("CommandT", bound=Command)
CommandT_contra = TypeVar("CommandT_contra", bound=Command, contravariant=True)
ResultT = TypeVar("ResultT")
ResultT_co = TypeVar("ResultT_co", covariant=True)


class Verb(Protocol[CommandT_contra, ResultT_co]):
    """A function that acts inside the caller's transaction and never commits."""

    def __call__(self, session: Session, command: CommandT_contra, /) -> ResultT_co:
        """Act and return a frozen value."""
        ...


def connect(url: str | URL, *, pool_size: int = 16) -> Engine:
    """Return an engine for ``url``; each session tells the database who acts."""
    return create_engine(
        make_url(url),
        pool_size=pool_size,
        max_overflow=16,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        connect_args=_CONNECT_ARGS,
    )


def lane(engine: Engine) -> Engine:
    """Return the engine's lane of connections on which every statement commits by itself.

    One round trip an act: no test of the connection before it and no reset after it, so only
    statements that may be asked twice belong here.  Disposed of together with ``engine``.
    """
    if engine not in _LANES:
        made = create_engine(
            engine.url,
            pool_size=engine.pool.size(),  # type: ignore[attr-defined]
            pool_reset_on_return=None,
            isolation_level="AUTOCOMMIT",
            connect_args=_CONNECT_ARGS,
        )
        if _LANES.setdefault(engine, made) is made:
            event.listen(engine, "engine_disposed", lambda gone: _LANES.pop(gone, made).dispose())
    return _LANES[engine]


_CONNECT_ARGS: dict[str, Any] = {"options": "-c timezone=UTC -c jit=off"}
_LANES: WeakKeyDictionary[Engine, Engine] = WeakKeyDictionary()


@contextmanager
def transaction(engine: Engine, *, actor_id: UUID = SYSTEM_ACTOR) -> Iterator[Session]:
    """Yield a session in one transaction: committed at the end, rolled back on any error.

    The actor is set for this transaction only (``tanhui.actor``), for row-level security.
    """
    with Session(engine, expire_on_commit=False) as session, session.begin():
        act_as(session, actor_id)
        yield session


def act_as(session: Session | Connection, actor_id: UUID) -> None:
    """Tell the database who acts until the transaction ends: its policies go by it."""
    session.execute(_ACT_AS, {"actor": str(actor_id)})


@contextmanager
def beyond_reach(session: Session, actor_id: UUID) -> Iterator[None]:
    """Let what follows meet every row, then ``actor_id`` act again.

    For an answer that is only right over rows the actor may not see: a verdict that stands on the
    whole county.  What leaves the block must be theirs to know.
    """
    act_as(session, SYSTEM_ACTOR)
    yield
    session.flush()
    act_as(session, actor_id)


def attempt(
    engine: Engine, work: Callable[[Session], ResultT], *, actor_id: UUID = SYSTEM_ACTOR
) -> ResultT:
    """Run ``work`` in a transaction; repeat it whole on a deadlock or serialisation failure."""
    for round_ in range(RETRIES):
        try:
            with transaction(engine, actor_id=actor_id) as session:
                return work(session)
        except DBAPIError as error:
            again = isinstance(error.orig, (pg.DeadlockDetected, pg.SerializationFailure))
            if not again:
                raise refusal_of(error) or error from error
            if round_ == RETRIES - 1:
                raise
            # Two that collided must not collide again at the same instant.
            time.sleep(random.uniform(0, 0.02 * 2**round_))  # noqa: S311
    raise AssertionError


def perform(
    engine: Engine, verb: Callable[[Session, CommandT], ResultT], command: CommandT
) -> ResultT:
    """Run ``verb`` once for (actor, key): a repeat returns the first answer and writes nothing.

    Raises
    ------
    KeyReusedError : the key was used by this actor for another request.
    """
    return attempt(engine, lambda session: once(session, verb, command), actor_id=command.actor_id)


def once(
    session: Session, verb: Callable[[Session, CommandT], ResultT], command: CommandT
) -> ResultT:
    """Run ``verb`` inside the caller's transaction, or replay what it answered before.

    A second caller with the same key waits on the first one's row, then replays.  The request
    hash leaves ``at`` out: a retried request is the same request.
    """
    # A verb that needs more than its command (an examined file) comes as a partial of itself.
    bare = verb.func if isinstance(verb, partial) else verb
    name = f"{bare.__module__}.{bare.__qualname__}"
    request = plain(command, floats=True)
    assert isinstance(request, dict)  # noqa: S101 -- a command is a dataclass
    request_hash = digest({"verb": name} | {k: v for k, v in request.items() if k != "at"})
    row = {"actor": command.actor_id, "key": command.key}
    claimed = session.execute(_CLAIM, row | {"hash": request_hash}).first()
    adapter = _result_adapter(bare)
    if claimed is None:
        stored = session.execute(_STORED, row).one()
        if bytes(stored.request_hash) != request_hash:
            raise KeyReusedError(key=command.key)
        replay: ResultT = adapter.validate_json(stored.body)
        return replay
    result = verb(session, command)
    body = adapter.dump_json(result).decode()
    session.execute(_ANSWER, row | {"body": body})
    return result


@cache
def _result_adapter(verb: Callable[..., Any]) -> TypeAdapter[Any]:
    return TypeAdapter(get_type_hints(verb)["return"])


_ACT_AS = text("SELECT set_config('tanhui.actor', :actor, true)")
_CLAIM = text(
    "INSERT INTO idempotency (actor_id, key, request_hash) VALUES (:actor, :key, :hash)"
    " ON CONFLICT (actor_id, key) DO NOTHING RETURNING key"
)
_STORED = text("SELECT request_hash, body FROM idempotency WHERE actor_id = :actor AND key = :key")
_ANSWER = text("UPDATE idempotency SET body = :body WHERE actor_id = :actor AND key = :key")
