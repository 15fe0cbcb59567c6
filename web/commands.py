"""From what came over the wire to a frozen command: one parser for JSON bodies and for forms.

The fields of a command are its schema; ``at``, ``actor_id`` and ``key`` are filled in here and can
not be sent.
"""

import json
import warnings
from collections.abc import Hashable, Mapping
from dataclasses import MISSING, Field, fields
from functools import cache
from typing import Any, Final, TypeVar, cast, get_type_hints
from uuid import uuid4

from flask import request
from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic import Field as Default
from pydantic_core import ErrorDetails

from registry.db import Command
from web import messages
from web.context import actor, now
from web.errors import FieldError, FieldsInvalidError, IdempotencyKeyMissingError

CommandT = TypeVar("CommandT", bound=Command)
T = TypeVar("T")
GIVEN: Final = frozenset({"at", "actor_id", "key"})
KEY_FIELD: Final = "request_key"
"""Hidden field of every form that changes something; the page's own Idempotency-Key."""
_KEY_LENGTH_MAX: Final = 200
_CODES: Final[Mapping[str, str]] = {
    "missing": "FIELD_MISSING",
    "extra_forbidden": "FIELD_UNKNOWN",
    "literal_error": "FIELD_CHOICE",
    "json_invalid": "BODY_NOT_JSON",
    "uuid_parsing": "FIELD_FORMAT",
    "date_from_datetime_parsing": "FIELD_FORMAT",
    "date_parsing": "FIELD_FORMAT",
    "datetime_parsing": "FIELD_FORMAT",
    "int_parsing": "FIELD_FORMAT",
    "float_parsing": "FIELD_FORMAT",
    "bool_parsing": "FIELD_FORMAT",
    "string_too_long": "FIELD_RANGE",
    "greater_than": "FIELD_RANGE",
    "greater_than_equal": "FIELD_RANGE",
    "less_than": "FIELD_RANGE",
    "less_than_equal": "FIELD_RANGE",
    "finite_number": "FIELD_RANGE",
}


def body_model(kind: type[Any], given: frozenset[str] = frozenset()) -> type[BaseModel]:
    """Return the model of what a caller sends for a command or a query.

    Parameters
    ----------
    kind : a frozen dataclass.
    given : fields that come from elsewhere (path, header); not in the body.
    """
    return _model(cast("Hashable", kind), given)


@cache
def _model(key: Hashable, given: frozenset[str]) -> type[BaseModel]:
    kind = cast("type[Any]", key)
    hints = get_type_hints(kind, include_extras=True)
    members: dict[str, Any] = {
        field.name: (hints[field.name], _default(field))
        for field in fields(kind)
        if field.name not in GIVEN | given
    }
    config = ConfigDict(
        extra="forbid",
        allow_inf_nan=False,
        ser_json_bytes="hex",
        val_json_bytes="hex",
        str_max_length=20_000,
    )
    with warnings.catch_warnings():  # a field may be called as a class method of every model is
        warnings.filterwarnings("ignore", "Field name .* shadows an attribute", UserWarning)
        return create_model(kind.__name__, __config__=config, **members)


def _default(field: Field[Any]) -> Any:  # noqa: ANN401
    if field.default_factory is not MISSING:
        return Default(default_factory=field.default_factory)
    return ... if field.default is MISSING else field.default


def parse(kind: type[T], raw: bytes | str, given: Mapping[str, object]) -> T:
    """Return a value of ``kind`` from JSON and from what is known already.

    Raises
    ------
    FieldsInvalidError : every faulty field with its pointer.
    """
    text = raw if isinstance(raw, bytes) else raw.encode()
    if b"\\u0000" in text:
        raise FieldsInvalidError((field_error("", "FIELD_FORMAT"),))
    known = set(given)
    if issubclass(kind, Command):
        known |= GIVEN
    try:
        body = body_model(kind, frozenset(known)).model_validate_json(text or b"{}")
    except ValidationError as error:
        raise FieldsInvalidError(tuple(_said(one) for one in error.errors())) from error
    values = {name: getattr(body, name) for name in type(body).model_fields}
    return kind(**values, **given)


def field_error(pointer: str, code: str, **params: object) -> FieldError:
    """Return one faulty field in words."""
    said = messages.say(code, params)
    return FieldError(pointer=pointer, code=code, zh=said.zh, en=said.en)


def _said(error: ErrorDetails) -> FieldError:
    code = _CODES.get(error["type"], "FIELD_TYPE")
    pointer = "".join(f"/{part}" for part in error["loc"])
    field = str(error["loc"][-1]) if error["loc"] else "—"
    choices = error.get("ctx", {}).get("expected", "")
    return field_error(pointer, code, field=field, why=error["msg"], choices=choices)


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
