"""Files that wait between a preview and its confirmation: kept by their sender, for a day."""

import json
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from werkzeug.datastructures import FileStorage

from registry.errors import InvalidValueError, NotFoundError

KEPT_SECONDS: Final = 24 * 3600
FILE_BYTES_MAX: Final = 500_000_000
"""As much as the readers take (`geo.vector.Limits`); a body goes to disk as it comes in."""
_NAME = re.compile(r"[^\w.\-]+", re.UNICODE)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One stored file: its folder's name, where it is, what it was called, what goes with it."""

    token: str
    path: Path
    name: str
    about: Mapping[str, Any]


class Uploads:
    """Files below one folder, each in a folder of its own with a note beside it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, file: FileStorage, *, actor_id: UUID, about: Mapping[str, Any]) -> Upload:
        """Store a file and forget those that nobody confirmed within a day.

        Raises
        ------
        InvalidValueError : there is no file.
        """
        name = safe_name(file.filename)
        if not name:
            raise InvalidValueError(field="file", value="—", why="没有文件 no file")
        self._forget_old()
        token = secrets.token_urlsafe(18)
        folder = self._folder / token
        folder.mkdir(parents=True, mode=0o700)
        path = folder / name
        file.save(path)
        note = {"actor": str(actor_id), "name": name, "about": dict(about)}
        (folder / ".note.json").write_text(json.dumps(note), encoding="utf-8")
        return Upload(token=token, path=path, name=name, about=about)

    def find(self, token: str, *, actor_id: UUID) -> Upload:
        """Return a stored file of this actor.

        Raises
        ------
        NotFoundError : there is none, or it is another's.
        """
        note = self._folder / token / ".note.json"
        if not _TOKEN.fullmatch(token) or not note.is_file():
            raise NotFoundError(what="upload", id=token[:40])
        known = json.loads(note.read_text(encoding="utf-8"))
        if known["actor"] != str(actor_id):
            raise NotFoundError(what="upload", id=token)
        path = note.parent / known["name"]
        return Upload(token=token, path=path, name=known["name"], about=known["about"])

    def _forget_old(self) -> None:
        if not self._folder.is_dir():
            return
        for folder in self._folder.iterdir():
            if folder.stat().st_mtime < time.time() - KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def safe_name(name: str | None) -> str:
    """Return a file's own name without its folders and without anything a path could mean."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    return _NAME.sub("_", last).lstrip(".")[-120:]
