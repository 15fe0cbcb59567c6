"""How the command line speaks: people read lines, machines read JSON, errors go to stderr."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

from web import messages


def show(value: Any, *, as_json: bool, lines: list[str]) -> None:  # noqa: ANN401
    """Print ``value`` as JSON for a machine, or ``lines`` for a person."""
    if as_json:
        print(json.dumps(_plain(value), ensure_ascii=False, indent=2, default=str))
    else:
        for line in lines:
            print(line)


def refuse(error: Exception) -> int:
    """Say on stderr what was refused, why, and how to mend it; return the exit code."""
    error = _of_database(error) or error
    code = getattr(error, "code", None)
    params = getattr(error, "params", None)
    if not (isinstance(code, str) and code.isupper() and isinstance(params, Mapping)):
        raise error
    said = messages.say(code, params)
    print(f"[{code}] {said.zh}", file=sys.stderr)
    print(f"  {said.en}", file=sys.stderr)
    for remedy in filter(None, (said.remedy_zh, said.remedy_en)):
        print(f"  → {remedy}", file=sys.stderr)
    fields = [asdict(one) for one in getattr(error, "errors", ())]
    for one in fields:
        print(
            f"  {one['pointer'] or '/'} [{one['code']}] {one['zh']} / {one['en']}", file=sys.stderr
        )
    if "--json" in sys.argv:
        more = {"fields": fields} if fields else {}
        print(json.dumps({"error": {"code": code} | asdict(said) | more}, ensure_ascii=False))
    return 1


def _of_database(error: Exception) -> Exception | None:
    """Return our reason for what the database refused, or could not do."""
    if not type(error).__module__.startswith("sqlalchemy"):
        return None
    from sqlalchemy.exc import DBAPIError

    from registry.refusals import refusal_of, trouble_of

    return (refusal_of(error) or trouble_of(error)) if isinstance(error, DBAPIError) else None


def _plain(value: Any) -> Any:  # noqa: ANN401
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
