"""What a request has at hand: the engine, the clock, who asks, and how to act and to read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

from flask import current_app, g
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from registry.db import PUBLIC_ACTOR, Command, perform, transaction
from registry.people import ActorView
from web.config import Settings
from web.progress import Listener

CommandT = TypeVar("CommandT", bound=Command)
ResultT = TypeVar("ResultT")


def engine() -> Engine:
    """Return the application's engine."""
    made: Engine = current_app.extensions["engine"]
    return made


def listener() -> Listener:
    """Return the one that listens for jobs in this process."""
    made: Listener = current_app.extensions["listener"]
    return made


def config() -> Settings:
    """Return the settings the application was made with."""
    found: Settings = current_app.config["TANHUI"]
    return found


def now() -> datetime:
    """Return the moment this request counts from; the same during the whole request."""
    if "now" not in g:
        g.now = datetime.now(UTC)
    moment: datetime = g.now
    return moment


def viewer() -> ActorView | None:
    """Return who asks, or None for the public."""
    found: ActorView | None = g.get("actor")
    return found


def actor() -> ActorView:
    """Return who asks; only for views that :func:`web.auth.requires` guards."""
    found = viewer()
    assert found is not None  # noqa: S101 -- the guard lets nobody else in
    return found


@contextmanager
def reading() -> Iterator[Session]:
    """Yield a session in which the database knows who asks; for reads."""
    who = viewer()
    with transaction(engine(), actor_id=who.id if who else PUBLIC_ACTOR) as session:
        yield session


def act(verb: Callable[[Session, CommandT], ResultT], command: CommandT) -> ResultT:
    """Run a verb once, in one transaction; refusals rise as they are."""
    return perform(engine(), verb, command)
