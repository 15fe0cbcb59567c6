"""Rules of the house that a machine can hold: factors in one place, settings documented."""

import re
from pathlib import Path

import pytest

from web.config import Settings

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("geo", "sinks", "registry", "options", "web")
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
FACTORS = re.compile(r"44\s*/\s*12|44\s*/\s*28|273\.15|2000\s*/\s*3\b|\b666\.6|\b0\.0667\b")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_conversion_factors_stand_in_units_only(path):
    if path == ROOT / "sinks" / "units.py":
        return
    code = re.sub(r'""".*?"""|#[^\n]*', "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert not FACTORS.search(code), "import it from sinks.units"


def test_every_setting_stands_in_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [name for name in Settings.model_fields if f"`TANHUI_{name.upper()}`" not in readme]
    assert missing == []


def test_every_package_has_a_readme():
    assert [p for p in PACKAGES if not (ROOT / p / "README.md").exists()] == []


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("requirements*.lock")), ids=lambda path: path.name
)
def test_lock_files_hold_no_address(path):
    assert "://" not in path.read_text(encoding="utf-8")


def test_commits_of_a_session_stay_in_registry_db():
    """Verbs never commit: the caller owns the transaction."""
    offenders = [
        str(path.relative_to(ROOT))
        for package in ("registry", "options")
        for path in (ROOT / package).rglob("*.py")
        if "session.commit(" in path.read_text(encoding="utf-8")
    ]
    assert offenders == []
