"""From a request to a frozen command: the body, the form or the address, and the request's key."""

import json
from typing import Final, TypeVar
from uuid import uuid4

from flask import request

from registry.db import Command
from web.context import actor, now
from web.errors import IdempotencyKeyMissingError
from web.parsing import FieldsInvalidError, body_model, parse

CommandT = TypeVar("CommandT", bound=Command)
T = TypeVar("T")
KEY_FIELD: Final = "request_key"
"""Hidden field of every form that changes something; the page's own Idempotency-Key."""
_KEY_LENGTH_MAX: Final = 200


def header_key() -> str:
    """Return the request's ``Idempotency-Key``.

    Raises
    ------
    IdempotencyKeyMissingError : it is missing, too long or not printable.
    """
    key = request.headers.get("Idempotency-Key", "").strip()
    if not key or len(key) > _KEY_LENGTH_MAX or not key.isprintable():
        raise IdempotencyKeyMissingError(field="Idempotency-Key", value=key[:40], why="")
    return key


def from_json(kind: type[CommandT], **given: object) -> CommandT:
    """Return the command in the request's JSON body."""
    filled = {"at": now(), "actor_id": actor().id, "key": header_key(), **given}
    return parse(kind, request.get_data(), filled)


def from_form(kind: type[CommandT], **given: object) -> CommandT:
    """Return the command in the request's form; empty fields are left to their defaults.

    Fields of the form that the command does not have are passed over (buttons, CSRF token).
    """
    filled = {"at": now(), "actor_id": actor().id, "key": form_key(), **given}
    known = body_model(kind, frozenset(filled)).model_fields
    sent = {name: value for name, value in request.form.items() if name in known and value.strip()}
    return parse(kind, json.dumps(sent), filled)


def form_key() -> str:
    """Return the form's own key; a form without one acts anew each time it is sent."""
    key = request.form.get(KEY_FIELD, "")
    return key if 0 < len(key) <= _KEY_LENGTH_MAX and key.isprintable() else uuid4().hex


def from_query(kind: type[T], **given: object) -> T:
    """Return the query in the request's address."""
    return parse(kind, json.dumps(request.args.to_dict()), given)


def form_errors(error: FieldsInvalidError, *, english: bool = False) -> dict[str, list[str]]:
    """Return the faults of a form by field, in the words of one language."""
    found: dict[str, list[str]] = {}
    for one in error.errors:
        name = one.pointer.strip("/").partition("/")[0]
        found.setdefault(name, []).append(one.en if english else one.zh)
    return found
