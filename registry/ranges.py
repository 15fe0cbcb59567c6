"""Serial ranges: which serials leave an account, and how the ranges they lie in are split.

Split rule: the owner keeps the first sub-range, the receiver gets the last.  By amount, whole
ranges leave first, oldest vintage first, and the last one needed is split.  A range is never
edited: it is closed by the event and its parts are opened with it as their parent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from registry import serials
from registry.errors import InvalidValueError, NotFoundError
from registry.serials import SerialRange
from registry.unit_errors import InsufficientBalanceError, UnitNotHeldError


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which units: an amount (of one batch, if given), or serial ranges as printed."""

    kg: int | None = None
    serials: tuple[str, ...] = ()
    batch_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """An open range or a part of it: serials ``first`` to ``last`` of a batch."""

    range_id: UUID
    batch_id: UUID
    prefix: str
    first: int
    last: int

    @property
    def kg(self) -> int:
        """Kilograms in it."""
        return self.last - self.first + 1

    @property
    def serial(self) -> SerialRange:
        """The piece as a serial range."""
        return SerialRange(prefix=self.prefix, first=self.first, last=self.last)


@dataclass(slots=True)
class Pool:
    """The open ranges of one account while an act is planned; nothing is written here.

    ``left`` shrinks as pieces are taken; ``touched`` names the ranges that must be closed.
    """

    account_id: UUID
    left: list[Piece]
    touched: set[UUID] = field(default_factory=set)

    def take(self, wanted: Selection) -> list[Piece]:
        """Take what ``wanted`` says, in serial order.

        Raises
        ------
        InvalidValueError : neither or both of amount and serials, or an amount below one.
        InsufficientBalanceError : less is left than the amount.
        UnitNotHeldError : a serial is not in this account; ``serial``.
        """
        if (wanted.kg is None) == (not wanted.serials):
            raise InvalidValueError(field="selection", value="", why="kg | serials")
        if wanted.kg is not None:
            return self._amount(wanted.kg, wanted.batch_id)
        return [piece for words in wanted.serials for piece in self._serials(serials.parse(words))]

    def kept(self) -> list[Piece]:
        """Return what stays of the ranges that must be closed."""
        return [piece for piece in self.left if piece.range_id in self.touched]

    def _amount(self, kg: int, batch_id: UUID | None) -> list[Piece]:
        if kg < 1:
            raise InvalidValueError(field="kg", value=kg, why="> 0")
        open_ = [piece for piece in self.left if batch_id in (None, piece.batch_id)]
        has = sum(piece.kg for piece in open_)
        if has < kg:
            raise InsufficientBalanceError(account=str(self.account_id), asked=kg, has=has)
        taken: list[Piece] = []
        for piece in open_:
            if kg == 0:
                break
            first = max(piece.first, piece.last - kg + 1)
            taken.append(self._cut(piece, first, piece.last))
            kg -= taken[-1].kg
        return taken

    def _serials(self, wanted: SerialRange) -> list[Piece]:
        met = [
            piece
            for piece in self.left
            if piece.prefix == wanted.prefix
            and piece.first <= wanted.last
            and wanted.first <= piece.last
        ]
        taken = [
            self._cut(piece, max(piece.first, wanted.first), min(piece.last, wanted.last))
            for piece in met
        ]
        if sum(piece.kg for piece in taken) != wanted.kg:
            raise UnitNotHeldError(serial=str(wanted), state="-")
        return taken

    def _cut(self, piece: Piece, first: int, last: int) -> Piece:
        at = self.left.index(piece)
        rest = []
        if piece.first < first:
            rest.append(replace(piece, last=first - 1))
        if last < piece.last:
            rest.append(replace(piece, first=last + 1))
        self.left[at : at + 1] = rest
        self.touched.add(piece.range_id)
        return replace(piece, first=first, last=last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A range to open: its place, its status, and the range it comes from."""

    piece: Piece
    account_id: UUID
    status: str


def load_pool(session: Session, account_id: UUID) -> Pool:
    """Lock the batches an account holds serials of, in id order, and read its open ranges.

    Serials that arrive from another batch after the lock are not in the pool: they count for
    the next act.
    """
    row = {"account": account_id}
    batches = list(session.scalars(_BATCHES, row))
    session.execute(_LOCK, {"ids": batches})
    found = session.execute(_OPEN, row | {"ids": batches})
    return Pool(
        account_id,
        [
            Piece(range_id=r.id, batch_id=r.batch_id, prefix=r.prefix, first=r.first, last=r.last)
            for r in found
        ],
    )


def take(session: Session, pool: Pool, wanted: Selection) -> list[Piece]:
    """Take ``wanted`` from the pool; a refusal names the state the serials are really in.

    Raises
    ------
    UnitNotHeldError : ``serial``, ``state`` (retired, cancelled, buffer, held_by_another).
    NotFoundError : there is no such serial.
    """
    try:
        return pool.take(wanted)
    except UnitNotHeldError as error:
        words = str(error.params["serial"])
        raise UnitNotHeldError(
            serial=words, state=_state(session, serials.parse(words), pool.account_id)
        ) from None


def close(session: Session, event_id: UUID, range_ids: Iterable[UUID]) -> None:
    """Close ranges by an event."""
    found = sorted(range_ids)
    if found:
        session.execute(_CLOSE, {"event": event_id, "ids": found})


def open_ranges(session: Session, event_id: UUID, opened: Sequence[Opened]) -> None:
    """Open ranges by an event, each with its parent."""
    rows = [
        {
            "id": uuid4(),
            "batch": one.piece.batch_id,
            "first": one.piece.first,
            "past": one.piece.last + 1,
            "account": one.account_id,
            "status": one.status,
            "parent": one.piece.range_id,
            "event": event_id,
        }
        for one in opened
    ]
    if rows:
        session.execute(_INSERT, rows)


def settle(
    session: Session, event_id: UUID, pools: Iterable[Pool], moved: Sequence[Opened], *, kept: str
) -> None:
    """Write what was planned: close the touched ranges, open what moved and what stayed.

    ``kept`` is the status of what stays in the pools' accounts.
    """
    touched: set[UUID] = set()
    stayed: list[Opened] = []
    for pool in pools:
        touched |= pool.touched
        stayed += [
            Opened(piece=piece, account_id=pool.account_id, status=kept) for piece in pool.kept()
        ]
    close(session, event_id, touched)
    open_ranges(session, event_id, [*stayed, *moved])


def in_words(pieces: Sequence[Piece]) -> list[list[Any]]:
    """Return pieces as an event's body holds them: [prefix, first, last]."""
    return [[piece.prefix, piece.first, piece.last] for piece in pieces]


def _state(session: Session, wanted: SerialRange, account_id: UUID) -> str:
    rows = session.execute(
        _STATE,
        {
            "prefix": wanted.prefix,
            "first": wanted.first,
            "past": wanted.last + 1,
            "account": account_id,
        },
    ).all()
    for row in rows:
        if row.status != "held":
            return str(row.status)
        if not row.here:
            return "held_by_another"
    raise NotFoundError(what="serial", id=str(wanted))


_BATCHES = text(
    "SELECT DISTINCT batch_id FROM unit_range WHERE account_id = :account AND closed_by IS NULL"
)
_LOCK = text("SELECT lock_batches(:ids)")
_OPEN = text(
    "SELECT r.id, r.batch_id, b.prefix, lower(r.serials) AS first, upper(r.serials) - 1 AS last"
    " FROM unit_range r JOIN batch b ON b.id = r.batch_id"
    " WHERE r.account_id = :account AND r.closed_by IS NULL AND r.batch_id = ANY (:ids)"
    " ORDER BY b.vintage, b.recorded_at, b.prefix, lower(r.serials)"
)
_CLOSE = text("UPDATE unit_range SET closed_by = :event WHERE id = ANY (:ids)")
_INSERT = text(
    "INSERT INTO unit_range (id, batch_id, serials, account_id, status, parent_id, opened_by)"
    " VALUES (:id, :batch, int8range(:first, :past), :account, :status, :parent, :event)"
)
_STATE = text(
    "SELECT status, here"
    " FROM serial_parts(:prefix, int8range(:first, :past), cast(:account AS uuid))"
    " ORDER BY status <> 'held' DESC, first"
)
