"""Rasters at an address: copied here once, and only from places that the operator has named.

Later results come from the bytes that a layer's digest names; so a raster is never read in place
over a network, where it may change between two reads.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

import obstore
from obstore import exceptions
from obstore.store import HTTPStore, S3Store

from registry.errors import RegistryError

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

SCHEMES: Final = ("s3", "https", "http")
BYTES_MAX: Final = 64_000_000_000
"""A province at 10 m, uncompressed, several times over."""

_CHUNK_BYTES: Final = 8_000_000
_RETRIES: Final = 3
_PATIENCE: Final = "60s"


class SourceNotAllowedError(RegistryError):
    """The address is not under a prefix that the operator has named."""

    code = "RASTER_SOURCE_NOT_ALLOWED"


class SourceMissingError(RegistryError):
    """There is nothing at the address."""

    code = "RASTER_SOURCE_MISSING"


class SourceDeniedError(RegistryError):
    """The place wants credentials, or others."""

    code = "RASTER_SOURCE_DENIED"


class SourceTooLargeError(RegistryError):
    """More bytes than are fetched."""

    code = "RASTER_SOURCE_TOO_LARGE"


class SourceUnreachableError(RegistryError):
    """The place did not answer, or not to the end."""

    code = "RASTER_SOURCE_UNREACHABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    prefix: str
    path: str


def is_address(text: str) -> bool:
    """Whether a name is an address to fetch from, not a file here."""
    return text.partition("://")[0] in SCHEMES and "://" in text


def fetch(
    address: str,
    room: Path,
    *,
    allowed: Sequence[str],
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Copy the raster at an address into a folder and return the copy.

    Credentials and endpoint of ``s3://`` come from the usual ``AWS_*`` variables.

    Parameters
    ----------
    address : ``s3://bucket/key``, ``https://host/path`` or ``http://host/path``.
    room : folder for the copy; it bears the address's last name.
    allowed : prefixes that may be fetched from, each ending in "/".
    progress : told (bytes so far, bytes in all) now and then.

    Raises
    ------
    SourceNotAllowedError, SourceMissingError, SourceDeniedError, SourceTooLargeError,
    SourceUnreachableError : each names the address.
    """
    place = _place(address, allowed)
    copy = room / PurePosixPath(place.path).name
    try:
        _copy(place, copy, address, progress or (lambda _now, _all: None))
    except (exceptions.NotFoundError, FileNotFoundError) as error:
        raise SourceMissingError(address=address) from error
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
        raise SourceDeniedError(address=address) from error
    except exceptions.BaseError as error:
        raise SourceUnreachableError(address=address) from error
    return copy


def _copy(place: _Place, copy: Path, address: str, progress: Callable[[int, int], None]) -> None:
    store = _store(place.prefix)
    found = obstore.get(store, place.path)
    size = int(found.meta["size"])
    if size > BYTES_MAX:
        raise SourceTooLargeError(address=address, bytes=size, bytes_max=BYTES_MAX)
    done = 0
    with copy.open("wb") as out:
        for chunk in found.stream(min_chunk_size=_CHUNK_BYTES):
            done += out.write(chunk)
            progress(done, size)
    if done != size:
        raise SourceUnreachableError(address=address)


def _store(prefix: str) -> S3Store | HTTPStore:
    """Open a place; whether ``s3://`` speaks plain HTTP is for its endpoint to say."""
    options: ClientConfig = {"timeout": _PATIENCE, "allow_http": not prefix.startswith("https:")}
    retry: RetryConfig = {"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=30)}
    if prefix.startswith("s3:"):
        return S3Store.from_url(prefix, client_options=options, retry_config=retry)
    return HTTPStore.from_url(prefix, client_options=options, retry_config=retry)


def _place(address: str, allowed: Sequence[str]) -> _Place:
    """Split an address into the named prefix it starts with and the path after it."""
    refused = SourceNotAllowedError(address=address, allowed=", ".join(allowed) or "-")
    parts = urlsplit(address)
    steps = unquote(parts.path).split("/")
    if parts.username or parts.query or parts.fragment or {"..", "."} & set(steps):
        raise refused
    for prefix in allowed:
        ending = prefix if prefix.endswith("/") else f"{prefix}/"
        if address.startswith(ending) and len(address) > len(ending):
            return _Place(prefix=ending, path=unquote(address.removeprefix(ending)))
    raise refused
