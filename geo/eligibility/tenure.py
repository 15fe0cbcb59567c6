"""Right to the land: a document of an accepted kind that lasts as long as the crediting period."""

from datetime import date

from geo.eligibility.table import Answer, ParcelTable, RuleAnswer, Thresholds

NAME = "tenure"
UNLIMITED = "unlimited"


def tenure(parcels: ParcelTable, thresholds: Thresholds) -> list[RuleAnswer]:
    """Check kind, number and end of the title.

    Thresholds: ``documents`` (list of accepted kinds). The title must reach 31 December of
    ``crediting_to``; a title of the owner itself is ``tenure_until = "unlimited"``.
    """
    accepted = thresholds["documents"].texts
    return [_one(parcels, row, accepted) for row in range(len(parcels))]


def _one(parcels: ParcelTable, row: int, accepted: tuple[str, ...]) -> RuleAnswer:
    """Answer for one parcel; what is missing is named before what is wrong."""
    kind = parcels.text(row, "tenure_type")
    if kind is not None and kind not in accepted:
        params = {"measured": kind, "threshold": ", ".join(accepted), "unit": "document"}
        return _answer(row, Answer.NOT_ELIGIBLE, "RULE_TENURE_KIND", params)
    needed = ("tenure_type", "tenure_document", "tenure_until", "crediting_to")
    missing = [key for key in needed if parcels.text(row, key) is None]
    last = parcels.number(row, "crediting_to")
    until = _until(parcels, row)
    if missing or last is None or until is None:
        params = {"missing": ", ".join(missing or ["tenure_until", "crediting_to"])}
        return _answer(row, Answer.NEEDS_DOCUMENTS, "RULE_TENURE_MISSING", params)
    end = date(int(last), 12, 31)
    params = {
        "measured": UNLIMITED if until == date.max else until.isoformat(),
        "threshold": end.isoformat(),
        "unit": "date",
        "document": str(parcels.text(row, "tenure_document")),
    }
    if until < end:
        return _answer(row, Answer.NOT_ELIGIBLE, "RULE_TENURE_TOO_SHORT", params)
    return _answer(row, Answer.ELIGIBLE, "RULE_TENURE_HELD", params)


def _until(parcels: ParcelTable, row: int) -> date | None:
    """Last day of the title; the last day there is for an owner; None when it cannot be read."""
    text = parcels.text(row, "tenure_until")
    if text is None:
        return None
    if text == UNLIMITED:
        return date.max
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _answer(row: int, answer: Answer, code: str, params: dict[str, str]) -> RuleAnswer:
    """Build the answer."""
    return RuleAnswer(parcel=row, rule=NAME, answer=answer, code=code, params=params)
