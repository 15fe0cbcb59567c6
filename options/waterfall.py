"""The waterfall of a settlement: from the money of a lot and vintage to each village and household.

``residue = gross + reserves brought forward - taxes - insurance - listed costs - set aside``;
an advance is recouped from it, then ``returned = floor(rest x ratio)`` goes to the collectives'
own accounts and what is left to the named payee. Pure: values in, a plan out. The company appears
nowhere: every fen has another owner.

Set aside (预留) and spent are two things: a set-aside stays in escrow and is brought forward to the
next run, where what was not spent is shared with everything else.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType

from options.errors import (
    DeductionTypeError,
    EscrowShortError,
    OptionsError,
    RatioError,
    RemainderPayeeMissingError,
    ResidueNegativeError,
    SupplierSharesError,
    TermsError,
    VoucherMissingError,
    VoucherRepeatedError,
)
from options.rounding import largest_remainder, require_amounts


class DeductionKind(StrEnum):
    """The three groups in which deductions are published."""

    TAX = "tax"
    INSURANCE = "insurance"
    COST = "cost"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaterfallTerms:
    """What the programme publishes about the sharing.

    Attributes
    ----------
    published : Mapping[str, DeductionKind]
        Deduction types that may be charged; all others are refused.
    ratio : Fraction
        Share of the residue that returns to the collectives, 0 to 1.
    remainder_payee : str | None
        Who receives the rest; needed when the ratio is under 1.
    """

    published: Mapping[str, DeductionKind]
    ratio: Fraction
    remainder_payee: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.ratio <= 1:
            raise RatioError(ratio=str(self.ratio))
        if self.ratio < 1 and not (self.remainder_payee or "").strip():
            raise RemainderPayeeMissingError(ratio=str(self.ratio))


@dataclass(frozen=True, slots=True, kw_only=True)
class Deduction:
    """Money actually spent: type of the published list, number of the voucher, fen."""

    type: str
    voucher: str
    amount_fen: int

    def __post_init__(self) -> None:
        require_amounts(amount_fen=self.amount_fen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """Money held for one deduction type: from the last run, and set aside in this one."""

    type: str
    brought_forward_fen: int = 0
    set_aside_fen: int = 0

    def __post_init__(self) -> None:
        require_amounts(
            brought_forward_fen=self.brought_forward_fen, set_aside_fen=self.set_aside_fen
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdShare:
    """Units of a household's own contracted forest or trees: its money passes through."""

    household_code: str
    units: int

    def __post_init__(self) -> None:
        require_amounts(units=self.units)


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierShare:
    """A village's part of the lot.

    Attributes
    ----------
    division_code : str
        Twelve-digit division code of the village.
    units : int
        All its pre-stored kg (or trees) in the lot, its households' included.
    households : tuple[HouseholdShare, ...]
        The part that is household-contracted.
    """

    division_code: str
    units: int
    households: tuple[HouseholdShare, ...] = ()

    def __post_init__(self) -> None:
        require_amounts(units=self.units)
        codes = [share.household_code for share in self.households]
        if len(set(codes)) != len(codes):
            raise SupplierSharesError(division=self.division_code, reason="household repeated")
        if self.own_units < 0:
            raise SupplierSharesError(division=self.division_code, reason="households exceed")

    @property
    def own_units(self) -> int:
        """Units of collectively managed land."""
        return self.units - sum(share.units for share in self.households)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementInput:
    """One run for one lot and vintage; money of no other lot enters.

    Attributes
    ----------
    escrow_in_fen : int
        Buyers' money in escrow for this lot and vintage: balance of the last run (without
        reserves) plus what came since.
    refunds_fen : int
        Paid back to buyers out of it.
    gross_fen : int
        The part that is earned by the programme's return trigger and is shared now.
    advance_outstanding_fen : int
        What the collectives received up front and has not been recouped.
    """

    escrow_in_fen: int
    gross_fen: int
    suppliers: tuple[SupplierShare, ...]
    refunds_fen: int = 0
    deductions: tuple[Deduction, ...] = ()
    reserves: tuple[Reserve, ...] = ()
    advance_outstanding_fen: int = 0

    def __post_init__(self) -> None:
        require_amounts(
            escrow_in_fen=self.escrow_in_fen,
            gross_fen=self.gross_fen,
            refunds_fen=self.refunds_fen,
            advance_outstanding_fen=self.advance_outstanding_fen,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveMovement:
    """One type's reserve in this run: released = brought forward - what of it was spent."""

    type: str
    brought_forward_fen: int
    spent_fen: int
    released_fen: int
    set_aside_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PassThrough:
    """Money that the village account hands on to a household, outside any reserve."""

    household_code: str
    units: int
    amount_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VillageReturn:
    """A village's money: its own part, which is collective income, and what passes through."""

    division_code: str
    units: int
    amount_fen: int
    collective_fen: int
    pass_through: tuple[PassThrough, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementPlan:
    """The whole run to the fen; cannot be constructed unless in and out are equal."""

    escrow_in_fen: int
    refunds_fen: int
    gross_fen: int
    taxes_fen: int
    insurance_fen: int
    costs_fen: int
    reserves: tuple[ReserveMovement, ...]
    reserves_brought_forward_fen: int
    reserves_released_fen: int
    reserves_held_fen: int
    residue_fen: int
    advance_recouped_fen: int
    advance_outstanding_fen: int
    ratio: Fraction
    returned_fen: int
    remainder_fen: int
    remainder_payee: str | None
    villages: tuple[VillageReturn, ...]
    escrow_balance_fen: int

    def __post_init__(self) -> None:
        if self.company_fen != 0:
            raise ValueError(f"a settlement that leaves {self.company_fen} fen over")
        if sum(village.amount_fen for village in self.villages) != self.returned_fen:
            raise ValueError("the villages' parts do not sum to what is returned")

    @property
    def company_fen(self) -> int:
        """What nobody is named for: money in minus every named use. Always 0."""
        out = self.refunds_fen + self.taxes_fen + self.insurance_fen + self.costs_fen
        out += self.reserves_held_fen + self.advance_recouped_fen
        out += self.returned_fen + self.remainder_fen + self.escrow_balance_fen
        return self.escrow_in_fen + self.reserves_brought_forward_fen - out


def published_types(
    *, taxes: Iterable[str] = (), insurance: Iterable[str] = (), costs: Iterable[str] = ()
) -> Mapping[str, DeductionKind]:
    """Make the published list of deduction types, each in one group only.

    Raises
    ------
    TermsError
        A type stands twice.
    """
    result: dict[str, DeductionKind] = {}
    groups = ((DeductionKind.TAX, taxes), (DeductionKind.INSURANCE, insurance))
    for kind, names in (*groups, (DeductionKind.COST, costs)):
        for name in names:
            if name in result:
                raise TermsError(field=f"waterfall.{kind}", reason=f"{name} twice")
            result[name] = kind
    return MappingProxyType(result)


def check_settlement(terms: WaterfallTerms, run: SettlementInput) -> tuple[OptionsError, ...]:
    """List all reasons that stop a run, so that a page can show them together; empty if none."""
    return (
        *_deduction_findings(terms, run),
        *_supplier_findings(run),
        *_money_findings(run),
    )


def plan_settlement(terms: WaterfallTerms, run: SettlementInput) -> SettlementPlan:
    """Plan one settlement run.

    Parameters
    ----------
    terms : WaterfallTerms
        The programme's published list, ratio and payee.
    run : SettlementInput
        Money and shares of one lot and vintage. The order of rows never matters.

    Returns
    -------
    SettlementPlan
        Villages by division code, households and reserves by code.

    Raises
    ------
    DeductionTypeError, VoucherMissingError, VoucherRepeatedError, SupplierSharesError,
    EscrowShortError, ResidueNegativeError
        The first of ``check_settlement``.
    """
    for finding in check_settlement(terms, run):
        raise finding
    spent = {
        kind: sum(d.amount_fen for d in run.deductions if terms.published[d.type] is kind)
        for kind in DeductionKind
    }
    movements = _reserve_movements(run)
    residue_fen = _residue_fen(run)
    recouped_fen = min(run.advance_outstanding_fen, residue_fen)
    shared_fen = residue_fen - recouped_fen
    returned_fen = shared_fen * terms.ratio.numerator // terms.ratio.denominator
    return SettlementPlan(
        escrow_in_fen=run.escrow_in_fen,
        refunds_fen=run.refunds_fen,
        gross_fen=run.gross_fen,
        taxes_fen=spent[DeductionKind.TAX],
        insurance_fen=spent[DeductionKind.INSURANCE],
        costs_fen=spent[DeductionKind.COST],
        reserves=movements,
        reserves_brought_forward_fen=sum(m.brought_forward_fen for m in movements),
        reserves_released_fen=sum(m.released_fen for m in movements),
        reserves_held_fen=sum(m.set_aside_fen for m in movements),
        residue_fen=residue_fen,
        advance_recouped_fen=recouped_fen,
        advance_outstanding_fen=run.advance_outstanding_fen - recouped_fen,
        ratio=terms.ratio,
        returned_fen=returned_fen,
        remainder_fen=shared_fen - returned_fen,
        remainder_payee=terms.remainder_payee if terms.ratio < 1 else None,
        villages=split_returned(returned_fen, run.suppliers),
        escrow_balance_fen=run.escrow_in_fen - run.refunds_fen - run.gross_fen,
    )


def split_returned(
    returned_fen: int, suppliers: tuple[SupplierShare, ...]
) -> tuple[VillageReturn, ...]:
    """Split over villages by pre-stored units, then inside each to households and collective.

    Largest remainder in both steps; ties by division code, then by household code with the
    collective's own part last.

    Raises
    ------
    ShareWeightError
        Money to share and no units.
    """
    ordered = sorted(suppliers, key=lambda share: share.division_code)
    parts = largest_remainder(
        returned_fen, [s.units for s in ordered], [s.division_code for s in ordered]
    )
    return tuple(_village(s, part) for s, part in zip(ordered, parts, strict=True))


def _village(share: SupplierShare, amount_fen: int) -> VillageReturn:
    households = sorted(share.households, key=lambda h: h.household_code)
    keys = [(0, h.household_code) for h in households] + [(1, "")]
    *passed, own = largest_remainder(
        amount_fen, [*(h.units for h in households), share.own_units], keys
    )
    return VillageReturn(
        division_code=share.division_code,
        units=share.units,
        amount_fen=amount_fen,
        collective_fen=own,
        pass_through=tuple(
            PassThrough(household_code=h.household_code, units=h.units, amount_fen=part)
            for h, part in zip(households, passed, strict=True)
        ),
    )


def _reserve_movements(run: SettlementInput) -> tuple[ReserveMovement, ...]:
    def movement(name: str) -> ReserveMovement:
        rows = [r for r in run.reserves if r.type == name]
        brought = sum(r.brought_forward_fen for r in rows)
        spent = min(brought, sum(d.amount_fen for d in run.deductions if d.type == name))
        return ReserveMovement(
            type=name,
            brought_forward_fen=brought,
            spent_fen=spent,
            released_fen=brought - spent,
            set_aside_fen=sum(r.set_aside_fen for r in rows),
        )

    return tuple(movement(name) for name in sorted({r.type for r in run.reserves}))


def _residue_fen(run: SettlementInput) -> int:
    return (
        run.gross_fen
        + sum(r.brought_forward_fen - r.set_aside_fen for r in run.reserves)
        - sum(d.amount_fen for d in run.deductions)
    )


def _deduction_findings(terms: WaterfallTerms, run: SettlementInput) -> Iterator[OptionsError]:
    seen: set[tuple[str, str]] = set()
    for line in run.deductions:
        voucher = line.voucher.strip()
        if line.type not in terms.published:
            yield DeductionTypeError(type=line.type, voucher=voucher)
        if not voucher:
            yield VoucherMissingError(type=line.type, amount_fen=line.amount_fen)
        elif (line.type, voucher) in seen:
            yield VoucherRepeatedError(type=line.type, voucher=voucher)
        seen.add((line.type, voucher))
    for name in sorted({r.type for r in run.reserves} - set(terms.published)):
        yield DeductionTypeError(type=name, voucher="")


def _supplier_findings(run: SettlementInput) -> Iterator[OptionsError]:
    codes = [share.division_code for share in run.suppliers]
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        yield SupplierSharesError(division=code, reason="village repeated")
    if not any(share.units for share in run.suppliers):
        yield SupplierSharesError(division="", reason="no pre-stored units")


def _money_findings(run: SettlementInput) -> Iterator[OptionsError]:
    needed_fen = run.refunds_fen + run.gross_fen
    if needed_fen > run.escrow_in_fen:
        yield EscrowShortError(escrow_fen=run.escrow_in_fen, needed_fen=needed_fen)
    if _residue_fen(run) < 0:
        available = run.gross_fen + sum(r.brought_forward_fen for r in run.reserves)
        yield ResidueNegativeError(
            available_fen=available, deducted_fen=available - _residue_fen(run)
        )
