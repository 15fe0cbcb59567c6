"""Values about places that leave the record: findings, imported parcels, decisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

Kind = Literal["carbon", "orchard", "tree"]
Severity = Literal["refused", "questioned", "warning"]
KINDS: tuple[Kind, ...] = ("carbon", "orchard", "tree")

KIND_OF_PROGRAMME: Mapping[str, Kind] = {
    "orchard-label": "orchard",
    "one-village-ten-thousand-trees": "tree",
}
"""Kind of parcel a programme is about; every other programme is about carbon."""

CODE_FIELDS = (
    "plot_code",
    "parcel_no",
    "xiao_ban",
    "xiaoban",
    "小班",
    "地块编号",
    "TBBH",
    "code",
    "name",
)
"""Attribute names that hold a plot's number, the first that is there wins."""


OWNER_FIELDS = ("owner_uscc", "owner_id")
"""Attribute names that name an owner by credit code or by the code it is registered under."""

DIVISION_FIELDS = ("ZLDWDM", "division_code")
"""Attribute names that hold a 12-digit division code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFinding:
    """What was found about one row of a file, or about the file (``row`` is None)."""

    row: int | None
    code: str
    severity: Severity
    params: Mapping[str, object] = field(default_factory=dict)
    at: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedParcel:
    """An accepted row and the parcel it became."""

    row: int
    id: UUID
    area_m2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of a file: ``read = accepted + refused + questioned``, always."""

    batch_id: UUID | None
    read: int
    accepted: int
    refused: int
    questioned: int
    findings: list[RowFinding]
    parcels: list[ImportedParcel]
