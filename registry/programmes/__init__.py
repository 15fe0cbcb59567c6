"""Programmes: rules, thresholds and terms as versioned data; each figure with source and mark."""

from registry.programmes.schema import (
    ProgrammeFinding,
    ProgrammeRefusedError,
    ProgrammeView,
    check,
    read,
)
from registry.programmes.store import (
    AdoptProgramme,
    ProgrammeAdopted,
    ProgrammeVersionChangedError,
    adopt,
    adopted,
    current,
    day_of,
    packaged,
    version,
)

__all__ = [
    "AdoptProgramme",
    "ProgrammeAdopted",
    "ProgrammeFinding",
    "ProgrammeRefusedError",
    "ProgrammeVersionChangedError",
    "ProgrammeView",
    "adopt",
    "adopted",
    "check",
    "current",
    "day_of",
    "packaged",
    "read",
    "version",
]
