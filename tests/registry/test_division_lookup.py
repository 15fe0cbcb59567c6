"""Places and their divisions: the chain at a point, shapes over a boundary, codes with years."""

import json
from uuid import uuid4

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from geo.intake import examine_document
from registry import division_lookup, divisions, imports, parcels, within
from registry import parcel_edits as edits
from registry.db import SYSTEM_ACTOR
from registry.division_files import DivisionFileError, read_divisions
from registry.parcel_store import PlaceRefusedError
from tests.registry.test_parcel_edits import LAT, LON, STEP, by, geojson, seen, square, upright

PROVINCE, CITY, COUNTY = "330000000000", "330800000000", "330802000000"
WEST, EAST, OLD = "330802101000", "330802102000", "330802103000"


def multi(shape):
    return shapely.to_wkb(shapely.MultiPolygon([shape]))


def row(code, name, level, parent, shape=None, **years):
    boundary = None if shape is None else multi(shape)
    return divisions.DivisionRow(
        code=code, name=name, level=level, parent_code=parent, boundary=boundary, **years
    )


@pytest.fixture
def town(session, at):
    """A county of two townships that meet at one column, and one that was merged in 2024."""
    rows = [
        row(PROVINCE, "省", "province", None),
        row(CITY, "市", "city", PROVINCE),
        row(COUNTY, "区", "county", CITY, shapely.box(LON - 0.1, LAT - 0.1, LON + 0.1, LAT + 0.1)),
        row(WEST, "西镇", "township", COUNTY, shapely.box(LON - 0.05, LAT - 0.1, LON, LAT + 0.1)),
        row(EAST, "东镇", "township", COUNTY, shapely.box(LON, LAT - 0.1, LON + 0.05, LAT + 0.1)),
        row(
            OLD,
            "旧乡",
            "township",
            COUNTY,
            shapely.box(LON + 0.02, LAT - 0.1, LON + 0.05, LAT + 0.1),
            valid_from_year=1990,
            valid_to_year=2024,
        ),
    ]
    command = divisions.LoadDivisions(**by(at), valid_from_year=2023, source="test", rows=rows)
    divisions.load(session, command)
    return session


def chain(session, column, year=2026):
    found = division_lookup.at_point(session, lon=LON + column * STEP, lat=LAT, year=year)
    return [(one.level, one.known, one.code) for one in found.levels]


def draw(session, at, shape, code=EAST, **more):
    command = parcels.DrawParcel(
        **by(at),
        geojson=geojson(shape),
        kind="carbon",
        division_code=code,
        plot_code="p",
        owner_id=None,
        captured_with="drawing",
        attributes={},
        **more,
    )
    return parcels.draw(session, command)


def test_the_chain_says_how_each_level_is_known_and_what_is_not(town):
    assert chain(town, 1) == [
        ("province", "parent", PROVINCE),
        ("city", "parent", CITY),
        ("county", "boundary", COUNTY),
        ("township", "boundary", EAST),
        ("village", "no_boundary", None),
    ]
    assert chain(town, 80)[3] == ("township", "outside", None)
    assert [code for *_, code in chain(town, 500)] == [None] * 5
    assert chain(town, 500)[2] == ("county", "outside", None)


def test_a_code_counts_in_its_years_only(town):
    assert chain(town, 30, year=2024)[3][2] == OLD
    assert chain(town, 30, year=2025)[3][2] == EAST
    assert [code for *_, code in chain(town, 30, year=1980)] == [None] * 5


@given(lon=st.floats(-0.12, 0.12), lat=st.floats(-0.12, 0.12))
def test_every_point_has_one_answer_a_level_and_a_true_one(town, lon, lat):
    found = division_lookup.at_point(town, lon=LON + lon, lat=LAT + lat, year=2026)
    assert [one.level for one in found.levels] == list(division_lookup.ORDER)
    for one in found.levels:
        if one.known == "boundary":
            held = divisions.boundary(town, one.code).geometry
            assert held.covers(shapely.Point(LON + lon, LAT + lat))


@given(cut=st.floats(-0.9, 0.9))
def test_shares_of_a_shape_over_a_boundary_add_up(town, cut):
    shape = shapely.box(LON - STEP * (1 - cut), LAT, LON + STEP * (1 + cut), LAT + STEP)
    found = division_lookup.of_shape(town, shape, year=2026)
    assert found.code == COUNTY
    assert {one.code for one in found.shares} == {WEST, EAST}
    assert sum(one.area_m2 for one in found.shares) == pytest.approx(found.area_m2, rel=1e-9)
    assert found.shares[0].share == pytest.approx((1 + abs(cut)) / 2, rel=1e-6)


def test_a_shape_inside_proposes_the_narrowest_division(town):
    found = division_lookup.of_shape(town, square(1), year=2026)
    assert (found.code, found.shares) == (EAST, [])


def test_drawing_outside_or_over_a_boundary_is_asked_about(town, at):
    with pytest.raises(within.StraddlesDivisionError) as over:
        draw(town, at, square(-0.5))
    assert over.value.params["share_percent"] == pytest.approx(50, abs=0.1)
    with pytest.raises(within.DivisionQuestionError) as out:
        draw(town, at, square(-3))
    assert out.value.code == "PARCEL_OUTSIDE_DIVISION"
    kept = draw(town, at, square(-3), division_confirmed=True)
    said = town.scalar(
        text("SELECT envelope FROM event WHERE subject_id = :id"), {"id": str(kept.parcel_id)}
    )
    beyond = json.loads(said)["body"]["outside_division_dm2"]
    assert beyond == round(kept.area_m2 * 100)
    draw(town, at, square(1))


def test_a_given_up_code_takes_no_new_place(town, at):
    with pytest.raises(divisions.DivisionExpiredError, match="2024"):
        draw(town, at, square(30), code=OLD)


def test_moving_a_place_over_a_boundary_is_asked_about_once(town, at):
    kept = draw(town, at, square(1))
    away = {
        "parcel_id": kept.parcel_id,
        "geojson": geojson(square(-0.5)),
        "attributes": None,
        "reason": "r",
    }
    with pytest.raises(within.StraddlesDivisionError):
        parcels.revise(town, parcels.ReviseParcel(**by(at), based_on_version=1, **away))
    town.expire_all()
    moved = parcels.ReviseParcel(**by(at), based_on_version=1, division_confirmed=True, **away)
    parcels.revise(town, moved)
    again = parcels.ReviseParcel(**by(at), based_on_version=2, **away)
    assert parcels.revise(town, again).version == 3


def test_a_part_in_another_division_and_a_joined_one_are_asked_about(town, at):
    kept = draw(town, at, square(-0.5), division_confirmed=True)
    cut = {"parcel_id": kept.parcel_id, "based_on_version": 1, "line": upright(0), "reason": "分"}
    with pytest.raises(within.DivisionQuestionError):
        edits.split(town, edits.SplitParcel(**by(at), **cut))
    done = edits.split(town, edits.SplitParcel(**by(at), division_confirmed=True, **cut))
    assert len(done.parcels) == 2


def test_neighbours_of_two_divisions_are_joined_only_when_confirmed(town, at):
    pair = draw(town, at, square(-1), WEST), draw(town, at, square(0), EAST)
    join = {"parcels": seen(*pair), "reason": "合"}
    with pytest.raises(within.StraddlesDivisionError):
        edits.merge(town, edits.MergeParcels(**by(at), **join))
    done = edits.merge(town, edits.MergeParcels(**by(at), division_confirmed=True, **join))
    assert len(done.parcels) == 1


def test_a_moved_line_asks_of_both_sides(town, at):
    pair = draw(town, at, square(-1), WEST), draw(town, at, square(0), EAST)
    move = {"parcels": seen(*pair), "line": upright(0.3), "reason": "移"}
    with pytest.raises(within.StraddlesDivisionError):
        edits.move_boundary(town, edits.MoveBoundary(**by(at), **move))
    town.expire_all()
    edits.move_boundary(town, edits.MoveBoundary(**by(at), division_confirmed=True, **move))


def take(session, at, features, code):
    intake = examine_document({"type": "FeatureCollection", "features": features})
    command = imports.ImportParcels(
        **by(at), file_name="f.geojson", file_sha256="00" * 32, division_code=code
    )
    return imports.import_parcels(session, command, intake)


def feature(shape, **properties):
    return {"type": "Feature", "geometry": geojson(shape), "properties": properties}


def test_rows_of_a_file_are_held_to_their_own_township(town, at):
    report = take(
        town,
        at,
        [
            feature(square(1), ZLDWDM=EAST, n=1),
            feature(square(3), ZLDWDM=WEST, n=2),
            feature(square(-0.5), ZLDWDM=EAST, n=3),
            feature(square(-5), n=4),
            feature(square(200), n=5),
        ],
        COUNTY,
    )
    said = {(one.row, one.code, one.params["division"]) for one in report.findings if one.row}
    assert said == {
        (2, "OUTSIDE_DIVISION", "西镇"),
        (3, "STRADDLES_DIVISION", "东镇"),
        (5, "OUTSIDE_DIVISION", "区"),
    }
    assert (report.accepted, report.questioned) == (2, 3)


def test_a_drawn_shape_with_a_fault_has_no_divisions(town):
    from registry.reads import places

    bow = shapely.Polygon(
        [(LON, LAT), (LON + STEP, LAT + STEP), (LON + STEP, LAT), (LON, LAT + STEP)]
    )
    with pytest.raises(PlaceRefusedError):
        places.divisions_of(town, geojson(bow), 2026)


def test_a_file_ends_a_code_and_keeps_it(town, at, tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(
        "code,name,valid_from_year,valid_to_year\n330802102,东镇,,2025\n330802104,新东镇,2026,\n",
        encoding="utf-8",
    )
    own = read_divisions(path, adcode="330802")
    command = divisions.LoadDivisions(
        at=at,
        actor_id=SYSTEM_ACTOR,
        key=uuid4().hex,
        valid_from_year=2026,
        source="t",
        rows=own.rows,
    )
    done = divisions.load(town, command)
    assert (done.new, done.ended) == (1, 1)
    assert (divisions.load(town, command).new, divisions.load(town, command).ended) == (0, 0)
    assert chain(town, 1, year=2025)[3][2] == EAST
    assert chain(town, 1, year=2026)[3][1] == "outside"
    old = division_lookup.view(town, EAST)
    assert (old.valid_from_year, old.valid_to_year) == (2023, 2025)
    path.write_text("code,name,valid_to_year\n330802102,东镇,soon\n", encoding="utf-8")
    with pytest.raises(DivisionFileError, match="soon"):
        read_divisions(path, adcode="330802")
