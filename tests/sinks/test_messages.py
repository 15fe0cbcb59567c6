import re
import tomllib
from pathlib import Path

import sinks

ROOT = Path(sinks.__file__).parent
MESSAGES = tomllib.loads((ROOT.parent / "web/messages/sinks.toml").read_text(encoding="utf-8"))
CODE = re.compile(r"\"([A-Z]+(?:_[A-Z]+)+)\"")
NO_CODES = {"GWP_N2O"}


def codes() -> set[str]:
    found: set[str] = set()
    for path in ROOT.rglob("*.py"):
        found |= set(CODE.findall(path.read_text(encoding="utf-8")))
    return found - NO_CODES


def test_every_code_has_its_words_and_none_is_left_over():
    assert codes() == set(MESSAGES)


def test_every_entry_has_both_languages_and_a_remedy():
    for code, entry in MESSAGES.items():
        assert set(entry) == {"zh", "en", "remedy_zh", "remedy_en"}, code
        fields = [set(re.findall(r"\{(\w+)", entry[k])) for k in ("zh", "en")]
        assert fields[0] == fields[1], code
