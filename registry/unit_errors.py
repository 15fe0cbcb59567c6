"""Reasons for which units, balances and certificates say no: one class a reason."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import Error as DriverError
from sqlalchemy.exc import DBAPIError

from registry.errors import RegistryError


class InsufficientBalanceError(RegistryError):
    """An account holds less than a movement asks of it."""

    code = "BALANCE_INSUFFICIENT"


class LegsOfTwoAssetsError(RegistryError):
    """A movement would turn one asset into another."""

    code = "LEGS_OF_TWO_ASSETS"


class MarkForbiddenError(RegistryError):
    """A figure stands on a row whose mark the programme will not issue on."""

    code = "MARK_FORBIDDEN"


class SoldOutError(RegistryError):
    """All parts of a quantity together are less than what is asked."""

    code = "SOLD_OUT"


class SlotsUnknownError(RegistryError):
    """A quantity that was never filled."""

    code = "SLOTS_UNKNOWN"


class PeriodOverlapsError(RegistryError):
    """Another period of the project covers some of the same days."""

    code = "PERIOD_OVERLAPS"


class PeriodNotWholeYearsError(RegistryError):
    """Stocks are known at 31 December, so a period is whole calendar years."""

    code = "PERIOD_NOT_WHOLE_YEARS"


class PeriodOutsideCreditingError(RegistryError):
    """The period is not within the project's crediting period."""

    code = "PERIOD_OUTSIDE_CREDITING"


class RunNotUsableError(RegistryError):
    """The assessment run is no monitored run of this project over these years."""

    code = "RUN_NOT_USABLE"


class VerifierNotIndependentError(RegistryError):
    """The verifier is proponent, owner, holder, or no verifier at all."""

    code = "VERIFIER_NOT_INDEPENDENT"


class SamePersonError(RegistryError):
    """Who submitted cannot decide."""

    code = "SAME_PERSON"


class VerifiedTooMuchError(RegistryError):
    """More verified than the plan makes creditable."""

    code = "VERIFIED_TOO_MUCH"


class IssuerExternalError(RegistryError):
    """Units of this programme are issued by an outside registry, never here."""

    code = "ISSUER_EXTERNAL"


class BatchNumbersSpentError(RegistryError):
    """A project has 999 batches; the serial has no room for another."""

    code = "BATCH_NUMBERS_SPENT"


class SerialInvalidError(RegistryError):
    """Text that is no serial of ours."""

    code = "SERIAL_INVALID"


class UnitNotHeldError(RegistryError):
    """The unit is retired, cancelled, in the buffer, or someone else's."""

    code = "UNIT_NOT_HELD"


class HolderNotAllowedError(RegistryError):
    """The party may not come to hold units."""

    code = "HOLDER_NOT_ALLOWED"


class CapacityExceededError(RegistryError):
    """More asked than the forecast less the buffer leaves free."""

    code = "CAPACITY_EXCEEDED"


class EventNotSealedError(RegistryError):
    """A certificate stands on sealed events only."""

    code = "EVENT_NOT_SEALED"


class KeyFileExposedError(RegistryError):
    """The signing key's file can be read by others."""

    code = "KEY_FILE_EXPOSED"


@contextmanager
def refusals(reasons: dict[str, type[RegistryError]]) -> Iterator[None]:
    """Turn a constraint the database named into its reason; the JSON of DETAIL is its parameters.

    ``reasons`` maps the constraint's name to the class; every other error passes unchanged.
    """
    try:
        yield
    except (DBAPIError, DriverError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        said = cause.diag if isinstance(cause, DriverError) else None
        reason = reasons.get(said.constraint_name or "") if said else None
        if reason is None or said is None:
            raise
        raise reason(**_params(said.message_detail)) from error


def _params(detail: str | None) -> dict[str, object]:
    if not detail or not detail.startswith("{"):
        return {}
    found: dict[str, object] = json.loads(detail)
    return found
