"""Every word of the pages has its English, and the compiled catalogue is the written one."""

import re

from web import translations


def test_every_text_has_its_english():
    known = translations.catalogue()
    bare = sorted(
        text for text in translations.said() if not (known.get(text) and known[text].string)
    )
    assert bare == [], "run: python -m web.translations, and fill in messages.po"


def test_the_compiled_catalogue_is_the_written_one():
    assert translations.MO.read_bytes() == translations.compiled(translations.catalogue())


def test_placeholders_are_the_same_in_both_languages():
    for message in translations.catalogue():
        if message.id:
            found = [
                sorted(re.findall(r"%\(\w+\)s|\{\w+\}", text))
                for text in (message.id, message.string)
            ]
            assert found[0] == found[1], message.id
