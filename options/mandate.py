"""Whether those who own the forest agreed: vote, household consents, charter, objections, value.

Which proof is needed follows from seller and tenure. Pure: facts in, a list of reasons out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from options.calendar import NOTICE_DAYS_MIN, earliest_vote
from options.errors import (
    CharterMissingError,
    ConsentMissingError,
    ExchangeMissingError,
    ObjectionOpenError,
    OptionsError,
    TermsError,
    ValuationMissingError,
    ValuationNoticeError,
    VoteCountError,
    VoteFailedError,
    VoteInFutureError,
    VoteTooEarlyError,
)
from options.rounding import require_amounts


class Tenure(StrEnum):
    """How the land of a lot is held; decides the kind of mandate."""

    COLLECTIVE = "collective"
    HOUSEHOLD = "household"
    COOPERATIVE = "cooperative"
    STATE = "state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """A vote of the members or delegates: the day, how many agreed, how many are entitled."""

    on: date
    yes: int
    entitled: int

    def __post_init__(self) -> None:
        require_amounts(yes=self.yes, entitled=self.entitled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A household-contracted parcel and the number of its holder's paper (委托 or 流转)."""

    parcel: str
    document_ref: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """What is on file for one lot.

    Attributes
    ----------
    tenures : frozenset[Tenure]
        Of all its parcels; each demands its own proof.
    noticed_on : date
        Day on which the notice was put up.
    notice_days : int
        As published, at least 15.
    vote : Vote | None
        Needed for collectively managed land.
    consents : tuple[Consent, ...]
        One for each household-contracted parcel.
    charter_ref : str | None
        Charter or resolution: a cooperative's, or a state farm's authority to sell.
    open_objections : int
        Objections to the notice that are not answered.
    """

    tenures: frozenset[Tenure]
    noticed_on: date
    notice_days: int = NOTICE_DAYS_MIN
    vote: Vote | None = None
    consents: tuple[Consent, ...] = ()
    charter_ref: str | None = None
    open_objections: int = 0

    def __post_init__(self) -> None:
        require_amounts(open_objections=self.open_objections)
        if not self.tenures:
            raise TermsError(field="tenures", reason="empty")


@dataclass(frozen=True, slots=True, kw_only=True)
class Valuation:
    """What is on file about the value before pre-storing.

    Attributes
    ----------
    value_fen : int
        Expected value of the lot.
    valuation_ref, exempt_reason : str | None
        One of the two.
    shown_on : date | None
        Day on which the valuation's result was put up.
    exchange_ref : str | None
        Needed when the value reaches the county's threshold.
    """

    value_fen: int
    valuation_ref: str | None = None
    exempt_reason: str | None = None
    shown_on: date | None = None
    exchange_ref: str | None = None

    def __post_init__(self) -> None:
        require_amounts(value_fen=self.value_fen)


def is_two_thirds(*, yes: int, entitled: int) -> bool:
    """Whether at least two thirds of those entitled agreed; exact, no rounding."""
    return 3 * yes >= 2 * entitled


def check_mandate(mandate: Mandate, *, on: date) -> tuple[OptionsError, ...]:
    """List the reasons why the mandate is not given; empty when RESOLVED may be recorded.

    Parameters
    ----------
    mandate : Mandate
    on : date
        Day of recording: the notice must be over also where nobody votes.
    """
    findings: list[OptionsError] = []
    earliest = earliest_vote(mandate.noticed_on, notice_days=mandate.notice_days).day
    if Tenure.COLLECTIVE in mandate.tenures:
        findings.extend(_vote_findings(mandate.vote, earliest, on))
    elif on < earliest:
        findings.append(VoteTooEarlyError(vote_on=on, earliest=earliest))
    if Tenure.HOUSEHOLD in mandate.tenures:
        findings.extend(_consent_findings(mandate.consents))
    if mandate.tenures & {Tenure.COOPERATIVE, Tenure.STATE} and not _filed(mandate.charter_ref):
        findings.append(CharterMissingError())
    if mandate.open_objections:
        findings.append(ObjectionOpenError(open_objections=mandate.open_objections))
    return tuple(findings)


def check_pre_store(
    valuation: Valuation, *, on: date, exchange_threshold_fen: int
) -> tuple[OptionsError, ...]:
    """List the reasons why a resolved lot may not be pre-stored yet; empty when it may.

    Parameters
    ----------
    valuation : Valuation
    on : date
        Day of pre-storing.
    exchange_threshold_fen : int
        County setting: from this value on the public exchange is used.
    """
    findings: list[OptionsError] = []
    if _filed(valuation.valuation_ref):
        if valuation.shown_on is None:
            findings.append(ValuationMissingError())
        else:
            earliest = earliest_vote(valuation.shown_on).day
            if on < earliest:
                findings.append(ValuationNoticeError(earliest=earliest))
    elif not _filed(valuation.exempt_reason):
        findings.append(ValuationMissingError())
    if valuation.value_fen >= exchange_threshold_fen and not _filed(valuation.exchange_ref):
        findings.append(
            ExchangeMissingError(
                value_fen=valuation.value_fen, threshold_fen=exchange_threshold_fen
            )
        )
    return tuple(findings)


def _filed(reference: str | None) -> bool:
    return bool((reference or "").strip())


def _vote_findings(vote: Vote | None, earliest: date, on: date) -> Iterator[OptionsError]:
    if vote is None or vote.entitled == 0 or vote.yes > vote.entitled:
        yes, entitled = (vote.yes, vote.entitled) if vote else (0, 0)
        yield VoteCountError(yes=yes, entitled=entitled)
        return
    if vote.on < earliest:
        yield VoteTooEarlyError(vote_on=vote.on, earliest=earliest)
    if vote.on > on:
        yield VoteInFutureError(vote_on=vote.on, recorded_on=on)
    if not is_two_thirds(yes=vote.yes, entitled=vote.entitled):
        needed = -(-2 * vote.entitled // 3)
        yield VoteFailedError(yes=vote.yes, entitled=vote.entitled, needed=needed)


def _consent_findings(consents: tuple[Consent, ...]) -> Iterator[OptionsError]:
    missing = sorted(c.parcel for c in consents if not _filed(c.document_ref))
    if missing or not consents:
        yield ConsentMissingError(missing=len(missing), parcel=missing[0] if missing else "")
