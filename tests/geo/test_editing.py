"""Edits of boundaries conserve ground: what comes out and what is taken off is what went in."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.affinity import rotate, scale, translate
from shapely.geometry import LineString, MultiLineString, MultiPolygon, Point, Polygon, box

from geo.area import area_m2
from geo.editing import cut_hole, merge, move_boundary, split, trim
from geo.errors import GeometryError

LON, LAT = 118.87, 28.94
STEP = 0.001  # about 100 m


def square(column: float, row: float, size: float = 1.0) -> Polygon:
    x, y = LON + column * STEP, LAT + row * STEP
    return box(x, y, x + size * STEP, y + size * STEP)


def area(*shapes) -> float:
    return float(area_m2(np.array(shapes, dtype=object)).sum())


@st.composite
def stars(draw) -> Polygon:
    """A star-shaped field of 3 to 40 corners, some with a pond."""
    n = draw(st.integers(3, 40))
    radii = draw(st.lists(st.floats(0.4, 1.0), min_size=n, max_size=n))
    turn = draw(st.floats(0, 1))
    angles = 2 * np.pi * (np.arange(n) + turn) / n
    corners = [
        (LON + STEP * r * np.cos(a), LAT + STEP * r * np.sin(a))
        for a, r in zip(angles, radii, strict=True)
    ]
    field = Polygon(corners)
    if draw(st.booleans()) and n > 8:
        pond = Point(LON + 0.1 * STEP, LAT).buffer(0.05 * STEP)
        if field.contains(pond):
            return Polygon(field.exterior.coords, [pond.exterior.coords])
    return field


@st.composite
def cuts(draw) -> LineString:
    """A line right through the middle, straight or bent."""
    a = draw(st.floats(0, np.pi))
    bend = draw(st.floats(-0.3, 0.3))
    line = LineString([(-3, 0), (0, bend), (3, 0)])
    return translate(
        scale(rotate(line, a, use_radians=True, origin=(0, 0)), STEP, STEP, origin=(0, 0)), LON, LAT
    )


@given(field=stars(), line=cuts())
def test_a_split_conserves_area_and_its_parts_share_no_ground(field, line):
    done = split(field, line)
    assert len(done.pieces) >= 2
    assert sum(done.areas_m2) == pytest.approx(area(field), rel=1e-9)
    assert done.removed_m2 == 0.0
    for i, one in enumerate(done.pieces):
        assert shapely.is_valid(one)
        for other in done.pieces[i + 1 :]:
            assert area(shapely.intersection(one, other)) < 1e-4


@given(field=stars(), line=cuts())
def test_what_was_split_merges_to_what_it_was(field, line):
    whole = merge(split(field, line).pieces)
    assert len(whole.pieces) == 1
    assert whole.areas_m2[0] == pytest.approx(area(field), rel=1e-9)
    assert area(shapely.symmetric_difference(whole.pieces[0], field)) < 1e-3


@given(field=stars(), line=cuts(), seed=st.integers(0, 5))
def test_a_split_does_not_ask_where_a_ring_begins(field, line, seed):
    ring = list(field.exterior.coords)[:-1]
    k = seed % len(ring)
    turned = Polygon([*ring[k:], *ring[:k]], [hole.coords for hole in field.interiors])
    one, other = split(field, line), split(turned.reverse(), line)
    assert sorted(one.areas_m2) == pytest.approx(sorted(other.areas_m2), rel=1e-9)


@given(field=stars(), other=stars(), shift=st.floats(-1.5, 1.5))
def test_trimming_takes_off_just_what_overlaps(field, other, shift):
    neighbour = translate(other, shift * STEP, 0.3 * STEP)
    shared = area(shapely.intersection(field, neighbour))
    if shared <= 1e-4:
        with pytest.raises(GeometryError, match="EDIT_NOTHING_TO_TRIM"):
            trim(field, [neighbour])
        return
    if area(field) - shared < 1e-3:
        return
    done = trim(field, [neighbour])
    assert done.removed_m2 == pytest.approx(shared, rel=1e-6, abs=1e-3)
    assert done.areas_m2[0] + done.removed_m2 == pytest.approx(done.before_m2, rel=1e-9)
    assert area(shapely.intersection(done.pieces[0], neighbour)) < 1e-4


@given(line=cuts())
def test_a_common_line_moves_and_both_together_stay(line):
    west, east = square(-1, -0.5), square(0, -0.5)
    both = merge([west, east]).pieces[0]
    more_west = {
        area(shapely.intersection(face, west)) >= area(shapely.intersection(face, east))
        for face in split(both, line).pieces
    }
    if len(more_west) == 1:  # straight across: every part was mostly the same one's
        with pytest.raises(GeometryError, match="EDIT_NOTHING_LEFT"):
            move_boundary(west, east, line)
        return
    done = move_boundary(west, east, line)
    assert len(done.pieces) == 2
    assert sum(done.areas_m2) == pytest.approx(area(west, east), rel=1e-9)
    assert area(shapely.intersection(done.pieces[0], west)) > 0
    assert area(shapely.intersection(*done.pieces)) < 1e-4


def test_a_line_that_stops_inside_cuts_nothing():
    line = LineString([(LON - STEP, LAT + STEP / 2), (LON + STEP / 2, LAT + STEP / 2)])
    with pytest.raises(GeometryError, match="EDIT_LINE_DOES_NOT_CROSS"):
        split(square(0, 0), line)


def test_a_line_that_ends_on_the_boundary_by_hand_cuts():
    y = LAT + STEP / 2
    line = LineString([(LON + 3e-10, y), (LON + STEP - 3e-10, y)])
    assert len(split(square(0, 0), line).pieces) == 2


def test_several_lines_cut_at_once_and_parts_not_crossed_stay_with_the_largest():
    place = MultiPolygon([square(0, 0), square(3, 0, 0.2)])
    lines = MultiLineString(
        [[(LON + f * STEP, LAT - STEP), (LON + f * STEP, LAT + 2 * STEP)] for f in (0.2, 0.5)]
    )
    done = split(place, lines)
    assert len(done.pieces) == 3
    assert sorted(len(piece.geoms) for piece in done.pieces) == [1, 1, 2]
    assert sum(done.areas_m2) == pytest.approx(area(place), rel=1e-9)


def test_a_hole_through_which_the_line_runs_stays_a_hole():
    pond = square(0.4, 0.4, 0.2)
    place = Polygon(square(0, 0).exterior.coords, [pond.exterior.coords])
    y = LAT + STEP / 2
    done = split(place, LineString([(LON - STEP, y), (LON + 2 * STEP, y)]))
    assert len(done.pieces) == 2
    assert sum(done.areas_m2) == pytest.approx(area(square(0, 0)) - area(pond), rel=1e-9)


def test_merging_counts_shared_slivers_once_and_says_so():
    west, east = square(0, 0), square(0.999999, 0)
    done = merge([west, east])
    assert done.removed_m2 == pytest.approx(area(shapely.intersection(west, east)), rel=1e-6)
    assert done.removed_m2 > 0


@pytest.mark.parametrize(
    "places", [[square(0, 0), square(5, 5)], [square(0, 0), square(1, 1)]], ids=["apart", "corner"]
)
def test_places_that_share_no_line_are_not_merged(places):
    with pytest.raises(GeometryError, match="EDIT_NOT_NEIGHBOURS") as caught:
        merge(places)
    assert caught.value.params["place"] == 1


def test_one_place_is_merged_with_nothing():
    with pytest.raises(GeometryError, match="EDIT_NEEDS_TWO"):
        merge([square(0, 0)])


def test_a_pond_is_taken_out():
    pond = square(0.2, 0.2, 0.3)
    done = cut_hole(square(0, 0), pond)
    assert done.removed_m2 == pytest.approx(area(pond), rel=1e-9)
    assert len(done.pieces[0].geoms[0].interiors) == 1


@pytest.mark.parametrize(
    ("hole", "code"),
    [
        (square(0.9, 0.9), "EDIT_HOLE_OUTSIDE"),
        (square(0, 0), "EDIT_NOTHING_LEFT"),
        (
            Polygon([(LON, LAT), (LON + STEP, LAT + STEP), (LON + STEP, LAT), (LON, LAT + STEP)]),
            "EDIT_HOLE_INVALID",
        ),
    ],
)
def test_holes_that_cannot_be(hole, code):
    with pytest.raises(GeometryError, match=code):
        cut_hole(square(0, 0), hole)


def test_a_place_within_its_neighbour_is_not_trimmed_to_nothing():
    with pytest.raises(GeometryError, match="EDIT_NOTHING_LEFT"):
        trim(square(0.2, 0.2, 0.2), [square(0, 0)])
