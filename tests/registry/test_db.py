"""A command acts once, whoever repeats it and whenever; what is recorded cannot be changed."""

import hashlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from registry import cluster, events
from registry.db import SYSTEM_ACTOR, Command, connect, perform, transaction
from registry.errors import KeyReusedError
from registry.models import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Command):
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    event_id: UUID


def note(session: Session, command: Note) -> Noted:
    body = {"words": command.words}
    return Noted(
        event_id=events.record(session, command, kind="note", subject=("note", "1"), body=body)
    )


@pytest.fixture
def command(at) -> Note:
    return Note(at=at, actor_id=SYSTEM_ACTOR, key="k1", words="一棵树")


def test_a_repeated_command_writes_once_and_gets_the_first_answer(engine, command):
    first = perform(engine, note, command)
    assert perform(engine, note, command) == first
    with transaction(engine) as session:
        assert session.scalar(select(func.count()).select_from(Event)) == 1


def test_a_retry_at_another_time_is_the_same_request(engine, command, at):
    later = replace(command, at=at.replace(hour=20))
    assert perform(engine, note, command) == perform(engine, note, later)


def test_a_key_with_another_request_is_refused(engine, command):
    perform(engine, note, command)
    with pytest.raises(KeyReusedError, match="k1"):
        perform(engine, note, replace(command, words="两棵树"))


def test_eight_callers_with_one_key_act_once(engine, command):
    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(lambda _: perform(engine, note, command), range(8)))
    assert len(answers) == 1
    with transaction(engine) as session:
        assert session.scalar(select(func.count()).select_from(Event)) == 1


def test_a_verb_that_fails_leaves_neither_row_nor_key(engine, command):
    def broken(session: Session, command: Note) -> Noted:
        note(session, command)
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        perform(engine, broken, command)
    with transaction(engine) as session:
        assert session.scalar(select(func.count()).select_from(Event)) == 0
        assert session.scalar(text("SELECT count(*) FROM idempotency")) == 0


@pytest.mark.parametrize(
    "change", ["UPDATE event SET kind = 'x'", "DELETE FROM event", "TRUNCATE event CASCADE"]
)
def test_the_record_refuses_change(engine, command, change):
    perform(engine, note, command)
    with (
        pytest.raises(DBAPIError, match=r"append-only|permission denied"),
        transaction(engine) as session,
    ):
        session.execute(text(change))


def seal_until(engine, wanted: int) -> int:
    """Seal until ``wanted`` events are."""
    sealed, deadline = 0, time.monotonic() + 20
    while sealed < wanted and time.monotonic() < deadline:
        with transaction(engine) as session:
            sealed += events.seal(session)
    return sealed


def test_the_chain_seals_in_order_and_every_link_recomputes(engine, command):
    for n in range(5):
        perform(engine, note, replace(command, key=f"k{n}", words=f"第{n}棵"))
    assert seal_until(engine, 5) == 5
    with transaction(engine) as session:
        assert events.seal(session) == 0
        prev = bytes(32)
        for pos, line in enumerate(events.sealed_log(session), start=1):
            digest = hashlib.sha256(line.envelope.encode()).digest()
            link = events.seal_hash(pos=pos, prev=prev, digest=digest)
            assert (line.pos, line.prev, line.hash) == (pos, prev.hex(), link.hex())
            assert json.loads(line.envelope)["body"] == {"words": f"第{pos - 1}棵"}
            prev = link
    assert pos == 5


def test_an_event_of_an_open_transaction_waits_for_its_seal(engine, command):
    with transaction(engine) as slow:
        note(slow, replace(command, key="slow"))
        perform(engine, note, replace(command, key="fast"))
        with transaction(engine) as session:
            assert events.seal(session) == 0
    assert seal_until(engine, 2) == 2


def test_a_long_transaction_of_another_database_delays_no_seal(pg, clone, engine, command):
    other = connect(cluster.database_url(pg, clone(), "tanhui_app"))
    with transaction(other) as elsewhere:
        note(elsewhere, replace(command, key="elsewhere"))  # older than all that follows here
        perform(engine, note, command)
        with transaction(engine) as session:
            assert events.seal(session) == 1
        perform(engine, note, replace(command, key="second"))
        with transaction(engine) as session:
            note(session, replace(command, key="mine"))
            assert events.seal(session) == 1  # its own event is not committed yet
    other.dispose()
    assert seal_until(engine, 1) == 1
