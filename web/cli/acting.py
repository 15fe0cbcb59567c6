"""Who acts on the command line: an actor named with ``--as``, else the system."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from registry.db import SYSTEM_ACTOR

As = Annotated[UUID | None, typer.Option("--as", help="Id of the actor; the system if not given")]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output")]


def now() -> datetime:
    """Return the moment a command of the command line counts from."""
    return datetime.now(UTC)


def acting(actor: UUID | None) -> UUID:
    """Return the actor's id."""
    return actor or SYSTEM_ACTOR


def key_of(*parts: object) -> str:
    """Return an idempotency key made of what is asked, so that a repeat is the same request."""
    words = "\n".join(str(part) for part in parts)
    return hashlib.sha256(words.encode()).hexdigest()[:32]


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal; of nothing where there is no file."""
    if not path.is_file():
        return hashlib.sha256(b"").hexdigest()
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
