"""Areas by cohort and means: against exactextract and clipping, and what must not change a bit."""

import dataclasses

import numba as nb
import numpy as np
import pyproj
import pytest
import shapely

from geo import zonal
from geo.area import area_m2
from geo.raster import ArrayLayer, Grid, GridMismatchError, RasterError
from geo.zonal import ClassLayer, class_shares, cohort_histogram, zonal_mean

METRES = Grid(
    crs="EPSG:4549",
    origin_x=389_000.0,
    origin_y=3_207_000.0,
    cell_x=30.0,
    cell_y=30.0,
    width=40,
    height=50,
)
DEGREES = Grid(
    crs="EPSG:4490",
    origin_x=118.86,
    origin_y=28.98,
    cell_x=0.0003,
    cell_y=0.0003,
    width=40,
    height=50,
)
GRIDS = {"metres": METRES, "degrees": DEGREES}
TO_LON_LAT = pyproj.Transformer.from_crs("EPSG:4549", "EPSG:4490", always_xy=True)
RNG = np.random.default_rng(330800)


def lonlat(grid, in_cells):
    """Polygons in cells (y down) -> lon/lat."""

    def move(c):
        xy = np.column_stack(
            (grid.origin_x + c[:, 0] * grid.cell_x, grid.origin_y - c[:, 1] * grid.cell_y)
        )
        return xy if grid is DEGREES else np.column_stack(TO_LON_LAT.transform(xy[:, 0], xy[:, 1]))

    return shapely.transform(in_cells, move)


def star(x, y, size, points=13):
    angle = (np.arange(points) + RNG.uniform(0, 0.8, points)) * 2 * np.pi / points
    radius = size * RNG.uniform(0.5, 1.0, points)
    return shapely.Polygon(
        np.column_stack((x + radius * np.cos(angle), y + radius * np.sin(angle)))
    )


INSIDE = np.array(
    [
        star(x, y, s)
        for x, y, s in zip(
            RNG.uniform(6, 34, 40), RNG.uniform(6, 44, 40), RNG.uniform(0.2, 5, 40), strict=True
        )
    ]
    + [
        star(20, 25, 8).difference(star(20, 25, 3)),
        shapely.MultiPolygon([star(8, 8, 3), star(30, 40, 3)]),
        shapely.box(3, 4, 9, 11),
    ]
)
EDGE = np.array(
    [
        star(0, 20, 6),
        star(39, 1, 5),
        star(20, 50, 4),
        shapely.box(-5, -5, 50, 60),
        shapely.box(60, 60, 61, 61),
    ]
)


def layers(grid, seed=7):
    """Species x site x age with holes in each."""
    rng = np.random.default_rng(seed)
    out = []
    for name, radix, stride in (("age", 30, 1), ("site", 4, 30), ("species", 6, 120)):
        cells = rng.integers(0, radix, (grid.height, grid.width)).astype(np.uint8)
        cells[rng.random(cells.shape) < 0.03] = 255
        out.append(
            ClassLayer(
                source=ArrayLayer(name=name, grid=grid, nodata=255.0, cells=cells),
                radix=radix,
                stride=stride,
            )
        )
    return out


def same(a, b):
    return all(
        np.array_equal(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a)
    )


def totals(h):
    return (
        np.bincount(h.parcel, h.area_dm2, minlength=len(h.nodata_dm2))
        + h.nodata_dm2
        + h.outside_dm2
    )


@pytest.mark.parametrize("name", GRIDS)
def test_parts_add_up_to_the_rounded_area(name):
    grid = GRIDS[name]
    parcels = lonlat(grid, np.concatenate((INSIDE, EDGE)))
    h = cohort_histogram(parcels, layers(grid))
    np.testing.assert_array_equal(totals(h), np.floor(area_m2(parcels) * 100 + 0.5))
    assert not h.outside_dm2[: len(INSIDE)].any()
    assert (h.outside_dm2[len(INSIDE) :] > 0).all()
    for p in range(len(parcels)):
        assert (np.diff(h.cohort[h.start[p] : h.start[p + 1]]) > 0).all()


@pytest.mark.parametrize("name", GRIDS)
def test_every_cohort_equals_clipping(name):
    grid = GRIDS[name]
    in_cells = np.concatenate((INSIDE[::4], EDGE))
    parcels = lonlat(grid, in_cells)
    three = layers(grid)
    h = cohort_histogram(parcels, three)
    raw = [one.source.cells.astype(int) for one in three]
    cohort = sum(r * one.stride for r, one in zip(raw, three, strict=True))
    cohort[np.any([r == 255 for r in raw], axis=0)] = -1
    areas = area_m2(parcels)
    for p, polygon in enumerate(in_cells):
        want, lost = {}, 0.0
        for r in range(grid.height):
            for c in range(grid.width):
                share = polygon.intersection(shapely.box(c, r, c + 1, r + 1)).area / polygon.area
                if share:
                    want[cohort[r, c]] = want.get(cohort[r, c], 0.0) + share * areas[p]
        lost = want.pop(-1, 0.0)
        got = dict(
            zip(
                h.cohort[h.start[p] : h.start[p + 1]].tolist(),
                h.area_dm2[h.start[p] : h.start[p + 1]] / 100,
                strict=True,
            )
        )
        # Clipping in the plane has one scale for all; over 1.5 km the two differ by 1e-5 at most.
        slack = 0.02 + 2e-5 * areas[p]
        assert all(abs(got.get(k, 0.0) - v) < slack for k, v in want.items())
        assert set(got) <= set(want)
        assert h.nodata_dm2[p] / 100 == pytest.approx(lost, abs=slack)


def test_areas_by_class_equal_exactextract():
    exactextract = pytest.importorskip("exactextract")
    species = layers(METRES)[2]
    planar = shapely.transform(
        INSIDE, lambda c: np.column_stack((389_000.0 + c[:, 0] * 30, 3_207_000.0 - c[:, 1] * 30))
    )
    source = exactextract.raster.NumPyRasterSource(
        species.source.cells,
        xmin=389_000.0,
        ymin=3_207_000.0 - 50 * 30,
        xmax=389_000.0 + 40 * 30,
        ymax=3_207_000.0,
        nodata=255,
    )
    features = [
        {"type": "Feature", "geometry": shapely.geometry.mapping(g), "properties": {"id": k}}
        for k, g in enumerate(planar)
    ]
    rows = exactextract.exact_extract(source, features, ["unique", "frac", "count"])
    h = cohort_histogram(lonlat(METRES, INSIDE), [dataclasses.replace(species, stride=1)])
    share = class_shares(h, 6)
    for p, row in enumerate(rows):
        found = row["properties"]
        known = found["count"] * 900.0 / planar[p].area
        theirs = np.zeros(6)
        theirs[np.asarray(found["unique"], int)] = np.asarray(found["frac"]) * known
        np.testing.assert_allclose(share[p], theirs, atol=1e-6 + 1.0 / (planar[p].area * 100))


def test_means_equal_exactextract():
    exactextract = pytest.importorskip("exactextract")
    cells = np.random.default_rng(3).uniform(0, 40, (50, 40)).astype(np.float32)
    cells[5:9, 7:20] = -9999.0
    planar = shapely.transform(
        INSIDE, lambda c: np.column_stack((389_000.0 + c[:, 0] * 30, 3_207_000.0 - c[:, 1] * 30))
    )
    source = exactextract.raster.NumPyRasterSource(
        cells,
        xmin=389_000.0,
        ymin=3_207_000.0 - 1500,
        xmax=390_200.0,
        ymax=3_207_000.0,
        nodata=-9999.0,
    )
    features = [
        {"type": "Feature", "geometry": shapely.geometry.mapping(g), "properties": {}}
        for g in planar
    ]
    rows = [
        row["properties"]
        for row in exactextract.exact_extract(source, features, ["mean", "min", "max", "count"])
    ]
    got = zonal_mean(
        lonlat(METRES, INSIDE), ArrayLayer(name="slope", grid=METRES, nodata=-9999.0, cells=cells)
    )
    np.testing.assert_allclose(got.mean, [r["mean"] for r in rows], rtol=1e-6)
    np.testing.assert_allclose(got.minimum, [r["min"] for r in rows])
    np.testing.assert_allclose(got.maximum, [r["max"] for r in rows])
    np.testing.assert_allclose(
        got.known_share,
        [r["count"] * 900 / g.area for r, g in zip(rows, planar, strict=True)],
        rtol=1e-6,
    )


@pytest.mark.parametrize("name", GRIDS)
def test_strips_threads_and_order_change_no_bit(name):
    grid = GRIDS[name]
    parcels = lonlat(grid, np.concatenate((INSIDE, EDGE)))
    three = layers(grid)
    slope = ArrayLayer(
        name="slope", grid=grid, nodata=None, cells=np.random.default_rng(1).uniform(0, 9, (50, 40))
    )
    whole, mean = cohort_histogram(parcels, three), zonal_mean(parcels, slope)
    for rows in (1, 7, 16):
        assert same(whole, cohort_histogram(parcels, three, strip_rows=rows))
        np.testing.assert_array_equal(mean.mean, zonal_mean(parcels, slope, strip_rows=rows).mean)
    before = nb.get_num_threads()
    try:
        nb.set_num_threads(1)
        assert same(whole, cohort_histogram(parcels, three))
        np.testing.assert_array_equal(mean.mean, zonal_mean(parcels, slope).mean)
    finally:
        nb.set_num_threads(before)
    order = np.random.default_rng(2).permutation(len(parcels))
    mixed = cohort_histogram(parcels[order], three)
    for new, old in enumerate(order):
        np.testing.assert_array_equal(
            mixed.cohort[mixed.start[new] : mixed.start[new + 1]],
            whole.cohort[whole.start[old] : whole.start[old + 1]],
        )
        np.testing.assert_array_equal(
            mixed.area_dm2[mixed.start[new] : mixed.start[new + 1]],
            whole.area_dm2[whole.start[old] : whole.start[old + 1]],
        )
    np.testing.assert_array_equal(mixed.nodata_dm2, whole.nodata_dm2[order])


def test_small_batches_change_no_bit(monkeypatch):
    parcels = lonlat(METRES, INSIDE)
    whole = cohort_histogram(parcels, layers(METRES))
    monkeypatch.setattr(zonal, "BATCH_SLOTS", 50)
    assert same(whole, cohort_histogram(parcels, layers(METRES)))


def test_a_split_parcel_is_its_parts():
    parcel = star(20, 25, 9)
    halves = [
        shapely.box(0, 0, 20.3, 60).intersection(parcel),
        shapely.box(20.3, 0, 60, 60).intersection(parcel),
    ]
    three = layers(METRES)
    one = cohort_histogram(lonlat(METRES, np.array([parcel])), three)
    two = cohort_histogram(lonlat(METRES, np.array(halves)), three)
    dense = np.zeros(720)
    np.add.at(dense, two.cohort, two.area_dm2)
    got = np.zeros(720)
    got[one.cohort] = one.area_dm2
    # 1 dm2 of rounding a part, and the local scale of the projection is taken for each part.
    np.testing.assert_allclose(dense, got, atol=4, rtol=1e-5)
    assert abs(totals(two).sum() - totals(one).sum()) <= 2


def test_values_go_through_a_lookup():
    cells = np.array([[8, 10], [12, 0]], np.uint8)
    grid = Grid(
        crs="EPSG:4490",
        origin_x=118.0,
        origin_y=29.0,
        cell_x=0.001,
        cell_y=0.001,
        width=2,
        height=2,
    )
    lookup = np.full(13, -1, np.int32)
    lookup[[8, 10]] = 0, 1
    source = ArrayLayer(name="site", grid=grid, nodata=0.0, cells=cells)
    parcel = np.array([shapely.box(118.0, 28.998, 118.002, 29.0)])
    h = cohort_histogram(parcel, [ClassLayer(source=source, radix=2, stride=1, lookup=lookup)])
    assert h.cohort.tolist() == [0, 1]
    np.testing.assert_allclose(class_shares(h, 2), [[0.25, 0.25]], atol=1e-4)
    with pytest.raises(RasterError) as caught:
        cohort_histogram(parcel, [ClassLayer(source=source, radix=1, stride=1, lookup=lookup)])
    assert caught.value.code == "RASTER_CLASS_OUT_OF_RANGE"
    with pytest.raises(RasterError) as caught:
        cohort_histogram(parcel, [ClassLayer(source=source, radix=11, stride=1)])
    assert (
        caught.value.params["row"],
        caught.value.params["column"],
        caught.value.params["value"],
    ) == (1, 0, 12)


def test_layers_on_two_grids_are_refused_by_name():
    age, site, species = layers(METRES)
    other = dataclasses.replace(
        site, source=dataclasses.replace(site.source, grid=dataclasses.replace(METRES, cell_x=10.0))
    )
    with pytest.raises(GridMismatchError) as caught:
        cohort_histogram(lonlat(METRES, INSIDE), [age, other, species])
    assert caught.value.code == "RASTER_GRID_MISMATCH"
    assert (caught.value.params["first"], caught.value.params["second"]) == ("age", "site")


def test_strides_that_overlap_are_a_mistake():
    age, site, _ = layers(METRES)
    with pytest.raises(ValueError, match="overlaps"):
        cohort_histogram(lonlat(METRES, INSIDE), [age, dataclasses.replace(site, stride=29)])
    with pytest.raises(ValueError, match="at least one"):
        cohort_histogram(lonlat(METRES, INSIDE), [])
    with pytest.raises(ValueError, match="more than"):
        cohort_histogram(lonlat(METRES, INSIDE), [dataclasses.replace(age, radix=1 << 23)])


def test_no_parcels_and_nothing_on_the_grid():
    none = cohort_histogram(np.empty(0, object), layers(METRES))
    assert none.start.tolist() == [0]
    off = cohort_histogram(lonlat(METRES, EDGE[-1:]), layers(METRES))
    assert off.cohort.size == 0
    assert off.outside_dm2[0] == round(area_m2(lonlat(METRES, EDGE[-1:]))[0] * 100)
    mean = zonal_mean(lonlat(METRES, EDGE[-1:]), layers(METRES)[0].source)
    assert np.isnan(mean.mean[0])
    assert mean.known_share[0] == 0.0


def test_cell_areas_in_degrees_are_the_ellipsoid_s():
    rows = zonal.cell_area_m2(DEGREES)
    boxes = [
        shapely.box(118.86, 28.98 - (r + 1) * 0.0003, 118.8603, 28.98 - r * 0.0003) for r in (0, 49)
    ]
    np.testing.assert_allclose(rows[[0, 49]], area_m2(np.array(boxes)), rtol=1e-9)


def test_warm_up_works_and_repeats():
    zonal.warm_up()
    zonal.warm_up()
