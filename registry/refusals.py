"""What the database refused, as one of our reasons: constraint name -> error class.

The database holds the promises whoever writes; here its answer gets a stable code.
"""

import json

from psycopg import Error as DriverError
from psycopg import OperationalError
from psycopg.errors import (
    InsufficientPrivilege,
    InvalidCatalogName,
    UndefinedColumn,
    UndefinedFunction,
    UndefinedTable,
)
from sqlalchemy.exc import DBAPIError

from registry.errors import NotPermittedError, RegistryError


class ParcelOverlapError(RegistryError):
    """Two active parcels of one kind would overlap beyond the tolerance."""

    code = "PARCEL_OVERLAP"


class ClaimOverlapError(RegistryError):
    """Two active claims would hold the same ground in the same years."""

    code = "CLAIM_OVERLAP"


class NotApprovedByAnotherError(RegistryError):
    """Who submits does not approve."""

    code = "APPROVER_IS_SUBMITTER"


class PlaceNotTrueError(RegistryError):
    """A stored geometry would be invalid, or its area not its own."""

    code = "PLACE_NOT_TRUE"


class AppendOnlyError(RegistryError):
    """Somebody tried to change what was recorded."""

    code = "RECORD_IS_APPEND_ONLY"


_BY_CONSTRAINT: dict[str, type[RegistryError]] = {
    "parcel_overlap": ParcelOverlapError,
    "claim_overlap": ClaimOverlapError,
    "parcel_approved_by_another": NotApprovedByAnotherError,
    "ck_parcel_decision_approved_by_another": NotApprovedByAnotherError,
    "project_approved_by_another": NotApprovedByAnotherError,
    "ck_project_decision_approved_by_another": NotApprovedByAnotherError,
    "parcel_place_is_true": PlaceNotTrueError,
}


def register(constraint: str, refusal: type[RegistryError]) -> None:
    """Let ``refusal`` be the reason for a violation of ``constraint``; used by other packages."""
    _BY_CONSTRAINT[constraint] = refusal


class DatabaseMissingError(RegistryError):
    """The server has no database of this name."""

    code = "DATABASE_MISSING"


class DatabaseAwayError(RegistryError):
    """The server does not answer, or ended the connection."""

    code = "DATABASE_AWAY"


class DatabaseEmptyError(RegistryError):
    """The database lacks a table or function: it was never migrated, or not far enough."""

    code = "DATABASE_NOT_MIGRATED"


def trouble_of(error: DBAPIError) -> RegistryError | None:
    """Return what hinders any use of the database; its address may hold a word and is left out."""
    cause = error.orig
    if isinstance(cause, UndefinedTable | UndefinedFunction | UndefinedColumn):
        return DatabaseEmptyError()
    if not isinstance(cause, OperationalError):
        return None
    # While connecting the driver has the server's words only, no state.
    missing = isinstance(cause, InvalidCatalogName) or (
        'database "' in str(cause) and "does not exist" in str(cause)
    )
    return DatabaseMissingError() if missing else DatabaseAwayError()


def refusal_of(error: DBAPIError) -> RegistryError | None:
    """Return our reason for what the database refused, or None where it is not a refusal."""
    cause = error.orig
    if not isinstance(cause, DriverError):
        return None
    if isinstance(cause, InsufficientPrivilege) and "row-level security" in str(cause):
        # A policy's refusal names its table in words only.
        return NotPermittedError(needs=str(cause).partition('table "')[2].partition('"')[0] or "—")
    refusal = _BY_CONSTRAINT.get(cause.diag.constraint_name or "")
    if refusal is None:
        return None
    return refusal(**_details(cause.diag.message_detail))


def _details(detail: str | None) -> dict[str, object]:
    """Return the JSON a trigger put into the error's detail; other details are left out."""
    try:
        found = json.loads(detail or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
