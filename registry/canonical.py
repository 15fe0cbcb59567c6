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


def plain(value: Any) -> Plain:  # noqa: ANN401, PLR0911, C901 -- one case a type
    """Return ``value`` as JSON without floats: dates, UUIDs, fractions and bytes become text.

    Raises
    ------
    TypeError : a float or another type without one canonical text.
    """
    match value:
        case Enum():
            return plain(value.value)
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
        case Mapping():
            return {str(name): plain(item) for name, item in value.items()}
        case Sequence():
            return [plain(item) for item in value]
        case _:
            pass
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"{type(value).__name__} has no canonical text: {value!r}")


def canonical(value: Any) -> str:  # noqa: ANN401
    """Return the canonical JSON text of ``value``."""
    return json.dumps(plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(value: Any) -> bytes:  # noqa: ANN401
    """Return the SHA-256 of the canonical text of ``value``."""
    return hashlib.sha256(canonical(value).encode()).digest()
