"""Numbered trees of a parcel: registered, photographed, reported dead, replaced.

A tree stands on an approved parcel of kind tree, not farther outside it than a hand-held receiver
errs.  Its number is never given again; a dead tree of a pack gives its place to a live one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID, uuid4

from geoalchemy2 import WKTElement
from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from options import outside
from options.calendar import beijing_day
from options.errors import OptionsError
from options.models import Tree, TreePackMember
from options.refusals import (
    TreeFactsError,
    TreeGroundError,
    TreeNotDeadError,
    TreeNumberError,
    TreeOutsideError,
    TreeReplacementError,
    TreeTakenError,
)
from registry import events
from registry.db import Command

OUTSIDE_M_MAX: Final = 10.0
"""How far outside its parcel a tree may lie: a hand-held receiver's error (proposed)."""
SPECIES_LENGTH_MAX: Final = 40
PLANTED_YEAR_MIN: Final = 1900
_LON: Final = (73.0, 136.0)
_LAT: Final = (3.0, 54.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTree:
    """A tree as it was measured: number on its tag, species, place in CGCS2000, planting."""

    number: int
    species: str
    lon: float
    lat: float
    planted_year: int
    planted_on: date | None = None
    photo_sha256: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterTrees(Command):
    """Register numbered trees of a parcel; whose they are, the parcel's owner unless named."""

    parcel_id: UUID
    trees: tuple[NewTree, ...]
    owner_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTrees(Command):
    """Report trees of a parcel dead, or alive again after a mistake."""

    parcel_id: UUID
    numbers: tuple[int, ...]
    live: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """A dead tree and the live one that takes its place."""

    number: int
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceTrees(Command):
    """Let live trees in no pack stand in for dead ones of the same parcel."""

    parcel_id: UUID
    replacements: tuple[Replacement, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowTree(Command):
    """Give a tree its photo; the earlier one stays in the record of events."""

    parcel_id: UUID
    number: int
    photo_sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TreesChanged:
    """How many trees an act touched."""

    trees: int
    event_id: UUID


def tree_findings(session: Session, command: RegisterTrees) -> tuple[OptionsError, ...]:
    """List every reason why these trees cannot be registered; unraised, for a page to show."""
    ground = outside.ground(session, command.parcel_id)
    if ground is None or (ground.kind, ground.status) != ("tree", "approved"):
        return (TreeGroundError(parcel=command.parcel_id),)
    found: list[OptionsError] = []
    if command.owner_id is None and ground.owner_id is None:
        found.append(TreeFactsError(number="—", field="owner", value="—"))
    if command.owner_id is not None and not outside.parties(session, [command.owner_id]):
        found.append(TreeFactsError(number="—", field="owner", value=command.owner_id))
    if not command.trees:
        found.append(TreeFactsError(number="—", field="trees", value=0))
    found += _facts(command)
    numbers = [tree.number for tree in command.trees]
    found += [TreeNumberError(number=n) for n in _taken(session, command.parcel_id, numbers)]
    found += _outside(session, command)
    return tuple(found)


def register_trees(session: Session, command: RegisterTrees) -> TreesChanged:
    """Register trees.

    Raises
    ------
    OptionsError
        The first of ``tree_findings``.
    """
    for finding in tree_findings(session, command):
        raise finding
    owner_id = command.owner_id
    if owner_id is None:
        ground = outside.ground(session, command.parcel_id)
        owner_id = ground.owner_id if ground is not None else None
    rows = [
        {
            "id": uuid4(),
            "parcel_id": command.parcel_id,
            "number": tree.number,
            "species": tree.species.strip(),
            "point": WKTElement(f"POINT({tree.lon!r} {tree.lat!r})", srid=4490),
            "planted_year": tree.planted_year,
            "planted_on": tree.planted_on,
            "photo_sha256": tree.photo_sha256,
            "status": "live",
            "owner_id": owner_id,
            "effective_at": command.at,
        }
        for tree in command.trees
    ]
    # another writer may have given a number since it was looked up
    statement = insert(Tree).values(rows).on_conflict_do_nothing().returning(Tree.number)
    written = set(session.scalars(statement))
    for tree in command.trees:
        if tree.number not in written:
            raise TreeNumberError(number=tree.number)
    event_id = events.record(
        session,
        command,
        kind="tree.register",
        subject=("parcel", str(command.parcel_id)),
        body={"owner": owner_id, "trees": [_plain(tree) for tree in command.trees]},
    )
    return TreesChanged(trees=len(rows), event_id=event_id)


def report_trees(session: Session, command: ReportTrees) -> TreesChanged:
    """Write down that trees died, or live after all; nothing else changes until maturity.

    Raises
    ------
    TreeTakenError
        The parcel has no such tree, or its holder took it away.
    """
    statement = (
        update(Tree)
        .where(
            Tree.parcel_id == command.parcel_id,
            Tree.number.in_(command.numbers),
            Tree.status.in_(["live", "dead"]),
        )
        .values(status="live" if command.live else "dead")
        .returning(Tree.number)
    )
    found = set(session.scalars(statement))
    for number in command.numbers:
        if number not in found:
            raise TreeTakenError(number=number)
    event_id = events.record(
        session,
        command,
        kind="tree.report",
        subject=("parcel", str(command.parcel_id)),
        body={"numbers": command.numbers, "live": command.live, "reason": command.reason},
    )
    return TreesChanged(trees=len(found), event_id=event_id)


def replace_trees(session: Session, command: ReplaceTrees) -> TreesChanged:
    """Put live trees in the place of dead ones, in their packs too while these are undelivered.

    Raises
    ------
    TreeNotDeadError
        The tree lives, or another one stands in for it already.
    TreeTakenError
        The other one is dead, in a pack, or stands in for another tree.
    TreeReplacementError
        It is of another species or another owner.
    """
    pairs = command.replacements
    numbers = sorted({n for pair in pairs for n in (pair.number, pair.by)})
    if not pairs or len(numbers) != 2 * len(pairs):
        raise TreeFactsError(number="—", field="replacements", value=len(pairs))
    trees = _locked(session, command.parcel_id, numbers)
    packs = _packs_of(session, [tree.id for tree in trees.values()])
    moved = []
    for pair in pairs:
        dead, live = _pair(session, trees, pair)
        if live.id in packs:
            raise TreeTakenError(number=pair.by)
        live.replaces_id = dead.id
        session.flush()
        member = packs.get(dead.id)
        if member is not None and member.delivered_to is None:
            pack_id = member.pack_id
            session.delete(member)
            session.flush()
            session.add(TreePackMember(tree_id=live.id, pack_id=pack_id))
            session.flush()
            moved.append([pair.number, pair.by, pack_id])
    event_id = events.record(
        session,
        command,
        kind="tree.replace",
        subject=("parcel", str(command.parcel_id)),
        body={
            "replacements": [[pair.number, pair.by] for pair in pairs],
            "in_packs": moved,
            "reason": command.reason,
        },
    )
    return TreesChanged(trees=len(pairs), event_id=event_id)


def show_tree(session: Session, command: ShowTree) -> TreesChanged:
    """Give a tree its photo.

    Raises
    ------
    TreeTakenError
        The parcel has no such tree.
    """
    statement = (
        update(Tree)
        .where(Tree.parcel_id == command.parcel_id, Tree.number == command.number)
        .values(photo_sha256=command.photo_sha256)
        .returning(Tree.id)
    )
    if session.scalar(statement) is None:
        raise TreeTakenError(number=command.number)
    event_id = events.record(
        session,
        command,
        kind="tree.photo",
        subject=("parcel", str(command.parcel_id)),
        body={"number": command.number, "photo_sha256": command.photo_sha256},
    )
    return TreesChanged(trees=1, event_id=event_id)


def _facts(command: RegisterTrees) -> Iterator[OptionsError]:
    """Yield what no tree can be: numbers twice, no species, planted tomorrow."""
    today = beijing_day(command.at)
    seen: set[int] = set()
    for tree in command.trees:
        wrong: list[tuple[str, object]] = []
        if tree.number <= 0 or tree.number in seen:
            wrong.append(("number", tree.number))
        if not 0 < len(tree.species.strip()) <= SPECIES_LENGTH_MAX:
            wrong.append(("species", tree.species[:SPECIES_LENGTH_MAX]))
        if not PLANTED_YEAR_MIN <= tree.planted_year <= today.year:
            wrong.append(("planted_year", tree.planted_year))
        day = tree.planted_on
        if day is not None and (day.year != tree.planted_year or day > today):
            wrong.append(("planted_on", day))
        wrong += [
            (name, value)
            for name, value, (low, high) in (("lon", tree.lon, _LON), ("lat", tree.lat, _LAT))
            if not low <= value <= high
        ]
        seen.add(tree.number)
        for name, value in wrong:
            yield TreeFactsError(number=tree.number, field=name, value=value)


def _taken(session: Session, parcel_id: UUID, numbers: Sequence[int]) -> Sequence[int]:
    query = select(Tree.number).where(Tree.parcel_id == parcel_id, Tree.number.in_(numbers))
    return session.scalars(query.order_by(Tree.number)).all()


def _outside(session: Session, command: RegisterTrees) -> Iterator[OptionsError]:
    placed = [
        t for t in command.trees if _LON[0] <= t.lon <= _LON[1] and _LAT[0] <= t.lat <= _LAT[1]
    ]
    bound = {
        "parcel": command.parcel_id,
        "numbers": [tree.number for tree in placed],
        "lons": [tree.lon for tree in placed],
        "lats": [tree.lat for tree in placed],
        "most": OUTSIDE_M_MAX,
    }
    for row in session.execute(_OUTSIDE, bound):
        yield TreeOutsideError(number=row.number, distance_m=round(row.distance_m, 1))


def _locked(session: Session, parcel_id: UUID, numbers: Sequence[int]) -> dict[int, Tree]:
    query = (
        select(Tree)
        .where(Tree.parcel_id == parcel_id, Tree.number.in_(numbers))
        .order_by(Tree.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {tree.number: tree for tree in session.scalars(query)}


def _packs_of(session: Session, tree_ids: Sequence[UUID]) -> dict[UUID, TreePackMember]:
    query = select(TreePackMember).where(TreePackMember.tree_id.in_(tree_ids))
    return {member.tree_id: member for member in session.scalars(query)}


def _pair(session: Session, trees: dict[int, Tree], pair: Replacement) -> tuple[Tree, Tree]:
    dead, live = trees.get(pair.number), trees.get(pair.by)
    if dead is None or dead.status != "dead":
        raise TreeNotDeadError(number=pair.number)
    if session.scalar(select(func.count()).where(Tree.replaces_id == dead.id)):
        raise TreeNotDeadError(number=pair.number)
    if live is None or live.status != "live" or live.replaces_id is not None:
        raise TreeTakenError(number=pair.by)
    if (live.species, live.owner_id) != (dead.species, dead.owner_id):
        raise TreeReplacementError(number=pair.number, by=pair.by)
    return dead, live


def _plain(tree: NewTree) -> list[object]:
    place = [repr(tree.lon), repr(tree.lat)]
    return [
        *(tree.number, tree.species.strip(), *place),
        *(tree.planted_year, tree.planted_on, tree.photo_sha256),
    ]


_OUTSIDE = text(
    "SELECT t.number, ST_Distance(p.geometry::geography, t.point::geography) AS distance_m"
    " FROM parcel p, LATERAL (SELECT number, ST_SetSRID(ST_MakePoint(lon, lat), 4490) AS point"
    "   FROM unnest(cast(:numbers AS int[]), cast(:lons AS float8[]), cast(:lats AS float8[]))"
    "   AS given (number, lon, lat)) t"
    " WHERE p.id = :parcel AND ST_Distance(p.geometry::geography, t.point::geography) > :most"
    " ORDER BY t.number"
)
