"""Errors of the record: a code and its parameters, never a sentence for people."""

from collections.abc import Mapping


class RegistryError(Exception):
    """A refusal by the record.

    Parameters
    ----------
    code : stable name of the reason; the texts live in ``web/messages``.
    params : the values the texts name.
    """

    code: str
    params: Mapping[str, object]

    def __init__(self, code: str, params: Mapping[str, object] | None = None) -> None:
        self.code = code
        self.params = dict(params or {})
        super().__init__(code, self.params)

    def __str__(self) -> str:
        if not self.params:
            return self.code
        return f"{self.code} " + ", ".join(f"{key}={value}" for key, value in self.params.items())
