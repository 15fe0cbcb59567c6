"""A lot of tree packs in one act: the draft, and its packs from the free trees of each grove.

Which free trees make a pack: those with the lowest numbers.  Who supplies and how the ground is
held follows from the parcel's owner: a household's trees are supplied through its village.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from options.errors import TreePackError
from options.lots import DraftLot, Offer, ParcelOfLot, draft_lot
from options.mandate import Tenure
from options.refusals import LotGroundError
from options.sale_reads import HELD_BY, SUPPLIED, THROUGH_VILLAGE
from options.terms import PACK_PROMISED_TREES, PACK_TREES
from options.trees import MakePacks, make_packs
from registry.db import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class GrovePacks:
    """How many packs a parcel gives."""

    parcel_id: UUID
    packs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftTreeLot(Command):
    """Draft a lot of packs that mature in one year, at one price a pack."""

    number: str
    title: str
    programme_id: str
    programme_version: str
    company_id: UUID
    term_years: int
    matures: int
    price_fen: int
    groves: tuple[GrovePacks, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeLotDrafted:
    """A new lot and the codes of its packs."""

    lot_id: UUID
    number: str
    value_fen: int
    codes: tuple[str, ...]
    event_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SellableGrove:
    """An approved grove with at least one pack's worth of free trees, and how it is held."""

    parcel_id: UUID
    code: str | None
    division: str | None
    tenure: str
    supplier_id: UUID
    supplier_name: str
    household_id: UUID | None
    household_name: str | None
    free: int

    @property
    def packs(self) -> int:
        """How many packs its free trees make."""
        return self.free // PACK_TREES


def sellable_groves(session: Session, *, division: str) -> tuple[SellableGrove, ...]:
    """Return the groves of a division (a prefix of its code) that can give a pack."""
    bound = {"division": f"{division}%", "ids": None, "least": PACK_TREES}
    return tuple(SellableGrove(**row._asdict()) for row in session.execute(_SELLABLE, bound))


def draft_tree_lot(session: Session, command: DraftTreeLot) -> TreeLotDrafted:
    """Draft a lot of packs with its packs.

    Raises
    ------
    LotGroundError
        A parcel named twice, without free trees, or without a village to supply it.
    TreePackError
        A grove has fewer free trees than its packs need.
    OptionsError
        A reason of ``lots.draft_lot`` or ``trees.make_packs``.
    """
    wanted = {one.parcel_id: one.packs for one in command.groves if one.packs > 0}
    bound = {"division": None, "ids": list(wanted), "least": 1}
    ground = [SellableGrove(**row._asdict()) for row in session.execute(_SELLABLE, bound)]
    for parcel_id in wanted.keys() - {one.parcel_id for one in ground}:
        raise LotGroundError(parcel=parcel_id, reason="no free trees")
    for one in ground:
        if one.packs < wanted[one.parcel_id]:
            raise TreePackError(
                pack=command.number, trees=one.free, promised=PACK_PROMISED_TREES, reason="free"
            )
    common = {"at": command.at, "actor_id": command.actor_id, "key": command.key}
    drafted = draft_lot(session, _draft(command, common, ground, sum(wanted.values())))
    codes: list[str] = []
    for one in ground:
        packs = _packs(session, one.parcel_id, wanted[one.parcel_id])
        made = make_packs(
            session,
            MakePacks(**common, lot_id=drafted.lot_id, parcel_id=one.parcel_id, packs=packs),  # type: ignore[arg-type]
        )
        codes += made.codes
    return TreeLotDrafted(
        lot_id=drafted.lot_id,
        number=drafted.number,
        value_fen=drafted.value_fen,
        codes=tuple(codes),
        event_id=drafted.event_id,
    )


def _draft(
    command: DraftTreeLot, common: dict[str, object], ground: list[SellableGrove], packs: int
) -> DraftLot:
    return DraftLot(
        **common,  # type: ignore[arg-type]
        number=command.number,
        title=command.title,
        programme_id=command.programme_id,
        programme_version=command.programme_version,
        company_id=command.company_id,
        term_years=command.term_years,
        parcels=tuple(
            ParcelOfLot(
                parcel_id=one.parcel_id,
                supplier_id=one.supplier_id,
                tenure=Tenure(one.tenure),
                household_id=one.household_id,
            )
            for one in ground
        ),
        offers=(Offer(vintage=command.matures, quantity=packs, price_fen=command.price_fen),),
    )


def _packs(session: Session, parcel_id: UUID, packs: int) -> tuple[tuple[int, ...], ...]:
    """Return the numbers of the parcel's first free trees, a hundred a pack."""
    bound = {"parcel": parcel_id, "most": packs * PACK_TREES}
    numbers = session.scalars(_FREE, bound).all()
    return tuple(
        tuple(numbers[start : start + PACK_TREES]) for start in range(0, len(numbers), PACK_TREES)
    )


_FREE = text(
    "SELECT number FROM tree t WHERE parcel_id = :parcel AND status = 'live'"
    " AND NOT EXISTS (SELECT FROM tree_pack_member m WHERE m.tree_id = t.id)"
    " ORDER BY number LIMIT :most"
)
_SELLABLE = text(
    "SELECT p.id AS parcel_id, p.code, d.name AS division,"
    f" {HELD_BY}, f.free"
    " FROM parcel p JOIN party o ON o.id = p.owner_id"
    " LEFT JOIN division d ON d.code = p.division_code"
    f" {THROUGH_VILLAGE}"
    " CROSS JOIN LATERAL (SELECT count(*) AS free FROM tree t WHERE t.parcel_id = p.id"
    "   AND t.status = 'live' AND NOT EXISTS (SELECT FROM tree_pack_member m"
    "     WHERE m.tree_id = t.id)) f"
    " WHERE p.kind = 'tree' AND p.status = 'approved' AND f.free >= :least"
    "   AND (cast(:ids AS uuid[]) IS NULL OR p.id = ANY(cast(:ids AS uuid[])))"
    "   AND (cast(:division AS text) IS NULL OR p.division_code LIKE cast(:division AS text))"
    f"   AND {SUPPLIED}"
    " ORDER BY p.division_code, p.code, p.id"
)
