"""Who may call what: every view says it, and what says nothing is closed.

A view carries ``@requires(permission)`` or ``@public``.  The guard runs before every request, so
that a view without a mark answers nobody; ``tests/web/test_routes.py`` walks the address map.
Which plots and parties an actor may see is the reads' and verbs' business; here are only acts.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from flask import current_app, g, request

from registry.errors import NotPermittedError, RegistryError
from registry.people import ROLES, ActorView

ViewT = TypeVar("ViewT", bound=Callable[..., Any])
PUBLIC: Final = "public"
SIGNED_IN: Final = "account:use"

_PLACES = frozenset({"parcel:read", "project:read"})
_READS = _PLACES | {
    "assessment:read",
    "period:read",
    "unit:read",
    "lot:read",
    "subscription:read",
    "settlement:read",
    "orchard:read",
    "label:read",
    "job:read",
    "statement:read",
    "tree:read",
    "change:read",
}
_ROLE_PERMISSIONS: Mapping[str, frozenset[str]] = {
    "township": _READS
    | {
        "project:write",
        "parcel:draw",
        "parcel:import",
        "tree:write",
        "eligibility:run",
        "plot:write",
        "orchard:write",
        "orchard:book",
        "label:object",
        "reward:redeem",
    },
    "county": _READS
    | {
        "parcel:draw",
        "parcel:import",
        "parcel:decide",
        "programme:write",
        "project:write",
        "layer:write",
        "assessment:run",
        "change:run",
        "change:decide",
        "period:open",
        "plot:write",
        "unit:issue",
        "lot:decide",
        "orchard:write",
        "orchard:decide",
        "label:decide",
        "reward:issue",
        "reward:redeem",
        "eligibility:run",
        "county:read",
        "user:manage",
        "log:read",
    },
    "company": _READS
    | {
        "plot:write",
        "project:write",
        "lot:write",
        "subscription:confirm",
        "payment:record",
        "settlement:write",
        "distribution:write",
        "unit:issue",
        "reward:redeem",
        "county:read",
        "unit:hold",
    },
    "collective": _PLACES
    | {
        "project:write",
        "unit:hold",
        "lot:read",
        "lot:confirm",
        "settlement:read",
        "distribution:write",
        "statement:read",
        "unit:read",
        "orchard:read",
        "orchard:book",
        "label:read",
        "label:object",
        "assessment:read",
        "change:read",
        "tree:read",
        "tree:write",
    },
    "farmer": frozenset(
        {"parcel:read", "orchard:read", "orchard:book", "label:read", "label:object",
         "statement:read", "tree:read"}
    ),
    "buyer": frozenset(
        {"lot:read", "subscription:read", "subscription:write", "unit:read", "unit:hold"}
    ),
    "verifier": _PLACES
    | {
        "assessment:read",
        "change:read",
        "period:read",
        "period:verify",
        "plot:write",
        "unit:read",
    },
    "bank": frozenset({"report:read"}),
    "auditor": _READS | {"log:read", "report:read", "county:read"},
    "system": frozenset(),
}  # fmt: skip
PERMISSIONS: Final = frozenset({SIGNED_IN}).union(*_ROLE_PERMISSIONS.values())
"""Every permission there is; a view that asks for another one fails at import."""


class SignInNeededError(RegistryError):
    """The public may not see this."""

    code = "SIGN_IN_NEEDED"


def requires(permission: str) -> Callable[[ViewT], ViewT]:
    """Mark a view as open to actors who hold ``permission``.

    Raises
    ------
    ValueError : nobody can hold this permission; most likely a slip of the pen.
    """
    if permission not in PERMISSIONS:
        raise ValueError(f"{permission} is in no role's list in web/auth.py")

    def mark(view: ViewT) -> ViewT:
        view.permission = permission  # type: ignore[attr-defined]
        return view

    return mark


class SecondFactorNeededError(RegistryError):
    """It moves value, and the actor's role needs a sign-in with a code for that."""

    code = "SECOND_FACTOR_NEEDED"


def moves_value(view: ViewT) -> ViewT:
    """Mark a view as moving units or money: some roles need the second factor for it."""
    view.moves_value = True  # type: ignore[attr-defined]
    return view


def public(view: ViewT) -> ViewT:
    """Mark a view as open to everybody."""
    view.permission = PUBLIC  # type: ignore[attr-defined]
    return view


def permission_of(endpoint: str) -> str | None:
    """Return the mark of the view behind an endpoint, or None where it has none."""
    view = current_app.view_functions.get(endpoint)
    found: str | None = getattr(view, "permission", None)
    return found


def may(who: ActorView | None, permission: str) -> bool:
    """Say whether an actor holds a permission; the system holds all."""
    if permission == PUBLIC:
        return True
    if who is None:
        return False
    if permission == SIGNED_IN or who.has("system"):
        return True
    return any(permission in _ROLE_PERMISSIONS.get(role, frozenset()) for role in who.roles)


def roles_with(permission: str) -> tuple[str, ...]:
    """Return the roles that hold a permission."""
    return tuple(role for role, held in _ROLE_PERMISSIONS.items() if permission in held)


def _require_code(endpoint: str, who: ActorView | None) -> None:
    """Refuse to move value without the second factor where the settings ask for it."""
    view = current_app.view_functions.get(endpoint)
    if who is None or not getattr(view, "moves_value", False) or g.get("second_factor"):
        return
    if current_app.config["TANHUI"].code_roles.intersection(who.roles):
        raise SecondFactorNeededError


def guard() -> None:
    """Refuse a request whose view is closed to who asks; runs before every request.

    Raises
    ------
    SignInNeededError, NotPermittedError : the caller is unknown, or lacks the permission.
    SecondFactorNeededError : it moves value, and the caller signed in without a code.
    """
    if request.endpoint is None:
        return  # no such address: 404 follows
    needed = permission_of(request.endpoint)
    who: ActorView | None = g.get("actor")
    if needed is not None and may(who, needed):
        _require_code(request.endpoint, who)
        return
    if who is None and needed is not None:
        raise SignInNeededError
    names = "/".join(ROLES[role] for role in roles_with(needed)) if needed else "—"
    raise NotPermittedError(needs=names)
