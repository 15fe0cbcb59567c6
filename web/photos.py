"""Photos behind lines of an orchard's book: kept once by their SHA-256, never changed."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from werkzeug.datastructures import FileStorage

from registry.errors import InvalidValueError, NotFoundError

PHOTO_BYTES_MAX: Final = 8 * 1024 * 1024
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_JPEG: Final = b"\xff\xd8\xff"
_PNG: Final = b"\x89PNG\r\n\x1a\n"


class PhotoInvalidError(InvalidValueError):
    """The file is no photo of a kind that is kept, or too large."""

    code = "PHOTO_INVALID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A kept photo: its digest in hexadecimal and its media type."""

    sha256: str
    media_type: str


def media_type(data: bytes) -> str | None:
    """Return the type of a photo by its first bytes, or None for anything else."""
    if data.startswith(_JPEG):
        return "image/jpeg"
    if data.startswith(_PNG):
        return "image/png"
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def keep(folder: Path, file: FileStorage) -> Photo:
    """Store a photo under its digest; the same photo again is the same file.

    Raises
    ------
    PhotoInvalidError : JPEG, PNG and WebP up to ``PHOTO_BYTES_MAX`` are taken, nothing else.
    """
    data = file.stream.read(PHOTO_BYTES_MAX + 1)
    kind = media_type(data)
    if kind is None or len(data) > PHOTO_BYTES_MAX:
        raise PhotoInvalidError(
            field="photo", value=(file.filename or "—")[-60:], why="JPEG/PNG/WebP, <= 8 MB"
        )
    digest = hashlib.sha256(data).hexdigest()
    path = _path(folder, digest)
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = path.with_suffix(".part")
        part.write_bytes(data)
        part.replace(path)
    return Photo(sha256=digest, media_type=kind)


def find(folder: Path, sha256: str) -> tuple[bytes, str]:
    """Return a kept photo's bytes and media type.

    Raises
    ------
    NotFoundError : there is none of this digest.
    """
    path = _path(folder, sha256)
    if not _SHA256.fullmatch(sha256) or not path.is_file():
        raise NotFoundError(what="photo", id=sha256[:64])
    data = path.read_bytes()
    return data, media_type(data) or "application/octet-stream"


def is_kept(folder: Path, sha256: str) -> bool:
    """Say whether there is a photo of this digest."""
    return _path(folder, sha256).is_file()


def _path(folder: Path, sha256: str) -> Path:
    return folder / "photos" / sha256[:2] / sha256
