"""Units: verified by another, issued once, moved and retired by serial, certified and looked up."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from registry import certificates, evidence, issuance, keys, retirement, serials
from registry.db import SYSTEM_ACTOR, transaction
from registry.errors import InvalidValueError, NotFoundError
from registry.issuance import IssuePeriod
from registry.ranges import Selection
from registry.unit_errors import (
    EventNotSealedError,
    InsufficientBalanceError,
    IssuerExternalError,
    MarkForbiddenError,
    SamePersonError,
    SerialInvalidError,
    UnitNotHeldError,
    VerifiedTooMuchError,
    VerifierNotIndependentError,
)
from sinks.issuance import VintageBatch
from tests import factories
from tests.registry.unit_makers import World, exported, seal_everything, verify_log


@pytest.fixture
def world(engine, at):
    return World(engine, at)


def test_a_verified_period_becomes_one_batch_a_vintage_buffer_last(world):
    issued = world.issued()
    assert [batch.vintage for batch in issued.batches] == [2024, 2025]
    assert sum(batch.size_kg for batch in issued.batches) == 100_001
    for batch in issued.batches:
        assert batch.buffer_kg == -(-batch.size_kg // 10)
        first, last = (serials.parse(one.serial) for one in batch.ranges)
        assert (first.first, last.last) == (1, batch.size_kg)
        assert batch.ranges[-1].party_id is None
        assert last.kg == batch.buffer_kg
    assert world.totals() == {
        "held": 100_001 - sum(b.buffer_kg for b in issued.batches),
        "buffer": sum(b.buffer_kg for b in issued.batches),
    }


FORBIDS = """
[issuance]
marks_forbidden = { value = ["MARK"], unit = "mark", source = "test", mark = "proposed", checked_on = 2026-11-21 }
"""
RECALLED = (
    {"species": 3, "curve": "wishful", "mark": "recalled"},
    {"site": 1, "mark": "proposed", "multiplier": "1.0"},
)


def test_a_programme_may_refuse_to_issue_on_what_nobody_checked(engine, at):
    world = World(engine, at, programme_more=FORBIDS.replace("MARK", "recalled"), rows=RECALLED)
    with pytest.raises(MarkForbiddenError, match="wishful"):
        world.issued()
    assert world.totals() == {}


def test_a_site_class_that_changes_nothing_is_no_reason_to_refuse(engine, at):
    world = World(engine, at, programme_more=FORBIDS.replace("MARK", "proposed"), rows=RECALLED)
    assert world.issued().batches
    changed = [RECALLED[1] | {"multiplier": "1.2"}]
    assert evidence.refused_rows(changed, species=frozenset(), marks=frozenset({"proposed"}))


def test_only_curves_that_stand_on_the_ground_count():
    marks = frozenset({"recalled"})
    assert evidence.refused_rows(RECALLED, species=frozenset({2}), marks=marks) == []
    assert evidence.refused_rows(RECALLED, species=frozenset({3}), marks=marks)


def test_eight_racing_issuers_issue_once(world):
    period = world.submitted()
    world.verify(period)

    def race(_):
        try:
            world.do(issuance.issue, IssuePeriod(**world.by(), period_id=period.period_id))
        except Exception as refusal:  # noqa: BLE001
            return type(refusal).__name__
        return "issued"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(race, range(8)))
    assert answers.count("issued") == 1
    assert set(answers) == {"issued", "WrongStateError"}
    assert sum(world.totals().values()) == 100_001


def test_the_verifier_is_independent_another_person_and_bounded_by_the_plan(world):
    period = world.submitted()
    with pytest.raises(VerifiedTooMuchError):
        world.verify(period, verified_kg=period.creditable_kg + 1)
    with pytest.raises(SamePersonError):
        world.verify(period, actor_id=SYSTEM_ACTOR)
    with transaction(world.engine) as session:
        mine = factories.actor(session, "collective", party_id=world.village)
    with pytest.raises(VerifierNotIndependentError):
        world.verify(period, actor_id=mine, verifier_id=world.village)


def test_an_outside_registry_issues_its_own_units(engine, at):
    world = World(engine, at, authority="external")
    period = world.submitted()
    world.verify(period)
    with pytest.raises(IssuerExternalError):
        world.do(issuance.issue, IssuePeriod(**world.by(), period_id=period.period_id))


def test_a_transfer_by_amount_gives_the_last_serials_and_keeps_the_first(world):
    batch = world.issued().batches[0]
    moved = world.transfer(Selection(kg=500, batch_id=batch.batch_id))
    (words,) = moved.serials
    got = serials.parse(words)
    held = batch.size_kg - batch.buffer_kg
    assert (got.prefix, got.first, got.last) == (batch.prefix, held - 499, held)
    assert sum(world.totals().values()) == 100_001


def test_a_retired_unit_is_not_transferred_nor_retired_again(world):
    batch = world.issued().batches[0]
    words = (f"{batch.prefix}-101-200",)
    assert world.retire(words=words).kg == 100
    with pytest.raises(UnitNotHeldError) as refused:
        world.transfer(Selection(serials=words))
    assert refused.value.params["state"] == "retired"
    with pytest.raises(UnitNotHeldError):
        world.retire(words=(f"{batch.prefix}-150-250",))
    assert world.totals()["retired"] == 100


def test_the_database_itself_lets_no_retired_range_go(world):
    world.issued()
    world.retire(10)
    with (
        pytest.raises(Exception, match="is final"),
        transaction(world.engine) as session,
    ):
        session.execute(
            text("UPDATE unit_range SET closed_by = opened_by WHERE status = 'retired'")
        )


def test_a_repeated_retirement_acts_once(world):
    world.issued()
    assert world.retire(10, key="r") == world.retire(10, key="r")
    assert world.totals()["retired"] == 10


def test_more_than_held_a_stranger_and_the_buffer_are_refused(world):
    batch = world.issued().batches[0]
    with pytest.raises(InsufficientBalanceError):
        world.retire(100_001)
    with pytest.raises(InsufficientBalanceError):
        world.retire(1, holder_id=world.buyer)
    with pytest.raises(UnitNotHeldError) as refused:
        world.retire(words=(f"{batch.prefix}-{batch.size_kg}-{batch.size_kg}",))
    assert refused.value.params["state"] == "buffer"
    with pytest.raises(InvalidValueError):
        world.retire(1, beneficiary=" ")
    with pytest.raises(InvalidValueError):
        world.retire(1, note="长" * 513)


def test_eight_people_retire_at_once_and_nothing_is_lost(world):
    world.issued()
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: world.retire(1_000), range(8)))
    assert len({one.number for one in done}) == 8
    assert world.totals()["retired"] == 8_000
    assert sum(world.totals().values()) == 100_001


def test_a_reversal_cancels_buffer_and_names_what_is_missing(world):
    issued = world.issued()
    buffer = sum(batch.buffer_kg for batch in issued.batches)
    command = retirement.CancelBuffer(
        **world.by(), project_id=world.project, kg=buffer + 5, reason="火灾"
    )
    done = world.do(retirement.cancel_buffer, command)
    assert (done.cancelled_kg, done.short_kg) == (buffer, 5)
    assert world.totals()["cancelled"] == buffer


@given(
    sizes=st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 100)), min_size=1, max_size=4),
    weights=st.lists(st.integers(1, 1000), min_size=1, max_size=5),
)
def test_a_planned_batch_is_complete_and_disjoint(sizes, weights):
    vintages = [
        VintageBatch(
            year=2020 + n,
            total_kg=kg,
            holder_kg=kg - -(-kg * share // 100),
            buffer_kg=-(-kg * share // 100),
        )
        for n, (kg, share) in enumerate(sizes)
    ]
    planned = issuance.plan_issuance(
        vintages, adcode="330802", project=7, first_number=1, weights=weights
    )
    for batch in planned:
        past = 1
        for one in batch.ranges:
            assert one.serial.first == past
            past = one.serial.last + 1
        assert past - 1 == batch.size_kg
        assert sum(r.serial.kg for r in batch.ranges if r.holder is None) == batch.buffer_kg


def test_a_certificate_stands_on_a_sealed_event_and_shows_its_state(world, tmp_path):
    world.issued()
    retired = world.retire(1_234)
    key = keys.signing_key(tmp_path / "keys" / "ed25519.pem")

    def certify(session, command):
        return certificates.certify_retirement(session, command, key)

    certify.__annotations__["return"] = certificates.Certified
    command = certificates.CertifyRetirement(**world.by(), retirement_id=retired.retirement_id)
    with transaction(world.engine) as session, pytest.raises(EventNotSealedError):
        certificates.certify_retirement(session, command, key)
    seal_everything(world.engine)
    made = world.do(certify, command)
    with transaction(world.engine) as session:
        seen = certificates.look_up(session, retired.number)
        assert (seen.number, seen.state, seen.signature_holds) == (made.number, "valid", True)
        assert (seen.body["kg"], seen.body["serials"]) == (1_234, retired.serials)
        state = certificates.serial_state(session, retired.serials[0])
        assert {part["status"] for part in state.parts} == {"retired"}
    revoked = certificates.RevokeCertificate(**world.by(), number=made.number, reason="误开")
    world.do(certificates.revoke, revoked)
    with transaction(world.engine) as session:
        assert certificates.look_up(session, made.number).state == "revoked"
        with pytest.raises(NotFoundError):
            certificates.look_up(session, "CERT-2026-999999")
        with pytest.raises(SerialInvalidError):
            certificates.serial_state(session, "CN-1-FCS")


def test_the_key_file_is_private_and_one_key_stands(tmp_path):
    path = tmp_path / "k" / "key.pem"
    with ThreadPoolExecutor(4) as pool:
        made = {keys.public_bytes(keys.signing_key(path)) for _ in pool.map(lambda _: 0, range(4))}
    assert len(made) == 1
    path.chmod(0o644)
    with pytest.raises(keys.KeyFileExposedError):
        keys.signing_key(path)


@pytest.fixture
def log(world):
    world.issued()
    world.retire(100)
    world.transfer(Selection(kg=50))
    world.retire(7)
    return exported(world.engine)


def test_a_whole_log_verifies_offline(log):
    count, last = verify_log.verify(log)
    assert count == len(log)
    assert verify_log.verify(log, {"pos": count, "hash": last}) == (count, last)


def flip(log):
    return [*log[:2], log[2].replace("2026", "2027", 1), *log[3:]]


TAMPERED = {
    "a changed word": flip,
    "a line taken out": lambda log: [*log[:2], *log[3:]],
    "two lines changed round": lambda log: [*log[:1], log[2], log[1], *log[3:]],
    "a line that is no JSON": lambda log: [*log[:-1], log[-1][:-4]],
    "a line repeated": lambda log: [*log, log[-1]],
}


@pytest.mark.parametrize("how", TAMPERED)
def test_a_tampered_log_is_broken_at_its_place(log, how):
    with pytest.raises(verify_log.Broken):
        verify_log.verify(TAMPERED[how](log))


def test_a_log_cut_short_is_caught_by_the_anchor(log):
    count, last = verify_log.verify(log)
    assert verify_log.verify(log[:-1])[0] == count - 1
    with pytest.raises(verify_log.Broken, match="anchor"):
        verify_log.verify(log[:-1], {"pos": count, "hash": last})
