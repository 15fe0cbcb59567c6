"""Secrets of this installation: made once, kept in files that only their owner can read."""

import os
import secrets
from pathlib import Path


def secret(folder: Path, name: str) -> bytes:
    """Return the secret ``name`` of 32 random bytes (as hexadecimal), made at first use, mode 0600.

    Two processes that start at once agree: the file is put in place whole, by one of them.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    if not path.exists():
        making = folder / f".{name}.{os.getpid()}"
        handle = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as out:
            out.write(secrets.token_hex(32))
        try:
            path.hardlink_to(making)
        except FileExistsError:
            pass
        finally:
            making.unlink()
    return path.read_bytes()
