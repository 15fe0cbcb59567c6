"""Tree packs: 100 numbered trees, rights to 50 of them at maturity.

Which 50: no source says, so the rule is ours and written into the contract. Of the live trees, in
the order of their numbers, every second one is taken first, since moving half out is meant to thin
the stand; dead trees are skipped and the gaps are filled in number order. The same live trees
always give the same selection.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from options.errors import TreePackError, TreesShortError
from options.terms import PACK_PROMISED_TREES, PACK_TREES


@dataclass(frozen=True, slots=True, kw_only=True)
class TreePack:
    """A pack: its code, the numbers of its trees, and how many the holder may take.

    Raises
    ------
    TreePackError
        A number twice, another count than ``trees``, or more promised than numbered.
    """

    code: str
    numbers: tuple[int, ...]
    promised: int = PACK_PROMISED_TREES
    trees: int = PACK_TREES

    def __post_init__(self) -> None:
        distinct = len(set(self.numbers))
        if distinct != len(self.numbers):
            raise self._error("repeated")
        if distinct != self.trees:
            raise self._error("count")
        if not 0 < self.promised <= self.trees:
            raise self._error("promised")

    def _error(self, reason: str) -> TreePackError:
        return TreePackError(
            pack=self.code, trees=len(self.numbers), promised=self.promised, reason=reason
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PackDelivery:
    """What a pack delivers at maturity: numbers to the holder, numbers that stay."""

    code: str
    delivered: tuple[int, ...]
    staying: tuple[int, ...]
    missing: int


def select_trees(pack: TreePack, live: Iterable[int]) -> tuple[int, ...]:
    """Choose the holder's trees among the live ones.

    Parameters
    ----------
    pack : TreePack
    live : Iterable[int]
        Numbers counted alive at maturity, in any order.

    Returns
    -------
    tuple[int, ...]
        Ascending numbers: the promised count, or all live trees when fewer live.

    Raises
    ------
    TreePackError
        A live number that is not of this pack.
    """
    alive = sorted(set(live))
    if not set(alive) <= set(pack.numbers):
        raise TreePackError(
            pack=pack.code, trees=len(pack.numbers), promised=pack.promised, reason="foreign"
        )
    # every second tree first (thinning), then the skipped ones in number order
    preferred = alive[::2] + alive[1::2]
    return tuple(sorted(preferred[: pack.promised]))


def plan_pack_delivery(pack: TreePack, live: Iterable[int]) -> PackDelivery:
    """Plan the delivery of a mature pack, with what is missing; pure, nothing refused.

    Raises
    ------
    TreePackError
        A live number that is not of this pack.
    """
    alive = sorted(set(live))
    delivered = select_trees(pack, alive)
    return PackDelivery(
        code=pack.code,
        delivered=delivered,
        staying=tuple(n for n in alive if n not in set(delivered)),
        missing=pack.promised - len(delivered),
    )


def require_deliverable(pack: TreePack, live: Iterable[int]) -> None:
    """Refuse maturity when fewer trees live than promised.

    Raises
    ------
    TreesShortError
        The seller replants, substitutes, or refunds in part.
    """
    count = len(set(live) & set(pack.numbers))
    if count < pack.promised:
        raise TreesShortError(pack=pack.code, live=count, promised=pack.promised)
