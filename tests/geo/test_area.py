from fractions import Fraction

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.area import FLATTENING, SEMI_MAJOR_M, area_m2

GEOD = pyproj.Geod(a=SEMI_MAJOR_M, f=FLATTENING)


def blob(lon, lat, radius):
    return shapely.Point(lon, lat).buffer(radius, quad_segs=5)


@given(st.floats(73, 135), st.floats(3, 53), st.floats(0.002, 0.02), st.floats(0.00005, 0.004))
def test_a_vertex_on_an_edge_does_not_change_the_area(lon, lat, radius, step):
    shape = blob(lon, lat, radius)
    split = shapely.segmentize(shape, max(step, radius / 50))
    one, two = area_m2(np.array([shape, split], dtype=object))
    assert two == pytest.approx(one, rel=1e-11)


@given(st.floats(73, 135), st.floats(3, 53), st.floats(0.001, 0.02))
def test_small_edges_agree_with_the_geodesic(lon, lat, radius):
    shape = blob(lon, lat, radius)
    geodesic = abs(GEOD.geometry_area_perimeter(shape)[0])
    assert area_m2(np.array([shape], dtype=object))[0] == pytest.approx(geodesic, rel=3e-7)


@given(st.floats(115, 122), st.floats(27, 31), st.floats(-0.009, 0.009))
def test_the_parts_of_a_cut_parcel_add_up(lon, lat, shift):
    shape = blob(lon, lat, 0.01)
    west = shapely.intersection(shape, shapely.box(lon - 1, lat - 1, lon + shift, lat + 1))
    east = shapely.intersection(shape, shapely.box(lon + shift, lat - 1, lon + 1, lat + 1))
    whole, left, right = area_m2(np.array([shape, west, east], dtype=object))
    assert left + right == pytest.approx(whole, rel=1e-9)


def test_the_whole_ellipsoid_zone_has_its_closed_form():
    # a box of parallels and meridians has edges that are exact here
    box = shapely.box(118, 28, 119, 29)
    band = GEOD.polygon_area_perimeter(
        [*np.linspace(118, 119, 4001), *np.linspace(119, 118, 4001)], [28.0] * 4001 + [29.0] * 4001
    )[0]
    assert area_m2(np.array([box], dtype=object))[0] == pytest.approx(abs(band), rel=1e-8)


def test_holes_count_against_and_direction_does_not_matter():
    shell, hole = shapely.box(118, 28, 118.01, 28.01), shapely.box(118.002, 28.002, 118.004, 28.004)
    pierced = shapely.Polygon(shell.exterior.coords, [hole.exterior.coords])
    turned = shapely.Polygon(shell.exterior.coords[::-1], [hole.exterior.coords[::-1]])
    both = shapely.MultiPolygon([pierced, shapely.box(118.1, 28, 118.11, 28.01)])
    s, h, p, t, b = area_m2(np.array([shell, hole, pierced, turned, both], dtype=object))
    assert p == pytest.approx(s - h, rel=1e-12)
    assert t == pytest.approx(p, rel=1e-14)
    assert b == pytest.approx(p + s, rel=1e-9)


def test_what_has_no_area_gives_zero():
    things = [None, shapely.Point(1, 1), shapely.Polygon(), shapely.LineString([(0, 0), (1, 1)])]
    assert area_m2(np.array(things, dtype=object)).tolist() == [0, 0, 0, 0]
    assert area_m2(np.array([], dtype=object)).shape == (0,)


def test_a_bed_of_a_metre_loses_no_digits():
    """Against a shoelace in rationals: the density of latitude to second order is enough here."""
    corners = [(118.870000123, 28.940000456), (118.870009, 28.940001), (118.870007, 28.940012)]
    x, y = ([Fraction(c[d]) for c in (*corners, corners[0])] for d in (0, 1))
    degree, phi = Fraction(float(np.pi / 180)), float(np.radians(corners[0][1]))
    e2 = FLATTENING * (2 - FLATTENING)
    below = 1 - e2 * np.sin(phi) ** 2
    scale = SEMI_MAJOR_M**2 * (1 - e2)
    density = Fraction(scale * np.cos(phi) / below**2)
    slope = Fraction(scale * np.sin(phi) * (4 * e2 * np.cos(phi) ** 2 / below**3 - 1 / below**2))
    exact = Fraction(0)
    for i in range(len(corners)):
        a, b = (y[i] - y[0]) * degree, (y[i + 1] - y[0]) * degree
        mean = density * (a + b) / 2 + slope * (a * a + a * b + b * b) / 6
        exact += mean * (x[i + 1] - x[i]) * degree
    found = area_m2(np.array([shapely.Polygon(corners)]))[0]
    assert found == pytest.approx(abs(float(exact)), rel=1e-12)


def test_one_part_has_the_area_of_the_polygon_it_is():
    place = shapely.Point(118.87, 28.94).buffer(0.01)
    alone, parts = area_m2(np.array([place, shapely.MultiPolygon([place])]))
    assert alone == parts
