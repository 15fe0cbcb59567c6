"""Repairs of an import's rows: proposed, accepted by row or by kind, never without lineage."""

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from geo.area import area_m2
from geo.repair import Faulty, propose
from registry import repairs
from registry.db import SYSTEM_ACTOR, perform, transaction
from registry.errors import InvalidValueError
from tests.registry.test_imports import STEP, count, square, take, write


def bow(n):
    (ring,) = square(n)["coordinates"]
    return {"type": "Polygon", "coordinates": [[ring[0], ring[2], ring[1], ring[3], ring[0]]]}


def open_ring(n):
    (ring,) = square(n)["coordinates"]
    return {"type": "Polygon", "coordinates": [ring[:-1]]}


def accept(engine, at, batch_id, *, key="r", **chosen):
    command = repairs.AcceptRepairs(
        at=at, actor_id=SYSTEM_ACTOR, key=key, batch_id=batch_id, **chosen
    )
    return perform(engine, repairs.accept_repairs, command)


def proposed(engine, batch_id):
    with transaction(engine) as session:
        return {one.row: one for one in repairs.proposals(session, batch_id)}


SHAPES = [
    square(0),
    bow(2),
    open_ring(4),
    square(0),  # duplicate of the first
    square(6),
    square(6, shift=STEP / 2),  # both of this pair are questioned
    {"type": "Point", "coordinates": [118, 28]},
]


def test_each_fault_has_its_proposal_and_what_is_accepted_becomes_a_parcel(engine, at, tmp_path):
    report = take(engine, write(tmp_path / "a.geojson", SHAPES), at, key="a")
    assert (report.accepted, report.questioned, report.refused) == (1, 2, 4)
    found = proposed(engine, report.batch_id)
    assert {row: one.kind for row, one in found.items()} == {
        2: "make_valid",
        3: "close_ring",
        4: "drop_duplicate",
        5: "clip_sliver",  # nothing to cut: the later row gives way
        6: "trim",
    }
    assert found[3].area_after_m2 == found[3].area_before_m2
    assert found[6].area_after_m2 == pytest.approx(found[6].area_before_m2 / 2, rel=1e-4)
    one = accept(engine, at, report.batch_id, rows=(2,)).repaired[0]
    rest = accept(
        engine,
        at,
        report.batch_id,
        key="rest",
        kinds=("close_ring", "drop_duplicate", "clip_sliver", "trim"),
    )
    assert [(done.row, done.parcel_id is None) for done in rest.repaired] == [
        (3, False),
        (4, True),
        (5, False),
        (6, False),
    ]
    assert proposed(engine, report.batch_id) == {}
    assert count(engine, "parcel", "status = 'submitted'") == 5
    with transaction(engine) as session:
        lineage = text("SELECT batch_row, reason FROM parcel_version WHERE parcel_id = :id")
        assert tuple(session.execute(lineage, {"id": one.parcel_id}).one()) == (
            2,
            "repair: make_valid",
        )
        batch = session.execute(text("SELECT accepted, refused, questioned FROM import_batch"))
        assert tuple(batch.one()) == (5, 2, 0)
    with pytest.raises(InvalidValueError):
        accept(engine, at, report.batch_id, key="again", rows=(2,))


def test_a_row_over_a_stored_parcel_is_trimmed_to_it(engine, at, tmp_path):
    take(engine, write(tmp_path / "a.geojson", [square(0)]), at, key="a")
    report = take(engine, write(tmp_path / "b.geojson", [square(0, shift=STEP / 2)]), at, key="b")
    assert proposed(engine, report.batch_id)[1].kind == "trim"
    done = accept(engine, at, report.batch_id, kinds=("trim",))
    assert done.repaired[0].area_after_m2 == pytest.approx(
        done.repaired[0].area_before_m2 / 2, rel=1e-3
    )


def test_faults_of_attributes_are_not_repaired_by_geometry():
    box = shapely.multipolygons([shapely.box(118.8, 28.9, 118.802, 28.902)])
    codes = frozenset({"OVERLAP_IN_FILE", "ATTR_AGE_NEGATIVE"})
    assert propose([Faulty(row=1, geometry=box, codes=codes)], {}) == []


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=5, unique=True),
    st.randoms(),
)
def test_trimmed_rows_never_overlap_and_order_changes_nothing(corners, random):
    rows = [
        Faulty(
            row=n,
            geometry=shapely.multipolygons(
                [
                    shapely.box(
                        118.8 + x / 1000, 28.9 + y / 1000, 118.803 + x / 1000, 28.903 + y / 1000
                    )
                ]
            ),
            codes=frozenset({"OVERLAP_IN_FILE"}),
        )
        for n, (x, y) in enumerate(corners, 1)
    ]
    found = propose(rows, {})
    random.shuffle(rows)
    assert propose(rows, {}) == found
    shapes = [one.geometry for one in found]
    whole = shapely.union_all([row.geometry for row in rows])
    assert sum(one.area_after_m2 for one in found) == pytest.approx(
        float(area_m2([whole])[0]), rel=1e-6
    )
    for n, one in enumerate(shapes):
        for other in shapes[n + 1 :]:
            assert shapely.intersection(one, other).area < 1e-13
