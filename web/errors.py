"""One table from reason to status, and one shape of answer: RFC 9457 problems and error pages.

Under ``/api`` and for callers who ask for JSON the answer is a problem; people get a page with the
same code.  Never a traceback.
"""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, Final

from flask import Flask, Response, g, json, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from psycopg import errors as pg
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from geo.errors import GeoError
from options.errors import ApproverError, OptionsError, OversoldError, TransitionRefusedError
from options.refusals import (
    BankReferenceError,
    DeadlinePassedError,
    LotNotFoundError,
    NumberTakenError,
    PackNotFoundError,
    PartyNotFoundError,
    ReviewerError,
    SettlementNotFoundError,
    SettlementOpenError,
    SubscriptionNotFoundError,
    TreeNotDeadError,
    TreeNumberError,
    TreeTakenError,
)
from registry.errors import (
    InvalidValueError,
    KeyReusedError,
    NotFoundError,
    NotPermittedError,
    RegistryError,
    SchemaOutdatedError,
    WrongStateError,
)
from registry.field_plots import PlotOutsideError, PlotReasonError
from registry.parcel_store import PlaceRefusedError, VersionConflictError
from registry.people import CreditCodeError
from registry.plot_estimates import (
    EstimateNotUsableError,
    PlotModelError,
    PlotsNotPairedError,
    StratumAreasError,
)
from registry.provenance import GeometryWithheldError
from registry.reads.cql import FilterInvalidError
from registry.reads.exports import TooManyParcelsError
from registry.refusals import (
    ClaimOverlapError,
    NotApprovedByAnotherError,
    ParcelOverlapError,
    refusal_of,
)
from registry.unit_errors import (
    HolderNotAllowedError,
    SamePersonError,
    SerialInvalidError,
    VerifierNotIndependentError,
)
from registry.within import DivisionQuestionError
from sinks.errors import SinksError
from web import messages
from web.accounts.logins import (
    CodeNeededError,
    PasswordOnceError,
    PasswordWeakError,
    SignInLockedError,
    SignInRefusedError,
    UsernameTakenError,
)
from web.accounts.second_factor import CodeWrongError
from web.auth import SecondFactorNeededError, SignInNeededError
from web.ogc.asking import ParameterInvalidError
from web.parsing import FieldError, FieldsInvalidError
from web.progress import ReadersFullError

LOG = logging.getLogger("tanhui.web")

STATUS: Final[Mapping[type[Exception], int]] = {
    NotFoundError: 404,
    NotPermittedError: 403,
    SignInNeededError: 401,
    SignInRefusedError: 401,
    SignInLockedError: 429,
    CodeNeededError: 401,
    SecondFactorNeededError: 403,
    CodeWrongError: 422,
    PasswordOnceError: 401,
    PasswordWeakError: 422,
    UsernameTakenError: 409,
    WrongStateError: 409,
    KeyReusedError: 422,
    InvalidValueError: 422,
    FilterInvalidError: 400,
    ParameterInvalidError: 400,
    PlotOutsideError: 422,
    PlotReasonError: 422,
    PlotModelError: 422,
    PlotsNotPairedError: 422,
    StratumAreasError: 422,
    EstimateNotUsableError: 422,
    CreditCodeError: 422,
    PlaceRefusedError: 422,
    SerialInvalidError: 422,
    VersionConflictError: 412,
    ParcelOverlapError: 409,
    DivisionQuestionError: 422,
    ClaimOverlapError: 409,
    NotApprovedByAnotherError: 403,
    GeometryWithheldError: 403,
    SamePersonError: 403,
    VerifierNotIndependentError: 403,
    HolderNotAllowedError: 403,
    ApproverError: 403,
    TransitionRefusedError: 409,
    LotNotFoundError: 404,
    SubscriptionNotFoundError: 404,
    SettlementNotFoundError: 404,
    PartyNotFoundError: 404,
    PackNotFoundError: 404,
    ReviewerError: 403,
    OversoldError: 409,
    NumberTakenError: 409,
    BankReferenceError: 409,
    TreeNumberError: 409,
    TreeTakenError: 409,
    TreeNotDeadError: 409,
    DeadlinePassedError: 409,
    SettlementOpenError: 409,
    SchemaOutdatedError: 503,
    ReadersFullError: 503,
    TooManyParcelsError: 422,
    RegistryError: 409,
    OptionsError: 422,
    GeoError: 422,
    SinksError: 422,
}
"""The nearest class in an error's own line of descent decides."""

HTTP_CODES: Final[Mapping[int, str]] = {
    400: "REQUEST_MALFORMED",
    404: "PAGE_NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "BODY_TOO_LARGE",
    415: "MEDIA_TYPE_UNKNOWN",
    428: "PRECONDITION_NEEDED",
}


class IdempotencyKeyMissingError(InvalidValueError):
    """A request that changes something carries no ``Idempotency-Key``."""

    code = "IDEMPOTENCY_KEY_MISSING"


class PreconditionMissingError(RegistryError):
    """A change of a version does not say which version it saw (``If-Match``)."""

    code = "PRECONDITION_NEEDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error as it leaves: RFC 9457, with both languages and a code for machines."""

    type: str
    title: str
    title_en: str
    status: int
    code: str
    remedy: str
    remedy_en: str
    params: dict[str, Any]
    errors: tuple[FieldError, ...]
    request_id: str


def status_of(error: Exception) -> int:
    """Return the status of one of our reasons."""
    if isinstance(error, PreconditionMissingError):
        return HTTPStatus.PRECONDITION_REQUIRED
    if isinstance(error, FieldsInvalidError):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    raise TypeError(f"{type(error).__name__} is none of our reasons")


def problem_of(error: Exception) -> Problem:
    """Return what is said about any error; an unknown one says nothing but its request id."""
    errors: tuple[FieldError, ...] = ()
    params: Mapping[str, object] = {}
    if isinstance(error, DBAPIError):
        error = refusal_of(error) or _data_error(error) or error
    if isinstance(error, RegistryError | OptionsError | GeoError | SinksError):
        status, code, params = status_of(error), error.code, error.params
        errors = error.errors if isinstance(error, FieldsInvalidError) else ()
    elif isinstance(error, CSRFError):
        status, code = HTTPStatus.FORBIDDEN, "CSRF_FAILED"
    elif isinstance(error, HTTPException):
        status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
        code = HTTP_CODES.get(status, "REQUEST_REFUSED")
    else:
        LOG.error("request %s failed", g.get("request_id"), exc_info=error)
        status, code = HTTPStatus.INTERNAL_SERVER_ERROR, "INTERNAL_ERROR"
    request_id = str(g.get("request_id", ""))
    said = messages.say(code, {**params, "request_id": request_id})
    return Problem(
        type=f"/problems/{code}",
        title=said.zh,
        title_en=said.en,
        status=int(status),
        code=code,
        remedy=said.remedy_zh,
        remedy_en=said.remedy_en,
        params={name: _shown(value) for name, value in params.items()},
        errors=errors,
        request_id=request_id,
    )


def _data_error(error: DBAPIError) -> RegistryError | None:
    """Say that a value does not fit its column: too large, or with a zero character."""
    if isinstance(error.orig, pg.DataError):
        return InvalidValueError(field="—", value="—", why="数值超出范围 value out of range")
    return None


def _shown(value: object) -> Any:  # noqa: ANN401
    return value if isinstance(value, str | int | float | bool | None) else str(value)


MACHINE_PATHS: Final = ("/api/", "/tiles/")


def wants_json() -> bool:
    """Say whether the caller is a machine: by path, or because it asks for JSON only."""
    if request.path.startswith(MACHINE_PATHS):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], "text/html")
    return best == "application/json"


def problem_response(problem: Problem) -> Response:
    """Return the problem as JSON."""
    answer = Response(
        json.dumps(asdict(problem), ensure_ascii=False),
        status=problem.status,
        content_type="application/problem+json; charset=utf-8",
    )
    if problem.status == HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="tanhui", Basic realm="tanhui"'
    return answer


def answer(error: Exception) -> AnyResponse:
    """Turn any error into a problem, a page, or the way to the sign-in page."""
    if isinstance(error, HTTPException) and error.response is not None:
        return Response.force_type(error.get_response())
    problem = problem_of(error)
    if wants_json():
        made: AnyResponse = problem_response(problem)
    elif isinstance(error, SignInNeededError):
        made = redirect(url_for("signin.sign_in", next=request.full_path.rstrip("?")), 303)
    else:
        made = Response(render_template("error.html", page=problem), status=problem.status)
    if isinstance(error, RequestEntityTooLarge):
        made.headers["Connection"] = "close"  # the rest of the body is not read
    if isinstance(error, HTTPException) and error.code == HTTPStatus.METHOD_NOT_ALLOWED:
        made.headers["Allow"] = ", ".join(getattr(error, "valid_methods", None) or ())
    return made


def register(app: Flask) -> None:
    """Let ``app`` answer every error through this table."""
    app.register_error_handler(Exception, answer)
