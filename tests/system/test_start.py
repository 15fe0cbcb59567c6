"""The command line starts fast: whoever reads a record waits for no science, page or migration."""

import json
import os
import subprocess
import sys

import pytest

from web.cli import FOLDER, NOUNS, VERBS, about
from web.config import ROOT

HEAVY = (
    "alembic",
    "flask",
    "numba",
    "pandas",
    "procrastinate",
    "pyogrio",
    "pyproj",
    "rasterio",
    "scipy",
)
LIGHT = (
    "distribution", "factor", "label", "log", "lot", "orchard",
    "period", "programme", "settlement", "subscription", "unit",
)  # fmt: skip


@pytest.mark.parametrize("noun", LIGHT)
def test_a_noun_that_needs_the_database_alone_loads_nothing_heavy(noun):
    program = (
        f"import sys, json, web.cli, web.cli.{noun}, web.cli.output;"
        f"print(json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == []


def test_the_list_of_commands_says_what_each_is_for_and_imports_none():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "web.cli", "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    for noun in (*NOUNS, *VERBS):
        assert noun in done.stdout
    for noun in NOUNS:
        assert about(FOLDER / f"{noun}.py"), noun
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not loaded & {"sqlalchemy", "numpy", "registry"}


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ({"TANHUI_DATABASE": "tanhui_there_is_none"}, "DATABASE_MISSING"),
        ({"TANHUI_DATABASE_URL": "postgresql+psycopg://a:word@127.0.0.1:1/b"}, "DATABASE_AWAY"),
    ],
)
def test_a_database_that_is_not_there_is_said_in_words(pg, setting, code):
    done = subprocess.run(
        [sys.executable, "-m", "web.cli", "lot", "list", "--json"],
        capture_output=True, text=True, check=False, cwd=ROOT, env={**os.environ, **setting},
    )  # fmt: skip
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["code"] == code
    assert "Traceback" not in done.stderr
    assert "word" not in done.stdout + done.stderr
