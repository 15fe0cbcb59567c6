"""How a story is told: steps with their totals and seconds, checks with their figures.

Every command carries a key made from the story's own names, so telling it twice acts once.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from registry.db import Command, perform, transaction

ResultT = TypeVar("ResultT")
CommandT = TypeVar("CommandT", bound=Command)
Totals = dict[str, int | float | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step as it was told."""

    name: str
    seconds: float
    totals: Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One promise, whether it holds, and the figure that shows it."""

    name: str
    holds: bool
    figure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A whole story; ``holds`` when every check holds."""

    steps: list[Step]
    checks: list[Check]
    holds: bool


@dataclass(slots=True)
class Teller:
    """What a story's steps share: database, the county's files, who acts, and what came of it."""

    engine: Engine
    folder: Path
    state: Path
    say: Callable[[str], None] = lambda _line: None
    steps: list[Step] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    found: dict[str, Any] = field(default_factory=dict)

    def do(self, verb: Callable[[Session, CommandT], ResultT], command: CommandT) -> ResultT:
        """Let a command act, once."""
        return perform(self.engine, verb, command)

    def who(self, role: str) -> UUID:
        """Return the demo actor of a role; the same in every telling."""
        return uuid5(NAMESPACE_URL, f"tanhui:demo:{role}")

    def by(self, role: str, key: str, on: date) -> dict[str, Any]:
        """Return what every command carries: moment, actor, key."""
        return {"at": at(on), "actor_id": self.who(role), "key": f"story:{key}"}

    def read(self, name: str) -> Any:  # noqa: ANN401 -- JSON
        """Return one of the county's JSON files."""
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    @contextmanager
    def reading(self, role: str = "auditor") -> Iterator[Session]:
        """Yield a session to look things up."""
        with transaction(self.engine, actor_id=self.who(role)) as session:
            yield session

    def check(self, name: str, *, holds: bool, figure: object) -> None:
        """Note a promise and its figure."""
        self.checks.append(Check(name=name, holds=bool(holds), figure=str(figure)))

    def tell(self, steps: Mapping[str, Callable[["Teller"], Totals]]) -> Told:
        """Run the steps in order."""
        for name, step in steps.items():
            start = time.perf_counter()
            totals = step(self)
            seconds = round(time.perf_counter() - start, 3)
            self.steps.append(Step(name=name, seconds=seconds, totals=totals))
            self.say(f"  {name}  {seconds:.2f} s  {totals}")
        holds = all(check.holds for check in self.checks)
        return Told(steps=self.steps, checks=self.checks, holds=holds)


def at(on: date) -> datetime:
    """Return nine in the morning in Beijing on a day."""
    return datetime(on.year, on.month, on.day, 1, tzinfo=UTC)


def later(on: date, days: int) -> date:
    """Return the day some days later."""
    return on + timedelta(days=days)
