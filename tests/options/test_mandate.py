"""Mandates: two thirds exactly, notice, consents, charter, objections, valuation, exchange."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from options.errors import AmountError, TermsError
from options.mandate import (
    Consent,
    Mandate,
    Tenure,
    Valuation,
    Vote,
    check_mandate,
    check_pre_store,
    is_two_thirds,
)

NOTICE = date(2026, 3, 2)
EARLIEST = date(2026, 3, 18)


def mandate(*tenures, **values):
    return Mandate(tenures=frozenset(tenures), noticed_on=NOTICE, **values)


def codes(findings):
    return [finding.code for finding in findings]


@pytest.mark.parametrize(
    ("yes", "entitled", "ok"), [(2, 3, True), (66, 100, False), (67, 100, True)]
)
def test_two_thirds_is_exact(yes, entitled, ok):
    assert is_two_thirds(yes=yes, entitled=entitled) == ok
    vote = Vote(on=EARLIEST, yes=yes, entitled=entitled)
    findings = check_mandate(mandate(Tenure.COLLECTIVE, vote=vote), on=EARLIEST)
    assert codes(findings) == ([] if ok else ["VOTE_BELOW_TWO_THIRDS"])


@given(st.integers(1, 10**6), st.data())
def test_the_named_need_is_the_smallest_that_passes(entitled, data):
    yes = data.draw(st.integers(0, entitled))
    vote = Vote(on=EARLIEST, yes=yes, entitled=entitled)
    for finding in check_mandate(mandate(Tenure.COLLECTIVE, vote=vote), on=EARLIEST):
        needed = finding.params["needed"]
        assert is_two_thirds(yes=needed, entitled=entitled)
        assert not is_two_thirds(yes=needed - 1, entitled=entitled)


def test_a_vote_on_17_march_is_a_day_early():
    vote = Vote(on=date(2026, 3, 17), yes=3, entitled=3)
    findings = check_mandate(mandate(Tenure.COLLECTIVE, vote=vote), on=EARLIEST)
    assert codes(findings) == ["VOTE_TOO_EARLY"]
    assert findings[0].params == {"vote_on": date(2026, 3, 17), "earliest": EARLIEST}


@pytest.mark.parametrize(
    "vote", [None, Vote(on=EARLIEST, yes=1, entitled=0), Vote(on=EARLIEST, yes=4, entitled=3)]
)
def test_an_impossible_count(vote):
    findings = check_mandate(mandate(Tenure.COLLECTIVE, vote=vote), on=EARLIEST)
    assert codes(findings) == ["VOTE_COUNT_IMPOSSIBLE"]


def test_a_vote_is_recorded_after_it_was_held():
    vote = Vote(on=date(2026, 3, 20), yes=3, entitled=3)
    findings = check_mandate(mandate(Tenure.COLLECTIVE, vote=vote), on=date(2026, 3, 19))
    assert codes(findings) == ["VOTE_IN_FUTURE"]


def test_each_tenure_brings_its_own_proof():
    all_kinds = mandate(
        Tenure.COLLECTIVE,
        Tenure.HOUSEHOLD,
        Tenure.COOPERATIVE,
        consents=(Consent(parcel="p2", document_ref=" "), Consent(parcel="p1", document_ref=None)),
        open_objections=2,
    )
    findings = check_mandate(all_kinds, on=EARLIEST)
    assert codes(findings) == [
        "VOTE_COUNT_IMPOSSIBLE",
        "CONSENT_MISSING",
        "CHARTER_MISSING",
        "OBJECTION_OPEN",
    ]
    assert findings[1].params == {"missing": 2, "parcel": "p1"}


def test_households_consent_after_the_notice():
    signed = mandate(Tenure.HOUSEHOLD, consents=(Consent(parcel="p1", document_ref="W-1"),))
    assert check_mandate(signed, on=EARLIEST) == ()
    assert codes(check_mandate(signed, on=date(2026, 3, 17))) == ["VOTE_TOO_EARLY"]
    assert codes(check_mandate(mandate(Tenure.HOUSEHOLD), on=EARLIEST)) == ["CONSENT_MISSING"]
    assert check_mandate(mandate(Tenure.STATE, charter_ref="D-1"), on=EARLIEST) == ()


def test_mandates_that_cannot_be():
    with pytest.raises(TermsError):
        mandate()
    with pytest.raises(AmountError):
        check_mandate(mandate(Tenure.STATE, notice_days=10), on=EARLIEST)


def test_pre_storing_needs_a_value_and_perhaps_the_exchange():
    def check(on=EARLIEST, threshold=1_000, **values):
        found = check_pre_store(
            Valuation(value_fen=999, **values), on=on, exchange_threshold_fen=threshold
        )
        return codes(found)

    assert check(exempt_reason="小额") == []
    assert check() == check(valuation_ref="V-1") == ["VALUATION_MISSING"]
    assert check(valuation_ref="V-1", shown_on=NOTICE) == []
    assert check(valuation_ref="V-1", shown_on=date(2026, 3, 3)) == ["VALUATION_NOTICE_RUNNING"]
    assert check(exempt_reason="小额", threshold=999) == ["EXCHANGE_REF_MISSING"]
    assert check(exempt_reason="小额", threshold=999, exchange_ref="E-1") == []
