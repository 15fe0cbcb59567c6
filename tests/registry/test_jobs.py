"""Jobs exist when their transaction commits, close with their result, and survive their worker."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from registry import jobs
from registry.db import SYSTEM_ACTOR, Command, act_as, transaction
from registry.errors import InvalidValueError, NotFoundError, WrongStateError


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Command):
    """A command that asks for a job."""


@pytest.fixture
def ask(at):
    return Ask(at=at, actor_id=SYSTEM_ACTOR, key=uuid4().hex)


@jobs.task("test.double")
def double(running):
    running.progress("doubling", 1, 2)
    return {"twice": 2 * running.arguments["n"]}


@jobs.task("test.refuse")
def refuse(running):
    raise InvalidValueError(field="n", value=running.arguments["n"], why="too small")


@jobs.task("test.crash")
def crash(running):
    raise ZeroDivisionError("no")


@jobs.task("test.cancel_meanwhile")
def cancel_meanwhile(running):
    with transaction(running.engine) as session:
        jobs.cancel(session, running.id)
    running.progress("next", 1, 2)
    raise AssertionError("a cancelled job went on")


def add(engine, ask, name, **arguments):
    with transaction(engine) as session:
        return jobs.enqueue(session, ask, name, arguments)


def look(engine, job_id):
    with transaction(engine) as session:
        return jobs.get(session, job_id)


def test_a_job_is_done_with_its_result(engine, ask):
    first, second = add(engine, ask, "test.double", n=4), add(engine, ask, "test.double", n=5)
    assert look(engine, first).state == "queued"
    jobs.work(engine, once=True)
    assert [look(engine, job).result for job in (first, second)] == [{"twice": 8}, {"twice": 10}]
    assert look(engine, first).state == "done"
    assert look(engine, first).phase == "doubling"
    with transaction(engine) as session:
        assert {job.id for job in jobs.listing(session)} == {first, second}


def test_a_job_of_a_rolled_back_transaction_never_was(engine, ask):
    with Session(engine) as session:
        act_as(session, ask.actor_id)
        job = jobs.enqueue(session, ask, "test.double", {"n": 1})
        session.rollback()
    with pytest.raises(NotFoundError):
        look(engine, job)
    with transaction(engine) as session:
        assert session.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar() == 0


def test_a_refusal_keeps_its_code_and_parameters(engine, ask):
    refused, unknown = add(engine, ask, "test.refuse", n=-1), add(engine, ask, "test.no_such")
    jobs.work(engine, once=True)
    assert look(engine, refused).state == "failed"
    assert look(engine, refused).error == {
        "code": "VALUE_INVALID",
        "params": {"field": "n", "value": -1, "why": "too small"},
    }
    assert look(engine, unknown).error["code"] == "JOB_TASK_UNKNOWN"


def test_a_crash_is_kept_and_the_next_job_is_done(engine, ask):
    crashed, good = add(engine, ask, "test.crash"), add(engine, ask, "test.double", n=2)
    jobs.work(engine, once=True)
    assert look(engine, crashed).error["code"] == "JOB_CRASHED"
    assert look(engine, good).state == "done"


def test_a_waiting_job_is_cancelled_at_once(engine, ask):
    job = add(engine, ask, "test.double", n=1)
    with transaction(engine) as session:
        assert jobs.cancel(session, job).state == "cancelled"
    jobs.work(engine, once=True)
    assert look(engine, job).result is None
    with pytest.raises(WrongStateError), transaction(engine) as session:
        jobs.cancel(session, job)


def test_a_running_job_is_cancelled_at_its_next_step(engine, ask):
    job = add(engine, ask, "test.cancel_meanwhile")
    jobs.work(engine, once=True)
    assert look(engine, job).state == "cancelled"


KILLED = """
import sys
from registry import jobs
from registry.db import connect

@jobs.task("test.double")
def hang(running):
    running.progress("half", 1, 2)
    print("working", flush=True)
    sys.stdin.read()

jobs.work(connect(sys.argv[1]), once=True)
"""


def test_the_job_of_a_killed_worker_is_taken_up_again(engine, ask):
    job = add(engine, ask, "test.double", n=21)
    address = engine.url.render_as_string(hide_password=False)
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=dict(os.environ),
        text=True,
    ) as worker:
        assert worker.stdout.readline() == "working\n"
        worker.send_signal(signal.SIGKILL)
    assert look(engine, job).state == "running"
    jobs.work(engine, once=True, stalled_after_s=0.0)
    assert look(engine, job).state == "done"
    assert look(engine, job).result == {"twice": 42}
