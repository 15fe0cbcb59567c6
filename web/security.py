"""What every answer carries, and how large a request may be."""

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar
from uuid import uuid4

from flask import Flask, Response, current_app, g, request

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:;"
    " font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(self), microphone=(), payment=(), usb=()",
}
BODY_BYTES_MAX: Final = 2 * 1024 * 1024
"""Size of a request unless its view says otherwise (:func:`body_limit`)."""

ViewT = TypeVar("ViewT", bound=Callable[..., Any])
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def body_limit(bytes_max: int) -> Callable[[ViewT], ViewT]:
    """Mark a view that takes larger bodies: files."""

    def mark(view: ViewT) -> ViewT:
        view.body_bytes_max = bytes_max  # type: ignore[attr-defined]
        return view

    return mark


def begin() -> None:
    """Name the request and bound its body; runs before every request."""
    asked = request.headers.get("X-Request-ID", "")
    g.request_id = asked if _REQUEST_ID.fullmatch(asked) else uuid4().hex
    view: object = current_app.view_functions.get(request.endpoint or "")
    request.max_content_length = getattr(view, "body_bytes_max", BODY_BYTES_MAX)
    request.max_form_memory_size = BODY_BYTES_MAX


def finish(response: Response) -> Response:
    """Add the headers; what a person sees while signed in is not kept by caches."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-ID"] = str(g.get("request_id", ""))
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.endpoint == "static":
        if request.args.get("v"):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        response.headers.setdefault("Cache-Control", "no-cache, private")
    return response


def register(app: Flask) -> None:
    """Guard ``app``."""
    app.before_request(begin)
    app.after_request(finish)
