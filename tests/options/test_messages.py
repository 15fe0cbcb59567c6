"""Each reason has its text and remedy in both languages, and no text without a reason."""

import tomllib
from pathlib import Path
from string import Formatter

from options import errors

TEXTS = tomllib.loads(
    (Path(__file__).parents[2] / "web" / "messages" / "options.toml").read_text("utf-8")
)


def classes():
    found = [c for c in vars(errors).values() if isinstance(c, type)]
    return [c for c in found if issubclass(c, errors.OptionsError)]


def test_codes_and_entries_match():
    codes = [c.code for c in classes()]
    assert len(set(codes)) == len(codes)
    # other modules of options may add entries; every one of ours must stand
    assert set(codes) <= set(TEXTS)


def test_entries_are_whole_and_use_the_same_params_in_both_languages():
    for code, entry in TEXTS.items():
        assert set(entry) == {"zh", "en", "remedy_zh", "remedy_en"}, code
        names = {
            key: {name for _, name, _, _ in Formatter().parse(text) if name}
            for key, text in entry.items()
        }
        assert names["zh"] == names["en"], code
        assert "林碳期权" not in entry["zh"], code
