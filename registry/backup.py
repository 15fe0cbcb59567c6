"""A copy of the whole database in one file, and the proof that it can be read back.

``pg_dump`` and the count of rows look at one snapshot, so the file's manifest says exactly how
many rows of each table the file must give back.
"""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import URL

from registry import migrate
from registry.cluster import binaries
from registry.errors import RegistryError


class BackupToolMissingError(RegistryError):
    """``pg_dump`` or ``pg_restore`` is not on this machine."""

    code = "BACKUP_TOOL_MISSING"


class BackupFailedError(RegistryError):
    """``pg_dump`` or ``pg_restore`` gave up; ``why`` is its last line."""

    code = "BACKUP_FAILED"


class BackupExistsError(RegistryError):
    """A backup never overwrites a file."""

    code = "BACKUP_EXISTS"


class BackupUnreadableError(RegistryError):
    """The file or its manifest is missing, or they do not belong together."""

    code = "BACKUP_UNREADABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file beside the database that must be kept with it; keys are named, not copied."""

    folder: str
    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds; ``rows`` by table."""

    made_at: str
    schema: str
    sha256: str
    size: int
    rows: dict[str, int]
    files: list[Kept]


def manifest_path(file: Path) -> Path:
    """Return where a backup's manifest lies."""
    return file.with_name(f"{file.name}.json")


def create(
    engine: Engine, file: Path, *, at: datetime, folders: Sequence[Path], major: int | None = None
) -> Manifest:
    """Write the database of ``engine`` to ``file``, with its manifest beside it.

    Parameters
    ----------
    engine : of a user who reads every row.
    file : a new file, in ``pg_dump``'s custom format.
    at : when it was made.
    folders : whose files are listed in the manifest.
    major : version of the server's programs, where the private cluster's must be used.

    Raises
    ------
    BackupExistsError, BackupToolMissingError, BackupFailedError
    """
    if file.exists() or manifest_path(file).exists():
        raise BackupExistsError(file=str(file))
    tool = _tool("pg_dump", major)
    making = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with engine.connect() as connection:
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
            rows = count_rows(connection)
            options = ("-Fc", "--no-password", f"--snapshot={snapshot}", f"--file={making}")
            _run(tool, engine.url, *options)
        made = Manifest(
            made_at=at.isoformat(),
            schema=migrate.head(),
            sha256=_sha256(making),
            size=making.stat().st_size,
            rows=rows,
            files=[kept for folder in folders for kept in _listed(folder)],
        )
        words = json.dumps(asdict(made), ensure_ascii=False, indent=1)
        manifest_path(file).write_text(words, encoding="utf-8")
        making.rename(file)
    finally:
        making.unlink(missing_ok=True)
    return made


def read_manifest(file: Path) -> Manifest:
    """Return a backup's manifest, once its file's bytes are found to be those it names.

    Raises
    ------
    BackupUnreadableError
    """
    try:
        stored = json.loads(manifest_path(file).read_text(encoding="utf-8"))
        files = [Kept(**one) for one in stored.pop("files")]
        manifest = Manifest(files=files, **stored)
        found = _sha256(file)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BackupUnreadableError(file=str(file), why=str(error)) from error
    if found != manifest.sha256:
        why = f"SHA-256 {found[:12]}… ≠ {manifest.sha256[:12]}…"
        raise BackupUnreadableError(file=str(file), why=why)
    return manifest


def restore(file: Path, admin: Engine, *, major: int | None = None) -> None:
    """Read a backup into the empty database of ``admin``; the first error ends it.

    Raises
    ------
    BackupToolMissingError, BackupFailedError
    """
    _run(_tool("pg_restore", major), admin.url, "--exit-on-error", "--no-password", str(file))


def count_rows(connection: Connection) -> dict[str, int]:
    """Return the rows of every table, by name, as ``connection`` sees them."""
    tables = connection.scalars(
        text(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = 'public' AND c.relkind = 'r' AND NOT EXISTS ("
            "   SELECT FROM pg_depend d WHERE d.objid = c.oid"
            "     AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')"
            " ORDER BY c.relname"
        )
    ).all()
    quote = connection.dialect.identifier_preparer.quote
    return {
        table: int(connection.scalar(text(f"SELECT count(*) FROM {quote(table)}")) or 0)
        for table in tables
    }


def differences(found: Mapping[str, int], wanted: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """Return (found, wanted) rows of the tables where these differ."""
    names = sorted(found.keys() | wanted.keys())
    both = {name: (found.get(name, 0), wanted.get(name, 0)) for name in names}
    return {name: pair for name, pair in both.items() if pair[0] != pair[1]}


def _tool(name: str, major: int | None) -> Path:
    if major is not None:
        path = binaries.find(major).bindir / name
        if path.is_file():
            return path
        raise BackupToolMissingError(tool=name)
    # PostgreSQL's own folders come before the PATH: a program there may be a wrapper.
    for folder in binaries.candidates():
        if (folder / name).is_file():
            return folder / name
    found = shutil.which(name)
    if found is None:
        raise BackupToolMissingError(tool=name)
    return Path(found)


def _run(tool: Path, url: URL, *options: str) -> None:
    """Run a client program; the password goes by the environment, where others cannot read it."""
    plain = url.set(drivername="postgresql", password=None)
    secret = {"PGPASSWORD": url.password} if url.password else {}
    try:
        subprocess.run(  # noqa: S603 -- PostgreSQL's own program, no shell
            (str(tool), f"--dbname={plain.render_as_string(hide_password=False)}", *options),
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, **secret},
        )
    except subprocess.CalledProcessError as error:
        lines = [line for line in str(error.stderr).splitlines() if line.strip()]
        why = lines[0] if lines else str(error.returncode)
        raise BackupFailedError(tool=tool.name, why=why) from error


def _listed(folder: Path) -> list[Kept]:
    return [
        Kept(
            folder=folder.name,
            name=path.name,
            size=path.stat().st_size,
            # a key's digest would let a guess be tried against it
            sha256="" if folder.name == "keys" else _sha256(path),
        )
        for path in sorted(folder.glob("*"))
        if path.is_file()
    ]


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
