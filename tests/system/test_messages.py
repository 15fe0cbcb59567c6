"""Every code a package can raise has words in both languages."""

import ast
from pathlib import Path

import pytest

from web import messages

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("geo", "sinks", "registry", "options", "web")


def class_codes() -> set[str]:
    """Codes set as class attributes of error classes."""
    found = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not (isinstance(node, ast.ClassDef) and node.name.endswith("Error")):
                    continue
                for item in node.body:
                    target = item.target if isinstance(item, ast.AnnAssign) else None
                    if isinstance(item, ast.Assign):
                        target = item.targets[0]
                    named = isinstance(target, ast.Name) and target.id in {"code", "default_code"}
                    if named and isinstance(item.value, ast.Constant):
                        found.add(item.value.value)
    return found


BASES = {"REGISTRY_ERROR", "GEO_ERROR", "OPTIONS_REFUSED", "SINKS_ERROR"}
"""Codes of base classes, which are never raised themselves."""


@pytest.mark.parametrize("code", sorted(class_codes() - BASES))
def test_a_code_has_words(code):
    assert code in messages.entries()


@pytest.mark.parametrize("code", sorted(messages.entries()))
def test_words_are_complete(code):
    words = messages.entries()[code]
    assert set(words) == {"zh", "en", "remedy_zh", "remedy_en"}
    assert words["zh"]
    assert words["en"]


def test_lists_and_positions_read_as_people_write_them():
    said = messages.say("EQUATION_VARIABLES", {"key": "k", "needed": ["a", "b"], "given": []})
    assert "a、b" in said.zh
    assert "a, b" in said.en
    assert ("无" in said.zh, "none" in said.en) == (True, True)
    assert "第 1 个" in messages.say("VALUE_NEGATIVE", {"name": "n", "index": 0, "value": -1}).zh
