"""Tables of the record; private to registry: others see verbs and frozen values."""

from registry.models.decisions import Claim, Exclusion, Finding, Programme, Project
from registry.models.events import Event, EventSeal, Idempotency
from registry.models.people import Actor, Division, Party
from registry.models.places import (
    ImportBatch,
    ImportRow,
    Parcel,
    ParcelDecision,
    ParcelVersion,
)
from registry.models.science import (
    AssessmentRun,
    AssessmentSeries,
    CohortTable,
    Histogram,
    Job,
    Layer,
)
from registry.models.units import (
    Account,
    Batch,
    Capacity,
    Certificate,
    CertificateRevocation,
    Entry,
    Period,
    Reservation,
    Retirement,
    Slot,
    UnitRange,
)

__all__ = [
    "Account",
    "Actor",
    "AssessmentRun",
    "AssessmentSeries",
    "Batch",
    "Capacity",
    "Certificate",
    "CertificateRevocation",
    "Claim",
    "CohortTable",
    "Division",
    "Entry",
    "Event",
    "EventSeal",
    "Exclusion",
    "Finding",
    "Histogram",
    "Idempotency",
    "ImportBatch",
    "ImportRow",
    "Job",
    "Layer",
    "Parcel",
    "ParcelDecision",
    "ParcelVersion",
    "Party",
    "Period",
    "Programme",
    "Project",
    "Reservation",
    "Retirement",
    "Slot",
    "UnitRange",
]
