"""The OpenAPI 3.1 document: made from the endpoints themselves, committed, and compared in tests.

``python -m web.openapi`` writes ``web/api/openapi.json``.
"""

import json
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from web import messages
from web.api import NOUNS
from web.api.endpoints import Act, Endpoint, Errors, Raw, Read, result_adapter
from web.auth import PUBLIC
from web.errors import IdempotencyKeyMissingError, PreconditionMissingError, Problem, status_of
from web.parsing import FieldsInvalidError, body_model

PATH: Final = Path(__file__).resolve().parent / "api" / "openapi.json"
REF: Final = "#/components/schemas/{model}"
_PART = re.compile(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>")
_KINDS: Final[Mapping[str, dict[str, Any]]] = {
    "uuid": {"type": "string", "format": "uuid"},
    "int": {"type": "integer"},
    "string": {"type": "string"},
}
_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "A repeat with the same key and body acts once and gets the same answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
}


class _Schemas:
    """Schemas gathered first, so that all references are named together."""

    def __init__(self) -> None:
        self._inputs: list[tuple[object, JsonSchemaMode, TypeAdapter[Any]]] = []
        self._found: dict[tuple[object, JsonSchemaMode], Any] = {}

    def want(self, key: object, mode: JsonSchemaMode, adapter: TypeAdapter[Any]) -> None:
        self._inputs.append((key, mode, adapter))

    def build(self) -> dict[str, Any]:
        """Name everything; return the shared definitions."""
        inputs: Any = self._inputs
        self._found, rest = TypeAdapter.json_schemas(inputs, ref_template=REF)
        shared: dict[str, Any] = rest.get("$defs", {})
        return shared

    def schema(self, key: object, mode: JsonSchemaMode) -> dict[str, Any]:
        found: dict[str, Any] = self._found[key, mode]
        return found


def document() -> dict[str, Any]:
    """Return the whole document."""
    schemas = _Schemas()
    endpoints = [(noun, endpoint) for noun in NOUNS for endpoint in noun.endpoints]
    schemas.want("problem", "serialization", TypeAdapter(Problem))
    for _, endpoint in endpoints:
        _want(schemas, endpoint)
    shared = schemas.build()
    paths: dict[str, dict[str, Any]] = {}
    for noun, endpoint in endpoints:
        path = "/api/v1" + _PART.sub(r"{\2}", endpoint.rule)
        method = "get" if isinstance(endpoint, Read) else endpoint.method.lower()
        paths.setdefault(path, {})[method] = _operation(schemas, noun.name, endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "碳汇 Tanhui",
            "version": "1",
            "description": "Amounts are whole kg CO2e, fen and trees; areas are m2 on the CGCS2000"
            " ellipsoid; geometry is GeoJSON in CGCS2000 longitude and latitude.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": noun.name, "description": " ".join(noun.title)} for noun in NOUNS],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(shared.items())),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
                "session": {"type": "apiKey", "in": "cookie", "name": "tanhui_session"},
            },
        },
    }


def text() -> str:
    """Return the document as it is committed and served."""
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"


def _want(schemas: _Schemas, endpoint: Endpoint) -> None:
    if isinstance(endpoint, Act):
        schemas.want((endpoint.name, "in"), "validation", TypeAdapter(_body(endpoint)))
        schemas.want((endpoint.name, "out"), "serialization", result_adapter(endpoint.verb))
    elif isinstance(endpoint, Read):
        schemas.want((endpoint.name, "in"), "validation", TypeAdapter(_query(endpoint)))
        schemas.want((endpoint.name, "out"), "serialization", result_adapter(endpoint.read))


def _body(endpoint: Act) -> Any:  # noqa: ANN401 -- a model class made at run time
    known = {"at", "actor_id", "key", *endpoint.given, *_parts(endpoint.rule)}
    if endpoint.if_match is not None:
        known.add(endpoint.if_match)
    return body_model(endpoint.command, frozenset(known))


def _query(endpoint: Read) -> Any:  # noqa: ANN401 -- a model class made at run time
    return body_model(endpoint.query, frozenset(_parts(endpoint.rule)))


def _parts(rule: str) -> dict[str, dict[str, Any]]:
    return {name: _KINDS[kind or "string"] for kind, name in _PART.findall(rule)}


def _operation(schemas: _Schemas, tag: str, endpoint: Endpoint) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [tag],
        "summary": endpoint.summary[0],
        "description": endpoint.summary[1],
        "x-permission": endpoint.permission,
        "security": []
        if endpoint.permission == PUBLIC
        else [{"token": []}, {"basic": []}, {"session": []}],
    }
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name, schema in _parts(endpoint.rule).items()
    ]
    responses: dict[str, Any] = {}
    if isinstance(endpoint, Raw):
        parameters += endpoint.operation.get("parameters", [])
        responses |= endpoint.operation["responses"]
        if "requestBody" in endpoint.operation:
            made["requestBody"] = endpoint.operation["requestBody"]
    elif isinstance(endpoint, Act):
        parameters += _act_headers(endpoint)
        made["requestBody"] = {
            "required": True,
            "content": _json(schemas.schema((endpoint.name, "in"), "validation")),
        }
        responses[str(int(endpoint.status))] = _success(schemas, endpoint)
    else:
        parameters += _query_parameters(endpoint)
        responses["200"] = _success(schemas, endpoint)
    if parameters:
        made["parameters"] = parameters
    made["responses"] = responses | _refusals(schemas, endpoint)
    return made


def _act_headers(endpoint: Act) -> list[dict[str, Any]]:
    headers: list[dict[str, Any]] = [dict(_KEY)]
    if endpoint.if_match is not None:
        headers.append(
            {
                "name": "If-Match",
                "in": "header",
                "required": True,
                "description": "The version that was seen, as in its ETag.",
                "schema": {"type": "string"},
            }
        )
    return headers


def _query_parameters(endpoint: Read) -> list[dict[str, Any]]:
    schema = _query(endpoint).model_json_schema(ref_template=REF)
    needed = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in needed, "schema": member}
        for name, member in schema.get("properties", {}).items()
    ]


def _success(schemas: _Schemas, endpoint: Act | Read) -> dict[str, Any]:
    made: dict[str, Any] = {
        "description": "OK",
        "content": _json(schemas.schema((endpoint.name, "out"), "serialization")),
    }
    if endpoint.etag is not None:
        made["headers"] = {"ETag": {"schema": {"type": "string"}}}
    return made


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _refusals(schemas: _Schemas, endpoint: Endpoint) -> dict[str, Any]:
    """Document every reason by status, with its code in words; `default` for all else."""
    by_status: dict[int, list[str]] = {}
    for reason in _reasons(endpoint):
        code = str(getattr(reason, "code", None) or getattr(reason, "default_code", ""))
        status = status_of(reason.__new__(reason))
        by_status.setdefault(status, []).append(f"`{code}` {messages.entries()[code]['en']}")
    content = {"application/problem+json": {"schema": schemas.schema("problem", "serialization")}}
    made: dict[str, Any] = {
        str(status): {"description": "; ".join(words), "content": content}
        for status, words in sorted(by_status.items())
    }
    made["default"] = {"description": HTTPStatus.BAD_REQUEST.phrase, "content": content}
    return made


def _reasons(endpoint: Endpoint) -> Iterable[type[Exception]]:
    reasons: Errors = endpoint.raises
    if isinstance(endpoint, Act):
        reasons = (*reasons, FieldsInvalidError, IdempotencyKeyMissingError)
        if endpoint.if_match is not None:
            reasons = (*reasons, PreconditionMissingError)
    return reasons


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
