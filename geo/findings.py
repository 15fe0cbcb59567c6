"""What an examination says about a row: code, severity, parameters and where on the map."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["refused", "questioned", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found about one row, or about the file when `row` is None.

    Attributes
    ----------
    row
        Row of the file counted from 1, or None for the whole file.
    code
        Stable name; its text in two languages lives in the message files.
    severity
        `refused` (the row is not taken), `questioned` (a person decides), `warning` (taken).
    params
        Values for the message; JSON-able.
    at
        Longitude and latitude in degrees to show on a map, where there is one.
    """

    row: int | None
    code: str
    severity: Severity
    params: Mapping[str, object] = field(default_factory=dict)
    at: tuple[float, float] | None = None

    def message_params(self) -> dict[str, object]:
        """Parameters of the message text: `row` and everything in `params`."""
        return {"row": self.row, **self.params}


def refused(
    row: int | None, code: str, *, at: tuple[float, float] | None = None, **params: object
) -> Finding:
    """Build a finding that keeps the row out."""
    return Finding(row=row, code=code, severity="refused", params=params, at=at)


def questioned(
    row: int | None, code: str, *, at: tuple[float, float] | None = None, **params: object
) -> Finding:
    """Build a finding that a person has to answer before the row is taken."""
    return Finding(row=row, code=code, severity="questioned", params=params, at=at)


def warning(
    row: int | None, code: str, *, at: tuple[float, float] | None = None, **params: object
) -> Finding:
    """Build a finding that is shown and keeps nothing out."""
    return Finding(row=row, code=code, severity="warning", params=params, at=at)
