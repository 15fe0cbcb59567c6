"""``tanhui doctor``: is everything whole here; one line a check, exit 1 if any fails."""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import typer
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from registry import health
from registry.cluster.server import FREE_BYTES_MIN
from registry.db import transaction
from registry.health import Check
from web import database, messages
from web.cli.acting import Json
from web.cli.output import show
from web.config import settings

app = typer.Typer(help="体检 Check that everything is whole.")
GIB = 2**30


@app.callback(invoke_without_command=True)
def doctor(*, json: Json = False) -> None:
    """Check schema, books, seals, jobs, disk, layers and keys; exit 1 if any check fails."""
    found = checks(database.app_engine(), settings().state_dir)
    show(
        {"holds": all(one.holds for one in found), "checks": [as_json(one) for one in found]},
        as_json=json,
        lines=[line for one in found for line in words(one)],
    )
    if not all(one.holds for one in found):
        raise typer.Exit(1)


def checks(engine: Engine, state_dir: Path) -> Sequence[Check]:
    """Return every check of a database and of the folder that belongs to it."""
    return (*_database(engine, state_dir), health.key_check(state_dir / "keys"), _disk(state_dir))


def _database(engine: Engine, state_dir: Path) -> Sequence[Check]:
    """Return the checks of the record; one that fails where it cannot be read at all."""
    try:
        with transaction(engine) as session:
            return (
                Check(name="database", holds=True, figure=str(engine.url.database)),
                *health.record_checks(session),
                *health.running_checks(session),
                health.layer_check(session, state_dir / "layers"),
            )
    except DBAPIError as error:
        why = str(error.orig).strip().splitlines()[0]
        return (Check(name="database", holds=False, figure=why),)


def words(check: Check) -> Iterable[str]:
    """Yield a check's line, and how to mend it where it does not hold."""
    said = messages.say(f"DOCTOR_{check.name.upper()}", {"figure": check.figure})
    yield f"{'✓' if check.holds else '✗'} {said.zh}  {said.en}  [{check.figure}]"
    if not check.holds:
        yield from (f"  → {one}" for one in (said.remedy_zh, said.remedy_en) if one)


def as_json(check: Check) -> dict[str, object]:
    """Return a check as machines get it."""
    return {"name": check.name, "holds": check.holds, "figure": check.figure}


def _disk(state_dir: Path) -> Check:
    place = next(one for one in (state_dir, *state_dir.resolve().parents) if one.exists())
    free = shutil.disk_usage(place).free
    return Check(name="disk", holds=free >= FREE_BYTES_MIN, figure=f"{free / GIB:.1f} GiB")
