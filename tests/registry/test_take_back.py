"""An import taken back: what nothing rests on is withdrawn, the rest stays and is listed."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from registry import parcels
from registry.db import SYSTEM_ACTOR, perform, transaction
from registry.errors import InvalidValueError, NotFoundError, NotPermittedError, WrongStateError
from registry.take_back import TakeBack, take_back
from tests import factories
from tests.registry.test_imports import count, square, take, write


def command(at, batch_id, *, key="t", actor_id=SYSTEM_ACTOR, reason="坐标系选错"):
    return TakeBack(at=at, actor_id=actor_id, key=key, batch_id=batch_id, reason=reason)


def claim(engine, parcel_id, *, status="active"):
    with transaction(engine) as session:
        session.execute(
            text(
                "INSERT INTO claim (id, scheme, status, parcel_id, version, years, geometry,"
                " area_m2, effective_at) SELECT gen_random_uuid(), 'vcs', :status, id, version,"
                " '[2020,2030)', geometry, area_m2, now() FROM parcel WHERE id = :parcel"
            ),
            {"parcel": parcel_id, "status": status},
        )


def test_everything_free_is_withdrawn_and_may_be_imported_again(engine, at, tmp_path):
    path = write(tmp_path / "a.geojson", [square(n) for n in range(4)])
    batch = take(engine, path, at, key="a").batch_id
    done = perform(engine, take_back, command(at, batch))
    assert (done.withdrawn, done.kept) == (4, ())
    assert count(engine, "parcel", "status = 'withdrawn'") == 4
    decided = "decision = 'withdraw' AND reason = '坐标系选错'"
    assert count(engine, "parcel_decision", decided) == 4
    assert count(engine, "import_batch", "state = 'taken_back'") == 1
    with pytest.raises(WrongStateError):
        perform(engine, take_back, command(at, batch, key="again"))
    assert take(engine, path, at, key="b").accepted == 4


def test_what_something_rests_on_stays_and_is_listed(engine, at, tmp_path):
    path = write(tmp_path / "a.geojson", [square(n) for n in range(4)])
    other = take(engine, write(tmp_path / "b.geojson", [square(30)]), at, key="b")
    report = take(engine, path, at, key="a")
    ids = {one.row: one.id for one in report.parcels}
    claim(engine, ids[1])
    claim(engine, ids[2], status="released")
    revise = parcels.ReviseParcel(
        at=at,
        actor_id=SYSTEM_ACTOR,
        key="r",
        parcel_id=ids[3],
        based_on_version=1,
        geojson=None,
        attributes={"note": "edited"},
        reason="edited",
    )
    perform(engine, parcels.revise, revise)
    done = perform(engine, take_back, command(at, report.batch_id))
    assert done.withdrawn == 2
    assert [(one.row, one.parcel_id, one.why) for one in done.kept] == [
        (1, ids[1], ("claim",)),
        (3, ids[3], ("revised",)),
    ]
    assert count(engine, "import_batch", "state = 'accepted'") == 2
    assert count(engine, "parcel", f"id = '{other.parcels[0].id}' AND status = 'submitted'") == 1
    with transaction(engine) as session:
        session.execute(text("UPDATE claim SET status = 'released'"))
    later = perform(engine, take_back, command(at, report.batch_id, key="later"))
    assert (later.withdrawn, len(later.kept)) == (1, 1)


def test_only_its_sender_or_the_county_takes_it_back_and_says_why(engine, at, tmp_path):
    with transaction(engine) as session:
        town, other = (
            factories.division(session, code, name=code, level="township")
            for code in ("330802001000", "330802002000")
        )
        who = {
            "county": factories.actor(session, "county"),
            "colleague": factories.actor(session, "township", division_code=town),
            "other": factories.actor(session, "township", division_code=other),
        }
    path = write(tmp_path / "a.geojson", [square(0)])
    batch = take(engine, path, at, key="a", division_code=town).batch_id
    for desk, refusal in (("colleague", NotPermittedError), ("other", NotFoundError)):
        with pytest.raises(refusal):
            perform(engine, take_back, command(at, batch, actor_id=who[desk]))
    with pytest.raises(InvalidValueError):
        perform(engine, take_back, command(at, batch, reason=" "))
    with pytest.raises(NotFoundError):
        perform(engine, take_back, command(at, uuid4(), key="n"))
    mine = replace(command(at, batch, key="c"), actor_id=who["county"])
    assert perform(engine, take_back, mine).withdrawn == 1
    assert isinstance(batch, UUID)
