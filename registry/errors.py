"""Reasons for which the registry says no: one class a reason, each with a stable code.

The words for people live in ``web/messages``; here are only codes and parameters.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any


class RegistryError(Exception):
    """A refusal with a stable ``code`` and the ``params`` its message needs."""

    code: str = "REGISTRY_ERROR"

    def __init__(self, **params: object) -> None:
        self.params: Mapping[str, object] = params
        detail = ", ".join(f"{name}={value}" for name, value in params.items())
        super().__init__(f"{self.code}({detail})")

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes: an exception is made anew from its positions by default."""
        return partial(type(self), **self.params), ()


class NotFoundError(RegistryError):
    """There is no such row, or the actor may not see it."""

    code = "NOT_FOUND"


class NotPermittedError(RegistryError):
    """The actor's roles do not cover this act."""

    code = "NOT_PERMITTED"


class KeyReusedError(RegistryError):
    """An idempotency key came back with another request."""

    code = "IDEMPOTENCY_KEY_REUSED"


class InvalidValueError(RegistryError):
    """A field of a command is outside its domain."""

    code = "VALUE_INVALID"


class WrongStateError(RegistryError):
    """The thing is not in the state this act needs."""

    code = "STATE_WRONG"


class SchemaOutdatedError(RegistryError):
    """The database was not migrated to the version this program needs."""

    code = "SCHEMA_OUTDATED"
