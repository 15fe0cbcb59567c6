"""Reasons for which the written side of options says no; the pure core's stand in ``errors.py``."""

from options.errors import OptionsError


class LotNotFoundError(OptionsError):
    """There is no such lot."""

    code = "LOT_NOT_FOUND"


class SubscriptionNotFoundError(OptionsError):
    """There is no such subscription."""

    code = "SUBSCRIPTION_NOT_FOUND"


class SettlementNotFoundError(OptionsError):
    """There is no such settlement."""

    code = "SETTLEMENT_NOT_FOUND"


class PartyNotFoundError(OptionsError):
    """There is no such party."""

    code = "OPTIONS_PARTY_NOT_FOUND"


class ProgrammeNotFoundError(OptionsError):
    """The programme has no such version."""

    code = "OPTIONS_PROGRAMME_NOT_FOUND"


class LotGroundError(OptionsError):
    """A parcel cannot stand in this lot: not approved, or not under an active claim of it."""

    code = "LOT_GROUND_INVALID"


class NumberTakenError(OptionsError):
    """Another lot carries this number."""

    code = "LOT_NUMBER_TAKEN"


class ReviewerError(OptionsError):
    """Who drafted a lot cannot review it."""

    code = "REVIEWER_IS_AUTHOR"


class ObjectionClosedError(OptionsError):
    """There is no such open objection to this lot."""

    code = "OBJECTION_NOT_OPEN"


class DeadlinePassedError(OptionsError):
    """The time for this step has run out."""

    code = "STEP_TOO_LATE"


class StepTooEarlyError(OptionsError):
    """The time for this step has not come."""

    code = "STEP_TOO_EARLY"


class RiskNotAcceptedError(OptionsError):
    """A contract is signed only after its risk text was accepted."""

    code = "RISK_NOT_ACCEPTED"


class IdentityUncheckedError(OptionsError):
    """A contract is signed only after the buyer's identity was checked."""

    code = "IDENTITY_UNCHECKED"


class PayerError(OptionsError):
    """The money came from somebody else than the buyer."""

    code = "PAYER_NOT_BUYER"


class BankReferenceError(OptionsError):
    """A row of the bank statement was already used for something else."""

    code = "BANK_REFERENCE_REUSED"


class LinesOpenError(OptionsError):
    """Contracts of the vintage are still between reservation and the end of cooling-off."""

    code = "DELIVERY_LINES_OPEN"


class NothingToDeliverError(OptionsError):
    """No lot of the project has pre-stored this vintage."""

    code = "NOTHING_TO_DELIVER"


class BankAccountKindError(OptionsError):
    """Money of a collective may go to its own basic or general account only."""

    code = "BANK_ACCOUNT_NOT_COLLECTIVE"


class SettlementOpenError(OptionsError):
    """Another run of this lot and vintage is not paid out yet."""

    code = "SETTLEMENT_OPEN"


class NothingToSettleError(OptionsError):
    """No money of this lot and vintage has been earned since the last run."""

    code = "NOTHING_TO_SETTLE"


class SettlementLineError(OptionsError):
    """A bank confirmation names a line that is not there or already confirmed."""

    code = "SETTLEMENT_LINE_NOT_OPEN"


class RefundNotDueError(OptionsError):
    """Nothing is owed to buyers here."""

    code = "REFUND_NOT_DUE"


class PackNotFoundError(OptionsError):
    """There is no such pack."""

    code = "TREE_PACK_NOT_FOUND"


class TreeTakenError(OptionsError):
    """A tree stands in a pack already, or is not a live tree of the parcel."""

    code = "TREE_NOT_FREE"


class TreeNumberError(OptionsError):
    """The parcel has a tree of this number."""

    code = "TREE_NUMBER_TAKEN"


class TreeGroundError(OptionsError):
    """Numbered trees stand on an approved parcel of kind tree, and this is none."""

    code = "TREE_GROUND_INVALID"


class TreeFactsError(OptionsError):
    """What is said of a tree cannot be so."""

    code = "TREE_FACTS_INVALID"


class TreeOutsideError(OptionsError):
    """A tree's point lies outside its parcel."""

    code = "TREE_OUTSIDE_PARCEL"


class TreeNotDeadError(OptionsError):
    """Only a tree reported dead is replaced, and once."""

    code = "TREE_NOT_DEAD"


class TreeReplacementError(OptionsError):
    """A tree is replaced by one of the same species and owner."""

    code = "TREE_REPLACEMENT_DIFFERS"


class SoldAheadError(OptionsError):
    """Tonnes of this project are in lots: its periods are issued and delivered in one step."""

    code = "PERIOD_SOLD_AHEAD"


class DistributionDoneError(OptionsError):
    """The collective's year is already distributed."""

    code = "DISTRIBUTION_EXISTS"
