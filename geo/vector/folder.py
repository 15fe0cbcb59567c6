"""Folders of our own that last as long as somebody holds them."""

import shutil
import tempfile
import weakref
from pathlib import Path


class Folder:
    """A private folder, removed when nothing refers to this any more."""

    def __init__(self, prefix: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=prefix))
        self._end = weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)
