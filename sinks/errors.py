"""Errors of the science: a stable code and its parameters; the words live in ``web/messages``."""

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class SinksError(Exception):
    """Base of every error of this package.

    Attributes
    ----------
    code : stable name of the reason, SCREAMING_SNAKE.
    params : what happened where, for the sentence shown to a person.
    """

    def __init__(self, code: str, **params: object) -> None:
        self.code = code
        self.params: Mapping[str, object] = MappingProxyType(params)
        super().__init__(code, dict(params))

    def __str__(self) -> str:
        return f"{self.code} {dict(self.params)}"


class DomainError(SinksError):
    """A value lies outside what the science is defined for."""


class TableError(SinksError):
    """A reference table lacks a row, or a row makes no sense."""


class ConversionError(SinksError):
    """A conversion that is already inside a value was asked for again."""
