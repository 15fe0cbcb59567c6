"""Tiles kept in memory, the least lately used going first; bounded by their bytes."""

from collections import OrderedDict
from threading import Lock
from typing import Final

from registry.reads.tiles import Tile

BYTES_MAX: Final = 64 * 1024 * 1024
ENTRY_BYTES: Final = 400
"""What an entry costs beside its bytes, roughly."""


class TileCache:
    """Bytes by (tile, version); a version names the reach of who asked, so nobody gets more."""

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._kept: OrderedDict[tuple[Tile, str], bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, tile: Tile, version: str) -> bytes | None:
        """Return the tile as it was kept, or None."""
        with self._lock:
            found = self._kept.get((tile, version))
            if found is not None:
                self._kept.move_to_end((tile, version))
            return found

    def put(self, tile: Tile, version: str, body: bytes) -> None:
        """Keep a tile; the longest unused go until all fit."""
        with self._lock:
            before = self._kept.pop((tile, version), None)
            if before is not None:
                self._bytes -= len(before) + ENTRY_BYTES
            self._kept[tile, version] = body
            self._bytes += len(body) + ENTRY_BYTES
            while self._bytes > self._bytes_max:
                _, gone = self._kept.popitem(last=False)
                self._bytes -= len(gone) + ENTRY_BYTES

    def __len__(self) -> int:
        return len(self._kept)
