"""A contended quantity in parts: many writers take from it at once and it is never oversold.

The quantity of ``owner_ref`` (a lot, say) lies in n rows.  A taker uses the first row that nobody
holds and that is large enough; else all rows are locked in order and counted, and only then is
"sold out" said.  Whoever takes twice in one transaction can meet another such writer crosswise;
the database then ends one of them and ``registry.db.attempt`` repeats it.
"""

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from registry.unit_errors import SlotsUnknownError, SoldOutError, refusals

PARTS: Final = 16
_REASONS: Final = {"slot_sold_out": SoldOutError, "slot_unknown": SlotsUnknownError}


def fill(session: Session, owner_ref: str, quantity: int, *, slots: int = PARTS) -> None:
    """Add ``quantity`` (> 0) to the parts of ``owner_ref``, evenly; they are made if missing."""
    session.execute(_FILL, {"owner": owner_ref, "quantity": quantity, "parts": slots})


def take(session: Session, owner_ref: str, quantity: int) -> int:
    """Take ``quantity`` (> 0) and return it; all or nothing.

    Raises
    ------
    SoldOutError : ``owner``, ``asked``, ``has``: the sum of all parts, counted under lock.
    """
    with refusals(dict(_REASONS)):
        session.execute(_TAKE, {"owner": owner_ref, "quantity": quantity})
    return quantity


def give_back(session: Session, owner_ref: str, quantity: int) -> None:
    """Return ``quantity`` (> 0) that was taken before.

    Raises
    ------
    SlotsUnknownError : nothing was ever filled for ``owner_ref``.
    """
    with refusals(dict(_REASONS)):
        session.execute(_GIVE, {"owner": owner_ref, "quantity": quantity})


def drain(session: Session, owner_ref: str) -> int:
    """Take everything that is left, under lock of all parts, and return how much it was."""
    return int(session.scalar(_DRAIN, {"owner": owner_ref}) or 0)


def left(session: Session, owner_ref: str) -> int:
    """Return the sum of the parts as of now, without a lock."""
    return int(session.scalar(_LEFT, {"owner": owner_ref}) or 0)


_FILL = text("SELECT slot_fill(:owner, :quantity, :parts)")
_TAKE = text("SELECT slot_take(:owner, :quantity)")
_GIVE = text("SELECT slot_give_back(:owner, :quantity)")
_DRAIN = text("SELECT slot_drain(:owner)")
_LEFT = text("SELECT sum(quantity) FROM slot WHERE owner_ref = :owner")
