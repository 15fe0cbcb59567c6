"""Errors of `geo`: a stable code and its parameters, never a sentence for a reader."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar


class GeoError(Exception):
    """Base of every error that `geo` raises on purpose.

    Parameters
    ----------
    code
        Stable name in SCREAMING_SNAKE; the sentence lives in the message files.
    **params
        What the sentence needs: numbers, names, positions.
    """

    default_code: ClassVar[str] = "GEO_ERROR"

    def __init__(self, code: str | None = None, **params: object) -> None:
        self.code: str = code or self.default_code
        self.params: Mapping[str, object] = MappingProxyType(params)
        super().__init__(f"{self.code} {dict(params)}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes: an exception is made anew from its positions by default."""
        return partial(type(self), self.code, **self.params), ()


class FileError(GeoError):
    """The file as a whole cannot be read; no row of it was taken."""

    default_code = "FILE_UNREADABLE"


class ArchiveError(FileError):
    """A zip file is dangerous or does not say which member is meant."""

    default_code = "ZIP_BROKEN"


class CrsError(GeoError):
    """The reference system is missing, unknown or not convertible without parameters."""

    default_code = "CRS_UNKNOWN"


class GeometryError(GeoError):
    """A geometry breaks a promise that the caller made about it."""

    default_code = "GEOM_BROKEN"
