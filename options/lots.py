"""Lots: drafted, reviewed, put on notice, mandated, listed, closed; and what befalls the forest.

Pre-storing, which moves capacity and forecast, stands in ``pre_store.py``.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from options import outside, supply
from options.books import Shelf, first_level, source_of
from options.calendar import beijing_day
from options.errors import OptionsError, TermsError
from options.lot_store import LotState, asset_of, committed, load, offers, promised_of, step
from options.machines import LOT_PHYSICAL, LOT_SALE, require_no_sale
from options.mandate import Consent, Mandate, Tenure, Vote, check_mandate
from options.models import Lot, LotObjection, LotOffer, LotParcel
from options.programme import SaleTerms, sale_terms, waterfall_terms
from options.refusals import (
    LotGroundError,
    NumberTakenError,
    ObjectionClosedError,
    ReviewerError,
)
from options.terms import CarbonRightHolder, LotTerms, PackOffer, UnitKind, VintageOffer
from registry import events, slots
from registry.db import Command
from registry.ledger import Leg, post_legs


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelOfLot:
    """A parcel to be sold from: supplier, tenure, its claim, and the household if contracted."""

    parcel_id: UUID
    supplier_id: UUID
    tenure: Tenure
    claim_id: UUID | None = None
    household_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A vintage on offer: kg at fen a tonne; or packs maturing in that year at fen a pack."""

    vintage: int
    quantity: int
    price_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftLot(Command):
    """Draft a lot under a programme version; ``run_id`` is the forecast it stands on."""

    number: str
    title: str
    programme_id: str
    programme_version: str
    company_id: UUID
    parcels: tuple[ParcelOfLot, ...]
    offers: tuple[Offer, ...]
    term_years: int
    project_id: UUID | None = None
    run_id: UUID | None = None
    closes_on: date | None = None
    advance_fen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LotCommand(Command):
    """A step of a lot that needs no papers: submit, list."""

    lot_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewLot(Command):
    """Pass or reject a lot; another person than its author."""

    lot_id: UUID
    passed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishNotice(Command):
    """Put the notice up on the day of the command."""

    lot_id: UUID
    document_sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FileObjection(Command):
    """File an objection to a notice."""

    lot_id: UUID
    by_name: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerObjection(Command):
    """Answer an objection; upheld, the lot goes back to review."""

    objection_id: UUID
    upheld: bool
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMandate(Command):
    """Record that the owners agreed: vote, household consents, charter, as tenure demands."""

    lot_id: UUID
    vote: Vote | None = None
    consents: tuple[Consent, ...] = ()
    charter_ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSale(Command):
    """Close the sale, or withdraw a lot that has sold nothing."""

    lot_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportForest(Command):
    """Take a step of the physical axis: report_damage, lower_forecast, recover or write_off."""

    lot_id: UUID
    event: str
    reason: str
    document_sha256: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A new lot."""

    lot_id: UUID
    number: str
    value_fen: int
    event_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionFiled:
    """A new objection."""

    objection_id: UUID
    event_id: UUID


def draft_lot(session: Session, command: DraftLot) -> Drafted:
    """Draft a lot: terms checked, every parcel approved and (kg) under an active claim.

    Raises
    ------
    TermsError, LotGroundError, NumberTakenError, ProgrammeNotFoundError, PartyNotFoundError
    """
    sections = outside.programme(session, command.programme_id, command.programme_version)
    sale = sale_terms(sections.get("sale", {}))
    waterfall_terms(sections.get("waterfall", {}))
    terms = _terms(command, sale)
    outside.party(session, command.company_id)
    _require_ground(session, command, sale)
    if session.scalar(select(func.count()).where(Lot.number == command.number)):
        raise NumberTakenError(number=command.number)
    lot = Lot(
        id=uuid4(),
        number=command.number,
        title=command.title,
        unit=sale.unit.value,
        programme_id=command.programme_id,
        programme_version=command.programme_version,
        project_id=command.project_id,
        run_id=command.run_id,
        company_id=command.company_id,
        carbon_right_holder=sale.carbon_right_holder.value,
        return_trigger=sale.return_trigger.value,
        term_years=command.term_years,
        sale=dict(sections["sale"]),
        waterfall=dict(sections["waterfall"]),
        advance_fen=command.advance_fen,
        sale_state=LOT_SALE.initial,
        physical_state=LOT_PHYSICAL.initial,
        closes_on=command.closes_on,
        created_by=command.actor_id,
        effective_at=command.at,
    )
    session.add(lot)
    session.flush()
    session.add_all(_offers(lot, command))
    session.add_all(_parcels(lot, command))
    session.flush()
    event_id = events.record(
        session, command, kind="lot.draft", subject=("lot", str(lot.id)), body={"lot": command}
    )
    return Drafted(lot_id=lot.id, number=lot.number, value_fen=terms.value_fen, event_id=event_id)


def submit(session: Session, command: LotCommand) -> LotState:
    """Hand a draft in for review."""
    lot = load(session, command.lot_id)
    return step(session, command, lot, machine=LOT_SALE, event="submit", inputs={})


def review(session: Session, command: ReviewLot) -> LotState:
    """Pass or reject a lot.

    Raises
    ------
    ReviewerError
        The author reviews.
    """
    lot = load(session, command.lot_id)
    if lot.created_by == command.actor_id:
        raise ReviewerError(lot=lot.number)
    event = "pass_review" if command.passed else "reject"
    return step(
        session, command, lot, machine=LOT_SALE, event=event, inputs={"reason": command.reason}
    )


def publish_notice(session: Session, command: PublishNotice) -> LotState:
    """Put the notice up; the earliest vote is counted from this day."""
    lot = load(session, command.lot_id)
    noticed_on = beijing_day(command.at)
    inputs = {"noticed_on": noticed_on, "document_sha256": command.document_sha256}
    done = step(session, command, lot, machine=LOT_SALE, event="publish_notice", inputs=inputs)
    lot.noticed_on = noticed_on
    session.flush()
    return done


def file_objection(session: Session, command: FileObjection) -> ObjectionFiled:
    """Write an objection down; it blocks the mandate until it is answered."""
    lot = load(session, command.lot_id)
    if lot.sale_state != "NOTICED":
        raise ObjectionClosedError(objection=command.by_name)
    made = LotObjection(
        id=uuid4(),
        lot_id=lot.id,
        by_name=command.by_name,
        words=command.words,
        state="open",
        actor_id=command.actor_id,
        effective_at=command.at,
    )
    session.add(made)
    session.flush()
    event_id = events.record(
        session,
        command,
        kind="lot.objection",
        subject=("lot", str(lot.id)),
        body={"objection": made.id, "by_name": command.by_name, "words": command.words},
    )
    return ObjectionFiled(objection_id=made.id, event_id=event_id)


def answer_objection(session: Session, command: AnswerObjection) -> LotState:
    """Answer an objection; an upheld one sends the lot back to review.

    Raises
    ------
    ObjectionClosedError
    """
    found = session.get(LotObjection, command.objection_id, with_for_update=True)
    if found is None or found.state != "open" or not command.answer.strip():
        raise ObjectionClosedError(objection=command.objection_id)
    lot = load(session, found.lot_id)
    found.state = "upheld" if command.upheld else "answered"
    found.answer = command.answer
    inputs = {"objection": found.id, "answer": command.answer}
    if command.upheld:
        return step(
            session, command, lot, machine=LOT_SALE, event="uphold_objection", inputs=inputs
        )
    event_id = events.record(
        session,
        command,
        kind="lot.objection_answered",
        subject=("lot", str(lot.id)),
        body=inputs,
    )
    session.flush()
    return LotState(
        lot_id=lot.id,
        sale_state=lot.sale_state,
        physical_state=lot.physical_state,
        event_id=event_id,
    )


def mandate_findings(session: Session, command: RecordMandate) -> tuple[OptionsError, ...]:
    """List every reason why the mandate is not given yet; unraised, for a page to show."""
    lot = load(session, command.lot_id, lock=False)
    rows = session.scalars(select(LotParcel).where(LotParcel.lot_id == lot.id)).all()
    filed = {consent.parcel: consent.document_ref for consent in command.consents}
    households = sorted(str(row.parcel_id) for row in rows if row.tenure == Tenure.HOUSEHOLD)
    still_open = select(func.count()).where(
        LotObjection.lot_id == lot.id, LotObjection.state == "open"
    )
    given = Mandate(
        tenures=frozenset(Tenure(row.tenure) for row in rows),
        noticed_on=lot.noticed_on or beijing_day(command.at),
        notice_days=sale_terms(lot.sale).notice_days,
        vote=command.vote,
        consents=tuple(
            Consent(parcel=parcel, document_ref=filed.get(parcel)) for parcel in households
        ),
        charter_ref=command.charter_ref,
        open_objections=int(session.scalar(still_open) or 0),
    )
    return check_mandate(given, on=beijing_day(command.at))


def record_mandate(session: Session, command: RecordMandate) -> LotState:
    """Record the owners' mandate.

    Raises
    ------
    OptionsError
        The first of ``mandate_findings``.
    """
    lot = load(session, command.lot_id)
    if lot.sale_state == "NOTICED":
        for finding in mandate_findings(session, command):
            raise finding
    inputs = {
        "vote": command.vote,
        "consents": command.consents,
        "charter_ref": command.charter_ref,
        "noticed_on": lot.noticed_on,
    }
    return step(session, command, lot, machine=LOT_SALE, event="record_mandate", inputs=inputs)


def list_lot(session: Session, command: LotCommand) -> LotState:
    """Put a pre-stored lot on sale."""
    lot = load(session, command.lot_id)
    return step(session, command, lot, machine=LOT_SALE, event="list_for_sale", inputs={})


def close_sale(session: Session, command: EndSale) -> LotState:
    """End the sale; what is unsold is released: forecast, capacity and slots."""
    lot = load(session, command.lot_id)
    done = step(
        session,
        command,
        lot,
        machine=LOT_SALE,
        event="close_sale",
        inputs={"reason": command.reason},
    )
    release_unsold(session, lot, done.event_id)
    return done


def withdraw(session: Session, command: EndSale) -> LotState:
    """Take a lot back of which nothing is reserved or sold; all it held is released.

    Raises
    ------
    WithdrawalRefusedError
    """
    lot = load(session, command.lot_id)
    done = step(
        session, command, lot, machine=LOT_SALE, event="withdraw", inputs={"reason": command.reason}
    )
    release_unsold(session, lot, done.event_id)
    # counted after the slots are locked: no reservation can come between
    require_no_sale(committed=committed(session, lot.id))
    return done


def report_forest(session: Session, command: ReportForest) -> LotState:
    """Take a step of the physical axis; all states but GROWING suspend the sale at once."""
    lot = load(session, command.lot_id)
    inputs = {"reason": command.reason, "document_sha256": command.document_sha256}
    return step(session, command, lot, machine=LOT_PHYSICAL, event=command.event, inputs=inputs)


def release_unsold(session: Session, lot: Lot, event_id: UUID) -> int:
    """Empty a lot's slots and give forecast and capacity back; return what it was."""
    total = 0
    session.execute(_FREE_TREES, {"lot": lot.id})
    for offer in offers(session, lot.id):
        shelf = Shelf(lot_id=lot.id, vintage=offer.vintage)
        if offer.pre_stored_at is None or offer.delivered_at is not None:
            continue
        if not (unsold := slots.drain(session, shelf.ref)):
            continue
        total += unsold
        asset = asset_of(lot)
        shelved = first_level(session, asset, company_id=lot.company_id, shelf=shelf)
        amount = promised_of(lot, unsold)
        post_legs(
            session,
            event_id,
            [Leg(source=shelved, target=source_of(session, asset), amount=amount)],
        )
        if lot.unit == UnitKind.KG:
            supply.release(session, shelf, kg=unsold)
    return total


_FREE_TREES = text(
    "DELETE FROM tree_pack_member WHERE delivered_to IS NULL AND pack_id IN"
    " (SELECT id FROM tree_pack WHERE lot_id = :lot AND line_id IS NULL)"
)


def _terms(command: DraftLot, sale: SaleTerms) -> LotTerms:
    is_carbon = sale.unit is UnitKind.KG
    if not is_carbon and len(command.offers) != 1:
        raise TermsError(field="offers", reason=str(len(command.offers)))
    if is_carbon and (command.project_id is None or command.run_id is None):
        raise TermsError(field="project_id", reason="missing")
    packs = None
    if not is_carbon:
        packs = PackOffer(
            packs=command.offers[0].quantity,
            pack_price_fen=command.offers[0].price_fen,
            term_years=command.term_years,
        )
    return LotTerms(
        unit=sale.unit,
        carbon_right_holder=sale.carbon_right_holder,
        return_trigger=sale.return_trigger,
        claim_ref=str(command.project_id) if command.project_id else None,
        vintages=tuple(
            VintageOffer(vintage=o.vintage, kg=o.quantity, price_fen_per_t=o.price_fen)
            for o in command.offers
            if is_carbon
        ),
        packs=packs,
        timers=sale.timers,
    )


def _require_ground(session: Session, command: DraftLot, sale: SaleTerms) -> None:
    ids = [parcel.parcel_id for parcel in command.parcels]
    if not ids or len(set(ids)) != len(ids):
        raise LotGroundError(parcel="", reason="empty or repeated")
    approved = outside.approved_parcels(session, ids)
    known = outside.claims(session, [p.claim_id for p in command.parcels if p.claim_id])
    carries_right = sale.carbon_right_holder is CarbonRightHolder.BUYER
    for parcel in command.parcels:
        if parcel.parcel_id not in approved:
            raise LotGroundError(parcel=parcel.parcel_id, reason="not approved")
        if (parcel.tenure is Tenure.HOUSEHOLD) != (parcel.household_id is not None):
            raise LotGroundError(parcel=parcel.parcel_id, reason="household")
        claim = known.get(parcel.claim_id) if parcel.claim_id else None
        if not carries_right and claim is None:
            continue
        if (
            claim is None
            or not claim.active
            or claim.parcel_id != parcel.parcel_id
            or claim.project_id != command.project_id
        ):
            raise LotGroundError(parcel=parcel.parcel_id, reason="no claim")
        outer = [o.vintage for o in command.offers if sale.unit is UnitKind.KG]
        if not all(claim.years_from <= year < claim.years_to for year in outer):
            raise LotGroundError(parcel=parcel.parcel_id, reason="years outside the claim")


def _offers(lot: Lot, command: DraftLot) -> list[LotOffer]:
    return [
        LotOffer(lot_id=lot.id, vintage=o.vintage, quantity=o.quantity, price_fen=o.price_fen)
        for o in command.offers
    ]


def _parcels(lot: Lot, command: DraftLot) -> list[LotParcel]:
    return [
        LotParcel(
            lot_id=lot.id,
            parcel_id=p.parcel_id,
            claim_id=p.claim_id,
            supplier_id=p.supplier_id,
            household_id=p.household_id,
            tenure=p.tenure.value,
        )
        for p in command.parcels
    ]
