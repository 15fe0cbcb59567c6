"""Edits of stored boundaries: ground, kinship and claims are kept, and nobody is overlapped."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from uuid import uuid4

import pytest
import shapely
from geoalchemy2.shape import to_shape
from sqlalchemy import text

from geo.errors import GeometryError
from registry import parcel_edits as edits
from registry import parcels
from registry.db import SYSTEM_ACTOR, perform, transaction
from registry.errors import WrongStateError
from registry.ground_claims import ParcelObligedError
from registry.models import Claim, Parcel, ProjectParcel
from registry.parcel_store import ParcelClaimedError, VersionConflictError
from registry.people import ActorView
from registry.reads import places
from registry.refusals import ParcelOverlapError
from tests import factories

LON, LAT, STEP = 118.87, 28.94, 0.001


def by(at):
    return {"at": at, "actor_id": SYSTEM_ACTOR, "key": uuid4().hex}


def square(column, row=0, width=1.0):
    x, y = LON + column * STEP, LAT + row * STEP
    return shapely.box(x, y, x + width * STEP, y + STEP)


def geojson(shape):
    return json.loads(shapely.to_geojson(shape))


def upright(column):
    x = LON + column * STEP
    return geojson(shapely.LineString([(x, LAT - STEP), (x, LAT + 2 * STEP)]))


def draw(session, at, shape, *, code="a", owner=None, kind="carbon", submit=True):
    return parcels.draw(
        session,
        parcels.DrawParcel(
            **by(at),
            geojson=geojson(shape),
            kind=kind,
            division_code=factories.division(session),
            plot_code=code,
            owner_id=owner,
            captured_with="drawing",
            attributes={"species": "fir"},
            submit=submit,
        ),
    )


def seen(*states):
    return tuple(
        edits.PlaceSeen(parcel_id=state.parcel_id, version=state.version) for state in states
    )


def ground(session, ids):
    session.expire_all()
    return [to_shape(session.get(Parcel, one).geometry) for one in ids]


def split(session, at, state, **more):
    given = {"line": upright(0.4), "reason": "分户"} | more
    return edits.split(
        session,
        edits.SplitParcel(
            **by(at), parcel_id=state.parcel_id, based_on_version=state.version, **given
        ),
    )


def test_a_split_keeps_ground_attributes_and_kinship(session, at):
    parent = draw(session, at, square(0))
    done = split(session, at, parent)
    assert sum(child.area_m2 for child in done.parcels) == pytest.approx(parent.area_m2, rel=1e-9)
    assert {child.status for child in done.parcels} == {"submitted"}
    children = [session.get(Parcel, child.parcel_id) for child in done.parcels]
    assert [child.code for child in children] == ["a-1", "a-2"]
    kin = session.execute(text("SELECT parent_id, child_id, operation FROM parcel_lineage")).all()
    assert {(row.parent_id, row.operation) for row in kin} == {(parent.parcel_id, "split")}
    assert {row.child_id for row in kin} == {child.parcel_id for child in done.parcels}
    assert session.get(Parcel, parent.parcel_id).status == "withdrawn"
    versions = session.scalars(
        text("SELECT attributes ->> 'species' FROM parcel_version WHERE parcel_id = ANY(:ids)"),
        {"ids": [child.id for child in children]},
    )
    assert list(versions) == ["fir", "fir"]


def test_kinship_names_only_what_its_reader_may_read(session, at):
    owner = factories.party(session, "household")
    parent = draw(session, at, square(0), owner=owner)
    children = [child.parcel_id for child in split(session, at, parent).parcels]
    who = ActorView(id=uuid4(), name="户", roles=("farmer",), division_code=None, party_id=owner)
    page = places.parcel(session, who, places.ParcelById(parcel_id=parent.parcel_id))
    assert (page.status, page.parents) == ("withdrawn", [])
    assert [(kin.id, kin.code, kin.operation) for kin in page.children] == [
        (children[0], "a-1", "split"),
        (children[1], "a-2", "split"),
    ]
    session.get(Parcel, children[1]).owner_id = factories.party(session, "household")
    session.flush()
    page = places.parcel(session, who, places.ParcelById(parcel_id=parent.parcel_id))
    assert [(kin.id, kin.code, kin.readable) for kin in page.children] == [
        (children[0], "a-1", True),
        (children[1], None, False),
    ]
    child = places.parcel(session, who, places.ParcelById(parcel_id=children[0]))
    assert [(kin.id, kin.status) for kin in child.parents] == [(parent.parcel_id, "withdrawn")]


def test_a_draft_splits_to_drafts(session, at):
    parent = draw(session, at, square(0), submit=False)
    done = split(session, at, parent, plot_codes=["东块", ""])
    assert {child.status for child in done.parcels} == {"draft"}
    assert [session.get(Parcel, c.parcel_id).code for c in done.parcels] == ["东块", None]


def test_neighbours_of_one_owner_merge_and_others_do_not(session, at):
    owner = factories.party(session, "collective")
    one, two = (draw(session, at, square(n), code=str(n), owner=owner) for n in (0, 1))
    stranger = draw(session, at, square(2), owner=factories.party(session, "household"))
    orchard = draw(session, at, square(2), owner=owner, kind="orchard")
    for other, reason in (
        (stranger, edits.EditAcrossOwnersError),
        (orchard, edits.EditAcrossKindsError),
    ):
        with pytest.raises(reason):
            edits.merge(
                session,
                edits.MergeParcels(**by(at), parcels=seen(two, other), reason="并块"),
            )
    done = edits.merge(
        session, edits.MergeParcels(**by(at), parcels=seen(one, two), plot_code="合", reason="并块")
    )
    assert done.before_m2 == pytest.approx(one.area_m2 + two.area_m2, rel=1e-9)
    assert done.parcels[0].area_m2 == pytest.approx(done.before_m2, rel=1e-9)
    assert done.removed_m2 == 0


def test_a_draft_over_its_neighbours_is_cut_to_their_lines(session, at):
    left, right = draw(session, at, square(0)), draw(session, at, square(2))
    over = draw(session, at, square(0.5, width=2.0), submit=False)
    with pytest.raises(GeometryError, match="EDIT_NOTHING_TO_TRIM"):
        edits.trim(
            session,
            edits.TrimParcel(**by(at), parcel_id=left.parcel_id, based_on_version=1, reason="x"),
        )
    done = edits.trim(
        session,
        edits.TrimParcel(**by(at), parcel_id=over.parcel_id, based_on_version=1, reason="让界"),
    )
    assert done.parcels[0].version == 2
    assert done.parcels[0].area_m2 + done.removed_m2 == pytest.approx(over.area_m2, rel=1e-9)
    submit = parcels.DecideParcel(**by(at), parcel_id=over.parcel_id, decision="submit")
    assert parcels.decide(session, submit).status == "submitted"  # the database agrees
    shapes = ground(session, [left.parcel_id, over.parcel_id, right.parcel_id])
    assert shapes[1].bounds[0] == pytest.approx(LON + STEP)
    assert shapes[1].bounds[2] == pytest.approx(LON + 2 * STEP)


def test_a_pond_is_taken_out_as_a_version(session, at):
    state = draw(session, at, square(0))
    pond = shapely.Point(LON + STEP / 2, LAT + STEP / 2).buffer(STEP / 10)
    done = edits.cut_hole(
        session,
        edits.CutHole(
            **by(at),
            parcel_id=state.parcel_id,
            based_on_version=1,
            hole=geojson(pond),
            reason="鱼塘",
        ),
    )
    assert done.parcels[0].version == 2
    assert done.removed_m2 == pytest.approx(state.area_m2 - done.parcels[0].area_m2)
    assert len(ground(session, [state.parcel_id])[0].geoms[0].interiors) == 1


def test_a_common_line_moves_though_each_new_piece_overlaps_the_other_as_it_was(session, at):
    west, east = draw(session, at, square(0)), draw(session, at, square(1))
    sides = seen(west, east)
    done = edits.move_boundary(
        session,
        edits.MoveBoundary(**by(at), parcels=sides, line=upright(1.3), reason="界线调整"),
    )
    assert [state.version for state in done.parcels] == [2, 2]
    assert done.parcels[0].area_m2 == pytest.approx(west.area_m2 * 1.3, rel=1e-6)
    total = sum(state.area_m2 for state in done.parcels)
    assert total == pytest.approx(west.area_m2 + east.area_m2, rel=1e-9)


def test_an_edit_of_an_old_version_or_with_a_wrong_shape_changes_nothing(session, at):
    state = draw(session, at, square(0))
    with pytest.raises(edits.EditLineExpectedError):
        split(session, at, state, line=geojson(square(0)))
    with pytest.raises(edits.EditLineExpectedError):
        split(session, at, state, line={"type": "LineString", "coordinates": [[0]]})
    with pytest.raises(VersionConflictError):
        edits.trim(
            session,
            edits.TrimParcel(**by(at), parcel_id=state.parcel_id, based_on_version=9, reason="x"),
        )
    assert session.get(Parcel, state.parcel_id).version == 1


def test_an_enlarged_piece_never_takes_a_third_ones_ground(session, at):
    west, east = draw(session, at, square(0)), draw(session, at, square(1))
    draw(session, at, square(0, row=1), code="third")
    bent = shapely.LineString(
        [(LON + STEP, LAT - STEP), (LON + STEP * 1.2, LAT + STEP / 2), (LON + STEP, LAT + 2 * STEP)]
    )
    sides = seen(west, east)
    done = edits.move_boundary(
        session,
        edits.MoveBoundary(**by(at), parcels=sides, line=geojson(bent), reason="x"),
    )
    assert len(done.parcels) == 2
    with pytest.raises(Exception, match="overlaps") as caught, session.begin_nested():
        draw(session, at, square(0, width=0.5), code="fourth")
    assert not isinstance(caught.value, ParcelOverlapError)  # the raw refusal of the database


@pytest.fixture
def held(session, at):
    """An approved parcel in a project, held by its claim for ten years."""
    factories.division(session)
    owner = factories.party(session, "collective")
    parcel_id = factories.parcel(session, owner)
    project_id = factories.project(session, owner, crediting=(date(2025, 1, 1), date(2035, 1, 1)))
    session.add(
        ProjectParcel(
            project_id=project_id,
            parcel_id=parcel_id,
            version=1,
            actor_id=SYSTEM_ACTOR,
            effective_at=at,
        )
    )
    session.flush()
    claim_id = factories.claim(session, project_id, parcel_id, (2025, 2035))
    return parcel_id, project_id, claim_id


def middle(session, parcel_id):
    west, south, east, north = ground(session, [parcel_id])[0].bounds
    x = (west + east) / 2
    return geojson(shapely.LineString([(x, south - 1e-3), (x, north + 1e-3)]))


def test_claims_without_obligations_follow_the_ground(session, at, held):
    parcel_id, project_id, claim_id = held
    line = middle(session, parcel_id)
    done = edits.split(
        session,
        edits.SplitParcel(
            **by(at), parcel_id=parcel_id, based_on_version=1, line=line, reason="分户"
        ),
    )
    session.expire_all()
    assert session.get(Claim, claim_id).status == "released"
    moved = [session.get(Claim, one) for one in done.claims_moved]
    children = {state.parcel_id for state in done.parcels}
    assert {claim.parcel_id for claim in moved} == children
    assert {claim.status for claim in moved} == {"active"}
    assert {claim.project_id for claim in moved} == {project_id}
    rows = session.scalars(
        text("SELECT parcel_id FROM project_parcel WHERE project_id = :id"), {"id": project_id}
    )
    assert set(rows) == children
    area = sum(claim.area_m2 for claim in moved)
    assert area == pytest.approx(session.get(Claim, claim_id).area_m2, rel=1e-9)


def test_ground_with_sold_tonnes_is_not_split_nor_withdrawn(session, at, held):
    parcel_id, _, claim_id = held
    session.execute(
        text(
            "INSERT INTO capacity (claim_id, parcel_id, vintage, cap_kg, committed_kg, short_kg,"
            " run_id, version) SELECT :claim, :parcel, 2026, 100, 0, 0, :run, 1"
        ),
        {
            "claim": claim_id,
            "parcel": parcel_id,
            "run": factories.run(session, held[1], {parcel_id: {2026: 100}}),
        },
    )
    session.execute(text("UPDATE capacity SET committed_kg = 40"))
    with pytest.raises(ParcelObligedError) as caught:
        edits.split(
            session,
            edits.SplitParcel(
                **by(at),
                parcel_id=parcel_id,
                based_on_version=1,
                line=middle(session, parcel_id),
                reason="x",
            ),
        )
    assert str(claim_id) in str(caught.value.params["claims"])
    withdraw = parcels.DecideParcel(**by(at), parcel_id=parcel_id, decision="withdraw", reason="x")
    with pytest.raises(ParcelClaimedError):
        parcels.decide(session, withdraw)


def test_a_revision_of_held_ground_says_which_claims_to_look_at(session, at, held):
    parcel_id, _, claim_id = held
    x, y = ground(session, [parcel_id])[0].centroid.coords[0]
    done = edits.cut_hole(
        session,
        edits.CutHole(
            **by(at),
            parcel_id=parcel_id,
            based_on_version=1,
            hole=geojson(shapely.Point(x, y).buffer(1e-4)),
            reason="鱼塘",
        ),
    )
    assert done.claims_to_review == [claim_id]
    assert done.parcels[0].status == "submitted"


def test_eight_at_once_split_one_parcel_once(engine, at):
    with transaction(engine) as session:
        parent = draw(session, at, square(0))

    def attempt(n):
        command = edits.SplitParcel(
            **by(at),
            parcel_id=parent.parcel_id,
            based_on_version=1,
            line=upright(0.2 + n / 20),
            reason=str(n),
        )
        try:
            return len(perform(engine, edits.split, command).parcels)
        except WrongStateError:
            return 0

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(attempt, range(8)))
    assert sorted(made) == [0] * 7 + [2]
    with transaction(engine) as session:
        live = session.scalar(text("SELECT count(*) FROM parcel WHERE status = 'submitted'"))
    assert live == 2
