"""Reasons why options refuses, each a class with a stable code and parameters.

The Chinese and English texts with their remedies live in ``web/messages/options.toml``; nothing
here is shown to a person. Parameters are plain values that ``str.format`` can place in a text.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping


class OptionsError(Exception):
    """Base of all refusals of this package.

    Attributes
    ----------
    code : str
        Stable name of the reason, key of its text.
    params : Mapping[str, object]
        What the text needs, by name.
    """

    code: ClassVar[str] = "OPTIONS_REFUSED"

    def __init__(self, **params: object) -> None:
        self.params: Mapping[str, object] = MappingProxyType(dict(params))
        super().__init__(f"{self.code} {params!r}")


class AmountError(OptionsError):
    """An amount is below zero, or not a whole number of its unit."""

    code = "AMOUNT_INVALID"


class ShareWeightError(OptionsError):
    """An amount cannot be split: no weight above zero, or a key stands twice."""

    code = "SPLIT_IMPOSSIBLE"


class TransitionRefusedError(OptionsError):
    """The machine has no such step from this state."""

    code = "TRANSITION_REFUSED"


class TermsError(OptionsError):
    """The terms of a lot or a subscription do not hold together."""

    code = "TERMS_INVALID"


class PaymentAmountError(OptionsError):
    """A payment is not the contract's amount to the fen."""

    code = "PAYMENT_AMOUNT_WRONG"


class VoteTooEarlyError(OptionsError):
    """A vote was held before the notice period was over."""

    code = "VOTE_TOO_EARLY"


class VoteInFutureError(OptionsError):
    """A vote is recorded before its day."""

    code = "VOTE_IN_FUTURE"


class VoteFailedError(OptionsError):
    """Fewer than two thirds of those entitled agreed."""

    code = "VOTE_BELOW_TWO_THIRDS"


class VoteCountError(OptionsError):
    """The count of votes cannot be right."""

    code = "VOTE_COUNT_IMPOSSIBLE"


class ConsentMissingError(OptionsError):
    """A household-contracted parcel has no written consent on file."""

    code = "CONSENT_MISSING"


class CharterMissingError(OptionsError):
    """A cooperative sells without its charter or resolution on file."""

    code = "CHARTER_MISSING"


class ObjectionOpenError(OptionsError):
    """An objection to the notice is still open."""

    code = "OBJECTION_OPEN"


class ValuationMissingError(OptionsError):
    """Neither a valuation nor a reason for exemption is named."""

    code = "VALUATION_MISSING"


class ValuationNoticeError(OptionsError):
    """The valuation's result has not been shown long enough."""

    code = "VALUATION_NOTICE_RUNNING"


class ExchangeMissingError(OptionsError):
    """The value reaches the county threshold and no public exchange is named."""

    code = "EXCHANGE_REF_MISSING"


class OversoldError(OptionsError):
    """More is asked than is free."""

    code = "LOT_OVERSOLD"


class SaleSuspendedError(OptionsError):
    """The lot is not on sale: not listed, or its forest is not growing."""

    code = "SALE_SUSPENDED"


class WithdrawalRefusedError(OptionsError):
    """A lot with sales can no longer be withdrawn."""

    code = "WITHDRAWAL_AFTER_SALE"


class TreePackError(OptionsError):
    """A tree pack does not hold the numbered trees it promises."""

    code = "TREE_PACK_INVALID"


class TreesShortError(OptionsError):
    """Fewer trees live than the pack promises."""

    code = "TREES_SHORT"


class RefundError(OptionsError):
    """A refund cannot be worked out from these amounts."""

    code = "REFUND_INVALID"


class ApproverError(OptionsError):
    """A settlement is approved by fewer than two different persons."""

    code = "TWO_PERSONS_NEEDED"


class DeductionTypeError(OptionsError):
    """A deduction's type is not in the programme's published list."""

    code = "DEDUCTION_TYPE_UNLISTED"


class VoucherMissingError(OptionsError):
    """A deduction carries no voucher number."""

    code = "VOUCHER_MISSING"


class VoucherRepeatedError(OptionsError):
    """One voucher is charged twice for the same type."""

    code = "VOUCHER_REPEATED"


class ResidueNegativeError(OptionsError):
    """The deductions are more than the money to share."""

    code = "RESIDUE_NEGATIVE"


class RatioError(OptionsError):
    """The ratio lies outside 0 to 1, or the remainder has no payee."""

    code = "RATIO_INVALID"


class RemainderPayeeMissingError(OptionsError):
    """A ratio under one needs a payee for the rest."""

    code = "REMAINDER_PAYEE_MISSING"


class EscrowShortError(OptionsError):
    """The bank-supervised account holds less than is to leave it."""

    code = "ESCROW_SHORT"


class SupplierSharesError(OptionsError):
    """The villages' shares of a lot are missing, repeated or inconsistent."""

    code = "SUPPLIER_SHARES_INVALID"


class ReserveRatioError(OptionsError):
    """A reserve below the legal share of net income, or above all of it."""

    code = "RESERVE_RATIO_INVALID"


class NetIncomeError(OptionsError):
    """A loss cannot be distributed."""

    code = "NET_INCOME_NEGATIVE"


class ShareRegisterError(OptionsError):
    """The share register is empty or names a household twice."""

    code = "SHARE_REGISTER_INVALID"
