"""Whose lots, contracts, settlements and accounts an actor may see and act on.

Counties and townships see the lots on their ground, a company its own, a village those it
supplies, a buyer their own contracts; auditors and the system see all.  What is outside is
answered as if it were not there.
"""

from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from options import outside, sale_reads
from options.reads import LotPage, SubscriptionPage, lot_page, subscription_page
from options.sale_reads import SettlementPage, settlement
from registry.divisions import subtree_prefix
from registry.errors import NotFoundError, NotPermittedError
from registry.people import ActorView

GOVERNMENT: Final = ("township", "county")
PUBLIC_STATES: Final = frozenset({"LISTED", "SOLD_OUT", "CLOSED_TO_SALE"})
"""Sale states of a lot that everybody may see."""


def sees_all(who: ActorView | None) -> bool:
    """Say whether an actor sees everything: auditors and the system."""
    return who is not None and who.has("system", "auditor")


def division_of(who: ActorView) -> str | None:
    """Return the prefix of the ground that an actor of the government answers for."""
    if who.division_code is None or not who.has(*GOVERNMENT):
        return None
    return subtree_prefix(who.division_code)


def party_of(who: ActorView) -> UUID:
    """Return the party an actor acts for.

    Raises
    ------
    NotPermittedError : they act for none.
    """
    if who.party_id is None:
        raise NotPermittedError(needs="party")
    return who.party_id


def may_see_lot(session: Session, who: ActorView | None, lot_id: UUID) -> bool:
    """Say whether a lot's papers are open to an actor: names, minutes, objections."""
    if who is None:
        return False
    return sees_all(who) or sale_reads.concerns(
        session, lot_id, party_id=who.party_id, division=division_of(who)
    )


def require_lot(session: Session, who: ActorView | None, lot_id: UUID) -> LotPage:
    """Return a lot's papers to who may see them.

    Raises
    ------
    NotFoundError : there is no such lot, or it is somebody else's.
    """
    if not may_see_lot(session, who, lot_id):
        raise NotFoundError(what="lot", id=lot_id)
    return lot_page(session, lot_id)


def require_seller(session: Session, who: ActorView, lot_id: UUID) -> LotPage:
    """Return a lot to the company that sells it.

    Raises
    ------
    NotFoundError : there is no such lot, or another company sells it.
    """
    page = require_lot(session, who, lot_id)
    if not who.has("system") and page.lot.company_id != who.party_id:
        raise NotFoundError(what="lot", id=lot_id)
    return page


def require_contract(session: Session, who: ActorView, subscription_id: UUID) -> SubscriptionPage:
    """Return a contract to its buyer, its seller, and who watches over the lot.

    Raises
    ------
    NotFoundError : there is no such contract, or it is somebody else's.
    """
    page = subscription_page(session, subscription_id)
    own = who.party_id is not None and page.buyer_id == who.party_id
    watches = own or sees_all(who)
    if not watches and not who.has("company", *GOVERNMENT):
        raise NotFoundError(what="subscription", id=subscription_id)
    if not watches and not may_see_lot(session, who, page.lot_id):
        raise NotFoundError(what="subscription", id=subscription_id)
    return page


def require_buyer(session: Session, who: ActorView, subscription_id: UUID) -> SubscriptionPage:
    """Return a contract to its buyer only.

    Raises
    ------
    NotFoundError : there is no such contract, or another buys.
    """
    page = subscription_page(session, subscription_id)
    if not who.has("system") and page.buyer_id != who.party_id:
        raise NotFoundError(what="subscription", id=subscription_id)
    return page


def require_settlement(session: Session, who: ActorView, settlement_id: UUID) -> SettlementPage:
    """Return a run to who may see its lot; a supplier sees it once it is approved.

    Raises
    ------
    NotFoundError : there is no such run, or it is somebody else's.
    """
    page = settlement(session, settlement_id)
    drafting = page.state in {"DRAFT", "CHECKED"} and who.has("collective", "farmer")
    if drafting or not may_see_lot(session, who, page.lot_id):
        raise NotFoundError(what="settlement", id=settlement_id)
    return page


def require_account(session: Session, who: ActorView, party_id: UUID) -> None:
    """Let an actor look at a party's money and forest: its own, its division's, its supplier's.

    Raises
    ------
    NotFoundError : there is no such party, or it is none of theirs.
    """
    if sees_all(who) or (who.party_id is not None and who.party_id == party_id):
        return
    card = outside.party(session, party_id)
    prefix = division_of(who)
    if prefix is not None and (card.division_code or "").startswith(prefix):
        return
    company = who.party_id if who.has("company") else None
    if company is not None and sale_reads.supplies(session, company_id=company, party_id=party_id):
        return
    raise NotFoundError(what="party", id=party_id)
