"""Read files through GDAL in a process of its own: a damaged one may end it or never end.

    python -m geo.ogr_child DESCRIPTOR

Answers one question after another on the connection until that is closed, or nobody asks for a
while. It imports no more than it needs.
"""

import resource
import sys
import warnings
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any, Final

import pyogrio
import pyogrio.raw
from pyogrio.errors import DataLayerError, DataSourceError

MEMORY_BYTES: Final = 3_000_000_000
IDLE_SECONDS: Final = 60.0
READY: Final = "ready"

_FAILS: Final = (DataSourceError, DataLayerError, ValueError, RuntimeError, MemoryError)


def layers(path: str) -> list[str]:
    """Names of the layers that have shapes."""
    return [str(entry[0]) for entry in pyogrio.list_layers(path) if entry[1] is not None]


def about(path: str, layer: str | None, encoding: str | None) -> tuple[int, str | None]:
    """How many features a layer says it has, and its reference system."""
    info = pyogrio.read_info(path, layer=layer, encoding=encoding)
    return int(info["features"]), info["crs"]


def read(
    path: str, layer: str | None, encoding: str | None, start: int, rows: int | None
) -> tuple[list[str], Any, list[Any]]:
    """Names, shapes as well-known binary and columns of some features."""
    meta, _, blobs, columns = pyogrio.raw.read(
        path, layer=layer, encoding=encoding, skip_features=start, max_features=rows
    )
    return [str(field) for field in meta["fields"]], blobs, columns


def count(path: str, layer: str | None, encoding: str | None, start: int, rows: int) -> int:
    """How many of some features there are, each of them read and forgotten."""
    _, blobs, _ = read(path, layer, encoding, start, rows)
    return len(blobs) if blobs is not None else 0


_WORK: Final[Mapping[str, Callable[..., object]]] = {
    one.__name__: one for one in (layers, about, read, count)
}


def main() -> None:
    """Answer until nobody asks."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": True})
    connection = Connection(int(sys.argv[1]))
    connection.send(READY)
    while connection.poll(IDLE_SECONDS):
        try:
            name, given = connection.recv()
        except EOFError:
            return
        try:
            answer = (True, _WORK[name](*given))
        except _FAILS as error:
            answer = (False, str(error) or type(error).__name__)
        connection.send(answer)


if __name__ == "__main__":
    main()
