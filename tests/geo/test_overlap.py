import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.area import area_m2
from geo.overlap import inside_share, intersections, overlap_pairs, tolerance_m2


def boxes(*corners):
    return np.array([shapely.box(*corner) for corner in corners], dtype=object)


GRID = boxes(*((118.5 + a / 1000, 28.9, 118.501 + a / 1000, 28.901) for a in range(6)))


def test_the_tolerance_is_the_lesser_of_a_square_metre_and_a_thousandth():
    big, small = np.array([5000.0, 400.0]), np.array([3000.0, 9000.0])
    assert tolerance_m2(big, small).tolist() == pytest.approx([1.0, 0.4])


def test_common_edges_and_rounding_are_no_overlap():
    assert len(overlap_pairs(GRID).left) == 0


def test_pairs_are_ordered_and_measured():
    moved = shapely.transform(GRID[2], lambda xy: xy + np.array([0.0005, 0]))
    pairs = overlap_pairs(np.array([*GRID, moved, None], dtype=object))
    assert list(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)) == [(2, 6), (3, 6)]
    assert pairs.overlap_m2 == pytest.approx(area_m2(GRID[2:4]) / 2, rel=1e-9)
    assert pairs.beyond.all()
    assert shapely.contains_xy(moved, pairs.at).all()


def test_one_set_against_another():
    pairs = overlap_pairs(GRID[:3], against=GRID[1:])
    assert list(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)) == [(1, 0), (2, 1)]
    assert pairs.overlap_m2 == pytest.approx(area_m2(GRID[1:3]))


@given(st.permutations(range(6)), st.floats(0.0001, 0.0009))
def test_the_order_of_polygons_changes_nothing(order, shift):
    shapes = np.array(
        [*GRID[:3], *(shapely.transform(g, lambda xy: xy + shift) for g in GRID[:3])],
        dtype=object,
    )

    def found(indices):
        pairs = overlap_pairs(shapes[indices])
        names = np.sort(np.column_stack([indices[pairs.left], indices[pairs.right]]), axis=1)
        return sorted(
            (*map(int, name), round(float(a), 6))
            for name, a in zip(names, pairs.overlap_m2, strict=True)
        )

    assert found(np.array(order)) == found(np.arange(6))


def test_an_overlay_that_fails_is_done_another_way():
    tie = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    with pytest.raises(shapely.errors.GEOSException):
        shapely.intersection(tie, shapely.box(0.2, 0.2, 0.9, 0.7))
    found = intersections(
        np.array([tie], dtype=object), np.array([shapely.box(0.2, 0.2, 0.9, 0.7)], dtype=object)
    )
    assert shapely.area(found[0]) > 0


def test_the_share_inside_a_boundary():
    county = shapely.box(118.5, 28, 118.5025, 29)
    share = inside_share(np.array([*GRID[:4], None], dtype=object), county)
    assert share[:4] == pytest.approx([1, 1, 0.5, 0])
    assert np.isnan(share[4])
