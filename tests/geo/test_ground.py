import numpy as np
import pytest
import shapely

from geo.errors import GeometryError
from geo.ground import ground
from sinks import sampling


def wkb(*shapes):
    return [shapely.to_wkb(one) for one in shapes]


WEST = shapely.box(118.60, 28.90, 118.61, 28.91)
EAST = shapely.box(118.62, 28.90, 118.63, 28.905)


def test_points_fall_on_the_ground_in_proportion_to_area_and_come_again():
    place = ground(wkb(WEST, EAST))
    assert place.epsg == 4549
    stratum = sampling.Stratum(number=0, bounds=place.bounds, plots=6000)
    points = sampling.random_points(stratum, place.inside, seed=3)
    there = place.lon_lat(points)
    on = shapely.union(WEST, EAST).buffer(1e-9)
    assert shapely.contains_xy(on, there[:, 0], there[:, 1]).all()
    west = (there[:, 0] < 118.615).mean()
    assert west == pytest.approx(2 / 3, abs=0.02)
    assert np.array_equal(points, sampling.random_points(stratum, place.inside, seed=3))


def test_the_order_of_parcels_moves_no_point_and_a_parcel_cut_in_two_is_the_same_ground():
    cut = [shapely.box(118.60, 28.90, 118.605, 28.91), shapely.box(118.605, 28.90, 118.61, 28.91)]
    a, b = ground(wkb(WEST, EAST)), ground(wkb(EAST, *cut))
    stratum = sampling.Stratum(number=0, bounds=a.bounds, plots=50)
    assert b.bounds == pytest.approx(a.bounds, abs=1e-6)
    drawn = [sampling.random_points(stratum, one.inside, seed=3) for one in (a, b)]
    assert drawn[0] == pytest.approx(drawn[1], abs=1e-6)


def test_ground_that_is_none_is_refused():
    for shapes in ([shapely.Polygon()], [shapely.box(10, 50, 10.1, 50.1)]):
        with pytest.raises(GeometryError) as refused:
            ground(wkb(*shapes))
        assert refused.value.code == "SAMPLE_GROUND"
