"""Frozen terms: what a lot offers, what a subscription promises, and how long each step may take.

A lot offers kg CO2e by vintage (carbon) or tree packs (tree rights). Its terms are copied into each
subscription when it is signed; a later change of the programme never touches a signed contract.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from options.calendar import add_working_days, beijing_day, end_of_day, minimum_period_end
from options.errors import OversoldError, TermsError
from options.pricing import amount_fen
from options.rounding import largest_remainder, require_amounts

PACK_TREES = 100
PACK_PROMISED_TREES = 50


class UnitKind(StrEnum):
    """What is counted: kg CO2e or trees."""

    KG = "kg"
    TREE = "tree"


class BuyerKind(StrEnum):
    """Who subscribes; decides how long a reservation holds."""

    PERSON = "person"
    ENTERPRISE = "enterprise"


class CarbonRightHolder(StrEnum):
    """Who holds the carbon right under the contract; never left open."""

    BUYER = "buyer"
    SELLER = "seller"


class ReturnTrigger(StrEnum):
    """When a buyer's money counts as earned by the villages."""

    COOLING_OFF = "after_cooling_off"
    ISSUANCE = "after_issuance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """How long each step may take (decision 9)."""

    reserve_person_minutes: int = 30
    reserve_enterprise_working_days: int = 5
    undo_minutes: int = 10
    payment_working_days: int = 10
    cooling_off_days: int = 7

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            require_amounts(**{name: value})
            if value == 0:
                raise TermsError(field=name, reason="0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An instant from which something is late or over, and whether its calendar is unverified."""

    at: datetime
    calendar_unverified: bool = False


def reservation_ends(timers: Timers, *, at: datetime, buyer: BuyerKind) -> Due:
    """When an unsigned reservation lapses: minutes for a person, working days for an enterprise."""
    if buyer is BuyerKind.PERSON:
        return Due(at=at + timedelta(minutes=timers.reserve_person_minutes))
    return _working_days_end(at, timers.reserve_enterprise_working_days)


def undo_ends(timers: Timers, *, signed_at: datetime) -> Due:
    """When a signature can no longer be undone; payment details are shown only from here on."""
    return Due(at=signed_at + timedelta(minutes=timers.undo_minutes))


def payment_ends(timers: Timers, *, signed_at: datetime) -> Due:
    """When an unpaid line lapses; working days run from the day the undo time is over."""
    return _working_days_end(undo_ends(timers, signed_at=signed_at).at, timers.payment_working_days)


def cooling_off_ends(timers: Timers, *, paid_at: datetime) -> Due:
    """When the buyer's right to withdraw ends: a minimum period, so a day of rest moves it on."""
    last = minimum_period_end(beijing_day(paid_at), timers.cooling_off_days)
    return Due(at=end_of_day(last.day), calendar_unverified=last.calendar_unverified)


def _working_days_end(at: datetime, days: int) -> Due:
    last = add_working_days(beijing_day(at), days)
    return Due(at=end_of_day(last.day), calendar_unverified=last.calendar_unverified)


@dataclass(frozen=True, slots=True, kw_only=True)
class VintageOffer:
    """What a carbon lot offers of one vintage, at which price."""

    vintage: int
    kg: int
    price_fen_per_t: int

    def __post_init__(self) -> None:
        require_amounts(vintage=self.vintage, kg=self.kg, price_fen_per_t=self.price_fen_per_t)
        if self.kg == 0 or self.price_fen_per_t == 0:
            raise TermsError(field=f"vintage {self.vintage}", reason="0")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackOffer:
    """What a tree lot offers: packs of numbered trees, rights to part of them at maturity."""

    packs: int
    pack_price_fen: int
    term_years: int
    trees_per_pack: int = PACK_TREES
    promised_per_pack: int = PACK_PROMISED_TREES

    def __post_init__(self) -> None:
        require_amounts(
            packs=self.packs,
            pack_price_fen=self.pack_price_fen,
            term_years=self.term_years,
            trees_per_pack=self.trees_per_pack,
            promised_per_pack=self.promised_per_pack,
        )
        if 0 in {self.packs, self.pack_price_fen, self.term_years}:
            raise TermsError(field="packs", reason="0")
        if not 0 < self.promised_per_pack <= self.trees_per_pack:
            raise TermsError(field="promised_per_pack", reason=str(self.promised_per_pack))


@dataclass(frozen=True, slots=True, kw_only=True)
class LotTerms:
    """The terms of a lot: carbon by vintage or tree packs, never both.

    Raises
    ------
    TermsError
        Nothing or both offered, a vintage twice, carbon whose right stays with the seller, or a
        tree right with the carbon right and no claim reference.
    """

    unit: UnitKind
    carbon_right_holder: CarbonRightHolder
    return_trigger: ReturnTrigger
    claim_ref: str | None = None
    vintages: tuple[VintageOffer, ...] = ()
    packs: PackOffer | None = None
    timers: Timers = field(default_factory=Timers)

    def __post_init__(self) -> None:
        is_carbon = self.unit is UnitKind.KG
        if is_carbon != bool(self.vintages) or is_carbon == (self.packs is not None):
            raise TermsError(field="unit", reason=self.unit.value)
        years = [offer.vintage for offer in self.vintages]
        if len(set(years)) != len(years):
            raise TermsError(field="vintages", reason="repeated")
        if is_carbon and self.carbon_right_holder is not CarbonRightHolder.BUYER:
            raise TermsError(field="carbon_right_holder", reason=self.carbon_right_holder.value)
        if self.carbon_right_holder is CarbonRightHolder.BUYER and not self.claim_ref:
            raise TermsError(field="claim_ref", reason="missing")

    @property
    def value_fen(self) -> int:
        """Value of everything offered at the listed prices, fen."""
        if self.packs is not None:
            return self.packs.packs * self.packs.pack_price_fen
        return sum(amount_fen(offer.kg, offer.price_fen_per_t) for offer in self.vintages)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTerms:
    """One line of a subscription: kg of a vintage at the price of the day of signing."""

    vintage: int
    kg: int
    price_fen_per_t: int

    def __post_init__(self) -> None:
        require_amounts(vintage=self.vintage, kg=self.kg, price_fen_per_t=self.price_fen_per_t)
        if self.kg == 0:
            raise TermsError(field=f"vintage {self.vintage}", reason="0")

    @property
    def amount_fen(self) -> int:
        """Price of the line, half up, fen."""
        return amount_fen(self.kg, self.price_fen_per_t)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionTerms:
    """A carbon subscription: its lines and their exact sum; each line is rounded on its own."""

    lot: LotTerms
    lines: tuple[LineTerms, ...]

    def __post_init__(self) -> None:
        years = [line.vintage for line in self.lines]
        if not years or len(set(years)) != len(years):
            raise TermsError(field="lines", reason="repeated" if years else "empty")
        offered = {o.vintage: o.price_fen_per_t for o in self.lot.vintages}
        for line in self.lines:
            if offered.get(line.vintage) != line.price_fen_per_t:
                raise TermsError(field=f"vintage {line.vintage}", reason="not offered so")

    @property
    def amount_fen(self) -> int:
        """What the buyer pays, to the fen."""
        return sum(line.amount_fen for line in self.lines)


def capacity_kg(*, forecast_kg: int, buffer_share: Fraction) -> int:
    """Most that may be committed of a parcel and vintage: floor(F x (1 - b)).

    Raises
    ------
    TermsError
        A buffer share outside 0 to 1.
    """
    require_amounts(forecast_kg=forecast_kg)
    if not 0 <= buffer_share <= 1:
        raise TermsError(field="buffer_share", reason=str(buffer_share))
    kept = 1 - Fraction(buffer_share)
    return forecast_kg * kept.numerator // kept.denominator


def free_kg(*, forecast_kg: int, buffer_share: Fraction, committed_kg: int) -> int:
    """What is free; below zero when a later forecast was lower: the lot is then SHORT by that."""
    require_amounts(committed_kg=committed_kg)
    return capacity_kg(forecast_kg=forecast_kg, buffer_share=buffer_share) - committed_kg


def require_free(*, asked: Mapping[int, int], free: Mapping[int, int]) -> None:
    """Refuse a request that asks more of any vintage than is free.

    Parameters
    ----------
    asked, free : Mapping[int, int]
        kg by vintage (packs by the year of maturity). A vintage without a row has nothing free.

    Raises
    ------
    OversoldError
        For the earliest vintage that is short.
    """
    for vintage in sorted(asked):
        require_amounts(asked=asked[vintage])
        room = max(0, free.get(vintage, 0))
        if asked[vintage] > room:
            raise OversoldError(vintage=vintage, asked=asked[vintage], free=room)


def plan_commitment(*, vintage: int, kg: int, free: Mapping[str, int]) -> dict[str, int]:
    """Spread a lot's kg of one vintage over its parcels, pro rata to what is free of each.

    Parameters
    ----------
    vintage : int
        Named in a refusal.
    kg : int
        To be committed.
    free : Mapping[str, int]
        Free kg by parcel code; below zero counts as nothing.

    Returns
    -------
    dict[str, int]
        kg by parcel code, ascending; sums to ``kg`` and never exceeds a parcel's free kg (a part
        is rounded up only where its exact share is below the free kg).

    Raises
    ------
    OversoldError
        Less is free than asked.
    """
    codes = sorted(free)
    room = [max(0, free[code]) for code in codes]
    if kg > sum(room):
        raise OversoldError(vintage=vintage, asked=kg, free=sum(room))
    return dict(zip(codes, largest_remainder(kg, room, codes), strict=True))
