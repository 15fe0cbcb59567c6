"""One line an endpoint: route + command + verb + answer, and the document follows from it.

``Act`` changes something: its body is the command's fields, it needs an ``Idempotency-Key``, and it
runs through ``registry.db.perform``.  ``Read`` asks: its query is a dataclass.  ``Raw`` is for what
fits neither (files, GeoJSON, streams) and brings its own operation.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Final, get_type_hints

from flask import Blueprint, Response, request
from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from registry.db import Command, transaction
from registry.people import ActorView
from web import auth
from web.commands import from_json, from_query
from web.context import act, actor, engine, reading, viewer
from web.errors import PreconditionMissingError

Guard = Callable[[Session, ActorView, Any], None]
Errors = tuple[type[Exception], ...]
JSON: Final = "application/json; charset=utf-8"
_VERSION: Final = re.compile(r"([0-9]{1,9})(?:\.[0-9a-f]{12})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A verb over HTTP.

    Parameters
    ----------
    name : operation id, ``draw_parcel``.
    rule : address below ``/api/v1``; its parts (``<uuid:parcel_id>``) fill fields of the command.
    permission : from ``web.auth``.
    command, verb : the frozen command and the function ``(session, command) -> frozen result``.
    summary : (Chinese, English) of the operation.
    raises : the reasons for which the verb says no; documented with their codes and statuses.
    status : of success, 201 where something new exists afterwards.
    if_match : field of the command that holds the version the caller saw (``If-Match``).
    etag : field of the result that is its version.
    given : fields that are the same at this address every time.
    guard : refuses who may not act on this thing (division, party); runs before the verb.
    moves_value : units or money; some roles need the second factor for it.
    """

    name: str
    rule: str
    permission: str
    command: type[Command]
    verb: Callable[[Session, Any], Any]
    summary: tuple[str, str]
    raises: Errors = ()
    status: int = HTTPStatus.OK
    method: str = "POST"
    if_match: str | None = None
    etag: str | None = None
    given: Mapping[str, object] = field(default_factory=dict)
    guard: Guard | None = None
    moves_value: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A read over HTTP: ``read(session, viewer, query) -> frozen result``.

    ``query`` is a frozen dataclass; parts of the rule fill its fields, the rest come from the
    address.  ``viewer`` is None for the public.  ``etag`` names the result's version, with which
    its tag begins; the rest of the tag is of what is shown.
    """

    name: str
    rule: str
    permission: str
    query: type[Any]
    read: Callable[[Session, Any, Any], Any]
    summary: tuple[str, str]
    raises: Errors = ()
    etag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """A view of its own with its own OpenAPI operation (parameters, requestBody, responses)."""

    name: str
    rule: str
    permission: str
    view: Callable[..., Any]
    summary: tuple[str, str]
    operation: Mapping[str, Any]
    method: str = "GET"
    raises: Errors = ()


Endpoint = Act | Read | Raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Noun:
    """The endpoints of one noun, under one tag."""

    name: str
    title: tuple[str, str]
    endpoints: Sequence[Endpoint]


@dataclass(frozen=True, slots=True, kw_only=True)
class Empty:
    """A query without parameters."""


def add(blueprint: Blueprint, endpoint: Endpoint) -> None:
    """Open one endpoint."""
    if isinstance(endpoint, Act):
        view, method = _act_view(endpoint), endpoint.method
    elif isinstance(endpoint, Read):
        view, method = _read_view(endpoint), "GET"
    else:
        view, method = endpoint.view, endpoint.method
    mark = auth.public if endpoint.permission == auth.PUBLIC else auth.requires(endpoint.permission)
    if isinstance(endpoint, Act) and endpoint.moves_value:
        view = auth.moves_value(view)
    blueprint.add_url_rule(
        endpoint.rule, endpoint=endpoint.name, view_func=mark(view), methods=[method]
    )


def result_adapter(function: Callable[..., Any]) -> TypeAdapter[Any]:
    """Return the adapter of what a verb or read answers, from its annotation."""
    return _adapter(_unwrapped(function))


@cache
def _adapter(function: Callable[..., Any]) -> TypeAdapter[Any]:
    return TypeAdapter(get_type_hints(function)["return"])


def _unwrapped(function: Any) -> Callable[..., Any]:  # noqa: ANN401 -- a partial has no annotations
    while hasattr(function, "func"):
        function = function.func
    found: Callable[..., Any] = function
    return found


def _act_view(endpoint: Act) -> Callable[..., Response]:
    adapter = result_adapter(endpoint.verb)

    def view(**parts: object) -> Response:
        given = {**endpoint.given, **parts}
        if endpoint.if_match is not None:
            given[endpoint.if_match] = _seen_version()
        command = from_json(endpoint.command, **given)
        if endpoint.guard is not None:
            with transaction(engine(), actor_id=command.actor_id) as session:
                endpoint.guard(session, actor(), command)
        result = act(endpoint.verb, command)
        return _answer(adapter, result, status=endpoint.status, etag=endpoint.etag)

    view.__name__ = endpoint.name
    return view


def _read_view(endpoint: Read) -> Callable[..., Response]:
    adapter = result_adapter(endpoint.read)

    def view(**parts: object) -> Response:
        query = from_query(endpoint.query, **parts)
        with reading() as session:
            result = endpoint.read(session, viewer(), query)
        answer = _answer(adapter, result, status=HTTPStatus.OK, etag=None)
        if endpoint.etag is not None:
            # What is shown changes without a new version too: a decision, a finding.
            shown = sha256(answer.get_data()).hexdigest()[:12]
            answer.set_etag(f"{getattr(result, endpoint.etag)}.{shown}")
            answer.make_conditional(request)
        return answer

    view.__name__ = endpoint.name
    return view


def _answer(
    adapter: TypeAdapter[Any], result: object, *, status: int, etag: str | None
) -> Response:
    answer = Response(adapter.dump_json(result), status=status, content_type=JSON)
    if etag is not None:
        answer.set_etag(str(getattr(result, etag)))
    return answer


def _seen_version() -> int:
    """Return the version in ``If-Match``.

    Raises
    ------
    PreconditionMissingError : the header is missing or is no version of ours.
    """
    tags = [tag or "" for tag in request.if_match.as_set()]
    seen = _VERSION.fullmatch(tags[0]) if len(tags) == 1 else None
    if seen is None:
        raise PreconditionMissingError
    return int(seen[1])
