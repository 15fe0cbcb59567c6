"""One text for one value: canonical JSON, the form that is hashed.

Keys sorted by code point, no white space, UTF-8, no floats (a float has more than one text).
The offline verifier (``deploy/verify_log.py``) recomputes hashes from these bytes alone.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from fractions import Fraction
from typing import Any
from uuid import UUID

Plain = None | bool | int | str | list["Plain"] | dict[str, "Plain"]


def plain(value: Any, *, floats: bool = False) -> Plain:  # noqa: ANN401
    """Return ``value`` as JSON without floats: dates, UUIDs, fractions and bytes become text.

    With ``floats`` a float becomes its shortest text that reads back the same; meant for
    comparing requests, never for the record.

    Raises
    ------
    TypeError : a float (unless ``floats``) or another type without one canonical text.
    """
    if isinstance(value, Mapping):
        return {str(name): plain(item, floats=floats) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(item, floats=floats) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: plain(getattr(value, field.name), floats=floats) for field in fields(value)
        }
    return repr(value) if floats and isinstance(value, float) else _scalar(value)


def _scalar(value: Any) -> Plain:  # noqa: ANN401
    match value:
        case Enum():
            return _scalar(value.value)
        case None | bool() | int() | str():
            return value
        case UUID() | Fraction():
            return str(value)
        case datetime():
            return value.isoformat(timespec="microseconds")
        case date():
            return value.isoformat()
        case bytes():
            return value.hex()
        case _:
            raise TypeError(f"{type(value).__name__} has no canonical text: {value!r}")


def canonical(value: Any) -> str:  # noqa: ANN401
    """Return the canonical JSON text of ``value``."""
    return json.dumps(plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(value: Any) -> bytes:  # noqa: ANN401
    """Return the SHA-256 of the canonical text of ``value``."""
    return hashlib.sha256(canonical(value).encode()).digest()
