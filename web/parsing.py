"""From JSON to a frozen command or query: its fields are the schema; every faulty one is named.

``at``, ``actor_id`` and ``key`` are filled in by the edge and can not be sent.
"""

import warnings
from collections.abc import Hashable, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from functools import cache
from typing import Any, Final, TypeVar, cast, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic import Field as Default
from pydantic_core import ErrorDetails

from registry.db import Command
from registry.errors import RegistryError
from web import messages

T = TypeVar("T")
GIVEN: Final = frozenset({"at", "actor_id", "key"})
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


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """What is wrong with one field: where it stands in the body, and why, in both languages."""

    pointer: str
    code: str
    zh: str
    en: str


class FieldsInvalidError(RegistryError):
    """The body or query does not fit: all faulty fields at once."""

    code = "FIELDS_INVALID"

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        self.errors = errors
        super().__init__(count=len(errors))


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
