"""``tanhui log``: seal, export, verify and anchor the audit trail."""

import importlib.util
import json as jsonlib
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy import Engine

from registry import events
from registry.db import transaction
from web import database
from web.cli.acting import Json, now
from web.cli.output import show
from web.config import ROOT, settings

app = typer.Typer(no_args_is_help=True, help="审计日志 The audit log.")


@app.command()
def seal(*, json: Json = False) -> None:
    """Append seals for every event that no open transaction can still precede."""
    sealed = seal_all(database.app_engine())
    show({"sealed": sealed}, as_json=json, lines=[f"已封存 sealed {sealed}"])


@app.command()
def export(file: Path) -> None:
    """Write the sealed log as JSON lines, for ``deploy/verify_log.py``."""
    count = export_log(database.app_engine(), file)
    typer.echo(f"已导出 exported {count} → {file}")


@app.command()
def verify(
    *,
    file: Annotated[Path | None, typer.Option(help="An exported log; else the database")] = None,
    json: Json = False,
) -> None:
    """Recompute the whole chain; exit 1 and name the first broken place."""
    script = verifier()
    try:
        if file is not None:
            with file.open(encoding="utf-8") as lines:
                count, last = script.verify(lines)
        else:
            with tempfile.TemporaryDirectory() as folder:
                copy = Path(folder) / "log.jsonl"
                export_log(database.app_engine(), copy)
                with copy.open(encoding="utf-8") as lines:
                    count, last = script.verify(lines)
    except script.Broken as broken:
        pos, why = broken.args
        show(
            {"whole": False, "position": pos, "reason": why},
            as_json=json,
            lines=[f"断裂 BROKEN at position {pos}: {why}"],
        )
        raise typer.Exit(1) from None
    show(
        {"whole": True, "events": count, "last_hash": last},
        as_json=json,
        lines=[f"完整 OK: {count} events, last hash {last}"],
    )


@app.command()
def anchor(*, json: Json = False) -> None:
    """Write today's anchor file: date, position and hash of the last seal."""
    made = {"date": now().date().isoformat()} | last_seal(database.app_engine())
    folder = settings().state_dir / "anchors"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{made['date']}.json"
    path.write_text(jsonlib.dumps(made), encoding="utf-8")
    show(made | {"file": str(path)}, as_json=json, lines=[f"{path}: {made['pos']} {made['hash']}"])


def seal_all(engine: Engine) -> int:
    """Seal in rounds until nothing is left that may be sealed now."""
    total = 0
    while True:
        with transaction(engine) as session:
            sealed = events.seal(session)
        total += sealed
        if sealed == 0:
            return total


def seal_event(engine: Engine, event_id: UUID, *, within_s: float = 60.0) -> None:
    """Seal until one event is in the chain.

    A transaction that is open anywhere on the server delays the seal of all that came after it;
    past ``within_s`` the event is left to the worker.
    """
    ends = time.monotonic() + within_s
    while time.monotonic() < ends:
        with transaction(engine) as session:
            events.seal(session)
            if events.is_sealed(session, event_id):
                return
        time.sleep(0.05)


def export_log(engine: Engine, file: Path) -> int:
    """Write the sealed log, one line an event; return how many."""
    with transaction(engine) as session, file.open("w", encoding="utf-8") as handle:
        count = 0
        for line in _lines(events.sealed_log(session)):
            handle.write(line)
            count += 1
    return count


def last_seal(engine: Engine) -> dict[str, str | int]:
    """Return position and hash of the last seal; position 0 and zeros for an empty chain."""
    with transaction(engine) as session:
        return events.last_seal(session)


def verifier() -> ModuleType:
    """Return ``deploy/verify_log.py`` as a module: one verifier, online and offline."""
    spec = importlib.util.spec_from_file_location("verify_log", ROOT / "deploy" / "verify_log.py")
    assert spec is not None  # noqa: S101 -- the file is part of the repository
    assert spec.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    sys.modules["verify_log"] = module
    spec.loader.exec_module(module)
    return module


def _lines(links: Iterator[events.SealedEvent]) -> Iterator[str]:
    for link in links:
        yield jsonlib.dumps(asdict(link), ensure_ascii=False) + "\n"
