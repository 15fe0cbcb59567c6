"""The registry's signing key: an Ed25519 key in a file that only its owner can read.

The seal proves that a statement is the registry's and unchanged; it is nobody's signature.
"""

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from registry.unit_errors import KeyFileExposedError

OTHERS = 0o077


def signing_key(path: Path) -> Ed25519PrivateKey:
    """Return the key in ``path``, made on first use; of two makers at once one's key stands.

    Raises
    ------
    KeyFileExposedError : the file can be read by others than its owner.
    """
    if not path.exists():
        _make(path)
    if path.stat().st_mode & OTHERS:
        raise KeyFileExposedError(path=path.name)
    key = load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, Ed25519PrivateKey)  # noqa: S101 -- written below
    return key


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """Return the 32 bytes with which anyone can check a signature."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def public_key(raw: bytes) -> Ed25519PublicKey:
    """Return the public key of 32 raw bytes."""
    return Ed25519PublicKey.from_public_bytes(raw)


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    words = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    mine = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
        handle.write(words)
    try:
        os.link(mine, path)  # fails where another maker was first; theirs stands
    except FileExistsError:
        pass
    finally:
        mine.unlink()
