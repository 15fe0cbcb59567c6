"""The chain's order is one in which things can have happened: cause before effect."""

from sqlalchemy import text

from registry import events, retirement
from registry.db import transaction
from registry.ranges import Selection
from tests.registry.unit_makers import World, exported, sealed_lines, verify_log


def numbered(session):
    """Draw the transaction's number now, as the first write of a command does."""
    session.scalar(text("SELECT pg_current_xact_id()::text"))


def retire(session, world):
    command = retirement.RetireUnits(
        **world.by(),
        holder_id=world.village,
        units=Selection(kg=10),
        beneficiary="示例会议",
        beneficiary_kind="event",
        beneficiary_location="衢州",
        purpose="other",
        reporting_period="2025",
    )
    retirement.retire(session, command)


def test_who_began_first_but_waited_stands_after_what_it_waited_for(engine, at):
    world = World(engine, at)
    with transaction(engine) as waiting:
        numbered(waiting)
        world.issued()
        retire(waiting, world)
    lines = exported(engine)
    assert verify_log.verify(lines)[0] == len(lines) == 4


def test_nothing_is_sealed_past_an_event_that_must_still_wait(engine, at):
    world = World(engine, at)
    with transaction(engine) as waiting:
        numbered(waiting)
        with transaction(engine) as idle:
            numbered(idle)
            world.issued()
            retire(waiting, world)
            waiting.commit()
            with transaction(engine) as session:
                events.seal(session)
            verify_log.verify(sealed_lines(engine))
    lines = exported(engine)
    assert verify_log.verify(lines)[0] == len(lines) == 4
