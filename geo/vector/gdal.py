"""Questions to a process that reads through GDAL (`geo.ogr_child`), answered in time or not."""

import atexit
import os
import subprocess
import sys
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from threading import Lock
from typing import Any, Final

from geo.errors import FileError

START_SECONDS: Final = 60.0
_IDLE_MAX: Final = 2


class _Reader:
    """One reading process; it ends by itself when it is not asked for a while."""

    def __init__(self) -> None:
        self.connection, theirs = Pipe()
        words = [sys.executable, "-m", "geo.ogr_child", str(theirs.fileno())]
        nowhere = subprocess.DEVNULL
        self.process = subprocess.Popen(  # noqa: S603 -- our own module, no shell
            words, pass_fds=(theirs.fileno(),), stdin=nowhere, stdout=nowhere, stderr=nowhere
        )
        theirs.close()
        self.owner = os.getpid()  # a fork of this process must not ask it
        self.fresh = True

    def usable(self) -> bool:
        """Say whether this process may ask it."""
        return self.owner == os.getpid() and self.process.poll() is None

    def ask(self, name: str, given: tuple[object, ...], seconds: float) -> tuple[bool, Any]:
        """Put a question; `TimeoutError` and `EOFError` say that no answer comes."""
        if self.fresh:
            _answer(self.connection, START_SECONDS)
            self.fresh = False
        self.connection.send((name, given))
        found: tuple[bool, Any] = _answer(self.connection, seconds)
        return found

    def end(self) -> None:
        """End it; what it was doing is lost."""
        self.connection.close()
        if self.owner == os.getpid():
            self.process.kill()
            self.process.wait()


def _answer(connection: Connection, seconds: float) -> Any:  # noqa: ANN401 -- what was asked for
    if not connection.poll(seconds):
        raise TimeoutError
    return connection.recv()


_idle: list[_Reader] = []
_lock: Final = Lock()


def _take() -> _Reader | None:
    with _lock:
        while _idle:
            reader = _idle.pop()
            if reader.usable():
                return reader
            reader.end()
    return None


def _give_back(reader: _Reader) -> None:
    with _lock:
        if len(_idle) < _IDLE_MAX:
            _idle.append(reader)
            return
    reader.end()


@atexit.register
def _end_idle() -> None:
    while (reader := _take()) is not None:
        reader.end()


def ask(name: str, *given: object, file: str, seconds: float) -> Any:  # noqa: ANN401
    """Have one of the functions of `geo.ogr_child` run on a file.

    Parameters
    ----------
    file
        What the user calls it, for errors.
    seconds
        How long the answer may take: one question is a run of features, not a whole file.

    Raises
    ------
    FileError
        FILE_UNREADABLE with GDAL's reason, FILE_TOO_SLOW, FILE_ENDS_READER.
    """
    reader = _take()
    if reader is not None:
        try:
            return _asked(reader, name, given, file, seconds)
        except (EOFError, OSError):
            reader.end()  # it may have been about to end by itself: once more with another
    reader = _Reader()
    try:
        return _asked(reader, name, given, file, seconds)
    except (EOFError, OSError) as error:
        reader.end()
        raise FileError("FILE_ENDS_READER", name=file) from error


def _asked(
    reader: _Reader, name: str, given: tuple[object, ...], file: str, seconds: float
) -> object:
    try:
        sound, value = reader.ask(name, given, seconds)
    except TimeoutError as error:
        reader.end()
        raise FileError("FILE_TOO_SLOW", name=file, seconds=seconds) from error
    _give_back(reader)
    if not sound:
        raise FileError("FILE_UNREADABLE", name=file, reason=str(value)[:200])
    return value
