"""The command line starts fast: whoever reads a record waits for no science, page or migration."""

import json
import subprocess
import sys

import pytest

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
