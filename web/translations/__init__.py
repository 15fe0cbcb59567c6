"""The English catalogue of the pages; Chinese stands in the templates themselves.

``python -m web.translations`` gathers what the templates and pages say, keeps what is translated,
and compiles ``messages.mo``.  Both files are committed; a test holds them against the templates.
"""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

HERE: Final = Path(__file__).resolve().parent
WEB: Final = HERE.parent
PO: Final = HERE / "en" / "LC_MESSAGES" / "messages.po"
MO: Final = PO.with_suffix(".mo")
METHODS: Final = [("pages/**.py", "python"), ("*.py", "python"), ("templates/**.html", "jinja2")]
OPTIONS: Final = {"templates/**.html": {"silent": "false"}}
_DATE: Final = datetime(2026, 1, 1, tzinfo=UTC)  # constant, so that the file says only words
KEYWORDS: Final = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}


def said() -> set[str]:
    """Return every text that templates and pages say."""
    found = extract_from_dir(
        str(WEB), method_map=METHODS, options_map=OPTIONS, keywords=KEYWORDS, comment_tags=()
    )
    return {text if isinstance(text, str) else text[0] for _, _, text, _, _ in found}


def catalogue() -> Catalog:
    """Return the committed catalogue."""
    with PO.open("rb") as stream:
        return read_po(stream, locale="en")


def compiled(catalog: Catalog) -> bytes:
    """Return the catalogue as the program reads it."""
    made = io.BytesIO()
    write_mo(made, catalog)
    return made.getvalue()


def update() -> list[str]:
    """Bring catalogue and compiled file up to date; return what still has no English."""
    old = catalogue() if PO.exists() else Catalog(locale="en")
    new = Catalog(
        locale="en",
        project="tanhui",
        charset="utf-8",
        fuzzy=False,
        header_comment="# English for the pages; the source language is Chinese.",
        creation_date=_DATE,
        revision_date=_DATE,
    )
    missing = []
    for text in sorted(said()):
        kept = old.get(text)
        words = kept.string if kept is not None else ""
        new.add(text, words)
        if not words:
            missing.append(text)
    PO.parent.mkdir(parents=True, exist_ok=True)
    with PO.open("wb") as stream:
        write_po(stream, new, omit_header=False, width=100, sort_output=True)
    MO.write_bytes(compiled(new))
    return missing
