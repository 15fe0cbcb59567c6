"""From what a farmer fills in to a line of the book: percentages become exact kilograms."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from flask_babel import gettext
from werkzeug.datastructures import FileStorage

from registry.orchards import books
from registry.orchards.lines import FERTILISERS, HARVEST, KINDS, PRACTICES, UNITS, LineEntry
from web.commands import form_key
from web.context import actor, now
from web.parsing import FieldError, FieldsInvalidError, field_error

_NUMBER: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
_PERCENT: Final = re.compile(r"(100|[0-9]{1,2})(\.[0-9]{1,2})?")
_HUNDRED: Final = Decimal(100)
NUTRIENTS: Final = ("n", "p2o5", "k2o")


class Filled:
    """A form as it was filled in; every faulty field is kept with its reason."""

    def __init__(self, form: Mapping[str, str]) -> None:
        self._form = form
        self.errors: list[FieldError] = []

    def text(self, name: str, longest: int = 200) -> str:
        """Return a field's text without its surrounding blanks."""
        return self._form.get(name, "").strip()[:longest]

    def wrong(self, name: str, code: str, why: str = "") -> None:
        """Keep what is wrong with a field."""
        self.errors.append(field_error(f"/{name}", code, field=_word(name), why=why, choices=why))

    def number(self, name: str, pattern: re.Pattern[str] = _NUMBER, *, needed: bool = True) -> str:
        """Return a plain decimal, ``0`` where it is missing or faulty."""
        value = self.text(name).replace(",", "")
        if not value:
            if needed:
                self.wrong(name, "FIELD_MISSING")
            return "0"
        if not pattern.fullmatch(value):
            self.wrong(name, "FIELD_FORMAT", "0-9")
            return "0"
        return value

    def day(self, name: str) -> date:
        """Return a date; the first of all where it is missing or faulty."""
        try:
            return date.fromisoformat(self.text(name))
        except ValueError:
            self.wrong(name, "FIELD_FORMAT" if self.text(name) else "FIELD_MISSING", "YYYY-MM-DD")
            return date.min


def add_line(
    form: Mapping[str, str],
    photo: FileStorage | None,
    keep: Callable[[FileStorage], str],
    *,
    orchard_id: UUID,
    year: int,
) -> books.AddLines:
    """Return the command of one filled-in line.

    Parameters
    ----------
    keep : stores a photo and returns its SHA-256.

    Raises
    ------
    FieldsInvalidError : every faulty field.
    PhotoInvalidError : the photo is none.
    """
    filled = Filled(form)
    kind = filled.text("kind")
    if kind not in KINDS:
        filled.wrong("kind", "FIELD_CHOICE", " / ".join(sorted(KINDS)))
    day = filled.day("on_date")
    amounts = _amounts(filled, kind)
    if filled.errors:
        raise FieldsInvalidError(tuple(filled.errors))
    sha256 = keep(photo) if photo is not None and photo.filename else None
    entry = LineEntry(
        client_id=filled.text("client_id", 80) or form_key(),
        kind=kind,
        on_date=day,
        unit=UNITS[kind][0],
        product=filled.text("product", 80) if kind in FERTILISERS else "",
        evidence=filled.text("evidence"),
        photo_sha256=sha256,
        **amounts,  # type: ignore[arg-type]  # amounts are decimal text
    )
    return books.AddLines(
        at=now(),
        actor_id=actor().id,
        key=form_key(),
        orchard_id=orchard_id,
        year=year,
        lines=[entry],
    )


def _amounts(filled: Filled, kind: str) -> dict[str, str | None]:
    """Return quantity, nutrients and premium part as exact decimals."""
    if kind in PRACTICES:
        share = Decimal(filled.number("area_percent", _PERCENT)) / _HUNDRED
        return {"quantity": _plain(share)}
    quantity = filled.number("quantity")
    made: dict[str, str | None] = {"quantity": quantity}
    if kind in FERTILISERS:
        for name in NUTRIENTS:
            percent = filled.number(f"{name}_percent", _PERCENT, needed=False)
            kg = (Decimal(quantity) * Decimal(percent) / _HUNDRED).quantize(Decimal("0.000001"))
            made[f"{name}_kg"] = _plain(kg)
    if kind == HARVEST and filled.text("premium_kg"):
        made["premium_kg"] = filled.number("premium_kg")
    return made


def _word(name: str) -> str:
    """Return a field's word in the reader's language."""
    known: dict[str, str] = {
        "kind": gettext("种类"),
        "quantity": gettext("数量"),
        "on_date": gettext("日期"),
        "premium_kg": gettext("其中优质果"),
        "area_percent": gettext("占果园面积"),
        "n_percent": gettext("含氮 N"),
        "p2o5_percent": gettext("含磷 P₂O₅"),
        "k2o_percent": gettext("含钾 K₂O"),
    }
    return known.get(name, name)


def _plain(value: Decimal) -> str:
    words = format(value, "f")
    return words.rstrip("0").rstrip(".") if "." in words else words
