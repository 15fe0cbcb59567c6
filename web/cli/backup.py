"""``tanhui backup``: the whole database in one file, and the proof that it can be read back."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer
from sqlalchemy import Engine, create_engine

from registry import backup, cluster, health
from registry.cluster.server import data_major
from registry.db import connect, transaction
from registry.health import Check
from web import database
from web.cli.acting import Json, now
from web.cli.doctor import as_json, words
from web.cli.log import export_log, seal_all, verifier
from web.cli.output import show
from web.config import settings

app = typer.Typer(no_args_is_help=True, help="备份 Backups.")
File = Annotated[Path, typer.Argument(help="The backup; its manifest is FILE.json")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What came of reading a backup back: checks, rows and seconds."""

    checks: tuple[Check, ...]
    rows: int
    seconds: float

    @property
    def holds(self) -> bool:
        """Say whether every check holds."""
        return all(check.holds for check in self.checks)


@app.command()
def create(file: File, *, json: Json = False) -> None:
    """Write the database to a new file; list the layers and keys that belong to it."""
    config = settings()
    began = time.monotonic()
    # Seals first: elsewhere an event's transaction number says nothing about its order.
    seal_all(database.app_engine())
    engine = database.admin_engine()
    try:
        made = backup.create(
            engine,
            file,
            at=now(),
            folders=(config.layer_dir, config.state_dir / "keys"),
            major=None if config.database_url else data_major(config.cluster_dir / "data"),
        )
    finally:
        engine.dispose()
    rows, seconds = sum(made.rows.values()), round(time.monotonic() - began, 2)
    show(
        {"file": str(file), "rows": rows, "seconds": seconds}
        | {"size": made.size, "sha256": made.sha256, "schema": made.schema}
        | {"files": [f"{kept.folder}/{kept.name}" for kept in made.files]},
        as_json=json,
        lines=[
            f"{file}: {rows:,} 行 rows, {made.size:,} bytes, {seconds} s",
            f"另需保存 keep also: {len(made.files)} 个文件 files of layers/ and keys/",
        ],
    )


@app.command()
def verify(file: File, *, json: Json = False) -> None:
    """Read a backup into a database of its own, check books and chain there, and drop it."""
    proof = prove(file, settings().cluster_dir)
    show(
        {
            "holds": proof.holds,
            "rows": proof.rows,
            "seconds": proof.seconds,
            "checks": [as_json(check) for check in proof.checks],
        },
        as_json=json,
        lines=[
            *(line for check in proof.checks for line in words(check)),
            f"{proof.rows:,} 行 rows, {proof.seconds} s",
        ],
    )
    if not proof.holds:
        raise typer.Exit(1)


def prove(file: Path, cluster_dir: Path) -> Proof:
    """Restore a backup in the private cluster, check it, and leave nothing behind."""
    began = time.monotonic()
    manifest = backup.read_manifest(file)
    running = cluster.ensure_running(cluster_dir, say=lambda _line: None)
    name = f"tanhui_verify_{uuid4().hex[:12]}"
    cluster.create_database(running, name)
    admin = create_engine(cluster.database_url(running, name, cluster.ADMIN))
    reader = connect(cluster.database_url(running, name, cluster.APP), pool_size=1)
    try:
        backup.restore(file, admin, major=data_major(running.data_dir))
        with admin.connect() as connection:
            rows = backup.count_rows(connection)
        checks = (_rows(rows, manifest), *_book_checks(reader), _chain(reader))
    finally:
        reader.dispose()
        admin.dispose()
        cluster.drop_database(running, name)
    seconds = round(time.monotonic() - began, 2)
    return Proof(checks=checks, rows=sum(rows.values()), seconds=seconds)


def _rows(found: dict[str, int], manifest: backup.Manifest) -> Check:
    wrong = backup.differences(found, manifest.rows)
    words_ = ", ".join(f"{name} {one} ≠ {other}" for name, (one, other) in wrong.items())
    return Check(name="rows", holds=not wrong, figure=words_ or f"{sum(found.values())}")


def _book_checks(engine: Engine) -> Sequence[Check]:
    with transaction(engine) as session:
        return health.record_checks(session)


def _chain(engine: Engine) -> Check:
    script = verifier()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "log.jsonl"
        export_log(engine, copy)
        try:
            with copy.open(encoding="utf-8") as lines:
                count, _last = script.verify(lines)
        except script.Broken as broken:
            return Check(name="chain", holds=False, figure=str(broken))
    return Check(name="chain", holds=True, figure=str(count))
