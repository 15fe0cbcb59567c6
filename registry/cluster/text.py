"""One line of Chinese and English for a cluster code.

The cluster speaks before anything else of the product runs (``make run``, a bare machine), so it
reads its own message file as data instead of asking the web package for it.
"""

import functools
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

MESSAGES = Path(__file__).resolve().parents[2] / "web" / "messages" / "cluster.toml"

Say = Callable[[str], object]


@functools.cache
def _entries() -> dict[str, dict[str, str]]:
    try:
        return tomllib.loads(MESSAGES.read_text(encoding="utf-8"))
    except FileNotFoundError:  # a wheel without the web package still has its codes
        return {}


def line(code: str, params: Mapping[str, object] | None = None, *, remedy: bool = False) -> str:
    """Return ``Chinese / English`` for a code, with the remedy where one is wanted."""
    values = dict(params or {})
    entry = _entries().get(code)
    if entry is None:
        return " ".join([code, *(f"{key}={value}" for key, value in values.items())])
    zh, en = entry["zh"].format(**values), entry["en"].format(**values)
    if remedy:
        zh = f"{zh}。{entry['remedy_zh'].format(**values)}"
        en = f"{en}. {entry['remedy_en'].format(**values)}"
    return f"{zh} / {en}"
