"""Covered shares against polygon clipping, cell by cell."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.coverage import cell_rings, cell_shares
from geo.errors import GeoError
from geo.raster import Grid

GRID = Grid(
    crs="EPSG:4549",
    origin_x=400_000.0,
    origin_y=3_200_000.0,
    cell_x=10.0,
    cell_y=20.0,
    width=9,
    height=7,
)


def at(geometry):
    """Cells (x right, y down) -> metres of the grid."""
    return shapely.transform(
        geometry,
        lambda c: np.column_stack((GRID.origin_x + c[:, 0] * 10.0, GRID.origin_y - c[:, 1] * 20.0)),
    )


def shares(geometry):
    """Covered shares as an array of the whole grid."""
    out = np.zeros((GRID.height, GRID.width))
    listed = cell_shares(cell_rings(np.array([geometry]), GRID, crs=GRID.crs), GRID)
    out[listed.row, listed.column] = listed.share
    return out


def clipped(in_cells):
    """The same by clipping with every cell."""
    out = np.zeros((GRID.height, GRID.width))
    for r in range(GRID.height):
        for c in range(GRID.width):
            out[r, c] = shapely.area(
                shapely.intersection(in_cells, shapely.box(c, r, c + 1, r + 1))
            )
    return out


def star(rng, x, y, size, points=17):
    angle = np.sort(rng.uniform(0, 2 * np.pi, points))
    radius = size * rng.uniform(0.35, 1.0, points)
    polygon = shapely.Polygon(
        np.column_stack((x + radius * np.cos(angle), y + radius * np.sin(angle)))
    )
    return shapely.make_valid(polygon) if not polygon.is_valid else polygon


HOLED = shapely.Polygon(
    [(1, 1), (7.5, 1.2), (6.9, 5.8), (0.7, 6.1)],
    [[(2, 2), (3.3, 2.1), (2.7, 4.4)], [(4.2, 3.1), (4.8, 3.2), (4.5, 3.6)]],
)
CASES = {
    "triangle": shapely.Polygon([(0.3, 0.2), (8.6, 1.7), (3.1, 6.9)]),
    "inside one cell": shapely.Polygon([(4.2, 3.1), (4.8, 3.2), (4.5, 3.9)]),
    "on cell borders": shapely.box(2, 3, 5, 6),
    "one whole cell": shapely.box(8, 6, 9, 7),
    "the whole grid": shapely.box(0, 0, 9, 7),
    "thin upright": shapely.box(3.25, 0.5, 3.2500001, 6.5),
    "holes": HOLED,
    "parts": shapely.MultiPolygon(
        [
            *[shapely.box(0.5, 0.5, 1.5, 1.5), HOLED.buffer(-0.4), shapely.box(8.1, 0.1, 8.9, 6.9)][
                :1
            ],
            shapely.box(8.1, 0.1, 8.9, 6.9),
        ]
    ),
    "over the west edge": shapely.Polygon([(-3, 1), (2.5, 0.5), (1.4, 5.5), (-9, 4)]),
    "over the east edge": shapely.Polygon([(6.3, 1), (14.5, 0.5), (11.4, 5.5), (7, 4)]),
    "over the north-west corner": shapely.Polygon([(-3, -2), (4.5, -5.5), (3.4, 3.5), (-9, 4)]),
    "over every edge": shapely.Polygon([(4, -6), (16, 3), (4.5, 13), (-8, 3.3)]),
    "around, nothing inside": shapely.Polygon(
        [(-5, -5), (15, -5), (15, 12), (-5, 12)], [[(-1, -1), (10, -1), (10, 8), (-1, 8)]]
    ),
    "off the grid": shapely.box(20, 20, 22, 23),
}


@pytest.mark.parametrize("name", CASES)
def test_shares_equal_clipping(name):
    np.testing.assert_allclose(shares(at(CASES[name])), clipped(CASES[name]), atol=2e-10)


@pytest.mark.parametrize("turn", [False, True])
def test_orientation_of_rings_does_not_matter(turn):
    reverse = shapely.reverse if turn else (lambda g: g)
    mixed = shapely.Polygon(
        reverse(HOLED.exterior), [HOLED.interiors[0], shapely.reverse(HOLED.interiors[1])]
    )
    np.testing.assert_allclose(shares(at(mixed)), clipped(HOLED), atol=2e-10)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    x=st.floats(-3, 12),
    y=st.floats(-3, 10),
    size=st.floats(0.01, 8),
)
def test_any_star_equals_clipping(seed, x, y, size):
    polygon = star(np.random.default_rng(seed), x, y, size)
    if polygon.geom_type not in {"Polygon", "MultiPolygon"}:
        return
    np.testing.assert_allclose(shares(at(polygon)), clipped(polygon), atol=2e-8)


def test_lon_lat_parcels_are_carried_to_the_grid():
    import pyproj

    back = pyproj.Transformer.from_crs("EPSG:4549", "EPSG:4490", always_xy=True)
    there = at(CASES["holes"])
    lonlat = shapely.transform(there, lambda c: np.column_stack(back.transform(c[:, 0], c[:, 1])))
    rings = cell_rings(np.array([lonlat]), GRID)
    assert rings.cells[0] == pytest.approx(CASES["holes"].area, rel=1e-8)


def test_area_in_cells_takes_holes_off():
    rings = cell_rings(np.array([at(g) for g in CASES.values()]), GRID, crs=GRID.crs)
    np.testing.assert_allclose(rings.cells, [g.area for g in CASES.values()], rtol=1e-3, atol=1e-9)


@pytest.mark.parametrize(
    "bad", [None, shapely.Point(0, 0), shapely.Polygon(), shapely.LineString([(0, 0), (1, 1)])]
)
def test_what_is_no_polygon_is_named(bad):
    with pytest.raises(GeoError) as caught:
        cell_rings(np.array([at(HOLED), bad]), GRID, crs=GRID.crs)
    assert caught.value.code == "COVERAGE_NOT_POLYGON"
    assert caught.value.params["row"] == 1


def test_a_vertex_without_a_place_is_named():
    far = shapely.box(-60.0, 10.0, -59.0, 11.0)
    broken = shapely.Polygon([(118, 29), (118.1, 29), (118.1, np.inf), (118, 29)])
    with pytest.raises(GeoError) as caught:
        cell_rings(np.array([far, broken]), GRID)
    assert caught.value.code == "COVERAGE_OUTSIDE_CRS"


def test_no_parcels_no_cells():
    rings = cell_rings(np.empty(0, object), GRID)
    assert len(rings) == 0
    assert len(cell_shares(rings, GRID).share) == 0
