"""Stand events: entered, corrected by another row, withdrawn; the record keeps all of them."""

from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from registry import stand_events
from registry.db import SYSTEM_ACTOR, perform, transaction
from registry.errors import InvalidValueError, NotFoundError
from registry.stand_events import EventReplacedError, RecordStandEvent, WithdrawStandEvent
from tests.registry.makers_science import blocks, draw_parcels


@pytest.fixture
def parcel(engine, at):
    return draw_parcels(engine, at, blocks(1, 1))[0]


def asked(at, parcel, **more):
    given = {"year": at.year, "kind": "thinning", "intensity_ppm": 300_000, "source": "巡护"} | more
    return RecordStandEvent(
        at=at, actor_id=SYSTEM_ACTOR, key=uuid4().hex, parcel_id=parcel, **given
    )


def listed(engine, parcel, **more):
    with transaction(engine) as session:
        return stand_events.listing(session, parcel, **more)


def test_an_event_is_kept_and_corrected_by_another_row(engine, at, parcel):
    other = draw_parcels(engine, at, blocks(1, 2)[1:])[0]
    perform(engine, stand_events.record, asked(at, other))
    first = perform(engine, stand_events.record, asked(at, parcel, evidence={"ndvi": "-0.4"}))
    again = asked(at, parcel, intensity_ppm=250_000, replaces=first.id, reason="复测")
    second = perform(engine, stand_events.record, again)
    assert [one.id for one in listed(engine, parcel)] == [second.id]
    assert [one.id for one in listed(engine, parcel, history=True)] == [first.id, second.id]
    assert (first.evidence, second.intensity_ppm) == ({"ndvi": "-0.4"}, 250_000)
    with pytest.raises(EventReplacedError):
        perform(engine, stand_events.record, replace(again, key=uuid4().hex))


def test_a_withdrawn_event_no_longer_counts(engine, at, parcel):
    first = perform(engine, stand_events.record, asked(at, parcel))
    command = WithdrawStandEvent(
        at=at, actor_id=SYSTEM_ACTOR, key=uuid4().hex, event_id=first.id, reason="误报"
    )
    assert perform(engine, stand_events.withdraw, command).withdrawn
    assert listed(engine, parcel) == []
    assert len(listed(engine, parcel, history=True)) == 2
    with pytest.raises(EventReplacedError):
        perform(engine, stand_events.withdraw, replace(command, key=uuid4().hex))
    with pytest.raises(InvalidValueError):
        perform(engine, stand_events.withdraw, replace(command, key=uuid4().hex, reason=" "))


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "meteor"},
        {"touched_ppm": 0},
        {"intensity_ppm": 1_000_001},
        {"species": 3},
        {"kind": "replanting", "species": 99},
        {"source": " "},
        {"year": 1700},
        {"year": 2199},
    ],
)
def test_what_makes_no_sense_is_refused(engine, at, parcel, wrong):
    with pytest.raises(InvalidValueError):
        perform(engine, stand_events.record, asked(at, parcel, **wrong))


def test_only_a_plan_lies_in_the_future(engine, at, parcel):
    made = perform(engine, stand_events.record, asked(at, parcel, year=at.year + 5, planned=True))
    assert made.planned


def test_an_event_needs_its_parcel(engine, at, parcel):
    with pytest.raises(NotFoundError):
        perform(engine, stand_events.record, asked(at, uuid4()))
    elsewhere = draw_parcels(engine, at, blocks(1, 2)[1:])[0]
    made = perform(engine, stand_events.record, asked(at, elsewhere))
    with pytest.raises(NotFoundError):
        perform(engine, stand_events.record, asked(at, parcel, replaces=made.id, reason="换地块"))


def test_the_record_only_grows(engine, at, parcel):
    perform(engine, stand_events.record, asked(at, parcel))
    for act in ("UPDATE stand_event SET year = 2000", "DELETE FROM stand_event"):
        with pytest.raises(DBAPIError), transaction(engine) as session:
            session.execute(text(act))
